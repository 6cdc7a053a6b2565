//! A plan for people.

use std::fmt::Write as _;

use lakeform::{
    Action, Change, Drift, Plan, PlanMode, Providers, Reason,
    core::{Block, InstanceAddress, InstanceKey, Value},
    lang::Schemas,
};

use super::{
    diff::{self, Mark},
    render::{Opts, render},
    style::Style,
    text::{attribute_name, wrap},
};

const WIDTH: usize = 78;

/// The schema of an instance's type, if any provider serves it.
pub(crate) fn schema<'a>(providers: &'a Providers, address: &InstanceAddress) -> Option<&'a Block> {
    let ty = &address.resource.ty;
    Schemas::resource(providers, address.resource.mode, ty).map(|schema| &schema.block)
}

/// The whole text of a plan: drift, actions, changes, summary, outputs.
pub(crate) fn plan(plan: &Plan, providers: &Providers, style: Style) -> String {
    let mut out = String::new();
    let changes: Vec<&Change> = plan.changes.iter().filter(|c| shown(c, plan)).collect();
    let outputs = outputs(plan, style);
    let drifted = drift_section(plan, providers, style);
    out.push_str(&drifted);
    if changes.is_empty() && outputs.is_empty() {
        if plan.options.mode == PlanMode::RefreshOnly && !drifted.is_empty() {
            out.push_str(&refresh_only_hint());
        } else {
            out.push_str(&nothing(plan, !drifted.is_empty(), style));
        }
        return out;
    }
    if !drifted.is_empty() && plan.options.mode == PlanMode::Normal {
        let _ = writeln!(
            out,
            "\n{}\n\n{}",
            wrap(
                "Unless you have made equivalent changes to your configuration, or ignored the relevant attributes using \
                 ignore_changes, the following plan may include actions to undo or respond to these changes.",
                WIDTH
            ),
            style.dimmed("─".repeat(WIDTH))
        );
    }
    if !changes.is_empty() {
        let _ = writeln!(
            out,
            "\n{}\n{}",
            wrap(
                "Lakeform made the following execution plan. Resource actions are indicated with the following symbols:",
                WIDTH
            ),
            legend(&changes, style)
        );
        let _ = writeln!(out, "Lakeform will perform the following actions:");
        for change in &changes {
            let _ = write!(out, "\n{}", self::change(change, providers, style));
        }
        let _ = writeln!(out, "\n{}", summary(plan, style));
    }
    if !outputs.is_empty() {
        let _ = write!(out, "\nChanges to Outputs:\n{outputs}");
        if changes.is_empty() && plan.options.mode != PlanMode::RefreshOnly {
            let text = "You can apply this plan to save these new output values to the state, without changing any real \
                        infrastructure.";
            let _ = writeln!(out, "\n{}", wrap(text, WIDTH));
        }
    }
    if plan.options.mode == PlanMode::RefreshOnly && !drifted.is_empty() {
        out.push_str(&refresh_only_hint());
    }
    out
}

/// `Plan: 3 to add, 1 to change, 0 to destroy.`
pub(crate) fn summary(plan: &Plan, style: Style) -> String {
    let (add, change, destroy) = plan.counts();
    let imports = plan.changes.iter().filter(|c| c.importing.is_some()).count();
    let forgets = plan.changes.iter().filter(|c| c.action == Action::Forget).count();
    let import = if imports > 0 { format!("{imports} to import, ") } else { String::new() };
    let forget = if forgets > 0 { format!(", {forgets} to forget") } else { String::new() };
    format!("{} {import}{add} to add, {change} to change, {destroy} to destroy{forget}.", style.bold("Plan:"))
}

/// Whether a change is worth a paragraph. That a check is looked at again is none where nothing else is done.
fn shown(change: &Change, plan: &Plan) -> bool {
    if change.reason == Some(Reason::ReadBecauseCheckNested) && !plan.has_changes() {
        return false;
    }
    change.action != Action::NoOp || change.importing.is_some() || change.previous_address.is_some()
}

fn refresh_only_hint() -> String {
    let text = "This is a refresh-only plan, so lakeform will not take any actions to undo these. If you were expecting these \
                changes then you can apply this plan to record the updated values in the state without changing any \
                remote objects.";
    format!("\n{}\n", wrap(text, WIDTH))
}

fn nothing(plan: &Plan, drifted: bool, style: Style) -> String {
    let (what, why) = match plan.options.mode {
        PlanMode::Destroy => (
            "No objects need to be destroyed.",
            "Either you have not created any objects yet or the existing objects were already deleted outside of lakeform.",
        ),
        PlanMode::RefreshOnly => (
            "Your infrastructure still matches the configuration.",
            "Lakeform has checked that the real remote objects still match the result of your most recent changes, and \
             found no differences.",
        ),
        PlanMode::Normal if drifted => (
            "Your infrastructure matches the configuration.",
            "Your configuration already applies the changes detected above, so applying this plan will only update the \
             state to include them.",
        ),
        PlanMode::Normal => (
            "Your infrastructure matches the configuration.",
            "Lakeform has compared your real infrastructure against your configuration and found no differences, so no \
             changes are needed.",
        ),
    };
    let head = format!("{} {}", style.green(style.bold("No changes.")), style.bold(what));
    format!("\n{head}\n\n{}\n", wrap(why, WIDTH))
}

fn legend(changes: &[&Change], style: Style) -> String {
    let (plus, minus) = (style.green("+"), style.red("-"));
    let rows = [
        (Action::Create, format!("  {plus} create")),
        (Action::Update, format!("  {} update in-place", style.yellow("~"))),
        (Action::Delete, format!("  {minus} destroy")),
        (Action::DeleteThenCreate, format!("{minus}/{plus} destroy and then create replacement")),
        (Action::CreateThenDelete, format!("{plus}/{minus} create replacement and then destroy")),
        (Action::Read, format!(" {} read (data sources)", style.cyan("<="))),
        (Action::Forget, "  . remove from the state, keep the object".to_owned()),
    ];
    let mut out = String::new();
    for (action, row) in rows {
        if changes.iter().any(|c| c.action == action) {
            let _ = writeln!(out, "{row}");
        }
    }
    out
}

/// One change: what happens and why, then the object.
pub(crate) fn change(change: &Change, providers: &Providers, style: Style) -> String {
    let mut out = comment(change, style);
    let schema = schema(providers, &change.address);
    let diff = diff::object(&change.before, &change.after, schema, &change.replace_paths);
    let glyph = glyph(change.action, style);
    match change.action {
        Action::NoOp | Action::Forget => {
            let opts = Opts::change(style);
            let diff = diff::object(&change.before, &change.before, schema, &[]);
            let _ = writeln!(out, "{glyph} {} {}", header(&change.address), render(&diff, 0, opts));
        }
        _ => {
            let _ = writeln!(out, "{glyph} {} {}", header(&change.address), render(&diff, 0, Opts::change(style)));
        }
    }
    out
}

/// The symbol in front of a change.
pub(crate) fn glyph(action: Action, style: Style) -> String {
    let (plus, minus) = (style.green("+"), style.red("-"));
    match action {
        Action::NoOp => "   ".into(),
        Action::Read => format!(" {}", style.cyan("<=")),
        Action::Create => format!("  {plus}"),
        Action::Update => format!("  {}", style.yellow("~")),
        Action::DeleteThenCreate => format!("{minus}/{plus}"),
        Action::CreateThenDelete => format!("{plus}/{minus}"),
        Action::Delete => format!("  {minus}"),
        Action::Forget => "  .".into(),
    }
}

/// `resource "aws_s3_bucket" "raw"`
pub(crate) fn header(address: &InstanceAddress) -> String {
    let word = address.resource.mode.section();
    format!("{word} \"{}\" \"{}\"", address.resource.ty, address.resource.name)
}

/// The lines above a change: what will happen, and why.
fn comment(change: &Change, style: Style) -> String {
    let address = match &change.deposed {
        Some(key) => format!("{} (deposed object {key})", change.address),
        None => change.address.to_string(),
    };
    let moved = change.previous_address.as_ref();
    let replaced = style.bold(style.red("replaced"));
    let (bold, said) = (style.bold(format!("  # {address}")), change.action);
    let mut lines = vec![match (said, change.reason) {
        (Action::Create, _) => format!("{bold} will be created"),
        (Action::Read, _) => format!("{bold} will be read during apply"),
        (Action::Update, _) => format!("{bold} will be updated in-place"),
        (Action::DeleteThenCreate | Action::CreateThenDelete, Some(Reason::ReplaceBecauseTainted)) => {
            format!("{bold} is tainted, so must be {replaced}")
        }
        (Action::DeleteThenCreate | Action::CreateThenDelete, Some(Reason::ReplaceByRequest)) => {
            format!("{bold} will be {replaced}, as requested")
        }
        (Action::DeleteThenCreate | Action::CreateThenDelete, Some(Reason::ReplaceByTriggers)) => {
            format!("{bold} will be {replaced} due to changes in replace_triggered_by")
        }
        (Action::DeleteThenCreate | Action::CreateThenDelete, _) => format!("{bold} must be {replaced}"),
        (Action::Delete, _) => format!("{bold} will be {}", style.bold(style.red("destroyed"))),
        (Action::Forget, _) => format!("{bold} will no longer be managed by lakeform, but will not be destroyed"),
        (Action::NoOp, _) => match (moved, &change.importing) {
            (Some(from), _) => format!("{} has moved to {}", style.bold(format!("  # {from}")), style.bold(address)),
            (None, Some(_)) => format!("{bold} will be imported"),
            (None, None) => format!("{bold} will not change"),
        },
    }];
    let why = match said {
        Action::Forget => Some("destroy = false is set in the configuration".to_owned()),
        _ => change.reason.and_then(|reason| because(reason, &change.address)),
    };
    lines.extend(why.map(|why| format!("  # ({why})")));
    if change.deposed.is_some() && change.action == Action::Delete {
        lines.push("  # (left over from a partially-failed replacement of this instance)".into());
    }
    if let (Some(from), true) = (moved, change.action != Action::NoOp) {
        lines.push(format!("  # (moved from {from})"));
    }
    if let (Some(id), true) = (&change.importing, change.action != Action::NoOp || moved.is_some()) {
        lines.push(format!("  # (imported from \"{id}\")"));
        if change.action.is_replace() {
            lines.push(format!("  # {}", style.yellow("Warning: this will destroy the imported resource")));
        }
    }
    lines.join("\n") + "\n"
}

/// Why, for reasons that the first line does not say.
pub(crate) fn because(reason: Reason, address: &InstanceAddress) -> Option<String> {
    let key = || address.key.as_ref().map(ToString::to_string).unwrap_or_default();
    Some(match reason {
        Reason::ReplaceBecauseCannotUpdate
        | Reason::ReplaceBecauseTainted
        | Reason::ReplaceByRequest
        | Reason::ReplaceByTriggers => return None,
        Reason::DeleteBecauseNoResourceConfig => {
            format!("because {}.{} is not in configuration", address.resource.ty, address.resource.name)
        }
        Reason::DeleteBecauseNoMoveTarget => {
            format!("because it was moved to {address}, which is not in configuration")
        }
        Reason::DeleteBecauseNoModule => format!("because {} is not in configuration", address.resource.module),
        Reason::DeleteBecauseWrongRepetition => match address.key {
            None => "because resource uses count or for_each".into(),
            Some(InstanceKey::Int(_)) => "because resource does not use count".into(),
            Some(InstanceKey::String(_)) => "because resource does not use for_each".into(),
        },
        Reason::DeleteBecauseCountIndex => format!("because index {} is out of range for count", key()),
        Reason::DeleteBecauseEachKey => format!("because key {} is not in for_each map", key()),
        Reason::DeleteBecauseDisabled => "because enabled is false".into(),
        Reason::ReadBecauseConfigUnknown => "config refers to values not yet known".into(),
        Reason::ReadBecauseDependencyPending => "depends on a resource or a module with changes pending".into(),
        Reason::ReadBecauseCheckNested => "config will be reloaded to verify a check block".into(),
    })
}

fn drift_section(plan: &Plan, providers: &Providers, style: Style) -> String {
    let drift: Vec<String> = plan.drift.iter().filter_map(|d| drift_entry(d, providers, style)).collect();
    if drift.is_empty() || plan.options.mode == PlanMode::Destroy {
        return String::new();
    }
    let mut out = format!(
        "\n{}{}\n\n{}\n",
        style.bold(style.cyan("Note:")),
        style.bold(" Objects have changed outside of lakeform"),
        wrap(
            "Lakeform detected the following changes made outside of lakeform since the last \"lakeform apply\" which may \
             have affected this plan:",
            WIDTH
        )
    );
    for entry in drift {
        let _ = write!(out, "\n{entry}");
    }
    out
}

/// One object that was changed outside; `None` where nothing can be shown of it.
pub(crate) fn drift_entry(drift: &Drift, providers: &Providers, style: Style) -> Option<String> {
    let diff = diff::object(&drift.before, &drift.after, schema(providers, &drift.address), &[]);
    let (what, glyph) = match diff.mark {
        Mark::Same => return None,
        Mark::Remove => ("has been deleted", glyph(Action::Delete, style)),
        Mark::Add | Mark::Change => ("has changed", glyph(Action::Update, style)),
    };
    let address = style.bold(format!("  # {}", drift.address));
    Some(format!("{address} {what}\n{glyph} {} {}\n", header(&drift.address), render(&diff, 0, Opts::change(style))))
}

fn outputs(plan: &Plan, style: Style) -> String {
    let changed: Vec<_> = plan
        .outputs
        .iter()
        .map(|(name, change)| (attribute_name(name), diff::output(&change.before, &change.after), change.action))
        .filter(|(_, diff, action)| diff.mark != Mark::Same || *action != Action::NoOp)
        .collect();
    let width = changed.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (name, diff, _) in changed {
        let action = match diff.mark {
            Mark::Add => Action::Create,
            Mark::Remove => Action::Delete,
            Mark::Change | Mark::Same => Action::Update,
        };
        let text = render(&diff, 0, Opts::change(style));
        let _ = writeln!(out, "{} {name:width$} = {text}", glyph(action, style));
    }
    out
}

/// One object as it is, under its address: what `show` and `state show` print.
pub(crate) fn object(
    address: &InstanceAddress,
    note: &str,
    value: &Value,
    providers: &Providers,
    style: Style,
) -> String {
    let diff = diff::object(value, value, schema(providers, address), &[]);
    let text = render(&diff, 0, Opts::object(style));
    format!("{}\n{} {text}\n", style.bold(format!("# {address}:{note}")), header(address))
}

/// Outputs as `output` and `apply` print them: `name = value`. The flag says whether one is sensitive.
pub(crate) fn output_values<'a>(outputs: impl Iterator<Item = (&'a str, Value, bool)>) -> String {
    let mut out = String::new();
    for (name, value, sensitive) in outputs {
        let text = if sensitive { "<sensitive>".to_owned() } else { lakeform::lang::render(&value) };
        let _ = writeln!(out, "{} = {text}", attribute_name(name));
    }
    out
}
