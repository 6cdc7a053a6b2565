//! Roles that the provider's block asks to assume, on top of the SDK's own chain of credentials.

use std::{sync::Arc, time::Duration};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};
use lakeform_core::Path;
use lakeform_provider::{ProviderError, Result};

use crate::config::{AssumeRole, AssumeRoleWithWebIdentity};

/// The name of a session where the stack gives none.
const SESSION: &str = "lakeform";

/// What to ask STS for.
#[derive(Clone, Debug)]
enum Role {
    Plain { block: AssumeRole, seconds: Option<i32> },
    WebIdentity { block: AssumeRoleWithWebIdentity, seconds: Option<i32> },
}

/// Credentials of an assumed role. The SDK caches them until they are about to expire.
#[derive(Clone, Debug)]
struct Assumed {
    sts: aws_sdk_sts::Client,
    role: Arc<Role>,
}

/// Credentials for a role, asked for with the credentials of `sts`.
///
/// # Errors
/// When the block's `duration` is no duration.
pub(crate) fn assume(sts: aws_sdk_sts::Client, block: &AssumeRole) -> Result<SharedCredentialsProvider> {
    let seconds = block.duration.as_deref().map(|d| seconds("assume_role", d)).transpose()?;
    let role = Arc::new(Role::Plain { block: block.clone(), seconds });
    Ok(SharedCredentialsProvider::new(Assumed { sts, role }))
}

/// Credentials for a role, asked for with a token.
///
/// # Errors
/// When the block's `duration` is no duration.
pub(crate) fn assume_with_web_identity(
    sts: aws_sdk_sts::Client,
    block: &AssumeRoleWithWebIdentity,
) -> Result<SharedCredentialsProvider> {
    let seconds = block.duration.as_deref().map(|d| seconds("assume_role_with_web_identity", d)).transpose()?;
    let role = Arc::new(Role::WebIdentity { block: block.clone(), seconds });
    Ok(SharedCredentialsProvider::new(Assumed { sts, role }))
}

fn seconds(block: &str, text: &str) -> Result<i32> {
    let parsed = go_duration(text).and_then(|d| i32::try_from(d.as_secs()).ok());
    parsed.filter(|s| (900..=43_200).contains(s)).ok_or_else(|| {
        ProviderError::invalid(format!("{block}: duration {text:?} is not between 15m and 12h"))
            .attribute(Path::attr(block))
    })
}

/// A duration in Go's notation, as Terraform takes it: `1h30m`, `900s`, `1.5h`.
fn go_duration(text: &str) -> Option<Duration> {
    let mut total = 0.0;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            _ => return None,
        };
        total += number * unit;
        rest = &rest[end..];
    }
    Duration::try_from_secs_f64(total).ok()
}

fn policies<'a>(arns: impl IntoIterator<Item = &'a String>) -> Option<Vec<PolicyDescriptorType>> {
    let all: Vec<_> = arns.into_iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build()).collect();
    (!all.is_empty()).then_some(all)
}

impl Assumed {
    async fn ask(&self) -> Result<Credentials, CredentialsError> {
        let (given, name) = match &*self.role {
            Role::Plain { block, seconds } => {
                let tags = block.tags.iter().flatten().map(|(k, v)| Tag::builder().key(k).value(v).build());
                let tags = tags.collect::<Result<Vec<_>, _>>().map_err(CredentialsError::invalid_configuration)?;
                let keys = block.transitive_tag_keys.as_ref().map(|keys| keys.iter().cloned().collect());
                let call = self
                    .sts
                    .assume_role()
                    .set_role_arn(block.role_arn.clone())
                    .role_session_name(block.session_name.as_deref().unwrap_or(SESSION))
                    .set_external_id(block.external_id.clone())
                    .set_policy(block.policy.clone())
                    .set_policy_arns(policies(block.policy_arns.iter().flatten()))
                    .set_duration_seconds(*seconds)
                    .set_source_identity(block.source_identity.clone())
                    .set_tags((!tags.is_empty()).then_some(tags))
                    .set_transitive_tag_keys(keys);
                let answer = call.send().await.map_err(CredentialsError::provider_error)?;
                (answer.credentials, "assume_role")
            }
            Role::WebIdentity { block, seconds } => {
                let token = match (&block.web_identity_token, &block.web_identity_token_file) {
                    (Some(token), _) => token.clone(),
                    (None, Some(file)) => {
                        tokio::fs::read_to_string(file).await.map_err(CredentialsError::invalid_configuration)?
                    }
                    (None, None) => {
                        return Err(CredentialsError::invalid_configuration(
                            "assume_role_with_web_identity needs web_identity_token or web_identity_token_file",
                        ));
                    }
                };
                let call = self
                    .sts
                    .assume_role_with_web_identity()
                    .set_role_arn(block.role_arn.clone())
                    .role_session_name(block.session_name.as_deref().unwrap_or(SESSION))
                    .web_identity_token(token)
                    .set_policy(block.policy.clone())
                    .set_policy_arns(policies(block.policy_arns.iter().flatten()))
                    .set_duration_seconds(*seconds);
                let answer = call.send().await.map_err(CredentialsError::provider_error)?;
                (answer.credentials, "assume_role_with_web_identity")
            }
        };
        let given = given.ok_or_else(|| CredentialsError::unhandled("the answer holds no credentials"))?;
        let expiry = std::time::SystemTime::try_from(*given.expiration()).ok();
        let token = Some(given.session_token().to_owned());
        Ok(Credentials::new(given.access_key_id(), given.secret_access_key(), token, expiry, name))
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.ask())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_those_of_go() {
        for (text, seconds) in
            [("1h", 3600.0), ("1h30m", 5400.0), ("900s", 900.0), ("1.5h", 5400.0), ("15m0.5s", 900.5)]
        {
            assert_eq!(go_duration(text).unwrap().as_secs_f64(), seconds, "{text}");
        }
        for wrong in ["", "1", "h", "1d", "-1h", "1h 30m"] {
            assert!(go_duration(wrong).is_none(), "{wrong}");
        }
        assert!(seconds("assume_role", "14m").is_err());
        assert_eq!(seconds("assume_role", "12h").unwrap(), 43_200);
    }
}
