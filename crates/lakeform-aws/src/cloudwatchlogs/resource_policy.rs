//! `aws_cloudwatch_log_resource_policy`

use lakeform_provider::{Change, Context, FoundBy, Model, ResourceType, Result};

use super::GONE;
use crate::{
    AwsClient, check,
    error::{Absent, During},
    policy,
};

/// A policy that lets other services write logs.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct LogPolicy {
    /// The policy's name.
    #[attr(optional, computed)]
    id: Option<String>,
    /// The policy document.
    #[attr(required, json, same = policy::same)]
    policy_document: String,
    /// Name of the policy.
    #[attr(required, force_new)]
    policy_name: String,
}

impl ResourceType for LogPolicy {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_cloudwatch_log_resource_policy";
    const IDENTITY: &'static [&'static str] = &["policy_name"];
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "policy_document", 1..=5120)?;
        policy::plan_normal(change, "policy_document");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let mut next = None;
        loop {
            let call = cx.client.cloudwatchlogs().describe_resource_policies().set_next_token(next);
            let page = call.send().await.during("logs:DescribeResourcePolicies")?;
            let mut found = page.resource_policies.unwrap_or_default().into_iter();
            if let Some(found) = found.find(|policy| policy.policy_name() == Some(&object.policy_name)) {
                let live = found.policy_document.unwrap_or_default();
                object.policy_document = policy::stored(Some(&object.policy_document), &live);
                object.id = Some(object.policy_name.clone());
                return Ok(Some(object));
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(None);
            }
        }
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        object.put(cx).await?;
        object.id = Some(object.policy_name.clone());
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        object.put(cx).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let call = cx.client.cloudwatchlogs().delete_resource_policy().policy_name(&object.policy_name);
        call.send().await.during("logs:DeleteResourcePolicy").absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        Ok(Self { policy_name: id.to_owned(), id: Some(id.to_owned()), ..Self::default() })
    }
}

impl LogPolicy {
    /// Sends the policy as it shall be; the API replaces one of the same name.
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let call = cx.client.cloudwatchlogs().put_resource_policy().policy_name(&self.policy_name);
        call.policy_document(&self.policy_document).send().await.during("logs:PutResourcePolicy").map(drop)
    }
}
