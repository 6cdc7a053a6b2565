//! `lakeform state list`

use clap::Args;
use lakeform::{
    core::{InstanceAddress, address::Target},
    state::InstanceState,
};

use crate::{
    Exit,
    cli::StackOptions,
    cx::{Cx, split_stack},
    failure::Failure,
};

/// List the addresses in the state
#[derive(Args, Debug)]
#[command(override_usage = "lakeform state list [OPTIONS] [STACK] [ADDR]...")]
pub(super) struct ListArgs {
    /// Stack file or directory, and addresses of modules, resources or instances to keep to
    #[arg(value_name = "ARG")]
    args: Vec<String>,

    /// Only objects with this id
    #[arg(long)]
    id: Option<String>,

    #[command(flatten)]
    stack_options: StackOptions,
}

pub(super) async fn run(cx: &Cx, args: &ListArgs) -> Result<Exit, Failure> {
    let (stack, rest) = split_stack(&cx.cwd, &args.args);
    let targets = parse_targets(&rest)?;
    let state = cx.load(&stack, &args.stack_options, None)?.state().await?;
    let Some(state) = state else { return Ok(Exit::Done) };
    let mut out = String::new();
    for (address, instance) in state.iter() {
        let wanted = targets.is_empty() || targets.iter().any(|target| covers(target, &address));
        if wanted && args.id.as_deref().is_none_or(|id| has_id(instance, id)) {
            out.push_str(&format!("{address}\n"));
        }
    }
    cx.print(&out)?;
    Ok(Exit::Done)
}

fn has_id(instance: &InstanceState, id: &str) -> bool {
    let found = instance.current.as_ref().and_then(|object| object.attributes.json().ok());
    found.is_some_and(|json| json["id"].as_str() == Some(id))
}

/// Addresses as arguments.
pub(super) fn parse_targets(texts: &[String]) -> Result<Vec<Target>, Failure> {
    let parse = |text: &String| {
        text.parse().map_err(|e| Failure::usage(format!("{e}"), "addresses are like module.a or aws_s3_bucket.raw"))
    };
    texts.iter().map(parse).collect()
}

/// Whether an instance is what a target names, or part of it. Keys that the target lacks match any.
pub(super) fn covers(target: &Target, address: &InstanceAddress) -> bool {
    let inside = |module: &lakeform::core::ModuleInstance| {
        let own = &address.resource.module.0;
        module.0.len() <= own.len()
            && module.0.iter().zip(own.iter()).all(|((n, k), (m, l))| n == m && (k.is_none() || k == l))
    };
    match target {
        Target::Module(module) => inside(module),
        Target::Resource(wanted) => {
            let (a, b) = (&wanted.resource, &address.resource);
            (a.mode, &a.ty, &a.name) == (b.mode, &b.ty, &b.name)
                && a.module.0.len() == b.module.0.len()
                && inside(&a.module)
                && (wanted.key.is_none() || wanted.key == address.key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_covers_what_lies_inside() {
        let covered = |target: &str, address: &str| covers(&target.parse().unwrap(), &address.parse().unwrap());
        assert!(covered("module.a", "module.a[\"x\"].aws_s3_bucket.raw"));
        assert!(covered("module.a[\"x\"]", "module.a[\"x\"].module.b.aws_s3_bucket.raw"));
        assert!(!covered("module.a[\"y\"]", "module.a[\"x\"].aws_s3_bucket.raw"));
        assert!(covered("aws_s3_bucket.raw", "aws_s3_bucket.raw[0]"));
        assert!(!covered("aws_s3_bucket.raw", "module.a.aws_s3_bucket.raw"));
        assert!(!covered("aws_s3_bucket.raw[1]", "aws_s3_bucket.raw[0]"));
    }
}
