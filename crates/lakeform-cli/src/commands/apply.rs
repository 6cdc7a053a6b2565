//! `lakeform apply`

use std::path::{Path, PathBuf};

use clap::Args;
use lakeform::{
    Applied, LoadedStack, OnError, Plan, PlanMode, PlanOptions, Rollback,
    core::{Diagnostic, Diagnostics},
};

use crate::{
    Exit,
    cli::{GuardOptions, InputOptions, LockOptions, PlanningOptions, StackOptions},
    cx::Cx,
    failure::Failure,
    progress::Progress,
    view::{self, events_json},
};

/// Bring the cloud to what a stack says
///
/// Takes the lock, plans, asks, and carries the plan out in dependency order; the state is kept after every operation. One
/// failure stops only what depends on it. Given a plan file, carries out exactly that plan, and refuses it if the state has
/// moved on.
#[derive(Args, Debug)]
pub(crate) struct ApplyArgs {
    /// Stack file or directory, or a plan file
    #[arg(default_value = ".", value_name = "STACK|PLANFILE")]
    stack: PathBuf,

    #[command(flatten)]
    run: RunOptions,
    #[command(flatten)]
    planning: PlanningOptions,

    /// What becomes of what was done once an operation has failed
    #[arg(long, value_name = "WHAT", value_enum, default_value_t, conflicts_with_all = ["destroy", "refresh_only"])]
    on_error: Failing,
}

/// What becomes of what was done.
#[derive(clap::ValueEnum, Clone, Copy, Debug, Default)]
enum Failing {
    /// It is kept; the next run goes on from there
    #[default]
    Keep,
    /// What this run did is undone, as far as that is possible; what is not is said before
    Rollback,
}

impl From<Failing> for OnError {
    fn from(failing: Failing) -> Self {
        match failing {
            Failing::Keep => Self::Keep,
            Failing::Rollback => Self::Rollback,
        }
    }
}

/// What apply and destroy have in common.
#[derive(Args, Clone, Debug)]
pub(crate) struct RunOptions {
    /// Do not ask for approval
    #[arg(long)]
    auto_approve: bool,

    /// Print events as JSON lines, in the shape of Terraform's; needs --auto-approve or a plan file
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    stack: StackOptions,
    #[command(flatten)]
    lock: LockOptions,
    #[command(flatten)]
    input: InputOptions,
    #[command(flatten)]
    guard: GuardOptions,
}

pub(crate) async fn run(cx: &Cx, args: &ApplyArgs) -> Result<Exit, Failure> {
    match plan_file(cx, &args.stack)? {
        Some(bytes) => told(cx, from_file(cx, bytes, &args.run, args.on_error.into()).await, args.run.json),
        None => from_stack(cx, &args.stack, args.planning.plan(), &args.run, args.on_error.into()).await,
    }
}

/// Tells a failure as events too, where events are wanted.
fn told(cx: &Cx, done: Result<Exit, Failure>, json: bool) -> Result<Exit, Failure> {
    if let (Err(failure), true) = (&done, json) {
        for problem in failure.diagnostics() {
            cx.print(&format!("{}\n", events_json::diagnostic_event(&problem, &cx.timestamp())))?;
        }
    }
    done
}

/// The content of a plan file, if that is what was given.
pub(crate) fn plan_file(cx: &Cx, path: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let full = cx.cwd.join(path);
    if path.extension().is_some_and(|e| e == "toml") || !full.is_file() {
        return Ok(None);
    }
    let read = std::fs::read(&full);
    read.map(Some).map_err(|source| Failure::Io { what: format!("read {}", path.display()), source })
}

/// Loads, locks, plans, asks, applies.
pub(crate) async fn from_stack(
    cx: &Cx,
    stack: &Path,
    options: PlanOptions,
    args: &RunOptions,
    on_error: OnError,
) -> Result<Exit, Failure> {
    told(cx, load_and_apply(cx, stack, options, args, on_error).await, args.json)
}

async fn load_and_apply(
    cx: &Cx,
    stack: &Path,
    options: PlanOptions,
    args: &RunOptions,
    on_error: OnError,
) -> Result<Exit, Failure> {
    if !args.auto_approve && (args.json || !args.input.input) {
        let why = if args.json { "with --json" } else { "with --input=false" };
        return Err(Failure::usage(
            format!("Nobody can be asked for approval {why}"),
            "add --auto-approve, or save a plan with `lakeform plan --out FILE` and apply that",
        ));
    }
    let mut loaded = cx.load(stack, &args.stack, Some(&args.lock))?;
    cx.check(&loaded)?;
    args.guard.apply_to(&mut loaded);
    loaded.on_error(on_error);
    cx.ask_for_variables(&mut loaded, &args.input).await?;
    let mode = options.mode;
    let progress = start(cx, args.json)?;
    let applied = loaded
        .locked("OperationTypeApply", &cx.cancel, &cx.lock_notice(), async |session| {
            let plan = progress.during(session.plan(options, &progress, &cx.cancel)).await?;
            show(cx, &plan, &loaded, args.json)?;
            allow(cx, &plan, &loaded, &args.guard)?;
            warn_of_rollback(cx, &plan, &loaded, on_error, args.json)?;
            if plan.has_changes() && !args.auto_approve {
                ask(cx, mode).await?;
            }
            Ok::<_, Failure>(progress.during(Box::pin(session.apply(plan, &progress, &cx.cancel))).await)
        })
        .await?;
    finish(cx, applied, mode, args.json)
}

/// Carries out a saved plan. Approval was given when it was chosen.
async fn from_file(cx: &Cx, bytes: Vec<u8>, args: &RunOptions, on_error: OnError) -> Result<Exit, Failure> {
    let (mut loaded, file) = cx.lakeform().load_plan(bytes, args.stack.load(Some(&args.lock))).await?;
    cx.warn(loaded.warnings());
    args.guard.apply_to(&mut loaded);
    loaded.on_error(on_error);
    let progress = start(cx, args.json)?;
    let (applied, mode) = loaded
        .locked("OperationTypeApply", &cx.cancel, &cx.lock_notice(), async |session| {
            let plan = session.resume(file)?;
            allow(cx, &plan, &loaded, &args.guard)?;
            let mode = plan.options.mode;
            if on_error == OnError::Rollback && mode != PlanMode::Normal {
                return Err(Failure::usage(
                    "The plan only deletes, or only refreshes the state: there is no rollback of it",
                    "apply it without --on-error=rollback",
                ));
            }
            warn_of_rollback(cx, &plan, &loaded, on_error, args.json)?;
            let applied = progress.during(Box::pin(session.apply(plan, &progress, &cx.cancel))).await;
            Ok::<_, Failure>((applied, mode))
        })
        .await?;
    finish(cx, applied, mode, args.json)
}

fn start(cx: &Cx, json: bool) -> Result<Progress, Failure> {
    if json {
        cx.print(&format!("{}\n", events_json::version(&cx.timestamp())))?;
    }
    Ok(cx.progress(json))
}

fn show(cx: &Cx, plan: &Plan, loaded: &LoadedStack, json: bool) -> Result<(), Failure> {
    if json {
        let time = cx.timestamp();
        let lines = plan.diagnostics.iter().map(|d| events_json::diagnostic_event(d, &time));
        for line in lines.chain(events_json::plan(plan, &time)) {
            cx.print(&format!("{line}\n"))?;
        }
        return Ok(());
    }
    cx.warn(&plan.diagnostics);
    cx.print(&view::plan::plan(plan, loaded.providers(), cx.style))
}

/// Stops before anyone is asked where the stack's guard refuses the plan.
fn allow(cx: &Cx, plan: &Plan, loaded: &LoadedStack, guard: &GuardOptions) -> Result<(), Failure> {
    let verdict = loaded.guard(plan)?;
    cx.warn(&verdict.notes);
    let refusals = verdict.refusals(true);
    if refusals.is_empty() {
        return Ok(());
    }
    if guard.override_guard.is_none() {
        return Err(refusals.into());
    }
    cx.warn(&Diagnostics(refusals.0.into_iter().map(Diagnostic::into_warning).collect()));
    Ok(())
}

/// Says what a rollback could not undo, before anything is done.
fn warn_of_rollback(cx: &Cx, plan: &Plan, loaded: &LoadedStack, on_error: OnError, json: bool) -> Result<(), Failure> {
    if on_error == OnError::Keep {
        return Ok(());
    }
    let warnings = loaded.beyond_rollback(plan);
    if !json {
        cx.warn(&warnings);
        return Ok(());
    }
    let time = cx.timestamp();
    warnings.iter().try_for_each(|d| cx.print(&format!("{}\n", events_json::diagnostic_event(d, &time))))
}

async fn ask(cx: &Cx, mode: PlanMode) -> Result<(), Failure> {
    let (question, explanation, declined) = match mode {
        PlanMode::Normal => (
            "Do you want to perform these actions?",
            "Lakeform will perform the actions described above.",
            "Apply cancelled.",
        ),
        PlanMode::Destroy => (
            "Do you really want to destroy all resources?",
            "Lakeform will destroy all your managed infrastructure, as shown above. There is no undo.",
            "Destroy cancelled.",
        ),
        PlanMode::RefreshOnly => (
            "Would you like to update the state to reflect these detected changes?",
            "Lakeform will write these changes to the state without modifying any real infrastructure.",
            "Apply cancelled.",
        ),
    };
    if cx.approve(question, explanation).await? { Ok(()) } else { Err(Failure::Declined { what: declined }) }
}

/// Tells what was done, and what was not.
fn finish(cx: &Cx, applied: Applied, mode: PlanMode, json: bool) -> Result<Exit, Failure> {
    let Applied { report, unsaved } = applied;
    let failed = report.diagnostics.has_errors() || report.interrupted || unsaved.is_some();
    let (add, change, destroy) = (report.added, report.changed, report.destroyed);
    let imported = if report.imported > 0 { format!("{} imported, ", report.imported) } else { String::new() };
    let message = match mode {
        PlanMode::Destroy => format!("Destroy complete! Resources: {destroy} destroyed."),
        _ => format!("Apply complete! Resources: {imported}{add} added, {change} changed, {destroy} destroyed."),
    };
    if json {
        let time = cx.timestamp();
        for problem in report.diagnostics.iter() {
            cx.print(&format!("{}\n", events_json::diagnostic_event(problem, &time)))?;
        }
        if let Some(back) = &report.rolled_back {
            cx.print(&format!("{}\n", events_json::rollback(&rolled_back(back), back, &time)))?;
        }
        let what = if mode == PlanMode::Destroy { "destroy" } else { "apply" };
        let counts = (add, change, destroy);
        cx.print(&format!("{}\n", events_json::summary(&message, what, counts, 0, &time)))?;
        cx.print(&format!("{}\n", events_json::outputs(&report.state, &time)))?;
    } else {
        cx.warn(&report.diagnostics);
        if let Some(back) = &report.rolled_back {
            cx.say(&format!("{}\n", cx.err_style.bold(rolled_back(back))));
            for (word, addresses) in [("undone", &back.undone), ("not undone", &back.left)] {
                addresses.iter().for_each(|address| cx.say(&format!("  {word}: {address}\n")));
            }
        } else if failed {
            let text = incomplete(add, change, destroy, report.skipped.len());
            cx.say(&format!("{}\n", cx.err_style.bold(text)));
        } else {
            cx.print(&format!("\n{}\n", cx.style.green(cx.style.bold(message))))?;
            if mode != PlanMode::Destroy && !report.state.outputs.is_empty() {
                let outputs = report.state.outputs.iter();
                let text =
                    view::plan::output_values(outputs.map(|(name, o)| (name.as_str(), o.value.clone(), o.sensitive)));
                cx.print(&format!("\n{}\n\n{text}", cx.style.bold("Outputs:")))?;
            }
        }
    }
    if let Some(lost) = unsaved.filter(|u| u.file.is_none()) {
        // The last resort: whoever reads this can still store it.
        cx.print(&String::from_utf8_lossy(&lost.content))?;
    }
    Ok(if failed { Exit::Failed } else { Exit::Done })
}

fn rolled_back(back: &Rollback) -> String {
    format!("Rolled back: {} undone, {} could not be undone.", back.undone.len(), back.left.len())
}

fn incomplete(add: usize, change: usize, destroy: usize, skipped: usize) -> String {
    format!(
        "Apply incomplete. Resources: {add} added, {change} changed, {destroy} destroyed, {skipped} skipped. Run it again to \
         go on."
    )
}
