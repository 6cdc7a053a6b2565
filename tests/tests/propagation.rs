//! Whole stacks where roles are unknown to other services for two seconds and each fifth call is throttled: they are applied
//! without an error, and without waiting longer than they must.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use lakeform_cli::Exit;
use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    proxy::{Exchange, Proxy, Rule},
};

use crate::support::cli::{Folder, Ran};

/// How long a role is unknown.
const LAG: Duration = Duration::from_secs(2);
/// The longest pause between two attempts of a call (the catalogue's for roles), and what a busy machine adds.
const PAUSE: Duration = Duration::from_millis(1000 + 700);

/// A stack on an emulator of its own, behind a proxy.
struct Stage {
    folder: Folder,
    proxy: Proxy,
    emulator: Emulator,
    stack: String,
}

impl Stage {
    fn of(stack: &str) -> Self {
        let root: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
        let emulator = Emulator::start_from(Kind::Moto, &root.join("tests/parity/moto_server"));
        let emulator = emulator.unwrap_or_else(|e| panic!("{e}"));
        let proxy = Proxy::start(emulator.address()).unwrap();
        let mut folder = Folder::with("");
        folder.env = environment_for(&proxy.url());
        Self { folder, proxy, emulator, stack: root.join("stacks").join(stack).display().to_string() }
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        let stack = self.stack.as_str();
        self.folder.run(&[&arguments[..1], &[stack, "--state", "s.tfstate"], &arguments[1..]].concat())
    }

    /// Applies the stack to an empty cloud.
    fn apply(&self) {
        self.emulator.reset().unwrap();
        let _ = std::fs::remove_file(self.folder.path("s.tfstate"));
        self.proxy.forget();
        let ran = self.run(&["apply", "--auto-approve"]);
        assert_eq!(ran.exit, Exit::Done, "{}: {}", self.stack, ran.stderr);
    }
}

/// Applies a stack with roles that take their time, and once more with throttled calls on top of that.
fn withstands(stack: &str) {
    let stage = Stage::of(stack);
    stage.proxy.hide_fresh_roles(LAG);
    stage.apply();
    let log = stage.proxy.log();
    let mut refused = 0;
    for (at, call) in log.iter().enumerate().filter(|(_, call)| call.status == Some(400)) {
        let same = |e: &&Exchange| (&e.operation, &e.path, &e.body) == (&call.operation, &call.path, &call.body);
        let Some(again) = log[at + 1..].iter().find(same) else { continue };
        refused += 1;
        let pause = again.started - call.ended.unwrap();
        assert!(pause <= PAUSE, "{stack}: {} came again after {pause:?}", call.operation);
    }
    assert!(refused > 0, "{stack}: no call met a role that was not known yet");
    stage.proxy.add(Rule::on("*").every(5).throttled());
    stage.apply();
    stage.proxy.clear();
    let planned = stage.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(planned.exit, Exit::Done, "{stack}: {}{}", planned.stdout, planned.stderr);
}

#[test]
fn functions() {
    withstands("examples/functions.toml");
}

#[test]
fn delivery() {
    withstands("examples/delivery.toml");
}

#[test]
fn lakehouse() {
    withstands("lakehouse/dev.toml");
}

#[test]
fn review_analytics() {
    withstands("review-analytics/dev.toml");
}

#[test]
fn enclave() {
    withstands("enclave/dev.toml");
}

/// Policies that name a role, where they are set with the object and where they are changed.
#[test]
fn policies() {
    let stack = |role: &str| {
        let allow = |resource: &str, action: &str| {
            format!(
                "policy = {{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", Principal = {{ AWS = \
                 \"${{aws_iam_role.{role}.arn}}\" }}, Action = \"{action}\", Resource = \"{resource}\" }}] }}\n"
            )
        };
        let trust = "assume_role_policy = { Version = \"2012-10-17\", Statement = [{ Effect = \"Allow\", Principal = { Service = \
                     \"lambda.amazonaws.com\" }, Action = \"sts:AssumeRole\" }] }\n";
        format!(
            "[provider.aws]\nregion = \"eu-west-2\"\n\
             [resource.aws_iam_role.{role}]\nname = \"{role}\"\n{trust}\
             [resource.aws_sqs_queue.own]\nname = \"own\"\n{}\
             [resource.aws_sqs_queue.apart]\nname = \"apart\"\n\
             [resource.aws_sqs_queue_policy.apart]\nqueue_url = \"${{aws_sqs_queue.apart.url}}\"\n{}\
             [resource.aws_sns_topic.t]\nname = \"t\"\n{}\
             [resource.aws_s3_bucket.b]\nbucket = \"lakeform-late\"\n\
             [resource.aws_s3_bucket_policy.b]\nbucket = \"${{aws_s3_bucket.b.id}}\"\n{}\
             [resource.aws_kms_key.k]\n{}",
            allow("*", "sqs:SendMessage"),
            allow("*", "sqs:SendMessage"),
            allow("*", "sns:Publish"),
            allow("arn:aws:s3:::lakeform-late/*", "s3:GetObject"),
            allow("*", "kms:*"),
        )
    };
    let mut stage = Stage::of("examples/messaging.toml");
    stage.stack = "stack.toml".into();
    stage.proxy.hide_fresh_roles(LAG);
    for (role, late) in [
        (
            "first",
            ["sqs:CreateQueue", "sqs:SetQueueAttributes", "sns:CreateTopic", "s3:PutBucketPolicy", "kms:CreateKey"],
        ),
        (
            "second",
            [
                "sqs:SetQueueAttributes",
                "sqs:SetQueueAttributes",
                "sns:SetTopicAttributes",
                "s3:PutBucketPolicy",
                "kms:PutKeyPolicy",
            ],
        ),
    ] {
        stage.folder.write("stack.toml", stack(role));
        stage.proxy.forget();
        let ran = stage.run(&["apply", "--auto-approve"]);
        assert_eq!(ran.exit, Exit::Done, "{role}: {}", ran.stderr);
        let log = stage.proxy.log();
        for operation in late {
            let refused = log.iter().any(|e| e.operation == operation && e.status == Some(400));
            assert!(refused, "{role}: {operation} met no role that was not known yet");
        }
    }
}
