//! `aws_sqs_queue`

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};

use crate::{
    AwsClient,
    attributes::{Attributes, given, or_empty, spelled},
    check,
    error::{Absent, During},
    naming, policy,
    propagation::settle,
    tags::{TagChanges, Tags},
};

/// An SQS queue.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct QueueModel {
    /// ARN of the queue.
    #[attr(computed)]
    arn: Option<String>,
    /// Whether a FIFO queue tells messages apart by their content. Default: `false`.
    #[attr(optional, default = false)]
    content_based_deduplication: Option<bool>,
    /// Where a FIFO queue looks for duplicates: `queue` or `messageGroup`.
    #[attr(optional, computed)]
    deduplication_scope: Option<String>,
    /// Seconds before a new message can be received, 0 to 900. Default: 0.
    #[attr(optional, default = 0)]
    delay_seconds: Option<i64>,
    /// Whether messages keep their order. The name then ends in `.fifo`. Default: `false`.
    #[attr(optional, force_new, default = false)]
    fifo_queue: Option<bool>,
    /// What a FIFO queue's throughput is counted by: `perQueue` or `perMessageGroupId`.
    #[attr(optional, computed)]
    fifo_throughput_limit: Option<String>,
    /// URL of the queue.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Seconds that a data key is used again before KMS is asked, 60 to 86400.
    #[attr(optional, computed)]
    kms_data_key_reuse_period_seconds: Option<i64>,
    /// KMS key that encrypts messages: its id, ARN or alias.
    #[attr(optional)]
    kms_master_key_id: Option<String>,
    /// Longest message in bytes, 1024 to 1048576. Default: 262144.
    #[attr(optional, default = 262_144)]
    max_message_size: Option<i64>,
    /// Seconds that a message is kept, 60 to 1209600. Default: 345600 (4 days).
    #[attr(optional, default = 345_600)]
    message_retention_seconds: Option<i64>,
    /// Name of the queue. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// The policy document.
    #[attr(optional, computed, json, same = policy::same)]
    policy: Option<String>,
    /// Seconds that a receiver waits for a message, 0 to 20. Default: 0.
    #[attr(optional, default = 0)]
    receive_wait_time_seconds: Option<i64>,
    /// Which queues may use this one for their dead letters.
    #[attr(optional, computed, json)]
    redrive_allow_policy: Option<String>,
    /// Where messages go that are received too often.
    #[attr(optional, computed, json)]
    redrive_policy: Option<String>,
    /// Whether SQS encrypts messages with keys of its own.
    #[attr(optional, computed)]
    sqs_managed_sse_enabled: Option<bool>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// URL of the queue.
    #[attr(computed)]
    url: Option<String>,
    /// Seconds that a received message is hidden, 0 to 43200. Default: 30.
    #[attr(optional, default = 30)]
    visibility_timeout_seconds: Option<i64>,
    /// Time limits.
    #[block(single)]
    timeouts: Option<Timeouts>,
}

/// Time limits.
#[derive(Model, Clone, Debug, Default)]
struct Timeouts {
    /// Limit for creating. Default: `3m`.
    #[attr(optional)]
    create: Option<String>,
    /// Limit for deleting. Default: `3m`.
    #[attr(optional)]
    delete: Option<String>,
    /// Limit for changing. Default: `3m`.
    #[attr(optional)]
    update: Option<String>,
}

/// `aws_sqs_queue`
pub(crate) struct Queue;

/// What says that there is no such queue, in both of the API's protocols.
pub(super) const GONE: &[&str] = &["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"];
/// What says that a queue of the name was deleted less than a minute ago.
const RECENT: &[&str] = &["AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently"];
/// How long a change may take to show.
const LIMIT: Duration = Duration::from_secs(180);
impl ResourceType for Queue {
    type Client = AwsClient;
    type Model = QueueModel;
    const NAME: &'static str = "aws_sqs_queue";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::not_both(change, "name", "name_prefix")?;
        check::between(change, "delay_seconds", 0..=900)?;
        check::between(change, "kms_data_key_reuse_period_seconds", 60..=86_400)?;
        check::between(change, "max_message_size", 1024..=1_048_576)?;
        check::between(change, "message_retention_seconds", 60..=1_209_600)?;
        check::between(change, "receive_wait_time_seconds", 0..=20)?;
        check::between(change, "visibility_timeout_seconds", 0..=43_200)?;
        check::one_of(change, "deduplication_scope", &["messageGroup", "queue"])?;
        check::one_of(change, "fifo_throughput_limit", &["perQueue", "perMessageGroupId"])?;
        check::not_both(change, "kms_master_key_id", "sqs_managed_sse_enabled")?;
        naming::check_fifo(change, "queue", 80)?;
        let on = |name: &str| change.config.get(name).and_then(Value::as_bool) == Some(true);
        if on("content_based_deduplication") && !on("fifo_queue") {
            return Err(ProviderError::invalid("content_based_deduplication is for FIFO queues alone")
                .hint("set fifo_queue = true")
                .attribute(Path::attr("content_based_deduplication")));
        }
        for name in ["policy", "redrive_allow_policy", "redrive_policy"] {
            policy::plan_normal(change, name);
        }
        // One kind of encryption ends the other.
        let free = change.config.get("sqs_managed_sse_enabled").is_none_or(Value::is_null);
        if !change.is_create() && free && change.changes("kms_master_key_id") {
            change.set_unknown("sqs_managed_sse_enabled");
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: QueueModel) -> Result<Option<QueueModel>> {
        let Some(url) = object.id.clone() else { return Ok(None) };
        let (live, tags) = tokio::join!(find(cx, &url), read_tags(cx, &url));
        let (Some(live), Some(tags)) = (live?, tags?) else { return Ok(None) };
        object.take(&url, &live);
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut QueueModel) -> Result<()> {
        let name = object.chosen_name(cx.token);
        let wanted = object.attributes();
        let tags = object.tags_all.iter().flatten().map(|(k, v)| (k.clone(), v.clone()));
        let call = cx.client.sqs().create_queue().queue_name(&name);
        let call = call.set_attributes(wanted.given::<QueueAttributeName>()).set_tags(Some(tags.collect()));
        let recent = |e: &ProviderError| e.code.as_deref().is_some_and(|code| RECENT.contains(&code));
        let wait = Wait::new("name to be free again", Duration::from_secs(70));
        let create = || async { call.clone().send().await.during("sqs:CreateQueue") };
        let answer = cx.retry(wait, recent, || settle(cx, create)).await?;
        let url = answer.queue_url.unwrap_or_default();
        object.id = Some(url.clone());
        object.settled(&url, &shown(cx, &url, &wanted).await?);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let call = cx.client.sqs().get_queue_url().queue_name(planned.chosen_name(cx.token));
        let answer = call.send().await.during("sqs:GetQueueUrl").absent_ok(GONE)?;
        planned.id = answer.and_then(|answer| answer.queue_url);
        Ok(planned.id.is_some().then_some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &QueueModel, object: &mut QueueModel) -> Result<()> {
        let sqs = cx.client.sqs();
        let url = prior.id.clone().unwrap_or_default();
        let changes = object.attributes().changed_since(&prior.attributes());
        if !changes.is_empty() {
            let all = changes.iter().map(|(name, value)| (name.into(), value.to_owned())).collect();
            let call = sqs.set_queue_attributes().queue_url(&url).set_attributes(Some(all));
            settle(cx, || async { call.clone().send().await.during("sqs:SetQueueAttributes") }).await?;
            let live = shown(cx, &url, &changes).await?;
            if object.sqs_managed_sse_enabled.is_none() {
                object.sqs_managed_sse_enabled = live.flag("SqsManagedSseEnabled");
            }
        }
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        if !tags.remove.is_empty() {
            let call = sqs.untag_queue().queue_url(&url).set_tag_keys(Some(tags.remove.clone()));
            call.send().await.during("sqs:UntagQueue")?;
        }
        if !tags.set.is_empty() {
            let call = sqs.tag_queue().queue_url(&url).set_tags(Some(tags.set.into_iter().collect()));
            call.send().await.during("sqs:TagQueue")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &QueueModel) -> Result<()> {
        let url = object.id.clone().unwrap_or_default();
        let answer = cx.client.sqs().delete_queue().queue_url(&url).send().await;
        if answer.during("sqs:DeleteQueue").absent_ok(GONE)?.is_none() {
            return Ok(());
        }
        cx.wait(Wait::new("queue to be deleted", LIMIT), || async {
            Ok(if find(cx, &url).await?.is_none() { Poll::Ready(()) } else { Poll::Pending })
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<QueueModel> {
        check_url(id)?;
        Ok(QueueModel { id: Some(id.to_owned()), ..QueueModel::default() })
    }
}

impl QueueModel {
    /// The name to make it with.
    fn chosen_name(&self, token: &str) -> String {
        let suffix = if self.fifo_queue == Some(true) { naming::FIFO } else { "" };
        naming::choose(self.name.as_deref(), self.name_prefix.as_deref(), suffix, token)
    }

    /// What the stack says, in the API's words. Texts that can be taken back are there even when they are empty.
    fn attributes(&self) -> Attributes {
        let number = |n: Option<i64>| n.map(|n| n.to_string());
        let fifo = self.fifo_queue.filter(|fifo| *fifo);
        Attributes::of([
            ("ContentBasedDeduplication", fifo.and(spelled(self.content_based_deduplication))),
            ("DeduplicationScope", given(&self.deduplication_scope)),
            ("DelaySeconds", number(self.delay_seconds)),
            ("FifoQueue", spelled(fifo)),
            ("FifoThroughputLimit", given(&self.fifo_throughput_limit)),
            ("KmsDataKeyReusePeriodSeconds", number(self.kms_data_key_reuse_period_seconds.filter(|n| *n != 0))),
            ("KmsMasterKeyId", or_empty(&self.kms_master_key_id)),
            ("MaximumMessageSize", number(self.max_message_size)),
            ("MessageRetentionPeriod", number(self.message_retention_seconds)),
            ("Policy", or_empty(&self.policy)),
            ("ReceiveMessageWaitTimeSeconds", number(self.receive_wait_time_seconds)),
            ("RedriveAllowPolicy", or_empty(&self.redrive_allow_policy)),
            ("RedrivePolicy", or_empty(&self.redrive_policy)),
            ("SqsManagedSseEnabled", spelled(self.sqs_managed_sse_enabled)),
            ("VisibilityTimeout", number(self.visibility_timeout_seconds)),
        ])
    }

    /// What the API says of the queue.
    fn take(&mut self, url: &str, live: &Attributes) {
        let name = url.rsplit('/').next().unwrap_or_default();
        self.id = Some(url.to_owned());
        self.url = Some(url.to_owned());
        self.name = Some(name.to_owned());
        let prefix = naming::prefix_of(name.strip_suffix(naming::FIFO).unwrap_or(name));
        self.name_prefix.get_or_insert(prefix);
        self.arn = live.stored("QueueArn");
        self.content_based_deduplication = live.flag("ContentBasedDeduplication");
        self.deduplication_scope = live.stored("DeduplicationScope");
        self.delay_seconds = live.number("DelaySeconds");
        self.fifo_queue = live.flag("FifoQueue");
        self.fifo_throughput_limit = live.stored("FifoThroughputLimit");
        self.kms_data_key_reuse_period_seconds = live.number("KmsDataKeyReusePeriodSeconds");
        self.kms_master_key_id = live.stored("KmsMasterKeyId");
        self.max_message_size = live.number("MaximumMessageSize");
        self.message_retention_seconds = live.number("MessageRetentionPeriod");
        self.policy = live.policy("Policy", self.policy.as_deref());
        self.receive_wait_time_seconds = live.number("ReceiveMessageWaitTimeSeconds");
        self.redrive_allow_policy = live.json("RedriveAllowPolicy", self.redrive_allow_policy.as_deref());
        self.redrive_policy = live.json("RedrivePolicy", self.redrive_policy.as_deref());
        self.sqs_managed_sse_enabled = live.flag("SqsManagedSseEnabled");
        self.visibility_timeout_seconds = live.number("VisibilityTimeout");
    }

    /// [`QueueModel::take`] of a queue that was just given what the stack says.
    fn settled(&mut self, url: &str, live: &Attributes) {
        let given = (self.redrive_allow_policy.clone(), self.redrive_policy.clone());
        self.take(url, live);
        self.redrive_allow_policy = given.0.or(self.redrive_allow_policy.take());
        self.redrive_policy = given.1.or(self.redrive_policy.take());
    }
}

/// The queue's attributes; `None` without a queue.
pub(super) async fn find(cx: &Context<'_, AwsClient>, url: &str) -> Result<Option<Attributes>> {
    let call = cx.client.sqs().get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::All);
    let answer = call.send().await.during("sqs:GetQueueAttributes").absent_ok(GONE)?;
    Ok(answer.map(|answer| answer.attributes.unwrap_or_default().into()))
}

/// The queue's tags; `None` without a queue.
pub(super) async fn read_tags(cx: &Context<'_, AwsClient>, url: &str) -> Result<Option<Tags>> {
    let answer = cx.client.sqs().list_queue_tags().queue_url(url).send().await;
    let answer = answer.during("sqs:ListQueueTags").absent_ok(GONE)?;
    Ok(answer.map(|answer| answer.tags.unwrap_or_default().into_iter().collect()))
}

/// The queue's attributes once they show what was sent: AWS lets changes take a minute.
pub(super) async fn shown(cx: &Context<'_, AwsClient>, url: &str, wanted: &Attributes) -> Result<Attributes> {
    let shows = |live: &Attributes, name: &str, wanted: &str| match name {
        "Policy" => policy::same_text(live.text(name), wanted),
        // SQS spells the numbers in them its own way.
        "RedrivePolicy" | "RedriveAllowPolicy" => live.text(name).is_empty() == wanted.is_empty(),
        _ => live.text(name) == wanted,
    };
    cx.wait(Wait::new("queue to show its new attributes", LIMIT), || async {
        Ok(match find(cx, url).await? {
            Some(live) if wanted.iter().all(|(name, wanted)| shows(&live, name, wanted)) => Poll::Ready(live),
            _ => Poll::Pending,
        })
    })
    .await
}

/// Refuses what is no URL of a queue.
///
/// # Errors
/// When an import names something else.
pub(super) fn check_url(url: &str) -> Result<()> {
    if url.starts_with("http") && url.contains("://") {
        return Ok(());
    }
    Err(ProviderError::invalid(format!("a queue is imported by its URL, `https://...`, not by {url:?}")))
}
