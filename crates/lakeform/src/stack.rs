//! A loaded stack and everything that can be done with it.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, Value};
use lakeform_engine::{Cancel, Events, OnError, Plan, PlanInput, PlanOptions, Providers};
use lakeform_lang::{Environment, Stack};
use lakeform_state::{Acquired, LockInfo, OutputState, State, StoreError, TERRAFORM_VERSION, journal::Recovery};
use lakeform_state_s3::Bootstrapped;

use crate::{
    Applied, Backend, DriftReport, Error, Lakeform, LoadOptions, LockNotice, PinnedModule, Session, VariableSource,
    history::Doing,
};

/// For how many seconds after a run was cut off a call of it may be on its way still, or its effect not be seen everywhere.
const RECENT: i64 = 60;

/// A loaded stack.
#[derive(Debug)]
pub struct LoadedStack {
    pub(crate) lakeform: Lakeform,
    pub(crate) stack: Arc<Stack>,
    pub(crate) environment: Environment,
    pub(crate) variables: BTreeMap<Arc<str>, Value>,
    pub(crate) warnings: Diagnostics,
    pub(crate) options: LoadOptions,
    pub(crate) modules: Vec<PinnedModule>,
    pub(crate) backend: tokio::sync::OnceCell<Backend>,
}

impl LoadedStack {
    /// What the documents say.
    pub fn stack(&self) -> &Stack {
        &self.stack
    }

    /// The providers and their resource types.
    pub fn providers(&self) -> &Providers {
        &self.lakeform.providers
    }

    /// Warnings of loading.
    pub fn warnings(&self) -> &Diagnostics {
        &self.warnings
    }

    /// The modules from git, and the commits in use.
    pub fn modules(&self) -> &[PinnedModule] {
        &self.modules
    }

    /// The variables that have neither a value nor a default.
    pub fn missing_variables(&self) -> Vec<(Arc<str>, Option<Arc<str>>)> {
        let missing = self
            .stack
            .root
            .variables
            .iter()
            .filter(|(name, v)| v.default.is_none() && !self.variables.contains_key(*name));
        missing.map(|(name, v)| (name.clone(), v.description.clone())).collect()
    }

    /// Gives one more value for a variable.
    ///
    /// # Errors
    /// When it cannot be read, or there is no such variable.
    pub fn set_variable(&mut self, source: VariableSource) -> Result<(), Error> {
        self.options.variables.push(source);
        let mut warnings = Diagnostics::new();
        self.variables = crate::variables::collect(
            &self.stack,
            &self.lakeform.world,
            &self.options.variables,
            &self.environment,
            &mut warnings,
        )?;
        Ok(())
    }

    /// Every problem that can be found without a call, warnings of loading included.
    pub fn validate(&self) -> Diagnostics {
        let mut out = self.warnings.clone();
        out.extend(lakeform_lang::validate(&self.stack, &self.lakeform.providers));
        out
    }

    /// Where the state is kept and how it is locked.
    ///
    /// # Errors
    /// When the stack's `[backend]` cannot be used.
    pub async fn backend(&self) -> Result<&Backend, Error> {
        self.backend.get_or_try_init(|| Box::pin(crate::backend::open(self))).await
    }

    /// Keeps the state in another place than the stack says (for tests and tools).
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = tokio::sync::OnceCell::new_with(Some(backend));
        self
    }

    /// The stored state; `None` where none was ever stored.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn state(&self) -> Result<Option<State>, Error> {
        Ok(self.backend().await?.store.read().await?.map(|snapshot| snapshot.state))
    }

    /// Outputs of the root module as the last apply stored them.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub async fn outputs(&self) -> Result<BTreeMap<String, OutputState>, Error> {
        Ok(self.state().await?.map(|state| state.outputs).unwrap_or_default())
    }

    /// Makes a plan: reads the state and live objects, compares them with the stack, and decides. Needs no lock and
    /// changes nothing.
    ///
    /// # Errors
    /// Every problem of the stack and of live objects.
    pub async fn plan(&self, options: PlanOptions, events: &dyn Events, cancel: &Cancel) -> Result<Plan, Error> {
        self.refuse_invalid()?;
        let recovery = self.recovery().await?;
        let mut plan = self.plan_from(&recovery, options, events, cancel).await?;
        if let Some(holder) = &recovery.at_work {
            plan.diagnostics.push(
                Diagnostic::warning("Another run is at work on this state")
                    .detail(format!("{holder}; what it has in flight is planned as if it had not begun"))
                    .help("plan again once it is done"),
            );
        }
        Ok(plan)
    }

    /// Stops before any call where the stack is wrong.
    fn refuse_invalid(&self) -> Result<(), Error> {
        let problems = lakeform_lang::validate(&self.stack, &self.lakeform.providers);
        if problems.has_errors() { Err(Error::Stack(problems)) } else { Ok(()) }
    }

    pub(crate) async fn plan_from(
        &self,
        recovery: &Recovery,
        options: PlanOptions,
        events: &dyn Events,
        cancel: &Cancel,
    ) -> Result<Plan, Error> {
        let plan = lakeform_engine::plan(PlanInput {
            stack: &self.stack,
            providers: &self.lakeform.providers,
            variables: self.variables.clone(),
            state: recovery.state.clone(),
            open: recovery.open.clone(),
            recovered: if recovery.at_work.is_some() { vec![] } else { recovery.done.clone() },
            recent: self.lakeform.world.now().is_none_or(|now| now.as_second() - recovery.last < RECENT),
            options,
            environment: self.environment.clone(),
            events,
            cancel,
        });
        let plan = Box::pin(plan).await?;
        Ok(Plan { journal: recovery.mark(), created: recovery.created.clone(), ..plan })
    }

    /// Finds what differs between live objects, the state and the stack. Needs no lock and changes nothing.
    ///
    /// # Errors
    /// As [`LoadedStack::plan`].
    pub async fn drift(
        &self,
        options: PlanOptions,
        events: &dyn Events,
        cancel: &Cancel,
    ) -> Result<DriftReport, Error> {
        Ok(DriftReport { plan: self.plan(options, events, cancel).await? })
    }

    /// Carries out a plan under the lock, if the state is still the one that it was made from.
    ///
    /// # Errors
    /// When the lock cannot be taken, or the state has moved on. What goes wrong with single objects is in the report.
    pub async fn apply(&self, plan: Plan, events: &dyn Events, cancel: &Cancel) -> Result<Applied, Error> {
        self.locked("OperationTypeApply", cancel, &|_| {}, async |session: &mut Session<'_>| {
            let stored = session.state();
            let same_lineage = stored.lineage == plan.prior_state.lineage || !session.exists();
            let moved = stored.serial != plan.stored_serial || session.recovery().mark() != plan.journal;
            if moved || !same_lineage {
                return Err(Diagnostic::error("Saved plan is stale")
                    .detail("the state was changed by another operation after the plan was made")
                    .help("plan again, then apply that plan")
                    .into());
            }
            let plan = session.adopt(plan);
            Ok(session.apply(plan, events, cancel).await)
        })
        .await
    }

    /// What an apply does once one of its operations has failed. A rollback is only of a plan that brings the cloud to what the
    /// stack says.
    pub fn on_error(&mut self, on_error: OnError) {
        self.options.on_error = on_error;
    }

    /// Warns of what a rollback of a plan could not undo.
    pub fn beyond_rollback(&self, plan: &Plan) -> Diagnostics {
        lakeform_engine::beyond_rollback(plan, &self.stack, &self.lakeform.providers)
    }

    /// Deletes everything, under the lock.
    ///
    /// # Errors
    /// As [`LoadedStack::plan`] and [`LoadedStack::apply`].
    pub async fn destroy(&self, options: PlanOptions, events: &dyn Events, cancel: &Cancel) -> Result<Applied, Error> {
        let options = PlanOptions { mode: lakeform_engine::PlanMode::Destroy, ..options };
        self.refuse_invalid()?;
        self.locked("OperationTypeApply", cancel, &|_| {}, async |session| {
            let plan = session.plan(options, events, cancel).await?;
            Ok(session.apply(plan, events, cancel).await)
        })
        .await
    }

    /// Works on the state under the lock, which is given back whatever happens. `operation` is Terraform's word for the
    /// lock record: `OperationTypeApply`.
    ///
    /// # Errors
    /// What `work` fails with, and whatever goes wrong with lock and state.
    pub async fn locked<T, E: From<Error>>(
        &self,
        operation: &str,
        cancel: &Cancel,
        notice: &dyn Fn(LockNotice<'_>),
        work: impl AsyncFnOnce(&mut Session<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let backend = self.backend().await?;
        self.locked_bare(operation, cancel, notice, async |acquired, lock| {
            // Before anything is changed: what is done must be storable.
            if let Some(cipher) = &backend.cipher {
                cipher.prepare().await.map_err(Error::from)?;
            }
            let doing = Doing { operation: operation.to_owned(), lock, begun: self.lakeform.world.now() };
            let mut session = Session::open(self, acquired).await?.doing(doing);
            let done = work(&mut session).await;
            session.unrecorded().iter().for_each(|e| notice(LockNotice::NotRecorded(e)));
            done
        })
        .await
    }

    /// The same without reading state and journal. `work` is told the ID of the lock.
    async fn locked_bare<T, E: From<Error>>(
        &self,
        operation: &str,
        cancel: &Cancel,
        notice: &dyn Fn(LockNotice<'_>),
        work: impl AsyncFnOnce(&Acquired, Option<String>) -> Result<T, E>,
    ) -> Result<T, E> {
        let backend = self.backend().await?;
        match backend.lock.as_ref().filter(|_| !self.options.no_lock) {
            None => Box::pin(work(&Acquired::default(), None)).await,
            Some(lock) => {
                let world = &self.lakeform.world;
                let created = world.now().map(|now| now.to_string()).unwrap_or_default();
                let info = LockInfo::new(operation, &world.who, TERRAFORM_VERSION, created);
                let id = info.id.clone();
                let work = async |acquired: &Acquired| work(acquired, Some(id)).await;
                let timeout = self.options.lock_timeout;
                Box::pin(crate::lock::under(lock, &info, timeout, notice, cancel, work)).await
            }
        }
    }

    /// The stored state with what a run that was cut off, or is at work, adds to it; nothing is looked up.
    ///
    /// # Errors
    /// When state or journal cannot be read.
    pub async fn recovery(&self) -> Result<Recovery, Error> {
        self.backend().await?.look(self.lakeform.world.now()).await
    }

    /// Settles what a run that was cut off left open about instances, once someone has looked: it is not looked for any more.
    ///
    /// # Errors
    /// When nothing is left open about one of them, and whatever goes wrong with lock and journal.
    pub async fn drop_intents(&self, addresses: &[InstanceAddress], cancel: &Cancel) -> Result<(), Error> {
        self.locked("OperationTypeJournal", cancel, &|_| {}, async |session: &mut Session<'_>| {
            session.drop_intents(addresses).await
        })
        .await
    }

    /// Takes the journal away: what it says and the state does not is lost.
    ///
    /// # Errors
    /// Whatever goes wrong with lock and journal.
    pub async fn drop_journal(&self, cancel: &Cancel) -> Result<(), Error> {
        let backend = self.backend().await?;
        let Some(journal) = &backend.journal else { return Ok(()) };
        // The state may be another one than the journal's: that may be why.
        self.locked_bare("OperationTypeJournal", cancel, &|_| {}, async |_, _| {
            let pages = journal.read().await?;
            let all = Recovery::read(State::new(""), pages);
            Ok(crate::keeper::clear(&**journal, &all).await?)
        })
        .await
    }

    /// Reads a state file that someone hands in, such as a rescued one: encrypted as the stack's backend does it, or in clear.
    ///
    /// # Errors
    /// When it cannot be decrypted, or is no state.
    pub async fn read_state_file(&self, bytes: Vec<u8>) -> Result<State, Error> {
        let bytes = match &self.backend().await?.cipher {
            Some(cipher) => cipher.open_state(bytes).await?,
            None => bytes,
        };
        State::parse(bytes).map_err(|source| StoreError::Format { place: "the state file".to_owned(), source }.into())
    }

    /// Puts a whole state in place of the stored one, lineage and serial included. Unless forced, it must be of the same
    /// lineage and newer.
    ///
    /// # Errors
    /// [`Error::Push`] when it does not follow the stored state, and whatever goes wrong with the store.
    pub async fn push_state(&self, state: &State, force: bool, cancel: &Cancel) -> Result<(), Error> {
        self.locked("StatePush", cancel, &|_| {}, async |session: &mut Session<'_>| session.push(state, force).await)
            .await
    }

    /// Creates what is absent of the backend itself.
    ///
    /// # Errors
    /// When a call fails.
    pub async fn bootstrap(&self) -> Result<Bootstrapped, Error> {
        self.backend().await?.bootstrap().await
    }
}

/// Whether a state may take the place of another, by Terraform's rules.
pub(crate) fn follows(new: &State, stored: &State) -> Result<(), String> {
    if stored.is_empty() && stored.serial == 0 {
        return Ok(());
    }
    if new.lineage != stored.lineage {
        return Err(format!(
            "cannot import state with lineage {:?} over unrelated state with lineage {:?}",
            new.lineage, stored.lineage
        ));
    }
    if new.serial < stored.serial {
        return Err(format!(
            "cannot import state with serial {} over newer state with serial {}",
            new.serial, stored.serial
        ));
    }
    if new.serial == stored.serial && !new.content_equals(stored) {
        return Err(format!("cannot overwrite existing state with serial {} with a different state", new.serial));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(lineage: &str, serial: u64, output: &str) -> State {
        let mut state = State { serial, ..State::new(lineage) };
        state.outputs.insert("x".into(), OutputState { value: output.into(), sensitive: false });
        state
    }

    #[test]
    fn s02_a_pushed_state_must_follow_the_stored_one() {
        let stored = state("a", 5, "old");
        assert_eq!(follows(&state("a", 6, "new"), &stored), Ok(()));
        assert_eq!(follows(&state("a", 5, "old"), &stored), Ok(()));
        assert!(follows(&state("a", 5, "new"), &stored).unwrap_err().contains("different state"));
        assert!(follows(&state("a", 4, "new"), &stored).unwrap_err().contains("newer state"));
        assert!(follows(&state("b", 6, "new"), &stored).unwrap_err().contains("unrelated"));
        assert_eq!(follows(&state("b", 1, "new"), &State::new("a")), Ok(()));
    }
}
