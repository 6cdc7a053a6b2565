//! `aws_s3_bucket_policy`

use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::{NO_BUCKET, after_creation, plan_normal_json};
use crate::{
    AwsClient,
    error::{Absent, During},
    policy,
    propagation::settle,
};

/// The code of a bucket without a policy.
pub(crate) const NO_POLICY: &str = "NoSuchBucketPolicy";

/// The policy of a bucket.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketPolicy {
    /// Name of the bucket.
    #[attr(required, force_new)]
    bucket: String,
    /// Name of the bucket.
    #[attr(optional, computed)]
    id: Option<String>,
    /// The policy document.
    #[attr(required, json, same = policy::same)]
    policy: String,
}

/// Sets the policy of a bucket. A principal that this run has just made may take S3 a while to hear of.
pub(crate) async fn put(cx: &Context<'_, AwsClient>, bucket: &str, policy: &str) -> Result<()> {
    let call = || async {
        cx.client.s3().put_bucket_policy().bucket(bucket).policy(policy).send().await.during("s3:PutBucketPolicy")
    };
    settle(cx, call).await.map(drop)
}

/// Reads the policy of a bucket; `None` without one.
pub(crate) async fn get(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Option<String>> {
    let answer = cx.client.s3().get_bucket_policy().bucket(bucket).send().await.during("s3:GetBucketPolicy");
    Ok(answer.absent_ok(&[NO_BUCKET, NO_POLICY])?.and_then(|found| found.policy))
}

/// Deletes the policy of a bucket.
pub(crate) async fn delete(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<()> {
    let delete =
        || async { cx.client.s3().delete_bucket_policy().bucket(bucket).send().await.during("s3:DeleteBucketPolicy") };
    settle(cx, delete).await.absent_ok(&[NO_BUCKET, NO_POLICY])?;
    Ok(())
}

impl ResourceType for BucketPolicy {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_policy";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        plan_normal_json(change, "policy");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let Some(policy) = get(cx, &object.bucket).await? else { return Ok(None) };
        object.policy = policy;
        object.id = Some(object.bucket.clone());
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        after_creation(cx, || put(cx, &object.bucket, &object.policy)).await?;
        object.id = Some(object.bucket.clone());
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        put(cx, &object.bucket, &object.policy).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        delete(cx, &object.bucket).await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        if id.is_empty() {
            return Err(ProviderError::invalid("the name of a bucket is expected"));
        }
        Ok(Self { bucket: id.to_owned(), id: Some(id.to_owned()), ..Self::default() })
    }
}
