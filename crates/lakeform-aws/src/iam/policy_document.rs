//! `data.aws_iam_policy_document`
//!
//! The document is Terraform's to the byte, so that a state written by either is taken by the other: the order of keys,
//! lists in reverse order of the alphabet, a list of one as a single value, Go's escapes.

use std::collections::{BTreeMap, BTreeSet};

use lakeform_core::Path;
use lakeform_provider::{Context, DataSource, Model, ProviderError, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::{AwsClient, policy::go_escaped};

/// Writes an IAM policy. No call is made.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct PolicyDocumentModel {
    /// A checksum of the document.
    #[attr(optional, computed)]
    id: Option<String>,
    /// The document.
    #[attr(computed)]
    json: Option<String>,
    /// The document without spaces.
    #[attr(computed)]
    minified_json: Option<String>,
    /// No longer supported: use `override_policy_documents`.
    #[attr(optional, deprecated)]
    override_json: Option<String>,
    /// Documents to lay over this one, in order: their statements replace those with the same `sid`.
    #[attr(optional)]
    override_policy_documents: Option<Vec<String>>,
    /// Id of the policy.
    #[attr(optional)]
    policy_id: Option<String>,
    /// No longer supported: use `source_policy_documents`.
    #[attr(optional, deprecated)]
    source_json: Option<String>,
    /// Documents that this one is laid over, in order. Each `sid` may occur in one of them only.
    #[attr(optional)]
    source_policy_documents: Option<Vec<String>>,
    /// Version of the policy language: `2012-10-17` (default) or `2008-10-17`.
    #[attr(optional)]
    version: Option<String>,
    /// Statements.
    #[block(list)]
    statement: Vec<StatementModel>,
}

/// A statement.
#[derive(Model, Clone, Debug, Default)]
struct StatementModel {
    /// Actions that it is about.
    #[attr(optional)]
    actions: Option<BTreeSet<String>>,
    /// `Allow` (default) or `Deny`.
    #[attr(optional)]
    effect: Option<String>,
    /// Actions that it is not about.
    #[attr(optional)]
    not_actions: Option<BTreeSet<String>>,
    /// Resources that it is not about.
    #[attr(optional)]
    not_resources: Option<BTreeSet<String>>,
    /// Resources that it is about.
    #[attr(optional)]
    resources: Option<BTreeSet<String>>,
    /// Its name, once in the document.
    #[attr(optional)]
    sid: Option<String>,
    /// Conditions, all of which must hold.
    #[block(set)]
    condition: Vec<ConditionModel>,
    /// Principals that it is not about.
    #[block(set)]
    not_principals: Vec<PrincipalModel>,
    /// Principals that it is about.
    #[block(set)]
    principals: Vec<PrincipalModel>,
}

/// A condition.
#[derive(Model, Clone, Debug, Default)]
struct ConditionModel {
    /// How to compare: `StringEquals`, `ArnLike`, ...
    #[attr(required)]
    test: String,
    /// What to compare with; one of them must match.
    #[attr(required)]
    values: Vec<String>,
    /// The key of the request's context: `aws:SourceArn`
    #[attr(required)]
    variable: String,
}

/// Principals of one kind.
#[derive(Model, Clone, Debug, Default)]
struct PrincipalModel {
    /// ARNs, account ids, services, ...
    #[attr(required)]
    identifiers: BTreeSet<String>,
    /// `AWS`, `Service`, `Federated`, `CanonicalUser` or `*`
    #[attr(name = "type", required)]
    kind: String,
}

/// The document, in the order in which Terraform writes its parts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Document {
    #[serde(skip_serializing_if = "String::is_empty")]
    version: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
    #[serde(rename = "Statement", skip_serializing_if = "Vec::is_empty")]
    statements: Vec<Statement>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Statement {
    #[serde(skip_serializing_if = "String::is_empty")]
    sid: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    effect: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_action: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_resource: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    not_principal: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Json>,
}

impl Document {
    /// Lays another document over this one: its id, the newer version, and its statements in place of those with the same
    /// sid.
    fn merge(&mut self, other: Document) {
        if !other.id.is_empty() {
            self.id = other.id;
        }
        if other.version > self.version {
            self.version = other.version;
        }
        for statement in other.statements {
            let same = |s: &&mut Statement| !s.sid.is_empty() && s.sid == statement.sid;
            match self.statements.iter_mut().find(same) {
                Some(place) => *place = statement,
                None => self.statements.push(statement),
            }
        }
    }
}

/// `data.aws_iam_policy_document`
pub(crate) struct PolicyDocument;

const VERSION: &str = "2012-10-17";

impl DataSource for PolicyDocument {
    type Client = AwsClient;
    type Model = PolicyDocumentModel;
    const NAME: &'static str = "aws_iam_policy_document";

    async fn read(_cx: &Context<'_, AwsClient>, object: &mut PolicyDocumentModel) -> Result<()> {
        for (name, value) in [("source_json", &object.source_json), ("override_json", &object.override_json)] {
            if value.as_deref().is_some_and(|v| !v.is_empty()) {
                let plural = name.replace("_json", "_policy_documents");
                return Err(wrong(name, format!("{name} is no longer supported")).hint(format!("use {plural} = [...]")));
            }
        }
        let version = object.version.get_or_insert_with(|| VERSION.into()).clone();
        if version != VERSION && version != "2008-10-17" {
            return Err(wrong("version", format!("version is {version:?}; expected is 2012-10-17 or 2008-10-17")));
        }
        let mut merged = Document::default();
        let mut sids = BTreeSet::new();
        let sources = parse(object.source_policy_documents.as_deref(), "source_policy_documents")?;
        for (at, source) in sources.into_iter().enumerate() {
            for sid in source.statements.iter().map(|s| &s.sid).filter(|sid| !sid.is_empty()) {
                if !sids.insert(sid.clone()) {
                    let message = format!("duplicate Sid ({sid}) in source_policy_documents (item {at})");
                    return Err(wrong("source_policy_documents", message).hint("remove the Sid or make Sids unique"));
                }
            }
            merged.merge(source);
        }
        merged.merge(own(object, version)?);
        for over in parse(object.override_policy_documents.as_deref(), "override_policy_documents")? {
            merged.merge(over);
        }
        let fail = |e: serde_json::Error| ProviderError::invalid(e.to_string());
        let json = go_escaped(&serde_json::to_string_pretty(&merged).map_err(fail)?);
        object.id = Some(crc32fast::hash(json.as_bytes()).to_string());
        object.minified_json = Some(go_escaped(&serde_json::to_string(&merged).map_err(fail)?));
        object.json = Some(json);
        Ok(())
    }
}

fn wrong(attribute: &str, message: String) -> ProviderError {
    ProviderError::invalid(message).attribute(Path::attr(attribute))
}

/// The documents of a list, with one spelling for each part. Empty texts (null elements) are left out.
fn parse(documents: Option<&[String]>, attribute: &str) -> Result<Vec<Document>> {
    let given = documents.unwrap_or_default().iter().enumerate().filter(|(_, text)| !text.is_empty());
    given
        .map(|(at, text)| {
            let parsed: Result<Document, _> = serde_json::from_str(text);
            let mut document =
                parsed.map_err(|e| wrong(attribute, format!("{attribute} (item {at}) is no policy document: {e}")))?;
            for statement in &mut document.statements {
                statement.principal = statement.principal.take().map(read_principals);
                statement.not_principal = statement.not_principal.take().map(read_principals);
                statement.condition = statement.condition.take().map(read_conditions);
            }
            Ok(document)
        })
        .collect()
}

fn reversed(mut texts: Vec<Json>) -> Json {
    texts.sort_by(|a, b| b.as_str().cmp(&a.as_str()));
    texts.into()
}

fn ordered(fields: BTreeMap<String, Json>) -> Json {
    Json::Object(fields.into_iter().collect())
}

/// Principals of a parsed document: lists in reverse order.
fn read_principals(parsed: Json) -> Json {
    match parsed {
        Json::Object(kinds) => {
            let spell = |who| if let Json::Array(all) = who { reversed(all) } else { who };
            ordered(kinds.into_iter().map(|(kind, who)| (kind, spell(who))).collect())
        }
        other => other,
    }
}

/// Conditions of a parsed document: truth values as text, a list of one as a single value.
fn read_conditions(parsed: Json) -> Json {
    let Json::Object(tests) = parsed else { return parsed };
    let text = |v: Json| match v {
        Json::Bool(b) => Json::String(b.to_string()),
        other => other,
    };
    let spell = |values: Json| match values {
        Json::Array(mut all) if all.len() == 1 => text(all.remove(0)),
        Json::Array(all) => all.into_iter().map(text).collect(),
        one => text(one),
    };
    let tests = tests.into_iter().map(|(test, variables)| match variables {
        Json::Object(all) => (test, ordered(all.into_iter().map(|(k, v)| (k, spell(v))).collect())),
        other => (test, other),
    });
    ordered(tests.collect())
}

/// The document that the block's own arguments make.
fn own(object: &mut PolicyDocumentModel, version: String) -> Result<Document> {
    let mut sids = BTreeSet::new();
    let mut statements = vec![];
    for block in &mut object.statement {
        let effect = block.effect.get_or_insert_with(|| "Allow".into()).clone();
        if effect != "Allow" && effect != "Deny" {
            return Err(wrong("statement", format!("effect is {effect:?}; expected is Allow or Deny")));
        }
        let sid = block.sid.clone().unwrap_or_default();
        if !sid.is_empty() && !sids.insert(sid.clone()) {
            let error = wrong("statement", format!("duplicate Sid ({sid})"));
            return Err(error.hint("remove the Sid or make it unique"));
        }
        statements.push(Statement {
            sid,
            effect,
            action: texts(block.actions.as_ref()),
            not_action: texts(block.not_actions.as_ref()),
            resource: texts(block.resources.as_ref()).map(|v| variables(v, &version)).transpose()?,
            not_resource: texts(block.not_resources.as_ref()).map(|v| variables(v, &version)).transpose()?,
            principal: principals(&block.principals, &version)?,
            not_principal: principals(&block.not_principals, &version)?,
            condition: conditions(&block.condition, &version)?,
        });
    }
    Ok(Document { version, id: object.policy_id.clone().unwrap_or_default(), statements })
}

/// A set as one text or a list in reverse order; nothing where it is empty.
fn texts(set: Option<&BTreeSet<String>>) -> Option<Json> {
    let set = set.filter(|set| !set.is_empty())?;
    Some(one_or_list(set))
}

fn one_or_list(set: &BTreeSet<String>) -> Json {
    match set.first() {
        Some(one) if set.len() == 1 => one.as_str().into(),
        _ => set.iter().rev().cloned().collect(),
    }
}

/// IAM's variables are written `&{...}` in a stack, where `${...}` is the stack's own.
fn variables(value: Json, version: &str) -> Result<Json> {
    let replace = |text: String| {
        if text.contains("&{") && version == "2008-10-17" {
            let message = format!("found &{{ sequence in ({text}), which version 2008-10-17 does not support");
            return Err(wrong("statement", message));
        }
        Ok(Json::String(text.replace("&{", "${")))
    };
    match value {
        Json::String(text) => replace(text),
        Json::Array(all) => all.into_iter().map(|v| variables(v, version)).collect(),
        other => Ok(other),
    }
}

/// The order in which Terraform's SDK keeps a set of blocks: that of the checksums of their contents, as text.
fn set_order<T>(blocks: &[T], contents: impl Fn(&T) -> String) -> Vec<&T> {
    let mut keyed: Vec<(String, &T)> =
        blocks.iter().map(|b| (crc32fast::hash(contents(b).as_bytes()).to_string(), b)).collect();
    keyed.sort_by(|a, b| a.0.cmp(&b.0));
    keyed.into_iter().map(|(_, block)| block).collect()
}

/// `SerializeResourceForHash` of Terraform's SDK for a `principals` block.
fn principal_contents(block: &PrincipalModel) -> String {
    let all: Vec<&String> = block.identifiers.iter().collect();
    let all: String = set_order(&all, |text| format!("{text};")).iter().map(|text| format!("{text};")).collect();
    format!("identifiers:{{{all}}};type:{};", block.kind)
}

fn condition_contents(block: &ConditionModel) -> String {
    let all: String = block.values.iter().map(|text| format!("{text};")).collect();
    format!("test:{};values:({all});variable:{};", block.test, block.variable)
}

fn principals(blocks: &[PrincipalModel], version: &str) -> Result<Option<Json>> {
    if blocks.is_empty() {
        return Ok(None);
    }
    if let [block] = blocks
        && block.kind == "*"
        && block.identifiers.iter().eq(["*"])
    {
        return Ok(Some("*".into()));
    }
    let mut kinds: BTreeMap<String, Json> = BTreeMap::new();
    for block in set_order(blocks, principal_contents) {
        let who = variables(one_or_list(&block.identifiers), version)?;
        let both = match (kinds.remove(&block.kind), who) {
            (None, who) => who,
            (Some(before), who) => {
                let list = |v| if let Json::Array(all) = v { all } else { vec![v] };
                list(before).into_iter().chain(list(who)).collect()
            }
        };
        kinds.insert(block.kind.clone(), both);
    }
    Ok(Some(ordered(kinds)))
}

fn conditions(blocks: &[ConditionModel], version: &str) -> Result<Option<Json>> {
    if blocks.is_empty() {
        return Ok(None);
    }
    let mut tests: BTreeMap<String, BTreeMap<String, Json>> = BTreeMap::new();
    for block in set_order(blocks, condition_contents) {
        let mut values = block.values.clone();
        let given = if values.len() == 1 { values.remove(0).into() } else { values.into_iter().collect() };
        let given = variables(given, version)?;
        let place = tests.entry(block.test.clone()).or_default();
        let both = match (place.remove(&block.variable), given) {
            (Some(Json::Array(before)), Json::Array(more)) => before.into_iter().chain(more).collect(),
            (Some(Json::Array(before)), one) => before.into_iter().chain([one]).collect(),
            (Some(before), Json::Array(more)) => [before].into_iter().chain(more).collect(),
            (Some(before), one) => vec![before, one].into(),
            (None, given) => given,
        };
        place.insert(block.variable.clone(), both);
    }
    Ok(Some(ordered(tests.into_iter().map(|(test, all)| (test, ordered(all))).collect())))
}
