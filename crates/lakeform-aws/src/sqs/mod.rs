//! SQS: queues and their policies.

mod queue;
mod queue_policy;

use lakeform_provider::{AnyDataSource, AnyResource, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<queue::Queue>(), resource::<queue_policy::QueuePolicy>()]
}

/// The data sources of SQS.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![]
}
