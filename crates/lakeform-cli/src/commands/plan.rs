//! `lakeform plan`

use std::path::{Path, PathBuf};

use clap::Args;
use lakeform::{
    LoadedStack, Plan,
    core::{Diagnostic, Diagnostics},
};

use crate::{
    Exit,
    cli::{GuardOptions, InputOptions, LockOptions, PlanningOptions, StackOptions},
    cx::Cx,
    failure::Failure,
    progress::Progress,
    view::{self, plan_json},
};

/// Show what applying a stack would change
///
/// Reads the stack, the stored state and the live objects, and shows the difference. Nothing is changed, and neither a
/// lock nor write permission is needed.
#[derive(Args, Debug)]
pub(crate) struct PlanArgs {
    /// Stack file or directory
    #[arg(default_value = ".")]
    pub(crate) stack: PathBuf,

    /// Save the plan, so that `lakeform apply FILE` carries out exactly that
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Print the plan as JSON, in the shape of Terraform's
    #[arg(long)]
    json: bool,

    /// Write resource blocks for `[[import]]` blocks whose resource the stack lacks, and plan with them
    #[arg(long, value_name = "FILE")]
    generate_config_out: Option<PathBuf>,

    /// Exit with 2 where there are changes, 0 where there are none
    #[arg(long)]
    detailed_exitcode: bool,

    #[command(flatten)]
    pub(crate) planning: PlanningOptions,
    #[command(flatten)]
    pub(crate) stack_options: StackOptions,
    #[command(flatten)]
    lock: LockOptions,
    #[command(flatten)]
    input: InputOptions,
    #[command(flatten)]
    guard: GuardOptions,
}

pub(crate) async fn run(cx: &Cx, args: &PlanArgs) -> Result<Exit, Failure> {
    let mut loaded = cx.load(&args.stack, &args.stack_options, None)?;
    cx.check(&loaded)?;
    cx.ask_for_variables(&mut loaded, &args.input).await?;
    let progress = cx.progress(false);
    if let Some(path) = &args.generate_config_out {
        generate(cx, &mut loaded, path, &progress).await?;
    }
    let plan = progress.during(loaded.plan(args.planning.plan(), &progress, &cx.cancel)).await?;
    cx.warn(&plan.diagnostics);
    let verdict = loaded.guard(&plan)?;
    cx.warn(&verdict.notes);
    let refused = !verdict.breaches.is_empty() && args.guard.override_guard.is_none();
    if let Some(path) = args.out.as_ref().filter(|_| !refused) {
        save(cx, &loaded, &plan, path).await?;
    }
    if args.json {
        cx.print(&format!("{}\n", plan_json::plan(&plan, &loaded, &cx.timestamp())))?;
    } else {
        cx.print(&view::plan::plan(&plan, loaded.providers(), cx.style))?;
        if plan.has_changes() && !refused {
            cx.say(&footer(args.out.as_deref()));
        }
    }
    if refused {
        return Err(verdict.refusals(false).into());
    }
    // Later it may be another time, and somebody may have changed their mind.
    cx.warn(&Diagnostics(verdict.refusals(true).0.into_iter().map(Diagnostic::into_warning).collect()));
    Ok(if args.detailed_exitcode && plan.has_changes() { Exit::Changes } else { Exit::Done })
}

/// Terraform refuses to write over a file too: somebody may have edited it by now.
async fn generate(cx: &Cx, loaded: &mut LoadedStack, path: &Path, progress: &Progress) -> Result<(), Failure> {
    let at = cx.cwd.join(path);
    let failed = |source| Failure::Io { what: format!("write {}", path.display()), source };
    if at.exists() {
        return Err(failed(std::io::ErrorKind::AlreadyExists.into()));
    }
    let name = path.display().to_string();
    if let Some(text) = progress.during(loaded.generate_config(&name, progress, &cx.cancel)).await? {
        std::fs::write(&at, text).map_err(failed)?;
        cx.say(&format!("Wrote {name}: make it part of the stack (in `extends`, or in its directory), then apply.\n"));
    }
    Ok(())
}

async fn save(cx: &Cx, loaded: &LoadedStack, plan: &Plan, path: &Path) -> Result<(), Failure> {
    let bytes = loaded.save_plan(plan).await?;
    std::fs::write(cx.cwd.join(path), bytes)
        .map_err(|source| Failure::Io { what: format!("write {}", path.display()), source })
}

fn footer(saved: Option<&Path>) -> String {
    match saved {
        Some(path) => {
            let path = path.display();
            format!("\nSaved the plan to: {path}\n\nTo perform exactly these actions, run:\n    lakeform apply {path}\n")
        }
        None => "\nNote: You didn't use --out to save this plan, so lakeform can't guarantee to take exactly these actions if \
                 you run \"lakeform apply\" now.\n"
            .to_owned(),
    }
}
