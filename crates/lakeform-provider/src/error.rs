//! Why a call failed, and what that permits.

use std::{error::Error, fmt};

use lakeform_core::Path;

/// The result of a provider call.
pub type Result<T, E = ProviderError> = std::result::Result<T, E>;

/// What went wrong, as far as a caller may branch on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The object does not exist.
    NotFound,
    /// An object of that name exists already.
    AlreadyExists,
    /// The caller may not do that.
    Denied,
    /// Credentials or region are missing, expired or wrong.
    Credentials,
    /// Too many calls.
    Throttled,
    /// The API refused the input.
    Invalid,
    /// Something else is using the object, or it is in the wrong state.
    Conflict,
    /// No answer in time, or the connection broke.
    Unreachable,
    /// The waiting time of an operation ran out.
    Timeout,
    /// The run was cancelled.
    Cancelled,
    /// Anything else.
    Other,
}

/// Whether doing it again is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// The answer will not change.
    Never,
    /// Nothing happened; the same call may be sent again.
    Safe,
    /// It may have happened. Look before deciding.
    Unknown,
}

/// Why a call to the provider failed, and what that permits. Displays as one line: operation, code, message.
#[derive(Debug)]
pub struct ProviderError {
    /// The class of the failure.
    pub kind: ErrorKind,
    /// Whether to do it again.
    pub retry: Retry,
    /// The API operation: `s3:CreateBucket`; empty where no call was made.
    pub operation: String,
    /// The API's own error code: `BucketAlreadyExists`.
    pub code: Option<String>,
    /// The API's own words, or ours.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
    /// The attribute at fault.
    pub attribute: Option<Path>,
    /// What caused it.
    pub source: Option<Box<dyn Error + Send + Sync>>,
}

impl ProviderError {
    /// An error of a kind that will not go away by itself.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            retry: Retry::Never,
            operation: String::new(),
            code: None,
            message: message.into(),
            hint: None,
            attribute: None,
            source: None,
        }
    }

    /// The input is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, message)
    }

    /// Names the API operation.
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.operation = operation.into();
        self
    }

    /// Adds the API's error code.
    pub fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Says whether to do it again.
    pub fn retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Says what to do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Names the attribute at fault.
    pub fn attribute(mut self, path: Path) -> Self {
        self.attribute = Some(path);
        self
    }

    /// Adds the cause.
    pub fn source(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether the object does not exist.
    pub fn is_not_found(&self) -> bool {
        self.kind == ErrorKind::NotFound
    }

    /// Whether the API answered with this code.
    pub fn has_code(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl fmt::Display for ProviderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.operation.is_empty() {
            write!(f, "{}: ", self.operation)?;
        }
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl Error for ProviderError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|e| &**e as &(dyn Error + 'static))
    }
}
