//! The one test binary for what crosses crates: a module for each subject.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

mod announced;
mod architecture;
mod bad_input;
mod checkov;
mod cli;
mod differential;
mod encryption;
mod engine;
mod found;
mod functions;
mod git_modules;
mod propagation;
mod provisioners;
mod resource_types;
mod rollback;
mod secrets;
mod stacks;
mod storms;
mod support;
mod trials;
mod utility;
