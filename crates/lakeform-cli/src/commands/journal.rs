//! `lakeform journal`

use std::{fmt::Write as _, path::PathBuf};

use clap::Args;
use lakeform::{
    core::InstanceAddress,
    state::journal::{Open, Recovery},
};
use serde_json::json;

use crate::{
    Exit,
    cli::{LockOptions, StackOptions},
    cx::Cx,
    failure::Failure,
};

/// Show what a run that was cut off left open
///
/// The next plan, apply, drift or destroy looks everything up by itself. Only what nobody can look up must be settled here,
/// once someone has looked.
#[derive(Args, Debug)]
pub(crate) struct JournalArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    stack: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,

    /// Settle this instance: what was begun on it is not to be looked for any more
    #[arg(long, value_name = "ADDR")]
    drop: Vec<InstanceAddress>,

    /// Take the whole journal away: what it says and the state does not is lost
    #[arg(long, conflicts_with = "drop")]
    drop_all: bool,

    #[command(flatten)]
    stack_options: StackOptions,
    #[command(flatten)]
    lock: LockOptions,
}

pub(crate) async fn run(cx: &Cx, args: &JournalArgs) -> Result<Exit, Failure> {
    let loaded = cx.load(&args.stack, &args.stack_options, Some(&args.lock))?;
    if args.drop_all {
        loaded.drop_journal(&cx.cancel).await?;
        cx.print(&format!("{}\n", cx.style.green("The journal was taken away.")))?;
        return Ok(Exit::Done);
    }
    if !args.drop.is_empty() {
        loaded.drop_intents(&args.drop, &cx.cancel).await?;
        let names: Vec<String> = args.drop.iter().map(ToString::to_string).collect();
        cx.print(&format!("{}\n", cx.style.green(format!("Settled: {}", names.join(", ")))))?;
        return Ok(Exit::Done);
    }
    let recovery = loaded.recovery().await?;
    cx.print(&if args.json { format!("{}\n", as_json(&recovery)) } else { as_text(&recovery) })?;
    Ok(Exit::Done)
}

/// What was under way, in a word.
fn word(open: &Open) -> &'static str {
    match open {
        Open::Created(_) | Open::Lost => "create",
        Open::Updated(_) => "update",
        Open::Deleted(_) => "delete",
        Open::Withheld(_) => "created without its secrets",
    }
}

fn as_json(recovery: &Recovery) -> serde_json::Value {
    let runs = recovery.runs.iter().map(|run| json!({ "who": run.who, "created": run.created }));
    let open =
        recovery.open.iter().map(|(address, open)| json!({ "address": address.to_string(), "action": word(open) }));
    json!({
        "runs": runs.collect::<Vec<_>>(),
        "at_work": recovery.at_work.is_some(),
        "done": recovery.done,
        "open": open.collect::<Vec<_>>(),
    })
}

fn as_text(recovery: &Recovery) -> String {
    if recovery.is_empty() {
        return "Nothing is left open: no run was cut off.\n".to_owned();
    }
    let mut out = String::new();
    let what = if recovery.at_work.is_some() { "is at work" } else { "was cut off" };
    for run in &recovery.runs {
        let _ = writeln!(out, "A run of {} that began at {} {what}.", run.who, run.created);
    }
    if !recovery.done.is_empty() {
        let _ = writeln!(out, "\nDone, and not in the stored state yet:");
        for done in &recovery.done {
            let _ = writeln!(out, "  {done}");
        }
    }
    if !recovery.open.is_empty() {
        let _ = writeln!(out, "\nBegun, and to be looked up by the next run:");
        for (address, open) in &recovery.open {
            let _ = writeln!(out, "  {address} ({})", word(open));
        }
    }
    out
}
