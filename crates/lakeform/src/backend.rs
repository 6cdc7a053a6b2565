//! Where the state of a stack is kept and how it is locked.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use jiff::Timestamp;
use lakeform_core::{Diagnostic, Type, Value};
use lakeform_lang::{Environment, StaticScope};
use lakeform_state::{
    Cipher, EncryptedStore, Lease, LocalLock, LocalRuns, LocalStore, LockInfo, PersistError, RunLog, StateLock,
    StateManager, StateStore, StoreError,
    journal::{Entry, Journal, LocalJournal, Page, Recovery},
};
use lakeform_state_s3::{Bootstrapped, Connection, S3Backend};

use crate::{Error, LoadedStack, builder::Clock, encryption, variables};

/// How often a journal is read again that another run still writes.
const ATTEMPTS: usize = 5;

/// The state's store and lock.
#[derive(Clone, Debug)]
pub struct Backend {
    /// The store.
    pub store: Arc<dyn StateStore>,
    /// The lock; `None` where the backend has none.
    pub lock: Option<Arc<dyn StateLock>>,
    /// The journal of what is under way; `None`: the state is written after operations instead.
    pub journal: Option<Arc<dyn Journal>>,
    /// What the store encrypts with, for all else that holds secrets: plan files, rescued states. `None`: nothing is encrypted.
    pub cipher: Option<Arc<Cipher>>,
    /// The records of runs; `None` where none are kept.
    pub runs: Option<Arc<dyn RunLog>>,
    /// The clients of an S3 backend.
    connection: Option<Connection>,
}

impl Backend {
    /// A state in a file, with its lock.
    pub fn local(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let backend = Self::new(Arc::new(LocalStore::new(path)), Some(Arc::new(LocalLock::new(path))));
        let backend = backend.with_journal(Some(Arc::new(LocalJournal::new(path))));
        backend.with_runs(Arc::new(LocalRuns::beside(path)))
    }

    /// A state anywhere.
    pub fn new(store: Arc<dyn StateStore>, lock: Option<Arc<dyn StateLock>>) -> Self {
        Self { store, lock, journal: None, cipher: None, runs: None, connection: None }
    }

    /// The same with another journal, or without one.
    pub fn with_journal(self, journal: Option<Arc<dyn Journal>>) -> Self {
        Self { journal, ..self }
    }

    /// The same after a lock was taken over: the state is written once more, so that nobody can write who read it before.
    ///
    /// # Errors
    /// As [`Backend::open_state`], and when the state cannot be written.
    pub(crate) async fn open_fenced(&self, lease: &Lease) -> Result<(StateManager, Recovery), Error> {
        let mut left = ATTEMPTS;
        let lineage = loop {
            let (manager, recovery) = self.open_state().await?;
            let (serial, lineage) = (manager.state().serial, manager.state().lineage.clone());
            let (Some(journal), Some((run, seq))) = (&self.journal, recovery.pages.iter().next_back()) else {
                break lineage;
            };
            let entries = vec![Entry::Fenced { from: serial, to: serial + 1 }];
            match journal.append(&Page { run: run.clone(), seq: seq + 1, at: 0, entries }).await {
                Ok(()) => break lineage,
                // A page that the other run had sent off came to its place first.
                Err(StoreError::Fenced { .. }) if left > 0 => left -= 1,
                Err(e) => return Err(e.into()),
            }
        };
        StateManager::open_fenced(self.store.clone(), lease.clone(), Some(&lineage)).await.map_err(|e| match e {
            PersistError::Store(e) => Error::Store(e),
            cause => Error::Save { cause, rescued: None },
        })?;
        self.open_state().await
    }

    /// Reads the stored state and what the journal adds to it.
    ///
    /// # Errors
    /// When one of them cannot be read, or the journal is another state's.
    pub(crate) async fn open_state(&self) -> Result<(StateManager, Recovery), Error> {
        let pages = async {
            match &self.journal {
                Some(journal) => journal.read().await,
                None => Ok(vec![]),
            }
        };
        let (manager, pages) = futures::join!(StateManager::open(self.store.clone()), pages);
        let (mut manager, pages) = (manager?, pages?);
        if let Some(lineage) = Recovery::lineage(&pages) {
            manager.begin(lineage);
        }
        let recovery = Recovery::read(manager.state().clone(), pages);
        if let (Some(run), true) = (recovery.runs.last(), manager.exists())
            && run.lineage != manager.state().lineage
        {
            return Err(Diagnostic::error("The journal belongs to another state")
                .detail(format!(
                    "the run of {} at {} was cut off while it worked on the state of lineage {}, and the stored state has \
                     lineage {}",
                    run.who,
                    run.created,
                    run.lineage,
                    manager.state().lineage
                ))
                .help("put that state back, or look at `lakeform journal STACK` and take it away with `--drop-all`")
                .into());
        }
        Ok((manager, recovery))
    }

    /// Reads the same without the lock. What a run has in flight that holds the lock is not taken for left behind.
    ///
    /// # Errors
    /// As [`Backend::open_state`].
    pub(crate) async fn look(&self, now: Option<Timestamp>) -> Result<Recovery, Error> {
        let (_, mut recovery) = self.open_state().await?;
        while !recovery.is_empty() {
            if let Some(holder) = self.at_work(now).await {
                return Ok(recovery.beside(holder));
            }
            // It may have come to its end since, and has taken its journal away then.
            let (_, again) = self.open_state().await?;
            if again.mark() == recovery.mark() {
                break;
            }
            recovery = again;
        }
        Ok(recovery)
    }

    /// Who holds the lock on a lease that has not run out, or without one.
    async fn at_work(&self, now: Option<Timestamp>) -> Option<LockInfo> {
        // Who may not ask for it only looks.
        let holder = self.lock.as_ref()?.holder().await.ok()??;
        let over =
            holder.term.zip(now).is_some_and(|(term, now)| i128::from(term.expires) < i128::from(now.as_second()));
        (!over).then_some(holder)
    }

    /// The same, encrypted.
    pub fn encrypted(self, cipher: Arc<Cipher>) -> Self {
        let store = Arc::new(EncryptedStore::new(self.store, cipher.clone()));
        Self { store, cipher: Some(cipher), ..self }
    }

    /// The same with a place for the records of runs.
    pub fn with_runs(self, runs: Arc<dyn RunLog>) -> Self {
        Self { runs: Some(runs), ..self }
    }

    /// Creates what is absent of an S3 backend: bucket and lock table. A local one needs nothing.
    ///
    /// # Errors
    /// When a call fails, or when what is there cannot serve.
    pub async fn bootstrap(&self) -> Result<Bootstrapped, Error> {
        match &self.connection {
            Some(connection) => Ok(lakeform_state_s3::bootstrap(connection).await?),
            None => Ok(Bootstrapped::default()),
        }
    }
}

/// Makes the backend of a stack. Calls nothing, unless credentials depend on it.
pub(crate) async fn open(stack: &LoadedStack) -> Result<Backend, Error> {
    let world = &stack.lakeform.world;
    let elsewhere = stack.options.state.as_ref().map(|path| Backend::local(world.cwd.join(path)));
    let overrides = overrides(stack)?;
    let Some(declared) = &stack.stack.backend else {
        if let Some(elsewhere) = elsewhere {
            return Ok(elsewhere);
        }
        if let Some(name) = overrides.keys().next() {
            return Err(Diagnostic::error(format!("--backend-config sets `{name}`, but the stack has no [backend]"))
                .help("add [backend.s3] or [backend.local] to the stack")
                .into());
        }
        return Ok(Backend::local(world.cwd.join("state").join(format!("{}.tfstate", stack.stack.name))));
    };
    let scope = StaticScope::new(&stack.stack, &stack.variables, stack.environment.clone());
    let mut settings = declared.body.evaluate_any(&scope)?;
    for (name, value) in overrides {
        settings.set_attr(name, value);
    }
    let place = world.cwd.join("state").join(format!("{}.tfstate", stack.stack.name));
    let clock = world.clock.as_ref();
    let opened = async {
        // A state that is kept elsewhere is as secret as it is in its place.
        match elsewhere {
            Some(elsewhere) if settings.get("encryption").is_none_or(Value::is_null) => Ok(elsewhere),
            Some(elsewhere) => {
                let opened =
                    of_kind(&declared.kind, &settings, &world.cwd, &world.environment, &place, "", clock).await?;
                Ok(opened.cipher.into_iter().fold(elsewhere, Backend::encrypted))
            }
            None => of_kind(&declared.kind, &settings, &world.cwd, &world.environment, &place, "", clock).await,
        }
    };
    Box::pin(opened).await.map_err(|e| match e {
        Error::Stack(mut problems) => {
            for problem in &mut problems.0 {
                problem.span.get_or_insert_with(|| declared.span.clone());
            }
            Error::Stack(problems)
        }
        other => other,
    })
}

/// A backend of a kind with its settings, in a workspace (empty: the default one). A local one starts from `cwd`, and is at
/// `place` where its settings name none. `environment` may hold the passphrase.
pub(crate) async fn of_kind(
    kind: &str,
    settings: &Value,
    cwd: &Path,
    environment: &BTreeMap<String, String>,
    place: &Path,
    workspace: &str,
    clock: Option<&Clock>,
) -> Result<Backend, Error> {
    let (settings, encryption) = encryption::take(settings, environment)?;
    let backend = plain(kind, &settings, cwd, place, workspace, clock).await?;
    Ok(match encryption {
        Some(encryption) => {
            let cipher = encryption.cipher(backend.connection.as_ref()).await?;
            backend.encrypted(Arc::new(cipher))
        }
        None => backend,
    })
}

/// The backend without its encryption.
async fn plain(
    kind: &str,
    settings: &Value,
    cwd: &Path,
    place: &Path,
    workspace: &str,
    clock: Option<&Clock>,
) -> Result<Backend, Error> {
    match kind {
        "local" => {
            let known = ["path", "workspace_dir"];
            let set = settings.as_mapping().into_iter().flatten().filter(|(_, v)| !v.is_null());
            if let Some((name, _)) = set.clone().find(|(name, _)| !known.contains(&&***name)) {
                return Err(Diagnostic::error(format!("Unknown argument `{name}` of the local backend"))
                    .help("its arguments are `path`, `workspace_dir` and `encryption`")
                    .into());
            }
            let text =
                |name: &str| match settings.get(name).filter(|v| !v.is_null()) {
                    None => Ok(None),
                    Some(v) => v.as_str().filter(|p| !p.is_empty()).map(Some).ok_or_else(|| {
                        Diagnostic::error(format!("`{name}` of the local backend must be a file's path"))
                    }),
                };
            let (path, folder) = (text("path")?, text("workspace_dir")?.unwrap_or("terraform.tfstate.d"));
            Ok(Backend::local(match (workspace, path) {
                ("" | "default", Some(path)) => cwd.join(path),
                ("" | "default", None) => place.to_path_buf(),
                _ => cwd.join(folder).join(workspace).join("terraform.tfstate"),
            }))
        }
        "s3" => {
            let backend = S3Backend::from_value(settings)?.for_workspace(workspace);
            let mut connection = Connection::open(backend).await?;
            if let Some(clock) = clock.cloned() {
                connection = connection.with_clock(Arc::new(move || clock().into()));
            }
            let backend = Backend::new(connection.store(), connection.lock());
            let backend = backend.with_journal(Some(connection.journal())).with_runs(connection.runs());
            Ok(Backend { connection: Some(connection), ..backend })
        }
        other => {
            let problem = Diagnostic::error(format!("Unknown backend `{other}`"));
            Err(match variables::nearest(other, ["s3", "local"].into_iter()) {
                Some(near) => problem.help(format!("did you mean `{near}`?")),
                None => problem.help("there are two: `s3` and `local`"),
            }
            .into())
        }
    }
}

/// The settings that `--backend-config` gives: single ones, or whole files of them.
fn overrides(stack: &LoadedStack) -> Result<BTreeMap<Arc<str>, Value>, Error> {
    let mut out = BTreeMap::new();
    for given in &stack.options.backend_config {
        match given.split_once('=') {
            Some((name, text)) => drop(out.insert(name.trim().into(), setting(text, &stack.environment))),
            None => out.extend(file(given, stack)?),
        }
    }
    Ok(out)
}

/// A file of settings: TOML, or the `key = "value"` lines that Terraform takes, which are TOML too.
fn file(given: &str, stack: &LoadedStack) -> Result<Vec<(Arc<str>, Value)>, Error> {
    let path = stack.lakeform.world.cwd.join(given);
    let text = fs::read_to_string(&path).map_err(|source| Error::File { path: given.into(), source })?;
    Ok(variables::hcl_values(given, &text, &stack.environment).or_else(|_| variables::toml_values(given, text))?)
}

/// A setting given as text. Lists and objects (`endpoints`, `assume_role`) are expressions, as in Terraform.
fn setting(text: &str, environment: &Environment) -> Value {
    if text.trim_start().starts_with(['[', '{']) {
        return variables::from_text(text, &Type::map(Type::Dynamic), "--backend-config", environment)
            .unwrap_or_else(|_| Value::string(text));
    }
    Value::string(text)
}
