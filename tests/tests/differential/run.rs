//! Running a sequence through both tools, or through lakeform against recorded answers.

use super::{
    case::Case,
    order,
    summary::{Names, differences, summary},
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
        if refuses_on_its_own(&theirs, step.destroy) {
            return None; // What follows would be about states that are no longer the same.
        }
        let ours = lakeform.step(step);
        let mut what = differences(step.terraform.as_ref().unwrap(), &summary(&ours, &mut own));
        if order::violations(&theirs).is_empty() {
            what.extend(order::violations(&ours));
        }
        found = difference(at, what, &ours, Some(&theirs));
    }
    found
}

/// Whether Terraform gave up where lakeform is meant to go on (decision 0009).
fn refuses_on_its_own(theirs: &Answer, destroy: bool) -> bool {
    let known = |p: &String| p.starts_with("no change found for ") || p.starts_with("Cycle: ");
    // A destroy that `prevent_destroy` refuses must be refused by both.
    let destroy = destroy && !theirs.problems.iter().any(|p| p.starts_with("Instance cannot be destroyed"));
    theirs.applied != Some(true) && (destroy || !theirs.problems.is_empty() && theirs.problems.iter().all(known))
}

/// Holds lakeform against the recorded answers of a case.
pub(super) fn replay(case: &Case) -> Option<Difference> {
    let lakeform = Lakeform::new();
    let mut names = Names::default();
    case.steps.iter().enumerate().find_map(|(at, step)| {
        let answer = lakeform.step(step);
        let recorded = step.terraform.as_ref().unwrap_or_else(|| panic!("step {at} has no recorded answer"));
        let mut what = differences(recorded, &summary(&answer, &mut names));
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
