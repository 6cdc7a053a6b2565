//! Eventual consistency: which refusals pass by themselves because AWS has not heard everywhere of what this run has only
//! just written, as one table.
//!
//! A service that is told of a role one second after IAM made it may say that the role cannot be assumed. The same words
//! are final when the role is an old one with a wrong trust policy, so a call is only made again while the run's own last
//! write of that kind is recent. What was written is seen by [`Observer`], which every client of a service that writes such
//! things has.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use aws_smithy_runtime_api::{
    box_error::BoxError,
    client::{
        interceptors::{Intercept, context::FinalizerInterceptorContextRef},
        orchestrator::Metadata,
        runtime_components::RuntimeComponents,
    },
};
use aws_smithy_types::config_bag::ConfigBag;
use lakeform_provider::{Context, ProviderError, Result};

use crate::AwsClient;

/// What a service may not have heard of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// A role, who may assume it, or what it may do.
    Role,
    /// An instance profile, or the role in it.
    InstanceProfile,
    /// A bucket, or its policy.
    Bucket,
    /// A log group, or who may write to it.
    LogGroup,
    /// A key, or who may use it.
    Key,
    /// Who may call a function.
    Permission,
    /// Nothing: another call of this run is still changing the same object.
    Busy,
}

/// The operations that write what a [`Cause`] names, by the SDK's names of services.
const WRITES: &[(&str, &str, Cause)] = &[
    ("IAM", "AddRoleToInstanceProfile", Cause::InstanceProfile),
    ("IAM", "AttachRolePolicy", Cause::Role),
    ("IAM", "CreateInstanceProfile", Cause::InstanceProfile),
    ("IAM", "CreatePolicyVersion", Cause::Role),
    ("IAM", "CreateRole", Cause::Role),
    ("IAM", "CreateUser", Cause::Role),
    ("IAM", "PutRolePolicy", Cause::Role),
    ("IAM", "UpdateAssumeRolePolicy", Cause::Role),
    ("Lambda", "AddPermission", Cause::Permission),
    ("KMS", "CreateGrant", Cause::Key),
    ("KMS", "CreateKey", Cause::Key),
    ("KMS", "PutKeyPolicy", Cause::Key),
    ("CloudWatch Logs", "CreateLogGroup", Cause::LogGroup),
    ("CloudWatch Logs", "PutResourcePolicy", Cause::LogGroup),
    ("S3", "CreateBucket", Cause::Bucket),
    ("S3", "PutBucketPolicy", Cause::Bucket),
];

/// How often a call is made again.
#[derive(Clone, Copy, Debug)]
struct Cadence {
    first: Duration,
    longest: Duration,
}

/// IAM is usually known after a second or two: looked for often.
const OFTEN: Cadence = Cadence { first: Duration::from_millis(250), longest: Duration::from_secs(1) };
/// Changes of an object end sooner or later: asked ever more seldom.
const SELDOM: Cadence = Cadence { first: Duration::from_millis(500), longest: Duration::from_secs(5) };

/// How long after a write it may still be unknown somewhere.
const MINUTE: Duration = Duration::from_secs(60);

/// A refusal that passes.
#[derive(Debug)]
struct Lag {
    /// As operations begin: `lambda` in `lambda:CreateFunction`
    service: &'static str,
    code: &'static str,
    /// What AWS's message contains, in lower case, with `*` between parts that follow each other; empty for any message.
    message: &'static str,
    cause: Cause,
    cadence: Cadence,
    /// Since the write; for [`Cause::Busy`], since the first refusal.
    budget: Duration,
}

const fn lag(service: &'static str, code: &'static str, message: &'static str, cause: Cause) -> Lag {
    let cadence = if matches!(cause, Cause::Busy) { SELDOM } else { OFTEN };
    Lag { service, code, message, cause, cadence, budget: MINUTE }
}

/// Another change of the same function or state machine, which can take minutes.
const fn at_work(service: &'static str, code: &'static str, message: &'static str) -> Lag {
    Lag { budget: Duration::from_secs(600), ..lag(service, code, message, Cause::Busy) }
}

/// The catalogue; services whose types come later are in it already. Messages are those that AWS documents or that its users report.
#[rustfmt::skip]
const CATALOGUE: &[Lag] = &[
    lag("apigateway", "ConflictException", "concurrent modification", Cause::Busy),
    lag("cloudtrail", "CloudWatchLogsDeliveryUnavailableException", "", Cause::LogGroup),
    lag("cloudtrail", "InsufficientEncryptionPolicyException", "", Cause::Key),
    lag("cloudtrail", "InsufficientS3BucketPolicyException", "incorrect s3 bucket policy is detected", Cause::Bucket),
    lag("cloudtrail", "InvalidCloudWatchLogsLogGroupArnException", "access denied", Cause::Role),
    lag("cloudtrail", "InvalidCloudWatchLogsRoleArnException", "access denied", Cause::Role),
    lag("cloudtrail", "InvalidCloudWatchLogsRoleArnException", "adequate trust relationships", Cause::Role),
    lag("codedeploy", "InvalidRoleException", "permissions required to assume the role", Cause::Role),
    lag("ec2", "InvalidParameterValue", "invalid iam instance profile", Cause::InstanceProfile),
    lag("events", "ConcurrentModificationException", "", Cause::Busy),
    lag("events", "ValidationException", "cannot be assumed by principal", Cause::Role),
    lag("firehose", "InvalidArgumentException", "access was denied", Cause::Role),
    lag("firehose", "InvalidArgumentException", "firehose is unable to assume role", Cause::Role),
    lag("firehose", "InvalidArgumentException", "is not authorized to", Cause::Role),
    lag("firehose", "InvalidArgumentException", "please make sure the role specified in vpcconfiguration has permissions", Cause::Role),
    lag("firehose", "InvalidArgumentException", "verify that the iam role has access", Cause::Role),
    lag("glue", "AccessDeniedException", "insufficient lake formation permission", Cause::Role),
    lag("glue", "ConcurrentModificationException", "", Cause::Busy),
    lag("glue", "InvalidInputException", "assumed-role*is not authorized to perform", Cause::Role),
    lag("glue", "InvalidInputException", "does not exist or the role provided does not have access to it", Cause::Role),
    lag("glue", "InvalidInputException", "insufficient lake formation permission", Cause::Role),
    lag("glue", "InvalidInputException", "is unable to assume the role", Cause::Role),
    lag("glue", "InvalidInputException", "security token*is invalid. (service:", Cause::Role),
    lag("glue", "InvalidInputException", "service is unable to assume provided role", Cause::Role),
    lag("glue", "InvalidInputException", "verify the role's trustpolicy", Cause::Role),
    lag("iam", "ConcurrentModification", "", Cause::Busy),
    lag("iam", "MalformedPolicyDocument", "invalid principal", Cause::Role),
    lag("kms", "DependencyTimeoutException", "", Cause::Busy),
    lag("kms", "InvalidArnException", "", Cause::Role),
    lag("kms", "MalformedPolicyDocumentException", "invalid principals", Cause::Role),
    lag("kms", "NotFoundException", "", Cause::Key),
    lag("lambda", "InvalidParameterValueException", "cannot be assumed by lambda", Cause::Role),
    lag("lambda", "InvalidParameterValueException", "ensure the role can perform", Cause::Role),
    lag("lambda", "InvalidParameterValueException", "execution role does not have permissions", Cause::Role),
    lag("lambda", "InvalidParameterValueException", "the kms key is invalid for creategrant", Cause::Role),
    at_work("lambda", "InvalidParameterValueException", "throttled by ec2"),
    at_work("lambda", "ResourceConflictException", "concurrent update operation"),
    at_work("lambda", "ResourceConflictException", "in progress"),
    at_work("lambda", "ResourceConflictException", "in the following state: pending"),
    lag("logs", "InvalidParameterException", "could not deliver test message", Cause::Role),
    lag("logs", "OperationAbortedException", "", Cause::Busy),
    lag("rds", "InvalidParameterValue", "enhanced_monitoring", Cause::Role),
    lag("s3", "MalformedPolicy", "invalid principal in policy", Cause::Role),
    Lag { budget: Duration::from_secs(120), ..lag("s3", "OperationAborted", "", Cause::Busy) },
    lag("secretsmanager", "AccessDeniedException", "cannot invoke the specified lambda function", Cause::Permission),
    lag("secretsmanager", "MalformedPolicyDocumentException", "contains an unsupported principal", Cause::Role),
    lag("sns", "InvalidParameter", "principalnotfound", Cause::Role),
    lag("sqs", "InvalidAttributeValue", "invalid value for the parameter policy", Cause::Role),
    lag("states", "AccessDeniedException", "authorized to assume the provided role", Cause::Role),
    lag("states", "AccessDeniedException", "is not authorized to access the log destination", Cause::Role),
    lag("states", "AccessDeniedException", "is not authorized to create managed-rule", Cause::Role),
    at_work("states", "StateMachineDeleting", ""),
];

/// When things of each kind were last written by this run, whichever client wrote them. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Arc<Mutex<Vec<(Cause, Instant)>>>);

impl Recent {
    fn wrote(&self, cause: Cause, now: Instant) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(c, _)| *c != cause);
        all.push((cause, now));
    }

    /// When one was written last; `None` if this run wrote none.
    fn last(&self, cause: Cause) -> Option<Instant> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().find(|(c, _)| *c == cause).map(|(_, at)| *at)
    }

    /// What sees a client's writes.
    pub(crate) fn observer(&self) -> Observer {
        Observer(self.clone())
    }
}

/// Sees what a client writes.
#[derive(Debug)]
pub(crate) struct Observer(Recent);

impl Intercept for Observer {
    fn name(&self) -> &'static str {
        "observer of recent writes"
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        cfg: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(operation) = cfg.load::<Metadata>() else { return Ok(()) };
        let wrote =
            |(service, name, _): &&(&str, &str, Cause)| *service == operation.service() && *name == operation.name();
        if let Some((.., cause)) = WRITES.iter().find(wrote)
            && context.output_or_error().is_some_and(|outcome| outcome.is_ok())
        {
            self.0.wrote(*cause, Instant::now());
        }
        Ok(())
    }
}

/// The row of the catalogue that an answer of AWS belongs to.
fn row(error: &ProviderError) -> Option<&'static Lag> {
    let code = error.code.as_deref()?;
    let (service, _) = error.operation.split_once(':')?;
    let mut same = CATALOGUE.iter().filter(|lag| lag.service == service && lag.code == code).peekable();
    same.peek()?;
    let message = error.message.to_ascii_lowercase();
    same.find(|lag| contains(&message, lag.message))
}

/// Whether a text contains the parts of a pattern, one after the other.
fn contains(text: &str, pattern: &str) -> bool {
    let mut rest = Some(text);
    for part in pattern.split('*') {
        rest = rest.and_then(|rest| rest.split_once(part)).map(|(_, after)| after);
    }
    rest.is_some()
}

/// Whether AWS is still at work on another change of the same object.
pub(crate) fn is_busy(error: &ProviderError) -> bool {
    row(error).is_some_and(|lag| lag.cause == Cause::Busy)
}

/// Makes a call, and again while it is refused for want of something that this run has only just written, or because
/// another change of the same object is under way.
///
/// # Errors
/// The last refusal, or whatever else the call fails with.
pub(crate) async fn settle<T, F: Future<Output = Result<T>>>(
    cx: &Context<'_, AwsClient>,
    call: impl FnMut() -> F,
) -> Result<T> {
    settled(&Clock, cx.client.recent(), cx.cancelled, call).await
}

/// What time it is, and waiting. Tests have one of their own.
trait Time {
    fn now(&self) -> Instant;
    async fn sleep(&self, pause: Duration);
}

/// The real time.
struct Clock;

impl Time for Clock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}

async fn settled<T, F: Future<Output = Result<T>>>(
    time: &impl Time,
    recent: &Recent,
    cancelled: &(dyn Fn() -> bool + Sync),
    mut call: impl FnMut() -> F,
) -> Result<T> {
    let mut refused: Option<Instant> = None;
    let mut pause = Duration::ZERO;
    loop {
        let error = match call().await {
            Err(error) => error,
            done => return done,
        };
        let Some(lag) = row(&error) else { return Err(error) };
        let now = time.now();
        let first = *refused.get_or_insert(now);
        let since = match lag.cause {
            Cause::Busy => Some(first),
            cause => recent.last(cause),
        };
        let left = since.and_then(|since| lag.budget.checked_sub(now - since));
        let Some(left) = left.filter(|left| !left.is_zero()) else { return Err(error) };
        if cancelled() {
            return Err(error);
        }
        pause = (pause * 2).clamp(lag.cadence.first, lag.cadence.longest);
        time.sleep(pause.min(left)).await;
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::Cell,
        sync::atomic::{AtomicU32, Ordering},
    };

    use lakeform_provider::ErrorKind;

    use super::*;

    /// A clock that only goes on while somebody waits.
    struct FakeClock {
        start: Instant,
        passed: Cell<Duration>,
    }

    impl FakeClock {
        fn new() -> Self {
            Self { start: Instant::now(), passed: Cell::default() }
        }
    }

    impl Time for FakeClock {
        fn now(&self) -> Instant {
            self.start + self.passed.get()
        }

        async fn sleep(&self, pause: Duration) {
            self.passed.set(self.passed.get() + pause);
        }
    }

    fn refusal(lag: &Lag) -> ProviderError {
        let words = format!("AWS says: {}. And more.", lag.message.replace('*', " x ").to_ascii_uppercase());
        ProviderError::new(ErrorKind::Other, words).operation(format!("{}:Create", lag.service)).code(lag.code)
    }

    /// How often a call was made that is refused for some time, how long that took, and whether it worked.
    async fn attempts(clock: &FakeClock, recent: &Recent, lag: &Lag, refused: Duration) -> (u32, Duration, bool) {
        let (start, calls) = (clock.now(), AtomicU32::new(0));
        let done = settled(clock, recent, &|| false, || async {
            calls.fetch_add(1, Ordering::SeqCst);
            if clock.now() - start >= refused { Ok(()) } else { Err(refusal(lag)) }
        });
        let done = done.await.is_ok();
        (calls.into_inner(), clock.now() - start, done)
    }

    #[tokio::test]
    async fn a_refusal_passes_while_its_cause_is_recent() {
        for lag in CATALOGUE {
            let (recent, clock) = (Recent::default(), FakeClock::new());
            let short = Duration::from_secs(2);
            if lag.cause != Cause::Busy {
                // Nothing that this run wrote can be the cause.
                assert_eq!(attempts(&clock, &recent, lag, short).await, (1, Duration::ZERO, false), "{lag:?}");
                recent.wrote(lag.cause, clock.now());
            }
            let (calls, took, done) = attempts(&clock, &recent, lag, short).await;
            assert!(done, "{lag:?}");
            // No needless wait: at most one pause longer than it had to be.
            assert!(took <= short + lag.cadence.longest && calls > 2, "{lag:?}: {calls} in {took:?}");
            let (_, took, done) = attempts(&clock, &recent, lag, Duration::from_secs(3600)).await;
            assert!(!done && took <= lag.budget, "{lag:?}: {took:?}");
            if lag.cause != Cause::Busy {
                assert_eq!(attempts(&clock, &recent, lag, short).await.0, 1, "it was long ago: {lag:?}");
            }
        }
    }

    /// Answers as AWS documents them or as its users report them.
    #[test]
    fn what_passes_is_told_from_what_does_not() {
        for (operation, code, message, cause) in [
            (
                "lambda:CreateFunction",
                "InvalidParameterValueException",
                "The role defined for the function cannot be assumed by Lambda.",
                Some(Cause::Role),
            ),
            (
                "lambda:CreateFunction",
                "InvalidParameterValueException",
                "The provided execution role does not have permissions to call CreateNetworkInterface on EC2",
                Some(Cause::Role),
            ),
            (
                "lambda:UpdateFunctionCode",
                "ResourceConflictException",
                "The operation cannot be performed at this time. An update is in progress for resource: f",
                Some(Cause::Busy),
            ),
            ("lambda:CreateFunction", "ResourceConflictException", "Function already exist: f", None),
            ("lambda:CreateFunction", "InvalidParameterValueException", "Unzipped size must be smaller", None),
            (
                "glue:CreateCrawler",
                "InvalidInputException",
                "Service is unable to assume provided role. Please verify role's TrustPolicy",
                Some(Cause::Role),
            ),
            (
                "glue:CreateJob",
                "InvalidInputException",
                "Service is unable to assume the role arn:aws:iam::123456789012:role/x. Please verify the role's TrustPolicy",
                Some(Cause::Role),
            ),
            (
                "glue:CreateCrawler",
                "InvalidInputException",
                "com.amazonaws.services.glue.model.AccessDeniedException: The security token included in the request is \
                 invalid. (Service: AmazonDataCatalog; Status Code: 400)",
                Some(Cause::Role),
            ),
            (
                "glue:CreateCrawler",
                "AccessDeniedException",
                "User: arn:aws:iam::1:user/x is not authorized to perform: glue:CreateCrawler",
                None,
            ),
            (
                "firehose:CreateDeliveryStream",
                "InvalidArgumentException",
                "Firehose is unable to assume role arn:aws:iam::123456789012:role/x. Please check the role provided.",
                Some(Cause::Role),
            ),
            ("firehose:CreateDeliveryStream", "InvalidArgumentException", "SizeInMBs must be at least 1", None),
            (
                "states:CreateStateMachine",
                "AccessDeniedException",
                "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the \
                 provided role.",
                Some(Cause::Role),
            ),
            (
                "sns:CreateTopic",
                "InvalidParameter",
                "Invalid parameter: Policy Error: PrincipalNotFound",
                Some(Cause::Role),
            ),
            ("s3:PutBucketPolicy", "MalformedPolicy", "Missing required field Effect", None),
        ] {
            let error = ProviderError::new(ErrorKind::Other, message).operation(operation).code(code);
            assert_eq!(row(&error).map(|lag| lag.cause), cause, "{error}");
        }
    }

    #[test]
    fn only_what_aws_itself_says_counts() {
        let lambda = CATALOGUE.iter().find(|lag| lag.service == "lambda").unwrap();
        for other in [
            // Another service, another code, another message, and the same words in a message of our own.
            refusal(lambda).operation("ecs:CreateService"),
            refusal(lambda).code("ResourceNotFoundException"),
            ProviderError { message: "the handler is missing".into(), ..refusal(lambda) },
            ProviderError { code: None, ..refusal(lambda) },
        ] {
            assert!(row(&other).is_none(), "{other}");
        }
        assert!(row(&refusal(lambda)).is_some());
    }

    #[tokio::test]
    async fn a_cancelled_run_waits_for_nothing() {
        let lag = CATALOGUE.iter().find(|lag| lag.cause == Cause::Busy).unwrap();
        let clock = FakeClock::new();
        let done = settled(&clock, &Recent::default(), &|| true, || async { Err::<(), _>(refusal(lag)) }).await;
        assert!(done.is_err() && clock.passed.get().is_zero());
    }

    #[test]
    fn the_catalogue_is_in_order() {
        assert!(CATALOGUE.is_sorted_by_key(|lag| (lag.service, lag.code)));
        assert!(CATALOGUE.iter().all(|lag| lag.message == lag.message.to_ascii_lowercase()));
    }
}
