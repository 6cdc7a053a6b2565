//! Values as they become known while a graph is walked, and the scope that expressions see them through.

use std::sync::{Arc, RwLock};

use lakeform_core::{Diagnostic, InstanceKey, ModuleInstance, Span, Type, Value};
use lakeform_lang::{Environment, Scope, Subject};
use petgraph::graph::NodeIndex;

use crate::{expand::Expansion, graph::Graph, map::HashMap};

/// What a walk has worked out so far. Every lock is held for a look-up or an insertion only.
#[derive(Debug, Default)]
pub(crate) struct Store {
    values: RwLock<HashMap<(NodeIndex, ModuleInstance), Value>>,
    expansions: RwLock<HashMap<(NodeIndex, ModuleInstance), Arc<Expansion>>>,
    /// Instances of each module, by index.
    instances: RwLock<HashMap<usize, Arc<[ModuleInstance]>>>,
}

fn read<T>(lock: &RwLock<T>) -> std::sync::RwLockReadGuard<'_, T> {
    lock.read().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> std::sync::RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(std::sync::PoisonError::into_inner)
}

impl Store {
    pub(crate) fn get(&self, node: NodeIndex, at: &ModuleInstance) -> Option<Value> {
        read(&self.values).get(&(node, at.clone())).cloned()
    }

    pub(crate) fn set(&self, node: NodeIndex, at: &ModuleInstance, value: Value) {
        write(&self.values).insert((node, at.clone()), value);
    }

    pub(crate) fn expansion(&self, node: NodeIndex, at: &ModuleInstance) -> Option<Arc<Expansion>> {
        read(&self.expansions).get(&(node, at.clone())).cloned()
    }

    pub(crate) fn set_expansion(&self, node: NodeIndex, at: &ModuleInstance, expansion: Expansion) -> Arc<Expansion> {
        let expansion = Arc::new(expansion);
        write(&self.expansions).insert((node, at.clone()), expansion.clone());
        expansion
    }

    /// The instances of a module; none before its call was visited. The root has one from the start.
    pub(crate) fn instances(&self, module: usize) -> Arc<[ModuleInstance]> {
        if module == 0 {
            return Arc::from([ModuleInstance::root()]);
        }
        read(&self.instances).get(&module).cloned().unwrap_or_default()
    }

    pub(crate) fn set_instances(&self, module: usize, instances: Vec<ModuleInstance>) {
        write(&self.instances).insert(module, instances.into());
    }
}

/// The scope of expressions in one instance of a module.
pub(crate) struct ModuleScope<'a> {
    pub(crate) graph: &'a Graph,
    pub(crate) store: &'a Store,
    pub(crate) environment: &'a Environment,
    pub(crate) module: usize,
    pub(crate) at: ModuleInstance,
    /// The key and `each.value` of the instance that is being evaluated.
    pub(crate) each: Option<(InstanceKey, Value)>,
    /// What `self` is.
    pub(crate) this: Option<Value>,
    /// Where resources that the walk leaves out get their values from: the state.
    pub(crate) fallback: &'a (dyn Fn(NodeIndex, &ModuleInstance) -> Option<Value> + Sync),
}

impl ModuleScope<'_> {
    fn value(&self, node: Option<&NodeIndex>, subject: &Subject, span: &Span) -> Result<Value, Diagnostic> {
        let undeclared = || Diagnostic::error(format!("`{subject}` is not declared")).span(span.clone());
        let node = *node.ok_or_else(undeclared)?;
        self.store.get(node, &self.at).or_else(|| (self.fallback)(node, &self.at)).ok_or_else(|| {
            Diagnostic::error(format!("`{subject}` has no value here"))
                .detail("what it depends on failed or was left out")
                .span(span.clone())
        })
    }

    /// The outputs of a called module.
    fn outputs(&self, call: &str, span: &Span) -> Result<Value, Diagnostic> {
        let here = &self.graph.modules[self.module];
        let Some((node, child)) = here.calls.get(call) else {
            return Err(Diagnostic::error(format!("`module.{call}` is not declared")).span(span.clone()));
        };
        let Some(expansion) = self.store.expansion(*node, &self.at) else {
            return Ok(Value::unknown(Type::Dynamic));
        };
        let outputs = &self.graph.modules[*child].outputs;
        let each = expansion.items.iter().map(|(key, _)| {
            let at = self.at.child(call, key.clone());
            // An output that is not worked out yet is not what this expression asks for.
            let value = |node| {
                self.store
                    .get(node, &at)
                    .or_else(|| (self.fallback)(node, &at))
                    .unwrap_or_else(|| Value::unknown(Type::Dynamic))
            };
            Value::object(outputs.iter().map(|(name, node)| (name.clone(), value(*node))))
        });
        Ok(expansion.gather(each.collect()))
    }
}

impl Scope for ModuleScope<'_> {
    fn resolve(&self, subject: &Subject, span: &Span) -> Result<Value, Diagnostic> {
        let here = &self.graph.modules[self.module];
        let misplaced = |what: &str, needs: &str| {
            Diagnostic::error(format!("`{what}` is not available here"))
                .detail(format!("it exists only in blocks with `{needs}`"))
                .span(span.clone())
        };
        match subject {
            Subject::Variable(name) => self.value(here.variables.get(name), subject, span),
            Subject::Local(name) => self.value(here.locals.get(name), subject, span),
            Subject::Resource { mode, ty, name } => {
                self.value(here.resources.get(&(*mode, ty.clone(), name.clone())), subject, span)
            }
            Subject::Module(name) => self.outputs(name, span),
            Subject::Each => match &self.each {
                Some((InstanceKey::String(key), value)) => {
                    Ok(Value::object([("key", Value::string(key.clone())), ("value", value.clone())]))
                }
                _ => Err(misplaced("each", "for_each")),
            },
            Subject::Count => match &self.each {
                Some((InstanceKey::Int(n), _)) => Ok(Value::object([("index", Value::from(*n as i64))])),
                _ => Err(misplaced("count", "count")),
            },
            Subject::SelfRef => self.this.clone().ok_or_else(|| misplaced("self", "postcondition")),
            Subject::Path(_) | Subject::Terraform(_) => Ok(Value::unknown(Type::Dynamic)),
        }
    }

    fn environment(&self) -> &Environment {
        self.environment
    }
}
