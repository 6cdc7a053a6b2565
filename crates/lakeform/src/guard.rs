//! What a stack's `[guard]` says of a plan, and what of it the state keeps.

use lakeform_core::{Diagnostic, Diagnostics};
use lakeform_engine::{Breach, Plan, PlanMode, breaches, frozen};
use lakeform_lang::{Environment, Guard, StaticScope, pattern_covers};

use crate::{Error, LoadedStack};

/// What a guard says of a plan.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Rules that the plan breaks, whenever it is applied.
    pub breaches: Vec<Breach>,
    /// Windows that keep it from being applied now.
    pub frozen: Vec<Breach>,
    /// What is worth knowing of the guard itself.
    pub notes: Diagnostics,
}

/// What was done although the guard refused it, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Override {
    /// Why, in the words of who did it.
    pub reason: String,
    /// The rules that were broken.
    pub breaches: Vec<String>,
}

impl LoadedStack {
    /// Does what the guard refuses: why must be said, and the run's record keeps it.
    pub fn override_guard(&mut self, reason: impl Into<String>) {
        self.options.override_guard = Some(reason.into());
    }

    /// What the guard says of a plan: that of the stack, and what the state keeps of an earlier one.
    ///
    /// # Errors
    /// What is wrong with the values in `[guard]`.
    pub fn guard(&self, plan: &Plan) -> Result<Verdict, Error> {
        let guard = self.guard_of(plan)?;
        let kept = plan.prior_state.protected();
        let breaches = breaches(plan, &guard, &kept);
        let mut notes = Diagnostics::new();
        if breaches.is_empty() {
            notes.0.extend(loosened(&guard, &kept));
        }
        notes.0.extend(pointless(&guard, plan));
        let frozen = match self.lakeform.world.now() {
            Some(now) => frozen(plan, &guard, now),
            None if guard.freeze.is_empty() => Vec::new(),
            None => {
                return Err(Diagnostic::error("`freeze` cannot be held without a clock")
                    .help("give the builder one: `Builder::clock`")
                    .into());
            }
        };
        Ok(Verdict { breaches, frozen, notes })
    }

    fn guard_of(&self, plan: &Plan) -> Result<Guard, Error> {
        let Some(block) = &self.stack.guard else { return Ok(Guard::default()) };
        let environment = Environment { now: None, ..self.environment.clone() };
        Ok(block.evaluate(&StaticScope::new(&self.stack, &plan.variables, environment))?)
    }

    /// Lets a plan through that the guard allows, or that is to be carried out nevertheless; then `protect` is part of the
    /// state that it makes.
    ///
    /// # Errors
    /// Every rule that the plan breaks.
    pub(crate) fn guarded(&self, plan: &mut Plan) -> Result<Option<Override>, Diagnostics> {
        let verdict = self.guard(plan).map_err(|e| match e {
            Error::Stack(problems) => problems,
            other => Diagnostic::error(other.to_string()).into(),
        })?;
        let broken: Vec<&Breach> = verdict.breaches.iter().chain(&verdict.frozen).collect();
        let overridden = match (&self.options.override_guard, broken.is_empty()) {
            (_, true) => None,
            (Some(reason), false) => {
                Some(Override { reason: reason.clone(), breaches: broken.iter().map(ToString::to_string).collect() })
            }
            (None, false) => return Err(Diagnostics(broken.into_iter().map(Breach::diagnostic).collect())),
        };
        let mut patterns = self.guard_of(plan).map(|guard| guard.protect).unwrap_or_default();
        if verdict.breaches.iter().any(|b| matches!(b, Breach::Protected(_))) {
            // Only a run that leaves everything protected alone may let go of a pattern.
            patterns.extend(plan.prior_state.protected());
        }
        let mut seen = std::collections::BTreeSet::new();
        patterns.retain(|pattern| seen.insert(pattern.clone()));
        plan.prior_state.set_protected(&patterns);
        Ok(overridden)
    }
}

impl Verdict {
    /// Every refusal, in words. A window refuses nothing before apply.
    pub fn refusals(&self, applying: bool) -> Diagnostics {
        let frozen = self.frozen.iter().filter(|_| applying);
        Diagnostics(self.breaches.iter().chain(frozen).map(Breach::diagnostic).collect())
    }
}

/// The patterns that hold only until the next apply.
fn loosened(guard: &Guard, kept: &[String]) -> Option<Diagnostic> {
    let gone: Vec<&str> = kept.iter().filter(|p| !guard.protect.contains(p)).map(String::as_str).collect();
    (!gone.is_empty()).then(|| {
        Diagnostic::warning("Applying this plan ends a protection")
            .detail(format!("`protect` of the stack no longer has {}, which the state keeps until then", quoted(&gone)))
    })
}

/// The patterns that cover nothing: a mistyped one protects nothing.
fn pointless(guard: &Guard, plan: &Plan) -> Option<Diagnostic> {
    let options = &plan.options;
    if options.mode != PlanMode::Normal || !options.targets.is_empty() || !options.excludes.is_empty() {
        return None;
    }
    let planned = plan.changes.iter().map(|c| c.address.to_string());
    let names: Vec<String> = planned.chain(plan.prior_state.iter().map(|(a, _)| a.to_string())).collect();
    let covers = |pattern: &String| names.iter().any(|name| pattern_covers(pattern, name));
    let idle: Vec<&str> = guard.protect.iter().filter(|p| !covers(p)).map(String::as_str).collect();
    (!idle.is_empty()).then(|| {
        Diagnostic::warning("A pattern in `protect` covers nothing")
            .detail(format!("{} matches no address of this stack", quoted(&idle)))
            .help("what is in modules is covered by patterns like `module.*.aws_s3_bucket.*`")
    })
}

fn quoted(patterns: &[&str]) -> String {
    patterns.iter().map(|p| format!("\"{p}\"")).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lakeform_engine::{Cancel, NoEvents, PlanOptions};
    use lakeform_testkit::fake::{FakeCloud, FakeProvider};

    use crate::{Lakeform, LoadOptions};

    #[tokio::test]
    async fn the_library_refuses_by_itself() {
        let (cloud, folder) = (FakeCloud::new(), tempfile::tempdir().unwrap());
        let provider = Arc::new(FakeProvider::new(&cloud));
        let lakeform = Lakeform::builder().working_directory(folder.path()).provider(provider).build();
        let text = "[resource.fake_bucket.raw]\nname = \"raw\"\n[guard]\nmax_destroy = 0\n";
        let mut stack = lakeform.load_text("s.toml", text, LoadOptions::default()).unwrap();
        let (options, cancel) = (PlanOptions::default, Cancel::new());
        let plan = stack.plan(options(), &NoEvents, &cancel).await.unwrap();
        assert!(!stack.apply(plan, &NoEvents, &cancel).await.unwrap().report.diagnostics.has_errors());
        let applied = stack.destroy(options(), &NoEvents, &cancel).await.unwrap();
        assert!(applied.report.diagnostics.to_string().contains("max_destroy is 0"), "{}", applied.report.diagnostics);
        assert_eq!((cloud.len(), stack.history(10).await.unwrap().len()), (1, 1));
        stack.override_guard("the test is over");
        stack.destroy(options(), &NoEvents, &cancel).await.unwrap();
        assert!(cloud.is_empty());
        let kept = stack.history(10).await.unwrap().into_iter().find_map(|run| run.overridden);
        assert_eq!(kept.map(|o| o.reason).as_deref(), Some("the test is over"));
        // Without a clock nobody knows whether it is frozen.
        let text = "[resource.fake_bucket.raw]\nname = \"raw\"\n[guard]\nfreeze = { days = \"sun\" }\n";
        let stack = lakeform.load_text("s.toml", text, LoadOptions::default()).unwrap();
        let plan = stack.plan(options(), &NoEvents, &cancel).await.unwrap();
        let applied = stack.apply(plan, &NoEvents, &cancel).await.unwrap();
        assert!(applied.report.diagnostics.to_string().contains("without a clock"), "{}", applied.report.diagnostics);
        assert!(cloud.is_empty());
    }
}
