//! CloudWatch: alarms and dashboards.

use lakeform_provider::AnyResource;

/// The resource types of CloudWatch.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}
