//! From `a.b.c[0]` to what it refers to.

use std::{ops::Range, sync::Arc};

use lakeform_core::{Mode, Step, Value};

use super::{ITEM, Node, NodeKind, Parser, Splat};
use crate::{Reference, Subject};

/// One step after the first name of a traversal.
pub(super) enum Op {
    Attr(Arc<str>),
    Index(Node),
    /// `.0`
    LegacyIndex(u64),
    /// `.*`
    AttrSplat,
    /// `[*]`
    FullSplat,
}

/// A step with where it ends.
pub(super) struct Located {
    pub op: Op,
    pub range: Range<usize>,
}

/// The tree of `name` followed by `ops`.
pub(super) fn resolve(parser: &mut Parser, name: Arc<str>, at: Range<usize>, ops: Vec<Located>) -> Node {
    if parser.is_bound(&name) {
        return apply(Node::new(at, NodeKind::Name(name)), ops);
    }
    match subject(&name, &at, &ops) {
        Ok((subject, used)) => {
            let end = ops.get(used.wrapping_sub(1)).map_or(at.end, |op| op.range.end);
            let rest = rest(&ops[used..]);
            let span = parser.span(at.start..ops.last().map_or(end, |op| op.range.end));
            parser.references.push(Reference { subject, span, rest });
            let node = Node::new(at.start..end, NodeKind::Ref(parser.references.len() - 1));
            apply(node, ops.into_iter().skip(used).collect())
        }
        Err(Problem { range, summary, detail }) => {
            parser.error(range, &summary, detail);
            Node::new(at, NodeKind::Literal(Value::unknown(lakeform_core::Type::Dynamic)))
        }
    }
}

struct Problem {
    range: Range<usize>,
    summary: String,
    detail: String,
}

/// What the first name and as many steps as it takes refer to, and how many steps those are. The messages are
/// Terraform's.
fn subject(name: &Arc<str>, at: &Range<usize>, ops: &[Located]) -> Result<(Subject, usize), Problem> {
    let problem = |range: &Range<usize>, summary: &str, detail: String| Problem {
        range: range.clone(),
        summary: summary.into(),
        detail,
    };
    let attr = |i: usize| match ops.get(i) {
        Some(Located { op: Op::Attr(name), .. }) => Some(name.clone()),
        _ => None,
    };
    let direct = || {
        let range = ops.first().map_or(at, |op| &op.range);
        problem(
            range,
            "Invalid reference",
            format!("The \"{name}\" object cannot be accessed directly. Instead, access one of its attributes."),
        )
    };
    let unsupported = |attribute: &str, accepted: &str| {
        let range = ops.first().map_or(at, |op| &op.range);
        problem(
            range,
            &format!("Invalid \"{name}\" attribute"),
            format!("The \"{name}\" object does not have an attribute named \"{attribute}\". {accepted}"),
        )
    };
    Ok(match &**name {
        "var" => (Subject::Variable(attr(0).ok_or_else(direct)?), 1),
        "local" => (Subject::Local(attr(0).ok_or_else(direct)?), 1),
        "module" => (Subject::Module(attr(0).ok_or_else(direct)?), 1),
        "each" => match attr(0).ok_or_else(direct)? {
            a if matches!(&*a, "key" | "value") => (Subject::Each, 0),
            a => {
                return Err(unsupported(
                    &a,
                    "The supported attributes are each.key and each.value, the current key and value of the \"for_each\" argument.",
                ));
            }
        },
        "count" => match attr(0).ok_or_else(direct)? {
            a if &*a == "index" => (Subject::Count, 0),
            a => {
                return Err(unsupported(
                    &a,
                    "The only supported attribute is count.index, the index of this instance of a resource with the \"count\" argument set.",
                ));
            }
        },
        "self" => (Subject::SelfRef, 0),
        "path" => match attr(0).ok_or_else(direct)? {
            a if matches!(&*a, "cwd" | "module" | "root") => (Subject::Path(a), 1),
            a => return Err(unsupported(&a, "The supported attributes are path.module, path.root and path.cwd.")),
        },
        "terraform" => match attr(0).ok_or_else(direct)? {
            a if matches!(&*a, "workspace" | "applying") => (Subject::Terraform(a), 1),
            a => {
                return Err(unsupported(
                    &a,
                    "The only supported attributes are terraform.workspace, the name of the currently-selected workspace, and terraform.applying, a boolean which is true only during apply.",
                ));
            }
        },
        "ephemeral" => match (attr(0), attr(1)) {
            (Some(ty), Some(name)) => (Subject::Resource { mode: Mode::Ephemeral, ty, name }, 2),
            _ => {
                return Err(problem(
                    at,
                    "Invalid reference",
                    "The \"ephemeral\" object must be followed by two attribute names: the ephemeral resource type and the resource name.".into(),
                ));
            }
        },
        "data" => match (attr(0), attr(1)) {
            (Some(ty), Some(name)) => (Subject::Resource { mode: Mode::Data, ty, name }, 2),
            _ => {
                return Err(problem(
                    at,
                    "Invalid reference",
                    "The \"data\" object must be followed by two attribute names: the data source type and the resource name.".into(),
                ));
            }
        },
        "resource" => match (attr(0), attr(1)) {
            (Some(ty), Some(name)) => (Subject::Resource { mode: Mode::Managed, ty, name }, 2),
            _ => {
                return Err(problem(
                    at,
                    "Invalid reference",
                    "The \"resource\" object must be followed by two attribute names: the resource type and the resource name.".into(),
                ));
            }
        },
        _ => match attr(0) {
            Some(resource) => (Subject::Resource { mode: Mode::Managed, ty: name.clone(), name: resource }, 1),
            None => {
                return Err(problem(
                    at,
                    "Invalid reference",
                    "A reference to a resource type must be followed by at least one attribute access, specifying the resource name.".into(),
                ));
            }
        },
    })
}

/// The leading steps that are constant.
fn rest(ops: &[Located]) -> Vec<Step> {
    let constant = |op: &Located| match &op.op {
        Op::Attr(name) => Some(Step::Attr(name.clone())),
        Op::LegacyIndex(i) => usize::try_from(*i).ok().map(Step::Index),
        Op::Index(Node { kind: NodeKind::Literal(v), .. }) => match v.as_str() {
            Some(key) => Some(Step::Key(key.into())),
            None => v.as_i64().and_then(|i| usize::try_from(i).ok()).map(Step::Index),
        },
        _ => None,
    };
    ops.iter().map_while(constant).collect()
}

/// `node` with `ops` applied in turn.
pub(super) fn apply(mut node: Node, ops: Vec<Located>) -> Node {
    let mut ops = ops.into_iter().peekable();
    while let Some(Located { op, range }) = ops.next() {
        let (start, end) = (node.start as usize, range.end);
        let (kind, end) = match op {
            Op::Attr(name) => (NodeKind::Get(Box::new(node), name), end),
            Op::Index(key) => (NodeKind::Index(Box::new(node), Box::new(key)), end),
            Op::LegacyIndex(i) => {
                let key = Node::new(range, NodeKind::Literal(Value::from(lakeform_core::Number::from(i as usize))));
                (NodeKind::Index(Box::new(node), Box::new(key)), end)
            }
            // `[*]` takes every step that follows, `.*` only attributes.
            Op::FullSplat | Op::AttrSplat => {
                let full = matches!(op, Op::FullSplat);
                let mut each = Vec::new();
                while let Some(next) = ops.next_if(|next| full || matches!(next.op, Op::Attr(_) | Op::LegacyIndex(_))) {
                    each.push(next);
                }
                let each_end = each.last().map_or(end, |op| op.range.end);
                let each = apply(Node::new(range, NodeKind::Name(ITEM.into())), each);
                (NodeKind::Splat(Box::new(Splat { source: node, each })), each_end)
            }
        };
        node = Node::new(start..end, kind);
    }
    node
}
