//! Public access block, versioning, encryption, policy, logging.

use lakeform_provider::ErrorKind;
use serde_json::json;

use crate::{Emulator, INLINE, change, common::recorded, frankfurt, text};

#[tokio::test]
async fn what_terraform_stores() {
    recorded::run(
        "s3_settings",
        recorded::Except { unreadable: &[("aws_s3_bucket", INLINE)], unlike: &[], later: &[] },
    )
    .await;
}

#[tokio::test]
async fn settings_change_and_drift_shows() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    cloud.create("aws_s3_bucket", json!({"bucket": "one"})).await.unwrap();
    cloud.create("aws_s3_bucket", json!({"bucket": "log", "acl": "log-delivery-write"})).await.unwrap();
    cloud.create("aws_s3_bucket", json!({"bucket": "log2", "acl": "log-delivery-write"})).await.unwrap();
    let encryption = |algorithm: &str, key: bool| {
        json!({"bucket": "one", "rule": {"bucket_key_enabled": key,
            "apply_server_side_encryption_by_default": {"sse_algorithm": algorithm}}})
    };
    let policy = |action: &str| {
        json!({"bucket": "one", "policy": json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
            "Principal": "*", "Action": action, "Resource": "arn:aws:s3:::one/*"}]}).to_string()})
    };
    let versioning = |status: &str| json!({"bucket": "one", "versioning_configuration": {"status": status}});
    let logging =
        |target: &str, prefix: &str| json!({"bucket": "one", "target_bucket": target, "target_prefix": prefix});
    let grant = json!({"bucket": "one", "target_bucket": "log", "target_prefix": "x", "target_grant": {"permission": "READ",
        "grantee": {"type": "Group", "uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"}}});
    for (ty, configs) in [
        (
            "aws_s3_bucket_public_access_block",
            vec![
                json!({"bucket": "one", "block_public_acls": true}),
                json!({"bucket": "one", "block_public_policy": true, "ignore_public_acls": true}),
                json!({"bucket": "one", "restrict_public_buckets": true}),
                json!({"bucket": "one"}),
            ],
        ),
        (
            "aws_s3_bucket_versioning",
            vec![versioning("Suspended"), versioning("Enabled"), versioning("Suspended"), versioning("Enabled")],
        ),
        (
            "aws_s3_bucket_server_side_encryption_configuration",
            vec![encryption("aws:kms", true), encryption("aws:kms", false), encryption("AES256", false)],
        ),
        ("aws_s3_bucket_policy", vec![policy("s3:DeleteObject"), policy("s3:DeleteObjectVersion")]),
        ("aws_s3_bucket_logging", vec![logging("log", "a/"), logging("log2", "a/"), logging("log2", ""), grant]),
    ] {
        let mut object = cloud.create(ty, configs[0].clone()).await.unwrap();
        let first = object.clone();
        for config in &configs {
            object = change(&cloud, ty, &object, config).await;
        }
        // Changed behind our back: what was stored first is compared with what is now.
        let drifted = cloud.read(ty, &first, configs[0].clone()).await.unwrap();
        assert_ne!(cloud.plan(ty, &cloud.config(ty, configs[0].clone()), Some(&drifted)), drifted, "{ty}");

        cloud.delete(ty, &object).await.unwrap();
        cloud.delete(ty, &object).await.unwrap();
        let read = cloud.read(ty, &object, configs[0].clone()).await;
        assert!(read.is_none() || ty == "aws_s3_bucket_versioning", "{ty}");
    }

    // Without the bucket there is nothing either, and nothing to delete.
    let objects = [
        cloud.create("aws_s3_bucket_public_access_block", json!({"bucket": "one"})).await.unwrap(),
        cloud.create("aws_s3_bucket_versioning", versioning("Enabled")).await.unwrap(),
        cloud.create("aws_s3_bucket_server_side_encryption_configuration", encryption("AES256", false)).await.unwrap(),
        cloud.create("aws_s3_bucket_policy", policy("s3:DeleteObject")).await.unwrap(),
        cloud.create("aws_s3_bucket_logging", logging("log", "a/")).await.unwrap(),
    ];
    let bucket = cloud.import("aws_s3_bucket", "one").await.unwrap();
    cloud.delete("aws_s3_bucket", &bucket).await.unwrap();
    for (ty, object) in [
        ("aws_s3_bucket_public_access_block", &objects[0]),
        ("aws_s3_bucket_versioning", &objects[1]),
        ("aws_s3_bucket_server_side_encryption_configuration", &objects[2]),
        ("aws_s3_bucket_policy", &objects[3]),
        ("aws_s3_bucket_logging", &objects[4]),
    ] {
        let read = cloud.resource(ty).read(cloud.with_config(None), object).await.unwrap();
        assert!(read.is_none(), "{ty}");
        cloud.delete(ty, object).await.unwrap();
    }
}

#[tokio::test]
async fn an_equivalent_policy_is_no_change() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    cloud.create("aws_s3_bucket", json!({"bucket": "one"})).await.unwrap();
    let ty = "aws_s3_bucket_policy";
    let policy = |text: &str| json!({"bucket": "one", "policy": text});
    let given = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "", "Effect": "Deny", "Principal": {"AWS": "*"},
        "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::one/*"]}]}"#;
    let made = cloud.create(ty, policy(given)).await.unwrap();
    assert!(!text(&made, "policy").contains('\n'), "stored as Terraform stores it: {}", text(&made, "policy"));
    cloud.assert_settled(ty, &made, policy(given));
    let other = r#"{"Statement": {"Resource": "arn:aws:s3:::one/*", "Effect": "Deny", "Principal": {"AWS": ["*"]},
        "Action": ["s3:PutObject", "s3:GetObject"]}, "Version": "2012-10-17"}"#;
    cloud.assert_settled(ty, &made, policy(other));
}

#[tokio::test]
async fn identifiers_of_imports() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    cloud.create("aws_s3_bucket", json!({"bucket": "one"})).await.unwrap();
    let status = json!({"bucket": "one", "expected_bucket_owner": "123456789012",
        "versioning_configuration": {"status": "Enabled"}});
    let made = cloud.create("aws_s3_bucket_versioning", status).await.unwrap();
    assert_eq!(text(&made, "id"), "one,123456789012");
    let imported = cloud.import("aws_s3_bucket_versioning", "one,123456789012").await.unwrap();
    assert_eq!(imported, made);
    for (ty, id) in [
        ("aws_s3_bucket_versioning", "one,two,three"),
        ("aws_s3_bucket_logging", ","),
        ("aws_s3_bucket_server_side_encryption_configuration", ""),
        ("aws_s3_bucket_policy", ""),
        ("aws_s3_bucket_public_access_block", ""),
    ] {
        let error = cloud.resource(ty).import(cloud.with_config(None), id).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{ty} {id:?}");
    }
}

#[tokio::test]
async fn versioning_cannot_be_switched_off() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    cloud.create("aws_s3_bucket", json!({"bucket": "one"})).await.unwrap();
    let ty = "aws_s3_bucket_versioning";
    let status = |status: &str| json!({"bucket": "one", "versioning_configuration": {"status": status}});
    let off = cloud.create(ty, status("Disabled")).await.unwrap();
    let off = change(&cloud, ty, &off, &status("Disabled")).await;
    let made = change(&cloud, ty, &off, &status("Enabled")).await;
    let error = cloud.try_plan(ty, &cloud.config(ty, status("Disabled")), Some(&made)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Invalid);
    assert!(error.message.contains("cannot go from Enabled to Disabled"), "{error}");
    let error = cloud.try_plan(ty, &cloud.config(ty, status("On")), None).unwrap_err();
    assert!(error.message.contains("expected one of Enabled, Suspended, Disabled"), "{error}");
}
