//! A stack, a state and a cloud in memory, driven through the engine.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, Value};
use lakeform_engine::{
    Action, ApplyInput, ApplyReport, Cancel, Change, NoEvents, OnError, Plan, PlanInput, PlanMode, PlanOptions,
    Providers, Save,
};
use lakeform_lang::{Environment, Stack};
use lakeform_provider::BoxFuture;
use lakeform_state::{Lease, ObjectState, State};
use lakeform_testkit::fake::{FakeCloud, FakeProvider};

/// Everything a life-cycle test needs. The state survives from one `apply` to the next.
pub(crate) struct World {
    pub(crate) cloud: FakeCloud,
    pub(crate) providers: Providers,
    pub(crate) state: State,
    pub(crate) variables: BTreeMap<Arc<str>, Value>,
    pub(crate) options: PlanOptions,
    pub(crate) cancel: Cancel,
    pub(crate) on_error: OnError,
    pub(crate) lease: Lease,
    /// Every state that the last apply saved, in order.
    pub(crate) saved: Vec<State>,
    /// Where the modules are.
    directory: Option<tempfile::TempDir>,
}

/// Keeps every state that was saved.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Mutex<Vec<State>>);

impl Save for Kept {
    fn save<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, Diagnostic>> {
        let mut kept = self.0.lock().unwrap();
        kept.push(state.clone());
        let serial = kept.len() as u64;
        Box::pin(async move { Ok(serial) })
    }
}

/// Reads a stack from its text.
pub(crate) fn stack(text: &str) -> Stack {
    match lakeform_lang::load_str("stack.toml", text) {
        Ok((stack, _)) => stack,
        Err(e) => panic!("the test's stack is wrong: {e}"),
    }
}

impl World {
    pub(crate) fn new() -> Self {
        let cloud = FakeCloud::new();
        let fake = Arc::new(FakeProvider::new(&cloud));
        let terraform = Arc::new(lakeform_utility::LocalProvider::terraform());
        Self {
            cloud,
            providers: Providers::new([fake as Arc<dyn lakeform_provider::Provider>, terraform]),
            state: State::new("00000000-0000-0000-0000-000000000000"),
            variables: BTreeMap::new(),
            options: PlanOptions::default(),
            cancel: Cancel::new(),
            on_error: OnError::Keep,
            lease: Lease::unlimited(),
            saved: vec![],
            directory: None,
        }
    }

    /// Writes a module that stacks find as `./NAME`.
    pub(crate) fn module(&mut self, name: &str, text: &str) {
        let at = self.directory.get_or_insert_with(|| tempfile::tempdir().unwrap()).path().join(name);
        std::fs::create_dir_all(&at).unwrap();
        std::fs::write(at.join("main.toml"), text).unwrap();
    }

    /// Reads a stack, with modules where there are any.
    pub(crate) fn stack(&self, text: &str) -> Stack {
        let Some(directory) = &self.directory else { return stack(text) };
        std::fs::write(directory.path().join("stack.toml"), text).unwrap();
        match lakeform_lang::load(std::path::Path::new("stack.toml"), directory.path()) {
            Ok((stack, _)) => stack,
            Err(e) => panic!("the test's stack is wrong: {e}"),
        }
    }

    pub(crate) async fn try_plan(&self, text: &str) -> Result<Plan, Diagnostics> {
        let stack = self.stack(text);
        let problems = lakeform_lang::validate(&stack, &self.providers);
        if problems.has_errors() {
            return Err(problems);
        }
        lakeform_engine::plan(PlanInput {
            stack: &stack,
            providers: &self.providers,
            variables: self.variables.clone(),
            state: self.state.clone(),
            open: BTreeMap::new(),
            recovered: vec![],
            recent: false,
            options: self.options.clone(),
            environment: Environment::default(),
            events: &NoEvents,
            cancel: &self.cancel,
        })
        .await
    }

    pub(crate) async fn plan(&self, text: &str) -> Plan {
        self.try_plan(text).await.unwrap_or_else(|e| panic!("the plan failed: {e}"))
    }

    /// Plans and applies, and keeps the state.
    pub(crate) async fn try_apply(&mut self, text: &str) -> ApplyReport {
        let plan = self.plan(text).await;
        self.carry_out(text, plan).await
    }

    pub(crate) async fn carry_out(&mut self, text: &str, plan: Plan) -> ApplyReport {
        let stack = self.stack(text);
        let kept = Kept::default();
        let report = lakeform_engine::apply(ApplyInput {
            plan,
            stack: &stack,
            providers: &self.providers,
            environment: Environment { now: Some(jiff::Timestamp::UNIX_EPOCH), ..Environment::default() },
            events: &NoEvents,
            cancel: &self.cancel,
            lease: self.lease.clone(),
            save: &kept,
            on_error: self.on_error,
        })
        .await;
        self.saved = kept.0.into_inner().unwrap();
        self.state = report.state.clone();
        self.state.serial += 1;
        report
    }

    /// Plans and applies; everything must succeed, and a second plan must be empty.
    pub(crate) async fn apply(&mut self, text: &str) -> ApplyReport {
        let report = self.try_apply(text).await;
        assert!(report.diagnostics.is_empty(), "the apply failed: {}", report.diagnostics);
        let again = self.plan(text).await;
        assert!(!again.has_changes(), "the second plan is not empty: {:?}", actions(&again));
        report
    }

    pub(crate) async fn destroy(&mut self, text: &str) -> ApplyReport {
        self.options.mode = PlanMode::Destroy;
        let report = self.try_apply(text).await;
        self.options.mode = PlanMode::Normal;
        report
    }

    /// Why a plan is refused.
    pub(crate) async fn refusal(&self, text: &str) -> String {
        match self.try_plan(text).await {
            Ok(plan) => panic!("the plan was made: {:?}", actions(&plan)),
            Err(problems) => told(&problems),
        }
    }

    /// Plans and applies a stack of which something fails; the problems, one to a line.
    pub(crate) async fn failure(&mut self, text: &str) -> (ApplyReport, String) {
        let report = self.try_apply(text).await;
        assert!(report.diagnostics.has_errors(), "nothing failed");
        let text = told(&report.diagnostics);
        (report, text)
    }

    /// The current object in state.
    pub(crate) fn object(&self, at: &str) -> Option<&ObjectState> {
        self.state.current(&address(at))
    }

    /// An attribute of the current object in state, as text.
    pub(crate) fn attribute(&self, at: &str, name: &str) -> Option<String> {
        let json = self.object(at)?.attributes.json().unwrap();
        match &json[name] {
            serde_json::Value::Null => None,
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }

    /// How many deposed objects state holds of an instance.
    pub(crate) fn deposed(&self, at: &str) -> usize {
        self.state.get(&address(at)).map_or(0, |i| i.deposed.len())
    }

    /// Marks an object as tainted.
    pub(crate) fn taint(&mut self, at: &str) {
        self.state.current_mut(&address(at)).unwrap().tainted = true;
    }

    /// What an apply calls that changes something, in order.
    pub(crate) async fn calls_of(&mut self, text: &str) -> Vec<String> {
        self.cloud.forget_calls();
        self.apply(text).await;
        self.cloud.changes()
    }

    /// The addresses in state.
    pub(crate) fn addresses(&self) -> Vec<String> {
        self.state.iter().map(|(a, _)| a.to_string()).collect()
    }
}

/// An address from its text.
pub(crate) fn address(text: &str) -> InstanceAddress {
    text.parse().unwrap_or_else(|e| panic!("{text}: {e}"))
}

/// Problems as people read them, one to a line.
pub(crate) fn told(problems: &Diagnostics) -> String {
    let line = |d: &Diagnostic| {
        let parts = [d.address.clone(), Some(d.summary.clone()), d.detail.clone(), d.help.clone()];
        parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What a plan says of an instance.
pub(crate) fn change<'a>(plan: &'a Plan, at: &str) -> &'a Change {
    let at = address(at);
    let found = plan.changes.iter().find(|c| c.address == at && c.deposed.is_none());
    found.unwrap_or_else(|| panic!("the plan says nothing of {at}"))
}

/// A plan's actions as one text: `fake_thing.a Create, fake_thing.b Update`.
pub(crate) fn summary(plan: &Plan) -> String {
    actions(plan).iter().map(|(at, action)| format!("{at} {action:?}")).collect::<Vec<_>>().join(", ")
}

/// What a plan would do, no-ops left out: `("fake_thing.a", Action::Create)`.
pub(crate) fn actions(plan: &Plan) -> Vec<(String, Action)> {
    let changes = plan.changes.iter().filter(|c| c.action != Action::NoOp);
    changes
        .map(|c| {
            let deposed = c.deposed.as_ref().map(|_| " (deposed)").unwrap_or_default();
            (format!("{}{deposed}", c.address), c.action)
        })
        .collect()
}
