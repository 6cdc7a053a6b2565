//! The provider `null`: objects that do nothing by themselves.

mod data;
mod resource;

use lakeform_provider::{AnyDataSource, AnyResource, data_source};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![lakeform_provider::resource::<resource::NullResource>()]
}

/// The data sources, one row each.
pub(crate) fn data_sources() -> Vec<Box<dyn AnyDataSource>> {
    vec![data_source::<data::NullData>()]
}

/// A whole number that nothing else has, in decimal digits.
fn made_up() -> lakeform_provider::Result<String> {
    let drawn = crate::random::bytes(8)?.try_into().map(u64::from_le_bytes).unwrap_or_default();
    Ok((drawn >> 1).to_string())
}
