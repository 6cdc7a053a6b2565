//! What the stack says in the API's words, and back.

use std::collections::BTreeMap;

use aws_sdk_lambda::{
    operation::{
        get_event_source_mapping::GetEventSourceMappingOutput,
        update_event_source_mapping::builders::UpdateEventSourceMappingFluentBuilder,
    },
    types::{
        AmazonManagedKafkaEventSourceConfig, DestinationConfig, DocumentDbEventSourceConfig, EndPointType,
        EventSourceMappingMetric, EventSourceMappingMetricsConfig, Filter, FullDocument, FunctionResponseType,
        OnFailure, ProvisionedPollerConfig, SelfManagedEventSource, SelfManagedKafkaEventSourceConfig,
        SourceAccessConfiguration, SourceAccessType,
    },
};
use aws_smithy_types::date_time::{DateTime, Format};
use lakeform_provider::{Context, Field};

use super::{
    Access, Criteria, Destination, DocumentDb, FilterCriteria, Kafka, MappingModel, Metrics, OnFailureModel, Pattern,
    Pollers, Scaling, ScalingConfig, SelfManaged, same_endpoints, same_function,
};
use crate::{
    AwsClient,
    lambda::common::{given, text, to_i32},
};

/// RFC 3339 without fractions of a second, as Terraform writes times; empty where there is none.
fn time(at: Option<&DateTime>) -> Option<String> {
    text(at.and_then(|at| DateTime::from_secs(at.secs()).fmt(Format::DateTime).ok()))
}

impl MappingModel {
    pub(super) fn managed_kafka(&self) -> Option<AmazonManagedKafkaEventSourceConfig> {
        let kafka = self.amazon_managed_kafka_event_source_config.first()?;
        let group = given(&kafka.consumer_group_id);
        Some(AmazonManagedKafkaEventSourceConfig::builder().set_consumer_group_id(group).build())
    }

    pub(super) fn self_managed_kafka(&self) -> Option<SelfManagedKafkaEventSourceConfig> {
        let kafka = self.self_managed_kafka_event_source_config.first()?;
        let group = given(&kafka.consumer_group_id);
        Some(SelfManagedKafkaEventSourceConfig::builder().set_consumer_group_id(group).build())
    }

    pub(super) fn destination(&self) -> Option<DestinationConfig> {
        let failure = self.destination_config.first()?.on_failure.first();
        let failure = failure.filter(|f| !f.destination_arn.is_empty());
        let failure = failure.map(|f| OnFailure::builder().destination(&f.destination_arn).build());
        Some(DestinationConfig::builder().set_on_failure(failure).build())
    }

    pub(super) fn document_db(&self) -> Option<DocumentDbEventSourceConfig> {
        let db = self.document_db_event_source_config.first()?;
        let full = given(&db.full_document).map(|d| FullDocument::from(d.as_str()));
        let out = DocumentDbEventSourceConfig::builder().set_collection_name(given(&db.collection_name));
        Some(out.database_name(&db.database_name).set_full_document(full).build())
    }

    pub(super) fn criteria(&self) -> Option<FilterCriteria> {
        let filters = self.filter_criteria.first()?.filter.iter();
        let filters = filters.map(|f| Filter::builder().set_pattern(f.pattern.clone()).build()).collect();
        Some(FilterCriteria::builder().set_filters(Some(filters)).build())
    }

    pub(super) fn metrics(&self) -> Option<EventSourceMappingMetricsConfig> {
        let metrics = self.metrics_config.first()?.metrics.iter();
        let metrics = metrics.map(|m| EventSourceMappingMetric::from(m.as_str())).collect();
        Some(EventSourceMappingMetricsConfig::builder().set_metrics(Some(metrics)).build())
    }

    pub(super) fn pollers(&self) -> Option<ProvisionedPollerConfig> {
        let pollers = self.provisioned_poller_config.first()?;
        let number = |n: Option<i64>| to_i32(n).filter(|n| *n != 0);
        let out = ProvisionedPollerConfig::builder().set_maximum_pollers(number(pollers.maximum_pollers));
        Some(out.set_minimum_pollers(number(pollers.minimum_pollers)).build())
    }

    pub(super) fn response_types(&self) -> Option<Vec<FunctionResponseType>> {
        Some(self.function_response_types.iter().flatten().map(|t| FunctionResponseType::from(t.as_str())).collect())
    }

    pub(super) fn scaling(&self) -> Option<ScalingConfig> {
        let most = to_i32(self.scaling_config.first()?.maximum_concurrency).filter(|n| *n != 0);
        Some(ScalingConfig::builder().set_maximum_concurrency(most).build())
    }

    pub(super) fn self_managed(&self) -> Option<SelfManagedEventSource> {
        let endpoints = &self.self_managed_event_source.first()?.endpoints;
        let endpoints = endpoints.iter().map(|(kind, servers)| {
            (EndPointType::from(kind.as_str()), servers.split(',').map(str::to_owned).collect())
        });
        Some(SelfManagedEventSource::builder().set_endpoints(Some(endpoints.collect())).build())
    }

    pub(super) fn access(&self) -> Option<Vec<SourceAccessConfiguration>> {
        let access = |a: &Access| {
            SourceAccessConfiguration::builder().r#type(SourceAccessType::from(a.kind.as_str())).uri(&a.uri).build()
        };
        Some(self.source_access_configuration.iter().map(access).collect())
    }

    /// The call with what differs; `None` where nothing does. What is not sent stays as it is.
    pub(super) fn changes(
        &self,
        cx: &Context<'_, AwsClient>,
        prior: &Self,
        id: &str,
    ) -> Option<UpdateEventSourceMappingFluentBuilder> {
        let mut call = cx.client.lambda().update_event_source_mapping().uuid(id);
        let mut any = false;
        let mut when = |differs: bool| {
            any |= differs;
            differs
        };
        let number = |n: Option<i64>| n.unwrap_or_default();
        if when(number(self.batch_size) != number(prior.batch_size)) {
            call = call.set_batch_size(to_i32(self.batch_size));
        }
        let on = |flag: Option<bool>| flag == Some(true);
        if when(on(self.bisect_batch_on_function_error) != on(prior.bisect_batch_on_function_error)) {
            call = call.bisect_batch_on_function_error(on(self.bisect_batch_on_function_error));
        }
        if when(self.destination_config != prior.destination_config) {
            call = call.set_destination_config(self.destination());
        }
        if when(self.document_db_event_source_config != prior.document_db_event_source_config) {
            call = call.set_document_db_event_source_config(self.document_db());
        }
        if when(self.enabled != prior.enabled) {
            call = call.set_enabled(self.enabled);
        }
        // Lambda takes no word for "none any more": what is empty takes the old away.
        if when(self.filter_criteria != prior.filter_criteria) {
            call = call.filter_criteria(self.criteria().unwrap_or_else(|| FilterCriteria::builder().build()));
        }
        if when(self.function_name != prior.function_name) {
            call = call.function_name(&self.function_name);
        }
        if when(self.response_types() != prior.response_types()) {
            call = call.set_function_response_types(self.response_types());
        }
        if when(given(&self.kms_key_arn) != given(&prior.kms_key_arn)) {
            call = call.kms_key_arn(self.kms_key_arn.clone().unwrap_or_default());
        }
        if when(number(self.maximum_batching_window_in_seconds) != number(prior.maximum_batching_window_in_seconds)) {
            call = call
                .set_maximum_batching_window_in_seconds(to_i32(Some(number(self.maximum_batching_window_in_seconds))));
        }
        if when(self.maximum_record_age_in_seconds != prior.maximum_record_age_in_seconds) {
            call = call.set_maximum_record_age_in_seconds(to_i32(self.maximum_record_age_in_seconds));
        }
        if when(self.maximum_retry_attempts != prior.maximum_retry_attempts) {
            call = call.set_maximum_retry_attempts(to_i32(self.maximum_retry_attempts));
        }
        if when(self.metrics_config != prior.metrics_config) {
            let none = || EventSourceMappingMetricsConfig::builder().set_metrics(Some(vec![])).build();
            call = call.metrics_config(self.metrics().unwrap_or_else(none));
        }
        if when(self.parallelization_factor != prior.parallelization_factor) {
            call = call.set_parallelization_factor(to_i32(self.parallelization_factor));
        }
        if when(self.provisioned_poller_config != prior.provisioned_poller_config) {
            let none = || ProvisionedPollerConfig::builder().build();
            call = call.provisioned_poller_config(self.pollers().unwrap_or_else(none));
        }
        if when(self.scaling_config != prior.scaling_config) {
            call = call.scaling_config(self.scaling().unwrap_or_else(|| ScalingConfig::builder().build()));
        }
        if when(self.source_access_configuration != prior.source_access_configuration) {
            call = call.set_source_access_configurations(self.access().filter(|all| !all.is_empty()));
        }
        if when(number(self.tumbling_window_in_seconds) != number(prior.tumbling_window_in_seconds)) {
            call = call.set_tumbling_window_in_seconds(to_i32(Some(number(self.tumbling_window_in_seconds))));
        }
        any.then_some(call)
    }

    /// What the API says of the mapping.
    pub(super) fn take(&mut self, id: &str, live: &GetEventSourceMappingOutput) {
        let number = |n: Option<i32>| Some(n.map_or(0, i64::from));
        let texts = |all: &[String]| all.to_vec();
        let function = live.function_arn().unwrap_or_default().to_owned();
        self.id = Some(id.to_owned());
        self.uuid = Some(id.to_owned());
        self.arn = text(live.event_source_mapping_arn());
        self.batch_size = number(live.batch_size());
        self.bisect_batch_on_function_error = Some(live.bisect_batch_on_function_error() == Some(true));
        self.enabled = match live.state() {
            Some("Enabled" | "Enabling") => Some(true),
            Some("Disabled" | "Disabling") => Some(false),
            _ => self.enabled,
        };
        self.event_source_arn = text(live.event_source_arn());
        if !same_function(&self.function_name.as_str().into(), &function.as_str().into()) {
            self.function_name = function.clone();
        }
        self.function_arn = Some(function);
        let types = live.function_response_types().iter().map(|t| t.as_str().to_owned());
        self.function_response_types = Some(types.collect());
        self.kms_key_arn = text(live.kms_key_arn());
        self.last_modified = time(live.last_modified());
        self.last_processing_result = text(live.last_processing_result());
        self.maximum_batching_window_in_seconds = number(live.maximum_batching_window_in_seconds());
        self.maximum_record_age_in_seconds = number(live.maximum_record_age_in_seconds());
        self.maximum_retry_attempts = number(live.maximum_retry_attempts());
        self.parallelization_factor = number(live.parallelization_factor());
        self.queues = Some(texts(live.queues()));
        self.starting_position = text(live.starting_position().map(|p| p.as_str()));
        let stored = self.starting_position_timestamp.as_deref();
        let stored = stored.and_then(|at| DateTime::from_str(at, Format::DateTimeWithOffset).ok());
        if stored.as_ref().map(DateTime::secs) != live.starting_position_timestamp().map(DateTime::secs)
            || stored.is_none()
        {
            self.starting_position_timestamp = time(live.starting_position_timestamp());
        }
        self.state = text(live.state());
        self.state_transition_reason = text(live.state_transition_reason());
        self.topics = Some(live.topics().iter().cloned().collect());
        self.tumbling_window_in_seconds = number(live.tumbling_window_in_seconds());
        self.take_blocks(live);
    }

    fn take_blocks(&mut self, live: &GetEventSourceMappingOutput) {
        let kafka = |group: Option<&str>| Kafka { consumer_group_id: text(group) };
        let managed = live.amazon_managed_kafka_event_source_config();
        self.amazon_managed_kafka_event_source_config =
            managed.map(|k| kafka(k.consumer_group_id())).into_iter().collect();
        let elsewhere = live.self_managed_kafka_event_source_config();
        self.self_managed_kafka_event_source_config =
            elsewhere.map(|k| kafka(k.consumer_group_id())).into_iter().collect();
        let destination = live.destination_config().map(|d| Destination {
            on_failure: d
                .on_failure()
                .map(|f| OnFailureModel { destination_arn: f.destination.clone().unwrap_or_default() })
                .into_iter()
                .collect(),
        });
        self.destination_config = destination.into_iter().collect();
        let db = live.document_db_event_source_config().map(|d| DocumentDb {
            collection_name: text(d.collection_name()),
            database_name: d.database_name().unwrap_or_default().to_owned(),
            full_document: text(d.full_document().map(|f| f.as_str())),
        });
        self.document_db_event_source_config = db.into_iter().collect();
        let mut filters: Vec<_> = live
            .filter_criteria()
            .map(|c| c.filters().iter().map(|f| Pattern { pattern: text(f.pattern()) }).collect())
            .unwrap_or_default();
        filters.sort();
        let mut stored: Vec<_> = self.filter_criteria.iter().flat_map(|c| c.filter.clone()).collect();
        stored.sort();
        if filters != stored {
            let any = !filters.is_empty();
            self.filter_criteria = any.then_some(Criteria { filter: filters }).into_iter().collect();
        }
        let metrics = live
            .metrics_config()
            .map(|m| Metrics { metrics: m.metrics().iter().map(|m| m.as_str().to_owned()).collect() });
        self.metrics_config = metrics.filter(|m| !m.metrics.is_empty()).into_iter().collect();
        let pollers = live.provisioned_poller_config().map(|p| Pollers {
            maximum_pollers: Some(p.maximum_pollers().map_or(0, i64::from)),
            minimum_pollers: Some(p.minimum_pollers().map_or(0, i64::from)),
        });
        self.provisioned_poller_config = pollers.into_iter().collect();
        let scaling = live.scaling_config().and_then(|s| s.maximum_concurrency());
        let unlimited = self.scaling_config.iter().all(|s| s.maximum_concurrency.unwrap_or_default() == 0);
        if scaling.is_some() || !unlimited {
            let scaling = scaling.map(|n| Scaling { maximum_concurrency: Some(n.into()) });
            self.scaling_config = scaling.into_iter().collect();
        }
        let source = live.self_managed_event_source().and_then(|s| s.endpoints()).map(|all| {
            let all = all.iter().map(|(kind, servers)| (kind.as_str().to_owned(), servers.join(",")));
            SelfManaged { endpoints: all.collect::<BTreeMap<_, _>>() }
        });
        let spelled = |s: &SelfManaged| s.endpoints.clone().into_value();
        let same = match (self.self_managed_event_source.first(), &source) {
            (Some(stored), Some(live)) => same_endpoints(&spelled(stored), &spelled(live)),
            _ => false,
        };
        if !same {
            self.self_managed_event_source = source.into_iter().collect();
        }
        let access = live.source_access_configurations().iter().map(|a| Access {
            kind: a.r#type().map(|t| t.as_str().to_owned()).unwrap_or_default(),
            uri: a.uri().unwrap_or_default().to_owned(),
        });
        self.source_access_configuration = access.collect();
    }
}
