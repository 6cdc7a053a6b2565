//! Equality of the language: of values and of their types.

use lakeform_core::{Kind, Type, Value};

/// Whether two values are equal; `None` where that is not known yet.
pub(crate) fn equal(a: &Value, b: &Value) -> Option<bool> {
    match (a.kind(), b.kind()) {
        (Kind::Unknown(..), Kind::Unknown(..)) => None,
        (Kind::Unknown(ty, _), _) => unlike(b, a, ty),
        (_, Kind::Unknown(ty, _)) => unlike(a, b, ty),
        (Kind::Null(_), Kind::Null(_)) => Some(true),
        (Kind::Null(_), _) | (_, Kind::Null(_)) => Some(false),
        (Kind::Bool(a), Kind::Bool(b)) => Some(a == b),
        (Kind::Number(a), Kind::Number(b)) => Some(a == b),
        (Kind::String(a), Kind::String(b)) => Some(a == b),
        _ => {
            let (t, u) = (a.ty(), b.ty());
            if has_open_type(a) || has_open_type(b) {
                // Of any type yet: only what can never be of one type is certain.
                return if conforms(&t, &u) || conforms(&u, &t) { None } else { Some(false) };
            }
            if t == u { contents(a, b) } else { Some(false) }
        }
    }
}

/// Whether two values of one type are equal.
fn contents(a: &Value, b: &Value) -> Option<bool> {
    match (a.kind(), b.kind()) {
        (Kind::List(_, a), Kind::List(_, b)) | (Kind::Tuple(a), Kind::Tuple(b)) => sequences(a, b),
        (Kind::Map(_, a), Kind::Map(_, b)) | (Kind::Object(a), Kind::Object(b)) => mappings(a, b),
        (Kind::Set(_, x), Kind::Set(_, y)) if a.is_wholly_known() && b.is_wholly_known() => Some(x == y),
        (Kind::Set(..), Kind::Set(..)) => None,
        _ => equal(a, b),
    }
}

/// Whether something in a value may turn out to be of any type.
fn has_open_type(value: &Value) -> bool {
    match value.kind() {
        Kind::Unknown(ty, _) => !ty.is_wholly_known(),
        _ => value.children().any(has_open_type),
    }
}

/// Whether it is certain already that a known value is not what an unknown one will be, by the type and what else is known
/// of the latter (cty's `ValueRange.Includes`).
fn unlike(known: &Value, unknown: &Value, ty: &Type) -> Option<bool> {
    if known.is_null() {
        return if unknown.may_be_null() { None } else { Some(false) };
    }
    if !conforms(&known.ty(), ty) || ty.is_wholly_known() && known.ty() != *ty {
        return Some(false);
    }
    let apart = match known.kind() {
        Kind::String(text) => !text.starts_with(unknown.prefix()),
        Kind::Number(n) => {
            let (min, max) = unknown.range();
            min.is_some_and(|min| n < min) || max.is_some_and(|max| n > max)
        }
        Kind::List(..) | Kind::Set(..) | Kind::Map(..) => {
            let ((min, max), (least, most)) = (known.length_range(), unknown.length_range());
            max < least || min > most
        }
        _ => false,
    };
    if apart { Some(false) } else { None }
}

/// Whether a type is the other one but for what that leaves open.
fn conforms(ty: &Type, to: &Type) -> bool {
    match (ty, to) {
        (_, Type::Dynamic) => true,
        (Type::List(a), Type::List(b)) | (Type::Set(a), Type::Set(b)) | (Type::Map(a), Type::Map(b)) => conforms(a, b),
        (Type::Tuple(a), Type::Tuple(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| conforms(a, b)),
        (Type::Object(a), Type::Object(b)) => {
            a.len() == b.len() && a.iter().zip(b.iter()).all(|((k, a), (l, b))| k == l && conforms(a, b))
        }
        (a, b) => a == b,
    }
}

fn sequences(a: &[Value], b: &[Value]) -> Option<bool> {
    if a.len() != b.len() {
        return Some(false);
    }
    // In order, as Terraform does it: what comes after the first unknown element is not looked at.
    a.iter().zip(b).map(|(a, b)| contents(a, b)).find(|same| *same != Some(true)).unwrap_or(Some(true))
}

fn mappings<K: PartialEq>(
    a: &std::collections::BTreeMap<K, Value>,
    b: &std::collections::BTreeMap<K, Value>,
) -> Option<bool> {
    if !a.keys().eq(b.keys()) {
        return Some(false);
    }
    // One difference settles it; else one unknown leaves it open. Terraform goes through them in any order until the first
    // of either, so that its answer changes from run to run where there are both.
    let mut answer = Some(true);
    for (a, b) in a.values().zip(b.values()) {
        match contents(a, b) {
            Some(false) => return Some(false),
            Some(true) => {}
            None => answer = None,
        }
    }
    answer
}
