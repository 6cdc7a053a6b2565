//! Systems Manager: parameters.

mod parameter;

use lakeform_provider::{AnyResource, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<parameter::Parameter>()]
}
