//! `aws_sns_topic`

use std::time::Duration;

use aws_sdk_sns::types::Tag;
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result, Wait};

use super::GONE;
use crate::{
    AwsClient,
    attributes::{Attributes, given, or_empty, spelled},
    check,
    error::{Absent, During},
    naming, policy,
    propagation::settle,
    tags::{TagChanges, Tags},
};

/// An SNS topic.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct TopicModel {
    /// Role that writes failed deliveries to mobile apps into CloudWatch Logs.
    #[attr(optional)]
    application_failure_feedback_role_arn: Option<String>,
    /// Role that writes successful deliveries to mobile apps into CloudWatch Logs.
    #[attr(optional)]
    application_success_feedback_role_arn: Option<String>,
    /// Percentage of the successful deliveries to mobile apps that are written, 0 to 100.
    #[attr(optional)]
    application_success_feedback_sample_rate: Option<i64>,
    /// How long a FIFO topic keeps messages for replaying.
    #[attr(optional, json)]
    archive_policy: Option<String>,
    /// ARN of the topic.
    #[attr(computed)]
    arn: Option<String>,
    /// The oldest moment that a FIFO topic can replay.
    #[attr(computed)]
    beginning_archive_time: Option<String>,
    /// Whether a FIFO topic tells messages apart by their content. Default: `false`.
    #[attr(optional, default = false)]
    content_based_deduplication: Option<bool>,
    /// How delivery to HTTP(S) is tried again.
    #[attr(optional, json)]
    delivery_policy: Option<String>,
    /// Name shown to receivers.
    #[attr(optional)]
    display_name: Option<String>,
    /// What a FIFO topic's throughput is counted by: `Topic` or `MessageGroup`.
    #[attr(optional, computed)]
    fifo_throughput_scope: Option<String>,
    /// Whether messages keep their order. The name then ends in `.fifo`. Default: `false`.
    #[attr(optional, force_new, default = false)]
    fifo_topic: Option<bool>,
    /// Role that writes failed deliveries to Firehose into CloudWatch Logs.
    #[attr(optional)]
    firehose_failure_feedback_role_arn: Option<String>,
    /// Role that writes successful deliveries to Firehose into CloudWatch Logs.
    #[attr(optional)]
    firehose_success_feedback_role_arn: Option<String>,
    /// Percentage of the successful deliveries to Firehose that are written, 0 to 100.
    #[attr(optional)]
    firehose_success_feedback_sample_rate: Option<i64>,
    /// Role that writes failed deliveries to HTTP(S) into CloudWatch Logs.
    #[attr(optional)]
    http_failure_feedback_role_arn: Option<String>,
    /// Role that writes successful deliveries to HTTP(S) into CloudWatch Logs.
    #[attr(optional)]
    http_success_feedback_role_arn: Option<String>,
    /// Percentage of the successful deliveries to HTTP(S) that are written, 0 to 100.
    #[attr(optional)]
    http_success_feedback_sample_rate: Option<i64>,
    /// ARN of the topic.
    #[attr(optional, computed)]
    id: Option<String>,
    /// KMS key that encrypts messages: its id, ARN or alias.
    #[attr(optional)]
    kms_master_key_id: Option<String>,
    /// Role that writes failed deliveries to Lambda into CloudWatch Logs.
    #[attr(optional)]
    lambda_failure_feedback_role_arn: Option<String>,
    /// Role that writes successful deliveries to Lambda into CloudWatch Logs.
    #[attr(optional)]
    lambda_success_feedback_role_arn: Option<String>,
    /// Percentage of the successful deliveries to Lambda that are written, 0 to 100.
    #[attr(optional)]
    lambda_success_feedback_sample_rate: Option<i64>,
    /// Name of the topic. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// Account that owns the topic.
    #[attr(computed)]
    owner: Option<String>,
    /// The policy document. Where the stack sets none, AWS lets the account alone use the topic.
    #[attr(optional, computed, json, same = policy::same)]
    policy: Option<String>,
    /// Which signature notifications bear: 1 (SHA1) or 2 (SHA256).
    #[attr(optional, computed)]
    signature_version: Option<i64>,
    /// Role that writes failed deliveries to SQS into CloudWatch Logs.
    #[attr(optional)]
    sqs_failure_feedback_role_arn: Option<String>,
    /// Role that writes successful deliveries to SQS into CloudWatch Logs.
    #[attr(optional)]
    sqs_success_feedback_role_arn: Option<String>,
    /// Percentage of the successful deliveries to SQS that are written, 0 to 100.
    #[attr(optional)]
    sqs_success_feedback_sample_rate: Option<i64>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// X-Ray tracing: `PassThrough` or `Active`.
    #[attr(optional, computed)]
    tracing_config: Option<String>,
}

/// `aws_sns_topic`
pub(crate) struct Topic;

/// What CreateTopic takes (its reference); SetTopicAttributes takes everything.
const WITH_CREATION: &[&str] = &[
    "ArchivePolicy",
    "ContentBasedDeduplication",
    "DeliveryPolicy",
    "DisplayName",
    "FifoThroughputScope",
    "FifoTopic",
    "KmsMasterKeyId",
    "Policy",
    "SignatureVersion",
    "TracingConfig",
];

impl ResourceType for Topic {
    type Client = AwsClient;
    type Model = TopicModel;
    const NAME: &'static str = "aws_sns_topic";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;
    const TIED_TO: &'static [&'static str] = &["kms_master_key_id"];

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::not_both(change, "name", "name_prefix")?;
        for kind in ["application", "firehose", "http", "lambda", "sqs"] {
            check::between(change, &format!("{kind}_success_feedback_sample_rate"), 0..=100)?;
        }
        check::between(change, "signature_version", 1..=2)?;
        check::one_of(change, "tracing_config", &["PassThrough", "Active"])?;
        check::one_of(change, "fifo_throughput_scope", &["Topic", "MessageGroup"])?;
        naming::check_fifo(change, "topic", 256)?;
        let on = |name: &str| change.config.get(name).and_then(Value::as_bool) == Some(true);
        let set = |name: &str| change.config.get(name).is_some_and(|v| v.is_known() && !v.is_null());
        for (name, used) in [
            ("content_based_deduplication", on("content_based_deduplication")),
            ("archive_policy", set("archive_policy")),
        ] {
            if used && !on("fifo_topic") {
                return Err(ProviderError::invalid(format!("{name} is for FIFO topics alone"))
                    .hint("set fifo_topic = true")
                    .attribute(Path::attr(name)));
            }
        }
        policy::plan_normal(change, "policy");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: TopicModel) -> Result<Option<TopicModel>> {
        let Some(arn) = object.id.clone() else { return Ok(None) };
        let (live, tags) = tokio::join!(find(cx, &arn), read_tags(cx, &arn));
        let (Some(live), Some(tags)) = (live?, tags?) else { return Ok(None) };
        object.take(&arn, &live);
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut TopicModel) -> Result<()> {
        let sns = cx.client.sns();
        let name = object.chosen_name(cx.token);
        let mut first = object.attributes().given::<String>().unwrap_or_default();
        let later: Vec<_> = first.extract_if(|name, _| !WITH_CREATION.contains(&name.as_str())).collect();
        let call = sns.create_topic().name(&name).set_attributes(Some(first));
        let call = call.set_tags(Some(sdk_tags(object.tags_all.iter().flatten())?));
        let answer = settle(cx, || async { call.clone().send().await.during("sns:CreateTopic") }).await?;
        let arn = answer.topic_arn.unwrap_or_default();
        object.id = Some(arn.clone());
        for (name, value) in &later {
            set(cx, &arn, name, value).await?;
        }
        let live = cx
            .retry(
                Wait::new("topic to be known everywhere", Duration::from_secs(60)),
                ProviderError::is_not_found,
                || async {
                    let answer = sns.get_topic_attributes().topic_arn(&arn).send().await;
                    answer.during("sns:GetTopicAttributes")
                },
            )
            .await?;
        object.take(&arn, &live.attributes.unwrap_or_default().into());
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(cx.client.arn("sns", cx.client.region(), &planned.chosen_name(cx.token)).await?);
        Ok(Some(planned))
    }

    async fn find(cx: &Context<'_, AwsClient>, planned: Self::Model) -> Result<Option<Self::Model>> {
        let key = planned.kms_master_key_id.clone();
        let Some(located) = Self::locate(cx, planned).await? else { return Ok(None) };
        let found = Self::read(cx, located).await?;
        Ok(found.filter(|live| key.is_none() || live.kms_master_key_id == key))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &TopicModel, object: &mut TopicModel) -> Result<()> {
        let sns = cx.client.sns();
        let arn = prior.id.clone().unwrap_or_default();
        for (name, value) in object.attributes().changed_since(&prior.attributes()).iter() {
            set(cx, &arn, name, value).await?;
        }
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        if !tags.remove.is_empty() {
            let call = sns.untag_resource().resource_arn(&arn).set_tag_keys(Some(tags.remove.clone()));
            call.send().await.during("sns:UntagResource")?;
        }
        if !tags.set.is_empty() {
            let call = sns.tag_resource().resource_arn(&arn).set_tags(Some(sdk_tags(&tags.set)?));
            call.send().await.during("sns:TagResource")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &TopicModel) -> Result<()> {
        let answer = cx.client.sns().delete_topic().set_topic_arn(object.id.clone()).send().await;
        answer.during("sns:DeleteTopic").absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<TopicModel> {
        if !id.starts_with("arn:") {
            return Err(ProviderError::invalid(format!("a topic is imported by its ARN, not by {id:?}")));
        }
        Ok(TopicModel { id: Some(id.to_owned()), ..TopicModel::default() })
    }
}

impl TopicModel {
    /// The name to make it with.
    fn chosen_name(&self, token: &str) -> String {
        let suffix = if self.fifo_topic == Some(true) { naming::FIFO } else { "" };
        naming::choose(self.name.as_deref(), self.name_prefix.as_deref(), suffix, token)
    }

    /// What the stack says, in the API's words. Texts that can be taken back are there even when they are empty.
    fn attributes(&self) -> Attributes {
        let fifo = self.fifo_topic.filter(|fifo| *fifo);
        let rate = |n: Option<i64>| Some(n.filter(|n| *n != 0).map(|n| n.to_string()).unwrap_or_default());
        Attributes::of([
            ("ApplicationFailureFeedbackRoleArn", or_empty(&self.application_failure_feedback_role_arn)),
            ("ApplicationSuccessFeedbackRoleArn", or_empty(&self.application_success_feedback_role_arn)),
            ("ApplicationSuccessFeedbackSampleRate", rate(self.application_success_feedback_sample_rate)),
            ("FirehoseFailureFeedbackRoleArn", or_empty(&self.firehose_failure_feedback_role_arn)),
            ("FirehoseSuccessFeedbackRoleArn", or_empty(&self.firehose_success_feedback_role_arn)),
            ("FirehoseSuccessFeedbackSampleRate", rate(self.firehose_success_feedback_sample_rate)),
            ("HTTPFailureFeedbackRoleArn", or_empty(&self.http_failure_feedback_role_arn)),
            ("HTTPSuccessFeedbackRoleArn", or_empty(&self.http_success_feedback_role_arn)),
            ("HTTPSuccessFeedbackSampleRate", rate(self.http_success_feedback_sample_rate)),
            ("LambdaFailureFeedbackRoleArn", or_empty(&self.lambda_failure_feedback_role_arn)),
            ("LambdaSuccessFeedbackRoleArn", or_empty(&self.lambda_success_feedback_role_arn)),
            ("LambdaSuccessFeedbackSampleRate", rate(self.lambda_success_feedback_sample_rate)),
            ("SQSFailureFeedbackRoleArn", or_empty(&self.sqs_failure_feedback_role_arn)),
            ("SQSSuccessFeedbackRoleArn", or_empty(&self.sqs_success_feedback_role_arn)),
            ("SQSSuccessFeedbackSampleRate", rate(self.sqs_success_feedback_sample_rate)),
            ("ArchivePolicy", or_empty(&self.archive_policy)),
            ("ContentBasedDeduplication", fifo.and(spelled(self.content_based_deduplication))),
            ("DeliveryPolicy", or_empty(&self.delivery_policy)),
            ("DisplayName", or_empty(&self.display_name)),
            ("FifoThroughputScope", given(&self.fifo_throughput_scope)),
            ("FifoTopic", spelled(fifo)),
            ("KmsMasterKeyId", or_empty(&self.kms_master_key_id)),
            ("Policy", given(&self.policy)),
            ("SignatureVersion", self.signature_version.filter(|n| *n != 0).map(|n| n.to_string())),
            ("TracingConfig", given(&self.tracing_config)),
        ])
    }

    /// What the API says of the topic.
    fn take(&mut self, arn: &str, live: &Attributes) {
        let name = arn.rsplit(':').next().unwrap_or_default();
        self.id = Some(arn.to_owned());
        self.arn = Some(arn.to_owned());
        self.name = Some(name.to_owned());
        let prefix = naming::prefix_of(name.strip_suffix(naming::FIFO).unwrap_or(name));
        self.name_prefix.get_or_insert(prefix);
        self.archive_policy = live.json("ArchivePolicy", self.archive_policy.as_deref());
        self.beginning_archive_time = live.stored("BeginningArchiveTime");
        self.content_based_deduplication = live.flag("ContentBasedDeduplication");
        self.delivery_policy = live.json("DeliveryPolicy", self.delivery_policy.as_deref());
        self.display_name = live.stored("DisplayName");
        self.fifo_throughput_scope = live.stored("FifoThroughputScope");
        self.fifo_topic = live.flag("FifoTopic");
        self.kms_master_key_id = live.stored("KmsMasterKeyId");
        self.owner = live.stored("Owner");
        self.policy = live.policy("Policy", self.policy.as_deref());
        self.signature_version = live.number("SignatureVersion");
        self.tracing_config = live.stored("TracingConfig");
        self.application_failure_feedback_role_arn = live.stored("ApplicationFailureFeedbackRoleArn");
        self.application_success_feedback_role_arn = live.stored("ApplicationSuccessFeedbackRoleArn");
        self.application_success_feedback_sample_rate = live.number("ApplicationSuccessFeedbackSampleRate");
        self.firehose_failure_feedback_role_arn = live.stored("FirehoseFailureFeedbackRoleArn");
        self.firehose_success_feedback_role_arn = live.stored("FirehoseSuccessFeedbackRoleArn");
        self.firehose_success_feedback_sample_rate = live.number("FirehoseSuccessFeedbackSampleRate");
        self.http_failure_feedback_role_arn = live.stored("HTTPFailureFeedbackRoleArn");
        self.http_success_feedback_role_arn = live.stored("HTTPSuccessFeedbackRoleArn");
        self.http_success_feedback_sample_rate = live.number("HTTPSuccessFeedbackSampleRate");
        self.lambda_failure_feedback_role_arn = live.stored("LambdaFailureFeedbackRoleArn");
        self.lambda_success_feedback_role_arn = live.stored("LambdaSuccessFeedbackRoleArn");
        self.lambda_success_feedback_sample_rate = live.number("LambdaSuccessFeedbackSampleRate");
        self.sqs_failure_feedback_role_arn = live.stored("SQSFailureFeedbackRoleArn");
        self.sqs_success_feedback_role_arn = live.stored("SQSSuccessFeedbackRoleArn");
        self.sqs_success_feedback_sample_rate = live.number("SQSSuccessFeedbackSampleRate");
    }
}

/// The topic's attributes; `None` without a topic.
async fn find(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Option<Attributes>> {
    let answer = cx.client.sns().get_topic_attributes().topic_arn(arn).send().await;
    let answer = answer.during("sns:GetTopicAttributes").absent_ok(GONE)?;
    Ok(answer.map(|answer| answer.attributes.unwrap_or_default().into()))
}

/// The topic's tags; `None` without a topic.
pub(super) async fn read_tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Option<Tags>> {
    let answer = cx.client.sns().list_tags_for_resource().resource_arn(arn).send().await;
    let absent = ["NotFound", "ResourceNotFound", "ResourceNotFoundException"];
    let answer = answer.during("sns:ListTagsForResource").absent_ok(&absent)?;
    Ok(answer.map(|answer| answer.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect()))
}

/// Sets an attribute; an empty text takes it back.
async fn set(cx: &Context<'_, AwsClient>, arn: &str, name: &str, value: &str) -> Result<()> {
    // A rate cannot be taken back, only be none.
    let value = if value.is_empty() && name.ends_with("SampleRate") { "0" } else { value };
    let call = cx.client.sns().set_topic_attributes().topic_arn(arn).attribute_name(name).attribute_value(value);
    settle(cx, || async { call.clone().send().await.during("sns:SetTopicAttributes") }).await.map(drop)
}

fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Vec<Tag>> {
    let build = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.into_iter().map(build).collect::<Result<_, _>>().map_err(|e| ProviderError::invalid(e.to_string()))
}
