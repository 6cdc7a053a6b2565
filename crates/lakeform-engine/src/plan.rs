//! A plan: what would be done, and why.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use lakeform_core::{ConfigAddress, Diagnostics, InstanceAddress, Path, Value, address::Target};
use lakeform_state::State;

use crate::{Action, CheckResults, Reason};

/// What kind of plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanMode {
    /// Bring the cloud to what the stack says.
    #[default]
    Normal,
    /// Delete everything.
    Destroy,
    /// Only bring state to what the cloud says.
    RefreshOnly,
}

/// How to plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PlanOptions {
    /// What kind of plan.
    pub mode: PlanMode,
    /// Trust the stored state instead of reading live objects.
    pub skip_refresh: bool,
    /// Only these and what they depend on.
    pub targets: Vec<Target>,
    /// Not these, nor what depends on them.
    pub excludes: Vec<Target>,
    /// Replace these although nothing asks for it.
    pub replace: Vec<InstanceAddress>,
    /// Adopt these existing objects: the instance and the identifier that Terraform documents for its import.
    pub imports: Vec<(InstanceAddress, String)>,
    /// Blocks that stand in for what is to be written: their objects are adopted as they are, whatever the block says.
    pub unwritten: Vec<ConfigAddress>,
    /// How many provider calls may run at once; 0 means 32.
    pub parallelism: usize,
}

/// What would be done to one object.
#[derive(Clone, Debug)]
pub struct Change {
    /// The instance.
    pub address: InstanceAddress,
    /// Where it was in state, if it has moved.
    pub previous_address: Option<InstanceAddress>,
    /// The key of the deposed object that this is about; `None` for the current one.
    pub deposed: Option<String>,
    /// What would be done.
    pub action: Action,
    /// Why, where that is not obvious.
    pub reason: Option<Reason>,
    /// The object as it is (refreshed); null where there is none. Sensitive parts are marked.
    pub before: Value,
    /// The object as it would be, with unknown values; null where it would be gone. Sensitive parts are marked.
    pub after: Value,
    /// The attributes that force the replacement.
    pub replace_paths: Vec<Path>,
    /// The provider as state names it: `provider["registry.terraform.io/hashicorp/aws"]`
    pub provider: String,
    /// The identifier, if the object is adopted by this plan.
    pub importing: Option<String>,
    /// Whether the block (or what depends on it) asks to create before destroying.
    pub create_before_destroy: bool,
    /// The resources that it depends on, as they will be written to state.
    pub dependencies: Arc<[ConfigAddress]>,
}

/// An object that was changed outside of lakeform.
#[derive(Clone, Debug)]
pub struct Drift {
    /// The instance.
    pub address: InstanceAddress,
    /// The object as the last run left it.
    pub before: Value,
    /// The object as it is; null if it is gone.
    pub after: Value,
}

/// What would happen to an output of the root module.
#[derive(Clone, Debug)]
pub struct OutputChange {
    /// What would be done.
    pub action: Action,
    /// Its value in state; null where there is none.
    pub before: Value,
    /// Its value afterwards; null where it would be gone.
    pub after: Value,
}

/// What would be done, in the order of addresses; and all that is needed to do exactly that.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How it was made.
    pub options: PlanOptions,
    /// Every managed instance (no-ops included) and every data source that is read during apply.
    pub changes: Vec<Change>,
    /// What was changed outside of lakeform since the last run.
    pub drift: Vec<Drift>,
    /// Outputs of the root module, unchanged ones included.
    pub outputs: BTreeMap<Arc<str>, OutputChange>,
    /// Values of the root module's variables.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// The ephemeral ones among them that are not left to their defaults.
    pub ephemeral: BTreeSet<Arc<str>>,
    /// The state that the plan starts from: stored, moved and refreshed.
    pub prior_state: State,
    /// The state as it was stored before; a plan file is stale once the store holds another.
    pub stored_serial: u64,
    /// What a run that was cut off had created, or was about to.
    pub created: Vec<InstanceAddress>,
    /// The journal that was read into the state (its last pages); empty where there was none.
    pub journal: String,
    /// Data sources that were read while planning.
    pub read: BTreeMap<InstanceAddress, Value>,
    /// What became of conditions, as far as they can be told before apply.
    pub checks: CheckResults,
    /// Warnings
    pub diagnostics: Diagnostics,
}

impl Plan {
    /// Whether applying it would change an object or an output, or adopt or forget one.
    pub fn has_changes(&self) -> bool {
        self.changes.iter().any(|c| c.action.is_change() || c.importing.is_some() || c.previous_address.is_some())
            || self.outputs.values().any(|o| o.action != Action::NoOp)
            || self.options.mode == PlanMode::RefreshOnly && !self.drift.is_empty()
    }

    /// How many objects would be added, changed and destroyed.
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |f: &dyn Fn(Action) -> bool| self.changes.iter().filter(|c| f(c.action)).count();
        (count(&|a| a == Action::Create || a.is_replace()), count(&|a| a == Action::Update), count(&Action::deletes))
    }
}
