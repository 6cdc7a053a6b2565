//! What the S3 types share: identifiers of sub-resources, retries after a bucket's own changes, and spelling.

use std::{future::Future, time::Duration};

use lakeform_core::{Kind, Path, Value};
use lakeform_provider::{Change, Context, Field, ProviderError, Result, Wait, list_to_set};

use tokio::time::Instant;

use crate::{AwsClient, propagation};

pub(crate) use crate::policy::plan_normal as plan_normal_json;
pub(crate) use crate::stored::{given, text};

/// The codes that say: the bucket is gone, and everything in it.
pub(crate) const NO_BUCKET: &str = "NoSuchBucket";

/// The code that says: an earlier change of the bucket is still under way.
pub(crate) const BUSY_CODE: &str = "OperationAborted";

/// How long an earlier change may take. The name of a deleted bucket is free again after about a minute.
pub(crate) const BUSY: Duration = Duration::from_secs(120);

/// The identifier of a bucket's sub-resource: the bucket, and the expected owner after a comma where one is given.
pub(crate) fn bucket_id(bucket: &str, owner: Option<&str>) -> String {
    match owner.filter(|owner| !owner.is_empty()) {
        Some(owner) => format!("{bucket},{owner}"),
        None => bucket.to_owned(),
    }
}

/// Bucket and expected owner of an identifier that [`bucket_id`] made.
///
/// # Errors
/// When it is neither `BUCKET` nor `BUCKET,OWNER`.
pub(crate) fn parse_bucket_id(id: &str) -> Result<(String, Option<String>)> {
    match id.split(',').collect::<Vec<_>>()[..] {
        [bucket] if !bucket.is_empty() => Ok((bucket.to_owned(), None)),
        [bucket, owner] if !bucket.is_empty() && !owner.is_empty() => Ok((bucket.to_owned(), Some(owner.to_owned()))),
        _ => Err(ProviderError::invalid(format!(
            "{id:?} is no identifier: BUCKET or BUCKET,EXPECTED_BUCKET_OWNER is expected"
        ))),
    }
}

/// A number that says something: Terraform stores `0` where an optional number is not set.
pub(crate) fn given_number(number: Option<i64>) -> Option<i32> {
    number.filter(|n| *n != 0).map(to_i32)
}

/// A number for the API, which knows 32 bits; one that does not fit becomes the nearest that does.
pub(crate) fn to_i32(number: i64) -> i32 {
    i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX })
}

/// [`settle`](propagation::settle) for the first calls after a bucket's creation, which may meet a part of S3 that has not heard of it.
///
/// # Errors
/// The last failure.
pub(crate) async fn after_creation<T, F: Future<Output = Result<T>>>(
    cx: &Context<'_, AwsClient>,
    call: impl FnMut() -> F,
) -> Result<T> {
    let start = Instant::now();
    let unheard = |e: &ProviderError| e.has_code(NO_BUCKET) && start.elapsed() < Duration::from_secs(8);
    let wait = Wait::new("bucket to be free", BUSY);
    cx.retry(wait, |e| propagation::is_busy(e) || unheard(e), call).await
}

/// The value with everything that says nothing (`null`, `""`, `false`, `0`, no elements) made null, at any depth.
fn essence(value: &Value) -> Value {
    let says_nothing = match value.kind() {
        Kind::Bool(b) => !b,
        Kind::Number(n) => n.to_i64() == Some(0),
        Kind::String(s) => s.is_empty(),
        Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => vs.is_empty(),
        Kind::Map(_, vs) => vs.is_empty(),
        _ => false,
    };
    if says_nothing { Value::null(value.ty()) } else { value.clone().map_children(|child| essence(&child)) }
}

/// Whether two values differ at most in how they say nothing: Terraform stores `""`, `false` and `0` where a stack sets
/// nothing.
pub(crate) fn same_essence(a: &Value, b: &Value) -> bool {
    essence(a) == essence(b)
}

/// What was read of a set of blocks, in the stored spelling where both mean the same: elements are compared as a whole.
pub(crate) fn keep_set_spelling<F: Field + Clone>(stored: Vec<F>, live: Vec<F>) -> Vec<F> {
    let set = |elements: &Vec<F>| list_to_set(elements.clone().into_value());
    if same_essence(&set(&stored), &set(&live)) { stored } else { live }
}

/// Plans no change of an attribute or block that differs from the stored one only in how it says nothing.
pub(crate) fn plan_same_essence(change: &mut Change<'_>, name: &str) {
    let stored = change.prior.and_then(|prior| prior.get(name)).cloned();
    if let (Some(stored), Some(planned)) = (stored, change.planned(name))
        && planned.is_wholly_known()
        && *planned != stored
        && same_essence(planned, &stored)
    {
        let marks = planned.marks();
        change.set(name, stored.with_marks(marks));
    }
}

/// Whether an attribute is planned to say something else than it does.
pub(crate) fn changes_essence(change: &Change<'_>, name: &str) -> bool {
    match (change.prior.and_then(|prior| prior.get(name)), change.planned(name)) {
        (Some(stored), Some(planned)) => !planned.is_wholly_known() || !same_essence(stored, planned),
        _ => true,
    }
}

/// Refuses attributes and blocks that exclude each other, as Terraform's `ConflictsWith` does.
///
/// # Errors
/// When the stack sets `name` and one of `others`.
pub(crate) fn refuse_together(change: &Change<'_>, name: &str, others: &[&str]) -> Result<()> {
    let sets = |name: &str| {
        change
            .config
            .get(name)
            .is_some_and(|v| !v.is_null() && v.as_slice().is_none_or(|elements| !elements.is_empty()))
    };
    match others.iter().find(|other| sets(name) && sets(other)) {
        Some(other) => Err(ProviderError::invalid(format!("`{name}` and `{other}` exclude each other"))
            .hint("set one of them")
            .attribute(Path::attr(name))),
        None => Ok(()),
    }
}

/// Refuses a text that is none of those that the API knows.
///
/// # Errors
/// When the stack sets `name` to another text.
pub(crate) fn one_of(change: &Change<'_>, name: &str, known: &[&str]) -> Result<()> {
    match change.config.get(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() && !known.contains(&text) => {
            Err(ProviderError::invalid(format!("`{name}` is {text:?}: expected one of {}", known.join(", ")))
                .attribute(Path::attr(name)))
        }
        _ => Ok(()),
    }
}

/// A JSON text as Go's `encoding/json` writes it; `None` if it is no JSON.
pub(crate) fn normal_json(text: &str) -> Option<String> {
    let json: serde_json::Value = serde_json::from_str(text).ok()?;
    // Inside a JSON document these characters occur only in strings.
    let escaped = json
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    Some(escaped)
}

/// A name nobody else has: 26 hexadecimal digits, by which Terraform recognises where a prefix ends.
pub(crate) fn unique_suffix() -> String {
    let mut digits = uuid::Uuid::new_v4().simple().to_string();
    digits.truncate(UNIQUE);
    digits
}

const UNIQUE: usize = 26;

/// The prefix of a name that ends in [`unique_suffix`]; empty for any other name.
pub(crate) fn name_prefix(name: &str) -> &str {
    match name.len().checked_sub(UNIQUE).and_then(|at| name.split_at_checked(at)) {
        Some((prefix, suffix)) if suffix.chars().all(|c| c.is_ascii_hexdigit()) => prefix,
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lakeform_core::Type;

    #[test]
    fn identifiers_name_the_owner_where_one_is_expected() {
        assert_eq!(bucket_id("b", None), "b");
        assert_eq!(bucket_id("b", Some("")), "b");
        assert_eq!(bucket_id("b", Some("123456789012")), "b,123456789012");
        assert_eq!(parse_bucket_id("b").unwrap(), ("b".to_owned(), None));
        assert_eq!(parse_bucket_id("b,1").unwrap(), ("b".to_owned(), Some("1".to_owned())));
        for wrong in ["", ",", "b,", ",1", "b,1,2"] {
            assert!(parse_bucket_id(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn saying_nothing_has_many_spellings() {
        let element = |key: Value, on: Value| Value::object([("key", key), ("on", on)]);
        let set = |v: Value| Value::set(v.ty(), vec![v]);
        let nothing = element(Value::null(Type::String), Value::null(Type::Bool));
        assert!(same_essence(&set(nothing.clone()), &set(element("".into(), false.into()))));
        assert!(!same_essence(&set(nothing), &set(element("k".into(), false.into()))));
    }

    // The expected text is what Terraform 1.11 and its AWS provider 5.100 store for this policy.
    #[test]
    fn json_is_stored_as_terraform_stores_it() {
        let given = "{\n \"b\": [1, true, \"a<b & c>\"],\n \"a\": {\"z\": null, \"y\": 1.5}}";
        let stored = r#"{"a":{"y":1.5,"z":null},"b":[1,true,"a\u003cb \u0026 c\u003e"]}"#;
        assert_eq!(normal_json(given).as_deref(), Some(stored));
        assert_eq!(normal_json("{"), None);
    }

    #[test]
    fn a_generated_name_shows_its_prefix() {
        assert_eq!(name_prefix("terraform-20261120142652944700000001"), "terraform-");
        assert_eq!(name_prefix("plain"), "");
        assert_eq!(name_prefix("ü234567890123456789012345"), "");
        let name = format!("logs-{}", unique_suffix());
        assert_eq!(name_prefix(&name), "logs-");
    }
}
