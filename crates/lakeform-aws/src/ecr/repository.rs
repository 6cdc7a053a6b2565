//! `aws_ecr_repository`

use std::time::Duration;

use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability, Repository as Live, Tag,
};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};

use super::{GONE, find, read_tags};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    stored::{given, text},
    tags::{TagChanges, Tags},
};

/// A repository of container images.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct RepositoryModel {
    /// ARN of the repository.
    #[attr(computed)]
    arn: Option<String>,
    /// Whether deleting the repository deletes the images in it too.
    #[attr(optional)]
    force_delete: Option<bool>,
    /// Name of the repository.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Whether a tag can be moved to another image: `MUTABLE` (default) or `IMMUTABLE`.
    #[attr(optional, default = "MUTABLE")]
    image_tag_mutability: Option<String>,
    /// Name of the repository; slashes make namespaces.
    #[attr(required, force_new)]
    name: String,
    /// The account that the registry belongs to.
    #[attr(computed)]
    registry_id: Option<String>,
    /// Where images are pushed to: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`
    #[attr(computed)]
    repository_url: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// How images are encrypted.
    #[block(list, computed, force_new)]
    encryption_configuration: Vec<Encryption>,
    /// Whether images are scanned for known weaknesses.
    #[block(list, max = 1, computed)]
    image_scanning_configuration: Vec<Scanning>,
    /// Time limits.
    #[block(single)]
    timeouts: Option<Timeouts>,
}

/// How images are encrypted.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Encryption {
    /// `AES256` (default), `KMS` or `KMS_DSSE`.
    #[attr(optional, force_new, default = "AES256")]
    encryption_type: Option<String>,
    /// KMS key. AWS's default under `KMS`: `alias/aws/ecr`.
    #[attr(optional, computed, force_new)]
    kms_key: Option<String>,
}

/// Whether images are scanned.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Scanning {
    /// Whether each image is scanned when it is pushed.
    #[attr(required)]
    scan_on_push: bool,
}

/// Time limits.
#[derive(Model, Clone, Debug, Default)]
struct Timeouts {
    /// Limit for deleting. Default: `20m`.
    #[attr(optional)]
    delete: Option<String>,
}

/// `aws_ecr_repository`
pub(crate) struct RepositoryType;

impl ResourceType for RepositoryType {
    type Client = AwsClient;
    type Model = RepositoryModel;
    const NAME: &'static str = "aws_ecr_repository";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::one_of(change, "image_tag_mutability", &["MUTABLE", "IMMUTABLE"])?;
        let blocks = change.config.get("encryption_configuration").and_then(Value::as_slice).unwrap_or_default();
        let kinds = blocks.iter().filter_map(|block| block.get("encryption_type")?.as_str());
        match kinds.into_iter().find(|kind| !EncryptionType::values().contains(kind)) {
            Some(kind) => {
                let expected = EncryptionType::values().join(", ");
                Err(ProviderError::invalid(format!("encryption_type is {kind:?}; expected is one of {expected}"))
                    .attribute(Path::attr("encryption_configuration")))
            }
            None => Ok(()),
        }
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: RepositoryModel) -> Result<Option<RepositoryModel>> {
        let Some(name) = object.id.clone() else { return Ok(None) };
        let tags = async {
            // The tags are asked for by ARN, which an import does not know yet.
            let Some(arn) = object.arn.clone() else { return Ok(None) };
            read_tags(cx, &arn).await.map(Some)
        };
        let (found, tags) = tokio::join!(find(cx, &name, None), tags);
        let Some(live) = found? else { return Ok(None) };
        let stored = object.arn.clone();
        object.take(&live);
        let tags = match tags? {
            Some(tags) if object.arn == stored => tags,
            _ => read_tags(cx, object.arn.as_deref().unwrap_or_default()).await?,
        };
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut RepositoryModel) -> Result<()> {
        let encryption = object.encryption_configuration.first().map(Encryption::sent).transpose()?;
        let tags = sdk_tags(object.tags_all.iter().flatten())?;
        let answer = cx
            .client
            .ecr()
            .create_repository()
            .repository_name(&object.name)
            .set_image_tag_mutability(object.mutability())
            .set_encryption_configuration(encryption)
            .set_image_scanning_configuration(object.image_scanning_configuration.first().map(Scanning::sent))
            .set_tags((!tags.is_empty()).then_some(tags))
            .send()
            .await
            .during("ecr:CreateRepository")?;
        let Some(live) = answer.repository else {
            return Err(ProviderError::invalid("the answer holds no repository").operation("ecr:CreateRepository"));
        };
        object.take(&live);
        Ok(())
    }

    async fn locate(_cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(planned.name.clone());
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &RepositoryModel, object: &mut RepositoryModel) -> Result<()> {
        let ecr = cx.client.ecr();
        let name = prior.id.clone().unwrap_or_default();
        if prior.image_tag_mutability != object.image_tag_mutability {
            let call = ecr.put_image_tag_mutability().repository_name(&name).set_registry_id(prior.registry_id.clone());
            let call = call.set_image_tag_mutability(object.mutability());
            call.send().await.during("ecr:PutImageTagMutability")?;
        }
        if prior.image_scanning_configuration != object.image_scanning_configuration {
            let scanning = object.image_scanning_configuration.first().cloned().unwrap_or_default();
            let call = ecr.put_image_scanning_configuration().repository_name(&name);
            let call = call.set_registry_id(prior.registry_id.clone()).image_scanning_configuration(scanning.sent());
            call.send().await.during("ecr:PutImageScanningConfiguration")?;
        }
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        let arn = prior.arn.clone().unwrap_or_default();
        if !tags.remove.is_empty() {
            let call = ecr.untag_resource().resource_arn(&arn).set_tag_keys(Some(tags.remove.clone()));
            call.send().await.during("ecr:UntagResource")?;
        }
        if !tags.set.is_empty() {
            let call = ecr.tag_resource().resource_arn(&arn).set_tags(Some(sdk_tags(&tags.set)?));
            call.send().await.during("ecr:TagResource")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &RepositoryModel) -> Result<()> {
        let name = object.id.clone().unwrap_or_default();
        let call = cx.client.ecr().delete_repository().repository_name(&name);
        let call = call.set_registry_id(object.registry_id.clone()).set_force(object.force_delete);
        let gone = call.send().await.during("ecr:DeleteRepository").absent_ok(&[GONE]).map_err(|e| {
            match e.has_code("RepositoryNotEmptyException") {
                true => e.hint("set `force_delete = true` and apply, or delete the images"),
                false => e,
            }
        })?;
        if gone.is_none() {
            return Ok(());
        }
        cx.wait(Wait::new("repository to be deleted", Duration::from_secs(20 * 60)), || async {
            Ok(if find(cx, &name, None).await?.is_none() { Poll::Ready(()) } else { Poll::Pending })
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<RepositoryModel> {
        Ok(RepositoryModel { id: Some(id.to_owned()), ..RepositoryModel::default() })
    }
}

impl RepositoryModel {
    /// What the API says of the repository.
    fn take(&mut self, live: &Live) {
        self.arn = live.repository_arn.clone();
        self.id = live.repository_name.clone();
        self.image_tag_mutability = text(live.image_tag_mutability().map(ImageTagMutability::as_str));
        self.name = live.repository_name.clone().unwrap_or_default();
        self.registry_id = live.registry_id.clone();
        self.repository_url = live.repository_uri.clone();
        (self.encryption_configuration, self.image_scanning_configuration) = settings(live);
    }

    fn mutability(&self) -> Option<ImageTagMutability> {
        given(&self.image_tag_mutability).as_deref().map(ImageTagMutability::from)
    }
}

/// How the images of a repository are encrypted and scanned.
pub(super) fn settings(live: &Live) -> (Vec<Encryption>, Vec<Scanning>) {
    let encryption = live.encryption_configuration().map(|live| Encryption {
        encryption_type: Some(live.encryption_type().as_str().to_owned()),
        kms_key: text(live.kms_key()),
    });
    let scanning = live.image_scanning_configuration().map(|live| Scanning { scan_on_push: live.scan_on_push });
    (encryption.into_iter().collect(), scanning.into_iter().collect())
}

impl Encryption {
    fn sent(&self) -> Result<EncryptionConfiguration> {
        let kind = given(&self.encryption_type).unwrap_or_else(|| "AES256".to_owned());
        EncryptionConfiguration::builder()
            .encryption_type(kind.as_str().into())
            .set_kms_key(given(&self.kms_key))
            .build()
            .map_err(|e| ProviderError::invalid(e.to_string()))
    }
}

impl Scanning {
    fn sent(&self) -> ImageScanningConfiguration {
        ImageScanningConfiguration::builder().scan_on_push(self.scan_on_push).build()
    }
}

fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Vec<Tag>> {
    let build = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
    tags.into_iter().map(build).collect::<Result<_, _>>().map_err(|e| ProviderError::invalid(e.to_string()))
}
