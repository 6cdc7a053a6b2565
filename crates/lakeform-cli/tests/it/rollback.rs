//! `apply --on-error=rollback`

use insta::assert_snapshot;
use lakeform::provider::ErrorKind;
use lakeform_cli::Exit;
use lakeform_testkit::fake::{Fault, Op};

use crate::harness::{Cli, STACK};

const ROLLBACK: [&str; 4] = ["apply", "stack.toml", "--auto-approve", "--on-error=rollback"];

fn fails() -> Fault {
    Fault::on(Op::Create).of("fake_database").fails(ErrorKind::Denied)
}

#[test]
fn what_was_created_is_deleted_and_told_and_recorded() {
    let cli = Cli::new(STACK);
    let planned = cli.run(&["plan", "stack.toml"]).ok().out;
    let journal = cli.run(&["journal", "stack.toml"]).ok();
    cli.cloud.inject(fails());
    let out = cli.run(&ROLLBACK).expect(Exit::Failed);
    assert_snapshot!(out.err, @r"
    fake_bucket.raw: Creating...
    fake_bucket.raw: Creation complete after 0s [id=raw]
    fake_database.main: Creating...
    fake_database.main: Creation failed after 0s
    Rolling back 1 object...
    fake_bucket.raw: Destroying... [id=raw]
    fake_bucket.raw: Destruction complete after 0s [id=raw]
      Error: fake_database.main: fake:create:database: AccessDenied: you may not do that

    Rolled back: 1 undone, 0 could not be undone.
      undone: fake_bucket.raw
    ");
    assert!(cli.cloud.is_empty());
    assert!(cli.state().resources.is_empty() && cli.state().outputs.is_empty());
    assert_eq!(cli.run(&["plan", "stack.toml"]).ok().out, planned);
    let after = cli.run(&["journal", "stack.toml"]).ok();
    assert_eq!((after.out, after.err), (journal.out, journal.err), "nothing is left open");
    assert!(cli.run(&["lock", "status", "stack.toml"]).ok().out.contains("is not locked"));
    let records = cli.run(&["history", "stack.toml", "--json"]).ok().json();
    assert_eq!(records[0]["rolled_back"]["undone"], serde_json::json!(["fake_bucket.raw"]));
    assert!(cli.run(&["history", "stack.toml"]).ok().out.contains("failed (rolled back)"));
    let id = records[0]["id"].as_str().unwrap();
    let one = cli.run(&["history", "stack.toml", id]).ok().out;
    assert!(one.contains("Rollback:  1 undone, 0 could not be undone"), "{one}");
    cli.run(&ROLLBACK).ok();
    assert_eq!(cli.cloud.len(), 2);
}

/// What this run made itself was never the guard's to keep.
#[test]
fn a_guard_does_not_stop_a_rollback() {
    let cli = Cli::new(&format!("{STACK}\n[guard]\nmax_destroy = 0\nmax_replace = 0\nprotect = [\"fake_bucket.*\"]\n"));
    cli.cloud.inject(fails());
    let out = cli.run(&ROLLBACK).expect(Exit::Failed);
    assert!(out.err.contains("Rolled back: 1 undone, 0 could not be undone."), "{}", out.err);
    assert!(cli.cloud.is_empty());
    assert!(cli.state().resources.is_empty());
}

#[test]
fn what_cannot_be_undone_is_said_before_anyone_is_asked_and_after() {
    let cli = Cli::applied();
    // Another name replaces the bucket.
    cli.file("stack.toml", &STACK.replace("name = \"raw\"", "name = \"fresh\""));
    let out = cli.run_with(&["apply", "stack.toml", "--on-error=rollback"], "no\n").expect(Exit::Failed);
    assert!(out.err.contains("A rollback could not undo all of this"), "{}", out.err);
    assert!(out.err.contains("what is in it is not brought back"), "{}", out.err);
    cli.cloud.inject(Fault::on(Op::Create).named("fresh").fails(ErrorKind::Denied));
    cli.cloud.inject(Fault::on(Op::Create).named("raw").fails(ErrorKind::Denied));
    let out = cli.run(&ROLLBACK).expect(Exit::Failed);
    assert!(out.err.contains("Not undone: "), "{}", out.err);
    assert!(
        out.err.contains("could not be undone.") && out.err.contains("  not undone: fake_bucket.raw"),
        "{}",
        out.err
    );
    let shown = cli.run(&["history", "stack.toml"]).ok().out;
    assert!(shown.contains("failed (rolled back in part)"), "{shown}");
}

#[test]
fn a_saved_plan_is_rolled_back_too_and_events_tell_it() {
    let cli = Cli::new(STACK);
    cli.run(&["plan", "stack.toml", "--out", "p.bin"]).ok();
    cli.cloud.inject(fails());
    let out = cli.run(&["apply", "p.bin", "--json", "--on-error=rollback"]).expect(Exit::Failed);
    let lines: Vec<serde_json::Value> = out.out.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    let of = |kind: &str| lines.iter().find(|l| l["type"] == kind).unwrap_or_else(|| panic!("no {kind}: {}", out.out));
    assert_eq!(of("rollback_start")["rollback"]["objects"], 1);
    let summary = of("rollback_summary");
    assert_eq!(summary["@message"], "Rolled back: 1 undone, 0 could not be undone.");
    assert_eq!(summary["rollback"]["undone"][0]["addr"], "fake_bucket.raw");
    assert!(cli.cloud.is_empty());
}

#[test]
fn nobody_can_roll_back_a_destroy() {
    let cli = Cli::applied();
    cli.run(&["apply", "stack.toml", "--destroy", "--auto-approve", "--on-error=rollback"]).expect(Exit::Failed);
    cli.run(&["destroy", "stack.toml", "--auto-approve", "--on-error=rollback"]).expect(Exit::Failed);
    cli.run(&["plan", "stack.toml", "--destroy", "--out", "p.bin"]).ok();
    let out = cli.run(&["apply", "p.bin", "--on-error=rollback"]).expect(Exit::Failed);
    assert!(out.err.contains("there is no rollback of it"), "{}", out.err);
    assert_eq!(cli.cloud.len(), 2);
}
