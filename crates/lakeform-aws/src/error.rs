//! The SDK's errors in the words of the contract: what went wrong, and whether to do it again.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::{display::DisplayErrorContext, metadata::ProvideErrorMetadata};
use aws_types::request_id::RequestId;
use lakeform_provider::{ErrorKind, NotPermitted, ProviderError, Result, Retry};

use crate::retry::{THROTTLED, never_connected};

/// Names the operation of a failed SDK call and translates the error.
pub(crate) trait During<T> {
    /// `client.create_bucket().send().await.during("s3:CreateBucket")?`
    ///
    /// # Errors
    /// The call's error, translated.
    fn during(self, operation: &'static str) -> Result<T>;
}

impl<T, E> During<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    fn during(self, operation: &'static str) -> Result<T> {
        self.map_err(|e| translate(operation, e))
    }
}

/// Turns an error that says "there is none" into `None`.
pub(crate) trait Absent<T> {
    /// `None` where the API answered with one of the codes: `.during("s3:GetBucketPolicy").absent_ok(&["NoSuchBucketPolicy"])?`
    ///
    /// # Errors
    /// Any other error.
    fn absent_ok(self, codes: &[&str]) -> Result<Option<T>>;
}

impl<T> Absent<T> for Result<T> {
    fn absent_ok(self, codes: &[&str]) -> Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(e) if e.code.as_deref().is_some_and(|code| codes.contains(&code)) => Ok(None),
            Err(e) => Err(e),
        }
    }
}

/// Codes of credentials that AWS does not accept.
const CREDENTIALS: &[&str] = &[
    "AuthFailure",
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "InvalidToken",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
    "UnrecognizedClientException",
];

/// Codes of S3 that mean: the bucket is in another region.
const WRONG_REGION: &[&str] =
    &["AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "PermanentRedirect"];

const DENIED: &[&str] = &[
    "AccessDenied",
    "AccessDeniedException",
    "AccountProblem",
    "AllAccessDisabled",
    "AuthorizationError",
    "NotAuthorized",
    "UnauthorizedAccess",
    "UnauthorizedOperation",
];

const CONFLICT: &[&str] = &[
    "BucketNotEmpty",
    "ConcurrentModification",
    "ConcurrentModificationException",
    "ConditionalCheckFailedException",
    "ConflictException",
    "ConflictingOperationException",
    "DeleteConflict",
    "DependencyViolation",
    "InvalidBucketState",
    "KMSInvalidStateException",
    "OperationAborted",
    "PreconditionFailed",
    "ResourceConflictException",
    "ResourceInUseException",
];

/// The class of an error by its code and, where it has none (answers to HEAD), by the HTTP status.
fn classify(operation: &str, code: Option<&str>, status: u16) -> ErrorKind {
    let Some(code) = code else {
        return match status {
            404 => ErrorKind::NotFound,
            401 | 403 => ErrorKind::Denied,
            301 => ErrorKind::Credentials,
            409 | 412 => ErrorKind::Conflict,
            429 => ErrorKind::Throttled,
            400..=499 => ErrorKind::Invalid,
            _ => ErrorKind::Other,
        };
    };
    // DynamoDB says so when too many tables or indexes change at once; elsewhere it is a quota.
    if THROTTLED.contains(&code) || (code == "LimitExceededException" && operation.starts_with("dynamodb:")) {
        ErrorKind::Throttled
    } else if CREDENTIALS.contains(&code) || WRONG_REGION.contains(&code) {
        ErrorKind::Credentials
    } else if DENIED.contains(&code) {
        ErrorKind::Denied
    } else if code.starts_with("NoSuch") || code.contains("NotFound") {
        ErrorKind::NotFound
    } else if code.contains("AlreadyExist") || code.contains("AlreadyOwned") {
        ErrorKind::AlreadyExists
    } else if CONFLICT.contains(&code) {
        ErrorKind::Conflict
    } else if (400..500).contains(&status) {
        ErrorKind::Invalid
    } else {
        ErrorKind::Other
    }
}

/// What to do about it, where that is known.
fn advise(kind: ErrorKind, operation: &str, code: &str, redirect: Option<&str>) -> Option<String> {
    if WRONG_REGION.contains(&code) || code.is_empty() && kind == ErrorKind::Credentials {
        return Some(match redirect {
            Some(region) => format!("the bucket is in region {region}: use a provider of that region"),
            None => "the bucket is in another region: use a provider of that region".into(),
        });
    }
    match (kind, code) {
        (_, "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired") => {
            Some("the credentials have expired: sign in again (`aws sso login`, or new temporary credentials)".into())
        }
        (_, "RequestTimeTooSkewed") => Some("this machine's clock is wrong".into()),
        (ErrorKind::Credentials, _) => {
            Some("AWS does not accept these credentials: check the access key, the secret key and the profile".into())
        }
        (ErrorKind::Denied, _) => Some(format!("the caller needs the permission `{operation}`, or a policy denies it")),
        (ErrorKind::AlreadyExists, "BucketAlreadyExists") => {
            Some("bucket names are global, and another account has this one: choose another name".into())
        }
        (ErrorKind::AlreadyExists, _) => Some("import it, or choose another name".into()),
        (_, "LimitExceeded" | "LimitExceededException") => {
            Some("a quota of the account is used up: see Service Quotas".into())
        }
        _ => None,
    }
}

/// The region that an S3 answer or message points to.
fn region_in(message: &str) -> Option<String> {
    let rest = message.split_once("expecting '")?.1;
    Some(rest.split_once('\'')?.0.to_owned())
}

/// The error in the contract's words.
pub(crate) fn translate<E>(operation: &'static str, error: SdkError<E, HttpResponse>) -> ProviderError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let request_id = error.request_id().map(str::to_owned);
    let new = |kind, message: String| ProviderError::new(kind, message).operation(operation);
    match &error {
        SdkError::ServiceError(answer) => {
            let raw = answer.raw();
            let status = raw.status().as_u16();
            let code = answer.err().code().filter(|code| !code.is_empty());
            let kind = classify(operation, code, status);
            let mut message = match answer.err().message().filter(|m| !m.is_empty()) {
                Some(message) => message.to_owned(),
                None => format!("the answer was HTTP {status}"),
            };
            let redirect = raw.headers().get("x-amz-bucket-region").map(str::to_owned).or_else(|| region_in(&message));
            if let Some(id) = request_id {
                message.push_str(&format!(" (request id {id})"));
            }
            let retry = match kind {
                ErrorKind::Throttled => Retry::Safe,
                _ if status >= 500 => Retry::Unknown,
                _ => Retry::Never,
            };
            let mut out = new(kind, message).retry(retry);
            out.hint = advise(kind, operation, code.unwrap_or_default(), redirect.as_deref());
            out.code = code.map(str::to_owned).or_else(|| (status == 404).then(|| "NotFound".to_owned()));
            out.source(error)
        }
        SdkError::ConstructionFailure(_) => local(operation, error, Retry::Never),
        SdkError::TimeoutError(_) => {
            new(ErrorKind::Unreachable, "no answer in time".into()).retry(Retry::Unknown).source(error)
        }
        SdkError::DispatchFailure(failure) => {
            let refused = failure.as_connector_error().is_some_and(|e| never_connected(e));
            local(operation, error, if refused { Retry::Safe } else { Retry::Unknown })
        }
        SdkError::ResponseError(_) => {
            new(ErrorKind::Unreachable, format!("the answer could not be read: {}", DisplayErrorContext(&error)))
                .retry(Retry::Unknown)
                .source(error)
        }
        _ => new(ErrorKind::Other, DisplayErrorContext(&error).to_string()).retry(Retry::Unknown).source(error),
    }
}

/// An error on this side: credentials that cannot be had, or a connection that broke.
fn local<E>(operation: &'static str, error: SdkError<E, HttpResponse>, retry: Retry) -> ProviderError
where
    E: Error + Send + Sync + 'static,
{
    let mut next = error.source();
    while let Some(e) = next {
        if let Some(e) = e.downcast_ref::<CredentialsError>() {
            return credentials(e).operation(operation).source(error);
        }
        if let Some(refused) = e.downcast_ref::<NotPermitted>() {
            return refused.error().operation(operation);
        }
        next = e.source();
    }
    let kind = match error {
        SdkError::DispatchFailure(_) => ErrorKind::Unreachable,
        _ => ErrorKind::Invalid,
    };
    let mut root: &dyn Error = &error;
    while let Some(next) = root.source() {
        root = next;
    }
    let message = match kind {
        ErrorKind::Unreachable => format!("the connection failed: {root}"),
        _ => format!("the request could not be made: {root}"),
    };
    let out = ProviderError::new(kind, message).operation(operation).retry(retry);
    let out =
        if kind == ErrorKind::Unreachable { out.hint("check the network, the region and the endpoint") } else { out };
    out.source(error)
}

/// Credentials that cannot be had.
pub(crate) fn credentials(error: &CredentialsError) -> ProviderError {
    let mut root: &dyn Error = error;
    while let Some(next) = root.source() {
        root = next;
    }
    let (message, hint) = match error {
        CredentialsError::CredentialsNotLoaded(_) => (
            "no AWS credentials were found".to_owned(),
            "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `profile` in the provider's block",
        ),
        CredentialsError::ProviderTimedOut(_) => (
            "the source of AWS credentials gave no answer in time".to_owned(),
            "check the network, or configure another source: AWS_PROFILE, AWS_ACCESS_KEY_ID",
        ),
        _ => (
            format!("the AWS credentials could not be loaded: {root}"),
            "check the profile, its `sso`, `role_arn` or `credential_process` settings, and sign in again if it needs that",
        ),
    };
    ProviderError::new(ErrorKind::Credentials, message).hint(hint)
}
