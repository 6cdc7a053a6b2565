//! `lakeform history`

use clap::Args;

use crate::{
    Exit,
    cli::StackOptions,
    cx::{Cx, split_stack},
    failure::Failure,
    view,
};

/// Show the runs that changed something: who, when, what and how they ended
///
/// Newest first; with the ID of a run, all that is known of it. The records are beside the state, and no value of any
/// attribute is in them. A run that was killed is shown as cut off.
#[derive(Args, Debug)]
#[command(override_usage = "lakeform history [OPTIONS] [STACK] [RUN]")]
pub(crate) struct HistoryArgs {
    /// Stack file or directory, and the ID of one run
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// How many runs
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(crate) async fn run(cx: &Cx, args: &HistoryArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let loaded = cx.load(&stack, &args.stack_options, None)?;
    let text = match &rest[..] {
        [] => {
            let records = loaded.history(args.limit).await?;
            if records.is_empty() && !args.json {
                cx.say("There are no records: nothing was changed yet.\n");
                return Ok(Exit::Done);
            }
            if args.json { json(&records) } else { view::history::runs(&records, cx.style) }
        }
        [id] => {
            let record = loaded.run(id).await?.ok_or_else(|| {
                Failure::usage(format!("There is no run {id}"), "`lakeform history STACK` shows which there are")
            })?;
            if args.json { json(&record) } else { view::history::run(&record, cx.style) }
        }
        _ => return Err(Failure::usage("Too many arguments", "lakeform history [STACK] [RUN]")),
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}

fn json(value: &impl serde::Serialize) -> String {
    format!("{}\n", serde_json::to_string_pretty(value).unwrap_or_default())
}
