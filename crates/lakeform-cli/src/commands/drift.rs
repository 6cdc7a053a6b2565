//! `lakeform drift`

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lakeform::{PlanOptions, core::address::Target};

use crate::{
    Exit,
    cli::{Parallelism, StackOptions},
    cx::Cx,
    failure::Failure,
    view::drift,
};

/// Show what differs between live objects, the state and the stack
///
/// Reads every live object; needs neither a lock nor write permission. Exits with 0 where nothing differs, 2 where
/// something does, 1 where it cannot be told: made for cron.
#[derive(Args, Debug)]
pub(crate) struct DriftArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    stack: PathBuf,

    /// The same as --format=json
    #[arg(long, conflicts_with = "format")]
    json: bool,

    /// How to print
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,

    /// Only this module, resource or instance, and what it depends on
    #[arg(long, value_name = "ADDR", help_heading = "Planning options")]
    target: Vec<Target>,

    /// Not this module, resource or instance, nor what depends on it
    #[arg(long, value_name = "ADDR", help_heading = "Planning options")]
    exclude: Vec<Target>,

    #[command(flatten)]
    parallelism: Parallelism,
    #[command(flatten)]
    stack_options: StackOptions,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For pull requests and chats
    Markdown,
    /// For programs
    Json,
}

pub(crate) async fn run(cx: &Cx, args: &DriftArgs) -> Result<Exit, Failure> {
    let loaded = cx.load(&args.stack, &args.stack_options, None)?;
    cx.check(&loaded)?;
    let options = PlanOptions {
        targets: args.target.clone(),
        excludes: args.exclude.clone(),
        parallelism: args.parallelism.parallelism,
        ..PlanOptions::default()
    };
    let progress = cx.progress(false);
    let report = progress.during(loaded.drift(options, &progress, &cx.cancel)).await?;
    cx.warn(&report.plan.diagnostics);
    let text = match if args.json { Format::Json } else { args.format } {
        Format::Text => drift::text(&report, loaded.providers(), cx.style),
        Format::Markdown => drift::markdown(&report, &loaded),
        Format::Json => format!("{}\n", drift::json(&report, &loaded, &cx.timestamp())),
    };
    cx.print(&text)?;
    Ok(if report.is_empty() { Exit::Done } else { Exit::Changes })
}
