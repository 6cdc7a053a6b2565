//! IAM: what needs no call.

mod policy_document;

use lakeform_provider::{AnyDataSource, data_source};

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<policy_document::PolicyDocument>()]
}
