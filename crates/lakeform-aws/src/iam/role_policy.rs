//! `aws_iam_role_policy`

use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::{self, GONE};
use crate::{
    AwsClient,
    error::{Absent, During},
    naming, policy,
    propagation::settle,
};

/// A policy that is part of a role.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct RolePolicy {
    /// `ROLE:NAME`
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the policy. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// The policy document.
    #[attr(required, json, same = policy::same)]
    policy: String,
    /// Name of the role.
    #[attr(required, force_new)]
    role: String,
}

/// Puts a policy into a role, in place of one of that name.
pub(super) async fn put(cx: &Context<'_, AwsClient>, role: &str, name: &str, document: &str) -> Result<()> {
    let call = || async {
        let call = cx.client.iam().put_role_policy().role_name(role).policy_name(name).policy_document(document);
        call.send().await.during("iam:PutRolePolicy")
    };
    settle(cx, call).await.map(drop)
}

/// The document of a role's policy; `None` without role or policy.
pub(super) async fn get(cx: &Context<'_, AwsClient>, role: &str, name: &str) -> Result<Option<String>> {
    let answer = cx.client.iam().get_role_policy().role_name(role).policy_name(name).send().await;
    let found = answer.during("iam:GetRolePolicy").absent_ok(GONE)?;
    found.map(|found| common::document(found.policy_document(), "iam:GetRolePolicy")).transpose()
}

/// Takes a policy from a role; gone already is success.
pub(super) async fn delete(cx: &Context<'_, AwsClient>, role: &str, name: &str) -> Result<()> {
    let call = || async {
        let call = cx.client.iam().delete_role_policy().role_name(role).policy_name(name);
        call.send().await.during("iam:DeleteRolePolicy")
    };
    settle(cx, call).await.absent_ok(GONE).map(drop)
}

/// Role and name.
fn split(id: &str) -> Option<(&str, &str)> {
    id.split_once(':').filter(|(role, name)| !role.is_empty() && !name.is_empty())
}

impl ResourceType for RolePolicy {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_iam_role_policy";
    const IDENTITY: &'static [&'static str] = &["role", "name"];
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        common::check_names(change, 128)?;
        common::plan_spelled(change, "policy", common::version_first);
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let Some((role, name)) = object.id.as_deref().and_then(split) else { return Ok(None) };
        let Some(live) = get(cx, role, name).await? else { return Ok(None) };
        if !policy::same_text(&object.policy, &live) {
            object.policy = common::version_first(&live);
        }
        let (role, name) = (role.to_owned(), name.to_owned());
        object.name_prefix = Some(naming::prefix_of(&name));
        (object.role, object.name) = (role, Some(name));
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let name = common::name(object.name.as_ref(), object.name_prefix.as_ref(), cx.token);
        put(cx, &object.role, &name, &object.policy).await?;
        object.id = Some(format!("{}:{name}", object.role));
        object.name_prefix.get_or_insert_with(|| naming::prefix_of(&name));
        object.name = Some(name);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let name = common::name(planned.name.as_ref(), planned.name_prefix.as_ref(), cx.token);
        planned.id = Some(format!("{}:{name}", planned.role));
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, _prior: &Self, object: &mut Self) -> Result<()> {
        put(cx, &object.role, object.name.as_deref().unwrap_or_default(), &object.policy).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        delete(cx, &object.role, object.name.as_deref().unwrap_or_default()).await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        if split(id).is_none() {
            return Err(ProviderError::invalid(format!("a role's policy is imported by ROLE:NAME, not by {id:?}")));
        }
        Ok(Self { id: Some(id.to_owned()), ..Self::default() })
    }
}
