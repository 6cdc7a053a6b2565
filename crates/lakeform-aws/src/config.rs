//! The schema of `[provider.aws]`: the arguments of Terraform's provider 5.100, under the same names.

use std::collections::{BTreeMap, BTreeSet};

use lakeform_core::{Attribute, Block, Type, Value};
use lakeform_provider::{Field, Model};

/// The AWS provider.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Config {
    /// Access key.
    #[attr(optional)]
    pub(crate) access_key: Option<String>,
    /// The only accounts that may be touched.
    #[attr(optional)]
    pub(crate) allowed_account_ids: Option<BTreeSet<String>>,
    /// File with the certificates to trust instead of the system's.
    #[attr(optional)]
    pub(crate) custom_ca_bundle: Option<String>,
    /// Address of the EC2 metadata service.
    #[attr(optional)]
    pub(crate) ec2_metadata_service_endpoint: Option<String>,
    /// `IPv4` or `IPv6`
    #[attr(optional)]
    pub(crate) ec2_metadata_service_endpoint_mode: Option<String>,
    /// Accounts that must not be touched.
    #[attr(optional)]
    pub(crate) forbidden_account_ids: Option<BTreeSet<String>>,
    /// Proxy for plain HTTP.
    #[attr(optional)]
    pub(crate) http_proxy: Option<String>,
    /// Proxy for HTTPS.
    #[attr(optional)]
    pub(crate) https_proxy: Option<String>,
    /// Not supported: certificates are always checked; name your own with `custom_ca_bundle`.
    #[attr(optional)]
    pub(crate) insecure: Option<bool>,
    /// How often a call is made at most. Default: 25.
    #[attr(optional)]
    pub(crate) max_retries: Option<i64>,
    /// Hosts to reach without a proxy, separated by commas.
    #[attr(optional)]
    pub(crate) no_proxy: Option<String>,
    /// Profile in the shared configuration files.
    #[attr(optional)]
    pub(crate) profile: Option<String>,
    /// Region.
    #[attr(optional)]
    pub(crate) region: Option<String>,
    /// `standard` (default) or `adaptive`
    #[attr(optional)]
    pub(crate) retry_mode: Option<String>,
    /// Only `regional` is supported.
    #[attr(optional)]
    pub(crate) s3_us_east_1_regional_endpoint: Option<String>,
    /// `https://HOST/BUCKET/KEY` instead of `https://BUCKET.HOST/KEY`. Always so at endpoints that are not AWS's own.
    #[attr(optional)]
    pub(crate) s3_use_path_style: Option<bool>,
    /// Secret key.
    #[attr(optional)]
    pub(crate) secret_key: Option<String>,
    /// Configuration files. Default: `~/.aws/config`.
    #[attr(optional)]
    pub(crate) shared_config_files: Option<Vec<String>>,
    /// Credentials files. Default: `~/.aws/credentials`.
    #[attr(optional)]
    pub(crate) shared_credentials_files: Option<Vec<String>>,
    /// Accepted for Terraform's sake: credentials are first checked by the first call.
    #[attr(optional)]
    pub(crate) skip_credentials_validation: Option<bool>,
    /// Never ask the EC2 metadata service: `"true"`.
    #[attr(optional)]
    pub(crate) skip_metadata_api_check: Option<String>,
    /// Accept any region name.
    #[attr(optional)]
    pub(crate) skip_region_validation: Option<bool>,
    /// Do not ask for the account id.
    #[attr(optional)]
    pub(crate) skip_requesting_account_id: Option<bool>,
    /// Region for STS.
    #[attr(optional)]
    pub(crate) sts_region: Option<String>,
    /// Session token.
    #[attr(optional)]
    pub(crate) token: Option<String>,
    /// Capacity of the SDK's retry token bucket. Default: none.
    #[attr(optional)]
    pub(crate) token_bucket_rate_limiter_capacity: Option<i64>,
    /// Dual-stack endpoints.
    #[attr(optional)]
    pub(crate) use_dualstack_endpoint: Option<bool>,
    /// FIPS endpoints.
    #[attr(optional)]
    pub(crate) use_fips_endpoint: Option<bool>,
    /// Roles to assume, one after the other.
    #[block(list)]
    pub(crate) assume_role: Vec<AssumeRole>,
    /// Role to assume with a token of another identity provider.
    #[block(list)]
    pub(crate) assume_role_with_web_identity: Vec<AssumeRoleWithWebIdentity>,
    /// Tags for every resource that has `tags`.
    #[block(list)]
    pub(crate) default_tags: Vec<DefaultTags>,
    /// Endpoints by service.
    #[block(set)]
    pub(crate) endpoints: Vec<Endpoints>,
    /// Tags that others manage.
    #[block(list)]
    pub(crate) ignore_tags: Vec<IgnoreTags>,
}

/// A role to assume.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct AssumeRole {
    /// How long a session lasts, 15 minutes to 12 hours: `1h`
    #[attr(optional)]
    pub(crate) duration: Option<String>,
    /// External id.
    #[attr(optional)]
    pub(crate) external_id: Option<String>,
    /// Policy that narrows the session.
    #[attr(optional)]
    pub(crate) policy: Option<String>,
    /// Managed policies that narrow the session.
    #[attr(optional)]
    pub(crate) policy_arns: Option<BTreeSet<String>>,
    /// The role.
    #[attr(optional)]
    pub(crate) role_arn: Option<String>,
    /// Name of the session.
    #[attr(optional)]
    pub(crate) session_name: Option<String>,
    /// Source identity.
    #[attr(optional)]
    pub(crate) source_identity: Option<String>,
    /// Session tags.
    #[attr(optional)]
    pub(crate) tags: Option<BTreeMap<String, String>>,
    /// Keys of session tags to pass on.
    #[attr(optional)]
    pub(crate) transitive_tag_keys: Option<BTreeSet<String>>,
}

/// A role to assume with a token.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct AssumeRoleWithWebIdentity {
    /// How long a session lasts, 15 minutes to 12 hours: `1h`
    #[attr(optional)]
    pub(crate) duration: Option<String>,
    /// Policy that narrows the session.
    #[attr(optional)]
    pub(crate) policy: Option<String>,
    /// Managed policies that narrow the session.
    #[attr(optional)]
    pub(crate) policy_arns: Option<BTreeSet<String>>,
    /// The role.
    #[attr(optional)]
    pub(crate) role_arn: Option<String>,
    /// Name of the session.
    #[attr(optional)]
    pub(crate) session_name: Option<String>,
    /// The token.
    #[attr(optional)]
    pub(crate) web_identity_token: Option<String>,
    /// File with the token.
    #[attr(optional)]
    pub(crate) web_identity_token_file: Option<String>,
}

/// Tags for every resource.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct DefaultTags {
    /// The tags.
    #[attr(optional)]
    pub(crate) tags: Option<BTreeMap<String, String>>,
}

/// Tags that others manage.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct IgnoreTags {
    /// What their keys begin with.
    #[attr(optional)]
    pub(crate) key_prefixes: Option<BTreeSet<String>>,
    /// Their keys.
    #[attr(optional)]
    pub(crate) keys: Option<BTreeSet<String>>,
}

/// Endpoints by service name: an attribute for every service that Terraform's provider knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Endpoints(pub(crate) BTreeMap<String, String>);

impl Model for Endpoints {
    fn block() -> Block {
        let mut block = Block { description: "Endpoints by service.".into(), ..Block::default() };
        for name in SERVICES {
            let mut attribute = Attribute::new(Type::String);
            attribute.optional = true;
            attribute.description = format!("Endpoint of `{name}`.");
            block.attributes.insert((*name).into(), attribute);
        }
        block
    }
}

impl Field for Endpoints {
    fn ty() -> Type {
        Self::block().ty()
    }

    fn from_value(value: &Value) -> Self {
        let all = value.as_mapping().into_iter().flatten();
        Self(all.filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned()))).collect())
    }

    fn into_value(self) -> Value {
        let mut value = Self::block().empty();
        for (name, url) in self.0 {
            value.set_attr(name, url.into());
        }
        value
    }
}

/// The names of the `endpoints` block in Terraform's AWS provider 5.100.
#[rustfmt::skip]
const SERVICES: &[&str] = &[
    "accessanalyzer", "account", "acm", "acmpca", "amg", "amp", "amplify", "apigateway", "apigatewayv2",
    "appautoscaling", "appconfig", "appfabric", "appflow", "appintegrations", "appintegrationsservice",
    "applicationautoscaling", "applicationinsights", "applicationsignals", "appmesh", "appregistry", "apprunner",
    "appstream", "appsync", "athena", "auditmanager", "autoscaling", "autoscalingplans", "backup", "batch",
    "bcmdataexports", "beanstalk", "bedrock", "bedrockagent", "billing", "budgets", "ce", "chatbot", "chime",
    "chimesdkmediapipelines", "chimesdkvoice", "cleanrooms", "cloud9", "cloudcontrol", "cloudcontrolapi",
    "cloudformation", "cloudfront", "cloudfrontkeyvaluestore", "cloudhsm", "cloudhsmv2", "cloudsearch",
    "cloudtrail", "cloudwatch", "cloudwatchevents", "cloudwatchevidently", "cloudwatchlog", "cloudwatchlogs",
    "cloudwatchobservabilityaccessmanager", "cloudwatchrum", "codeartifact", "codebuild", "codecatalyst",
    "codecommit", "codeconnections", "codedeploy", "codeguruprofiler", "codegurureviewer", "codepipeline",
    "codestarconnections", "codestarnotifications", "cognitoidentity", "cognitoidentityprovider", "cognitoidp",
    "comprehend", "computeoptimizer", "config", "configservice", "connect", "connectcases", "controltower",
    "costandusagereportservice", "costexplorer", "costoptimizationhub", "cur", "customerprofiles",
    "databasemigration", "databasemigrationservice", "databrew", "dataexchange", "datapipeline", "datasync",
    "datazone", "dax", "deploy", "detective", "devicefarm", "devopsguru", "directconnect", "directoryservice",
    "dlm", "dms", "docdb", "docdbelastic", "drs", "ds", "dsql", "dynamodb", "ec2", "ecr", "ecrpublic", "ecs", "efs",
    "eks", "elasticache", "elasticbeanstalk", "elasticloadbalancing", "elasticloadbalancingv2", "elasticsearch",
    "elasticsearchservice", "elastictranscoder", "elb", "elbv2", "emr", "emrcontainers", "emrserverless", "es",
    "eventbridge", "events", "evidently", "evs", "finspace", "firehose", "fis", "fms", "fsx", "gamelift", "glacier",
    "globalaccelerator", "glue", "gluedatabrew", "grafana", "greengrass", "groundstation", "guardduty",
    "healthlake", "iam", "identitystore", "imagebuilder", "inspector", "inspector2", "inspectorv2",
    "internetmonitor", "invoicing", "iot", "iotanalytics", "iotevents", "ivs", "ivschat", "kafka", "kafkaconnect",
    "kendra", "keyspaces", "kinesis", "kinesisanalytics", "kinesisanalyticsv2", "kinesisvideo", "kms",
    "lakeformation", "lambda", "launchwizard", "lex", "lexmodelbuilding", "lexmodelbuildingservice", "lexmodels",
    "lexmodelsv2", "lexv2models", "licensemanager", "lightsail", "location", "locationservice", "logs",
    "lookoutmetrics", "m2", "macie2", "managedgrafana", "mediaconnect", "mediaconvert", "medialive", "mediapackage",
    "mediapackagev2", "mediapackagevod", "mediastore", "memorydb", "mgn", "mq", "msk", "mwaa", "neptune",
    "neptunegraph", "networkfirewall", "networkmanager", "networkmonitor", "notifications", "notificationscontacts",
    "oam", "opensearch", "opensearchingestion", "opensearchserverless", "opensearchservice", "opsworks",
    "organizations", "osis", "outposts", "paymentcryptography", "pcaconnectorad", "pcs", "pinpoint",
    "pinpointsmsvoicev2", "pipes", "polly", "pricing", "prometheus", "prometheusservice", "qbusiness", "qldb",
    "quicksight", "ram", "rbin", "rds", "recyclebin", "redshift", "redshiftdata", "redshiftdataapiservice",
    "redshiftserverless", "rekognition", "resiliencehub", "resourceexplorer2", "resourcegroups",
    "resourcegroupstagging", "resourcegroupstaggingapi", "rolesanywhere", "route53", "route53domains",
    "route53profiles", "route53recoverycontrolconfig", "route53recoveryreadiness", "route53resolver", "rum", "s3",
    "s3api", "s3control", "s3outposts", "s3tables", "sagemaker", "scheduler", "schemas", "sdb", "secretsmanager",
    "securityhub", "securitylake", "serverlessapplicationrepository", "serverlessapprepo", "serverlessrepo",
    "servicecatalog", "servicecatalogappregistry", "servicediscovery", "servicequotas", "ses", "sesv2", "sfn",
    "shield", "signer", "simpledb", "sns", "sqs", "ssm", "ssmcontacts", "ssmincidents", "ssmquicksetup", "ssmsap",
    "sso", "ssoadmin", "stepfunctions", "storagegateway", "sts", "swf", "synthetics", "taxsettings",
    "timestreaminfluxdb", "timestreamquery", "timestreamwrite", "transcribe", "transcribeservice", "transfer",
    "verifiedpermissions", "vpclattice", "waf", "wafregional", "wafv2", "wellarchitected", "worklink", "workspaces",
    "workspacesweb", "xray",];
