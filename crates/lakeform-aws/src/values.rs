//! Between what a model holds and what an API takes and tells. Where the API says nothing of an attribute, Terraform stores
//! `""`, `0` or `false`, and sends nothing where it reads such a value.

use std::collections::HashMap;

use aws_smithy_types::error::operation::BuildError;
use lakeform_core::{Block, Nesting, Value};
use lakeform_provider::{Model, ProviderError, Result};

use crate::tags::Tags;

/// What is stored for a text.
pub(crate) fn text(live: Option<impl AsRef<str>>) -> Option<String> {
    Some(live.map(|text| text.as_ref().to_owned()).unwrap_or_default())
}

/// What is stored for a number.
pub(crate) fn number(live: Option<impl Into<i64>>) -> Option<i64> {
    Some(live.map_or(0, Into::into))
}

/// What is stored for yes or no.
pub(crate) fn flag(live: Option<bool>) -> Option<bool> {
    Some(live.unwrap_or_default())
}

/// What is stored for a list: none stays none.
pub(crate) fn list(live: &[String], stored: Option<&Vec<String>>) -> Option<Vec<String>> {
    (!live.is_empty() || stored.is_some()).then(|| live.to_vec())
}

/// What is stored for a map: none stays none.
pub(crate) fn map(live: Option<&HashMap<String, String>>, stored: Option<&Tags>) -> Option<Tags> {
    let live: Tags = live.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    (!live.is_empty() || stored.is_some()).then_some(live)
}

/// A text to send, if it says something.
pub(crate) fn given(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}

/// A choice to send, if it says something.
pub(crate) fn chosen<T: for<'a> From<&'a str>>(text: &Option<String>) -> Option<T> {
    text.as_deref().filter(|text| !text.is_empty()).map(T::from)
}

/// A number to send, if it says something: the API knows 32 bits.
pub(crate) fn given_number(number: Option<i64>) -> Option<i32> {
    number.filter(|n| *n != 0).map(to_i32)
}

/// A number for an API that knows 32 bits; one that does not fit becomes the nearest that does.
pub(crate) fn to_i32(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

/// A map to send, if there is something in it.
pub(crate) fn given_map(map: &Option<Tags>) -> Option<HashMap<String, String>> {
    map.clone().filter(|map| !map.is_empty()).map(|map| map.into_iter().collect())
}

/// A list to send, if there is something in it.
pub(crate) fn given_list<T: Clone>(list: Option<&[T]>) -> Option<Vec<T>> {
    list.filter(|list| !list.is_empty()).map(<[T]>::to_vec)
}

/// The input of a call, or what it lacks.
///
/// # Errors
/// When something is missing that the API requires.
pub(crate) fn built<T>(input: Result<T, BuildError>) -> Result<T> {
    input.map_err(|e| ProviderError::invalid(e.to_string()).source(e))
}

/// Completes an object that was just made or changed: what the plan left to the API (`computed`) is as `take` reads it, all
/// else as it was planned. Whether the API took it so is for the next refresh to see.
pub(crate) fn fill<M: Model>(object: &mut M, take: impl FnOnce(&mut M)) {
    let mut live = object.clone();
    take(&mut live);
    *object = M::from_value(&filled(&M::block(), object.clone().into_value(), &live.into_value()));
}

fn filled(block: &Block, mut object: Value, live: &Value) -> Value {
    for (name, attribute) in &block.attributes {
        let open = attribute.computed && object.get(name).is_none_or(Value::is_null);
        if open && let Some(value) = live.get(name) {
            object.set_attr(name.clone(), value.clone());
        }
    }
    for (name, nested) in &block.blocks {
        let (Some(planned), Some(found)) = (object.get(name), live.get(name)) else { continue };
        let blocks = match (planned.as_slice(), found.as_slice()) {
            (Some([]), _) if nested.computed => found.clone(),
            (Some(planned), Some(found)) if nested.nesting == Nesting::List && planned.len() == found.len() => {
                let each = planned.iter().zip(found).map(|(one, live)| filled(&nested.block, one.clone(), live));
                Value::list(nested.block.ty(), each.collect())
            }
            _ => continue,
        };
        object.set_attr(name.clone(), blocks);
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Model, Clone, Debug, Default, PartialEq)]
    struct Thing {
        /// Decided by the API.
        #[attr(optional, computed)]
        open: Option<String>,
        /// Never decided by the API.
        #[attr(optional)]
        own: Option<String>,
        /// Parts.
        #[block(list)]
        parts: Vec<Part>,
        /// Decided by the API.
        #[block(list, computed)]
        others: Vec<Part>,
    }

    #[derive(Model, Clone, Debug, Default, PartialEq)]
    struct Part {
        /// Decided by the API.
        #[attr(computed)]
        open: Option<String>,
        /// Needed.
        #[attr(required)]
        name: String,
    }

    #[test]
    fn only_what_a_plan_leaves_open_is_filled_in() {
        let part = |name: &str, open: Option<&str>| Part { open: open.map(str::to_owned), name: name.to_owned() };
        let mut thing = Thing { parts: vec![part("a", None)], ..Thing::default() };
        fill(&mut thing, |live| {
            *live = Thing {
                open: Some("x".into()),
                own: Some("y".into()),
                parts: vec![part("A", Some("z"))],
                others: vec![part("b", None)],
            };
        });
        let expected = Thing {
            open: Some("x".into()),
            own: None,
            parts: vec![part("a", Some("z"))],
            others: vec![part("b", None)],
        };
        assert_eq!(thing, expected);
    }
}
