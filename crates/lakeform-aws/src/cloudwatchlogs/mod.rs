//! CloudWatch Logs: log groups, metric filters and resource policies. Terraform calls them `aws_cloudwatch_log_*`.

mod group;
mod group_data;
mod metric_filter;
mod resource_policy;

use lakeform_provider::{AnyDataSource, AnyResource, data_source, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![
        resource::<group::LogGroup>(),
        resource::<metric_filter::MetricFilter>(),
        resource::<resource_policy::LogPolicy>(),
    ]
}

/// What says that there is no such thing.
const GONE: &[&str] = &["ResourceNotFoundException"];

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<group_data::LogGroupData>()]
}
