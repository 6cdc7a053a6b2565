//! What only this type knows about a planned change.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::{BillingMode, StreamViewType, TableClass};
use lakeform_core::{Kind, Path, Type, Value};
use lakeform_provider::{Change, ProviderError, Result};

use crate::check;

pub(super) fn plan(change: &mut Change<'_>) -> Result<()> {
    check::one_of(change, "billing_mode", BillingMode::values())?;
    check::one_of(change, "table_class", TableClass::values())?;
    check::one_of(change, "stream_view_type", StreamViewType::values())?;
    check::length(change, "name", 3..=255)?;
    check::not_both(change, "restore_source_name", "restore_source_table_arn")?;
    check_keys(change)?;
    check_capacity(change)?;
    check_stream(change)?;
    check_ttl(change)?;

    // A restored table is not replaced because its origin is no longer told.
    for name in ["restore_source_name", "restore_source_table_arn", "restore_date_time", "restore_to_latest_time"] {
        let told =
            change.planned(name).is_some_and(|v| !v.is_null() && v.as_str() != Some("") && v.as_bool() != Some(false));
        if !told {
            change.keep_despite(name);
        }
    }
    fill_indexes(change);
    fill_replicas(change);
    fill_recovery(change);
    fill_restored(change);
    if !change.is_create() {
        if change.changes("local_secondary_index") && !same_local_indexes(change) {
            change.replace_for("local_secondary_index");
        }
        let off = change.planned("stream_enabled").is_none_or(|v| v.is_null() || v.as_bool() == Some(false));
        if off && differs(change, "stream_enabled") && change.config.get("stream_view_type").is_none_or(Value::is_null)
        {
            change.set("stream_view_type", "".into());
        }
        if differs(change, "stream_enabled") || (!off && differs(change, "stream_view_type")) {
            change.set_unknown("stream_arn");
            change.set_unknown("stream_label");
        }
        if differs(change, "billing_mode") {
            for name in ["read_capacity", "write_capacity"] {
                if change.config.get(name).is_none_or(Value::is_null) {
                    change.set_unknown(name);
                }
            }
        }
    }
    Ok(())
}

/// Whether an attribute changes, taking absent, `""` and `false` for the same.
fn differs(change: &Change<'_>, name: &str) -> bool {
    let zero = |v: &Value| v.is_null() || v.as_str() == Some("") || v.as_bool() == Some(false);
    match (change.prior.and_then(|p| p.get(name)), change.planned(name)) {
        (Some(a), Some(b)) => a != b && !(zero(a) && zero(b)),
        _ => change.changes(name),
    }
}

fn text<'a>(object: &'a Value, name: &str) -> Option<&'a str> {
    object.get(name).and_then(Value::as_str).filter(|t| !t.is_empty())
}

fn blocks<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object.get(name).and_then(Value::as_slice).unwrap_or_default()
}

/// Every key is a declared attribute, and every declared attribute is part of a key (CreateTable).
fn check_keys(change: &Change<'_>) -> Result<()> {
    let config = change.config;
    let parts = ["attribute", "global_secondary_index", "local_secondary_index", "hash_key", "range_key"];
    if parts.iter().any(|name| config.get(name).is_some_and(|v| !v.is_wholly_known())) {
        return Ok(());
    }
    let told = |name: &str| config.get(name).is_some_and(|v| !v.is_null());
    if told("restore_source_name") || told("restore_source_table_arn") {
        return Ok(());
    }
    let hash = text(config, "hash_key");
    if hash.is_none() && change.is_create() {
        return Err(ProviderError::invalid("a new table needs a hash_key").attribute(Path::attr("hash_key")));
    }
    let mut used: BTreeSet<&str> = hash.into_iter().chain(text(config, "range_key")).collect();
    for index in blocks(config, "global_secondary_index").iter().chain(blocks(config, "local_secondary_index")) {
        used.extend(text(index, "hash_key"));
        used.extend(text(index, "range_key"));
    }
    let declared: BTreeSet<&str> = blocks(config, "attribute").iter().filter_map(|a| text(a, "name")).collect();
    let list = |names: BTreeSet<&&str>| names.iter().map(|n| format!("{n:?}")).collect::<Vec<_>>().join(", ");
    let unknown: BTreeSet<_> = used.difference(&declared).collect();
    if !unknown.is_empty() {
        return Err(ProviderError::invalid(format!("keys that are no `attribute`: {}", list(unknown)))
            .attribute(Path::attr("attribute")));
    }
    let unused: BTreeSet<_> = declared.difference(&used).collect();
    if !unused.is_empty() {
        return Err(ProviderError::invalid(format!("attributes that are part of no key: {}", list(unused)))
            .hint("only attributes of keys and indexes are declared; items may hold any others")
            .attribute(Path::attr("attribute")));
    }
    Ok(())
}

fn check_capacity(change: &Change<'_>) -> Result<()> {
    let mode = |v: Option<&Value>| v.and_then(Value::as_str).unwrap_or("PROVISIONED").to_owned();
    let now = mode(change.planned("billing_mode"));
    let before = change.prior.map(|p| mode(p.get("billing_mode")));
    for name in ["read_capacity", "write_capacity"] {
        let given = change.config.get(name).filter(|v| v.is_known());
        let units = given.and_then(Value::as_i64).unwrap_or(0);
        let wrong = |message: String| Err(ProviderError::invalid(message).attribute(Path::attr(name)));
        if now == "PROVISIONED" && units < 1 && given.is_some() && before.as_deref() != Some("PAY_PER_REQUEST") {
            let stored = change.prior.and_then(|p| p.get(name)).and_then(Value::as_i64).unwrap_or(0);
            if stored < 1 {
                return wrong(format!("{name} must be at least 1 when billing_mode is PROVISIONED"));
            }
        }
        if now == "PAY_PER_REQUEST" && units != 0 && before.as_deref() != Some("PROVISIONED") {
            return wrong(format!("{name} cannot be set when billing_mode is PAY_PER_REQUEST"));
        }
    }
    Ok(())
}

fn check_stream(change: &Change<'_>) -> Result<()> {
    let on = change.config.get("stream_enabled").and_then(Value::as_bool) == Some(true);
    let view = change
        .config
        .get("stream_view_type")
        .is_some_and(|v| !v.is_known() || text(change.config, "stream_view_type").is_some());
    if on && !view {
        return Err(ProviderError::invalid("stream_view_type is needed when stream_enabled is true")
            .attribute(Path::attr("stream_view_type")));
    }
    Ok(())
}

fn check_ttl(change: &Change<'_>) -> Result<()> {
    for ttl in blocks(change.config, "ttl") {
        let on = ttl.get("enabled").and_then(Value::as_bool) == Some(true);
        let named = ttl.get("attribute_name").is_some_and(|v| !v.is_known()) || text(ttl, "attribute_name").is_some();
        if on && !named {
            return Err(
                ProviderError::invalid("ttl needs an attribute_name when it is enabled").attribute(Path::attr("ttl"))
            );
        }
    }
    Ok(())
}

/// Absent, `""`, `[]`: what an unset attribute may be stored as.
fn unset(value: &Value) -> bool {
    value.is_null() || value.as_str() == Some("") || value.as_slice().is_some_and(<[Value]>::is_empty)
}

/// The element as the stack says it, with what the stack leaves open taken from the stored element: `computed` attributes
/// whatever they are, others where both mean "none".
fn complete(element: &Value, stored: Option<&Value>, computed: &[&str]) -> Value {
    let mut out = element.clone();
    for (name, value) in element.as_mapping().into_iter().flatten() {
        let open = computed.contains(&&**name);
        let nothing = value.is_null() || unset(value) || (open && !value.is_known());
        if !nothing {
            continue;
        }
        match stored.and_then(|s| s.get(name)) {
            Some(before) if open || unset(before) => out.set_attr(name.clone(), before.clone()),
            None if open && !value.as_slice().is_some_and(<[Value]>::is_empty) => {
                out.set_attr(name.clone(), Value::unknown(value.ty()));
            }
            _ => {}
        }
    }
    out
}

fn set_of(change: &mut Change<'_>, name: &str, elements: Vec<Value>) {
    let inner = match change.planned(name).map(Value::ty) {
        Some(Type::Set(inner)) => (*inner).clone(),
        _ => return,
    };
    change.set(name, Value::set(inner, elements));
}

/// Capacity of an index that the stack leaves open is what it was.
fn fill_indexes(change: &mut Change<'_>) {
    let Some(Kind::Set(_, wanted)) = change.config.get("global_secondary_index").map(Value::kind) else { return };
    let on_demand = change.planned("billing_mode").and_then(Value::as_str) == Some("PAY_PER_REQUEST");
    let mode_changes = !change.is_create() && differs(change, "billing_mode");
    let stored = change.prior.map(|p| blocks(p, "global_secondary_index")).unwrap_or_default();
    let computed = ["read_capacity", "write_capacity", "on_demand_throughput"];
    let elements = wanted.iter().map(|element| {
        let before = stored.iter().find(|s| s.get("name") == element.get("name"));
        let mut out = complete(element, before.filter(|_| !mode_changes), &computed);
        // Units that the stack gives are ignored while requests are billed one by one.
        if on_demand && before.is_some() && !mode_changes {
            for name in ["read_capacity", "write_capacity"] {
                if let Some(units) = before.and_then(|b| b.get(name)) {
                    out.set_attr(name, units.clone());
                }
            }
        }
        out
    });
    let elements = elements.collect();
    set_of(change, "global_secondary_index", elements);
}

/// What the API decides about a copy stays what it was.
fn fill_replicas(change: &mut Change<'_>) {
    let Some(Kind::Set(_, wanted)) = change.planned("replica").map(Value::kind) else { return };
    let stored = change.prior.map(|p| blocks(p, "replica")).unwrap_or_default();
    let configured = blocks(change.config, "replica");
    let streams = !change.is_create() && (differs(change, "stream_enabled") || differs(change, "stream_view_type"));
    let elements = wanted.iter().map(|element| {
        let same_region = |s: &&Value| s.get("region_name") == element.get("region_name");
        let before = stored.iter().find(same_region);
        let mut element = element.clone();
        // The stack's own word, where a stored element was taken for it.
        if let Some(key) =
            configured.iter().find(same_region).and_then(|c| c.get("kms_key_arn")).filter(|k| !k.is_null())
        {
            element.set_attr("kms_key_arn", key.clone());
        }
        let replaced = before.is_some_and(|b| {
            let key = element.get("kms_key_arn");
            key.is_some_and(|k| !unset(k)) && key != b.get("kms_key_arn")
        });
        let mut open = element.clone();
        for name in ["arn", "stream_arn", "stream_label"] {
            open.set_attr(name, Value::null(Type::String));
        }
        let mut out =
            complete(&open, before.filter(|_| !replaced), &["arn", "stream_arn", "stream_label", "kms_key_arn"]);
        if streams {
            out.set_attr("stream_arn", Value::unknown(Type::String));
            out.set_attr("stream_label", Value::unknown(Type::String));
        }
        out
    });
    let elements = elements.collect();
    set_of(change, "replica", elements);
}

/// A period that the stack leaves open is the API's when backups are switched on.
fn fill_recovery(change: &mut Change<'_>) {
    let Some(Kind::List(inner, blocks)) = change.planned("point_in_time_recovery").map(Value::kind).cloned() else {
        return;
    };
    let open = |v: Option<&Value>| v.is_none_or(|v| v.is_null() || v.as_i64() == Some(0));
    let told =
        self::blocks(change.config, "point_in_time_recovery").first().and_then(|b| b.get("recovery_period_in_days"));
    let ([block], true) = (&blocks[..], open(told)) else { return };
    let enabled = |block: &Value| block.get("enabled").and_then(Value::as_bool) == Some(true);
    let before = change.prior.map(|prior| self::blocks(prior, "point_in_time_recovery"));
    let was_on = before.is_some_and(|blocks| blocks.first().is_some_and(enabled));
    let on = enabled(block);
    let mut block = block.clone();
    if on && !was_on && open(block.get("recovery_period_in_days")) {
        block.set_attr("recovery_period_in_days", Value::unknown(Type::Number));
    } else if !on && !open(block.get("recovery_period_in_days")) {
        block.set_attr("recovery_period_in_days", 0_i64.into());
    }
    change.set("point_in_time_recovery", Value::list(inner, vec![block]));
}

/// A restored table has the keys of its origin, whether the stack names them or not.
fn fill_restored(change: &mut Change<'_>) {
    let told = |name: &str| change.planned(name).is_some_and(|v| !unset(v));
    if !told("restore_source_name") && !told("restore_source_table_arn") {
        return;
    }
    for name in ["attribute", "range_key"] {
        if !change.config.get(name).is_none_or(unset) {
            continue;
        }
        match change.prior.and_then(|p| p.get(name)).cloned() {
            Some(before) => {
                change.set(name, before);
                change.keep_despite(name);
            }
            None => change.set_unknown(name),
        }
    }
}

/// Whether the local indexes differ in spelling only.
fn same_local_indexes(change: &Change<'_>) -> bool {
    fn key(v: &Value) -> String {
        let names = v.get("non_key_attributes").and_then(Value::as_slice).unwrap_or_default();
        let names: BTreeSet<&str> = names.iter().filter_map(Value::as_str).collect();
        format!("{:?}", (text(v, "name"), text(v, "range_key"), text(v, "projection_type"), names))
    }
    let planned = change.planned("local_secondary_index");
    if planned.is_none_or(|p| !p.is_wholly_known()) {
        return false;
    }
    let sorted = |object: &Value| {
        let mut all: Vec<String> = blocks(object, "local_secondary_index").iter().map(key).collect();
        all.sort_unstable();
        all
    };
    change.prior.is_some_and(|prior| sorted(prior) == sorted(&change.planned))
}
