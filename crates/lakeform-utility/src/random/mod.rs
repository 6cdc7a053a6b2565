//! The provider `random`: values that are made up once and kept.

mod id;
mod password;
mod string;
mod text;
mod uuid;

use std::collections::BTreeMap;

use lakeform_core::{Path, Value};
use lakeform_provider::{AnyResource, Change, ErrorKind, Field as _, ProviderError, Result, resource};

/// The resource types, one row each.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![
        resource::<id::RandomId>(),
        resource::<password::RandomPassword>(),
        resource::<string::RandomString>(),
        resource::<uuid::RandomUuid>(),
    ]
}

/// Values whose change makes up a new one.
pub(crate) type Keepers = BTreeMap<String, Option<String>>;

/// Takes back the replacement that a change of `name`, a map, asks for where only nulls come or go.
pub(crate) fn keep_despite_nulls(change: &mut Change<'_>, name: &str) {
    let said = |object: Option<&Value>| -> Option<Keepers> {
        let keepers = object.and_then(|object| object.get(name))?;
        let mut keepers = keepers.is_wholly_known().then(|| Keepers::from_value(keepers))?;
        keepers.retain(|_, value| value.is_some());
        Some(keepers)
    };
    if said(Some(&change.planned)).is_some_and(|now| Some(now) == said(change.prior)) {
        change.keep_despite(name);
    }
}

/// Bytes from the operating system's source of randomness.
///
/// # Errors
/// When it has none.
pub(crate) fn bytes(length: usize) -> Result<Vec<u8>> {
    let mut out = vec![0; length];
    getrandom::fill(&mut out).map_err(|e| {
        ProviderError::new(ErrorKind::Other, format!("the operating system gives no random bytes: {e}"))
    })?;
    Ok(out)
}

/// A number below `bound`, each as likely as any other.
fn below(bound: usize) -> Result<usize> {
    // What is left over of 2^32 would make small numbers more likely.
    let bound = u32::try_from(bound).unwrap_or(u32::MAX).max(1);
    let fair = u32::MAX - u32::MAX % bound;
    loop {
        let drawn = bytes(4)?.try_into().map(u32::from_le_bytes).unwrap_or_default();
        if drawn < fair {
            return Ok((drawn % bound) as usize);
        }
    }
}

fn wrong(name: &str, message: impl Into<String>) -> ProviderError {
    ProviderError::invalid(message).attribute(Path::attr(name))
}
