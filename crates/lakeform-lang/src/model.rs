//! What a stack is once it is read: modules with their variables, locals, resources, calls and outputs.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use indexmap::IndexMap;
use lakeform_core::{
    Block, ConfigAddress, ConvertError, Diagnostic, Diagnostics, Marks, Mode, ModulePath, Path, Source, Span, Value,
};

use crate::{Body, Expr, GuardBlock, Import, Moved, Reference, Removed, Scope, TypeConstraint, load::attribute_path};

/// A stack: its own settings, the values for its variables, and its root module.
#[derive(Clone, Debug)]
pub struct Stack {
    /// `[stack] name`, else the stem of the file; names the local state file.
    pub name: Arc<str>,
    /// `[stack] description`
    pub description: Option<Arc<str>>,
    /// `[stack] required_version`, a version constraint on lakeform itself.
    pub required_version: Option<(Arc<str>, Span)>,
    /// The file or directory that was loaded.
    pub path: PathBuf,
    /// The directory that relative paths in expressions start from; absolute if the path given to `load` or its
    /// working directory is.
    pub root_dir: PathBuf,
    /// `[backend.KIND]`; `None` means the local one.
    pub backend: Option<Backend>,
    /// `[guard]`
    pub guard: Option<GuardBlock>,
    /// `[values]`: a value for each named variable of the root module, and where it is given.
    pub values: BTreeMap<Arc<str>, (Value, Span)>,
    /// The root module.
    pub root: Arc<Module>,
    /// Every document that was read, in reading order.
    pub sources: Vec<Arc<Source>>,
}

impl Stack {
    /// Every resource, data and ephemeral block of the stack and of its modules.
    pub fn blocks(&self) -> Vec<ConfigAddress> {
        fn collect(module: &Module, path: &ModulePath, out: &mut Vec<ConfigAddress>) {
            out.extend(module.resources.keys().map(|(mode, ty, name)| ConfigAddress {
                module: path.clone(),
                mode: *mode,
                ty: ty.clone(),
                name: name.clone(),
            }));
            for (name, call) in &module.calls {
                collect(&call.module, &path.child(name.clone()), out);
            }
        }
        let mut out = vec![];
        collect(&self.root, &ModulePath::root(), &mut out);
        out
    }
}

/// `[backend.KIND]`
#[derive(Clone, Debug)]
pub struct Backend {
    /// `s3`, `local`
    pub kind: Arc<str>,
    /// Its settings; expressions over variables and locals are allowed.
    pub body: Body,
    /// Where it is.
    pub span: Span,
}

/// How a resource block is named within its module.
pub type ResourceKey = (Mode, Arc<str>, Arc<str>);

/// One module: what one directory (or file) of documents declares.
#[derive(Clone, Debug, Default)]
pub struct Module {
    /// `path.module` as Terraform prints it: relative to the root module's directory, `.` for the root itself.
    pub dir: PathBuf,
    /// `[variable.NAME]`
    pub variables: IndexMap<Arc<str>, Variable>,
    /// `[locals]`
    pub locals: IndexMap<Arc<str>, Expr>,
    /// `[output.NAME]`
    pub outputs: IndexMap<Arc<str>, Output>,
    /// `[provider.NAME]`, `[[provider.NAME]]`
    pub providers: Vec<ProviderConfig>,
    /// `[resource.TYPE.NAME]`, `[data.TYPE.NAME]`, `[ephemeral.TYPE.NAME]`
    pub resources: IndexMap<ResourceKey, Resource>,
    /// `[module.NAME]`
    pub calls: IndexMap<Arc<str>, ModuleCall>,
    /// `[[moved]]`
    pub moved: Vec<Moved>,
    /// `[[removed]]`
    pub removed: Vec<Removed>,
    /// `[[import]]`; only the root module has any.
    pub imports: Vec<Import>,
    /// `[check.NAME]`
    pub checks: IndexMap<Arc<str>, CheckBlock>,
}

impl Module {
    /// The block of an address, in this module or one that it calls.
    pub fn block(&self, address: &ConfigAddress) -> Option<&Resource> {
        let at = address.module.0.iter().try_fold(self, |module, call| Some(&*module.calls.get(call)?.module))?;
        at.resources.get(&(address.mode, address.ty.clone(), address.name.clone()))
    }
}

/// An input variable.
#[derive(Clone, Debug)]
pub struct Variable {
    /// Its type; `any` if none is given.
    pub ty: TypeConstraint,
    /// Its value where none is given, already of its type; `None` makes it required.
    pub default: Option<Value>,
    /// What it is for.
    pub description: Option<Arc<str>>,
    /// Its value is never shown.
    pub sensitive: bool,
    /// Null is a value for it; otherwise null means the default.
    pub nullable: bool,
    /// Its value is never stored.
    pub ephemeral: bool,
    /// What its value must fulfil.
    pub validations: Vec<Check>,
    /// Where it is declared.
    pub span: Span,
}

impl Variable {
    /// The variable's final value: converted to its type, defaults of optional attributes filled in, null replaced by
    /// the default where it is not nullable, and marked.
    ///
    /// # Errors
    /// When the value does not fit the type, or is null where null is no value for it.
    pub fn prepare(&self, given: Option<Value>) -> Result<Value, ConvertError> {
        let given = match (given, &self.default) {
            (Some(v), Some(default)) if v.is_null() && !self.nullable => default.clone().with_marks(v.marks()),
            (Some(v), _) => v,
            (None, Some(default)) => default.clone(),
            (None, None) => return Err(ConvertError { path: Path::root(), message: "a value is required".into() }),
        };
        let value = self.ty.apply(given)?;
        if value.is_null() && !self.nullable {
            return Err(ConvertError {
                path: Path::root(),
                message: "required variable may not be set to null".into(),
            });
        }
        Ok(value.with_marks(self.marks()))
    }

    /// What its value is marked with, whatever it is.
    pub fn marks(&self) -> Marks {
        Marks::of(self.sensitive, self.ephemeral)
    }

    /// Refuses a value that the calling module gives and that must not be stored, unless the variable is ephemeral too.
    ///
    /// # Errors
    /// With the place of the value, `span`.
    pub fn refuse_ephemeral(&self, value: &Value, span: &Span) -> Result<(), Diagnostics> {
        if self.ephemeral || !value.is_ephemeral() {
            return Ok(());
        }
        let detail = "This input variable is not declared as accepting an ephemeral value, so it cannot be set to a result derived from an ephemeral value.";
        Err(Diagnostic::error("Ephemeral value not allowed").detail(detail).span(span.clone()).into())
    }
}

/// A condition that must hold and what to say where it does not.
#[derive(Clone, Debug)]
pub struct Check {
    /// Must be true.
    pub condition: Expr,
    /// What to say.
    pub error_message: Expr,
    /// Where it is declared.
    pub span: Span,
}

/// A check block: assertions about the whole that never stop a run.
#[derive(Clone, Debug)]
pub struct CheckBlock {
    /// `assert`
    pub asserts: Vec<Check>,
    /// Its own data source, which is in [`Module::resources`] with [`Resource::check`] set.
    pub data: Option<ResourceKey>,
    /// Where it is declared.
    pub span: Span,
}

impl CheckBlock {
    /// Every reference of its assertions.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.asserts.iter().flat_map(|c| [&c.condition, &c.error_message]).flat_map(Expr::references)
    }
}

/// An output value.
#[derive(Clone, Debug)]
pub struct Output {
    /// Its value.
    pub value: Expr,
    /// What it is.
    pub description: Option<Arc<str>>,
    /// Its value is not shown, and is sensitive to the calling module.
    pub sensitive: bool,
    /// Its value is never stored.
    pub ephemeral: bool,
    /// What must be done before it is taken.
    pub depends_on: Vec<Reference>,
    /// What must hold.
    pub preconditions: Vec<Check>,
    /// Where it is declared.
    pub span: Span,
}

impl Output {
    /// What its value is marked with, whatever it is.
    pub fn marks(&self) -> Marks {
        Marks::of(self.sensitive, self.ephemeral)
    }

    /// The value of the output, marked as it is declared.
    ///
    /// # Errors
    /// When its expression fails, or gives something ephemeral and the output is not declared so.
    pub fn evaluate(&self, scope: &dyn Scope) -> Result<Value, Diagnostics> {
        let value = self.value.evaluate(scope)?;
        if value.is_ephemeral() && !self.ephemeral {
            let detail = "This output value is not declared as returning an ephemeral value, so it cannot be set to a result derived from an ephemeral value.";
            let problem = Diagnostic::error("Ephemeral value not allowed").detail(detail);
            return Err(problem.span(self.value.span().clone()).into());
        }
        Ok(value.with_marks(self.marks()))
    }
}

/// A provider configuration.
#[derive(Clone, Debug)]
pub struct ProviderConfig {
    /// `aws`
    pub name: Arc<str>,
    /// `alias`; `None` for the default configuration.
    pub alias: Option<Arc<str>>,
    /// Everything but `alias`.
    pub body: Body,
    /// Where it is declared.
    pub span: Span,
}

/// `aws` or `aws.replica`: one of several configurations of a provider.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProviderRef {
    /// `aws`
    pub name: Arc<str>,
    /// `replica`
    pub alias: Option<Arc<str>>,
}

impl std::fmt::Display for ProviderRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name)?;
        self.alias.iter().try_for_each(|alias| write!(f, ".{alias}"))
    }
}

/// A resource, data or ephemeral block.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Managed, data or ephemeral.
    pub mode: Mode,
    /// `aws_s3_bucket`
    pub ty: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// `count`
    pub count: Option<Expr>,
    /// `for_each`; a TOML array of strings stands for a set.
    pub for_each: Option<Expr>,
    /// `enabled`, which is also in the body: an argument where the type has one of that name, else the switch. Ask
    /// [`Resource::switch`].
    pub enabled: Option<Expr>,
    /// `provider`; `None` means the default configuration of the provider that the type's name begins with.
    pub provider: Option<ProviderRef>,
    /// `depends_on`
    pub depends_on: Vec<Reference>,
    /// `lifecycle`
    pub lifecycle: Lifecycle,
    /// What runs beside the object, in the order in which it is written.
    pub provisioners: Vec<Provisioner>,
    /// Every other key: the arguments of the type, and `timeouts`.
    pub body: Body,
    /// The check block that a data source belongs to; nothing outside of it may refer to the data source.
    pub check: Option<Arc<str>>,
    /// Where it is declared.
    pub span: Span,
}

impl Resource {
    /// Its key in [`Module::resources`].
    pub fn key(&self) -> ResourceKey {
        (self.mode, self.ty.clone(), self.name.clone())
    }

    /// The provider configuration that it asks for.
    pub fn provider_ref(&self) -> ProviderRef {
        self.provider
            .clone()
            .unwrap_or_else(|| ProviderRef { name: self.ty.split('_').next().unwrap_or_default().into(), alias: None })
    }

    /// The value of its arguments by its type's schema: as [`Body::evaluate`], and nothing ephemeral in it that would have
    /// to be stored (Terraform: only write-only arguments take ephemeral values, and those of ephemeral resources).
    ///
    /// # Errors
    /// Everything that is wrong, each with its place.
    pub fn evaluate(&self, schema: &Block, scope: &dyn Scope) -> Result<Value, Diagnostics> {
        let value = self.body.evaluate_as(schema, scope, &self.ty)?;
        if self.mode == Mode::Ephemeral {
            return Ok(value);
        }
        let problems = self.body.ephemeral_problems(schema, &value);
        if problems.is_empty() { Ok(value) } else { Err(problems) }
    }

    /// What switches the resource on and off without giving it an instance key (lakeform's own): `lifecycle.enabled`,
    /// or a plain `enabled` where that is no argument of the type, whose schema is `schema`.
    pub fn switch(&self, schema: &Block) -> Option<&Expr> {
        let own = schema.attributes.contains_key("enabled") || schema.blocks.contains_key("enabled");
        self.lifecycle.enabled.as_ref().or(self.enabled.as_ref().filter(|_| !own))
    }

    /// The references of `count`, `for_each` and `enabled`: what must be known to tell its instances.
    pub fn expansion_references(&self) -> impl Iterator<Item = &Reference> {
        [&self.count, &self.for_each, &self.enabled, &self.lifecycle.enabled]
            .into_iter()
            .flatten()
            .flat_map(Expr::references)
    }

    /// Every reference of the block, `depends_on` included.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.expansion_references()
            .chain(self.body.references())
            .chain(self.lifecycle.references())
            .chain(self.provisioners_at(When::Create).flat_map(|p| p.body.references()))
            .chain(&self.depends_on)
    }

    /// The provisioners that run at one time.
    pub fn provisioners_at(&self, when: When) -> impl Iterator<Item = &Provisioner> {
        self.provisioners.iter().filter(move |p| p.when == when)
    }
}

/// `provisioner.KIND`: something that runs here when an object is created or destroyed.
#[derive(Clone, Debug)]
pub struct Provisioner {
    /// `local-exec`
    pub kind: Arc<str>,
    /// When it runs.
    pub when: When,
    /// `on_failure = "continue"`: its failure is only told.
    pub may_fail: bool,
    /// Its arguments. They may refer to `self`; those of [`When::Destroy`] refer to nothing but that and the key.
    pub body: Body,
    /// Where it is declared.
    pub span: Span,
}

/// `when` of a provisioner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum When {
    /// After the object was created. If it fails, the object is tainted.
    #[default]
    Create,
    /// Before the object is destroyed. If it fails, the object stays.
    Destroy,
}

/// `lifecycle`
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    /// Replace by creating first; the expression must be known at plan.
    pub create_before_destroy: Option<Expr>,
    /// Refuse to delete or replace; the expression must be known at plan.
    pub prevent_destroy: Option<Expr>,
    /// Switches the resource on and off (lakeform's own); the expression must be known at plan.
    pub enabled: Option<Expr>,
    /// Changes that are not made.
    pub ignore_changes: IgnoreChanges,
    /// Replace when one of these is replaced or changed. Each is a plain reference.
    pub replace_triggered_by: Vec<Expr>,
    /// What must hold before it is planned.
    pub preconditions: Vec<Check>,
    /// What must hold after it is planned or applied; `self` is the object.
    pub postconditions: Vec<Check>,
}

impl Lifecycle {
    /// Whether it has preconditions or postconditions.
    pub fn has_conditions(&self) -> bool {
        !self.preconditions.is_empty() || !self.postconditions.is_empty()
    }

    /// Every reference in it. Postconditions may refer to `self`.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        let checks =
            self.preconditions.iter().chain(&self.postconditions).flat_map(|c| [&c.condition, &c.error_message]);
        let ignore = match &self.ignore_changes {
            IgnoreChanges::Expr(e) => Some(e),
            _ => None,
        };
        [&self.create_before_destroy, &self.prevent_destroy]
            .into_iter()
            .flatten()
            .chain(ignore)
            .chain(&self.replace_triggered_by)
            .chain(checks)
            .flat_map(Expr::references)
    }
}

/// `ignore_changes`
#[derive(Clone, Debug, Default)]
pub enum IgnoreChanges {
    /// Nothing is ignored.
    #[default]
    None,
    /// `all`
    All,
    /// Changes at or inside these paths.
    Paths(Vec<Path>),
    /// An expression for `"all"` or a list of paths, known at plan (lakeform's own).
    Expr(Expr),
}

impl IgnoreChanges {
    /// The same without an expression: what it gives in a scope.
    ///
    /// # Errors
    /// When it fails there, is not known, or gives no attribute paths.
    pub fn resolve(&self, scope: &dyn Scope) -> Result<Self, Diagnostics> {
        let Self::Expr(expr) = self else { return Ok(self.clone()) };
        let value = expr.evaluate(scope)?;
        let wrong = |why: &str| {
            Diagnostics::from(Diagnostic::error("Invalid ignore_changes").detail(why).span(expr.span().clone()))
        };
        if !value.is_wholly_known() {
            return Err(wrong("Its value must be known when a plan is made."));
        }
        if value.is_null() {
            return Ok(Self::None);
        }
        let one = [value.clone()];
        let items = value.as_slice().unwrap_or(&one);
        if let [only] = items
            && only.as_str() == Some("all")
        {
            return Ok(Self::All);
        }
        let path = |v: &Value| {
            v.as_str()
                .and_then(attribute_path)
                .ok_or_else(|| wrong("The keyword \"all\" or a list of attribute paths is expected."))
        };
        Ok(Self::Paths(items.iter().filter(|v| !v.is_null()).map(path).collect::<Result<_, _>>()?))
    }
}

/// A module call.
#[derive(Clone, Debug)]
pub struct ModuleCall {
    /// Its name.
    pub name: Arc<str>,
    /// `source`, as written.
    pub source: Arc<str>,
    /// The called module. Calls of one source share it.
    pub module: Arc<Module>,
    /// The input variables that are set.
    pub inputs: IndexMap<Arc<str>, Expr>,
    /// `count`
    pub count: Option<Expr>,
    /// `for_each`; a TOML array of strings stands for a set.
    pub for_each: Option<Expr>,
    /// `enabled` (lakeform's own): false switches it off without giving it an instance key.
    pub enabled: Option<Expr>,
    /// `depends_on`
    pub depends_on: Vec<Reference>,
    /// `providers`: the child's configuration name, and which of this module's it is. Default configurations that are
    /// not named here are inherited.
    pub providers: IndexMap<ProviderRef, ProviderRef>,
    /// Where it is declared.
    pub span: Span,
}

impl ModuleCall {
    /// The references of `count`, `for_each` and `enabled`: what must be known to tell its instances.
    pub fn expansion_references(&self) -> impl Iterator<Item = &Reference> {
        [&self.count, &self.for_each, &self.enabled].into_iter().flatten().flat_map(Expr::references)
    }
}
