//! Data sources that are not about one kind of object, against an emulator.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(all(feature = "s3", feature = "sts"))]

mod common;

use common::{Cloud, Emulator, recorded};
use lakeform_core::Value;
use lakeform_provider::ErrorKind;
use serde_json::json;

#[tokio::test]
async fn account_region_and_bucket() {
    recorded::run("account", recorded::Except::default()).await;
}

#[tokio::test]
async fn what_other_stacks_made_is_looked_up() {
    let except = recorded::Except {
        // AWS's own key is not told from none.
        unreadable: &[("aws_dynamodb_table", &["server_side_encryption"]), ("aws_s3_object", &["content"])],
        unlike: &[
            ("aws_iam_policy", &["policy_id"]),
            ("aws_iam_role", &["unique_id"]),
            // Terraform stores a default of its own where the emulator says nothing.
            ("aws_sqs_queue", &["kms_data_key_reuse_period_seconds"]),
            // When it was made.
            ("aws_cloudwatch_log_group", &["creation_time"]),
            ("aws_s3_object", &["last_modified"]),
        ],
        later: &[("aws_iam_policy", &["attachment_count"])],
    };
    recorded::run("lookups", except).await;
}

#[tokio::test]
async fn policy_documents_are_terraforms_to_the_byte() {
    // The documents themselves are compared to the byte. The arguments come back as given, with sets inside, which
    // Terraform stores in the order of their hashes.
    let except =
        recorded::Except { unreadable: &[], unlike: &[("aws_iam_policy_document", &["statement"])], later: &[] };
    recorded::run("policy", except).await;
}

#[tokio::test]
async fn wrong_policy_documents_are_refused() {
    let environment = vec![("AWS_ACCESS_KEY_ID".into(), "x".into()), ("AWS_SECRET_ACCESS_KEY".into(), "x".into())];
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1"})).await.unwrap();
    let document = |sid: &str| json!({"Statement": [{"Sid": sid, "Effect": "Allow"}]}).to_string();
    let twice = json!([{"sid": "a"}, {"sid": "a"}]);
    let old = json!([{"actions": ["a:b"], "resources": ["&{aws:username}"]}]);
    for (arguments, attribute, message) in [
        (json!({"source_json": "{}"}), "source_json", "no longer supported"),
        (json!({"override_json": "{}"}), "override_json", "no longer supported"),
        (json!({"version": "2020-01-01"}), "version", "2012-10-17 or 2008-10-17"),
        (json!({"statement": [{"effect": "Maybe"}]}), "statement", "Allow or Deny"),
        (json!({"statement": twice}), "statement", "duplicate Sid (a)"),
        (json!({"version": "2008-10-17", "statement": old}), "statement", "&{"),
        (json!({"source_policy_documents": ["no json"]}), "source_policy_documents", "item 0"),
        (json!({"override_policy_documents": ["{}", "[1]"]}), "override_policy_documents", "item 1"),
        (
            json!({"source_policy_documents": [document("a"), document("a")]}),
            "source_policy_documents",
            "duplicate Sid",
        ),
    ] {
        let error = cloud.data("aws_iam_policy_document", arguments.clone()).await.unwrap_err();
        let at = Some(lakeform_core::Path::attr(attribute));
        assert_eq!((error.kind, error.attribute), (ErrorKind::Invalid, at), "{arguments}");
        assert!(error.message.contains(message), "{}", error.message);
    }
}

#[tokio::test]
async fn what_does_not_exist_is_said() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-west-1"})).await;
    let bucket = cloud.data("aws_s3_bucket", json!({"bucket": "nowhere-to-be-found"})).await.unwrap_err();
    assert_eq!((bucket.kind, bucket.operation.as_str()), (ErrorKind::NotFound, "s3:HeadBucket"));
    for (arguments, message) in [
        (json!({"name": "eu-west-99"}), "there is no region `eu-west-99`"),
        (json!({"endpoint": "s3.eu-west-1.amazonaws.com"}), "there is no region with the endpoint"),
        (json!({"name": "eu-west-1", "endpoint": "ec2.eu-west-2.amazonaws.com"}), "different regions"),
    ] {
        let error = cloud.data("aws_region", arguments).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert!(error.message.contains(message), "{}", error.message);
    }
    let key = json!({"key_id": "00000000-0000-0000-0000-000000000000"});
    assert_eq!(cloud.data("aws_kms_key", key).await.unwrap_err().kind, ErrorKind::NotFound);
    assert_eq!(cloud.data("aws_kms_alias", json!({"name": "alias/none"})).await.unwrap_err().kind, ErrorKind::NotFound);
}

#[tokio::test]
async fn a_partition_is_the_regions() {
    let environment = vec![("AWS_ACCESS_KEY_ID".into(), "x".into()), ("AWS_SECRET_ACCESS_KEY".into(), "x".into())];
    let cloud = Cloud::with(environment, json!({"region": "cn-north-1"})).await.unwrap();
    let partition = cloud.data("aws_partition", json!({})).await.unwrap();
    assert_eq!(partition.get("id").and_then(Value::as_str), Some("aws-cn"));
    assert_eq!(partition.get("dns_suffix").and_then(Value::as_str), Some("amazonaws.com.cn"));
}
