//! `aws_glue_registry`

use std::time::Duration;

use aws_sdk_glue::{operation::get_registry::GetRegistryOutput, types::RegistryId};
use lakeform_provider::{Change, Context, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};

use super::{GONE, arn, read_tags, update_tags};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    propagation::settle,
    tags::Tags,
    values::{given, given_map, text},
};

/// A registry of schemas.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Registry {
    /// ARN of the registry.
    #[attr(computed)]
    arn: Option<String>,
    /// What the registry is for.
    #[attr(optional)]
    description: Option<String>,
    /// ARN of the registry.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the registry.
    #[attr(required, force_new)]
    registry_name: String,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
}

impl ResourceType for Registry {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_glue_registry";
    const IDENTITY: &'static [&'static str] = &["registry_name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "description", 0..=2048)?;
        check::length(change, "registry_name", 1..=255)?;
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_$#".contains(c);
        check::each(change, "registry_name", |value| match value.as_str() {
            Some(name) if !name.ends_with(allowed) => {
                Err(format!("is {name:?}; expected are letters, digits and the characters - _ $ #"))
            }
            _ => Ok(()),
        })
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let Some(arn) = object.id.clone() else { return Ok(None) };
        let (live, tags) = tokio::join!(find(cx, &arn), read_tags(cx, &arn));
        let Some(live) = live? else { return Ok(None) };
        object.arn = Some(live.registry_arn.unwrap_or(arn));
        object.description = text(live.description);
        object.registry_name = live.registry_name.unwrap_or_default();
        let tags = cx.client.tags().read(cx, tags?, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let call = cx.client.glue().create_registry().registry_name(&object.registry_name);
        let call = call.set_description(given(&object.description)).set_tags(given_map(&object.tags_all));
        let answer = call.send().await.during("glue:CreateRegistry")?;
        object.id = answer.registry_arn.clone();
        object.arn = answer.registry_arn;
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(arn(cx, &format!("registry/{}", planned.registry_name)).await?);
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &Self, object: &mut Self) -> Result<()> {
        let arn = prior.id.clone().unwrap_or_default();
        if given(&prior.description) != given(&object.description) {
            let description = object.description.clone().unwrap_or_default();
            let call = cx.client.glue().update_registry().registry_id(id(&arn)).description(description);
            settle(cx, || async { call.clone().send().await.during("glue:UpdateRegistry") }).await?;
        }
        update_tags(cx, &arn, prior.tags_all.as_ref(), object.tags_all.as_ref()).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let arn = object.id.clone().unwrap_or_default();
        let call = cx.client.glue().delete_registry().registry_id(id(&arn));
        let gone = settle(cx, || async { call.clone().send().await.during("glue:DeleteRegistry") }).await;
        if gone.absent_ok(GONE)?.is_none() {
            return Ok(());
        }
        cx.wait(Wait::new("registry to be deleted", Duration::from_secs(120)), || async {
            Ok(if find(cx, &arn).await?.is_none() { Poll::Ready(()) } else { Poll::Pending })
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        if !id.starts_with("arn:") {
            return Err(ProviderError::invalid(format!("a registry is imported by its ARN, not by {id:?}")));
        }
        Ok(Self { id: Some(id.to_owned()), ..Self::default() })
    }
}

fn id(arn: &str) -> RegistryId {
    RegistryId::builder().registry_arn(arn).build()
}

/// The registry, if it exists.
async fn find(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Option<GetRegistryOutput>> {
    let answer = cx.client.glue().get_registry().registry_id(id(arn)).send().await;
    answer.during("glue:GetRegistry").absent_ok(GONE)
}
