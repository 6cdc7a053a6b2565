//! The runner with a toy that keeps one object per resource in memory and has one call per change, and with toys that
//! are broken in one way each.

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

use serde_json::{Value as Json, json};
use toml::Table;

use crate::{emulator::Kind, proxy::Proxy};

use super::*;

/// What is wrong with a toy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    None,
    NeverSettles,
    UpdatesWhatCannotBe,
    ImportsNothing,
    IgnoresChanges,
    TrustsState,
    NeverRetries,
    LosesObjects,
    HidesRefusals,
    KeepsWhatFailed,
    FailsOnGone,
}

struct Toy<'a> {
    bug: Bug,
    proxy: &'a Proxy,
    cloud: Mutex<BTreeMap<String, Json>>,
}

type Objects = BTreeMap<String, Json>;

fn wanted(stack: &str) -> Objects {
    let stack: Table = toml::from_str(stack).unwrap();
    let types = stack.get("resource").and_then(|r| r.as_table()).cloned().unwrap_or_default();
    let named = types.iter().flat_map(|(ty, named)| {
        named
            .as_table()
            .unwrap()
            .iter()
            .map(move |(name, v)| (format!("{ty}.{name}"), serde_json::to_value(v).unwrap()))
    });
    named.collect()
}

fn stored(state: &State) -> Objects {
    let json: Json = state.as_deref().map(|s| serde_json::from_str(s).unwrap()).unwrap_or_default();
    let resources = json["resources"].as_array().cloned().unwrap_or_default();
    let word = |v: &Json| v.as_str().unwrap().to_owned();
    let one = |r: &Json| (word(&r["type"]) + "." + &word(&r["name"]), r["instances"][0]["attributes"].clone());
    resources.iter().map(one).collect()
}

fn state_of(objects: &Objects) -> State {
    let one = |(address, attributes): (&String, &Json)| {
        let (ty, name) = address.split_once('.').unwrap();
        json!({ "mode": "managed", "type": ty, "name": name, "instances": [{ "attributes": attributes }] })
    };
    Some(json!({ "version": 4, "resources": objects.iter().map(one).collect::<Vec<_>>() }).to_string())
}

impl Toy<'_> {
    /// One call through the proxy, sent again while it is throttled or fails inside.
    fn call(&self, address: &str) -> Result<(), String> {
        for _ in 0..4 {
            let mut stream = TcpStream::connect(self.proxy.address()).unwrap();
            let text = format!("PUT /{address} HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(text.as_bytes()).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            if answer.starts_with("HTTP/1.1 200") || self.bug == Bug::HidesRefusals {
                return Ok(());
            }
            if !answer.starts_with("HTTP/1.1 50") || self.bug == Bug::NeverRetries {
                return Err(answer);
            }
        }
        Err("gave up".into())
    }

    fn live(&self, state: &State) -> Objects {
        let cloud = self.cloud.lock().unwrap();
        let stored = stored(state);
        if self.bug == Bug::TrustsState {
            return stored;
        }
        stored.into_keys().filter_map(|k| Some((k.clone(), cloud.get(&k)?.clone()))).collect()
    }

    fn diff(&self, before: &Objects, after: &Objects) -> PlanSummary {
        let mut changes = Vec::new();
        for address in before.keys().chain(after.keys().filter(|k| !before.contains_key(*k))) {
            let differing = || {
                let (a, b) = (before[address].as_object().unwrap(), after[address].as_object().unwrap());
                let names = a.keys().chain(b.keys()).filter(|k| a.get(*k) != b.get(*k));
                names.cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
            };
            let (actions, changed): (&[&str], _) = match (before.contains_key(address), after.contains_key(address)) {
                (true, false) => (&["delete"], vec![]),
                (false, _) => (&["create"], vec![]),
                _ if self.bug == Bug::IgnoresChanges => continue,
                _ if self.bug == Bug::NeverSettles => (&["update"], vec!["size".to_owned()]),
                _ if differing().is_empty() => continue,
                _ if differing() == ["name"] && self.bug != Bug::UpdatesWhatCannotBe => {
                    (&["delete", "create"], differing())
                }
                _ => (&["update"], differing()),
            };
            let forced_by = if actions.len() == 2 { changed.clone() } else { vec![] };
            let actions = actions.iter().map(|a| a.to_string()).collect();
            changes.push(PlannedChange { address: address.clone(), actions, changed, forced_by });
        }
        PlanSummary { changes }
    }
}

impl Lakeform for Toy<'_> {
    fn name(&self) -> &'static str {
        "toy"
    }

    async fn plan(&self, stack: &str, state: &State, options: Options) -> Result<PlanSummary, String> {
        let before = if options.refresh { self.live(state) } else { stored(state) };
        Ok(self.diff(&before, &if options.destroy { Objects::new() } else { wanted(stack) }))
    }

    async fn apply(&self, stack: &str, state: &State, options: Options) -> Applied {
        let plan = self.plan(stack, state, options).await.unwrap();
        let wanted = wanted(stack);
        let mut known = if options.refresh { self.live(state) } else { stored(state) };
        let mut errors = Vec::new();
        for change in &plan.changes {
            let object = wanted.get(&change.address).filter(|_| !options.destroy).cloned();
            let gone = !self.cloud.lock().unwrap().contains_key(&change.address);
            if object.is_none() && gone && self.bug == Bug::FailsOnGone {
                errors.push(format!("{} is gone", change.address));
                continue;
            }
            if let Err(e) = self.call(&change.address) {
                errors.push(e);
                if self.bug != Bug::KeepsWhatFailed {
                    continue;
                }
            }
            let mut cloud = self.cloud.lock().unwrap();
            match object {
                Some(object) => {
                    known.insert(change.address.clone(), object.clone());
                    cloud.insert(change.address.clone(), object);
                }
                None => {
                    known.remove(&change.address);
                    cloud.remove(&change.address);
                }
            }
            if self.bug == Bug::LosesObjects {
                cloud.remove("toy.it");
            }
        }
        Applied { state: state_of(&known), errors }
    }

    async fn import(&self, _: &str, state: &State, address: &str, id: &str) -> Result<State, String> {
        let mut known = stored(state);
        let live = self.cloud.lock().unwrap().get(address).cloned();
        let live = live.filter(|o| o["name"] == id).ok_or("there is nothing to import")?;
        if self.bug != Bug::ImportsNothing {
            known.insert(address.to_owned(), live);
        }
        Ok(state_of(&known))
    }
}

const ROW: &str = r#"
type = "toy"
emulators = ["moto"]
import = "{name}"

[stack.resource.toy.it]
name = "a"
size = 1
[stack.resource.toy.other]
name = "b"
[stack.resource.toy.third]
name = "c"

[[change]]
path = "size"
new = 2
[[change]]
path = "tags.x"
old = "1"
new = "2"
[[change]]
path = "tags"

[[create_only]]
path = "name"
new = "z"
"#;

/// A server that says 200 to everything.
fn yes() -> std::net::SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        }
    });
    address
}

async fn tried(row: &str, bug: Bug) -> Report {
    let row: Row = toml::from_str(row).unwrap();
    let proxy = Proxy::start(yes()).unwrap();
    let toy = Toy { bug, proxy: &proxy, cloud: Mutex::default() };
    run(&row, &toy, &proxy, Kind::Moto).await
}

#[tokio::test]
async fn what_works_passes_every_trial() {
    let report = tried(ROW, Bug::None).await;
    report.assert_passed();
    let names: Vec<_> = report.trials.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "settles",
            "create-only name",
            "import",
            "change size",
            "change tags.x",
            "change tags",
            "vanished",
            "throttled",
            "failing",
            "denied",
            "deleted twice"
        ]
    );
}

#[tokio::test]
async fn what_is_broken_fails_the_trial_that_is_about_it() {
    for (bug, trial, why) in [
        (Bug::NeverSettles, "settles", "a second plan is not empty: update toy.it (size)"),
        (Bug::UpdatesWhatCannotBe, "create-only name", "no replacement is planned"),
        (Bug::ImportsNothing, "import", "after importing a: create toy.it"),
        (Bug::IgnoresChanges, "change size", "the plan leaves toy.it alone"),
        (Bug::TrustsState, "vanished", "no create is planned: nothing"),
        (Bug::NeverRetries, "throttled", "it gives up"),
        (Bug::LosesObjects, "settles", "a second plan is not empty: create toy.it"),
        (Bug::HidesRefusals, "denied", "it does not report"),
        (Bug::KeepsWhatFailed, "denied", "the state holds an object that was not made"),
        (Bug::FailsOnGone, "deleted twice", "the second destroy fails"),
    ] {
        let report = tried(ROW, bug).await;
        match report.outcome(trial).unwrap() {
            Outcome::Failed(told) => assert!(told.contains(why), "{bug:?}: {told}"),
            other => panic!("{bug:?}: {other:?}"),
        }
        if bug == Bug::NeverRetries {
            // A failing call that is reported is fine, as long as the report names it and the next apply goes through.
            assert_eq!(report.outcome("failing"), Some(&Outcome::Passed), "{report}");
        }
    }
}

#[tokio::test]
async fn exceptions_are_skipped_and_must_be_true() {
    let exception =
        |trial: &str, by: &str| format!("{ROW}\n[[exception]]\ntrial = \"{trial}\"\nby = \"{by}\"\nreason = \"why\"");
    let report = tried(&exception("denied", "toy"), Bug::HidesRefusals).await;
    assert_eq!(report.outcome("denied"), Some(&Outcome::Skipped("why".into())));
    let report = tried(&exception("deni*", "terraform"), Bug::HidesRefusals).await;
    assert!(matches!(report.outcome("denied"), Some(Outcome::Failed(_))));
    let report = tried(&exception("change*", "toy"), Bug::None).await;
    assert!(matches!(report.outcome("change size"), Some(Outcome::Failed(why)) if why.contains("out of date")));
}

#[test]
fn rows_that_cannot_work_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let error = load(folder.path()).unwrap_err().to_string();
        std::fs::remove_file(path).unwrap();
        error
    };
    assert!(refused("toy.toml", &ROW.replace("toy.it", "toy.that")).ends_with("the stack has no toy.it"));
    assert!(refused("toy.toml", &ROW.replace("moto", "nemo")).ends_with("there is no emulator `nemo`"));
    assert!(
        refused("toy.toml", &ROW.replace("path = \"size\"", "path = \"size.x\"")).contains("`size.x` leads nowhere")
    );
    assert!(refused("toy.toml", &ROW.replace("import =", "impart =")).contains("unknown field"));
    assert!(refused("other.toml", ROW).ends_with("the file of toy is called toy.toml"));
    std::fs::write(folder.path().join("toy.toml"), ROW).unwrap();
    assert_eq!(load(folder.path()).unwrap()[0].subject(), "toy.it");
}

#[test]
fn the_table_holds_the_types_that_lakeform_manages() {
    let rows = load(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/tests/trials"))).unwrap();
    let types: Vec<_> = rows.iter().map(|row| row.ty.as_str()).collect();
    assert_eq!(types.iter().filter(|ty| ty.starts_with("aws_s3_")).count(), 13);
    for ty in ["aws_kms_key", "aws_kms_alias", "aws_kms_grant", "aws_dynamodb_table"] {
        assert!(types.contains(&ty), "{ty}");
    }
    assert!(rows.iter().all(|row| !row.emulators.is_empty()));
}
