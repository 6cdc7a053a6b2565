//! `local-exec`: runs a command where lakeform runs.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    process::Stdio,
};

use lakeform_core::{Block, Path};
use lakeform_provider::{BoxFuture, ErrorKind, Field, Model, ProviderError, Provisioner, Provisioning, Result};
use tokio::{process::Command, sync::mpsc};

/// A command that runs here.
#[derive(Model, Clone, Debug)]
struct Arguments {
    /// The command, as the interpreter takes it.
    #[attr(required)]
    command: String,
    /// Environment variables beside those that lakeform was given.
    #[attr(optional)]
    environment: Option<BTreeMap<String, Option<String>>>,
    /// Program and arguments that the command is appended to. Default: `/bin/sh -c`, on Windows `cmd /C`.
    #[attr(optional)]
    interpreter: Option<Vec<Option<String>>>,
    /// Whether the command itself is left out of what is shown. Default: `false`
    #[attr(optional)]
    quiet: Option<bool>,
    /// Where it runs, absolute or relative to the root module. Default: the root module's folder.
    #[attr(optional)]
    working_dir: Option<String>,
}

/// The provisioner `local-exec`, as Terraform has it built in.
#[derive(Debug)]
pub struct LocalExec {
    schema: Block,
    environment: BTreeMap<String, String>,
}

impl LocalExec {
    /// One whose commands see these environment variables and no others.
    pub fn new(environment: BTreeMap<String, String>) -> Self {
        Self { schema: Arguments::block(), environment }
    }

    async fn execute(&self, with: Provisioning<'_>) -> Result<()> {
        let Arguments { command, environment, interpreter, quiet, working_dir } = Arguments::from_value(with.config);
        if command.is_empty() {
            let problem = ProviderError::invalid("The command must be a non-empty string");
            return Err(problem.attribute(Path::attr("command")));
        }
        let interpreter: Vec<String> = interpreter.into_iter().flatten().flatten().collect();
        let shell: &[&str] = if cfg!(windows) { &["cmd", "/C"] } else { &["/bin/sh", "-c"] };
        let line: Vec<&str> = match interpreter.as_slice() {
            [] => shell.iter().copied().chain([command.as_str()]).collect(),
            given => given.iter().map(String::as_str).chain([command.as_str()]).collect(),
        };
        if quiet == Some(true) {
            (with.tell)("local-exec: Executing: Suppressed by quiet=true");
        } else {
            let shown: Vec<String> = line.iter().map(|part| format!("{part:?}")).collect();
            (with.tell)(&format!("Executing: [{}]", shown.join(" ")));
        }
        let directory = match &working_dir {
            Some(own) => with.directory.join(own),
            None => with.directory.to_path_buf(),
        };
        let failed = |why: &dyn std::fmt::Display, written: &str| {
            let text = if with.secret {
                format!("a command with sensitive values in it failed: {why}")
            } else {
                format!("Error running command '{command}': {why}. Output: {written}")
            };
            ProviderError::new(ErrorKind::Other, text)
        };
        // One pipe for both, so that lines come in the order in which they were written.
        let (reader, writer) = std::io::pipe().map_err(|e| failed(&e, ""))?;
        let second = writer.try_clone().map_err(|e| failed(&e, ""))?;
        let child = Command::new(line[0])
            .args(&line[1..])
            .env_clear()
            .envs(&self.environment)
            .envs(environment.into_iter().flatten().map(|(name, value)| (name, value.unwrap_or_default())))
            .current_dir(&directory)
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(second)
            .kill_on_drop(true)
            .spawn();
        let mut child = child.map_err(|e| failed(&format!("{e} (in {})", directory.display()), ""))?;
        let (lines, mut written) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in BufReader::new(reader).split(b'\n').map_while(std::io::Result::ok) {
                if lines.send(String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()).is_err() {
                    return;
                }
            }
        });
        let mut tail = Tail::default();
        while let Some(line) = written.recv().await {
            (with.tell)(&line);
            tail.push(&line);
        }
        let status = child.wait().await.map_err(|e| failed(&e, &tail.0))?;
        match (status.success(), status.code()) {
            (true, _) => Ok(()),
            (false, Some(code)) => Err(failed(&format!("exit status {code}"), &tail.0)),
            (false, None) => Err(failed(&status, &tail.0)),
        }
    }
}

/// The last of what a command wrote.
#[derive(Default)]
struct Tail(String);

impl Tail {
    /// How many bytes of it an error shows, as with Terraform.
    const LIMIT: usize = 8 * 1024;

    fn push(&mut self, line: &str) {
        self.0.push_str(line);
        self.0.push('\n');
        let surplus = self.0.len().saturating_sub(Self::LIMIT);
        if surplus > 0 {
            let cut = (surplus..=self.0.len()).find(|at| self.0.is_char_boundary(*at)).unwrap_or_default();
            self.0.drain(..cut);
        }
    }
}

impl Provisioner for LocalExec {
    fn name(&self) -> &'static str {
        "local-exec"
    }

    fn schema(&self) -> &Block {
        &self.schema
    }

    fn run<'a>(&'a self, with: Provisioning<'a>) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.execute(with))
    }
}
