//! The git program.

use std::{
    collections::BTreeMap,
    process::{Command, Stdio},
    sync::Arc,
};

/// Runs git with the environment of a run. It asks nobody for a password, and speaks English.
pub(crate) fn program(mut env: BTreeMap<String, String>) -> lakeform::Git {
    // Those of a git that started this run (a hook, say) would lead it to another repository.
    env.retain(|name, _| !matches!(name.as_str(), "GIT_DIR" | "GIT_WORK_TREE" | "GIT_INDEX_FILE" | "GIT_PREFIX"));
    env.insert("GIT_TERMINAL_PROMPT".into(), "0".into());
    env.insert("LC_ALL".into(), "C".into());
    Arc::new(move |args, at| {
        Command::new("git").args(args).current_dir(at).env_clear().envs(&env).stdin(Stdio::null()).output()
    })
}
