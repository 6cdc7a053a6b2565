//! What the stack says in the API's words, and back.

use std::collections::BTreeMap;

use aws_sdk_lambda::{
    operation::get_function::GetFunctionOutput,
    types::{
        ApplicationLogLevel, DeadLetterConfig, Environment, EphemeralStorage, FileSystemConfig, FunctionConfiguration,
        ImageConfig, LogFormat, LoggingConfig, Runtime, SnapStart, SnapStartApplyOn, SystemLogLevel, TracingConfig,
        TracingMode, VpcConfig,
    },
};
use lakeform_provider::{Context, ProviderError, Result};

use super::{
    DeadLetter, EnvironmentModel, EphemeralStorageModel, FileSystem, FunctionModel, Image, Logging, SnapStartModel,
    Tracing, Vpc, updated,
};
use crate::{
    AwsClient,
    error::During,
    lambda::common::{given, nothing, text, to_i32},
    propagation::settle,
};

/// Variables for the API.
pub(super) fn environment(variables: BTreeMap<String, String>) -> Environment {
    Environment::builder().set_variables(Some(variables.into_iter().collect())).build()
}

fn incomplete(e: aws_smithy_types::error::operation::BuildError) -> ProviderError {
    ProviderError::invalid(e.to_string()).source(e)
}

impl Image {
    pub(super) fn sent(&self) -> ImageConfig {
        ImageConfig::builder()
            .set_command(self.command.clone())
            .set_entry_point(self.entry_point.clone())
            .set_working_directory(given(&self.working_directory))
            .build()
    }
}

impl Logging {
    pub(super) fn sent(&self) -> LoggingConfig {
        LoggingConfig::builder()
            .set_application_log_level(
                given(&self.application_log_level).map(|l| ApplicationLogLevel::from(l.as_str())),
            )
            .log_format(LogFormat::from(self.log_format.as_str()))
            .set_log_group(given(&self.log_group))
            .set_system_log_level(given(&self.system_log_level).map(|l| SystemLogLevel::from(l.as_str())))
            .build()
    }

    pub(in crate::lambda) fn read(live: &LoggingConfig) -> Self {
        Self {
            application_log_level: text(live.application_log_level().map(|l| l.as_str())),
            log_format: live.log_format().map(|f| f.as_str().to_owned()).unwrap_or_default(),
            log_group: text(live.log_group()),
            system_log_level: text(live.system_log_level().map(|l| l.as_str())),
        }
    }
}

impl Vpc {
    pub(super) fn sent(&self) -> VpcConfig {
        VpcConfig::builder()
            .ipv6_allowed_for_dual_stack(self.ipv6_allowed_for_dual_stack == Some(true))
            .set_security_group_ids(Some(self.security_group_ids.iter().cloned().collect()))
            .set_subnet_ids(Some(self.subnet_ids.iter().cloned().collect()))
            .build()
    }
}

/// What the API says of the blocks that a function and its data source have in common.
pub(in crate::lambda) struct Blocks {
    pub(in crate::lambda) dead_letter_config: Vec<DeadLetter>,
    pub(in crate::lambda) environment: Vec<EnvironmentModel>,
    pub(in crate::lambda) ephemeral_storage: Vec<EphemeralStorageModel>,
    pub(in crate::lambda) file_system_config: Vec<FileSystem>,
    pub(in crate::lambda) logging_config: Vec<Logging>,
    pub(in crate::lambda) tracing_config: Vec<Tracing>,
    pub(in crate::lambda) vpc_config: Vec<Vpc>,
}

impl Blocks {
    pub(in crate::lambda) fn read(live: &FunctionConfiguration) -> Self {
        let dead = live.dead_letter_config().and_then(|d| d.target_arn.clone());
        let variables = live.environment().map(|e| e.variables().into_iter().flatten());
        let variables = variables.map(|all| all.map(|(k, v)| (k.clone(), v.clone())).collect());
        let mode = live.tracing_config().and_then(|t| t.mode()).unwrap_or(&TracingMode::PassThrough);
        let vpc = live.vpc_config().filter(|v| {
            !v.subnet_ids().is_empty()
                || !v.security_group_ids().is_empty()
                || v.vpc_id().is_some_and(|id| !id.is_empty())
        });
        let file_system = |f: &FileSystemConfig| FileSystem {
            arn: f.arn().to_owned(),
            local_mount_path: f.local_mount_path().to_owned(),
        };
        Self {
            dead_letter_config: dead.map(|target_arn| DeadLetter { target_arn }).into_iter().collect(),
            environment: variables.map(|v| EnvironmentModel { variables: Some(v) }).into_iter().collect(),
            ephemeral_storage: live
                .ephemeral_storage()
                .map(|s| EphemeralStorageModel { size: Some(s.size().into()) })
                .into_iter()
                .collect(),
            file_system_config: live.file_system_configs().iter().map(file_system).collect(),
            logging_config: live.logging_config().map(Logging::read).into_iter().collect(),
            tracing_config: vec![Tracing { mode: mode.as_str().to_owned() }],
            vpc_config: vpc
                .map(|v| Vpc {
                    ipv6_allowed_for_dual_stack: Some(v.ipv6_allowed_for_dual_stack() == Some(true)),
                    security_group_ids: v.security_group_ids().iter().cloned().collect(),
                    subnet_ids: v.subnet_ids().iter().cloned().collect(),
                    vpc_id: text(v.vpc_id()),
                })
                .into_iter()
                .collect(),
        }
    }
}

/// ARN by which API Gateway calls a function.
pub(in crate::lambda) fn invoke_arn(client: &AwsClient, arn: &str) -> String {
    let (partition, region) = (client.partition().id, client.region());
    format!("arn:{partition}:apigateway:{region}:lambda:path/2015-03-31/functions/{arn}/invocations")
}

/// What the API says of a block that may be there without saying anything: the stored one where neither does.
fn unless_silent<T>(stored: &mut Vec<T>, live: Vec<T>, silent: impl Fn(&T) -> bool) {
    if !live.iter().all(&silent) || !stored.iter().all(&silent) {
        *stored = live;
    }
}

impl FunctionModel {
    pub(super) fn dead_letter(&self) -> Option<DeadLetterConfig> {
        self.dead_letter_config.first().map(|d| DeadLetterConfig::builder().target_arn(&d.target_arn).build())
    }

    /// The environment variables, if there are any.
    pub(super) fn variables(&self) -> Option<BTreeMap<String, String>> {
        self.environment.first().and_then(|e| e.variables.clone()).filter(|v| !v.is_empty())
    }

    pub(super) fn storage(&self) -> Result<Option<EphemeralStorage>> {
        let size = self.ephemeral_storage.first().and_then(|s| to_i32(s.size)).filter(|size| *size != 0);
        size.map(|size| EphemeralStorage::builder().size(size).build()).transpose().map_err(incomplete)
    }

    pub(super) fn file_systems(&self) -> Result<Option<Vec<FileSystemConfig>>> {
        let build =
            |f: &FileSystem| FileSystemConfig::builder().arn(&f.arn).local_mount_path(&f.local_mount_path).build();
        self.file_system_config.iter().map(build).collect::<Result<_, _>>().map(Some).map_err(incomplete)
    }

    pub(super) fn runtime(&self) -> Option<Runtime> {
        given(&self.runtime).map(|r| Runtime::from(r.as_str()))
    }

    pub(super) fn snap_start(&self) -> SnapStart {
        let on =
            self.snap_start.first().map_or(SnapStartApplyOn::None, |s| SnapStartApplyOn::from(s.apply_on.as_str()));
        SnapStart::builder().apply_on(on).build()
    }

    pub(super) fn tracing(&self) -> Option<TracingConfig> {
        let mode = self.tracing_config.first().map(|t| TracingMode::from(t.mode.as_str()));
        mode.map(|mode| TracingConfig::builder().mode(mode).build())
    }

    /// Sends what of the configuration differs, and tells whether anything did. What is not sent stays as it is.
    pub(super) async fn change_configuration(
        &self,
        cx: &Context<'_, AwsClient>,
        prior: &Self,
        name: &str,
    ) -> Result<bool> {
        let mut call = cx.client.lambda().update_function_configuration().function_name(name);
        let mut any = false;
        let mut when = |differs: bool| {
            any |= differs;
            differs
        };
        let changes = |a: &Option<String>, b: &Option<String>| given(a) != given(b);
        if when(self.dead_letter_config != prior.dead_letter_config) {
            let none = || DeadLetterConfig::builder().target_arn("").build();
            call = call.dead_letter_config(self.dead_letter().unwrap_or_else(none));
        }
        if when(changes(&self.description, &prior.description)) {
            call = call.description(self.description.clone().unwrap_or_default());
        }
        let key = when(changes(&self.kms_key_arn, &prior.kms_key_arn));
        if key {
            call = call.kms_key_arn(self.kms_key_arn.clone().unwrap_or_default());
        }
        // A new key goes with the variables that it encrypts.
        if when(self.variables() != prior.variables()) || key {
            call = call.environment(environment(self.variables().unwrap_or_default()));
        }
        if when(self.ephemeral_storage != prior.ephemeral_storage) {
            call = call.set_ephemeral_storage(self.storage()?);
        }
        if when(self.file_system_config != prior.file_system_config) {
            call = call.set_file_system_configs(self.file_systems()?);
        }
        if when(changes(&self.handler, &prior.handler)) {
            call = call.handler(self.handler.clone().unwrap_or_default());
        }
        if when(!self.image_config.iter().map(Image::sent).eq(prior.image_config.iter().map(Image::sent))) {
            let none = || ImageConfig::builder().build();
            call = call.image_config(self.image_config.first().map_or_else(none, Image::sent));
        }
        let layers = |of: &Self| of.layers.clone().unwrap_or_default();
        if when(layers(self) != layers(prior)) {
            call = call.set_layers(Some(layers(self)));
        }
        if when(self.logging_config != prior.logging_config) {
            call = call.set_logging_config(self.logging_config.first().map(Logging::sent));
        }
        if when(self.memory_size != prior.memory_size) {
            call = call.set_memory_size(to_i32(self.memory_size));
        }
        if when(self.role != prior.role) {
            call = call.role(&self.role);
        }
        if when(changes(&self.runtime, &prior.runtime)) {
            call = call.set_runtime(self.runtime());
        }
        if when(self.snap_start() != prior.snap_start()) {
            call = call.snap_start(self.snap_start());
        }
        if when(self.timeout != prior.timeout) {
            call = call.set_timeout(to_i32(self.timeout));
        }
        if when(self.tracing_config != prior.tracing_config) {
            call = call.set_tracing_config(self.tracing());
        }
        if when(!self.vpc_config.iter().map(Vpc::sent).eq(prior.vpc_config.iter().map(Vpc::sent))) {
            let none = || Vpc::default().sent();
            call = call.vpc_config(self.vpc_config.first().map_or_else(none, Vpc::sent));
        }
        if any {
            settle(cx, || async { call.clone().send().await.during("lambda:UpdateFunctionConfiguration") }).await?;
            updated(cx, name).await?;
        }
        Ok(any)
    }

    /// What the API says of the function. `signing`: `None` where there is no code signing.
    pub(super) fn take(
        &mut self,
        cx: &Context<'_, AwsClient>,
        found: &GetFunctionOutput,
        latest: &FunctionConfiguration,
        signing: Option<String>,
    ) -> Result<()> {
        let live = found.configuration().ok_or_else(|| nothing("lambda:GetFunction", "configuration"))?;
        let names = |all: &[String]| Some(all.to_vec());
        let arn = live.function_arn().unwrap_or_default();
        self.architectures = names(&live.architectures().iter().map(|a| a.as_str().to_owned()).collect::<Vec<_>>());
        self.arn = Some(arn.to_owned());
        self.code_sha256 = text(live.code_sha256());
        self.code_signing_config_arn = signing.or(self.code_signing_config_arn.take().map(|_| String::new()));
        self.description = text(live.description());
        self.handler = text(live.handler());
        self.id = Some(self.function_name.clone());
        self.image_uri = text(found.code().and_then(|c| c.image_uri()));
        self.invoke_arn = Some(invoke_arn(cx.client, arn));
        self.kms_key_arn = text(live.kms_key_arn());
        self.last_modified = text(live.last_modified());
        self.layers = names(&live.layers().iter().filter_map(|l| l.arn.clone()).collect::<Vec<_>>());
        self.memory_size = live.memory_size().map(i64::from);
        self.package_type = text(live.package_type().map(|p| p.as_str()));
        let qualified = latest.function_arn().unwrap_or_default();
        self.qualified_arn = Some(qualified.to_owned());
        self.qualified_invoke_arn = Some(invoke_arn(cx.client, qualified));
        let reserved = found.concurrency().map_or(-1, |c| c.reserved_concurrent_executions().unwrap_or(0));
        self.reserved_concurrent_executions = Some(reserved.into());
        self.role = live.role().unwrap_or_default().to_owned();
        self.runtime = text(live.runtime().map(|r| r.as_str()));
        self.signing_job_arn = text(live.signing_job_arn());
        self.signing_profile_version_arn = text(live.signing_profile_version_arn());
        self.skip_destroy.get_or_insert(false);
        match given(&self.source_dir) {
            // What runs is what lakeform packed, or it has to be uploaded again.
            Some(_) => self.source_code_hash = text(live.code_sha256()),
            None => drop(self.source_code_hash.get_or_insert_default()),
        }
        self.source_code_size = Some(live.code_size());
        self.timeout = live.timeout().map(i64::from);
        self.version = text(latest.version());
        let blocks = Blocks::read(live);
        self.dead_letter_config = blocks.dead_letter_config;
        unless_silent(&mut self.environment, blocks.environment, |e| e.variables.iter().flatten().next().is_none());
        self.ephemeral_storage = blocks.ephemeral_storage;
        self.file_system_config = blocks.file_system_config;
        let image = live.image_config_response().and_then(|r| r.image_config()).map(|i| Image {
            command: names(i.command()),
            entry_point: names(i.entry_point()),
            working_directory: text(i.working_directory()),
        });
        unless_silent(&mut self.image_config, image.into_iter().collect(), |i| i.sent() == Image::default().sent());
        self.logging_config = blocks.logging_config;
        let snap = live.snap_start().filter(|s| s.apply_on().is_some_and(|on| *on != SnapStartApplyOn::None));
        let snap = snap.map(|s| SnapStartModel {
            apply_on: s.apply_on().map(|on| on.as_str().to_owned()).unwrap_or_default(),
            optimization_status: text(s.optimization_status().map(|s| s.as_str())),
        });
        unless_silent(&mut self.snap_start, snap.into_iter().collect(), |s| s.apply_on == "None");
        self.tracing_config = blocks.tracing_config;
        unless_silent(&mut self.vpc_config, blocks.vpc_config, |v| {
            v.subnet_ids.is_empty() && v.security_group_ids.is_empty()
        });
        let tags = found.tags().into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        let tags = cx.client.tags().read(cx, tags, self.tags.as_ref());
        (self.tags, self.tags_all) = (tags.tags, tags.tags_all);
        Ok(())
    }
}
