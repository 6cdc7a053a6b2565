//! `lakeform fmt`

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use lakeform::core::{Diagnostics, Source, Span};

use crate::{Exit, cx::Cx, failure::Failure};

/// Lay out stacks in the one way
///
/// Comments stay, and formatting twice changes nothing. Prints the name of each file that is changed.
#[derive(Args, Debug)]
pub(crate) struct FmtArgs {
    /// Files and directories; `-` formats standard input to standard output
    #[arg(default_value = ".", value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// Change nothing; exit with 1 where something would be changed
    #[arg(long)]
    check: bool,

    /// Show the changes
    #[arg(long)]
    diff: bool,

    /// Go into subdirectories
    #[arg(long)]
    recursive: bool,
}

pub(crate) fn run(cx: &Cx, args: &FmtArgs) -> Result<Exit, Failure> {
    if args.paths == [Path::new("-")] {
        return from_stdin(cx, args);
    }
    let mut files = Vec::new();
    for path in &args.paths {
        find(&cx.cwd, path, args.recursive, true, &mut files)?;
    }
    files.sort();
    files.dedup();
    let mut problems = Diagnostics::new();
    let mut changed = false;
    for file in files {
        let full = cx.cwd.join(&file);
        let text = fs::read_to_string(&full).map_err(|e| io(&file, "read", e))?;
        let shown = file.strip_prefix(".").unwrap_or(&file).display().to_string();
        match lakeform::lang::format(&text) {
            Err(e) => problems.extend(named(e, &shown, &text)),
            Ok(new) if new == text => {}
            Ok(new) => {
                changed = true;
                cx.print(&format!("{shown}\n"))?;
                if args.diff {
                    cx.print(&diff(&shown, &text, &new))?;
                }
                if !args.check {
                    fs::write(&full, new).map_err(|e| io(&file, "write", e))?;
                }
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    Ok(if args.check && changed { Exit::Failed } else { Exit::Done })
}

fn from_stdin(cx: &Cx, args: &FmtArgs) -> Result<Exit, Failure> {
    let text = String::from_utf8_lossy(&cx.read_stdin()?).into_owned();
    let new = lakeform::lang::format(&text).map_err(|e| named(e, "<stdin>", &text))?;
    if args.diff {
        cx.print(&diff("<stdin>", &text, &new))?;
    } else if !args.check {
        cx.print(&new)?;
    }
    Ok(if args.check && new != text { Exit::Failed } else { Exit::Done })
}

/// Collects `.toml` files: those named, and those in directories that are named.
fn find(cwd: &Path, path: &Path, recursive: bool, named: bool, out: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let full = cwd.join(path);
    if !full.is_dir() {
        if named || path.extension().is_some_and(|e| e == "toml") {
            out.push(path.to_owned());
        }
        return Ok(());
    }
    for entry in fs::read_dir(&full).map_err(|e| io(path, "read", e))? {
        let entry = entry.map_err(|e| io(path, "read", e))?;
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        let is_dir = entry.path().is_dir();
        if !hidden && (recursive || !is_dir) {
            find(cwd, &path.join(entry.file_name()), recursive, false, out)?;
        }
    }
    Ok(())
}

fn io(path: &Path, what: &str, source: std::io::Error) -> Failure {
    Failure::Io { what: format!("{what} {}", path.display()), source }
}

/// Problems with the file's own name and text.
fn named(problems: Diagnostics, path: &str, text: &str) -> Diagnostics {
    let source = std::sync::Arc::new(Source { path: path.to_owned(), text: text.to_owned() });
    let each = problems.0.into_iter().map(|mut problem| {
        match &mut problem.span {
            Some(span) => *span = Span { source: source.clone(), range: span.range.clone() },
            None => problem.summary = format!("{path}: {}", problem.summary),
        }
        problem
    });
    Diagnostics(each.collect())
}

fn diff(name: &str, old: &str, new: &str) -> String {
    similar::TextDiff::from_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&format!("old/{name}"), &format!("new/{name}"))
        .to_string()
}
