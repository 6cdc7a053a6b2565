#!/usr/bin/env python3
"""Records how Terraform draws changes of values: writes diffs.json beside this file.

Each case is a value before and after, as an expression. Terraform applies the first and plans the second, once as an
output and once as the `input` of a `terraform_data`; no provider or network is needed. Run by hand when a case is added.
"""
import json, pathlib, re, subprocess, tempfile

CASES = {
    "string": ('"a"', '"b"'),
    "string_same_type_number": ("1", "2"),
    "number_to_string": ("1", '"x"'),
    "string_to_list": ('"a"', '["a", "b"]'),
    "quotes": ('"a\\"b\\\\c\\td"', '"x"'),
    "created": ("null", '{ a = 1, b = ["x"], c = { d = true } }'),
    "deleted": ('{ a = 1, b = ["x"], c = { d = true } }', "null"),
    "list_append": ('["a", "b", "c"]', '["a", "b", "c", "d"]'),
    "list_insert": ('["a", "b", "c", "d", "e"]', '["a", "b", "x", "c", "d", "e"]'),
    "list_remove": ('["a", "b", "c", "d", "e"]', '["a", "b", "d", "e"]'),
    "list_replace_ends": ('["a", "b", "c", "d", "e", "f", "g"]', '["z", "b", "c", "d", "e", "f", "y"]'),
    "list_of_objects": ('[{ n = 1, m = "a" }, { n = 2, m = "b" }]', '[{ n = 1, m = "a" }, { n = 3, m = "b" }]'),
    "list_emptied": ('["a"]', "[]"),
    "list_filled": ("[]", '["a"]'),
    "set": ('toset(["a", "b", "c"])', 'toset(["b", "c", "d"])'),
    "map": ('tomap({ a = "1", b = "2", c = "3" })', 'tomap({ a = "1", b = "x", d = "4" })'),
    "map_odd_keys": ('tomap({ "a b" = "1", "kms:x" = "2" })', 'tomap({ "a b" = "9", "kms:x" = "2" })'),
    "object": ('{ a = 1, b = 2, id = "i" }', '{ a = 1, b = 3, id = "i" }'),
    "object_nulls": ("{ a = null, b = 1 }", "{ a = 1, b = null }"),
    "object_attribute_added": ("{ a = 1 }", "{ a = 1, b = 2 }"),
    "nested": ('{ a = { b = { c = [1, 2] } }, z = 1 }', '{ a = { b = { c = [1, 3] } }, z = 1 }'),
    "multiline": ('"one\\ntwo\\nthree\\n"', '"one\\n2\\nthree\\n"'),
    "multiline_created": ("null", '"one\\ntwo"'),
    "multiline_deleted": ('"one\\ntwo"', "null"),
    "json": ('jsonencode({ a = 1, s = [{ x = "y", n = 1 }] })', 'jsonencode({ a = 1, s = [{ x = "z", n = 1 }] })'),
    "json_created": ("null", 'jsonencode({ a = 1, l = [] , o = {} })'),
    "json_deleted": ('jsonencode({ a = [1] })', "null"),
    "json_whitespace": ('"{\\"a\\":1}"', '"{ \\"a\\": 1 }"'),
    "json_to_text": ('jsonencode({ a = 1 })', '"plain"'),
    "json_list": ('jsonencode(["a", "b"])', 'jsonencode(["a", "c"])'),
    "json_null": ('jsonencode({ a = null, b = 1 })', 'jsonencode({ a = 2, b = null })'),
    "json_scalar_to_list": ('jsonencode({ a = "x" })', 'jsonencode({ a = ["x", "y"] })'),
    "sensitive": ('sensitive("a")', 'sensitive("b")'),
    "unknown": ('"a"', "terraform_data.other.output"),
    "unknown_inside": ('{ a = "a", b = [1] }', '{ a = terraform_data.other.output, b = [1] }'),
}


def run(folder, *args):
    p = subprocess.run(["terraform", *args], cwd=folder, capture_output=True, text=True)
    assert p.returncode == 0, p.stdout + p.stderr
    return p.stdout


def stack(case, index, other):
    value = CASES[case][index]
    flag = ", sensitive = true" if case == "sensitive" else ""
    lines = [f'output "x" {{\n  value = {value}\n  {flag.strip(", ")}\n}}', f'resource "terraform_data" "x" {{\n  input = {value}\n}}']
    if index == 1 and "other" in value:
        lines.append('resource "terraform_data" "other" {\n  input = "o"\n}')
    return "\n".join(lines)


def main():
    here = pathlib.Path(__file__).parent
    out = {}
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            main_tf = pathlib.Path(folder) / "main.tf"
            main_tf.write_text(stack(case, 0, case))
            run(folder, "init", "-input=false")
            run(folder, "apply", "-auto-approve", "-input=false")
            main_tf.write_text(stack(case, 1, case))
            run(folder, "plan", "-input=false", "-no-color", "-out=p")
            text = run(folder, "show", "-no-color", "p")
            doc = json.loads(run(folder, "show", "-json", "p"))
            change = doc["output_changes"].get("x", {})
            outputs = text.split("Changes to Outputs:\n", 1)
            shown = outputs[1].split("\n\nYou can apply")[0].rstrip("\n") if len(outputs) > 1 else ""
            block = re.search(r"resource \"terraform_data\" \"x\" \{\n(.*?)\n    \}", text, re.S)
            out[case] = {
                "expressions": CASES[case],
                "output": shown,
                "resource": block.group(1) if block else "",
            }
    (here / "diffs.json").write_text(json.dumps(out, indent=1) + "\n")


main()
