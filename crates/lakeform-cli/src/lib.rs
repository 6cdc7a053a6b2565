//! The command line of lakeform, callable in one's own process: [`run`] takes the arguments and a [`World`] and touches
//! nothing else. One file per command in `commands`, what they print in `view`, and every error's words in `failure`.

#![cfg_attr(test, allow(clippy::unwrap_used))]

mod args;
mod cli;
mod commands;
mod cx;
mod failure;
mod git;
mod progress;
mod run;
mod view;
mod world;

pub use run::{command, run};
pub use world::{Exit, Terminal, World};
