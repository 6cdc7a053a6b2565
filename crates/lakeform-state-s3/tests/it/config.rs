//! The arguments of the backend. Their names are those that `terraform init -backend-config` of 1.11.4 takes.

use std::time::Duration;

use lakeform_core::Diagnostics;
use lakeform_state_s3::S3Backend;
use serde_json::{Value, json};

use crate::harness::table;

fn read(mut arguments: Value) -> Result<S3Backend, Diagnostics> {
    let all = arguments.as_object_mut().unwrap();
    all.entry("bucket").or_insert(json!("b"));
    all.entry("key").or_insert(json!("k"));
    S3Backend::from_value(&table(arguments))
}

fn problems(arguments: Value) -> Vec<String> {
    let all = read(arguments).unwrap_err().0;
    all.into_iter().map(|d| d.summary + &d.help.map(|help| format!("; {help}")).unwrap_or_default()).collect()
}

#[test]
fn every_argument_of_terraform_is_taken() {
    let backend = read(json!({
        "access_key": "AK", "acl": "bucket-owner-full-control", "allowed_account_ids": ["1"],
        "assume_role": {
            "role_arn": "arn:aws:iam::1:role/r", "duration": "1h30m", "external_id": "e", "policy": "{}",
            "policy_arns": ["p"], "session_name": "s", "source_identity": "i", "tags": { "a": "b" },
            "transitive_tag_keys": ["a"],
        },
        "assume_role_with_web_identity": {
            "role_arn": "arn:aws:iam::1:role/w", "web_identity_token_file": "/token", "duration": "900s",
            "policy": "{}", "policy_arns": ["p"], "session_name": "s",
        },
        "custom_ca_bundle": "/ca.pem", "dynamodb_table": "locks", "encrypt": true,
        "endpoints": { "dynamodb": "http://d", "iam": "http://i", "s3": "http://s", "sts": "http://t" },
        "http_proxy": "http://p", "https_proxy": "http://p", "kms_key_id": "alias/state", "max_retries": 7,
        "no_proxy": "localhost", "profile": "prod", "region": "eu-central-1", "retry_mode": "adaptive",
        "secret_key": "SK", "shared_config_files": ["/c"], "shared_credentials_files": ["/s"],
        "skip_credentials_validation": true, "skip_metadata_api_check": true, "skip_region_validation": true,
        "skip_requesting_account_id": true, "skip_s3_checksum": true, "sts_region": "us-east-1", "token": "T",
        "use_dualstack_endpoint": true, "use_fips_endpoint": true, "use_lockfile": true, "use_path_style": true,
        "workspace_key_prefix": "ws",
    }))
    .unwrap();
    assert_eq!(backend.endpoints.sts.as_deref(), Some("http://t"));
    assert_eq!((backend.max_retries, backend.adaptive_retries), (Some(7), true));
    let role = backend.assume_role.clone().unwrap();
    assert_eq!((role.duration, role.tags["a"].as_str()), (Some(Duration::from_secs(5400)), "b"));
    assert_eq!(backend.assume_role_with_web_identity.clone().unwrap().duration, Some(Duration::from_secs(900)));
    let shown = format!("{backend:?}");
    assert!(!shown.contains("\"SK\"") && !shown.contains("\"T\""), "{shown}");
    assert_eq!(backend.clone().for_workspace("default").key, "k");
    assert_eq!(backend.for_workspace("blue").describe(), "s3://b/ws/blue/k");
}

#[test]
fn deprecated_spellings_and_text_values_are_taken() {
    // `--backend-config K=V` gives everything as text.
    let backend = read(json!({
        "endpoint": "http://s", "dynamodb_endpoint": "http://d", "sts_endpoint": "http://t", "iam_endpoint": "http://i",
        "force_path_style": "false", "shared_credentials_file": "/s", "encrypt": "true", "max_retries": "3",
        "kms_key_id": null, "acl": "",
    }))
    .unwrap();
    assert_eq!(backend.endpoints.s3.as_deref(), Some("http://s"));
    assert_eq!(backend.endpoints.dynamodb.as_deref(), Some("http://d"));
    assert_eq!((backend.use_path_style, backend.encrypt, backend.max_retries), (Some(false), true, Some(3)));
    assert_eq!(backend.shared_credentials_files, ["/s"]);
    assert_eq!((backend.kms_key_id, backend.acl), (None, None));
    assert_eq!(backend.workspace_key_prefix, "env:");
}

#[test]
fn the_lease_is_lakeforms_own_argument() {
    assert_eq!(read(json!({})).unwrap().lease, None);
    assert_eq!(read(json!({ "lease": "2m" })).unwrap().lease, Some(Duration::from_secs(120)));
    assert_eq!(problems(json!({ "lease": "4s" })), ["`lease` of the s3 backend must be at least 5s"]);
    assert_eq!(
        problems(json!({ "lease": 60 })),
        ["`lease` of the s3 backend is no duration such as \"1h30m\": \"60\""]
    );
}

#[test]
fn unknown_names_get_a_suggestion() {
    assert_eq!(
        problems(json!({ "buckett": "b", "dynamo_table": "t", "role_arn": "r", "endpoints": { "s33": "x" } })),
        [
            "Unknown argument `buckett` of the s3 backend; did you mean `bucket`?",
            "Unknown argument `dynamo_table` of the s3 backend; did you mean `dynamodb_table`?",
            "Unknown argument `role_arn` of the s3 backend",
            "Unknown argument `endpoints.s33` of the s3 backend; did you mean `endpoints.s3`?",
        ]
    );
}

#[test]
fn what_cannot_be_honoured_is_refused_by_name() {
    assert_eq!(
        problems(json!({ "insecure": true, "endpoints": { "sso": "x" } })),
        [
            "`insecure` of the s3 backend is not supported by lakeform; name the server's certificate with \
             `custom_ca_bundle`",
            "`endpoints.sso` of the s3 backend is not supported by lakeform; set AWS_ENDPOINT_URL_SSO in the environment",
        ]
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    assert_eq!(
        S3Backend::from_value(&table(json!({}))).unwrap_err().to_string(),
        "The s3 backend needs `bucket`\nThe s3 backend needs `key`"
    );
    assert_eq!(
        problems(json!({
            "key": "/k", "encrypt": "yes", "region": ["x"], "access_key": "a", "kms_key_id": "k",
            "sse_customer_key": "short", "retry_mode": "fast", "max_retries": -1, "assume_role": { "duration": "soon" },
            "assume_role_with_web_identity": { "role_arn": "r" }, "endpoints": "x",
        })),
        [
            "`encrypt` of the s3 backend: a bool is required",
            "`endpoints` of the s3 backend must be a table",
            "`region` of the s3 backend: string required",
            "`retry_mode` of the s3 backend is \"standard\" or \"adaptive\", not \"fast\"",
            "`max_retries` of the s3 backend must be a whole number, 0 or more",
            "`key` of the s3 backend must neither start nor end with \"/\"",
            "only one of `kms_key_id` and `sse_customer_key` can be set for the s3 backend",
            "`sse_customer_key` of the s3 backend must be 32 bytes in base64 (44 characters)",
            "`access_key` and `secret_key` of the s3 backend go together: one of them is missing",
            "The s3 backend needs `assume_role.role_arn`",
            "`assume_role.duration` of the s3 backend is no duration such as \"1h30m\": \"soon\"",
            "`assume_role_with_web_identity` of the s3 backend needs one of `web_identity_token` and \
             `web_identity_token_file`",
        ]
    );
}
