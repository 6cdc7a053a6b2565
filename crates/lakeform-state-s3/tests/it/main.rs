//! State in S3, against an emulator: the contract of stores and locks, side by side with Terraform, and when calls fail.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a test is where clocks come from")]

mod bootstrap;
mod config;
#[path = "../../../lakeform-state/tests/it/contenders.rs"]
mod contenders;
#[path = "../../../lakeform-state/tests/it/contract.rs"]
mod contract;
mod errors;
mod harness;
mod journal;
#[path = "../../../lakeform-state/tests/it/journals.rs"]
mod journals;
mod kms;
mod leases;
mod locks;
mod stores;
mod terraform;
mod writers;
