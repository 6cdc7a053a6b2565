//! EventBridge (once CloudWatch Events): rules and their targets.

mod rule;
mod target;
mod target_blocks;

use std::time::Duration;

use lakeform_core::Value;
use lakeform_provider::{AnyResource, Change, ProviderError, Result, resource};

use crate::check::{Part, is_arn};

/// The resource types of EventBridge.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<rule::EventRule>(), resource::<target::EventTarget>()]
}

/// What says that there is no such rule or bus.
const GONE: &[&str] = &["ResourceNotFoundException"];
/// The bus that every account has.
const DEFAULT_BUS: &str = "default";
/// How long AWS may take to learn of roles and of other changes to the same bus.
const PROPAGATION: Duration = Duration::from_secs(60);

/// Refuses names of rules and buses that the API does not take.
fn check_names(change: &Change<'_>, rules: &[&str]) -> Result<()> {
    let whole = Part::whole(change);
    for name in rules {
        whole.spelled(name, 1..=64, "._-")?;
    }
    match whole.text("event_bus_name") {
        Some(bus) if is_arn(bus) => Ok(()),
        _ => whole.spelled("event_bus_name", 1..=256, "/._-"),
    }
}

/// The bus as the API takes it.
fn bus(name: &Option<String>) -> &str {
    name.as_deref().filter(|name| !name.is_empty()).unwrap_or(DEFAULT_BUS)
}

/// Splits `[BUS/]NAME`. Names of partners' buses and ARNs have slashes of their own.
///
/// # Errors
/// Without a name.
fn split<'a>(id: &'a str, what: &str) -> Result<(&'a str, &'a str)> {
    let (bus, name) = id.rsplit_once('/').unwrap_or((DEFAULT_BUS, id));
    let slashes = bus.contains('/') && !is_arn(bus) && !bus.starts_with("aws.partner/");
    if bus.is_empty() || name.is_empty() || slashes {
        return Err(ProviderError::invalid(format!("{id:?} is not of the form {what} or BUS/{what}")));
    }
    Ok((bus, name))
}

/// A stored object of the time before there were buses.
fn with_bus(mut stored: Value) -> Value {
    if stored.get("event_bus_name").is_none_or(Value::is_null) {
        stored.set_attr("event_bus_name", DEFAULT_BUS.into());
    }
    stored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_named_after_its_bus() {
        let arn = "arn:aws:events:eu-west-2:123456789012:event-bus/orders";
        for (id, bus, name) in [
            ("r", "default", "r"),
            ("orders/r", "orders", "r"),
            ("arn:aws:events:eu-west-2:123456789012:event-bus/orders/r", arn, "r"),
            ("aws.partner/example.com/orders/r", "aws.partner/example.com/orders", "r"),
        ] {
            assert_eq!(split(id, "RULE").unwrap(), (bus, name), "{id}");
        }
        for wrong in ["", "/r", "orders/", "a/b/c"] {
            assert!(split(wrong, "RULE").is_err(), "{wrong}");
        }
    }
}
