//! What became of conditions, in the shape of the `checks` of Terraform's plan JSON.

use lakeform::{
    CheckKind, CheckResults, Checked,
    core::{ConfigAddress, InstanceAddress, InstanceKey},
};
use serde_json::{Map, Value as Json, json};

/// The `checks` array.
pub(crate) fn checks(results: &CheckResults) -> Json {
    results.0.iter().map(|(address, checked)| block(address, checked)).collect()
}

fn block(address: &str, checked: &Checked) -> Json {
    let mut out = json!({ "address": block_address(address, checked.kind), "status": checked.status().name() });
    let objects = checked.objects.iter().flatten().map(|(address, object)| {
        let mut out = json!({ "address": object_address(address, checked.kind), "status": object.status.name() });
        if !object.messages.is_empty() {
            out["problems"] = object.messages.iter().map(|m| json!({ "message": m })).collect();
        }
        out
    });
    let objects: Vec<Json> = objects.collect();
    if !objects.is_empty() {
        out["instances"] = objects.into();
    }
    out
}

fn block_address(address: &str, kind: CheckKind) -> Json {
    let mut out = Map::new();
    out.insert("to_display".into(), address.into());
    out.insert("kind".into(), if kind == CheckKind::Output { "output_value" } else { kind.name() }.into());
    if kind != CheckKind::Resource {
        let (module, name) = split(address);
        out.insert("name".into(), name.into());
        module.map(|module| out.insert("module".into(), module.into()));
    } else if let Ok(resource) = address.parse::<ConfigAddress>() {
        out.insert("mode".into(), resource.mode.name().into());
        out.insert("type".into(), (*resource.ty).into());
        out.insert("name".into(), (*resource.name).into());
        if !resource.module.is_root() {
            out.insert("module".into(), resource.module.to_string().into());
        }
    }
    out.into()
}

fn object_address(address: &str, kind: CheckKind) -> Json {
    let mut out = Map::new();
    out.insert("to_display".into(), address.into());
    if kind != CheckKind::Resource {
        split(address).0.map(|module| out.insert("module".into(), module.into()));
    } else if let Ok(instance) = address.parse::<InstanceAddress>() {
        if !instance.resource.module.is_root() {
            out.insert("module".into(), instance.resource.module.to_string().into());
        }
        match instance.key {
            Some(InstanceKey::Int(n)) => drop(out.insert("instance_key".into(), n.into())),
            Some(InstanceKey::String(key)) => drop(out.insert("instance_key".into(), (*key).into())),
            None => {}
        }
    }
    out.into()
}

/// Module and name of `module.m["k"].check.NAME`.
fn split(address: &str) -> (Option<&str>, &str) {
    let mut parts = address.rsplitn(3, '.');
    let name = parts.next().unwrap_or_default();
    let _kind = parts.next();
    (parts.next(), name)
}
