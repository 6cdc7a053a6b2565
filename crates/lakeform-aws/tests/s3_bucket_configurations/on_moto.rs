//! The life of each type against moto. What moto drops (filters of replication, sizes in filters of lifecycles,
//! EventBridge, intelligent tiering as a whole) is left to the other files.

use lakeform_core::{Value, json};
use serde_json::{Value as Json, json as js};

use crate::{
    CORS, LIFECYCLE, NOTIFICATION, OBJECT_LOCK, REPLICATION,
    common::{Cloud, Emulator},
};

async fn cloud() -> (Emulator, Cloud) {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, js!({"region": "us-east-1"})).await;
    (emulator, cloud)
}

async fn bucket(cloud: &Cloud, name: &str, locked: bool) -> Value {
    let bucket = js!({"bucket": name, "object_lock_enabled": locked});
    let made = cloud.create("aws_s3_bucket", bucket).await.unwrap();
    let versioning = js!({"bucket": name, "versioning_configuration": {"status": "Enabled"}});
    cloud.create("aws_s3_bucket_versioning", versioning).await.unwrap();
    made
}

/// Creates and updates through all configurations, each time with an empty plan after a refresh and after an import.
async fn change(cloud: &Cloud, ty: &str, id: &str, bodies: &[Json]) -> Value {
    let mut object = cloud.create(ty, bodies[0].clone()).await.unwrap();
    assert_eq!(object.get("id").unwrap().as_str(), Some(id));
    for (i, body) in bodies.iter().enumerate() {
        if i > 0 {
            let stored = object.clone();
            object = cloud.update(ty, &stored, body.clone()).await.unwrap();
            assert_ne!(object, stored, "{ty}: configuration {i} changes something");
        }
        let read = cloud.read(ty, &object, body.clone()).await.unwrap();
        assert_eq!(json::to_plain_json(&read), json::to_plain_json(&object), "{ty}: configuration {i}");
        cloud.assert_settled(ty, &read, body.clone());
        let imported = cloud.import(ty, id).await.unwrap();
        cloud.assert_settled(ty, &imported, body.clone());
    }
    object
}

/// The life of a type that a bucket can be without.
async fn live(cloud: &Cloud, ty: &str, id: &str, bodies: &[Json], bucket: Value) {
    assert!(cloud.import(ty, id).await.is_none(), "{ty} before it is made");
    let object = change(cloud, ty, id, bodies).await;
    let last = &bodies[bodies.len() - 1];
    for _ in 0..2 {
        cloud.delete(ty, &object).await.unwrap();
        assert!(cloud.read(ty, &object, last.clone()).await.is_none(), "{ty}");
    }
    without_bucket(cloud, ty, &object, last, bucket).await;
}

/// Nothing is left when the bucket is gone, and deleting it is no error.
async fn without_bucket(cloud: &Cloud, ty: &str, object: &Value, body: &Json, bucket: Value) {
    cloud.delete("aws_s3_bucket", &bucket).await.unwrap();
    assert!(cloud.read(ty, object, body.clone()).await.is_none(), "{ty} of a bucket that is gone");
    cloud.delete(ty, object).await.unwrap();
}

#[tokio::test]
async fn lifecycle() {
    let (_emulator, cloud) = cloud().await;
    let bucket = bucket(&cloud, "data", false).await;
    let transitions = js!([
        {"days": 0, "storage_class": "INTELLIGENT_TIERING"},
        {"days": 30, "storage_class": "GLACIER"},
    ]);
    let bodies = [
        js!({"bucket": "data", "rule": {"id": "a", "status": "Enabled", "filter": {}, "expiration": {"days": 7}}}),
        js!({"bucket": "data", "rule": [
            {"id": "a", "status": "Disabled", "filter": {"prefix": "raw/"}, "transition": transitions,
             "noncurrent_version_expiration": {"noncurrent_days": 90},
             "noncurrent_version_transition": {"noncurrent_days": 30, "storage_class": "GLACIER"}},
            {"id": "b", "status": "Enabled", "filter": {"tag": {"key": "k", "value": "v"}},
             "abort_incomplete_multipart_upload": {"days_after_initiation": 2},
             "expiration": {"date": "2030-01-01T00:00:00Z"}},
        ]}),
        js!({"bucket": "data", "rule": [
            {"id": "b", "status": "Enabled", "prefix": "old/", "expiration": {"expired_object_delete_marker": true}},
            {"id": "c", "status": "Enabled", "expiration": {"days": 1}},
        ]}),
    ];
    live(&cloud, LIFECYCLE, "data", &bodies, bucket).await;
}

#[tokio::test]
async fn cors() {
    let (_emulator, cloud) = cloud().await;
    let bucket = bucket(&cloud, "data", false).await;
    let open = js!({"allowed_methods": ["GET"], "allowed_origins": ["*"]});
    let named = js!({"id": "web", "allowed_methods": ["PUT", "POST"], "allowed_origins": ["https://www.example.com"],
        "allowed_headers": ["*"], "expose_headers": ["ETag"], "max_age_seconds": 3000});
    let bodies = [
        js!({"bucket": "data", "cors_rule": open}),
        js!({"bucket": "data", "cors_rule": [open, named]}),
        js!({"bucket": "data", "cors_rule": [named]}),
    ];
    live(&cloud, CORS, "data", &bodies, bucket).await;
}

#[tokio::test]
async fn an_expected_owner_is_part_of_the_identifier() {
    let (_emulator, cloud) = cloud().await;
    let bucket = bucket(&cloud, "data", false).await;
    let rule = js!({"allowed_methods": ["GET"], "allowed_origins": ["*"]});
    let bodies = [js!({"bucket": "data", "expected_bucket_owner": "123456789012", "cors_rule": rule})];
    live(&cloud, CORS, "data,123456789012", &bodies, bucket).await;
}

#[tokio::test]
async fn notification() {
    let (emulator, cloud) = cloud().await;
    let bucket = bucket(&cloud, "data", false).await;
    let queue = create_queue(&emulator).await;
    let bodies = [
        js!({"bucket": "data", "queue": {"queue_arn": queue, "events": ["s3:ObjectCreated:*"]}}),
        js!({"bucket": "data", "queue": [
            {"queue_arn": queue, "events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"], "filter_suffix": ".csv"},
            {"id": "mine", "queue_arn": queue, "events": ["s3:ObjectCreated:Put"], "filter_prefix": "b/"},
        ]}),
        js!({"bucket": "data", "queue": [{"queue_arn": queue, "events": ["s3:ObjectRemoved:Delete"]}]}),
    ];
    let object = change(&cloud, NOTIFICATION, "data", &bodies).await;
    // Moto's answer for a bucket without notifications is not S3's, so it is not read here.
    for _ in 0..2 {
        cloud.delete(NOTIFICATION, &object).await.unwrap();
    }
    without_bucket(&cloud, NOTIFICATION, &object, &bodies[2], bucket).await;
}

/// Makes a queue, which moto wants to exist, and returns its ARN.
async fn create_queue(emulator: &Emulator) -> String {
    use std::io::{Read, Write};
    let address = emulator.url.trim_start_matches("http://").to_owned();
    let body = "Action=CreateQueue&QueueName=q&Version=2012-11-05";
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=test/20300101/us-east-1/sqs/aws4_request\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains("QueueUrl"), "{answer}");
    "arn:aws:sqs:us-east-1:123456789012:q".to_owned()
}

#[tokio::test]
async fn replication() {
    let (_emulator, cloud) = cloud().await;
    let copy = bucket(&cloud, "copy", false).await;
    let bucket = bucket(&cloud, "data", false).await;
    let to = js!({"bucket": "arn:aws:s3:::copy"});
    let role = |name: &str| format!("arn:aws:iam::123456789012:role/{name}");
    let rule = |id: &str, priority: i64, status: &str| {
        js!({"id": id, "priority": priority, "status": status, "filter": {}, "destination": to,
            "delete_marker_replication": {"status": "Disabled"}})
    };
    let mut unnamed = rule("", 1, "Disabled");
    unnamed.as_object_mut().unwrap().remove("id");
    let bodies = [
        js!({"bucket": "data", "role": role("r"), "rule": rule("a", 7, "Enabled")}),
        js!({"bucket": "data", "role": role("s"), "rule": [rule("a", 8, "Enabled"), unnamed]}),
    ];
    live(&cloud, REPLICATION, "data", &bodies, bucket).await;
    cloud.delete("aws_s3_bucket", &copy).await.unwrap();
}

#[tokio::test]
async fn object_lock() {
    let (_emulator, cloud) = cloud().await;
    let plain = bucket(&cloud, "plain", false).await;
    let locked = bucket(&cloud, "data", true).await;
    let retention = |mode: &str, unit: &str| js!({"default_retention": {"mode": mode, unit: 5}});
    let bodies = [
        js!({"bucket": "data", "rule": retention("COMPLIANCE", "days")}),
        js!({"bucket": "data", "rule": retention("GOVERNANCE", "years")}),
        js!({"bucket": "data"}),
        js!({"bucket": "data", "rule": retention("GOVERNANCE", "days")}),
    ];
    assert!(cloud.import(OBJECT_LOCK, "plain").await.is_none());
    let object = change(&cloud, OBJECT_LOCK, "data", &bodies).await;
    // The lock stays on for the life of the bucket; only the rule goes.
    for _ in 0..2 {
        cloud.delete(OBJECT_LOCK, &object).await.unwrap();
        let read = json::to_plain_json(&cloud.import(OBJECT_LOCK, "data").await.unwrap());
        assert_eq!((&read["object_lock_enabled"], &read["rule"]), (&js!("Enabled"), &js!([])));
    }
    cloud.delete("aws_s3_bucket", &plain).await.unwrap();
    without_bucket(&cloud, OBJECT_LOCK, &object, &bodies[0], locked).await;
}

#[tokio::test]
async fn a_bucket_that_is_missing_is_named() {
    let (_emulator, cloud) = cloud().await;
    let bodies = [
        (LIFECYCLE, js!({"bucket": "none", "rule": {"id": "r", "status": "Enabled", "expiration": {"days": 1}}})),
        (CORS, js!({"bucket": "none", "cors_rule": {"allowed_methods": ["GET"], "allowed_origins": ["*"]}})),
    ];
    for (ty, body) in bodies {
        let failure = cloud.create(ty, body).await.unwrap_err();
        assert!(failure.error.has_code("NoSuchBucket"), "{}", failure.error);
        assert!(failure.error.is_not_found() && failure.partial.is_none());
    }
}
