//! `lakeform validate`

use std::path::PathBuf;

use clap::Args;
use lakeform::{Error, core::Diagnostics};
use serde_json::json;

use crate::{Exit, cli::StackOptions, cx::Cx, failure::Failure, view::events_json};

/// Check a stack without calling anything
///
/// Finds unknown names, missing and superfluous arguments, wrong types and references that lead nowhere, all at once. Reads
/// no credentials.
#[derive(Args, Debug)]
pub(crate) struct ValidateArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    stack: PathBuf,

    /// Print the problems as JSON, in the shape of Terraform's
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(crate) fn run(cx: &Cx, args: &ValidateArgs) -> Result<Exit, Failure> {
    let problems = match cx.lakeform().load(&args.stack, args.stack_options.load(None)) {
        Ok(loaded) => loaded.validate(),
        Err(Error::Stack(problems)) => problems,
        Err(e) => return Err(e.into()),
    };
    let valid = !problems.has_errors();
    if args.json {
        cx.print(&format!("{:#}\n", report(&problems)))?;
    } else {
        cx.warn(&problems);
        if valid {
            let success = cx.style.green(cx.style.bold("Success!"));
            cx.print(&format!("{success} The configuration is valid.\n"))?;
        }
    }
    Ok(if valid { Exit::Done } else { Exit::Failed })
}

fn report(problems: &Diagnostics) -> serde_json::Value {
    let errors = problems.iter().filter(|d| d.is_error()).count();
    json!({
        "format_version": "1.0",
        "valid": errors == 0,
        "error_count": errors,
        "warning_count": problems.0.len() - errors,
        "diagnostics": problems.iter().map(events_json::diagnostic).collect::<Vec<_>>(),
    })
}
