//! Terraform and lakeform on one state. Where there is no `terraform`, these tests say so and check nothing; what it
//! leaves in the table is recorded in `locks.rs`.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};

use lakeform_core::Value;
use lakeform_state::{LockError, OutputState, StateLock, StateManager, acquire_with_timeout};
use lakeform_state_s3::Connection;

use crate::{contract, harness};

fn present() -> bool {
    let there = Command::new("terraform").arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    let there = there.is_ok_and(|status| status.success());
    if !there {
        println!("skipped: there is no terraform on PATH");
    }
    there
}

/// A folder with a configuration that keeps its state in the backend of `harness::backend(name)` and needs no provider.
fn configuration(name: &str, lockfile: bool, body: &str) -> tempfile::TempDir {
    let url = harness::url();
    let folder = tempfile::tempdir().unwrap();
    let text = format!(
        r#"
terraform {{
  backend "s3" {{
    bucket         = "lakeform-{name}"
    key            = "stacks/prod.tfstate"
    region         = "eu-west-2"
    dynamodb_table = "locks-{name}"
    use_lockfile   = {lockfile}
    encrypt        = true
    access_key     = "testing"
    secret_key     = "testing"
    use_path_style = true
    endpoints      = {{ s3 = "{url}", dynamodb = "{url}", sts = "{url}" }}
  }}
}}
{body}
"#
    );
    std::fs::write(folder.path().join("main.tf"), text).unwrap();
    let init = terraform(folder.path(), &["init", "-input=false"]);
    assert!(init.status.success(), "{}", all(&init));
    folder
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("terraform");
    command.args(arguments).arg("-no-color").current_dir(folder).stdin(Stdio::null());
    command
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("CHECKPOINT_DISABLE", "1");
    command
}

fn terraform(folder: &Path, arguments: &[&str]) -> Output {
    command(folder, arguments).output().unwrap()
}

fn all(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[tokio::test]
async fn each_goes_on_from_what_the_other_wrote() {
    if !present() {
        return;
    }
    let connection = harness::made("tf-turns", true, false).await;
    let body = r#"
resource "terraform_data" "a" {
  for_each = toset(["x", "y<&>"])
  input    = { key = each.key, list = [1, "two", null] }
}
output "who" { value = "terraform" }
"#;
    let folder = configuration("tf-turns", false, body);
    // Without its lock, which is not what this is about: on a busy machine its SDK sends PutItem twice, and finds its own lock.
    let apply = terraform(folder.path(), &["apply", "-auto-approve", "-lock=false"]);
    assert!(apply.status.success(), "{}", all(&apply));

    // What Terraform wrote is read, and would be written back as the same bytes.
    let mut manager = StateManager::open(connection.store()).await.unwrap();
    let bytes = harness::bare().object("lakeform-tf-turns", "stacks/prod.tfstate").await.unwrap();
    assert_eq!(String::from_utf8(manager.state().to_bytes()), String::from_utf8(bytes));
    assert_eq!(manager.state().iter().count(), 2);

    // What lakeform writes passes Terraform's digest check, and means the same to it.
    let mut state = manager.state().clone();
    let serial = state.serial;
    state.outputs.insert("who".into(), OutputState { value: Value::from("lakeform"), sensitive: false });
    assert!(manager.persist(&state).await.unwrap());
    let pull = terraform(folder.path(), &["output", "-raw", "who"]);
    assert_eq!(String::from_utf8_lossy(&pull.stdout), "lakeform", "{}", all(&pull));
    let plan = terraform(folder.path(), &["plan", "-detailed-exitcode", "-lock=false"]);
    assert_eq!(plan.status.code(), Some(2), "{}", all(&plan));
    assert!(all(&plan).contains("\"lakeform\" -> \"terraform\""), "{}", all(&plan));
    assert!(all(&plan).contains("without changing any real infrastructure"), "only outputs may differ: {}", all(&plan));

    let apply = terraform(folder.path(), &["apply", "-auto-approve", "-lock=false"]);
    assert!(apply.status.success(), "{}", all(&apply));
    let after = connection.store().read().await.unwrap().unwrap().state;
    assert_eq!(after.serial, serial + 2);
    // lakeform's view is stale now: its next write is refused.
    state.outputs.clear();
    assert!(manager.persist(&state).await.is_err());
}

#[tokio::test]
async fn terraform_refuses_while_lakeform_holds_the_lock() {
    if !present() {
        return;
    }
    for (name, lockfile) in [("tf-item", false), ("tf-both", true)] {
        let connection = harness::made(name, true, lockfile).await;
        let folder = configuration(name, lockfile, "resource \"terraform_data\" \"a\" {}");
        let lock = connection.lock().unwrap();
        let info = contract::info("ann@lakeform-host");
        lock.acquire(&info).await.unwrap();
        let apply = terraform(folder.path(), &["apply", "-auto-approve"]);
        let text = all(&apply);
        assert!(!apply.status.success(), "{text}");
        for part in ["Error acquiring the state lock", &info.id, "ann@lakeform-host", "OperationTypeApply"] {
            assert!(text.contains(part), "{part} is not in: {text}");
        }
        lock.release(&info.id).await.unwrap();
        let mut applied = false;
        for _ in 0..3 {
            applied = applied || !stumbled(&*lock, &terraform(folder.path(), &["apply", "-auto-approve"])).await;
        }
        assert!(applied, "Terraform did not get its lock");
    }
}

#[tokio::test]
async fn terraform_frees_lakeforms_lock_by_force() {
    if !present() {
        return;
    }
    let connection = harness::made("tf-force", true, false).await;
    let folder = configuration("tf-force", false, "resource \"terraform_data\" \"a\" {}");
    let lock = connection.lock().unwrap();
    let info = contract::info("ann@lakeform-host");
    lock.acquire(&info).await.unwrap();
    let unlock = Command::new("terraform")
        .args(["force-unlock", "-force", &info.id])
        .current_dir(folder.path())
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .output()
        .unwrap();
    assert!(unlock.status.success(), "{}", all(&unlock));
    assert_eq!(lock.holder().await.unwrap(), None);
    assert!(matches!(lock.release(&info.id).await, Err(LockError::NotHeld { .. })));
}

/// Whether this Terraform did not get its lock because of itself, which is freed then: on a busy machine its SDK may send
/// PutItem a second time, which finds the item of the first.
async fn stumbled(lock: &dyn StateLock, ended: &Output) -> bool {
    if ended.status.success() {
        return false;
    }
    let text = all(ended);
    let holder = lock.holder().await.unwrap().expect("a lock that is in its way");
    assert!(text.contains("ConditionalCheckFailedException") && text.contains(&holder.id), "{text}");
    assert!(holder.version.starts_with("1."), "{holder:?}");
    lock.force_release(&holder.id).await.unwrap();
    true
}

#[tokio::test(flavor = "multi_thread")]
async fn lakeform_waits_while_terraform_holds_the_lock() {
    if !present() {
        return;
    }
    for (name, lockfile) in [("tf-holds", false), ("tf-holds-both", true)] {
        let connection = harness::made(name, true, lockfile).await;
        let mut waited = false;
        for _ in 0..3 {
            waited = waited || waits(&connection, name, lockfile).await;
        }
        assert!(waited, "Terraform did not get its lock");
        assert_eq!(connection.store().read().await.unwrap().unwrap().state.iter().count(), 1);
    }
}

/// Takes the lock that Terraform holds once that gives it back. False if Terraform stumbled.
async fn waits(connection: &Connection, name: &str, lockfile: bool) -> bool {
    let gate = tempfile::tempdir().unwrap();
    let gate_path = gate.path().join("go");
    let body = format!(
        "resource \"terraform_data\" \"a\" {{\n  provisioner \"local-exec\" {{\n    command = \"while ! test -e {}; do \
         sleep 0.1; done\"\n  }}\n}}",
        gate_path.display()
    );
    let folder = configuration(name, lockfile, &body);
    let mut apply = command(folder.path(), &["apply", "-auto-approve"]);
    let apply = apply.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lock = connection.lock().unwrap();
    let mut holder = None;
    for _ in 0..1200 {
        holder = lock.holder().await.unwrap();
        if holder.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let holder = holder.expect("terraform takes the lock");
    assert_eq!((holder.operation.as_str(), holder.version.is_empty()), ("OperationTypeApply", false));
    assert_eq!(holder.path, format!("lakeform-{name}/stacks/prod.tfstate"));
    let mut heard = Vec::new();
    let info = contract::info("bob@desk");
    let taken = acquire_with_timeout(&*lock, &info, Duration::from_secs(90), |held| {
        heard.push(held.to_string());
        std::fs::write(&gate_path, "").unwrap();
    })
    .await;
    if stumbled(&*lock, &apply.wait_with_output().unwrap()).await {
        return false;
    }
    taken.unwrap();
    assert!(heard[0].contains(&holder.id) && heard[0].contains(&holder.who), "{heard:?}");
    lock.release(&info.id).await.unwrap();
    true
}
