//! `aws_iam_instance_profile`

use aws_sdk_iam::types::InstanceProfile as Live;
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::{self, GONE, change_tags, once_known, unless_used};
use crate::{
    AwsClient,
    error::{Absent, During},
    naming,
    propagation::settle,
    stored::time,
    tags::Tags,
};

/// What hands a role to an EC2 instance.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct InstanceProfileModel {
    /// ARN of the profile.
    #[attr(computed)]
    arn: Option<String>,
    /// When the profile was made.
    #[attr(computed)]
    create_date: Option<String>,
    /// Name of the profile.
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
    /// Name of the role.
    #[attr(optional)]
    role: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// AWS's id of the profile.
    #[attr(computed)]
    unique_id: Option<String>,
}

/// `aws_iam_instance_profile`
pub(crate) struct InstanceProfile;

impl ResourceType for InstanceProfile {
    type Client = AwsClient;
    type Model = InstanceProfileModel;
    const NAME: &'static str = "aws_iam_instance_profile";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        common::check_names(change, 128)
    }

    async fn read(
        cx: &Context<'_, AwsClient>,
        mut object: InstanceProfileModel,
    ) -> Result<Option<InstanceProfileModel>> {
        let call = cx.client.iam().get_instance_profile().set_instance_profile_name(object.id.clone());
        let answer = call.send().await.during("iam:GetInstanceProfile").absent_ok(GONE)?;
        let Some(live) = answer.and_then(|a| a.instance_profile) else { return Ok(None) };
        object.path = Some(live.path.clone());
        object.role = live.roles().first().map(|role| role.role_name.clone());
        let tags = cx.client.tags().read(cx, common::live_tags(live.tags()), object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        object.take(&live);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut InstanceProfileModel) -> Result<()> {
        let name = common::name(object.name.as_ref(), object.name_prefix.as_ref(), cx.token);
        let tags = common::sdk_tags(object.tags_all.iter().flatten())?;
        let call = cx.client.iam().create_instance_profile().instance_profile_name(&name);
        let call = call.set_path(object.path.clone()).set_tags(tags);
        let answer = call.send().await.during("iam:CreateInstanceProfile")?;
        let Some(live) = answer.instance_profile else {
            return Err(ProviderError::invalid("the answer holds no profile").operation("iam:CreateInstanceProfile"));
        };
        object.take(&live);
        match role(object) {
            Some(role) => once_known(cx, || add(cx, &name, role)).await,
            None => Ok(()),
        }
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(common::name(planned.name.as_ref(), planned.name_prefix.as_ref(), cx.token));
        Ok(Some(planned))
    }

    async fn update(
        cx: &Context<'_, AwsClient>,
        prior: &InstanceProfileModel,
        object: &mut InstanceProfileModel,
    ) -> Result<()> {
        let name = prior.id.clone().unwrap_or_default();
        let (before, now) = (role(prior), role(object));
        if before != now {
            if let Some(role) = before {
                remove(cx, &name, role).await?;
            }
            if let Some(role) = now {
                add(cx, &name, role).await?;
            }
        }
        change_tags!(cx, prior, object, instance_profile_name(&name),
            tag_instance_profile "iam:TagInstanceProfile", untag_instance_profile "iam:UntagInstanceProfile");
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &InstanceProfileModel) -> Result<()> {
        let name = object.id.clone().unwrap_or_default();
        if let Some(role) = role(object) {
            remove(cx, &name, role).await?;
        }
        unless_used(cx, || async {
            let call = cx.client.iam().delete_instance_profile().instance_profile_name(&name);
            call.send().await.during("iam:DeleteInstanceProfile")
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<InstanceProfileModel> {
        if id.is_empty() || id.starts_with("arn:") {
            return Err(ProviderError::invalid(format!("an instance profile is imported by its name, not by {id:?}")));
        }
        Ok(InstanceProfileModel { id: Some(id.to_owned()), ..InstanceProfileModel::default() })
    }
}

impl InstanceProfileModel {
    /// What the API decides.
    fn take(&mut self, live: &Live) {
        let name = live.instance_profile_name().to_owned();
        self.arn = Some(live.arn.clone());
        self.create_date = time(Some(live.create_date()));
        self.id = Some(name.clone());
        self.name_prefix.get_or_insert_with(|| naming::prefix_of(&name));
        self.name = Some(name);
        self.unique_id = Some(live.instance_profile_id.clone());
    }
}

fn role(object: &InstanceProfileModel) -> Option<&str> {
    object.role.as_deref().filter(|role| !role.is_empty())
}

async fn add(cx: &Context<'_, AwsClient>, profile: &str, role: &str) -> Result<()> {
    settle(cx, || async {
        let call = cx.client.iam().add_role_to_instance_profile().instance_profile_name(profile).role_name(role);
        call.send().await.during("iam:AddRoleToInstanceProfile").map(drop)
    })
    .await
}

/// Takes a role out of a profile; gone already is success.
pub(super) async fn remove(cx: &Context<'_, AwsClient>, profile: &str, role: &str) -> Result<()> {
    let call = || async {
        let call = cx.client.iam().remove_role_from_instance_profile();
        let call = call.instance_profile_name(profile).role_name(role);
        call.send().await.during("iam:RemoveRoleFromInstanceProfile")
    };
    settle(cx, call).await.absent_ok(GONE).map(drop)
}
