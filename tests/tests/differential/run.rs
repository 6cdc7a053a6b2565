//! Running a sequence through both tools, or through lakeform against recorded answers.

use std::collections::{HashMap, HashSet};

use serde_json::{Value as Json, json};

use super::{
    case::Case,
    order,
    summary::{Names, differences, instances, summary},
    tools::{Answer, Lakeform, Terraform, Tool},
};

/// The first step of a sequence where the tools differ.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) step: usize,
    pub(super) what: Vec<String>,
    /// What each tool complained about.
    pub(super) problems: String,
}

impl Difference {
    /// What kind of difference it is: where it is, without names.
    pub(super) fn kind(&self) -> String {
        let first = self.what.first().map(String::as_str).unwrap_or_default();
        let (path, rest) = first.split_once(": ").unwrap_or((first, ""));
        let parts: Vec<&str> = path.split('/').collect();
        let place = parts.iter().enumerate().filter(|(i, p)| *i < 3 || !p.contains("terraform_data"));
        let place: Vec<&str> = place.map(|(_, p)| *p).collect();
        format!("{} {}", place.join("/"), rest.split(',').next().unwrap_or_default())
    }
}

/// Runs a sequence with both tools, and writes down what Terraform answers.
pub(super) fn compare(case: &mut Case) -> Option<Difference> {
    let (terraform, lakeform) = (Terraform::new(), Lakeform::new());
    let (mut names, mut own) = (Names::default(), Names::default());
    let mut found = None;
    for (at, step) in case.steps.iter_mut().enumerate() {
        let theirs = terraform.step(step);
        step.terraform = Some(summary(&theirs, &mut names));
        if found.is_some() {
            continue; // The states are no longer the same: only Terraform's answers are wanted.
        }
        if refuses_on_its_own(&theirs, step.destroy) || leaves_aside(&theirs) {
            return None; // What follows would be about states that are no longer the same.
        }
        let ours = lakeform.step(step);
        if keeps_what_stayed(&ours) || lacks_a_secret(&ours, &theirs) {
            return None;
        }
        let mut what = differences(step.terraform.as_ref().unwrap(), &summary(&ours, &mut own));
        what.retain(|one| !(step.destroy && is_output_before(one)));
        if order::violations(&theirs).is_empty() {
            what.extend(order::violations(&ours));
        }
        found = difference(at, what, &ours, Some(&theirs));
    }
    found
}

/// Whether Terraform gave up where lakeform is meant to go on (decision 0009).
fn refuses_on_its_own(theirs: &Answer, destroy: bool) -> bool {
    let known = |p: &String| {
        let beginnings = [
            "no change found for ",
            "Cycle: ",
            "Provider produced inconsistent final plan: ",
            "Configuration contains unknown value: ",
        ];
        beginnings.iter().any(|b| p.starts_with(b))
    };
    // A destroy that `prevent_destroy` refuses must be refused by both.
    let destroy = destroy && !theirs.problems.iter().any(|p| p.starts_with("Instance cannot be destroyed"));
    let gave_up = theirs.applied != Some(true) || theirs.again.is_none();
    gave_up && (destroy || !theirs.problems.is_empty() && theirs.problems.iter().all(known))
}

/// Whether Terraform set an old object aside for a new one that it then did not try to make (decision 0009).
fn leaves_aside(theirs: &Answer) -> bool {
    let addresses = |state| instances(state).into_iter().map(|(address, _)| address).collect::<HashSet<_>>();
    let (before, after) = (addresses(&theirs.before), addresses(&theirs.after));
    let left = |a: &&String| a.strip_suffix(" (deposed)").is_some_and(|current| !after.contains(current));
    theirs.applied == Some(false) && after.difference(&before).any(|address| left(&address))
}

/// Whether lakeform kept an object because what was unknown and asked for a new one is what it was (decision 0009).
fn keeps_what_stayed(ours: &Answer) -> bool {
    let attributes = |state| -> HashMap<String, Json> {
        instances(state).into_iter().map(|(address, instance)| (address, instance["attributes"].clone())).collect()
    };
    let (before, after) = (attributes(&ours.before), attributes(&ours.after));
    ours.plan.iter().flat_map(|plan| plan["resource_changes"].as_array()).flatten().any(|change| {
        let was = change.get("previous_address").unwrap_or(&change["address"]).as_str().unwrap();
        let stays = |key: &str| before[was][key] == after[change["address"].as_str().unwrap()][key];
        change["change"]["actions"] == json!(["create", "delete"])
            && change["change"]["after_unknown"]["triggers_replace"].to_string().contains("true")
            && before.contains_key(was)
            && after.contains_key(change["address"].as_str().unwrap())
            && stays("id")
            && stays("triggers_replace")
    })
}

/// Whether an output that only the plan knew is missing after a failure: a saved plan keeps nothing sensitive (decision 0009).
fn lacks_a_secret(ours: &Answer, theirs: &Answer) -> bool {
    let outputs = theirs.after["outputs"].as_object();
    let secret = outputs.into_iter().flatten().filter(|(_, output)| output["sensitive"] == json!(true));
    ours.applied == Some(false) && secret.map(|(name, _)| name).any(|name| ours.after["outputs"].get(name).is_none())
}

/// Whether a difference is about what an output was before: Terraform evaluates outputs anew before it destroys (decision 0009).
fn is_output_before(difference: &str) -> bool {
    let path = difference.split_once(": ").map_or(difference, |(path, _)| path);
    path.strip_prefix("/plan/outputs/").is_some_and(|rest| rest.contains("/before"))
}

/// Holds lakeform against the recorded answers of a case.
pub(super) fn replay(case: &Case) -> Option<Difference> {
    let lakeform = Lakeform::new();
    let mut names = Names::default();
    case.steps.iter().enumerate().find_map(|(at, step)| {
        let answer = lakeform.step(step);
        let recorded = step.terraform.as_ref().unwrap_or_else(|| panic!("step {at} has no recorded answer"));
        let mut what = differences(recorded, &summary(&answer, &mut names));
        what.retain(|one| !(step.destroy && is_output_before(one)));
        what.extend(order::violations(&answer));
        difference(at, what, &answer, None)
    })
}

fn difference(step: usize, what: Vec<String>, ours: &Answer, theirs: Option<&Answer>) -> Option<Difference> {
    if what.is_empty() {
        return None;
    }
    let theirs = theirs.map(|t| t.problems.join("\n")).unwrap_or_default();
    let problems = format!("Terraform said: {theirs}\nlakeform said: {}", ours.problems.join("\n"));
    Some(Difference { step, what, problems })
}
