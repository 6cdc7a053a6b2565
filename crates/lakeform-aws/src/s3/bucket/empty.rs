//! Deletes objects with all their versions.

use aws_sdk_s3::types::{Delete, ObjectIdentifier, ObjectLockLegalHold, ObjectLockLegalHoldStatus};
use lakeform_provider::{Context, ErrorKind, ProviderError, Result};

use crate::{
    AwsClient,
    error::{Absent, During},
    s3::common::NO_BUCKET,
};

/// A page of versions and delete markers, and where the next one begins.
struct Page {
    versions: Vec<ObjectIdentifier>,
    next: Option<(Option<String>, Option<String>)>,
}

/// Deletes every version and delete marker of a bucket. With `unlock`, those under governance or legal hold too.
///
/// # Errors
/// When a version cannot be deleted; the others are deleted all the same.
pub(crate) async fn empty_bucket(cx: &Context<'_, AwsClient>, bucket: &str, unlock: bool) -> Result<()> {
    delete_all(cx, bucket, None, unlock).await
}

/// Deletes every version and delete marker of one key.
///
/// # Errors
/// As [`empty_bucket`].
pub(crate) async fn delete_key(cx: &Context<'_, AwsClient>, bucket: &str, key: &str, unlock: bool) -> Result<()> {
    delete_all(cx, bucket, Some(key), unlock).await
}

async fn delete_all(cx: &Context<'_, AwsClient>, bucket: &str, key: Option<&str>, unlock: bool) -> Result<()> {
    let mut page = list(cx, bucket, key, None).await?;
    let mut next = following(cx, bucket, key, page.as_mut()).await?;
    let mut failed = None;
    while let Some(now) = page {
        if (cx.cancelled)() {
            return Err(ProviderError::new(ErrorKind::Cancelled, "cancelled while deleting the objects of the bucket"));
        }
        // A listing goes on after the last version of the page before, which must not be deleted by then.
        let (after_next, done) =
            futures::join!(following(cx, bucket, key, next.as_mut()), delete(cx, bucket, now.versions, unlock));
        if let Err(e) = done {
            failed.get_or_insert(e);
        }
        page = next;
        next = after_next?;
    }
    failed.map_or(Ok(()), Err)
}

/// The page after this one.
async fn following(
    cx: &Context<'_, AwsClient>,
    bucket: &str,
    key: Option<&str>,
    page: Option<&mut Page>,
) -> Result<Option<Page>> {
    match page.and_then(|page| page.next.take()) {
        Some(at) => list(cx, bucket, key, Some(at)).await,
        None => Ok(None),
    }
}

/// One page; `None` if the bucket is gone.
async fn list(
    cx: &Context<'_, AwsClient>,
    bucket: &str,
    key: Option<&str>,
    at: Option<(Option<String>, Option<String>)>,
) -> Result<Option<Page>> {
    let (key_marker, version_marker) = at.unwrap_or_default();
    let call = cx.client.s3().list_object_versions().bucket(bucket).set_prefix(key.map(str::to_owned));
    let call = call.set_key_marker(key_marker).set_version_id_marker(version_marker);
    let Some(found) = call.send().await.during("s3:ListObjectVersions").absent_ok(&[NO_BUCKET])? else {
        return Ok(None);
    };
    let more = found.is_truncated == Some(true);
    let next = more.then_some((found.next_key_marker, found.next_version_id_marker));
    let versions = found.versions.unwrap_or_default().into_iter().map(|v| (v.key, v.version_id));
    let markers = found.delete_markers.unwrap_or_default().into_iter().map(|m| (m.key, m.version_id));
    let wanted = versions.chain(markers).filter(|(found, _)| key.is_none() || found.as_deref() == key);
    // A version without a key does not occur; it could not be deleted either.
    let ids = wanted.filter_map(|(key, id)| ObjectIdentifier::builder().key(key?).set_version_id(id).build().ok());
    Ok(Some(Page { versions: ids.collect(), next }))
}

/// Deletes versions: at most 1,000, the size of a page.
async fn delete(
    cx: &Context<'_, AwsClient>,
    bucket: &str,
    versions: Vec<ObjectIdentifier>,
    unlock: bool,
) -> Result<()> {
    if versions.is_empty() {
        return Ok(());
    }
    let request = Delete::builder().set_objects(Some(versions.clone())).quiet(true).build();
    let request = request.map_err(|e| ProviderError::invalid(e.to_string()).source(e))?;
    let call = cx.client.s3().delete_objects().bucket(bucket).delete(request);
    let call = call.set_bypass_governance_retention(unlock.then_some(true));
    let Some(answer) = call.send().await.during("s3:DeleteObjects").absent_ok(&[NO_BUCKET])? else { return Ok(()) };
    let mut failed = None;
    for refused in answer.errors.unwrap_or_default() {
        let code = refused.code.unwrap_or_default();
        let key = refused.key.unwrap_or_default();
        let error = match code.as_str() {
            "NoSuchKey" | "NoSuchVersion" => continue,
            "AccessDenied" if unlock => {
                let named =
                    |id: &&ObjectIdentifier| refused.version_id.is_none() || id.version_id == refused.version_id;
                let mut released = Ok(());
                for id in versions.iter().filter(|id| id.key == key).filter(named) {
                    released = released.and(release(cx, bucket, &key, id.version_id.clone()).await);
                }
                match released {
                    Ok(()) => continue,
                    Err(e) => e,
                }
            }
            _ => {
                let version = refused.version_id.map(|v| format!(" (version {v})")).unwrap_or_default();
                let message = format!("{key}{version}: {}", refused.message.unwrap_or_default());
                let kind = if code == "AccessDenied" { ErrorKind::Denied } else { ErrorKind::Other };
                ProviderError::new(kind, message).operation("s3:DeleteObjects").code(code)
            }
        };
        failed.get_or_insert(error);
    }
    failed.map_or(Ok(()), Err)
}

/// Lifts the legal hold of a version, and deletes it.
async fn release(cx: &Context<'_, AwsClient>, bucket: &str, key: &str, version: Option<String>) -> Result<()> {
    let s3 = cx.client.s3();
    let off = ObjectLockLegalHold::builder().status(ObjectLockLegalHoldStatus::Off).build();
    let call = s3.put_object_legal_hold().bucket(bucket).key(key).set_version_id(version.clone());
    call.legal_hold(off).send().await.during("s3:PutObjectLegalHold")?;
    let call = s3.delete_object().bucket(bucket).key(key).set_version_id(version).bypass_governance_retention(true);
    call.send().await.during("s3:DeleteObject").absent_ok(&["NoSuchKey", "NoSuchVersion", NO_BUCKET])?;
    Ok(())
}
