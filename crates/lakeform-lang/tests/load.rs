//! Reading stacks from files: overlays, directories, modules, and what is wrong with them.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

use std::{fs, path::Path};

use lakeform_core::{Diagnostics, Mode, Path as ValuePath, Step, Value};
use lakeform_lang::{IgnoreChanges, ProviderRef, Stack, Subject, load, load_str};

fn write(dir: &Path, name: &str, text: &str) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn text(stack: &str) -> Stack {
    load_str("stack.toml", stack).unwrap().0
}

/// Every problem with its place, help and underlined text.
fn problems(result: Result<(Stack, Diagnostics), Diagnostics>) -> String {
    let problems = result.map(|_| ()).unwrap_err();
    let one = |d: &lakeform_core::Diagnostic| {
        let at = d.span.as_ref().map(|s| s.source.text.get(s.range.clone()).unwrap_or("?").to_owned());
        format!(
            "{d}{}\n  at `{}`",
            d.help.iter().map(|h| format!(" ({h})")).collect::<String>(),
            at.unwrap_or_default()
        )
    };
    problems.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn overlays_merge_tables_and_replace_arrays() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "base.toml",
        r#"
        [variable.env]
        [variable.zones]
        default = ["a"]
        [values]
        env = "none"
        zones = ["x", "y"]
        [locals]
        low = 1
        both = "base"
        [resource.aws_s3_bucket.raw]
        bucket = "raw-${var.env}"
        tags = { a = "1", b = "2" }
    "#,
    );
    write(
        dir.path(),
        "more.toml",
        r#"
        [locals]
        more = 2
        both = "more"
    "#,
    );
    write(
        dir.path(),
        "prod.toml",
        r#"
        [stack]
        extends = ["base.toml", "more.toml"]
        description = "production"
        [values]
        env = "prod"
        zones = ["z"]
        [resource.aws_s3_bucket.raw]
        tags = { b = "3" }
    "#,
    );
    let (stack, warnings) = load(Path::new("prod.toml"), dir.path()).unwrap();
    assert!(warnings.is_empty());
    assert_eq!((&*stack.name, stack.description.as_deref()), ("prod", Some("production")));
    assert_eq!(stack.values["env"].0, Value::from("prod"));
    assert_eq!(stack.values["zones"].0, Value::tuple(vec!["z".into()]));
    assert_eq!(stack.root.locals.keys().map(|k| &**k).collect::<Vec<_>>(), ["low", "both", "more"]);
    assert_eq!(stack.root.locals["both"].literal(), Some(&Value::from("more")));
    let raw = &stack.root.resources[&(Mode::Managed, "aws_s3_bucket".into(), "raw".into())];
    assert_eq!(raw.body.keys().map(|k| &**k).collect::<Vec<_>>(), ["bucket", "tags"]);
    let tags = raw.body.get("tags").unwrap();
    assert_eq!(tags.span().source.path, "prod.toml");
    assert_eq!(
        stack.sources.iter().map(|s| s.path.as_str()).collect::<Vec<_>>(),
        ["prod.toml", "base.toml", "more.toml"]
    );
    assert_eq!(stack.root_dir, dir.path());
}

#[test]
fn a_stack_that_extends_itself_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.toml", "[stack]\nextends = [\"b.toml\"]\n");
    write(dir.path(), "b.toml", "[stack]\nextends = [\"a.toml\"]\n");
    let found = problems(load(Path::new("a.toml"), dir.path()));
    assert!(found.starts_with("b.toml:2:12: A stack extends itself"), "{found}");
}

#[test]
fn a_directory_is_all_its_documents() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "s/one.toml", "[locals]\na = 1\n[resource.t_x.a]\n");
    write(dir.path(), "s/two.toml", "[locals]\nb = 2\n[resource.t_x.b]\n");
    write(dir.path(), "s/readme.md", "no stack");
    let (stack, _) = load(Path::new("s"), dir.path()).unwrap();
    assert_eq!(stack.name.as_ref(), "s");
    assert_eq!((stack.root.locals.len(), stack.root.resources.len()), (2, 2));
    write(dir.path(), "s/three.toml", "[locals]\nb = 3\n[resource.t_x.a]\n");
    insta::assert_snapshot!(problems(load(Path::new("s"), dir.path())), @r"
    s/three.toml:3:15: `a` is there twice: It is in s/one.toml too, at line 3.
      at `a`
    s/two.toml:2:1: `b` is there twice: It is in s/three.toml too, at line 2.
      at `b`
    ");
}

#[test]
fn modules_are_read_from_paths() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "stacks/prod.toml",
        r#"
        [variable.kind]
        default = "zone"
        [module.zones]
        source = "../modules/${var.kind}"
        for_each = ["raw", "temp"]
        providers = { aws = "aws.replica" }
        name = "${each.key}"
        depends_on = ["module.other", "aws_kms_key.k"]
        [module.other]
        source = "./other.toml"
        enabled = false
        [[provider.aws]]
        [[provider.aws]]
        alias = "replica"
        [resource.aws_kms_key.k]
    "#,
    );
    write(
        dir.path(),
        "modules/zone/main.toml",
        r#"
        [variable.name]
        type = "string"
        [module.inner]
        source = "./inner"
        enabled = "${var.name != \"\"}"
        [output.arn]
        value = "${module.inner.x}"
    "#,
    );
    write(dir.path(), "modules/zone/inner/a.toml", "[variable.enabled]\ntype = \"bool\"\n[output.x]\nvalue = 1\n");
    write(dir.path(), "stacks/other.toml", "[output.y]\nvalue = 2\n");
    let (stack, _) = load(&dir.path().join("stacks/prod.toml"), Path::new("/")).unwrap();
    let zones = &stack.root.calls["zones"];
    assert_eq!(zones.module.dir, Path::new("../modules/zone"));
    assert_eq!(zones.inputs.keys().map(|k| &**k).collect::<Vec<_>>(), ["name"]);
    assert_eq!(
        zones.depends_on.iter().map(|r| r.subject.to_string()).collect::<Vec<_>>(),
        ["module.other", "aws_kms_key.k"]
    );
    let replica = ProviderRef { name: "aws".into(), alias: Some("replica".into()) };
    assert_eq!(zones.providers[&ProviderRef { name: "aws".into(), alias: None }], replica);
    let inner = &zones.module.calls["inner"];
    assert_eq!(inner.module.dir, Path::new("../modules/zone/inner"));
    // The inner module has a variable of that name.
    assert!(inner.enabled.is_none() && inner.inputs.contains_key("enabled"));
    let other = &stack.root.calls["other"];
    assert_eq!(other.module.dir, Path::new("."));
    assert!(other.enabled.is_some() && other.inputs.is_empty());
}

#[test]
fn a_module_that_calls_itself_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "root.toml", "[module.a]\nsource = \"./m\"\n");
    write(dir.path(), "m/main.toml", "[module.b]\nsource = \"../m\"\n");
    let found = problems(load(Path::new("root.toml"), dir.path()));
    assert!(found.contains("A module calls itself: m calls m"), "{found}");
}

#[test]
fn problems_of_all_documents_come_at_once() {
    let dir = tempfile::tempdir().unwrap();
    write(
        dir.path(),
        "root.toml",
        r#"
[module.a]
source = "./none"
[module.b]
source = "git::https://example.com/x.git"
[module.c]
source = "hashicorp/consul/aws"
[module.d]
source = "./m"
[module.e]
name = 1
"#,
    );
    write(dir.path(), "m/main.toml", "[stack]\nname = \"x\"\n[output.x]\nvalu = 1\n");
    insta::assert_snapshot!(problems(load(Path::new("root.toml"), dir.path())), @r#"
    root.toml:3:10: Cannot read none: no such file or directory
      at `"./none"`
    root.toml:5:10: Remote module sources are not available: Nothing fetches modules here; a path like `./modules/network` can be called.
      at `"git::https://example.com/x.git"`
    root.toml:7:10: Module registries are not supported: `hashicorp/consul/aws` is the address of a module registry. A path must start with `./` or `../`.
      at `"hashicorp/consul/aws"`
    root.toml:10:1: Module `e` lacks `source`: The argument "source" is required, but no definition was found.
      at `[module.e]`
    m/main.toml:1:2: `stack` is not allowed in a module: It belongs to the stack that calls the module.
      at `stack`
    m/main.toml:3:9: Output `x` lacks `value`: The argument "value" is required, but no definition was found.
      at `x`
    m/main.toml:4:1: Unknown argument `valu` of output `x` (did you mean `value`?)
      at `valu`
    "#);
}

#[test]
fn syntax_is_reported_with_its_place() {
    insta::assert_snapshot!(problems(load_str("s.toml", "[locals]\na = \nb = 1 2\n[locals]\n")), @r"
    s.toml:2:5: Invalid TOML: String values must be quoted, expected literal string
      at ``
    s.toml:3:5: Invalid TOML: String values must be quoted, expected literal string
      at `1 2`
    s.toml:4:2: Invalid TOML: Duplicate key
      at `locals`
    ");
    let stack = r#"
[locals]
a = "x ${1 + } y"
b = "${upper(\"a\", 2)}"
c = '${nofunc(1)} and ${uper("a")}'
d = "tab\tthen ${var}"
e = "${foo}"
f = """
  ${path.foo}
"""
g = 2020-01-01
"#;
    insta::assert_snapshot!(problems(load_str("s.toml", stack)), @r#"
    s.toml:3:14: Invalid expression: Expected the start of an expression here.
      at `}`
    s.toml:4:8: Too many function arguments: Function "upper" expects only 1 argument(s).
      at `upper(\"a\", 2)`
    s.toml:5:8: Call to unknown function: There is no function named "nofunc".
      at `nofunc`
    s.toml:5:25: Call to unknown function: There is no function named "uper". (did you mean `upper`?)
      at `uper`
    s.toml:6:18: Invalid reference: The "var" object cannot be accessed directly. Instead, access one of its attributes.
      at `var`
    s.toml:7:8: Invalid reference: A reference to a resource type must be followed by at least one attribute access, specifying the resource name.
      at `foo`
    s.toml:9:9: Invalid "path" attribute: The "path" object does not have an attribute named "foo". The supported attributes are path.module, path.root and path.cwd.
      at `.foo`
    s.toml:11:5: Invalid value: Dates and times are no values of the language: put quotes around them.
      at `2020-01-01`
    "#);
}

#[test]
fn sections_that_are_unknown_or_come_later_are_refused() {
    let stack = r#"
[resorce.aws_s3_bucket.x]
[terraform]
[dependency.x]
[backend.s3]
[backend.local]
[resource.aws_x.y]
connection = {}
count = 1
for_each = []
[resource.aws_x."0z"]
[variable.source]
[stack]
nam = "x"
"#;
    insta::assert_snapshot!(problems(load_str("s.toml", stack)), @r#"
    s.toml:2:2: Unknown section `resorce` (did you mean `resource`?)
      at `resorce`
    s.toml:3:2: Unknown section `terraform` (what Terraform has there is in `stack.required_version` and `backend`; providers are built in)
      at `terraform`
    s.toml:4:2: `dependency` is not supported yet: Stacks cannot have this section yet.
      at `dependency`
    s.toml:6:10: Two backends: `local` is a second one; a stack has exactly one backend.
      at `local`
    s.toml:8:1: `connection` is not supported: Only provisioners that run here are.
      at `connection`
    s.toml:10:1: Invalid combination of "count" and "for_each": The "count" and "for_each" meta-arguments are mutually-exclusive, only one should be used to be explicit about the number of resources to be created.
      at `for_each`
    s.toml:11:17: Invalid name `0z`: A name must start with a letter or underscore and may contain only letters, digits, underscores, and dashes.
      at `"0z"`
    s.toml:12:11: Invalid variable name `source`: The variable name "source" is reserved due to its special meaning inside module blocks.
      at `source`
    s.toml:14:1: Unknown argument `nam` of `stack` (did you mean `name`?)
      at `nam`
    "#);
}

#[test]
fn checks_have_assertions_and_a_data_source_of_their_own() {
    let stack = text(
        "[data.a.x]\n[check.one]\nassert = [{ condition = '${var.a}', error_message = 'm' }, { condition = '${data.a.y.z}', \
         error_message = '${local.m}' }]\n[check.one.data.a.y]\nprovider = 'a.b'\n[check.two.assert]\ncondition = \
         '${path.module}'\nerror_message = 'm'\n",
    );
    let key = (Mode::Data, "a".into(), "y".into());
    let one = &stack.root.checks["one"];
    assert_eq!((one.asserts.len(), one.data.as_ref()), (2, Some(&key)));
    let named: Vec<String> = one.references().map(|r| r.subject.to_string()).collect();
    assert_eq!(named, ["var.a", "data.a.y", "local.m"]);
    assert_eq!(stack.root.resources[&key].check.as_deref(), Some("one"));
    assert_eq!(stack.root.resources.values().filter(|r| r.check.is_some()).count(), 1);
    assert_eq!((stack.root.checks["two"].asserts.len(), &stack.root.checks["two"].data), (1, &None));
}

#[test]
fn variables_have_types_and_defaults() {
    let stack = text(
        r#"
[variable.a]
type = "object({ x = string, y = optional(number, 3) })"
default = { x = 1 }
sensitive = true
nullable = false
[variable.b]
"#,
    );
    let a = &stack.root.variables["a"];
    assert_eq!(a.default.as_ref().unwrap().get("y"), Some(&Value::from(3)));
    let prepared = a.prepare(Some(Value::null(lakeform_core::Type::Dynamic))).unwrap();
    assert!(prepared.is_sensitive() && prepared.get("x") == Some(&Value::from("1")));
    assert!(stack.root.variables["b"].prepare(None).is_err());
    let wrong = r#"
[variable.a]
type = "lst(string)"
[variable.b]
type = "list(string"
[variable.c]
type = "number"
default = "x"
[variable.d]
sensitive = "maybe"
tpe = "string"
[[variable.d.validation]]
condition = true
"#;
    insta::assert_snapshot!(problems(load_str("s.toml", wrong)), @r#"
    s.toml:3:9: Invalid type specification: The keyword "lst" is not a valid type constructor. Did you mean `list`?
      at `lst(string)`
    s.toml:5:9: Invalid type specification: expected `)` or expression
      at `list(string`
    s.toml:8:11: Invalid default value for variable: This default value is not compatible with the variable's type constraint: a number is required.
      at `"x"`
    s.toml:10:13: `sensitive` must be true or false: It is a string; an expression is not allowed here.
      at `"maybe"`
    s.toml:11:1: Unknown argument `tpe` of variable `d` (did you mean `type`?)
      at `tpe`
    s.toml:12:1: `validation` lacks `error_message`: Both `condition` and `error_message` are required.
      at `[[variable.d.validation]]`
    "#);
}

#[test]
fn references_are_known() {
    let stack = text(
        r#"
[resource.aws_x.y]
count = "${length(var.list)}"
name = "${aws_z.w[0].tags[\"a\"].b[count.index].c}-${data.aws_d.e[*].id}"
list = "${[for v in local.items : v.x if v != var.skip]}"
nested = { a = ["${module.m.out}"], "${each.key}" = 1 }
depends_on = ["aws_k.k", "module.m", "var.v"]
[resource.aws_x.y.lifecycle]
ignore_changes = ["tags", "rule[0].x", 'meta["k"]']
replace_triggered_by = ["aws_z.w.id"]
postcondition = { condition = "${self.id != \"\"}", error_message = "no" }
[resource.aws_x.y.dynamic.rule]
for_each = "${var.rules}"
iterator = "r"
content = { port = "${r.value}", all = "${rule.x}" }
"#,
    );
    let y = &stack.root.resources[&(Mode::Managed, "aws_x".into(), "y".into())];
    let shown: Vec<String> = y.references().map(|r| format!("{}{:?}", r.subject, r.rest.len())).collect();
    insta::assert_snapshot!(shown.join(" "), @"var.list0 count1 aws_z.w4 data.aws_d.e0 local.items0 var.skip0 each1 module.m1 var.rules0 rule.x0 aws_z.w1 self1 aws_k.k0 module.m0 var.v0");
    let all = y.body.get("name").unwrap().references();
    let first = all.iter().find(|r| matches!(&r.subject, Subject::Resource { ty, .. } if &**ty == "aws_z")).unwrap();
    assert_eq!(
        first.rest,
        vec![Step::Index(0), Step::Attr("tags".into()), Step::Key("a".into()), Step::Attr("b".into())]
    );
    assert_eq!(
        first.span.source.text.get(first.span.range.clone()),
        Some("aws_z.w[0].tags[\\\"a\\\"].b[count.index].c")
    );
    let IgnoreChanges::Paths(paths) = &y.lifecycle.ignore_changes else { panic!("paths") };
    assert_eq!(paths[1], ValuePath(vec![Step::Attr("rule".into()), Step::Index(0), Step::Attr("x".into())]));
    assert_eq!(paths[2].to_string(), "meta[\"k\"]");
    assert_eq!(y.lifecycle.replace_triggered_by[0].references()[0].subject.to_string(), "aws_z.w");
    assert!(matches!(y.lifecycle.postconditions[0].condition.references()[0].subject, Subject::SelfRef));
}

#[test]
fn providers_may_be_given_once_or_several_times() {
    let stack = text("[provider.aws]\nregion = \"a\"\n");
    assert_eq!(stack.root.providers.len(), 1);
    let stack = text("[[provider.aws]]\n[[provider.aws]]\nalias = \"x\"\nregion = \"b\"\n");
    assert_eq!(stack.root.providers[1].alias.as_deref(), Some("x"));
    assert_eq!(stack.root.providers[1].body.keys().map(|k| &**k).collect::<Vec<_>>(), ["region"]);
    insta::assert_snapshot!(problems(load_str("s.toml", "[[provider.aws]]\n[[provider.aws]]\n")), @r#"
    s.toml:2:1: Duplicate provider configuration: A default (non-aliased) provider configuration for "aws" is at line 1 already.
      at `[[provider.aws]]`
    "#);
}
