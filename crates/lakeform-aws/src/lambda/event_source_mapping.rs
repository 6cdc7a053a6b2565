//! `aws_lambda_event_source_mapping`

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use aws_sdk_lambda::{
    operation::get_event_source_mapping::GetEventSourceMappingOutput,
    types::{EventSourcePosition, FilterCriteria, ScalingConfig, SelfManagedEventSource},
};
use aws_smithy_types::date_time::{DateTime, Format};
use lakeform_core::Value;
use lakeform_provider::{Change, Context, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};

use super::common::{GONE, change_tags, given, parts, to_i32};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
    tags::Tags,
};

mod convert;
mod plan;

/// What calls a function with the events of a stream or a queue.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct MappingModel {
    /// ARN of the mapping.
    #[attr(computed)]
    arn: Option<String>,
    /// How many records a call gets at most. Default: 10 for SQS, 100 for anything else.
    #[attr(optional)]
    batch_size: Option<i64>,
    /// Whether a batch that fails is tried again in halves.
    #[attr(optional)]
    bisect_batch_on_function_error: Option<bool>,
    /// Whether the mapping is at work. Default: `true`.
    #[attr(optional, default = true)]
    enabled: Option<bool>,
    /// ARN of the stream, queue or cluster.
    #[attr(optional, force_new)]
    event_source_arn: Option<String>,
    /// ARN of the function.
    #[attr(computed)]
    function_arn: Option<String>,
    /// Name or ARN of the function.
    #[attr(required, same = same_function)]
    function_name: String,
    /// What answers say: `ReportBatchItemFailures`
    #[attr(optional)]
    function_response_types: Option<BTreeSet<String>>,
    /// Id of the mapping.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARN of the KMS key that encrypts the filter.
    #[attr(optional)]
    kms_key_arn: Option<String>,
    /// When the mapping was last changed, or changed its state.
    #[attr(computed)]
    last_modified: Option<String>,
    /// How the last call went.
    #[attr(computed)]
    last_processing_result: Option<String>,
    /// Seconds to wait for more records, 0 to 300.
    #[attr(optional)]
    maximum_batching_window_in_seconds: Option<i64>,
    /// Seconds after which a record is given up, 60 to 604800; `-1`: never. For streams.
    #[attr(optional, computed)]
    maximum_record_age_in_seconds: Option<i64>,
    /// How often a batch is tried again, at most 10000; `-1`: without end. For streams.
    #[attr(optional, computed)]
    maximum_retry_attempts: Option<i64>,
    /// Calls at once for each shard, 1 to 10. For streams.
    #[attr(optional, computed)]
    parallelization_factor: Option<i64>,
    /// Queue of an Amazon MQ broker.
    #[attr(optional, force_new)]
    queues: Option<Vec<String>>,
    /// Where in the stream to begin: `TRIM_HORIZON`, `LATEST` or `AT_TIMESTAMP`
    #[attr(optional, force_new)]
    starting_position: Option<String>,
    /// When to begin, with `AT_TIMESTAMP`: `2030-01-31T00:00:00Z`
    #[attr(optional, force_new)]
    starting_position_timestamp: Option<String>,
    /// `Enabled`, `Disabled`, ...
    #[attr(computed)]
    state: Option<String>,
    /// Why the mapping is in its state.
    #[attr(computed)]
    state_transition_reason: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Kafka topic.
    #[attr(optional, force_new)]
    topics: Option<BTreeSet<String>>,
    /// Seconds of a tumbling window, 0 to 900. For streams.
    #[attr(optional)]
    tumbling_window_in_seconds: Option<i64>,
    /// Id of the mapping.
    #[attr(computed)]
    uuid: Option<String>,
    /// Amazon MSK.
    #[block(list, max = 1, computed, force_new)]
    amazon_managed_kafka_event_source_config: Vec<Kafka>,
    /// Where records go that are given up.
    #[block(list, max = 1, computed)]
    destination_config: Vec<Destination>,
    /// DocumentDB.
    #[block(list, max = 1)]
    document_db_event_source_config: Vec<DocumentDb>,
    /// Which events are meant; all without it.
    #[block(list, max = 1)]
    filter_criteria: Vec<Criteria>,
    /// What is measured.
    #[block(list, max = 1)]
    metrics_config: Vec<Metrics>,
    /// How many pollers there are.
    #[block(list, max = 1)]
    provisioned_poller_config: Vec<Pollers>,
    /// How many calls there are at once. For SQS.
    #[block(list, max = 1)]
    scaling_config: Vec<Scaling>,
    /// A Kafka cluster elsewhere.
    #[block(list, max = 1, force_new)]
    self_managed_event_source: Vec<SelfManaged>,
    /// Kafka elsewhere.
    #[block(list, max = 1, computed, force_new)]
    self_managed_kafka_event_source_config: Vec<Kafka>,
    /// How to get at the source.
    #[block(set, max = 22)]
    source_access_configuration: Vec<Access>,
}

/// Kafka.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Kafka {
    /// Consumer group.
    #[attr(optional, computed, force_new)]
    consumer_group_id: Option<String>,
}

/// Where records go that are given up.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Destination {
    /// Where they go.
    #[block(list, max = 1)]
    on_failure: Vec<OnFailureModel>,
}

/// Where records go that are given up.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct OnFailureModel {
    /// ARN of a queue, a topic or a bucket.
    #[attr(required)]
    destination_arn: String,
}

/// DocumentDB.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct DocumentDb {
    /// Collection; all without it.
    #[attr(optional)]
    collection_name: Option<String>,
    /// Database.
    #[attr(required)]
    database_name: String,
    /// What an update shows: `Default` or `UpdateLookup`. Default: `Default`.
    #[attr(optional, default = "Default")]
    full_document: Option<String>,
}

/// Which events are meant.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Criteria {
    /// Patterns, of which one must match.
    #[block(set, max = 10)]
    filter: Vec<Pattern>,
}

/// A pattern.
#[derive(Model, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Pattern {
    /// The pattern as JSON.
    #[attr(optional)]
    pattern: Option<String>,
}

/// What is measured.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Metrics {
    /// `EventCount`
    #[attr(required)]
    metrics: BTreeSet<String>,
}

/// How many pollers there are.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Pollers {
    /// At most, 1 to 2000.
    #[attr(optional, computed)]
    maximum_pollers: Option<i64>,
    /// At least, 1 to 200.
    #[attr(optional, computed)]
    minimum_pollers: Option<i64>,
}

/// How many calls there are at once.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Scaling {
    /// At most, from 2 on.
    #[attr(optional)]
    maximum_concurrency: Option<i64>,
}

/// A Kafka cluster elsewhere.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct SelfManaged {
    /// `KAFKA_BOOTSTRAP_SERVERS`, with host and port of each server, between commas.
    #[attr(required, force_new, same = same_endpoints)]
    endpoints: BTreeMap<String, String>,
}

/// How to get at the source.
#[derive(Model, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Access {
    /// `VPC_SUBNET`, `BASIC_AUTH`, ...
    #[attr(required, name = "type")]
    kind: String,
    /// What it is: the ARN of a secret, `subnet:subnet-1`, ...
    #[attr(required)]
    uri: String,
}

/// `aws_lambda_event_source_mapping`
pub(crate) struct EventSourceMapping;

/// How long a change may take.
const LIMIT: Duration = Duration::from_secs(600);

/// Whether two texts name the same function; a name and an ARN may.
fn same_function(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => a == b || a.starts_with("arn:") != b.starts_with("arn:") && parts(a) == parts(b),
        _ => a == b,
    }
}

/// Whether two maps name the same servers: AWS gives them back in order.
fn same_endpoints(a: &Value, b: &Value) -> bool {
    let sorted = |value: &Value| -> Option<BTreeMap<String, Vec<String>>> {
        let all = value.as_mapping()?.iter().map(|(key, servers)| {
            let mut servers: Vec<_> = servers.as_str().unwrap_or_default().split(',').map(str::to_owned).collect();
            servers.sort();
            (key.to_string(), servers)
        });
        Some(all.collect())
    };
    sorted(a) == sorted(b)
}

impl ResourceType for EventSourceMapping {
    type Client = AwsClient;
    type Model = MappingModel;
    const NAME: &'static str = "aws_lambda_event_source_mapping";
    const FOUND_BY: FoundBy = FoundBy::Parent;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        plan::plan(change)
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: MappingModel) -> Result<Option<MappingModel>> {
        let Some(id) = object.id.clone() else { return Ok(None) };
        // The ARN is known, but for an import.
        let (found, tags) = match given(&object.arn) {
            Some(arn) => {
                let (found, tags) = tokio::join!(find(cx, &id), tags(cx, &arn));
                let Some(found) = found? else { return Ok(None) };
                (found, tags?)
            }
            None => {
                let Some(found) = find(cx, &id).await? else { return Ok(None) };
                let tags = tags(cx, found.event_source_mapping_arn().unwrap_or_default()).await?;
                (found, tags)
            }
        };
        object.take(&id, &found);
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut MappingModel) -> Result<()> {
        let texts = |all: Vec<String>| (!all.is_empty()).then_some(all);
        let at = given(&object.starting_position_timestamp);
        let call = cx
            .client
            .lambda()
            .create_event_source_mapping()
            .function_name(&object.function_name)
            .enabled(object.enabled != Some(false))
            .set_tags(object.tags_all.clone().filter(|t| !t.is_empty()).map(|t| t.into_iter().collect()))
            .set_amazon_managed_kafka_event_source_config(object.managed_kafka())
            .set_batch_size(to_i32(object.batch_size))
            .set_bisect_batch_on_function_error(object.bisect_batch_on_function_error.filter(|on| *on))
            .set_destination_config(object.destination())
            .set_document_db_event_source_config(object.document_db())
            .set_event_source_arn(given(&object.event_source_arn))
            .set_filter_criteria(object.criteria())
            .set_function_response_types(object.response_types().filter(|all| !all.is_empty()))
            .set_kms_key_arn(given(&object.kms_key_arn))
            .set_maximum_batching_window_in_seconds(
                to_i32(object.maximum_batching_window_in_seconds).filter(|n| *n != 0),
            )
            .set_maximum_record_age_in_seconds(to_i32(object.maximum_record_age_in_seconds).filter(|n| *n != 0))
            .set_maximum_retry_attempts(to_i32(object.maximum_retry_attempts))
            .set_metrics_config(object.metrics())
            .set_parallelization_factor(to_i32(object.parallelization_factor).filter(|n| *n != 0))
            .set_provisioned_poller_config(object.pollers())
            .set_queues(texts(object.queues.clone().unwrap_or_default()))
            .set_scaling_config(object.scaling())
            .set_self_managed_event_source(object.self_managed())
            .set_self_managed_kafka_event_source_config(object.self_managed_kafka())
            .set_source_access_configurations(object.access().filter(|all| !all.is_empty()))
            .set_starting_position(given(&object.starting_position).map(|p| EventSourcePosition::from(p.as_str())))
            .set_starting_position_timestamp(at.and_then(|at| DateTime::from_str(&at, Format::DateTimeWithOffset).ok()))
            .set_topics(texts(object.topics.iter().flatten().cloned().collect()))
            .set_tumbling_window_in_seconds(to_i32(object.tumbling_window_in_seconds).filter(|n| *n != 0));
        let answer =
            settle(cx, || async { call.clone().send().await.during("lambda:CreateEventSourceMapping") }).await?;
        let id = answer.uuid.unwrap_or_default();
        object.id = Some(id.clone());
        object.arn = answer.event_source_mapping_arn;
        let found = at_rest(cx, &id).await?;
        object.take(&id, &found);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let Some(id) = twin(cx, &planned).await? else { return Ok(None) };
        at_rest(cx, &id).await?;
        planned.id = Some(id);
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &MappingModel, object: &mut MappingModel) -> Result<()> {
        let id = prior.id.clone().unwrap_or_default();
        let arn = prior.arn.clone().unwrap_or_default();
        change_tags(cx, &arn, prior.tags_all.as_ref(), object.tags_all.as_ref()).await?;
        if let Some(call) = object.changes(cx, prior, &id) {
            settle(cx, || async { call.clone().send().await.during("lambda:UpdateEventSourceMapping") }).await?;
            let found = at_rest(cx, &id).await?;
            object.take(&id, &found);
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &MappingModel) -> Result<()> {
        let id = object.id.clone().unwrap_or_default();
        let limit = Duration::from_secs(300);
        let in_use = |e: &ProviderError| e.has_code("ResourceInUseException");
        let call = || async {
            let call = cx.client.lambda().delete_event_source_mapping().uuid(&id);
            call.send().await.during("lambda:DeleteEventSourceMapping")
        };
        if cx.retry(Wait::new("mapping to be at rest", limit), in_use, call).await.absent_ok(GONE)?.is_none() {
            return Ok(());
        }
        cx.wait(Wait::new("mapping to be deleted", limit), || async {
            Ok(if find(cx, &id).await?.is_none() { Poll::Ready(()) } else { Poll::Pending })
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<MappingModel> {
        if id.is_empty() || id.contains(':') {
            return Err(ProviderError::invalid(format!(
                "an event source mapping is imported by its UUID, not by {id:?}"
            )));
        }
        Ok(MappingModel { id: Some(id.to_owned()), ..MappingModel::default() })
    }
}

/// UUID of the function's mapping of the same source. AWS lets a function have only one of each, but for the topics and
/// queues that it reads there.
async fn twin(cx: &Context<'_, AwsClient>, object: &MappingModel) -> Result<Option<String>> {
    let call = cx.client.lambda().list_event_source_mappings().function_name(&object.function_name);
    let call = call.set_event_source_arn(given(&object.event_source_arn));
    let mut mappings = call.into_paginator().items().send();
    while let Some(mapping) = mappings.next().await {
        let mapping = mapping.during("lambda:ListEventSourceMappings").absent_ok(GONE)?;
        let Some(live) = mapping else { return Ok(None) };
        let servers = |source: Option<&SelfManagedEventSource>| source.and_then(|source| source.endpoints.clone());
        let alike = live.event_source_arn.clone().unwrap_or_default()
            == given(&object.event_source_arn).unwrap_or_default()
            && live.topics().iter().collect::<BTreeSet<_>>() == object.topics.iter().flatten().collect()
            && live.queues() == object.queues.as_deref().unwrap_or_default()
            && servers(live.self_managed_event_source()) == servers(object.self_managed().as_ref())
            && live.state() != Some("Deleting");
        if alike {
            return Ok(live.uuid);
        }
    }
    Ok(None)
}

/// The mapping; `None` without one.
async fn find(cx: &Context<'_, AwsClient>, id: &str) -> Result<Option<GetEventSourceMappingOutput>> {
    let call = cx.client.lambda().get_event_source_mapping().uuid(id);
    call.send().await.during("lambda:GetEventSourceMapping").absent_ok(GONE)
}

/// The mapping's tags; none where it is gone.
async fn tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Tags> {
    let answer = cx.client.lambda().list_tags().resource(arn).send().await;
    let answer = answer.during("lambda:ListTags").absent_ok(GONE)?;
    Ok(answer.and_then(|answer| answer.tags).unwrap_or_default().into_iter().collect())
}

/// The mapping once it is either at work or not.
async fn at_rest(cx: &Context<'_, AwsClient>, id: &str) -> Result<GetEventSourceMappingOutput> {
    cx.wait(Wait::new("event source mapping to be Enabled or Disabled", LIMIT), || async {
        Ok(match find(cx, id).await? {
            Some(found) if matches!(found.state(), Some("Enabled" | "Disabled")) => Poll::Ready(found),
            _ => Poll::Pending,
        })
    })
    .await
}
