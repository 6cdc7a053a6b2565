//! A sequence of configurations, how it is written for either tool, and how it is kept.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value as Json, json};

use super::drift::Drift;

/// A sequence of configurations that are applied one after the other.
#[derive(Clone, Debug)]
pub(super) struct Case {
    /// What it is about, for whoever reads the fixture.
    pub(super) about: String,
    pub(super) steps: Vec<Step>,
}

/// One configuration.
#[derive(Clone, Debug)]
pub(super) struct Step {
    /// Each module's document by the name of its folder; the root's is empty.
    pub(super) documents: Map<String, Json>,
    /// Everything is destroyed.
    pub(super) destroy: bool,
    /// What happens to the state before.
    pub(super) drift: Vec<Drift>,
    /// What Terraform made of it, where that was recorded.
    pub(super) terraform: Option<Json>,
}

impl Step {
    pub(super) fn new(documents: Map<String, Json>) -> Self {
        Self { documents, destroy: false, drift: vec![], terraform: None }
    }

    /// Writes the documents into a folder in place of those of an earlier step: `main.tf.json`.
    pub(super) fn write_json(&self, folder: &Path) {
        self.write(folder, |_, document| ("main.tf.json", document.to_string()));
    }

    /// Writes the documents into a folder in place of those of an earlier step: `stack.toml` and modules.
    pub(super) fn write_toml(&self, folder: &Path) {
        self.write(folder, |module, document| {
            let name = if module.is_empty() { "stack.toml" } else { "main.toml" };
            (name, toml::to_string(&to_toml(document)).unwrap())
        });
    }

    fn write(&self, folder: &Path, text: impl Fn(&str, &Json) -> (&'static str, String)) {
        for at in 0..10 {
            drop(std::fs::remove_dir_all(folder.join(format!("m{at}"))));
        }
        for (module, document) in &self.documents {
            let (name, text) = text(module, document);
            let into = folder.join(module);
            std::fs::create_dir_all(&into).unwrap();
            std::fs::write(into.join(name), text).unwrap();
        }
    }
}

impl Case {
    /// The recorded cases with their files, by name.
    pub(super) fn recorded() -> Vec<(PathBuf, Self)> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(fixtures()).unwrap().map(|f| f.unwrap().path()).collect();
        files.retain(|f| f.extension().is_some_and(|e| e == "json"));
        files.sort();
        files.into_iter().map(|f| (f.clone(), Self::read(&f))).collect()
    }

    fn read(file: &Path) -> Self {
        let text = std::fs::read_to_string(file).unwrap();
        let json: Json = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        let steps = json["steps"].as_array().unwrap().iter().map(|step| Step {
            documents: step["documents"].as_object().unwrap().clone(),
            destroy: step["destroy"] == true,
            drift: step["drift"].as_array().into_iter().flatten().map(drift).collect(),
            terraform: step.get("terraform").cloned(),
        });
        Self { about: json["about"].as_str().unwrap_or_default().to_owned(), steps: steps.collect() }
    }

    /// What Terraform made of each step that it was asked about: `done`, `failed` or, where there was no plan, `not tried`.
    pub(super) fn outcomes(&self) -> impl Iterator<Item = String> {
        let answers = self.steps.iter().filter_map(|step| step.terraform.as_ref());
        answers.map(|answer| answer["applied"].as_str().unwrap_or_default().to_owned())
    }

    /// Keeps the case as a fixture.
    pub(super) fn record(&self, file: &Path) {
        let steps = self.steps.iter().map(|step| {
            let mut out = json!({ "documents": step.documents, "destroy": step.destroy });
            if !step.drift.is_empty() {
                out["drift"] = step.drift.iter().map(|d| json!({ "what": d.what, "which": d.which })).collect();
            }
            if let Some(answer) = &step.terraform {
                out["terraform"] = answer.clone();
            }
            out
        });
        let json = json!({ "about": self.about, "steps": steps.collect::<Vec<_>>() });
        std::fs::write(file, serde_json::to_string_pretty(&json).unwrap() + "\n").unwrap();
    }
}

fn drift(recorded: &Json) -> Drift {
    let which = recorded["which"].as_u64().unwrap() as usize;
    Drift { what: recorded["what"].as_str().unwrap().to_owned(), which }
}

/// Where recorded cases are.
pub(super) fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/differential/fixtures")
}

fn to_toml(json: &Json) -> toml::Value {
    match json {
        Json::Null => panic!("TOML has no null"),
        Json::Bool(b) => (*b).into(),
        Json::Number(n) => n.as_i64().unwrap().into(),
        Json::String(s) => s.as_str().into(),
        Json::Array(items) => toml::Value::Array(items.iter().map(to_toml).collect()),
        Json::Object(entries) => toml::Value::Table(entries.iter().map(|(k, v)| (k.clone(), to_toml(v))).collect()),
    }
}
