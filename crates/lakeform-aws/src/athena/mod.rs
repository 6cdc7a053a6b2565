//! Athena.

use lakeform_provider::AnyResource;

/// The resource types of Athena.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}
