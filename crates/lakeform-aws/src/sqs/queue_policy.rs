//! `aws_sqs_queue_policy`

use aws_sdk_sqs::types::QueueAttributeName;
use lakeform_provider::{Change, Context, FoundBy, Model, ResourceType, Result};

use super::queue::{GONE, check_url, shown};
use crate::{
    AwsClient,
    attributes::Attributes,
    error::{Absent, During},
    policy,
    propagation::settle,
};

/// The policy of a queue.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct QueuePolicy {
    /// URL of the queue.
    #[attr(optional, computed)]
    id: Option<String>,
    /// The policy document.
    #[attr(required, json, same = policy::same)]
    policy: String,
    /// URL of the queue.
    #[attr(required, force_new)]
    queue_url: String,
}

impl ResourceType for QueuePolicy {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_sqs_queue_policy";
    const IDENTITY: &'static [&'static str] = &["queue_url"];
    const VERSION: u64 = 1;
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        policy::plan_normal(change, "policy");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let call = cx.client.sqs().get_queue_attributes().queue_url(&object.queue_url);
        let answer = call.attribute_names(QueueAttributeName::Policy).send().await;
        let answer = answer.during("sqs:GetQueueAttributes").absent_ok(GONE)?;
        let live: Attributes = answer.and_then(|answer| answer.attributes).unwrap_or_default().into();
        if live.text("Policy").is_empty() {
            return Ok(None);
        }
        object.policy = policy::stored(Some(&object.policy), live.text("Policy"));
        object.id = Some(object.queue_url.clone());
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        put(cx, &object.queue_url, &object.policy).await?;
        object.id = Some(object.queue_url.clone());
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        put(cx, &object.queue_url, &object.policy).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        put(cx, &object.queue_url, "").await.absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        check_url(id)?;
        Ok(Self { queue_url: id.to_owned(), id: Some(id.to_owned()), ..Self::default() })
    }
}

/// Sets the policy of a queue, and waits until it shows.
async fn put(cx: &Context<'_, AwsClient>, url: &str, policy: &str) -> Result<()> {
    let call = cx.client.sqs().set_queue_attributes().queue_url(url).attributes(QueueAttributeName::Policy, policy);
    settle(cx, || async { call.clone().send().await.during("sqs:SetQueueAttributes") }).await?;
    shown(cx, url, &Attributes::of([("Policy", Some(policy.to_owned()))])).await.map(drop)
}
