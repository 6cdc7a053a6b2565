//! Types that need no cloud, through the command line: `random_*`, `tls_private_key`, `null_resource`.

use serde_json::{Value as Json, json};

use crate::support::cli::Folder;

const MADE: &str = r#"
[resource.random_password.p]
length = 20
min_special = 3
keepers = { owner = "a" }

[resource.random_string.s]
length = 8
special = false

[resource.random_id.i]
byte_length = 8
prefix = "p-"

[resource.random_uuid.u]

[resource.null_resource.n]
triggers = { uuid = "${random_uuid.u.result}" }

[data.null_data_source.d]
inputs = { a = "b" }

[output.p]
value = "${random_password.p.result}"
sensitive = true

[output.d]
value = "${data.null_data_source.d.outputs.a}"
"#;

fn apply(folder: &Folder) -> Json {
    folder.ok(&["apply", "stack.toml", "--auto-approve", "--state", "s.tfstate"]);
    serde_json::from_str(&folder.read("s.tfstate")).unwrap()
}

fn attributes(state: &Json, ty: &str) -> Json {
    let resources = state["resources"].as_array().unwrap();
    let found = resources.iter().find(|r| r["type"] == ty).unwrap_or_else(|| panic!("no {ty} in state"));
    found["instances"][0]["attributes"].clone()
}

/// What a plan would do: `ACTION TYPE.NAME`, without what is only read.
fn planned(folder: &Folder) -> Vec<String> {
    let plan = folder.ok(&["plan", "stack.toml", "--json", "--state", "s.tfstate"]);
    let plan: Json = serde_json::from_str(&plan).unwrap();
    let changes = plan["resource_changes"].as_array().cloned().unwrap_or_default();
    let actions = |change: &Json| change["change"]["actions"].as_array().unwrap().clone();
    let worth = |change: &&Json| actions(change) != [json!("no-op")] && change["mode"] == "managed";
    let line = |change: &Json| {
        let actions: Vec<_> = actions(change).iter().map(|a| a.as_str().unwrap().to_owned()).collect();
        format!("{} {}", actions.join("+"), change["address"].as_str().unwrap())
    };
    changes.iter().filter(worth).map(line).collect()
}

#[test]
fn values_are_made_up_once_and_secrets_do_not_show() {
    let folder = Folder::with(MADE);
    let state = apply(&folder);
    let password = attributes(&state, "random_password");
    let secret = password["result"].as_str().unwrap().to_owned();
    assert_eq!((secret.len(), &password["id"], &password["numeric"]), (20, &json!("none"), &json!(true)));
    assert!(secret.chars().filter(|c| !c.is_ascii_alphanumeric()).count() >= 3, "{secret}");
    assert!(password["bcrypt_hash"].as_str().unwrap().starts_with("$2a$10$"));
    let text = attributes(&state, "random_string");
    let result = text["result"].as_str().unwrap();
    assert!(result.len() == 8 && result.chars().all(|c| c.is_ascii_alphanumeric()), "{result}");
    assert_eq!(text["id"], text["result"]);
    let id = attributes(&state, "random_id");
    assert!(id["hex"].as_str().unwrap().starts_with("p-") && id["hex"].as_str().unwrap().len() == 18);
    assert_eq!(planned(&folder), Vec::<String>::new());

    // Neither as it is nor escaped does it show where people and their programs look.
    let escaped = serde_json::to_string(&secret).unwrap();
    folder.write("stack.toml", MADE.replace("length = 20", "length = 21"));
    for args in [
        &["plan", "stack.toml", "--state", "s.tfstate"][..],
        &["plan", "stack.toml", "--out", "the.plan", "--state", "s.tfstate"],
        &["show", "stack.toml", "the.plan"],
        &["state", "show", "stack.toml", "random_password.p", "--state", "s.tfstate"],
        &["output", "stack.toml", "--state", "s.tfstate"],
    ] {
        let ran = folder.run(args);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(!said.contains(&secret) && !said.contains(escaped.trim_matches('"')), "{args:?}: {said}");
    }
}

#[test]
fn keepers_make_up_anew() {
    let folder = Folder::with(MADE);
    let before = apply(&folder);
    folder.write("stack.toml", MADE.replace("owner = \"a\"", "owner = \"b\""));
    assert_eq!(planned(&folder), ["delete+create random_password.p"]);
    let after = apply(&folder);
    assert_ne!(attributes(&before, "random_password")["result"], attributes(&after, "random_password")["result"]);
    assert_eq!(attributes(&before, "random_string"), attributes(&after, "random_string"));
    folder.write(
        "stack.toml",
        MADE.replace("[resource.random_uuid.u]", "[resource.random_uuid.u]\nkeepers = { a = \"b\" }"),
    );
    assert!(planned(&folder).contains(&"delete+create null_resource.n".to_owned()));
    // Nulls say nothing.
    let folder = Folder::with("[resource.random_uuid.u]\n");
    apply(&folder);
    folder.write("stack.toml", "[resource.random_uuid.u]\nkeepers = '${{ a = null }}'\n");
    assert!(!planned(&folder).iter().any(|line| line.contains("create")), "{:?}", planned(&folder));
}

#[test]
fn wrong_arguments_are_refused() {
    for (arguments, message) in [
        ("length = 0", "expected is 1 or more"),
        ("length = 3\nmin_lower = 2\nmin_upper = 2", "add up to 4"),
        ("length = 3\nnumeric = true\nnumber = false", "two names of one"),
        ("length = 3\nnumeric = false\nlower = false\nupper = false\nspecial = false", "no characters to choose from"),
        ("length = 3\nupper = false\nmin_upper = 1", "upper = false leaves out"),
    ] {
        for ty in ["random_password", "random_string"] {
            let folder = Folder::with(&format!("[resource.{ty}.x]\n{arguments}\n"));
            let said = folder.fails(&["plan", "stack.toml"]);
            assert!(said.contains(message), "{said}");
        }
    }
    for (arguments, message) in [
        ("algorithm = 'DSA'", "RSA, ECDSA, ED25519"),
        ("algorithm = 'ECDSA'\necdsa_curve = 'P255'", "P224, P256"),
        ("algorithm = 'RSA'\nrsa_bits = 512", "1024 to 16384"),
    ] {
        let folder = Folder::with(&format!("[resource.tls_private_key.x]\n{arguments}\n"));
        let said = folder.fails(&["plan", "stack.toml"]);
        assert!(said.contains(message), "{said}");
    }
}

#[test]
fn what_was_made_elsewhere_is_imported() {
    let folder = Folder::with(
        "[resource.random_password.p]\nlength = 6\n[resource.random_string.s]\nlength = 6\n\
         [resource.random_id.i]\nbyte_length = 2\nprefix = 'p-'\n[resource.random_uuid.u]\n",
    );
    for (address, id) in [
        ("random_password.p", "s3cret"),
        ("random_string.s", "s3cret"),
        ("random_id.i", "p-,-_8"),
        ("random_uuid.u", "AABBCCDD-0000-4000-8000-000000000000"),
    ] {
        folder.ok(&["import", "stack.toml", address, id, "--state", "s.tfstate"]);
    }
    assert_eq!(planned(&folder), Vec::<String>::new());
    let state: Json = serde_json::from_str(&folder.read("s.tfstate")).unwrap();
    assert_eq!(attributes(&state, "random_id")["dec"], "p-64511");
    assert_eq!(attributes(&state, "random_uuid")["id"], "aabbccdd-0000-4000-8000-000000000000");
}

/// State as Terraform 1.11 writes it with random 3.7, tls 4.0 and null 3.2.
fn theirs() -> Json {
    let instance = |ty: &str, name: &str, provider: &str, version: u64, attributes: Json, sensitive: Json| {
        json!({"mode": "managed", "type": ty, "name": name,
            "provider": format!("provider[\"registry.terraform.io/hashicorp/{provider}\"]"),
            "instances": [{"schema_version": version, "attributes": attributes, "sensitive_attributes": sensitive}]})
    };
    let text = json!({"keepers": null, "length": 4, "lower": true, "min_lower": 0, "min_numeric": 0, "min_special": 0,
        "min_upper": 0, "number": true, "numeric": true, "override_special": null, "special": true, "upper": true});
    let with = |own: Json| {
        let mut all = text.clone();
        all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
        all
    };
    let hidden = |name: &str| json!([[{"type": "get_attr", "value": name}]]);
    json!({"version": 4, "terraform_version": "1.11.4", "serial": 3, "lineage": "5f2b7a3e-0000-4000-8000-000000000000",
        "outputs": {}, "check_results": null, "resources": [
        instance("null_resource", "n", "null", 0, json!({"id": "5577006791947779410", "triggers": {"a": "b"}}), json!([])),
        instance("random_id", "i", "random", 0, json!({"b64_std": "+/8=", "b64_url": "-_8", "byte_length": 2, "dec": "64511",
            "hex": "fbff", "id": "-_8", "keepers": null, "prefix": null}), json!([])),
        instance("random_password", "p", "random", 3, with(json!({"id": "none", "result": "aB3?",
            "bcrypt_hash": "$2a$10$0123456789012345678901uQ0uQ0uQ0uQ0uQ0uQ0uQ0uQ0uQ0uQ0."})), hidden("result")),
        instance("random_string", "s", "random", 2, with(json!({"id": "aB3?", "result": "aB3?"})), json!([])),
        instance("random_uuid", "u", "random", 0, json!({"id": "aabbccdd-0000-4000-8000-000000000000", "keepers": null,
            "result": "aabbccdd-0000-4000-8000-000000000000"}), json!([])),
        instance("tls_private_key", "k", "tls", 1, json!({"algorithm": "ED25519", "ecdsa_curve": "P224", "id": "0a",
            "private_key_openssh": "x", "private_key_pem": "x", "private_key_pem_pkcs8": "x", "rsa_bits": 2048,
            "public_key_fingerprint_md5": "x", "public_key_fingerprint_sha256": "x", "public_key_openssh": "x",
            "public_key_pem": "x"}), hidden("private_key_pem")),
    ]})
}

const SAME: &str = "[resource.random_id.i]\nbyte_length = 2\n[resource.random_password.p]\nlength = 4\n\
    [resource.random_string.s]\nlength = 4\n[resource.random_uuid.u]\n\
    [resource.tls_private_key.k]\nalgorithm = 'ED25519'\n";

#[test]
fn state_of_terraform_is_taken_as_it_is() {
    let folder = Folder::with(&format!("{SAME}[resource.null_resource.n]\ntriggers = {{ a = 'b' }}\n"));
    folder.write("s.tfstate", theirs().to_string());
    assert_eq!(planned(&folder), Vec::<String>::new());
}

#[test]
fn a_null_resource_becomes_terraform_data() {
    let moved = "[[moved]]\nfrom = 'null_resource.n'\nto = 'terraform_data.n'\n[resource.terraform_data.n]\n\
        triggers_replace = { a = 'b' }\n";
    let folder = Folder::with(&format!("{moved}{SAME}"));
    folder.write("s.tfstate", theirs().to_string());
    // The move itself, and nothing else.
    assert_eq!(planned(&folder), Vec::<String>::new());
    let state = apply(&folder);
    let object = attributes(&state, "terraform_data");
    assert_eq!(object["id"], "5577006791947779410");
    assert_eq!(object["triggers_replace"]["value"], json!({"a": "b"}));
    let providers: Vec<_> = state["resources"].as_array().unwrap().iter().map(|r| r["provider"].clone()).collect();
    assert!(!providers.contains(&json!("provider[\"registry.terraform.io/hashicorp/null\"]")), "{providers:?}");
    assert_eq!(planned(&folder), Vec::<String>::new());
    let other =
        Folder::with("[[moved]]\nfrom = 'random_uuid.a'\nto = 'terraform_data.b'\n[resource.terraform_data.b]\n");
    assert!(other.fails(&["plan", "stack.toml"]).contains("Resource type mismatch"));
}

#[test]
fn a_template_is_rendered_over_its_variables() {
    let folder = Folder::with(
        r#"
[data.template_file.a]
template = "Hello $${name}, %%{ if age > 17 }grown up%%{ else }small%%{ endif }."
vars = { name = "Ada", age = 36 }

[data.template_file.b]
filename = "${path.module}/b.tpl"

[output.a]
value = "${data.template_file.a.rendered} ${data.template_file.a.id}"

[output.b]
value = "${data.template_file.b.rendered}"
"#,
    );
    folder.write("b.tpl", "plain\n");
    let ran = folder.run(&["apply", "stack.toml", "--auto-approve", "--state", "s.tfstate"]);
    assert_eq!(ran.exit, lakeform_cli::Exit::Done, "{}", ran.stderr);
    let outputs = folder.run(&["output", "stack.toml", "--json", "--state", "s.tfstate"]).stdout;
    let outputs: serde_json::Value = serde_json::from_str(&outputs).unwrap();
    // printf 'Hello Ada, grown up.' | sha256sum
    let id = "9bf9e1c476c52dc7300498ba2c1e71ede6604a08f9ca250766c00390575f8e1f";
    assert_eq!(outputs["a"]["value"], format!("Hello Ada, grown up. {id}"));
    assert_eq!(outputs["b"]["value"], "plain\n");
    folder.write("stack.toml", "[data.template_file.a]\ntemplate = \"$${nobody}\"\n[data.template_file.b]\n");
    let ran = folder.run(&["plan", "stack.toml"]);
    assert!(ran.stderr.contains("nobody") && ran.stderr.contains("template is missing"), "{}", ran.stderr);
}
