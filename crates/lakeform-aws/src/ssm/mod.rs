//! Systems Manager: parameters.

mod parameter;
mod parameter_data;

use lakeform_provider::{AnyDataSource, AnyResource, data_source, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<parameter::Parameter>()]
}

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<parameter_data::ParameterData>()]
}

/// The ephemeral resource types, one row each.
pub(crate) fn ephemeral_resources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<parameter_data::EphemeralParameter>()]
}
