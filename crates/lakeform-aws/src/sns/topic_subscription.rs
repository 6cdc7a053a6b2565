//! `aws_sns_topic_subscription`

use std::time::Duration;

use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};

use super::GONE;
use crate::{
    AwsClient,
    attributes::{Attributes, given, or_empty, spelled},
    check,
    error::{Absent, During},
};

/// A subscription to an SNS topic.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct SubscriptionModel {
    /// ARN of the subscription.
    #[attr(computed)]
    arn: Option<String>,
    /// Minutes to wait for an endpoint that confirms by itself. Default: 1.
    #[attr(optional, default = 1)]
    confirmation_timeout_in_minutes: Option<i64>,
    /// Whether the confirmation was authenticated.
    #[attr(computed)]
    confirmation_was_authenticated: Option<bool>,
    /// How delivery to HTTP(S) is tried again.
    #[attr(optional, json)]
    delivery_policy: Option<String>,
    /// Who gets the messages: an ARN, an address or a number, as the protocol wants it.
    #[attr(required, force_new)]
    endpoint: String,
    /// Whether an HTTP(S) endpoint confirms by itself. Default: `false`.
    #[attr(optional, default = false)]
    endpoint_auto_confirms: Option<bool>,
    /// Which messages are wanted.
    #[attr(optional, json)]
    filter_policy: Option<String>,
    /// What `filter_policy` looks at: `MessageAttributes` or `MessageBody`.
    #[attr(optional, computed)]
    filter_policy_scope: Option<String>,
    /// ARN of the subscription.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Account that owns the subscription.
    #[attr(computed)]
    owner_id: Option<String>,
    /// Whether the endpoint has yet to confirm.
    #[attr(computed)]
    pending_confirmation: Option<bool>,
    /// `sqs`, `lambda`, `firehose`, `application`, `sms`, `email`, `email-json`, `http` or `https`.
    #[attr(required, force_new)]
    protocol: String,
    /// Whether messages come as they are, without JSON around them. Default: `false`.
    #[attr(optional, default = false)]
    raw_message_delivery: Option<bool>,
    /// Where messages go that cannot be delivered.
    #[attr(optional, json)]
    redrive_policy: Option<String>,
    /// What to replay of a FIFO topic's archive.
    #[attr(optional, json)]
    replay_policy: Option<String>,
    /// Role that writes to a Firehose stream.
    #[attr(optional)]
    subscription_role_arn: Option<String>,
    /// ARN of the topic.
    #[attr(required, force_new)]
    topic_arn: String,
}

/// `aws_sns_topic_subscription`
pub(crate) struct TopicSubscription;

const PROTOCOLS: &[&str] = &["application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"];

impl ResourceType for TopicSubscription {
    type Client = AwsClient;
    type Model = SubscriptionModel;
    const NAME: &'static str = "aws_sns_topic_subscription";
    const IDENTITY: &'static [&'static str] = &["topic_arn", "protocol", "endpoint"];
    const FOUND_BY: FoundBy = FoundBy::Parent;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::one_of(change, "protocol", PROTOCOLS)?;
        check::one_of(change, "filter_policy_scope", &["MessageAttributes", "MessageBody"])?;
        check::needs(change, "filter_policy_scope", "filter_policy")?;
        let text = |name: &str| change.config.get(name).and_then(Value::as_str);
        let role = change.config.get("subscription_role_arn").is_some_and(|v| !v.is_null());
        if text("protocol").is_some_and(|protocol| (protocol == "firehose") != role) {
            return Err(ProviderError::invalid(
                "subscription_role_arn is needed by the protocol firehose, and by no other",
            )
            .attribute(Path::attr("subscription_role_arn")));
        }
        // SNS decides on the scope of a policy that comes or goes.
        let free = change.config.get("filter_policy_scope").is_none_or(Value::is_null);
        if !change.is_create() && free && change.changes("filter_policy") {
            change.set_unknown("filter_policy_scope");
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: SubscriptionModel) -> Result<Option<SubscriptionModel>> {
        let Some(arn) = object.id.clone() else { return Ok(None) };
        let Some(live) = find(cx, &arn).await? else { return Ok(None) };
        object.take(&arn, &live);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut SubscriptionModel) -> Result<()> {
        let call = cx.client.sns().subscribe().return_subscription_arn(true);
        let call = call.topic_arn(&object.topic_arn).protocol(&object.protocol).endpoint(&object.endpoint);
        let answer = call.set_attributes(object.attributes().given()).send().await.during("sns:Subscribe")?;
        let arn = answer.subscription_arn.unwrap_or_default();
        object.id = Some(arn.clone());
        let confirms = object.protocol.starts_with("http") && object.endpoint_auto_confirms == Some(true);
        let minutes = object.confirmation_timeout_in_minutes.and_then(|n| u64::try_from(n).ok()).unwrap_or(1);
        let budget = Duration::from_secs(60 * if confirms { minutes } else { 1 });
        let what =
            if confirms { "endpoint to confirm the subscription" } else { "subscription to be known everywhere" };
        let live = cx
            .wait(Wait::new(what, budget), || async {
                Ok(match find(cx, &arn).await? {
                    Some(live) if !confirms || live.text("PendingConfirmation") != "true" => Poll::Ready(live),
                    _ => Poll::Pending,
                })
            })
            .await?;
        object.take(&arn, &live);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = list(cx, &planned).await?;
        Ok(planned.id.is_some().then_some(planned))
    }

    async fn update(
        cx: &Context<'_, AwsClient>,
        prior: &SubscriptionModel,
        object: &mut SubscriptionModel,
    ) -> Result<()> {
        let arn = prior.id.clone().unwrap_or_default();
        let changes = object.attributes().changed_since(&prior.attributes());
        // A policy for bodies may be nested, one for attributes may not: each change leaves a policy that fits the scope.
        let widens = object.filter_policy_scope.as_deref() == Some("MessageBody");
        let mut all: Vec<_> = changes.iter().collect();
        all.sort_by_key(|(name, _)| (*name == "FilterPolicyScope") != widens);
        for (name, value) in all {
            // An empty policy is `{}`; SNS refuses no text at all.
            let value = if value.is_empty() && name == "FilterPolicy" { "{}" } else { value };
            let call = cx.client.sns().set_subscription_attributes().subscription_arn(&arn);
            let call = call.attribute_name(name).attribute_value(value);
            call.send().await.during("sns:SetSubscriptionAttributes")?;
        }
        if object.filter_policy_scope.is_none() {
            let live = find(cx, &arn).await?.unwrap_or_default();
            object.filter_policy_scope = live.stored("FilterPolicyScope");
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &SubscriptionModel) -> Result<()> {
        let answer = cx.client.sns().unsubscribe().set_subscription_arn(object.id.clone()).send().await;
        match answer.during("sns:Unsubscribe").absent_ok(GONE) {
            // AWS drops what is never confirmed by itself.
            Err(e) if e.has_code("InvalidParameter") && e.message.contains("pending confirmation") => Ok(()),
            done => done.map(drop),
        }
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<SubscriptionModel> {
        if !id.starts_with("arn:") {
            return Err(ProviderError::invalid(format!("a subscription is imported by its ARN, not by {id:?}")));
        }
        Ok(SubscriptionModel {
            id: Some(id.to_owned()),
            confirmation_timeout_in_minutes: Some(1),
            endpoint_auto_confirms: Some(false),
            ..SubscriptionModel::default()
        })
    }
}

impl SubscriptionModel {
    /// What the stack says, in the API's words. Texts that can be taken back are there even when they are empty.
    fn attributes(&self) -> Attributes {
        Attributes::of([
            ("DeliveryPolicy", or_empty(&self.delivery_policy)),
            ("FilterPolicy", or_empty(&self.filter_policy)),
            ("FilterPolicyScope", given(&self.filter_policy_scope)),
            ("RawMessageDelivery", spelled(self.raw_message_delivery)),
            ("RedrivePolicy", or_empty(&self.redrive_policy)),
            ("ReplayPolicy", or_empty(&self.replay_policy)),
            ("SubscriptionRoleArn", or_empty(&self.subscription_role_arn)),
        ])
    }

    /// What the API says of the subscription.
    fn take(&mut self, arn: &str, live: &Attributes) {
        self.id = Some(arn.to_owned());
        self.arn = Some(arn.to_owned());
        self.confirmation_was_authenticated = live.flag("ConfirmationWasAuthenticated");
        self.delivery_policy = live.json("DeliveryPolicy", self.delivery_policy.as_deref());
        self.endpoint = live.text("Endpoint").to_owned();
        self.filter_policy = live.json("FilterPolicy", self.filter_policy.as_deref());
        self.filter_policy_scope = live.stored("FilterPolicyScope");
        self.owner_id = live.stored("Owner");
        self.pending_confirmation = live.flag("PendingConfirmation");
        self.protocol = live.text("Protocol").to_owned();
        self.raw_message_delivery = live.flag("RawMessageDelivery");
        self.redrive_policy = live.json("RedrivePolicy", self.redrive_policy.as_deref());
        self.replay_policy = live.json("ReplayPolicy", self.replay_policy.as_deref());
        self.subscription_role_arn = live.stored("SubscriptionRoleArn");
        self.topic_arn = live.text("TopicArn").to_owned();
    }
}

/// The subscription's attributes; `None` without a subscription.
/// Looks for the topic's subscription of the same endpoint, of which SNS lets there be only one. One that is not confirmed
/// has no ARN in the list, and is asked for again: SNS then answers with the same.
async fn list(cx: &Context<'_, AwsClient>, object: &SubscriptionModel) -> Result<Option<String>> {
    let mut all =
        cx.client.sns().list_subscriptions_by_topic().topic_arn(&object.topic_arn).into_paginator().items().send();
    while let Some(found) = all.next().await {
        let Some(live) = found.during("sns:ListSubscriptionsByTopic").absent_ok(GONE)? else { return Ok(None) };
        if live.protocol() == Some(&object.protocol) && live.endpoint() == Some(&object.endpoint) {
            return Ok(live.subscription_arn.filter(|arn| arn.starts_with("arn:")));
        }
    }
    Ok(None)
}

async fn find(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Option<Attributes>> {
    let answer = cx.client.sns().get_subscription_attributes().subscription_arn(arn).send().await;
    let answer = answer.during("sns:GetSubscriptionAttributes").absent_ok(GONE)?;
    Ok(answer.map(|answer| answer.attributes.unwrap_or_default().into()))
}
