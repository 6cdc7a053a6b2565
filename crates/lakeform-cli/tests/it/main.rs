//! The command line in process, against a cloud in memory.

#![allow(clippy::unwrap_used)]

mod apply;
mod arguments;
mod crashes;
mod credentials;
mod drift;
mod errors;
mod guard;
mod harness;
mod history;
mod json;
mod lock;
mod plan;
mod reading;
mod reference;
mod rollback;
mod state;
