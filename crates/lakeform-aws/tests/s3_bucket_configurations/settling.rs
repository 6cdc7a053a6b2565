//! S3 is not at once of one mind: what is done while it is not.

use std::time::Instant;

use lakeform_core::json;
use serde_json::json as js;

use crate::{CORS, LIFECYCLE, REPLICATION, verbatim};

fn rule(days: i64) -> serde_json::Value {
    js!({"bucket": "b", "rule": [{"id": "r", "status": "Enabled", "filter": {}, "expiration": {"days": days}}]})
}

#[tokio::test]
async fn a_lifecycle_is_waited_for_until_s3_shows_it() {
    let (server, cloud) = verbatim().await;
    server.stale(2);
    let made = cloud.create(LIFECYCLE, rule(7)).await.unwrap();
    let methods: Vec<_> = server.requests().into_iter().map(|r| r.method).collect();
    assert_eq!(methods, ["PUT", "GET", "GET", "GET"]);

    server.stale(1);
    let changed = cloud.update(LIFECYCLE, &made, rule(8)).await.unwrap();
    assert_eq!(json::to_plain_json(&changed)["rule"][0]["expiration"][0]["days"], 8);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_lifecycle_that_never_comes_is_reported_and_saved() {
    let (server, cloud) = verbatim().await;
    server.stale(usize::MAX);
    let config = cloud.config(LIFECYCLE, rule(7));
    let planned = cloud.plan(LIFECYCLE, &config, None);
    let mut with = cloud.with_config(Some(&config));
    with.timeout = Some(std::time::Duration::from_millis(300));
    let failure = cloud.resource(LIFECYCLE).create(with, &planned).await.unwrap_err();
    assert_eq!(
        failure.error.to_string(),
        "gave up waiting for the lifecycle configuration to become as given after 300ms"
    );
    assert_eq!(failure.partial.unwrap().get("id").unwrap().as_str(), Some("b"));
}

#[tokio::test]
async fn a_bucket_that_was_just_made_is_given_time() {
    let (server, cloud) = verbatim().await;
    server.fail("PUT", 404, "NoSuchBucket", "The specified bucket does not exist");
    server.fail("PUT", 409, "OperationAborted", "A conflicting conditional operation is in progress");
    let body = js!({"bucket": "b", "cors_rule": {"allowed_methods": ["GET"], "allowed_origins": ["*"]}});
    cloud.create(CORS, body).await.unwrap();
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn versioning_that_was_just_switched_on_is_given_time() {
    let (server, cloud) = verbatim().await;
    let message = "Versioning must be 'Enabled' on the bucket to apply a replication configuration";
    server.fail("PUT", 400, "InvalidRequest", message);
    let rule = js!({"status": "Enabled", "destination": {"bucket": "arn:aws:s3:::copy"}});
    let body = js!({"bucket": "b", "role": "arn:aws:iam::123456789012:role/r", "rule": rule});
    cloud.create(REPLICATION, body.clone()).await.unwrap();
    assert_eq!(server.requests().len(), 2);

    // Another invalid request is reported at once, and leaves nothing behind.
    server.fail("PUT", 400, "InvalidRequest", "Destination bucket must have versioning enabled.");
    let start = Instant::now();
    let failure = cloud.create(REPLICATION, body).await.unwrap_err();
    assert!(failure.error.to_string().starts_with("s3:PutBucketReplication: InvalidRequest: Destination bucket"));
    assert!(failure.partial.is_none() && start.elapsed().as_secs() < 5);
}
