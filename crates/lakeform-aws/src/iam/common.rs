//! What the types of IAM share: names, documents, tags, and waiting for what IAM has not heard of yet.

use std::time::Duration;

use aws_sdk_iam::types::Tag;
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, ProviderError, Result, Wait};

use crate::{AwsClient, check, naming, policy, propagation, tags::Tags};

/// The codes that say that there is no such thing.
pub(super) const GONE: &[&str] = &["NoSuchEntity"];

/// How long a change may take to be known everywhere.
const PROPAGATION: Wait = Wait {
    what: "change to be known everywhere",
    first: Duration::from_millis(200),
    longest: Duration::from_secs(5),
    budget: Duration::from_secs(60),
};

/// [`settle`](propagation::settle) for an object that this very operation has made: calls again while it is not known.
pub(super) async fn once_known<T, F: Future<Output = Result<T>>>(
    cx: &Context<'_, AwsClient>,
    call: impl FnMut() -> F,
) -> Result<T> {
    cx.retry(PROPAGATION, |e| e.has_code(GONE[0]) || propagation::is_busy(e), call).await
}

/// Deletes what may still count as in use although its last user is gone; gone already is success.
pub(super) async fn unless_used<T, F: Future<Output = Result<T>>>(
    cx: &Context<'_, AwsClient>,
    call: impl FnMut() -> F,
) -> Result<()> {
    use crate::error::Absent;
    let used = |e: &ProviderError| e.has_code("DeleteConflict") || propagation::is_busy(e);
    cx.retry(PROPAGATION, used, call).await.absent_ok(GONE).map(drop)
}

/// Checks `name` and `name_prefix` of a type whose names have `longest` characters at most.
///
/// # Errors
/// When both are set, or one is no name for IAM.
pub(super) fn check_names(change: &Change<'_>, longest: usize) -> Result<()> {
    check::not_both(change, "name", "name_prefix")?;
    check::length(change, "name", 1..=longest)?;
    check::length(change, "name_prefix", 1..=longest - naming::MADE_UP)?;
    ["name", "name_prefix"].into_iter().try_for_each(|attribute| check_name(change.config.get(attribute), attribute))
}

/// Checks the characters of a name.
///
/// # Errors
/// When IAM does not allow one of them.
pub(super) fn check_name(value: Option<&Value>, attribute: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    match value.and_then(Value::as_str) {
        Some(name) if !name.chars().all(allowed) => Err(ProviderError::invalid(format!(
            "{attribute} is {name:?}; expected are letters, digits and the characters _ + = , . @ -"
        ))
        .attribute(Path::attr(attribute))),
        _ => Ok(()),
    }
}

/// The name to create an object with: the chosen one, else one that is made up.
pub(super) fn name(name: Option<&String>, prefix: Option<&String>, token: &str) -> String {
    let chosen = |text: Option<&String>| text.filter(|t| !t.is_empty()).cloned();
    chosen(name).unwrap_or_else(|| naming::unique(&chosen(prefix).unwrap_or_else(|| "terraform-".into()), token))
}

/// Plans a text in the spelling in which it is stored.
pub(super) fn plan_spelled(change: &mut Change<'_>, attribute: &str, spell: fn(&str) -> String) {
    if !change.changes(attribute) {
        return;
    }
    if let Some(planned) = change.planned(attribute)
        && let Some(text) = planned.as_str()
    {
        let value = Value::from(spell(text)).with_marks(planned.marks());
        change.set(attribute, value);
    }
}

/// JSON with its keys in order, but `Version` first: so Terraform stores policies that are embedded in something.
pub(super) fn version_first(text: &str) -> String {
    let Ok(mut fields) = serde_json::from_str::<serde_json::Map<_, _>>(text) else { return policy::normal(text) };
    let Some(version) = fields.remove("Version") else { return policy::normal(text) };
    let rest = policy::normal(&serde_json::Value::Object(fields).to_string());
    let version = policy::normal(&version.to_string());
    match rest.as_str() {
        "{}" => format!("{{\"Version\":{version}}}"),
        rest => format!("{{\"Version\":{version},{}", &rest[1..]),
    }
}

/// A document as IAM hands it out: percent-encoded (RFC 3986).
///
/// # Errors
/// When it is no text.
pub(super) fn document(encoded: &str, operation: &'static str) -> Result<String> {
    let text = percent_encoding::percent_decode_str(encoded).decode_utf8();
    let text = text.map_err(|e| ProviderError::invalid(format!("the policy is no text: {e}")).operation(operation))?;
    Ok(text.into_owned())
}

/// Tags as the SDK takes them; `None` without any.
///
/// # Errors
/// Never, as each has a key and a value.
pub(super) fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Option<Vec<Tag>>> {
    let build = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    let tags = tags.into_iter().map(build).collect::<Result<Vec<_>, _>>();
    let tags = tags.map_err(|e| ProviderError::invalid(e.to_string()))?;
    Ok((!tags.is_empty()).then_some(tags))
}

/// Tags as the SDK gives them.
pub(super) fn live_tags(tags: &[Tag]) -> Tags {
    crate::tags::to_map(tags.iter().map(|t| (t.key(), t.value())))
}

/// Tags and untags an object of IAM: `change_tags!(cx, prior, object, role_name(name), tag_role "iam:TagRole", ...)`.
macro_rules! change_tags {
    ($cx:expr, $prior:expr, $object:expr, $by:ident($id:expr), $tag:ident $tagging:literal, $untag:ident $untagging:literal) => {{
        let changes = $crate::tags::TagChanges::between($prior.tags_all.as_ref(), $object.tags_all.as_ref());
        if !changes.remove.is_empty() {
            let keys = Some(changes.remove.clone());
            $crate::propagation::settle($cx, || async {
                $cx.client.iam().$untag().$by($id).set_tag_keys(keys.clone()).send().await.during($untagging)
            })
            .await?;
        }
        if let Some(tags) = $crate::iam::common::sdk_tags(&changes.set)? {
            $crate::propagation::settle($cx, || async {
                $cx.client.iam().$tag().$by($id).set_tags(Some(tags.clone())).send().await.during($tagging)
            })
            .await?;
        }
    }};
}
pub(super) use change_tags;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_an_embedded_policy_comes_first() {
        for (text, stored) in [
            (r#"{"Statement": [], "Version": "2012-10-17"}"#, r#"{"Version":"2012-10-17","Statement":[]}"#),
            (
                r#"{"Statement": {"b": "<", "Version": 1, "a": 2}, "Id": "x", "Version": "v"}"#,
                r#"{"Version":"v","Id":"x","Statement":{"Version":1,"a":2,"b":"\u003c"}}"#,
            ),
            (r#"{"Version": "v"}"#, r#"{"Version":"v"}"#),
            (r#"{"b": 1, "a": 2}"#, r#"{"a":2,"b":1}"#),
            ("[1, 2]", "[1,2]"),
            ("no json", "no json"),
        ] {
            assert_eq!(version_first(text), stored, "{text}");
        }
    }

    #[test]
    fn a_name_is_chosen_or_made_up() {
        let text = |t: &str| Some(t.to_owned());
        assert_eq!(name(text("a").as_ref(), None, "0"), "a");
        assert_eq!(name(None, text("p-").as_ref(), "0"), "p-0");
        assert_eq!(name(text("").as_ref(), None, "0"), "terraform-0");
    }
}
