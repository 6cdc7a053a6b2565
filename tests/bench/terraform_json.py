"""Writes a stack as Terraform's JSON syntax, so that Terraform can be measured on the same stack.

The stack language is that syntax in TOML, so this only merges `extends`, leaves out what is lakeform's own, and wraps
policies written as tables in jsonencode().
"""
import json
import pathlib
import shutil
import tomllib

OURS = ("stack", "values", "backend")
JSON_TEXT = ("policy", "access_policy", "assume_role_policy", "definition", "container_definitions", "event_pattern", "dashboard_body",
             "policy_document", "redrive_policy", "redrive_allow_policy", "filter_policy")


def overlay(base, top):
    """Tables are merged key by key; anything else is replaced."""
    if not (isinstance(base, dict) and isinstance(top, dict)):
        return top
    return {**base, **{key: overlay(base.get(key), value) for key, value in top.items()}}


def document(path):
    """The stack file at `path` with what it extends, or all files of a module's directory."""
    if path.is_dir():
        merged = {}
        for file in sorted(path.glob("*.toml")):
            merged = overlay(merged, document(file))
        return merged
    own = tomllib.loads(path.read_text())
    merged = {}
    for base in own.get("stack", {}).get("extends", []):
        merged = overlay(merged, document(path.parent / base))
    return overlay(merged, own)


def expression(value):
    """A TOML value as an expression of the native syntax."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {expression(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(expression, value)) + "]"
    if isinstance(value, str) and value.startswith("${") and value.endswith("}") and value.count("${") == 1:
        return f"({value[2:-1]})"  # quotes inside of it must not be escaped
    return json.dumps(value)


def write(source, out, values=None):
    """Writes the stack or module at `source` into the directory `out`, its modules beside and below it."""
    doc = document(source)
    here = source if source.is_dir() else source.parent
    out.mkdir(parents=True)
    for file in here.iterdir():
        if file.is_file() and file.suffix != ".toml":
            shutil.copy(file, out)
        elif file.is_dir() and not any(file.rglob("*.toml")):
            shutil.copytree(file, out / file.name)
    for kind in ("resource", "data"):
        for blocks in doc.get(kind, {}).values():
            for block in blocks.values():
                if isinstance(block.get("for_each"), list):
                    block["for_each"] = "${toset(" + expression(block["for_each"]) + ")}"
                for key in JSON_TEXT:
                    if isinstance(block.get(key), (dict, list)):
                        block[key] = "${jsonencode(" + expression(block[key]) + ")}"
    for name, call in doc.get("module", {}).items():
        if call["source"].startswith("."):
            write((here / call["source"]).resolve(), out / f"module-{name}")
            call["source"] = f"./module-{name}"
    terraform = {key: value for key, value in doc.items() if key not in OURS}
    if values is None:  # a module
        return (out / "main.tf.json").write_text(json.dumps(terraform, indent=1))
    provider = terraform.setdefault("provider", {}).setdefault("aws", {})
    for configuration in provider if isinstance(provider, list) else [provider]:
        configuration.setdefault("s3_use_path_style", True)
    terraform["terraform"] = {"required_providers": {"aws": {"source": "hashicorp/aws", "version": "5.100.0"}}}
    (out / "main.tf.json").write_text(json.dumps(terraform, indent=1))
    (out / "terraform.tfvars.json").write_text(json.dumps({**doc.get("values", {}), **values}))
    return None


def convert(stack, out):
    """Writes the stack at `stack` into the new directory `out`."""
    write(pathlib.Path(stack).resolve(), pathlib.Path(out), values={})
