//! KMS against an emulator.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(feature = "kms")]

mod common;

use common::{Cloud, Emulator, recorded};
use lakeform_core::{Path, Value, json::to_plain_json};
use lakeform_provider::ErrorKind;
use serde_json::json;

#[tokio::test]
async fn what_terraform_stores() {
    recorded::run(
        "kms",
        recorded::Except {
            unreadable: &[
                ("aws_kms_key", &["bypass_policy_lockout_safety_check", "deletion_window_in_days"]),
                ("aws_kms_grant", &["grant_token", "retire_on_delete"]),
            ],
            unlike: &[("aws_kms_key", &["rotation_period_in_days"]), ("aws_kms_alias", &["target_key_id"])],
            later: &[],
        },
    )
    .await;
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap()
}

#[tokio::test]
async fn keys_change() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    let key = "aws_kms_key";
    let mut object = cloud.create(key, json!({})).await.unwrap();
    let policy = |sid: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Sid": sid, "Effect": "Allow", "Principal": "*",
            "Action": "kms:*", "Resource": "*"}]})
        .to_string()
    };
    for config in [
        json!({"description": "d"}),
        json!({"description": "e", "enable_key_rotation": true}),
        json!({"description": "e", "enable_key_rotation": true, "rotation_period_in_days": 90}),
        json!({"enable_key_rotation": false, "tags": {"a": "1", "b": "2"}}),
        json!({"tags": {"b": "3", "c": "4"}, "policy": policy("x")}),
        json!({"policy": policy("y"), "is_enabled": false}),
        json!({"policy": policy("y"), "is_enabled": true, "description": "f"}),
        json!({}),
    ] {
        object = cloud.update(key, &object, config.clone()).await.unwrap();
        let read = cloud.read(key, &object, config.clone()).await.unwrap();
        assert_eq!(
            common::differences(&to_plain_json(&object), &to_plain_json(&read)),
            Vec::<String>::new(),
            "{config}"
        );
        cloud.assert_settled(key, &read, config);
        object = read;
    }
    // What was done behind our back shows.
    let other = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    other.update(key, &object, json!({"description": "theirs", "tags": {"z": "z"}})).await.unwrap();
    let read = cloud.read(key, &object, json!({})).await.unwrap();
    assert_eq!(text(&read, "description"), "theirs");
    assert_eq!(to_plain_json(read.get("tags_all").unwrap()), json!({"z": "z"}));
}

#[tokio::test]
async fn aliases_and_grants_change() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    let one = cloud.create("aws_kms_key", json!({})).await.unwrap();
    let two = cloud.create("aws_kms_key", json!({})).await.unwrap();
    let alias = "aws_kms_alias";
    let made = cloud.create(alias, json!({"name": "alias/a", "target_key_id": text(&one, "id")})).await.unwrap();
    let moved = json!({"name": "alias/a", "target_key_id": text(&two, "arn")});
    let object = cloud.update(alias, &made, moved.clone()).await.unwrap();
    assert_eq!(text(&object, "target_key_arn"), text(&two, "arn"));
    let read = cloud.read(alias, &object, moved.clone()).await.unwrap();
    assert_eq!(common::differences(&to_plain_json(&object), &to_plain_json(&read)), Vec::<String>::new());
    // The same key by its id instead of its ARN is no change.
    cloud.assert_settled(alias, &read, json!({"name": "alias/a", "target_key_id": text(&two, "id")}));
    // Pointed elsewhere behind our back.
    let drifted =
        cloud.read(alias, &made, json!({"name": "alias/a", "target_key_id": text(&one, "id")})).await.unwrap();
    assert_eq!(text(&drifted, "target_key_id"), text(&two, "id"));

    // One that points elsewhere is not what a creation in doubt made.
    let find = async |object: &Value| cloud.resource(alias).find(cloud.with_config(None), object).await.unwrap();
    assert!(find(&made).await.is_none());
    assert_eq!(find(&read).await.as_ref().map(|found| text(found, "id")), Some("alias/a"));

    // Nor is a topic with another key.
    #[cfg(feature = "sns")]
    {
        let topic = "aws_sns_topic";
        let find = async |object: &Value| cloud.resource(topic).find(cloud.with_config(None), object).await.unwrap();
        let mut made = cloud.create(topic, json!({"name": "t", "kms_master_key_id": text(&one, "arn")})).await.unwrap();
        assert!(find(&made).await.is_some());
        made.set_attr("kms_master_key_id", Value::from(text(&two, "arn")));
        assert!(find(&made).await.is_none());
    }

    let taken = cloud.create(alias, json!({"name": "alias/a", "target_key_id": text(&one, "id")})).await.unwrap_err();
    assert!(taken.partial.is_none());
    assert_eq!((taken.error.kind, taken.error.operation.as_str()), (ErrorKind::AlreadyExists, "kms:CreateAlias"));
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_any_call() {
    let environment = vec![("AWS_ACCESS_KEY_ID".into(), "x".into()), ("AWS_SECRET_ACCESS_KEY".into(), "x".into())];
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1"})).await.unwrap();
    let grant = json!({"key_id": "k", "grantee_principal": "p", "operations": ["Sing"]});
    let both = json!({"key_id": "k", "grantee_principal": "p", "operations": ["Encrypt"], "constraints": [
        {"encryption_context_equals": {"a": "b"}, "encryption_context_subset": {"a": "b"}}]});
    for (ty, config, attribute) in [
        ("aws_kms_key", json!({"key_usage": "SING"}), "key_usage"),
        ("aws_kms_key", json!({"customer_master_key_spec": "RSA"}), "customer_master_key_spec"),
        ("aws_kms_key", json!({"deletion_window_in_days": 6}), "deletion_window_in_days"),
        (
            "aws_kms_key",
            json!({"rotation_period_in_days": 2561, "enable_key_rotation": true}),
            "rotation_period_in_days",
        ),
        ("aws_kms_key", json!({"rotation_period_in_days": 100}), "rotation_period_in_days"),
        ("aws_kms_key", json!({"xks_key_id": "x"}), "xks_key_id"),
        ("aws_kms_key", json!({"description": "x".repeat(8193)}), "description"),
        ("aws_kms_alias", json!({"target_key_id": "k", "name": "a"}), "name"),
        ("aws_kms_alias", json!({"target_key_id": "k", "name": "alias/aws/s3"}), "name"),
        ("aws_kms_alias", json!({"target_key_id": "k", "name": "alias/a b"}), "name"),
        ("aws_kms_alias", json!({"target_key_id": "k", "name": "alias/a", "name_prefix": "alias/b"}), "name"),
        ("aws_kms_grant", grant, "operations"),
        ("aws_kms_grant", both, "constraints"),
    ] {
        let config = cloud.config(ty, config);
        let error = cloud.try_plan(ty, &config, None).unwrap_err();
        assert_eq!(
            (error.kind, error.attribute),
            (ErrorKind::Invalid, Some(Path::attr(attribute))),
            "{}",
            error.message
        );
    }
}
