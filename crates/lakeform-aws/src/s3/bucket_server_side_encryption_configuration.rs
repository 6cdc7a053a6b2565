//! `aws_s3_bucket_server_side_encryption_configuration`

use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
};
use lakeform_provider::{Context, ErrorKind, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::{NO_BUCKET, after_creation, bucket_id, given, parse_bucket_id};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
};

/// The code of a bucket without a configuration.
pub(crate) const NO_ENCRYPTION: &str = "ServerSideEncryptionConfigurationNotFoundError";

/// How S3 encrypts new objects of a bucket.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketEncryption {
    /// Name of the bucket.
    #[attr(required, force_new)]
    bucket: String,
    /// Account that must own the bucket.
    #[attr(optional, force_new)]
    expected_bucket_owner: Option<String>,
    /// `BUCKET`, or `BUCKET,EXPECTED_BUCKET_OWNER`
    #[attr(optional, computed)]
    id: Option<String>,
    /// The rule. S3 takes one.
    #[block(set, min = 1)]
    rule: Vec<Rule>,
}

/// A rule.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Rule {
    /// Whether a bucket key saves calls to KMS.
    #[attr(optional)]
    pub(crate) bucket_key_enabled: Option<bool>,
    /// The encryption of objects that come without one of their own.
    #[block(list, max = 1)]
    pub(crate) apply_server_side_encryption_by_default: Vec<ByDefault>,
}

/// The encryption of objects that come without one of their own.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct ByDefault {
    /// Id, ARN or alias of the KMS key, for `aws:kms` and `aws:kms:dsse`. Default: the account's `aws/s3`.
    #[attr(optional)]
    pub(crate) kms_master_key_id: Option<String>,
    /// `AES256`, `aws:kms` or `aws:kms:dsse`
    #[attr(required)]
    pub(crate) sse_algorithm: String,
}

/// The rules as the API takes them.
///
/// # Errors
/// When there is none.
pub(crate) fn to_api(rules: &[Rule]) -> Result<ServerSideEncryptionConfiguration> {
    let mut out = vec![];
    for rule in rules {
        let default = rule.apply_server_side_encryption_by_default.first().map(|default| {
            ServerSideEncryptionByDefault::builder()
                .sse_algorithm(ServerSideEncryption::from(default.sse_algorithm.as_str()))
                .set_kms_master_key_id(given(&default.kms_master_key_id))
                .build()
                .map_err(incomplete)
        });
        let rule = ServerSideEncryptionRule::builder()
            .set_bucket_key_enabled(rule.bucket_key_enabled)
            .set_apply_server_side_encryption_by_default(default.transpose()?);
        out.push(rule.build());
    }
    ServerSideEncryptionConfiguration::builder().set_rules(Some(out)).build().map_err(incomplete)
}

/// The rules of an answer, in Terraform's spelling of what is not set.
pub(crate) fn from_api(found: Option<ServerSideEncryptionConfiguration>) -> Vec<Rule> {
    let rules = found.map(|configuration| configuration.rules).unwrap_or_default();
    let default = |d: ServerSideEncryptionByDefault| ByDefault {
        kms_master_key_id: Some(d.kms_master_key_id.unwrap_or_default()),
        sse_algorithm: d.sse_algorithm.as_str().to_owned(),
    };
    let rule = |r: ServerSideEncryptionRule| Rule {
        bucket_key_enabled: Some(r.bucket_key_enabled.unwrap_or_default()),
        apply_server_side_encryption_by_default: r
            .apply_server_side_encryption_by_default
            .map(default)
            .into_iter()
            .collect(),
    };
    rules.into_iter().map(rule).collect()
}

fn incomplete(error: aws_sdk_s3::error::BuildError) -> ProviderError {
    ProviderError::new(ErrorKind::Invalid, error.to_string()).source(error)
}

impl BucketEncryption {
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let call = cx.client.s3().put_bucket_encryption().bucket(&self.bucket);
        let call = call.set_expected_bucket_owner(given(&self.expected_bucket_owner));
        let call = call.server_side_encryption_configuration(to_api(&self.rule)?);
        call.send().await.during("s3:PutBucketEncryption")?;
        Ok(())
    }
}

impl ResourceType for BucketEncryption {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_server_side_encryption_configuration";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let call = cx.client.s3().get_bucket_encryption().bucket(&object.bucket);
        let answer = call.set_expected_bucket_owner(given(&object.expected_bucket_owner)).send().await;
        let found = answer.during("s3:GetBucketEncryption").absent_ok(&[NO_BUCKET, NO_ENCRYPTION])?;
        let Some(found) = found else { return Ok(None) };
        object.rule = from_api(found.server_side_encryption_configuration);
        object.id = Some(bucket_id(&object.bucket, object.expected_bucket_owner.as_deref()));
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        after_creation(cx, || object.put(cx)).await?;
        object.id = Some(bucket_id(&object.bucket, object.expected_bucket_owner.as_deref()));
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        settle(cx, || object.put(cx)).await
    }

    /// What is left is S3's own default, `AES256`.
    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let delete = || async {
            let call = cx.client.s3().delete_bucket_encryption().bucket(&object.bucket);
            let call = call.set_expected_bucket_owner(given(&object.expected_bucket_owner));
            call.send().await.during("s3:DeleteBucketEncryption")
        };
        settle(cx, delete).await.absent_ok(&[NO_BUCKET, NO_ENCRYPTION])?;
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        let (bucket, expected_bucket_owner) = parse_bucket_id(id)?;
        Ok(Self { bucket, expected_bucket_owner, id: Some(id.to_owned()), ..Self::default() })
    }
}
