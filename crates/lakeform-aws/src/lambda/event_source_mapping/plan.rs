//! What is special to planning a mapping: what can never be applied, and what depends on the source.

use aws_sdk_lambda::types::{
    EventSourceMappingMetric, EventSourcePosition, FullDocument, FunctionResponseType, SourceAccessType,
};
use aws_smithy_types::date_time::{DateTime, Format};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, ProviderError, Result};

use crate::check;

/// Adjusts a planned change of a mapping.
///
/// # Errors
/// When arguments exclude each other or are none that the API knows.
pub(super) fn plan(change: &mut Change<'_>) -> Result<()> {
    check_arguments(change)?;
    if change.config.get("batch_size").is_none_or(|v| v.is_null() || v.as_i64() == Some(0)) {
        let stored = change.prior.and_then(|prior| prior.get("batch_size"));
        match stored.filter(|stored| stored.as_i64() == usual_batch(&change.planned)).cloned() {
            Some(stored) => change.set("batch_size", stored),
            None => change.set_unknown("batch_size"),
        }
    }
    if !change.is_create() {
        plan_answers(change);
    }
    Ok(())
}

/// Leaves to the API what it decides anew with a change.
fn plan_answers(change: &mut Change<'_>) {
    let told = |name: &str| !matches!(name, "tags" | "tags_all");
    let names: Vec<_> =
        change.schema.block.attributes.iter().filter(|(_, a)| a.is_settable()).map(|(n, _)| n).collect();
    let names = names.into_iter().chain(change.schema.block.blocks.keys());
    let any = names.filter(|name| told(name)).any(|name| change.changes(name));
    if any {
        for name in ["last_modified", "last_processing_result", "state", "state_transition_reason"] {
            change.set_unknown(name);
        }
    }
    if change.changes("function_name") {
        change.set_unknown("function_arn");
    }
}

/// How many records a call gets where the stack does not say.
fn usual_batch(planned: &Value) -> Option<i64> {
    let source = planned.get("event_source_arn").and_then(Value::as_str).filter(|arn| !arn.is_empty());
    match source.map(|arn| arn.split(':').nth(2).unwrap_or_default()) {
        Some("sqs") => Some(10),
        Some(_) => Some(100),
        None if planned.get("event_source_arn").is_some_and(|v| !v.is_known()) => None,
        None => Some(100),
    }
}

fn wrong<T>(name: &str, message: String) -> Result<T> {
    Err(ProviderError::invalid(message).attribute(Path::attr(name)))
}

fn check_arguments(change: &Change<'_>) -> Result<()> {
    let says = |name: &str| {
        let value = change.config.get(name);
        value.is_some_and(|v| !v.is_null() && v.as_str() != Some("") && v.as_slice().is_none_or(|all| !all.is_empty()))
    };
    if says("event_source_arn") == says("self_managed_event_source") {
        return wrong("event_source_arn", "one of event_source_arn and self_managed_event_source must be set".into());
    }
    for (name, others) in [
        (
            "amazon_managed_kafka_event_source_config",
            &["self_managed_event_source", "self_managed_kafka_event_source_config"][..],
        ),
        ("self_managed_kafka_event_source_config", &["event_source_arn"]),
    ] {
        if let Some(other) = others.iter().find(|other| says(name) && says(other)) {
            return wrong(name, format!("{name} and {other} exclude each other"));
        }
    }
    check::arn(change, "kms_key_arn")?;
    check::between(change, "maximum_retry_attempts", -1..=10_000)?;
    check::between(change, "parallelization_factor", 1..=10)?;
    check::between(change, "tumbling_window_in_seconds", 0..=900)?;
    if change.config.get("maximum_record_age_in_seconds").and_then(Value::as_i64) != Some(-1) {
        check::between(change, "maximum_record_age_in_seconds", 60..=604_800)?;
    }
    check::one_of(change, "starting_position", EventSourcePosition::values())?;
    if let Some(at) = change.config.get("starting_position_timestamp").and_then(Value::as_str)
        && !at.is_empty()
        && DateTime::from_str(at, Format::DateTimeWithOffset).is_err()
    {
        return wrong("starting_position_timestamp", format!("{at:?} is no time in RFC 3339: 2030-01-31T00:00:00Z"));
    }
    let each = |name: &'static str| change.config.get(name).and_then(Value::as_slice).unwrap_or_default();
    check_each("function_response_types", each("function_response_types"), FunctionResponseType::values())?;
    if each("queues").len() > 1 {
        return wrong("queues", "queues holds one queue at most".into());
    }
    for block in each("metrics_config") {
        let metrics = block.get("metrics").and_then(Value::as_slice).unwrap_or_default();
        check_each("metrics_config", metrics, EventSourceMappingMetric::values())?;
    }
    for block in each("document_db_event_source_config") {
        let full: Vec<Value> = block.get("full_document").cloned().into_iter().collect();
        check_each("document_db_event_source_config", &full, FullDocument::values())?;
    }
    for block in each("source_access_configuration") {
        let kind: Vec<Value> = block.get("type").cloned().into_iter().collect();
        check_each("source_access_configuration", &kind, SourceAccessType::values())?;
    }
    let within = |block: &'static str, name: &str, least: i64, most: i64| {
        let number = each(block).first().and_then(|b| b.get(name)).and_then(Value::as_i64);
        match number.filter(|n| !(least..=most).contains(n)) {
            Some(n) => wrong(block, format!("{name} of {block} is {n}; expected is {least} to {most}")),
            None => Ok(()),
        }
    };
    within("provisioned_poller_config", "maximum_pollers", 1, 2000)?;
    within("provisioned_poller_config", "minimum_pollers", 1, 200)?;
    within("scaling_config", "maximum_concurrency", 2, i64::from(i32::MAX))
}

fn check_each(name: &str, given: &[Value], values: &[&str]) -> Result<()> {
    match given.iter().filter_map(Value::as_str).find(|v| !values.contains(v)) {
        Some(other) => wrong(name, format!("{name} has {other:?}; expected is one of {}", values.join(", "))),
        None => Ok(()),
    }
}
