//! How Terraform stores what APIs say: absent texts and times.

use aws_smithy_types::date_time::{DateTime, Format};

/// A text; an empty one where the API says nothing.
pub(crate) fn text<T: AsRef<str>>(value: Option<T>) -> Option<String> {
    Some(value.map(|v| v.as_ref().to_owned()).unwrap_or_default())
}

/// RFC 3339 without fractions of a second.
pub(crate) fn time(at: Option<&DateTime>) -> Option<String> {
    DateTime::from_secs(at?.secs()).fmt(Format::DateTime).ok()
}

/// A text that says something, to be sent.
pub(crate) fn given(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}
