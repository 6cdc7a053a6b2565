//! The provider: its types by name, and the way from its configuration to an [`AwsClient`].

use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_types::os_shim_internal::Env;
use lakeform_core::{Path, Schema, Value};
use lakeform_provider::{
    AnyDataSource, AnyResource, BoxFuture, Configured, ErrorKind, Field, Model, Provider, ProviderError, Result,
};

use crate::{
    client::{AwsClient, Settings},
    config::Config,
    credentials::{assume, assume_with_web_identity},
    http::Http,
    partition::looks_like_region,
    propagation::Recent,
    retry,
    tags::{TagRules, Tags},
};

/// What the services that are built in have of one kind: `of_services!(resources: "s3" s3, "kms" kms)`
macro_rules! of_services {
    ($kind:ident: $($feature:literal $service:ident),*) => {{
        let mut all = vec![];
        $(#[cfg(feature = $feature)] all.extend(crate::$service::$kind());)*
        all
    }};
}

/// Terraform's `hashicorp/aws`: resource types and data sources of AWS.
pub struct AwsProvider {
    environment: HashMap<String, String>,
    schema: OnceLock<Schema>,
    resources: BTreeMap<&'static str, Box<dyn AnyResource>>,
    data_sources: BTreeMap<&'static str, Box<dyn AnyDataSource>>,
    ephemeral_resources: BTreeMap<&'static str, Box<dyn AnyDataSource>>,
    http: Http,
    recent: Recent,
    directory: PathBuf,
}

impl std::fmt::Debug for AwsProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsProvider").field("resources", &self.resource_names()).finish_non_exhaustive()
    }
}

impl AwsProvider {
    /// The provider with the environment that the SDK's chain of credentials, region and endpoints shall see: `HOME`,
    /// `AWS_PROFILE`, `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID`, ... An empty one means: only what the stack says.
    pub fn new(environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let resources = of_services!(resources: "athena" athena, "budgets" budgets, "cloudtrail" cloudtrail,
            "cloudwatch" cloudwatch, "cloudwatchlogs" cloudwatchlogs, "dynamodb" dynamodb, "ecr" ecr,
            "eventbridge" eventbridge, "firehose" firehose, "glue" glue, "iam" iam, "kms" kms, "lambda" lambda, "s3" s3,
            "secretsmanager" secretsmanager, "sfn" sfn, "sns" sns, "sqs" sqs, "ssm" ssm, "xray" xray);
        let mut data_sources = of_services!(data_sources: "cloudwatchlogs" cloudwatchlogs, "dynamodb" dynamodb, "ecr" ecr,
            "glue" glue, "kms" kms, "lambda" lambda, "s3" s3, "secretsmanager" secretsmanager, "sns" sns, "sqs" sqs,
            "ssm" ssm, "sts" sts);
        data_sources.extend(crate::iam::data_sources());
        let ephemeral_resources =
            of_services!(ephemeral_resources: "kms" kms, "secretsmanager" secretsmanager, "ssm" ssm);
        Self {
            environment: environment.into_iter().collect(),
            schema: OnceLock::new(),
            resources: resources.into_iter().map(|r: Box<dyn AnyResource>| (r.name(), r)).collect(),
            data_sources: data_sources.into_iter().map(|d: Box<dyn AnyDataSource>| (d.name(), d)).collect(),
            ephemeral_resources: ephemeral_resources
                .into_iter()
                .map(|e: Box<dyn AnyDataSource>| (e.name(), e))
                .collect(),
            http: Http::default(),
            recent: Recent::default(),
            directory: PathBuf::new(),
        }
    }

    /// The same with another directory for relative paths of files than the one of the process.
    pub fn in_directory(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = directory.into();
        self
    }

    /// A client from a configuration.
    ///
    /// # Errors
    /// When a setting is unknown until apply, wrong or not supported; when the region is missing; when the account is not
    /// allowed.
    async fn client(&self, value: &Value) -> Result<AwsClient> {
        let tags = tag_rules(value, &self.environment);
        require_known(value)?;
        let config = Config::from_value(value);
        refuse_unsupported(&config)?;

        let endpoints: BTreeMap<String, String> = config.endpoints.iter().flat_map(|e| e.0.clone()).collect();
        let endpoints = Arc::new(endpoints);
        let http = Http::new(&self.http, self.ca_bundle(&config).as_deref(), self.proxy(&config)?)?;
        let sdk = self.load(&config, &http).await;
        let Some(region) = sdk.region().map(|r| r.as_ref().to_owned()) else {
            return Err(ProviderError::new(ErrorKind::Credentials, "no AWS region is set")
                .hint("set `region` in [provider.aws], AWS_REGION, or `region` in the profile")
                .attribute(Path::attr("region")));
        };
        if !looks_like_region(&region) && config.skip_region_validation != Some(true) {
            return Err(ProviderError::invalid(format!("{region:?} is no AWS region"))
                .hint("regions look like eu-central-1; skip_region_validation = true accepts any name")
                .attribute(Path::attr("region")));
        }
        let settings = Settings {
            http,
            endpoints,
            path_style: config.s3_use_path_style == Some(true),
            sts_region: config.sts_region.clone(),
            skip_account: config.skip_requesting_account_id == Some(true),
            retries: retry::partition(config.token_bucket_rate_limiter_capacity),
            tags,
            recent: self.recent.clone(),
            directory: self.directory.clone(),
            home: self.environment.get("HOME").filter(|home| !home.is_empty()).map(PathBuf::from),
        };
        let client = assume_roles(sdk, region, settings, &config)?;
        check_account(&client, &config).await?;
        Ok(client)
    }

    /// The SDK's configuration: its own chain, with what the block sets in front.
    async fn load(&self, config: &Config, http: &Http) -> SdkConfig {
        let mut variables = self.environment.clone();
        let mut set = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                variables.insert(name.to_owned(), value.to_owned());
            }
        };
        set("AWS_EC2_METADATA_SERVICE_ENDPOINT", config.ec2_metadata_service_endpoint.as_deref());
        set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", config.ec2_metadata_service_endpoint_mode.as_deref());
        let skip = config.skip_metadata_api_check.as_deref() == Some("true");
        set("AWS_EC2_METADATA_DISABLED", skip.then_some("true"));

        let sts = config.endpoints.iter().find_map(|e| e.0.get("sts"));
        let adaptive =
            config.retry_mode.as_deref().or(variables.get("AWS_RETRY_MODE").map(String::as_str)) == Some("adaptive");
        let attempts = config.max_retries.or_else(|| variables.get("AWS_MAX_ATTEMPTS")?.parse().ok());
        let mut loader: ConfigLoader = aws_config::defaults(BehaviorVersion::latest())
            .http_client(http.for_endpoint(sts.map(String::as_str)))
            .retry_config(retry::config(adaptive, attempts))
            .timeout_config(retry::timeouts())
            .env(Env::from(variables.clone()));
        if let Some(files) = self.profile_files(config) {
            loader = loader.profile_files(files);
        }
        if let Some(profile) = &config.profile {
            loader = loader.profile_name(profile);
        }
        if let (Some(id), Some(secret)) = (&config.access_key, &config.secret_key) {
            let keys = Credentials::new(id, secret, config.token.clone(), None, "provider block");
            loader = loader.credentials_provider(SharedCredentialsProvider::new(keys));
        }
        if let Some(on) = config.use_fips_endpoint {
            loader = loader.use_fips(on);
        }
        if let Some(on) = config.use_dualstack_endpoint {
            loader = loader.use_dual_stack(on);
        }
        match &config.region {
            Some(region) => loader.region(Region::new(region.clone())).load().await,
            None => loader.load().await,
        }
    }

    fn profile_files(&self, config: &Config) -> Option<aws_runtime::env_config::file::EnvConfigFiles> {
        use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
        if config.shared_config_files.is_none() && config.shared_credentials_files.is_none() {
            return None;
        }
        let mut files = EnvConfigFiles::builder()
            .include_default_config_file(config.shared_config_files.is_none())
            .include_default_credentials_file(config.shared_credentials_files.is_none());
        for file in config.shared_config_files.iter().flatten() {
            files = files.with_file(EnvConfigFileKind::Config, self.expand(file));
        }
        for file in config.shared_credentials_files.iter().flatten() {
            files = files.with_file(EnvConfigFileKind::Credentials, self.expand(file));
        }
        Some(files.build())
    }

    /// `~/x` with the home directory.
    fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), self.environment.get("HOME")) {
            (Some(rest), Some(home)) => PathBuf::from(home).join(rest),
            _ => PathBuf::from(path),
        }
    }

    fn ca_bundle(&self, config: &Config) -> Option<PathBuf> {
        let file = config.custom_ca_bundle.as_ref().or_else(|| self.environment.get("AWS_CA_BUNDLE"));
        file.filter(|f| !f.is_empty()).map(|f| self.expand(f))
    }

    /// The proxy of the block, else of the environment. One proxy serves both schemes unless both are set.
    fn proxy(&self, config: &Config) -> Result<Option<ProxyConfig>> {
        let get =
            |names: [&str; 2]| names.iter().find_map(|n| self.environment.get(*n)).filter(|v| !v.is_empty()).cloned();
        let http = config.http_proxy.clone().or_else(|| get(["HTTP_PROXY", "http_proxy"]));
        let https = config.https_proxy.clone().or_else(|| get(["HTTPS_PROXY", "https_proxy"]));
        let wrong = |e: &dyn std::fmt::Display| ProviderError::invalid(format!("the proxy is no URL: {e}"));
        let proxy = match (http, https) {
            (None, None) => return Ok(None),
            (Some(http), None) => ProxyConfig::http(http).map_err(|e| wrong(&e))?,
            (None, Some(https)) => ProxyConfig::https(https).map_err(|e| wrong(&e))?,
            (Some(http), Some(https)) if http == https => ProxyConfig::all(http).map_err(|e| wrong(&e))?,
            (Some(_), Some(https)) => ProxyConfig::https(https).map_err(|e| wrong(&e))?,
        };
        let none = config.no_proxy.clone().or_else(|| get(["NO_PROXY", "no_proxy"])).unwrap_or_default();
        let hosts: Vec<&str> = none.split(',').map(str::trim).filter(|h| !h.is_empty()).collect();
        Ok(Some(if hosts.is_empty() { proxy } else { proxy.no_proxy(hosts.join(",")) }))
    }
}

/// The client with the roles of the block assumed, one after the other.
fn assume_roles(sdk: SdkConfig, region: String, settings: Settings, config: &Config) -> Result<AwsClient> {
    let mut client = AwsClient::new(sdk.clone(), region.clone(), settings.clone());
    let mut sdk = sdk;
    for block in config.assume_role_with_web_identity.iter().filter(|b| b.role_arn.is_some()) {
        let provider = assume_with_web_identity(client.sts().clone(), block)?;
        sdk = sdk.to_builder().credentials_provider(provider).build();
        client = AwsClient::new(sdk.clone(), region.clone(), settings.clone());
    }
    for block in config.assume_role.iter().filter(|b| b.role_arn.is_some()) {
        let provider = assume(client.sts().clone(), block)?;
        sdk = sdk.to_builder().credentials_provider(provider).build();
        client = AwsClient::new(sdk.clone(), region.clone(), settings.clone());
    }
    Ok(client)
}

/// Holds the account against `allowed_account_ids` and `forbidden_account_ids`; asks only if one is set.
async fn check_account(client: &AwsClient, config: &Config) -> Result<()> {
    let allowed = config.allowed_account_ids.as_ref().filter(|ids| !ids.is_empty());
    let forbidden = config.forbidden_account_ids.as_ref().filter(|ids| !ids.is_empty());
    if allowed.is_none() && forbidden.is_none() {
        return Ok(());
    }
    let account = client.account_id().await?;
    let refuse = |list: &str| {
        Err(ProviderError::new(ErrorKind::Denied, format!("AWS account {account} is not allowed by {list}"))
            .hint("check the profile and the credentials: they belong to another account")
            .attribute(Path::attr(list)))
    };
    if forbidden.is_some_and(|ids| ids.contains(account)) {
        return refuse("forbidden_account_ids");
    }
    if allowed.is_some_and(|ids| !ids.contains(account)) {
        return refuse("allowed_account_ids");
    }
    Ok(())
}

/// Everything but `default_tags` must be known before the first call.
fn require_known(value: &Value) -> Result<()> {
    for (name, setting) in value.as_mapping().into_iter().flatten() {
        if &**name != "default_tags" && !setting.is_wholly_known() {
            return Err(ProviderError::invalid(format!("`{name}` of the AWS provider is known only after apply"))
                .hint("give it a value that does not depend on a resource")
                .attribute(Path::attr(name.clone())));
        }
    }
    Ok(())
}

fn refuse_unsupported(config: &Config) -> Result<()> {
    let refuse = |name: &str, why: &str| {
        Err(ProviderError::invalid(format!("`{name}` of the AWS provider: {why}")).attribute(Path::attr(name)))
    };
    if config.insecure == Some(true) {
        return refuse("insecure", "certificates are always checked; name your own with `custom_ca_bundle`");
    }
    if config.s3_us_east_1_regional_endpoint.as_deref().is_some_and(|v| v != "regional") {
        return refuse("s3_us_east_1_regional_endpoint", "only \"regional\" is supported");
    }
    if config.retry_mode.as_deref().is_some_and(|v| !matches!(v, "standard" | "adaptive")) {
        return refuse("retry_mode", "\"standard\" or \"adaptive\" is expected");
    }
    match (&config.access_key, &config.secret_key) {
        (Some(_), None) => refuse("secret_key", "it is missing beside `access_key`"),
        (None, Some(_)) => refuse("access_key", "it is missing beside `secret_key`"),
        _ => Ok(()),
    }
}

/// Default and ignored tags: the block, and Terraform's environment variables for both.
fn tag_rules(config: &Value, environment: &HashMap<String, String>) -> TagRules {
    let first = |name: &str| config.get(name).and_then(|v| v.as_slice()?.first().cloned());
    let known = config.get("default_tags").is_none_or(Value::is_wholly_known);
    let mut defaults = Tags::new();
    for (name, value) in environment {
        if let Some(key) = name.strip_prefix("TF_AWS_DEFAULT_TAGS_") {
            defaults.insert(key.to_owned(), value.clone());
        }
    }
    if let Some(tags) = first("default_tags").as_ref().and_then(|b| b.get("tags")) {
        defaults.extend(Tags::from_value(tags));
    }
    let ignore = first("ignore_tags");
    let list = |name: &str, variable: &str| {
        let block: Vec<String> = ignore.as_ref().and_then(|b| b.get(name)).map(Vec::from_value).unwrap_or_default();
        let given = environment.get(variable).into_iter().flat_map(|v| v.split(','));
        let given = given.map(str::trim).filter(|v| !v.is_empty()).map(str::to_owned);
        block.into_iter().chain(given).collect()
    };
    TagRules {
        defaults: known.then_some(defaults),
        ignored_keys: list("keys", "TF_AWS_IGNORE_TAGS_KEYS"),
        ignored_prefixes: list("key_prefixes", "TF_AWS_IGNORE_TAGS_KEY_PREFIXES"),
    }
}

impl Provider for AwsProvider {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn source(&self) -> &'static str {
        "registry.terraform.io/hashicorp/aws"
    }

    fn config_schema(&self) -> &Schema {
        self.schema.get_or_init(|| Schema { version: 0, block: Config::block() })
    }

    fn resource(&self, name: &str) -> Option<&dyn AnyResource> {
        self.resources.get(name).map(|r| &**r)
    }

    fn data_source(&self, name: &str) -> Option<&dyn AnyDataSource> {
        self.data_sources.get(name).map(|d| &**d)
    }

    fn ephemeral_resource(&self, name: &str) -> Option<&dyn AnyDataSource> {
        self.ephemeral_resources.get(name).map(|e| &**e)
    }

    fn ephemeral_resource_names(&self) -> Vec<&'static str> {
        self.ephemeral_resources.keys().copied().collect()
    }

    fn resource_names(&self) -> Vec<&'static str> {
        self.resources.keys().copied().collect()
    }

    fn data_source_names(&self) -> Vec<&'static str> {
        self.data_sources.keys().copied().collect()
    }

    fn configure<'a>(&'a self, config: &'a Value) -> BoxFuture<'a, Result<Configured>> {
        Box::pin(async move { Ok(Arc::new(self.client(config).await?) as Configured) })
    }
}
