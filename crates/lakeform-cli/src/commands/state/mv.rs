//! `lakeform state mv`

use clap::Args;
use lakeform::{
    core::{InstanceAddress, InstanceKey, ModuleInstance, address::Target},
    state::State,
};

use crate::{
    Exit,
    cli::{LockOptions, StackOptions},
    cx::{Cx, split_stack},
    failure::Failure,
};

use super::list::parse_targets;

/// Give objects another address
///
/// Moves an instance, a resource with all its instances, or a module with everything in it. Nothing is changed in the
/// cloud.
#[derive(Args, Debug)]
#[command(override_usage = "lakeform state mv [OPTIONS] [STACK] <FROM> <TO>")]
pub(super) struct MvArgs {
    /// Stack file or directory, the address as it is and as it shall be
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// Only show what would be moved
    #[arg(long)]
    dry_run: bool,

    #[command(flatten)]
    stack_options: StackOptions,
    #[command(flatten)]
    lock: LockOptions,
}

pub(super) async fn run(cx: &Cx, args: &MvArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let [from, to] = &parse_targets(&rest)?[..] else {
        return Err(Failure::usage("Two addresses are expected", "lakeform state mv STACK FROM TO"));
    };
    let loaded = cx.load(&stack, &args.stack_options, Some(&args.lock))?;
    loaded
        .locked("state-mv", &cx.cancel, &cx.lock_notice(), async |session| {
            let moves = moves(session.state(), from, to)?;
            let mut state = session.state().clone();
            let mut text = String::new();
            for (old, new) in &moves {
                if !state.rename(old, new) {
                    return Err(Failure::usage(
                        format!("{old} cannot be moved to {new}: there is an object already"),
                        "move that one away first, or drop it with `lakeform state rm`",
                    ));
                }
                let word = if args.dry_run { "Would move" } else { "Move" };
                text.push_str(&format!("{word} \"{old}\" to \"{new}\"\n"));
            }
            if !args.dry_run {
                session.save(&state).await?;
                text.push_str(&format!("Successfully moved {} object(s).\n", moves.len()));
            }
            cx.print(&text)
        })
        .await?;
    Ok(Exit::Done)
}

/// Every instance that moves, and where to.
fn moves(state: &State, from: &Target, to: &Target) -> Result<Vec<(InstanceAddress, InstanceAddress)>, Failure> {
    let wrong =
        |what: &str| Failure::usage(format!("{from} cannot be moved to {to}: {what}"), "both must be of one kind");
    let moved: Vec<_> = match (from, to) {
        (Target::Module(old), Target::Module(new)) => state
            .iter()
            .filter_map(|(address, _)| {
                let mut target = address.clone();
                target.resource.module = rebase(&address.resource.module, old, new)?;
                Some((address, target))
            })
            .collect(),
        (Target::Resource(old), Target::Resource(new)) => {
            if old.resource.mode != new.resource.mode || old.resource.ty != new.resource.ty {
                return Err(wrong("an object keeps its type"));
            }
            // Without keys on either side, all instances go along with theirs.
            let all = old.key.is_none() && state.get(old).is_none() && new.key.is_none();
            let own = |key: &Option<InstanceKey>| all || *key == old.key;
            state
                .iter()
                .filter(|(address, _)| address.resource == old.resource && own(&address.key))
                .map(|(address, _)| {
                    let key = if all { address.key.clone() } else { new.key.clone() };
                    let target = new.resource.instance(key);
                    (address, target)
                })
                .collect()
        }
        _ => return Err(wrong("one is a module, the other a resource")),
    };
    if moved.is_empty() {
        return Err(Failure::usage(
            format!("There is no {from} in the state"),
            "`lakeform state list STACK` shows what there is",
        ));
    }
    Ok(moved)
}

/// A module inside `old`, as it is called inside `new`.
fn rebase(module: &ModuleInstance, old: &ModuleInstance, new: &ModuleInstance) -> Option<ModuleInstance> {
    let rest = module.0.strip_prefix(&*old.0)?;
    Some(ModuleInstance(new.0.iter().chain(rest).cloned().collect()))
}

#[cfg(test)]
mod tests {
    use lakeform::state::{InstanceState, ObjectState};

    use super::*;

    fn moved(from: &str, to: &str) -> Result<Vec<String>, Failure> {
        let mut state = State::new("l");
        for address in
            ["a_b.one", "a_b.many[0]", "a_b.many[1]", "module.m[\"k\"].a_b.one", "module.m[\"k\"].module.n.a_b.x"]
        {
            let instance = InstanceState { current: Some(ObjectState::default()), ..InstanceState::default() };
            state.insert(&address.parse().unwrap(), "p", instance);
        }
        let moves = moves(&state, &from.parse().unwrap(), &to.parse().unwrap())?;
        Ok(moves.into_iter().map(|(a, b)| format!("{a} {b}")).collect())
    }

    #[test]
    fn instances_resources_and_modules_move() {
        assert_eq!(moved("a_b.one", "a_b.two").unwrap(), ["a_b.one a_b.two"]);
        assert_eq!(moved("a_b.one", "a_b.two[\"x\"]").unwrap(), ["a_b.one a_b.two[\"x\"]"]);
        assert_eq!(moved("a_b.many", "a_b.more").unwrap(), ["a_b.many[0] a_b.more[0]", "a_b.many[1] a_b.more[1]"]);
        assert_eq!(moved("a_b.many[1]", "a_b.single").unwrap(), ["a_b.many[1] a_b.single"]);
        assert_eq!(
            moved("module.m[\"k\"]", "module.o").unwrap(),
            ["module.m[\"k\"].a_b.one module.o.a_b.one", "module.m[\"k\"].module.n.a_b.x module.o.module.n.a_b.x"]
        );
        assert!(moved("a_b.one", "a_c.one").is_err());
        assert!(moved("a_b.none", "a_b.two").is_err());
        assert!(moved("module.m", "a_b.two").is_err());
    }
}
