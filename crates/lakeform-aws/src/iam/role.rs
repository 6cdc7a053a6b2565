//! `aws_iam_role`

use std::collections::BTreeSet;

use aws_sdk_iam::types::Role as Live;
use futures::future::try_join_all;
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::{
    common::{self, GONE, change_tags, once_known, unless_used},
    instance_profile, role_policy,
    role_policy_attachment::{attach, attached, detach},
};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    naming, policy,
    propagation::settle,
    stored::time,
    tags::Tags,
};

/// A role: an identity that others can take on.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct RoleModel {
    /// ARN of the role.
    #[attr(computed)]
    arn: Option<String>,
    /// Policy that says who may take on the role.
    #[attr(required, json, same = policy::same)]
    assume_role_policy: String,
    /// When the role was made.
    #[attr(computed)]
    create_date: Option<String>,
    /// What the role is for.
    #[attr(optional)]
    description: Option<String>,
    /// Whether deleting the role takes away policies that others have given it. Default: `false`.
    #[attr(optional, default = false)]
    force_detach_policies: Option<bool>,
    /// Name of the role.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARNs of all managed policies that the role shall have; unset, they are left alone.
    /// Use `aws_iam_role_policy_attachment` instead.
    #[attr(optional, computed, deprecated)]
    managed_policy_arns: Option<BTreeSet<String>>,
    /// For how long the role can be taken on, in seconds: 3600 to 43200. Default: 3600.
    #[attr(optional, default = 3600)]
    max_session_duration: Option<i64>,
    /// Name. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// Path, beginning and ending with `/`. Default: `/`.
    #[attr(optional, force_new, default = "/")]
    path: Option<String>,
    /// ARN of the policy beyond which the role can do nothing.
    #[attr(optional)]
    permissions_boundary: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// AWS's id of the role.
    #[attr(computed)]
    unique_id: Option<String>,
    /// All policies that are part of the role; unset, they are left alone, and one empty block means: none.
    #[block(set, computed)]
    inline_policy: Vec<InlinePolicy>,
}

/// A policy that is part of the role.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct InlinePolicy {
    /// Name of the policy.
    #[attr(optional)]
    name: Option<String>,
    /// The policy document.
    #[attr(optional, json, same = policy::same)]
    policy: Option<String>,
}

/// `aws_iam_role`
pub(crate) struct Role;

impl ResourceType for Role {
    type Client = AwsClient;
    type Model = RoleModel;
    const NAME: &'static str = "aws_iam_role";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        common::check_names(change, 64)?;
        check::length(change, "description", 0..=1000)?;
        check::between(change, "max_session_duration", 3600..=43200)?;
        common::plan_spelled(change, "assume_role_policy", policy::normal);
        plan_inline(change)
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: RoleModel) -> Result<Option<RoleModel>> {
        let Some(name) = object.id.clone() else { return Ok(None) };
        let role = async { cx.client.iam().get_role().role_name(&name).send().await.during("iam:GetRole") };
        let (role, inline, managed) = tokio::join!(role, inline_policies(cx, &name), attached(cx, &name));
        let Some(role) = role.absent_ok(GONE)?.and_then(|a| a.role) else { return Ok(None) };
        let (Some(inline), Some(managed)) = (inline?, managed?) else { return Ok(None) };
        let live = common::document(role.assume_role_policy_document().unwrap_or_default(), "iam:GetRole")?;
        object.assume_role_policy = policy::stored(Some(&object.assume_role_policy), &live);
        object.description = Some(role.description.clone().unwrap_or_default());
        object.max_session_duration = role.max_session_duration.map(i64::from).or(object.max_session_duration);
        let boundary = role.permissions_boundary().and_then(|b| b.permissions_boundary_arn.clone());
        object.permissions_boundary = Some(boundary.unwrap_or_default());
        object.path = Some(role.path.clone());
        if !InlinePolicy::all_same(&object.inline_policy, &inline) {
            object.inline_policy = inline;
        }
        object.managed_policy_arns = Some(managed.into_iter().collect());
        object.force_detach_policies.get_or_insert(false);
        let tags = cx.client.tags().read(cx, common::live_tags(role.tags()), object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        object.take(&role);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut RoleModel) -> Result<()> {
        let name = common::name(object.name.as_ref(), object.name_prefix.as_ref(), cx.token);
        let tags = common::sdk_tags(object.tags_all.iter().flatten())?;
        let given = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
        let answer = settle(cx, || async {
            cx.client
                .iam()
                .create_role()
                .role_name(&name)
                .assume_role_policy_document(&object.assume_role_policy)
                .set_path(object.path.clone())
                .set_description(given(&object.description))
                .set_max_session_duration(object.session())
                .set_permissions_boundary(given(&object.permissions_boundary))
                .set_tags(tags.clone())
                .send()
                .await
                .during("iam:CreateRole")
        })
        .await?;
        let Some(role) = answer.role else {
            return Err(ProviderError::invalid("the answer holds no role").operation("iam:CreateRole"));
        };
        object.take(&role);
        for (policy, document) in object.inline_policy.iter().filter_map(InlinePolicy::parts) {
            once_known(cx, || role_policy::put(cx, &name, policy, document)).await?;
        }
        for arn in object.managed_policy_arns.get_or_insert_default().iter() {
            once_known(cx, || attach(cx, &name, arn)).await?;
        }
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(common::name(planned.name.as_ref(), planned.name_prefix.as_ref(), cx.token));
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &RoleModel, object: &mut RoleModel) -> Result<()> {
        let iam = cx.client.iam();
        let name = prior.id.clone().unwrap_or_default();
        if prior.assume_role_policy != object.assume_role_policy {
            settle(cx, || async {
                let call = iam.update_assume_role_policy().role_name(&name);
                let call = call.policy_document(&object.assume_role_policy);
                call.send().await.during("iam:UpdateAssumeRolePolicy")
            })
            .await?;
        }
        let texts = (&prior.description, &object.description);
        if texts.0.as_deref().unwrap_or_default() != texts.1.as_deref().unwrap_or_default()
            || prior.max_session_duration != object.max_session_duration
        {
            // What the call does not name goes back to its default.
            settle(cx, || async {
                let call = iam.update_role().role_name(&name).set_max_session_duration(object.session());
                let call = call.description(object.description.clone().unwrap_or_default());
                call.send().await.during("iam:UpdateRole")
            })
            .await?;
        }
        object.change_boundary(cx, prior, &name).await?;
        object.change_inline(cx, prior, &name).await?;
        object.change_managed(cx, prior, &name).await?;
        change_tags!(cx, prior, object, role_name(&name), tag_role "iam:TagRole", untag_role "iam:UntagRole");
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &RoleModel) -> Result<()> {
        let name = object.id.clone().unwrap_or_default();
        leave_profiles(cx, &name).await?;
        let all = object.force_detach_policies == Some(true);
        if all || object.managed_policy_arns.iter().flatten().next().is_some() {
            for arn in attached(cx, &name).await?.unwrap_or_default() {
                detach(cx, &name, &arn).await?;
            }
        }
        if all || object.inline_policy.iter().any(|p| p.parts().is_some()) {
            for policy in policy_names(cx, &name).await?.unwrap_or_default() {
                role_policy::delete(cx, &name, &policy).await?;
            }
        }
        unless_used(cx, || async {
            cx.client.iam().delete_role().role_name(&name).send().await.during("iam:DeleteRole")
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<RoleModel> {
        if id.is_empty() || id.starts_with("arn:") {
            return Err(ProviderError::invalid(format!("a role is imported by its name, not by {id:?}")));
        }
        Ok(RoleModel { id: Some(id.to_owned()), ..RoleModel::default() })
    }
}

impl RoleModel {
    /// What the API decides.
    fn take(&mut self, role: &Live) {
        self.arn = Some(role.arn.clone());
        self.create_date = time(Some(role.create_date()));
        self.id = Some(role.role_name.clone());
        self.name_prefix.get_or_insert_with(|| naming::prefix_of(&role.role_name));
        self.name = Some(role.role_name.clone());
        self.unique_id = Some(role.role_id.clone());
    }

    fn session(&self) -> Option<i32> {
        self.max_session_duration.and_then(|s| i32::try_from(s).ok())
    }

    async fn change_boundary(&self, cx: &Context<'_, AwsClient>, prior: &Self, role: &str) -> Result<()> {
        let arn = |of: &Self| of.permissions_boundary.clone().filter(|arn| !arn.is_empty());
        let iam = cx.client.iam();
        match arn(self) {
            now if now == arn(prior) => Ok(()),
            Some(arn) => {
                settle(cx, || async {
                    let call = iam.put_role_permissions_boundary().role_name(role).permissions_boundary(&arn);
                    call.send().await.during("iam:PutRolePermissionsBoundary").map(drop)
                })
                .await
            }
            None => settle(cx, || async {
                let call = iam.delete_role_permissions_boundary().role_name(role);
                call.send().await.during("iam:DeleteRolePermissionsBoundary").map(drop)
            })
            .await
            .absent_ok(GONE)
            .map(drop),
        }
    }

    async fn change_inline(&self, cx: &Context<'_, AwsClient>, prior: &Self, role: &str) -> Result<()> {
        let names: BTreeSet<_> = self.inline_policy.iter().filter_map(|p| p.parts()).map(|(name, _)| name).collect();
        for (name, _) in prior.inline_policy.iter().filter_map(InlinePolicy::parts) {
            if !names.contains(name) {
                role_policy::delete(cx, role, name).await?;
            }
        }
        for policy in self.inline_policy.iter().filter(|p| !prior.inline_policy.contains(p)) {
            if let Some((name, document)) = policy.parts() {
                role_policy::put(cx, role, name, document).await?;
            }
        }
        Ok(())
    }

    async fn change_managed(&self, cx: &Context<'_, AwsClient>, prior: &Self, role: &str) -> Result<()> {
        let empty = BTreeSet::new();
        let now = self.managed_policy_arns.as_ref().unwrap_or(&empty);
        let before = prior.managed_policy_arns.as_ref().unwrap_or(&empty);
        for arn in before.difference(now) {
            detach(cx, role, arn).await?;
        }
        for arn in now.difference(before) {
            attach(cx, role, arn).await?;
        }
        Ok(())
    }
}

impl InlinePolicy {
    /// Name and document; `None` for the empty block.
    fn parts(&self) -> Option<(&str, &str)> {
        self.name.as_deref().zip(self.policy.as_deref()).filter(|(name, _)| !name.is_empty())
    }

    /// Whether both are the same policies by name and meaning.
    fn all_same(a: &[Self], b: &[Self]) -> bool {
        let parts = |all: &'_ [Self]| all.iter().filter_map(Self::parts).count();
        let found = |(name, document): (&str, &str)| {
            b.iter().filter_map(Self::parts).any(|(n, d)| n == name && policy::same_text(d, document))
        };
        parts(a) == parts(b) && a.iter().filter_map(Self::parts).all(found)
    }
}

/// Checks the blocks, and plans their documents in the spelling in which they are stored.
fn plan_inline(change: &mut Change<'_>) -> Result<()> {
    let wrong = |message: String| Err(ProviderError::invalid(message).attribute(Path::attr("inline_policy")));
    for block in change.config.get("inline_policy").and_then(Value::as_slice).unwrap_or_default() {
        let null = |name: &str| block.get(name).is_none_or(Value::is_null);
        if null("name") != null("policy") {
            return wrong("inline_policy needs both name and policy, or neither".into());
        }
        if let Some(name) = block.get("name").and_then(Value::as_str).filter(|n| n.is_empty() || n.len() > 128) {
            return wrong(format!("the name of the inline_policy {name:?} must have 1 to 128 characters"));
        }
        common::check_name(block.get("name"), "inline_policy")?;
    }
    if !change.changes("inline_policy") {
        return Ok(());
    }
    if let Some(planned) = change.planned("inline_policy").cloned() {
        let spelled = planned.map_children(|mut block| {
            let policy = block.get("policy").cloned();
            if let Some((text, marks)) = policy.as_ref().and_then(|p| Some((p.as_str()?, p.marks()))) {
                block.set_attr("policy", Value::from(common::version_first(text)).with_marks(marks));
            }
            block
        });
        change.set("inline_policy", spelled);
    }
    Ok(())
}

/// Names of the policies that are part of a role; `None` if there is no such role.
async fn policy_names(cx: &Context<'_, AwsClient>, role: &str) -> Result<Option<Vec<String>>> {
    let pages = cx.client.iam().list_role_policies().role_name(role).into_paginator().items().send();
    let names: Result<Vec<_>, _> = pages.collect().await;
    names.during("iam:ListRolePolicies").absent_ok(GONE)
}

/// The policies that are part of a role; `None` if there is no such role.
async fn inline_policies(cx: &Context<'_, AwsClient>, role: &str) -> Result<Option<Vec<InlinePolicy>>> {
    let Some(names) = policy_names(cx, role).await? else { return Ok(None) };
    let each = names.into_iter().map(|name| async move {
        let policy = role_policy::get(cx, role, &name).await?;
        Ok(policy.map(|live| InlinePolicy { name: Some(name), policy: Some(common::version_first(&live)) }))
    });
    let found: Vec<Option<InlinePolicy>> = try_join_all(each).await?;
    Ok(Some(found.into_iter().flatten().collect()))
}

/// Takes a role out of all instance profiles: IAM deletes none that is in one.
async fn leave_profiles(cx: &Context<'_, AwsClient>, role: &str) -> Result<()> {
    let iam = cx.client.iam();
    let pages = iam.list_instance_profiles_for_role().role_name(role).into_paginator().items().send();
    let found: Result<Vec<_>, _> = pages.collect().await;
    for profile in found.during("iam:ListInstanceProfilesForRole").absent_ok(GONE)?.unwrap_or_default() {
        instance_profile::remove(cx, profile.instance_profile_name(), role).await?;
    }
    Ok(())
}
