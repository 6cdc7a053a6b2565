//! An emulator, a configured provider, and a small planner: enough to drive the erased resource types as the engine does.

#![allow(dead_code, clippy::unwrap_used)]

pub mod fake;
pub mod recorded;

use std::{
    collections::BTreeMap,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use lakeform_aws::AwsProvider;
use lakeform_core::{Block, NestedBlock, Nesting, Type, Value, json};
use lakeform_provider::{AnyResource, Change, Configured, Failure, Provider, ProviderError, Surroundings};
use serde_json::Value as Json;

/// A running moto server, killed with the value.
pub struct Emulator {
    child: Child,
    /// `http://127.0.0.1:PORT`
    pub url: String,
}

impl Drop for Emulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn moto_server() -> PathBuf {
    if let Some(given) = std::env::var_os("LAKEFORM_MOTO") {
        return given.into();
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let local = root.join(".venv/bin/moto_server");
    if local.exists() {
        return local;
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("moto_server"))
        .find(|file| file.exists())
        .expect("no moto_server: run scripts/emulators, or name one in LAKEFORM_MOTO")
}

impl Emulator {
    /// Starts one on a free port and waits until it answers.
    pub fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let program = moto_server();
        let mut child = Command::new(&program)
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{}: {e}; run scripts/emulators", program.display()));
        let until = Instant::now() + Duration::from_secs(60);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(child.try_wait().unwrap().is_none(), "{} ended early", program.display());
            assert!(Instant::now() < until, "{} does not answer", program.display());
            std::thread::sleep(Duration::from_millis(50));
        }
        Self { child, url: format!("http://127.0.0.1:{port}") }
    }

    /// The environment of a process that talks to it.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into()
    }
}

/// A provider and a client configured from JSON in the shape of `[provider.aws]`.
pub struct Cloud {
    /// The provider.
    pub provider: AwsProvider,
    /// The configured client.
    pub client: Configured,
}

fn never_cancelled() -> bool {
    false
}

impl Cloud {
    /// With the emulator's endpoint and a block such as `{"region": "eu-central-1"}`.
    pub async fn new(emulator: &Emulator, block: Json) -> Self {
        Self::with(emulator.environment(), block).await.unwrap()
    }

    /// With an environment and a block.
    pub async fn with(environment: Vec<(String, String)>, block: Json) -> Result<Self, ProviderError> {
        let provider = AwsProvider::new(environment);
        let value = provider.config_schema().block.coerce(&json::from_plain_json(&block)).unwrap();
        let client = provider.configure(&value).await?;
        Ok(Self { provider, client })
    }

    /// The same of a run that has just given a role and a bucket their policies, which nobody may have heard of yet. IAM and
    /// S3 are other servers than `fake`.
    pub async fn after_writes(fake: &fake::Fake, block: Json) -> Self {
        let written = fake::Fake::start(|request, _| fake::xml(&request.operation, ""));
        let mut environment = fake.environment();
        for service in ["IAM", "S3"] {
            environment.push((format!("AWS_ENDPOINT_URL_{service}"), written.url.clone()));
        }
        let cloud = Self::with(environment, block).await.unwrap();
        let policy = r#"{"Statement": []}"#;
        let role = serde_json::json!({"name": "p", "role": "r", "policy": policy});
        cloud.create("aws_iam_role_policy", role).await.unwrap();
        cloud.create("aws_s3_bucket_policy", serde_json::json!({"bucket": "b", "policy": policy})).await.unwrap();
        cloud
    }

    /// A resource type.
    pub fn resource(&self, name: &str) -> &dyn AnyResource {
        self.provider.resource(name).unwrap_or_else(|| panic!("no resource type {name}"))
    }

    /// What surrounds a call, with what the stack says.
    pub fn with_config<'a>(&'a self, config: Option<&'a Value>) -> Surroundings<'a> {
        Surroundings { client: &self.client, config, timeout: None, cancelled: &never_cancelled, token: fresh_token() }
    }

    /// What the stack says, from JSON.
    pub fn config(&self, ty: &str, attributes: Json) -> Value {
        self.resource(ty).schema().block.coerce(&json::from_plain_json(&attributes)).unwrap()
    }

    /// Plans as the engine does: the planned object and the attributes that ask for a replacement by the type's hook.
    pub fn try_plan(
        &self,
        ty: &str,
        config: &Value,
        prior: Option<&Value>,
    ) -> Result<(Value, Vec<String>), ProviderError> {
        let resource = self.resource(ty);
        let schema = resource.schema();
        let planned = propose(&schema.block, config, prior);
        let mut change = Change { schema, config, prior, planned, replace: vec![] };
        resource.plan(&self.client, &mut change)?;
        Ok((change.planned, change.replace.iter().map(ToString::to_string).collect()))
    }

    /// The planned object.
    pub fn plan(&self, ty: &str, config: &Value, prior: Option<&Value>) -> Value {
        self.try_plan(ty, config, prior).unwrap().0
    }

    /// Plans and creates.
    pub async fn create(&self, ty: &str, attributes: Json) -> Result<Value, Failure> {
        let config = self.config(ty, attributes);
        let planned = self.plan(ty, &config, None);
        let made = self.resource(ty).create(self.with_config(Some(&config)), &planned).await?;
        promises_kept(&planned, &made, ty);
        Ok(made)
    }

    /// Plans and updates.
    pub async fn update(&self, ty: &str, prior: &Value, attributes: Json) -> Result<Value, Failure> {
        let config = self.config(ty, attributes);
        let planned = self.plan(ty, &config, Some(prior));
        let made = self.resource(ty).update(self.with_config(Some(&config)), prior, &planned).await?;
        promises_kept(&planned, &made, ty);
        Ok(made)
    }

    /// Reads, with what the stack says.
    pub async fn read(&self, ty: &str, prior: &Value, attributes: Json) -> Option<Value> {
        let config = self.config(ty, attributes);
        self.resource(ty).read(self.with_config(Some(&config)), prior).await.unwrap()
    }

    /// Reads what `id` names, as an import does.
    pub async fn import(&self, ty: &str, id: &str) -> Option<Value> {
        let resource = self.resource(ty);
        let stub = resource.import(self.with_config(None), id).unwrap();
        resource.read(self.with_config(None), &stub).await.unwrap()
    }

    /// Deletes.
    pub async fn delete(&self, ty: &str, prior: &Value) -> Result<(), ProviderError> {
        self.resource(ty).delete(self.with_config(None), prior).await
    }

    /// Reads a data source.
    pub async fn data(&self, ty: &str, attributes: Json) -> Result<Value, ProviderError> {
        let source = self.provider.data_source(ty).unwrap_or_else(|| panic!("no data source {ty}"));
        let config = source.schema().block.coerce(&json::from_plain_json(&attributes)).unwrap();
        source.read(self.with_config(Some(&config)), &config).await
    }

    /// Opens an ephemeral resource.
    pub async fn open(&self, ty: &str, attributes: Json) -> Result<Value, ProviderError> {
        let source = self.provider.ephemeral_resource(ty).expect("an ephemeral resource type");
        let config = source.schema().block.coerce(&json::from_plain_json(&attributes)).unwrap();
        source.read(self.with_config(Some(&config)), &config).await
    }

    /// Asserts that a plan of the same configuration changes nothing.
    pub fn assert_settled(&self, ty: &str, object: &Value, attributes: Json) {
        let config = self.config(ty, attributes);
        let (planned, replace) = self.try_plan(ty, &config, Some(object)).unwrap();
        assert_eq!(differences(&json::to_plain_json(object), &json::to_plain_json(&planned)), Vec::<String>::new());
        assert_eq!(replace, Vec::<String>::new());
    }
}

/// Known planned values are promises.
fn promises_kept(planned: &Value, made: &Value, at: &str) {
    assert!(made.is_wholly_known(), "{at}: {made:?}");
    if !planned.is_known() || planned.is_null() {
        return;
    }
    match (planned.as_mapping(), made.as_mapping()) {
        (Some(planned), Some(made)) => {
            for (name, value) in planned {
                promises_kept(
                    value,
                    made.get(name).unwrap_or_else(|| panic!("{at}.{name} is gone")),
                    &format!("{at}.{name}"),
                );
            }
        }
        _ if planned.is_wholly_known() => {
            let differ = differences(&json::to_plain_json(planned), &json::to_plain_json(made));
            assert!(differ.is_empty(), "{at}: promised {planned:?}, made {made:?}");
        }
        _ => {}
    }
}

/// The engine's proposed value: what the stack says, else the default, else for computed attributes the prior value.
fn propose(block: &Block, config: &Value, prior: Option<&Value>) -> Value {
    let mut out = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let given = config
            .get(name)
            .filter(|_| !attribute.write_only)
            .cloned()
            .unwrap_or_else(|| Value::null(attribute.ty.clone()));
        let before = prior.and_then(|p| p.get(name)).cloned();
        let value = match (given.is_null(), &attribute.default) {
            (true, Some(default)) => default.clone(),
            (true, None) if attribute.computed => before.unwrap_or_else(|| Value::unknown(attribute.ty.clone())),
            (true, None) => match before {
                Some(before) if is_zero(&json::to_plain_json(&before)) => before,
                _ => given,
            },
            (false, _) => match before {
                Some(before) if attribute.same.is_some_and(|same| same(&before, &given)) => before,
                _ => given,
            },
        };
        out.insert(name.to_string(), value);
    }
    for (name, nested) in &block.blocks {
        let given = config.get(name).cloned().unwrap_or_else(|| nested.absent());
        let before = prior.and_then(|p| p.get(name));
        out.insert(name.to_string(), propose_nested(nested, given, before));
    }
    Value::object(out)
}

fn propose_nested(nested: &NestedBlock, given: Value, before: Option<&Value>) -> Value {
    let none = given.as_slice().is_some_and(|vs| vs.is_empty());
    if nested.computed && none {
        return before.cloned().unwrap_or_else(|| Value::unknown(nested.ty()));
    }
    match given.kind() {
        lakeform_core::Kind::List(t, vs) => {
            let before = before.and_then(Value::as_slice).unwrap_or_default();
            let all = vs.iter().enumerate().map(|(i, v)| propose(&nested.block, v, before.get(i)));
            Value::list(t.clone(), all.collect())
        }
        lakeform_core::Kind::Set(t, vs) => {
            // An element that differs from a stored one only in what the API decides is that one.
            let before = before.and_then(Value::as_slice).unwrap_or_default();
            let matches = |v: &Value| {
                before.iter().find(|b| {
                    let proposed = json::to_plain_json(&propose(&nested.block, v, Some(b)));
                    differences(&proposed, &json::to_plain_json(b)).is_empty()
                })
            };
            let all = vs.iter().map(|v| matches(v).cloned().unwrap_or_else(|| propose(&nested.block, v, None)));
            Value::set(t.clone(), all.collect())
        }
        _ => given,
    }
}

/// Null, `""`, `0`, `false`, `[]` or `{}`: what an unset attribute may be stored as.
fn is_zero(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Bool(b) => !b,
        Json::Number(n) => n.as_f64() == Some(0.0),
        Json::String(s) => s.is_empty(),
        Json::Array(vs) => vs.is_empty(),
        Json::Object(vs) => vs.is_empty(),
    }
}

/// An object with the elements of its sets in one order, whatever is null in one and empty in the other.
pub fn in_order(block: &Block, object: &Json) -> Json {
    fn said(value: &Json) -> Json {
        match value {
            Json::Object(vs) => {
                let kept = vs.iter().filter(|(_, v)| !is_zero(v)).map(|(k, v)| (k.clone(), said(v)));
                kept.collect::<serde_json::Map<_, _>>().into()
            }
            Json::Array(vs) => vs.iter().map(said).collect(),
            other => other.clone(),
        }
    }
    fn sorted(value: Json) -> Json {
        let Json::Array(mut elements) = value else { return value };
        elements.sort_by_key(|v| said(v).to_string());
        elements.into()
    }
    let Json::Object(fields) = object else { return object.clone() };
    let field = |name: &str, value: &Json| match (block.attributes.get(name), block.blocks.get(name)) {
        (Some(attribute), _) if matches!(attribute.ty, Type::Set(_)) => sorted(value.clone()),
        (None, Some(nested)) => {
            let inner = match value {
                Json::Array(vs) => vs.iter().map(|v| in_order(&nested.block, v)).collect(),
                one => in_order(&nested.block, one),
            };
            if nested.nesting == Nesting::Set { sorted(inner) } else { inner }
        }
        _ => value.clone(),
    };
    fields.iter().map(|(name, value)| (name.clone(), field(name, value))).collect::<serde_json::Map<_, _>>().into()
}

/// Where two JSON values differ; null and an empty value do not.
pub fn differences(a: &Json, b: &Json) -> Vec<String> {
    fn walk(a: &Json, b: &Json, at: &str, out: &mut Vec<String>) {
        match (a, b) {
            _ if a == b => {}
            (Json::Null, other) | (other, Json::Null) if is_zero(other) => {}
            (Json::Object(a), Json::Object(b)) => {
                let names: std::collections::BTreeSet<_> = a.keys().chain(b.keys()).collect();
                for name in names {
                    let get = |side: &serde_json::Map<String, Json>| side.get(name).cloned().unwrap_or(Json::Null);
                    walk(&get(a), &get(b), &format!("{at}.{name}"), out);
                }
            }
            (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
                for (i, (a, b)) in a.iter().zip(b).enumerate() {
                    walk(a, b, &format!("{at}[{i}]"), out);
                }
            }
            _ => out.push(format!("{at}: {a} / {b}")),
        }
    }
    let mut out = vec![];
    walk(a, b, "", &mut out);
    out
}

/// Like [`differences`], leaving out what is never the same twice: ids, times, tokens.
pub fn differences_but_ids(a: &Json, b: &Json) -> Vec<String> {
    fn blur(value: &Json) -> Json {
        match value {
            // The spelling of a JSON document is the user's.
            Json::String(s) => match serde_json::from_str::<Json>(s) {
                Ok(document @ Json::Object(_)) => document,
                _ => Json::String(blur_text(s)),
            },
            Json::Array(vs) => vs.iter().map(blur).collect(),
            Json::Object(vs) => vs.iter().map(|(k, v)| (k.clone(), blur(v))).collect(),
            other => other.clone(),
        }
    }
    differences(&blur(a), &blur(b))
}

/// Replaces runs of hexadecimal digits, dashes and the like that hold an id or a time by `#`.
fn blur_text(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    let flush = |run: &mut String, out: &mut String| {
        let digits = run.chars().filter(char::is_ascii_digit).count();
        let whole = run.chars().filter(char::is_ascii_hexdigit).count();
        // An account id stays; uuids, times, grant ids and made-up names go.
        let id = whole >= 8 && digits >= 2 && run.as_str() != "123456789012";
        out.push_str(if id { "#" } else { run });
        run.clear();
    };
    for c in text.chars() {
        if c.is_ascii_hexdigit() || matches!(c, '-' | 'T' | ':' | '.' | 'Z') {
            if c == ':' && run == "123456789012" {
                flush(&mut run, &mut out);
                out.push(c);
                continue;
            }
            run.push(c);
        } else {
            flush(&mut run, &mut out);
            out.push(c);
        }
    }
    flush(&mut run, &mut out);
    out
}

/// A token as the engine makes one with the intent to create something.
fn fresh_token() -> &'static str {
    uuid::Uuid::new_v4().simple().to_string().leak()
}
