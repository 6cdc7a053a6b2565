//! No call without a permit.

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::BeforeTransmitInterceptorContextRef},
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use lakeform_provider::Permit;

/// Refuses to send, first attempts and repetitions, once the permit of the operation has ended.
#[derive(Debug)]
pub(crate) struct Permitted;

impl Intercept for Permitted {
    fn name(&self) -> &'static str {
        "permit of the operation"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        Ok(Permit::check()?)
    }
}
