//! `data.aws_iam_openid_connect_provider`

use lakeform_core::Path;
use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::{common, openid_connect_provider::bare};
use crate::{AwsClient, error::During, stored::given, tags::Tags};

/// An identity provider outside of AWS whose users may take on roles.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct OpenIdConnectProviderDataModel {
    /// ARN of the provider; this or `url` is set.
    #[attr(optional, computed)]
    arn: Option<String>,
    /// Whom its tokens may be made for (`aud`).
    #[attr(computed)]
    client_id_list: Option<Vec<String>>,
    /// ARN of the provider.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
    /// SHA-1 hashes of the certificates that its keys may be fetched with.
    #[attr(computed)]
    thumbprint_list: Option<Vec<String>>,
    /// Who makes the tokens (`iss`), with or without `https://`.
    #[attr(optional, computed)]
    url: Option<String>,
}

/// `data.aws_iam_openid_connect_provider`
pub(crate) struct OpenIdConnectProviderData;

impl DataSource for OpenIdConnectProviderData {
    type Client = AwsClient;
    type Model = OpenIdConnectProviderDataModel;
    const NAME: &'static str = "aws_iam_openid_connect_provider";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut OpenIdConnectProviderDataModel) -> Result<()> {
        let arn = match (given(&object.arn), given(&object.url)) {
            (Some(arn), None) => arn,
            (None, Some(url)) => look_up(cx, bare(&url)).await?,
            _ => return Err(ProviderError::invalid("one of arn and url is expected").attribute(Path::attr("arn"))),
        };
        let call = cx.client.iam().get_open_id_connect_provider().open_id_connect_provider_arn(&arn);
        let live = call.send().await.during("iam:GetOpenIDConnectProvider")?;
        object.tags = Some(cx.client.tags().shown(common::live_tags(live.tags())));
        object.client_id_list = Some(live.client_id_list.unwrap_or_default());
        object.thumbprint_list = Some(live.thumbprint_list.unwrap_or_default());
        object.url = live.url.map(|url| bare(&url).to_owned());
        object.id = Some(arn.clone());
        object.arn = Some(arn);
        Ok(())
    }
}

/// The ARN of the provider of a URL, which is what its ARN ends with.
async fn look_up(cx: &Context<'_, AwsClient>, url: &str) -> Result<String> {
    let answer = cx.client.iam().list_open_id_connect_providers().send().await;
    let all = answer.during("iam:ListOpenIDConnectProviders")?.open_id_connect_provider_list.unwrap_or_default();
    let is = |arn: &String| arn.split_once('/').is_some_and(|(_, of)| of == url);
    all.into_iter().filter_map(|entry| entry.arn).find(is).ok_or_else(|| {
        ProviderError::new(ErrorKind::NotFound, format!("there is no identity provider {url:?}"))
            .operation("iam:ListOpenIDConnectProviders")
            .attribute(Path::attr("url"))
    })
}
