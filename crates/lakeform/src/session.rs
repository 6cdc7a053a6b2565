//! Work on a state: reading it, saving its successors, and what becomes of one that cannot be saved.

use std::{path::PathBuf, sync::Arc};

use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress};
use lakeform_engine::{ApplyInput, ApplyReport, Cancel, Events, Plan, PlanOptions};
use lakeform_state::{
    Acquired, Lease, OperationError, PersistError, State, StateManager,
    journal::{Entry, Journal, Open, Outcome, Page, Recovery, RunInfo},
};
use tokio::sync::Notify;

use crate::{
    Backend, Error, LoadedStack, RunRecord,
    history::Doing,
    keeper::{Keeper, OpenJournal, clear, persist, write_rescue},
    stack::follows,
};

/// A file for a state that could not be saved, in the working directory.
pub(crate) const RESCUE: &str = "errored.tfstate";

/// The state while someone works on it: made by [`LoadedStack::locked`].
#[derive(Debug)]
pub struct Session<'a> {
    stack: &'a LoadedStack,
    backend: &'a Backend,
    manager: StateManager,
    recovery: Recovery,
    lease: Lease,
    /// Whether the state was stored once more, to fence off the run that the lock was taken over from.
    fenced: bool,
    doing: Doing,
    /// Why a record could not be written.
    unrecorded: Option<OperationError>,
}

/// What an apply did, and the state if it could not be saved.
#[derive(Debug)]
pub struct Applied {
    /// What was done and what went wrong.
    pub report: ApplyReport,
    /// Set if the last state could not be saved.
    pub unsaved: Option<Unsaved>,
}

/// A state that is not where it belongs.
#[derive(Clone, Debug)]
pub struct Unsaved {
    /// Where it was written instead; `None` where that failed too.
    pub file: Option<PathBuf>,
    /// The state file's content, encrypted where the backend encrypts.
    pub content: Vec<u8>,
}

impl<'a> Session<'a> {
    /// Reads the state under a lock. Where that was taken over, nobody else can write what is there from now on.
    pub(crate) async fn open(stack: &'a LoadedStack, acquired: &Acquired) -> Result<Self, Error> {
        let backend = stack.backend().await?;
        let lease = acquired.lease.clone();
        let fenced = acquired.taken_over.is_some();
        let (mut manager, recovery) = match fenced {
            true => backend.open_fenced(&lease).await?,
            false => backend.open_state().await?,
        };
        manager = manager.with_lease(lease.clone());
        manager.declare(stack.stack.blocks());
        manager.know(&recovery.state);
        let doing = Doing::default();
        Ok(Self { stack, backend, manager, recovery, lease, fenced, doing, unrecorded: None })
    }

    /// The same with what it is for, which its record tells.
    pub(crate) fn doing(self, doing: Doing) -> Self {
        Self { doing, ..self }
    }

    /// Why a record could not be written, if that was so.
    pub(crate) fn unrecorded(&self) -> Option<&OperationError> {
        self.unrecorded.as_ref()
    }

    /// Records a change to the state alone.
    pub(crate) async fn record_edit(&mut self, before: &State, after: &State) {
        let record = RunRecord::of_edit(self.stack, &self.doing, before, after);
        self.keep(&record).await;
    }

    async fn keep(&mut self, record: &RunRecord) {
        if let Ok(backend) = self.stack.backend().await {
            self.unrecorded = record.write(backend.runs.as_deref()).await.err().or(self.unrecorded.take());
        }
    }

    pub(crate) fn stack(&self) -> &LoadedStack {
        self.stack
    }

    /// The state as it is stored.
    pub fn state(&self) -> &State {
        self.manager.state()
    }

    /// What an earlier run that was cut off left behind; empty where there was none.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Whether a state was ever stored.
    pub fn exists(&self) -> bool {
        self.manager.exists()
    }

    /// A plan that was made when nothing was stored yet begins the lineage that this session begins.
    pub(crate) fn adopt(&self, mut plan: Plan) -> Plan {
        if !self.exists() {
            plan.prior_state.lineage.clone_from(&self.state().lineage);
        }
        plan
    }

    /// Makes a plan from the stored state.
    ///
    /// # Errors
    /// Every problem of the stack and of live objects.
    pub async fn plan(&self, options: PlanOptions, events: &dyn Events, cancel: &Cancel) -> Result<Plan, Error> {
        self.stack.plan_from(&self.recovery, options, events, cancel).await
    }

    /// Carries out a plan that was made from the stored state. A plan that the stack's guard refuses is not begun. What an
    /// earlier run left open is written first, as the plan found it; then each operation is in the journal before it begins, and
    /// the state is kept while the run goes on.
    pub async fn apply(&mut self, mut plan: Plan, events: &dyn Events, cancel: &Cancel) -> Applied {
        let overridden = match self.stack.guarded(&mut plan) {
            Ok(overridden) => overridden,
            Err(refusals) => return Applied { report: ApplyReport::refused(plan, refusals), unsaved: None },
        };
        let (serial, changes) = (self.manager.state().serial, plan.has_changes());
        let mut record = RunRecord::of_plan(self.stack, &self.doing, &plan, overridden, serial);
        let begun = record.clone();
        let stack = self.stack;
        let under_way = Notify::new();
        if self.backend.journal.is_none() {
            under_way.notify_one();
        }
        // Beside the first calls, so that nothing waits for it. A run that is killed leaves this behind.
        let begin = async {
            under_way.notified().await;
            let log = stack.backend().await.ok().and_then(|backend| backend.runs.as_deref());
            if changes { begun.write(log).await } else { Ok(()) }
        };
        let work = async {
            let done = Box::pin(self.carry_out(plan, events, cancel, &under_way)).await;
            under_way.notify_one();
            done
        };
        let ((applied, journal), recorded) = futures::future::join(work, begin).await;
        self.unrecorded = recorded.err();
        let after = self.manager.state().serial;
        let end = async {
            if changes || after != serial {
                record.end(self.stack, &applied.report, applied.unsaved.is_some(), after);
                self.keep(&record).await;
            }
        };
        let close = async {
            if let Some(journal) = &journal {
                journal.close().await;
            }
        };
        futures::future::join(end, close).await;
        applied
    }

    /// Gives the journal too, if it is needed no longer.
    async fn carry_out(
        &mut self,
        plan: Plan,
        events: &dyn Events,
        cancel: &Cancel,
        under_way: &Notify,
    ) -> (Applied, Option<OpenJournal>) {
        // The journal speaks of the addresses that the stored state has.
        let moved = plan.changes.iter().any(|c| c.previous_address.is_some());
        if let Err(problem) = self.settle(&plan, moved).await {
            return (Applied { report: ApplyReport::refused(plan, problem.into()), unsaved: None }, None);
        }
        let plan = Plan { stored_serial: self.state().serial, ..plan };
        let world = &self.stack.lakeform.world;
        let mut environment = self.stack.environment.clone();
        environment.now = world.now();
        let journal = self.backend.journal.clone().map(|journal| self.begin(journal));
        let keeper = Keeper::new(
            &mut self.manager,
            world.cwd.join(RESCUE),
            named(self.stack),
            self.backend.cipher.clone(),
            journal,
            under_way,
        );
        let report = lakeform_engine::apply(ApplyInput {
            plan,
            stack: &self.stack.stack,
            providers: &self.stack.lakeform.providers,
            environment,
            events,
            cancel,
            lease: self.lease.clone(),
            save: &keeper,
            on_error: self.stack.options.on_error,
        })
        .await;
        let (unsaved, journal) = keeper.finish(&report);
        (Applied { report, unsaved }, journal)
    }

    /// The journal of a run that begins now.
    fn begin(&self, journal: Arc<dyn Journal>) -> OpenJournal {
        let world = &self.stack.lakeform.world;
        let now = world.now();
        let info = RunInfo {
            who: world.who.clone(),
            created: now.map(|now| now.to_string()).unwrap_or_default(),
            lineage: self.state().lineage.clone(),
        };
        let millis = now.map(jiff::Timestamp::as_millisecond).unwrap_or_default();
        OpenJournal::new(
            journal,
            format!("{millis:013}-{}", lakeform_state::new_deposed_key()),
            info,
            world.clock.clone(),
        )
    }

    /// Writes the state that a plan begins with, in which what an earlier run left open is resolved, and takes that run's
    /// journal away. Does nothing where nothing was left, unless it must.
    ///
    /// # Errors
    /// When the state cannot be written; the journal then stays.
    pub(crate) async fn settle(&mut self, plan: &Plan, must: bool) -> Result<(), Diagnostic> {
        if !must && self.recovery.is_empty() {
            return Ok(());
        }
        let failed = |cause: &dyn std::fmt::Display| {
            Diagnostic::error("What an earlier run left open could not be written to the state")
                .detail(cause.to_string())
                .help("nothing was changed: run it again")
        };
        persist(&mut self.manager, &plan.prior_state).await.map_err(|e| failed(&e))?;
        if let Some(journal) = &self.backend.journal {
            clear(&**journal, &self.recovery).await.map_err(|e| failed(&e))?;
        }
        self.recovery = Recovery::read(self.state().clone(), vec![]);
        Ok(())
    }

    /// Saves the state that a plan begins with, if it was resolved from the journal of an earlier run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub async fn take_in(&mut self, plan: &Plan) -> Result<(), Error> {
        Ok(self.settle(plan, false).await?)
    }

    /// Writes into the journal that nothing is to be looked for any more.
    ///
    /// # Errors
    /// When nothing is left open about one of the instances, or the journal cannot be written.
    pub(crate) async fn drop_intents(&self, addresses: &[InstanceAddress]) -> Result<(), Error> {
        let mut problems = Diagnostics::new();
        let mut entries = vec![];
        for address in addresses {
            match self.recovery.open.get(address) {
                Some(Open::Created(intent) | Open::Updated(intent) | Open::Deleted(intent)) => {
                    let (op, serial) = (intent.op, self.state().serial);
                    let outcome = Outcome { op, serial, address: address.clone(), edits: vec![], error: None };
                    entries.push(Entry::Outcome(Outcome { error: Some("settled by hand".to_owned()), ..outcome }));
                }
                _ => problems.push(
                    Diagnostic::error("Nothing is left open about it")
                        .address(address)
                        .help("`lakeform journal` shows what is"),
                ),
            }
        }
        if problems.has_errors() {
            return Err(problems.into());
        }
        if let (Some(journal), Some((run, seq))) = (&self.backend.journal, self.recovery.pages.iter().next_back()) {
            journal.append(&Page { run: run.clone(), seq: seq + 1, at: 0, entries }).await?;
        }
        Ok(())
    }

    /// Puts a state in place of the stored one, which it must follow unless that is forced: serial and lineage included, but
    /// for a serial that fencing used up.
    pub(crate) async fn push(&mut self, state: &State, force: bool) -> Result<(), Error> {
        let fence = u64::from(self.fenced);
        let stored = self.state();
        let before = State { serial: stored.serial - fence, ..stored.clone() };
        if self.exists() && !force {
            follows(state, &before).map_err(Error::Push)?;
        }
        let serial = if fence > 0 { state.serial.max(stored.serial + 1) } else { state.serial };
        let before = stored.clone();
        self.manager.write(State { serial, ..state.clone() }).await.map_err(|e| match e {
            PersistError::Store(e) => Error::Store(e),
            cause => Error::Save { cause, rescued: None },
        })?;
        self.record_edit(&before, state).await;
        Ok(())
    }

    /// Saves a state in place of the stored one, if it differs. Whether it did.
    ///
    /// # Errors
    /// [`Error::Save`]: the state is in the file that the error names. Before what an earlier run left open is resolved.
    pub async fn save(&mut self, state: &State) -> Result<bool, Error> {
        if !self.recovery.is_empty() {
            return Err(Diagnostic::error("An earlier run was cut off, and what it left open is not resolved")
                .detail("the state does not say yet what that run had done")
                .help(format!(
                    "run `lakeform apply {0}` (or `lakeform apply --refresh-only {0}`) first",
                    named(self.stack)
                ))
                .into());
        }
        let before = self.manager.state().clone();
        let rescue = self.stack.lakeform.world.cwd.join(RESCUE);
        match persist(&mut self.manager, state).await {
            Ok(serial) if serial != before.serial => {
                let after = self.manager.state().clone();
                self.record_edit(&before, &after).await;
                Ok(true)
            }
            Ok(_) => Ok(false),
            Err(cause) => {
                let unsaved = write_rescue(&self.manager, self.backend.cipher.as_deref(), state, &rescue).await;
                Err(Error::Save { cause, rescued: unsaved.file })
            }
        }
    }
}

/// A stack as a command would name it.
pub(crate) fn named(stack: &LoadedStack) -> String {
    let (path, cwd) = (&stack.stack.path, &stack.lakeform.world.cwd);
    path.strip_prefix(cwd).unwrap_or(path).display().to_string()
}
