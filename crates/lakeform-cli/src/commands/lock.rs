//! `lakeform lock`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use lakeform::Error;
use serde_json::json;

use crate::{
    Exit,
    cli::StackOptions,
    cx::Cx,
    failure::{Failure, lock_info},
};

/// Look at the state lock
#[derive(Args, Debug)]
pub(crate) struct LockArgs {
    #[command(subcommand)]
    command: LockCommand,
}

#[derive(Subcommand, Debug)]
enum LockCommand {
    /// Show who holds the lock
    Status(StatusArgs),
}

#[derive(Args, Debug)]
struct StatusArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    stack: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(crate) async fn run(cx: &Cx, args: &LockArgs) -> Result<Exit, Failure> {
    let LockCommand::Status(args) = &args.command;
    let loaded = cx.load(&args.stack, &args.stack_options, None)?;
    let backend = loaded.backend().await?;
    let holder = match &backend.lock {
        Some(lock) => lock.holder().await.map_err(Error::Lock)?,
        None => None,
    };
    cx.print(&match (&backend.lock, holder) {
        (_, holder) if args.json => {
            let info = holder.as_ref().and_then(|h| serde_json::from_str::<serde_json::Value>(&h.to_json()).ok());
            format!("{}\n", json!({ "locked": holder.is_some(), "lock": info }))
        }
        (None, _) => format!("{} has no lock.\n", backend.store.describe()),
        (Some(lock), None) => format!("{} is not locked.\n", lock.describe()),
        (Some(lock), Some(holder)) => format!("{} is locked.\n\n{}\n", lock.describe(), lock_info(&holder)),
    })?;
    Ok(Exit::Done)
}
