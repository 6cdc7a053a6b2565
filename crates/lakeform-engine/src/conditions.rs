//! Evaluating conditions: validations, preconditions and postconditions, whose failure is an error, and the assertions of
//! check blocks, whose failure is a warning.

use std::{collections::BTreeMap, fmt, sync::PoisonError};

use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, InstanceKey, ModuleInstance, Type, Value};
use lakeform_lang::{Check, CheckBlock};
use petgraph::graph::NodeIndex;

use crate::{
    CheckKind, CheckResults, CheckStatus,
    evaluate::Evaluator,
    graph::{Graph, Kind},
    results::{Checked, CheckedObject, as_warnings, one_line},
};

/// What a condition is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Condition<'a> {
    /// A variable's validation.
    Validation(&'a str),
    /// An output's precondition.
    Output(&'a str),
    /// A resource's precondition.
    Before(&'a InstanceAddress),
    /// A resource's postcondition.
    After(&'a InstanceAddress),
    /// An assertion of a check block.
    Assert(&'a str),
}

impl Condition<'_> {
    fn kind(self) -> CheckKind {
        match self {
            Self::Validation(_) => CheckKind::Var,
            Self::Output(_) => CheckKind::Output,
            Self::Before(_) | Self::After(_) => CheckKind::Resource,
            Self::Assert(_) => CheckKind::Check,
        }
    }

    /// The addresses of the block and of the object.
    fn addresses(self, at: &ModuleInstance) -> (String, String) {
        match self {
            Self::Before(address) | Self::After(address) => (address.config().to_string(), address.to_string()),
            Self::Validation(name) | Self::Output(name) | Self::Assert(name) => {
                let kind = self.kind();
                (within(at.path(), kind, name), within(at, kind, name))
            }
        }
    }
}

impl fmt::Display for Condition<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Validation(name) => write!(f, "Invalid value for variable `{name}`"),
            Self::Output(name) => write!(f, "Precondition of output failed: `{name}`"),
            Self::Before(address) => write!(f, "Precondition failed: `{address}`"),
            Self::After(address) => write!(f, "Postcondition failed: `{address}`"),
            Self::Assert(_) => f.write_str("Check block assertion failed"),
        }
    }
}

/// `module.m.check.health`
fn within(module: impl fmt::Display, kind: CheckKind, name: &str) -> String {
    let module = module.to_string();
    let dot = if module.is_empty() { "" } else { "." };
    format!("{module}{dot}{}.{name}", kind.name())
}

/// How a condition turned out.
enum Verdict {
    Holds,
    Unknown,
    /// With what it says, if that may be shown.
    Fails(Option<String>),
}

/// A check block in the graph.
#[derive(Clone, Copy)]
pub(crate) struct CheckNode<'a> {
    pub(crate) module: usize,
    pub(crate) name: &'a str,
    pub(crate) block: &'a CheckBlock,
    /// The node of its own data source.
    pub(crate) data: Option<NodeIndex>,
}

impl<'a> Evaluator<'a> {
    /// Evaluates conditions; those that cannot be told yet hold for now.
    ///
    /// # Errors
    /// One problem for each that does not hold, with its message.
    pub(crate) fn checks(
        &self,
        module: usize,
        at: &ModuleInstance,
        each: Option<(InstanceKey, Value)>,
        checks: &[Check],
        this: Option<Value>,
        subject: Condition<'_>,
    ) -> Result<(), Diagnostics> {
        let mut problems = Diagnostics::new();
        for check in checks {
            match self.verdict(module, at, each.clone(), this.clone(), check) {
                Ok(Verdict::Holds) => self.record(subject, at, CheckStatus::Pass, None),
                Ok(Verdict::Unknown) => self.record(subject, at, CheckStatus::Unknown, None),
                Ok(Verdict::Fails(message)) => {
                    problems.push(failed(subject, check, message.clone()));
                    self.record(subject, at, CheckStatus::Fail, message);
                }
                Err(e) => {
                    self.record(subject, at, CheckStatus::Error, None);
                    problems.extend(e);
                }
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(problems) }
    }

    /// Evaluates the assertions of a check block; all that is wrong are warnings. `planning` says of those that are not
    /// known yet that they will be; after failures (`failures`) a value can be missing, and its assertions stay unknown.
    pub(crate) fn assertions(&self, check: CheckNode<'_>, planning: bool, failures: bool) -> Diagnostics {
        let subject = Condition::Assert(check.name);
        let mut problems = Diagnostics::new();
        for at in self.store.instances(check.module).iter() {
            let address = subject.addresses(at).1;
            for assert in &check.block.asserts {
                let status = match self.verdict(check.module, at, None, None, assert) {
                    Ok(Verdict::Holds) => CheckStatus::Pass,
                    Ok(Verdict::Unknown) => {
                        if planning {
                            problems.push(later(assert).address(&address));
                        }
                        CheckStatus::Unknown
                    }
                    Ok(Verdict::Fails(message)) => {
                        problems.push(failed(subject, assert, message.clone()).address(&address));
                        self.record(subject, at, CheckStatus::Fail, message);
                        continue;
                    }
                    Err(_) if failures => CheckStatus::Unknown,
                    Err(mut e) => {
                        e.0.iter_mut().for_each(|d| d.address = Some(address.clone()));
                        problems.extend(e);
                        CheckStatus::Error
                    }
                };
                self.record(subject, at, status, None);
            }
        }
        as_warnings(problems)
    }

    /// Takes down that the data source of a check could not be read: it is a warning, and what it gives is unknown.
    pub(crate) fn unread(&self, check: CheckNode<'_>, at: &ModuleInstance, problems: Diagnostics) -> Diagnostics {
        for problem in problems.iter() {
            self.record(Condition::Assert(check.name), at, CheckStatus::Fail, Some(one_line(problem)));
        }
        if let Some(node) = check.data {
            self.store.set(node, at, Value::unknown(Type::Dynamic));
        }
        as_warnings(problems)
    }

    /// The check blocks of all modules.
    pub(crate) fn check_nodes(&self, wanted: impl Fn(NodeIndex) -> bool) -> Vec<CheckNode<'a>> {
        let graph: &'a Graph = self.graph;
        let mut out = vec![];
        for (module, nodes) in graph.modules.iter().enumerate() {
            for (name, block) in &nodes.module.checks {
                if wanted(nodes.checks[name]) {
                    let data = block.data.as_ref().and_then(|key| nodes.resources.get(key).copied());
                    out.push(CheckNode { module, name, block, data });
                }
            }
        }
        out
    }

    /// The results of this walk. Blocks that it did not come by are unknown, as a whole if it did not look at them at all.
    pub(crate) fn check_results(&self, visited: impl Fn(NodeIndex) -> bool) -> CheckResults {
        let mut out = BTreeMap::new();
        for node in self.graph.dag.node_indices() {
            let at = &self.graph.dag[node];
            let here = &self.graph.modules[at.module];
            let (kind, address) = match &at.kind {
                Kind::Variable(n) if here.module.variables.get(n).is_some_and(|v| !v.validations.is_empty()) => {
                    (CheckKind::Var, within(&here.path, CheckKind::Var, n))
                }
                Kind::Output(n) if here.module.outputs.get(n).is_some_and(|o| !o.preconditions.is_empty()) => {
                    (CheckKind::Output, within(&here.path, CheckKind::Output, n))
                }
                Kind::Check(n) => (CheckKind::Check, within(&here.path, CheckKind::Check, n)),
                Kind::Resource(key) => match (here.module.resources.get(key), self.graph.address(node)) {
                    (Some(block), Some(address)) if block.lifecycle.has_conditions() => {
                        (CheckKind::Resource, address.to_string())
                    }
                    _ => continue,
                },
                _ => continue,
            };
            let mut objects = visited(node).then(BTreeMap::new);
            if kind == CheckKind::Output && at.module == 0 {
                // Terraform knows without looking that there is exactly one.
                let unknown = CheckedObject { status: CheckStatus::Unknown, ..CheckedObject::default() };
                objects.get_or_insert_default().insert(address.clone(), unknown);
            }
            out.insert(address, Checked { kind, objects });
        }
        let mut out = CheckResults(out);
        out.overlay(self.results.lock().unwrap_or_else(PoisonError::into_inner).clone());
        out
    }

    fn verdict(
        &self,
        module: usize,
        at: &ModuleInstance,
        each: Option<(InstanceKey, Value)>,
        this: Option<Value>,
        check: &Check,
    ) -> Result<Verdict, Diagnostics> {
        self.scoped(module, at, each, this, |scope| {
            let value = check.condition.evaluate(scope)?;
            let value = lakeform_core::convert(&value, &Type::Bool).map_err(|e| {
                Diagnostic::error("Invalid condition").detail(e.message).span(check.condition.span().clone())
            })?;
            if !value.is_known() {
                return Ok(Verdict::Unknown);
            }
            if value.as_bool() == Some(true) {
                return Ok(Verdict::Holds);
            }
            let message = check.error_message.evaluate(scope)?;
            Ok(Verdict::Fails(message.as_str().filter(|_| message.marks().is_empty()).map(str::to_owned)))
        })
    }

    fn record(&self, subject: Condition<'_>, at: &ModuleInstance, status: CheckStatus, message: Option<String>) {
        let (block, object) = subject.addresses(at);
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        let block = results.0.entry(block).or_insert(Checked { kind: subject.kind(), objects: None });
        block.objects.get_or_insert_default().entry(object).or_default().add(status, message);
    }
}

fn failed(subject: Condition<'_>, check: &Check, message: Option<String>) -> Diagnostic {
    let hidden = || "the condition does not hold (its message is sensitive, ephemeral or unknown)".to_owned();
    Diagnostic::error(subject.to_string()).detail(message.unwrap_or_else(hidden)).span(check.condition.span().clone())
}

/// Terraform's words.
fn later(check: &Check) -> Diagnostic {
    Diagnostic::warning("Check block assertion known after apply")
        .detail("The condition could not be evaluated at this time, a result will be known when this plan is applied.")
        .span(check.condition.span().clone())
}
