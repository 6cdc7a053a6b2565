//! What became of the conditions of a run, as Terraform keeps it in state (`check_results`) and in plan JSON (`checks`).

use std::collections::{BTreeMap, BTreeSet};

use lakeform_core::{Diagnostic, Diagnostics};
use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};

/// What became of conditions; of several, the worst counts (Terraform: an error hides a failure, that an unknown one).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Every condition holds.
    #[default]
    Pass,
    /// Not known yet, or not looked at.
    Unknown,
    /// A condition does not hold, or a check's data source could not be read.
    Fail,
    /// A condition could not be evaluated.
    Error,
}

impl CheckStatus {
    /// The word in state and in plan JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Unknown => "unknown",
            Self::Fail => "fail",
            Self::Error => "error",
        }
    }
}

/// What conditions are attached to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// A resource or data source: its preconditions and postconditions.
    Resource,
    /// An output value: its preconditions.
    Output,
    /// An input variable: its validations.
    Var,
    /// A check block: its assertions.
    Check,
}

impl CheckKind {
    /// The word in state; plan JSON calls an output `output_value`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Output => "output",
            Self::Var => "var",
            Self::Check => "check",
        }
    }
}

/// What became of the conditions of one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckedObject {
    /// The worst of its conditions.
    pub status: CheckStatus,
    /// What those say that do not hold. Sensitive messages are left out.
    pub messages: BTreeSet<String>,
}

impl CheckedObject {
    pub(crate) fn add(&mut self, status: CheckStatus, message: Option<String>) {
        self.status = self.status.max(status);
        self.messages.extend(message);
    }
}

/// What became of the conditions that one block of the configuration declares.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// What the block is.
    pub kind: CheckKind,
    /// Its objects by address; `None` where it is not known which there are.
    pub objects: Option<BTreeMap<String, CheckedObject>>,
}

impl Checked {
    /// The worst of its objects.
    pub fn status(&self) -> CheckStatus {
        match &self.objects {
            None => CheckStatus::Unknown,
            Some(objects) => objects.values().map(|o| o.status).max().unwrap_or_default(),
        }
    }
}

/// What became of every condition of a stack, by the address of the block: `module.m.check.health`, `var.size`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckResults(pub BTreeMap<String, Checked>);

impl CheckResults {
    /// Puts newer results in the place of those of the same objects.
    pub(crate) fn overlay(&mut self, newer: Self) {
        for (block, newer) in newer.0 {
            let here = self.0.entry(block).or_insert(Checked { kind: newer.kind, objects: None });
            if let Some(newer) = newer.objects {
                here.objects.get_or_insert_default().extend(newer);
            }
        }
    }

    /// The form of `check_results` in state; null where nothing has conditions.
    pub(crate) fn to_state(&self) -> Option<Json> {
        let object = |(address, object): (&String, &CheckedObject)| {
            let mut out = json!({ "object_addr": address, "status": object.status.name() });
            if !object.messages.is_empty() {
                out["failure_messages"] = json!(object.messages);
            }
            out
        };
        let block = |(address, checked): (&String, &Checked)| {
            // Terraform writes null for none.
            let objects = checked.objects.as_ref().filter(|all| !all.is_empty());
            let objects = objects.map(|all| all.iter().map(object).collect::<Vec<_>>());
            json!({
                "object_kind": checked.kind.name(),
                "config_addr": address,
                "status": checked.status().name(),
                "objects": objects,
            })
        };
        (!self.0.is_empty()).then(|| self.0.iter().map(block).collect())
    }
}

/// Makes warnings of errors.
pub(crate) fn as_warnings(mut problems: Diagnostics) -> Diagnostics {
    for problem in &mut problems.0 {
        problem.severity = lakeform_core::Severity::Warning;
    }
    problems
}

/// A problem as one line of text, as Terraform keeps it among failure messages.
pub(crate) fn one_line(problem: &Diagnostic) -> String {
    match &problem.detail {
        Some(detail) => format!("{}: {detail}", problem.summary),
        None => problem.summary.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Terraform 1.11: `summarizeCheckStatuses` and `ObjectStatus` of internal/checks.
    #[test]
    fn the_worst_status_counts() {
        use CheckStatus::{Error, Fail, Pass, Unknown};
        for (all, wanted) in [
            (vec![], Pass),
            (vec![Pass, Unknown], Unknown),
            (vec![Unknown, Fail, Pass], Fail),
            (vec![Error, Fail, Unknown], Error),
        ] {
            let mut object = CheckedObject::default();
            for status in &all {
                object.add(*status, None);
            }
            assert_eq!(object.status, wanted, "{all:?}");
        }
        assert_eq!(Checked { kind: CheckKind::Check, objects: None }.status(), Unknown);
    }
}
