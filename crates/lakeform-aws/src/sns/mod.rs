//! SNS: topics and subscriptions.

mod topic;
mod topic_data;
mod topic_subscription;

use lakeform_provider::{AnyDataSource, AnyResource, data_source, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<topic::Topic>(), resource::<topic_subscription::TopicSubscription>()]
}

/// What says that there is no such topic or subscription.
const GONE: &[&str] = &["NotFound", "NotFoundException"];

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<topic_data::TopicData>()]
}
