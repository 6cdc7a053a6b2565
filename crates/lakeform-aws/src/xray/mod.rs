//! X-Ray.

mod sampling_rule;

use lakeform_provider::{AnyResource, resource};

/// The resource types of X-Ray.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<sampling_rule::SamplingRule>()]
}
