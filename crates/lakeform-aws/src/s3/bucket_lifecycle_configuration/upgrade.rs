//! State of schema version 0, written before Terraform's provider moved this type to its plugin framework.

use lakeform_core::{Kind, Type, Value};

use super::plan::fill;

/// Rewrites a stored object. Version 0 kept some numbers as texts and wrote `""` and `0` where nothing was set.
pub(super) fn upgrade(mut stored: Value) -> Value {
    if let Some(rules) = stored.get("rule") {
        let rules = rules.clone().map_children(|rule| fill(rewrite(rule)));
        stored.set_attr("rule", rules);
    }
    stored
}

fn rewrite(value: Value) -> Value {
    let Kind::Object(attributes) = value.kind() else { return value.map_children(rewrite) };
    let dated = attributes.get("date").and_then(Value::as_str).is_some_and(|date| !date.is_empty());
    let transition = attributes.contains_key("storage_class");
    let filter = attributes.contains_key("and");
    let rewritten = attributes.iter().map(|(name, v)| {
        let v = match (&**name, v.as_str()) {
            ("date", Some("")) => Value::null(Type::String),
            // What nothing else in the filter makes null is filled in again.
            ("prefix", Some("")) if filter => Value::null(Type::String),
            ("days", None) if transition && dated => Value::null(Type::Number),
            ("object_size_greater_than" | "object_size_less_than" | "newer_noncurrent_versions", Some(text)) => {
                text.parse::<i64>().map_or_else(|_| Value::null(Type::Number), Value::from)
            }
            _ => rewrite(v.clone()),
        };
        (name.clone(), v)
    });
    Value::object(rewritten.collect::<Vec<_>>())
}
