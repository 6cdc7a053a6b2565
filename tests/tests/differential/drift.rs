//! What happens to a state between two steps: objects are tainted, lost, changed or left over.

use std::path::Path;

use serde_json::{Value as Json, json};

use super::summary::block;

/// One such event.
#[derive(Clone, Debug)]
pub(super) struct Drift {
    /// One of [`ALL`].
    pub(super) what: String,
    /// What it happens to, among all that it may happen to.
    pub(super) which: usize,
}

/// All that may happen.
pub(super) const ALL: [&str; 10] = [
    "taint",
    "lose",
    "change input",
    "change output",
    "change triggers_replace",
    "depose",
    "leave an old object",
    "forget dependencies",
    "create_before_destroy",
    "change an output value",
];

/// Lets it happen to a state file.
pub(super) fn happen(file: &Path, drift: &[Drift]) {
    if drift.is_empty() || !file.exists() {
        return;
    }
    let mut state: Json = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    for drift in drift {
        one(&mut state, drift);
    }
    std::fs::write(file, serde_json::to_string_pretty(&state).unwrap()).unwrap();
}

fn one(state: &mut Json, Drift { what, which }: &Drift) {
    if what == "change an output value" {
        if let Some(outputs) = state["outputs"].as_object_mut().filter(|o| !o.is_empty()) {
            let at = which % outputs.len();
            let output = outputs.values_mut().nth(at).unwrap();
            (output["value"], output["type"]) = ("drifted".into(), "string".into());
        }
        return;
    }
    // The tools do not write instances in the same order.
    let mut places: Vec<(String, usize, usize)> = vec![];
    for (r, resource) in state["resources"].as_array().unwrap().iter().enumerate() {
        for (i, instance) in resource["instances"].as_array().unwrap().iter().enumerate() {
            if instance.get("deposed").is_none() {
                places.push((format!("{}{}", block(resource), instance["index_key"]), r, i));
            }
        }
    }
    places.sort();
    if places.is_empty() {
        return;
    }
    let (_, r, i) = places[which % places.len()];
    let resources = state["resources"].as_array_mut().unwrap();
    let instances = resources[r]["instances"].as_array_mut().unwrap();
    match what.as_str() {
        "taint" => instances[i]["status"] = "tainted".into(),
        "lose" => {
            instances.remove(i);
            if instances.is_empty() {
                resources.remove(r);
            }
        }
        "depose" => instances[i]["deposed"] = "0badcafe".into(),
        "leave an old object" => {
            let mut old = instances[i].clone();
            old["deposed"] = "0ddba11e".into();
            old["attributes"]["id"] = "00000000-0000-4000-8000-000000000001".into();
            instances.push(old);
        }
        "forget dependencies" => drop(instances[i].as_object_mut().unwrap().remove("dependencies")),
        "create_before_destroy" => instances[i][what] = true.into(),
        change => {
            let attribute = change.strip_prefix("change ").unwrap();
            instances[i]["attributes"][attribute] = json!({ "value": "drifted", "type": "string" });
        }
    }
}
