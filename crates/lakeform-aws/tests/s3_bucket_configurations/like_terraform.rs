//! What is stored and sent is what Terraform 1.11 and its AWS provider 5.100 store and send (recorded by record.py).

use std::collections::BTreeMap;

use lakeform_core::json;
use serde_json::Value as Json;

use crate::{
    CORS, REPLICATION, TIERING, configurations, verbatim,
    verbatim::{Element, xml},
};

fn recorded() -> BTreeMap<String, Json> {
    serde_json::from_str(include_str!("fixtures/s3.state.json")).unwrap()
}

/// Where two values differ, to the letter; generated names count as one.
fn differences(ours: &Json, theirs: &Json, at: &str, out: &mut Vec<String>) {
    let generated = |v: &Json| {
        v.as_str().and_then(|s| s.rsplit_once('-')).filter(|(p, _)| p.starts_with("tf-s3-")).map(|(p, _)| p.to_owned())
    };
    match (ours, theirs) {
        (Json::Object(a), Json::Object(b)) => {
            assert!(a.keys().eq(b.keys()), "{at}");
            a.iter().for_each(|(k, a)| differences(a, &b[k], &format!("{at}.{k}"), out));
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            let (a, b) = (in_order(a, at), in_order(b, at));
            a.iter().zip(&b).enumerate().for_each(|(i, (a, b))| differences(a, b, &format!("{at}[{i}]"), out));
        }
        (a, b) if a == b || generated(a).is_some() && generated(a) == generated(b) => {}
        (a, b) => {
            let a = generated(a).map_or_else(|| a.to_string(), |prefix| format!("\"{prefix}-\""));
            out.push(format!("{at}: {a} / {b}"));
        }
    }
}

/// The elements of a set in an order of their own: Terraform orders them by a hash.
fn in_order(elements: &[Json], at: &str) -> Vec<Json> {
    let mut elements = elements.to_vec();
    if at.ends_with("transition") || at.ends_with("cors_rule") || at.ends_with("tiering") || at.ends_with("events") {
        elements.sort_by_key(|element| ["id", "storage_class", "access_tier"].map(|name| element[name].to_string()));
        elements.sort_by_key(|element| element.as_str().map(str::to_owned));
    }
    elements
}

#[tokio::test]
async fn the_same_is_stored() {
    let (_server, cloud) = verbatim().await;
    let recorded = recorded();
    let mut differ = vec![];
    for (ty, name, body) in configurations() {
        let made = cloud.create(&ty, body.clone()).await.unwrap();
        let theirs = &recorded[&format!("{ty}.{name}")];
        let ours = json::to_plain_json(&made);
        differences(&ours, theirs, &format!("{ty}.{name}"), &mut differ);

        // A refresh finds what the create returned, and no change is planned.
        let read = cloud.read(&ty, &made, body.clone()).await.unwrap();
        assert_eq!(json::to_plain_json(&read), ours, "{ty}.{name}");
        cloud.assert_settled(&ty, &read, body);
    }
    let expected = [
        // Terraform sends `MaxAgeSeconds` 0 where the stack says nothing; its provider takes null and 0 for the same.
        format!("{CORS}.c0.cors_rule[0].max_age_seconds: null / 0"),
        // Terraform stores null until the first refresh.
        format!("{TIERING}.i1.filter[0].tags: null / {{}}"),
        // The server gives no name to a rule that has none, as S3 does.
        format!("{REPLICATION}.r0.rule[0].id: \"tf-s3-replication-\" / \"\""),
        // Terraform stores null for an empty block until something in the rule changes.
        format!("{REPLICATION}.r1.rule[0].filter[0].prefix: \"\" / null"),
    ];
    assert_eq!(differ, expected);
}

#[tokio::test]
async fn the_same_is_sent() {
    let sent: BTreeMap<String, String> = serde_json::from_str(include_str!("fixtures/s3.requests.json")).unwrap();
    let (server, cloud) = verbatim().await;
    for (ty, _, body) in configurations() {
        cloud.create(&ty, body).await.unwrap();
    }
    let ours: BTreeMap<_, _> =
        server.requests().into_iter().filter(|r| r.method == "PUT").map(|r| (r.key.clone(), r)).collect();
    assert!(ours.keys().eq(sent.keys()));
    for (key, theirs) in sent {
        let (mut ours, mut theirs) = (xml(&ours[&key].body), xml(&theirs));
        blur(&mut ours, &key);
        blur(&mut theirs, &key);
        assert_eq!(ours, theirs, "{key}");
    }
}

/// Leaves out what is different on purpose: generated names, and `MaxAgeSeconds` where the stack says nothing.
fn blur(element: &mut Element, key: &str) {
    let zero = |e: &Element| e.0 == "MaxAgeSeconds" && e.1 == "0";
    let id = |e: &Element| key == "data-0?replication" && e.0 == "ID";
    element.2.retain(|e| !zero(e) && !id(e));
    if element.1.starts_with("tf-s3-") {
        element.1 = element.1.rsplit_once('-').unwrap().0.to_owned();
    }
    element.2.iter_mut().for_each(|e| blur(e, key));
    element.2.sort();
}

#[tokio::test]
async fn what_terraform_stored_needs_no_change() {
    let (server, cloud) = verbatim().await;
    let recorded = recorded();
    let sent: BTreeMap<String, String> = serde_json::from_str(include_str!("fixtures/s3.requests.json")).unwrap();
    sent.iter().for_each(|(key, body)| server.seed(key, body));
    for (ty, name, body) in configurations() {
        let block = &cloud.resource(&ty).schema().block;
        let mut stored = recorded[&format!("{ty}.{name}")].clone();
        if name == "t5" {
            // The body does not say it: it is a header.
            stored["transition_default_minimum_object_size"] = "varies_by_storage_class".into();
        }
        let stored = block.coerce(&json::from_plain_json(&stored)).unwrap();
        let read = cloud.read(&ty, &stored, body.clone()).await.unwrap();
        cloud.assert_settled(&ty, &read, body);
    }
}

#[tokio::test]
async fn an_import_needs_no_change() {
    let (_server, cloud) = verbatim().await;
    for (ty, name, body) in configurations() {
        let made = cloud.create(&ty, body.clone()).await.unwrap();
        let id = made.get("id").unwrap().as_str().unwrap();
        let imported = cloud.import(&ty, id).await.unwrap();
        let (mut ours, theirs) = (json::to_plain_json(&imported), json::to_plain_json(&made));
        // A token is write-only in effect: S3 never returns it.
        if let Some(token) = ours.get_mut("token") {
            *token = theirs["token"].clone();
        }
        let mut differ = vec![];
        differences(&ours, &theirs, &format!("{ty}.{name}"), &mut differ);
        assert_eq!(differ, Vec::<String>::new());
    }
}
