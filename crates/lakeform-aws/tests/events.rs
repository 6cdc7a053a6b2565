//! Rules, alarms, state machines and trails against a server that answers as AWS does where emulators do not.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(all(
    feature = "eventbridge",
    feature = "cloudwatch",
    feature = "sfn",
    feature = "cloudtrail",
    feature = "xray"
))]

mod common;

use common::{
    Cloud,
    fake::{Fake, error, ok},
};
use lakeform_core::json::to_plain_json;
use lakeform_provider::ErrorKind;
use serde_json::{Value as Json, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:m";
const DEFINITION: &str = r#"{"StartAt":"A","States":{"A":{"Type":"Pass","End":true}}}"#;

async fn cloud(fake: &Fake) -> Cloud {
    Cloud::after_writes(fake, json!({"region": "eu-central-1", "max_retries": 3})).await
}

/// A configuration with more in it.
fn with(mut config: Json, more: &Json) -> Json {
    config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    config
}

fn machine(more: &Json) -> Json {
    with(json!({"name": "m", "role_arn": ROLE, "definition": DEFINITION}), more)
}

fn described(more: &Json) -> Json {
    let all = json!({"stateMachineArn": MACHINE, "name": "m", "status": "ACTIVE", "definition": DEFINITION,
        "roleArn": ROLE, "type": "STANDARD", "creationDate": 1_700_000_000.25, "revisionId": "r1",
        "loggingConfiguration": {"level": "OFF", "includeExecutionData": false},
        "tracingConfiguration": {"enabled": false}, "encryptionConfiguration": {"type": "AWS_OWNED_KEY"}});
    with(all, more)
}

#[tokio::test]
async fn a_state_machine_waits_for_its_role_and_for_its_end() {
    let fake = Fake::start(|request, before| match (request.operation.as_str(), before) {
        ("CreateStateMachine", 0) => error(
            400,
            "AccessDeniedException",
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to assume the \
             provided role.",
        ),
        ("CreateStateMachine", 1) => error(
            400,
            "AccessDeniedException",
            "The state machine IAM Role is not authorized to access the Log Destination",
        ),
        ("CreateStateMachine", _) => ok(json!({"stateMachineArn": MACHINE, "creationDate": 1_700_000_000})),
        ("DescribeStateMachine", 2..) => error(400, "StateMachineDoesNotExist", "gone"),
        ("DescribeStateMachine", 1) => ok(described(&json!({"status": "DELETING"}))),
        ("DescribeStateMachine", _) => ok(described(&json!({}))),
        _ => ok(json!({})),
    });
    let (cloud, ty) = (cloud(&fake).await, "aws_sfn_state_machine");
    let made = cloud.create(ty, machine(&json!({}))).await.unwrap();
    let shown = to_plain_json(&made);
    assert_eq!(fake.requests("CreateStateMachine").len(), 3);
    assert_eq!(shown["creation_date"], "2023-11-14T22:13:20Z");
    assert_eq!(shown["logging_configuration"][0]["level"], "OFF");
    assert_eq!((&shown["revision_id"], &shown["status"]), (&json!("r1"), &json!("ACTIVE")));
    cloud.delete(ty, &made).await.unwrap();
    assert_eq!(fake.requests("DescribeStateMachine").len(), 3);
}

#[tokio::test]
async fn a_refused_caller_is_told_at_once() {
    let fake =
        Fake::start(|_, _| error(400, "AccessDeniedException", "User: u is not authorized to perform: states:*"));
    let failure = cloud(&fake).await.create("aws_sfn_state_machine", machine(&json!({}))).await.unwrap_err();
    assert_eq!(failure.error.kind, ErrorKind::Denied);
    assert_eq!(fake.operations(), ["CreateStateMachine"]);
}

#[tokio::test]
async fn a_published_change_makes_a_version() {
    let version = format!("{MACHINE}:2");
    let answer = version.clone();
    let fake = Fake::start(move |request, _| match request.operation.as_str() {
        "CreateStateMachine" => ok(json!({"stateMachineArn": MACHINE, "creationDate": 1_700_000_000,
            "stateMachineVersionArn": format!("{MACHINE}:1")})),
        "UpdateStateMachine" => {
            ok(json!({"updateDate": 1_700_000_001, "revisionId": "r2", "stateMachineVersionArn": answer}))
        }
        "DescribeStateMachine" => ok(described(&json!({}))),
        _ => ok(json!({})),
    });
    let (cloud, ty) = (cloud(&fake).await, "aws_sfn_state_machine");
    let made = cloud.create(ty, machine(&json!({"publish": true}))).await.unwrap();
    assert_eq!(to_plain_json(&made)["state_machine_version_arn"], format!("{MACHINE}:1"));
    let made = cloud.create(ty, machine(&json!({}))).await.unwrap();
    let changed = cloud.update(ty, &made, machine(&json!({"publish": true}))).await.unwrap();
    assert_eq!(to_plain_json(&changed)["state_machine_version_arn"], version);
    assert_eq!(fake.requests("UpdateStateMachine")[0].body["publish"], true);
}

#[tokio::test]
async fn a_rule_and_its_target_wait_for_the_bus_and_the_role() {
    let unknown = "RoleArn arn:aws:iam::123456789012:role/r cannot be assumed by principal events.amazonaws.com.";
    let fake = Fake::start(move |request, before| match (request.operation.as_str(), before) {
        ("PutRule", 0) => error(400, "ConcurrentModificationException", "another change is being made"),
        ("PutRule", _) => ok(json!({"RuleArn": "arn:aws:events:eu-central-1:1:rule/r"})),
        ("PutTargets", 0) => error(400, "ValidationException", unknown),
        ("PutTargets", 2) => ok(json!({"FailedEntryCount": 1, "FailedEntries":
            [{"TargetId": "t", "ErrorCode": "LimitExceededException", "ErrorMessage": "too many targets"}]})),
        ("DeleteRule", 0) => error(400, "ValidationException", "Rule can't be deleted since it has targets."),
        _ => ok(json!({})),
    });
    let cloud = cloud(&fake).await;
    let pattern = r#"{ "source": ["a<b"] , "account":["1"]}"#;
    let rule = cloud.create("aws_cloudwatch_event_rule", json!({"name": "r", "event_pattern": pattern})).await.unwrap();
    let shown = to_plain_json(&rule);
    assert_eq!(shown["event_pattern"], r#"{"account":["1"],"source":["a<b"]}"#);
    assert_eq!((&shown["state"], &shown["is_enabled"]), (&json!("ENABLED"), &json!(true)));
    let config = json!({"rule": "r", "target_id": "t", "arn": MACHINE, "role_arn": ROLE,
        "retry_policy": [{"maximum_retry_attempts": 2}]});
    cloud.create("aws_cloudwatch_event_target", config.clone()).await.unwrap();
    let sent = fake.requests("PutTargets");
    assert_eq!(sent[1].body["Targets"][0]["RetryPolicy"], json!({"MaximumRetryAttempts": 2}));
    let failure = cloud.create("aws_cloudwatch_event_target", config).await.unwrap_err();
    assert_eq!(failure.error.code.as_deref(), Some("LimitExceededException"));
    assert!(failure.partial.is_none());
    cloud.delete("aws_cloudwatch_event_rule", &rule).await.unwrap();
    assert_eq!(fake.requests("DeleteRule").len(), 2);
}

#[tokio::test]
async fn a_trail_waits_for_its_bucket_policy_and_its_role() {
    let arn = "arn:aws:cloudtrail:eu-central-1:123456789012:trail/trail";
    let fake = Fake::start(move |request, before| match (request.operation.as_str(), before) {
        ("CreateTrail", 0) => {
            error(400, "InsufficientS3BucketPolicyException", "Incorrect S3 bucket policy is detected for bucket: b")
        }
        ("CreateTrail", 1) => error(
            400,
            "InvalidCloudWatchLogsRoleArnException",
            "Access denied. Verify in IAM that the role has adequate trust relationships.",
        ),
        ("CreateTrail", _) => ok(json!({"TrailARN": arn, "Name": "trail"})),
        ("DescribeTrails", _) => ok(json!({"trailList": [{"TrailARN": arn, "Name": "trail", "S3BucketName": "b",
            "HomeRegion": "eu-central-1", "HasCustomEventSelectors": true, "HasInsightSelectors": true,
            "SnsTopicARN": "arn:aws:sns:eu-central-1:123456789012:t", "IncludeGlobalServiceEvents": true}]})),
        ("GetTrailStatus", _) => ok(json!({"IsLogging": true})),
        ("GetEventSelectors", 0) => ok(json!({"EventSelectors":
            [{"ReadWriteType": "All", "IncludeManagementEvents": true, "DataResources": []}]})),
        ("GetEventSelectors", _) => ok(json!({"AdvancedEventSelectors":
            [{"Name": "n", "FieldSelectors": [{"Field": "eventCategory", "Equals": ["Data"]}]}]})),
        ("GetInsightSelectors", _) => ok(json!({"InsightSelectors": [{"InsightType": "ApiCallRateInsight"}]})),
        _ => ok(json!({})),
    });
    let (cloud, ty) = (cloud(&fake).await, "aws_cloudtrail");
    let config = json!({"name": "trail", "s3_bucket_name": "b"});
    let made = cloud.create(ty, config.clone()).await.unwrap();
    assert_eq!(fake.operations(), ["CreateTrail", "CreateTrail", "CreateTrail", "StartLogging"]);
    // The selector that nobody chose is none.
    let read = to_plain_json(&cloud.read(ty, &made, config.clone()).await.unwrap());
    assert_eq!((&read["event_selector"], &read["sns_topic_name"]), (&json!([]), &json!("t")));
    assert_eq!(read["insight_selector"], json!([{"insight_type": "ApiCallRateInsight"}]));
    let read = to_plain_json(&cloud.read(ty, &made, config).await.unwrap());
    assert_eq!(read["advanced_event_selector"][0]["field_selector"][0]["equals"], json!(["Data"]));
    assert!(cloud.import(ty, arn).await.is_some());
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_any_call() {
    let fake = Fake::start(|_, _| error(500, "Unexpected", "nothing must be called"));
    let cloud = cloud(&fake).await;
    let rule = |more: Json| with(json!({"name": "r", "schedule_expression": "rate(1 hour)"}), &more);
    let target = |more: Json| with(json!({"rule": "r", "arn": MACHINE}), &more);
    let alarm = |more: Json| {
        let all = json!({"alarm_name": "a", "comparison_operator": "GreaterThanThreshold", "evaluation_periods": 1});
        with(all, &more)
    };
    let metric = json!({"metric_name": "m", "namespace": "n", "period": 60, "statistic": "Sum"});
    let trail = |more: Json| with(json!({"name": "trail", "s3_bucket_name": "b"}), &more);
    let sampling = |more: Json| {
        let all = json!({"rule_name": "r", "priority": 1, "version": 1, "reservoir_size": 1, "fixed_rate": 0.5,
            "url_path": "*", "host": "*", "http_method": "*", "service_type": "*", "service_name": "*",
            "resource_arn": "*"});
        with(all, &more)
    };
    for (ty, config, attribute) in [
        ("aws_cloudwatch_event_rule", json!({"name": "r"}), "event_pattern"),
        ("aws_cloudwatch_event_rule", rule(json!({"name": "a b"})), "name"),
        ("aws_cloudwatch_event_rule", rule(json!({"event_pattern": "{"})), "event_pattern"),
        (
            "aws_cloudwatch_event_rule",
            rule(json!({"event_pattern": format!("[\"{}\"]", "x".repeat(4096))})),
            "event_pattern",
        ),
        ("aws_cloudwatch_event_rule", rule(json!({"state": "ON"})), "state"),
        ("aws_cloudwatch_event_rule", rule(json!({"state": "ENABLED", "is_enabled": true})), "is_enabled"),
        ("aws_cloudwatch_event_rule", rule(json!({"event_bus_name": "a b"})), "event_bus_name"),
        ("aws_cloudwatch_event_target", target(json!({"arn": "queue"})), "arn"),
        ("aws_cloudwatch_event_target", target(json!({"input": "{"})), "input"),
        ("aws_cloudwatch_event_target", target(json!({"input": "{}", "input_path": "$"})), "input"),
        (
            "aws_cloudwatch_event_target",
            target(json!({"retry_policy": [{"maximum_retry_attempts": 186}]})),
            "retry_policy[0].maximum_retry_attempts",
        ),
        (
            "aws_cloudwatch_event_target",
            target(json!({"ecs_target": [{"task_definition_arn": MACHINE, "launch_type": "EC3"}]})),
            "ecs_target[0].launch_type",
        ),
        ("aws_cloudwatch_metric_alarm", alarm(json!({"metric_name": "m"})), "statistic"),
        ("aws_cloudwatch_metric_alarm", alarm(with(metric.clone(), &json!({"period": 45}))), "period"),
        ("aws_cloudwatch_metric_alarm", alarm(json!({"ok_actions": ["call me"]})), "ok_actions"),
        ("aws_cloudwatch_metric_alarm", alarm(json!({"extended_statistic": "p101"})), "extended_statistic"),
        ("aws_cloudwatch_metric_alarm", alarm(json!({"treat_missing_data": "fine"})), "treat_missing_data"),
        ("aws_cloudwatch_metric_alarm", alarm(with(metric, &json!({"metric_query": [{"id": "a"}]}))), "metric_name"),
        ("aws_cloudwatch_dashboard", json!({"dashboard_name": "a b", "dashboard_body": "{}"}), "dashboard_name"),
        ("aws_cloudwatch_dashboard", json!({"dashboard_name": "a", "dashboard_body": "{"}), "dashboard_body"),
        ("aws_sfn_state_machine", machine(&json!({"definition": "{}"})), "definition"),
        ("aws_sfn_state_machine", machine(&json!({"definition": "{\"StartAt\":\"A\"}"})), "definition"),
        ("aws_sfn_state_machine", machine(&json!({"name": "a.b"})), "name"),
        (
            "aws_sfn_state_machine",
            machine(&json!({"logging_configuration": [{"level": "LOUD"}]})),
            "logging_configuration[0].level",
        ),
        ("aws_cloudtrail", trail(json!({"name": "t"})), "name"),
        ("aws_cloudtrail", trail(json!({"kms_key_id": "k"})), "kms_key_id"),
        (
            "aws_cloudtrail",
            trail(json!({"event_selector": [{"data_resource": [{"type": "AWS::S3::Bucket", "values": []}]}]})),
            "event_selector[0].data_resource[0].type",
        ),
        ("aws_xray_sampling_rule", sampling(json!({"priority": 0})), "priority"),
        ("aws_xray_sampling_rule", sampling(json!({"attributes": {"a": ""}})), "attributes"),
    ] {
        let config = cloud.config(ty, config);
        let error = cloud.try_plan(ty, &config, None).unwrap_err();
        let named = error.attribute.as_ref().map(ToString::to_string);
        assert_eq!((error.kind, named.as_deref()), (ErrorKind::Invalid, Some(attribute)), "{}", error.message);
    }
    assert_eq!(fake.operations(), Vec::<String>::new());
}
