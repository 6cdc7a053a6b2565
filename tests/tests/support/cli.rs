//! The command line in this process: a folder with files, and runs in it.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use lakeform_cli::{Exit, World};
use lakeform_engine::Cancel;
use lakeform_provider::Provider;
use lakeform_testkit::fake::{FakeCloud, FakeProvider};

/// A folder with files, and the world that runs in it see.
pub(crate) struct Folder {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) env: BTreeMap<String, String>,
    /// Serves `fake_*` types.
    pub(crate) cloud: FakeCloud,
    /// Providers in place of those that are built in.
    pub(crate) providers: Vec<Arc<dyn Provider>>,
    pub(crate) cancel: Cancel,
}

/// How a run ended and what it printed.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) exit: Exit,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Folder {
    /// A folder with one stack in it.
    pub(crate) fn with(stack: &str) -> Self {
        let folder = Self {
            directory: tempfile::tempdir().unwrap(),
            env: BTreeMap::new(),
            cloud: FakeCloud::new(),
            providers: vec![],
            cancel: Cancel::new(),
        };
        folder.write("stack.toml", stack);
        folder
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// Every file with its content.
    pub(crate) fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn collect(at: &Path, out: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in std::fs::read_dir(at).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    collect(&path, out)
                } else {
                    drop(out.insert(path.clone(), std::fs::read(&path).unwrap()))
                }
            }
        }
        let mut out = BTreeMap::new();
        collect(self.directory.path(), &mut out);
        out
    }

    /// Runs a command in the folder, with something on standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &str) -> Ran {
        let (stdout, stderr) = (Sink::default(), Sink::default());
        let world = World {
            env: self.env.clone(),
            cwd: self.directory.path().to_owned(),
            home: Some(self.path("home")),
            who: || "someone@somewhere".into(),
            stdin: Box::new(io::Cursor::new(input.to_owned().into_bytes())),
            stdout: Box::new(stdout.clone()),
            stderr: Box::new(stderr.clone()),
            cancel: self.cancel.clone(),
            providers: [Arc::new(FakeProvider::new(&self.cloud)) as Arc<dyn Provider>]
                .into_iter()
                .chain(self.providers.iter().cloned())
                .collect(),
            ..World::default()
        };
        let args = std::iter::once("lakeform").chain(args.iter().copied()).map(OsString::from);
        let exit = lakeform_cli::run(args, world);
        Ran { exit, stdout: self.clean(&stdout.text()), stderr: self.clean(&stderr.text()) }
    }

    /// Runs a command in the folder.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    /// Runs a command that must succeed, and gives what it printed.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.exit, Exit::Done, "{args:?} failed:\n{}{}", ran.stdout, ran.stderr);
        ran.stdout
    }

    /// Runs a command that must fail, and gives what it said.
    pub(crate) fn fails(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.exit, Exit::Failed, "{args:?} did not fail:\n{}{}", ran.stdout, ran.stderr);
        ran.stderr
    }

    /// Text without what differs from run to run.
    fn clean(&self, text: &str) -> String {
        let real = self.directory.path().canonicalize().unwrap();
        text.replace(&real.display().to_string(), "DIR").replace(&self.directory.path().display().to_string(), "DIR")
    }
}
