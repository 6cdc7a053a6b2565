//! The store in S3.

use std::time::Duration;

use lakeform_state::{PersistError, StateManager, StateStore, StoreError};
use lakeform_state_s3::{S3Store, Secret};
use lakeform_testkit::{
    emulator::Kind,
    proxy::{Proxy, Rule},
};
use md5::{Digest, Md5};

use crate::{contract, harness};

fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_table_it_keeps_the_contract() {
    let connection = harness::made("store-table", true, false).await;
    contract::store(|| connection.store()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_table_it_keeps_the_contract() {
    let connection = harness::made("store-alone", false, true).await;
    contract::store(|| connection.store()).await;
}

#[tokio::test]
async fn state_is_written_as_terraform_writes_it() {
    let connection = harness::made("store-form", true, false).await;
    let bytes = contract::state_with("x").to_bytes();
    connection.store().write(bytes.clone(), None).await.unwrap();
    let bare = harness::bare();
    let head = bare.s3.head_object().bucket("lakeform-store-form").key("stacks/prod.tfstate").send().await.unwrap();
    assert_eq!(head.content_type(), Some("application/json"));
    assert_eq!(head.server_side_encryption(), Some(&aws_sdk_s3::types::ServerSideEncryption::Aes256));
    let digest = bare.attribute("locks-store-form", "lakeform-store-form/stacks/prod.tfstate-md5", "Digest").await;
    assert_eq!(digest, Some(md5_hex(&bytes)));
}

#[tokio::test]
async fn it_encrypts_with_a_kms_key_or_the_customers_own() {
    let mut backend = harness::backend(&harness::url(), "store-kms", false, true);
    backend.kms_key_id = Some("arn:aws:kms:eu-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab".to_owned());
    let connection = harness::open(backend.clone()).await;
    lakeform_state_s3::bootstrap(&connection).await.unwrap();
    connection.store().write(contract::state_with("x").to_bytes(), None).await.unwrap();
    let bare = harness::bare();
    let head = bare.s3.head_object().bucket("lakeform-store-kms").key("stacks/prod.tfstate").send().await.unwrap();
    assert_eq!(head.server_side_encryption(), Some(&aws_sdk_s3::types::ServerSideEncryption::AwsKms));
    assert_eq!(head.ssekms_key_id(), backend.kms_key_id.as_deref());

    backend.kms_key_id = None;
    backend.key = "own.tfstate".to_owned();
    backend.sse_customer_key = Some(Secret("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=".to_owned()));
    let store = harness::open(backend).await.store();
    store.write(contract::state_with("y").to_bytes(), None).await.unwrap();
    assert_eq!(store.read().await.unwrap().unwrap().state.to_bytes(), contract::state_with("y").to_bytes());
}

#[tokio::test]
async fn s05_a_digest_of_something_else_is_waited_for_and_then_refused() {
    let connection = harness::made("store-digest", true, false).await;
    let bytes = contract::state_with("x").to_bytes();
    connection.store().write(bytes.clone(), None).await.unwrap();
    let bare = harness::bare();
    let (table, item) = ("locks-store-digest", "lakeform-store-digest/stacks/prod.tfstate-md5");
    let other = md5_hex(b"other");
    bare.put(table, item, "Digest", &other).await;
    let store = S3Store::new(connection.clone()).with_patience(Duration::from_millis(300));
    let error = store.read().await.unwrap_err();
    assert!(matches!(error, StoreError::Digest { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!(
            "s3://lakeform-store-digest/stacks/prod.tfstate: the state does not match its digest: the table says {other}, \
             the object is {0}. Either a write stopped half-way or the object was changed by hand. Once you are sure that \
             the object is the right one, set `Digest` of item `{item}` in table `{table}` to {0}",
            md5_hex(&bytes)
        )
    );
    // It becomes right while the store waits.
    let waiting = tokio::spawn(async move { S3Store::new(connection).read().await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    bare.put(table, item, "Digest", &md5_hex(&bytes)).await;
    assert!(waiting.await.unwrap().unwrap().is_some());
}

/// What a run leaves that is killed between object and digest, whoever frees its lock.
#[tokio::test]
async fn a_digest_that_a_killed_run_did_not_get_to_write_is_written_by_the_next_one() {
    let proxy = Proxy::start(harness::emulator(Kind::Ministack).address()).unwrap();
    harness::made("store-torn", true, false).await;
    let reopened = || harness::open(harness::backend(&proxy.url(), "store-torn", true, false));
    let read = async || {
        let store = S3Store::new(reopened().await).with_patience(Duration::ZERO);
        store.read().await.map(|found| found.unwrap().state.to_bytes())
    };
    let states = ["one", "two", "three", "four"].map(|id| contract::state_with(id).to_bytes());
    let first = reopened().await.store().write(states[0].clone(), None).await.unwrap();
    // Killed twice, the second time by a run that found what the first one had left.
    let mut version = first;
    for state in &states[1..3] {
        let store = reopened().await.store();
        assert_eq!(store.read_raw().await.unwrap().unwrap().version, version);
        proxy.add(Rule::on("dynamodb:PutItem").denied().always());
        store.write(state.clone(), Some(version)).await.unwrap_err();
        proxy.clear();
        assert_eq!(read().await.unwrap(), *state);
        version = store.read_raw().await.unwrap().unwrap().version;
    }
    // Who has the lock sets it right.
    let (bare, item) = (harness::bare(), "lakeform-store-torn/stacks/prod.tfstate-md5");
    let digest = || bare.attribute("locks-store-torn", item, "Digest");
    assert_eq!(digest().await, Some(md5_hex(&states[0])));
    let connection = reopened().await;
    let (lock, info) = (connection.lock().unwrap(), contract::info("ann@build"));
    lock.acquire(&info).await.unwrap();
    connection.store().read().await.unwrap();
    assert_eq!(digest().await, Some(md5_hex(&states[2])));
    lock.release(&info.id).await.unwrap();
    // An object that somebody put there by hand does not say what it replaces.
    let by_hand = states[3].clone().into();
    bare.s3.put_object().bucket("lakeform-store-torn").key("stacks/prod.tfstate").body(by_hand).send().await.unwrap();
    let error = read().await.unwrap_err();
    assert!(matches!(error, StoreError::Digest { .. }), "{error}");
}

#[tokio::test]
async fn a_writer_that_lost_its_lock_cannot_write() {
    let connection = harness::made("store-lost", true, false).await;
    let lock = connection.lock().unwrap();
    let (ann, bob) = (contract::info("ann@build"), contract::info("bob@desk"));
    let mut hers = StateManager::open(connection.store()).await.unwrap();
    let state = |manager: &StateManager, id: &str| {
        let mut state = manager.state().clone();
        state.resources = contract::state_with(id).resources;
        state
    };
    lock.acquire(&ann).await.unwrap();
    hers.persist(&state(&hers, "hers")).await.unwrap();
    // Someone takes her for dead and goes on.
    lock.force_release(&ann.id).await.unwrap();
    lock.acquire(&bob).await.unwrap();
    let mut his = StateManager::open(connection.store()).await.unwrap();
    his.persist(&state(&his, "his")).await.unwrap();
    let refused = hers.persist(&state(&hers, "hers again")).await.unwrap_err();
    assert!(matches!(refused, PersistError::Store(StoreError::Moved { .. })), "{refused}");
    assert!(lock.release(&ann.id).await.is_err(), "she must hear that the lock is not hers");
    let there = connection.store().read().await.unwrap().unwrap().state;
    assert!(there.content_equals(his.state()) && there.serial == 2);
}

#[tokio::test]
async fn a_lost_answer_does_not_count_as_someone_elses_write() {
    let emulator = harness::emulator(Kind::Ministack);
    let proxy = Proxy::start(emulator.address()).unwrap();
    harness::made("store-answer", true, true).await;
    let connection = harness::open(harness::backend(&proxy.url(), "store-answer", true, true)).await;
    let (store, lock) = (connection.store(), connection.lock().unwrap());
    proxy.add(Rule::on("dynamodb:PutItem").cut_after());
    proxy.add(Rule::on("s3:PutObject").at("tflock").cut_after());
    let info = contract::info("ann@build");
    lock.acquire(&info).await.unwrap();
    proxy.add(Rule::on("s3:PutObject").at("prod.tfstate").cut_after());
    let version = store.write(contract::state_with("1").to_bytes(), None).await.unwrap();
    proxy.add(Rule::on("s3:PutObject").at("prod.tfstate").cut_after());
    store.write(contract::state_with("2").to_bytes(), Some(version)).await.unwrap();
    assert!(proxy.count("s3:PutObject") >= 6, "{:?}", proxy.lines());
    proxy.add(Rule::on("dynamodb:DeleteItem").cut_after());
    proxy.add(Rule::on("s3:DeleteObject").cut_after());
    lock.release(&info.id).await.unwrap();
    assert_eq!(lock.holder().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_of_the_object_are_earlier_states() {
    let connection = harness::made("store-versions", true, false).await;
    let store = connection.store();
    assert!(store.versions(10).await.unwrap().is_empty());
    let mut version = None;
    for id in ["one", "two", "three"] {
        version = Some(store.write(contract::state_with(id).to_bytes(), version).await.unwrap());
    }
    // Objects whose keys begin alike are other things.
    connection.runs().put("20260101T000000Z-a.json", b"{}".to_vec()).await.unwrap();
    let found = store.versions(10).await.unwrap();
    assert_eq!(found.iter().map(|v| v.current).collect::<Vec<_>>(), [true, false, false]);
    assert!(found.iter().all(|v| v.modified.is_some() && v.size > 100), "{found:?}");
    assert_eq!(store.versions(2).await.unwrap(), found[..2]);
    for (version, id) in found.iter().zip(["three", "two", "one"]) {
        assert_eq!(store.read_version(&version.id).await.unwrap(), Some(contract::state_with(id).to_bytes()));
    }
    assert_eq!(store.read_version("current").await.unwrap(), Some(contract::state_with("three").to_bytes()));
    assert_eq!(store.read_version("nope").await.unwrap(), None);
    // A state that was deleted is still there in its versions.
    harness::bare()
        .s3
        .delete_object()
        .bucket("lakeform-store-versions")
        .key("stacks/prod.tfstate")
        .send()
        .await
        .unwrap();
    let found = store.versions(10).await.unwrap();
    assert_eq!(found.iter().map(|v| v.current).collect::<Vec<_>>(), [false, false, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_of_runs_are_objects_beside_the_state() {
    let connection = harness::made("store-runs", false, true).await;
    let runs = connection.runs();
    assert!(runs.list().await.unwrap().is_empty());
    for name in ["20260102T000000Z-b.json", "20260101T000000Z-a.json"] {
        runs.put(name, b"{}".to_vec()).await.unwrap();
    }
    runs.put("20260101T000000Z-a.json", b"{\"a\":1}".to_vec()).await.unwrap();
    assert_eq!(runs.list().await.unwrap(), ["20260101T000000Z-a.json", "20260102T000000Z-b.json"]);
    assert_eq!(runs.get("20260101T000000Z-a.json").await.unwrap().unwrap(), b"{\"a\":1}");
    assert_eq!(runs.get("nope.json").await.unwrap(), None);
    let key = "stacks/prod.tfstate.runs/20260102T000000Z-b.json";
    assert!(harness::bare().object("lakeform-store-runs", key).await.is_some());
}
