//! One file per command: its arguments, and the few steps between the library and a view.

pub(crate) mod apply;
pub(crate) mod bootstrap;
pub(crate) mod completions;
pub(crate) mod console;
pub(crate) mod destroy;
pub(crate) mod drift;
pub(crate) mod fmt;
pub(crate) mod force_unlock;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod import;
pub(crate) mod journal;
pub(crate) mod lock;
pub(crate) mod output;
pub(crate) mod plan;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod state;
pub(crate) mod taint;
pub(crate) mod upgrade;
pub(crate) mod validate;
pub(crate) mod version;
