//! `lakeform state show`

use clap::Args;
use lakeform::core::InstanceAddress;

use crate::{
    Exit,
    cli::StackOptions,
    commands::show::{no_object, object},
    cx::{Cx, split_stack},
    failure::Failure,
};

/// Show one object of the state
#[derive(Args, Debug)]
#[command(override_usage = "lakeform state show [OPTIONS] [STACK] <ADDR>")]
pub(super) struct ShowArgs {
    /// Stack file or directory, and the object's address
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// Print JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(super) async fn run(cx: &Cx, args: &ShowArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let [address] = &rest[..] else {
        return Err(Failure::usage("One address is expected", "lakeform state show STACK ADDR"));
    };
    let address: InstanceAddress =
        address.parse().map_err(|e| Failure::usage(format!("{e}"), "an address is like aws_s3_bucket.raw"))?;
    let loaded = cx.load(&stack, &args.stack_options, None)?;
    let state = loaded.state().await?.ok_or_else(|| no_object(&address))?;
    object(cx, &loaded, &state, &address, args.json)
}
