//! What plans and applies.

use std::future::Future;

use serde_json::Value as Json;

use super::PlanSummary;

/// A state file's text; `None` before the first apply.
pub type State = Option<String>;

/// How to plan or apply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Delete everything.
    pub destroy: bool,
    /// Look at the live objects first.
    pub refresh: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { destroy: false, refresh: true }
    }
}

/// What an apply came to.
#[derive(Clone, Debug)]
pub struct Applied {
    /// The state afterwards, also of an apply that failed.
    pub state: State,
    /// The text of each error; empty when all went well.
    pub errors: Vec<String>,
}

/// Something that plans and applies a stack against the endpoint that it was made for: lakeform, or Terraform.
pub trait Lakeform {
    /// `lakeform`, `terraform`: what exceptions of rows call it.
    fn name(&self) -> &'static str;

    /// Whether it is tried with faults in the way of its calls.
    fn meets_faults(&self) -> bool {
        true
    }

    /// Plans a stack (the text of a TOML document).
    ///
    /// # Errors
    /// What is wrong, as a user would see it.
    fn plan(
        &self,
        stack: &str,
        state: &State,
        options: Options,
    ) -> impl Future<Output = Result<PlanSummary, String>> + Send;

    /// Plans a stack and applies the plan.
    fn apply(&self, stack: &str, state: &State, options: Options) -> impl Future<Output = Applied> + Send;

    /// Adopts an existing object, and gives the state with it.
    ///
    /// # Errors
    /// What is wrong, as a user would see it.
    fn import(
        &self,
        stack: &str,
        state: &State,
        address: &str,
        id: &str,
    ) -> impl Future<Output = Result<State, String>> + Send;
}

fn parsed(state: &State) -> Json {
    state.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn is_subject(resource: &Json, ty: &str) -> bool {
    resource["mode"] == "managed" && resource["type"] == ty && resource["name"] == "it" && resource["module"].is_null()
}

/// The state without `TYPE.it`, as after `state rm`.
pub fn without(state: &State, ty: &str) -> State {
    let mut json = parsed(state);
    if let Some(resources) = json.get_mut("resources").and_then(Json::as_array_mut) {
        resources.retain(|r| !is_subject(r, ty));
        Some(json.to_string())
    } else {
        state.clone()
    }
}

/// The attributes of `TYPE.it` in a state; `None` if it is not there, or tainted.
pub fn subject_attributes(state: &State, ty: &str) -> Option<Json> {
    let json = parsed(state);
    let resource = json["resources"].as_array()?.iter().find(|r| is_subject(r, ty))?.clone();
    let instance = resource["instances"].as_array()?.iter().find(|i| i["deposed"].is_null())?.clone();
    (instance["status"] != "tainted").then(|| instance["attributes"].clone())
}

/// Every managed resource in a state.
pub(super) fn managed(state: &State) -> Vec<String> {
    let json = parsed(state);
    let resources = json["resources"].as_array().cloned().unwrap_or_default();
    let word = |v: &Json| v.as_str().unwrap_or_default().to_owned();
    let managed = resources.iter().filter(|r| r["mode"] == "managed" && r["instances"] != Json::Array(vec![]));
    managed.map(|r| format!("{}.{}", word(&r["type"]), word(&r["name"]))).collect()
}
