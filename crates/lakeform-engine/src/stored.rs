//! Objects between state and values: decoding, encoding, marks.

use lakeform_core::{Diagnostic, InstanceAddress, Marks, Type, Value};
use lakeform_provider::AnyResource;
use lakeform_state::{Attributes, ObjectState, State};

use crate::{calls::id_of, diff::mark_sensitive};

/// The stored object as a value of the type's present schema, with its marks.
pub(crate) fn decode(resource: &dyn AnyResource, object: &ObjectState) -> Result<Value, Diagnostic> {
    let schema = resource.schema();
    let ty = schema.block.ty();
    let unreadable = |why: String| {
        Diagnostic::error("The stored object cannot be read")
            .detail(why)
            .help("if the state was not edited by hand, this is a bug in lakeform: report it")
    };
    if object.schema_version > schema.version {
        return Err(unreadable(format!(
            "it was written with schema version {}, and this lakeform knows {}",
            object.schema_version, schema.version
        )));
    }
    let value = if object.schema_version < schema.version {
        let stored = object.attributes.value(&Type::Dynamic).map_err(|e| unreadable(e.to_string()))?;
        let upgraded = resource.upgrade(object.schema_version, stored);
        let upgraded =
            upgraded.ok_or_else(|| unreadable(format!("schema version {} is too old", object.schema_version)))?;
        schema
            .block
            .coerce(&upgraded)
            .map_err(|e| unreadable(e.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")))?
    } else {
        object.attributes.value(&ty).map_err(|e| unreadable(format!("{}: {e}", e.path)))?
    };
    let value = mark_sensitive(&schema.block, value);
    Ok(object.sensitive_attributes.iter().fold(value, |v, path| v.update_at(&path.0, &mut Value::sensitive)))
}

/// The attributes of an object as state stores them.
pub(crate) fn encode(value: &Value, ty: &Type) -> Result<Attributes, lakeform_state::AttributesError> {
    Attributes::from_value(value, ty)
}

/// The value with what another value of the same shape has marked sensitive. Nothing ephemeral is in an object.
pub(crate) fn remark(marked: &Value, value: Value) -> Value {
    let paths = marked.marked_paths(Marks::SENSITIVE);
    paths.iter().fold(value, |v, path| v.update_at(&path.0, &mut Value::sensitive))
}

/// Whether the state holds an object under another address than this: then it is not the one that is looked for here. Objects of
/// some types share their `id` with others (a permission has that of its statement): `identity` tells them apart.
pub(crate) fn is_held(state: &State, address: &InstanceAddress, object: &Value, identity: &[&str]) -> bool {
    let Some(id) = id_of(object) else { return false };
    let same = |o: &ObjectState| {
        let Ok(json) = o.attributes.json() else { return false };
        let is = |name: &str, text: &str| json.get(name).and_then(|v| v.as_str()) == Some(text);
        let agrees = |name: &&str| object.get(name).and_then(Value::as_str).is_none_or(|text| is(name, text));
        is("id", id) && identity.iter().all(agrees)
    };
    let others = state.iter().filter(|(a, _)| a.resource.ty == address.resource.ty && a != address);
    others.into_iter().any(|(_, i)| i.current.iter().chain(i.deposed.values()).any(same))
}

#[cfg(test)]
mod tests {
    use lakeform_state::Attributes;

    use super::*;

    #[test]
    fn objects_that_share_an_id_are_told_apart_by_their_identity() {
        let mut state = State::new("x");
        let other: InstanceAddress = "aws_lambda_permission.other".parse().unwrap();
        let json = serde_json::json!({ "id": "Schedule", "function_name": "other", "qualifier": "" });
        let held = ObjectState { attributes: Attributes::from(&json), ..ObjectState::default() };
        state.set_current(&other, "provider", held);
        let address: InstanceAddress = "aws_lambda_permission.this".parse().unwrap();
        let identity = ["function_name", "qualifier"];
        let of =
            |function: &str| Value::object([("id", Value::from("Schedule")), ("function_name", Value::from(function))]);
        assert!(!is_held(&state, &address, &of("this"), &identity));
        assert!(is_held(&state, &address, &of("other"), &identity));
        assert!(is_held(&state, &address, &of("this"), &[]));
        assert!(!is_held(&state, &other, &of("other"), &identity), "it is the one that is looked for");
    }
}
