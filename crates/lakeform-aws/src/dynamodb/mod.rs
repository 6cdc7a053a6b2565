//! DynamoDB: tables.

mod table;

use lakeform_provider::{AnyResource, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<table::Table>()]
}
