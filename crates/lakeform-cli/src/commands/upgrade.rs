//! `lakeform upgrade`

use std::path::PathBuf;

use clap::Args;
use lakeform::PinnedModule;

use crate::{Exit, cli::StackOptions, cx::Cx, failure::Failure};

/// Take the newest commits of modules from git
///
/// The first command that reads a stack fetches its modules from git and pins their commits in a lock file beside the stack;
/// later ones use the same commits. This asks the repositories again, and pins what each `ref` means now.
#[derive(Args, Debug)]
pub(crate) struct UpgradeArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    stack: PathBuf,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(crate) fn run(cx: &Cx, args: &UpgradeArgs) -> Result<Exit, Failure> {
    let mut options = args.stack_options.load(None);
    options.upgrade_modules = true;
    let loaded = cx.lakeform().load(&args.stack, options)?;
    cx.warn(loaded.warnings());
    let lines: String = loaded.modules().iter().map(line).collect();
    cx.print(if lines.is_empty() { "The stack has no modules from git.\n" } else { &lines })?;
    Ok(Exit::Done)
}

fn line(module: &PinnedModule) -> String {
    let reference = module.reference.as_ref().map(|r| format!(" ({r})")).unwrap_or_default();
    let short = |commit: &str| commit.chars().take(12).collect::<String>();
    let now = short(&module.commit);
    let commit = match &module.before {
        Some(before) if *before == module.commit => format!("{now}, as before"),
        Some(before) => format!("{} -> {now}", short(before)),
        None => format!("{now}, pinned now"),
    };
    format!("{}{reference}: {commit}\n", module.url)
}
