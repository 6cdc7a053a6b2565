//! Whole stacks where roles are unknown to other services for two seconds and each fifth call is throttled: they are applied
//! without an error, and without waiting longer than they must.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use lakeform_cli::Exit;
use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    proxy::{Proxy, Rule},
};

use crate::support::cli::{Folder, Ran};

/// How long a role is unknown.
const LAG: Duration = Duration::from_secs(2);
/// What a call may be late by: the longest pause between two attempts, and a busy machine.
const SLACK: Duration = Duration::from_secs(3);

/// A stack on an emulator of its own, behind a proxy.
struct Stage {
    folder: Folder,
    proxy: Proxy,
    emulator: Emulator,
    stack: String,
}

impl Stage {
    fn of(stack: &str) -> Self {
        let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
        let emulator = Emulator::start_from(Kind::Moto, &root.join("tests/parity/moto_server"));
        let emulator = emulator.unwrap_or_else(|e| panic!("{e}"));
        let proxy = Proxy::start(emulator.address()).unwrap();
        let mut folder = Folder::with("");
        folder.env = environment_for(&proxy.url());
        Self { folder, proxy, emulator, stack: root.join("stacks").join(stack).display().to_string() }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let stack = self.stack.as_str();
        self.folder.run(&[&arguments[..1], &[stack, "--state", "s.tfstate"], &arguments[1..]].concat())
    }

    /// Applies the stack to an empty cloud, and tells how long that took.
    fn apply(&self) -> Duration {
        self.emulator.reset().unwrap();
        let _ = std::fs::remove_file(self.folder.path("s.tfstate"));
        self.proxy.forget();
        let start = Instant::now();
        let ran = self.run(&["apply", "--auto-approve"]);
        assert_eq!(ran.exit, Exit::Done, "{}: {}", self.stack, ran.stderr);
        start.elapsed()
    }
}

/// Applies a stack as it is, with roles that take their time, and throttled on top of that.
fn withstands(stack: &str) {
    let stage = Stage::of(stack);
    let plain = stage.apply();
    stage.proxy.hide_fresh_roles(LAG);
    let lagging = stage.apply();
    let refused = stage.proxy.log().iter().filter(|e| e.status == Some(400)).count();
    assert!(refused > 0, "{stack}: no call met a role that was not known yet");
    // Every role is made at once, so its lag is waited for once.
    assert!(lagging <= plain + LAG + SLACK, "{stack}: {lagging:?} instead of {plain:?}");
    stage.proxy.add(Rule::on("*").every(5).throttled());
    stage.apply();
    stage.proxy.clear();
    let planned = stage.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(planned.exit, Exit::Done, "{stack}: {}{}", planned.stdout, planned.stderr);
}

#[test]
fn functions() {
    withstands("examples/functions.toml");
}

#[test]
fn delivery() {
    withstands("examples/delivery.toml");
}

#[test]
fn lakehouse() {
    withstands("lakehouse/dev.toml");
}

#[test]
fn review_analytics() {
    withstands("review-analytics/dev.toml");
}

#[test]
fn enclave() {
    withstands("enclave/dev.toml");
}
