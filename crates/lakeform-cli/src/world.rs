//! Everything that a run may read and write, so that tests can hand in their own.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::PathBuf,
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lakeform::{Cancel, provider::Provider};

/// The world around one run.
pub struct World {
    /// Environment variables.
    pub env: BTreeMap<String, String>,
    /// The working directory, absolute.
    pub cwd: PathBuf,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// Gives `user@host`; asked only where a lock is taken.
    pub who: fn() -> String,
    /// Gives the time.
    pub clock: Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>,
    /// Where answers to questions come from.
    pub stdin: Box<dyn io::BufRead + Send>,
    /// Where the answer goes.
    pub stdout: Box<dyn io::Write + Send>,
    /// Where all talk goes.
    pub stderr: Box<dyn io::Write + Send>,
    /// Which of them is a terminal.
    pub terminal: Terminal,
    /// Whether to listen for INT and TERM.
    pub signals: bool,
    /// Stops the run; signals escalate it.
    pub cancel: Cancel,
    /// Providers beside the built-in ones, or instead of those of the same name.
    pub providers: Vec<Arc<dyn Provider>>,
}

/// Which streams are terminals.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terminal {
    /// Whether questions can be asked.
    pub stdin: bool,
    /// Whether the answer may be coloured.
    pub stdout: bool,
    /// Whether progress may be animated.
    pub stderr: bool,
}

impl Default for World {
    /// An empty world: no environment, no input, no time; output goes nowhere.
    fn default() -> Self {
        Self {
            env: BTreeMap::new(),
            cwd: ".".into(),
            home: None,
            who: || "nobody@nowhere".into(),
            clock: Arc::new(|| jiff::Timestamp::UNIX_EPOCH),
            stdin: Box::new(io::empty()),
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
            terminal: Terminal::default(),
            signals: false,
            cancel: Cancel::new(),
            providers: Vec::new(),
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("cwd", &self.cwd).field("terminal", &self.terminal).finish_non_exhaustive()
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was done, or nothing had to be.
    Done = 0,
    /// Something went wrong.
    Failed = 1,
    /// There are changes (`plan --detailed-exitcode`) or there is drift (`drift`).
    Changes = 2,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit as u8)
    }
}

/// A stream that several threads write to.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Mutex<Box<dyn io::Write + Send>>>);

impl Shared {
    pub(crate) fn new(stream: Box<dyn io::Write + Send>) -> Self {
        Self(Arc::new(Mutex::new(stream)))
    }

    fn stream(&self) -> MutexGuard<'_, Box<dyn io::Write + Send>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a whole text at once. A reader that has gone away is not an error: `lakeform plan | head`.
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        let mut stream = self.stream();
        match stream.write_all(text.as_bytes()).and_then(|()| stream.flush()) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done,
        }
    }
}
