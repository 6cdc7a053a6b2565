//! Data Firehose: delivery streams. Terraform calls them `aws_kinesis_firehose_*`.

mod delivery_stream;

use lakeform_provider::{AnyResource, resource};

/// The resource types of Data Firehose.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<delivery_stream::DeliveryStream>()]
}
