//! `lakeform import`

use clap::Args;
use lakeform::{
    PlanOptions,
    core::{InstanceAddress, address::Target},
};

use crate::{
    Exit,
    cli::{LockOptions, StackOptions},
    cx::{Cx, split_stack},
    failure::Failure,
};

/// Adopt an object that exists already
///
/// Reads the object and writes it to the state under the address, which the stack must declare. Nothing is changed in the
/// cloud: the next plan shows how it differs from the stack.
#[derive(Args, Debug)]
#[command(override_usage = "lakeform import [OPTIONS] [STACK] <ADDR> <ID>")]
pub(crate) struct ImportArgs {
    /// Stack file or directory, the address it shall have, and the object's identifier (as Terraform documents it)
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    #[command(flatten)]
    stack_options: StackOptions,
    #[command(flatten)]
    lock: LockOptions,
}

pub(crate) async fn run(cx: &Cx, args: &ImportArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let [address, id] = &rest[..] else {
        return Err(Failure::usage("An address and an identifier are expected", "lakeform import STACK ADDR ID"));
    };
    let address: InstanceAddress =
        address.parse().map_err(|e| Failure::usage(format!("{e}"), "an address is like aws_s3_bucket.raw"))?;
    let loaded = cx.load(&stack, &args.stack_options, Some(&args.lock))?;
    cx.check(&loaded)?;
    let progress = cx.progress(false);
    let options = PlanOptions {
        targets: vec![Target::Resource(address.clone())],
        imports: vec![(address.clone(), id.clone())],
        ..PlanOptions::default()
    };
    loaded
        .locked("OperationTypeImport", &cx.cancel, &cx.lock_notice(), async |session| {
            let plan = progress.during(session.plan(options, &progress, &cx.cancel)).await?;
            // The plan starts from the state with the object in it; only that is kept, and nothing is applied.
            let Some(adopted) = plan.prior_state.get(&address) else {
                return Err(Failure::usage(
                    format!("{address} was not imported: there is no object {id:?}"),
                    "check the identifier, the region and the account",
                ));
            };
            let provider = plan.prior_state.resources.get(&address.resource).map(|r| r.provider.clone());
            let (provider, adopted) = (provider.unwrap_or_default(), adopted.clone());
            session.take_in(&plan).await?;
            let mut state = session.state().clone();
            state.insert(&address, &provider, adopted);
            session.save(&state).await?;
            Ok(())
        })
        .await?;
    let text = format!("{address}: imported. `lakeform plan` shows how it differs from the stack.");
    cx.print(&format!("{}\n", cx.style.green(text)))?;
    Ok(Exit::Done)
}
