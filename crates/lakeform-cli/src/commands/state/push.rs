//! `lakeform state push`

use clap::Args;
use lakeform::state::State;

use crate::{
    Exit,
    cli::{LockOptions, StackOptions},
    cx::{Cx, split_stack},
    failure::Failure,
};

/// Store a state file in place of the state
///
/// Refused where the stored state is of another lineage or newer, unless forced.
#[derive(Args, Debug)]
#[command(override_usage = "lakeform state push [OPTIONS] [STACK] <FILE>")]
pub(super) struct PushArgs {
    /// Stack file or directory, and the state file; `-` is standard input
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// Store it whatever is there
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    stack_options: StackOptions,
    #[command(flatten)]
    lock: LockOptions,
}

pub(super) async fn run(cx: &Cx, args: &PushArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let [file] = &rest[..] else {
        return Err(Failure::usage("One state file is expected", "lakeform state push STACK FILE"));
    };
    let bytes = if file == "-" {
        cx.read_stdin()?
    } else {
        std::fs::read(cx.cwd.join(file)).map_err(|source| Failure::Io { what: format!("read {file}"), source })?
    };
    let state = State::parse(bytes)
        .map_err(|e| Failure::usage(format!("{file} cannot be stored: {e}"), "`lakeform state pull` prints a state"))?;
    let loaded = cx.load(&stack, &args.stack_options, Some(&args.lock))?;
    loaded.push_state(&state, args.force, &cx.cancel).await?;
    let place = loaded.backend().await?.store.describe();
    cx.say(&format!("Stored serial {} at {place}.\n", state.serial));
    Ok(Exit::Done)
}
