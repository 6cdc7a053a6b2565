//! `data.aws_ecr_repository`

use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::{
    find, read_tags,
    repository::{self, Encryption, Scanning},
};
use crate::{
    AwsClient,
    error::During,
    stored::{given, text},
    tags::Tags,
};

/// A repository of container images.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct RepositoryDataModel {
    /// ARN of the repository.
    #[attr(computed)]
    arn: Option<String>,
    /// How images are encrypted.
    #[attr(computed)]
    encryption_configuration: Vec<Encryption>,
    /// Name of the repository.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Whether images are scanned for known weaknesses.
    #[attr(computed)]
    image_scanning_configuration: Vec<Scanning>,
    /// Whether a tag can be moved to another image: `MUTABLE` or `IMMUTABLE`.
    #[attr(computed)]
    image_tag_mutability: Option<String>,
    /// Tags of the image that was pushed last.
    #[attr(computed)]
    most_recent_image_tags: Option<Vec<String>>,
    /// Name of the repository.
    #[attr(required)]
    name: String,
    /// The account that the registry belongs to. Default: the caller's.
    #[attr(optional, computed)]
    registry_id: Option<String>,
    /// Where images are pushed to: `ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME`
    #[attr(computed)]
    repository_url: Option<String>,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
}

/// `data.aws_ecr_repository`
pub(crate) struct RepositoryData;

impl DataSource for RepositoryData {
    type Client = AwsClient;
    type Model = RepositoryDataModel;
    const NAME: &'static str = "aws_ecr_repository";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut RepositoryDataModel) -> Result<()> {
        let Some(live) = find(cx, &object.name, given(&object.registry_id)).await? else {
            let message = format!("there is no repository {:?}", object.name);
            return Err(ProviderError::new(ErrorKind::NotFound, message).operation("ecr:DescribeRepositories"));
        };
        let arn = live.repository_arn().unwrap_or_default();
        let (tags, latest) = tokio::join!(read_tags(cx, arn), latest(cx, &object.name, live.registry_id.clone()));
        object.tags = Some(cx.client.tags().shown(tags?));
        object.most_recent_image_tags = latest?;
        (object.encryption_configuration, object.image_scanning_configuration) = repository::settings(&live);
        object.image_tag_mutability = text(live.image_tag_mutability().map(|mutability| mutability.as_str()));
        object.id = live.repository_name;
        object.arn = live.repository_arn;
        object.registry_id = live.registry_id;
        object.repository_url = live.repository_uri;
        Ok(())
    }
}

/// Tags of the image that was pushed last; `None` where there is no image.
async fn latest(cx: &Context<'_, AwsClient>, name: &str, registry: Option<String>) -> Result<Option<Vec<String>>> {
    let call = cx.client.ecr().describe_images().repository_name(name).set_registry_id(registry);
    let images: Result<Vec<_>, _> = call.into_paginator().items().send().collect().await;
    let images = images.during("ecr:DescribeImages")?;
    // The first of those that were pushed at the same time.
    let last = images.into_iter().rev().max_by_key(|image| image.image_pushed_at);
    Ok(last.map(|image| image.image_tags.unwrap_or_default()))
}
