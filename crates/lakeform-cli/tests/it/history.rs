//! `history`, and the versions of a state

use insta::assert_snapshot;
use lakeform::provider::ErrorKind;
use lakeform_cli::Exit;
use lakeform_testkit::fake::{Fault, Op};

use crate::harness::{Cli, STACK};

/// The run IDs and lock IDs are random.
fn settled(text: &str) -> String {
    text.lines()
        .map(|line| match line.split_once("  ") {
            Some((id, rest)) if id.len() == 8 && id.chars().all(|c| c.is_ascii_hexdigit()) => format!("<id>  {rest}"),
            _ if line.starts_with("Run:") => "Run: <id>".to_owned(),
            _ => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\n")
}

fn first_id(cli: &Cli) -> String {
    let records = cli.run(&["history", "stack.toml", "-json"]).ok().json();
    records[0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn every_run_that_changes_something_is_recorded() {
    let cli = Cli::new(STACK);
    assert!(cli.run(&["history", "stack.toml"]).ok().err.contains("There are no records"));
    cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    cli.run(&["plan", "stack.toml"]).ok();
    cli.run(&["taint", "stack.toml", "fake_database.main"]).ok();
    cli.run(&["apply", "stack.toml", "-auto-approve", "-var=size=20"]).ok();
    cli.run(&["state", "mv", "stack.toml", "fake_bucket.raw", "fake_bucket.new"]).ok();
    cli.run(&["state", "mv", "stack.toml", "fake_bucket.new", "fake_bucket.raw"]).ok();
    cli.run(&["state", "rm", "stack.toml", "fake_bucket.raw"]).ok();
    cli.run(&["import", "stack.toml", "fake_bucket.raw", "raw"]).ok();
    cli.cloud.inject(Fault::on(Op::Delete).of("fake_bucket").fails(ErrorKind::Denied));
    cli.run(&["destroy", "stack.toml", "-auto-approve"]).expect(Exit::Failed);
    let out = cli.run(&["history", "stack.toml"]).ok().out;
    let mut lines: Vec<String> =
        settled(&out).lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    lines[1..].sort_unstable();
    assert_snapshot!(lines.join("\n"), @r#"
    RUN BEGUN WHO COMMAND CHANGES OUTCOME
    <id> 1970-01-01T00:00:00Z nobody@nowhere apply +1 ~0 -1 applied
    <id> 1970-01-01T00:00:00Z nobody@nowhere apply +2 ~0 -0 applied
    <id> 1970-01-01T00:00:00Z nobody@nowhere destroy +0 ~0 -1 failed
    <id> 1970-01-01T00:00:00Z nobody@nowhere import 1 object applied
    <id> 1970-01-01T00:00:00Z nobody@nowhere state mv 2 objects applied
    <id> 1970-01-01T00:00:00Z nobody@nowhere state mv 2 objects applied
    <id> 1970-01-01T00:00:00Z nobody@nowhere state rm 1 object applied
    <id> 1970-01-01T00:00:00Z nobody@nowhere taint 1 object applied
    "#);
    assert_eq!(cli.run(&["history", "stack.toml", "-n", "2"]).ok().out.lines().count(), 3);
    let records = std::fs::read_dir(cli.path("state/stack.tfstate.runs")).unwrap();
    for record in records.map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap()) {
        assert!(!record.contains("hunter2") && !record.contains("arn:fake"), "no value is in it: {record}");
    }
}

#[test]
fn one_run_is_shown_with_its_plan_its_errors_and_the_override() {
    let cli = Cli::new(&format!("{STACK}\n[guard]\nmax_destroy = 0\n"));
    cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    cli.cloud.inject(Fault::on(Op::Delete).of("fake_bucket").fails(ErrorKind::Denied));
    let args = ["destroy", "stack.toml", "-auto-approve", "--override-guard", "the trial is over"];
    cli.run(&args).expect(Exit::Failed);
    // Both began in the same second of these tests' clock: which is the later one is told by what it did.
    let records = cli.run(&["history", "stack.toml", "-json"]).ok().json();
    let destroyed = records.as_array().unwrap().iter().find(|r| r["command"] == "destroy").unwrap();
    let id = destroyed["id"].as_str().unwrap();
    assert_snapshot!(settled(&cli.run(&["history", "stack.toml", id]).ok().out), @r#"
    Run: <id>
    Command:   destroy
    Stack:     stack.toml
    Who:       nobody@nowhere
    Begun:     1970-01-01T00:00:00Z
    Ended:     1970-01-01T00:00:00Z
    Outcome:   failed (guard overridden)
    Lakeform:  0.1.0
    Serial:    1 to 2
    Planned:   0 added, 0 changed, 2 destroyed
    Done:      0 added, 0 changed, 1 destroyed
    Override:  the trial is over
      refused by [guard]: 2 objects would be destroyed, and max_destroy is 0

      fake_bucket.raw: delete
      fake_database.main: delete

      Error: fake_bucket.raw: fake:delete:bucket: AccessDenied: you may not do that
    "#);
    let out = cli.run(&["history", "stack.toml", "ffffffff0"]).expect(Exit::Failed);
    assert!(out.err.contains("There is no run ffffffff0"), "{}", out.err);
}

#[test]
fn a_refused_run_leaves_no_record_and_a_killed_one_is_cut_off() {
    let cli = Cli::applied();
    cli.file("stack.toml", &format!("{STACK}\n[guard]\nmax_destroy = 0\n"));
    cli.run(&["destroy", "stack.toml", "-auto-approve"]).expect(Exit::Failed);
    assert_eq!(cli.run(&["history", "stack.toml", "-json"]).ok().json().as_array().unwrap().len(), 1);
    // As a run leaves it that is killed: begun, and nobody has the lock.
    let id = first_id(&cli);
    let folder = cli.path("state/stack.tfstate.runs");
    let file = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut record: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    record["outcome"] = "running".into();
    record["ended"] = serde_json::Value::Null;
    std::fs::write(&file, record.to_string()).unwrap();
    let out = cli.run(&["history", "stack.toml", &id]).ok().out;
    assert!(out.contains("cut off"), "{out}");
}

#[test]
fn a_run_is_recorded_from_its_beginning_on() {
    let cli = Cli::new(STACK);
    cli.cloud.set_latency(std::time::Duration::from_millis(300));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| cli.run(&["apply", "stack.toml", "-auto-approve"]));
        while cli.cloud.in_flight() == 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        let records = cli.run(&["history", "stack.toml", "-json"]).ok().json();
        assert_eq!(records[0]["outcome"], "running");
        assert_eq!(records[0]["planned"]["added"], 2);
        run.join().unwrap().ok();
    });
    let records = cli.run(&["history", "stack.toml", "-json"]).ok().json();
    assert_eq!((&records[0]["outcome"], &records[0]["done"]["added"]), (&"applied".into(), &2.into()));
    assert_eq!(records.as_array().unwrap().len(), 1);
}

#[test]
fn a_record_that_cannot_be_written_is_told_and_stops_nothing() {
    let cli = Cli::new(STACK);
    cli.file("state/stack.tfstate.runs", "a file where the folder would be");
    let out = cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    assert!(out.err.contains("Warning: The run could not be recorded"), "{}", out.err);
    assert_eq!(cli.cloud.len(), 2);
}

#[test]
fn versions_are_listed_compared_and_put_back() {
    let cli = Cli::applied();
    let before = cli.state();
    cli.run(&["apply", "stack.toml", "-auto-approve", "-var=size=20"]).ok();
    cli.run(&["state", "rm", "stack.toml", "fake_bucket.raw"]).ok();
    let serial = before.serial.to_string();
    let out = cli.run(&["state", "versions", "stack.toml"]).ok().out;
    let columns: Vec<Vec<&str>> = out.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(columns[0], ["SERIAL", "WRITTEN", "BYTES", "INSTANCES", "VERSION"]);
    let versions: Vec<&str> = columns[1..].iter().map(|c| c[4]).collect();
    let last = (cli.state().serial - 1).to_string();
    assert_eq!(versions, ["current", last.as_str(), serial.as_str()]);
    assert_eq!(columns[1..].iter().map(|c| c[3]).collect::<Vec<_>>(), ["1", "2", "2"]);
    let json = cli.run(&["state", "versions", "stack.toml", "-json", "-n", "1"]).ok().json();
    assert_eq!((&json[0]["version"], &json[0]["current"]), (&"current".into(), &true.into()));

    let diff = cli.run(&["state", "diff", "stack.toml", &serial]).ok().out;
    assert_snapshot!(diff, @r#"

      # fake_bucket.raw is only in the first
      - resource "fake_bucket" "raw" {
          - arn        = "arn:fake:test-1:bucket/raw" -> null
          - id         = "raw" -> null
          - name       = "raw" -> null
          - region     = "test-1" -> null
          - tags       = {
              - "zone" = "raw"
            } -> null
          - tags_all   = {
              - "zone" = "raw"
            } -> null
          - versioning = false -> null
        }

      # fake_database.main differs
      ~ resource "fake_database" "main" {
            id       = "database-1"
            name     = "main"
          ~ size     = 10 -> 20
            # (5 unchanged attributes hidden)
        }

    Objects: 0 only in the second, 1 different, 1 only in the first.
    "#);
    assert_eq!(
        cli.run(&["state", "diff", "stack.toml", &serial, &serial]).ok().out,
        format!("No differences: serial {serial} and serial {serial} say the same.\n")
    );
    let out = cli.run(&["state", "diff", "stack.toml", "77"]).expect(Exit::Failed);
    assert!(out.err.contains("There is no version `77` of the state"), "{}", out.err);

    let out = cli.run_with(&["state", "restore", "stack.toml", &serial], "no\n").expect(Exit::Failed);
    assert!(out.err.contains("Restore cancelled."), "{}", out.err);
    let now = cli.state().serial;
    cli.run_with(&["state", "restore", "stack.toml", &serial], "yes\n").ok();
    assert!(cli.state().content_equals(&before));
    assert_eq!(cli.state().serial, now + 1);
    assert_eq!(cli.state().lineage, before.lineage);
    let out = cli.run(&["state", "restore", "stack.toml", &serial, "-auto-approve"]).ok();
    assert!(out.out.contains("No differences"), "{}", out.out);
    // What the cloud has and the state does not say is drift.
    let plan = cli.run(&["plan", "stack.toml", "-var=size=20"]).ok().out;
    assert!(plan.contains("Objects have changed outside of lakeform"), "{plan}");
}

#[test]
fn a_restored_state_keeps_what_is_protected_now() {
    let cli = Cli::applied();
    let serial = cli.state().serial.to_string();
    cli.file("stack.toml", &format!("{STACK}\n[guard]\nprotect = [\"fake_bucket.*\"]\n"));
    cli.run(&["apply", "stack.toml", "-auto-approve", "-var=size=20"]).ok();
    cli.run(&["state", "restore", "stack.toml", &serial, "-auto-approve"]).ok();
    assert_eq!(cli.state().protected(), ["fake_bucket.*"]);
}

#[test]
fn a_deleted_state_is_put_back_and_another_ones_is_not() {
    let cli = Cli::applied();
    let before = cli.state();
    cli.run(&["taint", "stack.toml", "fake_bucket.raw"]).ok();
    std::fs::remove_file(cli.path("state/stack.tfstate")).unwrap();
    cli.run(&["state", "restore", "stack.toml", &before.serial.to_string(), "-auto-approve"]).ok();
    assert!(cli.state().content_equals(&before));
    assert_eq!((cli.state().serial, cli.state().lineage), (before.serial + 1, before.lineage.clone()));
    let text = std::fs::read_to_string(cli.path("state/stack.tfstate")).unwrap();
    cli.file("state/stack.tfstate", &text.replace(&before.lineage, "another").replace("\"raw\"", "\"other\""));
    let out = cli.run(&["state", "restore", "stack.toml", "backup", "-auto-approve"]).expect(Exit::Failed);
    assert!(out.err.contains("The version is of another state"), "{}", out.err);
}
