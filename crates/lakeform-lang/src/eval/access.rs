//! `value.name` and `value[key]`, with Terraform's messages.

use lakeform_core::{Kind, Type, Value, convert};

/// Why a value has no such part.
pub(crate) struct Problem {
    pub summary: &'static str,
    pub detail: String,
}

fn problem(summary: &'static str, detail: impl Into<String>) -> Problem {
    Problem { summary, detail: detail.into() }
}

/// `value.name`
pub(crate) fn attribute(value: &Value, name: &str) -> Result<Value, Problem> {
    const UNSUPPORTED: &str = "Unsupported attribute";
    let lacks = || problem(UNSUPPORTED, format!("This object does not have an attribute named {name:?}."));
    let found = match value.kind() {
        Kind::Null(_) => {
            return Err(problem(
                "Attempt to get attribute from null value",
                "This value is null, so it does not have any attributes.",
            ));
        }
        Kind::Object(vs) => vs.get(name).cloned().ok_or_else(lacks)?,
        Kind::Map(_, vs) => vs.get(name).cloned().ok_or_else(|| {
            problem("Missing map element", format!("This map does not have an element with the key {name:?}."))
        })?,
        Kind::Unknown(Type::Dynamic, _) => Value::unknown(Type::Dynamic),
        Kind::Unknown(Type::Object(ts), _) => Value::unknown(ts.get(name).cloned().ok_or_else(lacks)?),
        Kind::Unknown(Type::Map(t), _) => Value::unknown((**t).clone()),
        _ => return Err(problem(UNSUPPORTED, no_attributes(&value.ty(), name))),
    };
    Ok(found.with_marks(value.marks()))
}

fn no_attributes(ty: &Type, name: &str) -> String {
    match ty {
        Type::List(t) if matches!(&**t, Type::Object(ts) if ts.contains_key(name)) => format!(
            "Can't access attributes on a list of objects. Did you mean to access attribute {name:?} for a specific element of the list, or across all elements of the list?"
        ),
        Type::List(t) if matches!(**t, Type::Object(_)) => {
            "Can't access attributes on a list of objects. Did you mean to access an attribute for a specific element of the list, or across all elements of the list?".into()
        }
        Type::Set(t) if matches!(**t, Type::Object(_)) => {
            "Can't access attributes on a set of objects. Did you mean to access an attribute across all elements of the set?".into()
        }
        t if t.is_primitive() => format!("Can't access attributes on a primitive-typed value ({}).", t.friendly_name()),
        _ => "This value does not have any attributes.".into(),
    }
}

/// `value[key]`
pub(crate) fn index(value: &Value, key: &Value) -> Result<Value, Problem> {
    const INVALID: &str = "Invalid index";
    const NONE: &str = "The given key does not identify an element in this collection value";
    if value.is_null() {
        return Err(problem("Attempt to index null value", "This value is null, so it does not have any indices."));
    }
    if key.is_null() {
        return Err(problem(INVALID, "Can't use a null value as an indexing key."));
    }
    let marks = value.marks().union(key.marks());
    // Which attributes an object has is no secret, so the name of one that is there tells nothing.
    let object = matches!(value.kind(), Kind::Object(_) | Kind::Unknown(Type::Object(_), _));
    let marks = if object || !value.is_known() { value.marks() } else { marks };
    let unknown = |ty: Type| Ok(Value::unknown(ty).with_marks(marks));
    if matches!(key.kind(), Kind::Unknown(Type::Dynamic, _)) || matches!(value.kind(), Kind::Unknown(Type::Dynamic, _))
    {
        return unknown(Type::Dynamic);
    }
    let as_type = |ty: Type| convert(key, &ty).map_err(|e| problem(INVALID, format!("{NONE}: {}.", e.describe())));
    let lacks = || {
        let numeric = if key.as_number().is_some() {
            " An object only supports looking up attributes by name, not by numeric index."
        } else {
            ""
        };
        problem(INVALID, format!("{NONE}.{numeric}"))
    };
    let found = match value.kind() {
        Kind::List(element, items) => match position(&as_type(Type::Number)?, items.len())? {
            Some(i) => items[i].clone(),
            None => return unknown(element.clone()),
        },
        Kind::Tuple(items) => match position(&as_type(Type::Number)?, items.len())? {
            Some(i) => items[i].clone(),
            None => return unknown(Type::Dynamic),
        },
        Kind::Unknown(Type::List(element), _) => {
            as_type(Type::Number)?;
            return unknown((**element).clone());
        }
        Kind::Unknown(Type::Tuple(elements), _) => match position(&as_type(Type::Number)?, elements.len())? {
            Some(i) => return unknown(elements[i].clone()),
            None => return unknown(Type::Dynamic),
        },
        Kind::Map(element, items) => match as_type(Type::String)?.as_str() {
            Some(key) => items.get(key).cloned().ok_or_else(|| problem(INVALID, format!("{NONE}.")))?,
            None => return unknown(element.clone()),
        },
        Kind::Unknown(Type::Map(element), _) => {
            as_type(Type::String)?;
            return unknown((**element).clone());
        }
        Kind::Object(items) => match as_type(Type::String)?.as_str() {
            Some(key) => items.get(key).cloned().ok_or_else(lacks)?,
            None => return unknown(Type::Dynamic),
        },
        // Terraform waits for the object, whatever its type says of the key.
        Kind::Unknown(Type::Object(_), _) => {
            as_type(Type::String)?;
            return unknown(Type::Dynamic);
        }
        Kind::Set(..) | Kind::Unknown(Type::Set(_), _) => {
            let detail = "Elements of a set are identified only by their value and don't have any separate index or key to select with, so it's only possible to perform operations across all elements of the set.";
            return Err(problem(INVALID, detail));
        }
        _ => return Err(problem(INVALID, "This value does not have any indices.")),
    };
    Ok(found.with_marks(marks))
}

/// The place of a number in a sequence; `None` where the number is unknown.
fn position(key: &Value, length: usize) -> Result<Option<usize>, Problem> {
    const NONE: &str = "The given key does not identify an element in this collection value";
    let invalid = |why: &str| problem("Invalid index", format!("{NONE}{why}."));
    let Some(number) = key.as_number() else { return Ok(None) };
    if !number.is_whole() {
        return Err(invalid(
            ": indexing a sequence requires a whole number, but the given index has a fractional part",
        ));
    }
    if number.signum() < 0 {
        return Err(invalid(": a negative number is not a valid index for a sequence"));
    }
    match number.to_i64().and_then(|i| usize::try_from(i).ok()).filter(|i| *i < length) {
        Some(i) => Ok(Some(i)),
        None if length == 0 => Err(invalid(": the collection has no elements")),
        None => Err(invalid("")),
    }
}
