//! `aws_lambda_function`

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_lambda::{
    operation::get_function::GetFunctionOutput,
    types::{Architecture, FunctionCode, FunctionConfiguration, LastUpdateStatus, PackageType, State, VpcConfig},
};
use lakeform_provider::{Change, Context, ErrorKind, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};

use self::blocks::{
    DeadLetter, EnvironmentModel, EphemeralStorageModel, FileSystem, Image, Logging, SnapStartModel, Timeouts, Tracing,
    Vpc,
};
use super::common::{self, GONE, change_tags, code_in, given, nothing, to_i32};
use crate::{
    AwsClient,
    error::{Absent, During},
    propagation::settle,
    tags::Tags,
};

pub(super) mod blocks;
pub(super) mod convert;
mod folder;
mod plan;

/// A function.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct FunctionModel {
    /// Instruction set: `["x86_64"]` or `["arm64"]`
    #[attr(optional, computed)]
    architectures: Option<Vec<String>>,
    /// ARN of the function.
    #[attr(computed)]
    arn: Option<String>,
    /// SHA-256 of the code, base64-encoded.
    #[attr(computed)]
    code_sha256: Option<String>,
    /// ARN of the code signing configuration.
    #[attr(optional)]
    code_signing_config_arn: Option<String>,
    /// What the function is for.
    #[attr(optional)]
    description: Option<String>,
    /// File with the code: a zip.
    #[attr(optional)]
    filename: Option<String>,
    /// Name of the function.
    #[attr(required, force_new)]
    function_name: String,
    /// Where the code starts: `main.handler`
    #[attr(optional)]
    handler: Option<String>,
    /// Name of the function.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Container image with the code.
    #[attr(optional)]
    image_uri: Option<String>,
    /// ARN by which API Gateway calls the function.
    #[attr(computed)]
    invoke_arn: Option<String>,
    /// ARN of the KMS key that encrypts environment variables and snapshots.
    #[attr(optional)]
    kms_key_arn: Option<String>,
    /// When the function was last changed.
    #[attr(computed)]
    last_modified: Option<String>,
    /// ARNs of versions of layers, five at most.
    #[attr(optional)]
    layers: Option<Vec<String>>,
    /// Memory in MB, 128 to 10240. Default: 128.
    #[attr(optional, default = 128)]
    memory_size: Option<i64>,
    /// `Zip` or `Image`. Default: `Zip`.
    #[attr(optional, force_new, default = "Zip")]
    package_type: Option<String>,
    /// Whether every change publishes a version. Default: `false`.
    #[attr(optional, default = false)]
    publish: Option<bool>,
    /// ARN with the latest version.
    #[attr(computed)]
    qualified_arn: Option<String>,
    /// ARN by which API Gateway calls the latest version.
    #[attr(computed)]
    qualified_invoke_arn: Option<String>,
    /// Whether the function gets `replacement_security_group_ids` before it is deleted, so that its own security groups are
    /// free at once.
    #[attr(optional)]
    replace_security_groups_on_destroy: Option<bool>,
    /// Security groups that the function's network interfaces have once it is deleted. Needed by
    /// `replace_security_groups_on_destroy`: the default security group of the VPC is not looked up.
    #[attr(optional)]
    replacement_security_group_ids: Option<BTreeSet<String>>,
    /// How many instances are reserved for the function; `0` stops it, `-1` reserves none. Default: `-1`.
    #[attr(optional, default = -1)]
    reserved_concurrent_executions: Option<i64>,
    /// ARN of the role that the function runs as.
    #[attr(required)]
    role: String,
    /// Runtime: `python3.13`, `nodejs22.x`, `provided.al2023`, ...
    #[attr(optional)]
    runtime: Option<String>,
    /// Bucket with the code.
    #[attr(optional)]
    s3_bucket: Option<String>,
    /// Key of the object with the code.
    #[attr(optional)]
    s3_key: Option<String>,
    /// Version of the object with the code.
    #[attr(optional)]
    s3_object_version: Option<String>,
    /// ARN of the signing job.
    #[attr(computed)]
    signing_job_arn: Option<String>,
    /// ARN of the version of the signing profile.
    #[attr(computed)]
    signing_profile_version_arn: Option<String>,
    /// Whether the function outlives its deletion from the stack. Default: `false`.
    #[attr(optional, default = false)]
    skip_destroy: Option<bool>,
    /// Any text; when it changes, the code is uploaded again: `filebase64sha256(...)` of the file. With `source_dir` it is the
    /// hash of what is packed.
    #[attr(optional, computed)]
    source_code_hash: Option<String>,
    /// Size of the code in bytes.
    #[attr(computed)]
    source_code_size: Option<i64>,
    /// Folder with the code, which lakeform packs into a zip, always the same one for the same files. Terraform does not
    /// know this attribute.
    #[attr(optional)]
    source_dir: Option<String>,
    /// What to leave out of `source_dir`: patterns of paths from there on, such as `**/*.pyc`. Terraform does not know this
    /// attribute.
    #[attr(optional)]
    source_excludes: Option<BTreeSet<String>>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Longest run in seconds, 1 to 900. Default: 3.
    #[attr(optional, default = 3)]
    timeout: Option<i64>,
    /// The latest version.
    #[attr(computed)]
    version: Option<String>,
    /// Where events go that could not be dealt with.
    #[block(list, max = 1)]
    dead_letter_config: Vec<DeadLetter>,
    /// Environment variables.
    #[block(list, max = 1)]
    environment: Vec<EnvironmentModel>,
    /// The folder `/tmp`.
    #[block(list, max = 1, computed)]
    ephemeral_storage: Vec<EphemeralStorageModel>,
    /// An EFS file system.
    #[block(list, max = 1)]
    file_system_config: Vec<FileSystem>,
    /// What a container image is started with.
    #[block(list, max = 1)]
    image_config: Vec<Image>,
    /// Where and how the function logs.
    #[block(list, max = 1, computed)]
    logging_config: Vec<Logging>,
    /// Snapshots of a started function.
    #[block(list, max = 1)]
    snap_start: Vec<SnapStartModel>,
    /// Time limits.
    #[block(single)]
    timeouts: Option<Timeouts>,
    /// Tracing with X-Ray.
    #[block(list, max = 1, computed)]
    tracing_config: Vec<Tracing>,
    /// The VPC that the function reaches into.
    #[block(list, max = 1)]
    vpc_config: Vec<Vpc>,
}

/// `aws_lambda_function`
pub(crate) struct Function;

/// How long a function may take to be made, changed or deleted.
const LIMIT: Duration = Duration::from_secs(600);

/// Regions of AWS Signer: where Lambda knows of code signing, and elsewhere answers anything.
const SIGNER: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

impl ResourceType for Function {
    type Client = AwsClient;
    type Model = FunctionModel;
    const NAME: &'static str = "aws_lambda_function";
    const IDENTITY: &'static [&'static str] = &["function_name"];
    const FOUND_BY: FoundBy = FoundBy::Name;
    const TIED_TO: &'static [&'static str] = &["role"];

    fn plan(client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        plan::plan(client, change)
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: FunctionModel) -> Result<Option<FunctionModel>> {
        let Some(name) = object.id.clone() else { return Ok(None) };
        let zipped = match object.package_type {
            Some(_) => object.is_zip(),
            // An import does not know yet.
            None => {
                let Some(found) = find(cx, &name).await? else { return Ok(None) };
                found.configuration().and_then(|c| c.package_type()) != Some(&PackageType::Image)
            }
        };
        let (found, latest, signing) = tokio::join!(find(cx, &name), latest(cx, &name), signing(cx, &name, zipped));
        let (Some(found), Some(latest), Some(signing)) = (found?, latest?, signing?) else { return Ok(None) };
        object.take(cx, &found, &latest, signing)?;
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut FunctionModel) -> Result<()> {
        let lambda = cx.client.lambda();
        let name = object.function_name.clone();
        let zipped = object.is_zip();
        let code = match object.code(cx).await? {
            Code::Zip(zip) => FunctionCode::builder().zip_file(zip).build(),
            Code::Image(uri) => FunctionCode::builder().image_uri(uri).build(),
            Code::S3 { bucket, key, version } => {
                FunctionCode::builder().set_s3_bucket(bucket).set_s3_key(key).set_s3_object_version(version).build()
            }
        };
        let call = lambda
            .create_function()
            .function_name(&name)
            .code(code)
            .description(object.description.clone().unwrap_or_default())
            .set_memory_size(to_i32(object.memory_size))
            .set_package_type(given(&object.package_type).map(|t| PackageType::from(t.as_str())))
            .publish(object.publish == Some(true))
            .role(&object.role)
            .set_tags(object.tags_all.clone().filter(|t| !t.is_empty()).map(|t| t.into_iter().collect()))
            .set_timeout(to_i32(object.timeout))
            .set_architectures(object.architectures())
            .set_code_signing_config_arn(given(&object.code_signing_config_arn))
            .set_dead_letter_config(object.dead_letter())
            .set_environment(object.variables().map(convert::environment))
            .set_ephemeral_storage(object.storage()?)
            .set_file_system_configs(object.file_systems()?.filter(|all| !all.is_empty()))
            .set_handler(given(&object.handler).filter(|_| zipped))
            .set_runtime(object.runtime().filter(|_| zipped))
            .set_image_config(object.image_config.first().map(Image::sent))
            .set_logging_config(object.logging_config.first().map(Logging::sent))
            .set_kms_key_arn(given(&object.kms_key_arn))
            .set_layers(object.layers.clone().filter(|all| !all.is_empty()))
            .set_snap_start((!object.snap_start.is_empty()).then(|| object.snap_start()))
            .set_tracing_config(object.tracing())
            .set_vpc_config(object.vpc_config.first().map(Vpc::sent));
        let answer = settle(cx, || async { call.clone().send().await.during("lambda:CreateFunction") }).await.map_err(
            |mut e| {
                if common::exists(&e) {
                    e.kind = ErrorKind::AlreadyExists;
                    e.hint = Some("import it, or choose another name".into());
                }
                e
            },
        )?;
        object.id = Some(name.clone());
        object.arn = answer.function_arn().map(str::to_owned);
        let found = active(cx, &name).await?;
        let found = match to_i32(object.reserved_concurrent_executions).filter(|n| *n >= 0) {
            None => found,
            Some(reserved) => {
                let call = lambda.put_function_concurrency().function_name(&name);
                call.reserved_concurrent_executions(reserved).send().await.during("lambda:PutFunctionConcurrency")?;
                find(cx, &name).await?.ok_or_else(|| nothing("lambda:GetFunction", "function"))?
            }
        };
        object.finish(cx, &name, &found).await
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let name = planned.function_name.clone();
        let Some(there) = find(cx, &name).await? else { return Ok(None) };
        let role = there.configuration.and_then(|live| live.role).unwrap_or_default();
        // A role that is secret is in no journal.
        if !planned.role.is_empty() && role != planned.role {
            return Ok(None);
        }
        active(cx, &name).await?;
        planned.id = Some(name);
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &FunctionModel, object: &mut FunctionModel) -> Result<()> {
        let lambda = cx.client.lambda();
        let name = prior.id.clone().unwrap_or_default();
        change_tags(cx, prior.arn.as_deref().unwrap_or(&name), prior.tags_all.as_ref(), object.tags_all.as_ref())
            .await?;
        if given(&prior.code_signing_config_arn) != given(&object.code_signing_config_arn) {
            match given(&object.code_signing_config_arn) {
                Some(arn) => {
                    let call = lambda.put_function_code_signing_config().function_name(&name);
                    let call = call.code_signing_config_arn(arn);
                    call.send().await.during("lambda:PutFunctionCodeSigningConfig").map(drop)?;
                }
                None => {
                    let call = lambda.delete_function_code_signing_config().function_name(&name);
                    call.send().await.during("lambda:DeleteFunctionCodeSigningConfig").map(drop)?;
                }
            }
        }
        let configured = object.change_configuration(cx, prior, &name).await?;
        let coded = object.change_code(cx, prior, &name).await?;
        let reserved = to_i32(object.reserved_concurrent_executions).filter(|n| *n >= 0);
        if reserved != to_i32(prior.reserved_concurrent_executions).filter(|n| *n >= 0) {
            match reserved {
                Some(reserved) => {
                    let call = lambda.put_function_concurrency().function_name(&name);
                    let call = call.reserved_concurrent_executions(reserved);
                    call.send().await.during("lambda:PutFunctionConcurrency").map(drop)?;
                }
                None => {
                    let call = lambda.delete_function_concurrency().function_name(&name);
                    call.send().await.during("lambda:DeleteFunctionConcurrency")?;
                }
            }
        }
        let publishes = object.publish == Some(true);
        if publishes && (configured || coded || prior.publish != object.publish) {
            let answer = settle(cx, || async {
                lambda.publish_version().function_name(&name).send().await.during("lambda:PublishVersion")
            })
            .await?;
            let version = answer.version.unwrap_or_default();
            cx.wait(Wait::new("version to be published", LIMIT), || async {
                let call = lambda.get_function_configuration().function_name(&name).qualifier(&version);
                let found = call.send().await.during("lambda:GetFunctionConfiguration")?;
                // A version with a snapshot says nothing at first.
                changed(found.last_update_status(), false, found.last_update_status_reason())
            })
            .await?;
        }
        let found = find(cx, &name).await?.ok_or_else(|| nothing("lambda:GetFunction", "function"))?;
        object.finish(cx, &name, &found).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &FunctionModel) -> Result<()> {
        if object.skip_destroy == Some(true) {
            return Ok(());
        }
        let lambda = cx.client.lambda();
        let name = object.id.clone().unwrap_or_default();
        let groups = object.replacement_security_group_ids.iter().flatten().cloned().collect::<Vec<_>>();
        let attached = object.vpc_config.first().is_some_and(|vpc| !vpc.security_group_ids.is_empty());
        if object.replace_security_groups_on_destroy == Some(true) && attached && !groups.is_empty() {
            let vpc = VpcConfig::builder().set_security_group_ids(Some(groups)).build();
            let call = lambda.update_function_configuration().function_name(&name).vpc_config(vpc);
            let send = || async { call.clone().send().await.during("lambda:UpdateFunctionConfiguration") };
            if settle(cx, send).await.absent_ok(GONE)?.is_none() {
                return Ok(());
            }
            updated(cx, &name).await?;
        }
        // CloudFront takes hours to let go of its replicas.
        let replicated = |e: &ProviderError| common::refused(e, &["because it is a replicated function"]);
        let wait = Wait::new("replicas to be gone", cx.timeout.unwrap_or(LIMIT));
        let call =
            || async { lambda.delete_function().function_name(&name).send().await.during("lambda:DeleteFunction") };
        if cx.retry(wait, replicated, || settle(cx, call)).await.absent_ok(GONE)?.is_none() {
            return Ok(());
        }
        cx.wait(Wait::new("function to be deleted", LIMIT), || async {
            Ok(if find(cx, &name).await?.is_none() { Poll::Ready(()) } else { Poll::Pending })
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<FunctionModel> {
        if id.is_empty() || id.contains(':') {
            return Err(ProviderError::invalid(format!("a function is imported by its name, not by {id:?}")));
        }
        Ok(FunctionModel {
            id: Some(id.to_owned()),
            function_name: id.to_owned(),
            publish: Some(false),
            ..FunctionModel::default()
        })
    }
}

/// Where the code is.
enum Code {
    Zip(aws_smithy_types::Blob),
    Image(String),
    S3 { bucket: Option<String>, key: Option<String>, version: Option<String> },
}

impl FunctionModel {
    fn is_zip(&self) -> bool {
        self.package_type.as_deref() != Some(PackageType::Image.as_str())
    }

    fn architectures(&self) -> Option<Vec<Architecture>> {
        let all: Vec<_> = self.architectures.iter().flatten().map(|a| Architecture::from(a.as_str())).collect();
        (!all.is_empty()).then_some(all)
    }

    async fn code(&self, cx: &Context<'_, AwsClient>) -> Result<Code> {
        if let Some(file) = given(&self.filename) {
            return Ok(Code::Zip(code_in(cx.client, &file).await?));
        }
        if let Some(folder) = given(&self.source_dir) {
            return Ok(Code::Zip(self.pack(cx.client, &folder).await?));
        }
        Ok(match given(&self.image_uri) {
            Some(uri) => Code::Image(uri),
            None => Code::S3 {
                bucket: given(&self.s3_bucket),
                key: given(&self.s3_key),
                version: given(&self.s3_object_version),
            },
        })
    }

    /// Whether the code, or where it is, differs.
    fn differs_in_code(&self, prior: &Self) -> bool {
        if self.architectures != prior.architectures {
            return true;
        }
        // What is packed is known by its hash, wherever the folder is.
        if given(&self.source_dir).is_some() {
            return self.source_code_hash != prior.code_sha256;
        }
        let texts = |of: &Self| {
            [
                &of.filename,
                &of.source_code_hash,
                &of.s3_bucket,
                &of.s3_key,
                &of.s3_object_version,
                &of.image_uri,
                &of.source_dir,
            ]
            .map(given)
        };
        texts(self) != texts(prior)
    }

    /// Uploads the code if it differs, and tells whether it did.
    async fn change_code(&self, cx: &Context<'_, AwsClient>, prior: &Self, name: &str) -> Result<bool> {
        if !self.differs_in_code(prior) {
            return Ok(false);
        }
        let call = cx.client.lambda().update_function_code().function_name(name);
        let call = call.set_architectures(self.architectures().filter(|_| self.architectures != prior.architectures));
        let call = match self.code(cx).await? {
            Code::Zip(zip) => call.zip_file(zip),
            Code::Image(uri) => call.image_uri(uri),
            Code::S3 { bucket, key, version } => {
                call.set_s3_bucket(bucket).set_s3_key(key).set_s3_object_version(version)
            }
        };
        settle(cx, || async { call.clone().send().await.during("lambda:UpdateFunctionCode") }).await?;
        updated(cx, name).await?;
        Ok(true)
    }

    /// What an object that was made or changed has become.
    async fn finish(&mut self, cx: &Context<'_, AwsClient>, name: &str, found: &GetFunctionOutput) -> Result<()> {
        let (latest, signing) = tokio::join!(latest(cx, name), signing(cx, name, self.is_zip()));
        let latest = latest?.ok_or_else(|| nothing("lambda:ListVersionsByFunction", "version"))?;
        self.take(cx, found, &latest, signing?.flatten())
    }
}

/// The function; `None` without one.
async fn find(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<GetFunctionOutput>> {
    cx.client.lambda().get_function().function_name(name).send().await.during("lambda:GetFunction").absent_ok(GONE)
}

/// The latest version of a function, published or not.
pub(super) async fn latest(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<FunctionConfiguration>> {
    let mut pages = cx
        .client
        .lambda()
        .list_versions_by_function()
        .function_name(name)
        .max_items(10_000)
        .into_paginator()
        .items()
        .send();
    let mut latest = None;
    while let Some(version) = pages.next().await {
        match version.during("lambda:ListVersionsByFunction").absent_ok(GONE)? {
            Some(version) => latest = Some(version),
            None => return Ok(None),
        }
    }
    Ok(latest)
}

/// ARN of the function's code signing configuration, where there is such a thing; the outer `None` without a function.
pub(super) async fn signing(cx: &Context<'_, AwsClient>, name: &str, zipped: bool) -> Result<Option<Option<String>>> {
    if cx.client.partition().id != "aws" || !SIGNER.contains(&cx.client.region()) {
        return Ok(Some(None));
    }
    if !zipped {
        return Ok(Some(Some(String::new())));
    }
    let call = cx.client.lambda().get_function_code_signing_config().function_name(name);
    let answer = call.send().await.during("lambda:GetFunctionCodeSigningConfig").absent_ok(GONE)?;
    Ok(answer.map(|answer| Some(answer.code_signing_config_arn)))
}

/// The function once it can be called.
async fn active(cx: &Context<'_, AwsClient>, name: &str) -> Result<GetFunctionOutput> {
    cx.wait(Wait::new("function to be Active", LIMIT), || async {
        let Some(found) = find(cx, name).await? else { return Ok(Poll::Pending) };
        let live = found.configuration();
        match live.and_then(|live| live.state()) {
            Some(State::Pending) => Ok(Poll::Pending),
            Some(State::Failed) => Err(failed("made", live.and_then(|live| live.state_reason()))),
            _ => Ok(Poll::Ready(found)),
        }
    })
    .await
}

/// Waits until a change has taken effect.
async fn updated(cx: &Context<'_, AwsClient>, name: &str) -> Result<()> {
    cx.wait(Wait::new("function to be changed", LIMIT), || async {
        let call = cx.client.lambda().get_function_configuration().function_name(name);
        let found = call.send().await.during("lambda:GetFunctionConfiguration")?;
        changed(found.last_update_status(), true, found.last_update_status_reason())
    })
    .await
}

/// Whether a change has taken effect. `silent`: what an answer without a status means.
fn changed(status: Option<&LastUpdateStatus>, silent: bool, reason: Option<&str>) -> Result<Poll<()>> {
    match status {
        Some(LastUpdateStatus::Successful) => Ok(Poll::Ready(())),
        Some(LastUpdateStatus::Failed) => Err(failed("changed", reason)),
        None if silent => Ok(Poll::Ready(())),
        _ => Ok(Poll::Pending),
    }
}

fn failed(what: &str, reason: Option<&str>) -> ProviderError {
    let reason = reason.unwrap_or("Lambda gives no reason");
    ProviderError::new(ErrorKind::Other, format!("the function could not be {what}: {reason}"))
}
