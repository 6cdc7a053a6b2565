//! Reading documents, and the modules that they call.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use lakeform_core::{Diagnostic, Source, Span};

use super::{
    block::Builder,
    document,
    item::{self, Field, Item, ItemKind, Table},
    source::{self, Fetch, GitSource, ModuleSource},
};
use crate::{
    Environment, Expr, Module, ModuleCall, ProviderRef, StaticScope,
    paths::{normal, relative, slashed},
};

/// What is not an input variable of a called module.
const META: &[&str] = &["source", "version", "providers", "count", "for_each", "depends_on"];

/// Reads documents and builds modules.
pub(super) struct Loader<'f> {
    pub builder: Builder,
    /// Where relative paths start, and what file names are shown relative to; `None` where there are no files.
    pub cwd: Option<PathBuf>,
    /// Every document with its directory.
    pub sources: Vec<(Arc<Source>, PathBuf)>,
    /// The root module's directory.
    pub root_dir: PathBuf,
    /// The roots of repositories that were fetched.
    fetched: Vec<PathBuf>,
    /// Makes modules from elsewhere available.
    fetch: Option<&'f dyn Fetch>,
    modules: HashMap<PathBuf, Arc<Module>>,
    /// The modules being read, outermost first.
    open: Vec<PathBuf>,
}

impl<'f> Loader<'f> {
    pub fn new(cwd: Option<&Path>, fetch: Option<&'f dyn Fetch>) -> Self {
        Self {
            builder: Builder::default(),
            cwd: cwd.map(Path::to_path_buf),
            sources: Vec::new(),
            root_dir: PathBuf::new(),
            fetched: Vec::new(),
            fetch,
            modules: HashMap::new(),
            open: Vec::new(),
        }
    }

    /// A path as a user would write it.
    fn shown(&self, path: &Path) -> String {
        slashed(self.cwd.as_deref().and_then(|cwd| path.strip_prefix(cwd).ok()).unwrap_or(path))
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error, named_at: Option<Span>) {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            io::ErrorKind::InvalidData => "it is not valid UTF-8".to_owned(),
            _ => error.to_string(),
        };
        let problem = Diagnostic::error(format!("Cannot read {}", self.shown(path))).detail(why).maybe_span(named_at);
        self.builder.problems.push(problem);
    }

    /// One document; `None`, reported, if it cannot be read.
    pub fn document(&mut self, path: &Path, named_at: Option<Span>) -> Option<Table> {
        match fs::read_to_string(path) {
            Ok(text) => {
                let source = Arc::new(Source { path: self.shown(path), text });
                let dir = path.parent().map(Path::to_path_buf).unwrap_or_default();
                Some(self.text(source, dir))
            }
            Err(e) => {
                self.unreadable(path, &e, named_at);
                None
            }
        }
    }

    pub fn text(&mut self, source: Arc<Source>, dir: PathBuf) -> Table {
        self.sources.push((source.clone(), dir));
        document::parse(&source, &mut self.builder.problems)
    }

    /// A file, or every `.toml` file of a directory as one; and the directory.
    pub fn file_or_dir(&mut self, path: &Path, named_at: Option<Span>) -> Option<(Table, PathBuf)> {
        if !path.is_dir() {
            let dir = path.parent().map(Path::to_path_buf).unwrap_or_default();
            return Some((self.document(path, named_at)?, dir));
        }
        let listing =
            fs::read_dir(path).and_then(|entries| entries.map(|e| Ok(e?.path())).collect::<io::Result<Vec<_>>>());
        let mut files = match listing {
            Ok(files) => files,
            Err(e) => {
                self.unreadable(path, &e, named_at);
                return None;
            }
        };
        files.retain(|f| f.extension().is_some_and(|e| e == "toml") && f.is_file());
        files.sort();
        if files.is_empty() {
            let problem = Diagnostic::error(format!("No stack in {}", self.shown(path)))
                .detail("The directory has no .toml file.");
            self.builder.problems.push(problem.maybe_span(named_at));
            return None;
        }
        let mut all = Table::new();
        for file in files {
            let table = self.document(&file, None)?;
            item::beside(&mut all, table, 1, &mut self.builder.problems);
        }
        Some((all, path.to_path_buf()))
    }

    /// The directory of the document that something is written in.
    pub fn dir_of(&self, source: &Arc<Source>) -> PathBuf {
        self.sources.iter().find(|(s, _)| Arc::ptr_eq(s, source)).map(|(_, dir)| dir.clone()).unwrap_or_default()
    }

    /// Fills in the calls of a module, reading what they call.
    pub fn calls(&mut self, module: &mut Module, table: &Table, scope: &dyn Fn(&Module) -> StaticScope) {
        let fields: Vec<_> = self.builder.fields(table, "module").map(|(n, f)| (n.clone(), f.clone())).collect();
        for (name, field) in fields {
            if let Some(call) = self.call(module, &name, &field, scope) {
                module.calls.insert(name, call);
            }
        }
    }

    fn call(
        &mut self,
        module: &Module,
        name: &Arc<str>,
        field: &Field,
        scope: &dyn Fn(&Module) -> StaticScope,
    ) -> Option<ModuleCall> {
        let b = &mut self.builder;
        let table = b.table(&field.item, &format!("`module.{name}`"))?;
        b.identifier(name, field);
        let (count, for_each) = b.expansion(table);
        let depends_on = table.get("depends_on").map(|f| b.references(&f.item, "`depends_on`")).unwrap_or_default();
        let providers = self.providers(table);
        let (_, item) = self.builder.required_text(table, "source", &field.item, &format!("Module `{name}`"))?;
        if let Some(version) = table.get("version") {
            let detail =
                "Modules come from a path or from git (where `ref` chooses); only a module registry has versions.";
            self.builder.error(version.key_span(), "A module version is not supported", detail);
        }
        let source = self.static_text(&item, module, scope)?;
        let child = self.child(&source, &item)?;
        let mut inputs = indexmap::IndexMap::new();
        let mut enabled = None;
        for (key, input) in table {
            if META.contains(&&**key) {
                continue;
            }
            let expr = self.builder.expr(&input.item);
            // A module may have a variable of that name; then it is one.
            if &**key == "enabled" && !child.variables.contains_key("enabled") {
                enabled = Some(expr);
            } else {
                inputs.insert(key.clone(), expr);
            }
        }
        Some(ModuleCall {
            name: name.clone(),
            source,
            module: child,
            inputs,
            count,
            for_each,
            enabled,
            depends_on,
            providers,
            span: field.key_span(),
        })
    }

    fn providers(&mut self, table: &Table) -> indexmap::IndexMap<ProviderRef, ProviderRef> {
        let mut out = indexmap::IndexMap::new();
        let b = &mut self.builder;
        let Some(given) = table.get("providers").and_then(|f| b.table(&f.item, "`providers`")) else { return out };
        for (name, field) in given {
            let key = Item {
                kind: ItemKind::String(name.to_string()),
                range: field.key.clone(),
                source: field.item.source.clone(),
            };
            if let (Some(child), Some(parent)) = (b.provider_ref(&key), b.provider_ref(&field.item)) {
                out.insert(child, parent);
            }
        }
        out
    }

    /// The text of a string that may use what is known before planning.
    fn static_text(
        &mut self,
        item: &Item,
        module: &Module,
        scope: &dyn Fn(&Module) -> StaticScope,
    ) -> Option<Arc<str>> {
        let expr: Expr = self.builder.expr(item);
        match expr.evaluate(&scope(module)) {
            Ok(value) => match value.as_str() {
                Some(text) => Some(text.into()),
                None => {
                    self.builder.error(
                        item.span(),
                        "Invalid module source",
                        "A module's source must be a string that is known before planning.",
                    );
                    None
                }
            },
            Err(problems) => {
                self.builder.problems.extend(problems);
                None
            }
        }
    }

    /// The module that a source names.
    fn child(&mut self, source: &str, item: &Item) -> Option<Arc<Module>> {
        let fail = |b: &mut Builder, summary: &str, detail: String| {
            b.error(item.span(), summary, detail);
            None
        };
        let parsed = match source::parse(source) {
            Ok(parsed) => parsed,
            Err(problem) => {
                self.builder.problems.push(problem.span(item.span()));
                return None;
            }
        };
        if self.cwd.is_none() {
            return fail(
                &mut self.builder,
                "No files here",
                "A stack that is given as text cannot call modules.".into(),
            );
        }
        let path = match parsed {
            ModuleSource::Path => {
                let from = normal(&self.dir_of(&item.source));
                let path = normal(&from.join(source));
                if self.fetched.iter().any(|root| from.starts_with(root) && !path.starts_with(root)) {
                    // Terraform: a module package is all that is there of it.
                    let detail = format!("`{source}` leads out of the repository that the module is from.");
                    return fail(&mut self.builder, "Local module path escapes module package", detail);
                }
                path
            }
            ModuleSource::Git(git) => self.fetched(&git, item)?,
        };
        if let Some(known) = self.modules.get(&path) {
            return Some(known.clone());
        }
        if let Some(at) = self.open.iter().position(|p| *p == path) {
            let chain: Vec<String> = self.open[at..].iter().chain([&path]).map(|p| self.shown(p)).collect();
            return fail(&mut self.builder, "A module calls itself", chain.join(" calls "));
        }
        self.open.push(path.clone());
        let built = self.module(&path, item);
        self.open.pop();
        let built = Arc::new(built?);
        self.modules.insert(path, built.clone());
        Some(built)
    }

    /// The directory of a module from git.
    fn fetched(&mut self, source: &GitSource, item: &Item) -> Option<PathBuf> {
        let Some(fetch) = self.fetch else {
            let detail = "Nothing fetches modules here; a path like `./modules/network` can be called.";
            self.builder.error(item.span(), "Remote module sources are not available", detail);
            return None;
        };
        let root = match fetch.git(source) {
            Ok(root) => root,
            Err(problem) => {
                self.builder.problems.push(problem.span(item.span()));
                return None;
            }
        };
        let root = normal(&root);
        let path = normal(&root.join(source.directory.as_deref().unwrap_or_default()));
        self.fetched.push(root);
        if let (Some(directory), false) = (&source.directory, path.exists()) {
            let at = source.reference.as_deref().unwrap_or("the commit in use");
            let problem = Diagnostic::error("Module directory not found")
                .detail(format!("The repository has no `{directory}` at {at}."))
                .help("what follows `//` is a directory of the repository; `lakeform upgrade` takes the newest commit");
            self.builder.problems.push(problem.span(item.span()));
            return None;
        }
        Some(path)
    }

    fn module(&mut self, path: &Path, item: &Item) -> Option<Module> {
        let (table, dir) = self.file_or_dir(path, Some(item.span()))?;
        let dir = relative(&normal(&dir), &normal(&self.root_dir));
        let mut module = self.builder.module(&table, &dir, false);
        let root_dir = self.root_dir.clone();
        let scope = move |m: &Module| {
            let environment = Environment { root: root_dir.clone(), module: m.dir.clone(), ..Environment::default() };
            StaticScope::of_module(m, std::collections::BTreeMap::new(), environment)
        };
        self.calls(&mut module, &table, &scope);
        Some(module)
    }

    /// The root module's path counts as open: it cannot be called.
    pub fn open_root(&mut self, path: &Path) {
        self.open.push(normal(path));
    }
}
