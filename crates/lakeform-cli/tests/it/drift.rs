//! `drift`

use insta::assert_snapshot;
use lakeform_cli::Exit;

use crate::harness::{Cli, STACK};

#[test]
fn no_drift_exits_with_zero_and_drift_with_two() {
    let cli = Cli::applied();
    assert_snapshot!(cli.run(&["drift", "stack.toml"]).ok().out, @r"
    No drift. Live objects match the state and the stack.
    ");
    cli.cloud.drift("fake_database", "main", "size", 99);
    let before = std::fs::read(cli.path("state/stack.tfstate")).unwrap();
    let out = cli.run(&["drift", "stack.toml"]).expect(Exit::Changes);
    assert_snapshot!(out.out, @r#"
    Objects have changed outside of lakeform

      # fake_database.main has changed
      ~ resource "fake_database" "main" {
            id       = "database-1"
            name     = "main"
          ~ size     = 10 -> 99
            # (5 unchanged attributes hidden)
        }

    Live objects differ from the stack; an apply would do this

      # fake_database.main must be replaced
    -/+ resource "fake_database" "main" {
          ~ endpoint = "main.arn:fake:test-1:bucket/raw.fake" -> (known after apply)
          ~ id       = "database-1" -> (known after apply)
            name     = "main"
          ~ secret   = (sensitive value)
          ~ size     = 99 -> 10 # forces replacement
            # (3 unchanged attributes hidden)
        }

    Drift: 1 changed and 0 deleted outside of lakeform; 1 object to change to match the stack.
    "#);
    assert_eq!(std::fs::read(cli.path("state/stack.tfstate")).unwrap(), before, "drift writes nothing");
}

#[test]
fn a_deleted_object_is_drift_too() {
    let cli = Cli::applied();
    cli.cloud.vanish("fake_database", "main");
    let out = cli.run(&["drift", "stack.toml", "-json"]).expect(Exit::Changes);
    let json = out.json();
    assert_eq!(json["drifted"], true);
    assert_eq!(json["outside"][0]["address"], "fake_database.main");
    assert_eq!(json["outside"][0]["class"], "deleted");
    assert_eq!(json["outside"][0]["attributes"]["size"]["before"], 10);
    assert_eq!(json["outside"][0]["attributes"]["password"]["before"], "(sensitive value)");
    assert_eq!(json["pending"][0]["actions"], serde_json::json!(["create"]));
}

#[test]
fn drift_as_markdown_can_be_pasted() {
    let cli = Cli::applied();
    cli.cloud.drift("fake_database", "main", "size", 99);
    let out = cli.run(&["drift", "stack.toml", "--format=markdown"]).expect(Exit::Changes);
    assert_snapshot!(out.out, @r#"
    ## Drift of `stack`

    Drift: 1 changed and 0 deleted outside of lakeform; 1 object to change to match the stack.

    ### Changed outside of lakeform

    `fake_database.main` was changed

    ```diff
    ! resource "fake_database" "main" {
            id       = "database-1"
            name     = "main"
    !       size     = 10 -> 99
            # (5 unchanged attributes hidden)
        }
    ```

    ### Differs from the stack

    | object | an apply would |
    | --- | --- |
    | `fake_database.main` | replace it |
    "#);
}

#[test]
fn drift_needs_no_lock() {
    let cli = Cli::applied();
    cli.cloud.drift("fake_database", "main", "size", 99);
    cli.cloud.set_latency(std::time::Duration::from_millis(300));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| cli.run(&["apply", "stack.toml", "-auto-approve", "-var=size=11"]));
        while cli.cloud.in_flight() == 0 {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        cli.run(&["drift", "stack.toml"]).expect(Exit::Changes);
        run.join().unwrap().ok();
    });
}

#[test]
fn what_was_never_applied_differs_from_the_stack() {
    let cli = Cli::new(STACK);
    let json = cli.run(&["drift", "stack.toml", "--json"]).expect(Exit::Changes).json();
    assert_eq!(json["outside"], serde_json::json!([]));
    assert_eq!(json["pending"].as_array().unwrap().len(), 2);
}
