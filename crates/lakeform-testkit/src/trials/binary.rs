//! The `lakeform` program.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use super::{Applied, Lakeform, Options, PlanSummary, State};

/// The program `lakeform` as a child process, talking to one endpoint. Every call gets a folder of its own.
#[derive(Clone, Debug)]
pub struct Binary {
    program: PathBuf,
    env: BTreeMap<String, String>,
}

/// One call's folder with its stack and state.
struct Room(tempfile::TempDir);

impl Room {
    fn new(stack: &str, state: &State) -> std::io::Result<Self> {
        let room = Self(tempfile::tempdir()?);
        std::fs::write(room.path("stack.toml"), stack)?;
        if let Some(text) = state {
            std::fs::write(room.path("state.tfstate"), text)?;
        }
        Ok(room)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn state(&self) -> State {
        std::fs::read_to_string(self.path("state.tfstate")).ok()
    }
}

impl Binary {
    /// The program at a path. `env` is what it needs to reach the endpoint
    /// ([`environment_for`](crate::emulator::environment_for)).
    pub fn new(program: impl Into<PathBuf>, env: BTreeMap<String, String>) -> Self {
        Self { program: program.into(), env }
    }

    fn call(&self, room: &Room, command: &[&str], options: Options) -> Result<Output, String> {
        let (verb, rest) = command.split_first().ok_or("no command is given")?;
        let mut call = Command::new(&self.program);
        call.arg(verb).arg("stack.toml").args(rest);
        call.args(["--state", "state.tfstate", "--no-color"]);
        if *verb != "import" {
            call.arg("--input=false");
        }
        call.args((!options.refresh).then_some("--refresh=false"));
        call.current_dir(room.path("")).envs(&self.env);
        let output = call.output().map_err(|e| format!("{}: {e}", self.program.display()))?;
        if output.status.success() { Ok(output) } else { Err(told(&output)) }
    }
}

fn told(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if text.is_empty() { format!("it ended with {} and said nothing", output.status) } else { text }
}

impl Lakeform for Binary {
    fn name(&self) -> &'static str {
        "lakeform"
    }

    async fn plan(&self, stack: &str, state: &State, options: Options) -> Result<PlanSummary, String> {
        let room = Room::new(stack, state).map_err(|e| e.to_string())?;
        let destroy = options.destroy.then_some("--destroy");
        let command: Vec<_> = ["plan", "--json"].into_iter().chain(destroy).collect();
        let output = self.call(&room, &command, options)?;
        let plan = serde_json::from_slice(&output.stdout).map_err(|e| format!("its plan is no JSON: {e}"))?;
        Ok(PlanSummary::from_plan_json(&plan))
    }

    async fn apply(&self, stack: &str, state: &State, options: Options) -> Applied {
        let room = match Room::new(stack, state) {
            Ok(room) => room,
            Err(e) => return Applied { state: state.clone(), errors: vec![e.to_string()] },
        };
        let verb = if options.destroy { "destroy" } else { "apply" };
        let done = self.call(&room, &[verb, "--auto-approve"], options);
        Applied { state: room.state(), errors: done.err().into_iter().collect() }
    }

    async fn import(&self, stack: &str, state: &State, address: &str, id: &str) -> Result<State, String> {
        let room = Room::new(stack, state).map_err(|e| e.to_string())?;
        self.call(&room, &["import", address, id], Options::default())?;
        Ok(room.state())
    }
}

/// The `lakeform` that the workspace built: beside the running test.
pub fn built_program(test: &Path) -> Option<PathBuf> {
    // target/debug/deps/test-1234 -> target/debug/lakeform
    let beside = test.parent()?.parent()?.join("lakeform");
    beside.is_file().then_some(beside)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A program that writes down how it was called, and answers as the command line does.
    const SCRIPT: &str = r#"#!/bin/sh
echo "$@" "$AWS_ENDPOINT_URL" >&2
case "$1" in
    plan) echo '{"resource_changes":[{"address":"a.it","change":{"actions":["create"]}}]}' ;;
    apply) cat stack.toml state.tfstate > new && mv new state.tfstate ;;
    import) printf '%s' "$4" > state.tfstate ;;
    *) exit 1 ;;
esac
"#;

    #[tokio::test]
    async fn the_program_is_called_with_stack_and_state() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("lakeform");
        std::fs::write(&program, SCRIPT).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let binary = Binary::new(&program, [("AWS_ENDPOINT_URL".to_owned(), "http://x".to_owned())].into());
        let state = Some("old".to_owned());
        let plan = binary.plan("new ", &state, Options::default()).await.unwrap();
        assert!(plan.of("a.it").unwrap().is("create"));
        let applied = binary.apply("new ", &state, Options::default()).await;
        assert_eq!((applied.state.as_deref(), applied.errors.len()), (Some("new old"), 0));
        let imported = binary.import("new ", &state, "a.it", "id").await.unwrap();
        assert_eq!(imported.as_deref(), Some("id"));
        let failed = binary.apply("new ", &state, Options { destroy: true, refresh: false }).await;
        assert_eq!(failed.state, state);
        let call =
            "destroy stack.toml --auto-approve --state state.tfstate --no-color --input=false --refresh=false http://x";
        assert_eq!(failed.errors, [call]);
    }

    #[test]
    fn the_program_lies_beside_the_test() {
        let target = tempfile::tempdir().unwrap();
        let test = target.path().join("deps/all-1234");
        assert_eq!(built_program(&test), None);
        std::fs::write(target.path().join("lakeform"), "").unwrap();
        assert_eq!(built_program(&test), Some(target.path().join("lakeform")));
    }
}
