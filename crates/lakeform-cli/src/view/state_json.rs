//! A state in the shape of Terraform's state JSON (format 1.0): what `show --json` prints.

use std::collections::BTreeMap;

use lakeform::{
    Providers, as_shown,
    core::{InstanceAddress, Marks, ModuleInstance, Path, Step, Value, json as value_json},
    lang::Schemas,
    state::{ObjectState, State},
};
use serde_json::{Map, Value as Json, json};

use super::{plan_json::identity, values_json};

/// The whole document.
pub(crate) fn state(state: &State, providers: &Providers) -> Json {
    let mut out = json!({ "format_version": "1.0", "terraform_version": lakeform::state::TERRAFORM_VERSION });
    if let (Json::Object(out), false) = (&mut out, state.is_empty()) {
        out.insert("values".into(), values(state, providers));
    }
    out
}

fn values(state: &State, providers: &Providers) -> Json {
    let outputs = state.outputs.iter().map(|(name, output)| {
        let value = if output.sensitive { output.value.clone().sensitive() } else { output.value.clone() };
        let record = json!({
            "sensitive": output.sensitive,
            "value": values_json::known(&value),
            "type": output.value.ty().to_json(),
        });
        (name.clone(), record)
    });
    let mut root = ModuleTree::default();
    for (address, instance) in state.iter() {
        let provider = state.resources.get(&address.resource).map_or("", |r| r.provider.as_str());
        let current = instance.current.iter().map(|object| (None, object));
        for (deposed, object) in current.chain(instance.deposed.iter().map(|(key, object)| (Some(key), object))) {
            let mut record = identity(&address, provider);
            record.remove("module_address");
            record.insert("schema_version".into(), object.schema_version.into());
            let value = object_value(&address, object, providers);
            record.insert("values".into(), values_json::known(&value));
            record.insert("sensitive_values".into(), values_json::sensitive(&value));
            if !object.dependencies.is_empty() {
                let each = object.dependencies.iter().map(|d| Json::from(d.to_string()));
                record.insert("depends_on".into(), each.collect());
            }
            if object.tainted {
                record.insert("tainted".into(), true.into());
            }
            if let Some(key) = deposed {
                record.insert("deposed_key".into(), key.as_str().into());
            }
            root.insert(&address.resource.module, record.into());
        }
    }
    let mut out = Map::new();
    let outputs: Map<String, Json> = outputs.collect();
    if !outputs.is_empty() {
        out.insert("outputs".into(), outputs.into());
    }
    out.insert("root_module".into(), root.into_json());
    out.into()
}

/// A stored object with its sensitive parts marked: those that state names and those that the schema does.
pub(crate) fn object_value(address: &InstanceAddress, object: &ObjectState, providers: &Providers) -> Value {
    let ty = &address.resource.ty;
    let schema = Schemas::resource(providers, address.resource.mode, ty);
    let typed = schema.and_then(|s| object.attributes.value(&s.block.ty()).ok());
    let mut value = typed
        .or_else(|| object.attributes.json().ok().map(|json| value_json::from_plain_json(&json)))
        .unwrap_or_else(|| Value::null(lakeform::core::Type::Dynamic));
    for path in &object.sensitive_attributes {
        value = value.update_at(&path.0, &mut |v| v.with_marks(Marks::SENSITIVE));
    }
    as_shown(ty, values_json::mark(&value, schema.map(|s| &s.block)))
}

/// A path as a list of names and indexes.
pub(crate) fn path(path: &Path) -> Json {
    let step = |step: &Step| match step {
        Step::Attr(name) | Step::Key(name) => Json::from(&**name),
        Step::Index(i) => (*i).into(),
        Step::Element(v) => values_json::known(v),
    };
    path.0.iter().map(step).collect()
}

/// Records by the module instance that they are in.
#[derive(Default)]
pub(crate) struct ModuleTree {
    resources: Vec<Json>,
    children: BTreeMap<ModuleInstance, ModuleTree>,
}

impl ModuleTree {
    /// Adds a record.
    pub(crate) fn insert(&mut self, module: &ModuleInstance, record: Json) {
        let mut at = self;
        for depth in 1..=module.0.len() {
            at = at.children.entry(ModuleInstance(module.0[..depth].into())).or_default();
        }
        at.resources.push(record);
    }

    /// `{"resources": [...], "child_modules": [...]}`
    pub(crate) fn into_json(self) -> Json {
        let mut out = Map::new();
        if !self.resources.is_empty() {
            out.insert("resources".into(), self.resources.into());
        }
        let children = self.children.into_iter().map(|(address, tree)| {
            let mut child = tree.into_json();
            child["address"] = address.to_string().into();
            child
        });
        let children: Vec<Json> = children.collect();
        if !children.is_empty() {
            out.insert("child_modules".into(), children.into());
        }
        out.into()
    }
}
