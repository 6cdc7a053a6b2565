//! The command line as a program of its own.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Output,
};

use super::{Applied, Lakeform, Options, PlanSummary, State};

/// A `lakeform` program. Every call has a folder of its own.
#[derive(Clone, Debug)]
pub struct Binary {
    program: PathBuf,
    env: BTreeMap<String, String>,
}

impl Binary {
    /// The program at a path, with what it needs to reach the endpoint
    /// ([`environment_for`](crate::emulator::environment_for)).
    pub fn new(program: &Path, env: BTreeMap<String, String>) -> Self {
        Self { program: program.to_owned(), env }
    }

    async fn run(
        &self,
        stack: &str,
        state: &State,
        verb: &str,
        arguments: &[&str],
    ) -> std::io::Result<(Output, State)> {
        let folder = tempfile::tempdir()?;
        let kept = folder.path().join("s.tfstate");
        tokio::fs::write(folder.path().join("stack.toml"), stack).await?;
        if let Some(state) = state {
            tokio::fs::write(&kept, state).await?;
        }
        let mut command = tokio::process::Command::new(&self.program);
        command.args([verb, "stack.toml"]).args(arguments).args(["--state", "s.tfstate"]);
        let output = command.current_dir(folder.path()).envs(&self.env).output().await?;
        Ok((output, tokio::fs::read_to_string(&kept).await.ok()))
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

impl Lakeform for Binary {
    fn name(&self) -> &'static str {
        "lakeform"
    }

    async fn plan(&self, stack: &str, state: &State, options: Options) -> Result<PlanSummary, String> {
        let mut arguments = vec!["--json"];
        arguments.extend(options.destroy.then_some("--destroy"));
        arguments.extend((!options.refresh).then_some("--refresh=false"));
        let (output, _) = self.run(stack, state, "plan", &arguments).await.map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(said(&output));
        }
        let plan = serde_json::from_slice(&output.stdout).map_err(|e| format!("its plan is no JSON: {e}"))?;
        Ok(PlanSummary::from_plan_json(&plan))
    }

    async fn apply(&self, stack: &str, state: &State, options: Options) -> Applied {
        let verb = if options.destroy { "destroy" } else { "apply" };
        match self.run(stack, state, verb, &["--auto-approve"]).await {
            Ok((output, state)) => {
                Applied { state, errors: (!output.status.success()).then(|| said(&output)).into_iter().collect() }
            }
            Err(e) => Applied { state: state.clone(), errors: vec![e.to_string()] },
        }
    }

    async fn import(&self, stack: &str, state: &State, address: &str, id: &str) -> Result<State, String> {
        let (output, state) = self.run(stack, state, "import", &[address, id]).await.map_err(|e| e.to_string())?;
        if output.status.success() { Ok(state) } else { Err(said(&output)) }
    }
}
