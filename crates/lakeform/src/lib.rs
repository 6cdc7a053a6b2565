//! lakeform as a library: load a stack, plan, look at the plan, apply it, find drift.
//!
//! ```no_run
//! use lakeform::{Cancel, Lakeform, LoadOptions, NoEvents, PlanOptions};
//!
//! # async fn example() -> Result<(), lakeform::Error> {
//! let lakeform = Lakeform::builder().working_directory("/srv/infrastructure").build();
//! let stack = lakeform.load("stacks/prod.toml", LoadOptions::default())?;
//! let plan = stack.plan(PlanOptions::default(), &NoEvents, &Cancel::new()).await?;
//! for change in &plan.changes {
//!     println!("{} {}", change.action.glyph(), change.address);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Nothing here prints, and nothing here reads the environment, the working directory or the clock: the caller hands them
//! to the [`Builder`]. `examples/tooling.rs` shows the whole cycle with an event stream and a cancellation token.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod backend;
mod builder;
mod drift;
mod encryption;
mod error;
mod generate;
mod graph;
mod guard;
mod history;
mod keeper;
mod load;
mod lock;
mod modules;
mod plan_file;
mod remote_state;
mod scope;
mod session;
mod stack;
mod template_file;
mod variables;
mod versions;

/// The version of lakeform.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

pub use backend::Backend;
pub use builder::{Builder, Lakeform};
pub use drift::DriftReport;
pub use error::Error;
pub use graph::ResourceGraph;
pub use guard::{Override, Verdict};
pub use history::{Counts, RunChange, RunOutcome, RunRecord, Undone};
pub use lakeform_core as core;
pub use lakeform_engine::{
    Action, ApplyReport, Breach, Cancel, Change, CheckKind, CheckResults, CheckStatus, Checked, CheckedObject, Drift,
    Event, Events, Level, NoEvents, OnError, Operation, OutputChange, Plan, PlanFile, PlanFileError, PlanMode,
    PlanOptions, Protected, Providers, Reason, Rollback, as_shown,
};
pub use lakeform_lang as lang;
pub use lakeform_provider as provider;
pub use lakeform_state as state;
pub use lakeform_state_s3::{Bootstrapped, Outcome, Step};
pub use load::{LoadOptions, VariableSource};
pub use lock::LockNotice;
pub use modules::{Git, PinnedModule};
pub use session::{Applied, Session, Unsaved};
pub use stack::LoadedStack;
pub use variables::nearest;
