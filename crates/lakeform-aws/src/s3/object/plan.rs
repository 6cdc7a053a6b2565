//! What is special to planning an object: what an upload decides anew, and what can never be applied.

use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Field, ProviderError, Result};

use super::{CONTENTS, to_time, wrong_time};
use crate::{
    AwsClient, TagRules,
    s3::common::{changes_essence, one_of, refuse_together},
    tags::Tags,
};

const CHECKSUMS: &[&str] =
    &["checksum_crc32", "checksum_crc32c", "checksum_crc64nvme", "checksum_sha1", "checksum_sha256"];

const CANNED: &[&str] = &[
    "private",
    "public-read",
    "public-read-write",
    "aws-exec-read",
    "authenticated-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
];

/// Adjusts a planned change of an object.
///
/// # Errors
/// When arguments exclude each other or are none that the API knows.
pub(super) fn plan(client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
    refuse_together(change, "source", &["content", "content_base64"])?;
    refuse_together(change, "content", &["content_base64"])?;
    refuse_together(change, "etag", &["kms_key_id"])?;
    one_of(change, "acl", CANNED)?;
    one_of(change, "checksum_algorithm", &["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"])?;
    one_of(change, "object_lock_legal_hold_status", &["ON", "OFF"])?;
    one_of(change, "object_lock_mode", &["GOVERNANCE", "COMPLIANCE"])?;
    one_of(change, "server_side_encryption", &["AES256", "aws:kms", "aws:kms:dsse"])?;
    if let Some(until) = change.config.get("object_lock_retain_until_date").and_then(Value::as_str)
        && !until.is_empty()
        && to_time(until).is_none()
    {
        return Err(wrong_time(until));
    }
    let metadata = change.config.get("metadata").and_then(Value::as_mapping);
    if let Some(key) = metadata.and_then(|m| m.keys().find(|key| key.chars().any(char::is_uppercase))) {
        return Err(ProviderError::invalid(format!("the metadata key {key:?} must be in lower case"))
            .attribute(Path::attr("metadata")));
    }
    plan_without_default_tags(client, change)?;
    if !change.is_create() && change.replace.is_empty() {
        plan_upload(change);
    }
    Ok(())
}

/// Plans `tags_all` where the object leaves the provider's default tags out. As with Terraform, it cannot have others.
///
/// # Errors
/// When it names some.
fn plan_without_default_tags(client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
    let block = |value: &Value, name: &str| value.get(name).and_then(|v| v.as_slice()?.first().cloned());
    let Some(own) = block(&change.planned, "override_provider").and_then(|o| block(&o, "default_tags")) else {
        return Ok(());
    };
    if own.get("tags").and_then(Value::as_mapping).is_some_and(|tags| !tags.is_empty()) {
        return Err(ProviderError::invalid("`tags` of `override_provider.default_tags` must be empty: `{}`")
            .hint("set the tags in `tags` of the object")
            .attribute(Path::attr("override_provider")));
    }
    let Some(tags) = change.planned("tags").cloned() else { return Ok(()) };
    match (TagRules { defaults: Some(Tags::new()), ..client.tags().clone() }).merge(&tags) {
        Some(all) => change.set("tags_all", all.into_value().with_marks(tags.marks_deep())),
        None => change.set_unknown("tags_all"),
    }
    Ok(())
}

/// Leaves to the apply what an upload decides anew.
fn plan_upload(change: &mut Change<'_>) {
    let unset = |change: &Change<'_>, name: &str| change.config.get(name).is_none_or(Value::is_null);
    if changes_essence(change, "kms_key_id") && unset(change, "server_side_encryption") {
        change.set_unknown("server_side_encryption");
    }
    if changes_essence(change, "server_side_encryption") {
        for name in ["kms_key_id", "bucket_key_enabled"] {
            if unset(change, name) {
                change.set_unknown(name);
            }
        }
    }
    if !CONTENTS.iter().any(|name| changes_essence(change, name)) {
        return;
    }
    change.set_unknown("version_id");
    if unset(change, "etag") {
        change.set_unknown("etag");
    }
    let empty = |value: Option<&Value>| value.is_none_or(|v| v.is_null() || v.as_str() == Some(""));
    let stored = change.prior.and_then(|prior| prior.get("checksum_algorithm"));
    if !empty(stored) || !empty(change.planned("checksum_algorithm")) {
        CHECKSUMS.iter().for_each(|name| change.set_unknown(name));
    }
}
