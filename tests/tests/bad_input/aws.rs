//! What AWS refuses, with an emulator behind a proxy that says no.

use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    proxy::{Proxy, Rule},
};

use super::refused;
use crate::support::cli::Folder;

struct Aws {
    proxy: Proxy,
    folder: Folder,
}

fn aws(stack: &str) -> Aws {
    let emulator = Emulator::shared(Kind::Moto).unwrap_or_else(|e| panic!("{e}"));
    let proxy = Proxy::start(emulator.address()).unwrap();
    let mut folder = Folder::with(stack);
    folder.env = environment_for(&proxy.url());
    Aws { proxy, folder }
}

impl Aws {
    /// As [`refused`]; besides, no call that changes something may have reached the emulator.
    fn refuses(&self, name: &str, args: &[&str]) {
        self.proxy.forget();
        refused(name, &self.folder, args);
        self.proxy.clear();
    }
}

const BUCKET: &str = "[resource.aws_s3_bucket.a]\nbucket = 'lakeform-bad-input'\n";

#[test]
fn credentials() {
    let mut aws = aws("[data.aws_caller_identity.me]\n");
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        aws.folder.env.remove(name);
    }
    aws.refuses("missing_credentials", &["plan", "stack.toml"]);
    assert_eq!(aws.proxy.changes(), 0);
}

#[test]
fn expired_token() {
    let aws = aws("[data.aws_caller_identity.me]\n");
    aws.proxy.add(Rule::on("sts:GetCallerIdentity").always().error(403, "ExpiredToken"));
    aws.refuses("expired_token", &["plan", "stack.toml"]);
}

#[test]
fn wrong_account() {
    let aws = aws(&format!("[provider.aws]\nallowed_account_ids = ['999999999999']\n{BUCKET}"));
    aws.refuses("wrong_account", &["plan", "stack.toml"]);
}

#[test]
fn no_region() {
    let mut aws = aws(BUCKET);
    for name in ["AWS_REGION", "AWS_DEFAULT_REGION"] {
        aws.folder.env.remove(name);
    }
    aws.refuses("missing_region", &["plan", "stack.toml"]);
}

#[test]
fn unreachable() {
    let mut aws = aws("[data.aws_caller_identity.me]\n[provider.aws]\nmax_retries = 1\n");
    let port = lakeform_testkit::emulator::free_port().unwrap();
    aws.folder.env = environment_for(&format!("http://127.0.0.1:{port}"));
    aws.refuses("unreachable_endpoint", &["plan", "stack.toml"]);
}

#[test]
fn denied() {
    let aws = aws(BUCKET);
    aws.proxy.add(Rule::on("s3:CreateBucket").always().denied());
    // The apply itself writes its state, which holds no object.
    aws.folder.ok(&["plan", "stack.toml"]);
    let ran = aws.folder.run(&["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(ran.exit, lakeform_cli::Exit::Failed);
    assert!(ran.stderr.contains("aws_s3_bucket.a") && ran.stderr.contains("s3:CreateBucket"), "{}", ran.stderr);
    aws.refuses("denied", &["apply", "stack.toml", "--auto-approve"]);
    assert_eq!(aws.folder.ok(&["state", "list", "stack.toml"]), "");
}

#[test]
fn name_taken() {
    let aws = aws(BUCKET);
    aws.proxy.add(Rule::on("s3:CreateBucket").always().error(409, "BucketAlreadyExists"));
    aws.folder.run(&["apply", "stack.toml", "--auto-approve"]);
    aws.proxy.add(Rule::on("s3:CreateBucket").always().error(409, "BucketAlreadyExists"));
    aws.refuses("bucket_name_taken", &["apply", "stack.toml", "--auto-approve"]);
}

#[test]
fn wrong_region() {
    let aws = aws(BUCKET);
    let rule = || Rule::on("s3:CreateBucket").always().error(400, "IllegalLocationConstraintException");
    aws.proxy.add(rule());
    aws.folder.run(&["apply", "stack.toml", "--auto-approve"]);
    aws.refuses("wrong_region", &["apply", "stack.toml", "--auto-approve"]);
}

/// The backend of a stack, as it reaches a proxy without any environment.
fn remote(aws: &Aws, name: &str, input: u32) -> String {
    let url = aws.proxy.url();
    format!(
        "[backend.s3]\nbucket = '{name}-state'\nkey = 'k'\nregion = 'eu-west-2'\ndynamodb_table = '{name}-lock'\naccess_key = \
         'testing'\nsecret_key = 'testing'\nendpoints = {{ s3 = '{url}', dynamodb = '{url}' }}\n[resource.terraform_data.a]\n\
         input = {input}\n"
    )
}

#[test]
fn backends() {
    let aws = aws("");
    aws.folder.write("stack.toml", remote(&aws, "lakeform-no-such", 1));
    aws.refuses("backend_that_is_not_there", &["plan", "stack.toml"]);
    aws.refuses("lock_table_that_is_not_there", &["apply", "stack.toml", "--auto-approve"]);
}

#[test]
fn denied_backends() {
    let aws = aws(
        "[resource.aws_s3_bucket.a]\nbucket = 'lakeform-denied-state'\n[resource.aws_dynamodb_table.a]\nname = 'lakeform-denied-lock'\nbilling_mode = 'PAY_PER_REQUEST'\nhash_key = 'LockID'\nattribute = [{ name = 'LockID', type = 'S' }]\n",
    );
    aws.folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    aws.folder.write("stack.toml", remote(&aws, "lakeform-denied", 1));
    aws.proxy.add(Rule::on("s3:GetObject").always().denied());
    aws.refuses("state_denied", &["plan", "stack.toml"]);
    aws.proxy.add(Rule::on("dynamodb:PutItem").always().denied());
    aws.refuses("lock_denied", &["apply", "stack.toml", "--auto-approve"]);
}
