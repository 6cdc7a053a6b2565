//! Secrets Manager and ECR against an emulator, and what no emulator does.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(all(feature = "secretsmanager", feature = "ecr"))]

mod common;

use common::{Cloud, Emulator, recorded};
use lakeform_core::{Path, Value, json::from_plain_json};
use lakeform_provider::{ErrorKind, Provider as _};
use serde_json::json;

#[tokio::test]
async fn what_terraform_stores_of_secrets() {
    recorded::run(
        "secrets",
        recorded::Except {
            unreadable: &[
                ("aws_secretsmanager_secret", &["recovery_window_in_days", "force_overwrite_replica_secret"]),
                (
                    "aws_secretsmanager_secret_version",
                    &["has_secret_string_wo", "secret_string", "secret_string_wo_version"],
                ),
            ],
            // AWS makes up the end of an ARN, and the ids of versions are each tool's own.
            unlike: &[
                ("aws_secretsmanager_secret", &["arn", "id"]),
                ("aws_secretsmanager_secret_version", &["arn", "id", "secret_id", "version_id"]),
            ],
            later: &[],
        },
    )
    .await;
}

#[tokio::test]
async fn what_terraform_stores_of_repositories() {
    let except = recorded::Except { unreadable: &[("aws_ecr_repository", &["force_delete"])], ..Default::default() };
    recorded::run("registry", except).await;
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap()
}

#[tokio::test]
async fn ephemeral_values_are_read() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    let secret = cloud.create("aws_secretsmanager_secret", json!({"name": "s"})).await.unwrap();
    let version = json!({"secret_id": text(&secret, "id"), "secret_string": "hidden"});
    cloud.create("aws_secretsmanager_secret_version", version).await.unwrap();
    let config = json!({"name": "/p", "type": "SecureString", "value": "also hidden"});
    let parameter = cloud.create("aws_ssm_parameter", config).await.unwrap();
    for (ty, arguments, name, value) in [
        ("aws_secretsmanager_secret_version", json!({"secret_id": "s"}), "secret_string", "hidden"),
        ("aws_ssm_parameter", json!({"arn": text(&parameter, "arn")}), "value", "also hidden"),
    ] {
        let ephemeral = cloud.provider.ephemeral_resource(ty).unwrap();
        let schema = &ephemeral.schema().block;
        assert!(schema.attributes[name].sensitive);
        let config = schema.coerce(&from_plain_json(&arguments)).unwrap();
        let read = ephemeral.read(cloud.with_config(None), &config).await.unwrap();
        assert_eq!(text(&read, name), value);
    }
}

#[tokio::test]
async fn what_does_not_exist_is_said() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    for (ty, arguments) in [
        ("aws_secretsmanager_secret", json!({"name": "none"})),
        ("aws_secretsmanager_secret_version", json!({"secret_id": "none"})),
        ("aws_ecr_repository", json!({"name": "none"})),
    ] {
        let error = cloud.data(ty, arguments).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::NotFound, "{ty}: {error}");
    }
    let error = cloud.data("aws_secretsmanager_secret", json!({})).await.unwrap_err();
    assert_eq!((error.kind, error.attribute), (ErrorKind::Invalid, Some(Path::attr("arn"))));
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_any_call() {
    let environment = vec![("AWS_ACCESS_KEY_ID".into(), "x".into()), ("AWS_SECRET_ACCESS_KEY".into(), "x".into())];
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1"})).await.unwrap();
    let (secret, version, rotation) =
        ("aws_secretsmanager_secret", "aws_secretsmanager_secret_version", "aws_secretsmanager_secret_rotation");
    let rules = |rules: serde_json::Value| json!({"secret_id": "s", "rotation_rules": [rules]});
    for (ty, config, attribute) in [
        (secret, json!({"name": "a b"}), "name"),
        (secret, json!({"name": "a", "name_prefix": "b"}), "name"),
        (secret, json!({"name_prefix": "x".repeat(487)}), "name_prefix"),
        (secret, json!({"recovery_window_in_days": 6}), "recovery_window_in_days"),
        (version, json!({"secret_id": "s", "secret_string": "a", "secret_binary": "YQ=="}), "secret_string"),
        (version, json!({"secret_id": "s", "secret_binary": "?"}), "secret_binary"),
        (version, json!({"secret_id": "s", "secret_string_wo": "a"}), "secret_string_wo"),
        (rotation, rules(json!({})), "rotation_rules"),
        (
            rotation,
            rules(json!({"automatically_after_days": 1, "schedule_expression": "rate(1 day)"})),
            "rotation_rules",
        ),
        (rotation, rules(json!({"automatically_after_days": 1001})), "rotation_rules"),
        ("aws_ecr_repository", json!({"name": "n", "image_tag_mutability": "SOMETIMES"}), "image_tag_mutability"),
        (
            "aws_ecr_repository",
            json!({"name": "n", "encryption_configuration": [{"encryption_type": "ROT13"}]}),
            "encryption_configuration",
        ),
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

#[tokio::test]
async fn a_rotation_of_version_0_rotates_immediately() {
    let cloud = Cloud::with(vec![], json!({"region": "eu-central-1"})).await.unwrap();
    let rotation = cloud.resource("aws_secretsmanager_secret_rotation");
    let upgraded = rotation.upgrade(0, from_plain_json(&json!({"id": "x", "rotate_immediately": null}))).unwrap();
    assert_eq!(upgraded.get("rotate_immediately").and_then(Value::as_bool), Some(true));
}
