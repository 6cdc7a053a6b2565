//! `lakeform state pull`

use std::path::PathBuf;

use clap::Args;

use crate::{Exit, cli::StackOptions, cx::Cx, failure::Failure};

/// Print the state file
///
/// Everything in it, secrets included.
#[derive(Args, Debug)]
pub(super) struct PullArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    stack: PathBuf,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(super) async fn run(cx: &Cx, args: &PullArgs) -> Result<Exit, Failure> {
    if let Some(state) = cx.load(&args.stack, &args.stack_options, None)?.state().await? {
        cx.print(&String::from_utf8_lossy(&state.to_bytes()))?;
    }
    Ok(Exit::Done)
}
