//! `data.aws_iam_policy`

use lakeform_core::Path;
use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::common;
use crate::{
    AwsClient,
    error::During,
    stored::{given, text},
    tags::Tags,
};

/// A managed policy, by ARN or by name.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct PolicyDataModel {
    /// ARN of the policy; this or `name` is set.
    #[attr(optional, computed)]
    arn: Option<String>,
    /// How many users, groups and roles it is attached to.
    #[attr(computed)]
    attachment_count: Option<i64>,
    /// What the policy is for.
    #[attr(computed)]
    description: Option<String>,
    /// ARN of the policy.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the policy.
    #[attr(optional, computed)]
    name: Option<String>,
    /// Path of the policy.
    #[attr(computed)]
    path: Option<String>,
    /// What the path begins with, to look for a name there.
    #[attr(optional)]
    path_prefix: Option<String>,
    /// The policy document.
    #[attr(computed)]
    policy: Option<String>,
    /// AWS's id of the policy.
    #[attr(computed)]
    policy_id: Option<String>,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
}

/// `data.aws_iam_policy`
pub(crate) struct PolicyData;

impl DataSource for PolicyData {
    type Client = AwsClient;
    type Model = PolicyDataModel;
    const NAME: &'static str = "aws_iam_policy";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut PolicyDataModel) -> Result<()> {
        let iam = cx.client.iam();
        let (name, prefix) = (given(&object.name), given(&object.path_prefix));
        let arn = match given(&object.arn) {
            Some(_) if name.is_some() || prefix.is_some() => {
                let message = "arn goes neither with name nor with path_prefix";
                return Err(ProviderError::invalid(message).attribute(Path::attr("arn")));
            }
            Some(arn) => arn,
            None => look_up(cx, name.as_deref(), prefix).await?,
        };
        let live = iam.get_policy().policy_arn(&arn).send().await.during("iam:GetPolicy")?.policy;
        let Some(live) = live else {
            let error = ProviderError::new(ErrorKind::NotFound, "the answer holds no policy");
            return Err(error.operation("iam:GetPolicy"));
        };
        let version = iam.get_policy_version().policy_arn(&arn).set_version_id(live.default_version_id.clone());
        let version = version.send().await.during("iam:GetPolicyVersion")?.policy_version;
        let document = version.and_then(|version| version.document).unwrap_or_default();
        object.policy = Some(common::document(&document, "iam:GetPolicyVersion")?);
        object.tags = Some(cx.client.tags().shown(common::live_tags(live.tags())));
        object.attachment_count = Some(i64::from(live.attachment_count.unwrap_or_default()));
        object.description = text(live.description());
        object.id = live.arn.clone();
        object.arn = live.arn;
        object.name = live.policy_name;
        object.path = live.path;
        object.policy_id = live.policy_id;
        Ok(())
    }
}

/// The ARN of the one policy of a name below a path.
async fn look_up(cx: &Context<'_, AwsClient>, name: Option<&str>, prefix: Option<String>) -> Result<String> {
    let call = cx.client.iam().list_policies().set_path_prefix(prefix);
    let all: Result<Vec<_>, _> = call.into_paginator().items().send().collect().await;
    let all = all.during("iam:ListPolicies")?;
    let mut found = all.into_iter().filter(|p| name.is_none_or(|name| p.policy_name() == Some(name)));
    let wrong = |kind, how: &str| {
        let message = format!("there {how} {:?}", name.unwrap_or_default());
        Err(ProviderError::new(kind, message).operation("iam:ListPolicies").attribute(Path::attr("name")))
    };
    match (found.next().and_then(|policy| policy.arn), found.next()) {
        (Some(arn), None) => Ok(arn),
        (None, _) => wrong(ErrorKind::NotFound, "is no policy"),
        (Some(_), Some(_)) => wrong(ErrorKind::Invalid, "are several policies"),
    }
}
