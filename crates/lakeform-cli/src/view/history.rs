//! Records of runs and earlier states, for people.

use std::fmt::Write as _;

use lakeform::{Counts, RunOutcome, RunRecord};

use super::style::Style;

/// Columns of texts, as wide as they must be; the last one is not padded.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>], style: Style) -> String {
    let width = |i: usize| {
        rows.iter().map(|row| row[i].chars().count()).chain([head[i].chars().count()]).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let head: Vec<String> = head.iter().map(|name| (*name).to_owned()).collect();
    let mut out = format!("{}\n", style.bold(line(&head)));
    for row in rows {
        let _ = writeln!(out, "{}", line(row));
    }
    out
}

/// One line per run.
pub(crate) fn runs(records: &[RunRecord], style: Style) -> String {
    let row =
        |r: &RunRecord| vec![r.id.clone(), r.begun.clone(), r.who.clone(), r.command.clone(), done(r), outcome(r)];
    table(
        &["RUN", "BEGUN", "WHO", "COMMAND", "CHANGES", "OUTCOME"],
        &records.iter().map(row).collect::<Vec<_>>(),
        style,
    )
}

/// One run with all that is known of it.
pub(crate) fn run(record: &RunRecord, style: Style) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(out, "{} {value}", style.bold(format!("{name:10}")));
        }
    };
    line("Run:", &record.id);
    line("Command:", &record.command);
    line("Stack:", &record.stack);
    line("Who:", &record.who);
    line("Begun:", &record.begun);
    line("Ended:", record.ended.as_deref().unwrap_or_default());
    line("Outcome:", &outcome(record));
    line("Lakeform:", &record.lakeform);
    let after = record.serial_after.map(|n| format!(" to {n}")).unwrap_or_default();
    line("Serial:", &format!("{}{after}", record.serial_before));
    if record.planned != Counts::default() {
        line("Planned:", &counts(record.planned));
    }
    if record.done != Counts::default() {
        line("Done:", &counts(record.done));
    }
    let back = record.rolled_back.as_ref();
    if let Some(back) = back {
        line("Rollback:", &format!("{} undone, {} could not be undone", back.undone.len(), back.left.len()));
    }
    if let Some(overridden) = &record.overridden {
        line("Override:", &overridden.reason);
        for breach in &overridden.breaches {
            let _ = writeln!(out, "  refused by [guard]: {breach}");
        }
    }
    for address in back.iter().flat_map(|back| &back.left) {
        let _ = writeln!(out, "  not undone: {address}");
    }
    if !record.changes.is_empty() {
        out.push('\n');
    }
    for change in &record.changes {
        let deposed = change.deposed.as_ref().map(|key| format!(" (deposed object {key})")).unwrap_or_default();
        let _ = writeln!(out, "  {}{deposed}: {}", change.address, change.actions.join(", then "));
    }
    if !record.errors.is_empty() {
        out.push('\n');
    }
    for error in &record.errors {
        let _ = writeln!(out, "  {} {error}", style.red("Error:"));
    }
    out
}

fn outcome(record: &RunRecord) -> String {
    let word = match record.outcome {
        // Without a lock nobody can tell.
        RunOutcome::Running if record.lock.is_none() => "running, or cut off",
        outcome => outcome.name(),
    };
    let back = match &record.rolled_back {
        Some(back) if back.left.is_empty() => " (rolled back)",
        Some(_) => " (rolled back in part)",
        None => "",
    };
    let overridden = if record.overridden.is_some() { " (guard overridden)" } else { "" };
    format!("{word}{back}{overridden}")
}

/// `+2 ~1 -0`, of what was done, or planned where that is all that is known.
fn done(record: &RunRecord) -> String {
    let known = matches!(record.outcome, RunOutcome::Applied | RunOutcome::Failed | RunOutcome::Interrupted);
    let counts = if known { record.done } else { record.planned };
    if counts == Counts::default() && record.planned == Counts::default() {
        let objects = record.changes.len();
        return if objects == 1 { "1 object".to_owned() } else { format!("{objects} objects") };
    }
    format!("+{} ~{} -{}", counts.added, counts.changed, counts.destroyed)
}

fn counts(counts: Counts) -> String {
    format!("{} added, {} changed, {} destroyed", counts.added, counts.changed, counts.destroyed)
}
