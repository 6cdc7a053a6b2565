//! What there is in an emulator, object by object, as its own APIs list it: `tests/census/census.py` as a child process.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use crate::emulator::{EmulatorError, Kind, find};

/// The objects of an account: what each is and says, by kind and name.
pub type Objects = BTreeMap<String, serde_json::Value>;

/// A process that lists objects.
#[derive(Debug)]
pub struct Census {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Census {
    /// Starts it. Objects whose name holds one of `leave_out` are none of its business.
    ///
    /// # Errors
    /// When moto (whose Python has what the census needs) is not installed.
    pub fn start(leave_out: &[&str]) -> Result<Self, EmulatorError> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let local = root.join(".venv/bin/python");
        let python = if local.is_file() { local } else { find(Kind::Moto)?.with_file_name("python") };
        let mut command = Command::new(python);
        command.arg(root.join("tests/census/census.py"));
        for text in leave_out {
            command.args(["--not", text]);
        }
        let io = |source| EmulatorError::Io { program: "census.py", source };
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(io)?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(io(std::io::ErrorKind::BrokenPipe.into()));
        };
        Ok(Self { child, input, output: BufReader::new(output) })
    }

    /// Everything that is at an endpoint.
    ///
    /// # Panics
    /// When the endpoint does not answer.
    pub fn take(&mut self, url: &str) -> Objects {
        let mut line = String::new();
        let asked = writeln!(self.input, "{url}").and_then(|()| self.input.flush());
        asked.and_then(|()| self.output.read_line(&mut line)).unwrap_or_else(|e| panic!("census.py: {e}"));
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("census.py printed {line:?}: {e}"))
    }
}

impl Drop for Census {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How two censuses differ, a line for each object; empty if they do not.
pub fn differences(expected: &Objects, found: &Objects) -> Vec<String> {
    let mut out = vec![];
    for (name, object) in expected {
        match found.get(name) {
            None => out.push(format!("missing: {name}")),
            Some(other) if other != object => out.push(format!("other than expected: {name}: {object} is {other}")),
            Some(_) => {}
        }
    }
    out.extend(found.keys().filter(|name| !expected.contains_key(*name)).map(|name| format!("too much: {name}")));
    out
}
