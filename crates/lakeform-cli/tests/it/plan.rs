//! `plan`

use insta::assert_snapshot;
use lakeform_cli::Exit;

use crate::harness::{Cli, STACK};

#[test]
fn a_first_plan_shows_everything_that_will_be_created() {
    let cli = Cli::new(STACK);
    let out = cli.run(&["plan", "stack.toml"]).ok();
    assert_snapshot!(out.out, @r#"
    Lakeform made the following execution plan. Resource actions are indicated
    with the following symbols:
      + create

    Lakeform will perform the following actions:

      # fake_bucket.raw will be created
      + resource "fake_bucket" "raw" {
          + arn        = (known after apply)
          + id         = (known after apply)
          + name       = "raw"
          + region     = (known after apply)
          + tags       = {
              + "zone" = "raw"
            }
          + tags_all   = {
              + "zone" = "raw"
            }
          + versioning = false
        }

      # fake_database.main will be created
      + resource "fake_database" "main" {
          + endpoint = (known after apply)
          + id       = (known after apply)
          + location = (known after apply)
          + name     = "main"
          + password = (sensitive value)
          + secret   = (sensitive value)
          + size     = 10
          + token_wo = (write-only attribute)
        }

    Plan: 2 to add, 0 to change, 0 to destroy.

    Changes to Outputs:
      + arn    = (known after apply)
      + secret = (sensitive value)
    "#);
    assert!(cli.cloud.is_empty(), "a plan changes nothing");
    assert!(!cli.path("state").exists(), "a plan stores nothing");
}

#[test]
fn an_update_shows_the_old_and_the_new_value() {
    let cli = Cli::applied();
    let out = cli.run(&["plan", "stack.toml", "-var", "size=20", "-detailed-exitcode"]).expect(Exit::Changes);
    assert_snapshot!(out.out, @r#"
    Lakeform made the following execution plan. Resource actions are indicated
    with the following symbols:
      ~ update in-place

    Lakeform will perform the following actions:

      # fake_database.main will be updated in-place
      ~ resource "fake_database" "main" {
            id       = "database-1"
            name     = "main"
          ~ size     = 10 -> 20
            # (5 unchanged attributes hidden)
        }

    Plan: 0 to add, 1 to change, 0 to destroy.
    "#);
}

#[test]
fn c02_no_change_is_said_plainly() {
    let cli = Cli::applied();
    let out = cli.run(&["plan", "stack.toml", "--detailed-exitcode"]).ok();
    assert_snapshot!(out.out, @r"
    No changes. Your infrastructure matches the configuration.

    Lakeform has compared your real infrastructure against your configuration and
    found no differences, so no changes are needed.
    ");
    assert_snapshot!(out.err, @r"
    fake_bucket.raw: Refreshing state... [id=raw]
    fake_database.main: Refreshing state... [id=database-1]
    ");
}

#[test]
fn a_replacement_names_the_attribute_that_forces_it() {
    let cli = Cli::applied();
    cli.file("stack.toml", &STACK.replace("name = \"raw\"", "name = \"raw-2\""));
    let out = cli.run(&["plan", "stack.toml"]).ok();
    assert!(out.out.contains("# fake_bucket.raw must be replaced"), "{}", out.out);
    assert!(out.out.contains(r#"~ name       = "raw" -> "raw-2" # forces replacement"#), "{}", out.out);
    assert!(out.out.contains("Plan: 1 to add, 1 to change, 1 to destroy."), "{}", out.out);
}

#[test]
fn what_left_the_stack_is_destroyed_and_the_reason_is_given() {
    let cli = Cli::applied();
    cli.file("stack.toml", "[resource.fake_bucket.raw]\nname = \"raw\"\ntags = { zone = \"raw\" }\n");
    let out = cli.run(&["plan", "stack.toml"]).ok();
    assert_snapshot!(out.out, @r#"
    Lakeform made the following execution plan. Resource actions are indicated
    with the following symbols:
      - destroy

    Lakeform will perform the following actions:

      # fake_database.main will be destroyed
      # (because fake_database.main is not in configuration)
      - resource "fake_database" "main" {
          - endpoint = "main.arn:fake:test-1:bucket/raw.fake" -> null
          - id       = "database-1" -> null
          - location = "arn:fake:test-1:bucket/raw" -> null
          - name     = "main" -> null
          - password = (sensitive value) -> null
          - secret   = (sensitive value) -> null
          - size     = 10 -> null
          - token_wo = (write-only attribute) -> null
        }

    Plan: 0 to add, 0 to change, 1 to destroy.

    Changes to Outputs:
      - arn    = "arn:fake:test-1:bucket/raw" -> null
      - secret = (sensitive value) -> null
    "#);
}

#[test]
fn a_destroy_plan_destroys_everything() {
    let cli = Cli::applied();
    let out = cli.run(&["plan", "stack.toml", "-destroy"]).ok();
    assert!(out.out.contains("Plan: 0 to add, 0 to change, 2 to destroy."), "{}", out.out);
    let cli = Cli::new(STACK);
    let out = cli.run(&["plan", "stack.toml", "-destroy"]).ok();
    assert!(out.out.contains("No changes. No objects need to be destroyed."), "{}", out.out);
}

#[test]
fn changes_made_outside_come_first() {
    let cli = Cli::applied();
    cli.cloud.drift("fake_database", "main", "size", 99);
    let out = cli.run(&["plan", "stack.toml"]).ok();
    assert_snapshot!(out.out, @r#"
    Note: Objects have changed outside of lakeform

    Lakeform detected the following changes made outside of lakeform since the
    last "lakeform apply" which may have affected this plan:

      # fake_database.main has changed
      ~ resource "fake_database" "main" {
            id       = "database-1"
            name     = "main"
          ~ size     = 10 -> 99
            # (5 unchanged attributes hidden)
        }

    Unless you have made equivalent changes to your configuration, or ignored the
    relevant attributes using ignore_changes, the following plan may include
    actions to undo or respond to these changes.

    ──────────────────────────────────────────────────────────────────────────────

    Lakeform made the following execution plan. Resource actions are indicated
    with the following symbols:
    -/+ destroy and then create replacement

    Lakeform will perform the following actions:

      # fake_database.main must be replaced
    -/+ resource "fake_database" "main" {
          ~ endpoint = "main.arn:fake:test-1:bucket/raw.fake" -> (known after apply)
          ~ id       = "database-1" -> (known after apply)
            name     = "main"
          ~ secret   = (sensitive value)
          ~ size     = 99 -> 10 # forces replacement
            # (3 unchanged attributes hidden)
        }

    Plan: 1 to add, 0 to change, 1 to destroy.

    Changes to Outputs:
      ~ secret = (sensitive value)
    "#);
    let out = cli.run(&["plan", "stack.toml", "-refresh-only"]).ok();
    assert!(out.out.contains("This is a refresh-only plan"), "{}", out.out);
    let out = cli.run(&["plan", "stack.toml", "-refresh=false"]).ok();
    assert!(out.out.contains("No changes."), "{}", out.out);
}

#[test]
fn secrets_are_never_printed() {
    let cli = Cli::new(STACK);
    for args in
        [&["plan", "stack.toml"][..], &["plan", "stack.toml", "--json"], &["apply", "stack.toml", "--auto-approve"]]
    {
        let out = cli.run(args).ok();
        assert!(!out.out.contains("hunter2") && !out.err.contains("hunter2"), "{args:?}\n{}{}", out.out, out.err);
    }
    let secret = cli.run(&["output", "stack.toml", "-raw", "secret"]).ok().out;
    assert!(!secret.is_empty());
    for args in [
        &["show", "stack.toml"][..],
        &["show", "stack.toml", "--json"],
        &["output", "stack.toml"],
        &["drift", "stack.toml", "--json"],
    ] {
        let out = cli.run(args).ok();
        assert!(!out.out.contains("hunter2") && !out.out.contains(&secret), "{args:?}\n{}", out.out);
    }
}

#[test]
fn a_target_keeps_to_itself_and_what_it_needs() {
    let cli = Cli::new(STACK);
    let out = cli.run(&["plan", "stack.toml", "-target=fake_bucket.raw"]).ok();
    assert!(out.out.contains("Plan: 1 to add, 0 to change, 0 to destroy."), "{}", out.out);
    assert!(out.err.contains("Warning:"), "{}", out.err);
}
