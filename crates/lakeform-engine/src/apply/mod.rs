//! Carrying out a plan: exactly its operations, in dependency order, with the state kept after each.

mod ahead;
mod beforehand;
mod blocks;
mod certain;
mod checks;
mod follow;
mod journal;
mod operate;
mod provision;
mod release;
mod rollback;
mod saver;
mod steps;
mod timeout;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use futures::future::join_all;
use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, ModuleInstance, Value};
use lakeform_lang::{Environment, Stack};
use lakeform_provider::BoxFuture;
use lakeform_state::{Lease, OutputState, State, journal::Entry};

use crate::{
    Action, Cancel, Event, Events, Plan, PlanMode, Providers,
    calls::Calls,
    cancel::Level,
    deps::Dependencies,
    evaluate::Evaluator,
    graph::Graph,
    map::HashMap,
    order::{self, End},
    target::Selection,
};

pub use self::{
    beforehand::beyond_rollback,
    rollback::{OnError, Rollback},
};

use self::{
    ahead::{Ahead, is_operation},
    journal::Recorder,
    operate::Run,
    saver::Saver,
    steps::{Step, Steps},
};

/// Keeps the state while a run goes on.
pub trait Save: Send + Sync {
    /// Writes the state and returns its serial. Called after operations, never twice at once; a run that goes fast is
    /// saved at intervals, and always at its end.
    ///
    /// # Errors
    /// Why it could not be written. The run starts nothing new after that.
    fn save<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, Diagnostic>>;

    /// Whether a journal is kept: the state then need not be written after each operation.
    fn has_journal(&self) -> bool {
        false
    }

    /// How many pages of the journal may be written at once.
    fn pages_at_once(&self) -> usize {
        1
    }

    /// Makes entries of the journal durable, as one page: the pages come in the order of the calls, whichever is written first.
    ///
    /// # Errors
    /// Why they could not be written. What they tell of does not begin.
    fn record(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), Diagnostic>> {
        drop(entries);
        Box::pin(async { Ok(()) })
    }
}

/// All that an apply needs.
pub struct ApplyInput<'a> {
    /// What to do.
    pub plan: Plan,
    /// The stack that it was made from.
    pub stack: &'a Stack,
    /// The providers.
    pub providers: &'a Providers,
    /// What expressions may see of the world; `now` is set.
    pub environment: Environment,
    /// Who is told what happens.
    pub events: &'a dyn Events,
    /// Stops the run.
    pub cancel: &'a Cancel,
    /// The right to change things: nothing is called once it is lost.
    pub lease: Lease,
    /// Keeps the state.
    pub save: &'a dyn Save,
    /// What becomes of what was done once something has failed.
    pub on_error: OnError,
}

/// What an apply did.
#[derive(Debug)]
pub struct ApplyReport {
    /// The state at the end.
    pub state: State,
    /// What went wrong; empty if nothing did.
    pub diagnostics: Diagnostics,
    /// Objects created, replacements included.
    pub added: usize,
    /// Objects changed in place.
    pub changed: usize,
    /// Objects adopted.
    pub imported: usize,
    /// Objects deleted, replacements included.
    pub destroyed: usize,
    /// What was not tried because something it depends on failed, or because the run was stopped.
    pub skipped: Vec<InstanceAddress>,
    /// Whether the run was stopped before its end.
    pub interrupted: bool,
    /// Whether the state at the end was written.
    pub saved: bool,
    /// Whether it is known of every operation what became of it; else the journal is still needed.
    pub settled: bool,
    /// What was undone after a failure, where that was asked for. What was done and undone still counts as done.
    pub rolled_back: Option<Rollback>,
}

/// Carries out a plan. One failure stops only what depends on it; the report tells all.
pub async fn apply(input: ApplyInput<'_>) -> ApplyReport {
    let ApplyInput { plan, stack, providers, environment, events, cancel, lease, save, on_error } = input;
    let environment = Environment { applying: true, ..environment };
    let given: BTreeMap<Arc<str>, Value> = plan.variables.clone();
    let graph = match Graph::build(stack, &plan.prior_state) {
        Ok(graph) => graph,
        Err(diagnostics) => return ApplyReport::refused(plan, diagnostics),
    };
    let evaluator = Evaluator::new(&graph, providers, &given, &environment, plan.prior_state.clone());
    let steps = match Steps::build(&graph, &plan) {
        Ok(steps) => steps,
        Err(problem) => return ApplyReport::refused(plan, problem.into()),
    };
    let stopped = AtomicBool::new(false);
    let recorder = Recorder::new(save, &lease, plan.stored_serial);
    recorder.hide(plan.variables.values().chain(plan.changes.iter().flat_map(|c| [&c.before, &c.after])));
    let saver = Saver::new(save, &stopped, &recorder, plan.stored_serial);
    let run = Run {
        dependencies: Dependencies::of(&graph),
        selection: Selection::new(&graph, &plan.options, &plan.prior_state),
        graph: &graph,
        plan: &plan,
        evaluator,
        events,
        cancel,
        saver: &saver,
        recorder: &recorder,
        calls: Calls::new(events, cancel, lease.clone(), plan.options.parallelism),
        by_address: plan.changes.iter().enumerate().map(|(i, c)| ((c.address.clone(), c.deposed.clone()), i)).collect(),
        deposed: Mutex::new(HashMap::default()),
        tally: Mutex::default(),
    };
    run.forget();
    let work = async {
        let mut rolled_back = None;
        if plan.options.mode != PlanMode::RefreshOnly {
            let ahead = recorder.is_kept().then(|| Ahead::new(&steps));
            let visit = |at| {
                let (run, steps) = (&run, &steps);
                let ahead = ahead.as_ref().filter(|_| is_operation(&steps.dag[at]));
                async move {
                    let announce = async {
                        if let Some(ahead) = ahead {
                            run.announce_after(ahead, at).await;
                        }
                    };
                    match futures::future::join(run.step(&steps.dag[at]), announce).await.0 {
                        Ok(()) => End::Done,
                        Err(problems) => {
                            run.tally().problems.extend(problems);
                            End::Failed
                        }
                    }
                }
            };
            let skip = |at| run.skip(&steps.dag[at]);
            let stop = || cancel.level() > Level::Run || stopped.load(Ordering::SeqCst) || lease.check().is_err();
            order::walk(&steps.dag, visit, skip, &stop).await;
            recorder.withdraw();
            let failed = run.tally().problems.has_errors();
            let undoes = on_error == OnError::Rollback && plan.options.mode == PlanMode::Normal;
            if failed && undoes && !stop() {
                rolled_back = Some(Box::pin(run.roll_back(&stop)).await);
            } else {
                run.checks().await;
            }
        }
        saver.close();
        recorder.close();
        rolled_back
    };
    let work = async {
        let (rolled_back, ()) = tokio::join!(work, saver.run(&run.evaluator, events));
        // After a rollback both are what they were.
        if rolled_back.is_none() {
            run.outputs();
            run.check_results();
        }
        // What is being released needs the state too, and the state need not wait for it.
        let early = match recorder.is_kept() && recorder.is_settled() && run.tally().releases {
            true => Some(save.save(&run.evaluator.read_state(Clone::clone)).await),
            false => None,
        };
        (rolled_back, early)
    };
    let ((rolled_back, early), ..) = tokio::join!(work, recorder.run(&stopped), run.release());
    let tagged = run.still_tagged();
    let lost = lease.check().is_err();
    let interrupted = lost || cancel.level() > Level::Run;
    let Run { evaluator, tally, .. } = run;
    let mut tally = tally.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let state = evaluator.state.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let mut saved = true;
    if !recorder.is_settled() {
        tally.problems.0.extend(recorder.drain().await.err());
    }
    let last = match early {
        Some(done) => done,
        None => save.save(&state).await,
    };
    match last {
        Ok(serial) => {
            events.event(Event::Saved { serial });
            // The state knows the objects now: what only a search for them needs can go. A failure harms nobody.
            join_all(tagged.into_iter().map(release::Tagged::release)).await;
        }
        Err(problem) => {
            tally.problems.push(problem);
            saved = false;
            // What the state could not say the journal does.
            tally.problems.0.extend(recorder.drain().await.err());
        }
    }
    if lost {
        tally.problems.push(
            Diagnostic::error("The run lost its lock")
                .detail("nothing was called after that, and the state was not written: another run may be at work")
                .help("see who has the lock with `lakeform lock status`, then run it again to go on"),
        );
    } else if interrupted {
        tally.problems.push(
            Diagnostic::error("The run was interrupted")
                .detail("what was in flight was finished and saved; nothing else was started")
                .help("run it again to go on"),
        );
    }
    tally.skipped.sort();
    tally.skipped.dedup();
    ApplyReport {
        state,
        diagnostics: tally.problems,
        added: tally.added,
        changed: tally.changed,
        imported: plan.changes.iter().filter(|c| c.importing.is_some()).count(),
        destroyed: tally.destroyed,
        skipped: tally.skipped,
        interrupted,
        saved,
        settled: recorder.is_settled(),
        rolled_back,
    }
}

impl ApplyReport {
    /// Nothing was done, and why.
    pub fn refused(plan: Plan, diagnostics: Diagnostics) -> Self {
        Self {
            state: plan.prior_state,
            diagnostics,
            added: 0,
            changed: 0,
            imported: 0,
            destroyed: 0,
            skipped: vec![],
            interrupted: false,
            saved: false,
            settled: true,
            rolled_back: None,
        }
    }
}

impl Run<'_> {
    /// Brings the outputs in the state to what they are now.
    fn outputs(&self) {
        let root = ModuleInstance::root();
        let declared = &self.graph.modules[0];
        self.evaluator.change_state(|state| {
            for (name, change) in &self.plan.outputs {
                let node = declared.outputs.get(name);
                let now = match (self.plan.options.mode, node) {
                    (PlanMode::Normal, Some(node)) => self.evaluator.store.get(*node, &root),
                    _ => None,
                };
                // An output that could not be worked out is what the plan knew it would be, else what it was.
                let value = now.unwrap_or_else(|| change.after.clone());
                if !value.is_wholly_known() {
                    continue;
                }
                let sensitive = value.is_sensitive();
                if value.is_null() {
                    state.outputs.remove(&**name);
                } else {
                    state.outputs.insert(name.to_string(), OutputState { value: value.unmarked_deep(), sensitive });
                }
            }
        });
    }

    /// Drops what the plan lets go: nothing has to happen in the cloud, and nothing waits for it.
    fn forget(&self) {
        self.evaluator.change_state(|state| {
            for change in self.plan.changes.iter().filter(|c| c.action == Action::Forget) {
                match &change.deposed {
                    None => drop(state.remove_current(&change.address)),
                    Some(key) => drop(state.remove_deposed(&change.address, key)),
                }
            }
        });
    }

    /// Records that a step was left out.
    fn skip(&self, step: &Step) {
        if let Step::Apply(i) | Step::Delete(i) = step {
            let address = &self.plan.changes[*i].address;
            self.events.event(Event::Skipped { address });
            self.tally().skipped.push(address.clone());
        }
    }
}
