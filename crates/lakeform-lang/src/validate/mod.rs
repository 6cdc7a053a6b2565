//! What can be said to be wrong with a stack before anything is called.

mod module;
mod references;
mod scope;
mod version;

pub use module::ephemeral_expansion;

use std::{collections::HashSet, sync::Arc};

use lakeform_core::{Block, Diagnostic, Diagnostics, Mode, Schema, Source};

use crate::Stack;

/// Where validation finds the schemas.
pub trait Schemas {
    /// The schema of a resource type or data source.
    fn resource(&self, mode: Mode, ty: &str) -> Option<&Schema>;

    /// The schema of a provider's configuration.
    fn provider(&self, name: &str) -> Option<&Schema>;

    /// The arguments of a kind of provisioner.
    fn provisioner(&self, kind: &str) -> Option<&Block> {
        let _ = kind;
        None
    }

    /// Whether objects of one resource type can become objects of another.
    fn takes_over(&self, ty: &str, from: &str) -> bool {
        let _ = (ty, from);
        false
    }

    /// Every resource type or data source, for suggestions.
    fn names(&self, mode: Mode) -> Vec<&str>;

    /// Every provider, for suggestions.
    fn providers(&self) -> Vec<&str>;
}

/// Every problem of a stack that can be found without evaluating what is not written out: unknown names with the nearest
/// known one, missing and superfluous arguments, values of the wrong type, references that lead nowhere.
///
/// Whatever a reference leads to counts as a value of the declared type that is not known yet, so a type error is found
/// as far as types are declared. Files that expressions read are read.
pub fn validate(stack: &Stack, schemas: &dyn Schemas) -> Diagnostics {
    let mut out = Diagnostics::new();
    version::check(stack, &mut out);
    module::stack(stack, schemas, &mut out);
    // One mistake can be met on several ways.
    let mut seen = HashSet::new();
    out.0.retain(|d| {
        let place = d.span.as_ref().map(|s| (Arc::as_ptr(&s.source) as usize, s.range.start));
        seen.insert((place, d.summary.clone(), d.detail.clone()))
    });
    sort(&mut out, &stack.sources);
    out
}

/// In the order of the documents, and of the lines in each.
pub(crate) fn sort(problems: &mut Diagnostics, sources: &[Arc<Source>]) {
    let place = |d: &Diagnostic| {
        let span = d.span.as_ref()?;
        Some((sources.iter().position(|s| Arc::ptr_eq(s, &span.source)), span.range.start))
    };
    problems.0.sort_by_cached_key(place);
}
