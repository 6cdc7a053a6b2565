//! Terraform's state file. The fixtures were written by Terraform 1.11.4 with its AWS provider 5.100 against an emulator.

use lakeform_core::{InstanceAddress, Kind, Number, Path, Step, Type, Value};
use lakeform_state::{Attributes, FormatError, State};
use serde_json::json;

pub const EVERY_KIND: &str = include_str!("../fixtures/every-kind.tfstate");
pub const DEPOSED_ONLY: &str = include_str!("../fixtures/deposed-only.tfstate");

fn address(text: &str) -> InstanceAddress {
    text.parse().unwrap()
}

fn text(state: &State) -> String {
    String::from_utf8(state.to_bytes()).unwrap()
}

#[test]
fn s01_terraforms_files_come_back_byte_for_byte() {
    for file in [EVERY_KIND, DEPOSED_ONLY] {
        let written = text(&State::parse(file).unwrap());
        for (n, (was, is)) in file.lines().zip(written.lines()).enumerate() {
            assert_eq!(was, is, "line {}", n + 1);
        }
        assert_eq!(file, written);
    }
}

#[test]
fn everything_in_a_state_is_understood() {
    let state = State::parse(EVERY_KIND).unwrap();
    assert_eq!(state.terraform_version, "1.11.4");
    assert_eq!(state.lineage, "ebd70a91-4895-27f4-4265-7ec5c43c7378");
    // Addresses with count, for_each and module keys of all kinds.
    for known in [
        "aws_kms_key.k",
        "data.aws_region.current",
        "terraform_data.counted[11]",
        "terraform_data.keyed[\"$${tpl}\"]",
        "terraform_data.keyed[\"x\\\"y\"]",
        "terraform_data.keyed[\"new\\nline\"]",
        "module.m[\"$${x}\"].module.inner.terraform_data.deep[\"k\"]",
        "module.m[\"t\\\"w.o\"].data.aws_region.r",
        "module.n[1].terraform_data.t",
    ] {
        let address = address(known);
        assert!(state.current(&address).is_some(), "{known}");
        assert_eq!(address.to_string(), known);
    }
    assert!(state.current(&address("terraform_data.half[0]")).unwrap().tainted);
    let cbd = state.get(&address("aws_s3_bucket.cbd[\"g\"]")).unwrap();
    assert!(cbd.current.as_ref().unwrap().create_before_destroy);
    assert_eq!(cbd.deposed.keys().collect::<Vec<_>>(), ["925940bd", "a7e19fcc"]);
    let west = state.resources.iter().find(|(a, _)| a.to_string() == "aws_s3_bucket.b").unwrap().1;
    assert_eq!(west.provider, "provider[\"registry.terraform.io/hashicorp/aws\"].west");
    let dependent = state.current(&address("terraform_data.dep_of_cbd")).unwrap();
    let names: Vec<_> = dependent.dependencies.iter().map(ToString::to_string).collect();
    assert_eq!(names[1..3], ["module.m.data.aws_region.r", "module.m.module.inner.terraform_data.deep"]);
    assert!(state.current(&address("aws_kms_key.k")).unwrap().private.as_ref().unwrap().starts_with("eyJl"));
    assert!(state.check(&Default::default()).is_empty());
}

#[test]
fn outputs_of_every_type_keep_their_types() {
    let state = State::parse(EVERY_KIND).unwrap();
    let value = |name: &str| state.outputs[name].value.clone();
    assert_eq!(value("big"), Value::from("12345678901234567890123".parse::<Number>().unwrap()));
    assert_eq!(value("num"), Value::from("1.25".parse::<Number>().unwrap()));
    assert_eq!(value("set").ty(), Type::set(Type::String));
    assert_eq!(value("empty_list").ty(), Type::list(Type::Dynamic));
    assert!(matches!(value("tuple").as_slice().unwrap()[3].kind(), Kind::Null(Type::Dynamic)));
    assert_eq!(value("typed").get("b").unwrap().ty(), Type::list(Type::Number));
    assert!(state.outputs["secret"].sensitive && !state.outputs["str"].sensitive);
}

#[test]
fn sensitive_paths_are_read_and_written() {
    let state = State::parse(EVERY_KIND).unwrap();
    let mut paths = state.current(&address("terraform_data.secretive")).unwrap().sensitive_attributes.clone();
    paths.sort();
    let input = Path::attr("input");
    let expected = [
        input.with(Step::Attr("list".into())).with(Step::Index(1)),
        input.with(Step::Attr("m".into())).with(Step::Key("k.x".into())),
        input.with(Step::Attr("pass".into())),
        Path::attr("triggers_replace"),
    ];
    assert_eq!(paths, expected);
}

#[test]
fn attributes_are_values_of_their_schema() {
    let state = State::parse(EVERY_KIND).unwrap();
    let key = &state.current(&address("aws_kms_key.k")).unwrap().attributes;
    let ty = Type::object([("tags", Type::map(Type::String)), ("deletion_window_in_days", Type::Number)]);
    let value = key.value(&ty).unwrap();
    assert_eq!(value.get("tags").unwrap().get("b").unwrap().as_str(), Some("<2>"));
    assert_eq!(value.get("deletion_window_in_days").unwrap().as_i64(), Some(7));
    // Written anew, it is the same JSON.
    let again = Attributes::from_value(&value, &ty).unwrap();
    assert_eq!(again.text(), Some(r#"{"deletion_window_in_days":7,"tags":{"a":"1","b":"<2>"}}"#));
    let wrong = key.value(&Type::object([("tags", Type::Number)])).unwrap_err();
    assert_eq!(wrong.path, Path::attr("tags"));
}

#[test]
fn a_change_of_layout_or_escapes_is_no_change() {
    let state = State::parse(EVERY_KIND).unwrap();
    let json: serde_json::Value = serde_json::from_str(EVERY_KIND).unwrap();
    let compact = State::parse(json.to_string()).unwrap();
    assert!(state.content_equals(&compact));
    let mut other = state.clone();
    other.serial += 1;
    assert!(state.content_equals(&other));
    other.current_mut(&address("aws_kms_key.k")).unwrap().tainted = true;
    assert!(!state.content_equals(&other));
    let mut other = state.clone();
    other.outputs.get_mut("num").unwrap().value = "1.25".into();
    assert!(!state.content_equals(&other), "a number that became a string");
}

#[test]
fn s01_unknown_fields_survive() {
    let mut json: serde_json::Value = serde_json::from_str(DEPOSED_ONLY).unwrap();
    json["future"] = json!({ "a": [1, { "b": null }] });
    json["resources"][0]["hint"] = json!("x");
    json["resources"][0]["instances"][0]["identity"] = json!({ "bucket": "b" });
    json["resources"][0]["instances"][0]["identity_schema_version"] = json!(3);
    let state = State::parse(json.to_string()).unwrap();
    let again: serde_json::Value = serde_json::from_slice(&state.to_bytes()).unwrap();
    assert_eq!(again, json);
}

#[test]
fn s08_later_and_earlier_formats_are_refused() {
    let with = |version: u64, rest: &str| State::parse(format!("{{{rest}\"version\": {version}}}")).unwrap_err();
    assert_eq!(with(5, ""), FormatError::Newer(5));
    assert_eq!(with(5, "\"resources\": {\"another\": \"shape\"}, "), FormatError::Newer(5));
    assert_eq!(with(3, "\"modules\": [], "), FormatError::Older(3));
    assert_eq!(
        with(5, "").to_string(),
        "the state has format version 5, which is newer than 4, the latest one that this lakeform knows; use a newer \
         lakeform"
    );
    // A later Terraform that writes version 4 is none of our business.
    let later = EVERY_KIND.replace("1.11.4", "1.14.0");
    let state = State::parse(later).unwrap();
    assert_eq!(state.terraform_version, "1.14.0");
    assert_eq!(text(&state), EVERY_KIND);
}

#[test]
fn broken_files_are_refused_with_the_place() {
    let message = |text: &str| State::parse(text).unwrap_err().to_string();
    assert_eq!(message("{}"), "this is no state file: it has no `version`");
    assert_eq!(message("[]"), "this is no state file: invalid type: sequence, expected an object at line 1 column 0");
    let cut = &EVERY_KIND[..EVERY_KIND.len() / 2];
    assert!(message(cut).starts_with("this is no state file: EOF while parsing"), "{}", message(cut));
    assert!(State::parse(vec![0xff, 0xfe]).is_err());
    let state = |resources: &str| format!("{{\"version\": 4, \"resources\": [{resources}]}}");
    let resource = |more: &str, instances: &str| {
        state(&format!(
            "{{\"mode\": \"managed\", \"type\": \"t\", \"name\": \"n\", \"provider\": \"p\", {more} \"instances\": [{instances}]}}"
        ))
    };
    assert_eq!(message(&state("{\"mode\": \"managed\"}")), "resources[0]: `type` is missing");
    assert_eq!(message(&state("{\"mode\": \"x\"}")), "resources[0]: `mode` is Some(\"x\"), not `managed` or `data`");
    assert_eq!(
        message(&resource("\"module\": \"nonsense\",", "")),
        "resources[0]: `nonsense` is no resource address: a module address is expected"
    );
    assert_eq!(message(&resource("", "{\"status\": \"odd\"}")), "t.n: `status` is `odd`, not `tainted`");
    assert_eq!(message(&resource("", "{\"index_key\": true}")), "t.n: `index_key` is neither a number nor a string");
    assert_eq!(
        message(&resource("", "{\"index_key\": 0}, {\"index_key\": 0}")),
        "integrity rule 2: t.n[0] is in the state twice"
    );
    assert_eq!(
        message(&resource("", "{\"sensitive_attributes\": [[{\"type\": \"odd\"}]]}")),
        "t.n: `sensitive_attributes` are no paths"
    );
    let twice = resource("", "{}")
        .replace("]}]}", "]}, {\"mode\": \"managed\", \"type\": \"t\", \"name\": \"n\", \"provider\": \"p\"}]}");
    assert_eq!(message(&twice), "integrity rule 1: t.n is in the state twice");
}
