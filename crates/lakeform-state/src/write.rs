//! The state as bytes, in the layout and order that Terraform writes.

use lakeform_core::{InstanceKey, ResourceAddress, json};

use crate::{
    Extra, ObjectState, ResourceState, State, paths,
    raw::{Layout, RawJson},
};

/// The version that lakeform writes into a state: Terraform refuses a state that a newer version than itself wrote.
pub const TERRAFORM_VERSION: &str = "1.11.4";

impl State {
    /// The state file: version 4, indented by two spaces, with a newline at the end.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Layout::indented(self.size_hint());
        out.push(&format!("{{\"version\":4,\"terraform_version\":\"{TERRAFORM_VERSION}\",\"serial\":{}", self.serial));
        out.push(",\"lineage\":");
        out.push_str(&self.lineage);
        out.push(",\"outputs\":{");
        for (i, (name, output)) in self.outputs.iter().enumerate() {
            comma(&mut out, i);
            out.push_str(name);
            let ty = output.value.ty();
            out.push(&format!(":{{\"value\":{},\"type\":{}", json::to_json(&output.value, &ty), ty.to_json()));
            out.push(if output.sensitive { ",\"sensitive\":true}" } else { "}" });
        }
        out.push("},\"resources\":[");
        for (i, (module, address, resource)) in self.in_file_order().into_iter().enumerate() {
            comma(&mut out, i);
            write_resource(&mut out, &module, address, resource);
        }
        out.push("],\"check_results\":");
        out.push(self.check_results.as_ref().map_or("null", RawJson::text));
        write_extra(&mut out, &self.extra);
        out.push("}");
        let mut text = out.finish();
        text.push('\n');
        text.into_bytes()
    }

    /// About as many bytes as will be written, so that a large state is not copied while it grows.
    fn size_hint(&self) -> usize {
        let instances = self.resources.values().flat_map(|resource| resource.instances.values());
        let objects = instances.flat_map(|instance| instance.current.iter().chain(instance.deposed.values()));
        objects
            .map(|object| {
                let attributes = object.attributes.text().map_or(0, str::len);
                512 + attributes + object.private.as_ref().map_or(0, String::len) + 56 * object.dependencies.len()
            })
            .sum::<usize>()
            + 1024
    }

    /// Terraform sorts by the texts of module, mode, type and name.
    fn in_file_order(&self) -> Vec<(String, &ResourceAddress, &ResourceState)> {
        let mut all: Vec<_> =
            self.resources.iter().map(|(address, r)| (address.module.to_string(), address, r)).collect();
        all.sort_by(|(am, a, _), (bm, b, _)| {
            (am, a.mode.name(), &a.ty, &a.name).cmp(&(bm, b.mode.name(), &b.ty, &b.name))
        });
        all
    }
}

impl ObjectState {
    /// One object as it stands in a state file, on its own.
    pub fn to_json(&self) -> serde_json::Value {
        let mut out = Layout::compact();
        write_object(&mut out, None, None, self);
        serde_json::from_str(&out.finish()).unwrap_or_default()
    }
}

fn comma(out: &mut Layout, i: usize) {
    if i > 0 {
        out.push(",");
    }
}

fn write_extra(out: &mut Layout, extra: &Extra) {
    for (name, value) in extra {
        out.push(",");
        out.push_str(name);
        out.push(":");
        out.push(value.text());
    }
}

fn write_resource(out: &mut Layout, module: &str, address: &ResourceAddress, resource: &ResourceState) {
    out.push("{");
    if !module.is_empty() {
        out.push("\"module\":");
        out.push_str(module);
        out.push(",");
    }
    out.push(&format!("\"mode\":\"{}\",\"type\":", address.mode.name()));
    out.push_str(&address.ty);
    out.push(",\"name\":");
    out.push_str(&address.name);
    out.push(",\"provider\":");
    out.push_str(&resource.provider);
    out.push(",\"instances\":[");
    let mut i = 0;
    for (key, instance) in &resource.instances {
        let current = instance.current.iter().map(|object| (None, object));
        for (deposed, object) in current.chain(instance.deposed.iter().map(|(key, object)| (Some(key), object))) {
            comma(out, i);
            write_object(out, key.as_ref(), deposed, object);
            i += 1;
        }
    }
    out.push("]");
    write_extra(out, &resource.extra);
    out.push("}");
}

fn write_object(out: &mut Layout, key: Option<&InstanceKey>, deposed: Option<&String>, object: &ObjectState) {
    out.push("{");
    match key {
        None => {}
        Some(InstanceKey::Int(n)) => out.push(&format!("\"index_key\":{n},")),
        Some(InstanceKey::String(key)) => {
            out.push("\"index_key\":");
            out.push_str(key);
            out.push(",");
        }
    }
    if object.tainted {
        out.push("\"status\":\"tainted\",");
    }
    if let Some(deposed) = deposed {
        out.push("\"deposed\":");
        out.push_str(deposed);
        out.push(",");
    }
    out.push(&format!("\"schema_version\":{}", object.schema_version));
    if let Some(attributes) = object.attributes.text() {
        out.push(",\"attributes\":");
        out.push(attributes);
    }
    out.push(",\"sensitive_attributes\":[");
    for (i, path) in object.sensitive_attributes.iter().enumerate() {
        comma(out, i);
        paths::write(out, path);
    }
    out.push("]");
    if let Some(private) = &object.private {
        out.push(",\"private\":");
        out.push_str(private);
    }
    if !object.dependencies.is_empty() {
        out.push(",\"dependencies\":[");
        for (i, dependency) in object.dependencies.iter().enumerate() {
            comma(out, i);
            out.push_str(&dependency.to_string());
        }
        out.push("]");
    }
    if object.create_before_destroy {
        out.push(",\"create_before_destroy\":true");
    }
    write_extra(out, &object.extra);
    out.push("}");
}
