//! What happens when calls fail: throttled, cut off, refused, in the wrong region, without credentials.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(all(feature = "kms", feature = "dynamodb", feature = "s3"))]

mod common;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use common::{
    Cloud,
    fake::{Answer, Fake, error, ok},
};
use lakeform_provider::{ErrorKind, Permit, Retry};
use serde_json::json;

const KEY: &str = "aws_kms_key";

async fn cloud(fake: &Fake) -> Cloud {
    Cloud::with(fake.environment(), json!({"region": "eu-central-1", "max_retries": 4})).await.unwrap()
}

fn key() -> Answer {
    ok(json!({"KeyMetadata": {"KeyId": "k", "Arn": "arn:aws:kms:eu-central-1:123456789012:key/k", "Enabled": true,
        "KeyUsage": "ENCRYPT_DECRYPT", "KeySpec": "SYMMETRIC_DEFAULT", "KeyState": "Enabled", "MultiRegion": false}}))
}

fn policy() -> serde_json::Value {
    json!({"policy": json!({"Version": "2012-10-17", "Statement": []}).to_string()})
}

#[tokio::test]
async fn throttling_is_known_by_its_name_and_waited_out() {
    let fake =
        Fake::start(|_, before| if before < 2 { error(400, "ThrottlingException", "Rate exceeded") } else { key() });
    let made = cloud(&fake).await.create(KEY, policy()).await.unwrap();
    assert_eq!(made.get("id").and_then(|v| v.as_str()), Some("k"));
    assert_eq!(fake.operations(), ["CreateKey", "CreateKey", "CreateKey"]);
}

#[tokio::test]
async fn endless_throttling_says_so_and_may_be_repeated() {
    let fake = Fake::start(|_, _| error(400, "ThrottlingException", "Rate exceeded"));
    let failure = cloud(&fake).await.create(KEY, policy()).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.error.retry), (ErrorKind::Throttled, Retry::Safe));
    assert!(failure.partial.is_none());
    assert_eq!(fake.operations().len(), 4);
}

#[tokio::test]
async fn a_create_without_a_token_is_not_repeated_blindly() {
    // The key may exist after each of these; a second call would make a second key.
    for (answer, kind) in [
        (error(500, "KMSInternalException", "internal"), ErrorKind::Other),
        (error(503, "ServiceUnavailable", "busy"), ErrorKind::Other),
        (Answer::Hang, ErrorKind::Unreachable),
    ] {
        let given = answer.clone();
        let fake = Fake::start(move |_, _| given.clone());
        let failure = cloud(&fake).await.create(KEY, policy()).await.unwrap_err();
        assert_eq!((failure.error.kind, failure.error.retry), (kind, Retry::Unknown), "{answer:?}");
        assert_eq!(fake.operations(), ["CreateKey"], "{answer:?}");
    }
}

#[tokio::test]
async fn without_its_permit_an_operation_stops_before_the_next_call() {
    let mut rotated = policy();
    rotated["enable_key_rotation"] = json!(true);
    // Taken away with the first answer: neither the calls that follow are sent, nor the first one again.
    for (answer, made) in [(key(), true), (error(400, "ThrottlingException", "Rate exceeded"), false)] {
        let permitted = Arc::new(AtomicBool::new(true));
        let (taken, asked) = (permitted.clone(), permitted.clone());
        let fake = Fake::start(move |_, _| {
            taken.store(false, Ordering::SeqCst);
            answer.clone()
        });
        let cloud = cloud(&fake).await;
        let permit = Permit::new(move || asked.load(Ordering::SeqCst));
        let failure = permit.around(cloud.create(KEY, rotated.clone())).await.unwrap_err();
        assert_eq!((failure.error.kind, failure.error.retry), (ErrorKind::Cancelled, Retry::Never));
        assert!(failure.error.to_string().ends_with("not sent: this run no longer has the lock of the state"));
        assert_eq!(failure.partial.is_some(), made);
        assert_eq!(fake.operations(), ["CreateKey"]);
    }
}

#[tokio::test]
async fn a_quota_is_not_waited_for() {
    let fake = Fake::start(|_, _| error(400, "LimitExceededException", "too many keys"));
    let failure = cloud(&fake).await.create(KEY, policy()).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.error.retry), (ErrorKind::Invalid, Retry::Never));
    assert!(failure.error.hint.unwrap().contains("Service Quotas"));
    assert_eq!(fake.operations(), ["CreateKey"]);
}

#[tokio::test]
async fn what_can_be_repeated_is() {
    let fake = Fake::start(|request, before| match (request.operation.as_str(), before) {
        ("CreateKey", _) => key(),
        ("EnableKeyRotation", 0) => error(500, "KMSInternalException", "internal"),
        ("EnableKeyRotation", 1) => Answer::Hang,
        _ => ok(json!({})),
    });
    let mut config = policy();
    config["enable_key_rotation"] = json!(true);
    cloud(&fake).await.create(KEY, config).await.unwrap();
    assert_eq!(fake.operations(), ["CreateKey", "EnableKeyRotation", "EnableKeyRotation", "EnableKeyRotation"]);
}

#[tokio::test]
async fn an_object_that_exists_although_a_later_step_failed_is_handed_back() {
    let fake = Fake::start(|request, _| match request.operation.as_str() {
        "CreateKey" => key(),
        _ => error(400, "AccessDeniedException", "no"),
    });
    let mut config = policy();
    config["is_enabled"] = json!(false);
    let failure = cloud(&fake).await.create(KEY, config).await.unwrap_err();
    assert_eq!(failure.partial.unwrap().get("id").and_then(|v| v.as_str()), Some("k"));
    assert_eq!((failure.error.kind, failure.error.operation.as_str()), (ErrorKind::Denied, "kms:DisableKey"));
    assert!(failure.error.hint.unwrap().contains("kms:DisableKey"));
}

#[tokio::test]
async fn a_refused_connection_did_nothing() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let environment = vec![
        ("AWS_ENDPOINT_URL".to_owned(), format!("http://{closed}")),
        ("AWS_ACCESS_KEY_ID".to_owned(), "x".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "x".to_owned()),
    ];
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1", "max_retries": 2})).await.unwrap();
    let failure = cloud.create(KEY, policy()).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.error.retry), (ErrorKind::Unreachable, Retry::Safe), "{}", failure.error);
}

#[tokio::test]
async fn credentials_that_are_missing_or_bad_are_said() {
    let none =
        vec![("AWS_EC2_METADATA_DISABLED".to_owned(), "true".to_owned()), ("HOME".to_owned(), "/nowhere".to_owned())];
    let cloud = Cloud::with(none, json!({"region": "eu-central-1"})).await.unwrap();
    let failure = cloud.create(KEY, policy()).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.error.operation.as_str()), (ErrorKind::Credentials, "kms:CreateKey"));
    assert!(failure.error.hint.unwrap().contains("AWS_PROFILE"), "{}", failure.error.message);
    for (code, hint) in [
        ("ExpiredTokenException", "sign in again"),
        ("UnrecognizedClientException", "access key"),
        ("InvalidSignatureException", "secret key"),
    ] {
        let fake = Fake::start(move |_, _| error(400, code, "no"));
        let failure = self::cloud(&fake).await.create(KEY, policy()).await.unwrap_err();
        assert_eq!((failure.error.kind, failure.error.retry), (ErrorKind::Credentials, Retry::Never), "{code}");
        assert!(failure.error.hint.unwrap().contains(hint), "{code}");
        assert!(failure.error.message.contains("req-1"), "{}", failure.error.message);
    }
}

#[tokio::test]
async fn denied_is_not_gone() {
    let fake = Fake::start(|request, _| match request.operation.as_str() {
        "CreateTable" | "DescribeTable" => error(400, "AccessDeniedException", "not authorized"),
        _ => ok(json!({})),
    });
    let cloud = cloud(&fake).await;
    let stored = cloud.config("aws_dynamodb_table", json!({"name": "events", "hash_key": "a"}));
    let read = cloud.resource("aws_dynamodb_table").read(cloud.with_config(None), &stored).await;
    assert_eq!(read.unwrap_err().kind, ErrorKind::Denied);
}

#[tokio::test]
async fn a_region_must_be_set_and_look_like_one() {
    let missing =
        Cloud::with(vec![("AWS_EC2_METADATA_DISABLED".into(), "true".into())], json!({})).await.err().unwrap();
    assert!(missing.hint.unwrap().contains("AWS_REGION"));
    let wrong = Cloud::with(vec![], json!({"region": "Frankfurt"})).await.err().unwrap();
    assert!(wrong.message.contains("Frankfurt"));
    Cloud::with(vec![], json!({"region": "local", "skip_region_validation": true})).await.unwrap();
}

/// Requests and answers as <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html> has them.
#[tokio::test]
async fn secrets_are_decrypted_one_by_one() {
    let answers = |request: &common::fake::Request| match request.body["CiphertextBlob"].as_str() {
        Some("b25l") => ok(json!({"KeyId": "k", "Plaintext": "Zmlyc3Q="})),
        Some("dHdv") => ok(json!({"KeyId": "k", "Plaintext": "/w=="})),
        _ => error(400, "InvalidCiphertextException", ""),
    };
    let fake = Fake::start(move |request, _| answers(request));
    let cloud = cloud(&fake).await;
    let open = async |secret| cloud.open("aws_kms_secrets", json!({ "secret": [secret] })).await;
    let opened = open(json!({"name": "a", "payload": "b25l", "context": {"of": "x"}, "key_id": "k"})).await.unwrap();
    assert_eq!(opened.get("plaintext").unwrap().get("a").and_then(|v| v.as_str()), Some("first"));
    let sent = fake.requests("Decrypt").remove(0).body;
    assert_eq!((&sent["EncryptionContext"], &sent["KeyId"]), (&json!({"of": "x"}), &json!("k")));
    for (payload, why) in [("dHdv", "no text"), ("!", "not base64"), ("AA==", "InvalidCiphertext")] {
        let failed = open(json!({"name": "a", "payload": payload})).await.unwrap_err().to_string();
        assert!(failed.contains(why), "{failed}");
    }
}
