//! What the types work with: SDK clients, region, account and tag rules.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_runtime::client::retries::RetryPartition;
use aws_types::service_config::ServiceConfigKey;
use lakeform_provider::{Change, Client, ErrorKind, ProviderError, Result};
use tokio::sync::OnceCell;

use crate::{
    error::{During, credentials},
    http::Http,
    partition::{Partition, partition_of},
    propagation::Recent,
    retry::Once,
    tags::TagRules,
};

/// The configured provider: made by [`AwsProvider`](crate::AwsProvider), handed to its types.
///
/// Nothing in it is made or asked before it is needed: SDK clients, certificates, credentials, the account.
#[derive(Debug)]
pub struct AwsClient {
    sdk: SdkConfig,
    region: String,
    settings: Settings,
    account: OnceCell<String>,
    sts: PerRegion<aws_sdk_sts::Client>,
    #[cfg(feature = "s3")]
    s3: PerRegion<aws_sdk_s3::Client>,
    #[cfg(feature = "kms")]
    kms: PerRegion<aws_sdk_kms::Client>,
    #[cfg(feature = "dynamodb")]
    dynamodb: PerRegion<aws_sdk_dynamodb::Client>,
    home: Home,
}

/// What the provider's block says beyond the SDK's own configuration.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Connections.
    pub(crate) http: Http,
    /// Endpoints by service name, as in the `endpoints` block.
    pub(crate) endpoints: Arc<BTreeMap<String, String>>,
    /// `s3_use_path_style`
    pub(crate) path_style: bool,
    /// The region for STS, where it is another one.
    pub(crate) sts_region: Option<String>,
    /// `skip_requesting_account_id`
    pub(crate) skip_account: bool,
    /// How the SDK counts its retries.
    pub(crate) retries: RetryPartition,
    /// Default and ignored tags.
    pub(crate) tags: TagRules,
    /// What this run wrote just now, whichever client wrote it.
    pub(crate) recent: Recent,
    /// What relative paths of files start from.
    pub(crate) directory: PathBuf,
    /// What `~` stands for in paths of files.
    pub(crate) home: Option<PathBuf>,
}

/// A service as the SDK's configuration and the `endpoints` block name it.
struct Service {
    id: &'static str,
    /// Its names in the `endpoints` block.
    endpoints: &'static [&'static str],
}

const STS: Service = Service { id: "STS", endpoints: &["sts"] };
#[cfg(feature = "s3")]
const S3: Service = Service { id: "S3", endpoints: &["s3"] };
#[cfg(feature = "kms")]
const KMS: Service = Service { id: "KMS", endpoints: &["kms"] };
#[cfg(feature = "dynamodb")]
const DYNAMODB: Service = Service { id: "DynamoDB", endpoints: &["dynamodb"] };

/// One client for the provider's region, and one for each other region that something asks for.
#[derive(Debug)]
struct PerRegion<C> {
    home: OnceLock<C>,
    others: RwLock<BTreeMap<String, C>>,
}

impl<C> Default for PerRegion<C> {
    fn default() -> Self {
        Self { home: OnceLock::new(), others: RwLock::default() }
    }
}

impl<C: Clone> PerRegion<C> {
    fn other(&self, region: &str, make: impl FnOnce() -> C) -> C {
        if let Some(client) = self.others.read().unwrap_or_else(PoisonError::into_inner).get(region) {
            return client.clone();
        }
        let mut others = self.others.write().unwrap_or_else(PoisonError::into_inner);
        others.entry(region.to_owned()).or_insert_with(make).clone()
    }
}

/// The SDK's builder of one service, with the provider's region, endpoint, connections and retries.
macro_rules! build {
    ($self:ident, $sdk:ident, $service:expr, $region:expr) => {{
        let endpoint = $self.endpoint(&$service);
        $sdk::config::Builder::from(&$self.sdk)
            .region(Region::new($region))
            .http_client($self.settings.http.for_endpoint(endpoint.as_deref()))
            .retry_partition($self.settings.retries.clone())
            .interceptor($self.settings.recent.observer())
            .interceptor(Once)
            .interceptor(crate::permitted::Permitted)
            .set_endpoint_url(endpoint)
            .to_owned()
    }};
}

/// The services that are only called in the provider's region: one client each, made when it is first asked for.
macro_rules! home {
    ($($(#[doc = $doc:literal])+ $feature:literal $name:ident: $sdk:ident, $id:literal, $endpoints:expr;)*) => {
        #[derive(Debug, Default)]
        struct Home {
            $(#[cfg(feature = $feature)] $name: OnceLock<$sdk::Client>,)*
        }

        impl AwsClient {
            $(
                $(#[doc = $doc])+
                #[cfg(feature = $feature)]
                pub(crate) fn $name(&self) -> &$sdk::Client {
                    const SERVICE: Service = Service { id: $id, endpoints: &$endpoints };
                    self.home
                        .$name
                        .get_or_init(|| $sdk::Client::from_conf(build!(self, $sdk, SERVICE, self.region.clone()).build()))
                }
            )*
        }
    };
}

home! {
    /// Athena
    "athena" athena: aws_sdk_athena, "Athena", ["athena"];
    /// Budgets. It has one endpoint in each partition, which the SDK finds by the provider's region.
    "budgets" budgets: aws_sdk_budgets, "Budgets", ["budgets"];
    /// CloudTrail
    "cloudtrail" cloudtrail: aws_sdk_cloudtrail, "CloudTrail", ["cloudtrail"];
    /// CloudWatch
    "cloudwatch" cloudwatch: aws_sdk_cloudwatch, "CloudWatch", ["cloudwatch"];
    /// CloudWatch Logs
    "cloudwatchlogs" cloudwatchlogs: aws_sdk_cloudwatchlogs, "CloudWatch Logs", ["cloudwatchlogs", "cloudwatchlog", "logs"];
    /// ECR
    "ecr" ecr: aws_sdk_ecr, "ECR", ["ecr"];
    /// EventBridge
    "eventbridge" eventbridge: aws_sdk_eventbridge, "EventBridge", ["eventbridge", "cloudwatchevents", "events"];
    /// Data Firehose
    "firehose" firehose: aws_sdk_firehose, "Firehose", ["firehose"];
    /// Glue
    "glue" glue: aws_sdk_glue, "Glue", ["glue"];
    /// IAM. It has one endpoint in each partition, which the SDK finds by the provider's region.
    "iam" iam: aws_sdk_iam, "IAM", ["iam"];
    /// Lambda
    "lambda" lambda: aws_sdk_lambda, "Lambda", ["lambda"];
    /// Secrets Manager
    "secretsmanager" secretsmanager: aws_sdk_secretsmanager, "Secrets Manager", ["secretsmanager"];
    /// Step Functions
    "sfn" sfn: aws_sdk_sfn, "SFN", ["sfn", "stepfunctions"];
    /// SNS
    "sns" sns: aws_sdk_sns, "SNS", ["sns"];
    /// SQS
    "sqs" sqs: aws_sdk_sqs, "SQS", ["sqs"];
    /// SSM (Systems Manager)
    "ssm" ssm: aws_sdk_ssm, "SSM", ["ssm"];
    /// X-Ray
    "xray" xray: aws_sdk_xray, "XRay", ["xray"];
}

impl AwsClient {
    pub(crate) fn new(sdk: SdkConfig, region: String, settings: Settings) -> Self {
        Self {
            sdk,
            region,
            settings,
            account: OnceCell::new(),
            sts: PerRegion::default(),
            #[cfg(feature = "s3")]
            s3: PerRegion::default(),
            #[cfg(feature = "kms")]
            kms: PerRegion::default(),
            #[cfg(feature = "dynamodb")]
            dynamodb: PerRegion::default(),
            home: Home::default(),
        }
    }

    /// The provider's region: `eu-central-1`
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The file or folder that an argument of a resource names.
    #[cfg(any(feature = "lambda", feature = "s3"))]
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        match (name.strip_prefix("~/"), &self.settings.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.settings.directory.join(name),
        }
    }

    /// The partition of the provider's region.
    pub(crate) fn partition(&self) -> &'static Partition {
        partition_of(&self.region)
    }

    /// Default and ignored tags.
    pub fn tags(&self) -> &TagRules {
        &self.settings.tags
    }

    /// What this run wrote just now.
    pub(crate) fn recent(&self) -> &Recent {
        &self.settings.recent
    }

    /// The account that the credentials belong to, asked once per run; empty under `skip_requesting_account_id`, as with
    /// Terraform.
    ///
    /// # Errors
    /// Without working credentials.
    pub async fn account_id(&self) -> Result<&str> {
        let ask = || async {
            if self.settings.skip_account {
                return Ok(String::new());
            }
            // Some sources of credentials know the account, which saves a call.
            if let Some(provider) = self.sdk.credentials_provider() {
                let found = provider.provide_credentials().await.map_err(|e| credentials(&e))?;
                if let Some(id) = found.account_id() {
                    return Ok(id.as_str().to_owned());
                }
            }
            let identity = self.sts().get_caller_identity().send().await.during("sts:GetCallerIdentity")?;
            identity.account().map(str::to_owned).ok_or_else(|| {
                ProviderError::new(ErrorKind::Other, "the answer names no account").operation("sts:GetCallerIdentity")
            })
        };
        Ok(self.account.get_or_try_init(ask).await?.as_str())
    }

    /// The ARN of something that the account has in a region (empty for services that have none):
    /// `arn("sns", "eu-west-2", "topic")`
    ///
    /// # Errors
    /// When nobody says which account it is.
    pub(crate) async fn arn(&self, service: &str, region: &str, resource: &str) -> Result<String> {
        match self.account_id().await? {
            "" => Err(ProviderError::invalid(format!(
                "whether the {service} object {resource:?} exists cannot be told without the account's id"
            ))
            .hint("take `skip_requesting_account_id` out of the provider's block")),
            account => Ok(format!("arn:{}:{service}:{region}:{account}:{resource}", self.partition().id)),
        }
    }

    /// The endpoint of a service where it is not AWS's own: the `endpoints` block, then what the SDK reads
    /// (`AWS_ENDPOINT_URL_S3`, the profile, `AWS_ENDPOINT_URL`).
    fn endpoint(&self, service: &Service) -> Option<String> {
        if let Some(url) = service.endpoints.iter().find_map(|name| self.settings.endpoints.get(*name)) {
            return Some(url.clone());
        }
        let key =
            ServiceConfigKey::builder().service_id(service.id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
        let own = key.ok().and_then(|key| self.sdk.service_config()?.load_config(key));
        own.or_else(|| self.sdk.endpoint_url().map(str::to_owned))
    }

    /// STS
    pub(crate) fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.home.get_or_init(|| {
            let region = self.settings.sts_region.clone().unwrap_or_else(|| self.region.clone());
            aws_sdk_sts::Client::from_conf(build!(self, aws_sdk_sts, STS, region).build())
        })
    }

    /// S3 in the provider's region.
    #[cfg(feature = "s3")]
    pub(crate) fn s3(&self) -> &aws_sdk_s3::Client {
        self.s3.home.get_or_init(|| self.make_s3(&self.region))
    }

    /// S3 in another region.
    #[cfg(feature = "s3")]
    pub(crate) fn s3_in(&self, region: &str) -> aws_sdk_s3::Client {
        if region == self.region {
            return self.s3().clone();
        }
        self.s3.other(region, || self.make_s3(region))
    }

    #[cfg(feature = "s3")]
    fn make_s3(&self, region: &str) -> aws_sdk_s3::Client {
        let endpoint = self.endpoint(&S3);
        let custom = endpoint.is_some();
        let mut conf =
            build!(self, aws_sdk_s3, S3, region.to_owned()).force_path_style(custom || self.settings.path_style);
        if custom {
            conf = conf.http_client(crate::s3::any_root(self.settings.http.for_endpoint(endpoint.as_deref())));
        }
        aws_sdk_s3::Client::from_conf(conf.build())
    }

    /// KMS in the provider's region.
    #[cfg(feature = "kms")]
    pub(crate) fn kms(&self) -> &aws_sdk_kms::Client {
        self.kms.home.get_or_init(|| self.make_kms(&self.region))
    }

    #[cfg(feature = "kms")]
    fn make_kms(&self, region: &str) -> aws_sdk_kms::Client {
        aws_sdk_kms::Client::from_conf(build!(self, aws_sdk_kms, KMS, region.to_owned()).build())
    }

    /// DynamoDB in the provider's region.
    #[cfg(feature = "dynamodb")]
    pub(crate) fn dynamodb(&self) -> &aws_sdk_dynamodb::Client {
        self.dynamodb.home.get_or_init(|| self.make_dynamodb(&self.region))
    }

    /// DynamoDB in another region.
    #[cfg(feature = "dynamodb")]
    pub(crate) fn dynamodb_in(&self, region: &str) -> aws_sdk_dynamodb::Client {
        if region == self.region {
            return self.dynamodb().clone();
        }
        self.dynamodb.other(region, || self.make_dynamodb(region))
    }

    #[cfg(feature = "dynamodb")]
    fn make_dynamodb(&self, region: &str) -> aws_sdk_dynamodb::Client {
        aws_sdk_dynamodb::Client::from_conf(build!(self, aws_sdk_dynamodb, DYNAMODB, region.to_owned()).build())
    }
}

impl Client for AwsClient {
    fn plan(&self, change: &mut Change<'_>) -> Result<()> {
        self.settings.tags.plan(change);
        Ok(())
    }
}
