//! `aws_s3_bucket_logging`

use aws_sdk_s3::{
    error::BuildError,
    types::{
        BucketLoggingStatus, BucketLogsPermission, Grantee as ApiGrantee, LoggingEnabled, PartitionDateSource,
        PartitionedPrefix as ApiPartitionedPrefix, SimplePrefix as ApiSimplePrefix, TargetGrant as ApiTargetGrant,
        TargetObjectKeyFormat as ApiKeyFormat, Type,
    },
};
use lakeform_core::Path;
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::{NO_BUCKET, after_creation, bucket_id, given, parse_bucket_id, text};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
};

/// Where S3 writes the access log of a bucket.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketLogging {
    /// Name of the bucket.
    #[attr(required, force_new)]
    bucket: String,
    /// Account that must own the bucket.
    #[attr(optional, force_new)]
    expected_bucket_owner: Option<String>,
    /// `BUCKET`, or `BUCKET,EXPECTED_BUCKET_OWNER`
    #[attr(optional, computed)]
    id: Option<String>,
    /// Bucket that receives the logs.
    #[attr(required)]
    target_bucket: String,
    /// What the keys of the logs begin with.
    #[attr(required)]
    target_prefix: String,
    /// Who may do what with the logs.
    #[block(set)]
    target_grant: Vec<TargetGrant>,
    /// How the keys of the logs are made.
    #[block(list, max = 1)]
    target_object_key_format: Vec<KeyFormat>,
}

/// Who may do what with the logs.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct TargetGrant {
    /// `FULL_CONTROL`, `READ` or `WRITE`
    #[attr(required)]
    permission: String,
    /// Who.
    #[block(list, min = 1, max = 1)]
    grantee: Vec<Grantee>,
}

/// Who.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Grantee {
    /// The owner's name.
    #[attr(computed)]
    display_name: Option<String>,
    /// Address of an account, for `AmazonCustomerByEmail`.
    #[attr(optional)]
    email_address: Option<String>,
    /// Canonical user id, for `CanonicalUser`.
    #[attr(optional)]
    id: Option<String>,
    /// `CanonicalUser`, `AmazonCustomerByEmail` or `Group`
    #[attr(required, name = "type")]
    kind: String,
    /// URI of a group, for `Group`.
    #[attr(optional)]
    uri: Option<String>,
}

/// How the keys of the logs are made: one of the two.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct KeyFormat {
    /// By account, region, bucket and date.
    #[block(list, max = 1)]
    partitioned_prefix: Vec<PartitionedPrefix>,
    /// Prefix, time and a unique text.
    #[block(list, max = 1)]
    simple_prefix: Vec<SimplePrefix>,
}

/// By account, region, bucket and date.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct PartitionedPrefix {
    /// `EventTime` or `DeliveryTime`
    #[attr(required)]
    partition_date_source: String,
}

/// Prefix, time and a unique text.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct SimplePrefix {}

impl BucketLogging {
    fn to_api(&self) -> Result<LoggingEnabled, BuildError> {
        let grants = self.target_grant.iter().map(TargetGrant::to_api).collect::<Result<Vec<_>, _>>()?;
        LoggingEnabled::builder()
            .target_bucket(&self.target_bucket)
            .target_prefix(&self.target_prefix)
            .set_target_grants((!grants.is_empty()).then_some(grants))
            .set_target_object_key_format(self.target_object_key_format.first().map(KeyFormat::to_api))
            .build()
    }

    /// Sets or, without logging, removes it.
    async fn put(&self, cx: &Context<'_, AwsClient>, logging: Option<LoggingEnabled>) -> Result<()> {
        let status = BucketLoggingStatus::builder().set_logging_enabled(logging).build();
        let call = cx.client.s3().put_bucket_logging().bucket(&self.bucket).bucket_logging_status(status);
        let call = call.set_expected_bucket_owner(given(&self.expected_bucket_owner));
        call.send().await.during("s3:PutBucketLogging")?;
        Ok(())
    }

    /// What the API decides is known after the call: it resolves no names.
    fn complete(&mut self) {
        self.id = Some(bucket_id(&self.bucket, self.expected_bucket_owner.as_deref()));
        for grantee in self.target_grant.iter_mut().flat_map(|grant| &mut grant.grantee) {
            grantee.display_name.get_or_insert_default();
        }
    }
}

impl TargetGrant {
    fn to_api(&self) -> Result<ApiTargetGrant, BuildError> {
        let grantee = self.grantee.first().map(|grantee| {
            ApiGrantee::builder()
                .r#type(Type::from(grantee.kind.as_str()))
                .set_id(given(&grantee.id))
                .set_email_address(given(&grantee.email_address))
                .set_uri(given(&grantee.uri))
                .build()
        });
        let permission = BucketLogsPermission::from(self.permission.as_str());
        Ok(ApiTargetGrant::builder().permission(permission).set_grantee(grantee.transpose()?).build())
    }

    fn from_api(grant: ApiTargetGrant) -> Self {
        let grantee = |g: ApiGrantee| Grantee {
            display_name: text(g.display_name.as_deref()),
            email_address: text(g.email_address.as_deref()),
            id: text(g.id.as_deref()),
            kind: g.r#type.as_str().to_owned(),
            uri: text(g.uri.as_deref()),
        };
        Self {
            permission: grant.permission.map(|p| p.as_str().to_owned()).unwrap_or_default(),
            grantee: grant.grantee.map(grantee).into_iter().collect(),
        }
    }
}

impl KeyFormat {
    fn to_api(&self) -> ApiKeyFormat {
        let partitioned = self.partitioned_prefix.first().map(|p| {
            let source = PartitionDateSource::from(p.partition_date_source.as_str());
            ApiPartitionedPrefix::builder().partition_date_source(source).build()
        });
        let simple = self.simple_prefix.first().map(|_| ApiSimplePrefix::builder().build());
        ApiKeyFormat::builder().set_partitioned_prefix(partitioned).set_simple_prefix(simple).build()
    }

    fn from_api(format: ApiKeyFormat) -> Self {
        let partitioned = format.partitioned_prefix.map(|p| PartitionedPrefix {
            partition_date_source: p.partition_date_source.map(|s| s.as_str().to_owned()).unwrap_or_default(),
        });
        Self {
            partitioned_prefix: partitioned.into_iter().collect(),
            simple_prefix: format.simple_prefix.map(|_| SimplePrefix {}).into_iter().collect(),
        }
    }
}

fn incomplete(error: BuildError) -> ProviderError {
    ProviderError::invalid(error.to_string()).source(error)
}

impl ResourceType for BucketLogging {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_logging";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let format = change.config.get("target_object_key_format").and_then(|v| v.as_slice()?.first());
        if let Some(format) = format.filter(|format| format.is_known()) {
            let set = |name: &str| format.get(name).and_then(|v| v.as_slice()).is_some_and(|v| !v.is_empty());
            if set("partitioned_prefix") == set("simple_prefix") && format.is_wholly_known() {
                return Err(ProviderError::invalid("one of `partitioned_prefix` and `simple_prefix` is expected")
                    .attribute(Path::attr("target_object_key_format")));
            }
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let call = cx.client.s3().get_bucket_logging().bucket(&object.bucket);
        let answer = call.set_expected_bucket_owner(given(&object.expected_bucket_owner)).send().await;
        let found = answer.during("s3:GetBucketLogging").absent_ok(&[NO_BUCKET])?;
        let Some(found) = found.and_then(|found| found.logging_enabled) else { return Ok(None) };
        object.id = Some(bucket_id(&object.bucket, object.expected_bucket_owner.as_deref()));
        object.target_bucket = found.target_bucket;
        object.target_prefix = found.target_prefix;
        object.target_grant = found.target_grants.unwrap_or_default().into_iter().map(TargetGrant::from_api).collect();
        object.target_object_key_format = found.target_object_key_format.map(KeyFormat::from_api).into_iter().collect();
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let logging = object.to_api().map_err(incomplete)?;
        after_creation(cx, || object.put(cx, Some(logging.clone()))).await?;
        object.complete();
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        let logging = object.to_api().map_err(incomplete)?;
        settle(cx, || object.put(cx, Some(logging.clone()))).await?;
        object.complete();
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        settle(cx, || object.put(cx, None)).await.absent_ok(&[NO_BUCKET])?;
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        let (bucket, expected_bucket_owner) = parse_bucket_id(id)?;
        Ok(Self { bucket, expected_bucket_owner, id: Some(id.to_owned()), ..Self::default() })
    }
}
