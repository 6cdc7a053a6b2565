//! Values in plan and state JSON: known parts, unknown parts and sensitive parts, each in Terraform's form.

use lakeform::core::{Block, Kind, Nesting, Type, Value, json as plain};
use serde_json::{Map, Value as Json, json};

/// What stands for a secret string: plan and state JSON go into logs and scanners.
pub(crate) const HIDDEN: &str = "(sensitive value)";

/// The known parts of a value: unknown attributes are left out, unknown elements are null, secrets are replaced.
pub(crate) fn known(value: &Value) -> Json {
    part(value).unwrap_or(Json::Null)
}

fn part(value: &Value) -> Option<Json> {
    if value.is_sensitive() {
        return match value.kind() {
            Kind::Unknown(..) => None,
            Kind::String(_) => Some(HIDDEN.into()),
            _ => Some(Json::Null),
        };
    }
    Some(match value.kind() {
        Kind::Unknown(..) => return None,
        Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => vs.iter().map(known).collect(),
        Kind::Map(_, vs) | Kind::Object(vs) => {
            vs.iter().filter_map(|(k, v)| Some((k.to_string(), part(v)?))).collect::<Map<_, _>>().into()
        }
        _ => plain::to_plain_json(value),
    })
}

/// Which parts are known after apply: `true` for those, and only the way to them.
pub(crate) fn unknown(value: &Value) -> Json {
    flags(value, &|v| !v.is_known())
}

/// Which parts are sensitive: `true` for those, and only the way to them.
pub(crate) fn sensitive(value: &Value) -> Json {
    flags(value, &Value::is_sensitive)
}

/// What stands for an unknown value without a flag: nothing is said about its parts.
fn unknown_parts(ty: &Type) -> Json {
    match ty {
        Type::List(_) | Type::Set(_) | Type::Tuple(_) => json!([]),
        Type::Map(_) | Type::Object(..) => json!({}),
        _ => false.into(),
    }
}

fn flags(value: &Value, flag: &dyn Fn(&Value) -> bool) -> Json {
    if flag(value) {
        return true.into();
    }
    match value.kind() {
        Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => vs.iter().map(|v| flags(v, flag)).collect(),
        Kind::Map(_, vs) | Kind::Object(vs) => {
            let each = vs.iter().map(|(k, v)| (k.to_string(), flags(v, flag)));
            each.filter(|(_, v)| *v != Json::Bool(false)).collect::<Map<_, _>>().into()
        }
        Kind::Unknown(..) => unknown_parts(&value.ty()),
        _ => false.into(),
    }
}

/// The value with everything that the schema calls sensitive marked so.
pub(crate) fn mark(value: &Value, schema: Option<&Block>) -> Value {
    let Some(schema) = schema.filter(|s| has_sensitive(s)) else { return value.clone() };
    let Some(entries) = value.as_mapping() else { return value.clone() };
    let mut out = value.clone();
    for (name, v) in entries {
        if schema.attributes.get(name).is_some_and(|a| a.sensitive) && !v.is_null() {
            out.set_attr(name.clone(), v.clone().sensitive());
        } else if let Some(nested) = schema.blocks.get(name).filter(|n| has_sensitive(&n.block)) {
            let marked = match v.kind() {
                Kind::Object(_) if nested.nesting != Nesting::Map => mark(v, Some(&nested.block)),
                // A set cannot hold a marked part: it is marked as a whole.
                Kind::Set(..) => v.clone().sensitive(),
                _ => v.clone().map_children(|v| mark(&v, Some(&nested.block))),
            };
            out.set_attr(name.clone(), marked);
        }
    }
    out
}

fn has_sensitive(schema: &Block) -> bool {
    schema.attributes.values().any(|a| a.sensitive) || schema.blocks.values().any(|n| has_sensitive(&n.block))
}
