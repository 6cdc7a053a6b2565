//! `lakeform bootstrap`

use std::path::PathBuf;

use clap::Args;

use crate::{Exit, cli::StackOptions, cx::Cx, failure::Failure};

/// Create a stack's backend
///
/// Creates the bucket (versioned, encrypted, private) and the lock table of [backend.s3] where they are absent, and leaves
/// alone what is there. A local backend needs nothing.
#[derive(Args, Debug)]
pub(crate) struct BootstrapArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    stack: PathBuf,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(crate) async fn run(cx: &Cx, args: &BootstrapArgs) -> Result<Exit, Failure> {
    let loaded = cx.load(&args.stack, &args.stack_options, None)?;
    let done = loaded.bootstrap().await?;
    let place = loaded.backend().await?.store.describe();
    cx.print(&if done.steps.is_empty() {
        format!("{place} is made by the first apply; nothing else is needed.\n")
    } else {
        format!("{done}\n\nThe state of this stack will be {place}.\n")
    })?;
    Ok(Exit::Done)
}
