//! DynamoDB: tables.

mod table;
mod table_data;

use lakeform_provider::{AnyDataSource, AnyResource, data_source, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<table::Table>()]
}

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<table_data::TableData>()]
}
