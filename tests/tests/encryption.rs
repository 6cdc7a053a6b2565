//! Encrypted states through the command line: switched on, given another key, switched off; what goes wrong on the way, and
//! everything else that a stack's state is copied to.

use lakeform_cli::Exit;
use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    proxy::{Proxy, Rule},
};

use crate::support::cli::Folder;

const SECRET: &str = "hunter2-hunter2-hunter2";
const FIRST: &str = "correct horse battery staple";
const SECOND: &str = "another horse, another staple";

const STACK: &str = "
[variable.first]
default = 'correct horse battery staple'
sensitive = true
[variable.second]
default = 'another horse, another staple'
sensitive = true
[resource.fake_database.d]
name = 'd'
password = 'hunter2-hunter2-hunter2'
[output.password]
value = '${fake_database.d.password}'
sensitive = true
";

impl Folder {
    /// The stack with a backend.
    fn backend(&self, backend: &str) {
        self.write("stack.toml", format!("{STACK}{backend}\n"));
    }

    fn local(&self, encryption: &str) {
        self.backend(&format!("[backend.local]\npath = 's.tfstate'\n{encryption}"));
    }

    /// Files besides the stack that hold the secret in clear.
    fn in_clear(&self) -> Vec<String> {
        let files = self.files().into_iter().filter(|(path, bytes)| {
            !path.ends_with("stack.toml") && bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes())
        });
        files.map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    /// Applies what has nothing to change, and looks whether everything is still there.
    fn keeps_all(&self) {
        let said = self.ok(&["apply", "stack.toml", "--auto-approve"]);
        assert!(said.contains("0 added, 0 changed, 0 destroyed"), "{said}");
        assert_eq!(self.ok(&["output", "--raw", "stack.toml", "password"]), SECRET);
        assert_eq!(self.run(&["plan", "stack.toml", "--detailed-exitcode"]).exit, Exit::Done);
    }
}

fn serial(folder: &Folder) -> u64 {
    let pulled = folder.ok(&["state", "pull", "stack.toml"]);
    serde_json::from_str::<serde_json::Value>(&pulled).unwrap()["serial"].as_u64().unwrap()
}

#[test]
fn a_local_state_is_encrypted_and_everything_reads_it() {
    let mut folder = Folder::with("");
    folder.local("encryption = { passphrase = '${var.first}' }");
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    folder.write("stack.toml", folder.read("stack.toml").replace("name = 'd'", "name = 'e'"));
    folder.ok(&["plan", "stack.toml", "--out", "p"]);
    assert!(folder.read("p").starts_with("{\"lakeform_encryption\":1"), "{}", folder.read("p"));
    let shown = folder.ok(&["show", "stack.toml", "p"]);
    assert!(shown.contains("fake_database.d") && !shown.contains(SECRET), "{shown}");
    folder.ok(&["apply", "p"]);
    assert!(folder.path("s.tfstate.backup").exists());
    assert_eq!(folder.in_clear(), [""; 0]);
    folder.keeps_all();
    assert!(folder.ok(&["state", "list", "stack.toml"]).contains("fake_database.d"));
    assert!(folder.ok(&["state", "pull", "stack.toml"]).contains(SECRET), "asked for, it is shown");

    // The same passphrase by the environment, and a state in another file.
    folder.env.insert("LAKEFORM_STATE_PASSPHRASE".into(), FIRST.into());
    folder.local("encryption = 'passphrase'");
    let file = folder.path("stack.toml");
    folder.write("stack.toml", std::fs::read_to_string(&file).unwrap().replace("name = 'd'", "name = 'e'"));
    folder.keeps_all();
    let pulled = folder.ok(&["state", "pull", "stack.toml"]);
    let pushed = folder.run_with(&["state", "push", "stack.toml", "-", "--state", "elsewhere.tfstate"], &pulled);
    assert_eq!(pushed.exit, Exit::Done, "{pushed:?}");
    assert_eq!(folder.ok(&["output", "--raw", "stack.toml", "password", "--state", "elsewhere.tfstate"]), SECRET);
    assert!(folder.path("elsewhere.tfstate").exists());
    assert_eq!(folder.in_clear(), [""; 0]);

    // Another stack reads its outputs.
    folder.write(
        "other.toml",
        "[data.terraform_remote_state.s]\nbackend = 'local'\nconfig = { path = 's.tfstate', encryption = 'passphrase' }\n\
         [output.length]\nvalue = '${length(data.terraform_remote_state.s.outputs.password)}'\n",
    );
    folder.ok(&["apply", "other.toml", "--auto-approve"]);
    assert_eq!(folder.ok(&["output", "--raw", "other.toml", "length"]), SECRET.len().to_string());
}

#[test]
fn a_local_state_changes_its_passphrase_and_loses_nothing() {
    let folder = Folder::with("");
    folder.local("");
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(folder.in_clear(), ["s.tfstate"]);

    folder.local("encryption = { passphrase = '${var.first}' }");
    let said = folder.fails(&["plan", "stack.toml"]);
    assert!(said.contains("s.tfstate") && said.contains("`migrate = true`"), "{said}");
    folder.local("encryption = { passphrase = '${var.first}', migrate = true }");
    let before = serial(&folder);
    folder.keeps_all();
    assert_eq!((folder.in_clear(), serial(&folder)), (vec![], before + 1));
    folder.local("encryption = { passphrase = '${var.first}' }");
    folder.keeps_all();
    assert_eq!(serial(&folder), before + 1, "once is enough");

    folder.local("encryption = { passphrase = '${var.second}' }");
    let said = folder.fails(&["plan", "stack.toml"]);
    assert!(said.contains("cannot be decrypted with a passphrase") && !said.contains(SECOND), "{said}");
    folder.local("encryption = { passphrase = '${var.second}', fallback = { passphrase = '${var.first}' } }");
    folder.keeps_all();
    folder.local("encryption = { passphrase = '${var.second}' }");
    folder.keeps_all();
    assert_eq!(folder.in_clear(), [""; 0]);

    folder.local("");
    let said = folder.fails(&["plan", "stack.toml"]);
    assert!(said.contains("encrypted with a passphrase") && said.contains("no `encryption`"), "{said}");
    folder.local("encryption = { plain = true, fallback = { passphrase = '${var.second}' } }");
    folder.keeps_all();
    folder.local("");
    folder.keeps_all();
    assert_eq!(serial(&folder), before + 3);
}

#[test]
fn a_state_that_cannot_be_stored_is_rescued_encrypted() {
    let folder = Folder::with("");
    folder.local("encryption = { passphrase = '${var.first}' }");
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    // Someone else writes while the apply runs: its writes are refused.
    let other = folder.read("s.tfstate");
    let text = folder.read("stack.toml");
    folder.write(
        "stack.toml",
        format!("{text}\n[resource.terraform_data.x]\n[[resource.terraform_data.x.provisioner.local-exec]]\ncommand = 'echo >> s.tfstate'\n"),
    );
    let said = folder.run(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(said.exit, Exit::Failed, "{said:?}");
    let rescued = folder.read("errored.tfstate");
    assert!(rescued.starts_with("{\"lakeform_encryption\":1") && folder.in_clear().is_empty(), "{rescued}");
    folder.write("s.tfstate", other);
    folder.ok(&["state", "push", "stack.toml", "errored.tfstate"]);
    folder.keeps_all();
    assert_eq!(folder.in_clear(), [""; 0]);
    // What is pulled can be pushed, and is encrypted.
    folder.write("pulled.tfstate", folder.ok(&["state", "pull", "stack.toml"]));
    folder.ok(&["state", "push", "stack.toml", "pulled.tfstate"]);
    assert_eq!(folder.in_clear(), ["pulled.tfstate"]);
}

#[test]
fn a_state_that_was_tampered_with_is_refused() {
    let folder = Folder::with("");
    folder.local("encryption = { passphrase = '${var.first}' }");
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    let good = folder.read("s.tfstate");
    let refuses = |content: &str, why: &str| {
        folder.write("s.tfstate", content);
        for args in
            [&["plan", "stack.toml"][..], &["apply", "stack.toml", "--auto-approve"], &["state", "pull", "stack.toml"]]
        {
            let said = folder.fails(args);
            assert!(said.contains("s.tfstate") && said.contains(why), "{args:?}: {said}");
        }
        assert_eq!(folder.read("s.tfstate"), content, "it was overwritten");
    };
    refuses(&good.replacen("\"serial\":", "\"serial\":1", 1), "was changed");
    refuses(&good[..good.len() / 2], "is damaged");
    refuses("{\"version\":4,\"serial\":1,\"lineage\":\"x\"}", "is not encrypted");
    refuses(&good.replacen("\"lakeform_encryption\":1", "\"lakeform_encryption\":7", 1), "newer than 1");
    // A plan is no state.
    folder.write("s.tfstate", &good);
    folder.ok(&["plan", "stack.toml", "--out", "p"]);
    refuses(&folder.read("p"), "an encrypted plan, not an encrypted state");
    folder.write("s.tfstate", &good);
    let said = folder.fails(&["apply", "s.tfstate"]);
    assert!(said.contains("an encrypted state, not an encrypted plan"), "{said}");
    folder.keeps_all();
}

#[test]
fn terraform_refuses_an_encrypted_state_instead_of_misreading_it() {
    let folder = Folder::with("");
    folder.local("encryption = { passphrase = '${var.first}' }");
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    let Ok(ran) = std::process::Command::new("terraform")
        .args(["state", "pull"])
        .current_dir(folder.directory.path())
        .env("TF_DATA_DIR", folder.path(".tf"))
        .output()
    else {
        return;
    };
    drop(ran);
    folder.write("terraform.tfstate", folder.read("s.tfstate"));
    let ran = std::process::Command::new("terraform")
        .args(["state", "list"])
        .current_dir(folder.directory.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(!ran.status.success() && said.contains("version"), "{said}");
}

#[test]
fn what_is_wrong_with_encryption_is_told() {
    let mut folder = Folder::with("");
    for (encryption, why) in [
        ("encryption = { passphrase = 'too short' }", "16 characters or more"),
        ("encryption = { passphrase = '${var.first}', kms_key_id = 'alias/a' }", "both `kms_key_id` and `passphrase`"),
        ("encryption = { migrate = true }", "neither `kms_key_id` nor `passphrase`"),
        ("encryption = { pasphrase = '${var.first}' }", "did you mean `passphrase`?"),
        ("encryption = { passphrase = '${var.first}', plain = true }", "move the key into `fallback`"),
        ("encryption = { passphrase = '${var.first}', fallback = { plain = true } }", "Unknown field `plain`"),
        ("encryption = 'yes'", "a table or \"passphrase\""),
        ("encryption = 'passphrase'", "LAKEFORM_STATE_PASSPHRASE is not set"),
        ("encryption = true", "a table or \"passphrase\""),
        ("encryption = { passphrase = '${var.first}', migrate = 'perhaps' }", "must be true or false"),
    ] {
        folder.local(encryption);
        let said = folder.fails(&["plan", "stack.toml"]);
        assert!(said.contains(why) && said.contains("stack.toml:"), "{encryption}: {said}");
        assert!(!said.contains("too short'") && !said.contains(FIRST), "{said}");
    }
    folder.env.insert("LAKEFORM_STATE_PASSPHRASE".into(), "short".into());
    folder.local("encryption = 'passphrase'");
    let said = folder.fails(&["plan", "stack.toml"]);
    assert!(said.contains("in `LAKEFORM_STATE_PASSPHRASE` is too short"), "{said}");
}

/// Two KMS keys and a bucket in an emulator, and a folder for stacks whose state is there.
struct Remote {
    proxy: Proxy,
    folder: Folder,
    keys: [String; 2],
    bucket: String,
}

impl Remote {
    fn new(name: &str) -> Self {
        let emulator = Emulator::shared(Kind::Moto).unwrap_or_else(|e| panic!("{e}"));
        let proxy = Proxy::start(emulator.address()).unwrap();
        let mut folder = Folder::with("");
        folder.env = environment_for(&proxy.url());
        let bucket = format!("lakeform-encryption-{name}");
        let key =
            |k: &str| format!("[resource.aws_kms_key.{k}]\n[output.{k}]\nvalue = '${{aws_kms_key.{k}.key_id}}'\n");
        let alias =
            format!("[resource.aws_kms_alias.a]\nname = 'alias/{name}'\ntarget_key_id = '${{aws_kms_key.a.key_id}}'\n");
        folder.write(
            "base.toml",
            format!("{}{}{alias}[resource.aws_s3_bucket.b]\nbucket = '{bucket}'\n", key("a"), key("b")),
        );
        folder.ok(&["apply", "base.toml", "--auto-approve"]);
        let keys = ["a", "b"].map(|k| folder.ok(&["output", "--raw", "base.toml", k]));
        Self { proxy, folder, keys, bucket }
    }

    /// The stack with its state in the bucket.
    fn state(&self, encryption: &str) {
        let url = self.proxy.url();
        let encryption =
            encryption.replace("URL", &url).replace("KEY_A", &self.keys[0]).replace("KEY_B", &self.keys[1]);
        self.folder.backend(&format!(
            "[backend.s3]\nbucket = '{}'\nkey = 's.tfstate'\nregion = 'eu-west-2'\nuse_lockfile = true\n\
             access_key = 'testing'\nsecret_key = 'testing'\nmax_retries = 1\nendpoints = {{ s3 = '{url}' }}\n{encryption}",
            self.bucket
        ));
    }

    /// What is stored.
    fn object(&self) -> String {
        self.folder.write(
            "look.toml",
            format!("[data.aws_s3_object.s]\nbucket = '{}'\nkey = 's.tfstate'\n[output.body]\nvalue = '${{data.aws_s3_object.s.body}}'\n", self.bucket),
        );
        self.folder.ok(&["apply", "look.toml", "--auto-approve"]);
        let body = self.folder.ok(&["output", "--raw", "look.toml", "body"]);
        for file in ["state/look.tfstate", "state/look.tfstate.backup"] {
            let _ = std::fs::remove_file(self.folder.path(file));
        }
        body
    }
}

#[test]
fn a_state_in_s3_is_encrypted_with_kms_and_with_another_key_and_in_clear_again() {
    let remote = Remote::new("kms");
    let folder = &remote.folder;
    remote.state("");
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert!(remote.object().contains(SECRET));

    remote.state("encryption = { kms_key_id = 'KEY_A', endpoint = 'URL', migrate = true }");
    remote.proxy.forget();
    folder.keeps_all();
    // One data key for the one write; plan and output need it only for what is stored.
    assert_eq!(remote.proxy.count("kms:GenerateDataKey"), 1, "{:?}", remote.proxy.lines());
    let stored = remote.object();
    assert!(stored.starts_with("{\"lakeform_encryption\":1") && stored.contains(&remote.keys[0]), "{stored}");
    assert!(!stored.contains(SECRET));
    remote.state("encryption = { kms_key_id = 'alias/kms', endpoint = 'URL' }");
    folder.keeps_all();

    // Changed together with something else: every write of the run is under one data key.
    remote.proxy.forget();
    folder.write("stack.toml", folder.read("stack.toml").replace("name = 'd'", "name = 'e'"));
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert!(remote.proxy.count("s3:PutObject") >= 2, "{:?}", remote.proxy.lines());
    assert_eq!(remote.proxy.count("kms:GenerateDataKey"), 1, "{:?}", remote.proxy.lines());
    assert!(!remote.proxy.lines().is_empty());

    let rotate = "encryption = { kms_key_id = 'KEY_B', endpoint = 'URL', fallback = { kms_key_id = 'KEY_A', endpoint = 'URL' } }";
    remote.state("encryption = { kms_key_id = 'KEY_B', endpoint = 'URL' }");
    let said = folder.fails(&["plan", "stack.toml"]);
    assert!(said.contains(&remote.keys[0]) && said.contains(&remote.keys[1]) && said.contains("fallback"), "{said}");
    remote.state(rotate);
    folder.write("stack.toml", folder.read("stack.toml").replace("name = 'd'", "name = 'e'"));
    folder.keeps_all();
    assert!(remote.object().contains(&remote.keys[1]));

    remote.state("encryption = { plain = true, fallback = { kms_key_id = 'KEY_B', endpoint = 'URL' } }");
    folder.write("stack.toml", folder.read("stack.toml").replace("name = 'd'", "name = 'e'"));
    folder.keeps_all();
    remote.state("");
    folder.write("stack.toml", folder.read("stack.toml").replace("name = 'd'", "name = 'e'"));
    folder.keeps_all();
    assert!(remote.object().contains(SECRET));
}

#[test]
fn a_key_that_cannot_be_used_stops_a_run_before_it_changes_anything() {
    let remote = Remote::new("denied");
    let folder = &remote.folder;
    remote.state("encryption = { kms_key_id = 'KEY_A', endpoint = 'URL' }");
    for (code, why) in [
        ("AccessDeniedException", "kms:GenerateDataKey"),
        ("DisabledException", "enable the key"),
        ("NotFoundException", "correct `kms_key_id`"),
    ] {
        remote.proxy.add(Rule::on("kms:GenerateDataKey").always().error(400, code));
        let said = folder.fails(&["apply", "stack.toml", "--auto-approve"]);
        assert!(said.contains("GenerateDataKey KMS key") && said.contains(code) && said.contains(why), "{said}");
        assert!(folder.cloud.is_empty(), "something was made");
        remote.proxy.clear();
    }
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    remote.proxy.add(Rule::on("kms:Decrypt").always().error(400, "DisabledException"));
    let said = folder.fails(&["plan", "stack.toml"]);
    assert!(said.contains("Decrypt KMS key") && said.contains("enable the key"), "{said}");
    remote.proxy.clear();
    folder.keeps_all();
}

#[test]
fn a_state_in_s3_can_have_a_passphrase() {
    let remote = Remote::new("words");
    remote.state("encryption = { passphrase = '${var.first}' }");
    remote.folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    assert!(!remote.object().contains(SECRET));
    remote.folder.keeps_all();
}
