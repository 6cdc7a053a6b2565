//! `lakeform state versions`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::{Exit, cli::StackOptions, cx::Cx, failure::Failure, view};

/// List the earlier states that the backend still has
///
/// Of S3 the versions of the state's object, as long as its bucket keeps them; of a file the state before each of the last
/// ten runs.
#[derive(Args, Debug)]
pub(super) struct VersionsArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    stack: PathBuf,

    /// How many, newest first
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    limit: usize,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(super) async fn run(cx: &Cx, args: &VersionsArgs) -> Result<Exit, Failure> {
    let loaded = cx.load(&args.stack, &args.stack_options, None)?;
    let versions = loaded.state_versions(args.limit).await?;
    if versions.is_empty() && !args.json {
        cx.say("There is no state yet.\n");
        return Ok(Exit::Done);
    }
    let found = versions.iter().map(|(version, state)| {
        let modified = version.modified.and_then(|at| jiff::Timestamp::try_from(at).ok());
        // To the second: S3 knows no more.
        let modified = modified.map(|at| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let objects = state.as_ref().map(|state| state.iter().count());
        (version, state.as_ref().map(|state| state.serial), modified, objects)
    });
    let text = if args.json {
        let each = found.map(|(version, serial, modified, objects)| {
            json!({
                "version": version.id, "serial": serial, "modified": modified, "size": version.size,
                "resource_instances": objects, "current": version.current,
            })
        });
        format!("{:#}\n", serde_json::Value::from_iter(each))
    } else {
        let or = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let rows: Vec<Vec<String>> = found
            .map(|(version, serial, modified, objects)| {
                let note = if version.current && version.id != "current" { " (current)" } else { "" };
                vec![
                    or(serial.map(|n| n.to_string())),
                    or(modified),
                    version.size.to_string(),
                    or(objects.map(|n| n.to_string())),
                    format!("{}{note}", version.id),
                ]
            })
            .collect();
        view::history::table(&["SERIAL", "WRITTEN", "BYTES", "INSTANCES", "VERSION"], &rows, cx.style)
    };
    cx.print(&text)?;
    Ok(Exit::Done)
}
