//! Where the state of a stack is kept and how it is locked.

use std::{collections::BTreeMap, fs, path::Path, sync::Arc};

use lakeform_core::{Diagnostic, Type, Value};
use lakeform_lang::{Environment, StaticScope};
use lakeform_state::{LocalLock, LocalRuns, LocalStore, RunLog, StateLock, StateStore};
use lakeform_state_s3::{Bootstrapped, Connection, S3Backend};

use crate::{Error, LoadedStack, variables};

/// The state's store and lock.
#[derive(Clone, Debug)]
pub struct Backend {
    /// The store.
    pub store: Arc<dyn StateStore>,
    /// The lock; `None` where the backend has none.
    pub lock: Option<Arc<dyn StateLock>>,
    /// The records of runs; `None` where none are kept.
    pub runs: Option<Arc<dyn RunLog>>,
    /// The clients of an S3 backend.
    connection: Option<Connection>,
}

impl Backend {
    /// A state in a file, with its lock.
    pub fn local(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        Self {
            store: Arc::new(LocalStore::new(path)),
            lock: Some(Arc::new(LocalLock::new(path))),
            runs: Some(Arc::new(LocalRuns::beside(path))),
            connection: None,
        }
    }

    /// A state anywhere.
    pub fn new(store: Arc<dyn StateStore>, lock: Option<Arc<dyn StateLock>>) -> Self {
        Self { store, lock, runs: None, connection: None }
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
    if let Some(path) = &stack.options.state {
        return Ok(Backend::local(world.cwd.join(path)));
    }
    let overrides = overrides(stack)?;
    let Some(declared) = &stack.stack.backend else {
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
    of_kind(&declared.kind, &settings, &world.cwd, &place, "").await.map_err(|e| match e {
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
/// `place` where its settings name none.
pub(crate) async fn of_kind(
    kind: &str,
    settings: &Value,
    cwd: &Path,
    place: &Path,
    workspace: &str,
) -> Result<Backend, Error> {
    match kind {
        "local" => {
            let known = ["path", "workspace_dir"];
            let set = settings.as_mapping().into_iter().flatten().filter(|(_, v)| !v.is_null());
            if let Some((name, _)) = set.clone().find(|(name, _)| !known.contains(&&***name)) {
                return Err(Diagnostic::error(format!("Unknown argument `{name}` of the local backend"))
                    .help("its arguments are `path` and `workspace_dir`")
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
            let connection = Connection::open(backend).await?;
            Ok(Backend {
                store: connection.store(),
                lock: connection.lock(),
                runs: Some(connection.runs()),
                connection: Some(connection),
            })
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
