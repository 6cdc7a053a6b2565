//! Functions and what calls them, against a server that answers as AWS does where emulators do not.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(feature = "lambda")]

mod common;

use common::{
    Cloud,
    fake::{Answer, Fake, Request, error, ok},
};
use lakeform_core::{Path, Value, json::to_plain_json};
use lakeform_provider::ErrorKind;
use serde_json::{Value as Json, json};

const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:f";

async fn cloud(fake: &Fake) -> Cloud {
    Cloud::after_writes(fake, json!({"region": "eu-central-1", "max_retries": 3})).await
}

/// A function's arguments, with others in place of them.
fn function(other: &Json) -> Json {
    let mut all = json!({"function_name": "f", "role": "arn:aws:iam::123456789012:role/r", "handler": "m.h",
        "runtime": "python3.13", "s3_bucket": "b", "s3_key": "k"});
    all.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    all
}

/// What Lambda says of it.
fn live(other: &Json) -> Json {
    let mut all = json!({"FunctionName": "f", "FunctionArn": ARN, "Role": "arn:aws:iam::123456789012:role/r",
        "Handler": "m.h", "Runtime": "python3.13", "PackageType": "Zip", "Architectures": ["x86_64"], "CodeSize": 1,
        "CodeSha256": "x", "Description": "", "MemorySize": 128, "Timeout": 3, "Version": "$LATEST", "State": "Active",
        "LastUpdateStatus": "Successful", "LastModified": "2026-01-01T00:00:00.000+0000",
        "EphemeralStorage": {"Size": 512}, "TracingConfig": {"Mode": "PassThrough"},
        "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/f"}});
    all.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
    all
}

/// How often a request of this method and end of path came.
fn count(fake: &Fake, line: &str) -> usize {
    let (method, end) = line.split_once(' ').unwrap();
    let all = fake.requests("");
    all.iter().filter(|r| r.line.starts_with(method) && r.line.split('?').next().unwrap().ends_with(end)).count()
}

/// Answers for a function that is there.
fn reads(request: &Request, configuration: &Json) -> Answer {
    match request.line.split('?').next().unwrap() {
        line if line.ends_with("/versions") => {
            ok(json!({"Versions": [live(&json!({"FunctionArn": format!("{ARN}:$LATEST")}))]}))
        }
        line if line.ends_with("/code-signing-config") => ok(json!({"FunctionName": "f", "CodeSigningConfigArn": ""})),
        line if line.ends_with("/configuration") => ok(live(configuration)),
        _ => ok(json!({"Configuration": live(configuration), "Code": {}})),
    }
}

#[tokio::test]
async fn a_function_is_made_once_its_role_is_known_and_awaited_until_active() {
    let tries = std::sync::atomic::AtomicUsize::new(0);
    let looks = std::sync::atomic::AtomicUsize::new(0);
    let next = |n: &std::sync::atomic::AtomicUsize| n.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
    let fake = Fake::start(move |request, _| {
        if request.line.starts_with("POST") {
            let refused = |message| error(400, "InvalidParameterValueException", message);
            return match next(&tries) {
                0 => refused("The role defined for the function cannot be assumed by Lambda."),
                1 => error(
                    409,
                    "ResourceConflictException",
                    "The operation cannot be performed at this time. An update is in progress",
                ),
                2 => refused("The provided execution role does not have permissions to call SendMessage on SQS"),
                _ => ok(live(&json!({"State": "Pending"}))),
            };
        }
        let pending = request.line.ends_with("/functions/f") && next(&looks) == 0;
        reads(request, &json!({"State": if pending { "Pending" } else { "Active" }}))
    });
    let cloud = cloud(&fake).await;
    let made = cloud.create("aws_lambda_function", function(&json!({}))).await.unwrap();
    assert_eq!((count(&fake, "POST /functions"), count(&fake, "GET /functions/f")), (4, 2));
    let json = to_plain_json(&made);
    assert_eq!((&json["arn"], &json["version"]), (&json!(ARN), &json!("$LATEST")));
    assert_eq!(
        json["invoke_arn"],
        format!("arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/{ARN}/invocations")
    );
    cloud.assert_settled("aws_lambda_function", &made, function(&json!({})));
    // A refresh makes no more calls than Terraform's.
    let before = fake.requests("").len();
    cloud.read("aws_lambda_function", &made, function(&json!({}))).await.unwrap();
    assert_eq!(fake.requests("").len() - before, 3);
}

#[tokio::test]
async fn a_function_with_another_role_is_not_what_a_creation_in_doubt_made() {
    let fake = Fake::start(|request, _| match request.line.starts_with("POST") {
        true => ok(live(&json!({}))),
        false => reads(request, &json!({})),
    });
    let cloud = cloud(&fake).await;
    let made = cloud.create("aws_lambda_function", function(&json!({}))).await.unwrap();
    let find = async |object: &Value| {
        cloud.resource("aws_lambda_function").find(cloud.with_config(None), object).await.unwrap()
    };
    assert!(find(&made).await.is_some());
    let mut other = made.clone();
    other.set_attr("role", Value::from("arn:aws:iam::123456789012:role/other"));
    assert!(find(&other).await.is_none());
    other.set_attr("role", Value::from(""));
    assert!(find(&other).await.is_some(), "a role that is secret is not known");
}

#[tokio::test]
async fn what_will_not_pass_is_told_at_once() {
    let fake = Fake::start(|request, _| {
        if request.line.starts_with("POST") {
            return error(409, "ResourceConflictException", "Function already exist: f");
        }
        error(404, "ResourceNotFoundException", "Function not found")
    });
    let failure = cloud(&fake).await.create("aws_lambda_function", function(&json!({}))).await.unwrap_err();
    assert_eq!(
        (failure.error.kind, failure.error.hint.as_deref()),
        (ErrorKind::AlreadyExists, Some("import it, or choose another name"))
    );
    assert!(failure.partial.is_none());
    assert_eq!(fake.requests("").len(), 1);

    let fake = Fake::start(|request, _| match request.line.starts_with("POST") {
        true => ok(live(&json!({"State": "Pending"}))),
        false => reads(request, &json!({"State": "Failed", "StateReason": "The image is gone."})),
    });
    let failure = cloud(&fake).await.create("aws_lambda_function", function(&json!({}))).await.unwrap_err();
    assert!(failure.error.message.contains("The image is gone."), "{}", failure.error);
    assert!(failure.partial.is_some());
}

#[tokio::test]
async fn only_what_differs_is_sent() {
    let fake = Fake::start(|request, _| {
        reads(
            request,
            &json!({"Description": "b", "LoggingConfig":
        {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "SystemLogLevel": "INFO", "LogGroup": "/aws/lambda/f"}}),
        )
    });
    let cloud = cloud(&fake).await;
    let described = function(&json!({"description": "b", "logging_config": [{"log_format": "JSON"}]}));
    let made = cloud.create("aws_lambda_function", described.clone()).await.unwrap();
    // Lambda has chosen log levels, which the stack leaves to it.
    assert_eq!(to_plain_json(&made)["logging_config"][0]["system_log_level"], "INFO");
    cloud.assert_settled("aws_lambda_function", &made, described);
    let wanted = function(&json!({"description": "b", "timeout": 3, "logging_config": [{"log_format": "JSON"}]}));
    let mut prior = made;
    prior.set_attr("description", "a".into());
    cloud.update("aws_lambda_function", &prior, wanted).await.unwrap();
    let sent: Vec<_> = fake.requests("").into_iter().filter(|r| r.line.starts_with("PUT")).collect();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].body, json!({"Description": "b"}));
}

#[tokio::test]
async fn arguments_that_lambda_does_not_take_fail_the_plan() {
    let fake = Fake::start(|_, _| ok(json!({})));
    let cloud = cloud(&fake).await;
    let block = |name: &str, inner: Json| json!({name: [inner]});
    for (arguments, attribute, message) in [
        (json!({"function_name": "a b"}), "function_name", "\"a b\""),
        (json!({"memory_size": 64}), "memory_size", "128 to 10240"),
        (json!({"timeout": 901}), "timeout", "1 to 900"),
        (json!({"runtime": "cobol"}), "runtime", "expected is one of"),
        (json!({"runtime": null}), "runtime", "must be set"),
        (json!({"role": "r"}), "role", "an ARN"),
        (json!({"architectures": ["x86_64", "arm64"]}), "architectures", "one of"),
        (json!({"filename": "x.zip"}), "filename", "exclude each other"),
        (json!({"s3_key": null}), "s3_bucket", "needs s3_key"),
        (json!({"s3_bucket": null, "s3_key": null}), "filename", "must be set"),
        (json!({"source_excludes": ["x"]}), "source_excludes", "needs source_dir"),
        (json!({"replace_security_groups_on_destroy": true}), "replace_security_groups_on_destroy", "needs"),
        (block("tracing_config", json!({"mode": "Maybe"})), "tracing_config", "Active"),
        (block("logging_config", json!({"log_format": "XML"})), "logging_config", "JSON"),
        (block("ephemeral_storage", json!({"size": 1})), "ephemeral_storage", "512"),
        (
            block(
                "file_system_config",
                json!({"arn": "arn:aws:elasticfilesystem:r:1:x/y", "local_mount_path": "/data"}),
            ),
            "file_system_config",
            "/mnt/NAME",
        ),
    ] {
        let config = cloud.config("aws_lambda_function", function(&arguments));
        let error = cloud.try_plan("aws_lambda_function", &config, None).unwrap_err();
        assert_eq!(error.attribute, Some(Path::attr(attribute)), "{arguments}: {error}");
        assert!(error.message.contains(message), "{arguments}: {error}");
    }
    let mapping = |other: Json| {
        let mut all = json!({"function_name": "f", "event_source_arn": "arn:aws:sqs:eu-central-1:1:q"});
        all.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        all
    };
    let permission = |other: Json| {
        let mut all = json!({"function_name": "f", "action": "lambda:InvokeFunction", "principal": "*"});
        all.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        all
    };
    for (ty, arguments, attribute) in [
        ("event_source_mapping", mapping(json!({"event_source_arn": null})), "event_source_arn"),
        ("event_source_mapping", mapping(json!({"starting_position": "NOW"})), "starting_position"),
        ("event_source_mapping", mapping(json!({"starting_position_timestamp": "now"})), "starting_position_timestamp"),
        ("event_source_mapping", mapping(json!({"parallelization_factor": 11})), "parallelization_factor"),
        ("event_source_mapping", mapping(json!({"maximum_record_age_in_seconds": 1})), "maximum_record_age_in_seconds"),
        ("event_source_mapping", mapping(json!({"scaling_config": [{"maximum_concurrency": 1}]})), "scaling_config"),
        ("event_source_mapping", mapping(json!({"function_response_types": ["All"]})), "function_response_types"),
        ("permission", permission(json!({"action": "s3:GetObject"})), "action"),
        ("permission", permission(json!({"source_account": "1"})), "source_account"),
        ("permission", permission(json!({"source_arn": "x"})), "source_arn"),
        ("permission", permission(json!({"statement_id": "a b"})), "statement_id"),
        ("permission", permission(json!({"statement_id": "a", "statement_id_prefix": "b"})), "statement_id"),
        ("layer_version", json!({"layer_name": "l"}), "filename"),
        ("layer_version", json!({"layer_name": "l", "filename": "/nowhere.zip"}), "filename"),
        ("layer_version", json!({"layer_name": "l", "filename": "x", "s3_key": "k"}), "filename"),
    ] {
        let ty = format!("aws_lambda_{ty}");
        let config = cloud.config(&ty, arguments.clone());
        let error = cloud.try_plan(&ty, &config, None).unwrap_err();
        assert_eq!(error.attribute, Some(Path::attr(attribute)), "{arguments}: {error}");
    }
    assert!(fake.requests("").is_empty());
}

#[tokio::test]
async fn a_permission_is_a_statement_of_the_policy() {
    let statement = json!({"Sid": "s", "Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": format!("{ARN}:live"),
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}, "StringEquals": {"AWS:SourceAccount": "123456789012"}}});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    let fake = Fake::start(move |request, _| match request.line.starts_with("GET") {
        true => ok(json!({"Policy": policy})),
        false => ok(json!({})),
    });
    let cloud = cloud(&fake).await;
    let arguments = json!({"function_name": "f", "qualifier": "live", "statement_id": "s", "action": "lambda:InvokeFunction",
        "principal": "123456789012", "source_arn": "arn:aws:s3:::b", "source_account": "123456789012"});
    let made = cloud.create("aws_lambda_permission", arguments.clone()).await.unwrap();
    cloud.assert_settled("aws_lambda_permission", &made, arguments);
    let adopted = to_plain_json(&cloud.import("aws_lambda_permission", "f:live/s").await.unwrap());
    for (attribute, value) in [
        ("function_name", "f"),
        ("qualifier", "live"),
        ("principal", "arn:aws:iam::123456789012:root"),
        ("source_arn", "arn:aws:s3:::b"),
    ] {
        assert_eq!(adopted[attribute], value, "{attribute}");
    }
}
