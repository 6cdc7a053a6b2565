//! `docs/resource-types.md`: what there is of each type, and where it has been proven.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use lakeform::Lakeform;
use lakeform_core::{Block, Schema};
use lakeform_provider::FoundBy;
use lakeform_testkit::{emulator::Kind, trials};
use serde_json::Value as Json;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// How many attributes Terraform's schema has, nested ones too, and how many of them are here.
fn attributes(block: Option<&Block>, facts: &Json) -> (usize, usize) {
    let mut counted = (0, 0);
    for name in facts["attributes"].as_object().into_iter().flat_map(|all| all.keys()) {
        counted.1 += 1;
        counted.0 += usize::from(block.is_some_and(|b| b.attributes.contains_key(name.as_str())));
    }
    for (name, inner) in facts["blocks"].as_object().into_iter().flatten() {
        let ours = block.and_then(|b| b.blocks.get(name.as_str())).map(|b| &b.block);
        let (here, all) = attributes(ours, inner);
        counted = (counted.0 + here, counted.1 + all);
    }
    counted
}

/// `12 of 12` of a type, by the facts recorded from Terraform's provider.
fn coverage(folder: &str, ty: &str, schema: &Schema) -> String {
    let facts: Json =
        serde_json::from_str(&read(&format!("crates/lakeform-aws/tests/fixtures/terraform-schema/{folder}/{ty}.json")))
            .unwrap();
    let (here, all) = attributes(Some(&schema.block), &facts);
    format!("{here} of {all}")
}

/// The text of each stack of the repository with what belongs to it, by the name that the table calls it.
fn stacks() -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(root().join("stacks/examples")).unwrap().flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|e| e == "toml") {
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            all.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
    for folder in ["dataworks", "enclave", "lakehouse", "review-analytics"] {
        let mut text = String::new();
        collect(&root().join("stacks").join(folder), &mut text);
        all.insert(format!("**{folder}**"), text);
    }
    all
}

fn collect(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, text);
        } else if path.extension().is_some_and(|e| e == "toml") {
            text.push_str(&std::fs::read_to_string(&path).unwrap());
        }
    }
}

/// The stacks that hold a type: `[resource.TYPE.`
fn used_in(stacks: &BTreeMap<String, String>, mode: &str, ty: &str) -> String {
    let holds = |text: &String| text.contains(&format!("{mode}.{ty}."));
    let names: Vec<&str> = stacks.iter().filter(|(_, text)| holds(text)).map(|(name, _)| name.as_str()).collect();
    names.join(", ")
}

/// How an object of a type is found whose creation is in doubt, in a word.
fn found(by: FoundBy) -> &'static str {
    match by {
        FoundBy::Name => "name",
        FoundBy::Token => "token",
        FoundBy::Tag => "tag",
        FoundBy::Parent => "list",
        FoundBy::Local => "no object",
        FoundBy::Hand(_) => "by hand",
    }
}

fn page() -> String {
    let lakeform = Lakeform::builder().build();
    let aws = lakeform.providers().get("aws").unwrap();
    let stacks = stacks();
    let rows = trials::load(&root().join("tests/tests/trials")).unwrap();
    let calls: BTreeMap<String, Json> = serde_json::from_str(&read("tests/tests/trials/calls.json")).unwrap();
    let mut out = String::from(
        "# Resource types\n\nGenerated from the schemas and the trial table: \
         `LAKEFORM_UPDATE_DOCS=1 cargo nextest run -p lakeform-tests -E 'test(resource_types)'`.\n\n\
         ## AWS\n\n\
         **Attributes**: how many there are of those that Terraform's AWS provider 5.100 has, in nested blocks too.\n\
         **Trials**: the emulators on which the type goes through the [conformance trials](../tests/tests/trials/README.md);\n\
         in brackets how many of them an emulator cannot show, each with its reason in the type's row.\n\
         **Calls**: of a refresh, and of Terraform's, counted by \
         `cargo run -p lakeform-testkit --example calls`; a test holds lakeform to them.\n\
         **Stacks** are those in `stacks/` that hold the type (the systems in bold); all of them are applied to an emulator.\n\n\
         **Found** is how an object is looked for when the answer to its creation was lost, or the run was killed: by its *name* (or\n\
         whatever else the plan says that no two objects share), by the client *token* of the creation, by a *tag* that holds the\n\
         token until the state holds the object, or as the newest that says the same in a *list* of what its parent has.\n\n\
         | type | attributes | trials | calls | Terraform's | found | stacks |\n| --- | --- | --- | ---: | ---: | --- | --- |\n",
    );
    for name in aws.resource_names() {
        let row = rows.iter().find(|row| row.ty == name).unwrap_or_else(|| panic!("{name} has no row"));
        let emulators = [Kind::Moto, Kind::Ministack].into_iter().filter(|kind| row.is_served_by(*kind)).map(|kind| {
            let ours = |e: &&trials::Exception| e.by.as_deref().is_none_or(|by| by == "lakeform");
            let here = |e: &&trials::Exception| e.on.as_deref().is_none_or(|on| on == kind.name());
            match row.exception.iter().filter(ours).filter(here).count() {
                0 => kind.name().to_owned(),
                n => format!("{} ({n})", kind.name()),
            }
        });
        let emulators: Vec<String> = emulators.collect();
        let number =
            |tool: &str| calls.get(name).and_then(|c| c[tool].as_u64()).map_or("–".to_owned(), |n| n.to_string());
        writeln!(
            out,
            "| `{name}` | {} | {} | {} | {} | {} | {} |",
            coverage("resource", name, aws.resource(name).unwrap().schema()),
            emulators.join(", "),
            number("lakeform"),
            number("terraform"),
            found(aws.resource(name).unwrap().found_by()),
            used_in(&stacks, "resource", name),
        )
        .unwrap();
    }
    out += "\n## Data sources of AWS\n\n| data source | attributes | stacks |\n| --- | --- | --- |\n";
    for name in aws.data_source_names() {
        let coverage = coverage("data", name, aws.data_source(name).unwrap().schema());
        writeln!(out, "| `{name}` | {coverage} | {} |", used_in(&stacks, "data", name)).unwrap();
    }
    out += "\n## Without a cloud\n\nThey keep what Terraform's own providers keep in state, so that either tool goes on from the other's.\n\n\
            | type | provider | stacks |\n| --- | --- | --- |\n";
    for provider in lakeform.providers().iter().filter(|p| p.name() != "aws") {
        let resources = provider.resource_names().into_iter().map(|name| ("resource", name));
        let data = provider.data_source_names().into_iter().map(|name| ("data", name));
        for (mode, name) in resources.chain(data) {
            let shown = if mode == "data" { format!("data `{name}`") } else { format!("`{name}`") };
            let used = used_in(&stacks, mode, name);
            writeln!(out, "| {shown} | {} | {used} |", provider.source()).unwrap();
        }
    }
    out
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test may be told to write")]
fn the_page_of_resource_types_is_up_to_date() {
    let page = page();
    if std::env::var_os("LAKEFORM_UPDATE_DOCS").is_some() {
        std::fs::write(root().join("docs/resource-types.md"), &page).unwrap();
    }
    assert!(
        read("docs/resource-types.md") == page,
        "docs/resource-types.md is out of date: run the test with LAKEFORM_UPDATE_DOCS=1"
    );
}

#[test]
fn no_refresh_needs_more_calls_than_terraforms() {
    let calls: BTreeMap<String, Json> = serde_json::from_str(&read("tests/tests/trials/calls.json")).unwrap();
    for (ty, numbers) in calls {
        let (ours, theirs) = (numbers["lakeform"].as_u64(), numbers["terraform"].as_u64());
        assert!(theirs.is_none() || ours <= theirs, "{ty}: {numbers}");
    }
}
