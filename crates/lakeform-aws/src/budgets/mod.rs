//! Budgets.

mod budget;

use lakeform_provider::{AnyResource, resource};

/// The resource types of Budgets.
pub(crate) fn resources() -> Vec<Box<dyn AnyResource>> {
    vec![resource::<budget::BudgetType>()]
}
