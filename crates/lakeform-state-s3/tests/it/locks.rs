//! The locks: the table's item, the lockfile, both.

use std::{path::Path, time::Duration};

use lakeform_state::{LockError, acquire_with_timeout};
use lakeform_testkit::{
    emulator::Kind,
    proxy::{Proxy, Rule},
};

use crate::{contenders, contract, harness};

async fn contract(name: &str, table: bool, lockfile: bool) {
    let connection = harness::made(name, table, lockfile).await;
    contract::lock(|| connection.lock().unwrap(), true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s04_the_item_keeps_the_contract() {
    contract("lock-item", true, false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s04_the_lockfile_keeps_the_contract() {
    contract("lock-file", false, true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s04_both_keep_the_contract() {
    contract("lock-both", true, true).await;
}

#[tokio::test]
async fn without_either_there_is_no_lock() {
    assert!(harness::open(harness::backend("http://127.0.0.1:1", "lock-none", false, false)).await.lock().is_none());
}

/// Fifty processes, each with clients of its own, on one lock.
async fn fight(test: &str, name: &str, table: bool, lockfile: bool) {
    const URL: &str = "LAKEFORM_TEST_URL";
    match contenders::folder() {
        Some(folder) => {
            let url = std::env::var_os(URL).unwrap().into_string().unwrap();
            let lock = harness::open(harness::backend(&url, name, table, lockfile)).await.lock().unwrap();
            contenders::contend(&*lock, Path::new(&folder)).await;
        }
        None => {
            let lock = harness::made(name, table, lockfile).await.lock().unwrap();
            let url = harness::url();
            let folder = tempfile::tempdir().unwrap();
            contenders::run(test, folder.path(), &[(URL, url)]);
            assert_eq!(lock.holder().await.unwrap(), None);
        }
    }
}

#[tokio::test]
async fn fifty_processes_take_turns_with_the_item() {
    fight("locks::fifty_processes_take_turns_with_the_item", "fight-item", true, false).await;
}

#[tokio::test]
async fn fifty_processes_take_turns_with_the_lockfile() {
    fight("locks::fifty_processes_take_turns_with_the_lockfile", "fight-file", false, true).await;
}

/// As Terraform 1.11.4 left it in a table while `terraform apply` ran.
const TERRAFORMS: &str = r#"{"ID":"4b846076-66a0-010d-e9c0-1315578cc8ae","Operation":"OperationTypeApply","Info":"","Who":"ann@build","Version":"1.11.4","Created":"2026-01-20T14:57:21.168062766Z","Path":"lakeform-lock-held/stacks/prod.tfstate"}"#;

#[tokio::test]
async fn s04_terraforms_item_is_waited_for_and_its_holder_named() {
    let connection = harness::made("lock-held", true, false).await;
    let bare = harness::bare();
    bare.put("locks-lock-held", "lakeform-lock-held/stacks/prod.tfstate", "Info", TERRAFORMS).await;
    let lock = connection.lock().unwrap();
    let mut heard = Vec::new();
    let info = contract::info("bob@desk");
    let waited = acquire_with_timeout(&*lock, &info, Duration::from_millis(400), |e| heard.push(e.to_string())).await;
    let refused = waited.unwrap_err();
    assert!(matches!(refused, LockError::Held { .. }));
    assert_eq!(
        refused.to_string(),
        "s3://lakeform-lock-held/stacks/prod.tfstate (lock table locks-lock-held) is locked: lock \
         4b846076-66a0-010d-e9c0-1315578cc8ae held by ann@build for OperationTypeApply since \
         2026-01-20T14:57:21.168062766Z (version 1.11.4). Wait for it with `--lock-timeout 5m`; if its run is surely dead, \
         free it with `lakeform force-unlock 4b846076-66a0-010d-e9c0-1315578cc8ae`"
    );
    assert!(!heard.is_empty() && heard.iter().all(|text| *text == refused.to_string()), "{heard:?}");
    lock.force_release("4b846076-66a0-010d-e9c0-1315578cc8ae").await.unwrap();
    lock.acquire(&info).await.unwrap();
}

#[tokio::test]
async fn s04_one_of_two_locks_that_is_taken_leaves_the_other_free() {
    let both = harness::made("lock-partly", true, true).await;
    let mut backend = both.backend().clone();
    backend.dynamodb_table = None;
    let file = harness::open(backend).await.lock().unwrap();
    let (ann, bob) = (contract::info("ann@build"), contract::info("bob@desk"));
    file.acquire(&ann).await.unwrap();
    // The item is not even asked for: ann may be about to take it, as Terraform does with both.
    let proxy = Proxy::start(harness::emulator(Kind::Ministack).address()).unwrap();
    let lock = harness::open(harness::backend(&proxy.url(), "lock-partly", true, true)).await.lock().unwrap();
    proxy.add(Rule::on("dynamodb:PutItem").denied());
    let refused = lock.acquire(&bob).await.unwrap_err();
    assert!(refused.to_string().contains("ann@build"), "{refused}");
    assert_eq!(lock.holder().await.unwrap().unwrap().id, ann.id);
    let lock = both.lock().unwrap();
    lock.force_release(&ann.id).await.unwrap();

    let mut backend = both.backend().clone();
    backend.use_lockfile = false;
    let item = harness::open(backend).await.lock().unwrap();
    item.acquire(&ann).await.unwrap();
    let refused = lock.acquire(&bob).await.unwrap_err();
    assert!(refused.to_string().contains("ann@build"), "{refused}");
    assert_eq!(file.holder().await.unwrap(), None, "the lockfile was not given back");
    assert_eq!(lock.holder().await.unwrap().unwrap().id, ann.id);
    item.release(&ann.id).await.unwrap();
    lock.acquire(&bob).await.unwrap();
    lock.release(&bob.id).await.unwrap();
}
