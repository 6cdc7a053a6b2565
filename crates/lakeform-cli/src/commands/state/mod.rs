//! `lakeform state`

mod diff;
mod list;
mod mv;
mod pull;
mod push;
mod restore;
mod rm;
mod show;
mod versions;

use clap::{Args, Subcommand};

use crate::{Exit, cx::Cx, failure::Failure};

/// Look at the state, and change it without touching any object
#[derive(Args, Debug)]
pub(crate) struct StateArgs {
    #[command(subcommand)]
    command: StateCommand,
}

#[derive(Subcommand, Debug)]
enum StateCommand {
    List(list::ListArgs),
    Show(show::ShowArgs),
    Mv(mv::MvArgs),
    Rm(rm::RmArgs),
    Pull(pull::PullArgs),
    Push(push::PushArgs),
    Versions(versions::VersionsArgs),
    Diff(diff::DiffArgs),
    Restore(restore::RestoreArgs),
}

pub(crate) async fn run(cx: &Cx, args: &StateArgs) -> Result<Exit, Failure> {
    match &args.command {
        StateCommand::List(args) => list::run(cx, args).await,
        StateCommand::Show(args) => show::run(cx, args).await,
        StateCommand::Mv(args) => mv::run(cx, args).await,
        StateCommand::Rm(args) => rm::run(cx, args).await,
        StateCommand::Pull(args) => pull::run(cx, args).await,
        StateCommand::Push(args) => push::run(cx, args).await,
        StateCommand::Versions(args) => versions::run(cx, args).await,
        StateCommand::Diff(args) => diff::run(cx, args).await,
        StateCommand::Restore(args) => restore::run(cx, args).await,
    }
}
