//! The sub-resources of a bucket that have a type of their own: lifecycle, notification, CORS, replication, object lock
//! and intelligent tiering; against moto, and against a server that keeps them as they are sent.

#![allow(clippy::unwrap_used)]

mod aws_answers;
#[path = "../common/mod.rs"]
mod common;
mod like_terraform;
mod on_moto;
mod plans;
mod settling;
mod verbatim;

use common::Cloud;
use serde_json::{Value as Json, json};
use verbatim::Verbatim;

const LIFECYCLE: &str = "aws_s3_bucket_lifecycle_configuration";
const NOTIFICATION: &str = "aws_s3_bucket_notification";
const CORS: &str = "aws_s3_bucket_cors_configuration";
const REPLICATION: &str = "aws_s3_bucket_replication_configuration";
const OBJECT_LOCK: &str = "aws_s3_bucket_object_lock_configuration";
const TIERING: &str = "aws_s3_bucket_intelligent_tiering_configuration";

/// A provider that talks to the server that keeps everything as sent.
async fn verbatim() -> (Verbatim, Cloud) {
    let server = Verbatim::start();
    let block = json!({"region": "us-east-1", "skip_requesting_account_id": true});
    let cloud = Cloud::with(server.environment(), block).await.unwrap();
    (server, cloud)
}

/// Configurations with all arguments, by type and name.
fn configurations() -> Vec<(String, String, Json)> {
    let all: Json = serde_json::from_str(include_str!("fixtures/s3.tf.json")).unwrap();
    let types = all["resource"].as_object().unwrap();
    let rows = types.iter().flat_map(|(ty, named)| {
        named.as_object().unwrap().iter().map(move |(name, body)| (ty.clone(), name.clone(), body.clone()))
    });
    rows.collect()
}
