//! What the types of Lambda share: retries, names of functions, and code from files.

use std::path::Path as File;

use aws_smithy_types::Blob;
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, ErrorKind, ProviderError, Result};

use crate::{
    AwsClient,
    tags::{TagChanges, Tags},
};

/// The codes that say that there is no such thing.
pub(super) const GONE: &[&str] = &["ResourceNotFoundException"];
/// The version that is not published yet.
pub(super) const LATEST: &str = "$LATEST";

/// The API refused the input with words like these.
pub(super) fn refused(e: &ProviderError, words: &[&str]) -> bool {
    e.has_code("InvalidParameterValueException") && words.iter().any(|words| e.message.contains(words))
}

/// Whether a function of that name is there already.
pub(super) fn exists(e: &ProviderError) -> bool {
    e.has_code("ResourceConflictException") && e.message.to_ascii_lowercase().contains("already exist")
}

/// Name and qualifier in a function's name or ARN.
pub(super) fn parts(function: &str) -> (&str, Option<&str>) {
    let marked = function.strip_prefix("function:").or_else(|| function.split_once(":function:").map(|(_, rest)| rest));
    match marked.unwrap_or(function).split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier).filter(|q| !q.is_empty())),
        None => (marked.unwrap_or(function), None),
    }
}

/// Refuses what is no name or ARN of a function.
///
/// # Errors
/// When it is none.
pub(super) fn check_function_name(change: &Change<'_>) -> Result<()> {
    let Some(text) = change.config.get("function_name").and_then(Value::as_str) else { return Ok(()) };
    let good = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    let (name, qualifier) = parts(text);
    if good(name) && qualifier.is_none_or(|q| q == LATEST || good(q)) && text.len() <= 140 {
        return Ok(());
    }
    Err(ProviderError::invalid(format!(
        "function_name is {text:?}; expected is the name of a function (letters, digits, `-` and `_`, 140 at most) or its ARN"
    ))
    .attribute(Path::attr("function_name")))
}

/// Refuses a file with code that is not there.
///
/// # Errors
/// When it is no file.
pub(super) fn check_file(client: &AwsClient, change: &Change<'_>) -> Result<()> {
    let Some(name) = change.config.get("filename").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let path = client.path(name);
    match std::fs::metadata(&path) {
        Ok(found) if found.is_file() => Ok(()),
        Ok(_) => {
            Err(ProviderError::invalid(format!("{} is no file", path.display())).attribute(Path::attr("filename")))
        }
        Err(e) => Err(unreadable(&path, e)),
    }
}

fn unreadable(path: &File, e: std::io::Error) -> ProviderError {
    ProviderError::invalid(format!("{} cannot be read: {e}", path.display()))
        .attribute(Path::attr("filename"))
        .source(e)
}

/// The code in a file.
///
/// # Errors
/// When it cannot be read.
pub(super) async fn code_in(client: &AwsClient, name: &str) -> Result<Blob> {
    let path = client.path(name);
    tokio::fs::read(&path).await.map(Blob::new).map_err(|e| unreadable(&path, e))
}

/// Sends what tags changed of a thing by its ARN.
///
/// # Errors
/// When a call fails.
pub(super) async fn change_tags(
    cx: &Context<'_, AwsClient>,
    arn: &str,
    before: Option<&Tags>,
    after: Option<&Tags>,
) -> Result<()> {
    use crate::error::During as _;
    let tags = TagChanges::between(before, after);
    let lambda = cx.client.lambda();
    if !tags.remove.is_empty() {
        let call = lambda.untag_resource().resource(arn).set_tag_keys(Some(tags.remove.clone()));
        call.send().await.during("lambda:UntagResource")?;
    }
    if !tags.set.is_empty() {
        let call = lambda.tag_resource().resource(arn).set_tags(Some(tags.set.into_iter().collect()));
        call.send().await.during("lambda:TagResource")?;
    }
    Ok(())
}

/// What the API does not say is the empty text, as Terraform stores it.
pub(super) fn text<T: AsRef<str>>(value: Option<T>) -> Option<String> {
    Some(value.map(|v| v.as_ref().to_owned()).unwrap_or_default())
}

/// A text that says something.
pub(super) fn given(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}

/// A number for the API, which knows 32 bits.
pub(super) fn to_i32(number: Option<i64>) -> Option<i32> {
    number.and_then(|n| i32::try_from(n).ok())
}

/// An answer without what was asked for.
pub(super) fn nothing(operation: &str, what: &str) -> ProviderError {
    ProviderError::new(ErrorKind::Other, format!("the answer holds no {what}")).operation(operation)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_named_in_many_ways() {
        for (given, name, qualifier) in [
            ("f", "f", None),
            ("f:1", "f", Some("1")),
            ("f:$LATEST", "f", Some("$LATEST")),
            ("arn:aws:lambda:eu-west-2:123456789012:function:f", "f", None),
            ("arn:aws:lambda:eu-west-2:123456789012:function:f:live", "f", Some("live")),
            ("123456789012:function:f", "f", None),
            ("function:function", "function", None),
        ] {
            assert_eq!(parts(given), (name, qualifier), "{given}");
        }
    }
}
