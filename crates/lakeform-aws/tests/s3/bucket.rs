//! `aws_s3_bucket`

use aws_sdk_s3::primitives::ByteStream;
use lakeform_core::{Path, Value, json::to_plain_json};
use lakeform_provider::ErrorKind;
use serde_json::{Value as Json, json};

use crate::{Cloud, Emulator, INLINE, change, common::recorded, frankfurt, text};

const BUCKET: &str = "aws_s3_bucket";

#[tokio::test]
async fn what_terraform_stores() {
    recorded::run("s3_bucket", recorded::Except { unreadable: &[(BUCKET, INLINE)], unlike: &[], later: &[] }).await;
}

/// An SDK client of the test's own, for what others do to a bucket.
fn others(emulator: &Emulator) -> aws_sdk_s3::Client {
    let keys = aws_sdk_s3::config::Credentials::new("test", "test", None, None, "test");
    let conf = aws_sdk_s3::Config::builder()
        .behavior_version_latest()
        .region(aws_sdk_s3::config::Region::new("eu-central-1"))
        .endpoint_url(&emulator.url)
        .credentials_provider(keys)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .force_path_style(true);
    aws_sdk_s3::Client::from_conf(conf.build())
}

#[tokio::test]
async fn tags_change() {
    let emulator = Emulator::start();
    let block = json!({"region": "eu-central-1", "default_tags": {"tags": {"team": "data"}},
        "ignore_tags": {"keys": ["theirs"]}});
    let cloud = Cloud::new(&emulator, block).await;
    let mut object = cloud.create(BUCKET, json!({"bucket": "one"})).await.unwrap();
    assert_eq!(to_plain_json(object.get("tags_all").unwrap()), json!({"team": "data"}));
    let tag = aws_sdk_s3::types::Tag::builder().key("theirs").value("x").build().unwrap();
    let both = aws_sdk_s3::types::Tagging::builder().tag_set(tag).build().unwrap();
    others(&emulator).put_bucket_tagging().bucket("one").tagging(both).send().await.unwrap();
    for tags in [json!({"a": "1"}), json!({"a": "2", "team": "other"}), json!({"b": "3"}), json!({}), Json::Null] {
        object = change(&cloud, BUCKET, &object, &json!({"bucket": "one", "tags": tags})).await;
    }
    // The tag that `ignore_tags` names outlived every change.
    let live = others(&emulator).get_bucket_tagging().bucket("one").send().await.unwrap();
    assert!(live.tag_set().iter().any(|tag| tag.key() == "theirs"), "{live:?}");
}

#[tokio::test]
async fn inline_attributes_change() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    cloud.create(BUCKET, json!({"bucket": "log", "acl": "log-delivery-write"})).await.unwrap();
    let mut object = cloud.create(BUCKET, json!({"bucket": "one"})).await.unwrap();
    let policy = |action: &str| {
        json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": action,
            "Resource": "arn:aws:s3:::one/*"}]})
        .to_string()
    };
    let rule = |days: i64| json!([{"enabled": true, "prefix": "a/", "expiration": {"days": days}}]);
    let lifecycle_two = json!([{"enabled": true, "id": "x", "tags": {"k": "v"}, "transition": [
        {"days": 0, "storage_class": "INTELLIGENT_TIERING"}, {"date": "2031-01-31", "storage_class": "GLACIER"}]},
        {"enabled": false, "expiration": {"expired_object_delete_marker": true}}]);
    for (name, values) in [
        ("acl", vec![json!("private"), json!("public-read")]),
        ("acceleration_status", vec![json!("Enabled"), json!("Suspended")]),
        ("policy", vec![json!(policy("s3:DeleteObject")), json!(policy("s3:DeleteObjectVersion"))]),
        ("versioning", vec![json!({"enabled": true}), json!({"enabled": false})]),
        ("logging", vec![json!({"target_bucket": "log", "target_prefix": "a"}), json!({"target_bucket": "log"})]),
        (
            "cors_rule",
            vec![
                json!([{"allowed_methods": ["GET"], "allowed_origins": ["*"]}]),
                json!([{"allowed_methods": ["PUT"], "allowed_origins": ["https://a"], "allowed_headers": ["*"],
                    "expose_headers": ["ETag"], "max_age_seconds": 5}]),
            ],
        ),
        ("lifecycle_rule", vec![rule(1), rule(2), lifecycle_two]),
        (
            "server_side_encryption_configuration",
            vec![
                json!({"rule": {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}}),
                json!({"rule": {"bucket_key_enabled": true,
                    "apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms"}}}),
            ],
        ),
        (
            "website",
            vec![
                json!({"index_document": "i"}),
                json!({"index_document": "j", "error_document": "e"}),
                json!({"redirect_all_requests_to": "https://example.com"}),
            ],
        ),
        (
            "grant",
            vec![
                json!([{"type": "Group", "permissions": ["READ"],
                    "uri": "http://acs.amazonaws.com/groups/global/AllUsers"}]),
                json!([{"type": "Group", "permissions": ["WRITE", "READ_ACP"],
                    "uri": "http://acs.amazonaws.com/groups/s3/LogDelivery"}]),
            ],
        ),
    ] {
        for value in values {
            let config = json!({"bucket": "one", name: value});
            object = change(&cloud, BUCKET, &object, &config).await;
        }
        // Taken out of the stack, it is left alone.
        let config = json!({"bucket": "one"});
        cloud.assert_settled(BUCKET, &object, config);
    }
    assert_eq!(text(&object, "website_endpoint"), "one.s3-website.eu-central-1.amazonaws.com");

    // Drift of what the stack sets shows; of what it does not set, not.
    let suspended = json!({"bucket": "one", "versioning": {"enabled": true}});
    let read = cloud.read(BUCKET, &object, suspended.clone()).await.unwrap();
    assert_ne!(cloud.plan(BUCKET, &cloud.config(BUCKET, suspended), Some(&read)), read);
    others(&emulator).delete_bucket_cors().bucket("one").send().await.unwrap();
    let read = cloud.read(BUCKET, &object, json!({"bucket": "one"})).await.unwrap();
    assert_eq!(read.get("cors_rule"), object.get("cors_rule"));
}

#[tokio::test]
async fn a_bucket_that_exists_is_not_taken_over() {
    let emulator = Emulator::start();
    for (region, bucket) in [("eu-central-1", "one"), ("us-east-1", "two")] {
        let cloud = Cloud::new(&emulator, json!({"region": region})).await;
        let made = cloud.create(BUCKET, json!({"bucket": bucket})).await.unwrap();
        assert_eq!(text(&made, "region"), region);
        let failure = cloud.create(BUCKET, json!({"bucket": bucket})).await.unwrap_err();
        assert!(failure.partial.is_none());
        assert_eq!(failure.error.kind, ErrorKind::AlreadyExists, "{:?}", failure.error);
        assert!(failure.error.hint.as_ref().is_some_and(|hint| hint.contains("import")), "{:?}", failure.error);
    }
}

#[tokio::test]
async fn a_bucket_with_objects_goes_only_by_force() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    let config = json!({"bucket": "one", "versioning": {"enabled": true}});
    let kept = cloud.create(BUCKET, config).await.unwrap();
    let s3 = others(&emulator);
    for round in 0..3 {
        for key in ["a", "b/c", "ü &<"] {
            let body = ByteStream::from(format!("{round}").into_bytes());
            s3.put_object().bucket("one").key(key).body(body).send().await.unwrap();
        }
    }
    s3.delete_object().bucket("one").key("a").send().await.unwrap();
    let error = cloud.delete(BUCKET, &kept).await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Conflict, Some("BucketNotEmpty")));
    assert!(error.hint.is_some_and(|hint| hint.contains("force_destroy")));
    assert!(s3.head_bucket().bucket("one").send().await.is_ok());

    let forced = json!({"bucket": "one", "versioning": {"enabled": true}, "force_destroy": true});
    let forced = cloud.update(BUCKET, &kept, forced).await.unwrap();
    cloud.delete(BUCKET, &forced).await.unwrap();
    cloud.delete(BUCKET, &forced).await.unwrap();
    assert!(cloud.read(BUCKET, &forced, json!({"bucket": "one"})).await.is_none());
}

#[tokio::test]
async fn more_objects_than_fit_a_page_go_by_force() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    let made = cloud.create(BUCKET, json!({"bucket": "many", "force_destroy": true})).await.unwrap();
    let s3 = others(&emulator);
    let put = |i: usize| {
        let s3 = s3.clone();
        async move { s3.put_object().bucket("many").key(format!("k{i:04}")).send().await.unwrap() }
    };
    for batch in 0..35 {
        futures::future::join_all((0..30).map(|i| put(batch * 30 + i))).await;
    }
    cloud.delete(BUCKET, &made).await.unwrap();
    assert!(cloud.read(BUCKET, &made, json!({"bucket": "many"})).await.is_none());
}

#[tokio::test]
async fn locked_objects_go_by_force() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    let config = json!({"bucket": "one", "object_lock_enabled": true, "force_destroy": true});
    let made = cloud.create(BUCKET, config).await.unwrap();
    let held = json!({"bucket": "one", "key": "held", "content": "x", "object_lock_legal_hold_status": "ON"});
    cloud.create("aws_s3_object", held).await.unwrap();
    let governed = json!({"bucket": "one", "key": "governed", "content": "x", "object_lock_mode": "GOVERNANCE",
        "object_lock_retain_until_date": "2099-01-01T00:00:00Z"});
    cloud.create("aws_s3_object", governed).await.unwrap();
    cloud.delete(BUCKET, &made).await.unwrap();
    assert!(cloud.read(BUCKET, &made, json!({"bucket": "one"})).await.is_none());
}

#[tokio::test]
async fn a_failure_after_the_creation_leaves_a_bucket_to_clean_up() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    let config = json!({"bucket": "one", "logging": {"target_bucket": "nowhere", "target_prefix": "x"}});
    let failure = cloud.create(BUCKET, config).await.unwrap_err();
    assert_eq!(failure.error.operation, "s3:PutBucketLogging");
    let partial = failure.partial.expect("the bucket exists");
    assert_eq!(text(&partial, "id"), "one");
    cloud.delete(BUCKET, &partial).await.unwrap();
}

#[tokio::test]
async fn what_forces_a_new_bucket() {
    let environment = vec![("AWS_ACCESS_KEY_ID".into(), "x".into()), ("AWS_SECRET_ACCESS_KEY".into(), "x".into())];
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1"})).await.unwrap();
    let block = &cloud.resource(BUCKET).schema().block;
    let forcing: Vec<&str> = block.attributes.iter().filter(|(_, a)| a.force_new).map(|(name, _)| &**name).collect();
    assert_eq!(forcing, ["bucket", "bucket_prefix", "object_lock_enabled"]);
    let lock = &block.blocks["object_lock_configuration"].block;
    assert!(lock.attributes["object_lock_enabled"].force_new);

    for (config, attribute) in [
        (json!({"bucket": "one", "bucket_prefix": "on"}), "bucket"),
        (json!({"bucket": "One"}), "bucket"),
        (json!({"bucket_prefix": "a-prefix-that-is-longer-than-37-characters"}), "bucket_prefix"),
        (json!({"acl": "private", "grant": {"type": "Group", "permissions": ["READ"], "uri": "u"}}), "acl"),
        (json!({"object_lock_enabled": true, "object_lock_configuration": {}}), "object_lock_enabled"),
        (json!({"acl": "mine"}), "acl"),
        (json!({"acceleration_status": "on"}), "acceleration_status"),
        (json!({"request_payer": "me"}), "request_payer"),
    ] {
        let error = cloud.try_plan(BUCKET, &cloud.config(BUCKET, config), None).unwrap_err();
        let found = (error.kind, error.attribute.clone());
        assert_eq!(found, (ErrorKind::Invalid, Some(Path::attr(attribute))), "{error}");
    }
}

#[tokio::test]
async fn rules_without_a_name_get_one() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    let config = json!({"bucket": "one", "lifecycle_rule": [{"enabled": true, "expiration": {"days": 1}}]});
    let planned = cloud.plan(BUCKET, &cloud.config(BUCKET, config.clone()), None);
    let rules = planned.get("lifecycle_rule").and_then(Value::as_slice).unwrap();
    assert!(!rules[0].get("id").unwrap().is_known());
    let made = cloud.create(BUCKET, config).await.unwrap();
    let rules = made.get("lifecycle_rule").and_then(Value::as_slice).unwrap();
    assert!(text(&rules[0], "id").starts_with("tf-s3-lifecycle-"));
}
