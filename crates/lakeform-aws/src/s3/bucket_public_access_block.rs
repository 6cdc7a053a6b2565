//! `aws_s3_bucket_public_access_block`

use aws_sdk_s3::types::PublicAccessBlockConfiguration;
use lakeform_provider::{Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::{NO_BUCKET, after_creation};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
};

/// What a bucket refuses to make public.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketPublicAccessBlock {
    /// Name of the bucket.
    #[attr(required, force_new)]
    bucket: String,
    /// Refuse to set public ACLs on the bucket and its objects.
    #[attr(optional, default = false)]
    block_public_acls: bool,
    /// Refuse bucket policies that allow public access.
    #[attr(optional, default = false)]
    block_public_policy: bool,
    /// Name of the bucket.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Ignore public ACLs of the bucket and its objects.
    #[attr(optional, default = false)]
    ignore_public_acls: bool,
    /// Where the bucket has a public policy, let only AWS services and the bucket's own account in.
    #[attr(optional, default = false)]
    restrict_public_buckets: bool,
}

impl BucketPublicAccessBlock {
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let configuration = PublicAccessBlockConfiguration::builder()
            .block_public_acls(self.block_public_acls)
            .block_public_policy(self.block_public_policy)
            .ignore_public_acls(self.ignore_public_acls)
            .restrict_public_buckets(self.restrict_public_buckets)
            .build();
        let call = cx.client.s3().put_public_access_block().bucket(&self.bucket);
        call.public_access_block_configuration(configuration).send().await.during("s3:PutPublicAccessBlock")?;
        Ok(())
    }
}

impl ResourceType for BucketPublicAccessBlock {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_public_access_block";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let answer = cx.client.s3().get_public_access_block().bucket(&object.bucket).send().await;
        let absent = [NO_BUCKET, "NoSuchPublicAccessBlockConfiguration"];
        let Some(found) = answer.during("s3:GetPublicAccessBlock").absent_ok(&absent)? else { return Ok(None) };
        let Some(found) = found.public_access_block_configuration else { return Ok(None) };
        object.id = Some(object.bucket.clone());
        object.block_public_acls = found.block_public_acls.unwrap_or_default();
        object.block_public_policy = found.block_public_policy.unwrap_or_default();
        object.ignore_public_acls = found.ignore_public_acls.unwrap_or_default();
        object.restrict_public_buckets = found.restrict_public_buckets.unwrap_or_default();
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        after_creation(cx, || object.put(cx)).await?;
        object.id = Some(object.bucket.clone());
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        settle(cx, || object.put(cx)).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let s3 = cx.client.s3();
        let delete = || async {
            s3.delete_public_access_block().bucket(&object.bucket).send().await.during("s3:DeletePublicAccessBlock")
        };
        settle(cx, delete).await.absent_ok(&[NO_BUCKET, "NoSuchPublicAccessBlockConfiguration"])?;
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        if id.is_empty() {
            return Err(ProviderError::invalid("the name of a bucket is expected"));
        }
        Ok(Self { bucket: id.to_owned(), id: Some(id.to_owned()), ..Self::default() })
    }
}
