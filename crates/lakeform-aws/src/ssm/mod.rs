//! Systems Manager: parameters.

mod parameter;

use lakeform_provider::{AnyDataSource, AnyResource, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<parameter::Parameter>()]
}

/// The data sources of Systems Manager.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![]
}
