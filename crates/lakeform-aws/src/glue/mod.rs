//! Glue: the data catalog, crawlers, classifiers, jobs and schema registries.

mod catalog_database;
mod catalog_table;
mod catalog_table_data;
mod classifier;
mod crawler;
mod job;
mod registry;

use std::time::Duration;

use lakeform_provider::{AnyDataSource, AnyResource, Context, ProviderError, Result, Wait, data_source, resource};

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

/// How long roles and permissions may take to be known, and how long another change of the same thing may take.
const SETTLING: Wait = Wait {
    what: "change to be known everywhere",
    first: Duration::from_millis(500),
    longest: Duration::from_secs(5),
    budget: Duration::from_secs(120),
};

/// Whether another change of the same thing is under way.
fn busy(e: &ProviderError) -> bool {
    e.has_code("ConcurrentModificationException")
}

/// Whether Glue has not heard of a role, or of what it may do.
fn unheard(e: &ProviderError) -> bool {
    let says = |text: &str| e.message.contains(text);
    matches!(e.code.as_deref(), Some("InvalidInputException" | "AccessDeniedException"))
        && (says("Service is unable to assume provided role")
            || says("is unable to assume the role")
            || says("verify the role's TrustPolicy")
            || says("Insufficient Lake Formation permission")
            || (says("security token") && says("is invalid. (Service:"))
            || (says("is not authorized to perform") && says("assumed-role"))
            || (says("SQS queue") && says("does not exist or the role provided does not have access to it")))
}

/// Calls again while another change is under way, or the role is not known to Glue.
async fn settled<T, F: Future<Output = Result<T>>>(cx: &Context<'_, AwsClient>, call: impl FnMut() -> F) -> Result<T> {
    cx.retry(SETTLING, |e| busy(e) || unheard(e), call).await
}

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

#[cfg(test)]
mod tests {
    use lakeform_provider::ErrorKind;

    use super::*;

    #[test]
    fn a_role_that_is_not_known_yet_is_told_from_one_that_may_not() {
        let error = |code: &str, text: &str| ProviderError::new(ErrorKind::Invalid, text).code(code);
        for text in [
            "Service is unable to assume provided role. Please verify role's TrustPolicy",
            "Service is unable to assume the role arn:aws:iam::123456789012:role/x. Please verify the role's TrustPolicy",
            "com.amazonaws.services.glue.model.AccessDeniedException: The security token included in the request is \
             invalid. (Service: AmazonDataCatalog; Status Code: 400)",
        ] {
            assert!(unheard(&error("InvalidInputException", text)), "{text}");
            assert!(!unheard(&error("ValidationException", text)), "{text}");
        }
        for text in
            ["User: arn:aws:iam::1:user/x is not authorized to perform: glue:CreateCrawler", "The role is wrong"]
        {
            assert!(!unheard(&error("AccessDeniedException", text)), "{text}");
        }
    }
}
