//! Blocks that say what becomes of objects: `[[moved]]`, `[[removed]]` and `[[import]]`.

use std::fmt;

use lakeform_core::{
    ConfigAddress, Diagnostic, Diagnostics, InstanceAddress, InstanceKey, ModuleInstance, ModulePath, ResourceAddress,
    Span, address::Target,
};

use crate::{Expr, ProviderRef, Reference, Scope};

/// `[[moved]]`: objects of one address belong to another from now on.
#[derive(Clone, Debug)]
pub struct Moved {
    /// Where they were, as seen from the module that holds the block.
    pub from: Endpoint,
    /// Where they are now, as seen from the module that holds the block. Of the same kind as `from`.
    pub to: Endpoint,
    /// Where it is declared.
    pub span: Span,
}

/// `[[removed]]`: what happens to objects whose block is gone.
#[derive(Clone, Debug)]
pub struct Removed {
    /// A resource or a module call, as seen from the module that holds the block; without keys.
    pub from: Endpoint,
    /// `lifecycle.destroy`: delete them; otherwise they are only dropped from state.
    pub destroy: bool,
    /// Where it is declared.
    pub span: Span,
}

/// `[[import]]`: an existing object is adopted by a plan.
///
/// <https://developer.hashicorp.com/terraform/language/import>
#[derive(Clone, Debug)]
pub struct Import {
    /// The resource instance that it becomes.
    pub to: ImportTarget,
    /// The identifier that Terraform documents for the type's import.
    pub id: Expr,
    /// One object for each element; `to` and `id` see it as `each`.
    pub for_each: Option<Expr>,
    /// Whose object it is, where the stack does not declare the resource yet: goes into the block that is written for it.
    pub provider: Option<ProviderRef>,
    /// Where it is declared.
    pub span: Span,
}

impl Import {
    /// What must be known before the object can be read.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.for_each.iter().chain([&self.id, &self.to.keys]).flat_map(Expr::references)
    }
}

/// The address of an import, whose keys are expressions.
#[derive(Clone, Debug)]
pub struct ImportTarget {
    /// The address without keys.
    pub config: ConfigAddress,
    /// Which modules on the way, and at the end the resource, have a key.
    pub(crate) keyed: Vec<bool>,
    /// A tuple of the keys.
    pub(crate) keys: Expr,
}

impl ImportTarget {
    /// The instance that is meant.
    ///
    /// # Errors
    /// When a key cannot be worked out, is not known before apply, or is neither a string nor a whole number.
    pub fn address(&self, scope: &dyn Scope) -> Result<InstanceAddress, Diagnostics> {
        let values = self.keys.evaluate(scope)?;
        let invalid = |detail: &str| {
            Diagnostics::from(Diagnostic::error("Invalid import target").detail(detail).span(self.keys.span().clone()))
        };
        let mut values = values.as_slice().unwrap_or_default().iter();
        let mut keys = self.keyed.iter().map(|keyed| {
            let Some(value) = keyed.then(|| values.next()).flatten() else { return Ok(None) };
            if !value.is_wholly_known() {
                return Err(invalid("The key of the instance is known only after apply."));
            }
            match (value.as_str(), value.as_i64()) {
                (Some(text), _) => Ok(Some(InstanceKey::String(text.into()))),
                (None, Some(index)) if index >= 0 => Ok(Some(InstanceKey::Int(index as u64))),
                _ => Err(invalid("The key of an instance is a string or a whole number.")),
            }
        });
        let mut module = ModuleInstance::root();
        for name in self.config.module.0.iter() {
            module = module.child(name.clone(), keys.next().transpose()?.flatten());
        }
        let key = keys.next().transpose()?.flatten();
        let ConfigAddress { mode, ty, name, .. } = self.config.clone();
        Ok(ResourceAddress { module, mode, ty, name }.instance(key))
    }
}

/// One end of a move. Without a key at its end it means all instances: of a resource, or of a module call.
///
/// <https://developer.hashicorp.com/terraform/language/modules/develop/refactoring>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(pub Target);

/// An instance of a resource or of a module: the key at the end, which may be there or not, is meant.
type Key = Option<InstanceKey>;

impl Endpoint {
    /// Whether it is a module call or an instance of one.
    pub fn is_module(&self) -> bool {
        matches!(self.0, Target::Module(_))
    }

    /// The key at its end.
    pub fn key(&self) -> Option<&InstanceKey> {
        match &self.0 {
            Target::Module(module) => module.0.last().and_then(|(_, key)| key.as_ref()),
            Target::Resource(instance) => instance.key.as_ref(),
        }
    }

    fn steps(&self) -> &ModuleInstance {
        match &self.0 {
            Target::Module(module) => module,
            Target::Resource(instance) => &instance.resource.module,
        }
    }

    /// What is left of an address that this endpoint, in the module `base`, names: the instance of `base`, the key at the
    /// place where the endpoint ends, and the modules below. `whole` lets any key stand there.
    fn matched(&self, base: &ModulePath, address: &InstanceAddress, whole: bool) -> Option<Matched> {
        let all = &address.resource.module.0;
        let (depth, steps) = (base.0.len(), &self.steps().0);
        let (around, rest) = (all.get(..depth)?, all.get(depth..)?);
        if !around.iter().zip(base.0.iter()).all(|((name, _), wanted)| name == wanted) {
            return None;
        }
        let around = ModuleInstance(around.into());
        match &self.0 {
            Target::Resource(wanted) => {
                let same = *rest == **steps
                    && wanted.resource.ty == address.resource.ty
                    && wanted.resource.name == address.resource.name
                    && wanted.resource.mode == address.resource.mode
                    && (whole || wanted.key == address.key);
                same.then(|| Matched { around, key: address.key.clone(), below: vec![] })
            }
            Target::Module(_) => {
                let ((last, key), before) = steps.split_last()?;
                let (own, below) = rest.get(..steps.len()).zip(rest.get(steps.len()..))?;
                let ((name, at), own_before) = own.split_last()?;
                let same = own_before == before && name == last && (whole || at == key);
                same.then(|| Matched { around, key: at.clone(), below: below.to_vec() })
            }
        }
    }

    /// The address that an object has at this end, which `matched` says of the other.
    fn place(&self, matched: Matched, address: &InstanceAddress, whole: bool) -> InstanceAddress {
        let Matched { around, key, below } = matched;
        let join = |steps: &[(std::sync::Arc<str>, Key)], below: Vec<_>| {
            ModuleInstance(around.0.iter().cloned().chain(steps.iter().cloned()).chain(below).collect())
        };
        match &self.0 {
            Target::Resource(to) => {
                let resource = ResourceAddress { module: join(&to.resource.module.0, below), ..to.resource.clone() };
                resource.instance(if whole { key } else { to.key.clone() })
            }
            Target::Module(to) => {
                let mut steps = to.0.to_vec();
                if let (true, Some(last)) = (whole, steps.last_mut()) {
                    last.1 = key;
                }
                let resource = ResourceAddress { module: join(&steps, below), ..address.resource.clone() };
                resource.instance(address.key.clone())
            }
        }
    }
}

struct Matched {
    around: ModuleInstance,
    key: Key,
    below: Vec<(std::sync::Arc<str>, Key)>,
}

impl Moved {
    /// Whether all instances move: no end has a key.
    pub fn is_whole(&self) -> bool {
        self.from.key().is_none() && self.to.key().is_none()
    }

    /// Where an object goes by this block, which is in the module `base`; `None` where it is not meant.
    pub fn apply(&self, base: &ModulePath, address: &InstanceAddress) -> Option<InstanceAddress> {
        let whole = self.is_whole();
        let matched = self.from.matched(base, address, whole)?;
        Some(self.to.place(matched, address, whole))
    }
}

impl Removed {
    /// Whether an object is meant by this block, which is in the module `base`.
    pub fn means(&self, base: &ModulePath, address: &InstanceAddress) -> bool {
        // Keys are not allowed in the block, so every instance on the way is meant.
        let plain = |module: &ModuleInstance| module.path();
        let (wanted, path) = (plain(self.from.steps()), address.resource.module.path());
        let Some(rest) = path.0.strip_prefix(&*base.0) else { return false };
        match &self.from.0 {
            Target::Module(_) => rest.starts_with(&wanted.0),
            Target::Resource(r) => {
                *rest == *wanted.0
                    && (r.resource.mode, &r.resource.ty, &r.resource.name)
                        == (address.resource.mode, &address.resource.ty, &address.resource.name)
            }
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(from: &str, to: &str, base: &[&str], address: &str) -> Option<String> {
        let source = std::sync::Arc::new(lakeform_core::Source { path: String::new(), text: String::new() });
        let end = |text: &str| Endpoint(text.parse().unwrap());
        let block = Moved { from: end(from), to: end(to), span: Span { source, range: 0..0 } };
        let base = ModulePath(base.iter().map(|s| (*s).into()).collect());
        block.apply(&base, &address.parse().unwrap()).map(|a| a.to_string())
    }

    /// The cases of OpenTofu's `TestApplyMoves` and `TestMoveDestination` that are about addresses.
    #[test]
    fn objects_move_as_terraform_moves_them() {
        for (from, to, base, at, wanted) in [
            ("t.a", "t.b", &[][..], "t.a", Some("t.b")),
            ("t.a", "t.b", &[], "t.a[\"x\"]", Some("t.b[\"x\"]")),
            ("t.a", "t.b[0]", &[], "t.a", Some("t.b[0]")),
            ("t.a", "t.b[0]", &[], "t.a[1]", None),
            ("t.a[0]", "t.b", &[], "t.a[0]", Some("t.b")),
            ("t.a", "module.m.t.a", &[], "t.a[2]", Some("module.m.t.a[2]")),
            ("module.m.t.a", "t.a", &[], "module.m.t.a", Some("t.a")),
            ("module.m.t.a", "t.a", &[], "module.m[0].t.a", None),
            (
                "module.m",
                "module.n",
                &[],
                "module.m[\"k\"].module.deep.t.a[1]",
                Some("module.n[\"k\"].module.deep.t.a[1]"),
            ),
            ("module.m[0]", "module.n", &[], "module.m[0].t.a", Some("module.n.t.a")),
            ("module.m", "module.m[\"k\"]", &[], "module.m.t.a", Some("module.m[\"k\"].t.a")),
            ("t.a", "t.b", &["m"], "module.m[3].t.a", Some("module.m[3].t.b")),
            ("t.a", "t.b", &["m"], "t.a", None),
            ("t.a", "t.b", &[], "module.m.t.a", None),
            ("t.a", "t.b", &[], "data.t.a", None),
        ] {
            assert_eq!(moved(from, to, base, at).as_deref(), wanted, "{from} to {to} in {base:?}: {at}");
        }
    }
}
