//! A plan in the shape of Terraform's plan JSON (format 1.2), which scanners and policy tools read.

use lakeform::{
    Action, Change, LoadedStack, Plan, PlanMode, Providers,
    core::{Block, InstanceAddress, InstanceKey, Value},
    lang::Schemas,
};
use serde_json::{Map, Value as Json, json};

use super::{checks_json, config_json, plan::schema, state_json, values_json};

/// The whole document. `timestamp` is when it was made, RFC 3339.
pub(crate) fn plan(plan: &Plan, loaded: &LoadedStack, timestamp: &str) -> Json {
    let providers = loaded.providers();
    let changes: Vec<Json> = plan.changes.iter().map(|c| change(c, providers)).collect();
    let mut out = json!({
        "format_version": "1.2",
        "terraform_version": lakeform::state::TERRAFORM_VERSION,
        "lakeform_version": lakeform::VERSION,
        "variables": variables(plan),
        "planned_values": planned_values(plan, providers),
        "resource_changes": changes,
        "output_changes": output_changes(plan),
        "prior_state": state_json::state(&plan.prior_state, providers),
        "configuration": config_json::configuration(loaded.stack(), providers),
        "timestamp": timestamp,
        "applyable": plan.has_changes(),
        "complete": plan.options.targets.is_empty() && plan.options.excludes.is_empty(),
        "errored": false,
    });
    if let (Json::Object(out), false) = (&mut out, plan.checks.0.is_empty()) {
        out.insert("checks".into(), checks_json::checks(&plan.checks));
    }
    let drift: Vec<Json> = plan.drift.iter().map(|d| drift(d, providers)).collect();
    if let (Json::Object(out), false) = (&mut out, drift.is_empty()) {
        out.insert("resource_drift".into(), drift.into());
    }
    out
}

fn variables(plan: &Plan) -> Json {
    let kept = plan.variables.iter().filter(|(_, v)| !v.is_ephemeral());
    let each = kept.map(|(name, v)| (name.to_string(), json!({ "value": values_json::known(v) })));
    each.collect::<Map<_, _>>().into()
}

/// What every record of an instance begins with.
pub(crate) fn identity(address: &InstanceAddress, provider: &str) -> Map<String, Json> {
    let mut out = Map::new();
    out.insert("address".into(), address.to_string().into());
    if !address.resource.module.is_root() {
        out.insert("module_address".into(), address.resource.module.to_string().into());
    }
    out.insert("mode".into(), address.resource.mode.name().into());
    out.insert("type".into(), (*address.resource.ty).into());
    out.insert("name".into(), (*address.resource.name).into());
    match &address.key {
        Some(InstanceKey::Int(n)) => drop(out.insert("index".into(), (*n).into())),
        Some(InstanceKey::String(s)) => drop(out.insert("index".into(), (**s).into())),
        None => {}
    }
    out.insert("provider_name".into(), provider_name(provider).into());
    out
}

/// `registry.terraform.io/hashicorp/aws` of `provider["registry.terraform.io/hashicorp/aws"].replica`.
pub(crate) fn provider_name(provider: &str) -> &str {
    provider.split('"').nth(1).unwrap_or(provider)
}

/// `before`, `after` and what is unknown and sensitive in them.
fn sides(before: &Value, after: &Value, schema: Option<&Block>) -> Map<String, Json> {
    let (before, after) = (values_json::mark(before, schema), values_json::mark(after, schema));
    let flag = |v: &Value, f: fn(&Value) -> Json| if v.is_null() { false.into() } else { f(v) };
    [
        ("before", values_json::known(&before)),
        ("after", values_json::known(&after)),
        // Where everything is known, Terraform says so in this way.
        ("after_unknown", if after.is_wholly_known() { json!({}) } else { values_json::unknown(&after) }),
        ("before_sensitive", flag(&before, values_json::sensitive)),
        ("after_sensitive", flag(&after, values_json::sensitive)),
    ]
    .into_iter()
    .map(|(name, v)| (name.to_owned(), v))
    .collect()
}

fn change(change: &Change, providers: &Providers) -> Json {
    let mut out = identity(&change.address, &change.provider);
    if let Some(from) = &change.previous_address {
        out.insert("previous_address".into(), from.to_string().into());
    }
    if let Some(key) = &change.deposed {
        out.insert("deposed".into(), key.as_str().into());
    }
    let mut inner = Map::from_iter([("actions".to_owned(), json!(change.action.names()))]);
    inner.extend(sides(&change.before, &change.after, schema(providers, &change.address)));
    if !change.replace_paths.is_empty() {
        inner.insert("replace_paths".into(), change.replace_paths.iter().map(state_json::path).collect());
    }
    if let Some(id) = &change.importing {
        inner.insert("importing".into(), json!({ "id": id }));
    }
    out.insert("change".into(), inner.into());
    if let Some(reason) = change.reason {
        out.insert("action_reason".into(), reason.name().into());
    }
    out.into()
}

fn drift(drift: &lakeform::Drift, providers: &Providers) -> Json {
    let provider = providers
        .resource(&drift.address.resource.ty)
        .map_or_else(String::new, |(provider, _)| provider.source().to_owned());
    let mut out = identity(&drift.address, &provider);
    let action = if drift.after.is_null() { Action::Delete } else { Action::Update };
    let mut inner = Map::from_iter([("actions".to_owned(), json!(action.names()))]);
    inner.extend(sides(&drift.before, &drift.after, schema(providers, &drift.address)));
    out.insert("change".into(), inner.into());
    out.into()
}

fn output_changes(plan: &Plan) -> Json {
    let each = plan.outputs.iter().map(|(name, output)| {
        let sensitive = output.before.is_sensitive() || output.after.is_sensitive();
        let record = json!({
            "actions": output.action.names(),
            "before": values_json::known(&output.before),
            "after": values_json::known(&output.after),
            "after_unknown": match output.after.is_wholly_known() {
                true => false.into(),
                false => values_json::unknown(&output.after),
            },
            "before_sensitive": sensitive,
            "after_sensitive": sensitive,
        });
        (name.to_string(), record)
    });
    each.collect::<Map<_, _>>().into()
}

/// What there will be after apply, as far as it is known.
fn planned_values(plan: &Plan, providers: &Providers) -> Json {
    let outputs = plan.outputs.iter().filter(|(_, o)| o.action != Action::Delete).map(|(name, output)| {
        let mut record = Map::from_iter([("sensitive".to_owned(), Json::Bool(output.after.is_sensitive()))]);
        if output.after.is_known() {
            record.insert("type".into(), output.after.ty().to_json());
            record.insert("value".into(), values_json::known(&output.after));
        }
        (name.to_string(), Json::Object(record))
    });
    let mut root = state_json::ModuleTree::default();
    let kept = plan
        .changes
        .iter()
        .filter(|c| c.deposed.is_none() && !c.after.is_null() && !matches!(c.action, Action::Delete | Action::Forget));
    for change in kept.filter(|_| plan.options.mode != PlanMode::Destroy) {
        let schema = Schemas::resource(providers, change.address.resource.mode, &change.address.resource.ty);
        let value = values_json::mark(&change.after, schema.map(|s| &s.block));
        let mut record = identity(&change.address, &change.provider);
        record.remove("module_address");
        record.insert("schema_version".into(), schema.map_or(0, |s| s.version).into());
        record.insert("values".into(), values_json::known(&value));
        record.insert("sensitive_values".into(), values_json::sensitive(&value));
        root.insert(&change.address.resource.module, record.into());
    }
    let mut out = Map::new();
    let outputs: Map<String, Json> = outputs.collect();
    if !outputs.is_empty() {
        out.insert("outputs".into(), outputs.into());
    }
    out.insert("root_module".into(), root.into_json());
    out.into()
}
