//! Saved plans.
//!
//! A plan file holds what was decided and what it was decided from, except the stack itself and every sensitive or
//! ephemeral value: the stack's documents are named with their digests, sensitive values are taken from state and asked
//! for again, and so are ephemeral ones, which may be others then.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lakeform_core::{
    Diagnostics, InstanceAddress, Kind, Marks, Mode, Path, Schema, Step, Type, Value,
    address::Target,
    json::{from_json, to_plain_json},
};
use lakeform_lang::Stack;
use lakeform_state::{Attributes, ObjectState, State, fingerprint};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::{
    Action, Change, CheckResults, OutputChange, Plan, PlanMode, PlanOptions, Providers, Reason, as_shown,
    diff::mark_sensitive,
    stored::{decode, encode},
};

/// The layout of plan files that this version writes and reads.
const FORMAT: u32 = 2;

/// A plan file cannot be carried out.
#[derive(Debug, thiserror::Error)]
pub enum PlanFileError {
    /// It is no plan file of this version.
    #[error("this is no plan file of this version of lakeform: {0}")]
    Format(String),
    /// The stack is not the one that was planned.
    #[error("`{0}` has changed since the plan was made")]
    StackChanged(String),
    /// The stored state belongs to something else.
    #[error("the plan was made for another state (lineage {planned}, and the stored one has {stored})")]
    Lineage {
        /// The lineage in the plan.
        planned: String,
        /// The lineage in the store.
        stored: String,
    },
    /// The stored state has moved on.
    #[error("the plan is stale: it was made from state serial {planned}, and the stored state is at {stored}")]
    Stale {
        /// The serial in the plan.
        planned: u64,
        /// The serial in the store.
        stored: u64,
    },
    /// Ephemeral variables are in no plan file. Terraform: those that were set must be set again, to whatever value.
    #[error("these ephemeral variables were set when the plan was made, and must be set again: {}", .0.join(", "))]
    EphemeralMissing(Vec<String>),
    /// What was left to its default must be left to it.
    #[error("these ephemeral variables were not set when the plan was made, and must not be set now: {}", .0.join(", "))]
    EphemeralGiven(Vec<String>),
    /// Sensitive variables are not kept in plan files.
    #[error("these sensitive variables must be given again, with the values of the plan: {}", .0.join(", "))]
    Variables(Vec<String>),
}

/// A plan as it is saved.
#[derive(Debug, Serialize, Deserialize)]
pub struct PlanFile {
    format: u32,
    lakeform: String,
    /// The stack's path, as it was given.
    pub stack: String,
    /// Each document of the stack with the SHA-256 of its text.
    documents: Vec<(String, String)>,
    /// The lineage of the state that the plan was made from.
    pub lineage: String,
    /// The serial of that state.
    pub serial: u64,
    mode: PlanMode,
    skip_refresh: bool,
    targets: Vec<String>,
    excludes: Vec<String>,
    salt: String,
    changes: Vec<SavedChange>,
    outputs: BTreeMap<String, (Action, Json, Json)>,
    variables: BTreeMap<String, Json>,
    /// The ephemeral variables that were set.
    ephemeral: BTreeSet<Arc<str>>,
    read: BTreeMap<String, Json>,
    prior_state: Json,
    checks: CheckResults,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedChange {
    address: String,
    previous_address: Option<String>,
    deposed: Option<String>,
    action: Action,
    reason: Option<Reason>,
    before: Json,
    after: Json,
    replace_paths: Vec<Json>,
    provider: String,
    importing: Option<String>,
    create_before_destroy: bool,
    dependencies: Vec<String>,
}

impl PlanFile {
    /// The bytes of a saved plan. `providers` say which stored attributes are sensitive.
    ///
    /// # Errors
    /// When a value cannot be written (a bug).
    pub fn write(plan: &Plan, stack: &Stack, providers: &Providers) -> Result<Vec<u8>, PlanFileError> {
        let salt = uuid::Uuid::new_v4().to_string();
        let save = |v: &Value| save(v, &no_digest);
        let changes = plan.changes.iter().map(|c| SavedChange {
            address: c.address.to_string(),
            previous_address: c.previous_address.as_ref().map(ToString::to_string),
            deposed: c.deposed.clone(),
            action: c.action,
            reason: c.reason,
            before: save(&c.before),
            after: save(&c.after),
            replace_paths: c.replace_paths.iter().map(save_path).collect(),
            provider: c.provider.clone(),
            importing: c.importing.clone(),
            create_before_destroy: c.create_before_destroy,
            dependencies: c.dependencies.iter().map(ToString::to_string).collect(),
        });
        let state = serde_json::from_slice(&redacted(&plan.prior_state, providers).to_bytes())
            .map_err(|e| PlanFileError::Format(e.to_string()))?;
        let file = Self {
            format: FORMAT,
            lakeform: env!("CARGO_PKG_VERSION").to_owned(),
            stack: stack.path.display().to_string(),
            documents: digests(stack),
            lineage: plan.prior_state.lineage.clone(),
            serial: plan.stored_serial,
            mode: plan.options.mode,
            skip_refresh: plan.options.skip_refresh,
            targets: plan.options.targets.iter().map(ToString::to_string).collect(),
            excludes: plan.options.excludes.iter().map(ToString::to_string).collect(),
            salt: salt.clone(),
            changes: changes.collect(),
            outputs: plan
                .outputs
                .iter()
                .map(|(k, o)| (k.to_string(), (o.action, save(&o.before), save(&o.after))))
                .collect(),
            variables: plan
                .variables
                .iter()
                .filter(|(_, v)| !v.is_ephemeral())
                .map(|(k, v)| (k.to_string(), save_variable(v, &salt)))
                .collect(),
            ephemeral: plan.ephemeral.clone(),
            read: plan.read.iter().map(|(k, v)| (k.to_string(), save(&as_shown(&k.resource.ty, v.clone())))).collect(),
            prior_state: state,
            checks: plan.checks.clone(),
        };
        serde_json::to_vec(&file).map_err(|e| PlanFileError::Format(e.to_string()))
    }

    /// Reads a plan file.
    ///
    /// # Errors
    /// When the bytes are no plan file of this version.
    pub fn read(bytes: &[u8]) -> Result<Self, PlanFileError> {
        let file: Self = serde_json::from_slice(bytes).map_err(|e| PlanFileError::Format(e.to_string()))?;
        if file.format != FORMAT || file.lakeform != env!("CARGO_PKG_VERSION") {
            let other = format!("it was written by lakeform {} in format {}", file.lakeform, file.format);
            return Err(PlanFileError::Format(other));
        }
        Ok(file)
    }

    /// Whether bytes look like a plan file rather than a stack.
    pub fn is_plan(bytes: &[u8]) -> bool {
        bytes.starts_with(b"{\"format\":")
    }

    /// The names of the variables whose values must be given again.
    pub fn wanted_variables(&self) -> Vec<&str> {
        self.variables.iter().filter(|(_, v)| is_hidden(v)).map(|(k, _)| k.as_str()).collect()
    }

    /// The plan, ready to be carried out against the stored state.
    ///
    /// # Errors
    /// When the stack or the state is no longer what the plan was made from, or a sensitive variable is missing or has
    /// another value.
    pub fn into_plan(
        self,
        stack: &Stack,
        providers: &Providers,
        stored: &State,
        given: &BTreeMap<Arc<str>, Value>,
    ) -> Result<Plan, PlanFileError> {
        let now = digests(stack);
        if let Some((name, _)) = self.documents.iter().find(|d| !now.contains(d)) {
            return Err(PlanFileError::StackChanged(name.clone()));
        }
        if let Some((name, _)) = now.iter().find(|d| !self.documents.contains(d)) {
            return Err(PlanFileError::StackChanged(name.clone()));
        }
        // A plan that was made when nothing was stored has no lineage of its own.
        if self.serial > 0 && stored.serial > 0 && self.lineage != stored.lineage {
            return Err(PlanFileError::Lineage { planned: self.lineage, stored: stored.lineage.clone() });
        }
        if self.serial != stored.serial {
            return Err(PlanFileError::Stale { planned: self.serial, stored: stored.serial });
        }
        let variables = self.variables(stack, given)?;
        let bad = |what: &str| PlanFileError::Format(format!("`{what}` cannot be read"));
        let address = |text: &str| text.parse::<InstanceAddress>().map_err(|e| PlanFileError::Format(e.to_string()));
        let load = |json: &Json| load(json).ok_or_else(|| bad("a value"));
        let prior =
            State::parse(self.prior_state.to_string().as_bytes()).map_err(|e| PlanFileError::Format(e.to_string()))?;
        let mut changes = self
            .changes
            .iter()
            .map(|c| {
                Ok(Change {
                    address: address(&c.address)?,
                    previous_address: c.previous_address.as_deref().map(address).transpose()?,
                    deposed: c.deposed.clone(),
                    action: c.action,
                    reason: c.reason,
                    before: load(&c.before)?,
                    after: load(&c.after)?,
                    replace_paths: c.replace_paths.iter().filter_map(load_path).collect(),
                    provider: c.provider.clone(),
                    importing: c.importing.clone(),
                    create_before_destroy: c.create_before_destroy,
                    dependencies: c.dependencies.iter().filter_map(|d| d.parse().ok()).collect(),
                })
            })
            .collect::<Result<Vec<_>, PlanFileError>>()?;
        let prior_state = refilled(prior, stored, providers, &changes);
        let mut read = BTreeMap::new();
        for (name, json) in &self.read {
            let (address, value) = (address(name)?, load(json)?);
            if value.is_wholly_known() {
                read.insert(address, value);
            } else {
                // Its sensitive parts are not in the file: it is read again.
                changes.push(reread(address, value, providers));
            }
        }
        for change in &mut changes {
            refill_change(change, &prior_state, providers);
        }
        let targets = |texts: &[String]| texts.iter().filter_map(|t| t.parse::<Target>().ok()).collect();
        Ok(Plan {
            options: PlanOptions {
                mode: self.mode,
                skip_refresh: self.skip_refresh,
                targets: targets(&self.targets),
                excludes: targets(&self.excludes),
                ..PlanOptions::default()
            },
            changes,
            drift: vec![],
            outputs: self
                .outputs
                .iter()
                .map(|(k, (action, before, after))| {
                    let change = OutputChange { action: *action, before: load(before)?, after: load(after)? };
                    Ok((k.as_str().into(), change))
                })
                .collect::<Result<_, PlanFileError>>()?,
            variables,
            ephemeral: self.ephemeral,
            prior_state: State { serial: stored.serial, ..prior_state },
            stored_serial: stored.serial,
            created: vec![],
            journal: String::new(),
            read,
            checks: self.checks,
            diagnostics: Diagnostics::new(),
        })
    }

    fn variables(
        &self,
        stack: &Stack,
        given: &BTreeMap<Arc<str>, Value>,
    ) -> Result<BTreeMap<Arc<str>, Value>, PlanFileError> {
        let mut out = BTreeMap::new();
        let mut missing = vec![];
        for (name, json) in &self.variables {
            let Some(variable) = stack.root.variables.get(name.as_str()) else { continue };
            let value = match is_hidden(json) {
                false => load(json),
                true => variable
                    .prepare(given.get(name.as_str()).cloned())
                    .ok()
                    .filter(|v| save_variable(v, &self.salt) == *json),
            };
            match value {
                Some(value) => {
                    out.insert(name.as_str().into(), value);
                }
                None => missing.push(name.clone()),
            }
        }
        if !missing.is_empty() {
            return Err(PlanFileError::Variables(missing));
        }
        let ephemeral = stack.root.variables.iter().filter(|(_, v)| v.ephemeral);
        let (mut missing, mut surplus) = (vec![], vec![]);
        for (name, variable) in ephemeral {
            match (self.ephemeral.contains(name), given.get(name)) {
                (true, None) => missing.push(name.to_string()),
                (false, Some(_)) => surplus.push(name.to_string()),
                // What is wrong with a value is told where it is evaluated.
                (_, given) => {
                    if let Some(value) = variable.prepare(given.cloned()).ok().or(given.cloned()) {
                        out.insert(name.clone(), value);
                    }
                }
            }
        }
        match (missing.is_empty(), surplus.is_empty()) {
            (false, _) => Err(PlanFileError::EphemeralMissing(missing)),
            (_, false) => Err(PlanFileError::EphemeralGiven(surplus)),
            _ => Ok(out),
        }
    }
}

fn digests(stack: &Stack) -> Vec<(String, String)> {
    stack.sources.iter().map(|s| (s.path.clone(), hex(&Sha256::digest(s.text.as_bytes())))).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// A variable, so that its value is known again when it is given again: of a secret, what costs much to guess from.
fn save_variable(value: &Value, salt: &str) -> Json {
    save(value, &|secret| {
        // A fingerprint that cannot be made is like none that was: the variable must then be given in a new plan.
        let plain = to_plain_json(&secret.clone().unmarked_deep()).to_string();
        fingerprint(plain.as_bytes(), salt.as_bytes()).map_or(Json::Null, |digest| hex(&digest).into())
    })
}

/// Nothing at all of a secret.
fn no_digest(_: &Value) -> Json {
    Json::Null
}

/// A value with its types and unknown parts; of sensitive parts a digest only.
fn save(value: &Value, digest: &dyn Fn(&Value) -> Json) -> Json {
    if value.marks().contains(Marks::SENSITIVE) {
        let known = value.is_wholly_known() && !value.is_null();
        return json!({ "hidden": digest(value), "type": value.ty().to_json(), "null": value.is_null(), "known": known });
    }
    let list = |vs: &[Value]| vs.iter().map(|v| save(v, digest)).collect::<Vec<_>>();
    match value.kind() {
        Kind::Null(t) => json!({ "null": t.to_json() }),
        // What else is known of it has had its effect on the plan: what depended on it is known there.
        Kind::Unknown(t, _) => json!({ "unknown": t.to_json() }),
        Kind::Bool(_) | Kind::Number(_) | Kind::String(_) => to_plain_json(value),
        Kind::List(t, vs) => json!({ "list": list(vs), "of": t.to_json() }),
        Kind::Set(t, vs) => json!({ "set": list(vs), "of": t.to_json() }),
        Kind::Tuple(vs) => json!({ "tuple": list(vs) }),
        Kind::Map(t, vs) => {
            let vs: serde_json::Map<_, _> = vs.iter().map(|(k, v)| (k.to_string(), save(v, digest))).collect();
            json!({ "map": vs, "of": t.to_json() })
        }
        Kind::Object(vs) => {
            let vs: serde_json::Map<_, _> = vs.iter().map(|(k, v)| (k.to_string(), save(v, digest))).collect();
            json!({ "object": vs })
        }
    }
}

fn is_hidden(json: &Json) -> bool {
    json.get("hidden").is_some()
}

fn load(json: &Json) -> Option<Value> {
    let ty = |json: &Json| Type::from_json(json.get("of")?);
    let all = |vs: &Json| vs.as_array()?.iter().map(load).collect::<Option<Vec<_>>>();
    let named = |vs: &Json| {
        vs.as_object()?.iter().map(|(k, v)| Some((Arc::<str>::from(k.as_str()), load(v)?))).collect::<Option<Vec<_>>>()
    };
    Some(match json {
        Json::Object(fields) if is_hidden(json) => {
            let ty = Type::from_json(fields.get("type")?)?;
            let value = if fields.get("null")?.as_bool()? { Value::null(ty) } else { Value::unknown(ty) };
            value.sensitive()
        }
        Json::Object(fields) => match fields.iter().find(|(k, _)| *k != "of")? {
            (k, t) if k == "null" => Value::null(Type::from_json(t)?),
            (k, t) if k == "unknown" => Value::unknown(Type::from_json(t)?),
            (k, vs) if k == "list" => Value::list(ty(json)?, all(vs)?),
            (k, vs) if k == "set" => Value::set(ty(json)?, all(vs)?),
            (k, vs) if k == "tuple" => Value::tuple(all(vs)?),
            (k, vs) if k == "map" => Value::map(ty(json)?, named(vs)?),
            (k, vs) if k == "object" => Value::object(named(vs)?),
            _ => return None,
        },
        plain => from_json(plain, &Type::Dynamic).ok()?,
    })
}

fn save_path(path: &Path) -> Json {
    path.0
        .iter()
        .map(|step| match step {
            Step::Attr(name) => json!({ "attr": &**name }),
            Step::Key(name) => json!({ "key": &**name }),
            Step::Index(i) => json!(i),
            Step::Element(_) => Json::Null,
        })
        .collect()
}

fn load_path(json: &Json) -> Option<Path> {
    let step = |json: &Json| match json {
        Json::Number(n) => Some(Step::Index(n.as_u64()? as usize)),
        Json::Object(_) => match (json.get("attr"), json.get("key")) {
            (Some(name), _) => Some(Step::Attr(name.as_str()?.into())),
            (_, Some(name)) => Some(Step::Key(name.as_str()?.into())),
            _ => None,
        },
        _ => None,
    };
    Some(Path(json.as_array()?.iter().map(step).collect::<Option<_>>()?))
}

/// The state with sensitive attributes and outputs blanked out, and all attributes where it cannot be told which those are.
fn redacted(state: &State, providers: &Providers) -> State {
    let mut out = state.clone();
    for output in out.outputs.values_mut().filter(|o| o.sensitive) {
        output.value = Value::null(Type::Dynamic);
    }
    each_object(&mut out, &mut |address, _, object| {
        let Some((value, schema)) = decoded(address, object, providers) else {
            object.attributes = Attributes::default();
            return;
        };
        let hidden = value.marked_paths(Marks::SENSITIVE);
        if hidden.is_empty() {
            return;
        }
        let blank = hidden.iter().fold(value, |v, p| v.update_at(&p.0, &mut |v| Value::null(v.ty())));
        object.attributes = encode(&blank.unmarked_deep(), &schema.block.ty()).unwrap_or_default();
        object.schema_version = schema.version;
    });
    out
}

/// The opposite: blanks are filled from the stored state, where the object may have had another address.
fn refilled(prior: State, stored: &State, providers: &Providers, changes: &[Change]) -> State {
    let mut out = prior;
    for (name, output) in out.outputs.iter_mut().filter(|(_, o)| o.sensitive) {
        if let Some(known) = stored.outputs.get(name) {
            output.value = known.value.clone();
        }
    }
    each_object(&mut out, &mut |address, deposed, object| {
        let moved = changes.iter().find(|c| c.address == *address).and_then(|c| c.previous_address.as_ref());
        let Some(instance) = stored.get(moved.unwrap_or(address)) else { return };
        let Some(held) = deposed.map_or(instance.current.as_ref(), |key| instance.deposed.get(key)) else { return };
        if object.attributes.text().is_none() {
            object.attributes = held.attributes.clone();
            object.schema_version = held.schema_version;
            return;
        }
        let Some((value, schema)) = decoded(address, object, providers) else { return };
        let Some((known, _)) = decoded(address, held, providers) else { return };
        let hidden = known.marked_paths(Marks::SENSITIVE);
        if hidden.is_empty() {
            return;
        }
        let full =
            hidden.iter().fold(value, |v, p| v.update_at(&p.0, &mut |blank| known.at(p).cloned().unwrap_or(blank)));
        if let Ok(attributes) = encode(&full.unmarked_deep(), &schema.block.ty()) {
            object.attributes = attributes;
        }
    });
    out
}

/// A stored object of a resource or data source with its marks; `None` where it is of no type that is known, or cannot be
/// read as one.
fn decoded<'p>(
    address: &InstanceAddress,
    object: &ObjectState,
    providers: &'p Providers,
) -> Option<(Value, &'p Schema)> {
    let ty = &address.resource.ty;
    if address.resource.mode == Mode::Managed {
        let (_, resource) = providers.resource(ty)?;
        return Some((as_shown(ty, decode(resource, object).ok()?), resource.schema()));
    }
    let (_, source) = providers.data_source(ty)?;
    let schema = source.schema();
    let value = mark_sensitive(&schema.block, object.attributes.value(&schema.block.ty()).ok()?);
    let value = object.sensitive_attributes.iter().fold(value, |v, p| v.update_at(&p.0, &mut Value::sensitive));
    Some((as_shown(ty, value), schema))
}

fn each_object(state: &mut State, change: &mut dyn FnMut(&InstanceAddress, Option<&str>, &mut ObjectState)) {
    for (address, resource) in &mut state.resources {
        for (key, instance) in &mut resource.instances {
            let address = address.instance(key.clone());
            if let Some(object) = &mut instance.current {
                change(&address, None, object);
            }
            for (key, object) in &mut instance.deposed {
                change(&address, Some(key), object);
            }
        }
    }
}

/// Puts the sensitive values that state knows back into a change: the object as it is, and for a no-op as it stays.
fn refill_change(change: &mut Change, prior: &State, providers: &Providers) {
    let Some((_, resource)) = providers.resource(&change.address.resource.ty) else { return };
    let Some(instance) = prior.get(&change.address) else { return };
    let held = change.deposed.as_ref().map_or(instance.current.as_ref(), |key| instance.deposed.get(key));
    let Some(Ok(known)) = held.map(|o| decode(resource, o)) else { return };
    let fill = |value: &Value| {
        let hidden = value.marked_paths(Marks::SENSITIVE);
        hidden.iter().fold(value.clone(), |v, p| {
            v.update_at(&p.0, &mut |blank| known.at(p).cloned().unwrap_or(blank).sensitive())
        })
    };
    change.before = fill(&change.before);
    if change.action == Action::NoOp {
        change.after = fill(&change.after);
    }
}

fn reread(address: InstanceAddress, after: Value, providers: &Providers) -> Change {
    let source = providers.data_source(&address.resource.ty).map(|(p, _)| p.source()).unwrap_or_default();
    Change {
        provider: format!("provider[\"{source}\"]"),
        address,
        previous_address: None,
        deposed: None,
        action: Action::Read,
        reason: None,
        before: Value::null(after.ty()),
        after,
        replace_paths: vec![],
        importing: None,
        create_before_destroy: false,
        dependencies: Arc::default(),
    }
}
