//! EventBridge (once CloudWatch Events).

use lakeform_provider::AnyResource;

/// The resource types of EventBridge.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![]
}
