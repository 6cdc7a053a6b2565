//! `aws_lambda_layer_version`

use std::collections::BTreeSet;

use aws_sdk_lambda::types::{Architecture, LayerVersionContentInput, LayerVersionContentOutput, Runtime};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use sha2::{Digest as _, Sha256};

use super::common::{GONE, check_file, code_in, given, text};
use crate::{
    AwsClient, check,
    error::{Absent, During},
};

/// A version of a layer: files that functions share.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct LayerVersionModel {
    /// ARN of the version.
    #[attr(computed)]
    arn: Option<String>,
    /// SHA-256 of the code, base64-encoded.
    #[attr(computed)]
    code_sha256: Option<String>,
    /// Instruction sets that it is for: `x86_64`, `arm64`
    #[attr(optional, force_new)]
    compatible_architectures: Option<BTreeSet<String>>,
    /// Runtimes that it is for, fifteen at most.
    #[attr(optional, force_new)]
    compatible_runtimes: Option<BTreeSet<String>>,
    /// When the version was made.
    #[attr(computed)]
    created_date: Option<String>,
    /// What the layer is for.
    #[attr(optional, force_new)]
    description: Option<String>,
    /// File with the code: a zip.
    #[attr(optional, force_new)]
    filename: Option<String>,
    /// ARN of the version.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARN of the layer.
    #[attr(computed)]
    layer_arn: Option<String>,
    /// Name of the layer.
    #[attr(required, force_new)]
    layer_name: String,
    /// Licence: its SPDX name, its URL, or its text.
    #[attr(optional, force_new)]
    license_info: Option<String>,
    /// Bucket with the code.
    #[attr(optional, force_new)]
    s3_bucket: Option<String>,
    /// Key of the object with the code.
    #[attr(optional, force_new)]
    s3_key: Option<String>,
    /// Version of the object with the code.
    #[attr(optional, force_new)]
    s3_object_version: Option<String>,
    /// ARN of the signing job.
    #[attr(computed)]
    signing_job_arn: Option<String>,
    /// ARN of the version of the signing profile.
    #[attr(computed)]
    signing_profile_version_arn: Option<String>,
    /// Whether the version outlives its deletion from the stack, and its replacement. Default: `false`.
    #[attr(optional, force_new, default = false)]
    skip_destroy: Option<bool>,
    /// Any text; when it changes, a new version is made: `filebase64sha256(...)` of the file.
    #[attr(optional, computed, force_new)]
    source_code_hash: Option<String>,
    /// Size of the code in bytes.
    #[attr(computed)]
    source_code_size: Option<i64>,
    /// The version.
    #[attr(computed)]
    version: Option<String>,
}

/// `aws_lambda_layer_version`
pub(crate) struct LayerVersion;

impl ResourceType for LayerVersion {
    type Client = AwsClient;
    type Model = LayerVersionModel;
    const NAME: &'static str = "aws_lambda_layer_version";
    const FOUND_BY: FoundBy = FoundBy::Parent;

    fn plan(client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "license_info", 0..=512)?;
        for name in ["s3_bucket", "s3_key", "s3_object_version"] {
            check::not_both(change, "filename", name)?;
        }
        let says = |name: &str| change.config.get(name).is_some_and(|v| !v.is_null() && v.as_str() != Some(""));
        if !(says("filename") || says("s3_bucket") && says("s3_key")) {
            return Err(ProviderError::invalid("filename, or both s3_bucket and s3_key must be set")
                .attribute(Path::attr("filename")));
        }
        for (name, most, values) in
            [("compatible_architectures", 2, Architecture::values()), ("compatible_runtimes", 15, Runtime::values())]
        {
            let given = change.config.get(name).and_then(Value::as_slice).unwrap_or_default();
            let unknown = given.iter().filter_map(Value::as_str).find(|v| !values.contains(v));
            if let Some(unknown) = unknown {
                let all = values.join(", ");
                return Err(ProviderError::invalid(format!("{name} has {unknown:?}; expected are some of {all}"))
                    .attribute(Path::attr(name)));
            }
            if given.len() > most {
                return Err(ProviderError::invalid(format!("{name} holds {most} at most")).attribute(Path::attr(name)));
            }
        }
        if change.is_create() || !change.replace.is_empty() {
            check_file(client, change)?;
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: LayerVersionModel) -> Result<Option<LayerVersionModel>> {
        let Some((name, version)) = object.id.as_deref().and_then(split) else { return Ok(None) };
        let name = name.to_owned();
        let call = cx.client.lambda().get_layer_version().layer_name(&name).version_number(version);
        let Some(live) = call.send().await.during("lambda:GetLayerVersion").absent_ok(GONE)? else { return Ok(None) };
        object.layer_name = name;
        object.version = Some(version.to_string());
        object.arn = text(live.layer_version_arn());
        object.layer_arn = text(live.layer_arn());
        object.description = text(live.description());
        object.license_info = text(live.license_info());
        object.created_date = text(live.created_date());
        object.compatible_runtimes = Some(live.compatible_runtimes().iter().map(|r| r.as_str().to_owned()).collect());
        object.compatible_architectures =
            Some(live.compatible_architectures().iter().map(|a| a.as_str().to_owned()).collect());
        object.take(live.content());
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut LayerVersionModel) -> Result<()> {
        let content = LayerVersionContentInput::builder();
        let content = match given(&object.filename) {
            Some(file) => content.zip_file(code_in(cx.client, &file).await?),
            None => content
                .set_s3_bucket(given(&object.s3_bucket))
                .set_s3_key(given(&object.s3_key))
                .set_s3_object_version(given(&object.s3_object_version)),
        };
        let runtimes: Vec<_> = object.compatible_runtimes.iter().flatten().map(|r| Runtime::from(r.as_str())).collect();
        let architectures: Vec<_> =
            object.compatible_architectures.iter().flatten().map(|a| Architecture::from(a.as_str())).collect();
        let answer = cx
            .client
            .lambda()
            .publish_layer_version()
            .layer_name(&object.layer_name)
            .content(content.build())
            .description(object.description.clone().unwrap_or_default())
            .license_info(object.license_info.clone().unwrap_or_default())
            .set_compatible_runtimes((!runtimes.is_empty()).then_some(runtimes))
            .set_compatible_architectures((!architectures.is_empty()).then_some(architectures))
            .send()
            .await
            .during("lambda:PublishLayerVersion")?;
        object.id = answer.layer_version_arn().map(str::to_owned);
        object.arn = text(answer.layer_version_arn());
        object.layer_arn = text(answer.layer_arn());
        object.created_date = text(answer.created_date());
        object.version = Some(answer.version().to_string());
        object.take(answer.content());
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = planned.newest_like(cx).await?;
        Ok(planned.id.is_some().then_some(planned))
    }

    async fn update(
        _cx: &Context<'_, AwsClient>,
        _prior: &LayerVersionModel,
        _object: &mut LayerVersionModel,
    ) -> Result<()> {
        // Every attribute that a stack can change makes a new version.
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &LayerVersionModel) -> Result<()> {
        let Some((name, version)) = object.id.as_deref().and_then(split) else { return Ok(()) };
        if object.skip_destroy == Some(true) {
            return Ok(());
        }
        let call = cx.client.lambda().delete_layer_version().layer_name(name).version_number(version);
        call.send().await.during("lambda:DeleteLayerVersion").absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<LayerVersionModel> {
        match split(id) {
            Some((name, _)) => {
                Ok(LayerVersionModel { id: Some(id.to_owned()), layer_name: name.to_owned(), ..Default::default() })
            }
            None => Err(ProviderError::invalid(format!(
                "a version of a layer is imported by its ARN, `arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION`, not by {id:?}"
            ))),
        }
    }
}

impl LayerVersionModel {
    /// ARN of the newest version that has just what this one has, as far as can be told: what comes from S3 is not looked into.
    async fn newest_like(&self, cx: &Context<'_, AwsClient>) -> Result<Option<String>> {
        let code = match given(&self.filename) {
            Some(file) => Some(BASE64.encode(Sha256::digest(code_in(cx.client, &file).await?))),
            None => None,
        };
        let set = |all: Vec<String>| all.into_iter().collect::<BTreeSet<_>>();
        let wanted = |all: &Option<BTreeSet<String>>| all.clone().unwrap_or_default();
        let lambda = cx.client.lambda();
        // The newest comes first.
        let mut versions = lambda.list_layer_versions().layer_name(&self.layer_name).into_paginator().items().send();
        while let Some(version) = versions.next().await {
            let Some(live) = version.during("lambda:ListLayerVersions").absent_ok(GONE)? else { return Ok(None) };
            let runtimes = live.compatible_runtimes().iter().map(|r| r.as_str().to_owned()).collect();
            let architectures = live.compatible_architectures().iter().map(|a| a.as_str().to_owned()).collect();
            let alike = live.description().unwrap_or_default() == self.description.as_deref().unwrap_or_default()
                && live.license_info().unwrap_or_default() == self.license_info.as_deref().unwrap_or_default()
                && set(runtimes) == wanted(&self.compatible_runtimes)
                && set(architectures) == wanted(&self.compatible_architectures);
            if !alike {
                continue;
            }
            let call = lambda.get_layer_version().layer_name(&self.layer_name).version_number(live.version());
            let Some(found) = call.send().await.during("lambda:GetLayerVersion").absent_ok(GONE)? else { continue };
            if code.is_none() || found.content().and_then(|content| content.code_sha256()) == code.as_deref() {
                return Ok(live.layer_version_arn);
            }
        }
        Ok(None)
    }

    fn take(&mut self, content: Option<&LayerVersionContentOutput>) {
        self.code_sha256 = text(content.and_then(|c| c.code_sha256()));
        self.signing_job_arn = text(content.and_then(|c| c.signing_job_arn()));
        self.signing_profile_version_arn = text(content.and_then(|c| c.signing_profile_version_arn()));
        self.source_code_size = Some(content.map_or(0, |c| c.code_size()));
        self.source_code_hash.get_or_insert_default();
        self.skip_destroy.get_or_insert(false);
    }
}

/// Name and number in the ARN of a version.
fn split(arn: &str) -> Option<(&str, i64)> {
    match arn.split(':').collect::<Vec<_>>()[..] {
        ["arn", _, "lambda", _, _, "layer", name, version] => Some((name, version.parse().ok()?)),
        _ => None,
    }
}
