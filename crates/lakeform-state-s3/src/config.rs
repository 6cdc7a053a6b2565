//! The `[backend.s3]` table: every argument of Terraform's `s3` backend, by its name.

use std::{collections::BTreeMap, fmt, time::Duration};

use base64::Engine;
use lakeform_core::{Diagnostic, Diagnostics, Type, Value, convert};

/// Text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

/// Where a state is kept in S3, how it is locked, and with what credentials. Fields have the names and meaning of the
/// arguments of Terraform's `s3` backend.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct S3Backend {
    /// The bucket.
    pub bucket: String,
    /// The object, with `/` between its parts, none at either end.
    pub key: String,
    /// The region of bucket and table; by default the SDK's own.
    pub region: Option<String>,
    /// The table for lock and digest items; none: no such lock.
    pub dynamodb_table: Option<String>,
    /// Whether to lock with an object `<key>.tflock`; may go together with the table.
    pub use_lockfile: bool,
    /// How long a lock is held without being renewed; [`S3Backend::LEASE`] by default. lakeform's own argument.
    pub lease: Option<Duration>,
    /// Whether to ask for encryption on each write.
    pub encrypt: bool,
    /// The KMS key to encrypt with: id, alias or ARN. Only with `encrypt`.
    pub kms_key_id: Option<String>,
    /// The customer's own AES-256 key, base64. Only with `encrypt`.
    pub sse_customer_key: Option<Secret>,
    /// The canned ACL of the object.
    pub acl: Option<String>,
    /// Endpoints that differ from AWS's.
    pub endpoints: Endpoints,
    /// Whether to address buckets in the path; by default only where `endpoints.s3` (or the SDK's own) is set.
    pub use_path_style: Option<bool>,
    /// Put before the key of every workspace but `default`.
    pub workspace_key_prefix: String,
    /// Static credentials: the key's id.
    pub access_key: Option<String>,
    /// Static credentials: the secret.
    pub secret_key: Option<Secret>,
    /// Static credentials: the session token.
    pub token: Option<Secret>,
    /// The profile to take from the shared files.
    pub profile: Option<String>,
    /// Config files to read instead of `~/.aws/config`.
    pub shared_config_files: Vec<String>,
    /// Credentials files to read instead of `~/.aws/credentials`.
    pub shared_credentials_files: Vec<String>,
    /// A role to take on.
    pub assume_role: Option<AssumeRole>,
    /// A role to take on with a token from an identity provider.
    pub assume_role_with_web_identity: Option<WebIdentity>,
    /// How often a call is tried at most; Terraform's default is 5.
    pub max_retries: Option<u32>,
    /// Whether to retry in the SDK's `adaptive` mode instead of `standard`.
    pub adaptive_retries: bool,
    /// A file of PEM certificates to trust instead of the system's.
    pub custom_ca_bundle: Option<String>,
    /// The proxy for plain HTTP.
    pub http_proxy: Option<String>,
    /// The proxy for HTTPS.
    pub https_proxy: Option<String>,
    /// Hosts that are not reached through a proxy.
    pub no_proxy: Option<String>,
    /// Whether to use endpoints with IPv6.
    pub use_dualstack_endpoint: bool,
    /// Whether to use FIPS endpoints.
    pub use_fips_endpoint: bool,
    /// Whether to leave the checksum out of writes.
    pub skip_s3_checksum: bool,
    /// The region of STS, if it is another one.
    pub sts_region: Option<String>,
    /// If not empty: the only accounts that the credentials may belong to.
    pub allowed_account_ids: Vec<String>,
    /// Accounts that the credentials must not belong to.
    pub forbidden_account_ids: Vec<String>,
}

/// Endpoints that differ from AWS's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// S3
    pub s3: Option<String>,
    /// DynamoDB
    pub dynamodb: Option<String>,
    /// STS
    pub sts: Option<String>,
}

/// A role to take on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssumeRole {
    /// The role.
    pub role_arn: String,
    /// How long the session lasts; STS's default is an hour.
    pub duration: Option<Duration>,
    /// What the role's trust policy may ask for.
    pub external_id: Option<String>,
    /// A policy that narrows the session, as JSON.
    pub policy: Option<String>,
    /// Managed policies that narrow the session.
    pub policy_arns: Vec<String>,
    /// The session's name; one is made up by default.
    pub session_name: Option<String>,
    /// Who is behind the session.
    pub source_identity: Option<String>,
    /// The session's tags.
    pub tags: BTreeMap<String, String>,
    /// Which of the tags go on to further roles.
    pub transitive_tag_keys: Vec<String>,
}

/// A role to take on with a token from an identity provider.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WebIdentity {
    /// The role.
    pub role_arn: String,
    /// The session's name; one is made up by default.
    pub session_name: Option<String>,
    /// The token itself.
    pub web_identity_token: Option<Secret>,
    /// A file with the token.
    pub web_identity_token_file: Option<String>,
    /// How long the session lasts.
    pub duration: Option<Duration>,
    /// A policy that narrows the session, as JSON.
    pub policy: Option<String>,
    /// Managed policies that narrow the session.
    pub policy_arns: Vec<String>,
}

#[derive(Clone, Copy)]
enum Arg {
    Text,
    Flag,
    Number,
    Texts,
    TextMap,
    Object,
    /// Nothing here depends on it: lakeform does not make the check that it turns off, or has no use for the value.
    Idle,
    /// Known, and refused because it cannot be honoured: the text says what to use instead.
    Refused(&'static str),
}

const ARGS: &[(&str, Arg)] = &[
    ("access_key", Arg::Text),
    ("acl", Arg::Text),
    ("allowed_account_ids", Arg::Texts),
    ("assume_role", Arg::Object),
    ("assume_role_with_web_identity", Arg::Object),
    ("bucket", Arg::Text),
    ("custom_ca_bundle", Arg::Text),
    ("dynamodb_endpoint", Arg::Text),
    ("dynamodb_table", Arg::Text),
    ("ec2_metadata_service_endpoint", Arg::Refused("set AWS_EC2_METADATA_SERVICE_ENDPOINT in the environment")),
    (
        "ec2_metadata_service_endpoint_mode",
        Arg::Refused("set AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE in the environment"),
    ),
    ("encrypt", Arg::Flag),
    ("endpoint", Arg::Text),
    ("endpoints", Arg::Object),
    ("forbidden_account_ids", Arg::Texts),
    ("force_path_style", Arg::Flag),
    ("http_proxy", Arg::Text),
    ("https_proxy", Arg::Text),
    ("iam_endpoint", Arg::Idle),
    ("insecure", Arg::Refused("name the server's certificate with `custom_ca_bundle`")),
    ("key", Arg::Text),
    ("kms_key_id", Arg::Text),
    ("lease", Arg::Text),
    ("max_retries", Arg::Number),
    ("no_proxy", Arg::Text),
    ("profile", Arg::Text),
    ("region", Arg::Text),
    ("retry_mode", Arg::Text),
    ("secret_key", Arg::Text),
    ("shared_config_files", Arg::Texts),
    ("shared_credentials_file", Arg::Text),
    ("shared_credentials_files", Arg::Texts),
    ("skip_credentials_validation", Arg::Idle),
    ("skip_metadata_api_check", Arg::Idle),
    ("skip_region_validation", Arg::Idle),
    ("skip_requesting_account_id", Arg::Idle),
    ("skip_s3_checksum", Arg::Flag),
    ("sse_customer_key", Arg::Text),
    ("sts_endpoint", Arg::Text),
    ("sts_region", Arg::Text),
    ("token", Arg::Text),
    ("use_dualstack_endpoint", Arg::Flag),
    ("use_fips_endpoint", Arg::Flag),
    ("use_lockfile", Arg::Flag),
    ("use_path_style", Arg::Flag),
    ("workspace_key_prefix", Arg::Text),
];

const ENDPOINTS: &[(&str, Arg)] = &[
    ("dynamodb", Arg::Text),
    ("iam", Arg::Idle),
    ("s3", Arg::Text),
    ("sso", Arg::Refused("set AWS_ENDPOINT_URL_SSO in the environment")),
    ("sts", Arg::Text),
];

const ASSUME_ROLE: &[(&str, Arg)] = &[
    ("duration", Arg::Text),
    ("external_id", Arg::Text),
    ("policy", Arg::Text),
    ("policy_arns", Arg::Texts),
    ("role_arn", Arg::Text),
    ("session_name", Arg::Text),
    ("source_identity", Arg::Text),
    ("tags", Arg::TextMap),
    ("transitive_tag_keys", Arg::Texts),
];

const WEB_IDENTITY: &[(&str, Arg)] = &[
    ("duration", Arg::Text),
    ("policy", Arg::Text),
    ("policy_arns", Arg::Texts),
    ("role_arn", Arg::Text),
    ("session_name", Arg::Text),
    ("web_identity_token", Arg::Text),
    ("web_identity_token_file", Arg::Text),
];

/// The arguments of one table, each of its proper type.
struct Args<'a> {
    /// What stands before the names in messages: ``, `assume_role.`
    within: &'static str,
    values: BTreeMap<&'static str, Value>,
    problems: &'a mut Diagnostics,
}

impl<'a> Args<'a> {
    fn read(
        within: &'static str,
        given: &Value,
        known: &'static [(&'static str, Arg)],
        problems: &'a mut Diagnostics,
    ) -> Self {
        let mut values = BTreeMap::new();
        for (name, value) in given.as_mapping().into_iter().flatten().filter(|(_, v)| !v.is_null()) {
            let full = format!("{within}{name}");
            let Some((name, arg)) = known.iter().find(|(known, _)| *known == &**name) else {
                let mut problem = Diagnostic::error(format!("Unknown argument `{full}` of the s3 backend"));
                if let Some(near) = nearest(name, known) {
                    problem = problem.help(format!("did you mean `{within}{near}`?"));
                }
                problems.push(problem);
                continue;
            };
            if !value.is_wholly_known() {
                problems.push(Diagnostic::error(format!("`{full}` of the s3 backend is not known before the plan")));
                continue;
            }
            let ty = match arg {
                Arg::Text => Type::String,
                Arg::Flag => Type::Bool,
                Arg::Number => Type::Number,
                Arg::Texts => Type::list(Type::String),
                Arg::TextMap => Type::map(Type::String),
                Arg::Object => {
                    if value.as_mapping().is_none() {
                        problems.push(Diagnostic::error(format!("`{full}` of the s3 backend must be a table")));
                    }
                    Type::Dynamic
                }
                Arg::Idle => continue,
                Arg::Refused(instead) => {
                    problems.push(
                        Diagnostic::error(format!("`{full}` of the s3 backend is not supported by lakeform"))
                            .help(*instead),
                    );
                    continue;
                }
            };
            match convert(value, &ty) {
                Ok(value) => drop(values.insert(*name, value)),
                Err(e) => problems.push(Diagnostic::error(format!("`{full}` of the s3 backend: {e}"))),
            }
        }
        Self { within, values, problems }
    }

    fn text(&self, name: &str) -> Option<String> {
        self.values.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
    }

    fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(Secret)
    }

    fn flag(&self, name: &str) -> bool {
        self.values.get(name).and_then(Value::as_bool).unwrap_or_default()
    }

    fn texts(&self, name: &str) -> Vec<String> {
        let all = self.values.get(name).and_then(Value::as_slice).unwrap_or_default();
        all.iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn text_map(&self, name: &str) -> BTreeMap<String, String> {
        let all = self.values.get(name).and_then(Value::as_mapping);
        all.into_iter().flatten().filter_map(|(k, v)| Some((k.to_string(), v.as_str()?.to_owned()))).collect()
    }

    fn required(&mut self, name: &str) -> String {
        self.text(name).unwrap_or_else(|| {
            self.problem(format!("The s3 backend needs `{}{name}`", self.within));
            String::new()
        })
    }

    fn duration(&mut self, name: &str) -> Option<Duration> {
        let text = self.text(name)?;
        let parsed = parse_duration(&text);
        if parsed.is_none() {
            self.problem(format!(
                "`{}{name}` of the s3 backend is no duration such as \"1h30m\": {text:?}",
                self.within
            ));
        }
        parsed
    }

    fn problem(&mut self, summary: String) {
        self.problems.push(Diagnostic::error(summary));
    }
}

fn nearest(name: &str, known: &'static [(&'static str, Arg)]) -> Option<&'static str> {
    let best = known.iter().map(|(k, _)| (strsim::damerau_levenshtein(name, k), *k)).min()?;
    (best.0 <= name.len().div_ceil(3)).then_some(best.1)
}

/// Go's form: `1h30m`, `900s`.
fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text;
    let mut seconds = 0.0_f64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let (unit, width) = match rest.as_bytes() {
            [b'm', b's', ..] => (0.001, 2),
            [b'h', ..] => (3600.0, 1),
            [b'm', ..] => (60.0, 1),
            [b's', ..] => (1.0, 1),
            _ => return None,
        };
        seconds += number * unit;
        rest = &rest[width..];
    }
    (!text.is_empty()).then(|| Duration::try_from_secs_f64(seconds).ok())?
}

impl S3Backend {
    /// How long a lock is held without being renewed, where the backend does not say.
    pub const LEASE: Duration = Duration::from_secs(60);

    /// The least that it can say: enough for a renewal that is tried again.
    pub const SHORTEST_LEASE: Duration = Duration::from_secs(5);

    /// How long a lock is held without being renewed.
    pub(crate) fn lease(&self) -> Duration {
        self.lease.unwrap_or(Self::LEASE)
    }

    /// Reads the arguments of a backend table. Deprecated spellings of Terraform (`endpoint`, `force_path_style`, ...) are
    /// taken too.
    ///
    /// # Errors
    /// All problems at once: unknown names with a suggestion, wrong types, what is missing, what contradicts itself.
    pub fn from_value(value: &Value) -> Result<Self, Diagnostics> {
        let mut problems = Diagnostics::new();
        let mut args = Args::read("", value, ARGS, &mut problems);
        let null = Value::null(Type::Dynamic);
        let nested = |args: &Args<'_>, name: &str| args.values.get(name).cloned();
        let (role, web) = (nested(&args, "assume_role"), nested(&args, "assume_role_with_web_identity"));
        let endpoints = nested(&args, "endpoints").unwrap_or_else(|| null.clone());

        let mut backend = Self {
            bucket: args.required("bucket"),
            key: args.required("key"),
            region: args.text("region"),
            dynamodb_table: args.text("dynamodb_table"),
            use_lockfile: args.flag("use_lockfile"),
            lease: args.duration("lease"),
            encrypt: args.flag("encrypt"),
            kms_key_id: args.text("kms_key_id"),
            sse_customer_key: args.secret("sse_customer_key"),
            acl: args.text("acl"),
            endpoints: Endpoints {
                s3: args.text("endpoint"),
                dynamodb: args.text("dynamodb_endpoint"),
                sts: args.text("sts_endpoint"),
            },
            use_path_style: ["use_path_style", "force_path_style"]
                .iter()
                .find_map(|name| args.values.get(name).and_then(Value::as_bool)),
            workspace_key_prefix: args.text("workspace_key_prefix").unwrap_or_else(|| "env:".to_owned()),
            access_key: args.text("access_key"),
            secret_key: args.secret("secret_key"),
            token: args.secret("token"),
            profile: args.text("profile"),
            shared_config_files: args.texts("shared_config_files"),
            shared_credentials_files: args.texts("shared_credentials_files"),
            max_retries: args.values.get("max_retries").and_then(Value::as_i64).and_then(|n| n.try_into().ok()),
            custom_ca_bundle: args.text("custom_ca_bundle"),
            http_proxy: args.text("http_proxy"),
            https_proxy: args.text("https_proxy"),
            no_proxy: args.text("no_proxy"),
            use_dualstack_endpoint: args.flag("use_dualstack_endpoint"),
            use_fips_endpoint: args.flag("use_fips_endpoint"),
            skip_s3_checksum: args.flag("skip_s3_checksum"),
            sts_region: args.text("sts_region"),
            allowed_account_ids: args.texts("allowed_account_ids"),
            forbidden_account_ids: args.texts("forbidden_account_ids"),
            ..Self::default()
        };
        backend.shared_credentials_files.extend(args.text("shared_credentials_file"));
        match args.text("retry_mode").as_deref() {
            None | Some("standard") => {}
            Some("adaptive") => backend.adaptive_retries = true,
            Some(other) => {
                args.problem(format!("`retry_mode` of the s3 backend is \"standard\" or \"adaptive\", not {other:?}"));
            }
        }
        if args.values.contains_key("max_retries") && backend.max_retries.is_none() {
            args.problem("`max_retries` of the s3 backend must be a whole number, 0 or more".to_owned());
        }
        backend.check(&mut problems);

        let args = Args::read("endpoints.", &endpoints, ENDPOINTS, &mut problems);
        backend.endpoints.s3 = args.text("s3").or(backend.endpoints.s3);
        backend.endpoints.dynamodb = args.text("dynamodb").or(backend.endpoints.dynamodb);
        backend.endpoints.sts = args.text("sts").or(backend.endpoints.sts);
        backend.assume_role = role.map(|value| AssumeRole::read(&value, &mut problems));
        backend.assume_role_with_web_identity = web.map(|value| WebIdentity::read(&value, &mut problems));
        if problems.has_errors() { Err(problems) } else { Ok(backend) }
    }

    /// What contradicts itself, by Terraform's rules.
    fn check(&self, problems: &mut Diagnostics) {
        let mut problem = |text: &str| problems.push(Diagnostic::error(text));
        if self.key.starts_with('/') || self.key.ends_with('/') {
            problem("`key` of the s3 backend must neither start nor end with \"/\"");
        }
        if self.workspace_key_prefix.starts_with('/') || self.workspace_key_prefix.ends_with('/') {
            problem("`workspace_key_prefix` of the s3 backend must neither start nor end with \"/\"");
        }
        if self.lease.is_some_and(|lease| lease < Self::SHORTEST_LEASE) {
            problem("`lease` of the s3 backend must be at least 5s");
        }
        if self.kms_key_id.is_some() && self.sse_customer_key.is_some() {
            problem("only one of `kms_key_id` and `sse_customer_key` can be set for the s3 backend");
        }
        if self.sse_customer_key.is_some() && self.sse_customer_key_bytes().is_none() {
            problem("`sse_customer_key` of the s3 backend must be 32 bytes in base64 (44 characters)");
        }
        if self.access_key.is_some() != self.secret_key.is_some() {
            problem("`access_key` and `secret_key` of the s3 backend go together: one of them is missing");
        }
        if !self.allowed_account_ids.is_empty() && !self.forbidden_account_ids.is_empty() {
            problem("only one of `allowed_account_ids` and `forbidden_account_ids` can be set for the s3 backend");
        }
    }

    /// The customer's own key, decoded.
    pub(crate) fn sse_customer_key_bytes(&self) -> Option<Vec<u8>> {
        let key = base64::engine::general_purpose::STANDARD.decode(&self.sse_customer_key.as_ref()?.0).ok()?;
        (key.len() == 32).then_some(key)
    }

    /// The backend of a workspace: another key for every one but `default`.
    pub fn for_workspace(mut self, workspace: &str) -> Self {
        if workspace != "default" && !workspace.is_empty() {
            self.key = format!("{}/{workspace}/{}", self.workspace_key_prefix, self.key);
        }
        self
    }

    /// `s3://bucket/key`
    pub fn describe(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.key)
    }

    /// `bucket/key`: Terraform's name for the state in locks and digests.
    pub(crate) fn lock_path(&self) -> String {
        format!("{}/{}", self.bucket, self.key)
    }
}

impl AssumeRole {
    fn read(value: &Value, problems: &mut Diagnostics) -> Self {
        let mut args = Args::read("assume_role.", value, ASSUME_ROLE, problems);
        Self {
            role_arn: args.required("role_arn"),
            duration: args.duration("duration"),
            external_id: args.text("external_id"),
            policy: args.text("policy"),
            policy_arns: args.texts("policy_arns"),
            session_name: args.text("session_name"),
            source_identity: args.text("source_identity"),
            tags: args.text_map("tags"),
            transitive_tag_keys: args.texts("transitive_tag_keys"),
        }
    }
}

impl WebIdentity {
    fn read(value: &Value, problems: &mut Diagnostics) -> Self {
        let mut args = Args::read("assume_role_with_web_identity.", value, WEB_IDENTITY, problems);
        let out = Self {
            role_arn: args.required("role_arn"),
            session_name: args.text("session_name"),
            web_identity_token: args.secret("web_identity_token"),
            web_identity_token_file: args.text("web_identity_token_file"),
            duration: args.duration("duration"),
            policy: args.text("policy"),
            policy_arns: args.texts("policy_arns"),
        };
        if out.web_identity_token.is_some() == out.web_identity_token_file.is_some() {
            args.problem(
                "`assume_role_with_web_identity` of the s3 backend needs one of `web_identity_token` and \
                 `web_identity_token_file`"
                    .to_owned(),
            );
        }
        out
    }
}
