//! `aws_iam_user_policy_attachment`

use lakeform_provider::{Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::GONE;
use crate::{
    AwsClient,
    error::{Absent, During},
    naming,
    propagation::settle,
};

/// A managed policy attached to a user.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct UserPolicyAttachment {
    /// The user's name and something made up.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARN of the policy.
    #[attr(required, force_new)]
    policy_arn: String,
    /// Name of the user.
    #[attr(required, force_new)]
    user: String,
}

impl ResourceType for UserPolicyAttachment {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_iam_user_policy_attachment";
    const IDENTITY: &'static [&'static str] = &["user", "policy_arn"];
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    async fn read(cx: &Context<'_, AwsClient>, object: Self) -> Result<Option<Self>> {
        let call = cx.client.iam().list_attached_user_policies().user_name(&object.user);
        let found: Result<Vec<_>, _> = call.into_paginator().items().send().collect().await;
        let found = found.during("iam:ListAttachedUserPolicies").absent_ok(GONE)?.unwrap_or_default();
        let there = found.iter().any(|policy| policy.policy_arn() == Some(&object.policy_arn));
        Ok(there.then_some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        settle(cx, || async {
            let call = cx.client.iam().attach_user_policy().user_name(&object.user).policy_arn(&object.policy_arn);
            call.send().await.during("iam:AttachUserPolicy")
        })
        .await?;
        object.id = Some(naming::unique(&format!("{}-", object.user), cx.token));
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(naming::unique(&format!("{}-", planned.user), cx.token));
        Ok(Some(planned))
    }

    async fn update(_cx: &Context<'_, AwsClient>, _prior: &Self, _object: &mut Self) -> Result<()> {
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let call = || async {
            let call = cx.client.iam().detach_user_policy().user_name(&object.user).policy_arn(&object.policy_arn);
            call.send().await.during("iam:DetachUserPolicy")
        };
        settle(cx, call).await.absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        match id.split_once('/') {
            Some((user, arn)) if !user.is_empty() && arn.starts_with("arn:") => {
                Ok(Self { id: Some(format!("{user}-{arn}")), policy_arn: arn.to_owned(), user: user.to_owned() })
            }
            _ => Err(ProviderError::invalid(format!(
                "an attachment is imported by USER/ARN, the user's name and the policy's ARN, not by {id:?}"
            ))),
        }
    }
}
