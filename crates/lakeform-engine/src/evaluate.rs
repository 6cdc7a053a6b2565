//! Working out variables, locals, outputs, module calls and provider configurations: the part of a walk that plan, apply
//! and console share.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use lakeform_core::{Diagnostic, Diagnostics, InstanceAddress, InstanceKey, Marks, Mode, ModuleInstance, Value};
use lakeform_lang::{Environment, Expr, Resource};
use lakeform_provider::Configured;
use lakeform_state::State;
use petgraph::graph::NodeIndex;

use crate::{
    CheckResults, Providers,
    conditions::Condition,
    diff::mark_sensitive,
    expand::{Expansion, Repetition, expand},
    graph::{Graph, Kind},
    map::HashMap,
    scope::{ModuleScope, Store},
    secrets::translate_without,
};

/// The shared part of a walk.
pub(crate) struct Evaluator<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) providers: &'a Providers,
    pub(crate) given: &'a BTreeMap<Arc<str>, Value>,
    pub(crate) store: Store,
    /// The state that blocks without a value of this walk are read from.
    pub(crate) state: RwLock<State>,
    /// What became of conditions in this walk.
    pub(crate) results: Mutex<CheckResults>,
    environments: Vec<Environment>,
    clients: Mutex<HashMap<NodeIndex, Configured>>,
}

impl<'a> Evaluator<'a> {
    pub(crate) fn new(
        graph: &'a Graph,
        providers: &'a Providers,
        given: &'a BTreeMap<Arc<str>, Value>,
        environment: &Environment,
        state: State,
    ) -> Self {
        let environments =
            graph.modules.iter().map(|m| Environment { module: m.module.dir.clone(), ..environment.clone() }).collect();
        Self {
            graph,
            providers,
            given,
            store: Store::default(),
            state: RwLock::new(state),
            results: Mutex::default(),
            environments,
            clients: Mutex::default(),
        }
    }

    /// Runs `with` on the scope of a module instance.
    pub(crate) fn scoped<T>(
        &self,
        module: usize,
        at: &ModuleInstance,
        each: Option<(InstanceKey, Value)>,
        this: Option<Value>,
        with: impl FnOnce(&ModuleScope<'_>) -> T,
    ) -> T {
        let fallback = |node: NodeIndex, at: &ModuleInstance| self.stored(node, at);
        with(&ModuleScope {
            graph: self.graph,
            store: &self.store,
            environment: &self.environments[module],
            module,
            at: at.clone(),
            each,
            this,
            fallback: &fallback,
        })
    }

    /// A resource node's block and the index of its module.
    pub(crate) fn block(&self, node: NodeIndex) -> Option<(usize, &'a Resource)> {
        let at = &self.graph.dag[node];
        let Kind::Resource(key) = &at.kind else { return None };
        let graph: &'a Graph = self.graph;
        Some((at.module, graph.modules[at.module].module.resources.get(key)?))
    }

    /// The value of a resource block as state holds it.
    pub(crate) fn stored(&self, node: NodeIndex, at: &ModuleInstance) -> Option<Value> {
        let address = match &self.graph.dag[node].kind {
            Kind::Resource(_) => self.graph.address(node)?,
            _ => return None,
        };
        let module = &self.graph.modules[self.graph.dag[node].module].module;
        let block = module.resources.get(&(address.mode, address.ty.clone(), address.name.clone()))?;
        let schema = lakeform_lang::Schemas::resource(self.providers, address.mode, &address.ty)?;
        let ty = schema.block.ty();
        let resource = lakeform_core::ResourceAddress {
            module: at.clone(),
            mode: address.mode,
            ty: address.ty.clone(),
            name: address.name.clone(),
        };
        self.read_state(|state| {
            let instances = state.resources.get(&resource).map(|r| &r.instances);
            let items: Vec<(Option<InstanceKey>, Value)> = instances
                .into_iter()
                .flatten()
                .filter_map(|(key, i)| {
                    let value = i.current.as_ref()?.attributes.value(&ty).ok()?;
                    Some((key.clone(), mark_sensitive(&schema.block, value)))
                })
                .collect();
            let repetition = match (&block.count, &block.for_each) {
                (Some(_), _) => Repetition::Count,
                (_, Some(_)) => Repetition::ForEach,
                _ if items.is_empty() => return None,
                _ => Repetition::Single,
            };
            let values = items.iter().map(|(_, v)| v.clone()).collect();
            Some(Expansion { repetition, items }.gather(values))
        })
    }

    pub(crate) fn read_state<T>(&self, with: impl FnOnce(&State) -> T) -> T {
        with(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn change_state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Works out a node that is no resource. Providers are configured apart, because that may call.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub(crate) fn evaluate(&self, node: NodeIndex) -> Result<(), Diagnostics> {
        let index = self.graph.dag[node].module;
        match self.graph.dag[node].kind.clone() {
            Kind::Variable(name) => self.variable(node, index, &name),
            Kind::Local(name) => {
                let Some(expr) = self.graph.modules[index].module.locals.get(&name) else { return Ok(()) };
                self.in_each_instance(node, index, |scope| expr.evaluate(scope))
            }
            Kind::Output(name) => self.output(node, index, &name),
            Kind::Call(name) => self.call(node, index, &name),
            _ => Ok(()),
        }
    }

    fn in_each_instance(
        &self,
        node: NodeIndex,
        module: usize,
        value: impl Fn(&ModuleScope<'_>) -> Result<Value, Diagnostics>,
    ) -> Result<(), Diagnostics> {
        for at in self.store.instances(module).iter() {
            let value = self.scoped(module, at, None, None, &value)?;
            self.store.set(node, at, value);
        }
        Ok(())
    }

    fn variable(&self, node: NodeIndex, index: usize, name: &Arc<str>) -> Result<(), Diagnostics> {
        let here = &self.graph.modules[index];
        let Some(variable) = here.module.variables.get(name) else { return Ok(()) };
        for at in self.store.instances(index).iter() {
            let (given, span) = match &here.caller {
                None => (self.given.get(name).cloned(), None),
                Some((parent, call)) => match call.inputs.get(name) {
                    None => (None, Some(call.span.clone())),
                    Some(expr) => {
                        let (above, each) = self.caller_of(at, index);
                        let value = self.scoped(*parent, &above, each, None, |scope| expr.evaluate(scope))?;
                        variable.refuse_ephemeral(&value, expr.span())?;
                        (Some(value), Some(expr.span().clone()))
                    }
                },
            };
            let missing = given.is_none() && variable.default.is_none();
            let value = variable.prepare(given).map_err(|e| {
                let wrong = if missing {
                    Diagnostic::error(format!("No value for the required variable `{name}`"))
                        .help(format!("set it in [values], or pass --var {name}=VALUE, a --var-file, or TF_VAR_{name}"))
                } else {
                    let place = if e.path.0.is_empty() { String::new() } else { format!("{}: ", e.path) };
                    Diagnostic::error(format!("Invalid value for variable `{name}`"))
                        .detail(format!("{place}{}", e.message))
                };
                wrong.maybe_span(Some(variable.span.clone())).maybe_span(span.clone())
            })?;
            self.store.set(node, at, value.clone());
            self.checks(index, at, None, &variable.validations, None, Condition::Validation(name))?;
        }
        Ok(())
    }

    /// The calling module's instance of a module instance, and the key of the call.
    fn caller_of(&self, at: &ModuleInstance, index: usize) -> (ModuleInstance, Option<(InstanceKey, Value)>) {
        let above = at.parent().unwrap_or_default();
        let key = at.0.last().and_then(|(_, key)| key.clone());
        let each = key.and_then(|key| {
            let node = self.graph.modules[index].call?;
            let expansion = self.store.expansion(node, &above)?;
            let (_, value) = expansion.items.iter().find(|(k, _)| k.as_ref() == Some(&key))?;
            Some((key, value.clone()))
        });
        (above, each)
    }

    fn output(&self, node: NodeIndex, index: usize, name: &Arc<str>) -> Result<(), Diagnostics> {
        let Some(output) = self.graph.modules[index].module.outputs.get(name) else { return Ok(()) };
        for at in self.store.instances(index).iter() {
            self.checks(index, at, None, &output.preconditions, None, Condition::Output(name))?;
        }
        self.in_each_instance(node, index, |scope| {
            let value = output.evaluate(scope)?;
            let hidden = value.marks_deep().contains(Marks::SENSITIVE);
            if index == 0 && hidden && !output.sensitive {
                return Err(Diagnostic::error(format!("Output `{name}` refers to sensitive values"))
                    .help("set `sensitive = true` on the output, or wrap what may be shown in nonsensitive(...)")
                    .span(output.span.clone())
                    .into());
            }
            Ok(value)
        })
    }

    /// The instances of a resource block in one instance of its module.
    pub(crate) fn expansion(
        &self,
        index: usize,
        block: &Resource,
        at: &ModuleInstance,
    ) -> Result<Expansion, Diagnostics> {
        let schema = lakeform_lang::Schemas::resource(self.providers, block.mode, &block.ty);
        let switch = schema.and_then(|schema| block.switch(&schema.block));
        self.scoped(index, at, None, None, |scope| expand(block.count.as_ref(), block.for_each.as_ref(), switch, scope))
    }

    fn call(&self, node: NodeIndex, index: usize, name: &Arc<str>) -> Result<(), Diagnostics> {
        let here = &self.graph.modules[index];
        let (Some(call), Some((_, child))) = (here.module.calls.get(name), here.calls.get(name)) else {
            return Ok(());
        };
        let mut all = vec![];
        for at in self.store.instances(index).iter() {
            let expansion = self.scoped(index, at, None, None, |scope| {
                expand(call.count.as_ref(), call.for_each.as_ref(), call.enabled.as_ref(), scope)
            })?;
            all.extend(expansion.items.iter().map(|(key, _)| at.child(name.clone(), key.clone())));
            self.store.set_expansion(node, at, expansion);
        }
        self.store.set_instances(*child, all);
        Ok(())
    }

    /// Configures the provider of a provider node.
    ///
    /// # Errors
    /// When its configuration is wrong or there is no such provider.
    pub(crate) async fn configure(&self, node: NodeIndex) -> Result<(), Diagnostics> {
        let index = self.graph.dag[node].module;
        let Kind::Provider(wanted) = &self.graph.dag[node].kind else { return Ok(()) };
        let Some(provider) = self.providers.get(&wanted.name) else {
            return Err(Diagnostic::error(format!("There is no provider `{}`", wanted.name)).into());
        };
        let schema = provider.config_schema();
        let module = &self.graph.modules[index].module;
        let declared = module.providers.iter().find(|p| p.name == wanted.name && p.alias == wanted.alias);
        let at = self.store.instances(index).first().cloned().unwrap_or_default();
        let config = match declared {
            Some(declared) => self.scoped(index, &at, None, None, |s| declared.body.evaluate(&schema.block, s))?,
            None => schema.block.empty(),
        };
        let client = provider.configure(&config).await.map_err(|e| {
            let marked = mark_sensitive(&schema.block, config.clone());
            translate_without(&e, &self.graph.name(node), &[&marked]).maybe_span(declared.map(|d| d.span.clone()))
        })?;
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).insert(node, client);
        Ok(())
    }

    /// The configured provider of a resource node.
    pub(crate) fn client(&self, node: NodeIndex) -> Option<Configured> {
        let provider = self.graph.provider_of.get(&node)?;
        self.clients.lock().unwrap_or_else(PoisonError::into_inner).get(provider).cloned()
    }

    /// The name that state gives the provider of a resource node.
    pub(crate) fn provider_address(&self, node: NodeIndex) -> String {
        let Some(provider) = self.graph.provider_of.get(&node) else { return String::new() };
        let at = &self.graph.dag[*provider];
        let Kind::Provider(wanted) = &at.kind else { return String::new() };
        let path = &self.graph.modules[at.module].path;
        let source = match self.graph.address(node) {
            Some(address) => match address.mode {
                Mode::Managed => self.providers.resource(&address.ty).map(|(p, _)| p.source()),
                Mode::Data => self.providers.data_source(&address.ty).map(|(p, _)| p.source()),
                Mode::Ephemeral => self.providers.ephemeral_resource(&address.ty).map(|(p, _)| p.source()),
            },
            None => None,
        };
        let dot = if path.is_root() { "" } else { "." };
        let alias = wanted.alias.as_ref().map(|a| format!(".{a}")).unwrap_or_default();
        format!("{path}{dot}provider[\"{}\"]{alias}", source.unwrap_or_default())
    }

    /// Works out an expression that must be known before the walk: it may refer to variables and locals only, which are
    /// worked out on the way.
    ///
    /// # Errors
    /// What is wrong with it, or that it refers to something else.
    pub(crate) fn early(&self, module: usize, expr: &Expr) -> Result<Value, Diagnostics> {
        if let Some(value) = expr.literal() {
            return Ok(value.clone());
        }
        for reference in expr.references() {
            let here = &self.graph.modules[module];
            let node = match &reference.subject {
                lakeform_lang::Subject::Variable(name) => here.variables.get(name),
                lakeform_lang::Subject::Local(name) => here.locals.get(name),
                _ => None,
            };
            match node {
                Some(node) => self.early_node(*node)?,
                None => {
                    return Err(Diagnostic::error(format!("`{}` cannot be used here", reference.subject))
                        .detail("the value must be known before planning: only variables and locals may appear")
                        .span(reference.span.clone())
                        .into());
                }
            }
        }
        let at = self.store.instances(module).first().cloned().unwrap_or_default();
        self.scoped(module, &at, None, None, |scope| expr.evaluate(scope))
    }

    fn early_node(&self, node: NodeIndex) -> Result<(), Diagnostics> {
        let index = self.graph.dag[node].module;
        let at = self.store.instances(index).first().cloned();
        if at.is_some_and(|at| self.store.get(node, &at).is_some()) {
            return Ok(());
        }
        for from in self.graph.dag.neighbors_directed(node, petgraph::Direction::Incoming).collect::<Vec<_>>() {
            if matches!(self.graph.dag[from].kind, Kind::Variable(_) | Kind::Local(_) | Kind::Call(_)) {
                self.early_node(from)?;
            }
        }
        self.evaluate(node)
    }
}

/// Adds the instance that problems concern to those that name none.
pub(crate) fn concerning(mut problems: Diagnostics, address: &InstanceAddress) -> Diagnostics {
    for problem in &mut problems.0 {
        problem.address.get_or_insert_with(|| address.to_string());
    }
    problems
}
