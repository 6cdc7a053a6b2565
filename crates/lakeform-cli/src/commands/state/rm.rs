//! `lakeform state rm`

use clap::Args;

use crate::{
    Exit,
    cli::{LockOptions, StackOptions},
    cx::{Cx, split_stack},
    failure::Failure,
};

use super::list::{covers, parse_targets};

/// Forget objects
///
/// Takes them out of the state; they stay as they are in the cloud, and are no longer managed.
#[derive(Args, Debug)]
#[command(override_usage = "lakeform state rm [OPTIONS] [STACK] <ADDR>...")]
pub(super) struct RmArgs {
    /// Stack file or directory, and addresses of instances, resources or modules
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// Only show what would be forgotten
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    stack_options: StackOptions,
    #[command(flatten)]
    lock: LockOptions,
}

pub(super) async fn run(cx: &Cx, args: &RmArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let targets = parse_targets(&rest)?;
    if targets.is_empty() {
        return Err(Failure::usage("An address is expected", "lakeform state rm STACK ADDR"));
    }
    let loaded = cx.load(&stack, &args.stack_options, Some(&args.lock))?;
    loaded
        .locked("state-rm", &cx.cancel, &cx.lock_notice(), async |session| {
            let mut state = session.state().clone();
            let mut text = String::new();
            let mut count = 0;
            for target in &targets {
                let found: Vec<_> = state.iter().map(|(address, _)| address).filter(|a| covers(target, a)).collect();
                if found.is_empty() {
                    return Err(Failure::usage(
                        format!("There is no {target} in the state"),
                        "`lakeform state list STACK` shows what there is",
                    ));
                }
                for address in found {
                    state.remove(&address);
                    count += 1;
                    let word = if args.dry_run { "Would remove" } else { "Removed" };
                    text.push_str(&format!("{word} {address}\n"));
                }
            }
            if !args.dry_run {
                session.save(&state).await?;
                text.push_str(&format!("Successfully removed {count} resource instance(s).\n"));
            }
            cx.print(&text)
        })
        .await?;
    Ok(Exit::Done)
}
