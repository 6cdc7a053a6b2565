//! The provider `tls`: keys.

mod key;
mod private_key;

use lakeform_provider::{AnyResource, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<private_key::PrivateKey>()]
}
