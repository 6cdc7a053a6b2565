//! Step Functions.

mod state_machine;

use lakeform_provider::{AnyResource, resource};

/// The resource types of Step Functions.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<state_machine::StateMachine>()]
}
