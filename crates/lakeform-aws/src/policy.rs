//! When two IAM policy documents mean the same, although they are spelled differently.
//!
//! AWS hands policies back in its own spelling: keys and lists in another order, a list of one as a single value, an
//! account id as the ARN of its root user. The rules are those of the IAM policy grammar (AWS, "Grammar of the IAM JSON
//! policy language" and "IAM JSON policy elements").

use std::collections::{BTreeMap, BTreeSet};

use lakeform_core::Value;
use lakeform_provider::Change;
use serde_json::{Map, Value as Json};

/// The language version of a policy that names none.
const DEFAULT_VERSION: &str = "2008-10-17";

/// Whether two policies, as JSON text, mean the same. For `#[attr(json, same = crate::policy::same)]`.
///
/// Text that is no JSON object is the same only when it is equal.
pub fn same(a: &Value, b: &Value) -> bool {
    match (a.as_str(), b.as_str()) {
        (Some(a), Some(b)) => same_text(a, b),
        _ => a == b,
    }
}

/// [`same`] for plain text.
pub fn same_text(a: &str, b: &str) -> bool {
    if a == b {
        return true;
    }
    let empty = |text: &str| matches!(text.trim(), "" | "{}");
    if empty(a) || empty(b) {
        return empty(a) && empty(b);
    }
    match (serde_json::from_str(a), serde_json::from_str(b)) {
        (Ok(Json::Object(a)), Ok(Json::Object(b))) => canonical(a) == canonical(b),
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// The text to store for a policy as the API gives it: the stored one where it means the same, else with its keys in order,
/// as Terraform writes it.
pub fn stored(prior: Option<&str>, live: &str) -> String {
    match prior {
        Some(prior) if same_text(prior, live) => prior.to_owned(),
        _ => normal(live),
    }
}

/// JSON with its keys in order and without spaces, escaped as Go's encoder does; other text as it is.
pub fn normal(text: &str) -> String {
    fn in_order(value: Json) -> Json {
        match value {
            Json::Object(fields) => sorted(fields.into_iter().map(|(k, v)| (k, in_order(v)))),
            Json::Array(all) => all.into_iter().map(in_order).collect(),
            other => other,
        }
    }
    match serde_json::from_str(text) {
        Ok(value) => go_escaped(&in_order(value).to_string()),
        Err(_) => text.to_owned(),
    }
}

/// Plans a JSON text as Terraform stores it: [`normal`], unless it is what is stored already.
pub(crate) fn plan_normal(change: &mut Change<'_>, name: &str) {
    if change.changes(name)
        && let Some(planned) = change.planned(name)
        && let Some(text) = planned.as_str()
    {
        let value = Value::from(normal(text)).with_marks(planned.marks());
        change.set(name, value);
    }
}

/// Go's JSON encoder writes these characters as escapes; they occur only inside strings.
pub(crate) fn go_escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out
}

/// A policy with one spelling for each meaning.
fn canonical(policy: Map<String, Json>) -> BTreeMap<String, Json> {
    let mut out: BTreeMap<String, Json> = policy.into_iter().collect();
    out.entry("Version".into()).or_insert_with(|| DEFAULT_VERSION.into());
    if let Some(statements) = out.remove("Statement") {
        let mut all: Vec<Json> = match statements {
            Json::Array(all) => all.into_iter().map(statement).collect(),
            one => vec![statement(one)],
        };
        all.sort_by_cached_key(Json::to_string);
        out.insert("Statement".into(), Json::Array(all));
    }
    out
}

fn statement(one: Json) -> Json {
    let Json::Object(fields) = one else { return one };
    let fields = fields.into_iter().filter_map(|(name, value)| {
        let value = match name.as_str() {
            // AWS leaves an empty Sid out.
            "Sid" if value == "" => return None,
            "Action" | "NotAction" => strings(value, |action| action.to_ascii_lowercase()),
            "Resource" | "NotResource" => strings(value, str::to_owned),
            "Principal" | "NotPrincipal" => principal(value),
            "Condition" => condition(value),
            _ => value,
        };
        Some((name, value))
    });
    sorted(fields)
}

/// An object with its keys in order, so that its text is the same for the same contents.
fn sorted(fields: impl IntoIterator<Item = (String, Json)>) -> Json {
    let fields: BTreeMap<String, Json> = fields.into_iter().collect();
    Json::Object(fields.into_iter().collect())
}

/// A value or a list of values as a set of texts; `true` and `"true"`, `1` and `"1"` are the same to IAM.
fn strings(value: Json, spell: impl Fn(&str) -> String) -> Json {
    let text = |v: Json| match v {
        Json::String(s) => Json::String(spell(&s)),
        Json::Bool(b) => Json::String(b.to_string()),
        Json::Number(n) => Json::String(n.to_string()),
        other => other,
    };
    let all = match value {
        Json::Array(all) => all,
        one => vec![one],
    };
    let all: BTreeMap<String, Json> = all.into_iter().map(text).map(|v| (v.to_string(), v)).collect();
    Json::Array(all.into_values().collect())
}

/// `"*"` is short for everyone: `{"AWS": "*"}`.
fn principal(value: Json) -> Json {
    match value {
        Json::String(s) if s == "*" => sorted([("AWS".to_owned(), Json::Array(vec!["*".into()]))]),
        Json::Object(kinds) => sorted(kinds.into_iter().map(|(kind, who)| {
            let spell = if kind == "AWS" { account } else { str::to_owned };
            (kind, strings(who, spell))
        })),
        other => other,
    }
}

/// `arn:PARTITION:iam::ACCOUNT:root` as the account id that it stands for.
fn account(who: &str) -> String {
    let parts: Vec<&str> = who.split(':').collect();
    match parts[..] {
        ["arn", _, "iam", "", account, "root"] => account.to_owned(),
        _ => who.to_owned(),
    }
}

/// Names of condition keys do not tell upper from lower case.
fn condition(value: Json) -> Json {
    let Json::Object(operators) = value else { return value };
    sorted(operators.into_iter().map(|(operator, keys)| {
        let Json::Object(keys) = keys else { return (operator, keys) };
        let mut merged: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (key, values) in keys {
            let texts = match strings(values, str::to_owned) {
                Json::Array(all) => all.into_iter().map(|v| v.as_str().map_or_else(|| v.to_string(), str::to_owned)),
                _ => continue,
            };
            merged.entry(key.to_ascii_lowercase()).or_default().extend(texts);
        }
        (operator, sorted(merged.into_iter().map(|(k, vs)| (k, vs.into_iter().collect()))))
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A policy of one statement with some fields changed.
    fn policy(change: Json) -> Json {
        let mut statement = json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Principal": "*"});
        for (k, v) in change.as_object().unwrap() {
            statement[k] = v.clone();
        }
        json!({"Version": "2012-10-17", "Statement": [statement]})
    }

    fn check(expected: bool, a: &Json, b: &Json) {
        let same_both_ways = (same_text(&a.to_string(), &b.to_string()), same_text(&b.to_string(), &a.to_string()));
        assert_eq!(same_both_ways, (expected, expected), "{a}\n{b}");
    }

    #[test]
    fn x07_spellings_of_one_meaning() {
        for (a, b) in [
            (json!({"Action": ["s3:GetObject"]}), json!({"Action": "s3:GetObject"})),
            (json!({"Action": ["s3:Get*", "s3:Put*"]}), json!({"Action": ["s3:Put*", "s3:Get*", "s3:Put*"]})),
            (json!({"Action": "S3:getobject"}), json!({"Action": "s3:GetObject"})),
            (json!({"Resource": ["a", "b"]}), json!({"Resource": ["b", "a"]})),
            (json!({"Principal": "*"}), json!({"Principal": {"AWS": "*"}})),
            (json!({"Principal": {"AWS": ["*"]}}), json!({"Principal": {"AWS": "*"}})),
            (
                json!({"Principal": {"AWS": "123456789012"}}),
                json!({"Principal": {"AWS": ["arn:aws:iam::123456789012:root"]}}),
            ),
            (
                json!({"Principal": {"AWS": ["111122223333", "arn:aws:iam::444455556666:user/a"]}}),
                json!({"Principal": {"AWS": ["arn:aws:iam::444455556666:user/a", "arn:aws-cn:iam::111122223333:root"]}}),
            ),
            (
                json!({"Principal": {"Service": ["a.amazonaws.com", "b.amazonaws.com"]}}),
                json!({"Principal": {"Service": ["b.amazonaws.com", "a.amazonaws.com"]}}),
            ),
            (json!({"Sid": ""}), json!({})),
            (
                json!({"Condition": {"Bool": {"aws:SecureTransport": false}}}),
                json!({"Condition": {"Bool": {"AWS:securetransport": ["false"]}}}),
            ),
            (
                json!({"Condition": {"StringEquals": {"a": ["x", "y"]}, "NumericLessThan": {"b": 5}}}),
                json!({"Condition": {"NumericLessThan": {"b": "5"}, "StringEquals": {"a": ["y", "x"]}}}),
            ),
        ] {
            check(true, &policy(a), &policy(b));
        }
        let one = policy(json!({}));
        let mut single = one.clone();
        single["Statement"] = one["Statement"][0].clone();
        check(true, &one, &single);
        let deny = policy(json!({"Effect": "Deny"}))["Statement"][0].clone();
        let (mut ab, mut ba) = (one.clone(), one.clone());
        ab["Statement"] = json!([one["Statement"][0], deny]);
        ba["Statement"] = json!([deny, one["Statement"][0]]);
        check(true, &ab, &ba);
        let (mut old, mut bare) = (one.clone(), one.clone());
        old["Version"] = json!("2008-10-17");
        bare.as_object_mut().unwrap().remove("Version");
        check(true, &old, &bare);
        assert!(same_text("", "{}") && same_text("{ }", "{ }"));
    }

    #[test]
    fn the_stored_spelling_stays() {
        let prior = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["a"],"Resource":"*"}}"#;
        let live = r#"{"Version": "2012-10-17", "Statement": [{"Resource": "*", "Effect": "Allow", "Action": "a"}]}"#;
        assert_eq!(stored(Some(prior), live), prior);
        let ordered = r#"{"Statement":[{"Action":"a","Effect":"Allow","Resource":"*"}],"Version":"2012-10-17"}"#;
        assert_eq!(stored(None, live), ordered);
        assert_eq!(stored(Some("{}"), live), ordered);
        assert_eq!(normal(r#"{"b": "<&>", "a": 1}"#), r#"{"a":1,"b":"\u003c\u0026\u003e"}"#);
        assert_eq!(normal("no json"), "no json");
    }

    #[test]
    fn different_meanings() {
        for (a, b) in [
            (json!({"Effect": "Allow"}), json!({"Effect": "Deny"})),
            (json!({"Action": "s3:GetObject"}), json!({"Action": "s3:GetObjectAcl"})),
            (json!({"Action": "s3:GetObject"}), json!({"Action": ["s3:GetObject", "s3:PutObject"]})),
            (json!({"Resource": "arn:aws:s3:::A"}), json!({"Resource": "arn:aws:s3:::a"})),
            (json!({"Principal": "*"}), json!({"Principal": {"AWS": "123456789012"}})),
            (json!({"Principal": "*"}), json!({"Principal": {"Service": "*"}})),
            (
                json!({"Principal": {"AWS": "123456789012"}}),
                json!({"Principal": {"AWS": "arn:aws:iam::123456789012:user/root"}}),
            ),
            (
                json!({"Principal": {"Federated": "arn:aws:iam::123456789012:root"}}),
                json!({"Principal": {"Federated": "123456789012"}}),
            ),
            (json!({"Sid": "a"}), json!({"Sid": "A"})),
            (json!({"Sid": "a"}), json!({})),
            (
                json!({"Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
                json!({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}),
            ),
            (json!({"Condition": {"StringEquals": {"a": "x"}}}), json!({"Condition": {"StringLike": {"a": "x"}}})),
            (json!({"Condition": {"StringEquals": {"a": "x"}}}), json!({"Condition": {"StringEquals": {"a": "X"}}})),
            (json!({"Condition": {"StringEquals": {"a": "x"}}}), json!({})),
        ] {
            check(false, &policy(a), &policy(b));
        }
        let one = policy(json!({}));
        let mut old = one.clone();
        old["Version"] = json!("2008-10-17");
        check(false, &one, &old);
        let mut twice = one.clone();
        twice["Statement"] = json!([one["Statement"][0], policy(json!({"Effect": "Deny"}))["Statement"][0]]);
        check(false, &one, &twice);
        let mut named = one.clone();
        named["Id"] = json!("x");
        check(false, &one, &named);
        assert!(!same_text("", &one.to_string()) && !same_text("nonsense", "nonsense "));
    }
}
