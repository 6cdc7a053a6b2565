//! Step Functions.

use lakeform_provider::AnyResource;

/// The resource types of Step Functions.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}
