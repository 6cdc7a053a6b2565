//! The graph of a configuration: variables, locals, outputs, providers, module calls, data and resources as nodes, and
//! an edge from each thing to what refers to it. Instances expand while the graph is walked.

use std::{collections::BTreeMap, fmt, sync::Arc};

use lakeform_core::{ConfigAddress, Diagnostic, Diagnostics, Mode, ModulePath, Span, Step};
use lakeform_lang::{Module, ModuleCall, ProviderRef, Reference, ResourceKey, Stack, Subject};
use lakeform_state::State;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::map::{HashMap, HashSet};
use crate::order;

/// What a node stands for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    /// An input variable.
    Variable(Arc<str>),
    /// A local value.
    Local(Arc<str>),
    /// An output value.
    Output(Arc<str>),
    /// A provider configuration.
    Provider(ProviderRef),
    /// A module call: tells its instances.
    Call(Arc<str>),
    /// Reading the live objects that state holds of one resource block.
    Refresh(ConfigAddress),
    /// A resource or data block.
    Resource(ResourceKey),
    /// A check block. It is evaluated after the walk, and so is its data source.
    Check(Arc<str>),
    /// A resource that is in state and no longer in the configuration.
    Orphan(ConfigAddress),
}

/// One node: what, and in which module.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Index into [`Graph::modules`].
    pub(crate) module: usize,
}

/// One module of the configuration with the nodes of what it declares.
#[derive(Debug)]
pub(crate) struct ModuleNodes {
    pub(crate) path: ModulePath,
    pub(crate) module: Arc<Module>,
    /// The calling module and the call; `None` for the root.
    pub(crate) caller: Option<(usize, ModuleCall)>,
    /// The node of the call; `None` for the root.
    pub(crate) call: Option<NodeIndex>,
    pub(crate) variables: HashMap<Arc<str>, NodeIndex>,
    pub(crate) locals: HashMap<Arc<str>, NodeIndex>,
    pub(crate) outputs: HashMap<Arc<str>, NodeIndex>,
    pub(crate) calls: HashMap<Arc<str>, (NodeIndex, usize)>,
    pub(crate) resources: HashMap<ResourceKey, NodeIndex>,
    pub(crate) checks: HashMap<Arc<str>, NodeIndex>,
    pub(crate) providers: HashMap<ProviderRef, NodeIndex>,
}

/// The graph, and where each thing is in it.
#[derive(Debug)]
pub(crate) struct Graph {
    pub(crate) dag: DiGraph<Node, ()>,
    pub(crate) modules: Vec<ModuleNodes>,
    /// The provider configuration of each resource block and orphan.
    pub(crate) provider_of: HashMap<NodeIndex, NodeIndex>,
    /// Resource and orphan nodes by address.
    pub(crate) by_address: HashMap<ConfigAddress, NodeIndex>,
    /// Resources named by `depends_on`, of the block itself and of the module calls around it.
    pub(crate) explicit: HashMap<NodeIndex, Vec<NodeIndex>>,
}

impl Graph {
    /// Builds the graph of a stack and of what state holds besides.
    ///
    /// # Errors
    /// References to nothing, and cycles, each with the path of the cycle.
    pub(crate) fn build(stack: &Stack, state: &State) -> Result<Self, Diagnostics> {
        let mut build = Builder {
            graph: Self {
                dag: DiGraph::new(),
                modules: vec![],
                provider_of: HashMap::default(),
                by_address: HashMap::default(),
                explicit: HashMap::default(),
            },
            linked: HashSet::default(),
            problems: Diagnostics::new(),
        };
        build.nodes(&ModulePath::root(), &stack.root, None);
        for module in 0..build.graph.modules.len() {
            build.edges(module);
        }
        build.imports(&stack.root);
        build.state(state);
        let Builder { graph, mut problems, .. } = build;
        if let Some(cycle) = order::cycle(&graph.dag) {
            let names: Vec<String> = cycle.iter().chain(cycle.first()).map(|n| graph.name(*n)).collect();
            let span = cycle.iter().find_map(|n| graph.span(*n));
            problems.push(
                Diagnostic::error(format!("Cycle: {}", names.join(" → ")))
                    .detail("each of these needs the next one to be known first")
                    .help("break the circle: let one of them refer to a value that does not depend on the others")
                    .maybe_span(span),
            );
        }
        if problems.has_errors() { Err(problems) } else { Ok(graph) }
    }

    /// The name of a node, as people write it.
    pub(crate) fn name(&self, node: NodeIndex) -> String {
        let Node { kind, module } = &self.dag[node];
        let path = &self.modules[*module].path;
        let dot = if path.is_root() { "" } else { "." };
        match kind {
            Kind::Variable(n) => format!("{path}{dot}var.{n}"),
            Kind::Local(n) => format!("{path}{dot}local.{n}"),
            Kind::Output(n) => format!("{path}{dot}output.{n}"),
            Kind::Provider(p) => format!("{path}{dot}provider.{p}"),
            Kind::Call(n) => format!("{path}{dot}module.{n}"),
            Kind::Check(n) => format!("{path}{dot}check.{n}"),
            Kind::Resource((mode, ty, name)) => {
                ConfigAddress { module: path.clone(), mode: *mode, ty: ty.clone(), name: name.clone() }.to_string()
            }
            Kind::Refresh(a) | Kind::Orphan(a) => a.to_string(),
        }
    }

    /// The address of a resource block's node.
    pub(crate) fn address(&self, node: NodeIndex) -> Option<ConfigAddress> {
        let Node { kind, module } = &self.dag[node];
        match kind {
            Kind::Resource((mode, ty, name)) => Some(ConfigAddress {
                module: self.modules[*module].path.clone(),
                mode: *mode,
                ty: ty.clone(),
                name: name.clone(),
            }),
            Kind::Orphan(a) | Kind::Refresh(a) => Some(a.clone()),
            _ => None,
        }
    }

    fn span(&self, node: NodeIndex) -> Option<Span> {
        let Node { kind, module } = &self.dag[node];
        let module = &self.modules[*module].module;
        match kind {
            Kind::Variable(n) => module.variables.get(n).map(|v| v.span.clone()),
            Kind::Local(n) => module.locals.get(n).map(|e| e.span().clone()),
            Kind::Output(n) => module.outputs.get(n).map(|o| o.span.clone()),
            Kind::Resource(key) => module.resources.get(key).map(|r| r.span.clone()),
            Kind::Call(n) => module.calls.get(n).map(|c| c.span.clone()),
            _ => None,
        }
    }

    /// Whether a node is the data source of a check block, which is read after the walk.
    pub(crate) fn in_check(&self, node: NodeIndex) -> bool {
        let Node { kind, module } = &self.dag[node];
        let Kind::Resource(key) = kind else { return false };
        self.modules[*module].module.resources.get(key).is_some_and(|r| r.check.is_some())
    }

    /// The provider configuration that a name means inside a module: its own, the one the call passes, or the caller's.
    pub(crate) fn provider(&self, module: usize, wanted: &ProviderRef) -> Option<NodeIndex> {
        let here = &self.modules[module];
        if let Some(node) = here.providers.get(wanted) {
            return Some(*node);
        }
        let (parent, call) = here.caller.as_ref()?;
        match call.providers.get(wanted) {
            Some(passed) => self.provider(*parent, passed),
            None if wanted.alias.is_none() => self.provider(*parent, wanted),
            None => None,
        }
    }
}

struct Builder {
    graph: Graph,
    linked: HashSet<(NodeIndex, NodeIndex)>,
    problems: Diagnostics,
}

impl Builder {
    /// Adds the nodes of a module and of the modules that it calls; returns the module's index.
    fn nodes(&mut self, path: &ModulePath, module: &Arc<Module>, caller: Option<(usize, ModuleCall)>) -> usize {
        let index = self.graph.modules.len();
        let call = caller.as_ref().and_then(|(parent, call)| {
            let calls = &self.graph.modules[*parent].calls;
            calls.get(&call.name).map(|(node, _)| *node)
        });
        let mut dag = std::mem::take(&mut self.graph.dag);
        let mut add = |kind| dag.add_node(Node { kind, module: index });
        let providers = module
            .providers
            .iter()
            .map(|p| ProviderRef { name: p.name.clone(), alias: p.alias.clone() })
            .map(|p| (p.clone(), add(Kind::Provider(p))))
            .collect();
        let nodes = ModuleNodes {
            path: path.clone(),
            caller,
            call,
            variables: module.variables.keys().map(|k| (k.clone(), add(Kind::Variable(k.clone())))).collect(),
            locals: module.locals.keys().map(|k| (k.clone(), add(Kind::Local(k.clone())))).collect(),
            outputs: module.outputs.keys().map(|k| (k.clone(), add(Kind::Output(k.clone())))).collect(),
            calls: module.calls.keys().map(|k| (k.clone(), (add(Kind::Call(k.clone())), usize::MAX))).collect(),
            resources: module.resources.keys().map(|k| (k.clone(), add(Kind::Resource(k.clone())))).collect(),
            checks: module.checks.keys().map(|k| (k.clone(), add(Kind::Check(k.clone())))).collect(),
            providers,
            module: module.clone(),
        };
        for (key, node) in &nodes.resources {
            let (mode, ty, name) = key.clone();
            self.graph.by_address.insert(ConfigAddress { module: path.clone(), mode, ty, name }, *node);
        }
        self.graph.dag = dag;
        self.graph.modules.push(nodes);
        for call in module.calls.values() {
            let child = self.nodes(&path.child(call.name.clone()), &call.module, Some((index, call.clone())));
            if let Some(entry) = self.graph.modules[index].calls.get_mut(&call.name) {
                entry.1 = child;
            }
        }
        index
    }

    /// Adds an edge, once. Not by `update_edge`: that walks the edges of a provider that thousands of resources use.
    fn link(&mut self, from: NodeIndex, to: NodeIndex) {
        if self.linked.insert((from, to)) {
            self.graph.dag.add_edge(from, to, ());
        }
    }

    /// Adds the edges into every node of a module.
    fn edges(&mut self, index: usize) {
        let module = self.graph.modules[index].module.clone();
        let own_call = self.graph.modules[index].call;
        let around = self.explicit_of_calls(index);
        for (name, variable) in &module.variables {
            let node = self.graph.modules[index].variables[name];
            for check in &variable.validations {
                let refs = check.condition.references().iter().chain(check.error_message.references());
                // A validation reads its own variable, which is no circle.
                let refs: Vec<_> = refs.filter(|r| r.subject != Subject::Variable(name.clone())).cloned().collect();
                self.refer(index, node, &refs);
            }
            if let Some((parent, call)) = self.graph.modules[index].caller.clone() {
                if let Some(input) = call.inputs.get(name) {
                    self.refer(parent, node, input.references());
                }
                self.link_call(own_call, node);
            }
        }
        for (name, expr) in &module.locals {
            let node = self.graph.modules[index].locals[name];
            self.refer(index, node, expr.references());
            self.link_call(own_call, node);
        }
        for (name, output) in &module.outputs {
            let node = self.graph.modules[index].outputs[name];
            let checks = output.preconditions.iter().flat_map(|c| [&c.condition, &c.error_message]);
            let refs: Vec<_> = std::iter::once(&output.value)
                .chain(checks)
                .flat_map(|e| e.references())
                .chain(&output.depends_on)
                .cloned()
                .collect();
            self.refer(index, node, &refs);
            self.link_call(own_call, node);
            for dependency in &around {
                self.link(*dependency, node);
            }
        }
        for provider in &module.providers {
            let wanted = ProviderRef { name: provider.name.clone(), alias: provider.alias.clone() };
            let node = self.graph.modules[index].providers[&wanted];
            let refs: Vec<_> = provider.body.references().cloned().collect();
            self.refer(index, node, &refs);
            self.link_call(own_call, node);
        }
        for (name, call) in &module.calls {
            let (node, _) = self.graph.modules[index].calls[name];
            let refs: Vec<_> = call.expansion_references().cloned().collect();
            self.refer(index, node, &refs);
            self.link_call(own_call, node);
        }
        for (name, check) in &module.checks {
            let node = self.graph.modules[index].checks[name];
            let refs: Vec<_> = check.references().cloned().collect();
            self.refer(index, node, &refs);
            self.link_call(own_call, node);
        }
        for (key, resource) in &module.resources {
            let node = self.graph.modules[index].resources[key];
            let refs: Vec<_> = resource.references().filter(|r| !is_self(r, key)).cloned().collect();
            self.refer(index, node, &refs);
            self.link_call(own_call, node);
            let mut explicit = around.clone();
            for reference in &resource.depends_on {
                explicit.extend(self.targets(index, reference));
            }
            // Terraform takes what a data source refers to for something it depends on: it is read once that stands.
            if resource.mode == Mode::Data {
                for reference in refs.iter().filter(|r| is_managed(r)) {
                    explicit.extend(self.targets(index, reference));
                }
            }
            for dependency in &around {
                self.link(*dependency, node);
            }
            if !explicit.is_empty() {
                self.graph.explicit.insert(node, explicit);
            }
            let wanted = resource.provider_ref();
            match self.graph.provider(index, &wanted).or_else(|| self.implicit_provider(&wanted)) {
                Some(provider) => {
                    self.link(provider, node);
                    self.graph.provider_of.insert(node, provider);
                }
                None => self.problems.push(
                    Diagnostic::error(format!("Provider configuration `{wanted}` is not declared"))
                        .help(format!("declare it: [[provider.{}]] with an alias", wanted.name))
                        .maybe_span(Some(resource.span.clone())),
                ),
            }
        }
    }

    /// An object can be adopted once its identifier is known.
    fn imports(&mut self, root: &Module) {
        for import in &root.imports {
            let Some(node) = self.graph.by_address.get(&import.to.config).copied() else { continue };
            let refs: Vec<_> = import.references().cloned().collect();
            if let Some(own) = refs.iter().find(|r| self.targets(0, r).contains(&node)) {
                self.problems.push(
                    Diagnostic::error("Invalid import id argument")
                        .detail("The import ID cannot reference the resource being imported.")
                        .span(own.span.clone()),
                );
                continue;
            }
            self.refer(0, node, &refs);
        }
    }

    fn link_call(&mut self, call: Option<NodeIndex>, node: NodeIndex) {
        if let Some(call) = call {
            self.link(call, node);
        }
    }

    /// The default configuration of a provider that the stack does not configure.
    fn implicit_provider(&mut self, wanted: &ProviderRef) -> Option<NodeIndex> {
        if wanted.alias.is_some() {
            return None;
        }
        if let Some(node) = self.graph.modules[0].providers.get(wanted) {
            return Some(*node);
        }
        let node = self.graph.dag.add_node(Node { kind: Kind::Provider(wanted.clone()), module: 0 });
        self.graph.modules[0].providers.insert(wanted.clone(), node);
        Some(node)
    }

    /// What the `depends_on` of the module calls around a module name.
    fn explicit_of_calls(&mut self, index: usize) -> Vec<NodeIndex> {
        let mut out = vec![];
        let mut at = index;
        while let Some((parent, call)) = self.graph.modules[at].caller.clone() {
            for reference in &call.depends_on {
                out.extend(self.targets(parent, reference));
            }
            at = parent;
        }
        out
    }

    fn refer(&mut self, module: usize, node: NodeIndex, references: &[Reference]) {
        for reference in references {
            for target in self.targets(module, reference) {
                self.link(target, node);
            }
        }
    }

    /// The nodes that a reference inside a module means.
    fn targets(&mut self, module: usize, reference: &Reference) -> Vec<NodeIndex> {
        let here = &self.graph.modules[module];
        let one = |node: Option<&NodeIndex>| node.map(|n| vec![*n]);
        let found = match &reference.subject {
            Subject::Variable(name) => one(here.variables.get(name)),
            Subject::Local(name) => one(here.locals.get(name)),
            Subject::Resource { mode, ty, name } => one(here.resources.get(&(*mode, ty.clone(), name.clone()))),
            Subject::Module(name) => here.calls.get(name).map(|(node, child)| {
                let outputs = &self.graph.modules[*child].outputs;
                let named = reference.rest.iter().find_map(|step| match step {
                    Step::Attr(output) => outputs.get(output),
                    _ => None,
                });
                match named {
                    Some(output) => vec![*node, *output],
                    None => {
                        std::iter::once(*node).chain(outputs.values().copied()).chain(self.inside(*child)).collect()
                    }
                }
            }),
            _ => Some(vec![]),
        };
        found.unwrap_or_else(|| {
            self.problems.push(
                Diagnostic::error(format!("`{}` is not declared", reference.subject))
                    .maybe_span(Some(reference.span.clone())),
            );
            vec![]
        })
    }

    /// Every resource of a module and of the modules below it, and what they are called with: what `module.x` as a whole
    /// stands for, in `depends_on` and elsewhere.
    fn inside(&self, module: usize) -> Vec<NodeIndex> {
        let here = &self.graph.modules[module];
        let below = here.calls.values().flat_map(|(_, child)| self.inside(*child));
        here.variables.values().chain(here.resources.values()).copied().chain(below).collect()
    }

    /// Adds what state holds: a node that reads the live objects of each block, and one for each block that is gone.
    fn state(&mut self, state: &State) {
        // In the order of addresses, so that every run reads in the same order.
        let mut seen: BTreeMap<ConfigAddress, &str> = BTreeMap::new();
        for (address, resource) in &state.resources {
            if address.mode == Mode::Managed {
                seen.entry(address.config()).or_insert(resource.provider.as_str());
            }
        }
        for (address, provider) in seen {
            let node = match self.graph.by_address.get(&address) {
                Some(node) => *node,
                None => {
                    let node = self.graph.dag.add_node(Node { kind: Kind::Orphan(address.clone()), module: 0 });
                    self.graph.by_address.insert(address.clone(), node);
                    if let Some(provider) = self.provider_in_state(provider, &address) {
                        self.link(provider, node);
                        self.graph.provider_of.insert(node, provider);
                    }
                    node
                }
            };
            if let Some(provider) = self.graph.provider_of.get(&node).copied() {
                let refresh = self.graph.dag.add_node(Node { kind: Kind::Refresh(address), module: 0 });
                self.link(provider, refresh);
                self.link(refresh, node);
            }
        }
    }

    /// The configuration that state says an object was made with: `module.a.provider["SOURCE"].ALIAS`.
    fn provider_in_state(&mut self, text: &str, address: &ConfigAddress) -> Option<NodeIndex> {
        let alias = text.rsplit_once("\"]").and_then(|(_, rest)| rest.strip_prefix('.')).map(Arc::from);
        let name = address.ty.split('_').next().unwrap_or_default();
        let wanted = ProviderRef { name: name.into(), alias };
        let module = text.split_once("provider[").map(|(module, _)| module.trim_end_matches('.')).unwrap_or_default();
        let nodes = self.graph.modules.iter().position(|m| m.path.to_string() == module);
        let found = nodes.and_then(|m| self.graph.provider(m, &wanted));
        found.or_else(|| self.implicit_provider(&ProviderRef { name: name.into(), alias: None }))
    }
}

fn is_managed(reference: &Reference) -> bool {
    matches!(reference.subject, Subject::Resource { mode: Mode::Managed, .. })
}

/// Whether a resource refers to itself (in a postcondition or by mistake that validation reports).
fn is_self(reference: &Reference, key: &ResourceKey) -> bool {
    let (mode, ty, name) = key;
    matches!(&reference.subject, Subject::Resource { mode: m, ty: t, name: n } if m == mode && t == ty && n == name)
}

impl fmt::Display for Graph {
    /// One line for each node with what it depends on.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines: Vec<String> = self
            .dag
            .node_indices()
            .filter(|n| !matches!(self.dag[*n].kind, Kind::Refresh(_)))
            .map(|n| {
                let mut from: Vec<String> =
                    self.dag.neighbors_directed(n, petgraph::Direction::Incoming).map(|d| self.name(d)).collect();
                from.sort();
                format!("{} <- {}", self.name(n), from.join(", "))
            })
            .collect();
        lines.sort();
        write!(f, "{}", lines.join("\n"))
    }
}
