//! `aws_cloudwatch_log_metric_filter`

use aws_sdk_cloudwatchlogs::types::{MetricFilter as Found, MetricTransformation, StandardUnit};
use lakeform_core::{Path, Step, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::GONE;
use crate::{
    AwsClient, check,
    error::{Absent, During},
    tags::Tags,
};

/// A filter that counts log events as a metric.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct MetricFilterModel {
    /// The filter's name.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the log group.
    #[attr(required, force_new)]
    log_group_name: String,
    /// Name of the filter.
    #[attr(required, force_new)]
    name: String,
    /// Which events count.
    #[attr(required)]
    pattern: String,
    /// The metric.
    #[block(list, min = 1, max = 1)]
    metric_transformation: Vec<Transformation>,
}

/// The metric that events become.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Transformation {
    /// Value while no event matches. Excludes `dimensions`.
    #[attr(optional)]
    default_value: Option<String>,
    /// Fields of the events that are dimensions of the metric, three at most.
    #[attr(optional)]
    dimensions: Option<Tags>,
    /// Name of the metric.
    #[attr(required)]
    name: String,
    /// Namespace of the metric.
    #[attr(required)]
    namespace: String,
    /// Unit of the metric. Default: `None`.
    #[attr(optional, default = "None")]
    unit: Option<String>,
    /// What an event adds: a number, or a field of the event (`$.size`).
    #[attr(required)]
    value: String,
}

/// `aws_cloudwatch_log_metric_filter`
pub(crate) struct MetricFilter;

impl ResourceType for MetricFilter {
    type Client = AwsClient;
    type Model = MetricFilterModel;
    const NAME: &'static str = "aws_cloudwatch_log_metric_filter";
    const IDENTITY: &'static [&'static str] = &["log_group_name", "name"];
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "name", 1..=512)?;
        check::length(change, "pattern", 0..=1024)?;
        // Terraform takes the space around a pattern away.
        if let Some(planned) = change.planned("pattern")
            && let Some(text) = planned.as_str()
            && text.trim() != text
        {
            let trimmed = Value::from(text.trim()).with_marks(planned.marks());
            change.set("pattern", trimmed);
        }
        let wrong = |name: &str, message: String| {
            let at = Path::attr("metric_transformation").with(Step::Index(0)).with(Step::Attr(name.into()));
            Err(ProviderError::invalid(message).attribute(at))
        };
        let block = change.config.get("metric_transformation").and_then(|v| v.as_slice()?.first());
        let Some(block) = block else { return Ok(()) };
        let text = |name: &str| block.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let dimensions = block.get("dimensions").and_then(Value::as_mapping).map_or(0, |all| all.len());
        match (text("default_value"), text("unit")) {
            (Some(_), _) if dimensions > 0 => {
                wrong("default_value", "default_value and dimensions exclude each other".into())
            }
            (Some(value), _) if value.parse::<f64>().is_err() => {
                wrong("default_value", format!("default_value is {value:?}; a number is expected"))
            }
            (_, Some(unit)) if !StandardUnit::values().contains(&unit) => {
                wrong("unit", format!("unit is {unit:?}; expected is one of {}", StandardUnit::values().join(", ")))
            }
            _ if dimensions > 3 => wrong("dimensions", "more than three dimensions".into()),
            _ => Ok(()),
        }
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: MetricFilterModel) -> Result<Option<MetricFilterModel>> {
        let logs = cx.client.cloudwatchlogs();
        let call = logs.describe_metric_filters().log_group_name(&object.log_group_name);
        let mut filters = call.filter_name_prefix(&object.name).into_paginator().items().send();
        while let Some(filter) = filters.next().await {
            match filter.during("logs:DescribeMetricFilters").absent_ok(GONE)? {
                None => return Ok(None),
                Some(filter) if filter.filter_name() == Some(&object.name) => {
                    object.take(&filter);
                    return Ok(Some(object));
                }
                Some(_) => {}
            }
        }
        Ok(None)
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut MetricFilterModel) -> Result<()> {
        object.put(cx).await?;
        object.id = Some(object.name.clone());
        Ok(())
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self::Model, object: &mut Self::Model) -> Result<()> {
        object.put(cx).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &MetricFilterModel) -> Result<()> {
        let call = cx.client.cloudwatchlogs().delete_metric_filter();
        let call = call.log_group_name(&object.log_group_name).filter_name(&object.name);
        call.send().await.during("logs:DeleteMetricFilter").absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<MetricFilterModel> {
        match id.split_once(':') {
            Some((group, name)) if !group.is_empty() && !name.is_empty() => Ok(MetricFilterModel {
                id: Some(name.to_owned()),
                log_group_name: group.to_owned(),
                name: name.to_owned(),
                ..MetricFilterModel::default()
            }),
            _ => Err(ProviderError::invalid(format!("{id:?} is no identifier: LOG_GROUP:FILTER is expected"))),
        }
    }
}

impl MetricFilterModel {
    /// Sends the filter as it shall be; the API replaces one of the same name.
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let build = |t: &Transformation| {
            MetricTransformation::builder()
                .metric_name(&t.name)
                .metric_namespace(&t.namespace)
                .metric_value(&t.value)
                .set_default_value(t.default_value.as_deref().and_then(|value| value.parse().ok()))
                .set_dimensions(t.dimensions.clone().filter(|all| !all.is_empty()).map(|all| all.into_iter().collect()))
                .set_unit(t.unit.as_deref().map(Into::into))
                .build()
        };
        let metrics = self.metric_transformation.iter().map(build).collect::<Result<_, _>>();
        let metrics = metrics.map_err(|e| ProviderError::invalid(e.to_string()))?;
        let call = cx.client.cloudwatchlogs().put_metric_filter().log_group_name(&self.log_group_name);
        let call = call.filter_name(&self.name).filter_pattern(&self.pattern).set_metric_transformations(Some(metrics));
        call.send().await.during("logs:PutMetricFilter").map(drop)
    }

    /// What the API says of the filter.
    fn take(&mut self, found: &Found) {
        self.id = Some(self.name.clone());
        self.pattern = found.filter_pattern.clone().unwrap_or_default();
        let stored = std::mem::take(&mut self.metric_transformation);
        let live = found.metric_transformations().iter().enumerate().map(|(i, t)| Transformation {
            default_value: Some(number(t.default_value(), stored.get(i).and_then(|s| s.default_value.as_deref()))),
            dimensions: t.dimensions().filter(|all| !all.is_empty()).map(|all| all.clone().into_iter().collect()),
            name: t.metric_name.clone(),
            namespace: t.metric_namespace.clone(),
            unit: Some(t.unit().map_or("None", StandardUnit::as_str).to_owned()),
            value: t.metric_value.clone(),
        });
        self.metric_transformation = live.collect();
    }
}

/// A number as text, in the stored spelling where that is the same number; empty without one.
fn number(live: Option<f64>, stored: Option<&str>) -> String {
    let Some(live) = live else { return String::new() };
    let same = |text: &&str| text.parse::<f64>().is_ok_and(|stored| stored.total_cmp(&live).is_eq());
    stored.filter(same).map_or_else(|| live.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_keeps_its_spelling() {
        for (live, stored, text) in [
            (Some(0.0), None, "0"),
            (Some(1.5), Some("1.50"), "1.50"),
            (Some(1.5), Some("2"), "1.5"),
            (Some(2.0), Some(""), "2"),
            (None, Some("2"), ""),
        ] {
            assert_eq!(number(live, stored), text);
        }
    }
}
