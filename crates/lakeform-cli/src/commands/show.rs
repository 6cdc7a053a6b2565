//! `lakeform show`

use clap::Args;
use lakeform::{LoadedStack, core::InstanceAddress, state::State};

use crate::{
    Exit,
    cli::StackOptions,
    commands::apply,
    cx::{Cx, split_stack},
    failure::Failure,
    view::{self, plan_json, state_json},
};

/// Show the state, one object of it, or a saved plan
#[derive(Args, Debug)]
#[command(override_usage = "lakeform show [OPTIONS] [STACK] [PLANFILE|ADDR]")]
pub(crate) struct ShowArgs {
    /// Stack file or directory; and a plan file or the address of one object
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// Print JSON, in the shape of Terraform's
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(crate) async fn run(cx: &Cx, args: &ShowArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    match &rest[..] {
        [] => {
            let loaded = cx.load(&stack, &args.stack_options, None)?;
            let state = loaded.state().await?;
            whole(cx, &loaded, state, args.json)
        }
        [one] => match apply::plan_file(cx, one.as_ref())? {
            Some(bytes) => plan(cx, bytes, args).await,
            None => {
                let address = one.parse().map_err(|e| {
                    Failure::usage(format!("{e}"), "a plan file or the address of an object is expected")
                })?;
                let loaded = cx.load(&stack, &args.stack_options, None)?;
                let state = loaded.state().await?.ok_or_else(|| no_object(&address))?;
                object(cx, &loaded, &state, &address, args.json)
            }
        },
        _ => Err(Failure::usage("Too many arguments", "lakeform show [STACK] [PLANFILE|ADDR]")),
    }
}

async fn plan(cx: &Cx, bytes: Vec<u8>, args: &ShowArgs) -> Result<Exit, Failure> {
    let (loaded, file) = cx.lakeform().load_plan(bytes, args.stack_options.load(None)).await?;
    let plan = loaded.inspect(file).await?;
    cx.print(&if args.json {
        format!("{}\n", plan_json::plan(&plan, &loaded, &cx.timestamp()))
    } else {
        view::plan::plan(&plan, loaded.providers(), cx.style)
    })?;
    Ok(Exit::Done)
}

fn whole(cx: &Cx, loaded: &LoadedStack, state: Option<State>, json: bool) -> Result<Exit, Failure> {
    let state = state.unwrap_or_else(|| State::new(""));
    if json {
        cx.print(&format!("{}\n", state_json::state(&state, loaded.providers())))?;
        return Ok(Exit::Done);
    }
    if state.is_empty() {
        cx.say("The state is empty: nothing was applied yet.\n");
        return Ok(Exit::Done);
    }
    let mut text = String::new();
    for (address, instance) in state.iter() {
        let current = instance.current.iter().map(|object| (None, object));
        for (deposed, object) in current.chain(instance.deposed.iter().map(|(key, object)| (Some(key), object))) {
            let note = match (deposed, object.tainted) {
                (Some(key), _) => format!(" (deposed object {key})"),
                (None, true) => " (tainted)".into(),
                (None, false) => String::new(),
            };
            let value = state_json::object_value(&address, object, loaded.providers());
            text.push_str(&view::plan::object(&address, &note, &value, loaded.providers(), cx.style));
            text.push('\n');
        }
    }
    if !state.outputs.is_empty() {
        let outputs = state.outputs.iter().map(|(name, o)| (name.as_str(), o.value.clone(), o.sensitive));
        text.push_str(&format!("\n{}\n\n{}", cx.style.bold("Outputs:"), view::plan::output_values(outputs)));
    }
    cx.print(&text)?;
    Ok(Exit::Done)
}

/// One object: what `show ADDR` and `state show ADDR` print.
pub(crate) fn object(
    cx: &Cx,
    loaded: &LoadedStack,
    state: &State,
    address: &InstanceAddress,
    json: bool,
) -> Result<Exit, Failure> {
    let object = state.current(address).ok_or_else(|| no_object(address))?;
    let value = state_json::object_value(address, object, loaded.providers());
    let note = if object.tainted { " (tainted)" } else { "" };
    cx.print(&if json {
        format!("{}\n", view::values_json::known(&value))
    } else {
        view::plan::object(address, note, &value, loaded.providers(), cx.style)
    })?;
    Ok(Exit::Done)
}

/// The state has no such object.
pub(crate) fn no_object(address: &InstanceAddress) -> Failure {
    Failure::usage(format!("There is no {address} in the state"), "`lakeform state list STACK` shows what there is")
}
