//! Athena: workgroups.

mod workgroup;

use lakeform_provider::{AnyResource, resource};

/// The resource types of Athena.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<workgroup::Workgroup>()]
}
