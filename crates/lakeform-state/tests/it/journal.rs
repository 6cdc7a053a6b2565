//! The journal in files and in memory, and what is read from it.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::InstanceAddress;
use lakeform_state::{
    Attributes, ObjectState, State,
    journal::{
        Edit, Entry, Intent, Journal, LocalJournal, MemoryJournal, Open, Outcome, Page, Recovery, RunInfo, Verb,
    },
};
use serde_json::json;

use crate::{contract::PROVIDER, journals::journal};

#[tokio::test]
async fn in_memory_it_keeps_the_contract() {
    let memory = MemoryJournal::default();
    journal(|| Arc::new(memory.clone())).await;
}

#[tokio::test]
async fn in_a_file_it_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    journal(|| Arc::new(LocalJournal::new(folder.path().join("s.tfstate")))).await;
    assert!(!folder.path().join("s.tfstate.journal").exists(), "an empty journal leaves no file");
}

#[tokio::test]
async fn what_was_being_written_when_the_run_was_killed_never_began() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("s.tfstate.journal");
    let open = || LocalJournal::new(folder.path().join("s.tfstate"));
    let first = page(1, vec![created(1, "a")]);
    open().append(&first).await.unwrap();
    let whole = std::fs::read(&file).unwrap();
    let second = page(2, vec![created(2, "b")]).to_json();
    for cut in [1, second.len() / 2, second.len()] {
        std::fs::write(&file, [&whole[..], &second.as_bytes()[..cut]].concat()).unwrap();
        assert_eq!(open().read().await.unwrap(), std::slice::from_ref(&first), "cut after {cut} bytes");
    }
    // What follows is not glued to it.
    let third = page(2, vec![created(3, "c")]);
    open().append(&third).await.unwrap();
    assert_eq!(open().read().await.unwrap(), [first, third]);
}

#[tokio::test]
async fn a_damaged_line_is_an_error_and_no_silent_loss() {
    let folder = tempfile::tempdir().unwrap();
    let journal = LocalJournal::new(folder.path().join("s.tfstate"));
    journal.append(&page(1, vec![created(1, "a")])).await.unwrap();
    let mut bytes = std::fs::read(journal.path()).unwrap();
    bytes[10] = b'\x01';
    std::fs::write(journal.path(), [&bytes[..], b"{}\n"].concat()).unwrap();
    let told = journal.read().await.unwrap_err().to_string();
    assert!(told.contains("s.tfstate.journal") && told.contains("line 1 is damaged"), "{told}");
}

// --- what is read from it --------------------------------------------------------------------------------------------

fn address(name: &str) -> InstanceAddress {
    format!("aws_sqs_queue.{name}").parse().unwrap()
}

fn object(id: &str) -> ObjectState {
    let attributes = match id {
        "" => Attributes::from(&json!({ "id": null, "name": "planned" })),
        id => Attributes::from(&json!({ "id": id, "name": id })),
    };
    ObjectState { attributes, ..ObjectState::default() }
}

fn page(seq: u64, entries: Vec<Entry>) -> Page {
    Page { run: "0000000000001-0a0b0c0d".into(), seq, at: 7, entries }
}

fn intent(op: u64, name: &str, verb: Verb) -> Intent {
    Intent {
        op,
        address: address(name),
        verb,
        provider: PROVIDER.into(),
        id: None,
        deposed: None,
        token: if verb == Verb::Create { "0123456789abcdef0123456789abcdef".into() } else { String::new() },
        inputs: "00".into(),
        object: (verb == Verb::Create).then(|| object("")),
        changes: vec![],
        unknown: Default::default(),
    }
}

fn created(op: u64, name: &str) -> Entry {
    Entry::Intent(Box::new(intent(op, name, Verb::Create)))
}

fn set(id: &str) -> Edit {
    Edit::Set { provider: PROVIDER.into(), object: object(id), withheld: vec![] }
}

fn outcome(op: u64, serial: u64, name: &str, edits: Vec<Edit>) -> Entry {
    Entry::Outcome(Outcome { op, serial, address: address(name), edits, error: None })
}

/// A state of serial 5 with these objects.
fn state(names: &[&str]) -> State {
    let mut state = State { serial: 5, ..State::new("lineage") };
    for name in names {
        state.set_current(&address(name), PROVIDER, object(name));
    }
    state
}

fn read(state: State, entries: Vec<Entry>) -> Recovery {
    Recovery::read(state, vec![page(1, entries)])
}

fn ids(state: &State) -> Vec<String> {
    let each = state.iter().flat_map(|(a, i)| {
        let current = i.current.iter().map(|o| (String::new(), o));
        let deposed = i.deposed.iter().map(|(key, o)| (format!(" {key}"), o));
        let text = |o: &ObjectState| o.attributes.json().unwrap()["id"].to_string();
        current.chain(deposed).map(|(key, o)| format!("{a}{key} {}", text(o))).collect::<Vec<_>>()
    });
    each.collect()
}

#[test]
fn outcomes_that_the_state_lacks_are_read_into_it() {
    let entries = vec![
        Entry::Run(RunInfo { who: "ann@build".into(), ..RunInfo::default() }),
        created(1, "new"),
        Entry::Intent(Box::new(intent(2, "old", Verb::Delete))),
        outcome(2, 5, "old", vec![Edit::Remove { key: None }]),
        outcome(1, 5, "new", vec![set("new")]),
    ];
    let recovery = read(state(&["old", "other"]), entries);
    assert_eq!(ids(&recovery.state), [r#"aws_sqs_queue.new "new""#, r#"aws_sqs_queue.other "other""#]);
    assert_eq!(recovery.done, ["aws_sqs_queue.old was deleted", "aws_sqs_queue.new was created"]);
    assert!(recovery.open.is_empty());
    assert_eq!((recovery.runs[0].who.as_str(), recovery.state.serial), ("ann@build", 5));
}

/// The state was written after the outcome was known: reading the outcome again must not bring back what is gone since.
#[test]
fn outcomes_that_a_later_state_has_are_not_read_again() {
    let entries = vec![
        Entry::Intent(Box::new(intent(1, "other", Verb::Update))),
        outcome(1, 4, "other", vec![set("older")]),
        Entry::Intent(Box::new(intent(2, "gone", Verb::Delete))),
        outcome(2, 4, "gone", vec![Edit::Remove { key: None }]),
    ];
    let recovery = read(state(&["other"]), entries);
    assert_eq!(ids(&recovery.state), [r#"aws_sqs_queue.other "other""#]);
    assert!(recovery.open.is_empty() && recovery.done.is_empty());
}

/// Terraform, which knows nothing of the journal, wrote a state without what the run had made.
#[test]
fn what_was_made_and_is_in_no_later_state_is_looked_up() {
    let entries = vec![created(1, "lost"), outcome(1, 3, "lost", vec![set("lost")])];
    let recovery = read(state(&["other"]), entries.clone());
    assert_eq!(recovery.open, BTreeMap::from([(address("lost"), Open::Lost)]));
    assert_eq!(ids(&recovery.state), [r#"aws_sqs_queue.lost "lost""#, r#"aws_sqs_queue.other "other""#]);
    // Set aside under the same address it is no loss.
    let mut aside = state(&["lost"]);
    aside.depose(&address("lost")).unwrap();
    assert!(read(aside, entries).open.is_empty());
}

#[test]
fn an_open_creation_is_an_object_to_be_looked_for() {
    let recovery = read(state(&[]), vec![created(1, "a")]);
    assert!(matches!(recovery.open.get(&address("a")), Some(Open::Created(intent)) if intent.op == 1));
    assert_eq!(ids(&recovery.state), ["aws_sqs_queue.a null"]);
    // The state was written with the object in it, and the outcome was not.
    let recovery = read(state(&["a"]), vec![created(1, "a")]);
    assert!(recovery.open.is_empty());
    assert_eq!(ids(&recovery.state), [r#"aws_sqs_queue.a "a""#]);
}

#[test]
fn an_open_replacement_has_its_old_object_set_aside() {
    let replacing = Intent { id: Some("a".into()), deposed: Some("0badcafe".into()), ..intent(1, "a", Verb::Create) };
    let recovery = read(state(&["a"]), vec![Entry::Intent(Box::new(replacing.clone()))]);
    assert!(matches!(recovery.open.get(&address("a")), Some(Open::Created(_))));
    assert_eq!(ids(&recovery.state), ["aws_sqs_queue.a null", r#"aws_sqs_queue.a 0badcafe "a""#]);
    // Done, but for the deletion of the old one.
    let done = outcome(1, 5, "a", vec![Edit::Depose { key: "0badcafe".into() }, set("a2")]);
    let deleting = Intent { deposed: Some("0badcafe".into()), ..intent(2, "a", Verb::Delete) };
    let entries = vec![Entry::Intent(Box::new(replacing)), done, Entry::Intent(Box::new(deleting))];
    let recovery = read(state(&["a"]), entries);
    assert_eq!(ids(&recovery.state), [r#"aws_sqs_queue.a "a2""#, r#"aws_sqs_queue.a 0badcafe "a""#]);
    assert!(matches!(recovery.open.get(&address("a")), Some(Open::Deleted(_))));
}

/// A run that takes a lock over writes the state once more: that is no write that has what the journal says.
#[test]
fn a_fence_is_no_newer_state() {
    let entries = vec![
        created(1, "a"),
        outcome(1, 5, "a", vec![set("a")]),
        Entry::Fenced { from: 5, to: 6 },
        Entry::Fenced { from: 6, to: 7 },
    ];
    for (serial, done) in [(5, true), (6, true), (7, true), (8, false)] {
        let recovery = read(State { serial, ..state(&[]) }, entries.clone());
        assert_eq!(!recovery.done.is_empty(), done, "serial {serial}");
        assert_eq!(recovery.state.serial, serial);
    }
}

#[test]
fn secrets_that_the_journal_withheld_are_named() {
    let withheld = Edit::Set { provider: PROVIDER.into(), object: object("a"), withheld: vec!["password".into()] };
    let recovery = read(state(&[]), vec![created(1, "a"), outcome(1, 5, "a", vec![withheld])]);
    assert_eq!(recovery.open, BTreeMap::from([(address("a"), Open::Withheld(vec!["password".into()]))]));
}

#[test]
fn reading_twice_changes_nothing_more() {
    let entries = vec![
        created(1, "a"),
        outcome(1, 5, "a", vec![set("a")]),
        Entry::Intent(Box::new(intent(2, "b", Verb::Delete))),
        outcome(2, 5, "b", vec![Edit::Remove { key: None }]),
        created(3, "c"),
        outcome(3, 5, "c", vec![]),
    ];
    let once = read(state(&["b"]), entries.clone());
    // Written, and the journal was not taken away: the serial says that the state has it, or it does not.
    for serial in [5, 6] {
        let again = read(State { serial, ..once.state.clone() }, entries.clone());
        assert_eq!(ids(&again.state), ids(&once.state), "serial {serial}");
        assert!(again.open.is_empty(), "{:?}", again.open);
    }
}

#[test]
fn entries_survive_their_json() {
    let replacing = Intent {
        id: Some("a".into()),
        deposed: Some("0badcafe".into()),
        changes: vec!["tags".into()],
        address: "module.m[\"k\"].aws_sqs_queue.q[3]".parse().unwrap(),
        ..intent(1, "a", Verb::Create)
    };
    let whole = page(
        7,
        vec![
            Entry::Run(RunInfo {
                who: "ann@build".into(),
                created: "2026-01-02T03:04:05Z".into(),
                lineage: "l".into(),
            }),
            Entry::Intent(Box::new(replacing)),
            outcome(1, 5, "a", vec![Edit::Depose { key: "0badcafe".into() }, set("a")]),
            outcome(1, 5, "a", vec![Edit::Promote { key: "0badcafe".into() }, Edit::Remove { key: Some("1".into()) }]),
        ],
    );
    let json = whole.to_json();
    assert!(!json.contains('\n'));
    assert_eq!(serde_json::from_str::<Page>(&json).unwrap(), whole);
}
