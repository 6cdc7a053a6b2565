//! `aws_iam_role_policy_attachment`

use lakeform_provider::{Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::GONE;
use crate::{
    AwsClient,
    error::{Absent, During},
    naming,
    propagation::settle,
};

/// A managed policy attached to a role.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct RolePolicyAttachment {
    /// The role's name and something made up.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARN of the policy.
    #[attr(required, force_new)]
    policy_arn: String,
    /// Name of the role.
    #[attr(required, force_new)]
    role: String,
}

/// Attaches a policy to a role; one that is attached already is fine.
pub(super) async fn attach(cx: &Context<'_, AwsClient>, role: &str, arn: &str) -> Result<()> {
    let call = || async {
        let call = cx.client.iam().attach_role_policy().role_name(role).policy_arn(arn);
        call.send().await.during("iam:AttachRolePolicy")
    };
    settle(cx, call).await.map(drop)
}

/// Detaches a policy from a role; gone already is success.
pub(super) async fn detach(cx: &Context<'_, AwsClient>, role: &str, arn: &str) -> Result<()> {
    let call = || async {
        let call = cx.client.iam().detach_role_policy().role_name(role).policy_arn(arn);
        call.send().await.during("iam:DetachRolePolicy")
    };
    settle(cx, call).await.absent_ok(GONE).map(drop)
}

/// ARNs of the policies that are attached to a role; `None` if there is no such role.
pub(super) async fn attached(cx: &Context<'_, AwsClient>, role: &str) -> Result<Option<Vec<String>>> {
    let pages = cx.client.iam().list_attached_role_policies().role_name(role).into_paginator().items().send();
    let found: Result<Vec<_>, _> = pages.collect().await;
    let found = found.during("iam:ListAttachedRolePolicies").absent_ok(GONE)?;
    Ok(found.map(|policies| policies.into_iter().filter_map(|p| p.policy_arn).collect()))
}

impl ResourceType for RolePolicyAttachment {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_iam_role_policy_attachment";
    const IDENTITY: &'static [&'static str] = &["role", "policy_arn"];
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    async fn read(cx: &Context<'_, AwsClient>, object: Self) -> Result<Option<Self>> {
        let there = attached(cx, &object.role).await?.unwrap_or_default().contains(&object.policy_arn);
        Ok(there.then_some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        attach(cx, &object.role, &object.policy_arn).await?;
        object.id = Some(naming::unique(&format!("{}-", object.role), cx.token));
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(naming::unique(&format!("{}-", planned.role), cx.token));
        Ok(Some(planned))
    }

    async fn update(_cx: &Context<'_, AwsClient>, _prior: &Self, _object: &mut Self) -> Result<()> {
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        detach(cx, &object.role, &object.policy_arn).await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        match id.split_once('/') {
            Some((role, arn)) if !role.is_empty() && arn.starts_with("arn:") => {
                Ok(Self { id: Some(format!("{role}-{arn}")), policy_arn: arn.to_owned(), role: role.to_owned() })
            }
            _ => Err(ProviderError::invalid(format!(
                "an attachment is imported by ROLE/ARN, the role's name and the policy's ARN, not by {id:?}"
            ))),
        }
    }
}
