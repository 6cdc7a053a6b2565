//! The lock: waiting for it, breaking it, never leaving it behind.

use std::time::Duration;

use insta::assert_snapshot;
use lakeform_cli::Exit;

use crate::harness::Cli;

/// Runs `during` while an apply of another size is under way.
fn while_applying(cli: &Cli, during: impl FnOnce()) {
    cli.cloud.set_latency(Duration::from_millis(700));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| cli.run(&["apply", "stack.toml", "-auto-approve", "-var=size=11"]));
        while cli.cloud.in_flight() == 0 {
            std::thread::sleep(Duration::from_millis(5));
        }
        during();
        run.join().unwrap().ok();
    });
}

#[test]
fn s04_a_held_lock_is_reported_with_its_holder() {
    let cli = Cli::applied();
    while_applying(&cli, || {
        let out = cli.run(&["apply", "stack.toml", "-auto-approve"]).expect(Exit::Failed);
        let id = out.err.split("ID:").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
        assert_snapshot!(out.err.replace(&id, "<id>"), @r"
        Error: Error acquiring the state lock
        ╰─▶ <dir>/state/stack.tfstate is locked
            Lock Info:
              ID:        <id>
              Path:      <dir>/state/stack.tfstate
              Operation: OperationTypeApply
              Who:       nobody@nowhere
              Version:   1.11.4
              Created:   1970-01-01T00:00:00Z
              Info:      
        help: wait for it with --lock-timeout 5m; if that run is dead, release it with `lakeform force-unlock STACK <id>`
        ");
        let status = cli.run(&["lock", "status", "stack.toml"]).ok().out;
        assert!(status.contains("is locked") && status.contains(&id) && status.contains("nobody@nowhere"), "{status}");
        assert_eq!(cli.run(&["lock", "status", "stack.toml", "-json"]).ok().json()["lock"]["ID"], id.as_str());
    });
}

#[test]
fn s04_a_run_that_may_wait_waits() {
    let cli = Cli::applied();
    while_applying(&cli, || {
        let out = cli.run(&["apply", "stack.toml", "-auto-approve", "-var=size=12", "-lock-timeout=20s"]).ok();
        assert!(out.err.contains("Waiting for the state lock"), "{}", out.err);
    });
    assert!(cli.run(&["plan", "stack.toml", "-var=size=12", "-detailed-exitcode"]).exit == Exit::Done);
}

#[test]
fn without_locking_nothing_waits() {
    let cli = Cli::applied();
    while_applying(&cli, || {
        cli.run(&["state", "rm", "stack.toml", "fake_bucket.raw", "-lock=false", "-dry-run"]).ok();
    });
}

#[test]
fn s04_a_lock_that_nobody_holds_cannot_be_broken() {
    let cli = Cli::applied();
    let out = cli.run(&["force-unlock", "stack.toml", "-force", "abc"]).expect(Exit::Failed);
    assert!(out.err.contains("Error releasing the state lock"), "{}", out.err);
    assert!(cli.run(&["lock", "status", "stack.toml"]).ok().out.contains("is not locked"));
}

#[test]
fn s04_no_failing_command_leaves_a_lock_behind() {
    let cli = Cli::applied();
    for args in [
        &["state", "rm", "stack.toml", "fake_bucket.nope"][..],
        &["state", "mv", "stack.toml", "fake_bucket.raw", "fake_database.main"],
        &["taint", "stack.toml", "fake_bucket.nope"],
        &["apply", "stack.toml", "-auto-approve", "-var=size=x"],
        &["apply", "stack.toml", "-var=size=12"],
        &["import", "stack.toml", "fake_bucket.nope", "id"],
    ] {
        cli.run(args).expect(Exit::Failed);
        let status = cli.run(&["lock", "status", "stack.toml"]).ok().out;
        assert!(status.contains("is not locked"), "{args:?}: {status}");
    }
}
