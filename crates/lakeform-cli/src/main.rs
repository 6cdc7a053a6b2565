//! The `lakeform` program.

#![allow(
    clippy::disallowed_methods,
    reason = "this is the place that reads the environment, the clock and the terminal"
)]

use std::{env, io, io::IsTerminal as _, process::ExitCode, sync::Arc};

use lakeform_cli::{Terminal, World, run};

fn main() -> ExitCode {
    let terminal = Terminal {
        stdin: io::stdin().is_terminal(),
        stdout: io::stdout().is_terminal(),
        stderr: io::stderr().is_terminal(),
    };
    let world = World {
        env: env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))).collect(),
        cwd: env::current_dir().unwrap_or_else(|_| ".".into()),
        home: env::home_dir(),
        who: || {
            let user = whoami::username().unwrap_or_else(|_| "unknown".into());
            format!("{user}@{}", whoami::hostname().unwrap_or_else(|_| "unknown".into()))
        },
        clock: Arc::new(jiff::Timestamp::now),
        stdin: Box::new(io::BufReader::new(io::stdin())),
        stdout: Box::new(io::stdout()),
        stderr: Box::new(io::stderr()),
        terminal,
        signals: true,
        ..World::default()
    };
    run(env::args_os(), world).into()
}
