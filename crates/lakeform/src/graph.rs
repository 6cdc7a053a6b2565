//! Which resource depends on which, as the stack says it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use lakeform_core::{ConfigAddress, ModulePath};
use lakeform_lang::{Module, Reference, Stack, Subject};

/// Resources and data sources with what each of them needs, through variables, locals, outputs and modules.
#[derive(Clone, Debug, Default)]
pub struct ResourceGraph {
    /// Each resource block, and those that it refers to.
    pub edges: BTreeMap<ConfigAddress, BTreeSet<ConfigAddress>>,
}

impl ResourceGraph {
    /// The graph of a stack, without edges that follow from others.
    pub fn of(stack: &Stack) -> Self {
        let mut finder = Finder { modules: HashMap::new(), found: HashMap::new() };
        finder.add(&ModulePath::root(), &stack.root, None);
        let mut edges = BTreeMap::new();
        for (path, place) in &finder.modules.clone() {
            for resource in place.module.resources.values() {
                let address = ConfigAddress {
                    module: path.clone(),
                    mode: resource.mode,
                    ty: resource.ty.clone(),
                    name: resource.name.clone(),
                };
                let mut needs = BTreeSet::new();
                let references: Vec<Reference> = resource.references().cloned().collect();
                for reference in &references {
                    needs.extend(finder.needs(path, &reference.subject));
                }
                needs.extend(finder.module_wide(path));
                needs.remove(&address);
                edges.insert(address, needs);
            }
        }
        Self { edges: reduce(edges) }
    }
}

#[derive(Clone)]
struct Place<'a> {
    module: &'a Module,
    /// The call that leads here.
    call: Option<&'a lakeform_lang::ModuleCall>,
}

struct Finder<'a> {
    modules: HashMap<ModulePath, Place<'a>>,
    /// What was found; an empty set while it is being looked for, which ends circles.
    found: HashMap<(ModulePath, Subject), BTreeSet<ConfigAddress>>,
}

impl<'a> Finder<'a> {
    fn add(&mut self, path: &ModulePath, module: &'a Module, call: Option<&'a lakeform_lang::ModuleCall>) {
        self.modules.insert(path.clone(), Place { module, call });
        for call in module.calls.values() {
            self.add(&path.child(call.name.clone()), &call.module, Some(call));
        }
    }

    /// The resources behind a reference that is made in a module.
    fn needs(&mut self, path: &ModulePath, subject: &Subject) -> BTreeSet<ConfigAddress> {
        let key = (path.clone(), subject.clone());
        if let Some(found) = self.found.get(&key) {
            return found.clone();
        }
        self.found.insert(key.clone(), BTreeSet::new());
        let found = self.look(path, subject);
        self.found.insert(key, found.clone());
        found
    }

    fn look(&mut self, path: &ModulePath, subject: &Subject) -> BTreeSet<ConfigAddress> {
        let Some(place) = self.modules.get(path).cloned() else { return BTreeSet::new() };
        match subject {
            Subject::Resource { mode, ty, name } => {
                let address = ConfigAddress { module: path.clone(), mode: *mode, ty: ty.clone(), name: name.clone() };
                [address].into()
            }
            Subject::Local(name) => {
                let references = place.module.locals.get(name).map(|e| e.references()).unwrap_or_default();
                self.all(path, references)
            }
            Subject::Variable(name) => match (path.parent(), place.call) {
                (Some((parent, _)), Some(call)) => {
                    let references = call.inputs.get(name).map(|e| e.references()).unwrap_or_default();
                    self.all(&parent, references)
                }
                _ => BTreeSet::new(),
            },
            Subject::Module(name) => {
                let child = path.child(name.clone());
                let outputs = self.modules.get(&child).map(|p| p.module.outputs.values()).into_iter().flatten();
                let references: Vec<Reference> =
                    outputs.flat_map(|o| o.value.references().iter().chain(&o.depends_on)).cloned().collect();
                self.all(&child, &references)
            }
            _ => BTreeSet::new(),
        }
    }

    fn all(&mut self, path: &ModulePath, references: &[Reference]) -> BTreeSet<ConfigAddress> {
        references.iter().flat_map(|r| self.needs(path, &r.subject)).collect()
    }

    /// What every resource of a module needs: what its calls are repeated over and depend on.
    fn module_wide(&mut self, path: &ModulePath) -> BTreeSet<ConfigAddress> {
        let mut out = BTreeSet::new();
        let mut at = path.clone();
        while let Some((parent, _)) = at.parent() {
            if let Some(call) = self.modules.get(&at).and_then(|p| p.call) {
                let references: Vec<Reference> = call.expansion_references().chain(&call.depends_on).cloned().collect();
                out.extend(self.all(&parent, &references));
            }
            at = parent;
        }
        out
    }
}

/// Leaves out edges that a longer way implies.
fn reduce(edges: BTreeMap<ConfigAddress, BTreeSet<ConfigAddress>>) -> BTreeMap<ConfigAddress, BTreeSet<ConfigAddress>> {
    let empty = BTreeSet::new();
    let mut out = edges.clone();
    for (node, needs) in &edges {
        let mut far: HashSet<&ConfigAddress> = HashSet::new();
        let mut open: Vec<&ConfigAddress> = needs.iter().flat_map(|n| edges.get(n).unwrap_or(&empty)).collect();
        while let Some(next) = open.pop() {
            if next != node && far.insert(next) {
                open.extend(edges.get(next).unwrap_or(&empty));
            }
        }
        if let Some(kept) = out.get_mut(node) {
            kept.retain(|n| !far.contains(n));
        }
    }
    out
}
