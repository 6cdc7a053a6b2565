//! `aws_s3_bucket_intelligent_tiering_configuration`

use std::collections::BTreeMap;

use aws_sdk_s3::{
    error::BuildError,
    types::{
        IntelligentTieringAccessTier, IntelligentTieringAndOperator, IntelligentTieringConfiguration,
        IntelligentTieringFilter, IntelligentTieringStatus, Tag, Tiering as ApiTiering,
    },
};
use lakeform_core::Path;
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::{
    blocks::{blocks, has, one_of},
    common::{NO_BUCKET, after_creation, given, text, to_i32},
};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
};

/// The code of a bucket without a configuration of that name.
const NO_CONFIGURATION: &str = "NoSuchConfiguration";

/// When objects in the storage class `INTELLIGENT_TIERING` go to its archive tiers.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketIntelligentTiering {
    /// Name of the bucket.
    #[attr(required, force_new)]
    bucket: String,
    /// `BUCKET:NAME`
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the configuration, at most 64 characters.
    #[attr(required, force_new)]
    name: String,
    /// `Enabled` or `Disabled`
    #[attr(optional, default = "Enabled")]
    status: Option<String>,
    /// Which objects. Default: all.
    #[block(list, max = 1)]
    filter: Vec<Filter>,
    /// The archive tiers.
    #[block(set, min = 1)]
    tiering: Vec<Tiering>,
}

/// Which objects: those to which all of this applies.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Filter {
    /// Objects whose keys begin so.
    #[attr(optional)]
    prefix: Option<String>,
    /// Objects with all these tags.
    #[attr(optional)]
    tags: Option<BTreeMap<String, String>>,
}

/// An archive tier.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Tiering {
    /// `ARCHIVE_ACCESS` or `DEEP_ARCHIVE_ACCESS`
    #[attr(required)]
    access_tier: String,
    /// Days without access until an object goes there: at least 90 and 180.
    #[attr(required)]
    days: i64,
}

impl Filter {
    fn to_api(&self) -> Result<IntelligentTieringFilter, BuildError> {
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        let mut tags = self.tags.iter().flatten().map(tag).collect::<Result<Vec<_>, _>>()?;
        let prefix = given(&self.prefix);
        let out = IntelligentTieringFilter::builder();
        // Several conditions go into `And`, which S3 refuses for a single one.
        let out = match (prefix, tags.len()) {
            (prefix, 0) => out.set_prefix(prefix),
            (None, 1) => out.set_tag(tags.pop()),
            (prefix, _) => {
                out.and(IntelligentTieringAndOperator::builder().set_prefix(prefix).set_tags(Some(tags)).build())
            }
        };
        Ok(out.build())
    }

    fn from_api(filter: IntelligentTieringFilter) -> Self {
        let (mut prefix, mut tags) = (filter.prefix, Vec::from_iter(filter.tag));
        if let Some(and) = filter.and {
            prefix = and.prefix;
            tags.extend(and.tags.unwrap_or_default());
        }
        let tags: BTreeMap<_, _> = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
        Self { prefix: text(prefix.as_deref()), tags: Some(tags).filter(|tags| !tags.is_empty()) }
    }
}

fn to_api(object: &BucketIntelligentTiering) -> Result<IntelligentTieringConfiguration, BuildError> {
    let tiering = |t: &Tiering| {
        let tier = IntelligentTieringAccessTier::from(t.access_tier.as_str());
        ApiTiering::builder().access_tier(tier).days(to_i32(t.days)).build()
    };
    IntelligentTieringConfiguration::builder()
        .id(&object.name)
        .status(IntelligentTieringStatus::from(given(&object.status).as_deref().unwrap_or("Enabled")))
        .set_filter(object.filter.first().map(Filter::to_api).transpose()?)
        .set_tierings(Some(object.tiering.iter().map(tiering).collect::<Result<_, _>>()?))
        .build()
}

impl BucketIntelligentTiering {
    fn take(&mut self, found: IntelligentTieringConfiguration) {
        self.name = found.id;
        self.status = Some(found.status.as_str().to_owned());
        self.filter = Vec::from_iter(found.filter.map(Filter::from_api));
        let tiering = |t: ApiTiering| Tiering { access_tier: t.access_tier.as_str().to_owned(), days: t.days.into() };
        self.tiering = found.tierings.into_iter().map(tiering).collect();
        self.complete();
    }

    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let configuration = to_api(self).map_err(|e| ProviderError::invalid(e.to_string()).source(e))?;
        let call = cx.client.s3().put_bucket_intelligent_tiering_configuration().bucket(&self.bucket).id(&self.name);
        let call = call.intelligent_tiering_configuration(configuration).send();
        call.await.during("s3:PutBucketIntelligentTieringConfiguration")?;
        Ok(())
    }

    fn complete(&mut self) {
        self.id = Some(format!("{}:{}", self.bucket, self.name));
        for filter in &mut self.filter {
            filter.prefix.get_or_insert_default();
        }
    }
}

impl ResourceType for BucketIntelligentTiering {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_intelligent_tiering_configuration";
    const IDENTITY: &'static [&'static str] = &["bucket", "name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let root = Path::root();
        one_of(change.config, "status", &["Enabled", "Disabled"], &root)?;
        for (tiering, at) in blocks(change.config, "tiering", &root) {
            one_of(tiering, "access_tier", &["ARCHIVE_ACCESS", "DEEP_ARCHIVE_ACCESS"], &at)?;
        }
        for (filter, at) in blocks(change.config, "filter", &root) {
            let tagged = filter
                .get("tags")
                .is_some_and(|tags| tags.as_mapping().is_none_or(|tags| !tags.is_empty()) && !tags.is_null());
            if filter.is_known() && !has(filter, "prefix") && !tagged {
                return Err(ProviderError::invalid("a filter needs `prefix` or `tags`").attribute(at));
            }
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let call =
            cx.client.s3().get_bucket_intelligent_tiering_configuration().bucket(&object.bucket).id(&object.name);
        let answer = call.send().await.during("s3:GetBucketIntelligentTieringConfiguration");
        let found = answer.absent_ok(&[NO_BUCKET, NO_CONFIGURATION])?;
        let Some(found) = found.and_then(|found| found.intelligent_tiering_configuration) else { return Ok(None) };
        object.take(found);
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

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let delete = || async {
            let call = cx.client.s3().delete_bucket_intelligent_tiering_configuration();
            let call = call.bucket(&object.bucket).id(&object.name).send();
            call.await.during("s3:DeleteBucketIntelligentTieringConfiguration")
        };
        settle(cx, delete).await.absent_ok(&[NO_BUCKET, NO_CONFIGURATION])?;
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        match id.split_once(':') {
            Some((bucket, name)) if !bucket.is_empty() && !name.is_empty() => {
                let (bucket, name) = (bucket.to_owned(), name.to_owned());
                Ok(Self { bucket, name, id: Some(id.to_owned()), ..Self::default() })
            }
            _ => Err(ProviderError::invalid(format!("{id:?} is no identifier: BUCKET:NAME is expected"))),
        }
    }
}
