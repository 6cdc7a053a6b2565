//! X-Ray.

use lakeform_provider::AnyResource;

/// The resource types of X-Ray.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}
