//! Glue.

use lakeform_provider::{AnyDataSource, AnyResource};

/// The resource types of Glue.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}

/// The data sources of Glue.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![]
}
