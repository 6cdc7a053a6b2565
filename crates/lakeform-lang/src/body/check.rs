//! What is wrong with a block by its schema: unknown names, what is missing, what is too much.

use lakeform_core::{
    Attribute, Block, Diagnostic, Diagnostics, Kind, Marks, NestedBlock, Nesting, Path, Span, Step, Value,
};

use super::Entries;
use crate::{suggest::nearest, syntax::NodeKind};

/// Names that any resource may have beside what its schema says.
const ALWAYS: &[&str] = &["dynamic", "enabled", "timeouts"];

/// Reports names that are written but not in the schema, at all depths that are written out.
pub(super) fn names(entries: &Entries, schema: &Block, what: &str, outermost: bool, problems: &mut Diagnostics) {
    for (name, entry) in entries {
        if let Some(nested) = schema.blocks.get(name) {
            tables(&entry.value, nested, &mut |inner| self::names(inner, &nested.block, what, false, problems));
        } else if &**name == "dynamic" {
            generated(&entry.value, schema, what, problems);
        } else if !(schema.attributes.contains_key(name) || outermost && ALWAYS.contains(&&**name)) {
            let span = Span { source: entry.value.span().source.clone(), range: entry.key.clone() };
            problems.push(unknown(name, schema, what, span));
        }
    }
}

fn unknown(name: &str, schema: &Block, what: &str, span: Span) -> Diagnostic {
    let of = if what.is_empty() { String::new() } else { format!(" of {what}") };
    let problem = Diagnostic::error(format!("Unknown attribute `{name}`{of}"))
        .detail(format!("An argument or block named \"{name}\" is not expected here."))
        .span(span);
    let settable = schema.attributes.iter().filter(|(_, a)| a.is_settable()).map(|(n, _)| &**n);
    match nearest(name, settable.chain(schema.blocks.keys().map(|n| &**n))) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem,
    }
}

/// Each table of a nested block that is written out.
fn tables(expr: &crate::Expr, nested: &NestedBlock, visit: &mut dyn FnMut(&Entries)) {
    match &expr.node().kind {
        NodeKind::Table(entries) if nested.nesting == Nesting::Map => {
            for entry in entries.values() {
                if let NodeKind::Table(inner) = &entry.value.node().kind {
                    visit(inner);
                }
            }
        }
        NodeKind::Table(entries) => visit(entries),
        NodeKind::Array(items) => items.iter().for_each(|item| {
            if let NodeKind::Table(inner) = &item.node().kind {
                visit(inner);
            }
        }),
        _ => {}
    }
}

/// The contents of `dynamic`.
fn generated(expr: &crate::Expr, schema: &Block, what: &str, problems: &mut Diagnostics) {
    let NodeKind::Table(entries) = &expr.node().kind else { return };
    for (name, entry) in entries {
        let span = Span { source: entry.value.span().source.clone(), range: entry.key.clone() };
        let Some(nested) = schema.blocks.get(name) else {
            if !schema.attributes.contains_key(name) {
                problems.push(unknown(name, schema, what, span));
            }
            continue;
        };
        let mut one = |inner: &Entries| {
            for (key, value) in inner {
                match &**key {
                    "content" => {
                        if let NodeKind::Table(content) = &value.value.node().kind {
                            names(content, &nested.block, what, false, problems);
                        }
                    }
                    "for_each" | "iterator" | "labels" => {}
                    other => {
                        let span = Span { source: value.value.span().source.clone(), range: value.key.clone() };
                        let problem = Diagnostic::error(format!("Unknown argument `{other}` of a dynamic block"));
                        problems.push(problem.help("accepted are `for_each`, `iterator` and `content`").span(span));
                    }
                }
            }
        };
        match &entry.value.node().kind {
            NodeKind::Table(inner) => one(inner),
            NodeKind::Array(items) => items.iter().for_each(|item| {
                if let NodeKind::Table(inner) = &item.node().kind {
                    one(inner);
                }
            }),
            _ => {}
        }
    }
}

/// Reports attributes that an expression gives to a nested block and that it does not have.
pub(super) fn given(value: &Value, nested: &NestedBlock, span: &Span, problems: &mut Diagnostics) {
    match value.kind() {
        Kind::Object(vs) if nested.nesting != Nesting::Map => {
            for (name, inner) in vs.iter() {
                if let Some(deeper) = nested.block.blocks.get(name) {
                    given(inner, deeper, span, problems);
                } else if !nested.block.attributes.contains_key(name) {
                    problems.push(unknown(name, &nested.block, "", span.clone()));
                }
            }
        }
        Kind::List(..) | Kind::Set(..) | Kind::Tuple(_) => {
            value.children().for_each(|v| given(v, nested, span, problems))
        }
        Kind::Object(_) | Kind::Map(..) if nested.nesting == Nesting::Map => {
            value.children().for_each(|v| {
                if let Kind::Object(_) = v.kind() {
                    given(v, &NestedBlock { nesting: Nesting::Single, ..nested.clone() }, span, problems);
                }
            });
        }
        _ => {}
    }
}

type Report<'a> = dyn FnMut(&Path, String, String) + 'a;

/// Reports what is required and missing or null, what only the API sets, and blocks that are too few or too many, in a
/// value as it is given. Unknown values may be anything.
pub(super) fn shape(value: &Value, schema: &Block, report: &mut Report) {
    walk(value, schema, &Path::root(), report);
}

fn walk(value: &Value, schema: &Block, at: &Path, report: &mut Report) {
    let Some(fields) = value.as_mapping() else { return };
    for (name, attribute) in &schema.attributes {
        check(name, attribute, fields.get(name), &at.with(Step::Attr(name.clone())), report);
    }
    for (name, nested) in &schema.blocks {
        let path = at.with(Step::Attr(name.clone()));
        let instances = instances(fields.get(name), nested, &path);
        let Some(instances) = instances else { continue };
        let count = instances.len();
        if count < nested.min {
            let detail = format!("At least {} \"{name}\" blocks are required.", nested.min);
            report(&path, format!("Insufficient {name} blocks"), detail);
        }
        if nested.max > 0 && count > nested.max {
            let detail = format!("No more than {} \"{name}\" blocks are allowed.", nested.max);
            report(&path, format!("Too many {name} blocks"), detail);
        }
        for (path, value) in instances {
            walk(value, &nested.block, &path, report);
        }
    }
}

/// Reports ephemeral values of what is stored: all but write-only attributes.
pub(super) fn stored(value: &Value, schema: &Block, at: &Path, report: &mut dyn FnMut(&Path)) {
    if value.marks().contains(Marks::EPHEMERAL) {
        return report(at);
    }
    let Some(fields) = value.as_mapping() else { return };
    for (name, field) in fields.iter().filter(|(_, field)| field.is_ephemeral()) {
        let path = at.with(Step::Attr(name.clone()));
        match (schema.attributes.get(name), schema.blocks.get(name)) {
            (Some(attribute), _) if attribute.write_only => {}
            (None, Some(_)) if field.marks().contains(Marks::EPHEMERAL) => report(&path),
            (None, Some(nested)) => {
                for (path, block) in instances(Some(field), nested, &path).into_iter().flatten() {
                    stored(block, &nested.block, &path, report);
                }
            }
            _ => report(&path),
        }
    }
}

/// The instances of a nested block as they are given, with their paths; `None` where they are not known.
fn instances<'v>(value: Option<&'v Value>, nested: &NestedBlock, path: &Path) -> Option<Vec<(Path, &'v Value)>> {
    let Some(value) = value.filter(|v| !v.is_null()) else { return Some(Vec::new()) };
    Some(match value.kind() {
        Kind::Unknown(..) => return None,
        Kind::Object(vs) | Kind::Map(_, vs) if nested.nesting == Nesting::Map => {
            vs.iter().map(|(k, v)| (path.with(Step::Key(k.clone())), v)).collect()
        }
        Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => {
            let all = vs.iter().enumerate().filter(|(_, v)| !v.is_null());
            all.map(|(i, v)| (path.with(Step::Index(i)), v)).collect()
        }
        _ => vec![(path.clone(), value)],
    })
}

fn check(name: &str, attribute: &Attribute, value: Option<&Value>, path: &Path, report: &mut Report) {
    if value.is_none_or(Value::is_null) {
        if attribute.required {
            let detail = format!("The argument \"{name}\" is required, but no definition was found.");
            report(path, format!("Missing required argument `{name}`"), detail);
        }
    } else if !attribute.is_settable() && attribute.computed {
        let detail = format!("Its value is decided when the object is made; \"{name}\" cannot be set.");
        report(path, format!("Value for unconfigurable attribute `{name}`"), detail);
    }
}

/// Whether a problem has been reported inside the place already.
pub(super) fn overlaps(span: &Span, problems: &Diagnostics) -> bool {
    problems.iter().filter_map(|p| p.span.as_ref()).any(|s| {
        std::sync::Arc::ptr_eq(&s.source, &span.source)
            && s.range.start >= span.range.start
            && s.range.end <= span.range.end
    })
}
