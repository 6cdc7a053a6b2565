//! When the SDK may send a call again, beyond its own rules.

use std::{fmt, marker::PhantomData, time::Duration};

use aws_smithy_runtime::client::retries::{RetryPartition, TokenBucket};
use aws_smithy_runtime_api::client::{
    interceptors::context::InterceptorContext,
    retries::classifiers::{ClassifyRetry, RetryAction, RetryClassifierPriority},
};
use aws_smithy_types::{error::metadata::ProvideErrorMetadata, retry::RetryConfig, timeout::TimeoutConfig};

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

/// For a call that creates something each time it is sent: repeats it only when AWS says that it did nothing.
///
/// Without this, the SDK repeats after a 5xx, a timeout or a broken connection, although the first call may have worked;
/// and after `LimitExceededException`, a quota that waiting does not raise. `E` is the operation's error. Use it with
/// `.customize().config_override(Config::builder().retry_classifier(OnlyIfRefused::<CreateKeyError>::default()))`.
pub(crate) struct OnlyIfRefused<E>(PhantomData<fn() -> E>);

impl<E> Default for OnlyIfRefused<E> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<E> fmt::Debug for OnlyIfRefused<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnlyIfRefused")
    }
}

impl<E: ProvideErrorMetadata + fmt::Debug + Send + Sync + std::error::Error + 'static> ClassifyRetry
    for OnlyIfRefused<E>
{
    fn classify_retry(&self, ctx: &InterceptorContext) -> RetryAction {
        let Some(Err(error)) = ctx.output_or_error() else { return RetryAction::NoActionIndicated };
        let code = error.as_operation_error().and_then(|e| e.downcast_ref::<E>()).and_then(|e| e.code());
        let throttled = code.is_some_and(|code| THROTTLED.contains(&code));
        let refused = error.as_connector_error().is_some_and(|e| never_connected(e));
        if throttled || refused { RetryAction::NoActionIndicated } else { RetryAction::RetryForbidden }
    }

    fn name(&self) -> &'static str {
        "only if refused"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_after(RetryClassifierPriority::transient_error_classifier())
    }
}

/// Sends a call of an SDK as [`OnlyIfRefused`] says: `once!(aws_sdk_glue, call, CreateJobError)`.
#[cfg(any(feature = "glue", feature = "athena", feature = "firehose", feature = "budgets"))]
macro_rules! once {
    ($sdk:ident, $call:expr, $error:ty) => {{
        let config = $sdk::config::Config::builder();
        let config = config.retry_classifier($crate::retry::OnlyIfRefused::<$error>::default());
        $call.customize().config_override(config).send()
    }};
}
#[cfg(any(feature = "glue", feature = "athena", feature = "firehose", feature = "budgets"))]
pub(crate) use once;
