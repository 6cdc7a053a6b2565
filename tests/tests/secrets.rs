//! Runs full of secrets, and a search of everything that they leave behind or say.

use std::collections::BTreeMap;

use lakeform_cli::Exit;
use lakeform_provider::ErrorKind;
use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    fake::{Fault, Op},
    proxy::{Proxy, Rule},
};

use crate::support::cli::{Folder, Ran};

/// With everything that is written otherwise in JSON, in TOML or in a URL.
const PASSWORD: &str = "Pa55-of-\"the\"\\var iable+/=\nsecond-line-of-it";
const TOKEN: &str = "t0ken-that-is-not-even-stored";
const PROVIDER_KEY: &str = "pr0vider-key-4711";
const NESTED: &str = "nested-secret-in-a-map-0815";
const PASSPHRASE: &str = "the passphrase of the state itself";

const STACK: &str = r#"
[variable.password]
type = "string"
sensitive = true
[variable.nested]
type = "map(string)"
sensitive = true
[variable.token]
type = "string"
sensitive = true
ephemeral = true
[variable.provider_key]
type = "string"
sensitive = true
[variable.size]
type = "number"
default = 10
[provider.fake]
key = "${var.provider_key}"

[resource.fake_database.d]
name = "d"
size = "${var.size}"
password = "${var.password}"
token_wo = "${var.token}"
token_wo_version = 1

# Marked by its value alone: no schema calls it sensitive.
[resource.terraform_data.copy]
input = { plain = "plain-text-that-is-shown", secret = "${var.nested.key}" }

[resource.random_password.p]
length = 24
keepers = { size = "${var.size}" }

[resource.tls_private_key.k]
algorithm = "ECDSA"

[resource.aws_secretsmanager_secret.s]
name = "NAME"
recovery_window_in_days = 0
[resource.aws_secretsmanager_secret_version.v]
secret_id = "${aws_secretsmanager_secret.s.id}"
secret_string = "${jsonencode({ password = var.password, made = random_password.p.result })}"

[resource.aws_ssm_parameter.s]
name = "/NAME/${var.size}"
type = "SecureString"
value = "${random_password.p.result}"

[resource.terraform_data.told]
triggers_replace = "${var.size}"
[[resource.terraform_data.told.provisioner.local-exec]]
command = "echo out $SECRET; echo err $SECRET >&2"
environment = { SECRET = "${var.password}" }
[[resource.terraform_data.told.provisioner.local-exec]]
command = "echo ${var.nested.key}; exit 3"
on_failure = "continue"

[data.aws_ssm_parameter.read]
name = "${aws_ssm_parameter.s.name}"

[output.password]
value = "${var.password}"
sensitive = true
[output.parameter]
value = "${data.aws_ssm_parameter.read.value}"
sensitive = true
[output.key]
value = "${tls_private_key.k.private_key_pem}"
sensitive = true
[check.c.assert]
condition = "${var.password == \"no\"}"
error_message = "it is not no"
"#;

/// Everything that was said, and every file that was ever there after a run.
struct Watch {
    folder: Folder,
    proxy: Proxy,
    secrets: BTreeMap<String, String>,
    /// What it is and what is in it.
    seen: Vec<(String, String)>,
}

impl Watch {
    fn new(name: &str, backend: &str) -> Self {
        let emulator = Emulator::shared(Kind::Moto).unwrap_or_else(|e| panic!("{e}"));
        let proxy = Proxy::start(emulator.address()).unwrap();
        let mut folder = Folder::with(&format!("{}\n{backend}\n", STACK.replace("NAME", name)));
        folder.env = environment_for(&proxy.url());
        let given = [
            ("TF_VAR_password", PASSWORD),
            ("TF_VAR_nested", &format!("{{ key = \"{NESTED}\" }}")),
            ("TF_VAR_token", TOKEN),
            ("TF_VAR_provider_key", PROVIDER_KEY),
            ("LAKEFORM_STATE_PASSPHRASE", PASSPHRASE),
        ];
        folder.env.extend(given.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let secrets = [
            ("the variable", "Pa55-of-"),
            ("its second line", "second-line-of-it"),
            ("all of it", PASSWORD),
            ("the token", TOKEN),
            ("the provider's key", PROVIDER_KEY),
            ("the nested one", NESTED),
            ("what the API made up", "secret-of-database"),
            ("the passphrase", PASSPHRASE),
        ];
        let secrets = secrets.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { folder, proxy, secrets, seen: vec![] }
    }

    /// Runs a command and keeps what it said and left.
    fn run(&mut self, args: &[&str]) -> Ran {
        self.run_with(args, "")
    }

    fn run_with(&mut self, args: &[&str], input: &str) -> Ran {
        let ran = self.folder.run_with(args, input);
        let name = args.join(" ");
        self.seen.push((format!("{name}: stdout"), ran.stdout.clone()));
        self.seen.push((format!("{name}: stderr"), ran.stderr.clone()));
        self.files(&name);
        ran
    }

    fn files(&mut self, after: &str) {
        for (path, bytes) in self.folder.files() {
            let name = path.strip_prefix(self.folder.directory.path()).unwrap().display().to_string();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let known = |(place, seen): &(String, String)| place.ends_with(&format!("file {name}")) && *seen == text;
            if !name.ends_with(".toml") && !self.seen.iter().any(known) {
                self.seen.push((format!("{after}: file {name}"), text));
            }
        }
    }

    fn ok(&mut self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.exit, Exit::Done, "{args:?}: {}{}", ran.stdout, ran.stderr);
        ran
    }

    fn fails(&mut self, args: &[&str]) -> Ran {
        let ran = self.run(args);
        assert_eq!(ran.exit, Exit::Failed, "{args:?}: {}{}", ran.stdout, ran.stderr);
        ran
    }

    /// What was made up on the way is secret too.
    fn learn(&mut self) {
        let pulled = self.folder.ok(&["state", "pull", "stack.toml"]);
        let state: serde_json::Value = serde_json::from_str(&pulled).unwrap();
        for resource in state["resources"].as_array().unwrap() {
            for instance in resource["instances"].as_array().unwrap() {
                for name in ["result", "bcrypt_hash", "private_key_pem", "private_key_openssh"] {
                    let Some(text) = instance["attributes"][name].as_str() else { continue };
                    for (i, line) in text.lines().filter(|line| line.len() > 20 && !line.starts_with("---")).enumerate()
                    {
                        self.secrets.insert(format!("{} {name} {i} {line}", resource["type"]), line.to_owned());
                    }
                }
            }
        }
    }

    /// Where secrets were found, but for the files that `allowed` names.
    fn leaks(&self, allowed: &dyn Fn(&str) -> bool) -> Vec<String> {
        let mut out = vec![];
        for (secret, value) in &self.secrets {
            let forms = forms(value);
            for (place, seen) in self.seen.iter().filter(|(place, _)| !allowed(place)) {
                for (form, text) in &forms {
                    if seen.contains(text) {
                        out.push(format!("{secret}, {form}, in {place}"));
                    }
                }
            }
        }
        out
    }
}

/// A secret as it may be written.
fn forms(secret: &str) -> Vec<(&'static str, String)> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned();
    let twice = serde_json::Value::from(json.as_str()).to_string();
    let percent: String = secret
        .bytes()
        .map(|b| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") })
        .collect();
    let mut out = vec![
        ("as it is", secret.to_owned()),
        ("as JSON", json),
        ("as JSON in JSON", twice[1..twice.len() - 1].to_owned()),
        ("in a URL", percent),
        ("in hex", secret.bytes().map(|b| format!("{b:02x}")).collect()),
    ];
    // Wherever it begins within a longer text, what it makes of whole groups of three bytes is the same.
    for before in 0..3 {
        let whole = &secret.as_bytes()[before..];
        let whole = &whole[..whole.len() / 3 * 3];
        out.push(("in base64", base64(whole)));
    }
    out
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = bytes.chunks(3).flat_map(|b| {
        let n = b.iter().fold(0_usize, |n, b| n << 8 | usize::from(*b));
        [18, 12, 6, 0].map(|shift| DIGITS[n >> shift & 63] as char)
    });
    groups.collect()
}

/// Every command there is, on good days and on bad ones.
fn a_life(watch: &mut Watch) {
    watch.ok(&["validate", "stack.toml"]);
    watch.ok(&["plan", "stack.toml"]);
    watch.ok(&["plan", "stack.toml", "--json"]);
    watch.ok(&["plan", "stack.toml", "--out", "first.plan"]);
    watch.ok(&["show", "stack.toml", "first.plan"]);
    watch.ok(&["show", "stack.toml", "first.plan", "--json"]);
    // Calls fail, and say what they were given.
    let echo = serde_json::json!({ "__type": "ValidationException", "message": format!("1 validation error: Value '{PASSWORD}' is wrong ({})", serde_json::Value::from(PASSWORD)) });
    watch.proxy.add(Rule::on("secretsmanager:PutSecretValue").answer(
        400,
        "application/x-amz-json-1.1",
        echo.to_string(),
    ));
    watch.folder.cloud.inject(Fault::on(Op::Create).of("fake_database").fails(ErrorKind::Denied));
    let said = watch.fails(&["apply", "stack.toml", "--auto-approve"]);
    assert!(said.stderr.contains("1 validation error: Value '(sensitive value)' is wrong"), "{}", said.stderr);
    watch.proxy.clear();
    watch.folder.cloud.clear_faults();
    watch.ok(&["apply", "stack.toml", "--auto-approve", "--json"]);
    watch.learn();
    watch.ok(&["plan", "stack.toml"]);
    watch.ok(&["plan", "stack.toml", "--json"]);

    // A change by plan file; and events.
    watch.ok(&["plan", "stack.toml", "--var", "size=20", "--out", "second.plan"]);
    watch.ok(&["show", "stack.toml", "second.plan"]);
    watch.ok(&["show", "stack.toml", "second.plan", "--json"]);
    watch.ok(&["apply", "second.plan", "--json"]);
    watch.learn();

    for args in [
        &["show", "stack.toml"][..],
        &["show", "stack.toml", "--json"],
        &["show", "stack.toml", "fake_database.d"],
        &["state", "show", "stack.toml", "tls_private_key.k"],
        &["state", "list", "stack.toml"],
        &["output", "stack.toml"],
        &["graph", "stack.toml"],
        &["taint", "stack.toml", "random_password.p"],
        &["untaint", "stack.toml", "random_password.p"],
        &["state", "mv", "stack.toml", "terraform_data.copy", "terraform_data.moved"],
        &["state", "mv", "stack.toml", "terraform_data.moved", "terraform_data.copy"],
        &["lock", "status", "stack.toml"],
    ] {
        watch.ok(args);
    }
    watch.run_with(
        &["console", "stack.toml"],
        "var.password\n\"x${var.password}\"\nvar.nested\nfake_database.d\nrandom_password.p.result\nparseint(var.password, 10)\nregex(\"zz\", var.password)\n",
    );

    // Drift, in the secret and beside it.
    watch.folder.cloud.drift("fake_database", "d", "secret", "secret-of-database-changed");
    watch.folder.cloud.drift("fake_database", "d", "name", "other");
    watch.run(&["drift", "stack.toml", "--var", "size=20"]);
    watch.run(&["drift", "stack.toml", "--var", "size=20", "--json"]);
    watch.ok(&["plan", "stack.toml", "--var", "size=20", "--refresh-only"]);

    // A wrong value, a failed condition, an expression that cannot be: each tells of itself.
    let stack = watch.folder.read("stack.toml");
    for (name, more) in [
        (
            "precondition",
            "[resource.terraform_data.x]\nlifecycle.precondition = [{ condition = \"${var.password == \\\"no\\\"}\", error_message = \"got ${var.password}\" }]\n",
        ),
        ("conversion", "[resource.fake_thing.x]\nname = \"x\"\nsize = \"${var.password}\"\n"),
        ("function", "[output.x]\nvalue = \"${parseint(var.password, 10)}\"\nsensitive = true\n"),
        ("index", "[output.x]\nvalue = \"${var.nested[var.password]}\"\nsensitive = true\n"),
        ("for_each", "[resource.fake_thing.x]\nfor_each = \"${toset([var.password])}\"\nname = \"x\"\n"),
        ("output", "[output.x]\nvalue = \"${var.password}\"\n"),
        ("json", "[output.x]\nvalue = \"${jsondecode(var.password)}\"\nsensitive = true\n"),
        ("file", "[output.x]\nvalue = \"${file(var.password)}\"\nsensitive = true\n"),
        ("time", "[output.x]\nvalue = \"${timeadd(var.password, \\\"1h\\\")}\"\nsensitive = true\n"),
        ("cidr", "[output.x]\nvalue = \"${cidrhost(var.password, 1)}\"\nsensitive = true\n"),
        ("base64", "[output.x]\nvalue = \"${base64decode(var.password)}\"\nsensitive = true\n"),
        ("argument", "[resource.aws_ssm_parameter.x]\nname = \"/x\"\ntype = \"${var.password}\"\nvalue = \"v\"\n"),
    ] {
        watch.folder.write("stack.toml", format!("{stack}\n{more}"));
        for args in [
            &["plan", "stack.toml", "--var", "size=20"][..],
            &["apply", "stack.toml", "--auto-approve", "--json", "--var", "size=20"],
        ] {
            let ran = watch.run(args);
            assert_eq!(ran.exit, Exit::Failed, "{name}: {}{}", ran.stdout, ran.stderr);
        }
    }
    watch.folder.write("stack.toml", &stack);
    watch.folder.env.insert("TF_VAR_size".into(), format!("{NESTED}!"));
    watch.fails(&["plan", "stack.toml"]);
    watch.folder.env.remove("TF_VAR_size");
    watch.fails(&["plan", "stack.toml", "--state", "first.plan"]);

    // What it holds is known to no variable.
    let value = watch.folder.ok(&["output", "--raw", "stack.toml", "parameter"]);
    assert!(watch.secrets.values().any(|secret| *secret == value));
    let echo = serde_json::json!({ "__type": "ValidationException", "message": format!("it holds {value}") });
    watch.proxy.add(Rule::on("ssm:DeleteParameter").answer(400, "application/x-amz-json-1.1", echo.to_string()));
    let said = watch.fails(&["destroy", "stack.toml", "--auto-approve"]);
    assert!(said.stderr.contains("it holds (sensitive value)"), "{}", said.stderr);
    watch.proxy.clear();
    watch.ok(&["destroy", "stack.toml", "--auto-approve", "--json"]);
}

#[test]
fn v04_a_run_full_of_secrets_keeps_them_in_its_state() {
    let mut watch = Watch::new("secrets-plain", "[backend.local]\npath = \"s.tfstate\"");
    a_life(&mut watch);
    let state = |place: &str| {
        let backups = place.contains("s.tfstate.versions/");
        backups
            || ["file s.tfstate", "file s.tfstate.backup", "file elsewhere.tfstate"].iter().any(|f| place.ends_with(f))
    };
    assert_eq!(watch.leaks(&state), [""; 0]);
    // The search finds what is there: the state is full of them.
    assert!(watch.leaks(&|_| false).len() > 10, "{:?}", watch.leaks(&|_| false));
    assert!(
        watch.seen.iter().any(|(place, text)| place.ends_with("stdout") && text.contains("plain-text-that-is-shown"))
    );
}

#[test]
fn v04_an_encrypted_state_holds_none_either() {
    let mut watch = Watch::new("secrets-sealed", "[backend.local]\npath = \"s.tfstate\"\nencryption = \"passphrase\"");
    a_life(&mut watch);
    assert_eq!(watch.leaks(&|_| false), [""; 0]);
}
