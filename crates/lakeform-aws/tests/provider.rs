//! The provider's block: accounts, roles, endpoints, tags.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(all(feature = "kms", feature = "sts", feature = "s3"))]

mod common;

use std::time::Instant;

use common::{
    Cloud, Emulator,
    fake::{Fake, ok},
};
use lakeform_core::{Type, Value, json::to_plain_json};
use lakeform_provider::{ErrorKind, Provider};
use serde_json::json;

#[tokio::test]
async fn accounts_are_held_against_the_lists() {
    let emulator = Emulator::start();
    let block = |list: &str, id: &str| json!({"region": "eu-central-1", list: [id]});
    let with = |block| Cloud::with(emulator.environment(), block);
    with(block("allowed_account_ids", "123456789012")).await.unwrap();
    with(block("forbidden_account_ids", "111122223333")).await.unwrap();
    for wrong in [block("allowed_account_ids", "111122223333"), block("forbidden_account_ids", "123456789012")] {
        let error = with(wrong).await.err().unwrap();
        assert_eq!(error.kind, ErrorKind::Denied);
        assert!(error.message.contains("123456789012"), "{}", error.message);
    }

    // Roles: the second is assumed with the credentials of the first.
    let role = |name: &str| json!({"role_arn": format!("arn:aws:iam::123456789012:role/{name}"), "session_name": name});
    let block = json!({"region": "eu-central-1", "assume_role": [role("one"), role("two")]});
    let cloud = with(block).await.unwrap();
    let who = cloud.data("aws_caller_identity", json!({})).await.unwrap();
    assert_eq!(who.get("arn").and_then(Value::as_str), Some("arn:aws:sts::123456789012:assumed-role/two/two"));
}

#[tokio::test]
async fn nothing_is_asked_before_it_is_needed() {
    let fake = Fake::start(|_, _| ok(json!({})));
    let started = Instant::now();
    let role = json!({"role_arn": "arn:aws:iam::123456789012:role/x", "duration": "1h"});
    Cloud::with(fake.environment(), json!({"region": "eu-central-1", "assume_role": [role]})).await.unwrap();
    assert!(started.elapsed().as_millis() < 1000, "{:?}", started.elapsed());
    assert_eq!(fake.operations(), Vec::<String>::new());
}

#[tokio::test]
async fn an_endpoint_of_the_block_goes_before_the_environment() {
    let ours = Fake::start(|_, _| ok(json!({})));
    let theirs = Fake::start(|_, _| ok(json!({})));
    let block = json!({"region": "eu-central-1", "endpoints": [{"kms": ours.url}]});
    let cloud = Cloud::with(theirs.environment(), block).await.unwrap();
    // The answer is empty, which is an error; what counts is who was asked.
    cloud.data("aws_kms_key", json!({"key_id": "k"})).await.unwrap_err();
    assert_eq!((ours.operations().len(), theirs.operations().len()), (1, 0));
    let mut environment = theirs.environment();
    environment.push(("AWS_ENDPOINT_URL_KMS".into(), ours.url.clone()));
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1"})).await.unwrap();
    cloud.data("aws_kms_key", json!({"key_id": "k"})).await.unwrap_err();
    assert_eq!((ours.operations().len(), theirs.operations().len()), (2, 0));
}

#[tokio::test]
async fn profiles_are_read_from_the_files_that_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    std::fs::write(&config, "[profile work]\nregion = eu-west-3\n").unwrap();
    let credentials = folder.path().join("credentials");
    std::fs::write(&credentials, "[work]\naws_access_key_id = a\naws_secret_access_key = b\n").unwrap();
    let block = json!({"profile": "work", "shared_config_files": [config], "shared_credentials_files": [credentials]});
    let cloud = Cloud::with(vec![], block).await.unwrap();
    let region = cloud.data("aws_region", json!({})).await.unwrap();
    assert_eq!(region.get("name").and_then(Value::as_str), Some("eu-west-3"));
}

#[tokio::test]
async fn what_is_not_supported_is_refused_by_name() {
    for (name, value) in [
        ("insecure", json!(true)),
        ("s3_us_east_1_regional_endpoint", json!("legacy")),
        ("retry_mode", json!("legacy")),
        ("access_key", json!("x")),
        ("custom_ca_bundle", json!("/nowhere/bundle.pem")),
    ] {
        let error = Cloud::with(vec![], json!({"region": "eu-central-1", name: value})).await.err().unwrap();
        let named = error.message.contains(name) || error.attribute.is_some();
        assert!(named, "{name}: {}", error.message);
    }
}

#[tokio::test]
async fn unknown_settings_wait_and_unknown_tags_do_not() {
    let provider = lakeform_aws::AwsProvider::new([]);
    let block = &provider.config_schema().block;
    let mut config = block.coerce(&lakeform_core::json::from_plain_json(&json!({"region": "eu-central-1"}))).unwrap();
    let tags = Value::object([("tags", Value::unknown(Type::map(Type::String)))]);
    config.set_attr("default_tags", Value::list(tags.ty(), vec![tags]));
    provider.configure(&config).await.unwrap();
    config.set_attr("region", Value::unknown(Type::String));
    let error = provider.configure(&config).await.err().unwrap();
    assert!(error.message.contains("`region`") && error.message.contains("after apply"), "{}", error.message);
}

#[tokio::test]
async fn default_and_ignored_tags() {
    let emulator = Emulator::start();
    let block = json!({"region": "eu-central-1", "default_tags": [{"tags": {"team": "data", "env": "prod"}}],
        "ignore_tags": [{"keys": ["owner"], "key_prefixes": ["kubernetes.io/"]}]});
    let mut environment = emulator.environment();
    environment.push(("TF_AWS_DEFAULT_TAGS_source".into(), "variable".into()));
    let cloud = Cloud::with(environment, block).await.unwrap();
    let config = json!({"tags": {"team": "data", "env": "test", "a": "b", "owner": "me"}});
    let made = cloud.create("aws_kms_key", config.clone()).await.unwrap();
    let all = json!({"team": "data", "env": "test", "a": "b", "source": "variable"});
    assert_eq!(to_plain_json(made.get("tags_all").unwrap()), all);

    // Others tag the key: what is ignored does not show, what is not does.
    let plain = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    let theirs = json!({"tags": {"team": "data", "env": "test", "a": "b", "source": "variable",
        "owner": "them", "kubernetes.io/x": "y", "drift": "z"}});
    plain.update("aws_kms_key", &made, theirs).await.unwrap();
    let read = cloud.read("aws_kms_key", &made, config).await.unwrap();
    let shown = to_plain_json(read.get("tags").unwrap());
    assert_eq!(shown, json!({"team": "data", "env": "test", "a": "b", "drift": "z"}));
    let mut all = all;
    all["drift"] = json!("z");
    assert_eq!(to_plain_json(read.get("tags_all").unwrap()), all);
}
