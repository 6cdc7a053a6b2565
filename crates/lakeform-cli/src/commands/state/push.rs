//! `lakeform state push`

use clap::Args;
use lakeform::{Error, state::StoreError};

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
    let loaded = cx.load(&stack, &args.stack_options, Some(&args.lock))?;
    let state = loaded.read_state_file(bytes).await.map_err(|e| match e {
        Error::Store(StoreError::Format { source, .. }) => not_storable(file, &source),
        Error::Cipher(e) => not_storable(file, &e),
        other => other.into(),
    })?;
    loaded.push_state(&state, args.force, &cx.cancel).await?;
    let place = loaded.backend().await?.store.describe();
    cx.say(&format!("Stored serial {} at {place}.\n", state.serial));
    Ok(Exit::Done)
}

fn not_storable(file: &str, why: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("{file} cannot be stored: {why}"), "`lakeform state pull` prints a state")
}
