//! When the SDK may send a call again, beyond its own rules.

use std::time::Duration;

use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::FinalizerInterceptorContextRef},
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::{config_bag::ConfigBag, retry::RetryConfig, timeout::TimeoutConfig};

/// Terraform's `max_retries` default.
const MAX_ATTEMPTS: u32 = 25;

/// Error codes that mean "too many calls": nothing happened, and the same call may be sent later. Most arrive as HTTP 400.
///
/// The SDK's list (`aws_runtime::retries::classifiers::THROTTLING_ERRORS`) less `LimitExceededException`, which in KMS and
/// most other services names a quota that waiting does not raise, and more that Terraform's and botocore's lists name.
pub(crate) const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// How often and how fast the SDK repeats calls: Terraform's 25 attempts, at most 20 s apart.
pub(crate) fn config(adaptive: bool, max_retries: Option<i64>) -> RetryConfig {
    let attempts = max_retries.and_then(|n| u32::try_from(n).ok()).map_or(MAX_ATTEMPTS, |n| n.max(1));
    let config = if adaptive { RetryConfig::adaptive() } else { RetryConfig::standard() };
    config.with_max_attempts(attempts).with_max_backoff(Duration::from_secs(20))
}

/// Terraform switches the SDK's token bucket off unless told otherwise: a busy run must not give up early.
pub(crate) fn partition(capacity: Option<i64>) -> RetryPartition {
    let bucket = match capacity.and_then(|n| usize::try_from(n).ok()) {
        None | Some(0) => TokenBucket::unlimited(),
        Some(capacity) => TokenBucket::new(capacity),
    };
    RetryPartition::custom("lakeform").token_bucket(bucket).build()
}

/// How long to wait for a connection and for an answer.
pub(crate) fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(Duration::from_secs(10)).read_timeout(Duration::from_secs(60)).build()
}

/// Whether the connection was turned down, so that the request never left.
pub(crate) fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(e) = next {
        if e.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused) {
            return true;
        }
        next = e.source();
    }
    false
}

/// The operations that are sent once, by how their names begin: sent twice, they make two objects, or end in an error that
/// the first one explains. Everything else says how something shall be, or bears a client token, and can be said again.
const ONCE: &[&str] = &[
    "AddPermission",
    "Create",
    "Delete",
    "Publish",
    "PutObject",
    "PutParameter",
    "RemovePermission",
    "RestoreTable",
    "RetireGrant",
    "RevokeGrant",
    "ScheduleKeyDeletion",
    "Subscribe",
    "Unsubscribe",
];

/// Puts of [`ONCE`]'s spelling that can be repeated.
const AGAIN: &[&str] =
    &["PutObjectAcl", "PutObjectLegalHold", "PutObjectLock", "PutObjectRetention", "PutObjectTagging"];

/// Keeps every client from repeating a call of [`ONCE`] unless AWS says that it did nothing.
///
/// Without it, the SDK repeats after a 5xx, a timeout or a broken connection, although the first call may have worked; and
/// after `LimitExceededException`, a quota that waiting does not raise. The error then says
/// [`Retry::Unknown`](lakeform_provider::Retry), and the engine looks what came of the call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Once;

impl Once {
    fn is_for(operation: &str) -> bool {
        let begins = |names: &[&str]| names.iter().any(|name| operation.starts_with(name));
        begins(ONCE) && !begins(AGAIN)
    }

    /// Whether an attempt did nothing for sure, and the SDK may decide on another one.
    fn was_refused(context: &FinalizerInterceptorContextRef<'_>) -> bool {
        if let Some(Err(error)) = context.output_or_error()
            && error.as_connector_error().is_some_and(|e| never_connected(e))
        {
            return true;
        }
        let Some(answer) = context.response() else { return false };
        let kind = answer.headers().get("x-amzn-errortype").unwrap_or_default();
        let body = answer.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
        let names = |text: &str| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| THROTTLED.contains(&word));
        names(kind) || names(&body)
    }
}

impl Intercept for Once {
    fn name(&self) -> &'static str {
        "once"
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let once = cfg.load::<Metadata>().is_some_and(|operation| Self::is_for(operation.name()));
        if once && !Self::was_refused(context) {
            let no_more = cfg.load::<RetryConfig>().cloned().unwrap_or_else(RetryConfig::standard).with_max_attempts(1);
            cfg.interceptor_state().store_put(no_more);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_or_deletes_is_sent_once() {
        for name in ["CreateBucket", "DeleteRole", "PublishLayerVersion", "PutObject", "PutParameter", "Subscribe"] {
            assert!(Once::is_for(name), "{name}");
        }
        for name in ["PutObjectTagging", "PutObjectLockConfiguration", "PutRule", "GetObject", "AttachRolePolicy"] {
            assert!(!Once::is_for(name), "{name}");
        }
    }
}
