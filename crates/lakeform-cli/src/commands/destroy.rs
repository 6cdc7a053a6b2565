//! `lakeform destroy`

use std::path::PathBuf;

use clap::Args;
use lakeform::{OnError, PlanMode, PlanOptions, core::address::Target};

use crate::{
    Exit,
    cli::Parallelism,
    commands::apply::{self, RunOptions},
    cx::Cx,
    failure::Failure,
};

/// Delete everything that a stack manages
///
/// The same as apply with --destroy: in the reverse order of dependencies, as the state recorded them.
#[derive(Args, Debug)]
pub(crate) struct DestroyArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    stack: PathBuf,

    /// Only this module, resource or instance, and what depends on it
    #[arg(long, value_name = "ADDR", help_heading = "Planning options")]
    target: Vec<Target>,

    /// Not this module, resource or instance
    #[arg(long, value_name = "ADDR", help_heading = "Planning options")]
    exclude: Vec<Target>,

    /// Read live objects instead of trusting the state
    #[arg(
        long, value_name = "BOOL", default_value_t = true, default_missing_value = "true", num_args = 0..=1,
        require_equals = true, action = clap::ArgAction::Set, help_heading = "Planning options"
    )]
    refresh: bool,

    #[command(flatten)]
    parallelism: Parallelism,
    #[command(flatten)]
    run: RunOptions,
}

pub(crate) async fn run(cx: &Cx, args: &DestroyArgs) -> Result<Exit, Failure> {
    let options = PlanOptions {
        mode: PlanMode::Destroy,
        skip_refresh: !args.refresh,
        targets: args.target.clone(),
        excludes: args.exclude.clone(),
        parallelism: args.parallelism.parallelism,
        ..PlanOptions::default()
    };
    apply::from_stack(cx, &args.stack, options, &args.run, OnError::Keep).await
}
