//! Making the backend itself.

use aws_sdk_dynamodb::types::BillingMode;
use aws_sdk_s3::types::{BucketVersioningStatus, ServerSideEncryption};
use lakeform_state_s3::{Outcome, bootstrap};
use lakeform_testkit::{
    emulator::Kind,
    proxy::{Proxy, Rule},
};

use crate::harness;

#[tokio::test]
async fn what_is_absent_is_made_and_the_second_time_nothing() {
    let url = harness::url();
    let connection = harness::open(harness::backend(&url, "boot", true, true)).await;
    let first = bootstrap(&connection).await.unwrap();
    assert!(first.changed());
    assert!(first.steps.iter().all(|step| !matches!(step.outcome, Outcome::Left(_))), "{first}");
    let second = bootstrap(&connection).await.unwrap();
    assert!(!second.changed());
    assert_eq!(
        second.to_string(),
        "bucket lakeform-boot: was there\nversioning: was there\nencryption: was there\npublic access block: was \
         there\npolicy (TLS only): was there\nlock table locks-boot: was there"
    );

    let bare = harness::bare_at(&url);
    let bucket = "lakeform-boot";
    let place = bare.s3.get_bucket_location().bucket(bucket).send().await.unwrap();
    assert_eq!(place.location_constraint().map(|p| p.as_str()), Some("eu-west-2"));
    let versioning = bare.s3.get_bucket_versioning().bucket(bucket).send().await.unwrap();
    assert_eq!(versioning.status(), Some(&BucketVersioningStatus::Enabled));
    let encryption = bare.s3.get_bucket_encryption().bucket(bucket).send().await.unwrap();
    let rules = encryption.server_side_encryption_configuration.unwrap().rules;
    let default = rules[0].apply_server_side_encryption_by_default().unwrap();
    assert_eq!(default.sse_algorithm, ServerSideEncryption::Aes256);
    let block = bare.s3.get_public_access_block().bucket(bucket).send().await.unwrap();
    let block = block.public_access_block_configuration.unwrap();
    assert_eq!(
        [block.block_public_acls, block.block_public_policy, block.ignore_public_acls, block.restrict_public_buckets],
        [Some(true); 4]
    );
    let policy = bare.s3.get_bucket_policy().bucket(bucket).send().await.unwrap().policy.unwrap();
    let policy: serde_json::Value = serde_json::from_str(&policy).unwrap();
    let statement = &policy["Statement"][0];
    assert_eq!(statement["Effect"], "Deny");
    assert_eq!(statement["Condition"]["Bool"]["aws:SecureTransport"], "false");
    assert_eq!(statement["Resource"][1], "arn:aws:s3:::lakeform-boot/*");
    let table = bare.dynamodb.describe_table().table_name("locks-boot").send().await.unwrap().table.unwrap();
    assert_eq!(table.key_schema()[0].attribute_name, "LockID");
    assert_eq!(table.billing_mode_summary.unwrap().billing_mode, Some(BillingMode::PayPerRequest));
}

#[tokio::test]
async fn what_was_cut_off_is_finished() {
    let emulator = harness::emulator(Kind::Ministack);
    let proxy = Proxy::start(emulator.address()).unwrap();
    let connection = harness::open(harness::backend(&proxy.url(), "boot-cut", true, true)).await;
    proxy.add(Rule::on("s3:PutBucketPolicy").denied());
    let error = bootstrap(&connection).await.unwrap_err().to_string();
    assert!(error.starts_with("PutBucketPolicy s3://lakeform-boot-cut: AccessDenied"), "{error}");
    assert!(error.ends_with("the credentials need `s3:PutBucketPolicy` on s3://lakeform-boot-cut"), "{error}");
    let done = bootstrap(&connection).await.unwrap();
    let made: Vec<_> = done.steps.iter().filter(|s| s.outcome == Outcome::Made).map(|s| s.what.as_str()).collect();
    assert_eq!(made, ["policy (TLS only)", "lock table locks-boot-cut"]);
}

#[tokio::test]
async fn what_belongs_to_others_is_left_alone() {
    let connection = harness::open(harness::backend(&harness::url(), "boot-other", true, true)).await;
    let bare = harness::bare();
    bare.create_table("locks-boot-other", "Id").await;
    let error = bootstrap(&connection).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "DescribeTable table locks-boot-other: it is no lock table: its key is not `LockID` alone; name another table as \
         `dynamodb_table`"
    );
    let own = r#"{"Version":"2012-10-17","Statement":[]}"#;
    bare.s3.put_bucket_policy().bucket("lakeform-boot-other").policy(own).send().await.unwrap();
    let mut backend = connection.backend().clone();
    backend.dynamodb_table = None;
    let done = bootstrap(&harness::open(backend).await).await.unwrap();
    assert!(matches!(&done.steps[4].outcome, Outcome::Left(why) if why.contains("policy of its own")), "{done}");
}
