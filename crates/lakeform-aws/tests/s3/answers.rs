//! What emulators never do: late, lost and conflicting answers; and how many calls a refresh makes.

use lakeform_core::{Value, json::to_plain_json};
use lakeform_provider::{ErrorKind, Retry};
use serde_json::{Value as Json, json};

use crate::{Cloud, change, stage::Stage, text};

const BUCKET: &str = "aws_s3_bucket";

async fn stage() -> (Stage, Cloud) {
    let stage = Stage::start();
    let block = json!({"region": "eu-central-1", "skip_requesting_account_id": true});
    let cloud = Cloud::with(stage.environment(), block).await.unwrap();
    (stage, cloud)
}

#[tokio::test]
async fn a_refresh_makes_only_the_calls_that_the_stack_needs() {
    let (stage, cloud) = stage().await;
    let plain = json!({"bucket": "one"});
    let made = cloud.create(BUCKET, plain.clone()).await.unwrap();
    assert_eq!(stage.calls(), ["PUT one"]);
    cloud.read(BUCKET, &made, plain).await.unwrap();
    assert_eq!(stage.calls(), ["GET one?tagging"]);
    let config = json!({"bucket": "one", "versioning": {"enabled": true}, "request_payer": "Requester"});
    let made = cloud.update(BUCKET, &made, config.clone()).await.unwrap();
    assert_eq!(stage.calls(), ["PUT one?requestPayment", "PUT one?versioning"]);
    cloud.read(BUCKET, &made, config).await.unwrap();
    assert_eq!(stage.calls(), ["GET one?requestPayment", "GET one?tagging", "GET one?versioning"]);
    cloud.import(BUCKET, "one").await.unwrap();
    assert_eq!(stage.calls(), ["GET one?object-lock", "GET one?tagging", "HEAD one"]);
    let tagged = json!({"bucket": "two", "tags": {"a": "b"}});
    cloud.create(BUCKET, tagged).await.unwrap();
    assert_eq!(stage.calls(), ["PUT two", "PUT two?tagging"]);
}

#[tokio::test]
async fn nothing_is_read_after_a_setting_is_made() {
    let (stage, cloud) = stage().await;
    let status = json!({"bucket": "one", "versioning_configuration": {"status": "Enabled"}});
    let rule = json!({"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms"}});
    for (ty, config, kind) in [
        ("aws_s3_bucket_public_access_block", json!({"bucket": "one"}), "publicAccessBlock"),
        ("aws_s3_bucket_versioning", status, "versioning"),
        ("aws_s3_bucket_policy", json!({"bucket": "one", "policy": "{}"}), "policy"),
        ("aws_s3_bucket_logging", json!({"bucket": "one", "target_bucket": "l", "target_prefix": ""}), "logging"),
        ("aws_s3_bucket_server_side_encryption_configuration", json!({"bucket": "one", "rule": rule}), "encryption"),
    ] {
        let made = cloud.create(ty, config.clone()).await.unwrap();
        assert_eq!(stage.calls(), [format!("PUT one?{kind}")]);
        cloud.read(ty, &made, config).await.unwrap();
        assert_eq!(stage.calls(), [format!("GET one?{kind}")]);
    }
}

#[tokio::test]
async fn a_creation_with_a_lost_answer_is_looked_for() {
    let (stage, cloud) = stage().await;
    stage.fail("PUT one", 500, "InternalError", "We encountered an internal error. Please try again.");
    let failure = cloud.create(BUCKET, json!({"bucket": "one"})).await.unwrap_err();
    assert_eq!((failure.error.retry, failure.partial.is_none()), (Retry::Unknown, true));
    assert_eq!(stage.calls(), ["PUT one"]);
    let planned = cloud.resource(BUCKET).import(cloud.with_config(None), "one").unwrap();
    for (status, code, ours) in [(404, "NotFound", false), (403, "Forbidden", false), (301, "Moved", false)] {
        stage.fail("HEAD one", status, code, "");
        let found = cloud.resource(BUCKET).find(cloud.with_config(None), &planned).await.unwrap();
        assert_eq!(found.is_some(), ours, "{status}");
    }
    let found = cloud.resource(BUCKET).find(cloud.with_config(None), &planned).await.unwrap().unwrap();
    assert_eq!(text(&found, "id"), "one");
    stage.calls();

    stage.fail("PUT two", 409, "BucketAlreadyOwnedByYou", "you own it");
    let failure = cloud.create(BUCKET, json!({"bucket": "two"})).await.unwrap_err();
    assert_eq!((failure.error.kind, failure.partial.is_none()), (ErrorKind::AlreadyExists, true));
    assert_eq!(stage.calls().len(), 1);
}

#[tokio::test]
async fn a_busy_or_unheard_bucket_is_waited_for() {
    let (stage, cloud) = stage().await;
    let busy = "A conflicting conditional operation is currently in progress against this resource. Please try again.";
    stage.fail("PUT one", 409, "OperationAborted", busy);
    stage.fail("PUT one?tagging", 404, "NoSuchBucket", "The specified bucket does not exist");
    let config = json!({"bucket": "one", "tags": {"a": "b"}});
    let made = cloud.create(BUCKET, config).await.unwrap();
    assert_eq!(stage.calls(), ["PUT one", "PUT one", "PUT one?tagging", "PUT one?tagging"]);
    stage.fail("DELETE one", 409, "OperationAborted", busy);
    cloud.delete(BUCKET, &made).await.unwrap();
    assert_eq!(stage.calls(), ["DELETE one", "DELETE one"]);

    let block = json!({"bucket": "one", "block_public_acls": true});
    stage.fail("PUT one?publicAccessBlock", 404, "NoSuchBucket", "The specified bucket does not exist");
    stage.fail("PUT one?publicAccessBlock", 409, "OperationAborted", busy);
    cloud.create("aws_s3_bucket_public_access_block", block).await.unwrap();
    assert_eq!(stage.calls().len(), 3);

    let policy = json!({"bucket": "one", "policy": "{\"Statement\": []}"});
    // What will not pass is said at once: nor will a principal come that this run has not made.
    for why in ["Missing required field Effect", "Invalid principal in policy"] {
        stage.fail("PUT one?policy", 400, "MalformedPolicy", why);
        let failure = cloud.create("aws_s3_bucket_policy", policy.clone()).await.unwrap_err();
        assert_eq!((failure.error.kind, stage.calls().len()), (ErrorKind::Invalid, 1), "{why}");
    }
}

#[tokio::test]
async fn denied_and_throttled_are_not_gone() {
    let (stage, cloud) = stage().await;
    let made = cloud.create(BUCKET, json!({"bucket": "one"})).await.unwrap();
    stage.fail("GET one?tagging", 403, "AccessDenied", "Access Denied");
    let error = cloud.resource(BUCKET).read(cloud.with_config(None), &made).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied);
    stage.fail("GET one?tagging", 404, "NoSuchBucket", "The specified bucket does not exist");
    assert!(cloud.resource(BUCKET).read(cloud.with_config(None), &made).await.unwrap().is_none());
    // The SDK waits and asks again.
    stage.calls();
    stage.fail("GET one?tagging", 503, "SlowDown", "Reduce your request rate");
    assert!(cloud.resource(BUCKET).read(cloud.with_config(None), &made).await.unwrap().is_some());
    assert_eq!(stage.calls().len(), 2);
}

#[tokio::test]
async fn versioning_stays_on_under_object_lock() {
    let (stage, cloud) = stage().await;
    let config = json!({"bucket": "one", "versioning_configuration": {"status": "Enabled"}});
    let made = cloud.create("aws_s3_bucket_versioning", config).await.unwrap();
    let why = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.";
    stage.fail("PUT one?versioning", 409, "InvalidBucketState", why);
    cloud.delete("aws_s3_bucket_versioning", &made).await.unwrap();
}

/// Changes to each configuration in turn; what was sent comes back as it was given.
async fn walk(cloud: &Cloud, ty: &str, configs: Vec<Json>) -> Value {
    let mut object = cloud.create(ty, configs[0].clone()).await.unwrap();
    for config in configs {
        object = change(cloud, ty, &object, &config).await;
    }
    object
}

#[tokio::test]
async fn logging_keeps_its_key_format() {
    let (stage, cloud) = stage().await;
    let ty = "aws_s3_bucket_logging";
    let with = |format: Json| json!({"bucket": "one", "target_bucket": "log", "target_prefix": "p/", "target_object_key_format": format});
    let object = walk(
        &cloud,
        ty,
        vec![
            with(json!({"partitioned_prefix": {"partition_date_source": "EventTime"}})),
            with(json!({"partitioned_prefix": {"partition_date_source": "DeliveryTime"}})),
            with(json!({"simple_prefix": {}})),
        ],
    )
    .await;
    let format = to_plain_json(&object)["target_object_key_format"].clone();
    assert_eq!(format, json!([{"partitioned_prefix": [], "simple_prefix": [{}]}]));
    assert!(stage.kept("one?logging").contains("<SimplePrefix"), "{}", stage.kept("one?logging"));
    for wrong in [json!({}), json!({"simple_prefix": {}, "partitioned_prefix": {"partition_date_source": "EventTime"}})]
    {
        let error = cloud.try_plan(ty, &cloud.config(ty, with(wrong)), None).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
    }
}

#[tokio::test]
async fn inline_attributes_that_emulators_lack() {
    let (stage, cloud) = stage().await;
    let rules = |rules: Json| json!({"bucket": "one", "replication_configuration": {"role": "r", "rules": rules}});
    let everything = json!([{"id": "x", "status": "Enabled", "priority": 2, "delete_marker_replication_status": "Enabled",
        "filter": {"prefix": "a/", "tags": {"k": "v"}},
        "source_selection_criteria": {"sse_kms_encrypted_objects": {"enabled": true}},
        "destination": {"bucket": "arn:aws:s3:::two", "account_id": "123456789012", "storage_class": "GLACIER",
            "replica_kms_key_id": "key", "access_control_translation": {"owner": "Destination"},
            "metrics": {}, "replication_time": {"minutes": 15, "status": "Enabled"}}},
        {"id": "y", "status": "Disabled", "filter": {"prefix": "b/"}, "destination": {"bucket": "arn:aws:s3:::two"}}]);
    let first_schema =
        json!([{"id": "x", "status": "Enabled", "prefix": "a/", "destination": {"bucket": "arn:aws:s3:::two"}}]);
    let lock = |days: i64| {
        json!({"bucket": "one", "object_lock_configuration": {"object_lock_enabled": "Enabled",
            "rule": {"default_retention": {"mode": "COMPLIANCE", "days": days}}}})
    };
    let years = json!({"bucket": "one", "object_lock_configuration": {"object_lock_enabled": "Enabled",
        "rule": {"default_retention": {"mode": "GOVERNANCE", "years": 1}}}});
    for configs in [
        vec![rules(first_schema), rules(everything)],
        vec![
            json!({"bucket": "one", "request_payer": "Requester"}),
            json!({"bucket": "one", "request_payer": "BucketOwner"}),
        ],
        vec![lock(1), lock(2), years],
    ] {
        walk(&cloud, BUCKET, configs).await;
    }
    let sent = stage.kept("one?replication");
    for part in ["<Priority>2<", "<DeleteMarkerReplication><Status>Enabled<", "<Minutes>15<", "<Owner>Destination<"] {
        assert!(sent.contains(part), "{part}: {sent}");
    }
}
