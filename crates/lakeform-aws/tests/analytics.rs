//! Glue, Athena, Firehose and Budgets against a server that answers as AWS does where emulators do not.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(all(feature = "glue", feature = "athena", feature = "firehose", feature = "budgets"))]

mod common;

use std::sync::Mutex;

use common::{
    Cloud,
    fake::{Answer, Fake, Request, error, ok},
};
use lakeform_core::json::to_plain_json;
use lakeform_provider::{ErrorKind, Retry};
use serde_json::{Map, Value as Json, json};

const ROLE: &str = "arn:aws:iam::123456789012:role/r";
const BUCKET: &str = "arn:aws:s3:::b";
const STREAM: &str = "aws_kinesis_firehose_delivery_stream";

async fn cloud(fake: &Fake) -> Cloud {
    let block = json!({"region": "eu-central-1", "max_retries": 3, "skip_requesting_account_id": true});
    Cloud::after_writes(fake, block).await
}

fn with(mut object: Json, more: Json) -> Json {
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

#[tokio::test]
async fn a_crawler_at_work_is_waited_for() {
    let crawler =
        json!({"Name": "c", "Role": "r", "DatabaseName": "d", "Targets": {"S3Targets": [{"Path": "s3://b"}]}});
    let fake = Fake::start(move |request, before| match request.operation.as_str() {
        "CreateCrawler" if before == 0 => {
            error(400, "InvalidInputException", "Service is unable to assume provided role.")
        }
        "UpdateCrawler" | "DeleteCrawler" if before == 0 => {
            error(400, "CrawlerRunningException", "Crawler c is running")
        }
        "GetCrawler" => ok(json!({"Crawler": crawler})),
        _ => ok(json!({})),
    });
    let (cloud, ty) = (cloud(&fake).await, "aws_glue_crawler");
    let config = json!({"name": "c", "role": ROLE, "database_name": "d", "s3_target": [{"path": "s3://b"}]});
    let made = cloud.create(ty, config.clone()).await.unwrap();
    assert_eq!(fake.operations(), ["CreateCrawler", "CreateCrawler", "GetCrawler"]);
    let updated = cloud.update(ty, &made, with(config, json!({"description": "x"}))).await.unwrap();
    cloud.delete(ty, &updated).await.unwrap();
    let rest = &fake.operations()[3..];
    assert_eq!(rest, ["UpdateCrawler", "UpdateCrawler", "DeleteCrawler", "DeleteCrawler"]);
}

#[tokio::test]
async fn what_is_wrong_with_a_role_for_good_is_said_at_once() {
    let fake = Fake::start(|_, _| error(400, "InvalidInputException", "The role is no role"));
    let config = json!({"name": "j", "role_arn": ROLE, "command": [{"script_location": "s3://b/x.py"}]});
    let failure = cloud(&fake).await.create("aws_glue_job", config).await.unwrap_err();
    assert_eq!(failure.error.kind, ErrorKind::Invalid);
    assert_eq!(fake.operations(), ["CreateJob"]);
}

#[tokio::test]
async fn what_may_exist_already_is_not_made_twice() {
    for (ty, config, operation) in [
        ("aws_glue_catalog_database", json!({"name": "d", "catalog_id": "1"}), "CreateDatabase"),
        ("aws_glue_catalog_table", json!({"name": "t", "database_name": "d", "catalog_id": "1"}), "CreateTable"),
        ("aws_glue_registry", json!({"registry_name": "r"}), "CreateRegistry"),
        ("aws_athena_workgroup", json!({"name": "w"}), "CreateWorkGroup"),
        (
            "aws_budgets_budget",
            json!({"name": "b", "account_id": "123456789012", "budget_type": "COST", "time_unit": "MONTHLY"}),
            "CreateBudget",
        ),
        (
            STREAM,
            json!({"name": "s", "destination": "extended_s3", "extended_s3_configuration": [bucket()]}),
            "CreateDeliveryStream",
        ),
    ] {
        let fake = Fake::start(|_, _| Answer::Hang);
        let failure = cloud(&fake).await.create(ty, config).await.unwrap_err();
        assert_eq!((failure.error.kind, failure.error.retry), (ErrorKind::Unreachable, Retry::Unknown), "{ty}");
        assert!(failure.partial.is_none());
        assert_eq!(fake.operations(), [operation]);
    }
}

#[tokio::test]
async fn a_classifier_is_changed_in_place_but_not_into_another_kind() {
    let fake = Fake::start(|request, _| match request.operation.as_str() {
        "GetClassifier" => {
            ok(json!({"Classifier": {"CsvClassifier": {"Name": "c", "Delimiter": ",", "Serde": "None"}}}))
        }
        _ => ok(json!({})),
    });
    let (cloud, ty) = (cloud(&fake).await, "aws_glue_classifier");
    let csv = |more: Json| json!({"name": "c", "csv_classifier": [with(json!({"delimiter": ","}), more)]});
    let made = cloud.create(ty, csv(json!({}))).await.unwrap();
    assert_eq!(to_plain_json(&made)["csv_classifier"][0]["serde"], "None");
    cloud.update(ty, &made, csv(json!({"header": ["a"], "custom_datatypes": ["INT"]}))).await.unwrap();
    let sent = &fake.requests("UpdateClassifier")[0].body["CsvClassifier"];
    assert_eq!(
        (&sent["Header"], &sent["CustomDatatypes"], &sent["Name"]),
        (&json!(["a"]), &json!(["INT"]), &json!("c"))
    );
    for other in [
        json!({"name": "c", "json_classifier": [{"json_path": "$"}]}),
        json!({"name": "c", "csv_classifier": [{}], "xml_classifier": [{"classification": "x", "row_tag": "r"}]}),
    ] {
        let config = cloud.config(ty, other);
        let error = cloud.try_plan(ty, &config, None).err();
        assert_eq!(
            error.is_some(),
            config.get("csv_classifier").unwrap().as_slice().is_some_and(|all| !all.is_empty())
        );
    }
}

#[tokio::test]
async fn a_registry_has_its_description_changed() {
    let fake = Fake::start(|request, _| match request.operation.as_str() {
        "CreateRegistry" => ok(json!({"RegistryArn": "arn:aws:glue:eu-central-1:1:registry/r"})),
        _ => ok(json!({})),
    });
    let (cloud, ty) = (cloud(&fake).await, "aws_glue_registry");
    let made = cloud.create(ty, json!({"registry_name": "r", "description": "a"})).await.unwrap();
    cloud.update(ty, &made, json!({"registry_name": "r", "description": "b"})).await.unwrap();
    let sent = &fake.requests("UpdateRegistry")[0].body;
    assert_eq!(sent, &json!({"RegistryId": {"RegistryArn": made.get("arn").unwrap().as_str()}, "Description": "b"}));
}

#[tokio::test]
async fn a_table_of_iceberg_keeps_what_glue_knows_of_it() {
    let fake = Fake::start(|request, _| match request.operation.as_str() {
        "GetTable" => ok(json!({"Table": {"Name": "t", "Parameters": {
            "table_type": "ICEBERG", "metadata_location": "s3://b/m.json", "own": "1"}}})),
        "GetPartitionIndexes" => error(400, "InvalidInputException", "Operation not supported on this table"),
        _ => ok(json!({})),
    });
    let (cloud, ty) = (cloud(&fake).await, "aws_glue_catalog_table");
    let config = |own: &str| {
        json!({"name": "t", "database_name": "d", "catalog_id": "1", "parameters": {"own": own},
            "open_table_format_input": [{"iceberg_input": [{"metadata_operation": "CREATE"}]}]})
    };
    let made = cloud.create(ty, config("1")).await.unwrap();
    let sent = &fake.requests("CreateTable")[0].body;
    assert_eq!(sent["OpenTableFormatInput"], json!({"IcebergInput": {"MetadataOperation": "CREATE"}}));
    assert!(sent["TableInput"].get("PartitionKeys").is_none());
    let read = cloud.read(ty, &made, config("1")).await.unwrap();
    assert_eq!(to_plain_json(&read)["parameters"], json!({"own": "1"}));
    cloud.update(ty, &read, config("2")).await.unwrap();
    let sent = &fake.requests("UpdateTable")[0].body["TableInput"]["Parameters"];
    assert_eq!(sent, &json!({"own": "2", "table_type": "ICEBERG", "metadata_location": "s3://b/m.json"}));
}

#[tokio::test]
async fn an_index_that_differs_is_made_anew() {
    let index = |name: &str| json!({"PartitionIndexDescriptorList": [{"IndexName": name, "IndexStatus": "ACTIVE", "Keys": [{"Name": "day", "Type": "date"}]}]});
    let fake = Fake::start(move |request, before| match request.operation.as_str() {
        "GetPartitionIndexes" if before < 2 => ok(index("a")),
        "GetPartitionIndexes" => ok(json!({})),
        "GetTable" => ok(json!({"Table": {"Name": "t"}})),
        _ => ok(json!({})),
    });
    let (cloud, ty) = (cloud(&fake).await, "aws_glue_catalog_table");
    let config = |keys: &[&str]| json!({"name": "t", "database_name": "d", "catalog_id": "1", "partition_index": [{"index_name": "a", "keys": keys}]});
    let made = cloud.create(ty, config(&["day"])).await.unwrap();
    assert_eq!(to_plain_json(&made)["partition_index"][0]["index_status"], "ACTIVE");
    cloud.update(ty, &made, config(&["day", "hour"])).await.unwrap();
    let operations = fake.operations();
    assert_eq!(
        operations[2..],
        ["DeletePartitionIndex", "GetPartitionIndexes", "GetPartitionIndexes", "CreatePartitionIndex"]
    );
}

fn bucket() -> Json {
    json!({"bucket_arn": BUCKET, "role_arn": ROLE})
}

/// A description from what was put: with other names, and without what is secret.
fn described(put: &Json) -> Json {
    let Json::Object(put) = put else { return put.clone() };
    let mut out = Map::new();
    for (name, value) in put {
        let name = match name.as_str() {
            "AccessKey" | "Password" | "PrivateKey" | "KeyPassphrase" => continue,
            "S3Configuration" | "S3Update" => "S3DestinationDescription",
            "S3BackupConfiguration" | "S3BackupUpdate" => "S3BackupDescription",
            "VpcConfiguration" => "VpcConfigurationDescription",
            name => name,
        };
        let mut value = described(value);
        if name == "VpcConfigurationDescription" {
            value["VpcId"] = json!("vpc-1");
        }
        out.insert(name.to_owned(), value);
    }
    out.into()
}

/// A Firehose that keeps one stream. Changes are on top of what was there.
fn firehose() -> Fake {
    let kept: Mutex<(String, Json, u32, String)> = Mutex::default();
    Fake::start(move |request: &Request, before| {
        let mut kept = kept.lock().unwrap();
        let of = |end: &str| {
            let all = request.body.as_object().unwrap();
            let found = all.iter().find(|(name, _)| name.ends_with(end)).unwrap();
            (found.0.trim_end_matches(end).to_owned(), described(found.1))
        };
        match request.operation.as_str() {
            "CreateDeliveryStream" if before == 0 => {
                error(400, "InvalidArgumentException", "Firehose is unable to assume role r. Please check the role.")
            }
            "CreateDeliveryStream" => {
                let (name, put) = of("DestinationConfiguration");
                *kept = (name, put, 1, "CREATING".to_owned());
                ok(json!({"DeliveryStreamARN": "arn:aws:firehose:eu-central-1:1:deliverystream/s"}))
            }
            "UpdateDestination" => {
                assert_eq!(request.body["CurrentDeliveryStreamVersionId"], kept.2.to_string());
                let (_, put) = of("DestinationUpdate");
                kept.1.as_object_mut().unwrap().extend(put.as_object().unwrap().clone());
                kept.2 += 1;
                ok(json!({}))
            }
            "DescribeDeliveryStream" => {
                let status = std::mem::replace(&mut kept.3, "ACTIVE".to_owned());
                let name = format!("{}DestinationDescription", kept.0);
                ok(json!({"DeliveryStreamDescription": {"DeliveryStreamName": "s", "DeliveryStreamStatus": status,
                    "DeliveryStreamARN": "arn:aws:firehose:eu-central-1:1:deliverystream/s", "VersionId": kept.2.to_string(),
                    "DeliveryStreamType": "DirectPut", "HasMoreDestinations": false,
                    "Destinations": [{"DestinationId": "destinationId-1", name: kept.1}]}}))
            }
            _ => ok(json!({"Tags": [], "HasMoreTags": false})),
        }
    })
}

#[tokio::test]
async fn every_destination_is_made_read_and_changed() {
    let vpc = json!([{"role_arn": ROLE, "security_group_ids": ["sg-1"], "subnet_ids": ["subnet-1", "subnet-2"]}]);
    let logging = json!([{"enabled": true, "log_group_name": "g", "log_stream_name": "s"}]);
    let step = json!([{"parameter_name": "LambdaArn", "parameter_value": "arn:aws:lambda:eu-central-1:1:function:f"}]);
    let processing = json!([{"enabled": true, "processors": [{"type": "Lambda", "parameters": step}]}]);
    let secret =
        json!([{"enabled": true, "secret_arn": "arn:aws:secretsmanager:eu-central-1:1:secret:s", "role_arn": ROLE}]);
    let common = json!({"cloudwatch_logging_options": logging, "processing_configuration": processing});
    let kept = with(
        bucket(),
        json!({"prefix": "p/", "error_output_prefix": "e/", "kms_key_arn": "arn:aws:kms:eu-central-1:1:key/k",
        "cloudwatch_logging_options": logging}),
    );
    let search = json!({"role_arn": ROLE, "index_name": "i", "s3_configuration": [kept], "vpc_config": vpc});
    let domain = json!({"domain_arn": "arn:aws:es:eu-central-1:1:domain/d", "index_rotation_period": "OneWeek", "type_name": "t"});
    for (destination, block, change) in [
        ("elasticsearch", with(search.clone(), domain.clone()), json!({"index_name": "j", "type_name": ""})),
        (
            "opensearch",
            with(
                with(search.clone(), domain),
                json!({"document_id_options": [{"default_document_id_format": "NO_DOCUMENT_ID"}]}),
            ),
            json!({"buffering_interval": 10, "retry_duration": 20}),
        ),
        (
            "opensearchserverless",
            with(search, json!({"collection_endpoint": "https://c"})),
            json!({"buffering_size": 1}),
        ),
        (
            "http_endpoint",
            json!({"url": "https://x", "name": "n", "access_key": "hush", "role_arn": ROLE, "s3_configuration": [kept],
                "request_configuration": [{"content_encoding": "GZIP", "common_attributes": [{"name": "a", "value": "b"}]}]}),
            json!({"s3_backup_mode": "AllData", "secrets_manager_configuration": secret}),
        ),
        (
            "splunk",
            json!({"hec_endpoint": "https://x", "hec_token": "t", "s3_configuration": [kept]}),
            json!({"hec_endpoint_type": "Event", "hec_acknowledgment_timeout": 200}),
        ),
        (
            "redshift",
            json!({"cluster_jdbcurl": "jdbc:redshift://x", "data_table_name": "t", "role_arn": ROLE, "username": "u",
                "password": "hush", "s3_configuration": [bucket()], "s3_backup_mode": "Enabled", "s3_backup_configuration": [bucket()]}),
            json!({"copy_options": "JSON 'auto'", "data_table_columns": "a,b"}),
        ),
        (
            "snowflake",
            json!({"account_url": "https://x", "database": "d", "schema": "s", "table": "t", "user": "u", "role_arn": ROLE,
                "private_key": "hush", "key_passphrase": "hush-hush", "s3_configuration": [kept],
                "snowflake_role_configuration": [{"enabled": true, "snowflake_role": "r"}],
                "snowflake_vpc_configuration": [{"private_link_vpce_id": "com.amazonaws.vpce.x"}]}),
            json!({"data_loading_option": "VARIANT_CONTENT_MAPPING", "content_column_name": "c"}),
        ),
        (
            "iceberg",
            json!({"catalog_arn": "arn:aws:glue:eu-central-1:1:catalog", "role_arn": ROLE, "s3_configuration": [kept],
                "destination_table_configuration": [{"database_name": "d", "table_name": "t", "unique_keys": ["a"]}]}),
            json!({"retry_duration": 10, "s3_backup_mode": "AllData"}),
        ),
        (
            "extended_s3",
            with(
                bucket(),
                json!({"dynamic_partitioning_configuration": [{"enabled": true}], "file_extension": ".json"}),
            ),
            json!({"custom_time_zone": "Europe/Berlin", "compression_format": "GZIP"}),
        ),
    ] {
        let fake = firehose();
        let cloud = cloud(&fake).await;
        let name = format!("{destination}_configuration");
        let config = |block: &Json| json!({"name": "s", "destination": destination, name.as_str(): [block]});
        let block = with(block, common.clone());
        let made = cloud.create(STREAM, config(&block)).await.unwrap();
        let expected =
            ["CreateDeliveryStream", "CreateDeliveryStream", "DescribeDeliveryStream", "DescribeDeliveryStream"];
        assert_eq!(fake.operations(), expected, "{destination}");
        let read = cloud.read(STREAM, &made, config(&block)).await.unwrap();
        cloud.assert_settled(STREAM, &read, config(&block));
        let block = with(block, change);
        let updated = cloud.update(STREAM, &read, config(&block)).await.unwrap();
        assert_eq!(to_plain_json(&updated)["version_id"], "2", "{destination}");
        let read = cloud.read(STREAM, &updated, config(&block)).await.unwrap();
        cloud.assert_settled(STREAM, &read, config(&block));
    }
}

#[tokio::test]
async fn a_stream_that_cannot_be_made_is_left_as_what_it_is() {
    let fake = Fake::start(|request, _| match request.operation.as_str() {
        "CreateDeliveryStream" => ok(json!({"DeliveryStreamARN": "arn:aws:firehose:eu-central-1:1:deliverystream/s"})),
        _ => ok(
            json!({"DeliveryStreamDescription": {"DeliveryStreamName": "s", "DeliveryStreamStatus": "CREATING_FAILED",
            "DeliveryStreamARN": "arn", "VersionId": "1", "DeliveryStreamType": "DirectPut", "HasMoreDestinations": false,
            "Destinations": [], "FailureDescription": {"Type": "CREATE_ENI_FAILED", "Details": "no address is free"}}}),
        ),
    });
    let config = json!({"name": "s", "destination": "extended_s3", "extended_s3_configuration": [bucket()]});
    let failure = cloud(&fake).await.create(STREAM, config).await.unwrap_err();
    assert!(failure.error.message.ends_with("CREATE_ENI_FAILED: no address is free"), "{}", failure.error.message);
    assert!(failure.partial.is_some());
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_any_call() {
    let fake = Fake::start(|_, _| error(500, "Unexpected", "nothing must be called"));
    let cloud = cloud(&fake).await;
    let table = |more: Json| with(json!({"name": "t", "database_name": "d"}), more);
    let crawler = |more: Json| {
        with(json!({"name": "c", "role": "r", "database_name": "d", "s3_target": [{"path": "s3://b"}]}), more)
    };
    let job = |more: Json| {
        with(json!({"name": "j", "role_arn": ROLE, "command": [{"script_location": "s3://b/x.py"}]}), more)
    };
    let workgroup = |more: Json| json!({"name": "w", "configuration": [more]});
    let budget = |more: Json| with(json!({"name": "b", "budget_type": "COST", "time_unit": "MONTHLY"}), more);
    let notification = |more: Json| {
        let block = json!({"comparison_operator": "GREATER_THAN", "notification_type": "ACTUAL", "threshold": 1,
            "threshold_type": "PERCENTAGE", "subscriber_email_addresses": ["a@example.org"]});
        budget(json!({"notification": [with(block, more)]}))
    };
    let stream = |more: Json| {
        let block = with(bucket(), more);
        json!({"name": "s", "destination": "extended_s3", "extended_s3_configuration": [block]})
    };
    let (database, classifier) = ("aws_glue_catalog_database", "aws_glue_classifier");
    for (ty, config, attribute) in [
        (database, json!({"name": "Events"}), "name"),
        (
            database,
            json!({"name": "d", "create_table_default_permission": [{"permissions": ["READ"]}]}),
            "create_table_default_permission[0].permissions",
        ),
        ("aws_glue_catalog_table", table(json!({"name": "Clicks"})), "name"),
        (
            "aws_glue_catalog_table",
            table(json!({"partition_index": [{"index_name": "i", "keys": []}]})),
            "partition_index[0].keys",
        ),
        (
            "aws_glue_catalog_table",
            table(json!({"storage_descriptor": [{"sort_columns": [{"column": "a", "sort_order": 2}]}]})),
            "storage_descriptor[0].sort_columns[0].sort_order",
        ),
        (
            "aws_glue_catalog_table",
            table(json!({"storage_descriptor": [{"schema_reference": [{"schema_version_number": 1}]}]})),
            "storage_descriptor[0].schema_reference[0]",
        ),
        ("aws_glue_registry", json!({"registry_name": "a b!"}), "registry_name"),
        (classifier, json!({"name": "c", "csv_classifier": [{"serde": "Some"}]}), "csv_classifier[0].serde"),
        ("aws_glue_crawler", json!({"name": "c", "role": "r", "database_name": "d"}), ""),
        ("aws_glue_crawler", crawler(json!({"configuration": "{"})), "configuration"),
        (
            "aws_glue_crawler",
            crawler(json!({"dynamodb_target": [{"path": "t", "scan_rate": 2}]})),
            "dynamodb_target[0].scan_rate",
        ),
        ("aws_glue_job", job(json!({"max_capacity": 1, "worker_type": "G.1X"})), "max_capacity"),
        ("aws_glue_job", job(json!({"role_arn": "r"})), "role_arn"),
        ("aws_glue_job", job(json!({"timeout": 0})), "timeout"),
        ("aws_athena_workgroup", json!({"name": "a b"}), "name"),
        (
            "aws_athena_workgroup",
            workgroup(json!({"bytes_scanned_cutoff_per_query": 1})),
            "configuration[0].bytes_scanned_cutoff_per_query",
        ),
        ("aws_budgets_budget", budget(json!({"time_period_start": "2026-01-01"})), "time_period_start"),
        ("aws_budgets_budget", notification(json!({"threshold_type": "SOME"})), "notification[0].threshold_type"),
        ("aws_budgets_budget", notification(json!({"subscriber_email_addresses": null})), "notification[0]"),
        ("aws_budgets_budget", budget(json!({"account_id": "1"})), "account_id"),
        (STREAM, json!({"name": "s", "destination": "splunk"}), "destination"),
        (STREAM, json!({"name": "s", "destination": "s3"}), "destination"),
        (STREAM, stream(json!({"bucket_arn": "b"})), "extended_s3_configuration[0].bucket_arn"),
        (STREAM, stream(json!({"file_extension": "json"})), "extended_s3_configuration[0].file_extension"),
        (
            STREAM,
            with(
                stream(json!({})),
                json!({"server_side_encryption": [{"enabled": true, "key_arn": "arn:aws:kms:a:1:key/k"}]}),
            ),
            "server_side_encryption",
        ),
    ] {
        let config = cloud.config(ty, config);
        let error = cloud.try_plan(ty, &config, None).unwrap_err();
        let named = error.attribute.as_ref().map(ToString::to_string);
        assert_eq!((error.kind, named.as_deref()), (ErrorKind::Invalid, Some(attribute)), "{}", error.message);
    }
    assert_eq!(fake.operations(), Vec::<String>::new());
}
