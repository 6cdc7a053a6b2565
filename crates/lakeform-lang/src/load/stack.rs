//! The stack itself: overlays, settings, values, backend.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use lakeform_core::{Diagnostic, Diagnostics, Severity, Source, Span, Value};

use super::{
    files::Loader,
    item::{self, Item, ItemKind, Table},
    source::Fetch,
};
use crate::{Backend, Environment, Module, Stack, StaticScope, paths::normal};

type Loaded = Result<(Stack, Diagnostics), Diagnostics>;

pub(super) fn from_path(path: &Path, cwd: &Path, fetch: Option<&dyn Fetch>) -> Loaded {
    let mut loader = Loader::new(Some(cwd), fetch);
    let full = normal(&cwd.join(path));
    let mut open = Vec::new();
    let Some((table, dir)) = layered(&mut loader, &full, None, &mut open) else { return Err(loader.builder.problems) };
    loader.root_dir = dir;
    loader.open_root(&full);
    let stem = if full.is_dir() { full.file_name() } else { full.file_stem() };
    let name = stem.map_or_else(|| "stack".into(), |s| s.to_string_lossy().into_owned());
    build(loader, &table, &name, full)
}

pub(super) fn from_text(name: &str, text: &str) -> Loaded {
    let mut loader = Loader::new(None, None);
    let source = Arc::new(Source { path: name.to_owned(), text: text.to_owned() });
    let table = loader.text(source, PathBuf::new());
    if let Some(extends) = setting(&table, "extends") {
        loader.builder.error(extends.span(), "No files here", "A stack that is given as text cannot extend others.");
    }
    let stem = Path::new(name).file_stem().map_or_else(|| "stack".into(), |s| s.to_string_lossy().into_owned());
    build(loader, &table, &stem, PathBuf::from(name))
}

fn setting<'t>(table: &'t Table, name: &str) -> Option<&'t Item> {
    match &table.get("stack")?.item.kind {
        ItemKind::Table(stack) => Some(&stack.get(name)?.item),
        _ => None,
    }
}

/// A document over everything that it extends; later ones in the list win over earlier ones, and the document over all.
fn layered(
    loader: &mut Loader<'_>,
    path: &Path,
    named_at: Option<Span>,
    open: &mut Vec<PathBuf>,
) -> Option<(Table, PathBuf)> {
    if open.iter().any(|p| p == path) {
        let chain: Vec<String> =
            open.iter().map(PathBuf::as_path).chain([path]).map(|p| p.display().to_string()).collect();
        let problem = Diagnostic::error("A stack extends itself").detail(chain.join(" extends ")).maybe_span(named_at);
        loader.builder.problems.push(problem);
        return None;
    }
    let (mut table, dir) = loader.file_or_dir(path, named_at)?;
    open.push(path.to_path_buf());
    let mut low = Table::new();
    if let Some(extends) = setting(&table, "extends").cloned() {
        let one = [extends.clone()];
        let bases = match &extends.kind {
            ItemKind::Array(items) => items.as_slice(),
            _ => &one,
        };
        for base in bases {
            let Some(text) = loader.builder.text(base, "A path in `extends`") else { continue };
            let at = normal(&dir.join(&*text));
            if let Some((below, _)) = layered(loader, &at, Some(base.span()), open) {
                low = item::overlay(low, below);
            }
        }
    }
    open.pop();
    table = item::overlay(low, table);
    Some((table, dir))
}

fn build(mut loader: Loader<'_>, table: &Table, stem: &str, path: PathBuf) -> Loaded {
    let mut module = loader.builder.module(table, Path::new("."), true);
    let values = values(&mut loader, table);
    let given: BTreeMap<Arc<str>, Value> = values.iter().map(|(k, (v, _))| (k.clone(), v.clone())).collect();
    let root_dir = loader.root_dir.clone();
    let scope = move |m: &Module| {
        let environment = Environment { root: root_dir.clone(), module: m.dir.clone(), ..Environment::default() };
        StaticScope::of_module(m, given.clone(), environment)
    };
    loader.calls(&mut module, table, &scope);
    let backend = backend(&mut loader, table);
    let guard = loader.builder.guard(table);
    let (name, description, required_version) = settings(&mut loader, table, stem);
    let Loader { mut builder, sources, root_dir, .. } = loader;
    let sources: Vec<Arc<Source>> = sources.into_iter().map(|(s, _)| s).collect();
    let stack = Stack {
        name,
        description,
        required_version,
        path,
        root_dir,
        backend,
        guard,
        values,
        root: Arc::new(module),
        sources,
    };
    // Nobody validates a stack that cannot be read: what `[guard]` says in plain values is checked here, so that all that is wrong
    // with it comes at once.
    if builder.problems.has_errors()
        && let Some(guard) = &stack.guard
        && guard.references().next().is_none()
    {
        let scope = StaticScope::new(&stack, &BTreeMap::new(), Environment::default());
        builder.problems.extend(guard.problems(&scope));
    }
    crate::validate::sort(&mut builder.problems, &stack.sources);
    if builder.problems.has_errors() {
        return Err(builder.problems);
    }
    let warnings = builder.problems.0.into_iter().filter(|d| d.severity == Severity::Warning).collect();
    Ok((stack, Diagnostics(warnings)))
}

type Settings = (Arc<str>, Option<Arc<str>>, Option<(Arc<str>, Span)>);

fn settings(loader: &mut Loader<'_>, table: &Table, stem: &str) -> Settings {
    let b = &mut loader.builder;
    let none = (Arc::from(stem), None, None);
    let Some(stack) = table.get("stack").and_then(|f| b.table(&f.item, "`stack`")) else { return none };
    b.only(stack, &["name", "description", "extends", "required_version"], "`stack`");
    let mut text = |name: &str| {
        let item = &stack.get(name)?.item;
        Some((b.text(item, &format!("`{name}`"))?, item.span()))
    };
    let (name, description, version) = (text("name"), text("description"), text("required_version"));
    if let Some((name, span)) = &name
        && !(name.starts_with(|c: char| c.is_alphanumeric())
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.')))
    {
        b.error(span.clone(), "Invalid stack name", "It names a state file: letters, digits, `-`, `_` and `.` are allowed, and a letter or digit must come first.");
    }
    (name.map_or_else(|| stem.into(), |(n, _)| n), description.map(|(d, _)| d), version)
}

fn values(loader: &mut Loader<'_>, table: &Table) -> BTreeMap<Arc<str>, (Value, Span)> {
    let fields: Vec<_> = loader.builder.fields(table, "values").collect();
    fields.into_iter().map(|(name, field)| (name.clone(), (field.item.value(), field.item.span()))).collect()
}

fn backend(loader: &mut Loader<'_>, table: &Table) -> Option<Backend> {
    let fields: Vec<_> = loader.builder.fields(table, "backend").collect();
    if let [_, (second, field), ..] = fields.as_slice() {
        let detail = format!("`{second}` is a second one; a stack has exactly one backend.");
        loader.builder.error(field.key_span(), "Two backends", detail);
        return None;
    }
    let (kind, field) = fields.into_iter().next()?;
    let b = &mut loader.builder;
    if !matches!(&**kind, "s3" | "local") {
        let mut problem = Diagnostic::error(format!("Unknown backend `{kind}`")).span(field.key_span());
        problem = match crate::suggest::nearest(kind, ["s3", "local"]) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("accepted are `s3` and `local`"),
        };
        b.problems.push(problem);
        return None;
    }
    let settings = b.table(&field.item, &format!("`backend.{kind}`"))?;
    let body = b.body(field.item.span(), settings, &[]);
    Some(Backend { kind: kind.clone(), body, span: field.key_span() })
}
