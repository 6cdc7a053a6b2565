//! `lakeform state restore`

use clap::Args;
use lakeform::state::State;

use crate::{
    Exit,
    cli::{LockOptions, StackOptions},
    cx::{Cx, split_stack},
    failure::Failure,
    view::state_diff::state_diff,
};

/// Store an earlier state as the next one
///
/// Its content gets a new serial; the state as it is stays among the versions. Nothing is changed in the cloud, so what
/// was done since is drift afterwards: `lakeform plan` shows it. What `protect` of the stack's [guard] covers now stays
/// protected.
#[derive(Args, Debug)]
#[command(override_usage = "lakeform state restore [OPTIONS] [STACK] <VERSION>")]
pub(super) struct RestoreArgs {
    /// Stack file or directory, and the version or serial as `state versions` shows it
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// Do not ask for approval
    #[arg(long)]
    auto_approve: bool,

    #[command(flatten)]
    stack_options: StackOptions,
    #[command(flatten)]
    lock: LockOptions,
}

pub(super) async fn run(cx: &Cx, args: &RestoreArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let [version] = &rest[..] else {
        return Err(Failure::usage("One version is expected", "lakeform state restore STACK VERSION"));
    };
    let loaded = cx.load(&stack, &args.stack_options, Some(&args.lock))?;
    let restored = loaded
        .locked("state-restore", &cx.cancel, &cx.lock_notice(), async |session| {
            let earlier = loaded.state_version(version).await?;
            let nothing = State::new(&earlier.lineage);
            let now = if session.exists() { session.state() } else { &nothing };
            let Some(text) = state_diff(now, &earlier, loaded.providers(), cx.style) else { return Ok(None) };
            cx.say("From the state as it is (the first) to that version (the second):\n");
            cx.print(&text)?;
            if !args.auto_approve
                && !cx
                    .approve(
                        "Do you want to store that version as the next state?",
                        "Objects that it does not have are no longer managed, and stay as they are in the cloud.",
                    )
                    .await?
            {
                return Err(Failure::Declined { what: "Restore cancelled." });
            }
            session.restore(&earlier).await?;
            Ok(Some(earlier.serial))
        })
        .await?;
    match restored {
        Some(serial) => cx.print(&format!(
            "{}\n`lakeform plan` shows how the cloud differs from it.\n",
            cx.style.green(format!("The content of serial {serial} is the state again."))
        ))?,
        None => cx.print("No differences: the state says the same already.\n")?,
    }
    Ok(Exit::Done)
}
