//! The program as a child process: exit codes, streams, signals.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs, reason = "a test of the program from outside")]

use std::{
    collections::BTreeMap,
    io::Write as _,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use lakeform_testkit::{
    Gate,
    emulator::{Emulator, Kind, environment_for},
    proxy::{Proxy, Rule},
};

const STACK: &str = "[stack]\nname = 'x'\n[resource.terraform_data.a]\ninput = 'one'\n[output.a]\nvalue = \
                     '${terraform_data.a.output}'\n";

struct Program {
    folder: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

impl Program {
    fn with(stack: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("stack.toml"), stack).unwrap();
        Self { folder, env: BTreeMap::new() }
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lakeform"));
        command.args(args).current_dir(self.folder.path()).env_clear().envs(&self.env);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        told(&self.command(args).output().unwrap())
    }
}

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn the_program_plans_applies_and_destroys() {
    let program = Program::with(STACK);
    let (code, stdout, _) = program.run(&["plan", "-detailed-exitcode"]);
    assert_eq!(code, Some(2), "{stdout}");
    let (code, stdout, stderr) = program.run(&["apply", "stack.toml", "-auto-approve"]);
    assert_eq!(code, Some(0), "{stdout}{stderr}");
    assert!(!stdout.contains('\x1b') && !stderr.contains('\x1b'), "no colours where no terminal is");
    assert_eq!(program.run(&["plan", "-detailed-exitcode"]).0, Some(0));
    assert_eq!(program.run(&["output", "-raw", "a"]).1, "one");
    let (code, _, stderr) = program.run(&["destroy", "-auto-approve"]);
    assert_eq!(code, Some(0), "{stderr}");
    assert_eq!(program.run(&["state", "list"]).1, "");
}

#[test]
fn failures_exit_with_1_and_are_told_on_standard_error() {
    let program = Program::with("[nonsense]\n");
    for args in [&["plan"][..], &["aply"], &["apply", "nowhere.toml"], &["plan", "--nonsense"]] {
        let (code, stdout, stderr) = program.run(args);
        assert_eq!((code, stdout.as_str()), (Some(1), ""), "{args:?}");
        assert!(!stderr.is_empty(), "{args:?}");
    }
}

#[test]
fn c05_a_reader_that_goes_away_is_no_failure() {
    let program = Program::with(STACK);
    let mut child = program.command(&["schema", "aws_s3_bucket", "--json"]).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn approval_comes_from_standard_input() {
    let program = Program::with(STACK);
    let answer = |text: &str| {
        let mut child = program.command(&["apply"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        told(&child.wait_with_output().unwrap()).0
    };
    assert_eq!(answer("no\n"), Some(1));
    assert_eq!(answer(""), Some(1));
    assert_eq!(answer("yes\n"), Some(0));
}

fn signal(child: &Child, name: &str) {
    let done = Command::new("kill").args([&format!("-{name}"), &child.id().to_string()]).status().unwrap();
    assert!(done.success());
}

fn wait(child: &mut Child) {
    let start = Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(start.elapsed() < Duration::from_secs(60), "it does not end");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// F07: the first INT or TERM finishes what is in flight, saves it and releases the lock.
#[test]
fn int_and_term_finish_what_is_in_flight_and_save_it() {
    let emulator = Emulator::start(Kind::Moto).unwrap_or_else(|e| panic!("{e}"));
    for (name, bucket) in [("INT", "lakeform-int"), ("TERM", "lakeform-term")] {
        let proxy = Proxy::start(emulator.address()).unwrap();
        let mut program = Program::with(&format!(
            "[stack]\nname = 'x'\n[resource.aws_s3_bucket.a]\nbucket = '{bucket}'\n[resource.aws_s3_bucket.b]\nbucket = \
             '${{aws_s3_bucket.a.id}}-b'\n"
        ));
        program.env = environment_for(&proxy.url());
        let gate = Gate::new();
        proxy.add(Rule::on("s3:CreateBucket").held_by(&gate));
        let mut child = program.command(&["apply", "-auto-approve"]).spawn().unwrap();
        assert!(gate.reached_blocking(1, Duration::from_secs(60)), "{name}: no bucket was asked for");
        signal(&child, name);
        std::thread::sleep(Duration::from_millis(300));
        gate.open();
        wait(&mut child);
        let (code, _, stderr) = told(&child.wait_with_output().unwrap());
        assert_eq!(code, Some(1), "{stderr}");
        assert!(stderr.contains("Interrupt received"), "{stderr}");
        assert_eq!(program.run(&["state", "list"]).1, "aws_s3_bucket.a\n");
        assert!(program.run(&["lock", "status"]).1.contains("is not locked"));
        let (code, stdout, stderr) = program.run(&["apply", "-auto-approve"]);
        assert_eq!(code, Some(0), "{stdout}{stderr}");
    }
}

/// The run dies between two writes of the state, with secrets in its hands.
#[test]
fn v04_a_run_that_is_killed_leaves_no_secret_behind() {
    let secrets = ["hunter2-hunter2-hunter2", "the passphrase of the state itself"];
    let mut program = Program::with(
        "[backend.local]\npath = 's.tfstate'\nencryption = 'passphrase'\n[variable.password]\nsensitive = true\n\
         [resource.terraform_data.a]\ninput = '${var.password}'\n[resource.terraform_data.wait]\ninput = '${terraform_data.a.output}'\n\
         [[resource.terraform_data.wait.provisioner.local-exec]]\n\
         command = 'echo \"$LAKEFORM_STATE_PASSPHRASE\" > started; exec sleep 30'\n",
    );
    program.env =
        [("TF_VAR_password", secrets[0]), ("LAKEFORM_STATE_PASSPHRASE", secrets[1]), ("PATH", "/usr/bin:/bin")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
    let mut child = program.command(&["apply", "stack.toml", "--auto-approve"]).spawn().unwrap();
    let at = |name: &str| program.folder.path().join(name);
    let begun = Instant::now();
    while !(at("started").exists() && at("s.tfstate").exists()) {
        assert!(begun.elapsed() < Duration::from_secs(60), "it did not come so far");
        std::thread::sleep(Duration::from_millis(50));
    }
    child.kill().unwrap();
    let (_, stdout, stderr) = told(&child.wait_with_output().unwrap());
    let mut seen = vec![("stdout".to_owned(), stdout), ("stderr".to_owned(), stderr)];
    let mut folders = vec![program.folder.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
                seen.push((path.display().to_string(), text));
            }
        }
    }
    assert!(seen.iter().any(|(place, _)| place.ends_with("s.tfstate.journal")), "the run left no journal");
    assert!(seen.iter().any(|(place, text)| place.ends_with("s.tfstate") && text.contains("lakeform_encryption")));
    for (place, text) in &seen {
        assert!(!secrets.iter().any(|secret| text.contains(secret)), "{place}: {text}");
    }
    // What was done is in the state.
    let (_, stdout, stderr) = program.run(&["state", "list", "stack.toml"]);
    assert!(stdout.contains("terraform_data.a"), "{stdout}{stderr}");
}
