//! Checks of a planned change that need no call: what the API would refuse anyway, said before anything is done.

use std::ops::RangeInclusive;

use lakeform_core::{Path, Step, Value};
use lakeform_provider::{Change, ProviderError, Result};

/// The attribute's value in the stack, if it is set and known.
fn configured<'a>(change: &'a Change<'_>, name: &str) -> Option<&'a Value> {
    change.config.get(name).filter(|v| v.is_known() && !v.is_null())
}

/// What the stack says at a name that may lead into blocks (`configuration.engine_version`): every value that is set and
/// known, with its path.
fn found<'a>(change: &'a Change<'_>, name: &str) -> Vec<(&'a Value, Path)> {
    let mut at = vec![(change.config, Path::root())];
    for part in name.split('.') {
        let mut next = vec![];
        for (value, path) in at {
            let inside = |value: &'a Value, path: Path| {
                let inner = value.get(part).filter(|v| v.is_known() && !v.is_null());
                inner.map(|inner| (inner, path.with(Step::Attr(part.into()))))
            };
            match value.as_slice() {
                Some(blocks) => next.extend(
                    blocks.iter().enumerate().filter_map(|(i, block)| inside(block, path.with(Step::Index(i)))),
                ),
                None => next.extend(inside(value, path)),
            }
        }
        at = next;
    }
    at
}

fn wrong(name: &str, message: String) -> ProviderError {
    ProviderError::invalid(message).attribute(Path::attr(name))
}

/// Every value at a name, and every element of a list there, satisfies a rule that says what is wrong.
///
/// # Errors
/// When one does not.
pub(crate) fn each(change: &Change<'_>, name: &str, rule: impl Fn(&Value) -> Result<(), String>) -> Result<()> {
    for (value, path) in found(change, name) {
        for value in value.as_slice().unwrap_or(std::slice::from_ref(value)) {
            rule(value).map_err(|what| ProviderError::invalid(format!("{path} {what}")).attribute(path.clone()))?;
        }
    }
    Ok(())
}

/// The attribute is one of the values that the API knows. An attribute of a block is named with its block:
/// `configuration.state`.
///
/// # Errors
/// When it is another one.
pub(crate) fn one_of(change: &Change<'_>, name: &str, values: &[&str]) -> Result<()> {
    each(change, name, |value| known(value, values))
}

/// The attribute is within bounds.
///
/// # Errors
/// When it is outside.
pub(crate) fn between(change: &Change<'_>, name: &str, bounds: RangeInclusive<i64>) -> Result<()> {
    each(change, name, |value| within(value, &bounds))
}

/// The text is not too long, in characters.
///
/// # Errors
/// When it is longer or shorter.
pub(crate) fn length(change: &Change<'_>, name: &str, bounds: RangeInclusive<usize>) -> Result<()> {
    each(change, name, |value| of_length(value, &bounds))
}

/// The list has an element.
///
/// # Errors
/// When it has none.
pub(crate) fn not_empty(change: &Change<'_>, name: &str) -> Result<()> {
    let empty = |(value, _): &(&Value, Path)| value.as_slice().is_some_and(<[Value]>::is_empty);
    match found(change, name).into_iter().find(empty) {
        Some((_, path)) => Err(ProviderError::invalid(format!("{path} is empty")).attribute(path)),
        None => Ok(()),
    }
}

/// The text is an ARN.
///
/// # Errors
/// When it is none.
pub(crate) fn arn(change: &Change<'_>, name: &str) -> Result<()> {
    each(change, name, an_arn)
}

fn known(value: &Value, values: &[&str]) -> Result<(), String> {
    match value.as_str() {
        Some(given) if !values.contains(&given) => {
            Err(format!("is {given:?}; expected is one of {}", values.join(", ")))
        }
        _ => Ok(()),
    }
}

fn within(value: &Value, bounds: &RangeInclusive<i64>) -> Result<(), String> {
    match value.as_i64() {
        Some(given) if !bounds.contains(&given) && *bounds.end() == i64::MAX => {
            Err(format!("is {given}; expected is {} or more", bounds.start()))
        }
        Some(given) if !bounds.contains(&given) => {
            Err(format!("is {given}; expected is {} to {}", bounds.start(), bounds.end()))
        }
        _ => Ok(()),
    }
}

fn of_length(value: &Value, bounds: &RangeInclusive<usize>) -> Result<(), String> {
    match value.as_str().map(|text| text.chars().count()) {
        Some(given) if !bounds.contains(&given) => {
            Err(format!("is {given} characters long; expected are {} to {}", bounds.start(), bounds.end()))
        }
        _ => Ok(()),
    }
}

fn an_arn(value: &Value) -> Result<(), String> {
    match value.as_str() {
        Some(text) if !text.is_empty() && !is_arn(text) => Err(format!("is {text:?}; an ARN is expected (arn:...)")),
        _ => Ok(()),
    }
}

/// Whether a text has the parts of an ARN: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
pub(crate) fn is_arn(text: &str) -> bool {
    let parts: Vec<_> = text.splitn(6, ':').collect();
    let account = |text: &str| text.is_empty() || text.starts_with("aws") || text.chars().all(|c| c.is_ascii_digit());
    matches!(parts[..], ["arn", partition, service, _, owner, resource]
        if partition.starts_with("aws") && !service.is_empty() && account(owner) && !resource.is_empty())
}

/// The text is JSON.
///
/// # Errors
/// When it is not.
pub(crate) fn json(change: &Change<'_>, name: &str) -> Result<()> {
    each(change, name, |value| match value.as_str().map(serde_json::from_str::<serde_json::Value>) {
        Some(Err(e)) => Err(format!("is no JSON: {e}")),
        _ => Ok(()),
    })
}

/// Which of several arguments or blocks are there, in each block at a name (`""`: the resource itself), with its path.
fn there<'a>(change: &Change<'_>, at: &str, names: &[&'a str]) -> Vec<(Vec<&'a str>, Path)> {
    let is_there = |v: &Value| !v.is_null() && v.as_slice().is_none_or(|all| !all.is_empty());
    let told = |block: &Value| names.iter().copied().filter(|name| block.get(name).is_some_and(is_there)).collect();
    if at.is_empty() {
        return vec![(told(change.config), Path::root())];
    }
    let blocks = found(change, at).into_iter().flat_map(|(blocks, path)| {
        let all = blocks.as_slice().unwrap_or_default().iter().enumerate();
        all.map(|(i, block)| (told(block), path.with(Step::Index(i)))).collect::<Vec<_>>()
    });
    blocks.collect()
}

/// At most one of several arguments or blocks is there, in each block at a name (`""`: in the resource itself).
///
/// # Errors
/// When two are.
pub(crate) fn exclusive(change: &Change<'_>, at: &str, names: &[&str]) -> Result<()> {
    there(change, at, names).into_iter().try_for_each(|(told, path)| match told[..] {
        [first, second, ..] => Err(ProviderError::invalid(format!("{first} and {second} exclude each other"))
            .attribute(path.with(Step::Attr(second.into())))),
        _ => Ok(()),
    })
}

/// Exactly one of several arguments or blocks is there, as [`exclusive`] says it.
///
/// # Errors
/// When there is none, or two.
pub(crate) fn exactly_one(change: &Change<'_>, at: &str, names: &[&str]) -> Result<()> {
    exclusive(change, at, names)?;
    at_least_one(change, at, names)
}

/// At least one of several arguments or blocks is there, as [`exclusive`] says it.
///
/// # Errors
/// When there is none.
pub(crate) fn at_least_one(change: &Change<'_>, at: &str, names: &[&str]) -> Result<()> {
    match there(change, at, names).into_iter().find(|(told, _)| told.is_empty()) {
        Some((_, path)) => {
            Err(ProviderError::invalid(format!("one is needed of {}", names.join(", "))).attribute(path))
        }
        None => Ok(()),
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

/// What the stack says of an object, or of one of its nested blocks.
#[derive(Clone, Debug)]
pub(crate) struct Part<'a> {
    value: &'a Value,
    at: Path,
}

impl<'a> Part<'a> {
    /// The whole object.
    pub(crate) fn whole(change: &'a Change<'_>) -> Self {
        Self { value: change.config, at: Path::root() }
    }

    /// The nested blocks of a name that are known.
    pub(crate) fn blocks(&self, name: &str) -> Vec<Self> {
        let at = self.at.with(Step::Attr(name.into()));
        let blocks = self.value.get(name).and_then(Value::as_slice).unwrap_or_default();
        blocks.iter().enumerate().map(|(i, value)| Self { value, at: at.with(Step::Index(i)) }).collect()
    }

    /// The attribute's value, if it is set and known.
    pub(crate) fn given(&self, name: &str) -> Option<&'a Value> {
        self.value.get(name).filter(|v| v.is_known() && !v.is_null())
    }

    /// A text that is set and known.
    pub(crate) fn text(&self, name: &str) -> Option<&'a str> {
        self.given(name).and_then(Value::as_str)
    }

    /// Whether the attribute or block is there: anything but null and no element. What is not known counts as there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.value.get(name).is_some_and(|v| {
            !v.is_null()
                && v.as_slice().is_none_or(|vs| !vs.is_empty())
                && v.as_mapping().is_none_or(|vs| !vs.is_empty())
        })
    }

    /// An error about an attribute.
    pub(crate) fn wrong(&self, name: &str, message: String) -> ProviderError {
        ProviderError::invalid(message).attribute(self.at.with(Step::Attr(name.into())))
    }

    /// The attribute satisfies a rule that says what is wrong.
    fn holds(&self, name: &str, rule: impl Fn(&Value) -> Result<(), String>) -> Result<()> {
        let Some(value) = self.given(name) else { return Ok(()) };
        rule(value).map_err(|what| self.wrong(name, format!("{name} {what}")))
    }

    /// The attribute is one of the values that the API knows.
    ///
    /// # Errors
    /// When it is another one.
    pub(crate) fn one_of(&self, name: &str, values: &[&str]) -> Result<()> {
        self.holds(name, |value| known(value, values))
    }

    /// The attribute is within bounds.
    ///
    /// # Errors
    /// When it is outside.
    pub(crate) fn between(&self, name: &str, bounds: RangeInclusive<i64>) -> Result<()> {
        self.holds(name, |value| within(value, &bounds))
    }

    /// The text is not too long, in characters.
    ///
    /// # Errors
    /// When it is longer or shorter.
    pub(crate) fn length(&self, name: &str, bounds: RangeInclusive<usize>) -> Result<()> {
        self.holds(name, |value| of_length(value, &bounds))
    }

    /// The text has between `bounds` characters, all of which are ASCII letters, digits or one of `more`.
    ///
    /// # Errors
    /// When it is longer, shorter or has others.
    #[cfg(any(feature = "cloudwatch", feature = "eventbridge", feature = "sfn"))]
    pub(crate) fn spelled(&self, name: &str, bounds: RangeInclusive<usize>, more: &str) -> Result<()> {
        self.length(name, bounds)?;
        match self.text(name).and_then(|text| text.chars().find(|c| !c.is_ascii_alphanumeric() && !more.contains(*c))) {
            Some(c) => {
                Err(self.wrong(name, format!("{name} has {c:?} in it; expected are letters, digits and {more:?}")))
            }
            None => Ok(()),
        }
    }

    /// The text is an ARN: `arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE`.
    ///
    /// # Errors
    /// When it is something else.
    #[cfg(any(feature = "cloudtrail", feature = "cloudwatch", feature = "eventbridge", feature = "sfn"))]
    pub(crate) fn arn(&self, name: &str) -> Result<()> {
        self.holds(name, an_arn)
    }

    /// Two attributes exclude each other.
    ///
    /// # Errors
    /// When both are set.
    pub(crate) fn not_both(&self, a: &str, b: &str) -> Result<()> {
        let set = |name: &str| self.given(name).is_some() && self.has(name);
        if set(a) && set(b) {
            return Err(self.wrong(a, format!("{a} and {b} exclude each other")));
        }
        Ok(())
    }
}
