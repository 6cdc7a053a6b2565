//! The inline `lifecycle_rule` of a bucket.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{
    AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
    LifecycleRule as ApiRule, LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration,
    NoncurrentVersionTransition, Tag, Transition as ApiTransition, TransitionStorageClass,
};
use aws_smithy_types::{DateTime, date_time::Format};
use lakeform_core::Path;
use lakeform_provider::{Context, Model, ProviderError, Result};

use crate::{
    AwsClient,
    error::{Absent, During},
    s3::common::{given, given_number, to_i32, unique_suffix},
};

/// What becomes of objects as they age.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct LifecycleRule {
    /// Days after which an upload that was never completed is aborted.
    #[attr(optional)]
    abort_incomplete_multipart_upload_days: Option<i64>,
    /// Whether the rule applies.
    #[attr(required)]
    enabled: bool,
    /// Name of the rule. Default: a generated one.
    #[attr(optional, computed)]
    id: Option<String>,
    /// What the keys of the objects begin with.
    #[attr(optional)]
    prefix: Option<String>,
    /// Tags that the objects have.
    #[attr(optional)]
    tags: Option<BTreeMap<String, String>>,
    /// When objects are deleted.
    #[block(list, max = 1)]
    expiration: Vec<Expiration>,
    /// When old versions are deleted.
    #[block(list, max = 1)]
    noncurrent_version_expiration: Vec<NoncurrentExpiration>,
    /// When old versions move to another storage class.
    #[block(set)]
    noncurrent_version_transition: Vec<NoncurrentTransition>,
    /// When objects move to another storage class.
    #[block(set)]
    transition: Vec<Transition>,
}

/// When objects are deleted.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Expiration {
    /// On a day: `2030-01-31`
    #[attr(optional)]
    date: Option<String>,
    /// Days after the object was made.
    #[attr(optional)]
    days: Option<i64>,
    /// Delete markers without any version left.
    #[attr(optional)]
    expired_object_delete_marker: Option<bool>,
}

/// When old versions are deleted.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct NoncurrentExpiration {
    /// Days after the version became an old one.
    #[attr(optional)]
    days: Option<i64>,
}

/// When old versions move to another storage class.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct NoncurrentTransition {
    /// Days after the version became an old one.
    #[attr(optional)]
    days: Option<i64>,
    /// Storage class.
    #[attr(required)]
    storage_class: String,
}

/// When objects move to another storage class.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Transition {
    /// On a day: `2030-01-31`
    #[attr(optional)]
    date: Option<String>,
    /// Days after the object was made.
    #[attr(optional)]
    days: Option<i64>,
    /// Storage class.
    #[attr(required)]
    storage_class: String,
}

/// Sets or, without rules, removes the lifecycle.
pub(super) async fn put(cx: &Context<'_, AwsClient>, bucket: &str, rules: &[LifecycleRule]) -> Result<()> {
    let s3 = cx.client.s3();
    if rules.is_empty() {
        s3.delete_bucket_lifecycle().bucket(bucket).send().await.during("s3:DeleteBucketLifecycle")?;
        return Ok(());
    }
    let rules = rules.iter().map(LifecycleRule::to_api).collect::<Result<Vec<_>>>()?;
    let configuration = BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().map_err(incomplete)?;
    let call = s3.put_bucket_lifecycle_configuration().bucket(bucket).lifecycle_configuration(configuration);
    call.send().await.during("s3:PutBucketLifecycleConfiguration")?;
    Ok(())
}

/// Reads the rules.
pub(super) async fn read(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Vec<LifecycleRule>> {
    let answer = cx.client.s3().get_bucket_lifecycle_configuration().bucket(bucket).send().await;
    let found = answer.during("s3:GetBucketLifecycleConfiguration").absent_ok(&["NoSuchLifecycleConfiguration"])?;
    Ok(found.and_then(|f| f.rules).unwrap_or_default().into_iter().map(LifecycleRule::from_api).collect())
}

/// Names the rules that have no name, so that the state says what S3 has.
pub(super) fn name_rules(rules: &mut [LifecycleRule]) {
    for rule in rules.iter_mut().filter(|rule| given(&rule.id).is_none()) {
        rule.id = Some(format!("tf-s3-lifecycle-{}", unique_suffix()));
    }
}

fn incomplete(error: aws_sdk_s3::error::BuildError) -> ProviderError {
    ProviderError::invalid(error.to_string()).source(error)
}

/// Midnight UTC of a day.
fn to_date(date: &Option<String>) -> Result<Option<DateTime>> {
    let Some(date) = given(date) else { return Ok(None) };
    let time = DateTime::from_str(&format!("{date}T00:00:00Z"), Format::DateTime).map_err(|e| {
        ProviderError::invalid(format!("{date:?} is no day: YYYY-MM-DD is expected"))
            .attribute(Path::attr("lifecycle_rule"))
            .source(e)
    })?;
    Ok(Some(time))
}

/// The day of a time: `2030-01-31`
fn from_date(time: Option<DateTime>) -> Option<String> {
    let text = time.and_then(|time| time.fmt(Format::DateTime).ok()).unwrap_or_default();
    Some(text.split('T').next().unwrap_or_default().to_owned())
}

#[expect(deprecated, reason = "rules made long ago have their prefix here")]
fn prefix(rule: &ApiRule) -> Option<String> {
    rule.prefix.clone()
}

fn days(days: Option<i32>) -> Option<i64> {
    Some(days.unwrap_or_default().into())
}

fn class(class: Option<TransitionStorageClass>) -> String {
    class.map(|c| c.as_str().to_owned()).unwrap_or_default()
}

impl LifecycleRule {
    fn to_api(&self) -> Result<ApiRule> {
        let tags = self.tags.iter().flatten().map(|(k, v)| Tag::builder().key(k).value(v).build().map_err(incomplete));
        let tags = tags.collect::<Result<Vec<_>>>()?;
        let prefix = self.prefix.clone().unwrap_or_default();
        let filter = match tags.is_empty() {
            true => LifecycleRuleFilter::builder().prefix(prefix),
            false => LifecycleRuleFilter::builder()
                .and(LifecycleRuleAndOperator::builder().prefix(prefix).set_tags(Some(tags)).build()),
        };
        let expiration = self.expiration.first().map(Expiration::to_api).transpose()?;
        let transitions = self.transition.iter().map(Transition::to_api).collect::<Result<Vec<_>>>()?;
        let noncurrent = self.noncurrent_version_transition.iter().map(|t| {
            NoncurrentVersionTransition::builder()
                .noncurrent_days(to_i32(t.days.unwrap_or_default()))
                .storage_class(TransitionStorageClass::from(t.storage_class.as_str()))
                .build()
        });
        let noncurrent: Vec<_> = noncurrent.collect();
        let old = self.noncurrent_version_expiration.first().and_then(|e| given_number(e.days));
        let abort = given_number(self.abort_incomplete_multipart_upload_days);
        ApiRule::builder()
            .set_id(given(&self.id))
            .status(if self.enabled { ExpirationStatus::Enabled } else { ExpirationStatus::Disabled })
            .filter(filter.build())
            .set_expiration(expiration)
            .set_transitions((!transitions.is_empty()).then_some(transitions))
            .set_noncurrent_version_transitions((!noncurrent.is_empty()).then_some(noncurrent))
            .set_noncurrent_version_expiration(
                old.map(|days| NoncurrentVersionExpiration::builder().noncurrent_days(days).build()),
            )
            .set_abort_incomplete_multipart_upload(
                abort.map(|days| AbortIncompleteMultipartUpload::builder().days_after_initiation(days).build()),
            )
            .build()
            .map_err(incomplete)
    }

    fn from_api(rule: ApiRule) -> Self {
        let mut prefix = prefix(&rule);
        let mut tags = BTreeMap::new();
        if let Some(filter) = rule.filter {
            prefix = prefix.or(filter.prefix);
            tags.extend(filter.tag.map(|t| (t.key, t.value)));
            if let Some(and) = filter.and {
                prefix = prefix.or(and.prefix);
                tags.extend(and.tags.unwrap_or_default().into_iter().map(|t| (t.key, t.value)));
            }
        }
        let noncurrent = |t: NoncurrentVersionTransition| NoncurrentTransition {
            days: days(t.noncurrent_days),
            storage_class: class(t.storage_class),
        };
        let transition = |t: ApiTransition| Transition {
            date: from_date(t.date),
            days: days(t.days),
            storage_class: class(t.storage_class),
        };
        Self {
            abort_incomplete_multipart_upload_days: days(
                rule.abort_incomplete_multipart_upload.and_then(|a| a.days_after_initiation),
            ),
            enabled: rule.status == ExpirationStatus::Enabled,
            id: Some(rule.id.unwrap_or_default()),
            prefix: Some(prefix.unwrap_or_default()),
            tags: (!tags.is_empty()).then_some(tags),
            expiration: rule.expiration.map(Expiration::from_api).into_iter().collect(),
            noncurrent_version_expiration: rule
                .noncurrent_version_expiration
                .map(|e| NoncurrentExpiration { days: days(e.noncurrent_days) })
                .into_iter()
                .collect(),
            noncurrent_version_transition: rule
                .noncurrent_version_transitions
                .unwrap_or_default()
                .into_iter()
                .map(noncurrent)
                .collect(),
            transition: rule.transitions.unwrap_or_default().into_iter().map(transition).collect(),
        }
    }
}

impl Expiration {
    fn to_api(&self) -> Result<LifecycleExpiration> {
        let out = LifecycleExpiration::builder();
        Ok(match (to_date(&self.date)?, given_number(self.days)) {
            (Some(date), _) => out.date(date),
            (None, Some(days)) => out.days(days),
            (None, None) => out.set_expired_object_delete_marker(self.expired_object_delete_marker),
        }
        .build())
    }

    fn from_api(expiration: LifecycleExpiration) -> Self {
        Self {
            date: from_date(expiration.date),
            days: days(expiration.days),
            expired_object_delete_marker: Some(expiration.expired_object_delete_marker.unwrap_or_default()),
        }
    }
}

impl Transition {
    /// Zero days are a time too: at once.
    fn to_api(&self) -> Result<ApiTransition> {
        let out = ApiTransition::builder().storage_class(TransitionStorageClass::from(self.storage_class.as_str()));
        Ok(match to_date(&self.date)? {
            Some(date) => out.date(date),
            None => out.days(to_i32(self.days.unwrap_or_default())),
        }
        .build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_midnight_utc() {
        let day = to_date(&Some("2030-01-12".into())).unwrap().unwrap();
        assert_eq!(day.secs(), 1_894_406_400);
        assert_eq!(from_date(Some(day)).as_deref(), Some("2030-01-12"));
        assert_eq!(from_date(None).as_deref(), Some(""));
        assert!(to_date(&Some("12.1.2030".into())).is_err());
    }
}
