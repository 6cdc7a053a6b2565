//! `data.aws_secretsmanager_secret_version` and `ephemeral.aws_secretsmanager_secret_version`

use std::collections::BTreeSet;

use aws_sdk_secretsmanager::{operation::get_secret_value::GetSecretValueOutput, primitives::Blob};
use lakeform_provider::{Context, DataSource, Model, Result};

use super::CURRENT;
use crate::{
    AwsClient,
    error::During,
    stored::{given, text, time},
};

/// The value of a secret. It is kept in state; `ephemeral.aws_secretsmanager_secret_version` is not.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct VersionDataModel {
    /// ARN of the secret.
    #[attr(computed)]
    arn: Option<String>,
    /// When the version was made.
    #[attr(computed)]
    created_date: Option<String>,
    /// `SECRET_ID|VERSION_ID`, or with the stage that was asked for.
    #[attr(optional, computed)]
    id: Option<String>,
    /// The value, where it was stored as bytes.
    #[attr(computed, sensitive)]
    secret_binary: Option<String>,
    /// The secret: its ARN or name.
    #[attr(required)]
    secret_id: String,
    /// The value, where it was stored as text.
    #[attr(computed, sensitive)]
    secret_string: Option<String>,
    /// Id of the version; without it `version_stage` chooses.
    #[attr(optional, computed)]
    version_id: Option<String>,
    /// Stage of the version. Default: `AWSCURRENT`.
    #[attr(optional, default = CURRENT)]
    version_stage: Option<String>,
    /// Stages that point to the version.
    #[attr(computed)]
    version_stages: Option<BTreeSet<String>>,
}

/// The value of a secret, for the time of a run.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct EphemeralVersionModel {
    /// ARN of the secret.
    #[attr(computed)]
    arn: Option<String>,
    /// When the version was made.
    #[attr(computed)]
    created_date: Option<String>,
    /// The value, where it was stored as bytes.
    #[attr(computed, sensitive)]
    secret_binary: Option<String>,
    /// The secret: its ARN or name.
    #[attr(required)]
    secret_id: String,
    /// The value, where it was stored as text.
    #[attr(computed, sensitive)]
    secret_string: Option<String>,
    /// Id of the version.
    #[attr(optional, computed)]
    version_id: Option<String>,
    /// Stage of the version. Without it and `version_id`: `AWSCURRENT`.
    #[attr(optional, computed)]
    version_stage: Option<String>,
    /// Stages that point to the version.
    #[attr(computed)]
    version_stages: Option<Vec<String>>,
}

/// `data.aws_secretsmanager_secret_version`
pub(crate) struct VersionData;

/// `ephemeral.aws_secretsmanager_secret_version`
pub(crate) struct EphemeralVersion;

impl DataSource for VersionData {
    type Client = AwsClient;
    type Model = VersionDataModel;
    const NAME: &'static str = "aws_secretsmanager_secret_version";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut VersionDataModel) -> Result<()> {
        let stage = object.version_stage.get_or_insert_with(|| CURRENT.to_owned()).clone();
        let id = given(&object.version_id);
        let live = get(cx, &object.secret_id, id.clone(), id.is_none().then(|| stage.clone())).await?;
        object.id = Some(format!("{}|{}", object.secret_id, id.unwrap_or(stage)));
        object.created_date = time(live.created_date());
        object.secret_binary = text(binary(live.secret_binary()));
        object.secret_string = text(live.secret_string());
        object.arn = live.arn;
        object.version_id = live.version_id;
        object.version_stages = Some(live.version_stages.into_iter().flatten().collect());
        Ok(())
    }
}

impl DataSource for EphemeralVersion {
    type Client = AwsClient;
    type Model = EphemeralVersionModel;
    const NAME: &'static str = "aws_secretsmanager_secret_version";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut EphemeralVersionModel) -> Result<()> {
        let live = get(cx, &object.secret_id, given(&object.version_id), given(&object.version_stage)).await?;
        object.created_date = time(live.created_date());
        object.secret_binary = binary(live.secret_binary());
        object.secret_string = live.secret_string;
        object.arn = live.arn;
        object.version_id = live.version_id;
        object.version_stages = live.version_stages;
        Ok(())
    }
}

async fn get(
    cx: &Context<'_, AwsClient>,
    secret: &str,
    version: Option<String>,
    stage: Option<String>,
) -> Result<GetSecretValueOutput> {
    let call = cx.client.secretsmanager().get_secret_value().secret_id(secret);
    let call = call.set_version_id(version).set_version_stage(stage);
    call.send().await.during("secretsmanager:GetSecretValue")
}

/// Bytes as the text that they are.
fn binary(bytes: Option<&Blob>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes.as_ref()).into_owned())
}
