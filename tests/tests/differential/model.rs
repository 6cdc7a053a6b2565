//! What the generator makes and changes: stacks of `terraform_data`, of which both tools' documents are written.
//!
//! Whatever has a name in a module refers only to smaller names, so no stack has a cycle. A reference is written by what
//! it refers to at that time: when that has gained a `count`, `[*]` is added, and when it is gone, a constant stands there.

use std::collections::{BTreeMap, BTreeSet};

/// Modules of a stack: the first is the root, and each calls only later ones.
pub(super) type Modules = Vec<Module>;

/// One module.
#[derive(Clone, Debug, Default)]
pub(super) struct Module {
    pub(super) items: BTreeMap<String, Item>,
    /// Output values by name. A module that is called has one named `out`.
    pub(super) outputs: BTreeMap<String, Expr>,
    /// `moved` blocks: from and to. `Random::change` makes none yet: a change that renames an item is to add one here.
    pub(super) moved: Vec<(String, String)>,
}

/// Whatever has a name in a module.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Resource(Box<Resource>),
    Local(Expr),
    Call(Call),
}

/// A `terraform_data` block.
#[derive(Clone, Debug, Default)]
pub(super) struct Resource {
    pub(super) repeat: Repeat,
    pub(super) input: Option<Expr>,
    pub(super) triggers: Option<Expr>,
    pub(super) depends_on: BTreeSet<String>,
    pub(super) create_before_destroy: Option<bool>,
    pub(super) replaced_with: BTreeMap<String, u8>,
    pub(super) ignore: BTreeSet<&'static str>,
    pub(super) prevent_destroy: bool,
    pub(super) precondition: Option<Expr>,
    pub(super) postcondition: Option<Expr>,
}

/// A call of a module.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) module: usize,
    pub(super) repeat: Repeat,
    pub(super) argument: Expr,
    pub(super) depends_on: BTreeSet<String>,
}

/// How many there are of a resource or module call.
#[derive(Clone, Debug, Default)]
pub(super) enum Repeat {
    #[default]
    One,
    Count(usize),
    /// As many as another item has instances or elements.
    CountOf(String),
    /// A set of keys.
    Keys(BTreeSet<String>),
    /// Keys with values.
    Map(BTreeMap<String, Expr>),
    /// The keys of another item that has a `for_each`.
    Over(String),
}

/// An expression.
#[derive(Clone, Debug)]
pub(super) enum Expr {
    Text(String),
    Number(i64),
    Bool(bool),
    Null,
    List(Vec<Expr>),
    Map(BTreeMap<String, Expr>),
    /// A reference to an item, in one of several forms.
    Of(String, u8),
    /// The argument of the module; in the root, the variable that stands for it.
    Argument,
    /// The key or value of this instance, in one of several forms.
    Each(u8),
    /// Text around another value.
    Template(Box<Expr>),
    /// One of two values: by whether the first one is a text, or something alike.
    If(Box<Expr>, String, Box<Expr>, Box<Expr>),
    /// A `for` expression over a list; one element is filtered out.
    For(Box<Expr>, u8),
    /// A number out of a text, which is an error for most texts; where the text is unknown, it is one of apply.
    ToNumber(Box<Expr>),
}
