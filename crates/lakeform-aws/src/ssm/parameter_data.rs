//! `data.aws_ssm_parameter` and `ephemeral.aws_ssm_parameter`

use aws_sdk_ssm::types::{Parameter, ParameterType};
use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use crate::{AwsClient, error::During, stored::text};

/// A parameter of Systems Manager. Its value is kept in state; that of `ephemeral.aws_ssm_parameter` is not.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct ParameterDataModel {
    /// ARN of the parameter.
    #[attr(computed)]
    arn: Option<String>,
    /// Name of the parameter.
    #[attr(optional, computed)]
    id: Option<String>,
    /// The value, shown in plans; null for a `SecureString`.
    #[attr(computed)]
    insecure_value: Option<String>,
    /// Name of the parameter, or its ARN.
    #[attr(required)]
    name: String,
    /// `String`, `StringList` or `SecureString`
    #[attr(name = "type", computed)]
    kind: Option<String>,
    /// The value.
    #[attr(computed, sensitive)]
    value: Option<String>,
    /// Version of the parameter.
    #[attr(computed)]
    version: Option<i64>,
    /// Whether a `SecureString` is decrypted. Default: `true`.
    #[attr(optional, default = true)]
    with_decryption: Option<bool>,
}

/// A parameter of Systems Manager, for the time of a run.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct EphemeralParameterModel {
    /// ARN of the parameter.
    #[attr(required)]
    arn: String,
    /// Name of the parameter.
    #[attr(computed)]
    name: Option<String>,
    /// `String`, `StringList` or `SecureString`
    #[attr(name = "type", computed)]
    kind: Option<String>,
    /// The value.
    #[attr(computed, sensitive)]
    value: Option<String>,
    /// Version of the parameter.
    #[attr(computed)]
    version: Option<i64>,
    /// Whether a `SecureString` is decrypted. Default: `true`.
    #[attr(optional, computed)]
    with_decryption: Option<bool>,
}

/// `data.aws_ssm_parameter`
pub(crate) struct ParameterData;

/// `ephemeral.aws_ssm_parameter`
pub(crate) struct EphemeralParameter;

impl DataSource for ParameterData {
    type Client = AwsClient;
    type Model = ParameterDataModel;
    const NAME: &'static str = "aws_ssm_parameter";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut ParameterDataModel) -> Result<()> {
        let live = get(cx, &object.name, *object.with_decryption.get_or_insert(true)).await?;
        let secure = live.r#type() == Some(&ParameterType::SecureString);
        object.insecure_value = live.value.clone().filter(|_| !secure);
        object.kind = text(live.r#type().map(|kind| kind.as_str()));
        object.version = Some(live.version);
        object.arn = live.arn;
        object.name = live.name.clone().unwrap_or_default();
        object.id = live.name;
        object.value = live.value;
        Ok(())
    }
}

impl DataSource for EphemeralParameter {
    type Client = AwsClient;
    type Model = EphemeralParameterModel;
    const NAME: &'static str = "aws_ssm_parameter";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut EphemeralParameterModel) -> Result<()> {
        let live = get(cx, &object.arn, *object.with_decryption.get_or_insert(true)).await?;
        object.kind = text(live.r#type().map(|kind| kind.as_str()));
        object.version = Some(live.version);
        object.name = live.name;
        object.value = live.value;
        Ok(())
    }
}

async fn get(cx: &Context<'_, AwsClient>, name: &str, decrypt: bool) -> Result<Parameter> {
    let answer = cx.client.ssm().get_parameter().name(name).with_decryption(decrypt).send().await;
    answer.during("ssm:GetParameter")?.parameter.ok_or_else(|| {
        ProviderError::new(ErrorKind::NotFound, "the answer holds no parameter").operation("ssm:GetParameter")
    })
}
