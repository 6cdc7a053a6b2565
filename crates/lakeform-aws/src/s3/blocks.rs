//! Nested blocks of a planned value: what is known of them in advance, and what S3 would refuse.

use lakeform_core::{Path, Step, Value};
use lakeform_provider::{ProviderError, Result};

/// The object with an attribute that is null set to `value`.
pub(super) fn default(mut object: Value, name: &str, value: Value) -> Value {
    if object.get(name).is_some_and(Value::is_null) {
        object.set_attr(name, value);
    }
    object
}

/// The object with each of its nested blocks of a name changed.
pub(super) fn each(mut object: Value, name: &str, change: impl FnMut(Value) -> Value) -> Value {
    if let Some(blocks) = object.get(name).filter(|blocks| blocks.is_known() && !blocks.is_null()) {
        let blocks = blocks.clone().map_children(change);
        object.set_attr(name, blocks);
    }
    object
}

/// Whether an argument or block is there: anything but null, `""` and no element.
pub(super) fn is_there(value: &Value) -> bool {
    !value.is_null() && value.as_str() != Some("") && value.as_slice().is_none_or(|vs| !vs.is_empty())
}

/// Whether the object has such an argument or block.
pub(super) fn has(object: &Value, name: &str) -> bool {
    object.get(name).is_some_and(is_there)
}

/// A step into an attribute or block.
pub(super) fn attr(name: &str) -> Step {
    Step::Attr(name.into())
}

/// The nested blocks of a name, each with its path.
pub(super) fn blocks<'a>(
    object: &'a Value,
    name: &str,
    at: &Path,
) -> impl Iterator<Item = (&'a Value, Path)> + use<'a> {
    let at = at.with(attr(name));
    let blocks = object.get(name).and_then(Value::as_slice).unwrap_or_default();
    blocks.iter().enumerate().map(move |(i, block)| (block, at.with(Step::Index(i))))
}

/// Refuses a text that is none of those that the API knows.
///
/// # Errors
/// When the attribute is another text.
pub(super) fn one_of(object: &Value, name: &str, known: &[&str], at: &Path) -> Result<()> {
    match object.get(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() && !known.contains(&text) => {
            let message = format!("`{name}` is {text:?}: expected one of {}", known.join(", "));
            Err(ProviderError::invalid(message).attribute(at.with(attr(name))))
        }
        _ => Ok(()),
    }
}

/// Refuses arguments that exclude each other.
///
/// # Errors
/// When two of them are there.
pub(super) fn at_most_one_of(object: &Value, names: &[&str], at: &Path) -> Result<()> {
    let there: Vec<_> = names.iter().filter(|name| has(object, name)).collect();
    match there[..] {
        [first, second, ..] => {
            let message = format!("`{first}` and `{second}` exclude each other");
            Err(ProviderError::invalid(message).attribute(at.with(attr(second))))
        }
        _ => Ok(()),
    }
}

/// What was read of a list of blocks in the order in which state has them, new ones last: S3 promises no order.
pub(super) fn in_stored_order<T>(mut live: Vec<T>, stored: &[T], id: impl Fn(&T) -> Option<&str>) -> Vec<T> {
    let place = |element: &T| stored.iter().position(|stored| id(stored) == id(element)).unwrap_or(stored.len());
    live.sort_by_key(place);
    live
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_brought_into_the_stored_order() {
        let order = |live: &[&'static str]| in_stored_order(live.to_vec(), &["b", "a"], |id| Some(*id));
        assert_eq!(order(&["a", "b"]), ["b", "a"]);
        assert_eq!(order(&["x", "a", "y"]), ["a", "x", "y"]);
    }

    #[test]
    fn arguments_that_exclude_each_other_are_named() {
        let at = Path::attr("rule").with(Step::Index(0));
        let object = Value::object([("a", "x".into()), ("b", "".into()), ("c", Value::from(0))]);
        assert!(at_most_one_of(&object, &["a", "b"], &at).is_ok());
        let error = at_most_one_of(&object, &["a", "b", "c"], &at).unwrap_err();
        assert_eq!(error.message, "`a` and `c` exclude each other");
        assert_eq!(error.attribute.unwrap().to_string(), "rule[0].c");
    }

    #[test]
    fn an_unknown_text_is_not_refused() {
        let at = Path::root();
        let object = Value::object([("status", Value::unknown(lakeform_core::Type::String))]);
        assert!(one_of(&object, "status", &["Enabled"], &at).is_ok());
        let error = one_of(&Value::object([("status", "on".into())]), "status", &["Enabled", "Disabled"], &at);
        assert_eq!(error.unwrap_err().message, "`status` is \"on\": expected one of Enabled, Disabled");
    }
}
