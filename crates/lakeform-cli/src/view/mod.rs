//! What commands print: for people, and as JSON.

pub(crate) mod checks_json;
pub(crate) mod config_json;
pub(crate) mod diff;
pub(crate) mod drift;
pub(crate) mod events_json;
pub(crate) mod history;
pub(crate) mod plan;
pub(crate) mod plan_json;
pub(crate) mod render;
pub(crate) mod schema;
pub(crate) mod schema_json;
pub(crate) mod state_diff;
pub(crate) mod state_json;
pub(crate) mod style;
pub(crate) mod text;
pub(crate) mod values_json;

#[cfg(test)]
mod tests;
