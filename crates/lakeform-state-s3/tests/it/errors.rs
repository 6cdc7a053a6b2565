//! What is said when a call fails: operation, cause, what to do next.

use lakeform_state_s3::{Connection, S3Backend};
use lakeform_testkit::{
    emulator::{Kind, free_port},
    proxy::{Proxy, Rule},
};

use crate::{contract, harness};

async fn read(backend: S3Backend) -> String {
    harness::open(backend).await.store().read().await.unwrap_err().to_string()
}

#[tokio::test]
async fn bucket_or_table_is_absent() {
    let absent = harness::backend(&harness::url(), "absent", true, false);
    assert_eq!(
        read(absent.clone()).await,
        "GetObject s3://lakeform-absent/stacks/prod.tfstate: NoSuchBucket: The specified bucket does not exist; create the \
         bucket with `lakeform bootstrap STACK`, or correct `bucket`"
    );
    let lock = harness::open(absent).await.lock().unwrap();
    let error = lock.acquire(&contract::info("ann@build")).await.unwrap_err().to_string();
    assert!(error.starts_with("GetItem table locks-absent, item lakeform-absent/stacks/prod.tfstate: "), "{error}");
    assert!(
        error.ends_with("create the table with `lakeform bootstrap STACK`, or correct `dynamodb_table` and `region`"),
        "{error}"
    );
}

#[tokio::test]
async fn calls_are_refused() {
    let emulator = harness::emulator(Kind::Ministack);
    let proxy = Proxy::start(emulator.address()).unwrap();
    let backend = harness::backend(&proxy.url(), "refused", true, true);
    harness::made("refused", true, true).await;
    let place = "s3://lakeform-refused/stacks/prod.tfstate";

    proxy.add(Rule::on("s3:GetObject").denied());
    let error = read(backend.clone()).await;
    assert!(error.starts_with(&format!("GetObject {place}: AccessDenied: ")), "{error}");
    assert!(error.ends_with(&format!("the credentials need `s3:GetObject` on {place}")), "{error}");

    proxy.add(Rule::on("s3:GetObject").error(400, "ExpiredToken"));
    assert!(read(backend.clone()).await.ends_with("the credentials have expired: log in again"));

    proxy.add(Rule::on("s3:GetObject").error(301, "PermanentRedirect"));
    assert!(read(backend.clone()).await.ends_with("the bucket is in another region: correct `region`"));

    // A reader without rights on the table can read all the same, as with Terraform.
    proxy.add(Rule::on("dynamodb:GetItem").denied());
    assert!(harness::open(backend.clone()).await.store().read().await.unwrap().is_none());

    // The state is written but its digest is not: that must not pass for success.
    proxy.add(Rule::on("dynamodb:PutItem").denied());
    let connection = harness::open(backend).await;
    let bytes = contract::state_with("x").to_bytes();
    let error = connection.store().write(bytes.clone(), None).await.unwrap_err().to_string();
    assert!(
        error.starts_with("PutItem table locks-refused, item lakeform-refused/stacks/prod.tfstate-md5: "),
        "{error}"
    );
    assert!(error.contains("`dynamodb:PutItem`"), "{error}");
    // Trying again writes the digest, though the object is there already.
    connection.store().write(bytes, None).await.unwrap();
    assert!(connection.store().read().await.unwrap().is_some());
}

#[tokio::test]
async fn throttling_and_server_errors_are_outlasted() {
    let emulator = harness::emulator(Kind::Ministack);
    let proxy = Proxy::start(emulator.address()).unwrap();
    harness::made("outlast", true, false).await;
    let store = harness::open(harness::backend(&proxy.url(), "outlast", true, false)).await.store();
    proxy.add(Rule::on("s3:PutObject").throttled());
    proxy.add(Rule::on("dynamodb:PutItem").error(400, "ThrottlingException"));
    store.write(contract::state_with("x").to_bytes(), None).await.unwrap();
    proxy.add(Rule::on("s3:GetObject").error(500, "InternalError"));
    assert!(store.read().await.unwrap().is_some());
}

#[tokio::test]
async fn nobody_answers() {
    let mut backend = harness::backend(&format!("http://127.0.0.1:{}", free_port().unwrap()), "nobody", false, false);
    backend.max_retries = Some(1);
    let error = read(backend).await;
    assert!(error.starts_with("GetObject s3://lakeform-nobody/stacks/prod.tfstate: dispatch failure"), "{error}");
    assert!(error.contains("Connection refused") && error.ends_with("check the endpoint and the network"), "{error}");
}

#[tokio::test]
async fn accounts_are_checked() {
    let mut backend = harness::backend(&harness::emulator(Kind::Moto).url(), "account", false, false);
    backend.allowed_account_ids = vec!["123456789012".to_owned()];
    Connection::open(backend.clone()).await.unwrap();
    backend.allowed_account_ids = vec!["111111111111".to_owned()];
    let error = Connection::open(backend).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "open s3://lakeform-account/stacks/prod.tfstate: the credentials belong to account 123456789012, which \
         `allowed_account_ids` rules out; use the credentials of the right account"
    );
}

#[tokio::test]
async fn a_role_is_taken_on() {
    let emulator = harness::emulator(Kind::Moto);
    let proxy = Proxy::start(emulator.address()).unwrap();
    harness::bare_at(&emulator.url()).create_bucket("lakeform-role").await;
    let mut backend = harness::backend(&proxy.url(), "role", false, false);
    backend.assume_role = Some(lakeform_state_s3::AssumeRole {
        role_arn: "arn:aws:iam::123456789012:role/deploy".to_owned(),
        session_name: Some("nightly".to_owned()),
        tags: [("team".to_owned(), "data".to_owned())].into(),
        ..Default::default()
    });
    let store = harness::open(backend.clone()).await.store();
    assert!(store.read().await.unwrap().is_none());
    assert!(store.read().await.unwrap().is_none());
    assert_eq!(proxy.count("sts:AssumeRole"), 1, "{:?}", proxy.lines());

    proxy.add(Rule::on("sts:AssumeRole").denied().always());
    let error = read(backend).await;
    assert!(error.contains("taking on role arn:aws:iam::123456789012:role/deploy: "), "{error}");
    assert!(error.contains("AccessDenied"), "{error}");
}
