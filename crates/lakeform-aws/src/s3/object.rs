//! `aws_s3_object`

use std::collections::BTreeMap;

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{
        ChecksumAlgorithm, ChecksumMode, ObjectCannedAcl, ObjectLockLegalHold, ObjectLockLegalHoldStatus,
        ObjectLockMode, ObjectLockRetention, ObjectLockRetentionMode, ServerSideEncryption, StorageClass, Tag, Tagging,
    },
};
use aws_smithy_types::{DateTime, date_time::Format};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, ErrorKind, Field, FoundBy, Model, ProviderError, ResourceType, Result};
use md5::{Digest as _, Md5};

use super::{
    bucket::empty,
    common::{NO_BUCKET, after_creation, given, same_essence, text},
};
use crate::{
    AwsClient, TagRules,
    error::{Absent, During},
    tags::{Tags, to_map},
};

mod plan;

/// An object in a bucket.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Object {
    /// Canned ACL: `private`, `public-read`, `bucket-owner-full-control`, ...
    #[attr(optional, computed)]
    acl: Option<String>,
    /// ARN of the object.
    #[attr(computed)]
    arn: Option<String>,
    /// Name of the bucket, or ARN of an access point.
    #[attr(required, force_new)]
    bucket: String,
    /// Whether a bucket key saves calls to KMS.
    #[attr(optional, computed)]
    bucket_key_enabled: Option<bool>,
    /// `Cache-Control`
    #[attr(optional)]
    cache_control: Option<String>,
    /// Checksum to keep with the object: `CRC32`, `CRC32C`, `CRC64NVME`, `SHA1` or `SHA256`
    #[attr(optional)]
    checksum_algorithm: Option<String>,
    /// The CRC-32, base64-encoded.
    #[attr(computed)]
    checksum_crc32: Option<String>,
    /// The CRC-32C, base64-encoded.
    #[attr(computed)]
    checksum_crc32c: Option<String>,
    /// The CRC-64/NVME, base64-encoded.
    #[attr(computed)]
    checksum_crc64nvme: Option<String>,
    /// The SHA-1, base64-encoded.
    #[attr(computed)]
    checksum_sha1: Option<String>,
    /// The SHA-256, base64-encoded.
    #[attr(computed)]
    checksum_sha256: Option<String>,
    /// The contents as text.
    #[attr(optional)]
    content: Option<String>,
    /// The contents, base64-encoded.
    #[attr(optional)]
    content_base64: Option<String>,
    /// `Content-Disposition`
    #[attr(optional)]
    content_disposition: Option<String>,
    /// `Content-Encoding`
    #[attr(optional)]
    content_encoding: Option<String>,
    /// `Content-Language`
    #[attr(optional)]
    content_language: Option<String>,
    /// `Content-Type`. Default: `application/octet-stream`.
    #[attr(optional, computed)]
    content_type: Option<String>,
    /// The entity tag. Set it to `filemd5(...)` of the source to upload when that changes (not with KMS).
    #[attr(optional, computed)]
    etag: Option<String>,
    /// Delete all versions even under governance or legal hold.
    #[attr(optional, default = false)]
    force_destroy: bool,
    /// The key.
    #[attr(optional, computed)]
    id: Option<String>,
    /// The key: what the object is called.
    #[attr(required, force_new)]
    key: String,
    /// ARN of the KMS key.
    #[attr(optional, computed)]
    kms_key_id: Option<String>,
    /// Metadata; keys in lower case.
    #[attr(optional)]
    metadata: Option<BTreeMap<String, String>>,
    /// Legal hold: `ON` or `OFF`
    #[attr(optional)]
    object_lock_legal_hold_status: Option<String>,
    /// `GOVERNANCE` or `COMPLIANCE`
    #[attr(optional)]
    object_lock_mode: Option<String>,
    /// Until when the object is locked: `2030-01-31T00:00:00Z`
    #[attr(optional, same = same_time)]
    object_lock_retain_until_date: Option<String>,
    /// `AES256`, `aws:kms` or `aws:kms:dsse`
    #[attr(optional, computed)]
    server_side_encryption: Option<String>,
    /// File with the contents.
    #[attr(optional)]
    source: Option<String>,
    /// Any text. When it changes, the object is uploaded again: `filemd5(...)` of the source.
    #[attr(optional)]
    source_hash: Option<String>,
    /// Storage class. Default: `STANDARD`.
    #[attr(optional, computed)]
    storage_class: Option<String>,
    /// Tags, at most ten.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Version, where the bucket keeps them.
    #[attr(computed)]
    version_id: Option<String>,
    /// Where the bucket's website redirects requests for the object.
    #[attr(optional)]
    website_redirect: Option<String>,
    /// Settings of the provider that the object has its own of.
    #[block(list, max = 1)]
    override_provider: Vec<Override>,
}

/// Settings of the provider that the object has its own of.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Override {
    /// Default tags.
    #[block(list, max = 1)]
    default_tags: Vec<DefaultTags>,
}

/// Default tags.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct DefaultTags {
    /// None: `{}`, so that the provider's `default_tags` are left out.
    #[attr(optional)]
    tags: Option<Tags>,
}

/// What cannot be changed without uploading the object again.
const CONTENTS: &[&str] = &[
    "bucket_key_enabled",
    "cache_control",
    "checksum_algorithm",
    "content",
    "content_base64",
    "content_disposition",
    "content_encoding",
    "content_language",
    "content_type",
    "etag",
    "kms_key_id",
    "metadata",
    "server_side_encryption",
    "source",
    "source_hash",
    "storage_class",
    "website_redirect",
];

/// The key as it goes over the wire. Terraform's first AWS SDK tidied keys up, and estates depend on it: no leading `./`
/// or slashes, and no two slashes in a row.
pub(super) fn clean_key(key: &str) -> String {
    let mut out = String::with_capacity(key.len());
    for c in key.strip_prefix("./").unwrap_or(key).trim_start_matches('/').chars() {
        if c != '/' || !out.ends_with('/') {
            out.push(c);
        }
    }
    out
}

fn to_time(text: &str) -> Option<DateTime> {
    DateTime::from_str(text, Format::DateTimeWithOffset).ok()
}

/// Whether two RFC 3339 texts name the same moment.
fn same_time(a: &Value, b: &Value) -> bool {
    let time = |v: &Value| v.as_str().and_then(to_time);
    a == b || time(a).is_some_and(|time_a| Some(time_a) == time(b))
}

impl Object {
    /// The provider's tag rules, without its default tags where the object leaves them out.
    fn tag_rules(&self, client: &AwsClient) -> TagRules {
        match self.override_provider.iter().any(|o| !o.default_tags.is_empty()) {
            true => TagRules { defaults: Some(Tags::new()), ..client.tags().clone() },
            false => client.tags().clone(),
        }
    }

    async fn body(&self, client: &AwsClient) -> Result<ByteStream> {
        if let Some(source) = given(&self.source) {
            return ByteStream::from_path(client.path(&source)).await.map_err(|e| {
                ProviderError::invalid(format!("the file {source:?} cannot be read: {e}"))
                    .attribute(Path::attr("source"))
                    .source(e)
            });
        }
        if let Some(encoded) = given(&self.content_base64) {
            let bytes = STANDARD.decode(encoded).map_err(|e| {
                ProviderError::invalid(format!("not base64: {e}")).attribute(Path::attr("content_base64")).source(e)
            })?;
            return Ok(ByteStream::from(bytes));
        }
        Ok(ByteStream::from(self.content.clone().unwrap_or_default().into_bytes()))
    }

    fn retain_until(&self) -> Result<Option<DateTime>> {
        given(&self.object_lock_retain_until_date)
            .map(|text| to_time(&text).ok_or_else(|| wrong_time(&text)))
            .transpose()
    }

    /// The entity tag that the content gets in one upload without KMS; `None` if it cannot be had.
    async fn md5(&self, cx: &Context<'_, AwsClient>) -> Option<String> {
        let mut body = self.body(cx.client).await.ok()?;
        let mut digest = Md5::new();
        while let Some(bytes) = body.try_next().await.ok()? {
            digest.update(&bytes);
        }
        Some(digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Uploads the object with everything that belongs to it, and fills in what the API decides.
    async fn upload(&mut self, cx: &Context<'_, AwsClient>) -> Result<()> {
        self.content_type.get_or_insert_with(|| "application/octet-stream".into());
        let this = &*self;
        let until = this.retain_until()?;
        let key_id = given(&this.kms_key_id);
        let encryption = given(&this.server_side_encryption).or(key_id.as_ref().map(|_| "aws:kms".to_owned()));
        let with_bucket_key = this.bucket_key_enabled.filter(|on| *on || cx.sets("bucket_key_enabled", false));
        let algorithm = given(&this.checksum_algorithm);
        let send = || async {
            let call = cx
                .client
                .s3()
                .put_object()
                .bucket(&this.bucket)
                .key(clean_key(&this.key))
                .body(this.body(cx.client).await?);
            call.set_acl(given(&this.acl).map(|v| ObjectCannedAcl::from(v.as_str())))
                .set_bucket_key_enabled(with_bucket_key)
                .set_cache_control(given(&this.cache_control))
                .set_checksum_algorithm(algorithm.as_deref().map(ChecksumAlgorithm::from))
                .set_content_disposition(given(&this.content_disposition))
                .set_content_encoding(given(&this.content_encoding))
                .set_content_language(given(&this.content_language))
                .set_content_type(given(&this.content_type))
                .set_metadata(this.metadata.clone().map(|m| m.into_iter().collect()))
                .set_object_lock_legal_hold_status(
                    given(&this.object_lock_legal_hold_status).map(|v| ObjectLockLegalHoldStatus::from(v.as_str())),
                )
                .set_object_lock_mode(given(&this.object_lock_mode).map(|v| ObjectLockMode::from(v.as_str())))
                .set_object_lock_retain_until_date(until)
                .set_server_side_encryption(encryption.as_deref().map(ServerSideEncryption::from))
                .set_ssekms_key_id(key_id.clone())
                .set_storage_class(given(&this.storage_class).map(|v| StorageClass::from(v.as_str())))
                .set_tagging(this.tags_all.as_ref().filter(|tags| !tags.is_empty()).map(query))
                .set_website_redirect_location(given(&this.website_redirect))
                .send()
                .await
                .during("s3:PutObject")
        };
        let answer = after_creation(cx, send).await?;

        self.id = Some(self.key.clone());
        self.describe(cx);
        self.etag.get_or_insert_with(|| trim_etag(answer.e_tag()));
        self.version_id = text(answer.version_id());
        let encryption = answer.server_side_encryption().map(|v| v.as_str().to_owned());
        self.server_side_encryption.get_or_insert_with(|| encryption.unwrap_or_default());
        self.bucket_key_enabled.get_or_insert_with(|| answer.bucket_key_enabled().unwrap_or_default());
        self.storage_class.get_or_insert_with(|| "STANDARD".into());
        if algorithm.is_some() {
            self.checksum_crc32 = text(answer.checksum_crc32());
            self.checksum_crc32c = text(answer.checksum_crc32_c());
            self.checksum_crc64nvme = text(answer.checksum_crc64_nvme());
            self.checksum_sha1 = text(answer.checksum_sha1());
            self.checksum_sha256 = text(answer.checksum_sha256());
        }
        self.say_checksums();
        if self.kms_key_id.is_none() {
            self.kms_key_id = own_key(cx, answer.ssekms_key_id()).await;
        }
        Ok(())
    }

    /// Checksums that were not asked for are empty.
    fn say_checksums(&mut self) {
        let all = [
            &mut self.checksum_crc32,
            &mut self.checksum_crc32c,
            &mut self.checksum_crc64nvme,
            &mut self.checksum_sha1,
            &mut self.checksum_sha256,
        ];
        for checksum in all {
            checksum.get_or_insert_default();
        }
    }

    fn describe(&mut self, cx: &Context<'_, AwsClient>) {
        self.arn = Some(arn(cx, &self.bucket, &self.key));
    }

    async fn put_retention(&self, cx: &Context<'_, AwsClient>, prior: &Self) -> Result<()> {
        let until = self.retain_until()?;
        let mode = given(&self.object_lock_mode).map(|v| ObjectLockRetentionMode::from(v.as_str()));
        let retention = ObjectLockRetention::builder().set_mode(mode).set_retain_until_date(until).build();
        // Letting go earlier needs a word of its own.
        let sooner = match (prior.retain_until()?, until) {
            (Some(before), Some(after)) => after < before,
            (Some(_), None) => true,
            (None, _) => false,
        };
        let call = cx.client.s3().put_object_retention().bucket(&self.bucket).key(clean_key(&self.key));
        let call = call.retention(retention).set_bypass_governance_retention(sooner.then_some(true));
        call.send().await.during("s3:PutObjectRetention")?;
        Ok(())
    }

    async fn put_tags(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let s3 = cx.client.s3();
        let key = clean_key(&self.key);
        // The call replaces all tags: those that are not lakeform's must be said again.
        let live = s3.get_object_tagging().bucket(&self.bucket).key(&key).send().await.during("s3:GetObjectTagging")?;
        let mut tags = to_map(live.tag_set.into_iter().map(|tag| (tag.key, tag.value)));
        tags.retain(|key, _| cx.client.tags().ignores(key));
        tags.extend(self.tags_all.clone().unwrap_or_default());
        if tags.is_empty() {
            let call = s3.delete_object_tagging().bucket(&self.bucket).key(&key);
            return call.send().await.during("s3:DeleteObjectTagging").map(drop);
        }
        let incomplete = |e: aws_sdk_s3::error::BuildError| ProviderError::invalid(e.to_string()).source(e);
        let all = tags.iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect::<Result<Vec<_>, _>>();
        let tagging = Tagging::builder().set_tag_set(Some(all.map_err(incomplete)?)).build().map_err(incomplete)?;
        let call = s3.put_object_tagging().bucket(&self.bucket).key(&key).tagging(tagging);
        call.send().await.during("s3:PutObjectTagging").map(drop)
    }
}

fn wrong_time(text: &str) -> ProviderError {
    ProviderError::invalid(format!("{text:?} is no time in RFC 3339: 2030-01-31T00:00:00Z"))
        .attribute(Path::attr("object_lock_retain_until_date"))
}

/// ARN of an object in a bucket, or behind an access point.
pub(super) fn arn(cx: &Context<'_, AwsClient>, bucket: &str, key: &str) -> String {
    let key = clean_key(key);
    match bucket.starts_with("arn:") {
        true => format!("{bucket}/object/{key}"),
        false => format!("arn:{}:s3:::{bucket}/{key}", cx.client.partition().id),
    }
}

pub(super) fn trim_etag(etag: Option<&str>) -> String {
    etag.unwrap_or_default().trim_matches('"').to_owned()
}

/// Tags as the query string that the upload takes.
fn query(tags: &Tags) -> String {
    let plain = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.' | b'~');
    let encode = |text: &str| -> String {
        text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
    };
    tags.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect::<Vec<_>>().join("&")
}

/// The key that encrypts the object, unless it is the account's default one: Terraform shows only others.
async fn own_key(cx: &Context<'_, AwsClient>, key: Option<&str>) -> Option<String> {
    let key = key?;
    #[cfg(feature = "kms")]
    {
        let found = cx.client.kms().describe_key().key_id("alias/aws/s3").send().await;
        let default = found.ok().and_then(|found| found.key_metadata);
        if default.is_some_and(|default| default.arn() == Some(key) || default.key_id() == key) {
            return None;
        }
    }
    #[cfg(not(feature = "kms"))]
    let _ = cx;
    Some(key.to_owned())
}

impl ResourceType for Object {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_object";
    const IDENTITY: &'static [&'static str] = &["bucket", "key"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        plan::plan(client, change)
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let s3 = cx.client.s3();
        let key = clean_key(&object.key);
        let checksums = given(&object.checksum_algorithm).is_some();
        let mode = checksums.then_some(ChecksumMode::Enabled);
        let (found, live) = futures::join!(
            s3.head_object().bucket(&object.bucket).key(&key).set_checksum_mode(mode).send(),
            s3.get_object_tagging().bucket(&object.bucket).key(&key).send(),
        );
        let absent = ["NotFound", "NoSuchKey", NO_BUCKET];
        let Some(found) = found.during("s3:HeadObject").absent_ok(&absent)? else { return Ok(None) };
        let Some(live) = live.during("s3:GetObjectTagging").absent_ok(&absent)? else { return Ok(None) };

        let adopted = object.etag.is_none();
        object.id = Some(object.key.clone());
        object.describe(cx);
        object.bucket_key_enabled = Some(found.bucket_key_enabled().unwrap_or_default());
        object.cache_control = text(found.cache_control());
        object.content_disposition = text(found.content_disposition());
        object.content_encoding = text(found.content_encoding());
        object.content_language = text(found.content_language());
        object.content_type = text(found.content_type());
        object.etag = Some(trim_etag(found.e_tag()));
        object.website_redirect = text(found.website_redirect_location());
        object.version_id = text(found.version_id());
        object.server_side_encryption = text(found.server_side_encryption().map(|v| v.as_str()));
        object.storage_class = Some(found.storage_class().map_or("STANDARD", |v| v.as_str()).to_owned());
        let hold = found.object_lock_legal_hold_status().map(|v| v.as_str());
        object.object_lock_legal_hold_status = text(hold);
        object.object_lock_mode = text(found.object_lock_mode().map(|v| v.as_str()));
        let until = found.object_lock_retain_until_date().and_then(|time| time.fmt(Format::DateTime).ok());
        object.object_lock_retain_until_date = text(until.as_deref());
        if checksums {
            object.checksum_crc32 = text(found.checksum_crc32());
            object.checksum_crc32c = text(found.checksum_crc32_c());
            object.checksum_crc64nvme = text(found.checksum_crc64_nvme());
            object.checksum_sha1 = text(found.checksum_sha1());
            object.checksum_sha256 = text(found.checksum_sha256());
        }
        object.say_checksums();
        let metadata: BTreeMap<_, _> =
            found.metadata().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        if !metadata.is_empty() || object.metadata.is_some() {
            object.metadata = Some(metadata);
        }
        // Which key it is matters where the stack names one; finding out whether it is the default one costs a call.
        if cx.sets("kms_key_id", given(&object.kms_key_id).is_some()) {
            object.kms_key_id = text(found.ssekms_key_id());
        } else if adopted {
            object.kms_key_id = own_key(cx, found.ssekms_key_id()).await;
        }
        let live = to_map(live.tag_set.into_iter().map(|tag| (tag.key, tag.value)));
        let tags = object.tag_rules(cx.client).read(cx, live, object.tags.as_ref());
        object.tags = tags.tags;
        object.tags_all = tags.tags_all;
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        object.upload(cx).await
    }

    async fn find(cx: &Context<'_, AwsClient>, planned: Self) -> Result<Option<Self>> {
        let content = planned.md5(cx).await;
        let mut found = Self::read(cx, planned).await?;
        // What is there may be what was there before, and nothing else tells of what it is made.
        if let Some(found) = &mut found
            && found.etag != content
        {
            (found.content, found.content_base64) = (None, None);
            (found.source, found.source_hash) = (None, None);
        }
        Ok(found)
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &Self, object: &mut Self) -> Result<()> {
        let (before, after) = (prior.clone().into_value(), object.clone().into_value());
        let differs = |name: &&str| match (before.get(name), after.get(name)) {
            (Some(before), Some(after)) => !same_essence(before, after),
            _ => false,
        };
        if CONTENTS.iter().any(differs) {
            return object.upload(cx).await;
        }
        let s3 = cx.client.s3();
        let key = clean_key(&object.key);
        if differs(&"acl") {
            let acl = given(&object.acl).unwrap_or_else(|| "private".into());
            let call = s3.put_object_acl().bucket(&object.bucket).key(&key).acl(ObjectCannedAcl::from(acl.as_str()));
            call.send().await.during("s3:PutObjectAcl")?;
        }
        if differs(&"object_lock_legal_hold_status") {
            let status = given(&object.object_lock_legal_hold_status).unwrap_or_else(|| "OFF".into());
            let hold = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::from(status.as_str())).build();
            let call = s3.put_object_legal_hold().bucket(&object.bucket).key(&key).legal_hold(hold);
            call.send().await.during("s3:PutObjectLegalHold")?;
        }
        if differs(&"object_lock_mode") || differs(&"object_lock_retain_until_date") {
            object.put_retention(cx, prior).await?;
        }
        if differs(&"tags_all") {
            object.put_tags(cx).await?;
        }
        Ok(())
    }

    /// Where the bucket keeps versions, all of them go.
    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let key = clean_key(&object.key);
        if given(&object.version_id).is_some() {
            return empty::delete_key(cx, &object.bucket, &key, object.force_destroy).await.map_err(|e| match e.kind {
                ErrorKind::Denied if !object.force_destroy => {
                    e.hint("if it is locked: set `force_destroy = true`, apply, and destroy again")
                }
                _ => e,
            });
        }
        let call = cx.client.s3().delete_object().bucket(&object.bucket).key(&key);
        call.send().await.during("s3:DeleteObject").absent_ok(&[NO_BUCKET, "NoSuchKey", "NotFound"])?;
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        match id.strip_prefix("s3://").unwrap_or(id).split_once('/') {
            Some((bucket, key)) if !bucket.is_empty() && !key.is_empty() => {
                Ok(Self { bucket: bucket.to_owned(), key: key.to_owned(), id: Some(key.to_owned()), ..Self::default() })
            }
            _ => Err(ProviderError::invalid(format!("{id:?} is no object: BUCKET/KEY or s3://BUCKET/KEY is expected"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // What Terraform's AWS provider 5.100 asks S3 for.
    #[test]
    fn keys_are_tidied_as_terraform_tidies_them() {
        for (given, sent) in [
            ("/a//b/c.txt", "a/b/c.txt"),
            ("./x", "x"),
            ("a/./b", "a/./b"),
            ("//q//r/", "q/r/"),
            ("../z", "../z"),
            ("/./x", "./x"),
            ("././y", "./y"),
            (".//z", "z"),
            ("n/", "n/"),
            ("é ü+&=.txt", "é ü+&=.txt"),
        ] {
            assert_eq!(clean_key(given), sent);
        }
    }

    #[test]
    fn tags_become_a_query_string() {
        let tags = [("a b".to_owned(), "c+d=f/g".to_owned()), ("k".to_owned(), "ü".to_owned())].into();
        assert_eq!(query(&tags), "a%20b=c%2Bd%3Df%2Fg&k=%C3%BC");
    }

    #[test]
    fn a_moment_has_many_spellings() {
        assert!(same_time(&"2030-01-01T01:00:00+01:00".into(), &"2030-01-01T00:00:00Z".into()));
        assert!(!same_time(&"2030-01-01T00:00:01Z".into(), &"2030-01-01T00:00:00Z".into()));
        assert!(same_time(&"".into(), &"".into()));
    }
}
