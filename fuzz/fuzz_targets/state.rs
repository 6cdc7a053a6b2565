//! Any bytes are a state or are refused; a state is written so that it reads back as the same one, and nothing in it is lost.
//! The same holds for what is in an envelope.

#![no_main]

use std::sync::Arc;

use lakeform_state::{BoxFuture, Cipher, CipherError, DataKey, KeySource, State, WrappedKey, label};
use libfuzzer_sys::fuzz_target;
use serde_json::Value as Json;

/// One key for everything, at once.
#[derive(Debug)]
struct Fixed;

fn key() -> Result<DataKey, CipherError> {
    DataKey::new(&[7; 32]).ok_or_else(|| CipherError::Damaged("no key".into()))
}

impl KeySource for Fixed {
    fn make(&self) -> BoxFuture<'_, Result<(DataKey, WrappedKey), CipherError>> {
        let wrapped = WrappedKey::Kms { key_id: "fixed".into(), data_key: String::new() };
        Box::pin(async move { Ok((key()?, wrapped)) })
    }

    fn unwrap<'a>(&'a self, _: &'a WrappedKey) -> BoxFuture<'a, Result<Option<DataKey>, CipherError>> {
        Box::pin(async { key().map(Some) })
    }

    fn describe(&self) -> String {
        "fixed".into()
    }
}

/// How many outputs and objects a file has.
fn count(bytes: &[u8]) -> Option<(usize, usize)> {
    let file: Json = serde_json::from_slice(bytes).ok()?;
    let outputs = file["outputs"].as_object().map_or(0, |all| all.len());
    let instances = |resource: &Json| resource["instances"].as_array().map_or(0, Vec::len);
    let objects = file["resources"].as_array().into_iter().flatten().map(instances).sum();
    Some((outputs, objects))
}

fn settles(bytes: &[u8]) {
    let Ok(state) = State::parse(bytes.to_vec()) else { return };
    let once = state.to_bytes();
    // Numbers beyond what JSON values hold have no count.
    if let Some(all) = count(bytes) {
        assert_eq!(count(&once), Some(all), "something was lost");
    }
    let again = State::parse(once.clone()).expect("what is written can be read");
    assert!(state.content_equals(&again), "it reads back as another one");
    assert_eq!(again.to_bytes(), once, "writing does not settle");
}

async fn through_an_envelope(bytes: &[u8]) {
    let _ = label(bytes);
    let cipher = Cipher::new(Arc::new(Fixed)).migrate();
    if let Ok(opened) = cipher.open(bytes.to_vec(), "state").await {
        settles(&opened.content);
    }
    let sealed = cipher.seal_state(bytes).await.expect("anything can be sealed");
    let opened = cipher.open(sealed.clone(), "state").await.expect("what is sealed can be opened");
    assert!(opened.content == bytes && !opened.stale);
    assert!(State::parse(sealed.clone()).is_err(), "sealed, it is no state");
    // One bit anywhere is noticed, or is none that counts (white space, the case of nothing).
    let at = bytes.iter().fold(0_usize, |n, b| n.wrapping_mul(31).wrapping_add(usize::from(*b))) % sealed.len();
    let mut changed = sealed;
    changed[at] ^= 1;
    if let Ok(opened) = cipher.open(changed, "state").await {
        assert!(opened.content == bytes || opened.stale, "a change went unnoticed");
    }
}

fuzz_target!(|bytes: &[u8]| {
    settles(bytes);
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(through_an_envelope(bytes));
});
