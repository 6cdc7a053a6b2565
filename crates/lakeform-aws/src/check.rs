//! Checks of a planned change that need no call: what the API would refuse anyway, said before anything is done.

use std::ops::RangeInclusive;

use lakeform_core::{Path, Step, Value};
use lakeform_provider::{Change, ProviderError, Result};

/// [`Part::one_of`] of the whole.
///
/// # Errors
/// When it is another one.
pub(crate) fn one_of(change: &Change<'_>, name: &str, values: &[&str]) -> Result<()> {
    Part::whole(change).one_of(name, values)
}

/// [`Part::between`] of the whole.
///
/// # Errors
/// When it is outside.
pub(crate) fn between(change: &Change<'_>, name: &str, bounds: RangeInclusive<i64>) -> Result<()> {
    Part::whole(change).between(name, bounds)
}

/// [`Part::length`] of the whole.
///
/// # Errors
/// When it is longer or shorter.
pub(crate) fn length(change: &Change<'_>, name: &str, bounds: RangeInclusive<usize>) -> Result<()> {
    Part::whole(change).length(name, bounds)
}

/// [`Part::not_both`] of the whole.
///
/// # Errors
/// When both are set.
pub(crate) fn not_both(change: &Change<'_>, a: &str, b: &str) -> Result<()> {
    Part::whole(change).not_both(a, b)
}

/// An attribute makes sense only beside another one.
///
/// # Errors
/// When the first is set and the second is not (an unknown value counts as set).
pub(crate) fn needs(change: &Change<'_>, name: &str, other: &str) -> Result<()> {
    let whole = Part::whole(change);
    let other_is_set = change.config.get(other).is_some_and(|v| !v.is_null());
    if whole.given(name).is_some() && !other_is_set {
        return Err(whole.wrong(name, format!("{name} needs {other}")));
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

    /// The attribute is one of the values that the API knows.
    ///
    /// # Errors
    /// When it is another one.
    pub(crate) fn one_of(&self, name: &str, values: &[&str]) -> Result<()> {
        match self.text(name) {
            Some(given) if !values.contains(&given) => {
                Err(self.wrong(name, format!("{name} is {given:?}; expected is one of {}", values.join(", "))))
            }
            _ => Ok(()),
        }
    }

    /// The attribute is within bounds.
    ///
    /// # Errors
    /// When it is outside.
    pub(crate) fn between(&self, name: &str, bounds: RangeInclusive<i64>) -> Result<()> {
        match self.given(name).and_then(Value::as_i64) {
            Some(given) if !bounds.contains(&given) => {
                let least = format!("{name} is {given}; expected is {} ", bounds.start());
                let most =
                    if *bounds.end() == i64::MAX { "or more".to_owned() } else { format!("to {}", bounds.end()) };
                Err(self.wrong(name, least + &most))
            }
            _ => Ok(()),
        }
    }

    /// The text is not too long, in characters.
    ///
    /// # Errors
    /// When it is longer or shorter.
    pub(crate) fn length(&self, name: &str, bounds: RangeInclusive<usize>) -> Result<()> {
        match self.text(name).map(|text| text.chars().count()) {
            Some(given) if !bounds.contains(&given) => Err(self.wrong(
                name,
                format!("{name} is {given} characters long; expected are {} to {}", bounds.start(), bounds.end()),
            )),
            _ => Ok(()),
        }
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
        match self.text(name) {
            Some(given) if !given.is_empty() && !is_arn(given) => {
                Err(self.wrong(name, format!("{name} is {given:?}; expected is an ARN")))
            }
            _ => Ok(()),
        }
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

/// Whether a text has the parts of an ARN.
#[cfg(any(feature = "cloudtrail", feature = "cloudwatch", feature = "eventbridge", feature = "sfn"))]
pub(crate) fn is_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts[..], ["arn", partition, service, _, _, resource]
        if partition.starts_with("aws") && !service.is_empty() && !resource.is_empty())
}
