//! CloudWatch: alarms and dashboards.

mod dashboard;
mod metric_alarm;

use lakeform_provider::{AnyResource, resource};

/// The resource types of CloudWatch.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<dashboard::Dashboard>(), resource::<metric_alarm::MetricAlarm>()]
}

/// What says that there is no such alarm or dashboard, in all of the API's protocols.
const GONE: &[&str] =
    &["DashboardNotFoundError", "ResourceNotFound", "ResourceNotFoundException", "ResourceNotFoundError"];
