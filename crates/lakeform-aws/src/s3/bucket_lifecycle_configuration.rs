//! `aws_s3_bucket_lifecycle_configuration`

mod convert;
mod model;
mod plan;
mod upgrade;

use std::time::Duration;

use aws_sdk_s3::types::TransitionDefaultMinimumObjectSize;
use lakeform_core::Value;
use lakeform_provider::{Change, Context, FoundBy, Poll, ResourceType, Result, Wait};

use self::{
    convert::{from_api, keep_spelling, same_rules, to_api},
    model::DEFAULT_MINIMUM_SIZE,
};
use super::common::{NO_BUCKET, after_creation, bucket_id, given, parse_bucket_id};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
};

pub(crate) use model::BucketLifecycle;

/// The code of a bucket without a configuration.
const NO_LIFECYCLE: &str = "NoSuchLifecycleConfiguration";

/// What S3 has.
struct Found {
    rules: Vec<model::Rule>,
    minimum_size: Option<String>,
}

impl BucketLifecycle {
    async fn get(&self, cx: &Context<'_, AwsClient>) -> Result<Option<Found>> {
        let call = cx.client.s3().get_bucket_lifecycle_configuration().bucket(&self.bucket);
        let answer = call.set_expected_bucket_owner(given(&self.expected_bucket_owner)).send().await;
        let found = answer.during("s3:GetBucketLifecycleConfiguration").absent_ok(&[NO_BUCKET, NO_LIFECYCLE])?;
        Ok(found.map(|found| Found {
            minimum_size: found.transition_default_minimum_object_size.map(|v| v.as_str().to_owned()),
            rules: from_api(found.rules.unwrap_or_default()),
        }))
    }

    /// Directory buckets have no default minimum size.
    fn minimum_size(&self) -> Option<String> {
        given(&self.transition_default_minimum_object_size).filter(|_| !self.bucket.ends_with("--x-s3"))
    }

    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let size = self.minimum_size().map(|v| TransitionDefaultMinimumObjectSize::from(v.as_str()));
        let call = cx.client.s3().put_bucket_lifecycle_configuration().bucket(&self.bucket);
        let call = call.set_expected_bucket_owner(given(&self.expected_bucket_owner));
        let call = call.set_transition_default_minimum_object_size(size).lifecycle_configuration(to_api(&self.rule)?);
        call.send().await.during("s3:PutBucketLifecycleConfiguration")?;
        Ok(())
    }

    /// Waits until S3 shows what it was given: for a while after a change it may still show the configuration before.
    async fn settle(&mut self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let (this, size) = (&*self, self.minimum_size());
        let look = || async {
            let found = this.get(cx).await?;
            let same_size = |shown: &Option<String>| shown.is_none() || size.is_none() || *shown == size;
            Ok(match found {
                Some(found) if same_size(&found.minimum_size) && same_rules(&this.rule, &found.rules) => {
                    Poll::Ready(found)
                }
                _ => Poll::Pending,
            })
        };
        let found =
            cx.wait(Wait::new("lifecycle configuration to become as given", Duration::from_secs(180)), look).await?;
        self.rule = keep_spelling(std::mem::take(&mut self.rule), found.rules);
        self.transition_default_minimum_object_size.get_or_insert_with(|| DEFAULT_MINIMUM_SIZE.to_owned());
        Ok(())
    }
}

impl ResourceType for BucketLifecycle {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_lifecycle_configuration";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const VERSION: u64 = 1;
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        plan::plan(change)
    }

    fn upgrade(from: u64, stored: Value) -> Option<Value> {
        (from == 0).then(|| upgrade::upgrade(stored))
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let Some(found) = object.get(cx).await? else { return Ok(None) };
        object.rule = keep_spelling(object.rule, found.rules);
        let size = found.minimum_size.or(object.transition_default_minimum_object_size);
        object.transition_default_minimum_object_size = Some(size.unwrap_or_else(|| DEFAULT_MINIMUM_SIZE.to_owned()));
        object.id = Some(bucket_id(&object.bucket, object.expected_bucket_owner.as_deref()));
        object.expected_bucket_owner.get_or_insert_default();
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        after_creation(cx, || object.put(cx)).await?;
        object.id = Some(bucket_id(&object.bucket, object.expected_bucket_owner.as_deref()));
        object.expected_bucket_owner.get_or_insert_default();
        object.settle(cx).await
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        settle(cx, || object.put(cx)).await?;
        object.settle(cx).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let delete = || async {
            let call = cx.client.s3().delete_bucket_lifecycle().bucket(&object.bucket);
            let call = call.set_expected_bucket_owner(given(&object.expected_bucket_owner));
            call.send().await.during("s3:DeleteBucketLifecycle")
        };
        settle(cx, delete).await.absent_ok(&[NO_BUCKET, NO_LIFECYCLE])?;
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        let (bucket, expected_bucket_owner) = parse_bucket_id(id)?;
        Ok(Self { bucket, expected_bucket_owner, id: Some(id.to_owned()), ..Self::default() })
    }
}
