//! Equality of the language: of values and of their types.

use lakeform_core::{Kind, Type, Value};

/// Whether two values are equal; `None` where that is not known yet.
pub(crate) fn equal(a: &Value, b: &Value) -> Option<bool> {
    match (a.kind(), b.kind()) {
        (Kind::Unknown(a), Kind::Unknown(b)) => maybe(a, b),
        (Kind::Null(_), Kind::Unknown(_)) | (Kind::Unknown(_), Kind::Null(_)) => None,
        (Kind::Unknown(ty), _) => maybe(ty, &b.ty()),
        (_, Kind::Unknown(ty)) => maybe(&a.ty(), ty),
        (Kind::Null(_), Kind::Null(_)) => Some(true),
        (Kind::Bool(a), Kind::Bool(b)) => Some(a == b),
        (Kind::Number(a), Kind::Number(b)) => Some(a == b),
        (Kind::String(a), Kind::String(b)) => Some(a == b),
        (Kind::List(t, a), Kind::List(u, b)) if types_meet(t, u) => sequences(a, b),
        (Kind::Tuple(a), Kind::Tuple(b)) => sequences(a, b),
        (Kind::Set(t, x), Kind::Set(u, y)) if types_meet(t, u) => {
            if a.is_wholly_known() && b.is_wholly_known() {
                Some(x == y)
            } else {
                None
            }
        }
        (Kind::Map(t, a), Kind::Map(u, b)) if types_meet(t, u) => mappings(a, b),
        (Kind::Object(a), Kind::Object(b)) => mappings(a, b),
        _ => Some(false),
    }
}

/// Values of different types are never equal; of one type they may be.
fn maybe(a: &Type, b: &Type) -> Option<bool> {
    if types_meet(a, b) { None } else { Some(false) }
}

fn types_meet(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dynamic, _) | (_, Type::Dynamic) => true,
        (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => {
            types_meet(a, b)
        }
        (Type::Tuple(a), Type::Tuple(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| types_meet(a, b)),
        (Type::Object(a), Type::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|((k, a), (l, b))| k == l && types_meet(a, b))
        }
        (a, b) => a == b,
    }
}

fn sequences(a: &[Value], b: &[Value]) -> Option<bool> {
    if a.len() != b.len() {
        return Some(false);
    }
    all(a.iter().zip(b))
}

fn mappings<K: PartialEq>(
    a: &std::collections::BTreeMap<K, Value>,
    b: &std::collections::BTreeMap<K, Value>,
) -> Option<bool> {
    if !a.keys().eq(b.keys()) {
        return Some(false);
    }
    all(a.values().zip(b.values()))
}

/// One difference settles it; else one unknown leaves it open.
fn all<'v>(pairs: impl Iterator<Item = (&'v Value, &'v Value)>) -> Option<bool> {
    let mut answer = Some(true);
    for (a, b) in pairs {
        match equal(a, b) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => answer = None,
        }
    }
    answer
}
