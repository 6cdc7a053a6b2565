//! What people read when something is wrong.

use insta::assert_snapshot;
use lakeform::provider::ErrorKind;
use lakeform_cli::Exit;
use lakeform_testkit::fake::{Fault, Op};

use crate::harness::{Cli, STACK};

#[test]
fn all_problems_of_a_stack_are_reported_at_once() {
    let cli = Cli::new("[resource.fake_bucket.raw]\nnaem = \"raw\"\n\n[output.x]\nvalue = \"${var.nope}\"\n");
    let out = cli.run(&["validate", "stack.toml"]).expect(Exit::Failed);
    assert_snapshot!(out.err, @r#"
     Error: Missing required argument `name`
     ╰─▶ The argument "name" is required, but no definition was found.
      ╭─[stack.toml:1:1]
    1 │ [resource.fake_bucket.raw]
      · ──────────────────────────
    2 │ naem = "raw"
      ╰────

     Error: Unknown attribute `naem` of fake_bucket
     ╰─▶ An argument or block named "naem" is not expected here.
      ╭─[stack.toml:2:1]
    1 │ [resource.fake_bucket.raw]
    2 │ naem = "raw"
      · ────
    3 │ 
      ╰────
     help: did you mean `name`?

     Error: Reference to undeclared input variable
     ╰─▶ An input variable with the name "nope" has not been declared.
      ╭─[stack.toml:5:12]
    4 │ [output.x]
    5 │ value = "${var.nope}"
      ·            ────────
      ╰────
    "#);
    assert_eq!(out.out, "");
}

#[test]
fn a_refused_call_names_the_object_the_operation_and_what_to_do() {
    let cli = Cli::applied();
    cli.cloud.inject(Fault::on(Op::Read).of("fake_bucket").fails(ErrorKind::Denied));
    let out = cli.run(&["plan", "stack.toml"]).expect(Exit::Failed);
    assert!(out.err.contains("fake_bucket.raw"), "{}", out.err);
    assert!(out.err.contains("Error:"), "{}", out.err);
}

#[test]
fn a_missing_stack_is_reported() {
    let cli = Cli::new(STACK);
    let out = cli.run(&["plan", "nope.toml"]).expect(Exit::Failed);
    assert!(out.err.contains("nope.toml"), "{}", out.err);
}

#[test]
fn s08_a_corrupt_or_newer_state_is_refused() {
    let cli = Cli::new(STACK);
    cli.file("state/stack.tfstate", "{\"version\":5}");
    let out = cli.run(&["plan", "stack.toml"]).expect(Exit::Failed);
    assert_snapshot!(out.err, @r"
    Error: The state cannot be read
    ╰─▶ <dir>/state/stack.tfstate: the state has format version 5, which is newer than 4, the latest one that this lakeform knows; use a newer lakeform
    ");
    cli.file("state/stack.tfstate", "nonsense");
    let out = cli.run(&["apply", "stack.toml", "-auto-approve"]).expect(Exit::Failed);
    assert!(out.err.contains("The state cannot be read"), "{}", out.err);
    assert!(cli.cloud.is_empty());
}

#[test]
fn a_backend_that_does_not_exist_is_reported_with_the_nearest_one() {
    let cli = Cli::new(&format!("[backend.s4]\n{STACK}"));
    let out = cli.run(&["plan", "stack.toml"]).expect(Exit::Failed);
    assert!(out.err.contains("s4"), "{}", out.err);
    let cli = Cli::new("[backend.s3]\nbuket = \"b\"\nkey = \"k\"\n");
    let out = cli.run(&["plan", "stack.toml"]).expect(Exit::Failed);
    assert!(out.err.contains("did you mean `bucket`?"), "{}", out.err);
}
