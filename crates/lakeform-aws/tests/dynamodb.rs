//! DynamoDB against an emulator.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(all(feature = "dynamodb", feature = "kms"))]

mod common;

use std::sync::Mutex;

use common::{
    Cloud, Emulator, differences,
    fake::{Answer, Fake, error, ok},
    recorded,
};
use lakeform_core::{Path, json::to_plain_json};
use lakeform_provider::ErrorKind;
use serde_json::{Value as Json, json};

const TABLE: &str = "aws_dynamodb_table";

#[tokio::test]
async fn what_terraform_stores() {
    let except = recorded::Except {
        unreadable: &[
            ("aws_kms_key", &["bypass_policy_lockout_safety_check", "deletion_window_in_days"]),
            // Whether the key is the one that AWS picks.
            ("aws_dynamodb_table", &["server_side_encryption"]),
        ],
        unlike: &[],
        later: &[],
    };
    recorded::run("dynamodb", except).await;
}

/// A small table with some arguments changed.
fn table(change: Json) -> Json {
    let mut config = json!({"name": "events", "hash_key": "a", "billing_mode": "PAY_PER_REQUEST",
        "attribute": [{"name": "a", "type": "S"}]});
    for (name, value) in change.as_object().unwrap() {
        config[name] = value.clone();
    }
    config
}

fn attributes(names: &[&str]) -> Json {
    names.iter().map(|name| json!({"name": name, "type": "S"})).collect()
}

#[tokio::test]
async fn tables_change() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    let mut object = cloud.create(TABLE, table(json!({}))).await.unwrap();
    let index = |name: &str, hash: &str| json!({"name": name, "hash_key": hash, "projection_type": "ALL"});
    let provisioned = |name: &str, read: i64| json!({"name": name, "hash_key": "b", "projection_type": "ALL", "read_capacity": read, "write_capacity": 1});
    for change in [
        json!({"tags": {"a": "1", "b": "2"}}),
        json!({"tags": {"b": "3"}, "deletion_protection_enabled": true}),
        json!({"ttl": [{"attribute_name": "exp", "enabled": true}]}),
        json!({"ttl": [{"attribute_name": "exp", "enabled": false}], "deletion_protection_enabled": false}),
        json!({"point_in_time_recovery": [{"enabled": true}]}),
        json!({"point_in_time_recovery": [{"enabled": true, "recovery_period_in_days": 7}]}),
        json!({"point_in_time_recovery": [{"enabled": false}]}),
        json!({"stream_enabled": true, "stream_view_type": "NEW_IMAGE"}),
        json!({"stream_enabled": false}),
        json!({"attribute": attributes(&["a", "b"]), "global_secondary_index": [index("one", "b")]}),
        json!({"attribute": attributes(&["a", "b", "c"]), "global_secondary_index": [index("one", "c"), index("two", "b")]}),
        json!({"attribute": attributes(&["a", "b"]), "global_secondary_index": [index("two", "b")]}),
        json!({"attribute": attributes(&["a", "b"]), "global_secondary_index": [provisioned("two", 3)],
            "billing_mode": "PROVISIONED", "read_capacity": 2, "write_capacity": 2}),
        json!({"attribute": attributes(&["a", "b"]), "global_secondary_index": [provisioned("two", 5)],
            "billing_mode": "PROVISIONED", "read_capacity": 4, "write_capacity": 2}),
        json!({}),
    ] {
        let config = table(change);
        object =
            cloud.update(TABLE, &object, config.clone()).await.unwrap_or_else(|e| panic!("{config}: {:?}", e.error));
        let read = cloud.read(TABLE, &object, config.clone()).await.unwrap();
        assert_eq!(differences(&to_plain_json(&object), &to_plain_json(&read)), Vec::<String>::new(), "{config}");
        cloud.assert_settled(TABLE, &read, config);
        object = read;
    }
    // Drift behind our back shows.
    cloud
        .update(TABLE, &object, table(json!({"tags": {"theirs": "x"}, "deletion_protection_enabled": true})))
        .await
        .unwrap();
    let read = to_plain_json(&cloud.read(TABLE, &object, table(json!({}))).await.unwrap());
    assert_eq!(read["tags_all"], json!({"theirs": "x"}));
    assert_eq!(read["deletion_protection_enabled"], json!(true));
    // Protected: refused, and said so.
    let protected = cloud.delete(TABLE, &object).await.unwrap_err();
    assert_eq!(protected.operation, "dynamodb:DeleteTable");
}

#[tokio::test]
async fn a_taken_name_is_said() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    cloud.create(TABLE, table(json!({}))).await.unwrap();
    let taken = cloud.create(TABLE, table(json!({}))).await.unwrap_err();
    assert!(taken.partial.is_none());
    assert_eq!(taken.error.code.as_deref(), Some("ResourceInUseException"));
}

#[tokio::test]
async fn a_table_is_restored() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    cloud.create(TABLE, table(json!({"point_in_time_recovery": [{"enabled": true}]}))).await.unwrap();
    let config = json!({"name": "restored", "restore_source_name": "events", "restore_to_latest_time": true,
        "billing_mode": "PAY_PER_REQUEST", "tags": {"a": "b"}, "ttl": [{"attribute_name": "exp", "enabled": true}]});
    let object = cloud.create(TABLE, config.clone()).await.unwrap();
    let read = cloud.read(TABLE, &object, config.clone()).await.unwrap();
    assert_eq!(differences(&to_plain_json(&object), &to_plain_json(&read)), Vec::<String>::new());
    assert_eq!(to_plain_json(&read)["hash_key"], json!("a"));
    assert_eq!(to_plain_json(&read)["tags"], json!({"a": "b"}));
    cloud.assert_settled(TABLE, &read, config);
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_any_call() {
    let environment = vec![("AWS_ACCESS_KEY_ID".into(), "x".into()), ("AWS_SECRET_ACCESS_KEY".into(), "x".into())];
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1"})).await.unwrap();
    for (change, attribute) in [
        (json!({"billing_mode": "FREE"}), "billing_mode"),
        (json!({"table_class": "COLD"}), "table_class"),
        (json!({"stream_enabled": true, "stream_view_type": "ALL"}), "stream_view_type"),
        (json!({"stream_enabled": true}), "stream_view_type"),
        (json!({"name": "ab"}), "name"),
        (json!({"hash_key": null, "attribute": []}), "hash_key"),
        (json!({"hash_key": "z"}), "attribute"),
        (json!({"attribute": attributes(&["a", "b"])}), "attribute"),
        (json!({"billing_mode": "PROVISIONED", "read_capacity": 1}), "write_capacity"),
        (json!({"read_capacity": 1}), "read_capacity"),
        (json!({"ttl": [{"enabled": true}]}), "ttl"),
        (json!({"restore_source_name": "x", "restore_source_table_arn": "y"}), "restore_source_name"),
    ] {
        let config = cloud.config(TABLE, table(change.clone()));
        let error = cloud.try_plan(TABLE, &config, None).expect_err(&change.to_string());
        assert_eq!(
            (error.kind, error.attribute),
            (ErrorKind::Invalid, Some(Path::attr(attribute))),
            "{}",
            error.message
        );
    }
}

#[tokio::test]
async fn replacements_are_those_of_the_api() {
    let environment = vec![("AWS_ACCESS_KEY_ID".into(), "x".into()), ("AWS_SECRET_ACCESS_KEY".into(), "x".into())];
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1"})).await.unwrap();
    let local = |copied: Json| {
        table(json!({"range_key": "b", "attribute": attributes(&["a", "b", "c"]), "local_secondary_index": [
            {"name": "l", "range_key": "c", "projection_type": "INCLUDE", "non_key_attributes": copied}]}))
    };
    let prior = cloud.config(TABLE, local(json!(["x", "y"])));
    let replace = |config: Json| cloud.try_plan(TABLE, &cloud.config(TABLE, config), Some(&prior)).unwrap().1;
    assert_eq!(replace(local(json!(["y", "x"]))), Vec::<String>::new());
    assert_eq!(replace(local(json!(["y", "z"]))), ["local_secondary_index"]);
    assert_eq!(
        replace(table(json!({"range_key": "b", "attribute": attributes(&["a", "b"])}))),
        ["local_secondary_index"]
    );
}

/// DynamoDB as far as a test needs it: each table by region, each change pending for one look.
fn played() -> Fake {
    let tables: Mutex<std::collections::BTreeMap<String, Json>> = Mutex::default();
    Fake::start(move |request, _| {
        let mut tables = tables.lock().unwrap();
        let arn = format!("arn:aws:dynamodb:{}:123456789012:table/events", request.region);
        let body = &request.body;
        match request.operation.as_str() {
            "CreateTable" => {
                let table = json!({"TableName": "events", "TableArn": arn, "TableStatus": "CREATING",
                    "KeySchema": body["KeySchema"], "AttributeDefinitions": body["AttributeDefinitions"],
                    "BillingModeSummary": {"BillingMode": body["BillingMode"]},
                    "StreamSpecification": body["StreamSpecification"], "Replicas": []});
                tables.insert(request.region.clone(), table.clone());
                ok(json!({"TableDescription": table}))
            }
            "DescribeTable" => match tables.get_mut(&request.region) {
                None => error(400, "ResourceNotFoundException", "none"),
                Some(table) => {
                    let seen = table.clone();
                    table["TableStatus"] = json!("ACTIVE");
                    for replica in table["Replicas"].as_array_mut().unwrap() {
                        replica["ReplicaStatus"] = json!("ACTIVE");
                    }
                    ok(json!({"Table": seen}))
                }
            },
            "UpdateTable" => {
                let mut table = tables[&request.region].clone();
                if table["TableStatus"] != "ACTIVE" {
                    return error(400, "ResourceInUseException", "Table is being updated");
                }
                table["TableStatus"] = json!("UPDATING");
                for (name, stored) in [("StreamSpecification", "StreamSpecification"), ("SSESpecification", "SSE")] {
                    if !body[name].is_null() {
                        table[stored] = body[name].clone();
                    }
                }
                if !body["TableClass"].is_null() {
                    table["TableClassSummary"] = json!({"TableClass": body["TableClass"]});
                }
                for update in body["ReplicaUpdates"].as_array().into_iter().flatten() {
                    if let Some(region) = update["Create"]["RegionName"].as_str() {
                        let replica = json!({"RegionName": region, "ReplicaStatus": "CREATING",
                            "KMSMasterKeyId": update["Create"]["KMSMasterKeyId"]});
                        table["Replicas"].as_array_mut().unwrap().push(replica);
                        let there = json!({"TableName": "events", "TableStatus": "ACTIVE", "Replicas": [],
                            "TableArn": arn.replace(&request.region, region), "LatestStreamLabel": "label"});
                        tables.insert(region.to_owned(), there);
                    }
                    if let Some(region) = update["Delete"]["RegionName"].as_str() {
                        table["Replicas"].as_array_mut().unwrap().retain(|r| r["RegionName"] != region);
                        tables.remove(region);
                    }
                }
                tables.insert(request.region.clone(), table.clone());
                ok(json!({"TableDescription": table}))
            }
            "DeleteTable" => match tables.remove(&request.region) {
                Some(_) => ok(json!({})),
                None => error(400, "ResourceNotFoundException", "none"),
            },
            "UpdateContinuousBackups" => {
                ok(json!({"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED", "RecoveryPeriodInDays": 35}}}))
            }
            "DescribeContinuousBackups" => {
                let on = if request.region == "us-east-1" { "ENABLED" } else { "DISABLED" };
                ok(json!({"ContinuousBackupsDescription": {"ContinuousBackupsStatus": "ENABLED",
                    "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": on}}}))
            }
            "TagResource" => ok(json!({})),
            "ListTagsOfResource" => ok(json!({"Tags": [{"Key": "a", "Value": "b"}]})),
            other => error(400, "UnknownOperationException", other),
        }
    })
}

async fn player(fake: &Fake) -> Cloud {
    Cloud::with(fake.environment(), json!({"region": "eu-central-1"})).await.unwrap()
}

#[tokio::test]
async fn a_table_is_awaited_and_changed_one_thing_at_a_time() {
    let fake = played();
    let cloud = player(&fake).await;
    let streamed = |view: &str| table(json!({"stream_enabled": true, "stream_view_type": view}));
    let made = cloud.create(TABLE, streamed("NEW_IMAGE")).await.unwrap();
    assert_eq!(fake.operations(), ["CreateTable", "DescribeTable", "DescribeTable"], "CREATING, then ACTIVE");

    let mut config = streamed("KEYS_ONLY");
    config["table_class"] = json!("STANDARD_INFREQUENT_ACCESS");
    config["server_side_encryption"] = json!([{"enabled": true, "kms_key_arn": "arn:aws:kms:eu-central-1:1:key/k"}]);
    cloud.update(TABLE, &made, config).await.unwrap();
    let changes: Vec<Json> = fake
        .requests("UpdateTable")
        .into_iter()
        .map(|r| r.body)
        .map(|mut body| {
            body.as_object_mut().unwrap().remove("TableName");
            body
        })
        .collect();
    let key = "arn:aws:kms:eu-central-1:1:key/k";
    assert_eq!(
        changes,
        [
            json!({"TableClass": "STANDARD_INFREQUENT_ACCESS"}),
            json!({"StreamSpecification": {"StreamEnabled": false}}),
            json!({"StreamSpecification": {"StreamEnabled": true, "StreamViewType": "KEYS_ONLY"}}),
            json!({"SSESpecification": {"Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": key}}),
        ]
    );
    let operations = fake.operations();
    for pair in operations.windows(2) {
        assert!(pair[0] != "UpdateTable" || pair[1] == "DescribeTable", "each change is awaited: {operations:?}");
    }
}

#[tokio::test]
async fn replicas_live_in_their_own_regions() {
    let fake = played();
    let cloud = player(&fake).await;
    let with = |replicas: Json| {
        table(json!({"stream_enabled": true, "stream_view_type": "NEW_AND_OLD_IMAGES", "tags": {"a": "b"},
            "replica": replicas}))
    };
    let config = with(json!([{"region_name": "us-east-1", "propagate_tags": true, "point_in_time_recovery": true},
        {"region_name": "eu-west-1"}]));
    let made = cloud.create(TABLE, config.clone()).await.unwrap();
    let arns: Vec<Json> =
        to_plain_json(&made)["replica"].as_array().unwrap().iter().map(|r| r["arn"].clone()).collect();
    let arn = |region: &str| json!(format!("arn:aws:dynamodb:{region}:123456789012:table/events"));
    assert!(arns.contains(&arn("us-east-1")) && arns.contains(&arn("eu-west-1")), "{arns:?}");
    let regions = |operation: &str| fake.requests(operation).into_iter().map(|r| r.region).collect::<Vec<_>>();
    assert_eq!(regions("UpdateContinuousBackups"), ["us-east-1"]);
    assert_eq!(regions("TagResource"), ["us-east-1"]);

    let read = cloud.read(TABLE, &made, config.clone()).await.unwrap();
    assert_eq!(differences(&to_plain_json(&made), &to_plain_json(&read)), Vec::<String>::new());
    cloud.assert_settled(TABLE, &read, config);
    let fewer = with(json!([{"region_name": "eu-west-1"}]));
    let changed = cloud.update(TABLE, &read, fewer).await.unwrap();
    assert_eq!(to_plain_json(&changed)["replica"].as_array().unwrap().len(), 1);
    let last = fake.requests("UpdateTable").pop().unwrap().body;
    assert_eq!(last["ReplicaUpdates"], json!([{"Delete": {"RegionName": "us-east-1"}}]));
    cloud.delete(TABLE, &changed).await.unwrap();
    let order: Vec<String> =
        fake.operations().into_iter().filter(|o| o == "UpdateTable" || o == "DeleteTable").collect();
    assert_eq!(order.last().map(String::as_str), Some("DeleteTable"), "copies go first: {order:?}");
    assert_eq!(order.iter().filter(|o| *o == "UpdateTable").count(), 4);
}

#[tokio::test]
async fn a_lost_answer_to_a_create_is_not_taken_for_a_failure() {
    // The second call would say that the name is taken, by our own first one.
    let fake = Fake::start(|_, _| Answer::Hang);
    let failure = player(&fake).await.create(TABLE, table(json!({}))).await.unwrap_err();
    assert_eq!(failure.error.retry, lakeform_provider::Retry::Unknown);
    assert_eq!(fake.operations(), ["CreateTable"]);
}
