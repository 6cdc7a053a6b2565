//! Terraform as the oracle of the table.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
};

use serde_json::{Value as Json, json};
use toml::{Table, Value};

use super::{Applied, Lakeform, Options, PlanSummary, State};

/// Terraform cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TerraformError {
    /// A file or the program cannot be used.
    #[error("terraform: {0}")]
    Io(#[from] std::io::Error),
    /// `terraform init` failed.
    #[error("terraform init fails: {0}")]
    Init(String),
}

/// The `terraform` on `PATH` in a folder of its own, talking to one endpoint. Providers come from where the user's own
/// CLI configuration says, or from the filesystem mirror that is given.
#[derive(Debug)]
pub struct Terraform {
    folder: tempfile::TempDir,
    env: BTreeMap<String, String>,
    /// What `plan.bin` was made from: applying what was just planned needs no second plan.
    planned: Mutex<Option<(String, State, Options)>>,
    provider: Child,
}

impl Terraform {
    /// Prepares a folder. `env` is what child processes need to reach the endpoint
    /// ([`environment_for`](crate::emulator::environment_for)), `mirror` a filesystem mirror with the AWS provider 5.100.
    ///
    /// # Errors
    /// When there is no Terraform, or it cannot find the provider.
    pub fn new(mut env: BTreeMap<String, String>, mirror: Option<&Path>) -> Result<Self, TerraformError> {
        let folder = tempfile::tempdir()?;
        if let Some(mirror) = mirror {
            let config = folder.path().join("terraformrc");
            let mirror = mirror.display();
            let text = format!(
                "provider_installation {{\n  filesystem_mirror {{\n    path = \"{mirror}\"\n  }}\n}}\n\
                 disable_checkpoint = true\n"
            );
            std::fs::write(&config, text)?;
            env.insert("TF_CLI_CONFIG_FILE".into(), config.display().to_string());
        }
        env.insert("TF_IN_AUTOMATION".into(), "1".into());
        write(folder.path(), "[locals]\n")?;
        let (ok, output) = call(folder.path(), &env, &["init", "-input=false", "-no-color"])?;
        if !ok {
            return Err(TerraformError::Init(output));
        }
        let (provider, attach) = start_provider(folder.path(), &env)?;
        env.insert("TF_REATTACH_PROVIDERS".into(), attach);
        Ok(Self { folder, env, planned: Mutex::default(), provider })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn call(&self, arguments: &[&str]) -> std::io::Result<(bool, String)> {
        call(self.folder.path(), &self.env, arguments)
    }

    fn prepare(&self, stack: &str, state: &State) -> std::io::Result<()> {
        write(self.folder.path(), stack)?;
        match state {
            Some(text) => std::fs::write(self.path("terraform.tfstate"), text),
            None => match std::fs::remove_file(self.path("terraform.tfstate")) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
                _ => Ok(()),
            },
        }
    }

    fn state(&self) -> State {
        std::fs::read_to_string(self.path("terraform.tfstate")).ok()
    }

    fn planned(&self) -> MutexGuard<'_, Option<(String, State, Options)>> {
        self.planned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn plan_file(&self, stack: &str, state: &State, options: Options) -> Result<(), String> {
        *self.planned() = None;
        self.prepare(stack, state).map_err(|e| e.to_string())?;
        let mut arguments = vec!["plan", "-input=false", "-no-color", "-lock=false", "-out=plan.bin"];
        arguments.extend(options.destroy.then_some("-destroy"));
        arguments.extend((!options.refresh).then_some("-refresh=false"));
        match self.call(&arguments).map_err(|e| e.to_string())? {
            (true, _) => {
                *self.planned() = Some((stack.to_owned(), state.clone(), options));
                Ok(())
            }
            (false, output) => Err(errors(&output)),
        }
    }
}

impl Drop for Terraform {
    fn drop(&mut self) {
        let _ = self.provider.kill();
        let _ = self.provider.wait();
    }
}

fn call(folder: &Path, env: &BTreeMap<String, String>, arguments: &[&str]) -> std::io::Result<(bool, String)> {
    let output = Command::new("terraform").args(arguments).current_dir(folder).envs(env).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    Ok((output.status.success(), text))
}

fn write(folder: &Path, stack: &str) -> std::io::Result<()> {
    let stack: Table = toml::from_str(stack).map_err(std::io::Error::other)?;
    std::fs::write(folder.join("main.tf.json"), to_terraform(stack).to_string())
}

/// The program of the AWS provider below a folder that was initialised.
fn provider_program(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.flatten().map(|e| e.path()).find_map(|path| {
        let is_program = path.file_name()?.to_string_lossy().starts_with("terraform-provider-aws");
        // Mirrors are linked to, so links are followed.
        if path.is_dir() { provider_program(&path) } else { is_program.then_some(path) }
    })
}

/// Starts the provider once for all calls, which takes longer than most of them. Gives it with the value of
/// `TF_REATTACH_PROVIDERS`.
fn start_provider(folder: &Path, env: &BTreeMap<String, String>) -> Result<(Child, String), TerraformError> {
    let init = |why: &str| TerraformError::Init(why.to_owned());
    let program = provider_program(&folder.join(".terraform")).ok_or_else(|| init("it installed no AWS provider"))?;
    let log = std::fs::File::create(folder.join("provider.log"))?;
    let mut command = Command::new(program);
    command.arg("-debug").current_dir(folder).envs(env).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
    let mut child = command.spawn()?;
    if let Some(stdout) = child.stdout.take() {
        let mut lines = BufReader::new(stdout);
        let mut line = String::new();
        while lines.read_line(&mut line)? > 0 {
            if let Some(value) = line.trim().strip_prefix("TF_REATTACH_PROVIDERS='").and_then(|v| v.strip_suffix('\''))
            {
                // It stays open: writing to a closed pipe would end the provider.
                child.stdout = Some(lines.into_inner());
                return Ok((child, value.to_owned()));
            }
            line.clear();
        }
    }
    let _ = child.kill();
    let _ = child.wait();
    Err(init("the AWS provider does not say how to attach to it"))
}

/// A stack as Terraform's JSON syntax.
fn to_terraform(stack: Table) -> Json {
    let mut json = to_json(Value::Table(stack));
    json["terraform"] = json!({
        "required_providers": { "aws": { "source": "hashicorp/aws", "version": "5.100.0" } },
        "backend": { "local": { "path": "terraform.tfstate" } },
    });
    json
}

fn to_json(value: Value) -> Json {
    match value {
        Value::String(s) => s.into(),
        Value::Integer(i) => i.into(),
        Value::Float(f) => f.into(),
        Value::Boolean(b) => b.into(),
        Value::Datetime(d) => d.to_string().into(),
        Value::Array(items) => items.into_iter().map(to_json).collect(),
        Value::Table(table) => table.into_iter().map(|(k, v)| (k, to_json(v))).collect(),
    }
}

/// What follows the first `Error:` of Terraform's output.
fn errors(output: &str) -> String {
    output.find("Error: ").map_or(output, |at| &output[at..]).trim().to_owned()
}

impl Lakeform for Terraform {
    fn name(&self) -> &'static str {
        "terraform"
    }

    /// The table is to be proven, not Terraform's patience.
    fn meets_faults(&self) -> bool {
        false
    }

    async fn plan(&self, stack: &str, state: &State, options: Options) -> Result<PlanSummary, String> {
        self.plan_file(stack, state, options)?;
        let shown = self.call(&["show", "-json", "plan.bin"]).map_err(|e| e.to_string())?;
        match shown {
            (true, output) => {
                let plan: Json = serde_json::from_str(&output).map_err(|e| e.to_string())?;
                Ok(PlanSummary::from_plan_json(&plan))
            }
            (false, output) => Err(errors(&output)),
        }
    }

    async fn apply(&self, stack: &str, state: &State, options: Options) -> Applied {
        let failed = |error: String| Applied { state: state.clone(), errors: vec![error] };
        let fresh = self.planned().take().is_some_and(|(s, t, o)| s == stack && t == *state && o == options);
        if !fresh && let Err(error) = self.plan_file(stack, state, options) {
            return failed(error);
        }
        *self.planned() = None;
        match self.call(&["apply", "-input=false", "-no-color", "-lock=false", "plan.bin"]) {
            Err(e) => failed(e.to_string()),
            Ok((ok, output)) => {
                let errors = if ok { vec![] } else { vec![errors(&output)] };
                Applied { state: self.state(), errors }
            }
        }
    }

    async fn import(&self, stack: &str, state: &State, address: &str, id: &str) -> Result<State, String> {
        self.prepare(stack, state).map_err(|e| e.to_string())?;
        match self.call(&["import", "-input=false", "-no-color", "-lock=false", address, id]) {
            Err(e) => Err(e.to_string()),
            Ok((true, _)) => Ok(self.state()),
            Ok((false, output)) => Err(errors(&output)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_becomes_terraforms_json() {
        let stack = "[provider.aws]\nregion = \"eu-west-2\"\n[resource.a.it]\nn = 1\nb = true\nl = [{ x = 1.5 }]\n";
        let json = to_terraform(toml::from_str(stack).unwrap());
        assert_eq!(json["resource"], json!({ "a": { "it": { "n": 1, "b": true, "l": [{ "x": 1.5 }] } } }));
        assert_eq!(json["provider"]["aws"]["region"], "eu-west-2");
        assert_eq!(json["terraform"]["backend"]["local"]["path"], "terraform.tfstate");
        assert_eq!(errors("Planning...\n\nError: no\n\n"), "Error: no");
    }
}
