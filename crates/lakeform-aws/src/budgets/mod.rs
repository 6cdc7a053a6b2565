//! Budgets.

use lakeform_provider::AnyResource;

/// The resource types of Budgets.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}
