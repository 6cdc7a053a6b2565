//! `aws_s3_bucket_notification`

use std::fmt::Display;

use aws_sdk_s3::{
    error::BuildError,
    types::{
        Event, EventBridgeConfiguration, FilterRule, FilterRuleName, LambdaFunctionConfiguration,
        NotificationConfiguration, NotificationConfigurationFilter, QueueConfiguration, S3KeyFilter,
        TopicConfiguration,
    },
};
use lakeform_provider::{Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::{
    blocks::in_stored_order,
    common::{NO_BUCKET, after_creation, given, text, unique_suffix},
};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
};

/// Who is told what happens in a bucket. A bucket has one notification configuration: two of these would overwrite each
/// other.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct BucketNotification {
    /// Name of the bucket.
    #[attr(required, force_new)]
    bucket: String,
    /// Whether Amazon EventBridge is told of everything.
    #[attr(optional, default = false)]
    eventbridge: Option<bool>,
    /// Name of the bucket.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Lambda functions that are invoked.
    #[block(list)]
    lambda_function: Vec<LambdaFunction>,
    /// SQS queues that get messages.
    #[block(list)]
    queue: Vec<Queue>,
    /// SNS topics that get messages.
    #[block(list)]
    topic: Vec<Topic>,
}

/// A Lambda function that is invoked.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct LambdaFunction {
    /// Events: `s3:ObjectCreated:*`
    #[attr(required, set)]
    events: Vec<String>,
    /// Only for objects whose keys begin so.
    #[attr(optional)]
    filter_prefix: Option<String>,
    /// Only for objects whose keys end so.
    #[attr(optional)]
    filter_suffix: Option<String>,
    /// Name of the notification. Default: one that nobody else has.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARN of the function.
    #[attr(optional)]
    lambda_function_arn: Option<String>,
}

/// An SQS queue that gets messages.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Queue {
    /// Events: `s3:ObjectCreated:*`
    #[attr(required, set)]
    events: Vec<String>,
    /// Only for objects whose keys begin so.
    #[attr(optional)]
    filter_prefix: Option<String>,
    /// Only for objects whose keys end so.
    #[attr(optional)]
    filter_suffix: Option<String>,
    /// Name of the notification. Default: one that nobody else has.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARN of the queue.
    #[attr(required)]
    queue_arn: String,
}

/// An SNS topic that gets messages.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct Topic {
    /// Events: `s3:ObjectCreated:*`
    #[attr(required, set)]
    events: Vec<String>,
    /// Only for objects whose keys begin so.
    #[attr(optional)]
    filter_prefix: Option<String>,
    /// Only for objects whose keys end so.
    #[attr(optional)]
    filter_suffix: Option<String>,
    /// Name of the notification. Default: one that nobody else has.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARN of the topic.
    #[attr(required)]
    topic_arn: String,
}

fn filter_to_api(prefix: &Option<String>, suffix: &Option<String>) -> Option<NotificationConfigurationFilter> {
    let rule = |name: FilterRuleName, value: &Option<String>| {
        given(value).map(|value| FilterRule::builder().name(name).value(value).build())
    };
    let rules = [rule(FilterRuleName::Prefix, prefix), rule(FilterRuleName::Suffix, suffix)];
    let rules: Vec<_> = rules.into_iter().flatten().collect();
    let key = |rules| S3KeyFilter::builder().set_filter_rules(Some(rules)).build();
    (!rules.is_empty()).then(|| NotificationConfigurationFilter::builder().key(key(rules)).build())
}

/// Prefix and suffix of a filter. S3 takes the names of its rules in small letters and returns them capitalised.
fn filter_from_api(filter: Option<NotificationConfigurationFilter>) -> (Option<String>, Option<String>) {
    let rules = filter.and_then(|filter| filter.key?.filter_rules).unwrap_or_default();
    let find = |name: &str| {
        let rule = rules.iter().find(|rule| rule.name.as_ref().is_some_and(|n| n.as_str().eq_ignore_ascii_case(name)));
        text(rule.and_then(|rule| rule.value.as_deref()))
    };
    (find("prefix"), find("suffix"))
}

fn events_to_api(events: &[String]) -> Option<Vec<Event>> {
    Some(events.iter().map(|event| Event::from(event.as_str())).collect())
}

fn events_from_api(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.as_str().to_owned()).collect()
}

impl LambdaFunction {
    fn to_api(&self) -> Result<LambdaFunctionConfiguration, BuildError> {
        LambdaFunctionConfiguration::builder()
            .set_id(given(&self.id))
            .lambda_function_arn(self.lambda_function_arn.clone().unwrap_or_default())
            .set_events(events_to_api(&self.events))
            .set_filter(filter_to_api(&self.filter_prefix, &self.filter_suffix))
            .build()
    }

    fn from_api(found: LambdaFunctionConfiguration) -> Self {
        let (filter_prefix, filter_suffix) = filter_from_api(found.filter);
        Self {
            events: events_from_api(&found.events),
            filter_prefix,
            filter_suffix,
            id: text(found.id.as_deref()),
            lambda_function_arn: Some(found.lambda_function_arn),
        }
    }
}

impl Queue {
    fn to_api(&self) -> Result<QueueConfiguration, BuildError> {
        QueueConfiguration::builder()
            .set_id(given(&self.id))
            .queue_arn(&self.queue_arn)
            .set_events(events_to_api(&self.events))
            .set_filter(filter_to_api(&self.filter_prefix, &self.filter_suffix))
            .build()
    }

    fn from_api(found: QueueConfiguration) -> Self {
        let (filter_prefix, filter_suffix) = filter_from_api(found.filter);
        Self {
            events: events_from_api(&found.events),
            filter_prefix,
            filter_suffix,
            id: text(found.id.as_deref()),
            queue_arn: found.queue_arn,
        }
    }
}

impl Topic {
    fn to_api(&self) -> Result<TopicConfiguration, BuildError> {
        TopicConfiguration::builder()
            .set_id(given(&self.id))
            .topic_arn(&self.topic_arn)
            .set_events(events_to_api(&self.events))
            .set_filter(filter_to_api(&self.filter_prefix, &self.filter_suffix))
            .build()
    }

    fn from_api(found: TopicConfiguration) -> Self {
        let (filter_prefix, filter_suffix) = filter_from_api(found.filter);
        Self {
            events: events_from_api(&found.events),
            filter_prefix,
            filter_suffix,
            id: text(found.id.as_deref()),
            topic_arn: found.topic_arn,
        }
    }
}

/// The configuration as the API takes it. Without a part, nobody is told by that way.
fn to_api(object: &BucketNotification) -> Result<NotificationConfiguration, BuildError> {
    fn some<T>(parts: Vec<T>) -> Option<Vec<T>> {
        (!parts.is_empty()).then_some(parts)
    }
    let bridge = object.eventbridge.unwrap_or_default().then(|| EventBridgeConfiguration::builder().build());
    let functions = object.lambda_function.iter().map(LambdaFunction::to_api).collect::<Result<_, _>>()?;
    let queues = object.queue.iter().map(Queue::to_api).collect::<Result<_, _>>()?;
    let topics = object.topic.iter().map(Topic::to_api).collect::<Result<_, _>>()?;
    Ok(NotificationConfiguration::builder()
        .set_event_bridge_configuration(bridge)
        .set_lambda_function_configurations(some(functions))
        .set_queue_configurations(some(queues))
        .set_topic_configurations(some(topics))
        .build())
}

impl BucketNotification {
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let configuration = to_api(self).map_err(|e| ProviderError::invalid(e.to_string()).source(e))?;
        let call = cx.client.s3().put_bucket_notification_configuration().bucket(&self.bucket);
        let call = call.notification_configuration(configuration).send();
        call.await.during("s3:PutBucketNotificationConfiguration")?;
        Ok(())
    }

    /// Gives a name to each notification that has none, and says what Terraform stores where nothing is set.
    fn complete(&mut self) {
        fn name(id: &mut Option<String>, kind: impl Display) {
            if given(id).is_none() {
                *id = Some(format!("tf-s3-{kind}-{}", unique_suffix()));
            }
        }
        self.id = Some(self.bucket.clone());
        for function in &mut self.lambda_function {
            name(&mut function.id, "lambda");
            function.filter_prefix.get_or_insert_default();
            function.filter_suffix.get_or_insert_default();
        }
        for queue in &mut self.queue {
            name(&mut queue.id, "queue");
            queue.filter_prefix.get_or_insert_default();
            queue.filter_suffix.get_or_insert_default();
        }
        for topic in &mut self.topic {
            name(&mut topic.id, "topic");
            topic.filter_prefix.get_or_insert_default();
            topic.filter_suffix.get_or_insert_default();
        }
    }
}

impl ResourceType for BucketNotification {
    type Client = AwsClient;
    type Model = Self;

    const NAME: &'static str = "aws_s3_bucket_notification";
    const IDENTITY: &'static [&'static str] = &["bucket"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    /// Every bucket has a configuration, if only an empty one.
    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let answer = cx.client.s3().get_bucket_notification_configuration().bucket(&object.bucket).send().await;
        let found = answer.during("s3:GetBucketNotificationConfiguration").absent_ok(&[NO_BUCKET])?;
        let Some(found) = found else { return Ok(None) };
        object.id = Some(object.bucket.clone());
        object.eventbridge = Some(found.event_bridge_configuration.is_some());
        let functions = found.lambda_function_configurations.unwrap_or_default();
        let functions = functions.into_iter().map(LambdaFunction::from_api).collect();
        object.lambda_function = in_stored_order(functions, &object.lambda_function, |v| v.id.as_deref());
        let queues = found.queue_configurations.unwrap_or_default().into_iter().map(Queue::from_api).collect();
        object.queue = in_stored_order(queues, &object.queue, |v| v.id.as_deref());
        let topics = found.topic_configurations.unwrap_or_default().into_iter().map(Topic::from_api).collect();
        object.topic = in_stored_order(topics, &object.topic, |v| v.id.as_deref());
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let mut named = object.clone();
        named.complete();
        after_creation(cx, || named.put(cx)).await?;
        *object = named;
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        object.complete();
        settle(cx, || object.put(cx)).await
    }

    /// Leaves an empty configuration: S3 knows no absent one.
    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let nobody = Self { bucket: object.bucket.clone(), ..Self::default() };
        settle(cx, || nobody.put(cx)).await.absent_ok(&[NO_BUCKET])?;
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        if id.is_empty() {
            return Err(ProviderError::invalid("the identifier is empty: BUCKET is expected"));
        }
        Ok(Self { bucket: id.to_owned(), id: Some(id.to_owned()), ..Self::default() })
    }
}
