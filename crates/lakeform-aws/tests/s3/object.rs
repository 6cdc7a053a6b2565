//! `aws_s3_object`

use lakeform_core::{Path, Value, json::to_plain_json};
use lakeform_provider::ErrorKind;
use serde_json::{Value as Json, json};

use crate::{Cloud, Emulator, INLINE, change, common::recorded, frankfurt, text};

const OBJECT: &str = "aws_s3_object";

/// What an import cannot know, and the account's own ACL and checksum settings, which are asked for only by name.
const UNREADABLE: &[&str] = &[
    "acl",
    "checksum_algorithm",
    "checksum_crc32",
    "checksum_crc32c",
    "checksum_crc64nvme",
    "checksum_sha1",
    "checksum_sha256",
    "content",
    "content_base64",
    "force_destroy",
    "override_provider",
    "source_hash",
];

#[tokio::test]
async fn what_terraform_stores() {
    recorded::run(
        "s3_object",
        recorded::Except { unreadable: &[("aws_s3_bucket", INLINE), (OBJECT, UNREADABLE)], unlike: &[], later: &[] },
    )
    .await;
}

#[tokio::test]
async fn objects_change() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    cloud.create("aws_s3_bucket", json!({"bucket": "one", "versioning": {"enabled": true}})).await.unwrap();
    let with = |name: &str, value: Json| json!({"bucket": "one", "key": "k", "content": "x", name: value});
    let mut object = cloud.create(OBJECT, json!({"bucket": "one", "key": "k", "content": "x"})).await.unwrap();
    // Each of these takes an upload: a new version.
    for config in [
        json!({"bucket": "one", "key": "k", "content": "y"}),
        json!({"bucket": "one", "key": "k", "content_base64": "aGVsbG8="}),
        json!({"bucket": "one", "key": "k"}),
        with("cache_control", json!("no-cache")),
        with("content_disposition", json!("attachment")),
        with("content_encoding", json!("gzip")),
        with("content_language", json!("en")),
        with("content_type", json!("text/plain")),
        with("metadata", json!({"a": "b"})),
        with("source_hash", json!("z")),
        with("storage_class", json!("STANDARD_IA")),
        with("website_redirect", json!("/y")),
        with("checksum_algorithm", json!("SHA256")),
        with("checksum_algorithm", json!("SHA1")),
        with("server_side_encryption", json!("AES256")),
        with("kms_key_id", json!("arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000")),
        with("server_side_encryption", json!("AES256")),
    ] {
        let before = text(&object, "version_id").to_owned();
        object = change(&cloud, OBJECT, &object, &config).await;
        assert_ne!(text(&object, "version_id"), before, "{config}");
    }
    // These do not.
    for config in [
        with("tags", json!({"a": "1"})),
        with("tags", json!({"a": "2", "b": "3"})),
        with("tags", Json::Null),
        with("acl", json!("public-read")),
        with("acl", json!("private")),
        with("force_destroy", json!(true)),
    ] {
        let version = match text(&object, "server_side_encryption") {
            "AES256" => text(&object, "version_id").to_owned(),
            other => panic!("{other}"),
        };
        let config = {
            let mut c = config;
            c["server_side_encryption"] = json!("AES256");
            c
        };
        object = change(&cloud, OBJECT, &object, &config).await;
        assert_eq!(text(&object, "version_id"), version, "{config}");
    }
    // All versions go.
    cloud.delete(OBJECT, &object).await.unwrap();
    cloud.delete(OBJECT, &object).await.unwrap();
    let bucket = cloud.import("aws_s3_bucket", "one").await.unwrap();
    cloud.delete("aws_s3_bucket", &bucket).await.unwrap();
    assert!(cloud.read(OBJECT, &object, with("acl", Json::Null)).await.is_none());
    cloud.delete(OBJECT, &object).await.unwrap();
}

#[tokio::test]
async fn a_file_is_uploaded_again_when_its_hash_says_so() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    cloud.create("aws_s3_bucket", json!({"bucket": "one"})).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    std::fs::write(&path, "hello").unwrap();
    // MD5 of "hello" and of "world".
    let (hello, world) = ("5d41402abc4b2a76b9719d911017c592", "7d793037a0760186574b0282f2f435e7");
    let config = |etag: &str| json!({"bucket": "one", "key": "k", "source": path.to_str().unwrap(), "etag": etag});
    let made = cloud.create(OBJECT, config(hello)).await.unwrap();
    assert_eq!(text(&made, "etag"), hello);
    std::fs::write(&path, "world").unwrap();
    let object = change(&cloud, OBJECT, &made, &config(world)).await;
    assert_eq!(text(&object, "etag"), world);

    // Overwritten by someone else: the entity tag tells.
    cloud.create(OBJECT, json!({"bucket": "one", "key": "k", "content": "theirs"})).await.unwrap();
    let read = cloud.read(OBJECT, &object, config(world)).await.unwrap();
    assert_ne!(text(&read, "etag"), world);
    let repaired = change(&cloud, OBJECT, &read, &config(world)).await;
    assert_eq!(text(&repaired, "etag"), world);

    let missing = json!({"bucket": "one", "key": "m", "source": "/does/not/exist"});
    let failure = cloud.create(OBJECT, missing).await.unwrap_err();
    assert_eq!(failure.error.attribute, Some(Path::attr("source")));
    assert!(failure.partial.is_none());
}

#[tokio::test]
async fn locks_change_and_hold() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    cloud.create("aws_s3_bucket", json!({"bucket": "one", "object_lock_enabled": true})).await.unwrap();
    let config = |hold: &str, until: &str, force: bool| {
        json!({"bucket": "one", "key": "k", "content": "x", "object_lock_legal_hold_status": hold,
            "object_lock_mode": "GOVERNANCE", "object_lock_retain_until_date": until, "force_destroy": force})
    };
    let made = cloud.create(OBJECT, config("ON", "2098-01-01T00:00:00Z", false)).await.unwrap();
    let object = change(&cloud, OBJECT, &made, &config("OFF", "2099-01-01T00:00:00Z", false)).await;
    assert_eq!(text(&object, "version_id"), text(&made, "version_id"));
    cloud.assert_settled(OBJECT, &object, config("OFF", "2099-01-01T01:00:00+01:00", false));
    let object = change(&cloud, OBJECT, &object, &config("ON", "2099-01-01T00:00:00Z", false)).await;
    let error = cloud.delete(OBJECT, &object).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Denied, "{error:?}");
    assert!(error.hint.as_ref().is_some_and(|hint| hint.contains("force_destroy")), "{error:?}");
    let object = change(&cloud, OBJECT, &object, &config("ON", "2099-01-01T00:00:00Z", true)).await;
    cloud.delete(OBJECT, &object).await.unwrap();
    assert!(cloud.read(OBJECT, &object, config("ON", "2099-01-01T00:00:00Z", true)).await.is_none());
}

#[tokio::test]
async fn an_object_may_leave_default_tags_out() {
    let emulator = Emulator::start();
    let block = json!({"region": "eu-central-1", "default_tags": {"tags": {"team": "data"}}});
    let cloud = Cloud::new(&emulator, block).await;
    cloud.create("aws_s3_bucket", json!({"bucket": "one"})).await.unwrap();
    let plain = json!({"bucket": "one", "key": "k", "tags": {"a": "b"}});
    let object = cloud.create(OBJECT, plain.clone()).await.unwrap();
    assert_eq!(to_plain_json(object.get("tags_all").unwrap()), json!({"a": "b", "team": "data"}));
    let without =
        json!({"bucket": "one", "key": "k", "tags": {"a": "b"}, "override_provider": {"default_tags": {"tags": {}}}});
    let object = change(&cloud, OBJECT, &object, &without).await;
    assert_eq!(to_plain_json(object.get("tags_all").unwrap()), json!({"a": "b"}));
    let object = change(&cloud, OBJECT, &object, &plain).await;
    assert_eq!(to_plain_json(object.get("tags_all").unwrap()), json!({"a": "b", "team": "data"}));
}

#[tokio::test]
async fn identifiers_of_imports() {
    let emulator = Emulator::start();
    let cloud = frankfurt(&emulator).await;
    cloud.create("aws_s3_bucket", json!({"bucket": "one"})).await.unwrap();
    cloud.create(OBJECT, json!({"bucket": "one", "key": "a/b"})).await.unwrap();
    for id in ["one/a/b", "s3://one/a/b"] {
        let imported = cloud.import(OBJECT, id).await.unwrap();
        assert_eq!((text(&imported, "bucket"), text(&imported, "key"), text(&imported, "id")), ("one", "a/b", "a/b"));
    }
    assert!(cloud.import(OBJECT, "one/nothing").await.is_none());
    assert!(cloud.import(OBJECT, "nothing/a").await.is_none());
    for id in ["one", "one/", "/a", "s3://one"] {
        let error = cloud.resource(OBJECT).import(cloud.with_config(None), id).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{id}");
    }
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_any_call() {
    let environment = vec![("AWS_ACCESS_KEY_ID".into(), "x".into()), ("AWS_SECRET_ACCESS_KEY".into(), "x".into())];
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1"})).await.unwrap();
    let block = &cloud.resource(OBJECT).schema().block;
    let forcing: Vec<&str> = block.attributes.iter().filter(|(_, a)| a.force_new).map(|(name, _)| &**name).collect();
    assert_eq!(forcing, ["bucket", "key"]);
    for (config, attribute) in [
        (json!({"content": "x", "source": "y"}), "source"),
        (json!({"content_base64": "x", "source": "y"}), "source"),
        (json!({"content_base64": "x", "content": "y"}), "content"),
        (json!({"etag": "x", "kms_key_id": "y"}), "etag"),
        (json!({"acl": "log-delivery-write"}), "acl"),
        (json!({"checksum_algorithm": "MD5"}), "checksum_algorithm"),
        (json!({"object_lock_legal_hold_status": "on"}), "object_lock_legal_hold_status"),
        (json!({"object_lock_mode": "x"}), "object_lock_mode"),
        (json!({"object_lock_retain_until_date": "tomorrow"}), "object_lock_retain_until_date"),
        (json!({"server_side_encryption": "x"}), "server_side_encryption"),
        (json!({"metadata": {"Key": "x"}}), "metadata"),
        (json!({"override_provider": {"default_tags": {"tags": {"a": "b"}}}}), "override_provider"),
    ] {
        let mut config = config;
        config["bucket"] = json!("one");
        config["key"] = json!("k");
        let error = cloud.try_plan(OBJECT, &cloud.config(OBJECT, config), None).unwrap_err();
        let found = (error.kind, error.attribute.clone());
        assert_eq!(found, (ErrorKind::Invalid, Some(Path::attr(attribute))), "{error}");
    }
}

#[tokio::test]
async fn what_an_upload_decides_is_not_promised() {
    let environment = vec![("AWS_ACCESS_KEY_ID".into(), "x".into()), ("AWS_SECRET_ACCESS_KEY".into(), "x".into())];
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1"})).await.unwrap();
    let mut prior =
        cloud.config(OBJECT, json!({"bucket": "one", "key": "k", "content": "x", "checksum_algorithm": "SHA1"}));
    for (name, value) in
        [("etag", "e"), ("version_id", "v"), ("id", "k"), ("checksum_sha1", "s"), ("content_type", "c")]
    {
        prior.set_attr(name, value.into());
    }
    let planned = |config: Json| cloud.plan(OBJECT, &cloud.config(OBJECT, config), Some(&prior));
    let known = |object: &Value, name: &str| object.get(name).unwrap().is_known();
    let same =
        planned(json!({"bucket": "one", "key": "k", "content": "x", "checksum_algorithm": "SHA1", "tags": {"a": "b"}}));
    assert!(known(&same, "etag") && known(&same, "version_id") && known(&same, "checksum_sha1"));
    let other = planned(json!({"bucket": "one", "key": "k", "content": "y"}));
    assert!(!known(&other, "etag") && !known(&other, "version_id") && !known(&other, "checksum_sha1"));
    assert!(known(&other, "content_type") && known(&other, "id"));
    let tagged =
        planned(json!({"bucket": "one", "key": "k", "content": "y", "etag": "f", "checksum_algorithm": "SHA1"}));
    assert_eq!(text(&tagged, "etag"), "f");
    let encrypted = planned(
        json!({"bucket": "one", "key": "k", "content": "x", "checksum_algorithm": "SHA1", "kms_key_id": "key"}),
    );
    assert!(!known(&encrypted, "server_side_encryption") && !known(&encrypted, "etag"));
}
