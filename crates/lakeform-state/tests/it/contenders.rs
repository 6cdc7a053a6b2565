//! Fifty processes that fight for one lock: one has it at any instant, and none is lost.

use std::{
    ffi::OsString,
    fs::{self, OpenOptions},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use lakeform_state::{LockInfo, StateLock, acquire_with_timeout};

pub const PROCESSES: usize = 50;

/// What a contender works on: a folder with a counter.
pub const FOLDER: &str = "LAKEFORM_TEST_CONTENDER";

/// The folder to work on, if this process is a contender.
pub fn folder() -> Option<OsString> {
    std::env::var_os(FOLDER)
}

/// Starts this test binary fifty times over with `test` as the only test, which must call [`contend`] on the lock, and
/// checks what they did.
pub fn run(test: &str, folder: &Path, more: &[(&str, String)]) {
    fs::write(folder.join("counter"), "0").unwrap();
    let start = |_| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["--exact", test, "--nocapture"])
            .env(FOLDER, folder)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.envs(more.iter().map(|(name, value)| (*name, value))).spawn().unwrap()
    };
    let processes: Vec<_> = (0..PROCESSES).map(start).collect();
    let mut failed = Vec::new();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        if !output.status.success() {
            failed
                .push(String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout));
        }
    }
    assert!(failed.is_empty(), "{} of {PROCESSES} failed, the first with: {}", failed.len(), failed[0]);
    let counter = fs::read_to_string(folder.join("counter")).unwrap();
    assert_eq!(counter, PROCESSES.to_string(), "a turn was lost");
}

/// One contender: takes the lock, counts one up with a pause between reading and writing, and gives the lock back.
pub async fn contend(lock: &dyn StateLock, folder: &Path) {
    let info = LockInfo::new("OperationTypeApply", format!("contender {}", std::process::id()), "", "");
    acquire_with_timeout(lock, &info, Duration::from_secs(900), |_| {}).await.unwrap();
    let inside = folder.join("inside");
    let alone = OpenOptions::new().write(true).create_new(true).open(&inside);
    assert!(alone.is_ok(), "two processes hold the lock");
    let counter = folder.join("counter");
    let count: usize = fs::read_to_string(&counter).unwrap().parse().unwrap();
    tokio::time::sleep(Duration::from_millis(5)).await;
    assert_eq!(lock.holder().await.unwrap().unwrap().id, info.id, "someone else holds the lock");
    fs::write(&counter, (count + 1).to_string()).unwrap();
    fs::remove_file(&inside).unwrap();
    lock.release(&info.id).await.unwrap();
}
