//! One run of the program: arguments, runtime, signals, the command, its failure in words.

use std::ffi::OsString;

use clap::{CommandFactory as _, FromArgMatches as _};
use lakeform::{Cancel, Level};

use crate::{
    Exit, World, args,
    cli::{Cli, Command},
    commands,
    cx::Cx,
    failure::{self, Failure},
    world::Shared,
};

/// The command tree, as clap knows it: for completions and for the reference page.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs one command. `args` begins with the program's name.
pub fn run(args: impl IntoIterator<Item = OsString>, world: World) -> Exit {
    let command = command();
    let args = args::normalise(args, &command);
    let parsed = command.try_get_matches_from(args).and_then(|matches| Cli::from_arg_matches(&matches));
    let cli = match parsed {
        Ok(cli) => cli,
        Err(e) => return explain(&e, world),
    };
    let signals = world.signals;
    let cx = Cx::new(world, cli.chdir.as_deref(), cli.no_color);
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
        Ok(runtime) => runtime,
        Err(source) => return tell(&cx, &Failure::Io { what: "start".into(), source }),
    };
    let exit = runtime.block_on(async {
        if signals {
            tokio::spawn(listen(cx.cancel.clone(), cx.err.clone()));
        }
        dispatch(&cx, cli.command).await.unwrap_or_else(|failure| tell(&cx, &failure))
    });
    // A question that nobody answered must not keep the process alive.
    runtime.shutdown_background();
    exit
}

/// Help, versions and mistakes in the arguments.
fn explain(e: &clap::Error, world: World) -> Exit {
    let color = |terminal: bool| terminal && world.env.get("NO_COLOR").is_none_or(String::is_empty);
    let text = |terminal| if color(terminal) { e.render().ansi().to_string() } else { e.render().to_string() };
    if e.use_stderr() {
        let _ = Shared::new(world.stderr).write(&text(world.terminal.stderr));
        Exit::Failed
    } else {
        let _ = Shared::new(world.stdout).write(&text(world.terminal.stdout));
        Exit::Done
    }
}

fn tell(cx: &Cx, failure: &Failure) -> Exit {
    for diagnostic in failure.diagnostics() {
        cx.say(&failure::render(&diagnostic, cx.err_style));
    }
    failure.exit()
}

/// Turns INT and TERM into cancellation: the first lets operations in flight finish, the second does not.
async fn listen(cancel: Cancel, err: Shared) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut int), Ok(mut term)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) else {
        return;
    };
    let mut before = cancel.level();
    loop {
        tokio::select! {
            _ = int.recv() => {}
            _ = term.recv() => {}
        }
        let level = cancel.escalate();
        if level != before {
            let _ = err.write(match level {
                Level::Run | Level::Finish => {
                    "\nInterrupt received. Nothing new is started; what is in flight is finished, the state saved and the \
                     lock released. Interrupt again to stop waiting.\n"
                }
                Level::Abandon => {
                    "\nTwo interrupts received. What is in flight is abandoned; the state is saved and the lock released.\n"
                }
            });
        }
        before = level;
    }
}

async fn dispatch(cx: &Cx, command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Plan(args) => commands::plan::run(cx, &args).await,
        Command::Apply(args) => commands::apply::run(cx, &args).await,
        Command::Destroy(args) => commands::destroy::run(cx, &args).await,
        Command::Drift(args) => commands::drift::run(cx, &args).await,
        Command::Validate(args) => commands::validate::run(cx, &args),
        Command::Fmt(args) => commands::fmt::run(cx, &args),
        Command::Output(args) => commands::output::run(cx, &args).await,
        Command::Show(args) => commands::show::run(cx, &args).await,
        Command::Console(args) => commands::console::run(cx, &args).await,
        Command::Upgrade(args) => commands::upgrade::run(cx, &args),
        Command::Graph(args) => commands::graph::run(cx, &args),
        Command::Import(args) => commands::import::run(cx, &args).await,
        Command::History(args) => commands::history::run(cx, &args).await,
        Command::State(args) => commands::state::run(cx, &args).await,
        Command::Taint(args) => commands::taint::run(cx, &args.mark, true).await,
        Command::Untaint(args) => commands::taint::run(cx, &args.mark, false).await,
        Command::ForceUnlock(args) => commands::force_unlock::run(cx, &args).await,
        Command::Lock(args) => commands::lock::run(cx, &args).await,
        Command::Journal(args) => commands::journal::run(cx, &args).await,
        Command::Bootstrap(args) => commands::bootstrap::run(cx, &args).await,
        Command::Schema(args) => commands::schema::run(cx, &args),
        Command::Version(args) => commands::version::run(cx, &args),
        Command::Completions(args) => commands::completions::run(cx, &args),
    }
}
