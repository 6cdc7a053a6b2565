//! What the generator makes and changes: stacks of `terraform_data`, of which both tools' documents are written.
//!
//! Whatever has a name in a module refers only to smaller names, so no stack has a cycle. A reference is written by what
//! it refers to at that time: when that has gained a `count`, `[*]` is added, and when it is gone, or its name is not
//! smaller after a renaming, a constant stands there.

use std::collections::{BTreeMap, BTreeSet};

/// Modules of a stack: the first is the root, and each calls only later ones.
pub(super) type Modules = Vec<Module>;

/// One module.
#[derive(Clone, Debug, Default)]
pub(super) struct Module {
    pub(super) items: BTreeMap<String, Item>,
    /// Output values by name, and whether they are sensitive. A module that is called has one named `out`.
    pub(super) outputs: BTreeMap<String, (Expr, bool)>,
    /// The argument is sensitive.
    pub(super) secret: bool,
    /// `moved` blocks: from and to. They stay in later configurations, so they make chains.
    pub(super) moved: Vec<(String, String)>,
    /// `removed` blocks that let the objects be.
    pub(super) removed: Vec<String>,
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
    /// A number out of a text, which is an error for most texts; where the text is unknown, it is one of apply. In some
    /// forms it is tried only.
    ToNumber(Box<Expr>, u8),
    /// A value that is sensitive.
    Sensitive(Box<Expr>),
}

impl Item {
    /// How many there are, unless it is a local value.
    pub(super) fn repeat(&self) -> Option<&Repeat> {
        match self {
            Self::Resource(r) => Some(&r.repeat),
            Self::Call(c) => Some(&c.repeat),
            Self::Local(_) => None,
        }
    }

    pub(super) fn repeat_mut(&mut self) -> Option<&mut Repeat> {
        match self {
            Self::Resource(r) => Some(&mut r.repeat),
            Self::Call(c) => Some(&mut c.repeat),
            Self::Local(_) => None,
        }
    }

    /// References to one name become references to another.
    pub(super) fn follow(&mut self, from: &str, to: &str) {
        if let Some(repeat) = self.repeat_mut() {
            repeat.follow(from, to);
        }
        match self {
            Self::Local(value) => value.follow(from, to),
            Self::Call(call) => {
                call.argument.follow(from, to);
                follow(&mut call.depends_on, from, to);
            }
            Self::Resource(r) => {
                let values = [&mut r.input, &mut r.triggers, &mut r.precondition, &mut r.postcondition];
                values.into_iter().flatten().for_each(|e| e.follow(from, to));
                follow(&mut r.depends_on, from, to);
                if let Some(form) = r.replaced_with.remove(from) {
                    r.replaced_with.insert(to.to_owned(), form);
                }
            }
        }
    }
}

fn follow(names: &mut BTreeSet<String>, from: &str, to: &str) {
    if names.remove(from) {
        names.insert(to.to_owned());
    }
}

impl Repeat {
    fn follow(&mut self, from: &str, to: &str) {
        match self {
            Self::CountOf(name) | Self::Over(name) if name == from => to.clone_into(name),
            Self::Map(entries) => entries.values_mut().for_each(|e| e.follow(from, to)),
            _ => {}
        }
    }

    /// The keys of the instances as an address has them, where the stack alone tells.
    pub(super) fn keys(&self) -> Vec<String> {
        let quoted = |key: &String| format!("[\"{key}\"]");
        match self {
            Self::One => vec![String::new()],
            Self::Count(n) => (0..*n).map(|i| format!("[{i}]")).collect(),
            Self::Keys(keys) => keys.iter().map(quoted).collect(),
            Self::Map(entries) => entries.keys().map(quoted).collect(),
            Self::CountOf(_) | Self::Over(_) => vec![],
        }
    }
}

impl Expr {
    /// References to one name become references to another.
    pub(super) fn follow(&mut self, from: &str, to: &str) {
        match self {
            Self::Of(name, _) if name == from => to.clone_into(name),
            Self::List(items) => items.iter_mut().for_each(|e| e.follow(from, to)),
            Self::Map(entries) => entries.values_mut().for_each(|e| e.follow(from, to)),
            Self::Template(of) | Self::For(of, _) | Self::ToNumber(of, _) | Self::Sensitive(of) => of.follow(from, to),
            Self::If(what, _, yes, no) => [what, yes, no].into_iter().for_each(|e| e.follow(from, to)),
            _ => {}
        }
    }
}
