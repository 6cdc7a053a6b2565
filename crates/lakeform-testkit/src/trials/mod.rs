//! Conformance trials: what must hold of every resource type, run from a table against an emulator.
//!
//! A [`Row`] is one TOML file: a stack with the resource `TYPE.it` and what it needs, the changes that are made to it in
//! place, the attributes that can only be chosen when it is made, and the identifier of its import. [`run`] puts one row
//! through all trials with anything that plans and applies: lakeform, or [`Terraform`] itself, which proves that the row
//! is right. `tests/tests/trials/README.md` says how a row is written.

mod binary;
mod calls;
mod edit;
mod found;
mod live;
mod report;
mod row;
mod runner;
mod summary;
mod terraform;

#[cfg(test)]
mod tests;

pub use binary::Binary;
pub use calls::refresh_calls;
pub use edit::{EditError, set};
pub use found::Doubting;
pub use live::{Applied, Lakeform, Options, State, subject_attributes, without};
pub use report::{Outcome, Report, Trial};
pub use row::{Edit, Exception, Row, RowError, Shelf, load};
pub use runner::run;
pub use summary::{PlanSummary, PlannedChange};
pub use terraform::{Terraform, TerraformError};
