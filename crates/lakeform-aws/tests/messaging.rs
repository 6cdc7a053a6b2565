//! Queues, log groups and parameters against a server that answers as AWS does where emulators do not.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(all(feature = "sqs", feature = "ssm", feature = "cloudwatchlogs"))]

mod common;

use common::{
    Cloud,
    fake::{Answer, Fake, error, ok},
};
use lakeform_core::json::to_plain_json;
use lakeform_provider::{ErrorKind, Retry};
use serde_json::{Value as Json, json};

async fn cloud(fake: &Fake) -> Cloud {
    Cloud::with(fake.environment(), json!({"region": "eu-central-1", "max_retries": 3})).await.unwrap()
}

fn queue(attributes: &Json) -> Answer {
    let mut all = json!({"QueueArn": "arn:aws:sqs:eu-central-1:1:q", "DelaySeconds": "0", "VisibilityTimeout": "30",
        "MaximumMessageSize": "262144", "MessageRetentionPeriod": "345600", "ReceiveMessageWaitTimeSeconds": "0"});
    all.as_object_mut().unwrap().extend(attributes.as_object().unwrap().clone());
    ok(json!({"Attributes": all}))
}

#[tokio::test]
async fn a_queue_is_awaited_until_it_shows_what_was_sent() {
    let allow = r#"{"redrivePermission":"denyAll"}"#;
    let fake = Fake::start(move |request, before| match request.operation.as_str() {
        "CreateQueue" if before == 0 => {
            error(400, "AWS.SimpleQueueService.QueueDeletedRecently", "wait 60 seconds after deleting")
        }
        "CreateQueue" => ok(json!({"QueueUrl": "https://sqs.example/1/q"})),
        "GetQueueAttributes" if before == 0 => queue(&json!({})),
        "GetQueueAttributes" => queue(&json!({"RedriveAllowPolicy": allow})),
        _ => ok(json!({})),
    });
    let given = r#"{ "redrivePermission": "denyAll" }"#;
    let made = cloud(&fake).await.create("aws_sqs_queue", json!({"name": "q", "redrive_allow_policy": given})).await;
    let made = to_plain_json(&made.unwrap());
    assert_eq!(fake.operations(), ["CreateQueue", "CreateQueue", "GetQueueAttributes", "GetQueueAttributes"]);
    assert_eq!(fake.requests("CreateQueue")[1].body["Attributes"]["RedriveAllowPolicy"], allow);
    assert_eq!((&made["redrive_allow_policy"], &made["id"]), (&json!(allow), &json!("https://sqs.example/1/q")));
    assert_eq!((&made["policy"], &made["kms_master_key_id"]), (&json!(""), &json!("")));
}

/// Answers for one parameter whose value AWS shows encrypted.
fn parameter(request: &common::fake::Request) -> Answer {
    match request.operation.as_str() {
        "PutParameter" => ok(json!({"Version": 1})),
        "GetParameter" => {
            ok(json!({"Parameter": {"Name": "/p", "Type": "SecureString", "Value": "AQICAH", "Version": 1,
            "ARN": "arn:aws:ssm:eu-central-1:1:parameter/p", "DataType": "text"}}))
        }
        "DescribeParameters" => ok(json!({"Parameters": [{"Name": "/p", "Type": "SecureString", "Version": 1,
            "KeyId": "alias/aws/ssm", "Tier": "Standard", "DataType": "text"}]})),
        _ => ok(json!({})),
    }
}

#[tokio::test]
async fn a_write_only_value_is_sent_and_never_asked_for() {
    let fake = Fake::start(|request, _| parameter(request));
    let config = json!({"name": "/p", "type": "SecureString", "value_wo": "hush", "value_wo_version": 1});
    let cloud = cloud(&fake).await;
    let made = cloud.create("aws_ssm_parameter", config.clone()).await.unwrap();
    assert_eq!(fake.requests("PutParameter")[0].body["Value"], "hush");
    let read = cloud.read("aws_ssm_parameter", &made, config).await.unwrap();
    for object in [&made, &read] {
        let object = to_plain_json(object);
        assert!(!object.to_string().contains("hush"), "{object}");
        assert_eq!((&object["value"], &object["has_value_wo"]), (&json!(""), &json!(true)));
    }
    let shown = fake.requests("GetParameter");
    assert!(!shown.is_empty() && shown.iter().all(|request| request.body["WithDecryption"] == false));
}

#[tokio::test]
async fn what_may_exist_already_is_not_made_twice() {
    for (ty, config, operation) in [
        ("aws_ssm_parameter", json!({"name": "/p", "type": "String", "value": "v"}), "PutParameter"),
        ("aws_cloudwatch_log_group", json!({"name": "g"}), "CreateLogGroup"),
    ] {
        let fake = Fake::start(|_, _| Answer::Hang);
        let failure = cloud(&fake).await.create(ty, config).await.unwrap_err();
        assert_eq!((failure.error.kind, failure.error.retry), (ErrorKind::Unreachable, Retry::Unknown), "{ty}");
        assert!(failure.partial.is_none());
        assert_eq!(fake.operations(), [operation]);
    }
}

#[tokio::test]
async fn the_key_of_a_log_group_comes_and_goes() {
    let fake = Fake::start(|request, _| match request.operation.as_str() {
        "DescribeLogGroups" => {
            ok(json!({"logGroups": [{"logGroupName": "g", "arn": "arn:aws:logs:eu-central-1:1:log-group:g:*"}]}))
        }
        _ => ok(json!({})),
    });
    let (cloud, ty) = (cloud(&fake).await, "aws_cloudwatch_log_group");
    let made = cloud.create(ty, json!({"name": "g"})).await.unwrap();
    assert_eq!(to_plain_json(&made)["arn"], "arn:aws:logs:eu-central-1:1:log-group:g");
    let with = cloud.update(ty, &made, json!({"name": "g", "kms_key_id": "arn:aws:kms:x"})).await.unwrap();
    assert_eq!(fake.requests("AssociateKmsKey")[0].body["kmsKeyId"], "arn:aws:kms:x");
    cloud.update(ty, &with, json!({"name": "g"})).await.unwrap();
    assert_eq!(fake.requests("DisassociateKmsKey")[0].body["logGroupName"], "g");
}

#[tokio::test]
async fn a_refused_step_after_creation_leaves_what_exists() {
    let fake = Fake::start(|request, _| match request.operation.as_str() {
        "PutRetentionPolicy" => error(400, "AccessDeniedException", "not allowed"),
        _ => ok(json!({})),
    });
    let config = json!({"name": "g", "retention_in_days": 7});
    let failure = cloud(&fake).await.create("aws_cloudwatch_log_group", config).await.unwrap_err();
    assert_eq!(failure.error.kind, ErrorKind::Denied);
    assert_eq!(failure.error.operation, "logs:PutRetentionPolicy");
    assert_eq!(to_plain_json(&failure.partial.unwrap())["id"], "g");
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_any_call() {
    let fake = Fake::start(|_, _| error(500, "Unexpected", "nothing must be called"));
    let cloud = cloud(&fake).await;
    let metric = |more: Json| {
        let mut block = json!({"name": "m", "namespace": "n", "value": "1"});
        block.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"name": "f", "log_group_name": "g", "pattern": "", "metric_transformation": [block]})
    };
    let at = "arn:aws:sns:eu-central-1:1:t";
    for (ty, config, attribute) in [
        ("aws_sqs_queue", json!({"name": "a b"}), "name"),
        ("aws_sqs_queue", json!({"name": "q".repeat(81)}), "name"),
        ("aws_sqs_queue", json!({"name": "q", "fifo_queue": true}), "name"),
        ("aws_sqs_queue", json!({"name": "q.fifo"}), "name"),
        ("aws_sqs_queue", json!({"name": "q", "content_based_deduplication": true}), "content_based_deduplication"),
        ("aws_sqs_queue", json!({"name": "q", "delay_seconds": 901}), "delay_seconds"),
        ("aws_sns_topic", json!({"name": "t.fifo"}), "name"),
        ("aws_sns_topic", json!({"name_prefix": "ä"}), "name_prefix"),
        ("aws_sns_topic", json!({"name": "t", "content_based_deduplication": true}), "content_based_deduplication"),
        ("aws_sns_topic", json!({"name": "t", "signature_version": 3}), "signature_version"),
        (
            "aws_sns_topic_subscription",
            json!({"topic_arn": at, "protocol": "firehose", "endpoint": "e"}),
            "subscription_role_arn",
        ),
        ("aws_sns_topic_subscription", json!({"topic_arn": at, "protocol": "carrier", "endpoint": "e"}), "protocol"),
        ("aws_cloudwatch_log_group", json!({"name": "a b"}), "name"),
        ("aws_cloudwatch_log_group", json!({"name": "a", "retention_in_days": 2}), "retention_in_days"),
        (
            "aws_cloudwatch_log_metric_filter",
            metric(json!({"default_value": "1", "dimensions": {"a": "$.a"}})),
            "metric_transformation[0].default_value",
        ),
        ("aws_cloudwatch_log_metric_filter", metric(json!({"unit": "Miles"})), "metric_transformation[0].unit"),
        ("aws_ssm_parameter", json!({"name": "p", "type": "String"}), "value"),
        ("aws_ssm_parameter", json!({"name": "p", "type": "String", "value_wo": "x"}), "value_wo"),
        ("aws_ssm_parameter", json!({"name": "p", "type": "SecureString", "insecure_value": "x"}), "insecure_value"),
    ] {
        let config = cloud.config(ty, config);
        let error = cloud.try_plan(ty, &config, None).unwrap_err();
        let named = error.attribute.as_ref().map(ToString::to_string);
        assert_eq!((error.kind, named.as_deref()), (ErrorKind::Invalid, Some(attribute)), "{}", error.message);
    }
    assert_eq!(fake.operations(), Vec::<String>::new());
}
