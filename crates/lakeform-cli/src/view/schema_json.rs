//! Schemas as JSON Schema (draft 2020-12), which TOML editors check and complete stacks with.

use lakeform::{
    Providers,
    core::{Attribute, Block, Mode, NestedBlock, Nesting, Type, json::to_plain_json},
    lang::Schemas,
};
use serde_json::{Map, Value as Json, json};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The schema of one block.
pub(crate) fn one(name: &str, block: &Block) -> Json {
    let mut out = self::block(block, &[]);
    out["$schema"] = DRAFT.into();
    out["title"] = name.into();
    out
}

/// The schema of a whole stack, with every type.
pub(crate) fn stack(providers: &Providers) -> Json {
    let typed = |mode: Mode, extra: &[(&str, Json)]| {
        let each = providers.names(mode).into_iter().filter_map(|name| {
            let schema = Schemas::resource(providers, mode, name)?;
            let named = json!({ "type": "object", "additionalProperties": block(&schema.block, extra) });
            Some((name.to_owned(), named))
        });
        json!({ "type": "object", "properties": each.collect::<Map<_, _>>(), "additionalProperties": false })
    };
    let configs = providers.iter().map(|p| {
        let one = block(&p.config_schema().block, &[("alias", json!({ "type": "string" }))]);
        (p.name().to_owned(), json!({ "oneOf": [one, { "type": "array", "items": one }] }))
    });
    let text = || json!({ "type": "string" });
    let flag = || json!({ "type": ["boolean", "string"] });
    let any = || json!({});
    let check = json!({ "type": "object", "properties": { "condition": any(), "error_message": text() } });
    let repetition = [
        ("count", json!({ "type": ["integer", "string"] })),
        ("for_each", json!({ "type": ["object", "array", "string"] })),
        ("enabled", flag()),
        ("depends_on", json!({ "type": "array", "items": text() })),
    ];
    let mut common = repetition.to_vec();
    common.push(("provider", text()));
    let mut managed = common.clone();
    managed.push((
        "lifecycle",
        json!({
            "type": "object",
            "properties": {
                "create_before_destroy": flag(),
                "prevent_destroy": flag(),
                "ignore_changes": { "type": ["array", "string"] },
                "replace_triggered_by": { "type": "array", "items": text() },
                "precondition": { "type": ["array", "object"] },
                "postcondition": { "type": ["array", "object"] },
            },
            "additionalProperties": false,
        }),
    ));
    let mut call =
        Map::from_iter([("source".to_owned(), text()), ("providers".to_owned(), json!({ "type": "object" }))]);
    call.extend(repetition.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())));
    json!({
        "$schema": DRAFT,
        "title": "lakeform stack",
        "type": "object",
        "properties": {
            "stack": {
                "type": "object",
                "properties": {
                    "name": text(),
                    "description": text(),
                    "extends": { "type": "array", "items": text() },
                    "required_version": text(),
                },
                "additionalProperties": false,
            },
            "values": { "type": "object" },
            "guard": guard(),
            "backend": { "type": "object", "maxProperties": 1, "properties": { "s3": any(), "local": any() } },
            "provider": { "type": "object", "properties": configs.collect::<Map<_, _>>() },
            "variable": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "properties": {
                        "type": text(),
                        "default": any(),
                        "description": text(),
                        "sensitive": { "type": "boolean" },
                        "nullable": { "type": "boolean" },
                        "ephemeral": { "type": "boolean" },
                        "validation": { "type": "array", "items": check },
                    },
                    "additionalProperties": false,
                },
            },
            "locals": { "type": "object" },
            "data": typed(Mode::Data, &common),
            "ephemeral": typed(Mode::Ephemeral, &common),
            "resource": typed(Mode::Managed, &managed),
            "module": {
                "type": "object",
                "additionalProperties": { "type": "object", "required": ["source"], "properties": call },
            },
            "output": {
                "type": "object",
                "additionalProperties": {
                    "type": "object",
                    "required": ["value"],
                    "properties": {
                        "value": any(),
                        "description": text(),
                        "sensitive": { "type": "boolean" },
                        "ephemeral": { "type": "boolean" },
                        "depends_on": { "type": "array", "items": text() },
                        "precondition": { "type": ["array", "object"] },
                    },
                    "additionalProperties": false,
                },
            },
        },
        "additionalProperties": false,
    })
}

fn block(block: &Block, extra: &[(&str, Json)]) -> Json {
    let attributes =
        block.attributes.iter().filter(|(_, a)| a.is_settable()).map(|(k, a)| (k.to_string(), attribute(a)));
    let blocks = block.blocks.iter().map(|(k, b)| (k.to_string(), nested(b)));
    let extra = extra.iter().map(|(k, v)| ((*k).to_owned(), v.clone()));
    let properties: Map<String, Json> = attributes.chain(blocks).chain(extra).collect();
    let required = block.attributes.iter().filter(|(_, a)| a.required).map(|(k, _)| k);
    let required = required.chain(block.blocks.iter().filter(|(_, b)| b.min > 0).map(|(k, _)| k));
    let required: Vec<Json> = required.map(|k| (**k).into()).collect();
    let mut out = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !block.description.is_empty() {
        out["description"] = block.description.as_str().into();
    }
    if !required.is_empty() {
        out["required"] = required.into();
    }
    out
}

fn attribute(attribute: &Attribute) -> Json {
    let mut out = ty(&attribute.ty);
    if attribute.json {
        out = json!({ "type": ["string", "object", "array"] });
    }
    if !attribute.description.is_empty() {
        out["description"] = attribute.description.as_str().into();
    }
    if attribute.deprecated {
        out["deprecated"] = true.into();
    }
    if let Some(default) = &attribute.default {
        out["default"] = to_plain_json(default);
    }
    out
}

/// A type; a string may always stand for it, because strings are templates.
fn ty(ty: &Type) -> Json {
    match ty {
        Type::Dynamic => json!({}),
        Type::Bool => json!({ "type": ["boolean", "string"] }),
        Type::Number => json!({ "type": ["number", "string"] }),
        Type::String => json!({ "type": ["string", "number", "boolean"] }),
        Type::List(t) | Type::Set(t) => json!({ "type": ["array", "object", "string"], "items": self::ty(t) }),
        Type::Map(t) => json!({ "type": ["object", "string"], "additionalProperties": self::ty(t) }),
        Type::Tuple(ts) => {
            json!({ "type": ["array", "string"], "prefixItems": ts.iter().map(self::ty).collect::<Vec<_>>() })
        }
        Type::Object(ts) => {
            let properties: Map<String, Json> = ts.iter().map(|(k, t)| (k.to_string(), self::ty(t))).collect();
            json!({ "type": ["object", "string"], "properties": properties })
        }
    }
}

fn nested(nested: &NestedBlock) -> Json {
    let one = block(&nested.block, &[]);
    match nested.nesting {
        Nesting::Single => one,
        Nesting::Map => json!({ "type": "object", "additionalProperties": one }),
        Nesting::List | Nesting::Set => {
            let mut many = json!({ "type": "array", "items": one });
            if nested.max > 0 {
                many["maxItems"] = nested.max.into();
            }
            json!({ "anyOf": [one, many, { "type": "string" }] })
        }
    }
}

/// `[guard]`
fn guard() -> Json {
    let any = || json!({});
    let window = json!({
        "type": "object", "additionalProperties": false,
        "properties": { "days": any(), "from": any(), "to": any(), "timezone": any(), "reason": any() },
    });
    json!({
        "type": "object", "additionalProperties": false,
        "properties": {
            "max_destroy": any(), "max_replace": any(), "protect": any(),
            "freeze": { "anyOf": [window, { "type": "array", "items": window }] },
        },
    })
}
