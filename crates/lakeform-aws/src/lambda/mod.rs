//! Lambda.

use lakeform_provider::{AnyDataSource, AnyResource};

/// The resource types of Lambda.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}

/// The data sources of Lambda.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![]
}
