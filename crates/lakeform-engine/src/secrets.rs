//! Secrets in what others say: an API that refuses a value may repeat it.

use std::collections::BTreeSet;

use lakeform_core::{Diagnostic, Kind, Marks, Value};
use lakeform_provider::ProviderError;
use serde_json::Value as Json;

use crate::instance::translate;

/// What stands in place of a secret.
const HIDDEN: &str = "(sensitive value)";

/// Shorter ones are found in every text.
const SHORTEST: usize = 4;

/// The problem that a provider tells of, without the sensitive parts of the values that it was given.
pub(crate) fn translate_without(error: &ProviderError, address: &str, given: &[&Value]) -> Diagnostic {
    let mut problem = translate(error, address);
    let mut secrets = Vec::new();
    for value in given {
        collect(value, false, &mut secrets);
    }
    // A secret may be part of another one.
    secrets.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
    let texts = [Some(&mut problem.summary), problem.detail.as_mut(), problem.help.as_mut()];
    for text in texts.into_iter().flatten() {
        for secret in &secrets {
            if text.contains(secret) {
                *text = text.replace(secret, HIDDEN);
            }
        }
    }
    problem
}

/// Secrets of this length or more count as such wherever they are part of a text.
const LONG: usize = 16;

/// Whether a text of a value is a secret, or has a long one in it, though it is not marked as such.
pub(crate) fn repeats(value: &Value, secrets: &BTreeSet<String>) -> bool {
    match value.kind() {
        Kind::String(text) => {
            secrets.contains(&**text) || secrets.iter().any(|secret| secret.len() >= LONG && text.contains(secret))
        }
        _ => value.children().any(|child| repeats(child, secrets)),
    }
}

/// Every sensitive string.
pub(crate) fn collect(value: &Value, sensitive: bool, out: &mut Vec<String>) {
    let sensitive = sensitive || value.marks().contains(Marks::SENSITIVE) || value.marks().contains(Marks::EPHEMERAL);
    match value.kind() {
        Kind::String(text) if sensitive => add(text, out),
        _ => value.children().for_each(|child| collect(child, sensitive, out)),
    }
}

/// A secret as it is and as JSON writes it; and if it is JSON, the texts in it.
fn add(text: &str, out: &mut Vec<String>) {
    if text.chars().count() < SHORTEST {
        return;
    }
    let json = Json::from(text).to_string();
    let escaped = &json[1..json.len() - 1];
    if escaped != text {
        out.push(escaped.to_owned());
    }
    out.push(text.to_owned());
    if text.trim_start().starts_with(['{', '['])
        && let Ok(parsed) = serde_json::from_str(text)
    {
        add_leaves(&parsed, out);
    }
}

fn add_leaves(json: &Json, out: &mut Vec<String>) {
    match json {
        Json::String(text) => add(text, out),
        Json::Array(all) => all.iter().for_each(|json| add_leaves(json, out)),
        Json::Object(all) => all.values().for_each(|json| add_leaves(json, out)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use lakeform_provider::ErrorKind;

    use super::*;

    #[test]
    fn only_secrets_are_taken_out() {
        let error =
            ProviderError::new(ErrorKind::Invalid, "name shop, value \"two\\nlines\" (two\nlines), key hunter2-long")
                .hint("not hunter2 but abc in a document");
        let given = Value::object([
            ("name", Value::from("shop")),
            ("value", Value::from("two\nlines").sensitive()),
            ("keys", Value::object([("a", Value::from("hunter2")), ("b", Value::from("hunter2-long"))]).sensitive()),
            ("short", Value::from("abc").sensitive()),
            ("document", Value::from("{\"user\": \"root\", \"words\": [\"in a document\"]}").sensitive()),
        ]);
        let told = translate_without(&error, "fake_thing.a", &[&given]);
        assert_eq!(told.summary, "name shop, value \"(sensitive value)\" ((sensitive value)), key (sensitive value)");
        assert_eq!(told.help.as_deref(), Some("not (sensitive value) but abc (sensitive value)"));
    }
}
