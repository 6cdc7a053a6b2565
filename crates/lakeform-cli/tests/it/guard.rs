//! `[guard]` and `--override-guard`

use insta::assert_snapshot;
use lakeform_cli::Exit;

use crate::harness::{Cli, STACK};

fn guarded(guard: &str) -> String {
    format!("{STACK}\n[guard]\n{guard}\n")
}

/// An applied stack with this guard.
fn applied(guard: &str) -> Cli {
    let cli = Cli::new(&guarded(guard));
    cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    cli
}

/// The part of what was said from the first error on.
fn refusal(err: &str) -> &str {
    err.find("Error:").map_or("", |at| &err[at..])
}

/// The stack without the database.
fn bucket_only(guard: &str) -> String {
    format!("[resource.fake_bucket.raw]\nname = \"raw\"\ntags = {{ zone = \"raw\" }}\n{guard}")
}

#[test]
fn what_is_protected_is_not_deleted_by_any_way() {
    let cli = applied("protect = [\"fake_database.*\"]");
    let saved = cli.run(&["plan", "stack.toml", "-destroy", "-out", "p.bin"]).expect(Exit::Failed);
    assert!(saved.out.contains("Plan: 0 to add, 0 to change, 2 to destroy."), "the plan is shown: {}", saved.out);
    assert!(!cli.path("p.bin").exists(), "a refused plan is not saved");
    assert_snapshot!(refusal(&saved.err), @r#"
    Error: Refused by [guard]: 1 object would be deleted or replaced, and protect covers that: fake_database.main
      ╰─▶ fake_database.main would be deleted (`protect` has "fake_database.*")
      help: if it is right nevertheless, say why: --override-guard REASON
    "#);
    for args in [
        &["destroy", "stack.toml", "-auto-approve"][..],
        &["apply", "stack.toml", "-destroy", "-auto-approve"],
        &["apply", "stack.toml", "-replace=fake_database.main", "-auto-approve"],
        &["apply", "stack.toml", "-json", "-destroy", "-auto-approve"],
        &["plan", "stack.toml", "-json", "-destroy"],
    ] {
        let out = cli.run(args).expect(Exit::Failed);
        assert!(out.err.contains("Refused by [guard]: 1 object would be"), "{args:?}: {}", out.err);
    }
    assert_eq!(cli.cloud.len(), 2);
    cli.run(&["plan", "stack.toml", "-detailed-exitcode"]).ok();
}

#[test]
fn limits_refuse_with_each_instance() {
    let cli = applied("max_destroy = 1\nmax_replace = 0");
    let out = cli.run(&["destroy", "stack.toml", "-auto-approve"]).expect(Exit::Failed);
    assert_snapshot!(refusal(&out.err), @r#"
    Error: Refused by [guard]: 2 objects would be destroyed, and max_destroy is 1
      ╰─▶ fake_bucket.raw
          fake_database.main
      help: if it is right nevertheless, say why: --override-guard REASON
    "#);
    let out = cli.run(&["plan", "stack.toml", "-replace=fake_bucket.raw"]).expect(Exit::Failed);
    assert_snapshot!(refusal(&out.err), @r#"
    Error: Refused by [guard]: 1 object would be replaced, and max_replace is 0
      ╰─▶ fake_bucket.raw
      help: if it is right nevertheless, say why: --override-guard REASON
    "#);
    cli.run(&["destroy", "stack.toml", "-target=fake_database.main", "-auto-approve"]).ok();
    assert_eq!(cli.cloud.len(), 1);
}

#[test]
fn a_protection_ends_in_a_run_of_its_own() {
    let cli = applied("protect = [\"fake_database.*\"]");
    assert_eq!(cli.state().protected(), ["fake_database.*"]);
    // Both at once: the state still has the pattern.
    cli.file("stack.toml", &bucket_only(""));
    let out = cli.run(&["apply", "stack.toml", "-auto-approve"]).expect(Exit::Failed);
    assert!(out.err.contains("the stack no longer says so"), "{}", out.err);
    assert_eq!(cli.state().protected(), ["fake_database.*"]);
    // First the guard, which changes nothing else and is stored nevertheless.
    cli.file("stack.toml", STACK);
    let plan = cli.run(&["plan", "stack.toml"]).ok();
    assert!(plan.err.contains("Applying this plan ends a protection"), "{}", plan.err);
    cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    assert!(cli.state().protected().is_empty());
    // Then the object.
    cli.file("stack.toml", &bucket_only(""));
    cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    assert_eq!(cli.cloud.len(), 1);
}

#[test]
fn an_override_does_it_and_keeps_the_rest_protected() {
    let cli = applied("protect = [\"fake_database.*\", \"fake_bucket.*\"]");
    cli.file("stack.toml", &bucket_only("[guard]\nmax_destroy = 0\n"));
    let override_ = "--override-guard=the database moved";
    let out = cli.run(&["plan", "stack.toml", override_, "-out", "p.bin"]).ok();
    assert!(out.err.contains("Warning: Refused by [guard]"), "{}", out.err);
    let out = cli.run(&["apply", "p.bin"]).expect(Exit::Failed);
    assert!(out.err.contains("max_destroy is 0"), "a saved plan keeps no override: {}", out.err);
    cli.run(&["apply", "p.bin", override_]).ok();
    assert_eq!(cli.cloud.len(), 1);
    assert_eq!(
        cli.state().protected(),
        ["fake_database.*", "fake_bucket.*"],
        "who overrides does not end a protection"
    );
    let out = cli.run(&["apply", "stack.toml", "--override-guard= ", "-auto-approve"]).expect(Exit::Failed);
    assert!(out.err.contains("a reason is expected"), "{}", out.err);
}

#[test]
fn a_freeze_stops_apply_and_only_warns_at_plan() {
    // The clock of these tests stands at the beginning of 1970, a Thursday.
    let frozen = "[[guard.freeze]]\ndays = [\"thu\"]\nreason = \"quarter end\"\n";
    let cli = Cli::new(&guarded(frozen));
    let plan = cli.run(&["plan", "stack.toml", "-out", "p.bin"]).ok();
    assert!(plan.err.contains("Warning: Refused by [guard]: nothing is changed now"), "{}", plan.err);
    let out = cli.run(&["apply", "p.bin"]).expect(Exit::Failed);
    assert_snapshot!(refusal(&out.err), @r#"
    Error: Refused by [guard]: nothing is changed now, for freeze has thu 00:00 to 24:00 (UTC): quarter end
      ╰─▶ `freeze` has thu 00:00 to 24:00 (UTC): quarter end
          it ends at 1970-01-02 00:00 +00:00
      help: if it is right nevertheless, say why: --override-guard REASON
    "#);
    let out = cli.run(&["apply", "stack.toml", "-auto-approve"]).expect(Exit::Failed);
    assert!(out.err.contains("quarter end"), "{}", out.err);
    assert!(cli.cloud.is_empty());
    cli.run(&["apply", "stack.toml", "-auto-approve", "--override-guard=told by finance"]).ok();
    cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    cli.run(&["destroy", "stack.toml", "-auto-approve"]).expect(Exit::Failed);
    assert_eq!(cli.cloud.len(), 2, "without changes there is nothing to stop");
}

#[test]
fn a_mistyped_pattern_is_told() {
    let cli = Cli::new(&guarded("protect = [\"fake_databse.*\", \"fake_bucket.raw\"]"));
    let out = cli.run(&["plan", "stack.toml"]).ok();
    assert!(out.err.contains("A pattern in `protect` covers nothing"), "{}", out.err);
    assert!(out.err.contains("\"fake_databse.*\" matches no address"), "{}", out.err);
    cli.file("stack.toml", &guarded("protect = \"nonsense\"\nmax_destroy = \"few\""));
    let out = cli.run(&["validate", "stack.toml"]).expect(Exit::Failed);
    assert!(out.err.contains("Invalid pattern in `protect`") || out.out.contains("Invalid pattern"), "{out:?}");
}
