//! `lakeform completions`

use clap::Args;
use clap_complete::Shell;

use crate::{Exit, cx::Cx, failure::Failure};

/// Print the completion script of a shell
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(cx: &Cx, args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::command(), "lakeform", &mut script);
    cx.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Done)
}
