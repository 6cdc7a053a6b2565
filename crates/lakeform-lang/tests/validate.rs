//! What validation finds.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

use std::{collections::BTreeMap, fs};

use lakeform_core::{Attribute, Block, Mode, NestedBlock, Nesting, Schema, Type};
use lakeform_lang::{Schemas, load, load_str, validate};

struct Known(BTreeMap<(Mode, &'static str), Schema>, Schema);

impl Schemas for Known {
    fn resource(&self, mode: Mode, ty: &str) -> Option<&Schema> {
        self.0.iter().find(|((m, t), _)| *m == mode && *t == ty).map(|(_, s)| s)
    }

    fn provider(&self, name: &str) -> Option<&Schema> {
        (name == "t").then_some(&self.1)
    }

    fn names(&self, mode: Mode) -> Vec<&str> {
        self.0.keys().filter(|(m, _)| *m == mode).map(|(_, t)| *t).collect()
    }

    fn providers(&self) -> Vec<&str> {
        vec!["t"]
    }
}

fn attribute(ty: Type, change: impl Fn(&mut Attribute)) -> Attribute {
    let mut out = Attribute::new(ty);
    out.optional = true;
    change(&mut out);
    out
}

fn schemas() -> Known {
    let mut block = Block::default();
    let mut attr = |name: &str, a: Attribute| drop(block.attributes.insert(name.into(), a));
    attr(
        "bucket",
        attribute(Type::String, |a| {
            a.optional = false;
            a.required = true;
        }),
    );
    attr("size", attribute(Type::Number, |_| {}));
    attr("policy", attribute(Type::String, |a| a.json = true));
    attr("tags", attribute(Type::map(Type::String), |_| {}));
    attr(
        "arn",
        attribute(Type::String, |a| {
            a.optional = false;
            a.computed = true;
        }),
    );
    let mut rule = Block::default();
    rule.attributes.insert(
        "days".into(),
        attribute(Type::Number, |a| {
            a.optional = false;
            a.required = true;
        }),
    );
    rule.attributes.insert("note".into(), attribute(Type::String, |_| {}));
    let nested =
        |nesting, min, max| NestedBlock { nesting, min, max, force_new: false, computed: false, block: rule.clone() };
    block.blocks.insert("rule".into(), nested(Nesting::List, 0, 2));
    block.blocks.insert("grant".into(), nested(Nesting::Set, 0, 0));
    let bucket = Schema { version: 0, block: block.clone() };
    block.blocks.insert("rule".into(), nested(Nesting::List, 1, 1));
    let strict = Schema { version: 0, block };
    let mut provider = Schema::default();
    provider.block.attributes.insert("region".into(), attribute(Type::String, |_| {}));
    let all = [
        ((Mode::Managed, "t_bucket"), bucket.clone()),
        ((Mode::Managed, "t_strict"), strict),
        ((Mode::Data, "t_bucket"), bucket),
    ];
    Known(all.into(), provider)
}

fn report(text: &str) -> String {
    let (stack, _) = load_str("s.toml", text).unwrap_or_else(|e| panic!("{e}"));
    show(&validate(&stack, &schemas()))
}

fn show(found: &lakeform_core::Diagnostics) -> String {
    let one = |d: &lakeform_core::Diagnostic| {
        let at = d.span.as_ref().and_then(|s| s.source.text.get(s.range.clone())).unwrap_or_default();
        let at = at.lines().next().unwrap_or_default();
        let word = if d.is_error() { "" } else { "warning: " };
        format!("{word}{d}{} at `{at}`", d.help.iter().map(|h| format!(" ({h})")).collect::<String>())
    };
    found.iter().map(one).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_sound_stack_has_no_problems() {
    let found = report(
        r#"
[stack]
required_version = ">= 0.1, < 9"
[variable.names]
type = "set(string)"
default = ["a"]
[values]
names = ["x"]
[provider.t]
region = "r"
[locals]
policy = { a = 1 }
[resource.t_bucket.a]
for_each = "${var.names}"
bucket = "b-${each.key}"
size = "5"
policy = { Statement = [{ Effect = "Allow", Action = "*" }], x = "${t_bucket.b.arn}" }
tags = { n = 1, each = "${each.value}" }
rule = [{ days = 1 }, { days = "2", note = "${local.policy.a}" }]
timeouts = { create = "10m" }
lifecycle = { ignore_changes = ["tags"], prevent_destroy = "${length(var.names) > 1}" }
[resource.t_bucket.b]
bucket = "b"
rule = "${[for n in var.names : { days = 1 }]}"
dynamic.grant = { for_each = "${var.names}", content = { days = "${length(grant.value)}" } }
[resource.t_bucket.c]
count = 2
bucket = "${t_bucket.a[\"x\"].arn}"
[data.t_bucket.d]
bucket = "${try(t_bucket.c[0].arn, file(\"none\"))}"
[output.all]
value = "${t_bucket.c[*].arn}"
[output.keys]
value = "${{ for k, b in t_bucket.a : k => b.tags }}"
"#,
    );
    assert_eq!(found, "");
}

#[test]
fn all_problems_are_found_at_once() {
    let found = report(
        r#"
[stack]
required_version = ">= 9"
[variable.n]
type = "number"
[variable.list]
type = "list(string)"
[values]
n = "x"
m = 1
[provider.tt]
[provider.t]
regin = "x"
[resource.t_buckt.a]
[data.t_strict.a]
[resource.t_bucket.a]
buket = "x"
size = "big"
arn = "x"
policy = ["${var.missing}"]
tags = "${var.n}"
rule = [{ days = 1 }, { dys = 2 }, { days = [] }]
grant = { note = "x" }
provider = "t.other"
depends_on = ["t_bucket.zzz"]
lifecycle = { ignore_changes = ["taggs"], prevent_destroy = [] }
[resource.t_bucket.b]
bucket = "${t_bucket.b.arn}"
size = "${each.key}"
count = -1
[resource.t_bucket.c]
for_each = "${var.list}"
bucket = "${t_bucket.b.arn}${t_bucket.a[0].arn}${t_bucket.d.ar}${upper([])}${local.nn}"
[resource.t_bucket.d]
bucket = "${var.nn} ${data.t_bucket.d.arn} ${module.m.x}"
dynamic.rul = { for_each = [], content = {} }
[resource.t_strict.e]
bucket = "${null}"
[resource.t_strict.f]
bucket = "f"
rule = [{ days = 1 }, { days = 2 }]
[output.x]
value = "${self.id}${count.index}${vars.n}"
"#,
    );
    insta::assert_snapshot!(found, @r#"
    s.toml:3:20: Unsupported lakeform version: The stack wants >= 9, and this is lakeform 0.1.0. at `">= 9"`
    s.toml:9:5: Invalid value for input variable: The given value is not suitable for var.n: a number is required. at `"x"`
    warning: s.toml:10:5: Value for undeclared variable: The stack gives a value to "m", but it has no variable of that name. (did you mean `n`?) at `1`
    s.toml:11:11: Unknown provider `tt`: Known are t. (did you mean `t`?) at `tt`
    s.toml:13:1: Unknown attribute `regin` of provider t: An argument or block named "regin" is not expected here. (did you mean `region`?) at `regin`
    s.toml:14:19: Unknown resource type `t_buckt`: No provider has a resource type of that name. (did you mean `t_bucket`?) at `a`
    s.toml:15:16: Unknown data source `t_strict`: No provider has a data source of that name. (there is `resource.t_strict`) at `a`
    s.toml:16:1: Missing required argument `bucket`: The argument "bucket" is required, but no definition was found. at `[resource.t_bucket.a]`
    s.toml:16:20: Provider configuration not present: There is no configuration `t.other` here. at `a`
    s.toml:16:20: Unknown attribute `taggs` in ignore_changes: t_bucket has no such attribute. (did you mean `tags`?) at `a`
    s.toml:17:1: Unknown attribute `buket` of t_bucket: An argument or block named "buket" is not expected here. (did you mean `bucket`?) at `buket`
    s.toml:18:8: Incorrect attribute value type: Inappropriate value for attribute "size": a number is required. at `"big"`
    s.toml:19:7: Value for unconfigurable attribute `arn`: Its value is decided when the object is made; "arn" cannot be set. at `"x"`
    s.toml:20:14: Reference to undeclared input variable: An input variable with the name "missing" has not been declared. at `var.missing`
    s.toml:21:8: Incorrect attribute value type: Inappropriate value for attribute "tags": map of string required. at `"${var.n}"`
    s.toml:22:25: Unknown attribute `dys` of t_bucket: An argument or block named "dys" is not expected here. (did you mean `days`?) at `dys`
    s.toml:22:45: Incorrect attribute value type: Inappropriate value for attribute "rule[2].days": number required. at `[]`
    s.toml:23:9: Missing required argument `days`: The argument "days" is required, but no definition was found. at `{ note = "x" }`
    s.toml:25:16: Reference to undeclared resource: A managed resource "t_bucket" "zzz" has not been declared in the root module. (did you mean `t_bucket.a`?) at `t_bucket.zzz`
    s.toml:26:61: `prevent_destroy` must be true or false: It is tuple. at `[]`
    s.toml:28:13: Self-referential block: Configuration for t_bucket.b may not refer to itself. at `t_bucket.b.arn`
    s.toml:29:11: Reference to "each" in context without for_each: The "each" object can be used only in "module" or "resource" blocks, and only when the "for_each" argument is set. at `each.key`
    s.toml:30:9: Invalid count argument: The given "count" argument value is unsuitable: must be greater than or equal to zero. at `-1`
    s.toml:32:12: Invalid for_each argument: The given "for_each" argument value is unsuitable: a list is no map, or set of strings; `toset` would make it a set. at `"${var.list}"`
    s.toml:33:13: Missing resource instance key: Because t_bucket.b has "count" set, its attributes must be accessed on specific instances.

    For example, to correlate with indices of a referring resource, use:
        t_bucket.b[count.index] at `t_bucket.b.arn`
    s.toml:33:30: Unexpected resource instance key: Because t_bucket.a does not have "count" or "for_each" set, references to it must not include an index key. Remove the bracketed index to refer to the single instance of this resource. at `t_bucket.a[0].arn`
    s.toml:33:50: Unsupported attribute: This object has no argument, nested block, or exported attribute named "ar". (did you mean `arn`?) at `t_bucket.d.ar`
    s.toml:33:72: Invalid function argument: Invalid value for "str" parameter: string required. at `[]`
    s.toml:33:78: Reference to undeclared local value: A local value with the name "nn" has not been declared. at `local.nn`
    s.toml:35:13: Reference to undeclared input variable: An input variable with the name "nn" has not been declared. (did you mean `var.n`?) at `var.nn`
    s.toml:35:23: Reference to undeclared resource: A data resource "t_bucket" "d" has not been declared in the root module. at `data.t_bucket.d.arn`
    s.toml:35:46: Reference to undeclared module: No module call named "m" is declared in the root module. at `module.m.x`
    s.toml:36:9: Unknown attribute `rul` of t_bucket: An argument or block named "rul" is not expected here. (did you mean `rule`?) at `rul`
    s.toml:37:1: Insufficient rule blocks: At least 1 "rule" blocks are required. at `[resource.t_strict.e]`
    s.toml:38:10: Missing required argument `bucket`: The argument "bucket" is required, but no definition was found. at `"${null}"`
    s.toml:41:8: Too many rule blocks: No more than 1 "rule" blocks are allowed. at `[{ days = 1 }, { days = 2 }]`
    s.toml:43:12: Invalid "self" reference: The "self" object is not available in this context. This object can be used only in resource provisioner, connection, and postcondition blocks. at `self.id`
    s.toml:43:22: Reference to "count" in non-counted context: The "count" object can only be used in "module", "resource", and "data" blocks, and only when the "count" argument is set. at `count.index`
    s.toml:43:36: Reference to undeclared resource: A managed resource "vars" "n" has not been declared in the root module. (did you mean `var.n`?) at `vars.n`
    "#);
}

#[test]
fn calls_are_held_against_their_modules() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("m")).unwrap();
    fs::write(dir.path().join("m/main.toml"), "[variable.name]\ntype = \"string\"\n[variable.size]\ntype = \"number\"\ndefault = 1\n[output.arn]\nvalue = \"${t_bucket.b.arn}\"\n[resource.t_bucket.b]\nbucket = \"${var.nme}\"\nprovider = \"t.other\"\n").unwrap();
    let text = r#"
[module.a]
source = "./m"
nam = "x"
[module.b]
source = "./m"
name = ["x"]
size = "big"
count = 1
[output.a]
value = "${module.a.arm}"
[output.b]
value = "${module.b.arn}"
"#;
    fs::write(dir.path().join("root.toml"), text).unwrap();
    let (stack, _) = load(std::path::Path::new("root.toml"), dir.path()).unwrap();
    insta::assert_snapshot!(show(&validate(&stack, &schemas())), @r#"
    root.toml:2:9: Missing required argument `name` of module `a`: The argument "name" is required, but no definition was found. at `a`
    root.toml:4:7: Unknown argument `nam` of module `a`: The module has no input variable named "nam". (did you mean `name`?) at `"x"`
    root.toml:7:8: Invalid value for module argument: The given value is not suitable for child module variable "name": string required. at `["x"]`
    root.toml:8:8: Invalid value for module argument: The given value is not suitable for child module variable "size": a number is required. at `"big"`
    root.toml:11:12: Unsupported attribute: Module "a" has no output named "arm". (did you mean `arn`?) at `module.a.arm`
    root.toml:13:12: Missing module instance key: Because module.b has "count" set, its attributes must be accessed on specific instances, for example module.b[0]. at `module.b.arn`
    m/main.toml:8:20: Provider configuration not present: There is no configuration `t.other` here. at `b`
    m/main.toml:9:13: Reference to undeclared input variable: An input variable with the name "nme" has not been declared. (did you mean `var.name`?) at `var.nme`
    "#);
}
