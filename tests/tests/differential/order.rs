//! Whether an apply kept the order that dependencies ask for. The tools may order what is independent as they like, so
//! each tool's own events are held against rules.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{
    summary::{instances, without_keys},
    tools::Answer,
};

/// Address and action, and when it began and ended.
type Operations = BTreeMap<(String, String), (usize, usize)>;

/// The rules that the apply of an answer broke.
pub(super) fn violations(answer: &Answer) -> Vec<String> {
    let operations = operations(&answer.events, &answer.before);
    let (before, after) = (dependencies(&answer.before), dependencies(&answer.after));
    let mut out = vec![];
    let mut must = |first: (&str, &str), second: (&str, &str), why: &str| {
        let when = |(address, action): (&str, &str)| operations.get(&(address.to_owned(), action.to_owned()));
        if let (Some((_, end)), Some((begin, _))) = (when(first), when(second))
            && end > begin
        {
            out.push(format!("{why}: {} {} was not before {} {}", first.1, first.0, second.1, second.0));
        }
    };
    let addresses: BTreeSet<&str> = operations.keys().map(|(address, _)| address.as_str()).collect();
    for one in &addresses {
        for other in &addresses {
            let other_block = without_keys(other);
            if after.get(*one).is_some_and(|d| d.contains(&other_block)) {
                for action in ["create", "update"] {
                    must((other, "create"), (one, action), "what is needed comes first");
                    must((other, "update"), (one, action), "what is needed comes first");
                }
            }
            if before.get(*one).is_some_and(|d| d.contains(&other_block)) {
                must((one, "delete"), (other, "delete"), "what needs it goes first");
            }
        }
    }
    for change in answer.plan.iter().flat_map(|p| p["resource_changes"].as_array()).flatten() {
        let address = change["address"].as_str().unwrap();
        if change["change"]["actions"] == json!(["create", "delete"]) {
            must((address, "create"), (address, "delete"), "create before destroy");
        } else if change["change"]["actions"] == json!(["delete", "create"]) {
            must((address, "delete"), (address, "create"), "destroy before create");
        }
    }
    out
}

/// Events tell an object that was set aside before only by its identifier.
fn operations(events: &[Json], before: &Json) -> Operations {
    let held = instances(before).into_iter();
    let aside: BTreeMap<String, String> = held
        .filter(|(address, _)| address.ends_with(" (deposed)"))
        .map(|(address, instance)| (instance["attributes"]["id"].to_string(), address))
        .collect();
    let mut out = Operations::new();
    for (at, event) in events.iter().enumerate() {
        let hook = &event["hook"];
        let (Some(address), Some(action)) = (hook["resource"]["addr"].as_str(), hook["action"].as_str()) else {
            continue;
        };
        let address = aside.get(&hook["id_value"].to_string()).map_or(address, String::as_str);
        let span = out.entry((address.to_owned(), action.to_owned())).or_insert((at, at));
        span.1 = at;
    }
    out
}

/// The blocks that each instance depends on, as state records them.
fn dependencies(state: &Json) -> BTreeMap<String, BTreeSet<String>> {
    let each = instances(state).into_iter().map(|(address, instance)| {
        let names = instance["dependencies"].as_array().into_iter().flatten().filter_map(Json::as_str);
        (address, names.map(str::to_owned).collect())
    });
    each.collect()
}
