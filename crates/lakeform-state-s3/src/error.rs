//! Failed calls in words: operation, cause, what to do next.

use std::error::Error;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use lakeform_state::OperationError;

/// The service's own code for a failure: `NoSuchBucket`.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.as_service_error().and_then(ProvideErrorMetadata::code)
}

/// The HTTP status of a failure, if there was an answer.
pub(crate) fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// What the caller's rights are called: `s3:GetObject`; with what they must be for.
pub(crate) struct Call<'a> {
    /// `GetObject`
    pub(crate) name: &'a str,
    /// `s3`, `dynamodb`, ...
    pub(crate) service: &'a str,
    /// `s3://bucket/key` or `table t`
    pub(crate) object: &'a str,
}

impl Call<'_> {
    /// The right that it needs, which for some calls has another name.
    fn right(&self) -> &str {
        match self.name {
            "ListObjectVersions" => "ListBucketVersions",
            "ListObjectsV2" => "ListBucket",
            name => name,
        }
    }
}

/// A failed call.
pub(crate) fn failed<E>(call: &Call<'_>, error: &SdkError<E, HttpResponse>) -> OperationError
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let code = code(error);
    let status = status(error);
    let operation = format!("{} {}", call.name, call.object);
    if let Some(e) = chain(error).find_map(|e| e.downcast_ref::<CredentialsError>()) {
        return OperationError { operation, cause: texts(e), help: Some(NO_CREDENTIALS.to_owned()), transient: false };
    }
    let cause = match (error.as_service_error(), code) {
        (Some(service), Some(code)) => match service.message() {
            Some(message) => format!("{code}: {message}"),
            None => code.to_owned(),
        },
        (Some(_), None) => match status {
            Some(status @ 300..) => format!("the answer was HTTP {status}{}", reason(status)),
            _ => texts(error),
        },
        _ => texts(error),
    };
    let unreachable = matches!(error, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_));
    let help = match code.unwrap_or_default() {
        "NoSuchBucket" => Some("create the bucket with `lakeform bootstrap STACK`, or correct `bucket`".to_owned()),
        "ResourceNotFoundException" => Some(
            "create the table with `lakeform bootstrap STACK`, or correct `dynamodb_table` and `region`".to_owned(),
        ),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException" => {
            Some("the bucket is in another region: correct `region`".to_owned())
        }
        "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "UnrecognizedClientException" | "InvalidClientTokenId" => {
            Some("the credentials are not valid: see `aws sts get-caller-identity`".to_owned())
        }
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => {
            Some("the credentials have expired: log in again".to_owned())
        }
        "BucketAlreadyExists" => {
            Some("bucket names are shared by all accounts and this one is someone else's: choose another".to_owned())
        }
        "NotFoundException" | "DisabledException" | "KMSInvalidStateException" if call.service == "kms" => {
            Some("correct `kms_key_id` and the region, or enable the key".to_owned())
        }
        "KMS.NotFoundException" | "KMS.DisabledException" | "KMS.KMSInvalidStateException" => {
            Some("correct `kms_key_id`, or enable the key".to_owned())
        }
        _ if status == Some(403) || code.is_some_and(|c| c.starts_with("AccessDenied")) => {
            Some(format!("the credentials need `{}:{}` on {}", call.service, call.right(), call.object))
        }
        "" if status == Some(301) => Some("the bucket is in another region: correct `region`".to_owned()),
        _ if unreachable => Some("check the endpoint and the network".to_owned()),
        _ => None,
    };
    let transient = unreachable
        || status.is_some_and(|s| s >= 500 || s == 429)
        || code.is_some_and(|c| {
            c.contains("Throttl") || c == "SlowDown" || c == "RequestLimitExceeded" || c.starts_with("Transaction")
        });
    OperationError { operation, cause, help, transient }
}

/// What to do where no credentials were found.
pub(crate) const NO_CREDENTIALS: &str =
    "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or log in (`aws sso login`)";

fn reason(status: u16) -> String {
    let known = match status {
        301 => " Moved Permanently",
        400 => " Bad Request",
        403 => " Forbidden",
        404 => " Not Found",
        409 => " Conflict",
        412 => " Precondition Failed",
        500 => " Internal Server Error",
        503 => " Service Unavailable",
        _ => "",
    };
    known.to_owned()
}

fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |e: &&'a (dyn Error + 'static)| (*e).source())
}

/// The messages of an error and its sources, each once.
pub(crate) fn texts(error: &(dyn Error + 'static)) -> String {
    let mut out: Vec<String> = Vec::new();
    for text in chain(error).map(ToString::to_string) {
        if !out.iter().any(|before| before.contains(&text)) {
            out.push(text);
        }
    }
    out.join(": ")
}
