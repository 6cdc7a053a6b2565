//! `apply` and `destroy`

use insta::assert_snapshot;
use lakeform::provider::ErrorKind;
use lakeform_cli::Exit;
use lakeform_testkit::fake::{Fault, Op};

use crate::harness::{Cli, STACK, read_state};

#[test]
fn an_apply_creates_stores_and_shows_outputs() {
    let cli = Cli::new(STACK);
    let out = cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    let end = &out.out[out.out.find("Apply complete").unwrap()..];
    assert_snapshot!(end, @r#"
    Apply complete! Resources: 2 added, 0 changed, 0 destroyed.

    Outputs:

    arn = "arn:fake:test-1:bucket/raw"
    secret = <sensitive>
    "#);
    let mut lines: Vec<&str> = out.err.lines().collect();
    lines.sort_unstable();
    assert_snapshot!(lines.join("\n"), @r"
    fake_bucket.raw: Creating...
    fake_bucket.raw: Creation complete after 0s [id=raw]
    fake_database.main: Creating...
    fake_database.main: Creation complete after 0s [id=database-1]
    ");
    assert_eq!(cli.cloud.len(), 2);
    assert_eq!(cli.state().resources.len(), 2);
    cli.run(&["plan", "stack.toml", "-detailed-exitcode"]).ok();
}

#[test]
fn c01_only_yes_approves() {
    let cli = Cli::new(STACK);
    let out = cli.run_with(&["apply", "stack.toml"], "y\n").expect(Exit::Failed);
    assert!(out.err.contains("Apply cancelled."), "{}", out.err);
    assert!(cli.cloud.is_empty());
    assert!(cli.run(&["lock", "status", "stack.toml"]).ok().out.contains("is not locked"));
    cli.run_with(&["apply", "stack.toml"], "yes\n").ok();
    assert_eq!(cli.cloud.len(), 2);
}

#[test]
fn c05_without_anyone_to_ask_approval_must_be_given_beforehand() {
    let cli = Cli::new(STACK);
    let out = cli.run(&["apply", "stack.toml", "-input=false"]).expect(Exit::Failed);
    assert_snapshot!(out.err, @r"
    Error: Nobody can be asked for approval with --input=false
    help: add --auto-approve, or save a plan with `lakeform plan --out FILE` and apply that
    ");
    let out = cli.run(&["apply", "stack.toml"]).expect(Exit::Failed);
    assert!(out.err.contains("An answer is needed"), "{}", out.err);
    assert!(cli.cloud.is_empty());
}

#[test]
fn a_failure_skips_dependents_keeps_the_rest_and_exits_with_one() {
    let cli = Cli::new(STACK);
    cli.cloud.inject(Fault::on(Op::Create).of("fake_bucket").fails(ErrorKind::Denied));
    let out = cli.run(&["apply", "stack.toml", "-auto-approve"]).expect(Exit::Failed);
    assert_snapshot!(out.err, @r"
    fake_bucket.raw: Creating...
    fake_bucket.raw: Creation failed after 0s
    fake_database.main: Skipped
      Error: fake_bucket.raw: fake:create:bucket: AccessDenied: you may not do that

    Apply incomplete. Resources: 0 added, 0 changed, 0 destroyed, 1 skipped. Run it again to go on.
    ");
    assert!(!out.out.contains("Apply complete"), "{}", out.out);
    assert!(cli.run(&["lock", "status", "stack.toml"]).ok().out.contains("is not locked"));
    cli.run(&["apply", "stack.toml", "-auto-approve"]).ok();
    assert_eq!(cli.cloud.len(), 2);
}

#[test]
fn c01_a_saved_plan_is_carried_out_once() {
    let cli = Cli::new(STACK);
    let out = cli.run(&["plan", "stack.toml", "-out", "p.bin"]).ok();
    assert!(out.err.contains("lakeform apply p.bin"), "{}", out.err);
    assert!(cli.run(&["show", "p.bin"]).ok().out.contains("Plan: 2 to add"));
    cli.run(&["apply", "p.bin"]).ok();
    assert_eq!(cli.cloud.len(), 2);
    let out = cli.run(&["apply", "p.bin"]).expect(Exit::Failed);
    assert!(out.err.contains("The plan file cannot be applied") && out.err.contains("stale"), "{}", out.err);
}

#[test]
fn destroy_deletes_everything() {
    let cli = Cli::applied();
    let out = cli.run(&["destroy", "stack.toml", "-auto-approve"]).ok();
    assert!(out.out.contains("Destroy complete! Resources: 2 destroyed."), "{}", out.out);
    assert!(cli.cloud.is_empty());
    assert!(cli.state().resources.is_empty());
}

#[test]
fn s10_a_cancelled_run_starts_nothing_saves_and_unlocks() {
    let cli = Cli::new(STACK);
    cli.cancel.escalate();
    let out = cli.run(&["apply", "stack.toml", "-auto-approve"]).expect(Exit::Failed);
    assert!(cli.cloud.is_empty(), "{}", out.err);
    assert!(!cli.path("state/.stack.tfstate.lock.info").exists());
}

#[test]
fn the_state_can_be_in_a_file_of_ones_own() {
    let cli = Cli::new(STACK);
    cli.run(&["apply", "stack.toml", "-auto-approve", "-state=here.tfstate"]).ok();
    assert_eq!(read_state(&cli.path("here.tfstate")).resources.len(), 2);
    assert!(!cli.path("state").exists());
}

#[test]
fn f09_a_state_that_cannot_be_saved_is_rescued() {
    let cli = Cli::new(STACK);
    // A state that someone else writes while the run goes on.
    cli.file("state/stack.tfstate", "{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":1,\"lineage\":\"a\",\"outputs\":{},\"resources\":[],\"check_results\":null}");
    let path = cli.path("state/stack.tfstate");
    cli.cloud.set_latency(std::time::Duration::from_millis(300));
    let out = std::thread::scope(|scope| {
        let run = scope.spawn(|| cli.run(&["apply", "stack.toml", "-auto-approve"]));
        while cli.cloud.in_flight() == 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        std::fs::write(&path, "{\"version\":4,\"terraform_version\":\"1.11.4\",\"serial\":9,\"lineage\":\"a\",\"outputs\":{},\"resources\":[],\"check_results\":null}").unwrap();
        run.join().unwrap()
    });
    let out = out.expect(Exit::Failed);
    assert!(out.err.contains("Failed to persist state to backend"), "{}", out.err);
    assert!(out.err.contains("lakeform state push stack.toml <dir>/errored.tfstate"), "{}", out.err);
    let rescued = read_state(&cli.path("errored.tfstate"));
    assert_eq!(rescued.resources.len(), cli.cloud.len(), "nothing that was made is lost");
    assert_eq!(read_state(&path).serial, 9, "the other writer's state stays");
}
