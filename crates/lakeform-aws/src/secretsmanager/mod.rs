//! Secrets Manager: secrets, their values and how they are rotated.

mod rotation;
mod secret;
mod secret_data;
mod version;
mod version_data;

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use lakeform_provider::{AnyDataSource, AnyResource, Context, ErrorKind, ProviderError, Result, data_source, resource};

use crate::{
    AwsClient,
    error::{Absent, During},
    tags::{Tags, to_map},
};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<rotation::Rotation>(), resource::<secret::Secret>(), resource::<version::Version>()]
}

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<secret_data::SecretData>(), data_source::<version_data::VersionData>()]
}

/// The ephemeral resource types, one row each.
pub(crate) fn ephemeral_resources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<version_data::EphemeralVersion>()]
}

/// The codes that say that there is no such thing.
const GONE: &[&str] = &["ResourceNotFoundException"];
/// The stage of the version that is read when none is named; it can be moved, never removed.
const CURRENT: &str = "AWSCURRENT";
/// The stage of the version that was current before.
const PREVIOUS: &str = "AWSPREVIOUS";

/// Whether the API refuses a call because the secret is deleted, or waits for its deletion.
fn is_deleted(e: &ProviderError) -> bool {
    const WORDS: &[&str] = &["was deleted", "marked deleted", "marked for deletion", "scheduled for deletion"];
    e.has_code("InvalidRequestException") && WORDS.iter().any(|words| e.message.contains(words))
}

/// `None` where the secret is gone, or waits for its deletion.
fn unless_deleted<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer.absent_ok(GONE) {
        Err(e) if is_deleted(&e) => Ok(None),
        other => other,
    }
}

/// The secret, by name or ARN. One that waits for its deletion is gone.
async fn find(cx: &Context<'_, AwsClient>, id: &str) -> Result<Option<DescribeSecretOutput>> {
    let answer = cx.client.secretsmanager().describe_secret().secret_id(id).send().await;
    let found = answer.during("secretsmanager:DescribeSecret").absent_ok(GONE)?;
    Ok(found.filter(|found| found.deleted_date.is_none()))
}

/// A secret that must be there.
async fn expect(cx: &Context<'_, AwsClient>, id: &str) -> Result<DescribeSecretOutput> {
    find(cx, id).await?.ok_or_else(|| {
        ProviderError::new(ErrorKind::NotFound, format!("there is no secret {id:?}"))
            .operation("secretsmanager:DescribeSecret")
    })
}

/// The policy of a secret; empty without one.
async fn policy_of(cx: &Context<'_, AwsClient>, id: &str) -> Result<String> {
    let answer = cx.client.secretsmanager().get_resource_policy().secret_id(id).send().await;
    let found = unless_deleted(answer.during("secretsmanager:GetResourcePolicy"))?;
    Ok(found.and_then(|answer| answer.resource_policy).unwrap_or_default())
}

/// Tags as the API gives them.
fn live_tags(found: &DescribeSecretOutput) -> Tags {
    to_map(found.tags().iter().filter_map(|tag| tag.key().zip(tag.value())))
}
