//! Values as JSON, in the form that state files and plan files use.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value as Json;

use crate::{ConvertError, Kind, Number, Path, Step, Type, Value, convert};

/// A number as JSON, exactly.
pub fn number_to_json(n: &Number) -> serde_json::Number {
    match n.to_i64() {
        Some(int) if int != 0 => int.into(),
        // Zero may have a sign.
        _ => n.to_string().parse().unwrap_or_else(|_| 0.into()),
    }
}

/// The JSON form of a value; unknown values become null and marks are dropped (callers keep them as paths).
///
/// Where `ty` is [`Type::Dynamic`], the value is wrapped as `{"type": ..., "value": ...}`, as cty does.
pub fn to_json(value: &Value, ty: &Type) -> Json {
    if matches!(ty, Type::Dynamic) && !value.is_null() && value.is_known() {
        return serde_json::json!({ "type": value.ty().to_json(), "value": to_plain_json(value) });
    }
    match (value.kind(), ty) {
        (Kind::List(_, vs) | Kind::Set(_, vs), Type::List(t) | Type::Set(t)) => {
            vs.iter().map(|v| to_json(v, t)).collect()
        }
        (Kind::Map(_, vs), Type::Map(t)) => vs.iter().map(|(k, v)| (k.to_string(), to_json(v, t))).collect(),
        (Kind::Tuple(vs), Type::Tuple(ts)) => vs.iter().zip(ts.iter()).map(|(v, t)| to_json(v, t)).collect(),
        (Kind::Object(vs), Type::Object(ts)) => vs
            .iter()
            .map(|(k, v)| (k.to_string(), ts.get(k).map_or_else(|| to_plain_json(v), |t| to_json(v, t))))
            .collect(),
        _ => to_plain_json(value),
    }
}

/// The JSON form of a value without type wrappers (what `jsonencode` and outputs show).
pub fn to_plain_json(value: &Value) -> Json {
    match value.kind() {
        Kind::Null(_) | Kind::Unknown(..) => Json::Null,
        Kind::Bool(b) => Json::Bool(*b),
        Kind::Number(n) => Json::Number(number_to_json(n)),
        Kind::String(s) => Json::String(s.to_string()),
        Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => vs.iter().map(to_plain_json).collect(),
        Kind::Map(_, vs) | Kind::Object(vs) => vs.iter().map(|(k, v)| (k.to_string(), to_plain_json(v))).collect(),
    }
}

/// The value that a JSON document implies: objects, tuples, strings, numbers, bools and nulls (what `jsondecode` gives).
pub fn from_plain_json(json: &Json) -> Value {
    match json {
        Json::Null => Value::null(Type::Dynamic),
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => number_from_json(n).into(),
        Json::String(s) => s.as_str().into(),
        Json::Array(vs) => Value::tuple(vs.iter().map(from_plain_json).collect()),
        Json::Object(vs) => Value::object(vs.iter().map(|(k, v)| (k.as_str(), from_plain_json(v)))),
    }
}

fn number_from_json(n: &serde_json::Number) -> Number {
    n.to_string().parse().unwrap_or_else(|_| Number::from(0_i64))
}

/// Reads a value of a known type from its JSON form.
///
/// Attributes that the type lacks are left out and attributes that the JSON lacks are null, so that a state written by a
/// provider of a slightly older schema still loads.
///
/// # Errors
/// When the JSON does not fit the type.
pub fn from_json(json: &Json, ty: &Type) -> Result<Value, ConvertError> {
    let inside = |step: Step| {
        move |mut e: ConvertError| {
            e.path.0.insert(0, step);
            e
        }
    };
    Ok(match (json, ty) {
        (Json::Null, _) => Value::null(ty.clone()),
        (Json::Object(wrapped), Type::Dynamic) => {
            match (wrapped.get("type").and_then(Type::from_json), wrapped.get("value")) {
                (Some(t), Some(v)) if wrapped.len() == 2 => from_json(v, &t)?,
                _ => from_plain_json(json),
            }
        }
        (_, Type::Dynamic) => from_plain_json(json),
        (Json::Array(vs), Type::List(t) | Type::Set(t)) => {
            let vs = vs
                .iter()
                .enumerate()
                .map(|(i, v)| from_json(v, t).map_err(inside(Step::Index(i))))
                .collect::<Result<Vec<_>, _>>()?;
            if matches!(ty, Type::List(_)) { Value::list((**t).clone(), vs) } else { Value::set((**t).clone(), vs) }
        }
        (Json::Array(vs), Type::Tuple(ts)) => {
            Value::tuple(vs.iter().zip(ts.iter()).map(|(v, t)| from_json(v, t)).collect::<Result<_, _>>()?)
        }
        (Json::Object(vs), Type::Map(t)) => {
            let vs = vs
                .iter()
                .map(|(k, v)| {
                    Ok((Arc::from(k.as_str()), from_json(v, t).map_err(inside(Step::Key(k.as_str().into())))?))
                })
                .collect::<Result<BTreeMap<Arc<str>, Value>, _>>()?;
            Kind::Map((**t).clone(), Arc::new(vs)).into()
        }
        (Json::Object(vs), Type::Object(ts)) => {
            let vs = ts
                .iter()
                .map(|(k, t)| {
                    let v = vs.get(&**k).unwrap_or(&Json::Null);
                    Ok((k.clone(), from_json(v, t).map_err(inside(Step::Attr(k.clone())))?))
                })
                .collect::<Result<BTreeMap<Arc<str>, Value>, _>>()?;
            Kind::Object(Arc::new(vs)).into()
        }
        (Json::Array(_) | Json::Object(_), _) => {
            return Err(ConvertError { path: Path::root(), message: format!("{ty} is required") });
        }
        (_, _) => convert(&from_plain_json(json), ty)?,
    })
}
