//! `data.aws_lambda_function`

use lakeform_provider::{Context, DataSource, Model, Result};

use super::{
    common::{LATEST, given, nothing, text},
    function::{
        blocks::{DeadLetter, EnvironmentModel, EphemeralStorageModel, FileSystem, Logging, Tracing, Vpc},
        convert::{Blocks, invoke_arn},
        latest, signing,
    },
};
use crate::{AwsClient, error::During, tags::Tags};

/// A function.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct FunctionDataModel {
    /// Instruction set.
    #[attr(computed)]
    architectures: Option<Vec<String>>,
    /// ARN of the function, without a qualifier.
    #[attr(computed)]
    arn: Option<String>,
    /// SHA-256 of the code, base64-encoded.
    #[attr(computed)]
    code_sha256: Option<String>,
    /// ARN of the code signing configuration.
    #[attr(computed)]
    code_signing_config_arn: Option<String>,
    /// Where events go that could not be dealt with.
    #[attr(computed)]
    dead_letter_config: Vec<DeadLetter>,
    /// What the function is for.
    #[attr(computed)]
    description: Option<String>,
    /// Environment variables.
    #[attr(computed)]
    environment: Vec<EnvironmentModel>,
    /// The folder `/tmp`.
    #[attr(computed)]
    ephemeral_storage: Vec<EphemeralStorageModel>,
    /// EFS file systems.
    #[attr(computed)]
    file_system_config: Vec<FileSystem>,
    /// Name or ARN of the function.
    #[attr(required)]
    function_name: String,
    /// Where the code starts.
    #[attr(computed)]
    handler: Option<String>,
    /// Name of the function.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Container image with the code.
    #[attr(computed)]
    image_uri: Option<String>,
    /// ARN by which API Gateway calls the function.
    #[attr(computed)]
    invoke_arn: Option<String>,
    /// ARN of the KMS key that encrypts environment variables.
    #[attr(computed)]
    kms_key_arn: Option<String>,
    /// When the function was last changed.
    #[attr(computed)]
    last_modified: Option<String>,
    /// ARNs of versions of layers.
    #[attr(computed)]
    layers: Option<Vec<String>>,
    /// Where and how the function logs.
    #[attr(computed)]
    logging_config: Vec<Logging>,
    /// Memory in MB.
    #[attr(computed)]
    memory_size: Option<i64>,
    /// ARN with the qualifier or the latest version.
    #[attr(computed)]
    qualified_arn: Option<String>,
    /// ARN by which API Gateway calls that version.
    #[attr(computed)]
    qualified_invoke_arn: Option<String>,
    /// Version or alias. Without it, the latest version.
    #[attr(optional)]
    qualifier: Option<String>,
    /// How many instances are reserved for the function; `-1` where none are.
    #[attr(computed)]
    reserved_concurrent_executions: Option<i64>,
    /// ARN of the role that the function runs as.
    #[attr(computed)]
    role: Option<String>,
    /// Runtime.
    #[attr(computed)]
    runtime: Option<String>,
    /// ARN of the signing job.
    #[attr(computed)]
    signing_job_arn: Option<String>,
    /// ARN of the version of the signing profile.
    #[attr(computed)]
    signing_profile_version_arn: Option<String>,
    /// SHA-256 of the code, base64-encoded.
    #[attr(computed, deprecated)]
    source_code_hash: Option<String>,
    /// Size of the code in bytes.
    #[attr(computed)]
    source_code_size: Option<i64>,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
    /// Longest run in seconds.
    #[attr(computed)]
    timeout: Option<i64>,
    /// Tracing with X-Ray.
    #[attr(computed)]
    tracing_config: Vec<Tracing>,
    /// The version.
    #[attr(computed)]
    version: Option<String>,
    /// The VPC that the function reaches into.
    #[attr(computed)]
    vpc_config: Vec<Vpc>,
}

/// `data.aws_lambda_function`
pub(crate) struct FunctionData;

impl DataSource for FunctionData {
    type Client = AwsClient;
    type Model = FunctionDataModel;
    const NAME: &'static str = "aws_lambda_function";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut FunctionDataModel) -> Result<()> {
        let name = object.function_name.clone();
        let qualifier = match given(&object.qualifier) {
            Some(qualifier) => Some(qualifier),
            None => latest(cx, &name).await?.and_then(|latest| latest.version).filter(|version| version != LATEST),
        };
        let call = cx.client.lambda().get_function().function_name(&name).set_qualifier(qualifier.clone());
        let found = call.send().await.during("lambda:GetFunction")?;
        let live = found.configuration().ok_or_else(|| nothing("lambda:GetFunction", "configuration"))?;
        let zipped = live.package_type().is_none_or(|t| t.as_str() == "Zip");
        object.code_signing_config_arn = match signing(cx, &name, zipped).await? {
            Some(signing) => signing,
            None => return Err(nothing("lambda:GetFunctionCodeSigningConfig", "function")),
        };
        let arn = live.function_arn().unwrap_or_default();
        let ends = |with: Option<&str>| with.is_some_and(|with| arn.ends_with(&format!(":{with}")));
        let version = live.version();
        let qualified = match ends(qualifier.as_deref()) || ends(version) {
            true => arn.to_owned(),
            false => format!("{arn}:{}", version.unwrap_or_default()),
        };
        let suffix = qualifier.map(|q| format!(":{q}")).unwrap_or_default();
        let plain = arn.strip_suffix(suffix.as_str()).unwrap_or(arn);
        object.id = Some(name);
        object.architectures = Some(live.architectures().iter().map(|a| a.as_str().to_owned()).collect());
        object.arn = Some(plain.to_owned());
        object.code_sha256 = text(live.code_sha256());
        object.description = text(live.description());
        object.handler = text(live.handler());
        object.image_uri = text(found.code().and_then(|c| c.image_uri()));
        object.invoke_arn = Some(invoke_arn(cx.client, plain));
        object.kms_key_arn = text(live.kms_key_arn());
        object.last_modified = text(live.last_modified());
        object.layers = Some(live.layers().iter().filter_map(|l| l.arn.clone()).collect());
        object.memory_size = live.memory_size().map(i64::from);
        object.qualified_invoke_arn = Some(invoke_arn(cx.client, &qualified));
        object.qualified_arn = Some(qualified);
        let reserved = found.concurrency().map_or(-1, |c| c.reserved_concurrent_executions().unwrap_or(0));
        object.reserved_concurrent_executions = Some(reserved.into());
        object.role = text(live.role());
        object.runtime = text(live.runtime().map(|r| r.as_str()));
        object.signing_job_arn = text(live.signing_job_arn());
        object.signing_profile_version_arn = text(live.signing_profile_version_arn());
        object.source_code_hash = text(live.code_sha256());
        object.source_code_size = Some(live.code_size());
        object.timeout = live.timeout().map(i64::from);
        object.version = text(version);
        let blocks = Blocks::read(live);
        object.dead_letter_config = blocks.dead_letter_config;
        object.environment = blocks.environment;
        object.ephemeral_storage = blocks.ephemeral_storage;
        object.file_system_config = blocks.file_system_config;
        object.logging_config = blocks.logging_config;
        object.tracing_config = blocks.tracing_config;
        object.vpc_config = blocks.vpc_config;
        let tags = found.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone()));
        object.tags = Some(tags.filter(|(key, _)| !cx.client.tags().ignores(key)).collect());
        Ok(())
    }
}
