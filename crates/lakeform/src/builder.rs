//! Where everything begins: what the library may know of the world, and the providers.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use lakeform_engine::Providers;
use lakeform_provider::Provider;
use lakeform_utility::{LocalExec, LocalProvider};

use crate::{Error, Git, LoadOptions, LoadedStack, encryption, remote_state::RemoteState, template_file::TemplateFile};

/// What gives the time.
pub(crate) type Clock = Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>;

/// What the library may know of the world around it.
pub(crate) struct World {
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) cwd: PathBuf,
    pub(crate) home: Option<PathBuf>,
    pub(crate) clock: Option<Clock>,
    pub(crate) who: String,
    pub(crate) git: Option<Git>,
}

impl World {
    /// The time, if the caller gave a clock.
    pub(crate) fn now(&self) -> Option<jiff::Timestamp> {
        self.clock.as_ref().map(|clock| clock())
    }
}

/// lakeform with its providers. Cloning is cheap.
#[derive(Clone)]
pub struct Lakeform {
    pub(crate) world: Arc<World>,
    pub(crate) providers: Providers,
    /// Those that were added to the built-in ones.
    given: Arc<[Arc<dyn Provider>]>,
}

impl fmt::Debug for Lakeform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lakeform").field("cwd", &self.world.cwd).field("providers", &self.providers).finish()
    }
}

impl Lakeform {
    /// Starts one.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The providers and their resource types.
    pub fn providers(&self) -> &Providers {
        &self.providers
    }

    /// The working directory.
    pub fn working_directory(&self) -> &Path {
        &self.world.cwd
    }

    /// Loads a stack: a `.toml` file or a directory of them, absolute or relative to the working directory.
    ///
    /// # Errors
    /// Every problem of its documents and of the given variables, each with its place.
    pub fn load(&self, path: impl AsRef<Path>, options: LoadOptions) -> Result<LoadedStack, Error> {
        crate::load::load(self, path.as_ref(), options)
    }

    /// Loads a stack from text, as if it were in a file of that name. It can neither extend others nor call modules.
    ///
    /// # Errors
    /// As [`Lakeform::load`].
    pub fn load_text(&self, name: &str, text: &str, options: LoadOptions) -> Result<LoadedStack, Error> {
        let (stack, warnings) = lakeform_lang::load_str(name, text)?;
        crate::load::with_stack(self, stack, warnings, options)
    }
}

/// Collects what [`Lakeform`] may know. What is not given is not known: no environment, no home, no time.
#[derive(Default)]
pub struct Builder {
    environment: BTreeMap<String, String>,
    cwd: Option<PathBuf>,
    home: Option<PathBuf>,
    clock: Option<Clock>,
    who: Option<String>,
    git: Option<Git>,
    providers: Vec<Arc<dyn Provider>>,
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("cwd", &self.cwd).field("who", &self.who).finish_non_exhaustive()
    }
}

impl Builder {
    /// Environment variables: `TF_VAR_name`, `LAKEFORM_VAR_name`, and whatever the providers read (`AWS_PROFILE`, ...).
    pub fn environment<K: Into<String>, V: Into<String>>(
        mut self,
        variables: impl IntoIterator<Item = (K, V)>,
    ) -> Self {
        self.environment.extend(variables.into_iter().map(|(k, v)| (k.into(), v.into())));
        self
    }

    /// The working directory: what relative paths start from. Default: `.`
    pub fn working_directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.cwd = Some(path.into());
        self
    }

    /// The home directory: what `~` stands for.
    pub fn home(mut self, path: impl Into<PathBuf>) -> Self {
        self.home = Some(path.into());
        self
    }

    /// What gives the time: for `timestamp()`, for lock records. Without it both are empty.
    pub fn clock(mut self, clock: impl Fn() -> jiff::Timestamp + Send + Sync + 'static) -> Self {
        self.clock = Some(Arc::new(clock));
        self
    }

    /// Who runs this, as lock records name it: `user@host`.
    pub fn who(mut self, who: impl Into<String>) -> Self {
        self.who = Some(who.into());
        self
    }

    /// What runs git, for modules from git. Without it there are none.
    pub fn git(mut self, git: Git) -> Self {
        self.git = Some(git);
        self
    }

    /// Adds a provider, or replaces the built-in one of the same name.
    pub fn provider(mut self, provider: Arc<dyn Provider>) -> Self {
        self.providers.push(provider);
        self
    }

    /// The whole, with the built-in providers.
    pub fn build(self) -> Lakeform {
        let world = World {
            environment: self.environment,
            cwd: self.cwd.unwrap_or_else(|| ".".into()),
            home: self.home,
            clock: self.clock,
            who: self.who.unwrap_or_default(),
            git: self.git,
        };
        let providers = providers(&world, &world.cwd, &self.providers);
        Lakeform { world: Arc::new(world), providers, given: self.providers.into() }
    }
}

impl Lakeform {
    /// The same for a stack, whose arguments name files from its directory on, as `path.module` does.
    pub(crate) fn in_directory(&self, directory: &Path) -> Self {
        let providers = providers(&self.world, &self.world.cwd.join(directory), &self.given);
        Self { providers, ..self.clone() }
    }
}

/// The built-in providers, which find files from a directory on, and those that were given.
fn providers(world: &World, directory: &Path, given: &[Arc<dyn Provider>]) -> Providers {
    let aws = lakeform_aws::AwsProvider::new(world.environment.clone()).in_directory(directory);
    let remote_state = Box::new(RemoteState::new(world.cwd.clone(), world.environment.clone()));
    // What opens the state is no business of the programs that it starts.
    let handed_on = world.environment.iter().filter(|(name, _)| !encryption::is_secret(name));
    let local_exec = Box::new(LocalExec::new(handed_on.map(|(k, v)| (k.clone(), v.clone())).collect()));
    let local = [
        LocalProvider::archive(directory),
        LocalProvider::null(),
        LocalProvider::random(),
        LocalProvider::terraform().with_data_source(remote_state).with_provisioner(local_exec),
        LocalProvider::template().with_data_source(Box::new(TemplateFile::new(directory.to_owned()))),
        LocalProvider::tls(),
    ];
    let local = local.map(|provider| Arc::new(provider) as Arc<dyn Provider>);
    let built_in = [Arc::new(aws) as Arc<dyn Provider>].into_iter().chain(local);
    Providers::new(built_in.chain(given.iter().cloned()))
}
