//! A rollback of real resource types, against moto: what they say of the old object must be what they take.

use lakeform_testkit::emulator::{Emulator, Kind};

use crate::support::cli::Folder;

const GONE: &str = r#"
[resource.aws_s3_bucket.b]
bucket = "rollback-bucket"
tags = { n = "1" }

[resource.aws_dynamodb_table.t]
name = "rollback-table"
billing_mode = "PAY_PER_REQUEST"
hash_key = "id"
attribute = [{ name = "id", type = "S" }]
"#;

const BAD: &str = r#"
[resource.aws_iam_role_policy.bad]
name = "bad"
role = "${aws_iam_role.r.id}"
policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Perhaps","Action":"sqs:*","Resource":"*"}]}'
depends_on = ["aws_iam_role_policy.p", "aws_kms_key.k"]
"#;

fn kept(n: u32) -> String {
    format!(
        r#"
[resource.aws_sqs_queue.q]
name = "rollback-queue-{n}"
visibility_timeout_seconds = 40

[resource.aws_kms_key.k]
description = "{n}"

[resource.aws_iam_role.r]
name = "rollback-role"
description = "{n}"
assume_role_policy = '{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"Service":"lambda.amazonaws.com"}}}}]}}'

[resource.aws_iam_role_policy.p]
name = "rollback"
role = "${{aws_iam_role.r.id}}"
policy = '{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"sqs:*","Resource":"${{aws_sqs_queue.q.arn}}"}}]}}'
"#
    )
}

/// Deleted, replaced, changed in place, and a policy that names what was replaced.
#[test]
fn real_types_come_back() {
    let emulator = Emulator::shared(Kind::Moto).unwrap_or_else(|e| panic!("{e}"));
    let mut folder = Folder::with(&format!("{GONE}{}", kept(1)));
    folder.env = emulator.env();
    folder.ok(&["apply", "stack.toml", "--auto-approve"]);
    folder.write("stack.toml", format!("{}{BAD}", kept(2)));
    let told = folder.fails(&["apply", "stack.toml", "--auto-approve", "--on-error=rollback"]);
    assert!(told.contains("Rolled back: 6 undone, 0 could not be undone."), "{told}");
    folder.write("stack.toml", format!("{GONE}{}", kept(1)));
    let plan = folder.ok(&["plan", "stack.toml"]);
    assert!(plan.contains("No changes."), "{plan}");
    folder.ok(&["destroy", "stack.toml", "--auto-approve"]);
}
