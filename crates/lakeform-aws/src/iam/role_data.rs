//! `data.aws_iam_role`

use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::common;
use crate::{
    AwsClient,
    error::During,
    stored::{text, time},
    tags::Tags,
};

/// A role.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct RoleDataModel {
    /// ARN of the role.
    #[attr(computed)]
    arn: Option<String>,
    /// Policy that says who may take on the role.
    #[attr(computed)]
    assume_role_policy: Option<String>,
    /// When the role was made.
    #[attr(computed)]
    create_date: Option<String>,
    /// What the role is for.
    #[attr(computed)]
    description: Option<String>,
    /// Name of the role.
    #[attr(optional, computed)]
    id: Option<String>,
    /// For how long the role can be taken on, in seconds.
    #[attr(computed)]
    max_session_duration: Option<i64>,
    /// Name of the role.
    #[attr(required)]
    name: String,
    /// Path of the role.
    #[attr(computed)]
    path: Option<String>,
    /// ARN of the policy beyond which the role can do nothing.
    #[attr(computed)]
    permissions_boundary: Option<String>,
    /// When and where the role was last used.
    #[attr(computed)]
    role_last_used: Vec<LastUsed>,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
    /// AWS's id of the role.
    #[attr(computed)]
    unique_id: Option<String>,
}

/// When and where a role was last used.
#[derive(Model, Clone, Debug, Default)]
struct LastUsed {
    /// When; empty: not for a long time.
    #[attr(computed)]
    last_used_date: Option<String>,
    /// In which region.
    #[attr(computed)]
    region: Option<String>,
}

/// `data.aws_iam_role`
pub(crate) struct RoleData;

impl DataSource for RoleData {
    type Client = AwsClient;
    type Model = RoleDataModel;
    const NAME: &'static str = "aws_iam_role";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut RoleDataModel) -> Result<()> {
        let answer = cx.client.iam().get_role().role_name(&object.name).send().await.during("iam:GetRole")?;
        let Some(role) = answer.role else {
            return Err(ProviderError::new(ErrorKind::NotFound, "the answer holds no role").operation("iam:GetRole"));
        };
        let trust = common::document(role.assume_role_policy_document().unwrap_or_default(), "iam:GetRole")?;
        object.assume_role_policy = Some(trust);
        object.create_date = time(Some(role.create_date()));
        object.description = text(role.description());
        object.max_session_duration = role.max_session_duration.map(i64::from);
        object.permissions_boundary = text(role.permissions_boundary().and_then(|b| b.permissions_boundary_arn()));
        let used = role
            .role_last_used()
            .map(|used| LastUsed { last_used_date: text(time(used.last_used_date())), region: text(used.region()) });
        object.role_last_used = used.into_iter().collect();
        object.tags = Some(cx.client.tags().shown(common::live_tags(role.tags())));
        object.arn = Some(role.arn);
        object.id = Some(role.role_name.clone());
        object.name = role.role_name;
        object.path = Some(role.path);
        object.unique_id = Some(role.role_id);
        Ok(())
    }
}
