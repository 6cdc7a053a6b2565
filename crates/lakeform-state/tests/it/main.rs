//! The state as its users see it: format, stores, locks.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cipher;
mod contenders;
mod contract;
mod format;
mod journal;
mod journals;
mod local;
mod manager;
mod memory;
mod robust;
