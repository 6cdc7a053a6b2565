//! Expressions that cannot be evaluated.

use super::table;

#[test]
fn expressions() {
    table(&[
        ("template_unclosed", "[locals]\nx = 'a ${1 + 2'\n"),
        ("expression_syntax", "[locals]\nx = '${1 + }'\n"),
        ("directive_unclosed", "[locals]\nx = '%{ if true }yes'\n"),
        ("unknown_function", "[locals]\nx = '${jsonencod({})}'\n"),
        ("too_few_arguments", "[output.x]\nvalue = '${replace(\"a\")}'\n"),
        ("wrong_argument", "[output.x]\nvalue = '${length(5)}'\n"),
        ("undeclared_variable", "[output.x]\nvalue = '${var.nam}'\n[variable.name]\ndefault = 1\n"),
        ("undeclared_local", "[output.x]\nvalue = '${local.nam}'\n[locals]\nname = 1\n"),
        ("undeclared_resource", "[output.x]\nvalue = '${fake_thing.b.id}'\n[resource.fake_thing.a]\n"),
        ("undeclared_data", "[output.x]\nvalue = '${data.fake_lookup.b.id}'\n"),
        ("undeclared_module", "[output.x]\nvalue = '${module.m.id}'\n"),
        ("unknown_attribute_of_a_reference", "[output.x]\nvalue = '${fake_thing.a.nam}'\n[resource.fake_thing.a]\n"),
        ("unknown_path", "[output.x]\nvalue = '${path.modul}'\n"),
        ("each_without_for_each", "[resource.fake_thing.a]\nname = '${each.key}'\n"),
        ("count_without_count", "[resource.fake_thing.a]\nname = '${count.index}'\n"),
        ("self_outside_a_postcondition", "[resource.fake_thing.a]\nname = '${self.id}'\n"),
        ("instance_without_its_key", "[resource.fake_thing.a]\ncount = 2\n[output.x]\nvalue = '${fake_thing.a.id}'\n"),
        (
            "cycle_of_resources",
            "[resource.fake_thing.a]\nname = '${fake_thing.b.id}'\n[resource.fake_thing.b]\nname = '${fake_thing.a.id}'\n",
        ),
        ("cycle_of_locals", "[locals]\na = '${local.b}'\nb = '${local.c}'\nc = '${local.a}'\n"),
        ("reference_to_itself", "[resource.fake_thing.a]\nname = '${fake_thing.a.id}'\n"),
        ("for_each_of_a_list", "[variable.v]\ndefault = ['a']\n[resource.fake_thing.a]\nfor_each = '${var.v}'\n"),
        ("for_each_of_null", "[resource.fake_thing.a]\nfor_each = '${null}'\n"),
        ("for_each_of_numbers", "[resource.fake_thing.a]\nfor_each = '${toset([1, 2])}'\n"),
        (
            "for_each_unknown",
            "[resource.fake_thing.a]\n[resource.fake_thing.b]\nfor_each = '${toset([fake_thing.a.id])}'\n",
        ),
        ("count_unknown", "[resource.fake_thing.a]\n[resource.fake_thing.b]\ncount = '${length(fake_thing.a.id)}'\n"),
        ("count_negative", "[resource.fake_thing.a]\ncount = -1\n"),
        ("count_a_fraction", "[resource.fake_thing.a]\ncount = '${3 / 2}'\n"),
        ("index_out_of_range", "[output.x]\nvalue = '${[1, 2][5]}'\n"),
        ("division_by_zero", "[output.x]\nvalue = '${1 / 0}'\n"),
        ("conditional_without_bool", "[output.x]\nvalue = '${\"maybe\" ? 1 : 2}'\n"),
        ("duplicate_for_key", "[output.x]\nvalue = '${{ for v in [\"a\", \"a\"] : v => 1 }}'\n"),
        ("no_value_for_a_variable", "[variable.name]\n[output.x]\nvalue = '${var.name}'\n"),
        (
            "validation",
            "[variable.env]\ndefault = 'prd'\n[[variable.env.validation]]\ncondition = '${contains([\"dev\", \"prod\"], \
             var.env)}'\nerror_message = 'env must be dev or prod, not ${var.env}'\n",
        ),
        ("sensitive_output", "[variable.s]\ndefault = 'hunter2'\nsensitive = true\n[output.x]\nvalue = '${var.s}'\n"),
        (
            "sensitive_for_each",
            "[variable.s]\ndefault = { a = 1 }\nsensitive = true\n[resource.fake_thing.a]\nfor_each = '${var.s}'\n",
        ),
        (
            "sensitive_in_a_message",
            "[variable.s]\ndefault = 'hunter2'\nsensitive = true\n[resource.fake_thing.a]\nsize = '${var.s}'\n",
        ),
        (
            "precondition",
            "[resource.fake_thing.a]\nname = 'a'\n[[resource.fake_thing.a.lifecycle.precondition]]\ncondition = \
             '${local.one > 2}'\nerror_message = 'one is not more than two'\n[locals]\none = 1\n",
        ),
        (
            "condition_of_constants",
            "[resource.fake_thing.a]\nname = 'a'\n[[resource.fake_thing.a.lifecycle.precondition]]\ncondition = '${1 > \
             2}'\nerror_message = 'one is not more than two'\n",
        ),
        ("values_of_nothing_with_wrong_type", "[variable.n]\ntype = 'number'\n[values]\nn = 'many'\n"),
    ]);
}
