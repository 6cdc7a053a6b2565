//! Schemas for people.

use std::fmt::Write as _;

use lakeform::{
    Providers,
    core::{Attribute, Block, NestedBlock, Nesting, Schema},
};

use super::{style::Style, text::wrap};

/// Every type by provider.
pub(crate) fn list(providers: &Providers, style: Style) -> String {
    let mut out = String::new();
    for provider in providers.iter() {
        let _ = writeln!(out, "{} ({})", style.bold(provider.name()), provider.source());
        let all = [
            ("Resource types", provider.resource_names()),
            ("Data sources", provider.data_source_names()),
            ("Ephemeral resource types", provider.ephemeral_resource_names()),
        ];
        for (word, names) in all.into_iter().filter(|(_, names)| !names.is_empty()) {
            let _ = writeln!(out, "\n  {word} ({})", names.len());
            for name in names {
                let _ = writeln!(out, "    {name}");
            }
        }
        out.push('\n');
    }
    out
}

/// One type with all that it takes and gives.
pub(crate) fn one(kind: &str, name: &str, schema: &Schema, style: Style) -> String {
    let heading = match kind {
        "provider" => format!("[provider.{name}]"),
        _ => format!("[{kind}.{name}.NAME]"),
    };
    let mut out = format!("{}\n", style.bold(heading));
    if !schema.block.description.is_empty() {
        let _ = writeln!(out, "{}", wrap(&schema.block.description, 98));
    }
    block(&mut out, &schema.block, 0, style);
    out
}

fn block(out: &mut String, block: &Block, level: usize, style: Style) {
    let pad = "  ".repeat(level);
    let (settable, given): (Vec<_>, Vec<_>) = block.attributes.iter().partition(|(_, a)| a.is_settable());
    for (heading, attributes) in [("Arguments", settable), ("Attributes", given)] {
        if attributes.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{pad}{heading}");
        for (name, attribute) in attributes {
            entry(out, name, &flags(attribute), &attribute.description, level, style);
        }
    }
    if !block.blocks.is_empty() {
        let _ = writeln!(out, "\n{pad}Blocks");
    }
    for (name, nested) in &block.blocks {
        entry(out, name, &block_flags(nested), &nested.block.description, level, style);
        self::block(out, &nested.block, level + 2, style);
    }
}

fn entry(out: &mut String, name: &str, flags: &str, text: &str, level: usize, style: Style) {
    let pad = "  ".repeat(level + 1);
    let _ = writeln!(out, "{pad}{}  {}", style.bold(name), style.dimmed(flags));
    for line in wrap(text, 98_usize.saturating_sub(pad.len() + 4)).lines() {
        let _ = writeln!(out, "{pad}    {line}");
    }
}

fn flags(attribute: &Attribute) -> String {
    let mut out = vec![attribute.ty.to_string()];
    let mut add = |set: bool, word: &str| out.extend(set.then(|| word.to_owned()));
    add(attribute.required, "required");
    add(attribute.optional, "optional");
    add(attribute.computed, "computed");
    add(attribute.force_new, "forces replacement");
    add(attribute.sensitive, "sensitive");
    add(attribute.write_only, "write-only");
    add(attribute.json, "JSON text or table");
    add(attribute.deprecated, "deprecated");
    if let Some(default) = &attribute.default {
        out.push(format!("default {}", lakeform::lang::render(default)));
    }
    out.join(", ")
}

fn block_flags(nested: &NestedBlock) -> String {
    let kind = match nested.nesting {
        Nesting::Single => "single",
        Nesting::List => "list",
        Nesting::Set => "set",
        Nesting::Map => "map",
    };
    let mut out = vec![kind.to_owned()];
    out.push(match (nested.min, nested.max) {
        (0, 0) => "any number".into(),
        (0, max) => format!("at most {max}"),
        (min, 0) => format!("at least {min}"),
        (min, max) if min == max => format!("exactly {min}"),
        (min, max) => format!("{min} to {max}"),
    });
    if nested.force_new {
        out.push("forces replacement".into());
    }
    out.join(", ")
}
