//! Between what a model holds and what an API takes and tells. Where the API says nothing of an attribute, Terraform stores
//! `""`, `0` or `false`, and sends nothing where it reads such a value.

use std::collections::HashMap;

use aws_smithy_types::error::operation::BuildError;
use lakeform_provider::{ProviderError, Result};

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
