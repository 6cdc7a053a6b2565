//! What is known of a lifecycle configuration before it is applied, and what can never be applied.

use lakeform_core::{Path, Step, Type, Value};
use lakeform_provider::{Change, ProviderError, Result};

use super::{
    super::blocks::{at_most_one_of, attr, blocks, default, each, has, is_there, one_of},
    convert::parse_date,
};

/// Plans the rules: all that the stack leaves out is known in advance, so nothing inside a rule waits for the apply.
///
/// # Errors
/// When S3 would refuse the rules.
pub(super) fn plan(change: &mut Change<'_>) -> Result<()> {
    let Some(rules) = change.config.get("rule").filter(|rules| rules.is_known()) else { return Ok(()) };
    let at = Path::attr("rule");
    if rules.as_slice().is_some_and(<[Value]>::is_empty) {
        return Err(ProviderError::invalid("at least one `rule` is required").attribute(at));
    }
    for (i, rule) in rules.as_slice().unwrap_or_default().iter().enumerate() {
        check(rule, &at.with(Step::Index(i)))?;
    }
    let filled = rules.clone().map_children(fill);
    change.set("rule", filled);
    Ok(())
}

/// A rule with what Terraform stores where nothing is set.
pub(super) fn fill(rule: Value) -> Value {
    let rule = default(rule, "prefix", "".into());
    let rule = each(rule, "expiration", |v| {
        default(default(v, "days", 0.into()), "expired_object_delete_marker", false.into())
    });
    let rule = each(rule, "filter", fill_filter);
    each(rule, "transition", |transition| match transition.get("date") {
        Some(date) if !date.is_known() => default(transition, "days", Value::unknown(Type::Number)),
        Some(date) if !date.is_null() => transition,
        _ => default(transition, "days", 0.into()),
    })
}

/// A prefix is `""` where the filter says nothing else, and null beside anything else.
fn fill_filter(filter: Value) -> Value {
    let filter = each(filter, "and", |v| {
        let v = default(v, "object_size_greater_than", 0.into());
        default(default(v, "object_size_less_than", 0.into()), "prefix", "".into())
    });
    let others = ["and", "tag", "object_size_greater_than", "object_size_less_than"].map(|name| filter.get(name));
    if others.iter().flatten().any(|v| !v.is_known()) {
        return default(filter, "prefix", Value::unknown(Type::String));
    }
    if others.iter().flatten().any(|v| is_there(v)) { filter } else { default(filter, "prefix", "".into()) }
}

/// Blocks of which S3 takes one.
const SINGLE: &[&str] = &["abort_incomplete_multipart_upload", "expiration", "filter", "noncurrent_version_expiration"];

fn check(rule: &Value, at: &Path) -> Result<()> {
    let wrong = |at: Path, message: String| Err(ProviderError::invalid(message).attribute(at));
    one_of(rule, "status", &["Enabled", "Disabled"], at)?;
    for name in SINGLE {
        if rule.get(name).and_then(Value::as_slice).is_some_and(|blocks| blocks.len() > 1) {
            return wrong(at.with(attr(name)), format!("only one `{name}` is possible"));
        }
    }
    at_most_one_of(rule, &["filter", "prefix"], at)?;
    for (filter, at) in blocks(rule, "filter", at) {
        let arguments = ["and", "object_size_greater_than", "object_size_less_than", "prefix", "tag"];
        at_most_one_of(filter, &arguments, &at).map_err(|e| e.hint("put both into the filter's `and` block"))?;
    }
    for name in ["expiration", "transition"] {
        for (block, at) in blocks(rule, name, at) {
            if has(block, "date") && block.get("days").and_then(Value::as_i64).is_some_and(|days| days > 0) {
                return wrong(at, "`date` and `days` exclude each other".into());
            }
            if let Some(text) = block.get("date").and_then(Value::as_str)
                && let Err(e) = parse_date(text)
            {
                return Err(e.attribute(at.with(attr("date"))));
            }
        }
    }
    Ok(())
}
