//! Buckets, their settings, and objects: against moto, a server that plays S3 by script, and what Terraform stores.

#![cfg(feature = "s3")]
#![allow(clippy::unwrap_used)]

mod answers;
mod bucket;
#[path = "../common/mod.rs"]
mod common;
mod object;
mod settings;
mod stage;

use common::{Cloud, Emulator, differences, in_order};
use lakeform_core::{Value, json::to_plain_json};
use serde_json::{Value as Json, json};

/// What an import of a bucket leaves to the stack: the inline attributes, which nobody sets yet.
const INLINE: &[&str] = &[
    "acceleration_status",
    "acl",
    "cors_rule",
    "force_destroy",
    "grant",
    "lifecycle_rule",
    "logging",
    "object_lock_configuration",
    "policy",
    "replication_configuration",
    "server_side_encryption_configuration",
    "versioning",
    "website",
    "website_domain",
    "website_endpoint",
];

async fn frankfurt(emulator: &Emulator) -> Cloud {
    Cloud::new(emulator, json!({"region": "eu-central-1"})).await
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// Updates to a configuration; what is read then is what was stored, and another plan is empty.
async fn change(cloud: &Cloud, ty: &str, prior: &Value, config: &Json) -> Value {
    let made = match cloud.update(ty, prior, config.clone()).await {
        Ok(made) => made,
        Err(failure) => panic!("{ty} {config}: {:?}", failure.error),
    };
    let read = cloud.read(ty, &made, config.clone()).await.unwrap();
    let plain = |v: &Value| in_order(&cloud.resource(ty).schema().block, &to_plain_json(v));
    let differ = differences(&plain(&made), &plain(&read));
    assert_eq!(differ, Vec::<String>::new(), "{ty} {config}: updated / read");
    cloud.assert_settled(ty, &read, config.clone());
    read
}
