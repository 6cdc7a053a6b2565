//! Drift for people, for pull requests and for programs.

use std::fmt::Write as _;

use lakeform::{Action, Change, Drift, DriftReport, LoadedStack, Providers, core::Value};
use serde_json::{Value as Json, json};

use super::{
    diff::{self, Mark},
    plan::{self, schema},
    render::{Opts, render},
    style::Style,
    text::plural,
    values_json,
};

/// For people: what was changed outside, then what an apply would do.
pub(crate) fn text(report: &DriftReport, providers: &Providers, style: Style) -> String {
    if report.is_empty() {
        let head = format!(
            "{} {}",
            style.green(style.bold("No drift.")),
            style.bold("Live objects match the state and the stack.")
        );
        return format!("{head}\n");
    }
    let mut out = String::new();
    if !report.outside().is_empty() {
        let _ = writeln!(out, "{}", style.bold("Objects have changed outside of lakeform"));
        for drift in report.outside() {
            match plan::drift_entry(drift, providers, style) {
                Some(entry) => drop(write!(out, "\n{entry}")),
                None => drop(writeln!(out, "\n  # {} has changed", drift.address)),
            }
        }
        out.push('\n');
    }
    let pending: Vec<&Change> = report.pending().collect();
    if !pending.is_empty() {
        let _ = writeln!(out, "{}", style.bold("Live objects differ from the stack; an apply would do this"));
        for change in pending {
            let _ = write!(out, "\n{}", plan::change(change, providers, style));
        }
        out.push('\n');
    }
    let _ = writeln!(out, "{}", style.bold(summary(report)));
    out
}

/// `Drift: 1 changed, 0 deleted outside of lakeform; 1 differs from the stack.`
fn summary(report: &DriftReport) -> String {
    let deleted = report.outside().iter().filter(|d| d.after.is_null()).count();
    let changed = report.outside().len() - deleted;
    let pending = plural(report.pending().count(), "object");
    format!(
        "Drift: {changed} changed and {deleted} deleted outside of lakeform; {pending} to change to match the stack."
    )
}

/// For pull requests and chats.
pub(crate) fn markdown(report: &DriftReport, loaded: &LoadedStack) -> String {
    let name = &loaded.stack().name;
    if report.is_empty() {
        return format!("## Drift of `{name}`\n\nNone: live objects match the state and the stack.\n");
    }
    let providers = loaded.providers();
    let mut out = format!("## Drift of `{name}`\n\n{}\n", summary(report));
    if !report.outside().is_empty() {
        let _ = writeln!(out, "\n### Changed outside of lakeform");
        for drift in report.outside() {
            let what = if drift.after.is_null() { "deleted" } else { "changed" };
            let _ = writeln!(out, "\n`{}` was {what}\n\n```diff\n{}\n```", drift.address, plain(drift, providers));
        }
    }
    let pending: Vec<&Change> = report.pending().collect();
    if !pending.is_empty() {
        let _ = writeln!(out, "\n### Differs from the stack\n\n| object | an apply would |\n| --- | --- |");
        for change in pending {
            let _ = writeln!(out, "| `{}` | {} |", change.address.to_string().replace('|', "\\|"), verb(change.action));
        }
    }
    out
}

/// A diff in the form that Markdown colours: the mark at the beginning of the line.
fn plain(drift: &Drift, providers: &Providers) -> String {
    let diff = diff::object(&drift.before, &drift.after, schema(providers, &drift.address), &[]);
    let glyph = if diff.mark == Mark::Remove { "-" } else { "!" };
    let text = format!("{glyph} {} {}", plan::header(&drift.address), render(&diff, 0, Opts::change(Style::default())));
    let line = |line: &str| {
        let trimmed = line.trim_start();
        let indent = &line[..line.len() - trimmed.len()];
        match trimmed.split_at_checked(2) {
            Some(("+ ", rest)) => format!("+ {indent}{rest}"),
            Some(("- ", rest)) => format!("- {indent}{rest}"),
            Some(("~ ", rest)) => format!("! {indent}{rest}"),
            _ => line.to_owned(),
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn verb(action: Action) -> &'static str {
    match action {
        Action::NoOp => "do nothing",
        Action::Read => "read it",
        Action::Create => "create it",
        Action::Update => "update it in-place",
        Action::DeleteThenCreate | Action::CreateThenDelete => "replace it",
        Action::Delete => "destroy it",
        Action::Forget => "forget it",
    }
}

/// For programs.
pub(crate) fn json(report: &DriftReport, loaded: &LoadedStack, timestamp: &str) -> Json {
    let providers = loaded.providers();
    let outside: Vec<Json> = report
        .outside()
        .iter()
        .map(|d| {
            let class = if d.after.is_null() { "deleted" } else { "changed" };
            let mut record = object(&d.address, &d.before, &d.after, providers);
            record["class"] = class.into();
            record
        })
        .collect();
    let pending: Vec<Json> = report
        .pending()
        .map(|c| {
            let mut record = object(&c.address, &c.before, &c.after, providers);
            record["class"] = "differs_from_stack".into();
            record["actions"] = json!(c.action.names());
            if let Some(reason) = c.reason {
                record["action_reason"] = reason.name().into();
            }
            record
        })
        .collect();
    json!({
        "format_version": "1.0",
        "lakeform_version": lakeform::VERSION,
        "stack": *loaded.stack().name,
        "timestamp": timestamp,
        "drifted": !report.is_empty(),
        "outside": outside,
        "pending": pending,
    })
}

/// One object with the attributes that differ: old and new value of each.
fn object(address: &lakeform::core::InstanceAddress, before: &Value, after: &Value, providers: &Providers) -> Json {
    let schema = schema(providers, address);
    let (before, after) = (values_json::mark(before, schema), values_json::mark(after, schema));
    let names: std::collections::BTreeSet<_> =
        [&before, &after].into_iter().filter_map(|v| v.as_mapping()).flat_map(|vs| vs.keys()).collect();
    let side = |whole: &Value, name: &str| whole.get(name).map_or(Json::Null, values_json::known);
    let nothing = |v: &Json| v.is_null() || v.as_array().is_some_and(Vec::is_empty) || v.as_str() == Some("");
    let differing = names.into_iter().filter_map(|name| {
        let (old, new) = (side(&before, name), side(&after, name));
        let unknown = after.get(name).is_some_and(|v| !v.is_wholly_known());
        let same = before.get(name) == after.get(name) || nothing(&old) && nothing(&new);
        if same && !unknown {
            return None;
        }
        let mut record = json!({ "before": old, "after": new });
        if unknown {
            record["after_unknown"] = true.into();
        }
        Some((name.to_string(), record))
    });
    let differing: serde_json::Map<String, Json> = differing.collect();
    json!({ "address": address.to_string(), "type": *address.resource.ty, "attributes": differing })
}
