//! SDK clients of a backend.

use std::{
    fmt,
    sync::{Arc, Mutex},
};

use aws_config::{
    BehaviorVersion, Region, SdkConfig, profile::ProfileFileCredentialsProvider, provider_config::ProviderConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_types::{checksum_config::RequestChecksumCalculation, retry::RetryConfig};
use aws_types::service_config::ServiceConfigKey;
use lakeform_state::{Clock, OperationError, RunLog, StateLock, StateStore, journal::Journal};

use crate::{
    BothLocks, DynamoLock, LockFile, ObjectJournal, S3Backend, S3Runs, S3Store, TableJournal,
    credentials::{Role, RoleCredentials},
    error::{Call, failed},
    hold::Holds,
    http,
    time::ServiceClock,
};

/// The clients of one backend, and what a run holds of its lock. Nothing is called yet when it is made, but STS where a role
/// or an account is asked for. Clones are the same.
#[derive(Clone)]
pub struct Connection {
    pub(crate) backend: Arc<S3Backend>,
    pub(crate) s3: aws_sdk_s3::Client,
    pub(crate) dynamodb: aws_sdk_dynamodb::Client,
    pub(crate) region: String,
    pub(crate) sdk: SdkConfig,
    pub(crate) s3_time: ServiceClock,
    pub(crate) dynamodb_time: ServiceClock,
    /// The machine's clock.
    pub(crate) clock: Option<Clock>,
    pub(crate) holds: Arc<Mutex<Holds>>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("backend", &self.backend)
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Makes the clients. The SDK's own chain supplies what the backend does not say: region, credentials, profile,
    /// endpoints (`AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_S3`, ...).
    ///
    /// # Errors
    /// Without a region, with a certificate bundle or proxy that cannot be used, or for an account that is not allowed.
    pub async fn open(backend: S3Backend) -> Result<Self, OperationError> {
        let base = base(&backend).await?;
        let Some(region) = base.region().map(ToString::to_string) else {
            return Err(OperationError {
                operation: format!("open {}", backend.describe()),
                cause: "no region is set".to_owned(),
                help: Some("set `region` of the s3 backend, or AWS_REGION".to_owned()),
                transient: false,
            });
        };
        let sdk = take_role(&backend, base)?;
        check_account(&backend, &sdk).await?;

        let (s3_time, dynamodb_time) = (ServiceClock::default(), ServiceClock::default());
        let endpoint = backend.endpoints.s3.clone().or_else(|| own_endpoint(&sdk, "S3"));
        let path_style = backend.use_path_style.unwrap_or(endpoint.is_some());
        let mut s3 = aws_sdk_s3::config::Builder::from(&sdk)
            .http_client(http::client(&backend, endpoint.as_deref())?)
            .interceptor(s3_time.observer())
            .force_path_style(path_style);
        s3.set_endpoint_url(endpoint);
        if backend.skip_s3_checksum {
            s3 = s3.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
        }

        let endpoint = backend.endpoints.dynamodb.clone().or_else(|| own_endpoint(&sdk, "DynamoDB"));
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(&sdk)
            .http_client(http::client(&backend, endpoint.as_deref())?)
            .interceptor(dynamodb_time.observer());
        dynamodb.set_endpoint_url(endpoint);

        Ok(Self {
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            backend: Arc::new(backend),
            region,
            sdk,
            s3_time,
            dynamodb_time,
            clock: None,
            holds: Arc::default(),
        })
    }

    /// The same with the machine's clock: to notice that it slept, and for services that do not tell the time.
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// The backend's arguments.
    pub fn backend(&self) -> &S3Backend {
        &self.backend
    }

    /// The region that calls go to.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The store of the state.
    pub fn store(&self) -> Arc<dyn StateStore> {
        Arc::new(S3Store::new(self.clone()))
    }

    /// The journal of the state: in the table, or beside the state where the backend has none.
    pub fn journal(&self) -> Arc<dyn Journal> {
        match self.backend.dynamodb_table.clone() {
            Some(table) => Arc::new(TableJournal::new(self.clone(), table)),
            None => Arc::new(ObjectJournal::new(self.clone())),
        }
    }

    /// The records of the runs.
    pub fn runs(&self) -> Arc<dyn RunLog> {
        Arc::new(S3Runs::new(self.clone()))
    }

    /// The lock of the state: the table's item, the lockfile or both; `None` where the backend has neither.
    pub fn lock(&self) -> Option<Arc<dyn StateLock>> {
        let table = self.backend.dynamodb_table.clone().map(|table| DynamoLock::new(self.clone(), table));
        let file = self.backend.use_lockfile.then(|| LockFile::new(self.clone()));
        match (table, file) {
            // In Terraform's order: so who waits for the lockfile never has the item that its holder is about to write.
            (Some(table), Some(file)) => Some(Arc::new(BothLocks::new(Arc::new(file), Arc::new(table)))),
            (Some(table), None) => Some(Arc::new(table)),
            (None, Some(file)) => Some(Arc::new(file)),
            (None, None) => None,
        }
    }
}

/// The SDK's configuration with what the backend says, without any role.
pub(crate) async fn base(backend: &S3Backend) -> Result<SdkConfig, OperationError> {
    let mut loader = aws_config::defaults(BehaviorVersion::latest());
    // For the sources of credentials that are asked over HTTP(S): STS, SSO, the container's and the machine's metadata.
    let client = http::client(backend, backend.endpoints.sts.as_deref())?;
    loader = loader.http_client(client.clone());
    let attempts = backend.max_retries.unwrap_or(5).max(1);
    let retries = if backend.adaptive_retries { RetryConfig::adaptive() } else { RetryConfig::standard() };
    loader = loader.retry_config(retries.with_max_attempts(attempts));
    if let Some(region) = &backend.region {
        loader = loader.region(Region::new(region.clone()));
    }
    if backend.use_dualstack_endpoint {
        loader = loader.use_dual_stack(true);
    }
    if backend.use_fips_endpoint {
        loader = loader.use_fips(true);
    }
    let files = profile_files(backend);
    if let Some(files) = &files {
        loader = loader.profile_files(files.clone());
    }
    if let Some(profile) = &backend.profile {
        loader = loader.profile_name(profile);
    }
    if let (Some(id), Some(secret)) = (&backend.access_key, &backend.secret_key) {
        let token = backend.token.as_ref().map(|token| token.0.clone());
        loader = loader.credentials_provider(Credentials::new(id, &secret.0, token, None, "backend"));
    } else if let Some(profile) = &backend.profile {
        // A profile that is named outweighs the environment, as in Terraform.
        let region = backend.region.clone().map(Region::new);
        let provider = ProviderConfig::without_region().with_http_client(client).with_region(region);
        let mut credentials = ProfileFileCredentialsProvider::builder().configure(&provider).profile_name(profile);
        if let Some(files) = files {
            credentials = credentials.profile_files(files);
        }
        loader = loader.credentials_provider(credentials.build());
    }
    Ok(loader.load().await)
}

fn profile_files(backend: &S3Backend) -> Option<aws_runtime::env_config::file::EnvConfigFiles> {
    use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
    if backend.shared_config_files.is_empty() && backend.shared_credentials_files.is_empty() {
        return None;
    }
    let mut files = EnvConfigFiles::builder();
    files = match &backend.shared_config_files[..] {
        [] => files.include_default_config_file(true),
        paths => paths.iter().fold(files, |files, path| files.with_file(EnvConfigFileKind::Config, path)),
    };
    files = match &backend.shared_credentials_files[..] {
        [] => files.include_default_credentials_file(true),
        paths => paths.iter().fold(files, |files, path| files.with_file(EnvConfigFileKind::Credentials, path)),
    };
    Some(files.build())
}

/// Replaces the credentials by those of the roles that the backend names: first by token, then assumed from there.
pub(crate) fn take_role(backend: &S3Backend, mut sdk: SdkConfig) -> Result<SdkConfig, OperationError> {
    let by_token = backend.assume_role_with_web_identity.clone().map(Role::ByToken);
    let assumed = backend.assume_role.clone().map(Role::Assumed);
    for role in by_token.into_iter().chain(assumed) {
        let credentials = RoleCredentials { sts: sts(backend, &sdk)?, role };
        sdk = sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(credentials)).build();
    }
    Ok(sdk)
}

fn sts(backend: &S3Backend, sdk: &SdkConfig) -> Result<aws_sdk_sts::Client, OperationError> {
    let endpoint = backend.endpoints.sts.clone().or_else(|| own_endpoint(sdk, "STS"));
    let mut config = aws_sdk_sts::config::Builder::from(sdk).http_client(http::client(backend, endpoint.as_deref())?);
    config.set_endpoint_url(endpoint);
    if let Some(region) = &backend.sts_region {
        config = config.region(Region::new(region.clone()));
    }
    Ok(aws_sdk_sts::Client::from_conf(config.build()))
}

/// `allowed_account_ids` and `forbidden_account_ids`.
async fn check_account(backend: &S3Backend, sdk: &SdkConfig) -> Result<(), OperationError> {
    if backend.allowed_account_ids.is_empty() && backend.forbidden_account_ids.is_empty() {
        return Ok(());
    }
    let call = Call { name: "GetCallerIdentity", service: "sts", object: "for the s3 backend" };
    let caller = sts(backend, sdk)?.get_caller_identity().send().await.map_err(|e| failed(&call, &e))?;
    let account = caller.account().unwrap_or_default();
    let has = |list: &[String]| list.iter().any(|id| id == account);
    let allowed = backend.allowed_account_ids.is_empty() || has(&backend.allowed_account_ids);
    if allowed && !has(&backend.forbidden_account_ids) {
        return Ok(());
    }
    let list = if allowed { "forbidden_account_ids" } else { "allowed_account_ids" };
    Err(OperationError {
        operation: format!("open {}", backend.describe()),
        cause: format!("the credentials belong to account {account}, which `{list}` rules out"),
        help: Some("use the credentials of the right account".to_owned()),
        transient: false,
    })
}

/// The endpoint of a service in the SDK's own configuration: environment or profile.
pub(crate) fn own_endpoint(sdk: &SdkConfig, service: &str) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id(service).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let own = key.ok().and_then(|key| sdk.service_config()?.load_config(key));
    own.or_else(|| sdk.endpoint_url().map(str::to_owned))
}
