//! `lakeform state diff`

use clap::Args;

use crate::{
    Exit,
    cli::StackOptions,
    cx::{Cx, split_stack},
    failure::Failure,
    view::state_diff::state_diff,
};

/// Show what differs between two states
///
/// Objects with their attributes, and outputs; sensitive values are not shown.
#[derive(Args, Debug)]
#[command(override_usage = "lakeform state diff [OPTIONS] [STACK] <VERSION> [VERSION]")]
pub(super) struct DiffArgs {
    /// Stack file or directory, and one or two versions or serials as `state versions` shows them; the second is by default
    /// the current state
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(super) async fn run(cx: &Cx, args: &DiffArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let (first, second) = match &rest[..] {
        [first] => (first.as_str(), "current"),
        [first, second] => (first.as_str(), second.as_str()),
        _ => {
            return Err(Failure::usage(
                "One or two versions are expected",
                "lakeform state diff STACK VERSION [VERSION]",
            ));
        }
    };
    let loaded = cx.load(&stack, &args.stack_options, None)?;
    let (a, b) = (loaded.state_version(first).await?, loaded.state_version(second).await?);
    match state_diff(&a, &b, loaded.providers(), cx.style) {
        Some(text) => cx.print(&text)?,
        None => cx.print(&format!("No differences: serial {} and serial {} say the same.\n", a.serial, b.serial))?,
    }
    Ok(Exit::Done)
}
