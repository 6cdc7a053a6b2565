//! `data.aws_s3_object`

use std::collections::BTreeMap;

use aws_sdk_s3::types::ChecksumMode;
use aws_smithy_types::date_time::{DateTime, Format};
use lakeform_core::Path;
use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::{
    common::{given, text},
    object::{arn, clean_key, trim_etag},
};
use crate::{
    AwsClient,
    error::During,
    tags::{Tags, to_map},
};

/// An object, and what is in it where that is text.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct ObjectDataModel {
    /// ARN of the object.
    #[attr(computed)]
    arn: Option<String>,
    /// The contents, where `content_type` is that of a text: `text/...`, JSON, XML, YAML and the like.
    #[attr(computed)]
    body: Option<String>,
    /// Name of the bucket, or ARN of an access point.
    #[attr(required)]
    bucket: String,
    /// Whether an S3 Bucket Key is used with KMS.
    #[attr(computed)]
    bucket_key_enabled: Option<bool>,
    /// How it may be cached.
    #[attr(computed)]
    cache_control: Option<String>,
    /// CRC-32, in base64.
    #[attr(computed)]
    checksum_crc32: Option<String>,
    /// CRC-32C, in base64.
    #[attr(computed)]
    checksum_crc32c: Option<String>,
    /// CRC-64/NVME, in base64.
    #[attr(computed)]
    checksum_crc64nvme: Option<String>,
    /// `ENABLED` asks for the checksums.
    #[attr(optional)]
    checksum_mode: Option<String>,
    /// SHA-1, in base64.
    #[attr(computed)]
    checksum_sha1: Option<String>,
    /// SHA-256, in base64.
    #[attr(computed)]
    checksum_sha256: Option<String>,
    /// How it is presented.
    #[attr(computed)]
    content_disposition: Option<String>,
    /// How it is encoded.
    #[attr(computed)]
    content_encoding: Option<String>,
    /// Its language.
    #[attr(computed)]
    content_language: Option<String>,
    /// Its size in bytes.
    #[attr(computed)]
    content_length: Option<i64>,
    /// Its MIME type.
    #[attr(computed)]
    content_type: Option<String>,
    /// ETag of the object.
    #[attr(computed)]
    etag: Option<String>,
    /// When and by which rule it expires.
    #[attr(computed)]
    expiration: Option<String>,
    /// Until when it may be cached.
    #[attr(computed)]
    expires: Option<String>,
    /// `BUCKET/KEY`, and `@VERSION` where one was asked for.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Key of the object.
    #[attr(required)]
    key: String,
    /// When it was last changed: `Mon, 02 Jan 2006 15:04:05 UTC`
    #[attr(computed)]
    last_modified: Option<String>,
    /// Metadata of the user's own.
    #[attr(computed)]
    metadata: Option<BTreeMap<String, String>>,
    /// `ON` or `OFF`
    #[attr(computed)]
    object_lock_legal_hold_status: Option<String>,
    /// `GOVERNANCE` or `COMPLIANCE`
    #[attr(computed)]
    object_lock_mode: Option<String>,
    /// Until when it is locked.
    #[attr(computed)]
    object_lock_retain_until_date: Option<String>,
    /// The part to read: `bytes=0-99`
    #[attr(optional)]
    range: Option<String>,
    /// `AES256` or `aws:kms`
    #[attr(computed)]
    server_side_encryption: Option<String>,
    /// ARN of the KMS key.
    #[attr(computed)]
    sse_kms_key_id: Option<String>,
    /// Storage class.
    #[attr(computed)]
    storage_class: Option<String>,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
    /// Version of the object.
    #[attr(optional, computed)]
    version_id: Option<String>,
    /// Where a website sends its visitors instead.
    #[attr(computed)]
    website_redirect_location: Option<String>,
}

/// `data.aws_s3_object`
pub(crate) struct ObjectData;

impl DataSource for ObjectData {
    type Client = AwsClient;
    type Model = ObjectDataModel;
    const NAME: &'static str = "aws_s3_object";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut ObjectDataModel) -> Result<()> {
        let s3 = cx.client.s3();
        let (bucket, key) = (object.bucket.clone(), clean_key(&object.key));
        let (asked, range) = (given(&object.version_id), given(&object.range));
        let mode = given(&object.checksum_mode);
        if mode.as_deref().is_some_and(|mode| !ChecksumMode::values().contains(&mode)) {
            return Err(
                ProviderError::invalid("checksum_mode can only be ENABLED").attribute(Path::attr("checksum_mode"))
            );
        }
        let head = s3.head_object().bucket(&bucket).key(&key).set_version_id(asked.clone()).set_range(range.clone());
        let head = head.set_checksum_mode(mode.as_deref().map(ChecksumMode::from)).send();
        let tags = s3.get_object_tagging().bucket(&bucket).key(&key).set_version_id(asked.clone()).send();
        let (found, tags) = futures::join!(head, tags);
        let found = found.during("s3:HeadObject").map_err(|e| {
            if e.kind != ErrorKind::NotFound {
                return e;
            }
            ProviderError { message: format!("there is no object {key:?} in {bucket:?}"), ..e }
        })?;
        let tags = tags.during("s3:GetObjectTagging")?;
        let tags = to_map(tags.tag_set.into_iter().map(|tag| (tag.key, tag.value)));
        if is_text(found.content_type().unwrap_or_default()) {
            let call = s3.get_object().bucket(&bucket).key(&key).set_range(range);
            let answer = call.set_version_id(found.version_id.clone()).send().await.during("s3:GetObject")?;
            let bytes = answer.body.collect().await.map_err(|e| {
                let error = ProviderError::new(ErrorKind::Unreachable, "the object broke off while it was read");
                error.operation("s3:GetObject").source(e)
            })?;
            object.body = Some(String::from_utf8_lossy(&bytes.into_bytes()).into_owned());
        }
        let version = asked.map(|version| format!("@{version}")).unwrap_or_default();
        object.id = Some(format!("{bucket}/{}{version}", object.key));
        object.arn = Some(arn(cx, &bucket, &key));
        object.tags = Some(cx.client.tags().shown(tags));
        object.bucket_key_enabled = Some(found.bucket_key_enabled().unwrap_or_default());
        object.cache_control = text(found.cache_control());
        object.checksum_crc32 = text(found.checksum_crc32());
        object.checksum_crc32c = text(found.checksum_crc32_c());
        object.checksum_crc64nvme = text(found.checksum_crc64_nvme());
        object.checksum_sha1 = text(found.checksum_sha1());
        object.checksum_sha256 = text(found.checksum_sha256());
        object.content_disposition = text(found.content_disposition());
        object.content_encoding = text(found.content_encoding());
        object.content_language = text(found.content_language());
        object.content_length = Some(found.content_length().unwrap_or_default());
        object.content_type = text(found.content_type());
        object.etag = Some(trim_etag(found.e_tag()));
        object.expiration = text(found.expiration());
        object.expires = text(found.expires_string());
        object.last_modified = text(found.last_modified().and_then(rfc_1123));
        object.metadata = Some(found.metadata().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect());
        object.object_lock_legal_hold_status = text(found.object_lock_legal_hold_status().map(|hold| hold.as_str()));
        object.object_lock_mode = text(found.object_lock_mode().map(|mode| mode.as_str()));
        let until = found.object_lock_retain_until_date().and_then(|until| until.fmt(Format::DateTime).ok());
        object.object_lock_retain_until_date = text(until);
        object.server_side_encryption = text(found.server_side_encryption().map(|encryption| encryption.as_str()));
        object.sse_kms_key_id = text(found.ssekms_key_id());
        object.storage_class = Some(found.storage_class().map_or("STANDARD", |class| class.as_str()).to_owned());
        object.version_id = text(found.version_id());
        object.website_redirect_location = text(found.website_redirect_location());
        Ok(())
    }
}

/// Go's `time.RFC1123` of a moment: `Mon, 02 Jan 2006 15:04:05 UTC`
fn rfc_1123(at: &DateTime) -> Option<String> {
    let text = DateTime::from_secs(at.secs()).fmt(Format::HttpDate).ok()?;
    Some(text.replace("GMT", "UTC"))
}

/// Whether what is in an object of this type can be read as text.
fn is_text(content_type: &str) -> bool {
    const TEXTS: &[&str] =
        &["atom+xml", "json", "ld+json", "x-csh", "x-httpd-php", "x-sh", "x-sql", "xhtml+xml", "xml", "yaml"];
    match content_type.split_once('/') {
        Some(("text", kind)) => !kind.is_empty(),
        Some(("application", kind)) => TEXTS.contains(&kind),
        _ => false,
    }
}
