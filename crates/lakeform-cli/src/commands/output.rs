//! `lakeform output`

use clap::Args;
use lakeform::{
    core::{Kind, Value, json::to_plain_json},
    state::OutputState,
};
use serde_json::{Map, json};

use crate::{
    Exit,
    cli::StackOptions,
    cx::{Cx, split_stack},
    failure::Failure,
    view,
};

/// Show the outputs of a stack, as the last apply left them
///
/// Sensitive ones are shown only where they are asked for: by name, or with --json.
#[derive(Args, Debug)]
#[command(override_usage = "lakeform output [OPTIONS] [STACK] [NAME]")]
pub(crate) struct OutputArgs {
    /// Stack file or directory, and the name of one output
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// Print JSON
    #[arg(long, conflicts_with = "raw")]
    json: bool,

    /// Print one string, number or bool without quotes or newline
    #[arg(long)]
    raw: bool,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(crate) async fn run(cx: &Cx, args: &OutputArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let outputs = cx.load(&stack, &args.stack_options, None)?.outputs().await?;
    match &rest[..] {
        [] if args.raw => Err(Failure::usage("--raw needs the name of one output", "lakeform output STACK NAME --raw")),
        [] if args.json => {
            let all = outputs.iter().map(|(name, o)| {
                let record = json!({
                    "sensitive": o.sensitive,
                    "type": o.value.ty().to_json(),
                    "value": to_plain_json(&o.value),
                });
                (name.clone(), record)
            });
            cx.print(&format!("{:#}\n", serde_json::Value::from(all.collect::<Map<_, _>>())))?;
            Ok(Exit::Done)
        }
        [] => {
            if outputs.is_empty() {
                cx.say("The state has no outputs. Declare them in [output.NAME], then apply.\n");
            }
            let all = outputs.iter().map(|(name, o)| (name.as_str(), o.value.clone(), o.sensitive));
            cx.print(&view::plan::output_values(all))?;
            Ok(Exit::Done)
        }
        [name] => {
            let output = outputs.get(name).ok_or_else(|| unknown(name, outputs.keys()))?;
            cx.print(&one(name, output, args)?)?;
            Ok(Exit::Done)
        }
        _ => Err(Failure::usage("Too many arguments", "lakeform output [STACK] [NAME]")),
    }
}

fn one(name: &str, output: &OutputState, args: &OutputArgs) -> Result<String, Failure> {
    if args.json {
        return Ok(format!("{}\n", to_plain_json(&output.value)));
    }
    if args.raw {
        return raw(&output.value).ok_or_else(|| {
            Failure::usage(
                format!("Output `{name}` is no string, number or bool, and cannot be printed raw"),
                "print it with --json",
            )
        });
    }
    Ok(format!("{}\n", lakeform::lang::render(&output.value)))
}

fn raw(value: &Value) -> Option<String> {
    match value.kind() {
        Kind::String(s) => Some(s.to_string()),
        Kind::Bool(b) => Some(b.to_string()),
        Kind::Number(n) => Some(n.to_string()),
        _ => None,
    }
}

fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Failure {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let help = if known.is_empty() {
        "the state has no outputs: declare them in [output.NAME], then apply".to_owned()
    } else {
        format!("there are: {}", known.join(", "))
    };
    Failure::usage(format!("There is no output `{name}` in the state"), help)
}
