//! Data Firehose.

use lakeform_provider::AnyResource;

/// The resource types of Data Firehose.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}
