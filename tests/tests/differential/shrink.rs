//! Making a sequence that shows a difference smaller, while it shows the same difference.

use serde_json::{Map, Value as Json};

use super::{
    case::Case,
    run::{Difference, compare},
};

/// Leaves out steps, blocks and arguments as long as the difference stays.
pub(super) fn shrink(mut case: Case, mut difference: Difference) -> (Case, Difference) {
    case.steps.truncate(difference.step + 1);
    let kind = difference.kind();
    let mut attempt = |case: &mut Case, smaller: Case| {
        let mut smaller = smaller;
        let Some(found) = compare(&mut smaller).filter(|d| d.kind() == kind) else { return false };
        smaller.steps.truncate(found.step + 1);
        (*case, difference) = (smaller, found);
        true
    };
    for at in (0..case.steps.len().saturating_sub(1)).rev() {
        let mut smaller = case.clone();
        smaller.steps.remove(at);
        attempt(&mut case, smaller);
    }
    for (at, which) in drifts(&case) {
        let mut smaller = case.clone();
        smaller.steps[at].drift.remove(which);
        attempt(&mut case, smaller);
    }
    let mut tried = std::collections::HashSet::new();
    while let Some(path) = paths(&case).into_iter().find(|p| !tried.contains(p)) {
        let mut smaller = case.clone();
        for step in &mut smaller.steps {
            let (parent, key) = path.rsplit_once('/').unwrap();
            let module = parent.split('|').next().unwrap().to_owned();
            if let Some(document) = step.documents.get_mut(&module) {
                let at = parent.split_once('|').unwrap().1;
                if let Some(Json::Object(entries)) = document.pointer_mut(at) {
                    entries.remove(key);
                }
                prune(document);
            }
        }
        attempt(&mut case, smaller);
        tried.insert(path);
    }
    (case, difference)
}

/// Step and place of all that happens to states, the last first.
fn drifts(case: &Case) -> Vec<(usize, usize)> {
    let each = case.steps.iter().enumerate().rev();
    each.flat_map(|(at, step)| (0..step.drift.len()).rev().map(move |which| (at, which))).collect()
}

/// Leaves out empty tables of blocks, which Terraform's JSON syntax has not.
fn prune(document: &mut Json) {
    let empty = |v: &Json| v.as_object().is_some_and(Map::is_empty);
    let Json::Object(tables) = document else { return };
    if let Some(Json::Object(types)) = tables.get_mut("resource") {
        types.retain(|_, blocks| !empty(blocks));
    }
    tables.retain(|key, table| key == "locals" || !empty(table));
}

/// `MODULE|/POINTER` of all that may be left out: outer things first.
fn paths(case: &Case) -> Vec<String> {
    let mut out = std::collections::BTreeSet::new();
    for (module, document) in case.steps.iter().flat_map(|s| &s.documents) {
        collect(&format!("{module}|"), document, 0, &mut out);
    }
    out.into_iter().map(|(_, path)| path).collect()
}

fn collect(at: &str, value: &Json, depth: usize, out: &mut std::collections::BTreeSet<(usize, String)>) {
    let Json::Object(entries) = value else { return };
    for (key, value) in entries.iter().filter(|(k, _)| !k.contains('/')) {
        let path = format!("{at}/{key}");
        if depth > 0 {
            out.insert((depth, path.clone()));
        }
        if depth < 5 {
            collect(&path, value, depth + 1, out);
        }
    }
}
