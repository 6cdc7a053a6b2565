//! The store and the lock in files.

use std::{fs, path::Path, sync::Arc};

use lakeform_state::{
    LocalLock, LocalRuns, LocalStore, LockError, LockInfo, RunLog, State, StateLock, StateStore, StoreError,
};

use crate::{contenders, contract};

#[tokio::test]
async fn store_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("not/yet/there/prod.tfstate");
    contract::store(|| Arc::new(LocalStore::new(&path))).await;
    let names: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().map(|e| e.unwrap().file_name()).collect();
    let known = ["prod.tfstate", "prod.tfstate.backup", "prod.tfstate.versions"];
    assert!(names.iter().all(|n| known.iter().any(|k| n == k)), "left behind: {names:?}");
}

#[tokio::test]
async fn lock_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.tfstate");
    contract::lock(|| Arc::new(LocalLock::new(&path)), false).await;
}

#[tokio::test]
async fn fifty_processes_take_turns() {
    match contenders::folder() {
        Some(folder) => {
            let folder = Path::new(&folder);
            contenders::contend(&LocalLock::new(folder.join("prod.tfstate")), folder).await;
        }
        None => {
            let folder = tempfile::tempdir().unwrap();
            contenders::run("local::fifty_processes_take_turns", folder.path(), &[]);
        }
    }
}

#[tokio::test]
async fn the_backup_is_the_state_before_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.tfstate");
    let backup = folder.path().join("prod.tfstate.backup");
    let earlier = LocalStore::new(&path);
    let version = earlier.write(contract::state_with("before").to_bytes(), None).await.unwrap();
    assert!(!backup.exists());
    let run = LocalStore::new(&path);
    let version = run.write(contract::state_with("during").to_bytes(), Some(version)).await.unwrap();
    run.write(contract::state_with("after").to_bytes(), Some(version)).await.unwrap();
    assert_eq!(fs::read(&backup).unwrap(), contract::state_with("before").to_bytes());
    assert_eq!(fs::read(&path).unwrap(), contract::state_with("after").to_bytes());
}

#[cfg(unix)]
#[tokio::test]
async fn permissions_are_kept_and_new_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.tfstate");
    let store = LocalStore::new(&path);
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let version = store.write(contract::state_with("1").to_bytes(), None).await.unwrap();
    assert_eq!(mode(), 0o600, "a state may hold secrets");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    store.write(contract::state_with("2").to_bytes(), Some(version)).await.unwrap();
    assert_eq!(mode(), 0o640);
}

#[tokio::test]
async fn an_empty_file_is_no_state_and_a_broken_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.tfstate");
    let store = LocalStore::new(&path);
    fs::write(&path, "").unwrap();
    assert!(store.read().await.unwrap().is_none());
    fs::write(&path, "{\"version\": 4,").unwrap();
    let error = store.read().await.unwrap_err();
    assert!(matches!(error, StoreError::Format { .. }), "{error}");
    assert!(error.to_string().contains("prod.tfstate: this is no state file: EOF"), "{error}");
    let error = LocalStore::new(folder.path()).read().await.unwrap_err().to_string();
    assert!(error.starts_with("read ") && error.contains("name a file as the state"), "{error}");
}

#[tokio::test]
async fn the_lock_file_is_terraforms() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("terraform.tfstate");
    let lock = LocalLock::new(&state);
    let info = contract::info("ann@build");
    lock.acquire(&info).await.unwrap();
    let path = folder.path().join(".terraform.tfstate.lock.info");
    let json: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    let expected = serde_json::json!({
        "ID": info.id, "Operation": "OperationTypeApply", "Info": "", "Who": "ann@build", "Version": "1.11.4",
        "Created": "2026-01-02T03:04:05.678901Z", "Path": state.display().to_string(),
    });
    assert_eq!(json, expected);
    lock.release(&info.id).await.unwrap();
    assert!(!path.exists());
}

#[tokio::test]
async fn what_a_killed_process_left_behind_does_not_lock() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("prod.tfstate");
    let path = folder.path().join(".prod.tfstate.lock.info");
    let left = LockInfo { id: "left".into(), ..contract::info("dead@host") };
    fs::write(&path, left.to_json()).unwrap();
    let lock = LocalLock::new(&state);
    assert_eq!(lock.holder().await.unwrap(), None);
    assert!(matches!(lock.force_release("other").await, Err(LockError::NotHeld { .. })));
    lock.force_release("left").await.unwrap();
    assert!(!path.exists());
    fs::write(&path, left.to_json()).unwrap();
    lock.acquire(&contract::info("ann@build")).await.unwrap();
}

/// A contender that only holds Terraform's kind of lock on the state file, until its input ends.
#[cfg(unix)]
#[tokio::test]
async fn a_terraform_at_work_on_the_file_is_waited_for() {
    use std::{io::Read, process::Command, process::Stdio};

    if let Some(folder) = contenders::folder() {
        use rustix::fs::{FlockOperation, fcntl_lock};
        let state = fs::OpenOptions::new().read(true).write(true).open(Path::new(&folder).join("t.tfstate")).unwrap();
        fcntl_lock(&state, FlockOperation::NonBlockingLockExclusive).unwrap();
        fs::write(Path::new(&folder).join("ready"), "").unwrap();
        std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.tfstate");
    fs::write(&path, State::new("x").to_bytes()).unwrap();
    let mut terraform = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "local::a_terraform_at_work_on_the_file_is_waited_for"])
        .env(contenders::FOLDER, folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !folder.path().join("ready").exists() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let theirs = contract::info("terraform@host");
    fs::write(folder.path().join(".t.tfstate.lock.info"), theirs.to_json()).unwrap();
    let lock = LocalLock::new(&path);
    let refused = lock.acquire(&contract::info("ann@build")).await.unwrap_err();
    assert!(matches!(refused, LockError::Held { .. }) && refused.to_string().contains("terraform@host"), "{refused}");
    assert_eq!(lock.holder().await.unwrap().unwrap().id, theirs.id);
    drop(terraform.stdin.take());
    terraform.wait().unwrap();
    lock.acquire(&contract::info("ann@build")).await.unwrap();
}

#[tokio::test]
async fn the_state_before_each_run_is_kept_for_ten_runs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.tfstate");
    let ids = async || -> Vec<String> {
        LocalStore::new(&path).versions(100).await.unwrap().into_iter().map(|v| v.id).collect()
    };
    assert!(ids().await.is_empty());
    let state = |serial| State { serial, ..contract::state_with(&serial.to_string()) };
    let mut version = None;
    for serial in (1..=25).step_by(2) {
        // Two writes of one run: what was between them is not kept.
        let run = LocalStore::new(&path);
        version = Some(run.write(state(serial).to_bytes(), version).await.unwrap());
        version = Some(run.write(state(serial + 1).to_bytes(), version).await.unwrap());
    }
    assert_eq!(ids().await, ["current", "24", "22", "20", "18", "16", "14", "12", "10", "8", "6"]);
    let store = LocalStore::new(&path);
    assert_eq!(store.versions(2).await.unwrap().len(), 2);
    assert_eq!(store.read_version("20").await.unwrap(), Some(state(20).to_bytes()));
    assert_eq!(store.read_version("current").await.unwrap(), Some(state(26).to_bytes()));
    assert_eq!(store.read_version("../prod").await.unwrap(), None);
    // A state that was put in place by force and has the serial of another one.
    let other = State { serial: 24, ..contract::state_with("another") };
    let run = LocalStore::new(&path);
    let version = run.write(other.to_bytes(), version).await.unwrap();
    LocalStore::new(&path).write(state(27).to_bytes(), Some(version)).await.unwrap();
    assert_eq!(ids().await[..4], ["current", "24-2", "26", "24"]);
    assert_eq!(store.read_version("24-2").await.unwrap(), Some(other.to_bytes()));
    // What Terraform kept is shown as well, unless it is kept already.
    fs::write(store.backup_path(), state(99).to_bytes()).unwrap();
    assert_eq!(ids().await[..2], ["current", "backup"]);
    assert_eq!(store.read_version("backup").await.unwrap(), Some(state(99).to_bytes()));
}

#[tokio::test]
async fn records_of_runs_are_listed_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let runs = LocalRuns::beside(folder.path().join("state/prod.tfstate"));
    assert!(runs.list().await.unwrap().is_empty());
    for name in ["20260102T000000Z-b.json", "20260101T000000Z-a.json"] {
        runs.put(name, b"{}".to_vec()).await.unwrap();
    }
    runs.put("20260101T000000Z-a.json", b"{\"a\":1}".to_vec()).await.unwrap();
    assert_eq!(runs.list().await.unwrap(), ["20260101T000000Z-a.json", "20260102T000000Z-b.json"]);
    assert_eq!(runs.get("20260101T000000Z-a.json").await.unwrap().unwrap(), b"{\"a\":1}");
    assert_eq!(runs.get("nope.json").await.unwrap(), None);
    assert!(folder.path().join("state/prod.tfstate.runs").is_dir());
}
