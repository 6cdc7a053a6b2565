//! `aws_iam_openid_connect_provider`

use std::collections::BTreeSet;

use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::common::{self, GONE, change_tags};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
    tags::Tags,
};

/// An identity provider outside of AWS whose users may take on roles.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct OpenIdConnectProviderModel {
    /// ARN of the provider.
    #[attr(computed)]
    arn: Option<String>,
    /// Whom its tokens may be made for (`aud`).
    #[attr(required)]
    client_id_list: BTreeSet<String>,
    /// ARN of the provider.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// SHA-1 hashes of the certificates that its keys may be fetched with. Without them IAM finds them out.
    #[attr(optional, computed)]
    thumbprint_list: Option<Vec<String>>,
    /// Who makes the tokens (`iss`): `https://gitlab.example.com`. Stored without `https://`.
    #[attr(required, force_new, same = same_url)]
    url: String,
}

/// `aws_iam_openid_connect_provider`
pub(crate) struct OpenIdConnectProvider;

const SCHEME: &str = "https://";

/// A URL without its scheme, as IAM tells providers.
pub(super) fn bare(url: &str) -> &str {
    url.strip_prefix(SCHEME).unwrap_or(url)
}

/// IAM tells providers without their scheme.
fn same_url(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => bare(a) == bare(b),
        _ => a == b,
    }
}

impl ResourceType for OpenIdConnectProvider {
    type Client = AwsClient;
    type Model = OpenIdConnectProviderModel;
    const NAME: &'static str = "aws_iam_openid_connect_provider";
    const IDENTITY: &'static [&'static str] = &["url"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let given = change.config.get("url").and_then(Value::as_str);
        if let Some(url) = given.filter(|url| !url.starts_with(SCHEME)) {
            return Err(ProviderError::invalid(format!("url is {url:?}; it must begin with {SCHEME}"))
                .attribute(Path::attr("url")));
        }
        common::plan_spelled(change, "url", |url| bare(url).to_owned());
        Ok(())
    }

    async fn read(
        cx: &Context<'_, AwsClient>,
        mut object: OpenIdConnectProviderModel,
    ) -> Result<Option<OpenIdConnectProviderModel>> {
        let Some(arn) = object.id.clone() else { return Ok(None) };
        let call = cx.client.iam().get_open_id_connect_provider().open_id_connect_provider_arn(&arn);
        let answer = call.send().await.during("iam:GetOpenIDConnectProvider").absent_ok(GONE)?;
        let Some(live) = answer else { return Ok(None) };
        let tags = cx.client.tags().read(cx, common::live_tags(live.tags()), object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        object.arn = Some(arn);
        object.client_id_list = live.client_id_list().iter().cloned().collect();
        object.thumbprint_list = Some(live.thumbprint_list().to_vec());
        object.url = live.url().map_or(object.url, |url| bare(url).to_owned());
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut OpenIdConnectProviderModel) -> Result<()> {
        let tags = common::sdk_tags(object.tags_all.iter().flatten())?;
        let call = cx
            .client
            .iam()
            .create_open_id_connect_provider()
            .url(format!("{SCHEME}{}", bare(&object.url)))
            .set_client_id_list(Some(object.client_id_list.iter().cloned().collect()))
            .set_thumbprint_list(object.thumbprint_list.clone())
            .set_tags(tags);
        let answer = call.send().await.during("iam:CreateOpenIDConnectProvider")?;
        let Some(arn) = answer.open_id_connect_provider_arn else {
            let error = ProviderError::invalid("the answer holds no ARN");
            return Err(error.operation("iam:CreateOpenIDConnectProvider"));
        };
        object.id = Some(arn.clone());
        object.arn = Some(arn.clone());
        if object.thumbprint_list.is_none() {
            let found = common::once_known(cx, || async {
                let call = cx.client.iam().get_open_id_connect_provider().open_id_connect_provider_arn(&arn);
                call.send().await.during("iam:GetOpenIDConnectProvider")
            });
            object.thumbprint_list = Some(found.await?.thumbprint_list().to_vec());
        }
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(cx.client.arn("iam", "", &format!("oidc-provider/{}", bare(&planned.url))).await?);
        Ok(Some(planned))
    }

    async fn update(
        cx: &Context<'_, AwsClient>,
        prior: &OpenIdConnectProviderModel,
        object: &mut OpenIdConnectProviderModel,
    ) -> Result<()> {
        let iam = cx.client.iam();
        let arn = prior.id.clone().unwrap_or_default();
        for id in object.client_id_list.difference(&prior.client_id_list) {
            settle(cx, || async {
                let call = iam.add_client_id_to_open_id_connect_provider().open_id_connect_provider_arn(&arn);
                call.client_id(id).send().await.during("iam:AddClientIDToOpenIDConnectProvider")
            })
            .await?;
        }
        for id in prior.client_id_list.difference(&object.client_id_list) {
            settle(cx, || async {
                let call = iam.remove_client_id_from_open_id_connect_provider().open_id_connect_provider_arn(&arn);
                call.client_id(id).send().await.during("iam:RemoveClientIDFromOpenIDConnectProvider")
            })
            .await?;
        }
        if prior.thumbprint_list != object.thumbprint_list {
            settle(cx, || async {
                let call = iam.update_open_id_connect_provider_thumbprint().open_id_connect_provider_arn(&arn);
                let call = call.set_thumbprint_list(object.thumbprint_list.clone());
                call.send().await.during("iam:UpdateOpenIDConnectProviderThumbprint")
            })
            .await?;
        }
        change_tags!(cx, prior, object, open_id_connect_provider_arn(&arn),
            tag_open_id_connect_provider "iam:TagOpenIDConnectProvider",
            untag_open_id_connect_provider "iam:UntagOpenIDConnectProvider");
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &OpenIdConnectProviderModel) -> Result<()> {
        let call = || async {
            let call = cx.client.iam().delete_open_id_connect_provider();
            let call = call.set_open_id_connect_provider_arn(object.id.clone());
            call.send().await.during("iam:DeleteOpenIDConnectProvider")
        };
        settle(cx, call).await.absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<OpenIdConnectProviderModel> {
        if !id.starts_with("arn:") {
            return Err(ProviderError::invalid(format!("a provider is imported by its ARN, not by {id:?}")));
        }
        Ok(OpenIdConnectProviderModel { id: Some(id.to_owned()), ..OpenIdConnectProviderModel::default() })
    }
}
