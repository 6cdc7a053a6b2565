//! Records of runs: who changed what, when, and how it ended.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, Severity};
use lakeform_engine::{ApplyReport, Plan, PlanMode};
use lakeform_state::{OperationError, RunLog, State};
use serde::{Deserialize, Serialize};

use crate::{Error, LoadedStack, Override};

/// How many records are read at once.
const AT_ONCE: usize = 16;

/// The record of a run. No value of any attribute is in it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRecord {
    /// Tells it from others: 8 hex digits.
    pub id: String,
    /// `apply`, `destroy`, `import`, `state mv`, ...
    pub command: String,
    /// How it ended.
    pub outcome: RunOutcome,
    /// `user@host`
    pub who: String,
    /// When it began, RFC 3339.
    pub begun: String,
    /// When it ended, RFC 3339; `None` while it goes on, or where it was cut off.
    pub ended: Option<String>,
    /// The stack as it was named.
    pub stack: String,
    /// The version of lakeform.
    pub lakeform: String,
    /// The ID of the lock that it held.
    pub lock: Option<String>,
    /// What was planned, or what a command did to the state.
    pub changes: Vec<RunChange>,
    /// How many objects were to be added, changed and destroyed.
    pub planned: Counts,
    /// How many were.
    pub done: Counts,
    /// What the stack's guard refused and was done nevertheless.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overridden: Option<Override>,
    /// What was undone after something had failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<Undone>,
    /// What went wrong, a line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<String>,
    /// The serial of the state before the run.
    pub serial_before: u64,
    /// The serial of the state after it.
    pub serial_after: Option<u64>,
}

/// One object of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunChange {
    /// The instance.
    pub address: String,
    /// The key of the deposed object that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposed: Option<String>,
    /// What was to be done, in the words of plan JSON; of the state's own commands `added`, `removed` or `changed`.
    pub actions: Vec<String>,
}

/// What a rollback did, by the addresses of instances.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undone {
    /// They are as they were before the run.
    pub undone: Vec<String>,
    /// They are not.
    pub left: Vec<String>,
}

/// Numbers of objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Created, replacements included.
    pub added: usize,
    /// Changed in place.
    pub changed: usize,
    /// Deleted, replacements included.
    pub destroyed: usize,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunOutcome {
    /// It goes on, as far as is known.
    #[default]
    Running,
    /// Everything was done.
    Applied,
    /// Something went wrong.
    Failed,
    /// It was told to stop.
    Interrupted,
    /// It never said how it ended, and no longer has the lock: it was killed.
    CutOff,
}

impl RunOutcome {
    /// The word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Applied => "applied",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::CutOff => "cut off",
        }
    }
}

/// What a run does, while it has the state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doing {
    /// The word in the lock's record.
    pub(crate) operation: String,
    pub(crate) lock: Option<String>,
    pub(crate) begun: Option<jiff::Timestamp>,
}

impl Doing {
    /// The command, as a user writes it.
    fn command(&self, mode: Option<PlanMode>) -> String {
        match (self.operation.as_str(), mode) {
            (_, Some(PlanMode::Destroy)) => "destroy".to_owned(),
            (_, Some(PlanMode::RefreshOnly)) => "apply --refresh-only".to_owned(),
            ("OperationTypeApply", _) => "apply".to_owned(),
            ("OperationTypeImport", _) => "import".to_owned(),
            ("StatePush", _) => "state push".to_owned(),
            (other, _) => other.replacen('-', " ", 1),
        }
    }
}

impl RunRecord {
    fn begin(stack: &LoadedStack, doing: &Doing, mode: Option<PlanMode>, serial: u64) -> Self {
        let mut id = uuid::Uuid::new_v4().simple().to_string();
        id.truncate(8);
        let (path, cwd) = (&stack.stack.path, &stack.lakeform.world.cwd);
        Self {
            id,
            command: doing.command(mode),
            who: stack.lakeform.world.who.clone(),
            begun: doing.begun.map(|t| t.to_string()).unwrap_or_default(),
            stack: path.strip_prefix(cwd).unwrap_or(path).display().to_string(),
            lakeform: crate::VERSION.to_owned(),
            lock: doing.lock.clone(),
            serial_before: serial,
            ..Self::default()
        }
    }

    /// The record of a plan that is about to be carried out.
    pub(crate) fn of_plan(
        stack: &LoadedStack,
        doing: &Doing,
        plan: &Plan,
        overridden: Option<Override>,
        serial: u64,
    ) -> Self {
        let (added, changed, destroyed) = plan.counts();
        let worth = plan
            .changes
            .iter()
            .filter(|c| c.action.is_change() || c.importing.is_some() || c.previous_address.is_some());
        let changes = worth.map(|c| RunChange {
            address: c.address.to_string(),
            deposed: c.deposed.clone(),
            actions: c.action.names().iter().map(|name| (*name).to_owned()).collect(),
        });
        Self {
            changes: changes.collect(),
            planned: Counts { added, changed, destroyed },
            overridden,
            ..Self::begin(stack, doing, Some(plan.options.mode), serial)
        }
    }

    /// The record of a change to the state alone, which is done.
    pub(crate) fn of_edit(stack: &LoadedStack, doing: &Doing, before: &State, after: &State) -> Self {
        let addresses: BTreeSet<_> = before.iter().chain(after.iter()).map(|(address, _)| address).collect();
        let changes = addresses.into_iter().filter_map(|address| {
            let word = match (before.get(&address), after.get(&address)) {
                (None, _) => "added",
                (_, None) => "removed",
                (old, new) if old != new => "changed",
                _ => return None,
            };
            Some(RunChange { address: address.to_string(), deposed: None, actions: vec![word.to_owned()] })
        });
        Self {
            changes: changes.collect(),
            outcome: RunOutcome::Applied,
            ended: stack.lakeform.world.now().map(|t| t.to_string()),
            serial_after: Some(after.serial),
            ..Self::begin(stack, doing, None, before.serial)
        }
    }

    /// How it ended.
    pub(crate) fn end(&mut self, stack: &LoadedStack, report: &ApplyReport, unsaved: bool, serial: u64) {
        let failed = report.diagnostics.has_errors() || unsaved;
        self.outcome = match (report.interrupted, failed) {
            (true, _) => RunOutcome::Interrupted,
            (_, true) => RunOutcome::Failed,
            _ => RunOutcome::Applied,
        };
        self.done = Counts { added: report.added, changed: report.changed, destroyed: report.destroyed };
        let names = |all: &[InstanceAddress]| all.iter().map(ToString::to_string).collect();
        self.rolled_back =
            report.rolled_back.as_ref().map(|r| Undone { undone: names(&r.undone), left: names(&r.left) });
        self.errors = summaries(&report.diagnostics);
        self.ended = stack.lakeform.world.now().map(|t| t.to_string());
        self.serial_after = Some(serial);
    }

    /// The name in the log: by time, so that it sorts.
    fn name(&self) -> String {
        let time: String = self.begun.parse::<jiff::Timestamp>().map_or_else(
            |_| "00000000T000000.000Z".to_owned(),
            |begun| begun.strftime("%Y%m%dT%H%M%S.%3fZ").to_string(),
        );
        format!("{time}-{}.json", self.id)
    }

    /// Writes it, if there is a place for it.
    pub(crate) async fn write(&self, log: Option<&dyn RunLog>) -> Result<(), OperationError> {
        let Some(log) = log else { return Ok(()) };
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        log.put(&self.name(), bytes).await
    }
}

/// Errors in a line each: what and where, without the story, which may show values.
fn summaries(diagnostics: &Diagnostics) -> Vec<String> {
    let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error);
    let line = |d: &Diagnostic| match &d.address {
        Some(address) if !d.summary.contains(&**address) => format!("{address}: {}", d.summary),
        _ => d.summary.clone(),
    };
    errors.map(line).collect()
}

impl LoadedStack {
    /// The last runs that changed something, newest first.
    ///
    /// # Errors
    /// When the records cannot be read.
    pub async fn history(&self, limit: usize) -> Result<Vec<RunRecord>, Error> {
        let Some(log) = self.backend().await?.runs.clone() else { return Ok(Vec::new()) };
        let names = log.list().await?;
        let last: Vec<String> = names.into_iter().rev().take(limit).collect();
        self.records(&*log, last).await
    }

    /// One run by its ID, or by the beginning of it.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub async fn run(&self, id: &str) -> Result<Option<RunRecord>, Error> {
        let Some(log) = self.backend().await?.runs.clone() else { return Ok(None) };
        let own = |name: &&String| name.rsplit('-').next().is_some_and(|own| own.starts_with(id));
        let name = log.list().await?.iter().rev().find(own).cloned();
        Ok(self.records(&*log, name.into_iter().collect()).await?.pop())
    }

    async fn records(&self, log: &dyn RunLog, names: Vec<String>) -> Result<Vec<RunRecord>, Error> {
        let read = async |name: String| {
            let Some(bytes) = log.get(&name).await? else { return Ok(None) };
            match serde_json::from_slice(&bytes) {
                Ok(record) => Ok::<Option<RunRecord>, Error>(Some(record)),
                Err(e) => Err(Diagnostic::error(format!("The record {name} cannot be read"))
                    .detail(e.to_string())
                    .help("it may be of another version of lakeform; delete it if it is broken")
                    .into()),
            }
        };
        let found: Vec<Option<RunRecord>> = stream::iter(names).map(read).buffered(AT_ONCE).try_collect().await?;
        let mut found: Vec<RunRecord> = found.into_iter().flatten().collect();
        let open = |r: &RunRecord| r.outcome == RunOutcome::Running && r.lock.is_some();
        // Who may not ask who has the lock cannot tell a run that goes on from one that was killed.
        if found.iter().any(open)
            && let Some(lock) = &self.backend().await?.lock
            && let Ok(holder) = lock.holder().await
        {
            let holder = holder.map(|holder| holder.id);
            let gone = found.iter_mut().filter(|r| open(r) && r.lock != holder);
            gone.for_each(|r| r.outcome = RunOutcome::CutOff);
        }
        Ok(found)
    }
}
