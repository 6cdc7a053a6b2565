//! Loading a stack with all that is given beside it.

use std::{path::Path, path::PathBuf, sync::Arc, time::Duration};

use lakeform_core::{Diagnostics, Value};
use lakeform_engine::OnError;
use lakeform_lang::{Environment, Stack};

use crate::{Error, Lakeform, LoadedStack, modules::Modules, variables};

/// What is given beside the stack. The default: nothing, and the state is locked.
#[derive(Clone, Debug, Default)]
pub struct LoadOptions {
    /// Values for variables; later ones win.
    pub variables: Vec<VariableSource>,
    /// Settings of the backend: `KEY=VALUE` or the path of a file of them; later ones win.
    pub backend_config: Vec<String>,
    /// Keep the state in this file instead of the stack's backend.
    pub state: Option<PathBuf>,
    /// Do not lock the state.
    pub no_lock: bool,
    /// How long to wait for whoever holds the lock.
    pub lock_timeout: Duration,
    /// Take the newest commits of modules from git, not those that are pinned.
    pub upgrade_modules: bool,
    /// Do what `[guard]` refuses, for this reason, which the run's record keeps.
    pub override_guard: Option<String>,
    /// What an apply does once one of its operations has failed.
    pub on_error: OnError,
}

/// Where values for variables come from.
#[derive(Clone, Debug)]
pub enum VariableSource {
    /// A value as text: as it stands for a bool, number or string, else an expression.
    Text(String, String),
    /// A value
    Value(String, Value),
    /// A file: `.tfvars`, `.tfvars.json`, or TOML.
    File(PathBuf),
}

pub(crate) fn load(lakeform: &Lakeform, path: &Path, options: LoadOptions) -> Result<LoadedStack, Error> {
    let world = &lakeform.world;
    let modules = Modules::new(world.git.as_ref(), &world.cwd.join(path), options.upgrade_modules)?;
    let (stack, warnings) = lakeform_lang::load_with(path, &world.cwd, &modules)?;
    let modules = modules.finish()?;
    Ok(LoadedStack { modules, ..with_stack(lakeform, stack, warnings, options)? })
}

pub(crate) fn with_stack(
    lakeform: &Lakeform,
    stack: Stack,
    mut warnings: Diagnostics,
    options: LoadOptions,
) -> Result<LoadedStack, Error> {
    let environment = environment(lakeform, &stack);
    let variables = variables::collect(&stack, &lakeform.world, &options.variables, &environment, &mut warnings)?;
    Ok(LoadedStack {
        lakeform: lakeform.in_directory(&stack.root_dir),
        stack: Arc::new(stack),
        environment,
        variables,
        warnings,
        options,
        modules: vec![],
        backend: tokio::sync::OnceCell::new(),
    })
}

/// What the stack's expressions may see.
fn environment(lakeform: &Lakeform, stack: &Stack) -> Environment {
    Environment {
        root: stack.root_dir.clone(),
        module: stack.root.dir.clone(),
        cwd: lakeform.world.cwd.clone(),
        home: lakeform.world.home.clone(),
        workspace: String::new(),
        applying: false,
        now: None,
        plan_time: lakeform.world.now(),
    }
}
