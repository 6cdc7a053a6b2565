//! Roles that other services have not heard of yet, which no emulator has.

use std::time::{Duration, Instant};

use http_body_util::Full;
use hyper::{Response, body::Bytes};

use super::{Operation, answer, operation::parameter};

/// What a service says of a role that it does not know yet: service as requests are signed for it, status, code and words,
/// as AWS documents them or as its users report them.
const REFUSALS: &[(&str, u16, &str, &str)] = &[
    (
        "cloudtrail",
        400,
        "InvalidCloudWatchLogsRoleArnException",
        "Access denied. Verify in IAM that the role has adequate trust relationships.",
    ),
    ("events", 400, "ValidationException", "Provided role cannot be assumed by principal 'events.amazonaws.com'."),
    ("firehose", 400, "InvalidArgumentException", "Firehose is unable to assume role. Please check the role provided."),
    (
        "glue",
        400,
        "InvalidInputException",
        "Service is unable to assume provided role. Please verify role's TrustPolicy",
    ),
    (
        "kms",
        400,
        "MalformedPolicyDocumentException",
        "Policy contains a statement with one or more invalid principals.",
    ),
    ("lambda", 400, "InvalidParameterValueException", "The role defined for the function cannot be assumed by Lambda."),
    ("s3", 400, "MalformedPolicy", "Invalid principal in policy"),
    ("sns", 400, "InvalidParameter", "Invalid parameter: Policy Error: PrincipalNotFound"),
    ("sqs", 400, "InvalidAttributeValue", "Invalid value for the parameter Policy."),
    (
        "states",
        400,
        "AccessDeniedException",
        "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the provided role.",
    ),
];

/// The roles that were made a short while ago.
#[derive(Debug)]
pub(super) struct Fresh {
    lag: Duration,
    made: Vec<(String, Instant)>,
}

impl Fresh {
    pub(super) fn new(lag: Duration) -> Self {
        Self { lag, made: vec![] }
    }

    /// Takes note of a call that worked.
    pub(super) fn note(&mut self, operation: &Operation, body: &[u8]) {
        if (operation.service.as_str(), operation.name.as_str()) == ("iam", "CreateRole")
            && let Some(name) = parameter(&String::from_utf8_lossy(body), "RoleName")
        {
            self.made.push((name, Instant::now()));
        }
    }

    /// The answer to a call that changes something and names a role which its service does not know yet.
    pub(super) fn refusal(&self, operation: &Operation, path: &str, body: &[u8]) -> Option<Response<Full<Bytes>>> {
        let (_, status, code, words) = REFUSALS.iter().find(|(service, ..)| *service == operation.service)?;
        if super::is_read(&operation.name) {
            return None;
        }
        let body = String::from_utf8_lossy(body).replace("%3A", ":").replace("%2F", "/");
        // The name ends where the ARN does.
        let names = |name: &str| {
            body.match_indices(":role/").any(|(at, _)| {
                let rest = &body[at + ":role/".len()..];
                let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_+=,.@-/".contains(c)));
                let arn = &rest[..end.unwrap_or(rest.len())];
                arn.rsplit('/').next() == Some(name)
            })
        };
        let unheard = self.made.iter().any(|(name, at)| at.elapsed() < self.lag && names(name));
        unheard.then(|| answer::error_saying(operation, *status, code, words, path))
    }
}
