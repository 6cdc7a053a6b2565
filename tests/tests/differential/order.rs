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
    let changes = answer.plan.iter().flat_map(|plan| plan["resource_changes"].as_array()).flatten();
    let planned: BTreeMap<&str, &Json> = changes
        .filter(|change| change.get("deposed").is_none())
        .map(|change| (change["address"].as_str().unwrap(), &change["change"]["actions"]))
        .collect();
    let is = |address: &str, actions: Json| planned.get(address) == Some(&&actions);
    let creates_first: BTreeSet<String> = instances(&answer.before)
        .into_iter()
        .filter(|(_, instance)| instance["create_before_destroy"] == true)
        .map(|(address, _)| address)
        .collect();
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
                if !is(one, json!(["create", "delete"])) {
                    must((one, "delete"), (other, "update"), "what needed it goes before it changes");
                }
                if is(other, json!(["delete"])) && !creates_first.contains(*other) {
                    must((other, "delete"), (one, "update"), "what goes does so before what used it changes");
                }
            }
            if is(other, json!(["create", "delete"])) && after.get(*one).is_some_and(|d| d.contains(&other_block)) {
                for action in ["create", "update"] {
                    must((one, action), (other, "delete"), "the old one goes when nothing uses it any more");
                }
            }
        }
    }
    for address in planned.keys() {
        if is(address, json!(["create", "delete"])) {
            must((address, "create"), (address, "delete"), "create before destroy");
        } else if is(address, json!(["delete", "create"])) {
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

#[test]
fn a_wrong_order_is_refused() {
    // `b` uses `a`, before and after; each case: what is planned for `a` and `b`, and the operations in a wrong order.
    let cases = [
        ([&["create"][..], &["create"]], [("b", "create"), ("a", "create")]),
        ([&["update"], &["update"]], [("b", "update"), ("a", "update")]),
        ([&["delete"], &["delete"]], [("a", "delete"), ("b", "delete")]),
        ([&["update"], &["delete"]], [("a", "update"), ("b", "delete")]),
        ([&["delete"], &["update"]], [("b", "update"), ("a", "delete")]),
        ([&["delete", "create"], &["no-op"]], [("a", "create"), ("a", "delete")]),
        ([&["create", "delete"], &["no-op"]], [("a", "delete"), ("a", "create")]),
        ([&["delete", "create"], &["update"]], [("b", "update"), ("a", "create")]),
        ([&["create", "delete"], &["update"]], [("a", "delete"), ("b", "update")]),
    ];
    for ([a, b], [first, second]) in cases {
        let answer = |operations: [(&str, &str); 2]| {
            let of = |name: &str, needs: Json| {
                json!({
                    "type": "t", "name": name, "instances": [{ "attributes": { "id": name }, "dependencies": needs }],
                })
            };
            let state = json!({ "resources": [of("a", json!([])), of("b", json!(["t.a"]))] });
            let change = |name: &str, actions: &[&str]| {
                json!({
                    "address": format!("t.{name}"), "change": { "actions": actions },
                })
            };
            let events = operations.iter().flat_map(|(name, action)| {
                let event = json!({ "hook": { "resource": { "addr": format!("t.{name}") }, "action": action } });
                [event.clone(), event]
            });
            Answer {
                plan: Some(json!({ "resource_changes": [change("a", a), change("b", b)] })),
                events: events.collect(),
                before: state.clone(),
                after: state,
                ..Answer::default()
            }
        };
        assert_ne!(violations(&answer([first, second])), [""; 0], "{first:?} before {second:?}");
        assert_eq!(violations(&answer([second, first])), [""; 0], "{second:?} before {first:?}");
    }
}
