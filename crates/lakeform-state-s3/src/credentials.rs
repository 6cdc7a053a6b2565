//! Credentials of a role, taken on by the backend's own arguments.

use std::time::Duration;

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, error::CredentialsError, future},
};
use aws_sdk_sts::types::{PolicyDescriptorType, Tag};

use crate::{AssumeRole, WebIdentity};

/// Takes on a role whenever credentials are asked for; the SDK keeps them until they expire.
#[derive(Debug)]
pub(crate) struct RoleCredentials {
    pub(crate) sts: aws_sdk_sts::Client,
    pub(crate) role: Role,
}

#[derive(Debug)]
pub(crate) enum Role {
    Assumed(AssumeRole),
    ByToken(WebIdentity),
}

impl ProvideCredentials for RoleCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let (role, result) = match &self.role {
                Role::Assumed(role) => (&role.role_arn, self.assume(role).await),
                Role::ByToken(role) => (&role.role_arn, self.assume_by_token(role).await),
            };
            result.map_err(|e| {
                CredentialsError::provider_error(format!("taking on role {role}: {}", crate::error::texts(&*e)))
            })
        })
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl RoleCredentials {
    async fn assume(&self, role: &AssumeRole) -> Result<Credentials, Failure> {
        let mut call = self
            .sts
            .assume_role()
            .role_arn(&role.role_arn)
            .role_session_name(session(role.session_name.as_deref()))
            .set_external_id(role.external_id.clone())
            .set_policy(role.policy.clone())
            .set_policy_arns(policies(&role.policy_arns))
            .set_source_identity(role.source_identity.clone())
            .set_duration_seconds(seconds(role.duration));
        for (key, value) in &role.tags {
            call = call.tags(Tag::builder().key(key).value(value).build()?);
        }
        for key in &role.transitive_tag_keys {
            call = call.transitive_tag_keys(key);
        }
        given(call.send().await?.credentials)
    }

    async fn assume_by_token(&self, role: &WebIdentity) -> Result<Credentials, Failure> {
        let token = match (&role.web_identity_token, &role.web_identity_token_file) {
            (Some(token), _) => token.0.clone(),
            (None, Some(path)) => tokio::fs::read_to_string(path).await.map_err(|e| format!("{path}: {e}"))?,
            (None, None) => return Err("neither `web_identity_token` nor `web_identity_token_file` is set".into()),
        };
        let call = self
            .sts
            .assume_role_with_web_identity()
            .role_arn(&role.role_arn)
            .role_session_name(session(role.session_name.as_deref()))
            .web_identity_token(token.trim())
            .set_policy(role.policy.clone())
            .set_policy_arns(policies(&role.policy_arns))
            .set_duration_seconds(seconds(role.duration));
        given(call.send().await?.credentials)
    }
}

fn session(name: Option<&str>) -> String {
    name.unwrap_or("lakeform").to_owned()
}

fn policies(arns: &[String]) -> Option<Vec<PolicyDescriptorType>> {
    (!arns.is_empty()).then(|| arns.iter().map(|arn| PolicyDescriptorType::builder().arn(arn).build()).collect())
}

fn seconds(duration: Option<Duration>) -> Option<i32> {
    duration.and_then(|d| d.as_secs().try_into().ok())
}

fn given(credentials: Option<aws_sdk_sts::types::Credentials>) -> Result<Credentials, Failure> {
    let c = credentials.ok_or("STS answered without credentials")?;
    let expiry = c.expiration.try_into().ok();
    Ok(Credentials::new(c.access_key_id, c.secret_access_key, Some(c.session_token), expiry, "role"))
}
