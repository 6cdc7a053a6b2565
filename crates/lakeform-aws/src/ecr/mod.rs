//! ECR: repositories and what becomes of their old images.

mod lifecycle_policy;
mod repository;
mod repository_data;

use aws_sdk_ecr::types::Repository;
use lakeform_provider::{AnyDataSource, AnyResource, Context, Result, data_source, resource};

use crate::{
    AwsClient,
    error::{Absent, During},
    tags::{Tags, to_map},
};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<lifecycle_policy::LifecyclePolicy>(), resource::<repository::RepositoryType>()]
}

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<repository_data::RepositoryData>()]
}

/// The code of a repository that does not exist.
const GONE: &str = "RepositoryNotFoundException";

/// The repository, in the account's own registry unless another one is named.
async fn find(cx: &Context<'_, AwsClient>, name: &str, registry: Option<String>) -> Result<Option<Repository>> {
    let call = cx.client.ecr().describe_repositories().repository_names(name).set_registry_id(registry);
    let found = call.send().await.during("ecr:DescribeRepositories").absent_ok(&[GONE])?;
    Ok(found.and_then(|answer| answer.repositories?.into_iter().next()))
}

async fn read_tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Tags> {
    let answer = cx.client.ecr().list_tags_for_resource().resource_arn(arn).send().await;
    let answer = answer.during("ecr:ListTagsForResource").absent_ok(&[GONE])?;
    Ok(to_map(answer.and_then(|answer| answer.tags).unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value))))
}
