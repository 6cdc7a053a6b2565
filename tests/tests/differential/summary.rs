//! What a tool's answer says, without what differs from run to run: this is what is compared, and what is recorded.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::LazyLock,
};

use regex::Regex;
use serde_json::{Map, Value as Json, json};

use super::tools::Answer;

static UUID: LazyLock<Regex> =
    LazyLock::new(|| Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").unwrap());

/// Identifiers are random: each is named by the address that it was first seen at, and by how many were there before. So
/// two tools agree only if they keep and replace the same objects.
#[derive(Default)]
pub(super) struct Names {
    of: HashMap<String, String>,
    seen: BTreeMap<String, usize>,
}

impl Names {
    fn learn(&mut self, state: &Json) {
        let mut ids: Vec<(String, String)> = vec![];
        for (address, instance) in instances(state) {
            if let Some(id) = instance["attributes"]["id"].as_str() {
                ids.push((address, id.to_owned()));
            }
        }
        ids.sort();
        for (address, id) in ids {
            if !self.of.contains_key(&id) {
                let count = self.seen.entry(address.clone()).or_default();
                *count += 1;
                self.of.insert(id, format!("<{address} {count}>"));
            }
        }
    }

    fn hide(&self, json: &Json) -> Json {
        match json {
            Json::String(s) => UUID
                .replace_all(s, |found: &regex::Captures<'_>| {
                    self.of.get(&found[0]).map_or(Cow::Borrowed("<new>"), |n| Cow::Owned(n.clone()))
                })
                .into(),
            Json::Array(items) => items.iter().map(|v| self.hide(v)).collect(),
            Json::Object(entries) => entries.iter().map(|(k, v)| (k.clone(), self.hide(v))).collect(),
            other => other.clone(),
        }
    }
}

/// The instances of a state file by address, deposed objects beside the current one.
pub(super) fn instances(state: &Json) -> Vec<(String, Json)> {
    let mut out = vec![];
    for resource in state["resources"].as_array().into_iter().flatten() {
        let block = block(resource);
        for instance in resource["instances"].as_array().into_iter().flatten() {
            let key = instance.get("index_key").map_or(String::new(), |k| format!("[{k}]"));
            let deposed = if instance.get("deposed").is_some() { " (deposed)" } else { "" };
            out.push((format!("{block}{key}{deposed}"), instance.clone()));
        }
    }
    out
}

/// The address of a block of a state file.
pub(super) fn block(resource: &Json) -> String {
    let name = format!("{}.{}", resource["type"].as_str().unwrap(), resource["name"].as_str().unwrap());
    resource["module"].as_str().map_or(name.clone(), |module| format!("{module}.{name}"))
}

/// The summary of an answer.
pub(super) fn summary(answer: &Answer, names: &mut Names) -> Json {
    let mut out = json!({
        "plan": answer.plan.as_ref().map_or("failed".into(), plan),
        "applied": match answer.applied {
            None => "not tried",
            Some(true) => "done",
            Some(false) => "failed",
        },
        "state": state(&answer.after),
    });
    if answer.applied.is_some() {
        out["again"] = answer.again.as_ref().map_or("failed".into(), changes_only);
    }
    names.learn(&answer.after);
    names.hide(&out)
}

fn plan(plan: &Json) -> Json {
    let changes = plan["resource_changes"].as_array().into_iter().flatten().map(|change| {
        let inner = without_secrets(&change["change"]);
        let mut out = Map::new();
        let sides = ["before", "before_sensitive", "after", "after_sensitive", "after_unknown"];
        for key in sides.iter().chain(&["actions", "replace_paths", "importing"]) {
            // A tool may leave out what says nothing.
            if let Some(value) = inner.get(*key).filter(|v| !v.is_null()) {
                out.insert((*key).into(), value.clone());
            }
        }
        for key in ["action_reason", "previous_address"] {
            if let Some(value) = change.get(key) {
                out.insert(key.into(), value.clone());
            }
        }
        if out.get("actions") == Some(&json!(["no-op"])) {
            out.retain(|key, _| key != "before" && key != "after");
        }
        let deposed = if change.get("deposed").is_some() { " (deposed)" } else { "" };
        (format!("{}{deposed}", change["address"].as_str().unwrap()), out.into())
    });
    let changes: Map<String, Json> = changes.collect();
    let outputs = plan["output_changes"].as_object().into_iter().flatten().map(|(name, change)| {
        let keys = ["actions", "before", "before_sensitive", "after", "after_sensitive", "after_unknown"];
        let change = without_secrets(change);
        let out = keys.iter().map(|k| ((*k).to_owned(), change.get(*k).cloned().unwrap_or_default()));
        (name.clone(), out.collect::<Map<_, _>>().into())
    });
    let outputs: Map<String, Json> = outputs.collect();
    json!({ "changes": changes, "outputs": outputs })
}

/// A change of a plan without its sensitive values: Terraform writes them, lakeform does not. State is compared with them.
fn without_secrets(change: &Json) -> Json {
    let mut out = change.clone();
    for side in ["before", "after"] {
        let value = out.as_object_mut().unwrap().entry(side).or_insert(Json::Null);
        hide_secrets(value, &change[format!("{side}_sensitive")]);
    }
    out
}

fn hide_secrets(value: &mut Json, sensitive: &Json) {
    match (value, sensitive) {
        (value, Json::Bool(true)) => *value = "(sensitive)".into(),
        (Json::Array(values), Json::Array(flags)) => values.iter_mut().zip(flags).for_each(|(v, f)| hide_secrets(v, f)),
        (Json::Object(values), Json::Object(flags)) => {
            values.iter_mut().for_each(|(k, v)| hide_secrets(v, flags.get(k).unwrap_or(&Json::Null)));
        }
        _ => {}
    }
}

/// What a plan would change, which should be nothing after an apply that succeeded.
fn changes_only(again: &Json) -> Json {
    let mut out = plan(again);
    for part in ["changes", "outputs"] {
        let entries = out[part].as_object_mut().unwrap();
        entries.retain(|_, change| change["actions"] != json!(["no-op"]));
    }
    out
}

fn state(state: &Json) -> Json {
    let held = instances(state);
    let blocks: BTreeSet<String> = held.iter().map(|(address, _)| without_keys(address)).collect();
    // Terraform's apply marks only the instances that are referred to by their keys, and its next plan marks all.
    let create_first: BTreeSet<String> = held
        .iter()
        .filter(|(_, instance)| instance["create_before_destroy"] == true)
        .map(|(address, _)| without_keys(address))
        .collect();
    let resources = held.into_iter().map(|(address, instance)| {
        let mut out = Map::new();
        for key in ["attributes", "sensitive_attributes", "status"] {
            let mut value = instance.get(key).cloned().unwrap_or_default();
            if let Some(paths) = value.as_array_mut() {
                paths.sort_by_key(Json::to_string); // Terraform writes them in any order.
            }
            if !value.is_null() && value != json!([]) {
                out.insert(key.into(), value);
            }
        }
        // What is in no state orders nothing. Terraform names blocks that are deleted in the same run, lakeform does not.
        let mut needed: Vec<&str> =
            instance["dependencies"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
        needed.retain(|block| blocks.contains(*block));
        needed.sort_unstable();
        out.insert("dependencies".into(), json!(needed));
        out.insert("create_before_destroy".into(), create_first.contains(&without_keys(&address)).into());
        (address, out.into())
    });
    json!({
        "resources": resources.collect::<Map<String, Json>>(),
        "outputs": state.get("outputs").cloned().unwrap_or_else(|| json!({})),
    })
}

/// The block that an address of an instance belongs to.
pub(super) fn without_keys(address: &str) -> String {
    let mut depth = 0;
    let plain = address.trim_end_matches(" (deposed)").chars().filter(|c| {
        depth += i32::from(*c == '[');
        let inside = depth > 0;
        depth -= i32::from(*c == ']');
        !inside
    });
    plain.collect()
}

/// Where two summaries differ: the way there, Terraform's and lakeform's.
pub(super) fn differences(terraform: &Json, lakeform: &Json) -> Vec<String> {
    let mut out = vec![];
    compare("", terraform, lakeform, &mut out);
    out
}

fn compare(at: &str, terraform: &Json, lakeform: &Json, out: &mut Vec<String>) {
    match (terraform, lakeform) {
        (Json::Object(a), Json::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
                let side = |of: &Map<String, Json>| of.get(key).cloned().unwrap_or_else(|| "(absent)".into());
                compare(&format!("{at}/{key}"), &side(a), &side(b), out);
            }
        }
        // Terraform forgets that what a `terraform_data` answers is as secret as what it was given; lakeform hides it.
        _ if terraform != lakeform && hides_an_answer(at, lakeform) => {}
        _ if terraform != lakeform => out.push(format!("{at}: Terraform {terraform}, lakeform {lakeform}")),
        _ => {}
    }
}

/// Whether this is the `output` of an object in the plan, hidden where it holds a secret.
fn hides_an_answer(at: &str, lakeform: &Json) -> bool {
    let sides = ["before/output", "before_sensitive/output", "after/output", "after_sensitive/output"];
    let answer = at.starts_with("/plan/changes/terraform_data.") || at.starts_with("/plan/changes/module.");
    let text = lakeform.to_string();
    answer
        && sides.iter().any(|side| at.ends_with(side) || at.contains(&format!("/{side}/")))
        && (text.contains("(sensitive)") || text.contains("true"))
}
