//! SQS: queues and their policies.

mod queue;
mod queue_data;
mod queue_policy;

use lakeform_provider::{AnyDataSource, AnyResource, data_source, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<queue::Queue>(), resource::<queue_policy::QueuePolicy>()]
}

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<queue_data::QueueData>()]
}
