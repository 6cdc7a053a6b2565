//! Every type's derived schema, held against the facts recorded from Terraform's AWS provider 5.100.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

use std::path::PathBuf;

use lakeform_aws::AwsProvider;
use lakeform_core::{Block, Nesting, Schema};
use lakeform_provider::Provider;
use serde_json::Value as Json;

/// What differs, one line each.
fn compare(schema: &Schema, facts: &Json) -> Vec<String> {
    let mut out = vec![];
    if schema.version != facts["schema_version"] {
        out.push(format!("schema_version: {} instead of {}", schema.version, facts["schema_version"]));
    }
    compare_block(&schema.block, facts, "", &mut out);
    out
}

fn compare_block(block: &Block, facts: &Json, at: &str, out: &mut Vec<String>) {
    let empty = serde_json::Map::new();
    let attributes = facts["attributes"].as_object().unwrap_or(&empty);
    for (name, fact) in attributes {
        let Some(attribute) = block.attributes.get(name.as_str()) else {
            out.push(format!("{at}{name}: missing"));
            continue;
        };
        if attribute.ty.to_json() != fact["type"] {
            out.push(format!("{at}{name}: type {} instead of {}", attribute.ty.to_json(), fact["type"]));
        }
        let flags = [
            (attribute.required, "required"),
            (attribute.optional, "optional"),
            (attribute.computed, "computed"),
            (attribute.sensitive, "sensitive"),
            (attribute.deprecated, "deprecated"),
            (attribute.write_only, "write_only"),
        ];
        let is: Vec<&str> = flags.into_iter().filter_map(|(on, name)| on.then_some(name)).collect();
        let mut recorded: Vec<&str> = fact["is"].as_str().unwrap().split(' ').collect();
        let mut sorted = is.clone();
        sorted.sort_unstable();
        recorded.sort_unstable();
        if sorted != recorded {
            out.push(format!("{at}{name}: {is:?} instead of {recorded:?}"));
        }
        if attribute.description.is_empty() {
            out.push(format!("{at}{name}: no description"));
        }
    }
    for name in block.attributes.keys().filter(|name| !attributes.contains_key(&***name)) {
        out.push(format!("{at}{name}: Terraform has no such attribute"));
    }
    let blocks = facts["blocks"].as_object().unwrap_or(&empty);
    for (name, fact) in blocks {
        let Some(nested) = block.blocks.get(name.as_str()) else {
            out.push(format!("{at}{name}: block missing"));
            continue;
        };
        let nesting = match nested.nesting {
            Nesting::Single => "single",
            Nesting::List => "list",
            Nesting::Set => "set",
            Nesting::Map => "map",
        };
        if fact["nesting"] != nesting {
            out.push(format!("{at}{name}: {nesting} instead of {}", fact["nesting"]));
        }
        let bounds = |name: &str| fact[name].as_u64().unwrap_or(0) as usize;
        if (nested.min, nested.max) != (bounds("min"), bounds("max")) {
            out.push(format!(
                "{at}{name}: {}..{} instead of {}..{}",
                nested.min,
                nested.max,
                bounds("min"),
                bounds("max")
            ));
        }
        compare_block(&nested.block, fact, &format!("{at}{name}."), out);
    }
    for name in block.blocks.keys().filter(|name| !blocks.contains_key(&***name)) {
        out.push(format!("{at}{name}: Terraform has no such block"));
    }
}

fn facts(folder: &str, name: &str) -> Json {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/terraform-schema", folder, name].iter().collect();
    let path = path.with_extension("json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("no recorded facts: {}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// What lakeform has and Terraform has not.
const OWN: &[&str] = &[
    // Packs a folder with code (docs/decisions/0012). Terraform drops both when it reads the state.
    "aws_lambda_function: source_dir: Terraform has no such attribute",
    "aws_lambda_function: source_excludes: Terraform has no such attribute",
];

#[test]
fn every_type_has_terraforms_schema() {
    let provider = AwsProvider::new([]);
    let mut wrong = vec![];
    for name in provider.resource_names() {
        let schema = provider.resource(name).unwrap().schema();
        wrong.extend(compare(schema, &facts("resource", name)).into_iter().map(|line| format!("{name}: {line}")));
    }
    for name in provider.data_source_names() {
        let schema = provider.data_source(name).unwrap().schema();
        wrong.extend(compare(schema, &facts("data", name)).into_iter().map(|line| format!("data.{name}: {line}")));
    }
    for own in OWN {
        let at = wrong.iter().position(|line| line == own).unwrap_or_else(|| panic!("no longer so: {own}"));
        wrong.remove(at);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(!provider.resource_names().is_empty() && !provider.data_source_names().is_empty());
}

#[test]
fn the_provider_block_has_terraforms_arguments() {
    let provider = AwsProvider::new([]);
    let wrong = compare(provider.config_schema(), &facts("provider", "aws"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_difference_is_seen() {
    let provider = AwsProvider::new([]);
    let schema = provider.resource("aws_kms_key").unwrap().schema();
    for (pointer, value) in [
        ("/schema_version", Json::from(1)),
        ("/attributes/arn/is", "optional".into()),
        ("/attributes/arn/type", "number".into()),
        ("/attributes/policy", Json::Null),
        ("/blocks/timeouts/nesting", "list".into()),
        ("/blocks/timeouts/attributes/create/is", "required".into()),
    ] {
        let mut changed = facts("resource", "aws_kms_key");
        let field = changed.pointer_mut(pointer).unwrap();
        if value.is_null() {
            changed["attributes"].as_object_mut().unwrap().remove("policy");
        } else {
            *field = value;
        }
        assert_eq!(compare(schema, &changed).len(), 1, "{pointer}");
    }
}
