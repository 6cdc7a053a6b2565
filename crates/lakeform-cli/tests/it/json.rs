//! What programs read.

use serde_json::{Value, json};

use crate::harness::{Cli, STACK};

#[test]
fn c02_plan_json_has_terraforms_fields() {
    let cli = Cli::new(STACK);
    let plan = cli.run(&["plan", "stack.toml", "-json"]).ok().json();
    assert_eq!(plan["format_version"], "1.2");
    assert_eq!(plan["variables"]["size"]["value"], 10);
    let bucket =
        plan["resource_changes"].as_array().unwrap().iter().find(|c| c["address"] == "fake_bucket.raw").unwrap();
    assert_eq!(bucket["mode"], "managed");
    assert_eq!(bucket["type"], "fake_bucket");
    assert_eq!(bucket["name"], "raw");
    assert_eq!(bucket["provider_name"], "registry.terraform.io/lakeform/fake");
    assert_eq!(bucket["change"]["actions"], json!(["create"]));
    assert_eq!(bucket["change"]["before"], Value::Null);
    assert_eq!(bucket["change"]["after"]["name"], "raw");
    assert_eq!(bucket["change"]["after"].get("id"), None, "unknown attributes are left out");
    assert_eq!(bucket["change"]["after_unknown"]["id"], true);
    assert_eq!(bucket["change"]["before_sensitive"], false);
    let database = plan["resource_changes"].as_array().unwrap().iter().find(|c| c["type"] == "fake_database").unwrap();
    assert_eq!(database["change"]["after_sensitive"]["password"], true);
    assert_eq!(plan["planned_values"]["root_module"]["resources"].as_array().unwrap().len(), 2);
    assert_eq!(plan["planned_values"]["outputs"]["secret"]["sensitive"], true);
    assert_eq!(plan["output_changes"]["arn"]["after_unknown"], true);
    assert_eq!(
        plan["configuration"]["root_module"]["resources"][1]["expressions"]["location"]["references"],
        json!(["fake_bucket.raw.arn", "fake_bucket.raw"])
    );
    assert_eq!(plan["configuration"]["root_module"]["resources"][0]["expressions"]["name"]["constant_value"], "raw");
    assert_eq!(plan["prior_state"]["format_version"], "1.0");
}

#[test]
fn a_replacement_in_plan_json_names_its_paths_and_reason() {
    let cli = Cli::applied();
    cli.file("stack.toml", &STACK.replace("name = \"raw\"", "name = \"raw-2\""));
    let plan = cli.run(&["plan", "stack.toml", "-json"]).ok().json();
    let bucket = &plan["resource_changes"][0];
    assert_eq!(bucket["change"]["actions"], json!(["delete", "create"]));
    assert_eq!(bucket["change"]["replace_paths"], json!([["name"]]));
    assert_eq!(bucket["action_reason"], "replace_because_cannot_update");
    assert_eq!(plan["prior_state"]["values"]["root_module"]["resources"][0]["values"]["name"], "raw");
}

#[test]
fn state_json_has_terraforms_shape() {
    let cli = Cli::applied();
    let state = cli.run(&["show", "stack.toml", "-json"]).ok().json();
    assert_eq!(state["format_version"], "1.0");
    let resources = state["values"]["root_module"]["resources"].as_array().unwrap();
    assert_eq!(resources.len(), 2);
    assert_eq!(resources[0]["values"]["name"], "raw");
    assert_eq!(resources[1]["depends_on"], json!(["fake_bucket.raw"]));
    assert_eq!(resources[1]["sensitive_values"]["password"], true);
    assert_eq!(state["values"]["outputs"]["arn"]["type"], "string");
}

#[test]
fn apply_json_prints_one_event_per_line() {
    let cli = Cli::new(STACK);
    let out = cli.run(&["apply", "stack.toml", "-auto-approve", "-json"]).ok();
    let events: Vec<Value> = out.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = events.iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "version",
            "planned_change",
            "planned_change",
            "change_summary",
            "apply_start",
            "apply_complete",
            "apply_start",
            "apply_complete",
            "change_summary",
            "outputs"
        ]
    );
    assert_eq!(events[4]["hook"]["resource"]["addr"], "fake_bucket.raw");
    assert_eq!(events[4]["hook"]["action"], "create");
    assert_eq!(events[8]["changes"], json!({"add": 2, "change": 0, "import": 0, "remove": 0, "operation": "apply"}));
    assert_eq!(events[9]["outputs"]["secret"].get("value"), None);
    assert!(events.iter().all(|e| e["@module"] == "lakeform.ui" && e["@level"] == "info"));
}

#[test]
fn validate_json_lists_problems_with_their_place() {
    let cli = Cli::new("[output.x]\nvalue = \"${var.nope}\"\n");
    let out = cli.run(&["validate", "stack.toml", "-json"]);
    let report = out.json();
    assert_eq!(report["valid"], false);
    assert_eq!(report["error_count"], 1);
    assert_eq!(report["diagnostics"][0]["severity"], "error");
    assert_eq!(report["diagnostics"][0]["range"]["filename"], "stack.toml");
    assert_eq!(report["diagnostics"][0]["range"]["start"]["line"], 2);
    assert_eq!(Cli::new(STACK).run(&["validate", "stack.toml", "-json"]).ok().json()["valid"], true);
}

#[test]
fn a_stack_that_is_no_toml_is_reported_as_json_too() {
    let report = Cli::new("[output.x\n").run(&["validate", "stack.toml", "-json"]).json();
    assert_eq!(report["valid"], false);
}

#[test]
fn version_as_json() {
    assert_eq!(Cli::new("").run(&["version", "-json"]).ok().json()["lakeform_version"], lakeform::VERSION);
}

#[test]
fn a_json_schema_knows_every_type() {
    let schema = Cli::new("").run(&["schema", "--json"]).ok().json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    let table = &schema["properties"]["resource"]["properties"]["fake_table"]["additionalProperties"];
    assert_eq!(table["required"], json!(["name", "database", "column"]));
    assert_eq!(table["properties"]["policy"]["type"], json!(["string", "object", "array"]));
    assert_eq!(table["additionalProperties"], false);
    assert!(table["properties"].get("id").is_none(), "what cannot be set is not offered");
    assert!(schema["properties"]["resource"]["properties"].get("aws_s3_bucket").is_some());
    let one = Cli::new("").run(&["schema", "fake_bucket", "--json"]).ok().json();
    assert_eq!(one["title"], "fake_bucket");
}
