//! The engine: from a stack and a state to a plan, and from a plan to the cloud.
//!
//! Pure decisions (diff, replace or update, order, merge) are plain functions in modules of their own ([`mod@diff`]);
//! the asynchronous part only walks the graph, calls providers and records. Nothing here prints, and nothing here reads
//! the environment or the clock.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod action;
mod apply;
mod calls;
mod cancel;
mod conditions;
mod console;
mod deps;
pub mod diff;
mod ephemeral;
mod evaluate;
mod event;
mod expand;
mod graph;
mod guard;
mod instance;
mod look;
mod map;
mod moves;
mod order;
mod plan;
mod planfile;
mod planner;
mod providers;
mod reconcile;
mod results;
mod scope;
mod secrets;
mod shown;
mod stored;
mod target;

pub use action::{Action, Reason};
pub use apply::{ApplyInput, ApplyReport, OnError, Rollback, Save, apply, beyond_rollback};
pub use cancel::{Cancel, Level};
pub use console::evaluate;
pub use event::{Event, Events, NoEvents, Operation};
pub use guard::{Breach, Protected, breaches, frozen};
pub use plan::{Change, Drift, OutputChange, Plan, PlanMode, PlanOptions};
pub use planfile::{PlanFile, PlanFileError};
pub use planner::{PlanInput, plan};
pub use providers::Providers;
pub use results::{CheckKind, CheckResults, CheckStatus, Checked, CheckedObject};
pub use shown::as_shown;
