//! `aws_s3_bucket_versioning`

use aws_sdk_s3::types::{BucketVersioningStatus, MfaDelete, VersioningConfiguration};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::{NO_BUCKET, after_creation, bucket_id, given, parse_bucket_id};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
};

/// Whether a bucket keeps all versions of its objects.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketVersioning {
    /// Name of the bucket.
    #[attr(required, force_new)]
    bucket: String,
    /// Account that must own the bucket.
    #[attr(optional, force_new)]
    expected_bucket_owner: Option<String>,
    /// `BUCKET`, or `BUCKET,EXPECTED_BUCKET_OWNER`
    #[attr(optional, computed)]
    id: Option<String>,
    /// Serial number of the authentication device, a space, and its current code; needed to change `mfa_delete`.
    #[attr(optional)]
    mfa: Option<String>,
    /// The configuration.
    #[block(list, min = 1, max = 1)]
    versioning_configuration: Vec<Versioning>,
}

/// The configuration.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Versioning {
    /// Whether deleting a version needs an authentication device: `Enabled` or `Disabled`
    #[attr(optional, computed)]
    mfa_delete: Option<String>,
    /// `Enabled`, `Suspended` or `Disabled` (never enabled)
    #[attr(required)]
    status: String,
}

/// The status of a bucket that never had versioning. The API has no word for it.
const DISABLED: &str = "Disabled";

impl BucketVersioning {
    fn wanted(&self) -> Versioning {
        self.versioning_configuration.first().cloned().unwrap_or_default()
    }

    async fn put(&self, cx: &Context<'_, AwsClient>, wanted: &Versioning) -> Result<()> {
        let configuration = VersioningConfiguration::builder()
            .status(BucketVersioningStatus::from(wanted.status.as_str()))
            .set_mfa_delete(given(&wanted.mfa_delete).map(|v| MfaDelete::from(v.as_str())))
            .build();
        let call = cx.client.s3().put_bucket_versioning().bucket(&self.bucket).versioning_configuration(configuration);
        let call = call.set_expected_bucket_owner(given(&self.expected_bucket_owner)).set_mfa(given(&self.mfa));
        call.send().await.during("s3:PutBucketVersioning")?;
        Ok(())
    }

    /// What the API decides is known after the call: nothing is set that was not asked for.
    fn complete(&mut self) {
        self.id = Some(bucket_id(&self.bucket, self.expected_bucket_owner.as_deref()));
        for versioning in &mut self.versioning_configuration {
            versioning.mfa_delete.get_or_insert_default();
        }
    }
}

/// The planned or stored `versioning_configuration[0].status`.
fn status(object: &Value) -> Option<&str> {
    object.get("versioning_configuration")?.as_slice()?.first()?.get("status")?.as_str()
}

impl ResourceType for BucketVersioning {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_versioning";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let wrong =
            |message: String| Err(ProviderError::invalid(message).attribute(Path::attr("versioning_configuration")));
        match (change.prior.and_then(status), status(&change.planned)) {
            (_, Some(new)) if !matches!(new, "Enabled" | "Suspended" | DISABLED) => {
                wrong(format!("`status` is {new:?}: expected one of Enabled, Suspended, Disabled"))
            }
            (Some(old @ ("Enabled" | "Suspended")), Some(DISABLED)) if change.replace.is_empty() => {
                wrong(format!("`status` cannot go from {old} to {DISABLED}: S3 can only suspend versioning"))
            }
            _ => Ok(()),
        }
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let call = cx.client.s3().get_bucket_versioning().bucket(&object.bucket);
        let answer = call.set_expected_bucket_owner(given(&object.expected_bucket_owner)).send().await;
        let Some(found) = answer.during("s3:GetBucketVersioning").absent_ok(&[NO_BUCKET])? else { return Ok(None) };
        object.versioning_configuration = vec![Versioning {
            mfa_delete: Some(found.mfa_delete.map(|v| v.as_str().to_owned()).unwrap_or_default()),
            status: found.status.map_or_else(|| DISABLED.to_owned(), |v| v.as_str().to_owned()),
        }];
        object.id = Some(bucket_id(&object.bucket, object.expected_bucket_owner.as_deref()));
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let wanted = object.wanted();
        if wanted.status != DISABLED {
            after_creation(cx, || object.put(cx, &wanted)).await?;
        }
        object.complete();
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        let wanted = object.wanted();
        if wanted.status != DISABLED {
            settle(cx, || object.put(cx, &wanted)).await?;
        }
        object.complete();
        Ok(())
    }

    /// S3 cannot switch versioning off, only suspend it.
    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        if object.wanted().status == DISABLED {
            return Ok(());
        }
        let suspended = Versioning { status: "Suspended".to_owned(), mfa_delete: None };
        match settle(cx, || object.put(cx, &suspended)).await {
            // Under object lock, versioning stays on for the life of the bucket.
            Err(e) if e.has_code("InvalidBucketState") => Ok(()),
            done => done.absent_ok(&[NO_BUCKET]).map(drop),
        }
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        let (bucket, expected_bucket_owner) = parse_bucket_id(id)?;
        Ok(Self { bucket, expected_bucket_owner, id: Some(id.to_owned()), ..Self::default() })
    }
}
