//! What differs between live objects, the state and the stack.

use lakeform_engine::{Change, Drift, Plan};

/// The outcome of looking for drift.
#[derive(Debug)]
pub struct DriftReport {
    /// The plan that shows it.
    pub plan: Plan,
}

impl DriftReport {
    /// Objects that someone changed or deleted since the last run: live differs from state.
    pub fn outside(&self) -> &[Drift] {
        &self.plan.drift
    }

    /// What an apply would do now: live differs from the stack, whether because of drift or because the stack was changed
    /// and not applied.
    pub fn pending(&self) -> impl Iterator<Item = &Change> {
        self.plan.changes.iter().filter(|change| change.action.is_change())
    }

    /// Whether anything differs.
    pub fn is_empty(&self) -> bool {
        self.outside().is_empty() && self.pending().next().is_none()
    }
}
