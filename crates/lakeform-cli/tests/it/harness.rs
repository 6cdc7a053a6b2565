//! One directory, one cloud, and the command line in between.

use std::{
    io::{Cursor, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use lakeform::{Cancel, state::State};
use lakeform_cli::{Exit, World, run};
use lakeform_testkit::fake::{FakeCloud, FakeProvider};
use tempfile::TempDir;

/// A stack with two objects, one of which needs the other.
pub const STACK: &str = r#"
[variable.size]
type = "number"
default = 10

[resource.fake_bucket.raw]
name = "raw"
tags = { zone = "raw" }

[resource.fake_database.main]
name = "main"
location = "${fake_bucket.raw.arn}"
size = "${var.size}"
password = "hunter2"

[output.arn]
value = "${fake_bucket.raw.arn}"

[output.secret]
value = "${fake_database.main.secret}"
sensitive = true
"#;

/// What a command printed and how it ended.
#[derive(Debug)]
pub struct Out {
    pub exit: Exit,
    pub out: String,
    pub err: String,
}

impl Out {
    /// The output of a command that must have ended like this.
    pub fn expect(self, exit: Exit) -> Self {
        assert_eq!(self.exit, exit, "stdout:\n{}\nstderr:\n{}", self.out, self.err);
        self
    }

    /// The output of a command that must have succeeded.
    pub fn ok(self) -> Self {
        self.expect(Exit::Done)
    }

    /// Standard output as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }
}

/// A directory with a stack, and a cloud.
pub struct Cli {
    dir: TempDir,
    pub cloud: FakeCloud,
    pub env: Vec<(&'static str, &'static str)>,
    pub cancel: Cancel,
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Cli {
    /// A directory with this stack in `stack.toml`.
    pub fn new(stack: &str) -> Self {
        let cli =
            Self { dir: tempfile::tempdir().unwrap(), cloud: FakeCloud::new(), env: Vec::new(), cancel: Cancel::new() };
        cli.file("stack.toml", stack);
        cli
    }

    /// A directory with [`STACK`], applied.
    pub fn applied() -> Self {
        let cli = Self::new(STACK);
        cli.run(&["apply", "stack.toml", "--auto-approve"]).ok();
        cli
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn file(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn run(&self, args: &[&str]) -> Out {
        self.run_with(args, "")
    }

    /// Runs a command with this on standard input.
    pub fn run_with(&self, args: &[&str], stdin: &str) -> Out {
        let (out, err) = (Buffer::default(), Buffer::default());
        let world = World {
            env: self.env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect(),
            cwd: self.dir.path().to_owned(),
            stdin: Box::new(Cursor::new(stdin.to_owned())),
            stdout: Box::new(out.clone()),
            stderr: Box::new(err.clone()),
            cancel: self.cancel.clone(),
            providers: vec![Arc::new(FakeProvider::new(&self.cloud))],
            ..World::default()
        };
        let exit = run(["lakeform"].iter().chain(args).map(Into::into), world);
        let text = |buffer: Buffer| {
            let text = String::from_utf8(buffer.0.lock().unwrap().clone()).unwrap();
            text.replace(&self.dir.path().display().to_string(), "<dir>")
        };
        Out { exit, out: text(out), err: text(err) }
    }

    /// The stored state.
    pub fn state(&self) -> State {
        read_state(&self.path("state/stack.tfstate"))
    }
}

pub fn read_state(path: &Path) -> State {
    State::parse(std::fs::read(path).unwrap()).unwrap()
}
