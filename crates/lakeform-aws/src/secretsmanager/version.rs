//! `aws_secretsmanager_secret_version`

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_secretsmanager::{operation::get_secret_value::GetSecretValueOutput, primitives::Blob};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, ErrorKind, FoundBy, Model, ProviderError, ResourceType, Result, Wait};

use super::{CURRENT, PREVIOUS, unless_deleted};
use crate::{AwsClient, check, error::During, stored::given};

/// A value of a secret.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct VersionModel {
    /// ARN of the secret.
    #[attr(computed)]
    arn: Option<String>,
    /// Whether the value was written with `secret_string_wo`.
    #[attr(computed)]
    has_secret_string_wo: Option<bool>,
    /// `SECRET_ID|VERSION_ID`
    #[attr(optional, computed)]
    id: Option<String>,
    /// The value as bytes, in base64.
    #[attr(optional, sensitive, force_new)]
    secret_binary: Option<String>,
    /// The secret: its ARN or name.
    #[attr(required, force_new)]
    secret_id: String,
    /// The value as text.
    #[attr(optional, sensitive, force_new)]
    secret_string: Option<String>,
    /// The value as text, kept neither in plans nor in state.
    #[attr(optional, sensitive, write_only)]
    secret_string_wo: Option<String>,
    /// Another number than before sends `secret_string_wo` again.
    #[attr(optional, force_new)]
    secret_string_wo_version: Option<i64>,
    /// Id of the version.
    #[attr(computed)]
    version_id: Option<String>,
    /// Stages that point to this version. AWS's default: `AWSCURRENT`.
    #[attr(optional, computed)]
    version_stages: Option<BTreeSet<String>>,
}

/// `aws_secretsmanager_secret_version`
pub(crate) struct Version;

/// The ways to give a value.
const VALUES: [&str; 3] = ["secret_string", "secret_binary", "secret_string_wo"];

impl ResourceType for Version {
    type Client = AwsClient;
    type Model = VersionModel;
    const NAME: &'static str = "aws_secretsmanager_secret_version";
    const FOUND_BY: FoundBy = FoundBy::Token;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        for (i, name) in VALUES.into_iter().enumerate() {
            VALUES[i + 1..].iter().try_for_each(|other| check::not_both(change, name, other))?;
        }
        check::needs(change, "secret_string_wo_version", "secret_string_wo")?;
        check::needs(change, "secret_string_wo", "secret_string_wo_version")?;
        match change.config.get("secret_binary").and_then(Value::as_str) {
            Some(binary) if BASE64.decode(binary).is_err() => {
                Err(ProviderError::invalid("secret_binary is not base64").attribute(Path::attr("secret_binary")))
            }
            _ => Ok(()),
        }
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: VersionModel) -> Result<Option<VersionModel>> {
        let (secret, version) = parse(object.id.as_deref().unwrap_or_default())?;
        let Some(live) = find(cx, secret, version).await? else { return Ok(None) };
        secret.clone_into(&mut object.secret_id);
        let written = object.has_secret_string_wo == Some(true);
        object.secret_string = live.secret_string.clone().filter(|_| !written);
        object.secret_binary = Some(live.secret_binary.as_ref().map(|b| BASE64.encode(b)).unwrap_or_default());
        object.take(live);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut VersionModel) -> Result<()> {
        let written = written(cx);
        let binary = given(&object.secret_binary).and_then(|binary| BASE64.decode(binary).ok()).map(Blob::new);
        let stages = object.version_stages.iter().flatten().cloned().collect::<Vec<_>>();
        object.has_secret_string_wo = written.is_some().then_some(true);
        // The token becomes the id of the version, and the call is safe to repeat.
        let call = cx.client.secretsmanager().put_secret_value().secret_id(&object.secret_id);
        let call = call.set_client_request_token((!cx.token.is_empty()).then(|| cx.token.to_owned()));
        let call = call.set_secret_string(written.or_else(|| given(&object.secret_string))).set_secret_binary(binary);
        let call = call.set_version_stages((!stages.is_empty()).then_some(stages));
        let answer = call.send().await.during("secretsmanager:PutSecretValue")?;
        let version = answer.version_id.unwrap_or_default();
        object.id = Some(format!("{}|{version}", object.secret_id));
        let wait = Wait::new("version to be known everywhere", Duration::from_secs(120));
        let look = || async {
            let missing = || ProviderError::new(ErrorKind::NotFound, "the new version does not show yet");
            let found = find(cx, &object.secret_id, &version).await?;
            found.ok_or_else(|| missing().operation("secretsmanager:GetSecretValue"))
        };
        let live = cx.retry(wait, ProviderError::is_not_found, look).await?;
        object.take(live);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.has_secret_string_wo = written(cx).map(|_| true);
        planned.id = Some(format!("{}|{}", planned.secret_id, cx.token));
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &VersionModel, object: &mut VersionModel) -> Result<()> {
        let (secret, version) = parse(prior.id.as_deref().unwrap_or_default())?;
        let stages = |of: &VersionModel| of.version_stages.clone().unwrap_or_default();
        let (before, now) = (stages(prior), stages(object));
        for stage in now.difference(&before) {
            let call = cx.client.secretsmanager().update_secret_version_stage().secret_id(secret);
            let call = call.version_stage(stage).move_to_version_id(version);
            let holder = if stage == CURRENT { current(cx, secret).await? } else { None };
            let call = call.set_remove_from_version_id(holder);
            call.send().await.during("secretsmanager:UpdateSecretVersionStage")?;
        }
        for stage in before.difference(&now) {
            // Moving AWSCURRENT here has moved AWSPREVIOUS away.
            let moved = stage == PREVIOUS && now.contains(CURRENT) && !before.contains(CURRENT);
            if stage != CURRENT && !moved {
                drop_stage(cx, secret, version, stage).await?;
            }
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &VersionModel) -> Result<()> {
        let (secret, version) = parse(object.id.as_deref().unwrap_or_default())?;
        // A version without stages is deleted by AWS in time. The current one stays for as long as its secret.
        for stage in object.version_stages.iter().flatten().filter(|stage| *stage != CURRENT) {
            if unless_deleted(drop_stage(cx, secret, version, stage).await)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<VersionModel> {
        parse(id)?;
        let has_secret_string_wo = Some(false);
        Ok(VersionModel { id: Some(id.to_owned()), has_secret_string_wo, ..VersionModel::default() })
    }
}

impl VersionModel {
    fn take(&mut self, live: GetSecretValueOutput) {
        self.arn = live.arn;
        self.version_id = live.version_id;
        self.version_stages = Some(live.version_stages.into_iter().flatten().collect());
    }
}

/// Secret and version of an identifier.
fn parse(id: &str) -> Result<(&str, &str)> {
    match id.split_once('|') {
        Some((secret, version)) if !secret.is_empty() && !version.is_empty() => Ok((secret, version)),
        _ => Err(ProviderError::invalid(format!("a version is imported by SECRET_ID|VERSION_ID, not by {id:?}"))),
    }
}

/// The value that the stack gives and no state keeps.
fn written(cx: &Context<'_, AwsClient>) -> Option<String> {
    let text = cx.config.and_then(|config| config.get("secret_string_wo")?.as_str());
    text.filter(|text| !text.is_empty()).map(str::to_owned)
}

async fn find(cx: &Context<'_, AwsClient>, secret: &str, version: &str) -> Result<Option<GetSecretValueOutput>> {
    let answer = cx.client.secretsmanager().get_secret_value().secret_id(secret).version_id(version).send().await;
    unless_deleted(answer.during("secretsmanager:GetSecretValue"))
}

/// The version that is current.
async fn current(cx: &Context<'_, AwsClient>, secret: &str) -> Result<Option<String>> {
    let mut pages = cx.client.secretsmanager().list_secret_version_ids().secret_id(secret).into_paginator().send();
    while let Some(page) = pages.next().await {
        let versions = page.during("secretsmanager:ListSecretVersionIds")?.versions.unwrap_or_default();
        let is_current = |stages: &[String]| stages.iter().any(|stage| stage == CURRENT);
        if let Some(found) = versions.into_iter().find(|version| is_current(version.version_stages())) {
            return Ok(found.version_id);
        }
    }
    Ok(None)
}

async fn drop_stage(cx: &Context<'_, AwsClient>, secret: &str, version: &str, stage: &str) -> Result<()> {
    let call = cx.client.secretsmanager().update_secret_version_stage().secret_id(secret);
    let call = call.version_stage(stage).remove_from_version_id(version);
    call.send().await.during("secretsmanager:UpdateSecretVersionStage").map(drop)
}
