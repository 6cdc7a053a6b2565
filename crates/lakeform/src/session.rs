//! Work on a state: reading it, saving its successors, and what becomes of one that cannot be saved.

use std::{path::PathBuf, time::Duration};

use lakeform_core::Diagnostic;
use lakeform_engine::{ApplyInput, ApplyReport, Cancel, Events, Plan, PlanOptions, Save};
use lakeform_provider::BoxFuture;
use lakeform_state::{OperationError, PersistError, State, StateManager, StoreError};
use tokio::sync::Mutex;

use crate::{Error, LoadedStack, RunRecord, history::Doing};

/// How often a save that failed for a passing reason is tried again, and after how long.
const PAUSES: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];

/// A file for a state that could not be saved, in the working directory.
const RESCUE: &str = "errored.tfstate";

/// The state while someone works on it: made by [`LoadedStack::locked`].
#[derive(Debug)]
pub struct Session<'a> {
    stack: &'a LoadedStack,
    manager: StateManager,
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
    /// The state file's content.
    pub content: Vec<u8>,
}

impl<'a> Session<'a> {
    pub(crate) async fn open(stack: &'a LoadedStack) -> Result<Self, Error> {
        let backend = stack.backend().await?;
        let mut manager = StateManager::open(backend.store.clone()).await?;
        manager.declare(stack.stack.blocks());
        Ok(Self { stack, manager, doing: Doing::default(), unrecorded: None })
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
        self.stack.plan_from(self.state().clone(), options, events, cancel).await
    }

    /// The stack as a command would name it.
    fn named(&self) -> String {
        let (path, cwd) = (&self.stack.stack.path, &self.stack.lakeform.world.cwd);
        path.strip_prefix(cwd).unwrap_or(path).display().to_string()
    }

    /// Carries out a plan that was made from the stored state, and keeps the state after operations. A plan that the stack's
    /// guard refuses is not begun.
    pub async fn apply(&mut self, mut plan: Plan, events: &dyn Events, cancel: &Cancel) -> Applied {
        let overridden = match self.stack.guarded(&mut plan) {
            Ok(overridden) => overridden,
            Err(refusals) => return Applied { report: ApplyReport::refused(plan, refusals), unsaved: None },
        };
        let (serial, changes) = (self.manager.state().serial, plan.has_changes());
        let mut record = RunRecord::of_plan(self.stack, &self.doing, &plan, overridden, serial);
        let begun = record.clone();
        let stack = self.stack;
        // Beside the work, so that it does not wait. A run that is killed leaves this behind.
        let begin = async {
            let log = stack.backend().await.ok().and_then(|backend| backend.runs.as_deref());
            if changes { begun.write(log).await } else { Ok(()) }
        };
        let (applied, recorded) = futures::future::join(self.carry_out(plan, events, cancel), begin).await;
        self.unrecorded = recorded.err();
        let after = self.manager.state().serial;
        if changes || after != serial {
            record.end(self.stack, &applied.report, applied.unsaved.is_some(), after);
            self.keep(&record).await;
        }
        applied
    }

    async fn carry_out(&mut self, plan: Plan, events: &dyn Events, cancel: &Cancel) -> Applied {
        let mut environment = self.stack.environment.clone();
        environment.now = self.stack.lakeform.world.now();
        let keeper = Keeper {
            rescue: self.stack.lakeform.world.cwd.join(RESCUE),
            stack: self.named(),
            inner: Mutex::new((&mut self.manager, None)),
        };
        let report = lakeform_engine::apply(ApplyInput {
            plan,
            stack: &self.stack.stack,
            providers: &self.stack.lakeform.providers,
            environment,
            events,
            cancel,
            save: &keeper,
        })
        .await;
        let (_, unsaved) = keeper.inner.into_inner();
        Applied { report, unsaved }
    }

    /// Saves a state in place of the stored one, if it differs. Whether it did.
    ///
    /// # Errors
    /// [`Error::Save`]: the state is in the file that the error names.
    pub async fn save(&mut self, state: &State) -> Result<bool, Error> {
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
                let unsaved = write_rescue(&self.manager, state, &rescue);
                Err(Error::Save { cause, rescued: unsaved.file })
            }
        }
    }
}

/// Saves, trying again where the failure may pass. Gives the serial.
async fn persist(manager: &mut StateManager, state: &State) -> Result<u64, PersistError> {
    let mut pauses = PAUSES.iter();
    loop {
        match manager.persist(state).await {
            Ok(_) => return Ok(manager.state().serial),
            Err(PersistError::Store(StoreError::Operation(e))) if e.transient => match pauses.next() {
                Some(pause) => tokio::time::sleep(*pause).await,
                None => return Err(PersistError::Store(StoreError::Operation(e))),
            },
            Err(e) => return Err(e),
        }
    }
}

fn write_rescue(manager: &StateManager, state: &State, file: &std::path::Path) -> Unsaved {
    let content = manager.next(state).unwrap_or_else(|| state.clone()).to_bytes();
    let written = std::fs::write(file, &content).is_ok();
    Unsaved { file: written.then(|| file.to_owned()), content }
}

/// Saves for the engine, and keeps what cannot be saved.
struct Keeper<'m> {
    rescue: PathBuf,
    /// As a command would name it.
    stack: String,
    inner: Mutex<(&'m mut StateManager, Option<Unsaved>)>,
}

impl Save for Keeper<'_> {
    fn save<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, Diagnostic>> {
        Box::pin(async move {
            let mut inner = self.inner.lock().await;
            let (manager, unsaved) = &mut *inner;
            match persist(manager, state).await {
                Ok(serial) => {
                    if let Some(Unsaved { file: Some(file), .. }) = unsaved.take() {
                        // A later save took it in: what was rescued is out of date.
                        let _ = std::fs::remove_file(file);
                    }
                    Ok(serial)
                }
                Err(cause) => {
                    *unsaved = Some(write_rescue(manager, state, &self.rescue));
                    Err(not_saved(&cause, unsaved.as_ref().and_then(|u| u.file.as_ref()), &self.stack))
                }
            }
        })
    }
}

/// What to tell of a state that could not be saved, and how to go on.
fn not_saved(cause: &PersistError, file: Option<&PathBuf>, stack: &str) -> Diagnostic {
    let problem = Diagnostic::error("Failed to persist state to backend").detail(cause.to_string());
    match file.map(|file| file.display()) {
        Some(file) => problem.help(format!(
            "the state was written to {file}. Store it with `lakeform state push {stack} {file}` before anything else: \
             applying again without it would fork the state"
        )),
        None => problem.help(format!(
            "{RESCUE} could not be written either, so the state is printed: keep it in a file and store it with \
             `lakeform state push {stack} FILE`"
        )),
    }
}
