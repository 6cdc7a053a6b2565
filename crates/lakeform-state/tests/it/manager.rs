//! Saving a state: serial, lineage and the integrity rules.

use std::sync::Arc;

use lakeform_core::{InstanceAddress, Marks, Path, Type, Value};
use lakeform_state::{
    Attributes, AttributesError, MemoryStore, ObjectState, OutputState, PersistError, Rule, State, StateManager,
};

use crate::contract::{PROVIDER, state_with};

async fn manager() -> (MemoryStore, StateManager) {
    let store = MemoryStore::default();
    let manager = StateManager::open(Arc::new(store.clone())).await.unwrap();
    (store, manager)
}

fn rules(error: PersistError) -> Vec<Rule> {
    match error {
        PersistError::Lease(e) => panic!("{e}"),
        PersistError::Integrity(violations) => violations.into_iter().map(|v| v.rule).collect(),
        PersistError::Store(e) => panic!("{e}"),
    }
}

#[tokio::test]
async fn a_new_state_gets_a_lineage_and_serial_1() {
    let (store, mut manager) = manager().await;
    assert!(!manager.exists());
    let empty = manager.state().clone();
    assert_eq!((empty.serial, empty.lineage.len()), (0, 36));
    assert!(manager.persist(&empty).await.unwrap(), "the first write makes the state, be it empty");
    assert!(!manager.persist(&empty).await.unwrap());
    assert_eq!(manager.state().serial, 1);
    assert_eq!(State::parse(store.bytes().unwrap()).unwrap().lineage, empty.lineage);
}

#[tokio::test]
async fn each_change_counts_once() {
    let (store, mut manager) = manager().await;
    let mut state = manager.state().clone();
    for (i, id) in ["a", "b", "b", "c"].iter().enumerate() {
        state.resources = state_with(id).resources;
        assert_eq!(manager.persist(&state).await.unwrap(), i != 2);
    }
    assert_eq!((manager.state().serial, store.writes()), (3, 3));
}

#[tokio::test]
async fn the_lineage_never_changes_and_the_serial_never_falls() {
    let (store, mut manager) = manager().await;
    manager.persist(&manager.state().clone()).await.unwrap();
    assert_eq!(rules(manager.persist(&state_with("x")).await.unwrap_err()), [Rule::Lineage]);
    let mut ahead = State { serial: 7, ..manager.state().clone() };
    ahead.resources = state_with("x").resources;
    assert_eq!(rules(manager.persist(&ahead).await.unwrap_err()), [Rule::Serial]);
    assert_eq!(store.writes(), 1);
}

#[tokio::test]
async fn dependencies_must_exist_or_have_existed_in_this_run() {
    let (_, mut manager) = manager().await;
    let mut state = manager.state().clone();
    let a: InstanceAddress = "aws_kms_key.a[\"k\"]".parse().unwrap();
    let b: InstanceAddress = "aws_s3_bucket.b".parse().unwrap();
    let dependent = ObjectState { dependencies: vec![a.config()], ..ObjectState::default() };
    state.set_current(&b, PROVIDER, dependent);
    let error = manager.persist(&state).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the state is not fit to be stored: integrity rule 3: aws_s3_bucket.b depends on aws_kms_key.a, which is in no \
         state of this run"
    );
    assert_eq!(rules(error), [Rule::Dependencies]);
    // A block of the configuration that has no instances.
    let (_, mut told) = self::manager().await;
    told.declare([a.config()]);
    told.persist(&State { lineage: told.state().lineage.clone(), ..state.clone() }).await.unwrap();
    state.set_current(&a, PROVIDER, ObjectState::default());
    manager.persist(&state).await.unwrap();
    // Deleted in this run: its dependents may still say so.
    state.remove_current(&a).unwrap();
    manager.persist(&state).await.unwrap();
    assert!(state.get(&a).is_none() && state.resources.len() == 1);
}

#[tokio::test]
async fn unknown_and_ephemeral_values_are_refused() {
    let (_, mut manager) = manager().await;
    let object = Value::object([("id", Value::from("x")), ("arns", Value::tuple(vec![Value::unknown(Type::String)]))]);
    let unknown = Attributes::from_value(&object, &object.ty()).unwrap_err();
    assert!(matches!(&unknown, AttributesError::Unknown(path) if path.to_string() == "arns[0]"), "{unknown}");
    let object = Value::object([("pass", Value::from("x").with_marks(Marks::EPHEMERAL))]);
    assert_eq!(Attributes::from_value(&object, &object.ty()), Err(AttributesError::Ephemeral(Path::attr("pass"))));

    let mut state = manager.state().clone();
    let output = |value| OutputState { value, sensitive: false };
    state.outputs.insert("a".into(), output(Value::unknown(Type::String)));
    state.outputs.insert("b".into(), output(Value::from("x").with_marks(Marks::EPHEMERAL)));
    assert_eq!(rules(manager.persist(&state).await.unwrap_err()), [Rule::NoUnknown, Rule::NoEphemeral]);
}

#[test]
fn objects_are_deposed_restored_and_renamed() {
    let mut state = state_with("x");
    let from: InstanceAddress = "aws_s3_bucket.raw".parse().unwrap();
    let to: InstanceAddress = "module.m[\"a\"].aws_s3_bucket.raw[0]".parse().unwrap();
    let key = state.depose(&from).unwrap();
    assert!(key.len() == 8 && key.chars().all(|c| c.is_ascii_hexdigit()));
    assert!(state.current(&from).is_none() && state.depose(&from).is_none());
    assert!(state.restore_deposed(&from, &key) && state.current(&from).is_some());
    assert!(state.rename(&from, &to) && !state.rename(&from, &to));
    assert_eq!(state.iter().map(|(address, _)| address).collect::<Vec<_>>(), vec![to.clone()]);
    assert_eq!(state.resources.values().next().unwrap().provider, PROVIDER);
    assert!(state.remove(&to).is_some() && state.is_empty());
}
