//! Runs a configuration of fixtures/terraform-state/ and holds every step against what Terraform stored for it.

use std::{collections::BTreeMap, path::PathBuf};

use lakeform_core::{Value, json};
use serde_json::{Map, Value as Json};

use super::{Cloud, Emulator, differences, differences_but_ids, in_order};

/// Attributes by type.
pub type Attributes<'a> = &'a [(&'a str, &'a [&'a str])];

/// What cannot be compared.
#[derive(Default)]
pub struct Except<'a> {
    /// What an import cannot know: it is in no answer of the API.
    pub unreadable: Attributes<'a>,
    /// Where the states differ for a reason: the emulator does not report it, or lakeform keeps the spelling of the stack.
    pub unlike: Attributes<'a>,
    /// What the other objects of the configuration change once it is made.
    pub later: Attributes<'a>,
}

/// Sets attributes of a type to null.
fn blank(object: &mut Json, ty: &str, attributes: Attributes<'_>) {
    for name in attributes.iter().filter(|(of, _)| *of == ty).flat_map(|(_, names)| names.iter()) {
        object[*name] = Json::Null;
    }
}

struct Instance {
    ty: String,
    name: String,
    config: Json,
    object: Value,
}

fn fixture(name: &str) -> Json {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests/fixtures/terraform-state", name].iter().collect();
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The configuration with `${TYPE.NAME.ATTRIBUTE}` replaced; `None` while something it refers to is missing.
fn resolve(config: &Json, known: &BTreeMap<String, Json>) -> Option<Json> {
    Some(match config {
        Json::String(text) => match text.strip_prefix("${").and_then(|t| t.strip_suffix('}')) {
            Some(reference) => {
                let (address, attribute) = reference.rsplit_once('.').unwrap();
                known.get(address)?[attribute].clone()
            }
            None => config.clone(),
        },
        Json::Array(all) => Json::Array(all.iter().map(|v| resolve(v, known)).collect::<Option<_>>()?),
        Json::Object(all) => {
            Json::Object(all.iter().map(|(k, v)| Some((k.clone(), resolve(v, known)?))).collect::<Option<Map<_, _>>>()?)
        }
        other => other.clone(),
    })
}

fn rows(section: &Json) -> Vec<(String, String, Json)> {
    let types = section.as_object().into_iter().flatten();
    types
        .flat_map(|(ty, named)| {
            named.as_object().unwrap().iter().map(move |(name, config)| (ty.clone(), name.clone(), config.clone()))
        })
        .collect()
}

/// The inline attributes of a bucket. Terraform stores what it finds; lakeform reads those that the stack sets.
const INLINE: &[&str] = &[
    "acceleration_status",
    "cors_rule",
    "grant",
    "lifecycle_rule",
    "logging",
    "object_lock_configuration",
    "policy",
    "replication_configuration",
    "request_payer",
    "server_side_encryption_configuration",
    "versioning",
    "website",
];

/// What Terraform stores of an instance, less what lakeform leaves alone.
fn managed(ty: &str, config: &Json, mut stored: Json) -> Json {
    if ty == "aws_s3_bucket" {
        for name in INLINE.iter().filter(|name| config.get(**name).is_none()) {
            stored[*name] = Json::Null;
        }
    }
    stored
}

/// What Terraform's documentation of the type says to import: the `id`, with few exceptions.
fn import_id(one: &Instance) -> String {
    let text = |name: &str| one.object.get(name).and_then(Value::as_str).unwrap();
    match one.ty.as_str() {
        "aws_s3_object" => format!("{}/{}", text("bucket"), text("key")),
        "aws_iam_role_policy_attachment" => format!("{}/{}", text("role"), text("policy_arn")),
        _ => text("id").to_owned(),
    }
}

/// Types that the API cannot delete: the object goes on, in its least form.
const STAYS: &[&str] = &["aws_s3_bucket_versioning", "aws_secretsmanager_secret_version"];

/// Runs NAME.tf.json: create, compare with Terraform's state, read, plan again, import, delete, delete again.
pub async fn run(name: &str, except: Except<'_>) {
    let emulator = Emulator::start();
    let document = fixture(&format!("{name}.tf.json"));
    let state = fixture(&format!("{name}.state.json"));
    let recorded = |mode: &str, ty: &str, name: &str| {
        let row = state.as_array().unwrap().iter().find(|r| r["mode"] == mode && r["type"] == ty && r["name"] == name);
        row.unwrap_or_else(|| panic!("{ty}.{name} is not recorded: run tests/record.py"))["attributes"].clone()
    };
    let cloud = Cloud::new(&emulator, document["provider"]["aws"].clone()).await;

    let mut known = BTreeMap::new();
    let mut made: Vec<Instance> = vec![];
    let mut waiting = rows(&document["resource"]);
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut left = vec![];
        for (ty, name, config) in waiting {
            let Some(config) = resolve(&config, &known) else {
                left.push((ty, name, config));
                continue;
            };
            let object = match cloud.create(&ty, config.clone()).await {
                Ok(object) => object,
                Err(failure) => panic!("{ty}.{name}: {:?}", failure.error),
            };
            known.insert(format!("{ty}.{name}"), json::to_plain_json(&object));
            made.push(Instance { ty, name, config, object });
        }
        assert!(left.len() < before, "unresolved: {left:?}");
        waiting = left;
    }

    let recorded_ids: BTreeMap<String, Json> = state
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["mode"] == "managed")
        .map(|r| (format!("{}.{}", r["type"].as_str().unwrap(), r["name"].as_str().unwrap()), r["attributes"].clone()))
        .collect();
    for one in &made {
        let at = format!("{}.{}", one.ty, one.name);
        let stored = json::to_plain_json(&one.object);
        let terraform = recorded("managed", &one.ty, &one.name);
        let (mut a, mut b) = (managed(&one.ty, &one.config, terraform.clone()), stored.clone());
        blank(&mut a, &one.ty, except.unlike);
        blank(&mut b, &one.ty, except.unlike);
        let block = &cloud.resource(&one.ty).schema().block;
        let (a, b) = (in_order(block, &a), in_order(block, &b));
        assert_eq!(differences_but_ids(&a, &b), Vec::<String>::new(), "{at}: Terraform stores / lakeform stores");

        let read = cloud.read(&one.ty, &one.object, one.config.clone()).await.unwrap_or_else(|| panic!("{at} is gone"));
        let (mut a, mut b) = (stored.clone(), json::to_plain_json(&read));
        blank(&mut a, &one.ty, except.later);
        blank(&mut b, &one.ty, except.later);
        let (a, b) = (in_order(block, &a), in_order(block, &b));
        assert_eq!(differences(&a, &b), Vec::<String>::new(), "{at}: created / read");
        cloud.assert_settled(&one.ty, &read, one.config.clone());

        // Terraform's own state is taken as it is.
        let schema = cloud.resource(&one.ty).schema();
        let theirs = json::from_json(&terraform, &schema.block.ty()).unwrap();
        let (_, _, config) =
            rows(&document["resource"]).into_iter().find(|r| r.0 == one.ty && r.1 == one.name).unwrap();
        cloud.assert_settled(&one.ty, &theirs, resolve(&config, &recorded_ids).unwrap());

        let imported =
            cloud.import(&one.ty, &import_id(one)).await.unwrap_or_else(|| panic!("{at} cannot be imported"));
        // The next refresh knows what the stack says: which of the default tags are its own, too.
        let imported = cloud.read(&one.ty, &imported, one.config.clone()).await.unwrap();
        let (mut a, mut b) = (stored, json::to_plain_json(&imported));
        for attributes in [except.unreadable, except.unlike, except.later] {
            blank(&mut a, &one.ty, attributes);
            blank(&mut b, &one.ty, attributes);
        }
        let (a, b) = (in_order(block, &a), in_order(block, &b));
        assert_eq!(differences_but_ids(&a, &b), Vec::<String>::new(), "{at}: created / imported");
    }
    for (ty, name, config) in rows(&document["data"]) {
        let config = resolve(&config, &known).unwrap();
        let read = cloud.data(&ty, config).await.unwrap_or_else(|e| panic!("data.{ty}.{name}: {e:?}"));
        let (mut a, mut b) = (recorded("data", &ty, &name), json::to_plain_json(&read));
        blank(&mut a, &ty, except.unlike);
        blank(&mut b, &ty, except.unlike);
        let differ = differences_but_ids(&a, &b);
        assert_eq!(differ, Vec::<String>::new(), "data.{ty}.{name}: Terraform reads / lakeform reads");
    }
    for one in made.iter().rev() {
        let at = format!("{}.{}", one.ty, one.name);
        cloud.delete(&one.ty, &one.object).await.unwrap_or_else(|e| panic!("{at}: {e:?}"));
        cloud.delete(&one.ty, &one.object).await.unwrap_or_else(|e| panic!("{at}, gone already: {e:?}"));
        let gone = cloud.read(&one.ty, &one.object, one.config.clone()).await.is_none();
        assert!(gone || STAYS.contains(&one.ty.as_str()), "{at} is still there");
    }
}
