//! Secrets Manager.

use lakeform_provider::{AnyDataSource, AnyResource};

/// The resource types of Secrets Manager.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}

/// The data sources of Secrets Manager.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![]
}
