//! What is planned and what is refused, without any call.

use lakeform_core::{Type, Value, json};
use lakeform_provider::ErrorKind;
use serde_json::{Value as Json, json as js};

use crate::{CORS, LIFECYCLE, NOTIFICATION, OBJECT_LOCK, REPLICATION, TIERING, verbatim};

// The attributes that Terraform 1.11 and its AWS provider 5.100 plan a replacement for.
#[tokio::test]
async fn what_replaces() {
    let (_server, cloud) = verbatim().await;
    for (ty, expected) in [
        (LIFECYCLE, &["bucket", "expected_bucket_owner"] as &[&str]),
        (NOTIFICATION, &["bucket"]),
        (CORS, &["bucket", "expected_bucket_owner"]),
        (REPLICATION, &["bucket"]),
        (OBJECT_LOCK, &["bucket", "expected_bucket_owner", "object_lock_enabled"]),
        (TIERING, &["bucket", "name"]),
    ] {
        let block = &cloud.resource(ty).schema().block;
        let mut replacing: Vec<&str> =
            block.attributes.iter().filter(|(_, a)| a.force_new).map(|(name, _)| &**name).collect();
        replacing.sort_unstable();
        assert_eq!(replacing, expected, "{ty}");
    }
}

fn lifecycle(rule: Json) -> Json {
    let mut rule = rule;
    for (name, value) in [("id", "r"), ("status", "Enabled")] {
        rule.as_object_mut().unwrap().entry(name).or_insert(value.into());
    }
    js!({"bucket": "b", "rule": rule})
}

#[tokio::test]
async fn what_is_refused() {
    let (server, cloud) = verbatim().await;
    let tag = js!({"key": "k", "value": "v"});
    let to = js!({"bucket": "arn:aws:s3:::copy"});
    let replication = |rule: Json| js!({"bucket": "b", "role": "r", "rule": rule});
    let lock = |retention: Json| js!({"bucket": "b", "rule": {"default_retention": retention}});
    for (ty, body, expected, at) in [
        (LIFECYCLE, js!({"bucket": "b"}), "at least one `rule` is required", "rule"),
        (
            LIFECYCLE,
            lifecycle(js!({"status": "enabled"})),
            "`status` is \"enabled\": expected one of Enabled, Disabled",
            "rule[0].status",
        ),
        (
            LIFECYCLE,
            lifecycle(js!({"prefix": "a", "filter": {}})),
            "`filter` and `prefix` exclude each other",
            "rule[0].prefix",
        ),
        (
            LIFECYCLE,
            lifecycle(js!({"filter": {"prefix": "a", "tag": tag}})),
            "`prefix` and `tag` exclude each other",
            "rule[0].filter[0].tag",
        ),
        (LIFECYCLE, lifecycle(js!({"filter": [{}, {}]})), "only one `filter` is possible", "rule[0].filter"),
        (
            LIFECYCLE,
            lifecycle(js!({"expiration": {"days": 1, "date": "2030-01-01T00:00:00Z"}})),
            "`date` and `days` exclude each other",
            "rule[0].expiration[0]",
        ),
        (
            LIFECYCLE,
            lifecycle(js!({"transition": {"date": "2030-01-01", "storage_class": "GLACIER"}})),
            "\"2030-01-01\" is no date",
            "rule[0].transition[0].date",
        ),
        (
            CORS,
            js!({"bucket": "b", "cors_rule": {"allowed_methods": ["get"], "allowed_origins": ["*"]}}),
            "\"get\" is no method of a CORS rule: expected are GET, PUT, HEAD, POST, DELETE",
            "cors_rule[0].allowed_methods",
        ),
        (
            REPLICATION,
            replication(js!({"status": "Enabled", "filter": {}, "destination": to})),
            "a rule with `filter` needs `delete_marker_replication`",
            "rule[0].delete_marker_replication",
        ),
        (
            REPLICATION,
            replication(js!({"status": "on", "destination": to})),
            "`status` is \"on\": expected one of Enabled, Disabled",
            "rule[0].status",
        ),
        (
            OBJECT_LOCK,
            lock(js!({"mode": "GOVERNANCE", "days": 1, "years": 1})),
            "`days` and `years` exclude each other",
            "rule[0].default_retention[0]",
        ),
        (
            OBJECT_LOCK,
            lock(js!({"mode": "governance", "days": 1})),
            "`mode` is \"governance\": expected one of COMPLIANCE, GOVERNANCE",
            "rule[0].default_retention[0].mode",
        ),
        (
            TIERING,
            js!({"bucket": "b", "name": "n", "filter": {}, "tiering": {"access_tier": "ARCHIVE_ACCESS", "days": 90}}),
            "a filter needs `prefix` or `tags`",
            "filter[0]",
        ),
        (
            TIERING,
            js!({"bucket": "b", "name": "n", "tiering": {"access_tier": "ARCHIVE", "days": 90}}),
            "`access_tier` is \"ARCHIVE\": expected one of ARCHIVE_ACCESS, DEEP_ARCHIVE_ACCESS",
            "tiering[0].access_tier",
        ),
    ] {
        let error = cloud.try_plan(ty, &cloud.config(ty, body.clone()), None).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid);
        assert_eq!(error.message, expected, "{body}");
        assert_eq!(error.attribute.unwrap().to_string(), at, "{body}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_identifier_of_the_wrong_shape_is_refused() {
    let (_server, cloud) = verbatim().await;
    for (ty, id, expected) in [
        (LIFECYCLE, "b,1,2", "\"b,1,2\" is no identifier: BUCKET or BUCKET,EXPECTED_BUCKET_OWNER is expected"),
        (TIERING, "b", "\"b\" is no identifier: BUCKET:NAME is expected"),
        (NOTIFICATION, "", "the identifier is empty: BUCKET is expected"),
        (REPLICATION, "", "the identifier is empty: BUCKET is expected"),
    ] {
        let error = cloud.resource(ty).import(cloud.with_config(None), id).unwrap_err();
        assert_eq!(error.message, expected);
    }
}

#[tokio::test]
async fn nothing_in_a_lifecycle_rule_waits_for_the_apply() {
    let (_server, cloud) = verbatim().await;
    let rule = js!({"expiration": {"days": 3}, "filter": {"and": {"tags": {"k": "v"}}}, "transition": {"storage_class": "GLACIER"}});
    let planned = cloud.plan(LIFECYCLE, &cloud.config(LIFECYCLE, lifecycle(rule)), None);
    assert!(planned.get("rule").unwrap().is_wholly_known());
    assert_eq!(
        planned.get("transition_default_minimum_object_size").unwrap().as_str(),
        Some("all_storage_classes_128K")
    );
    assert!(!planned.get("id").unwrap().is_known());
}

#[tokio::test]
async fn a_lifecycle_can_be_planned_with_values_that_are_not_known_yet() {
    let (_server, cloud) = verbatim().await;
    let mut config = cloud.config(
        LIFECYCLE,
        lifecycle(js!({"filter": {}, "expiration": {"days": 1}, "transition": {"storage_class": "GLACIER"}})),
    );
    let unknown = |ty: Type| Value::unknown(ty);
    for (path, ty) in [("transition", Type::String), ("filter", Type::Number)] {
        let attribute = if path == "filter" { "object_size_less_than" } else { "date" };
        let rules = config.get("rule").unwrap().clone().map_children(|mut rule| {
            let blocks = rule.get(path).unwrap().clone().map_children(|mut block| {
                block.set_attr(attribute, unknown(ty.clone()));
                block
            });
            rule.set_attr(path, blocks);
            rule
        });
        config.set_attr("rule", rules);
    }
    let planned = cloud.plan(LIFECYCLE, &config, None);
    let rule = planned.get("rule").unwrap().as_slice().unwrap()[0].clone();
    let only = |name: &str| rule.get(name).unwrap().as_slice().unwrap()[0].clone();
    assert!(!only("transition").get("days").unwrap().is_known());
    assert!(!only("filter").get("prefix").unwrap().is_known());

    config.set_attr("rule", Value::unknown(config.get("rule").unwrap().ty()));
    assert!(!cloud.plan(LIFECYCLE, &config, None).get("rule").unwrap().is_known());
}

#[tokio::test]
async fn an_argument_that_is_taken_out_goes_back_to_its_default() {
    let (_server, cloud) = verbatim().await;
    let size = js!({"bucket": "b", "transition_default_minimum_object_size": "varies_by_storage_class",
        "rule": {"id": "r", "status": "Enabled", "prefix": "old/", "expiration": {"expired_object_delete_marker": true}}});
    let made = cloud.create(LIFECYCLE, size).await.unwrap();
    let body = lifecycle(js!({"expiration": {"days": 5}}));
    let changed = json::to_plain_json(&cloud.update(LIFECYCLE, &made, body).await.unwrap());
    assert_eq!(changed["transition_default_minimum_object_size"], "all_storage_classes_128K");
    assert_eq!(changed["rule"][0]["prefix"], "");
    let expiration = js!({"date": null, "days": 5, "expired_object_delete_marker": false});
    assert_eq!(changed["rule"][0]["expiration"][0], expiration);
}

// Terraform's provider before and after the move to its plugin framework: the stored values below are what it writes for
// version 0 (texts for numbers, "" and 0 for nothing) and what it makes of them.
#[tokio::test]
async fn state_of_the_older_version_is_read() {
    let (_server, cloud) = verbatim().await;
    let stored = js!({"bucket": "b", "expected_bucket_owner": "", "id": "b", "rule": [{
        "id": "r", "status": "Enabled", "prefix": "",
        "abort_incomplete_multipart_upload": [],
        "expiration": [{"date": "", "days": 3, "expired_object_delete_marker": false}],
        "filter": [{"and": [], "object_size_greater_than": "10", "object_size_less_than": "", "prefix": "", "tag": []}],
        "noncurrent_version_expiration": [{"newer_noncurrent_versions": "", "noncurrent_days": 9}],
        "noncurrent_version_transition": [{"newer_noncurrent_versions": "2", "noncurrent_days": 9, "storage_class": "GLACIER"}],
        "transition": [{"date": "2030-01-01T00:00:00Z", "days": 0, "storage_class": "GLACIER"}],
    }]});
    let resource = cloud.resource(LIFECYCLE);
    let upgraded = resource.upgrade(0, json::from_plain_json(&stored)).unwrap();
    let upgraded = resource.schema().block.coerce(&upgraded).unwrap();
    let rule = json::to_plain_json(&upgraded)["rule"][0].clone();
    assert_eq!(
        rule,
        js!({
            "id": "r", "status": "Enabled", "prefix": "",
            "abort_incomplete_multipart_upload": [],
            "expiration": [{"date": null, "days": 3, "expired_object_delete_marker": false}],
            "filter": [{"and": [], "object_size_greater_than": 10, "object_size_less_than": null, "prefix": null, "tag": []}],
            "noncurrent_version_expiration": [{"newer_noncurrent_versions": null, "noncurrent_days": 9}],
            "noncurrent_version_transition": [{"newer_noncurrent_versions": 2, "noncurrent_days": 9, "storage_class": "GLACIER"}],
            "transition": [{"date": "2030-01-01T00:00:00Z", "days": null, "storage_class": "GLACIER"}],
        })
    );
    assert!(resource.upgrade(2, upgraded).is_none());
}

#[tokio::test]
async fn generated_names_stay() {
    let (_server, cloud) = verbatim().await;
    let queue = |events: &str| js!({"queue_arn": "arn:aws:sqs:us-east-1:123456789012:q", "events": [events]});
    let one = js!({"bucket": "b", "queue": [queue("s3:ObjectCreated:*")]});
    let made = cloud.create(NOTIFICATION, one).await.unwrap();
    let two = js!({"bucket": "b", "queue": [queue("s3:ObjectCreated:Put"), queue("s3:ObjectRemoved:*")]});
    let changed = cloud.update(NOTIFICATION, &made, two).await.unwrap();
    let ids = |object: &Value| {
        let queues = json::to_plain_json(object)["queue"].as_array().unwrap().clone();
        queues.iter().map(|queue| queue["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (before, after) = (ids(&made), ids(&changed));
    assert_eq!(after.len(), 2);
    assert_eq!(before[0], after[0]);
    assert!(after.iter().all(|id| id.starts_with("tf-s3-queue-")) && after[0] != after[1]);
}
