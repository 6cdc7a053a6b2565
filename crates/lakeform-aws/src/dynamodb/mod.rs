//! DynamoDB: tables.

mod table;

use lakeform_provider::{AnyDataSource, AnyResource, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<table::Table>()]
}

/// The data sources of DynamoDB.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![]
}
