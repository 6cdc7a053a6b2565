//! KMS: keys, aliases, grants and what keys decrypt.

mod alias;
mod alias_data;
mod grant;
mod key;
mod key_data;
mod secrets;

use lakeform_provider::{AnyDataSource, AnyResource, data_source, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<alias::Alias>(), resource::<grant::Grant>(), resource::<key::Key>()]
}

/// The ephemeral resource types, one row each.
pub(crate) fn ephemeral_resources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<secrets::Secrets>()]
}

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<alias_data::AliasData>(), data_source::<key_data::KeyData>()]
}
