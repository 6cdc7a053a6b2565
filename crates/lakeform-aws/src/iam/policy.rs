//! `aws_iam_policy`

use aws_sdk_iam::types::{Policy as Live, PolicyVersion};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::{self, GONE, change_tags, unless_used};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    naming, policy,
    propagation::settle,
    tags::Tags,
};

/// A managed policy.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct PolicyModel {
    /// ARN of the policy.
    #[attr(computed)]
    arn: Option<String>,
    /// How many users, groups and roles it is attached to.
    #[attr(computed)]
    attachment_count: Option<i64>,
    /// What the policy is for.
    #[attr(optional, force_new)]
    description: Option<String>,
    /// ARN of the policy.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// Path, beginning and ending with `/`. Default: `/`.
    #[attr(optional, force_new, default = "/")]
    path: Option<String>,
    /// The policy document.
    #[attr(required, json, same = policy::same)]
    policy: String,
    /// AWS's id of the policy.
    #[attr(computed)]
    policy_id: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
}

/// `aws_iam_policy`
pub(crate) struct Policy;

/// How many versions of a policy IAM keeps.
const VERSIONS: usize = 5;

impl ResourceType for Policy {
    type Client = AwsClient;
    type Model = PolicyModel;
    const NAME: &'static str = "aws_iam_policy";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        common::check_names(change, 128)?;
        check::length(change, "description", 0..=1000)?;
        common::plan_spelled(change, "policy", policy::normal);
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: PolicyModel) -> Result<Option<PolicyModel>> {
        let iam = cx.client.iam();
        let Some(arn) = object.id.clone() else { return Ok(None) };
        let answer = iam.get_policy().policy_arn(&arn).send().await.during("iam:GetPolicy").absent_ok(GONE)?;
        let Some(live) = answer.and_then(|a| a.policy) else { return Ok(None) };
        let version = iam.get_policy_version().policy_arn(&arn).set_version_id(live.default_version_id.clone());
        let version = version.send().await.during("iam:GetPolicyVersion").absent_ok(GONE)?;
        let Some(version) = version.and_then(|v| v.policy_version) else { return Ok(None) };
        let document = common::document(version.document().unwrap_or_default(), "iam:GetPolicyVersion")?;
        object.policy = policy::stored(Some(&object.policy), &document);
        object.description = Some(live.description.clone().unwrap_or_default());
        let tags = cx.client.tags().read(cx, common::live_tags(live.tags()), object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        object.take(live);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut PolicyModel) -> Result<()> {
        let name = common::name(object.name.as_ref(), object.name_prefix.as_ref(), cx.token);
        let tags = common::sdk_tags(object.tags_all.iter().flatten())?;
        let description = object.description.clone().filter(|d| !d.is_empty());
        let answer = settle(cx, || async {
            cx.client
                .iam()
                .create_policy()
                .set_description(description.clone())
                .set_path(object.path.clone())
                .policy_document(&object.policy)
                .policy_name(&name)
                .set_tags(tags.clone())
                .send()
                .await
                .during("iam:CreatePolicy")
        })
        .await?;
        let Some(live) = answer.policy else {
            return Err(ProviderError::invalid("the answer holds no policy").operation("iam:CreatePolicy"));
        };
        object.take(live);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let name = common::name(planned.name.as_ref(), planned.name_prefix.as_ref(), cx.token);
        let path = planned.path.as_deref().unwrap_or("/");
        planned.id = Some(cx.client.arn("iam", "", &format!("policy{path}{name}")).await?);
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &PolicyModel, object: &mut PolicyModel) -> Result<()> {
        let arn = prior.id.clone().unwrap_or_default();
        if prior.policy != object.policy {
            make_room(cx, &arn).await?;
            settle(cx, || async {
                cx.client
                    .iam()
                    .create_policy_version()
                    .policy_arn(&arn)
                    .policy_document(&object.policy)
                    .set_as_default(true)
                    .send()
                    .await
                    .during("iam:CreatePolicyVersion")
            })
            .await?;
        }
        change_tags!(cx, prior, object, policy_arn(&arn), tag_policy "iam:TagPolicy", untag_policy "iam:UntagPolicy");
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &PolicyModel) -> Result<()> {
        let arn = object.id.clone().unwrap_or_default();
        let Some(versions) = versions(cx, &arn).await.absent_ok(GONE)? else { return Ok(()) };
        for version in versions.iter().filter(|v| !v.is_default_version) {
            delete_version(cx, &arn, version).await?;
        }
        unless_used(cx, || async {
            cx.client.iam().delete_policy().policy_arn(&arn).send().await.during("iam:DeletePolicy")
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<PolicyModel> {
        if !id.starts_with("arn:") {
            return Err(ProviderError::invalid(format!("a policy is imported by its ARN, not by {id:?}")));
        }
        Ok(PolicyModel { id: Some(id.to_owned()), ..PolicyModel::default() })
    }
}

impl PolicyModel {
    /// What the API says of the policy itself.
    fn take(&mut self, live: Live) {
        self.attachment_count = Some(i64::from(live.attachment_count.unwrap_or_default()));
        self.id = live.arn.clone();
        self.arn = live.arn;
        self.name_prefix.get_or_insert_with(|| naming::prefix_of(live.policy_name.as_deref().unwrap_or_default()));
        self.name = live.policy_name;
        self.path = live.path;
        self.policy_id = live.policy_id;
    }
}

/// Deletes the oldest version that is not in force, where there are as many as IAM keeps.
async fn make_room(cx: &Context<'_, AwsClient>, arn: &str) -> Result<()> {
    let versions = versions(cx, arn).await?;
    // They are numbered in order (`v1`, `v2`, ...); their times may be equal.
    let number = |v: &&PolicyVersion| v.version_id().and_then(|id| id.get(1..)?.parse::<u64>().ok());
    let oldest = versions.iter().filter(|v| !v.is_default_version).min_by_key(number);
    match oldest.filter(|_| versions.len() >= VERSIONS) {
        Some(version) => delete_version(cx, arn, version).await,
        None => Ok(()),
    }
}

async fn versions(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Vec<PolicyVersion>> {
    let pages = cx.client.iam().list_policy_versions().policy_arn(arn).into_paginator().items().send();
    let all: Result<Vec<_>, _> = pages.collect().await;
    all.during("iam:ListPolicyVersions")
}

async fn delete_version(cx: &Context<'_, AwsClient>, arn: &str, version: &PolicyVersion) -> Result<()> {
    let call = || async {
        let call = cx.client.iam().delete_policy_version().policy_arn(arn).set_version_id(version.version_id.clone());
        call.send().await.during("iam:DeletePolicyVersion")
    };
    settle(cx, call).await.absent_ok(GONE).map(drop)
}
