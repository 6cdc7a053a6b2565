//! `lakeform taint` and `lakeform untaint`

use clap::Args;
use lakeform::core::InstanceAddress;

use crate::{
    Exit,
    cli::{LockOptions, StackOptions},
    commands::show::no_object,
    cx::{Cx, split_stack},
    failure::Failure,
};

/// Mark an object to be replaced by the next apply
#[derive(Args, Debug)]
#[command(override_usage = "lakeform taint [OPTIONS] [STACK] <ADDR>")]
pub(crate) struct TaintArgs {
    #[command(flatten)]
    pub(crate) mark: MarkArgs,
}

/// Take the mark of taint away from an object
#[derive(Args, Debug)]
#[command(override_usage = "lakeform untaint [OPTIONS] [STACK] <ADDR>")]
pub(crate) struct UntaintArgs {
    #[command(flatten)]
    pub(crate) mark: MarkArgs,
}

/// Which object.
#[derive(Args, Debug)]
pub(crate) struct MarkArgs {
    /// Stack file or directory, and the object's address
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// Succeed where there is no such object
    #[arg(long)]
    allow_missing: bool,

    #[command(flatten)]
    stack_options: StackOptions,
    #[command(flatten)]
    lock: LockOptions,
}

pub(crate) async fn run(cx: &Cx, args: &MarkArgs, tainted: bool) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let [address] = &rest[..] else {
        return Err(Failure::usage("One address is expected", "lakeform taint STACK ADDR"));
    };
    let address: InstanceAddress =
        address.parse().map_err(|e| Failure::usage(format!("{e}"), "an address is like aws_s3_bucket.raw"))?;
    let loaded = cx.load(&stack, &args.stack_options, Some(&args.lock))?;
    let operation = if tainted { "taint" } else { "untaint" };
    let found = loaded
        .locked(operation, &cx.cancel, &cx.lock_notice(), async |session| {
            let mut state = session.state().clone();
            let resource = state.resources.get_mut(&address.resource);
            let instance = resource.and_then(|r| r.instances.get_mut(&address.key));
            let Some(object) = instance.and_then(|i| i.current.as_mut()) else { return Ok(false) };
            object.tainted = tainted;
            session.save(&state).await?;
            Ok::<_, Failure>(true)
        })
        .await?;
    let word = if tainted { "tainted" } else { "untainted" };
    match (found, args.allow_missing) {
        (true, _) => cx.print(&format!("Resource instance {address} has been marked as {word}.\n"))?,
        (false, true) => cx.say(&format!("There is no {address} in the state.\n")),
        (false, false) => return Err(no_object(&address)),
    }
    Ok(Exit::Done)
}
