//! IAM against an emulator, and what no emulator does.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]
#![cfg(feature = "iam")]

mod common;

use common::{
    Cloud, Emulator,
    fake::{Answer, Fake, xml, xml_error},
    recorded,
};
use lakeform_core::{Path, Value, json::to_plain_json};
use lakeform_provider::{ErrorKind, Retry};
use serde_json::{Value as Json, json};

#[tokio::test]
async fn what_terraform_stores() {
    recorded::run(
        "iam",
        recorded::Except {
            unreadable: &[("aws_iam_role", &["force_detach_policies"])],
            // Ids without a date or digits enough to be known as such; the last is made up by each tool.
            unlike: &[
                ("aws_iam_policy", &["policy_id"]),
                ("aws_iam_role", &["unique_id"]),
                ("aws_iam_instance_profile", &["unique_id"]),
                ("aws_iam_role_policy_attachment", &["id"]),
            ],
            later: &[
                ("aws_iam_policy", &["attachment_count"]),
                ("aws_iam_role", &["inline_policy", "managed_policy_arns"]),
            ],
        },
    )
    .await;
}

fn policy(action: &str) -> Json {
    let statement = json!([{"Effect": "Allow", "Action": action, "Resource": "*"}]);
    json!({"Version": "2012-10-17", "Statement": statement}).to_string().into()
}

fn trust() -> Json {
    let statement =
        json!([{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]);
    json!({"Version": "2012-10-17", "Statement": statement}).to_string().into()
}

async fn cloud(fake: &Fake) -> Cloud {
    Cloud::with(fake.environment(), json!({"region": "eu-central-1", "max_retries": 4})).await.unwrap()
}

fn text<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap()
}

#[tokio::test]
async fn a_policy_outlives_many_versions() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    let ty = "aws_iam_policy";
    let mut object = cloud.create(ty, json!({"name": "p", "policy": policy("s3:0")})).await.unwrap();
    for i in 1..8 {
        let config = json!({"name": "p", "policy": policy(&format!("s3:{i}"))});
        object = cloud.update(ty, &object, config.clone()).await.unwrap();
        let read = cloud.read(ty, &object, config).await.unwrap();
        assert!(text(&read, "policy").contains(&format!("s3:{i}")), "{read:?}");
    }
    cloud.delete(ty, &object).await.unwrap();
}

/// A policy with versions by number; `*` marks the one in force.
fn versions(numbers: &str) -> Answer {
    let member = |v: &str| {
        let (id, default) = v.strip_suffix('*').map_or((v, false), |id| (id, true));
        let date = "<CreateDate>2026-01-02T03:04:05Z</CreateDate>";
        format!("<member><VersionId>{id}</VersionId><IsDefaultVersion>{default}</IsDefaultVersion>{date}</member>")
    };
    let members: String = numbers.split(' ').map(member).collect();
    xml("ListPolicyVersions", &format!("<IsTruncated>false</IsTruncated><Versions>{members}</Versions>"))
}

#[tokio::test]
async fn the_oldest_version_that_is_not_in_force_makes_room() {
    // The versions that there are, and the one that has to go.
    for (there, goes) in [
        ("v1*", None),
        ("v4 v3 v2 v1*", None),
        ("v5* v4 v3 v2 v1", Some("v1")),
        ("v5 v4 v3 v2 v1*", Some("v2")),
        ("v12 v11* v10 v9 v8", Some("v8")),
    ] {
        let fake = Fake::start(move |request, _| match request.operation.as_str() {
            "ListPolicyVersions" => versions(there),
            operation => xml(operation, ""),
        });
        let cloud = cloud(&fake).await;
        let ty = "aws_iam_policy";
        let arn = "arn:aws:iam::123456789012:policy/p";
        let mut prior = json!({"name": "p", "policy": policy("s3:a")});
        let mut stored = cloud.config(ty, prior.clone());
        for name in ["arn", "id"] {
            stored.set_attr(name, Value::from(arn));
        }
        stored.set_attr("name_prefix", Value::from(""));
        stored.set_attr("path", Value::from("/"));
        stored.set_attr("policy_id", Value::from("A"));
        stored.set_attr("attachment_count", Value::from(0));
        prior["policy"] = policy("s3:b");
        cloud.update(ty, &stored, prior).await.unwrap();
        let gone: Vec<_> = fake.requests("DeletePolicyVersion").iter().map(|r| r.body["VersionId"].clone()).collect();
        assert_eq!(gone, goes.map(Json::from).into_iter().collect::<Vec<_>>(), "{there}");
        let made = fake.requests("CreatePolicyVersion");
        assert_eq!((made.len(), &made[0].body["SetAsDefault"]), (1, &json!("true")), "{there}");
        assert_eq!(fake.operations().last().unwrap(), "CreatePolicyVersion", "{there}");
    }
}

const ROLE: &str = "<Role><Path>/</Path><RoleName>r</RoleName><RoleId>AROA</RoleId>\
    <Arn>arn:aws:iam::123456789012:role/r</Arn><CreateDate>2026-01-02T03:04:05.678Z</CreateDate></Role>";

#[tokio::test]
async fn a_principal_that_is_not_known_yet_is_waited_for() {
    let fake = Fake::start(|request, before| match (request.operation.as_str(), before) {
        ("CreateRole", 0 | 2) => {
            xml_error(400, "MalformedPolicyDocument", "Invalid principal in policy: \"AWS\":\"x\"")
        }
        ("CreateRole", 3) => xml_error(409, "ConcurrentModification", "try again"),
        ("CreateRole", _) => xml("CreateRole", ROLE),
        ("PutRolePolicy" | "AttachRolePolicy", 0) => xml_error(404, "NoSuchEntity", "no role r"),
        (operation, _) => xml(operation, ""),
    });
    let inline = json!([{"name": "a", "policy": policy("s3:a")}]);
    let arns = json!(["arn:aws:iam::123456789012:policy/p"]);
    let config =
        json!({"name": "r", "assume_role_policy": trust(), "inline_policy": inline, "managed_policy_arns": arns});
    let cloud = cloud(&fake).await;
    // It can only be on its way if this run has made one.
    let refused = cloud.create("aws_iam_role", config.clone()).await.unwrap_err();
    assert_eq!((refused.error.kind, fake.operations().len()), (ErrorKind::Invalid, 1));
    cloud.create("aws_iam_role", json!({"name": "r", "assume_role_policy": trust()})).await.unwrap();
    let before = fake.operations().len();
    let made = cloud.create("aws_iam_role", config).await.unwrap();
    assert_eq!((text(&made, "id"), text(&made, "create_date")), ("r", "2026-01-02T03:04:05Z"));
    let calls = ["CreateRole", "CreateRole", "CreateRole", "PutRolePolicy", "PutRolePolicy"];
    assert_eq!(fake.operations()[before..], [&calls[..], &["AttachRolePolicy", "AttachRolePolicy"]].concat());
}

#[tokio::test]
async fn a_role_that_exists_although_a_later_step_failed_is_handed_back() {
    let fake = Fake::start(|request, _| match request.operation.as_str() {
        "CreateRole" => xml("CreateRole", ROLE),
        _ => xml_error(403, "AccessDenied", "not authorized"),
    });
    let inline = json!([{"name": "a", "policy": policy("s3:a")}]);
    let config = json!({"name": "r", "assume_role_policy": trust(), "inline_policy": inline});
    let failure = cloud(&fake).await.create("aws_iam_role", config).await.unwrap_err();
    assert_eq!(text(&failure.partial.unwrap(), "id"), "r");
    assert_eq!((failure.error.kind, failure.error.operation.as_str()), (ErrorKind::Denied, "iam:PutRolePolicy"));
}

#[tokio::test]
async fn a_create_is_not_repeated_blindly_and_a_quota_is_said() {
    let fake = Fake::start(|_, _| Answer::Hang);
    let config = json!({"name": "r", "assume_role_policy": trust()});
    let failure = cloud(&fake).await.create("aws_iam_role", config.clone()).await.unwrap_err();
    assert_eq!(failure.error.retry, Retry::Unknown);
    assert_eq!(fake.operations(), ["CreateRole"]);
    let fake = Fake::start(|_, _| xml_error(409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000"));
    let failure = cloud(&fake).await.create("aws_iam_role", config).await.unwrap_err();
    assert!(failure.error.hint.unwrap().contains("Service Quotas"));
    assert_eq!(fake.operations(), ["CreateRole"]);
}

#[tokio::test]
async fn clients_of_an_identity_provider_change_in_place() {
    let fake = Fake::start(|request, _| match request.operation.as_str() {
        "CreateOpenIDConnectProvider" => {
            let arn = "<OpenIDConnectProviderArn>arn:aws:iam::123456789012:oidc-provider/a</OpenIDConnectProviderArn>";
            xml("CreateOpenIDConnectProvider", arn)
        }
        operation => xml(operation, ""),
    });
    let cloud = cloud(&fake).await;
    let ty = "aws_iam_openid_connect_provider";
    let with = |clients: &[&str]| json!({"url": "https://a", "client_id_list": clients, "thumbprint_list": ["0123456789012345678901234567890123456789"]});
    let made = cloud.create(ty, with(&["a", "b"])).await.unwrap();
    assert_eq!(
        (text(&made, "url"), &fake.requests("CreateOpenIDConnectProvider")[0].body["Url"]),
        ("a", &json!("https%3A%2F%2Fa"))
    );
    cloud.assert_settled(ty, &made, with(&["b", "a"]));
    cloud.update(ty, &made, with(&["b", "c"])).await.unwrap();
    let client = |operation| fake.requests(operation).iter().map(|r| r.body["ClientID"].clone()).collect::<Vec<_>>();
    assert_eq!(client("AddClientIDToOpenIDConnectProvider"), [json!("c")]);
    assert_eq!(client("RemoveClientIDFromOpenIDConnectProvider"), [json!("a")]);
    assert_eq!(fake.operations().len(), 3);
}

#[tokio::test]
async fn denied_is_not_gone() {
    let fake = Fake::start(|_, _| xml_error(403, "AccessDenied", "not authorized"));
    let cloud = cloud(&fake).await;
    for (ty, id) in [
        ("aws_iam_role", "r"),
        ("aws_iam_role_policy", "r:p"),
        ("aws_iam_role_policy_attachment", "r/arn:aws:iam::123456789012:policy/p"),
        ("aws_iam_policy", "arn:aws:iam::123456789012:policy/p"),
        ("aws_iam_instance_profile", "p"),
        ("aws_iam_openid_connect_provider", "arn:aws:iam::123456789012:oidc-provider/a"),
    ] {
        let resource = cloud.resource(ty);
        let stored = resource.import(cloud.with_config(None), id).unwrap();
        let error = resource.read(cloud.with_config(None), &stored).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Denied, "{ty}");
        assert!(error.operation.starts_with("iam:"), "{ty}");
    }
}

/// Terraform makes these calls for a refresh too (GetRole, ListRolePolicies, GetRolePolicy for each, ...).
#[tokio::test]
async fn a_refresh_makes_few_calls() {
    let listed = "<IsTruncated>false</IsTruncated><PolicyNames><member>a</member></PolicyNames>";
    let document =
        "<RoleName>r</RoleName><PolicyName>a</PolicyName><PolicyDocument>%7B%22a%2Bb%22%3A%201%7D</PolicyDocument>";
    let fake = Fake::start(move |request, _| match request.operation.as_str() {
        "GetRole" => xml("GetRole", ROLE),
        "ListRolePolicies" => xml("ListRolePolicies", listed),
        "GetRolePolicy" => xml("GetRolePolicy", document),
        operation => xml(operation, "<IsTruncated>false</IsTruncated>"),
    });
    let cloud = cloud(&fake).await;
    cloud.import("aws_iam_role", "r").await.unwrap();
    let mut calls = fake.operations();
    calls.sort();
    assert_eq!(calls, ["GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"]);
}

#[tokio::test]
async fn policies_of_a_role_that_others_made_are_left_alone_or_taken_away() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    let (ty, role) = ("aws_iam_role", json!({"name": "r", "assume_role_policy": trust()}));
    let object = cloud.create(ty, role.clone()).await.unwrap();
    let other = json!({"role": "r", "name": "theirs", "policy": policy("s3:a")});
    cloud.create("aws_iam_role_policy", other.clone()).await.unwrap();
    // Unset, they are read and planned as they are.
    let read = cloud.read(ty, &object, role.clone()).await.unwrap();
    let inline = to_plain_json(read.get("inline_policy").unwrap());
    assert_eq!(inline, json!([{"name": "theirs", "policy": policy("s3:a").as_str().map(version_first)}]));
    cloud.assert_settled(ty, &read, role.clone());
    // One empty block means: none.
    let mut none = role.clone();
    none["inline_policy"] = json!([{}]);
    let object = cloud.update(ty, &read, none.clone()).await.unwrap();
    assert!(
        cloud.read("aws_iam_role_policy", &cloud.config("aws_iam_role_policy", other.clone()), other).await.is_none()
    );
    let read = cloud.read(ty, &object, none.clone()).await.unwrap();
    cloud.assert_settled(ty, &read, none);
}

/// The test's policies have two keys.
fn version_first(text: &str) -> String {
    let Json::Object(fields) = serde_json::from_str(text).unwrap() else { panic!("{text}") };
    format!("{{\"Version\":{},\"Statement\":{}}}", fields["Version"], fields["Statement"])
}

#[tokio::test]
async fn a_role_goes_with_what_others_gave_it_where_the_stack_says_so() {
    let emulator = Emulator::start();
    let cloud = Cloud::new(&emulator, json!({"region": "eu-central-1"})).await;
    let role = json!({"name": "r", "assume_role_policy": trust(), "force_detach_policies": true});
    let object = cloud.create("aws_iam_role", role).await.unwrap();
    let made = cloud.create("aws_iam_policy", json!({"name": "p", "policy": policy("s3:a")})).await.unwrap();
    let attachment = json!({"role": "r", "policy_arn": text(&made, "arn")});
    cloud.create("aws_iam_role_policy_attachment", attachment).await.unwrap();
    let theirs = json!({"role": "r", "name": "theirs", "policy": policy("s3:a")});
    cloud.create("aws_iam_role_policy", theirs).await.unwrap();
    cloud.create("aws_iam_instance_profile", json!({"name": "i", "role": "r"})).await.unwrap();
    cloud.delete("aws_iam_role", &object).await.unwrap();
    assert!(cloud.import("aws_iam_role", "r").await.is_none());
}

#[tokio::test]
async fn wrong_arguments_are_refused_before_any_call() {
    let environment = vec![("AWS_ACCESS_KEY_ID".into(), "x".into()), ("AWS_SECRET_ACCESS_KEY".into(), "x".into())];
    let cloud = Cloud::with(environment, json!({"region": "eu-central-1"})).await.unwrap();
    let role = |more: Json| {
        let mut config = json!({"assume_role_policy": trust()});
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config
    };
    for (ty, config, attribute) in [
        ("aws_iam_role", role(json!({"name": "a b"})), "name"),
        ("aws_iam_role", role(json!({"name": "a".repeat(65)})), "name"),
        ("aws_iam_role", role(json!({"name_prefix": "a".repeat(39)})), "name_prefix"),
        ("aws_iam_role", role(json!({"name": "a", "name_prefix": "a"})), "name"),
        ("aws_iam_role", role(json!({"max_session_duration": 60})), "max_session_duration"),
        ("aws_iam_role", role(json!({"inline_policy": [{"name": "a"}]})), "inline_policy"),
        ("aws_iam_role", role(json!({"inline_policy": [{"name": "a b", "policy": "{}"}]})), "inline_policy"),
        ("aws_iam_policy", json!({"name": "a/b", "policy": "{}"}), "name"),
        ("aws_iam_policy", json!({"description": "a".repeat(1001), "policy": "{}"}), "description"),
        ("aws_iam_role_policy", json!({"name": "a:b", "role": "r", "policy": "{}"}), "name"),
        ("aws_iam_instance_profile", json!({"name": "é"}), "name"),
        ("aws_iam_openid_connect_provider", json!({"url": "http://a", "client_id_list": ["a"]}), "url"),
    ] {
        let config = cloud.config(ty, config);
        let error = cloud.try_plan(ty, &config, None).unwrap_err();
        assert_eq!(
            (error.kind, error.attribute),
            (ErrorKind::Invalid, Some(Path::attr(attribute))),
            "{}",
            error.message
        );
    }
    for (ty, id) in [
        ("aws_iam_role", "arn:aws:iam::123456789012:role/r"),
        ("aws_iam_role_policy", "r"),
        ("aws_iam_role_policy_attachment", "r"),
        ("aws_iam_policy", "p"),
        ("aws_iam_instance_profile", ""),
        ("aws_iam_openid_connect_provider", "a"),
    ] {
        let error = cloud.resource(ty).import(cloud.with_config(None), id).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Invalid, "{ty}");
    }
}
