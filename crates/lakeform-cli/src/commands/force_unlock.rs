//! `lakeform force-unlock`

use clap::Args;
use lakeform::Error;

use crate::{
    Exit,
    cli::StackOptions,
    cx::{Cx, split_stack},
    failure::Failure,
};

/// Release a lock that a dead run left behind
///
/// Only for a run that is surely dead: two writers at once destroy each other's work.
#[derive(Args, Debug)]
#[command(override_usage = "lakeform force-unlock [OPTIONS] [STACK] <ID>")]
pub(crate) struct ForceUnlockArgs {
    /// Stack file or directory, and the lock's ID as the error message names it
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// Do not ask
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(crate) async fn run(cx: &Cx, args: &ForceUnlockArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let [id] = &rest[..] else {
        return Err(Failure::usage("The ID of one lock is expected", "lakeform force-unlock STACK ID"));
    };
    let loaded = cx.load(&stack, &args.stack_options, None)?;
    let backend = loaded.backend().await?;
    let Some(lock) = &backend.lock else {
        return Err(Failure::usage(
            format!("{} has no lock", backend.store.describe()),
            "set `dynamodb_table` or `use_lockfile` in [backend.s3]",
        ));
    };
    let sure = args.force
        || cx
            .approve("Do you really want to force-unlock?", "Lakeform will remove the lock on the remote state.")
            .await?;
    if !sure {
        return Err(Failure::Declined { what: "force-unlock cancelled." });
    }
    lock.force_release(id).await.map_err(Error::Unlock)?;
    cx.print(&format!("{}\n", cx.style.green("The state has been unlocked.")))?;
    Ok(Exit::Done)
}
