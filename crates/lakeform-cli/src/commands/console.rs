//! `lakeform console`

use std::path::{Path, PathBuf};

use clap::Args;
use lakeform::{
    LoadedStack,
    lang::{parse_expression, render},
    state::State,
};

use crate::{
    Exit,
    cli::{InputOptions, StackOptions},
    cx::Cx,
    failure::{self, Failure},
};

/// Evaluate expressions against a stack and its state
///
/// Reads one expression per line from standard input and prints its value; on a terminal, until `exit`. Calls no provider:
/// resources have the values that the state holds.
#[derive(Args, Debug)]
pub(crate) struct ConsoleArgs {
    /// Stack file or directory; without one, and without any .toml file here, only functions can be used
    stack: Option<PathBuf>,

    #[command(flatten)]
    stack_options: StackOptions,
    #[command(flatten)]
    input: InputOptions,
}

pub(crate) async fn run(cx: &Cx, args: &ConsoleArgs) -> Result<Exit, Failure> {
    let mut loaded = match &args.stack {
        None if !has_stack(&cx.cwd) => cx.lakeform().load_text("console", "", args.stack_options.load(None))?,
        stack => cx.load(stack.as_deref().unwrap_or(Path::new(".")), &args.stack_options, None)?,
    };
    cx.ask_for_variables(&mut loaded, &args.input).await?;
    let state = loaded.state().await?.unwrap_or_else(|| State::new(""));
    if cx.terminal.stdin {
        return interactive(cx, &loaded, &state).await;
    }
    let text = String::from_utf8_lossy(&cx.read_stdin()?).into_owned();
    let mut failed = false;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line == "exit" {
            break;
        }
        failed |= !answer(cx, &loaded, &state, line)?;
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

/// Whether a directory holds a stack.
fn has_stack(directory: &Path) -> bool {
    let mut files = std::fs::read_dir(directory).into_iter().flatten().flatten();
    files.any(|file| file.path().extension().is_some_and(|e| e == "toml"))
}

async fn interactive(cx: &Cx, loaded: &LoadedStack, state: &State) -> Result<Exit, Failure> {
    loop {
        match cx.ask("> ").await {
            Ok(line) => match line.trim() {
                "exit" | "quit" => return Ok(Exit::Done),
                "" => {}
                line => drop(answer(cx, loaded, state, line)?),
            },
            Err(Failure::NoAnswer) => {
                cx.say("\n");
                return Ok(Exit::Done);
            }
            Err(e) => return Err(e),
        }
    }
}

/// Prints the value of one line, or why it has none. Whether it has one.
fn answer(cx: &Cx, loaded: &LoadedStack, state: &State, line: &str) -> Result<bool, Failure> {
    let value = parse_expression(line).map_err(Failure::from);
    match value.and_then(|expr| loaded.evaluate(&expr, state.clone()).map_err(Failure::from)) {
        Ok(value) => {
            let text = render(&value);
            cx.print(&format!("{text}\n"))?;
            Ok(true)
        }
        Err(failure) => {
            for problem in failure.diagnostics() {
                cx.say(&failure::render(&problem, cx.err_style));
            }
            Ok(false)
        }
    }
}
