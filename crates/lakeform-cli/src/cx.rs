//! What every command works with: streams, colours, questions, the library.

use std::{
    cell::OnceCell,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use lakeform::{
    Cancel, Error, Lakeform, Level, LoadedStack, LockNotice, VariableSource, core::Diagnostics, state::LockError,
};

use crate::{
    cli::{InputOptions, LockOptions, StackOptions},
    failure::{self, Failure},
    progress::{Progress, Show},
    view::style::Style,
    world::{Shared, Terminal, World},
};

/// One run of one command.
pub(crate) struct Cx {
    pub(crate) out: Shared,
    pub(crate) err: Shared,
    /// Colours of the answer.
    pub(crate) style: Style,
    /// Colours of the talk.
    pub(crate) err_style: Style,
    pub(crate) terminal: Terminal,
    pub(crate) cwd: PathBuf,
    pub(crate) cancel: Cancel,
    pub(crate) clock: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
    stdin: Arc<Mutex<Box<dyn io::BufRead + Send>>>,
    world: Kept,
    lakeform: OnceCell<Lakeform>,
}

/// What the library is made of, once it is needed.
struct Kept {
    env: std::collections::BTreeMap<String, String>,
    home: Option<PathBuf>,
    who: fn() -> String,
    providers: Vec<Arc<dyn lakeform::provider::Provider>>,
}

impl Cx {
    /// The context of a run in a directory.
    pub(crate) fn new(world: World, chdir: Option<&Path>, no_color: bool) -> Self {
        let quiet = no_color || world.env.get("NO_COLOR").is_some_and(|v| !v.is_empty());
        let dumb = world.env.get("TERM").is_some_and(|t| t == "dumb");
        Self {
            out: Shared::new(world.stdout),
            err: Shared::new(world.stderr),
            style: Style { color: world.terminal.stdout && !quiet && !dumb },
            err_style: Style { color: world.terminal.stderr && !quiet && !dumb },
            terminal: Terminal { stderr: world.terminal.stderr && !dumb, ..world.terminal },
            cwd: chdir.map_or_else(|| world.cwd.clone(), |dir| world.cwd.join(dir)),
            cancel: world.cancel,
            clock: world.clock,
            stdin: Arc::new(Mutex::new(world.stdin)),
            world: Kept { env: world.env, home: world.home, who: world.who, providers: world.providers },
            lakeform: OnceCell::new(),
        }
    }

    /// Writes to standard output.
    pub(crate) fn print(&self, text: &str) -> Result<(), Failure> {
        self.out.write(text).map_err(|source| Failure::Io { what: "write to standard output".into(), source })
    }

    /// Writes to standard error.
    pub(crate) fn say(&self, text: &str) {
        let _ = self.err.write(text);
    }

    /// The time, RFC 3339.
    pub(crate) fn timestamp(&self) -> String {
        (self.clock)().to_string()
    }

    /// The library, made on first use.
    pub(crate) fn lakeform(&self) -> &Lakeform {
        self.lakeform.get_or_init(|| {
            let clock = self.clock.clone();
            let mut builder = Lakeform::builder()
                .environment(self.world.env.clone())
                .working_directory(&self.cwd)
                .who((self.world.who)())
                .git(crate::git::program(self.world.env.clone()))
                .clock(move || clock());
            if let Some(home) = &self.world.home {
                builder = builder.home(home);
            }
            self.world.providers.iter().cloned().fold(builder, lakeform::Builder::provider).build()
        })
    }

    /// Loads a stack and tells its warnings.
    pub(crate) fn load(
        &self,
        stack: &Path,
        options: &StackOptions,
        lock: Option<&LockOptions>,
    ) -> Result<LoadedStack, Failure> {
        let loaded = self.lakeform().load(stack, options.load(lock))?;
        self.warn(loaded.warnings());
        Ok(loaded)
    }

    /// Tells what validation warns of, and stops where it finds errors.
    pub(crate) fn check(&self, loaded: &LoadedStack) -> Result<(), Failure> {
        let told = loaded.warnings();
        let found = loaded.validate().0.into_iter().filter(|d| told.iter().all(|t| t != d)).collect();
        let found = Diagnostics(found);
        if found.has_errors() {
            return Err(found.into());
        }
        self.warn(&found);
        Ok(())
    }

    /// Asks for variables that have no value, where someone is there to answer.
    pub(crate) async fn ask_for_variables(
        &self,
        loaded: &mut LoadedStack,
        input: &InputOptions,
    ) -> Result<(), Failure> {
        if !input.input || !self.terminal.stdin {
            return Ok(());
        }
        for (name, description) in loaded.missing_variables() {
            let style = self.err_style;
            self.say(&format!("{}\n", style.bold(format!("var.{name}"))));
            if let Some(text) = description {
                self.say(&format!("  {text}\n"));
            }
            let answer = self.ask(&format!("\n  {} ", style.bold("Enter a value:"))).await?;
            loaded.set_variable(VariableSource::Text(name.to_string(), answer))?;
            self.say("\n");
        }
        Ok(())
    }

    /// Asks a question and waits for one line.
    pub(crate) async fn ask(&self, question: &str) -> Result<String, Failure> {
        self.say(question);
        let stdin = self.stdin.clone();
        let read = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            let n = stdin.lock().unwrap_or_else(PoisonError::into_inner).read_line(&mut line)?;
            Ok((n > 0).then(|| line.trim_end_matches(['\n', '\r']).to_owned()))
        });
        let line: io::Result<Option<String>> = tokio::select! {
            done = read => done.map_err(io::Error::other).flatten(),
            () = self.cancel.reached(Level::Finish) => return Err(Error::Interrupted.into()),
        };
        match line {
            Ok(Some(line)) => Ok(line),
            Ok(None) => Err(Failure::NoAnswer),
            Err(source) => Err(Failure::Io { what: "read from standard input".into(), source }),
        }
    }

    /// Asks for a plain yes, in Terraform's words.
    pub(crate) async fn approve(&self, question: &str, explanation: &str) -> Result<bool, Failure> {
        let style = self.err_style;
        let text = format!(
            "\n{}\n  {explanation}\n  Only 'yes' will be accepted to approve.\n\n  {} ",
            style.bold(question),
            style.bold("Enter a value:")
        );
        let answer = self.ask(&text).await?;
        self.say("\n");
        Ok(answer.trim() == "yes")
    }

    /// Everything that is on standard input.
    pub(crate) fn read_stdin(&self) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        io::Read::read_to_end(&mut *stdin, &mut out)
            .map_err(|source| Failure::Io { what: "read from standard input".into(), source })?;
        Ok(out)
    }

    /// Tells warnings (and errors that do not end the run).
    pub(crate) fn warn(&self, diagnostics: &Diagnostics) {
        for diagnostic in diagnostics.iter() {
            self.say(&failure::render(diagnostic, self.err_style));
        }
    }

    /// Tells who holds the lock that is waited for, and when it stays behind.
    pub(crate) fn lock_notice(&self) -> impl Fn(LockNotice<'_>) + use<> {
        let (err, style) = (self.err.clone(), self.err_style);
        move |notice| {
            let text = match notice {
                LockNotice::Waiting(LockError::Held { place, holder }) => {
                    let who = holder.as_ref().map(|h| format!(": {h}")).unwrap_or_default();
                    format!("Waiting for the state lock of {place}{who}\n")
                }
                LockNotice::Waiting(other) => format!("Waiting for the state lock: {other}\n"),
                LockNotice::TakenOver(before) => {
                    let who = if before.who.is_empty() { "someone" } else { &before.who };
                    let until = before.term.map(|term| term.until()).unwrap_or_default();
                    format!("Took over the state lock of {who}, whose lease ran out at {until} (lock {})\n", before.id)
                }
                LockNotice::Lost(e) => failure::render(&failure::lost(e), style),
                LockNotice::NotReleased(e) => failure::render(&failure::not_released(e), style),
                LockNotice::NotRecorded(e) => failure::render(&failure::not_recorded(e), style),
            };
            let _ = err.write(&text);
        }
    }

    /// Shows what goes on: animated on a terminal, as JSON lines on standard output, else one line per event.
    pub(crate) fn progress(&self, json: bool) -> Progress {
        let show = match (json, self.terminal.stderr) {
            (true, _) => Show::Json(self.out.clone(), self.clock.clone()),
            (false, true) => Show::Terminal,
            (false, false) => Show::Lines(self.err.clone()),
        };
        Progress::new(show, self.err_style)
    }
}

/// Tells a stack from whatever may follow it in a list of arguments: a `.toml` file, or a directory.
pub(crate) fn split_stack(cwd: &Path, args: &[String]) -> (PathBuf, Vec<String>) {
    match args.split_first() {
        Some((first, rest)) if first.ends_with(".toml") || cwd.join(first).is_dir() => (first.into(), rest.to_vec()),
        _ => (".".into(), args.to_vec()),
    }
}
