//! The sections of a document.

/// Where a section may be.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the root module only.
    Root,
    /// In every module.
    Anywhere,
    /// Nowhere yet.
    Later,
}

/// A section: its name, where it may be, and at which depth of its tables one thing is declared.
struct Section(&'static str, Place, usize);

const SECTIONS: &[Section] = &[
    Section("stack", Place::Root, 2),
    Section("values", Place::Root, 2),
    Section("backend", Place::Root, 2),
    Section("provider", Place::Anywhere, 2),
    Section("variable", Place::Anywhere, 2),
    Section("locals", Place::Anywhere, 2),
    Section("data", Place::Anywhere, 3),
    Section("resource", Place::Anywhere, 3),
    Section("ephemeral", Place::Anywhere, 3),
    Section("module", Place::Anywhere, 2),
    Section("output", Place::Anywhere, 2),
    Section("moved", Place::Anywhere, 1),
    Section("removed", Place::Anywhere, 1),
    Section("import", Place::Root, 1),
    Section("check", Place::Anywhere, 2),
    Section("dependency", Place::Later, 2),
    Section("guard", Place::Root, 2),
];

pub(super) fn names() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|s| s.0)
}

pub(super) fn place(name: &str) -> Option<Place> {
    SECTIONS.iter().find(|s| s.0 == name).map(|s| s.1)
}

pub(super) fn depth(name: &str) -> Option<usize> {
    SECTIONS.iter().find(|s| s.0 == name).map(|s| s.2)
}
