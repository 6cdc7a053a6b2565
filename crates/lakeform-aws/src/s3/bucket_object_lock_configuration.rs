//! `aws_s3_bucket_object_lock_configuration`

use aws_sdk_s3::types::{
    DefaultRetention, ObjectLockConfiguration, ObjectLockEnabled, ObjectLockRetentionMode, ObjectLockRule,
};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::{
    blocks::{blocks, one_of},
    common::{NO_BUCKET, after_creation, bucket_id, given, given_number, parse_bucket_id, text},
};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
};

/// The code of a bucket without object lock.
const NO_LOCK: &str = "ObjectLockConfigurationNotFoundError";

/// The only status that S3 knows: object lock cannot be switched off.
const ENABLED: &str = "Enabled";

/// For how long nobody can delete or overwrite new objects of a bucket.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketObjectLock {
    /// Name of the bucket.
    #[attr(required, force_new)]
    bucket: String,
    /// Account that must own the bucket.
    #[attr(optional, force_new)]
    expected_bucket_owner: Option<String>,
    /// `BUCKET`, or `BUCKET,EXPECTED_BUCKET_OWNER`
    #[attr(optional, computed)]
    id: Option<String>,
    /// `Enabled`
    #[attr(optional, force_new, default = ENABLED)]
    object_lock_enabled: Option<String>,
    /// A token from AWS Support that allows object lock on a bucket that was made without.
    #[attr(optional, sensitive)]
    token: Option<String>,
    /// The rule for objects that come without one of their own.
    #[block(list, max = 1)]
    rule: Vec<Rule>,
}

/// The rule for objects that come without one of their own.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Rule {
    /// How long, and how strictly.
    #[block(list, min = 1, max = 1)]
    default_retention: Vec<Retention>,
}

/// How long, and how strictly.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Retention {
    /// Days. Excludes `years`.
    #[attr(optional)]
    days: Option<i64>,
    /// `COMPLIANCE` (nobody can shorten it) or `GOVERNANCE` (those with a permission of its own can)
    #[attr(optional)]
    mode: Option<String>,
    /// Years. Excludes `days`.
    #[attr(optional)]
    years: Option<i64>,
}

fn rule_to_api(rule: &Rule) -> ObjectLockRule {
    let retention = rule.default_retention.first().map(|retention| {
        DefaultRetention::builder()
            .set_mode(given(&retention.mode).map(|mode| ObjectLockRetentionMode::from(mode.as_str())))
            .set_days(given_number(retention.days))
            .set_years(given_number(retention.years))
            .build()
    });
    ObjectLockRule::builder().set_default_retention(retention).build()
}

fn rule_from_api(rule: ObjectLockRule) -> Rule {
    let number = |n: Option<i32>| Some(i64::from(n.unwrap_or_default()));
    let retention = rule.default_retention.map(|retention| Retention {
        days: number(retention.days),
        mode: text(retention.mode.as_ref().map(ObjectLockRetentionMode::as_str)),
        years: number(retention.years),
    });
    Rule { default_retention: Vec::from_iter(retention) }
}

impl BucketObjectLock {
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let enabled = given(&self.object_lock_enabled);
        let configuration = ObjectLockConfiguration::builder()
            .object_lock_enabled(ObjectLockEnabled::from(enabled.as_deref().unwrap_or(ENABLED)))
            .set_rule(self.rule.first().map(rule_to_api))
            .build();
        let call = cx.client.s3().put_object_lock_configuration().bucket(&self.bucket);
        let call = call.set_expected_bucket_owner(given(&self.expected_bucket_owner)).set_token(given(&self.token));
        call.object_lock_configuration(configuration).send().await.during("s3:PutObjectLockConfiguration")?;
        Ok(())
    }

    /// What Terraform stores where nothing is set.
    fn complete(&mut self) {
        self.id = Some(bucket_id(&self.bucket, self.expected_bucket_owner.as_deref()));
        self.expected_bucket_owner.get_or_insert_default();
        for retention in self.rule.iter_mut().flat_map(|rule| &mut rule.default_retention) {
            retention.days.get_or_insert_default();
            retention.mode.get_or_insert_default();
            retention.years.get_or_insert_default();
        }
    }
}

impl ResourceType for BucketObjectLock {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_object_lock_configuration";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let root = Path::root();
        one_of(change.config, "object_lock_enabled", &[ENABLED], &root)?;
        for (rule, at) in blocks(change.config, "rule", &root) {
            for (retention, at) in blocks(rule, "default_retention", &at) {
                one_of(retention, "mode", &["COMPLIANCE", "GOVERNANCE"], &at)?;
                let sets = |name: &str| retention.get(name).and_then(Value::as_i64).is_some_and(|n| n != 0);
                if sets("days") && sets("years") {
                    return Err(ProviderError::invalid("`days` and `years` exclude each other").attribute(at));
                }
            }
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let call = cx.client.s3().get_object_lock_configuration().bucket(&object.bucket);
        let answer = call.set_expected_bucket_owner(given(&object.expected_bucket_owner)).send().await;
        let found = answer.during("s3:GetObjectLockConfiguration").absent_ok(&[NO_BUCKET, NO_LOCK])?;
        let Some(found) = found.and_then(|found| found.object_lock_configuration) else { return Ok(None) };
        object.object_lock_enabled = text(found.object_lock_enabled.as_ref().map(ObjectLockEnabled::as_str));
        object.rule = Vec::from_iter(found.rule.map(rule_from_api));
        object.complete();
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        after_creation(cx, || object.put(cx)).await?;
        object.complete();
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        settle(cx, || object.put(cx)).await?;
        object.complete();
        Ok(())
    }

    /// S3 cannot switch object lock off, only drop the rule for new objects.
    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let bare = Self { rule: vec![], token: None, ..object.clone() };
        settle(cx, || bare.put(cx)).await.absent_ok(&[NO_BUCKET, NO_LOCK])?;
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        let (bucket, expected_bucket_owner) = parse_bucket_id(id)?;
        Ok(Self { bucket, expected_bucket_owner, id: Some(id.to_owned()), ..Self::default() })
    }
}
