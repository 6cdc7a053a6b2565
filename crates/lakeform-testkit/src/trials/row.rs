//! The rows of the table.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::{Table, Value};

use crate::emulator::{Emulator, EmulatorError, Kind};

use super::edit::{EditError, set};

/// One resource type in the table.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The type: `aws_kms_key`
    #[serde(rename = "type")]
    pub ty: String,
    /// The emulators that serve it, by name.
    pub emulators: Vec<String>,
    /// The identifier of its import, with attributes in braces: `{key_id}:{grant_id}`. Absent: it cannot be imported.
    pub import: Option<String>,
    /// Attributes that importing cannot know: after it they may change in place.
    #[serde(default)]
    pub import_ignores: Vec<String>,
    /// What no type makes and the stack needs: calls of services that take forms, `iam Action=CreateUser&UserName=x`.
    #[serde(default)]
    pub calls: Vec<String>,
    /// The stack: `TYPE.it` with as little as possible, and what it needs.
    pub stack: Table,
    /// What is changed in place, one after the other.
    #[serde(default)]
    pub change: Vec<Edit>,
    /// What can only be chosen when the object is made.
    #[serde(default)]
    pub create_only: Vec<Edit>,
    /// S3 subresources that the emulators lack.
    #[serde(default)]
    pub shelf: Vec<Shelf>,
    /// What does not hold, and why.
    #[serde(default)]
    pub exception: Vec<Exception>,
}

/// One edit of `TYPE.it`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Where: `rule[0].days`, `tags.Name`.
    pub path: String,
    /// What is applied first, where the stack has something else.
    pub old: Option<Value>,
    /// What it becomes; absent: it is taken away.
    pub new: Option<Value>,
    /// What has to be set, or with `""` taken away, together with it.
    #[serde(default)]
    pub with: Table,
}

/// An S3 subresource that the proxy keeps in place of the emulator.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shelf {
    /// As in the query: `intelligent-tiering`
    pub subresource: String,
    /// The error code where there is none: `NoSuchConfiguration`
    pub absent: String,
}

/// A trial that does not hold.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// The trial, as reports name it: `import`, `change tags`; a final `*` stands for anything.
    pub trial: String,
    /// The emulator on which; absent: on any.
    pub on: Option<String>,
    /// For which tool: `terraform`; absent: for any.
    pub by: Option<String>,
    /// Why.
    pub reason: String,
}

/// A row cannot be read or used.
#[derive(Debug, thiserror::Error)]
pub enum RowError {
    /// A file or folder cannot be read.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file is no row.
    #[error("{}: {reason}", path.display())]
    Invalid {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

/// Every row of a folder, by type. `{files}` in it stands for the folder `files` beside it.
///
/// # Errors
/// When the folder or one of its `.toml` files cannot be read, or is no row.
pub fn load(folder: &Path) -> Result<Vec<Row>, RowError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| RowError::Io { path, source }
    };
    let entries = std::fs::read_dir(folder).map_err(io(folder))?;
    let mut paths: Vec<_> = entries.flatten().map(|e| e.path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "toml"));
    paths.sort();
    // Each tool is tried in a folder of its own: files are where the rows are.
    let files = std::path::absolute(folder.join("files")).map_err(io(folder))?.display().to_string();
    let mut rows = Vec::new();
    for path in paths {
        let text = std::fs::read_to_string(&path).map_err(io(&path))?;
        let text = text.replace("{files}", &files);
        let invalid = |reason: String| RowError::Invalid { path: path.clone(), reason };
        let row: Row = toml::from_str(&text).map_err(|e| invalid(e.to_string()))?;
        row.check().map_err(invalid)?;
        if path.file_stem().is_none_or(|stem| stem != row.ty.as_str()) {
            return Err(invalid(format!("the file of {} is called {0}.toml", row.ty)));
        }
        rows.push(row);
    }
    Ok(rows)
}

impl Row {
    /// The address of the resource that is tried.
    pub fn subject(&self) -> String {
        format!("{}.it", self.ty)
    }

    /// Empties an emulator and makes what the row's stack needs beside it.
    ///
    /// # Errors
    /// When the emulator refuses.
    pub fn prepare(&self, emulator: &Emulator) -> Result<(), EmulatorError> {
        emulator.reset()?;
        self.calls.iter().filter_map(|call| call.split_once(' ')).try_for_each(|(to, form)| emulator.form(to, form))
    }

    /// The stack as TOML.
    pub fn text(&self) -> String {
        text(&self.stack)
    }

    /// Whether an emulator serves the type.
    pub fn is_served_by(&self, kind: Kind) -> bool {
        self.emulators.iter().any(|name| name == kind.name())
    }

    /// Why a trial does not hold, if it does not.
    pub fn exception(&self, trial: &str, on: Kind, by: &str) -> Option<&Exception> {
        self.exception.iter().find(|e| {
            let named = match e.trial.strip_suffix('*') {
                Some(head) => trial.starts_with(head),
                None => trial == e.trial,
            };
            named && e.on.as_deref().is_none_or(|k| k == on.name()) && e.by.as_deref().is_none_or(|b| b == by)
        })
    }

    fn check(&self) -> Result<(), String> {
        self.resource(&self.stack)?;
        for name in &self.emulators {
            Kind::from_name(name).ok_or_else(|| format!("there is no emulator `{name}`"))?;
        }
        let mut stack = self.stack.clone();
        for edit in &self.change {
            if edit.old.is_some() {
                stack = self.edited(&stack, edit, edit.old.as_ref()).map_err(|e| e.to_string())?;
            }
            stack = self.edited(&stack, edit, edit.new.as_ref()).map_err(|e| e.to_string())?;
        }
        for edit in &self.create_only {
            self.edited(&self.stack, edit, edit.new.as_ref()).map_err(|e| e.to_string())?;
            if edit.old.is_some() {
                return Err(format!("create_only `{}`: write the old value into the stack", edit.path));
            }
        }
        Ok(())
    }

    fn resource<'a>(&self, stack: &'a Table) -> Result<&'a Table, String> {
        let found = stack.get("resource").and_then(|r| r.get(&self.ty)).and_then(|t| t.get("it"));
        found.and_then(Value::as_table).ok_or_else(|| format!("the stack has no {}", self.subject()))
    }

    /// A stack with something else at the path of an edit.
    ///
    /// # Errors
    /// When the path leads nowhere.
    pub fn edited(&self, stack: &Table, edit: &Edit, value: Option<&Value>) -> Result<Table, EditError> {
        let mut stack = stack.clone();
        let found = stack.get_mut("resource").and_then(|r| r.get_mut(&self.ty)).and_then(|t| t.get_mut("it"));
        let Some(subject) = found.and_then(Value::as_table_mut) else {
            return Err(EditError { path: edit.path.clone(), reason: format!("the stack has no {}", self.subject()) });
        };
        for (path, value) in &edit.with {
            // What was taken away once is no longer there the second time.
            let taken_away = value.as_str() == Some("");
            let done = set(subject, path, (!taken_away).then_some(value));
            if !taken_away {
                done?;
            }
        }
        set(subject, &edit.path, value)?;
        Ok(stack)
    }

    /// A stack without the resource that is tried.
    pub fn without_subject(&self, stack: &Table) -> Table {
        let mut stack = stack.clone();
        if let Some(resources) = stack.get_mut("resource").and_then(Value::as_table_mut) {
            if let Some(of_type) = resources.get_mut(&self.ty).and_then(Value::as_table_mut) {
                of_type.remove("it");
            }
            resources.retain(|_, of_type| of_type.as_table().is_none_or(|t| !t.is_empty()));
            if resources.is_empty() {
                stack.remove("resource");
            }
        }
        stack
    }
}

/// A stack as TOML, with the provider that every emulator needs.
pub(super) fn text(stack: &Table) -> String {
    let mut stack = stack.clone();
    let provider = stack.entry("provider").or_insert_with(|| Value::Table(Table::new()));
    if let Some(providers) = provider.as_table_mut() {
        let aws = providers.entry("aws").or_insert_with(|| Value::Table(Table::new()));
        if let Some(aws) = aws.as_table_mut() {
            aws.entry("region").or_insert_with(|| "eu-west-2".into());
            aws.entry("s3_use_path_style").or_insert_with(|| true.into());
        }
    }
    stack.to_string()
}
