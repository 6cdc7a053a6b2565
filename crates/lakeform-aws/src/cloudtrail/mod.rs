//! CloudTrail.

mod trail;
mod trail_selectors;

use lakeform_provider::{AnyResource, resource};

/// The resource types of CloudTrail.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<trail::CloudTrail>()]
}
