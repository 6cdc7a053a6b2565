//! Paths of sensitive attributes in Terraform's form: `[{"type":"get_attr","value":"password"}, ...]`.

use lakeform_core::{Path, Step, Type, Value, json};
use serde_json::Value as Json;

use crate::raw::Layout;

/// Writes a path in the order of fields that Terraform writes.
pub(crate) fn write(out: &mut Layout, path: &Path) {
    out.push("[");
    for (i, step) in path.0.iter().enumerate() {
        out.push(if i > 0 { ",{" } else { "{" });
        match step {
            Step::Attr(name) => {
                out.push("\"type\":\"get_attr\",\"value\":");
                out.push_str(name);
            }
            Step::Index(n) => index(out, &n.to_string(), &Type::Number),
            Step::Key(key) => index(out, &Json::from(&**key).to_string(), &Type::String),
            Step::Element(value) => {
                let ty = value.ty();
                index(out, &json::to_json(value, &ty).to_string(), &ty);
            }
        }
        out.push("}");
    }
    out.push("]");
}

fn index(out: &mut Layout, value: &str, ty: &Type) {
    out.push(&format!("\"type\":\"index\",\"value\":{{\"value\":{value},\"type\":{}}}", ty.to_json()));
}

/// The path that a state file has; `None` if it is none.
pub(crate) fn from_json(json: &Json) -> Option<Path> {
    json.as_array()?.iter().map(step_from_json).collect::<Option<Vec<_>>>().map(Path)
}

fn step_from_json(step: &Json) -> Option<Step> {
    let value = step.get("value")?;
    match step.get("type")?.as_str()? {
        "get_attr" => Some(Step::Attr(value.as_str()?.into())),
        "index" => {
            let key: Value = json::from_json(value, &Type::Dynamic).ok()?;
            Some(match (key.as_str(), key.as_i64()) {
                (Some(text), _) => Step::Key(text.into()),
                (None, Some(n)) => Step::Index(usize::try_from(n).ok()?),
                (None, None) => Step::Element(key),
            })
        }
        _ => None,
    }
}
