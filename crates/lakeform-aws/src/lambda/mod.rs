//! Lambda: functions, layers, and what calls functions.

mod common;
mod event_source_mapping;
mod function;
mod function_data;
mod layer_version;
mod permission;

use lakeform_provider::{AnyDataSource, AnyResource, data_source, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![
        resource::<event_source_mapping::EventSourceMapping>(),
        resource::<function::Function>(),
        resource::<layer_version::LayerVersion>(),
        resource::<permission::Permission>(),
    ]
}

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<function_data::FunctionData>()]
}
