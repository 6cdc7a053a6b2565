//! Making a plan: walking the graph, reading live objects, deciding instance by instance.

mod checks;
mod collisions;
mod data;
mod delete;
mod import;
mod managed;
mod recover;
mod refresh;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use lakeform_core::{
    ConfigAddress, Diagnostic, Diagnostics, InstanceAddress, Mode, ModuleInstance, ModulePath, ResourceAddress, Type,
    Value, address::Target,
};
use lakeform_lang::{Endpoint, Environment, Expr, Stack};
use lakeform_state::{InstanceState, Lease, OutputState, State, journal::Open};
use petgraph::graph::NodeIndex;

use crate::{
    Action, Cancel, Change, Drift, Events, OutputChange, Plan, PlanMode, PlanOptions, Providers, as_shown,
    calls::Calls,
    cancel::Level,
    deps::Dependencies,
    evaluate::Evaluator,
    graph::{Graph, Kind},
    map::{HashMap, HashSet},
    moves::Moves,
    order::{self, End},
    target::Selection,
};

pub(crate) use managed::ignored;

/// All that a plan is made from.
pub struct PlanInput<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// The providers.
    pub providers: &'a Providers,
    /// Values for the root module's variables, by precedence already merged; the plan checks and converts them.
    pub variables: BTreeMap<Arc<str>, Value>,
    /// The stored state.
    pub state: State,
    /// What the state holds without anybody knowing whether it is so: what a run that was cut off left open.
    pub open: BTreeMap<InstanceAddress, Open>,
    /// What that run had done and the state holds now, in words.
    pub recovered: Vec<String>,
    /// Whether that was a moment ago: what is not found is looked for again.
    pub recent: bool,
    /// How to plan.
    pub options: PlanOptions,
    /// What expressions may see of the world.
    pub environment: Environment,
    /// Who is told what happens.
    pub events: &'a dyn Events,
    /// Stops the run.
    pub cancel: &'a Cancel,
}

/// Makes a plan: reads live objects, compares them with the stack, and decides. Changes nothing.
///
/// # Errors
/// All problems that were found, each with its place or its object. Independent parts are planned all the same, so that
/// one run reports everything.
pub async fn plan(mut input: PlanInput<'_>) -> Result<Plan, Diagnostics> {
    let stored_serial = input.state.serial;
    let moves = Moves::apply(input.stack, &mut input.state, input.providers)?;
    let graph = Graph::build(input.stack, &input.state)?;
    let dependencies = Dependencies::of(&graph);
    let selection = Selection::new(&graph, &input.options, &input.state);
    let mut blocks: HashMap<ConfigAddress, Vec<ResourceAddress>> = HashMap::default();
    for address in input.state.resources.keys() {
        blocks.entry(address.config()).or_default().push(address.clone());
    }
    let planner = Planner {
        blocks,
        evaluator: Evaluator::new(&graph, input.providers, &input.variables, &input.environment, input.state),
        graph: &graph,
        dependencies,
        selection,
        options: &input.options,
        calls: Calls::new(input.events, input.cancel, Lease::unlimited(), input.options.parallelism),
        cancel: input.cancel,
        open: &input.open,
        recovered: &input.recovered,
        recent: input.recent,
        found: Mutex::default(),
        create_first: HashSet::default(),
        moves,
    };
    planner.refuse_untargeted_moves()?;
    planner.run(stored_serial).await
}

/// What the walk collects.
#[derive(Default)]
struct Found {
    problems: Diagnostics,
    changes: Vec<Change>,
    drift: Vec<Drift>,
    read: BTreeMap<InstanceAddress, Value>,
    /// Current objects as they were read (or stored, where nothing is read), with their marks.
    prior: HashMap<InstanceAddress, Value>,
    /// Resource nodes with a change in this plan.
    changed: HashSet<NodeIndex>,
    /// What `[[import]]` blocks say.
    adoptions: import::Adoptions,
    /// What was found of what a run that was cut off left open.
    resolved: Vec<String>,
}

struct Planner<'a> {
    evaluator: Evaluator<'a>,
    graph: &'a Graph,
    dependencies: Dependencies,
    selection: Selection,
    options: &'a PlanOptions,
    calls: Calls<'a>,
    cancel: &'a Cancel,
    open: &'a BTreeMap<InstanceAddress, Open>,
    recovered: &'a [String],
    recent: bool,
    found: Mutex<Found>,
    /// What state holds of each resource block: one resource for each instance of its module.
    blocks: HashMap<ConfigAddress, Vec<ResourceAddress>>,
    /// Resource nodes whose replacements create first: asked for, or because something above them asks for it.
    create_first: HashSet<NodeIndex>,
    /// What `[[moved]]` did to the state, and `[[removed]]` will do.
    moves: Moves,
}

impl Planner<'_> {
    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(mut self, stored_serial: u64) -> Result<Plan, Diagnostics> {
        self.create_first = self.creating_first()?;
        let only = (self.options.mode == PlanMode::Destroy).then(|| self.needed_to_destroy());
        {
            let this = &self;
            let only = only.as_ref();
            order::walk(
                &this.graph.dag,
                |node| async move {
                    let left_out = only.is_some_and(|only| !only.contains(&node));
                    if left_out {
                        return End::Done;
                    }
                    match this.visit(node).await {
                        Ok(()) => End::Done,
                        Err(problems) => {
                            this.found().problems.extend(problems);
                            End::Failed
                        }
                    }
                },
                |_| {},
                || this.cancel.level() > Level::Run,
            )
            .await;
        }
        if self.cancel.level() > Level::Run {
            return Err(Diagnostic::error("Planning was interrupted").detail("nothing was changed").into());
        }
        self.checks().await;
        self.finish(stored_serial)
    }

    /// Resource nodes that create before they destroy, and all that they depend on (Terraform: the setting is inherited
    /// by dependencies, because the old dependent needs its dependency until the new one stands).
    fn creating_first(&self) -> Result<HashSet<NodeIndex>, Diagnostics> {
        let mut out = HashSet::default();
        let mut problems = Diagnostics::new();
        for node in self.graph.by_address.values() {
            let Some((index, resource)) = self.evaluator.block(*node) else { continue };
            let Some(expr) = &resource.lifecycle.create_before_destroy else { continue };
            match self.early_bool(index, expr, "create_before_destroy") {
                Ok(true) => {
                    out.insert(*node);
                    out.extend(self.dependencies.get(*node).iter().filter_map(|d| self.graph.by_address.get(d)));
                }
                Ok(false) => {}
                Err(e) => problems.extend(e),
            }
        }
        if problems.is_empty() { Ok(out) } else { Err(problems) }
    }

    fn early_bool(&self, module: usize, expr: &Expr, what: &str) -> Result<bool, Diagnostics> {
        let value = self.evaluator.early(module, expr)?;
        let value = lakeform_core::convert(&value, &Type::Bool);
        match value.ok().and_then(|v| v.as_bool()) {
            Some(value) => Ok(value),
            None => Err(Diagnostic::error(format!("Invalid `{what}`"))
                .detail("true or false is required, known before planning")
                .span(expr.span().clone())
                .into()),
        }
    }

    /// In a plan to destroy everything, only providers (and what configures them) are worked out, and resources.
    fn needed_to_destroy(&self) -> HashSet<NodeIndex> {
        let mut needed: HashSet<NodeIndex> = HashSet::default();
        let mut left: Vec<NodeIndex> = vec![];
        for node in self.graph.dag.node_indices() {
            match &self.graph.dag[node].kind {
                Kind::Provider(_) => left.push(node),
                Kind::Resource((Mode::Managed, ..)) | Kind::Orphan(_) | Kind::Refresh(_) => {
                    needed.insert(node);
                }
                _ => {}
            }
        }
        while let Some(node) = left.pop() {
            if needed.insert(node) {
                let above = self.graph.dag.neighbors_directed(node, petgraph::Direction::Incoming);
                left.extend(above.filter(|n| !matches!(self.graph.dag[*n].kind, Kind::Resource((Mode::Managed, ..)))));
            }
        }
        needed
    }

    /// Every instance that state holds of a resource block.
    fn held_of<'s>(
        &self,
        state: &'s State,
        block: &ConfigAddress,
    ) -> impl Iterator<Item = (InstanceAddress, &'s InstanceState)> {
        let resources = self.blocks.get(block).map(Vec::as_slice).unwrap_or_default();
        let held = resources.iter().filter_map(|a| state.resources.get_key_value(a));
        held.flat_map(|(a, r)| r.instances.iter().map(|(k, i)| (a.instance(k.clone()), i)))
    }

    async fn visit(&self, node: NodeIndex) -> Result<(), Diagnostics> {
        let at = &self.graph.dag[node];
        let root_output = matches!(at.kind, Kind::Output(_)) && at.module == 0;
        if !(self.selection.has(node) || root_output && self.selection.has_output(self.graph, node)) {
            // Providers are configured all the same: refreshing and deleting need them.
            let opens = matches!(&at.kind, Kind::Refresh(address) if self.is_open(address));
            if !opens && !matches!(at.kind, Kind::Provider(_) | Kind::Variable(_) | Kind::Local(_)) {
                return Ok(());
            }
        }
        match &at.kind {
            Kind::Provider(_) => self.evaluator.configure(node).await,
            Kind::Refresh(address) => self.refresh(address).await,
            Kind::Resource((Mode::Managed, ..)) if self.options.mode == PlanMode::Destroy => self.destroy(node),
            Kind::Resource((Mode::Managed, ..)) => self.managed(node).await,
            Kind::Resource((Mode::Data, ..)) if self.graph.in_check(node) => Ok(()),
            Kind::Resource((Mode::Data, ..)) => self.data(node).await,
            Kind::Resource((Mode::Ephemeral, ..)) => {
                self.evaluator.open(node, &self.calls, self.cancel, self.pending(node)).await
            }
            Kind::Orphan(_) => self.destroy(node),
            Kind::Output(_) if root_output && self.options.mode == PlanMode::Destroy => Ok(()),
            _ => self.evaluator.evaluate(node),
        }
    }

    fn finish(self, stored_serial: u64) -> Result<Plan, Diagnostics> {
        let outputs = self.outputs();
        let looked_at = |node| self.options.mode != PlanMode::Destroy && self.selection.has(node);
        let checks = self.evaluator.check_results(looked_at);
        let unused: Vec<_> = self
            .options
            .imports
            .iter()
            .filter(|(a, _)| !self.found().changes.iter().any(|c| c.address == *a))
            .map(|(a, id)| {
                Diagnostic::error(format!("Cannot import `{id}`: the stack has no `{a}`"))
                    .help("declare the resource in the stack first")
            })
            .collect();
        self.drop_stale_data();
        self.tell_of_recovery();
        self.tell_of_moves();
        // Where something failed, instances are missing for another reason; a part of a stack lacks some on purpose.
        if self.options.mode != PlanMode::Destroy && !self.selection.is_partial() && !self.found().problems.has_errors()
        {
            let stray = self.refuse_stray_adoptions();
            self.found().problems.extend(stray);
        }
        self.found().changes.sort_by(|a, b| (&a.address, &a.deposed).cmp(&(&b.address, &b.deposed)));
        if self.options.mode == PlanMode::Normal {
            let mut found = self.found();
            let clashes = self.collisions(&found.changes);
            found.problems.extend(clashes);
        }
        let Planner { evaluator, found, options, selection, .. } = self;
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.problems.0.extend(unused);
        if found.problems.has_errors() {
            found
                .problems
                .0
                .sort_by_key(|d| (d.span.as_ref().map(|s| (s.source.path.clone(), s.range.start)), d.address.clone()));
            found.problems.0.dedup();
            return Err(found.problems);
        }
        if selection.is_partial() {
            found.problems.push(
                Diagnostic::warning("The plan covers only a part of the stack")
                    .detail("--target or --exclude is set; outputs that depend on the rest keep their values")
                    .help("run a plan without them afterwards"),
            );
        }
        for address in &options.replace {
            if !found.changes.iter().any(|c| c.address == *address) {
                found.problems.push(
                    Diagnostic::warning(format!("`--replace {address}` names no instance of the plan"))
                        .detail("nothing is replaced because of it")
                        .help("name an instance with its key, as `lakeform state list` shows it"),
                );
            }
        }
        found.drift.sort_by(|a, b| a.address.cmp(&b.address));
        let changed = found.changes.iter_mut().map(|c| (&c.address, &mut c.before, &mut c.after));
        let drifted = found.drift.iter_mut().map(|d| (&d.address, &mut d.before, &mut d.after));
        for (address, before, after) in changed.chain(drifted) {
            for value in [before, after] {
                *value = as_shown(&address.resource.ty, value.clone());
            }
        }
        let variables = evaluator.graph.modules[0]
            .variables
            .iter()
            .filter_map(|(name, node)| Some((name.clone(), evaluator.store.get(*node, &ModuleInstance::root())?)))
            .collect();
        let declared = &evaluator.graph.modules[0].module.variables;
        let ephemeral = evaluator.given.keys().filter(|name| declared.get(*name).is_some_and(|v| v.ephemeral));
        let ephemeral = ephemeral.cloned().collect();
        let prior_state = evaluator.state.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Plan {
            options: options.clone(),
            changes: found.changes,
            drift: found.drift,
            outputs,
            variables,
            ephemeral,
            prior_state,
            stored_serial,
            created: vec![],
            journal: String::new(),
            read: found.read,
            checks,
            diagnostics: found.problems,
        })
    }

    /// A plan of a part must hold what has moved, at both its addresses: else it would show a state that is in neither.
    fn refuse_untargeted_moves(&self) -> Result<(), Diagnostics> {
        let mut missing: Vec<&InstanceAddress> =
            self.moves.all().flat_map(|(from, to)| [from, to]).filter(|a| !self.selection.is_targeted(a)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort();
        let options: Vec<String> = missing.iter().map(|a| format!("--target '{a}'")).collect();
        Err(Diagnostic::error("Moved resource instances excluded by targeting")
            .detail("objects in state have moved to new addresses, and the targets do not cover all of them")
            .help(format!("plan without --target, or add {}", options.join(" ")))
            .into())
    }

    /// Reports moves that contradict what the stack declares, and says what could not move and what is let go.
    fn tell_of_moves(&self) {
        if self.moves.is_empty() {
            return;
        }
        let mut found = self.found();
        let root = &self.graph.modules[0].module;
        let problems = self.moves.refuse_declared(root, |base, end, whole| self.declares(base, end, whole));
        let gone = |address: &InstanceAddress, action| {
            found.changes.iter().any(|c| c.address == *address && c.action == action)
        };
        let blocked: Vec<String> = self
            .moves
            .blocked
            .iter()
            .filter(|(from, _)| gone(from, Action::Delete))
            .map(|(from, to)| format!("{from} could not move to {to}"))
            .collect();
        let forgotten: Vec<String> =
            found.changes.iter().filter(|c| c.action == Action::Forget).map(|c| c.address.to_string()).collect();
        found.problems.extend(problems);
        if !blocked.is_empty() {
            found.problems.push(
                Diagnostic::warning("Unresolved resource instance address changes")
                    .detail(format!(
                        "the new addresses are taken: {}; the plan destroys these objects",
                        blocked.join("; ")
                    ))
                    .help("resolve it with `lakeform state mv` or `lakeform state rm`, then plan again"),
            );
        }
        if !forgotten.is_empty() {
            found.problems.push(
                Diagnostic::warning("Some objects will no longer be managed by lakeform")
                    .detail(format!("they are dropped from state and not deleted: {}", forgotten.join(", ")))
                    .help("to manage them again, import them"),
            );
        }
    }

    /// Whether the stack has what a block in the module `base` calls so; `whole` means any instance of it.
    fn declares(&self, base: &ModulePath, end: &Endpoint, whole: bool) -> bool {
        let index = |path: &ModulePath| self.graph.modules.iter().position(|m| m.path == *path);
        let has = |at: &ModuleInstance| {
            index(&at.path()).is_some_and(|index| self.evaluator.store.instances(index).contains(at))
        };
        let bases = index(base).map(|index| self.evaluator.store.instances(index));
        bases.iter().flat_map(|all| all.iter()).any(|around| {
            let within = |steps: &[_]| ModuleInstance(around.0.iter().chain(steps).cloned().collect());
            match &end.0 {
                Target::Module(module) => match module.0.split_last() {
                    Some(((last, _), before)) if whole => {
                        let at = within(before);
                        has(&at) && index(&at.path().child(last.clone())).is_some()
                    }
                    _ => has(&within(&module.0)),
                },
                Target::Resource(r) => {
                    let at = within(&r.resource.module.0);
                    let address = ResourceAddress { module: at.clone(), ..r.resource.clone() };
                    let node = self.graph.by_address.get(&address.config());
                    let node = node.filter(|n| has(&at) && self.evaluator.block(**n).is_some());
                    node.is_some_and(|n| {
                        whole || self.evaluator.store.expansion(*n, &at).is_some_and(|e| e.has(&r.key))
                    })
                }
            }
        })
    }

    /// Drops what state holds of data sources that were not read in this plan: they are gone or read during apply.
    fn drop_stale_data(&self) {
        if self.selection.is_partial() || self.options.mode == PlanMode::RefreshOnly {
            return;
        }
        // What is destroyed as a whole leaves nothing behind, read for a provider or not.
        let read: HashSet<InstanceAddress> = match self.options.mode {
            PlanMode::Destroy => HashSet::default(),
            _ => self.found().read.keys().cloned().collect(),
        };
        self.evaluator.change_state(|state| {
            let stale: Vec<InstanceAddress> =
                state.iter().map(|(a, _)| a).filter(|a| a.resource.mode == Mode::Data && !read.contains(a)).collect();
            for address in stale {
                state.remove(&address);
            }
        });
    }

    fn outputs(&self) -> BTreeMap<Arc<str>, OutputChange> {
        let nodes = &self.graph.modules[0].outputs;
        let stored: BTreeMap<String, OutputState> = self.evaluator.read_state(|s| s.outputs.clone());
        let null = || Value::null(Type::Dynamic);
        let hidden = |o: &OutputState| if o.sensitive { o.value.clone().sensitive() } else { o.value.clone() };
        let mut out = BTreeMap::new();
        for (name, node) in nodes {
            let before = stored.get(&**name).map(hidden);
            let after = match self.options.mode {
                PlanMode::Destroy => None,
                _ => match self.evaluator.store.get(*node, &ModuleInstance::root()) {
                    Some(value) => Some(value),
                    None => before.clone(),
                },
            };
            let sensitive = after.as_ref().is_some_and(Value::is_sensitive);
            // Terraform does not store an output that is null.
            let after = after.filter(|v| !v.is_null());
            let action = match (&before, &after) {
                (_, None) if self.options.mode == PlanMode::Destroy && before.is_none() => continue,
                (None, None) => Action::NoOp,
                (None, Some(_)) => Action::Create,
                (Some(_), None) if self.options.mode == PlanMode::Destroy => Action::Delete,
                (Some(a), Some(b)) if a == b && a.is_sensitive() == b.is_sensitive() => Action::NoOp,
                _ => Action::Update,
            };
            let nothing = || if sensitive { null().sensitive() } else { null() };
            let change =
                OutputChange { action, before: before.unwrap_or_else(null), after: after.unwrap_or_else(nothing) };
            out.insert(name.clone(), change);
        }
        for (name, output) in &stored {
            if !nodes.contains_key(name.as_str()) {
                let change = OutputChange { action: Action::Delete, before: hidden(output), after: null() };
                out.insert(name.as_str().into(), change);
            }
        }
        out
    }
}

fn no_client(address: &InstanceAddress) -> Diagnostic {
    Diagnostic::error("its provider is not configured").address(address)
}
