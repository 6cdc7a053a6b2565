//! Checks of a planned change that need no call: what the API would refuse anyway, said before anything is done.

use std::ops::RangeInclusive;

use lakeform_core::{Path, Value};
use lakeform_provider::{Change, ProviderError, Result};

/// The attribute's value in the stack, if it is set and known.
fn configured<'a>(change: &'a Change<'_>, name: &str) -> Option<&'a Value> {
    change.config.get(name).filter(|v| v.is_known() && !v.is_null())
}

fn wrong(name: &str, message: String) -> ProviderError {
    ProviderError::invalid(message).attribute(Path::attr(name))
}

/// The attribute is one of the values that the API knows.
///
/// # Errors
/// When it is another one.
pub(crate) fn one_of(change: &Change<'_>, name: &str, values: &[&str]) -> Result<()> {
    match configured(change, name).and_then(Value::as_str) {
        Some(given) if !values.contains(&given) => {
            Err(wrong(name, format!("{name} is {given:?}; expected is one of {}", values.join(", "))))
        }
        _ => Ok(()),
    }
}

/// The attribute is within bounds.
///
/// # Errors
/// When it is outside.
pub(crate) fn between(change: &Change<'_>, name: &str, bounds: RangeInclusive<i64>) -> Result<()> {
    match configured(change, name).and_then(Value::as_i64) {
        Some(given) if !bounds.contains(&given) => {
            Err(wrong(name, format!("{name} is {given}; expected is {} to {}", bounds.start(), bounds.end())))
        }
        _ => Ok(()),
    }
}

/// The text is not too long, in characters.
///
/// # Errors
/// When it is longer or shorter.
pub(crate) fn length(change: &Change<'_>, name: &str, bounds: RangeInclusive<usize>) -> Result<()> {
    match configured(change, name).and_then(Value::as_str).map(|text| text.chars().count()) {
        Some(given) if !bounds.contains(&given) => Err(wrong(
            name,
            format!("{name} is {given} characters long; expected are {} to {}", bounds.start(), bounds.end()),
        )),
        _ => Ok(()),
    }
}

/// Two attributes exclude each other.
///
/// # Errors
/// When both are set.
pub(crate) fn not_both(change: &Change<'_>, a: &str, b: &str) -> Result<()> {
    if configured(change, a).is_some() && configured(change, b).is_some() {
        return Err(wrong(a, format!("{a} and {b} exclude each other")));
    }
    Ok(())
}

/// An attribute makes sense only beside another one.
///
/// # Errors
/// When the first is set and the second is not (an unknown value counts as set).
pub(crate) fn needs(change: &Change<'_>, name: &str, other: &str) -> Result<()> {
    let other_is_set = change.config.get(other).is_some_and(|v| !v.is_null());
    if configured(change, name).is_some() && !other_is_set {
        return Err(wrong(name, format!("{name} needs {other}")));
    }
    Ok(())
}

/// A text is an ARN, if it is set and known. `name` is the attribute at fault.
///
/// # Errors
/// When it is something else.
#[cfg(feature = "lambda")]
pub(crate) fn arn(value: Option<&Value>, name: &str) -> Result<()> {
    match value.and_then(Value::as_str).filter(|text| !text.is_empty()) {
        Some(text) if !(text.starts_with("arn:") && text.split(':').count() >= 6) => {
            Err(wrong(name, format!("{name} is {text:?}; expected is an ARN")))
        }
        _ => Ok(()),
    }
}
