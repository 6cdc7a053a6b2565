//! CloudTrail.

use lakeform_provider::AnyResource;

/// The resource types of CloudTrail.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}
