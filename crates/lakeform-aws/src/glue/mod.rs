//! Glue: the data catalog, crawlers, classifiers, jobs and schema registries.

mod catalog_database;
mod catalog_table;
mod catalog_table_data;
mod classifier;
mod crawler;
mod job;
mod registry;

use lakeform_provider::{AnyDataSource, AnyResource, Context, Result, data_source, resource};

use crate::{
    AwsClient,
    error::{Absent, During},
    tags::{TagChanges, Tags},
};

/// The resource types of Glue.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![
        resource::<catalog_database::CatalogDatabase>(),
        resource::<catalog_table::CatalogTable>(),
        resource::<classifier::Classifier>(),
        resource::<crawler::Crawler>(),
        resource::<job::Job>(),
        resource::<registry::Registry>(),
    ]
}

/// The data sources of Glue.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<catalog_table_data::CatalogTableData>()]
}

/// The codes that say that there is no such thing.
const GONE: &[&str] = &["EntityNotFoundException"];

/// The ARN of something in this account: `database/NAME`
async fn arn(cx: &Context<'_, AwsClient>, resource: &str) -> Result<String> {
    let (partition, region) = (cx.client.partition().id, cx.client.region());
    Ok(format!("arn:{partition}:glue:{region}:{}:{resource}", cx.client.account_id().await?))
}

/// The catalog that is meant: the account's own unless another one is named.
async fn catalog(cx: &Context<'_, AwsClient>, id: Option<&str>) -> Result<String> {
    match id.filter(|id| !id.is_empty()) {
        Some(id) => Ok(id.to_owned()),
        None => Ok(cx.client.account_id().await?.to_owned()),
    }
}

/// The tags of something; none where it is gone.
async fn read_tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Tags> {
    let answer = cx.client.glue().get_tags().resource_arn(arn).send().await;
    let answer = answer.during("glue:GetTags").absent_ok(GONE)?;
    Ok(answer.and_then(|answer| answer.tags).unwrap_or_default().into_iter().collect())
}

/// Changes the tags of something from what they were.
async fn update_tags(cx: &Context<'_, AwsClient>, arn: &str, prior: Option<&Tags>, tags: Option<&Tags>) -> Result<()> {
    let changes = TagChanges::between(prior, tags);
    if !changes.remove.is_empty() {
        let call = cx.client.glue().untag_resource().resource_arn(arn).set_tags_to_remove(Some(changes.remove));
        call.send().await.during("glue:UntagResource")?;
    }
    if !changes.set.is_empty() {
        let set = changes.set.into_iter().collect();
        let call = cx.client.glue().tag_resource().resource_arn(arn).set_tags_to_add(Some(set));
        call.send().await.during("glue:TagResource")?;
    }
    Ok(())
}
