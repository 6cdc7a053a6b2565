//! Answers as S3's API reference shows them, which no emulator gives.

use lakeform_core::json;
use serde_json::{Value as Json, json as js};

use crate::{LIFECYCLE, NOTIFICATION, OBJECT_LOCK, REPLICATION, TIERING, verbatim};

/// What is stored after an import that meets this answer.
async fn imported(ty: &str, id: &str, key: &str, answer: &str) -> Json {
    let (server, cloud) = verbatim().await;
    server.seed(key, answer);
    json::to_plain_json(&cloud.import(ty, id).await.unwrap())
}

// GetBucketLifecycleConfiguration, sample response. The expected values are what Terraform stores for the same rule.
#[tokio::test]
async fn a_lifecycle_rule_of_the_old_version() {
    let answer = r#"<?xml version="1.0" encoding="UTF-8"?>
        <LifecycleConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
          <Rule>
            <ID>Archive and then delete rule</ID>
            <Prefix>projectdocs/</Prefix>
            <Status>Enabled</Status>
            <Transition><Days>30</Days><StorageClass>STANDARD_IA</StorageClass></Transition>
            <Transition><Days>365</Days><StorageClass>GLACIER</StorageClass></Transition>
            <Expiration><Days>3650</Days></Expiration>
          </Rule>
        </LifecycleConfiguration>"#;
    let stored = imported(LIFECYCLE, "examplebucket", "examplebucket?lifecycle", answer).await;
    assert_eq!(
        stored["rule"],
        js!([{
            "id": "Archive and then delete rule", "prefix": "projectdocs/", "status": "Enabled", "filter": [],
            "abort_incomplete_multipart_upload": [], "noncurrent_version_expiration": [],
            "noncurrent_version_transition": [],
            "expiration": [{"date": null, "days": 3650, "expired_object_delete_marker": false}],
            "transition": [
                {"date": null, "days": 30, "storage_class": "STANDARD_IA"},
                {"date": null, "days": 365, "storage_class": "GLACIER"},
            ],
        }])
    );
}

// S3 returns dates with milliseconds, and leaves out an expiration that says nothing.
#[tokio::test]
async fn another_spelling_of_a_lifecycle_is_no_change() {
    let (server, cloud) = verbatim().await;
    let body = js!({"bucket": "b", "rule": [
        {"id": "a", "status": "Enabled", "filter": {}, "expiration": {"date": "2030-01-01T02:00:00+02:00"},
         "transition": [{"date": "2029-01-01T00:00:00Z", "storage_class": "GLACIER"}, {"storage_class": "STANDARD_IA"}]},
        {"id": "b", "status": "Enabled", "expiration": {}, "noncurrent_version_expiration": {"noncurrent_days": 3}},
    ]});
    let made = cloud.create(LIFECYCLE, body.clone()).await.unwrap();
    let answer = r#"<LifecycleConfiguration>
        <Rule><ID>b</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status>
          <NoncurrentVersionExpiration><NoncurrentDays>3</NoncurrentDays></NoncurrentVersionExpiration></Rule>
        <Rule><ID>a</ID><Filter><Prefix/></Filter><Status>Enabled</Status>
          <Transition><Days>0</Days><StorageClass>STANDARD_IA</StorageClass></Transition>
          <Transition><Date>2029-01-01T00:00:00.000Z</Date><StorageClass>GLACIER</StorageClass></Transition>
          <Expiration><Date>2030-01-01T00:00:00.000Z</Date></Expiration></Rule>
        </LifecycleConfiguration>"#;
    server.seed("b?lifecycle", answer);
    let read = cloud.read(LIFECYCLE, &made, body.clone()).await.unwrap();
    assert_eq!(json::to_plain_json(&read), json::to_plain_json(&made));
    cloud.assert_settled(LIFECYCLE, &read, body.clone());

    // A real change in one rule leaves the spelling of the other alone.
    server.seed("b?lifecycle", &answer.replace("<NoncurrentDays>3<", "<NoncurrentDays>4<"));
    let read = json::to_plain_json(&cloud.read(LIFECYCLE, &made, body).await.unwrap());
    assert_eq!(read["rule"][0]["id"], "b");
    assert_eq!(read["rule"][0]["noncurrent_version_expiration"][0]["noncurrent_days"], 4);
    assert_eq!(read["rule"][1]["expiration"][0]["date"], "2030-01-01T02:00:00+02:00");
}

// GetBucketNotificationConfiguration: S3 returns the names of filter rules capitalised, though it is sent small letters.
#[tokio::test]
async fn filters_of_a_notification() {
    let answer = r#"<NotificationConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
        <QueueConfiguration><Id>mine</Id><Queue>arn:aws:sqs:us-east-1:123456789012:q</Queue>
          <Event>s3:ObjectCreated:*</Event>
          <Filter><S3Key>
            <FilterRule><Name>Suffix</Name><Value>.jpg</Value></FilterRule>
            <FilterRule><Name>Prefix</Name><Value>images/</Value></FilterRule>
          </S3Key></Filter></QueueConfiguration>
        <EventBridgeConfiguration/>
        </NotificationConfiguration>"#;
    let stored = imported(NOTIFICATION, "b", "b?notification", answer).await;
    assert_eq!(stored["eventbridge"], true);
    assert_eq!(
        stored["queue"],
        js!([{"id": "mine", "queue_arn": "arn:aws:sqs:us-east-1:123456789012:q", "events": ["s3:ObjectCreated:*"],
              "filter_prefix": "images/", "filter_suffix": ".jpg"}])
    );
}

#[tokio::test]
async fn notifications_in_another_order_are_no_change() {
    let (server, cloud) = verbatim().await;
    let topic = |id: &str| {
        js!({"id": id, "topic_arn": "arn:aws:sns:us-east-1:123456789012:t", "events": ["s3:ObjectRemoved:*"],
        "filter_prefix": id})
    };
    let body = js!({"bucket": "b", "topic": [topic("y"), topic("x")]});
    let made = cloud.create(NOTIFICATION, body.clone()).await.unwrap();
    let sent = server.requests().remove(0).body;
    let parts: Vec<_> = sent.split_inclusive("</TopicConfiguration>").collect();
    let (open, first) = parts[0].split_at(parts[0].find("<TopicConfiguration>").unwrap());
    server.seed("b?notification", &format!("{open}{}{first}{}", parts[1], parts[2]));
    let read = cloud.read(NOTIFICATION, &made, body.clone()).await.unwrap();
    assert_eq!(json::to_plain_json(&read), json::to_plain_json(&made));
}

// GetBucketReplication, sample response.
#[tokio::test]
async fn a_replication_rule() {
    let answer = r#"<ReplicationConfiguration>
          <Rule>
            <ID>rule1</ID>
            <Status>Enabled</Status>
            <Priority>1</Priority>
            <DeleteMarkerReplication><Status>Disabled</Status></DeleteMarkerReplication>
            <Filter><And><Prefix>TaxDocs</Prefix><Tag><Key>key1</Key><Value>value1</Value></Tag></And></Filter>
            <Destination><Bucket>arn:aws:s3:::exampletargetbucket</Bucket></Destination>
          </Rule>
          <Role>arn:aws:iam::35667example:role/CrossRegionReplicationRoleForS3</Role>
        </ReplicationConfiguration>"#;
    let stored = imported(REPLICATION, "examplebucket", "examplebucket?replication", answer).await;
    assert_eq!(stored["role"], "arn:aws:iam::35667example:role/CrossRegionReplicationRoleForS3");
    assert_eq!(
        stored["rule"],
        js!([{
            "id": "rule1", "prefix": "", "priority": 1, "status": "Enabled",
            "delete_marker_replication": [{"status": "Disabled"}], "existing_object_replication": [],
            "source_selection_criteria": [],
            "filter": [{"prefix": "", "tag": [], "and": [{"prefix": "TaxDocs", "tags": {"key1": "value1"}}]}],
            "destination": [{"account": "", "bucket": "arn:aws:s3:::exampletargetbucket", "storage_class": "",
                "access_control_translation": [], "encryption_configuration": [], "metrics": [], "replication_time": []}],
        }])
    );
}

// GetBucketIntelligentTieringConfiguration, response syntax.
#[tokio::test]
async fn an_intelligent_tiering_configuration() {
    let answer = r#"<IntelligentTieringConfiguration>
           <Id>old</Id>
           <Filter><And><Prefix>a/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key><Value></Value></Tag></And></Filter>
           <Status>Disabled</Status>
           <Tiering><AccessTier>DEEP_ARCHIVE_ACCESS</AccessTier><Days>180</Days></Tiering>
        </IntelligentTieringConfiguration>"#;
    let stored = imported(TIERING, "b:old", "b?intelligent-tiering&id=old", answer).await;
    assert_eq!(
        stored,
        js!({"bucket": "b", "id": "b:old", "name": "old", "status": "Disabled",
            "filter": [{"prefix": "a/", "tags": {"k": "v", "l": ""}}],
            "tiering": [{"access_tier": "DEEP_ARCHIVE_ACCESS", "days": 180}]})
    );
}

#[tokio::test]
async fn an_intelligent_tiering_configuration_comes_and_goes() {
    let (_server, cloud) = verbatim().await;
    let body = |status: &str, days: i64| js!({"bucket": "b", "name": "n", "status": status, "tiering": {"access_tier": "ARCHIVE_ACCESS", "days": days}});
    let made = cloud.create(TIERING, body("Enabled", 90)).await.unwrap();
    let changed = cloud.update(TIERING, &made, body("Disabled", 125)).await.unwrap();
    let read = cloud.read(TIERING, &made, body("Disabled", 125)).await.unwrap();
    assert_eq!(json::to_plain_json(&read), json::to_plain_json(&changed));
    for _ in 0..2 {
        cloud.delete(TIERING, &changed).await.unwrap();
        assert!(cloud.read(TIERING, &changed, body("Disabled", 125)).await.is_none());
    }
}

// GetObjectLockConfiguration of a bucket whose lock has no rule: the lock is there.
#[tokio::test]
async fn an_object_lock_without_a_rule() {
    let answer = "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled></ObjectLockConfiguration>";
    let stored = imported(OBJECT_LOCK, "b,123456789012", "b?object-lock", answer).await;
    assert_eq!(
        stored,
        js!({"bucket": "b", "expected_bucket_owner": "123456789012", "id": "b,123456789012",
            "object_lock_enabled": "Enabled", "rule": [], "token": null})
    );
}

#[tokio::test]
async fn tokens_and_owners_are_sent() {
    let (server, cloud) = verbatim().await;
    let body = js!({"bucket": "b", "expected_bucket_owner": "123456789012", "token": "tok"});
    let made = cloud.create(OBJECT_LOCK, body.clone()).await.unwrap();
    cloud.read(OBJECT_LOCK, &made, body).await.unwrap();
    cloud.delete(OBJECT_LOCK, &made).await.unwrap();
    let requests = server.requests();
    let owners: Vec<_> = requests.iter().filter_map(|r| r.headers.get("x-amz-expected-bucket-owner")).collect();
    assert_eq!(owners, ["123456789012"; 3]);
    let tokens: Vec<_> = requests.iter().map(|r| r.headers.contains_key("x-amz-bucket-object-lock-token")).collect();
    assert_eq!(tokens, [true, false, false]);

    server.requests();
    let size = js!({"bucket": "b", "transition_default_minimum_object_size": "varies_by_storage_class",
        "rule": {"id": "r", "status": "Enabled", "filter": {}, "expiration": {"days": 1}}});
    cloud.create(LIFECYCLE, size).await.unwrap();
    let put = server.requests().remove(0);
    assert_eq!(put.headers["x-amz-transition-default-minimum-object-size"], "varies_by_storage_class");
}

#[tokio::test]
async fn a_bucket_is_told_to_tell_nobody() {
    let (_server, cloud) = verbatim().await;
    let body = js!({"bucket": "b", "eventbridge": true});
    let made = cloud.create(NOTIFICATION, body.clone()).await.unwrap();
    cloud.assert_settled(NOTIFICATION, &cloud.import(NOTIFICATION, "b").await.unwrap(), body.clone());
    for _ in 0..2 {
        cloud.delete(NOTIFICATION, &made).await.unwrap();
        let read = json::to_plain_json(&cloud.read(NOTIFICATION, &made, body.clone()).await.unwrap());
        assert_eq!(
            read,
            js!({"bucket": "b", "eventbridge": false, "id": "b", "lambda_function": [], "queue": [], "topic": []})
        );
    }
}
