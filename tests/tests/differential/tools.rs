//! The two tools, each with a folder of its own: plan a step, apply the plan, plan once more.

use std::process::{Command, Output};

use lakeform_cli::Exit;
use serde_json::Value as Json;

use crate::support::cli::Folder;

use super::{case::Step, drift};

/// What a tool made of a step, in its own words.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// The plan's JSON; `None` if there was none.
    pub(super) plan: Option<Json>,
    /// Whether applying succeeded; `None` if there was no plan.
    pub(super) applied: Option<bool>,
    /// The operations of the apply, as they began and ended.
    pub(super) events: Vec<Json>,
    /// The state file as the step found it, and as it left it; null if there is none.
    pub(super) before: Json,
    pub(super) after: Json,
    /// The plan's JSON of a second plan.
    pub(super) again: Option<Json>,
    /// What was wrong.
    pub(super) problems: Vec<String>,
}

/// What both tools can do.
pub(super) trait Tool {
    fn step(&self, step: &Step) -> Answer;
}

/// Whether there is a Terraform to ask.
pub(super) fn has_terraform() -> bool {
    Command::new("terraform").arg("version").output().is_ok_and(|o| o.status.success())
}

/// Terraform, as a process.
pub(super) struct Terraform(tempfile::TempDir);

impl Terraform {
    pub(super) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rc"), "").unwrap();
        Self(folder)
    }

    fn run(&self, args: &[&str]) -> Output {
        Command::new("terraform")
            .args(args)
            .current_dir(self.0.path())
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_IN_AUTOMATION", "1")
            .env("TF_CLI_CONFIG_FILE", self.0.path().join("rc"))
            .output()
            .unwrap()
    }

    /// The plan's JSON, if there is a plan. It is in the file `plan`.
    fn plan(&self, step: &Step, problems: &mut Vec<String>) -> Option<Json> {
        let mut args = vec!["plan", "-input=false", "-json", "-out=plan"];
        if step.destroy {
            args.push("-destroy");
        }
        let planned = self.run(&args);
        if !planned.status.success() {
            problems.extend(diagnostics(&planned));
            return None;
        }
        Some(serde_json::from_slice(&self.run(&["show", "-json", "plan"]).stdout).unwrap())
    }

    fn state(&self) -> Json {
        let text = std::fs::read(self.0.path().join("terraform.tfstate"));
        text.map_or(Json::Null, |text| serde_json::from_slice(&text).unwrap())
    }
}

impl Tool for Terraform {
    fn step(&self, step: &Step) -> Answer {
        step.write_json(self.0.path());
        drift::happen(&self.0.path().join("terraform.tfstate"), &step.drift);
        let before = self.state();
        let mut answer = Answer { after: before.clone(), before, ..Answer::default() };
        let init = self.run(&["init", "-input=false", "-no-color"]);
        if !init.status.success() {
            answer.problems.push(String::from_utf8_lossy(&init.stderr).into_owned());
            return answer;
        }
        answer.plan = self.plan(step, &mut answer.problems);
        if answer.plan.is_some() {
            let done = self.run(&["apply", "-input=false", "-json", "plan"]);
            answer.applied = Some(done.status.success());
            answer.problems.extend(diagnostics(&done));
            answer.events = lines(&done.stdout);
            answer.after = self.state();
            answer.again = self.plan(step, &mut answer.problems);
        }
        answer
    }
}

/// lakeform, in this process.
pub(super) struct Lakeform(Folder);

impl Lakeform {
    pub(super) fn new() -> Self {
        Self(Folder::with(""))
    }

    fn plan(&self, step: &Step, problems: &mut Vec<String>) -> Option<Json> {
        let mut args = vec!["plan", "stack.toml", "--json", "--out", "plan"];
        if step.destroy {
            args.push("--destroy");
        }
        let planned = self.0.run(&args);
        if planned.exit == Exit::Failed {
            problems.push(planned.stderr);
            return None;
        }
        Some(serde_json::from_str(&planned.stdout).unwrap())
    }

    fn state(&self) -> Json {
        let text = std::fs::read(self.0.path("state/stack.tfstate"));
        text.map_or(Json::Null, |text| serde_json::from_slice(&text).unwrap())
    }
}

impl Tool for Lakeform {
    fn step(&self, step: &Step) -> Answer {
        step.write_toml(self.0.directory.path());
        drift::happen(&self.0.path("state/stack.tfstate"), &step.drift);
        let before = self.state();
        let mut answer = Answer { after: before.clone(), before, ..Answer::default() };
        answer.plan = self.plan(step, &mut answer.problems);
        if answer.plan.is_some() {
            let done = self.0.run(&["apply", "plan", "--json"]);
            answer.applied = Some(done.exit == Exit::Done);
            if done.exit != Exit::Done {
                answer.problems.push(done.stdout.clone() + &done.stderr);
            }
            answer.events = lines(done.stdout.as_bytes());
            answer.after = self.state();
            answer.again = self.plan(step, &mut answer.problems);
        }
        answer
    }
}

fn lines(output: &[u8]) -> Vec<Json> {
    String::from_utf8_lossy(output).lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// The errors among the lines that Terraform printed.
fn diagnostics(output: &Output) -> Vec<String> {
    let problems = lines(&output.stdout).into_iter().map(|line| line["diagnostic"].clone());
    let errors = problems.filter(|d| d["severity"] == "error");
    errors.map(|d| format!("{}: {}", d["summary"].as_str().unwrap(), d["detail"].as_str().unwrap_or(""))).collect()
}
