//! What differs between two states.

use std::{collections::BTreeSet, fmt::Write as _};

use lakeform::{
    Action, Providers,
    core::{InstanceAddress, Value},
    state::{ObjectState, OutputState, State},
};

use super::{
    diff::{self, Mark},
    plan::{glyph, header, schema},
    render::{Opts, render},
    state_json::object_value,
    style::Style,
    text::attribute_name,
};

/// Every object and output that differs, as a plan would show it; sensitive values are not shown. `None` where nothing does.
pub(crate) fn state_diff(a: &State, b: &State, providers: &Providers, style: Style) -> Option<String> {
    let mut out = String::new();
    let (mut added, mut changed, mut removed) = (0, 0, 0);
    for (address, deposed) in objects(a).union(&objects(b)) {
        let (old, new) = (find(a, address, deposed.as_deref()), find(b, address, deposed.as_deref()));
        if old == new {
            continue;
        }
        let (count, action, words) = match (old, new) {
            (None, _) => (&mut added, Action::Create, "is only in the second"),
            (_, None) => (&mut removed, Action::Delete, "is only in the first"),
            _ => (&mut changed, Action::Update, "differs"),
        };
        *count += 1;
        let object = deposed.as_ref().map(|key| format!(" (deposed object {key})")).unwrap_or_default();
        let _ = writeln!(out, "\n{} {words}", style.bold(format!("  # {address}{object}")));
        let value = |object: Option<&ObjectState>| object.map(|o| object_value(address, o, providers));
        let (before, after) = match (value(old), value(new)) {
            (Some(before), None) => (before.clone(), Value::null(before.ty())),
            (None, Some(after)) => (Value::null(after.ty()), after),
            (Some(before), Some(after)) => (before, after),
            (None, None) => continue,
        };
        out.push_str(&beside(old, new));
        let diff = diff::object(&before, &after, schema(providers, address), &[]);
        if diff.mark != Mark::Same {
            let text = render(&diff, 0, Opts::change(style));
            let _ = writeln!(out, "{} {} {text}", glyph(action, style), header(address));
        }
    }
    let outputs = outputs(a, b, style);
    if out.is_empty() && outputs.is_empty() {
        return None;
    }
    if !outputs.is_empty() {
        let _ = write!(out, "\nOutputs:\n{outputs}");
    }
    let summary = format!("{added} only in the second, {changed} different, {removed} only in the first.");
    let _ = writeln!(out, "\n{} {summary}", style.bold("Objects:"));
    Some(out)
}

type Key = (InstanceAddress, Option<String>);

fn objects(state: &State) -> BTreeSet<Key> {
    let each = state.iter().flat_map(|(address, instance)| {
        let current = instance.current.iter().map(|_| None);
        let keys: Vec<Key> =
            current.chain(instance.deposed.keys().cloned().map(Some)).map(|key| (address.clone(), key)).collect();
        keys
    });
    each.collect()
}

fn find<'s>(state: &'s State, address: &InstanceAddress, deposed: Option<&str>) -> Option<&'s ObjectState> {
    let instance = state.get(address)?;
    match deposed {
        None => instance.current.as_ref(),
        Some(key) => instance.deposed.get(key),
    }
}

/// What differs beside the attributes.
fn beside(old: Option<&ObjectState>, new: Option<&ObjectState>) -> String {
    let (Some(old), Some(new)) = (old, new) else { return String::new() };
    let mut lines = Vec::new();
    match (old.tainted, new.tainted) {
        (false, true) => lines.push("it is tainted in the second"),
        (true, false) => lines.push("it is tainted in the first"),
        _ => {}
    }
    if old.dependencies != new.dependencies {
        lines.push("its dependencies differ");
    }
    if old.create_before_destroy != new.create_before_destroy {
        lines.push("create_before_destroy differs");
    }
    if old.private != new.private || old.extra != new.extra || old.schema_version != new.schema_version {
        lines.push("what the provider keeps of it differs");
    }
    if old.sensitive_attributes != new.sensitive_attributes {
        lines.push("which attributes are sensitive differs");
    }
    lines.iter().map(|line| format!("  # ({line})\n")).collect()
}

fn outputs(a: &State, b: &State, style: Style) -> String {
    let names: BTreeSet<&String> = a.outputs.keys().chain(b.outputs.keys()).collect();
    let width = names.iter().map(|name| attribute_name(name).chars().count()).max().unwrap_or(0);
    let value = |output: Option<&OutputState>| match output {
        None => Value::null(lakeform::core::Type::Dynamic),
        Some(output) if output.sensitive => output.value.clone().sensitive(),
        Some(output) => output.value.clone(),
    };
    let mut out = String::new();
    for name in names {
        let (old, new) = (a.outputs.get(name), b.outputs.get(name));
        if old == new {
            continue;
        }
        let diff = diff::output(&value(old), &value(new));
        let action = match (old, new) {
            (None, _) => Action::Create,
            (_, None) => Action::Delete,
            _ => Action::Update,
        };
        let text = render(&diff, 0, Opts::change(style));
        let _ = writeln!(out, "{} {:width$} = {text}", glyph(action, style), attribute_name(name));
    }
    out
}
