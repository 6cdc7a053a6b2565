//! Runs that are killed (SIGKILL) at one call that changes something, and what the next run makes of it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::{
    Gate,
    census::{Census, Objects, differences},
    emulator::{Emulator, EmulatorError, environment_for},
    proxy::{Exchange, Proxy, Rule},
};

/// What is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// lakeform
    Lakeform,
    /// Terraform, on the same stack in its own syntax. It works without locks here: who knows that the run is dead breaks them.
    Terraform,
}

/// Where the state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keeping {
    /// In a file.
    Local,
    /// In S3, locked by a table.
    S3,
}

/// Which run is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The first apply.
    Apply,
    /// An apply that changes, replaces and deletes.
    Update,
    /// The destruction of everything.
    Destroy,
    /// The first apply, of which AWS refuses a late part: what it did is undone. The next run is an apply that nothing is refused.
    Rollback,
}

/// When the run is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The call has not reached the cloud, and never will.
    Before,
    /// The call has been carried out, and its answer has not arrived.
    After,
}

/// A stack and how it changes.
#[derive(Clone, Debug)]
pub struct Subject {
    /// A folder with the stack and what it refers to.
    pub folder: PathBuf,
    /// The stack in it.
    pub stack: String,
    /// What the second apply is given besides: `--var`, `project=other`, ...
    pub update: Vec<String>,
    /// Put at the end of the stack.
    pub addition: String,
}

/// A cloud, a proxy in front of it, and a program to be killed.
#[derive(Debug)]
pub struct Crashes {
    tool: Tool,
    program: Vec<OsString>,
    env: BTreeMap<String, String>,
    emulator: Emulator,
    proxy: Proxy,
    census: Census,
    subject: Subject,
    keeping: Keeping,
    home: tempfile::TempDir,
    /// Where the program runs.
    cwd: PathBuf,
    /// The phase that the emulator keeps the beginning of, beside the files of the state in `kept`.
    begun: Option<Phase>,
    kept: tempfile::TempDir,
    /// The operation that is refused, so that there is something to undo.
    refused: String,
    /// The calls of the last run that was timed.
    calls: Vec<Exchange>,
}

/// What a run is given so that it does not ask.
const YES: &str = "--auto-approve";

/// Where Terraform keeps its state instead of in a file.
const TERRAFORM_BACKEND: &str = r#"{"terraform": {"backend": {"s3": {"bucket": "crash-state", "key": "s.tfstate",
    "region": "eu-west-2", "use_path_style": true, "skip_requesting_account_id": true}}}}"#;

/// A backend that the harness can bootstrap, and a short lease so that the next run need not wait long for the killed one's.
const BACKEND: &str = "[backend.s3]\nbucket = \"crash-state\"\nkey = \"s.tfstate\"\nregion = \"eu-west-2\"\ndynamodb_table = \
                       \"crash-lock\"\n";

impl Crashes {
    /// Sets the scene. `program` is the tool with the arguments that make it so, `env` what it needs besides the endpoint.
    ///
    /// # Errors
    /// When the emulator or the census do not start, or Terraform cannot be made ready.
    pub fn new(
        tool: Tool,
        program: Vec<OsString>,
        env: BTreeMap<String, String>,
        emulator: Emulator,
        subject: Subject,
        keeping: Keeping,
    ) -> Result<Self, EmulatorError> {
        let io = |source| EmulatorError::Io { program: "the fault proxy", source };
        let proxy = Proxy::start(emulator.address()).map_err(io)?;
        let census = Census::start(&["crash-state", "crash-lock"])?;
        let home = tempfile::tempdir().map_err(io)?;
        copy(&subject.folder, home.path()).map_err(io)?;
        let stack = home.path().join(&subject.stack);
        let backend = if (tool, keeping) == (Tool::Lakeform, Keeping::S3) { BACKEND } else { "" };
        let text = std::fs::read_to_string(&stack).map_err(io)?;
        std::fs::write(&stack, format!("{text}\n{}\n{backend}", subject.addition)).map_err(io)?;
        let cwd = match tool {
            Tool::Lakeform => home.path().to_owned(),
            Tool::Terraform => home.path().join("terraform"),
        };
        let kept = tempfile::tempdir().map_err(io)?;
        let crashes = Self {
            tool,
            program,
            env,
            emulator,
            proxy,
            census,
            subject,
            keeping,
            home,
            cwd,
            begun: None,
            kept,
            refused: String::new(),
            calls: vec![],
        };
        if tool == Tool::Terraform {
            let failed = |what| EmulatorError::Failed { program: "terraform", what, log: String::new() };
            crashes.make_terraform_ready(&stack).map_err(failed)?;
        }
        Ok(crashes)
    }

    /// Writes the stack in Terraform's syntax and has it find its provider.
    fn make_terraform_ready(&self, stack: &Path) -> Result<(), String> {
        let bench = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/bench");
        let script = "import sys, terraform_json; terraform_json.convert(*sys.argv[1:])";
        let mut convert = Command::new("python3");
        convert.args(["-c", script]).arg(stack).arg(&self.cwd).env("PYTHONPATH", bench);
        succeeded("terraform_json.py", &convert.output().map_err(|e| e.to_string())?)?;
        if self.keeping == Keeping::S3 {
            std::fs::write(self.cwd.join("backend.tf.json"), TERRAFORM_BACKEND).map_err(|e| e.to_string())?;
            self.emulator.make_bucket("crash-state").map_err(|e| e.to_string())?;
        }
        let mut init = Command::new(&self.program[0]);
        init.args(["init", "-input=false", "-no-color"]).current_dir(&self.cwd);
        init.envs(environment_for(&self.proxy.url())).envs(&self.env);
        succeeded("terraform init", &init.output().map_err(|e| e.to_string())?).map(drop)
    }

    /// The fault proxy in front of the emulator.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    /// An empty cloud and no state.
    fn begin(&self) -> Result<(), String> {
        self.emulator.reset().map_err(|e| e.to_string())?;
        self.take_away_state().map_err(|e| e.to_string())?;
        if self.keeping == Keeping::S3 && self.tool == Tool::Terraform {
            self.emulator.make_bucket("crash-state").map_err(|e| e.to_string())?;
        } else if self.keeping == Keeping::S3 {
            self.succeed(&["bootstrap"])?;
            // moto takes the condition of the TLS-only policy for fulfilled, and would deny everything.
            self.emulator.drop_bucket_policy("crash-state").map_err(|e| e.to_string())?;
        }
        Ok(())
    }

    /// Where state is kept in files.
    fn state(&self) -> PathBuf {
        match self.tool {
            Tool::Lakeform => self.home.path().join("state"),
            Tool::Terraform => self.cwd.join("terraform.tfstate.d"),
        }
    }

    fn take_away_state(&self) -> std::io::Result<()> {
        match std::fs::remove_dir_all(self.state()) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
            _ => std::fs::create_dir_all(self.state()),
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program[0]);
        command.args(&self.program[1..]).arg(arguments[0]);
        if self.tool == Tool::Terraform {
            // It says with one dash what lakeform says with one or two.
            command.args(&arguments[1..]).args(["-lock=false", "-input=false", "-no-color"]);
            if self.keeping == Keeping::Local {
                command.arg(format!("-state={}", self.state().join("terraform.tfstate").display()));
            }
        } else if let ["lock" | "state", verb, ..] = arguments {
            command.arg(verb).arg(&self.subject.stack).args(&arguments[2..]);
        } else {
            command.arg(&self.subject.stack).args(&arguments[1..]);
        }
        if (self.tool, self.keeping) == (Tool::Lakeform, Keeping::Local) {
            command.args(["--state", "state/s.tfstate"]);
        }
        // What it starts is killed with it.
        command.process_group(0);
        command.current_dir(&self.cwd).envs(environment_for(&self.proxy.url())).envs(&self.env);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, String> {
        self.command(arguments).output().map_err(|e| e.to_string())
    }

    fn succeed(&self, arguments: &[&str]) -> Result<String, String> {
        succeeded(&arguments.join(" "), &self.run(arguments)?)
    }

    /// Starts a run and kills it at its `n`th call that changes something. False: it made fewer.
    fn kill(&self, phase: Phase, n: usize, moment: Moment) -> Result<bool, String> {
        let gate = Gate::new();
        self.proxy.forget();
        match moment {
            Moment::Before => {
                self.proxy.add(Rule::on_changes().nth(n).held_by(&gate));
                self.proxy.add(Rule::on_changes().nth(n).cut_before());
            }
            Moment::After => self.proxy.add(Rule::on_changes().nth(n).answer_held_by(&gate)),
        }
        self.refuse(phase);
        let mut child = self
            .command(&self.arguments(phase))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| e.to_string())?;
        let start = Instant::now();
        let killed = loop {
            // An answer is held once the call was carried out.
            if gate.arrived() > 0 {
                break true;
            }
            if let Some(status) = child.try_wait().map_err(|e| e.to_string())? {
                // A rollback follows a failure.
                if !status.success() && phase != Phase::Rollback {
                    return Err(format!("the run fails by itself: {status}"));
                }
                break false;
            }
            if start.elapsed() > Duration::from_secs(300) {
                let _ = child.kill();
                return Err("the run does not end".to_owned());
            }
            std::thread::sleep(Duration::from_millis(1));
        };
        let group = format!("-{}", child.id());
        let signal = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        signal.map_err(|e| e.to_string())?;
        child.wait().map_err(|e| e.to_string())?;
        gate.open();
        self.proxy.clear();
        // What was in flight beside it comes to its end in the cloud.
        let start = Instant::now();
        while self.proxy.in_flight() > 0 && start.elapsed() < Duration::from_secs(30) {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(100));
        Ok(killed)
    }

    /// Frees the lock of the run that was killed, as someone who knows that it is dead does, instead of waiting for its lease.
    fn unlock(&self) -> Result<(), String> {
        if self.keeping == Keeping::Local || self.tool == Tool::Terraform {
            return Ok(());
        }
        let status: serde_json::Value =
            serde_json::from_str(&self.succeed(&["lock", "status", "--json"])?).map_err(|e| e.to_string())?;
        match status["lock"]["ID"].as_str() {
            Some(id) => self.succeed(&["force-unlock", id, "--force"]).map(drop),
            None => Ok(()),
        }
    }

    fn arguments(&self, phase: Phase) -> Vec<&str> {
        let verb = if phase == Phase::Destroy { "destroy" } else { "apply" };
        let update = self.subject.update.iter().map(String::as_str).filter(|_| phase == Phase::Update);
        let undo = (phase == Phase::Rollback).then_some("--on-error=rollback");
        [verb, YES].into_iter().chain(update).chain(undo).collect()
    }

    /// What a run that nobody disturbs makes of the cloud, and how many calls that change something it needs. Of a rollback: what
    /// the next apply makes of it.
    ///
    /// # Errors
    /// What the program says if it fails, and what a rollback leaves.
    pub fn undisturbed(&mut self, phase: Phase) -> Result<(Objects, usize), String> {
        let first = if phase == Phase::Rollback { Phase::Apply } else { phase };
        self.make_ready(first)?;
        self.proxy.forget();
        self.succeed(&self.arguments(first))?;
        let calls = self.proxy.changes();
        let objects = self.census.take(&self.emulator.url());
        if phase != Phase::Rollback {
            return Ok((objects, calls));
        }
        let own = |call: &Exchange| {
            call.is_read() || call.path.contains("crash-state") || call.operation.starts_with("dynamodb:")
        };
        let calls: Vec<Exchange> = self.proxy.log().into_iter().filter(|call| !own(call)).collect();
        self.refused.clone_from(&calls.get(calls.len() * 4 / 5).ok_or("there is nothing to refuse")?.operation);
        self.make_ready(phase)?;
        self.proxy.forget();
        self.refuse(phase);
        if self.run(&self.arguments(phase))?.status.success() {
            return Err(format!("it succeeds without {}", self.refused));
        }
        let calls = self.proxy.changes();
        self.proxy.clear();
        match self.census.take(&self.emulator.url()) {
            left if left.is_empty() => Ok((objects, calls)),
            left => Err(format!("the rollback left: {}", left.keys().cloned().collect::<Vec<_>>().join(", "))),
        }
    }

    /// What is refused in a phase.
    fn refuse(&self, phase: Phase) {
        if phase == Phase::Rollback {
            self.proxy.add(Rule::on(&*self.refused).denied().always());
        }
    }

    /// How long an apply that nobody disturbs takes when each call takes `delay` longer, and the plan after it that finds nothing.
    /// `by`: another program that applies, with its arguments.
    ///
    /// # Errors
    /// What the program says if it fails.
    pub fn timed(&mut self, delay: Duration, by: Option<&[String]>) -> Result<(Duration, Duration), String> {
        if self.begun.is_none() {
            // The emulator loads what it needs of each service when it is first called.
            self.undisturbed(Phase::Apply)?;
        }
        self.make_ready_again(Phase::Apply)?;
        self.proxy.set_delay(delay);
        self.proxy.forget();
        let start = Instant::now();
        match by {
            None => self.succeed(&self.arguments(Phase::Apply))?,
            Some(by) => {
                let mut command = Command::new(&by[0]);
                command.args(&by[1..]).arg(&self.subject.stack).current_dir(&self.cwd);
                let output = command.envs(environment_for(&self.proxy.url())).envs(&self.env).output();
                succeeded(&by.join(" "), &output.map_err(|e| e.to_string())?)?
            }
        };
        let run = start.elapsed();
        self.calls = self.proxy.log();
        let start = Instant::now();
        self.succeed(&["plan"])?;
        Ok((run, start.elapsed()))
    }

    /// The calls of the last run that was [timed](Crashes::timed): when each came, when it was answered (milliseconds), what it
    /// was.
    pub fn calls(&self) -> Vec<String> {
        let from = self.calls.iter().map(|call| call.started).min().unwrap_or_default();
        let at = |at: Duration| at.saturating_sub(from).as_millis();
        let line = |call: &Exchange| format!("{:5} {:5} {call}", at(call.started), call.ended.map_or(0, at));
        self.calls.iter().map(line).collect()
    }

    /// The cloud as it is before a phase.
    fn make_ready(&self, phase: Phase) -> Result<(), String> {
        self.proxy.clear();
        self.begin()?;
        if matches!(phase, Phase::Update | Phase::Destroy) {
            self.succeed(&self.arguments(Phase::Apply))?;
        }
        Ok(())
    }

    /// The same, faster: the emulator keeps it from the first time.
    fn make_ready_again(&mut self, phase: Phase) -> Result<(), String> {
        let io = |e: std::io::Error| e.to_string();
        if self.begun == Some(phase) {
            self.proxy.clear();
            self.emulator.restore().map_err(|e| e.to_string())?;
            return self.take_away_state().and_then(|()| copy(self.kept.path(), &self.state())).map_err(io);
        }
        self.make_ready(phase)?;
        self.begun = None;
        if self.emulator.keep().map_err(|e| e.to_string())? {
            self.kept = tempfile::tempdir().map_err(io)?;
            copy(&self.state(), self.kept.path()).map_err(io)?;
            self.begun = Some(phase);
        }
        Ok(())
    }

    /// Kills a run at a call, runs again, and holds the cloud against that of an undisturbed run; then plans, which must
    /// find nothing to do, and destroys, which must leave nothing. False: there is no such call.
    ///
    /// # Errors
    /// What is not as it should be.
    pub fn crash(&mut self, phase: Phase, moment: Moment, n: usize, expected: &Objects) -> Result<bool, String> {
        self.make_ready_again(phase)?;
        if !self.kill(phase, n, moment)? {
            return Ok(false);
        }
        self.unlock()?;
        let next = if phase == Phase::Rollback { Phase::Apply } else { phase };
        let again = self.succeed(&self.arguments(next))?;
        let found = self.census.take(&self.emulator.url());
        let differences = differences(expected, &found);
        if !differences.is_empty() {
            return Err(format!("{again}\nthe cloud is not as it should be: {}", differences.join("\n")));
        }
        let mut plan = self.arguments(next);
        (plan[0], plan[1]) = ("plan", "--detailed-exitcode");
        if phase == Phase::Destroy {
            plan.push("--destroy");
        }
        let output = self.run(&plan)?;
        if output.status.code() != Some(0) {
            return Err(format!("the plan is not empty: {}", String::from_utf8_lossy(&output.stdout)));
        }
        if phase != Phase::Destroy {
            self.succeed(&["destroy", YES])?;
            let left = self.census.take(&self.emulator.url());
            if !left.is_empty() {
                return Err(format!("destroy left: {}", left.keys().cloned().collect::<Vec<_>>().join(", ")));
            }
        }
        match self.leftovers()? {
            left if left.is_empty() => Ok(true),
            left => Err(format!("left beside the state: {left}")),
        }
    }

    /// A journal or lock that nobody needs any more.
    fn leftovers(&self) -> Result<String, String> {
        if self.keeping == Keeping::S3 && self.tool == Tool::Lakeform {
            let items = self.emulator.lock_ids("crash-lock").map_err(|e| e.to_string())?;
            return Ok(items.into_iter().filter(|id| !id.ends_with("-md5")).collect::<Vec<_>>().join(", "));
        }
        let folder = self.home.path().join("state");
        let files = std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
        let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        Ok(names.filter(|name| name.ends_with(".journal")).collect::<Vec<_>>().join(", "))
    }
}

/// What a program printed, if it succeeded.
fn succeeded(what: &str, output: &Output) -> Result<String, String> {
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match output.status.success() {
        true => Ok(said(&output.stdout)),
        false => Err(format!("{what} failed: {}{}", said(&output.stdout), said(&output.stderr))),
    }
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
