//! Encrypted stores: the contract, the change of keys there and back, and everything that must not open.

use std::{path::Path, sync::Arc};

use lakeform_state::{
    BoxFuture, Cipher, CipherError, DataKey, EncryptedStore, FormatError, KeySource, Label, LocalStore, MemoryStore,
    OperationError, Passphrase, State, StateManager, StateStore, StoreError, Stored, Version, WrappedKey, label,
};
use proptest::prelude::*;
use serde_json::Value as Json;

use crate::{contract, robust};

const OLD: &str = "the passphrase before it";
const NEW: &str = "correct horse battery staple";
/// In the attributes of [`contract::state_with`].
const SECRET: &str = "hunter2-hunter2";

/// A key without a derivation, which takes time.
#[derive(Debug)]
struct Fixed(u8);

impl KeySource for Fixed {
    fn make(&self) -> BoxFuture<'_, Result<(DataKey, WrappedKey), CipherError>> {
        let wrapped = WrappedKey::Kms { key_id: format!("fixed-{}", self.0), data_key: String::new() };
        Box::pin(async move { Ok((DataKey::new(&[self.0; 32]).unwrap(), wrapped)) })
    }

    fn unwrap<'a>(&'a self, wrapped: &'a WrappedKey) -> BoxFuture<'a, Result<Option<DataKey>, CipherError>> {
        Box::pin(async move {
            let (key, mine) = self.make().await?;
            Ok((*wrapped == mine).then_some(key))
        })
    }

    fn describe(&self) -> String {
        format!("fixed-{}", self.0)
    }
}

fn passphrase(text: &str) -> Arc<dyn KeySource> {
    Arc::new(Passphrase::new(text).unwrap())
}

fn fixed(n: u8) -> Cipher {
    Cipher::new(Arc::new(Fixed(n)))
}

fn over(store: impl StateStore + 'static, cipher: Cipher) -> Arc<dyn StateStore> {
    Arc::new(EncryptedStore::new(Arc::new(store), Arc::new(cipher)))
}

fn at(path: &Path, cipher: Cipher) -> Arc<dyn StateStore> {
    over(LocalStore::new(path), cipher)
}

/// Writes whatever is stored anew if it should be, and gives it.
async fn touched(store: Arc<dyn StateStore>) -> (State, bool) {
    let mut manager = StateManager::open(store).await.unwrap();
    let same = manager.state().clone();
    let written = manager.persist(&same).await.unwrap();
    (manager.state().clone(), written)
}

#[tokio::test]
async fn stores_keep_the_contract_encrypted() {
    let (memory, cipher) = (MemoryStore::default(), Arc::new(Cipher::new(passphrase(NEW))));
    contract::store(|| Arc::new(EncryptedStore::new(Arc::new(memory.clone()), cipher.clone()))).await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep").join("prod.tfstate");
    contract::store(|| Arc::new(EncryptedStore::new(Arc::new(LocalStore::new(&path)), cipher.clone()))).await;
}

#[tokio::test]
async fn from_clear_to_encrypted_to_another_key_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("prod.tfstate");
    let files = || std::fs::read_dir(folder.path()).unwrap().map(|f| std::fs::read(f.unwrap().path()).unwrap());
    let in_clear = |bytes: &[u8]| bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes());
    let first = contract::state_with(SECRET);
    LocalStore::new(&path).write(first.to_bytes(), None).await.unwrap();

    // Without leave a state in clear is refused, and nothing is written.
    let refused = at(&path, Cipher::new(passphrase(OLD))).read().await.unwrap_err();
    assert!(matches!(&refused, StoreError::Encryption { source: CipherError::Plain, .. }), "{refused}");
    assert!(refused.to_string().contains("`migrate = true`"), "{refused}");

    // On: what is stored is written anew though nothing in it changed, and its backup is encrypted as well.
    let (state, written) = touched(at(&path, Cipher::new(passphrase(OLD)).migrate())).await;
    assert!(written && state.content_equals(&first) && state.serial == first.serial + 1);
    assert_eq!(files().filter(|bytes| in_clear(bytes)).count(), 0);
    assert_eq!(files().count(), 2, "the state and its backup");
    let backup = LocalStore::new(&path).backup_path();
    let read = at(&backup, Cipher::new(passphrase(OLD))).read().await.unwrap().unwrap();
    assert_eq!(read.state.to_bytes(), first.to_bytes());
    let (_, written) = touched(at(&path, Cipher::new(passphrase(OLD)))).await;
    assert!(!written, "once is enough");

    // Another key, with and without the one before it.
    let wrong = at(&path, Cipher::new(passphrase(NEW))).read().await.unwrap_err();
    assert!(matches!(&wrong, StoreError::Encryption { source: CipherError::Refused { .. }, .. }), "{wrong}");
    let rotating = || Cipher::new(passphrase(NEW)).fallback(passphrase(OLD));
    let (state, written) = touched(at(&path, rotating())).await;
    assert!(written && state.content_equals(&first) && state.serial == first.serial + 2);
    assert!(at(&path, Cipher::new(passphrase(OLD))).read().await.is_err());
    for place in [&path, &backup] {
        assert!(at(place, Cipher::new(passphrase(NEW))).read().await.unwrap().unwrap().state.content_equals(&first));
    }
    let (_, written) = touched(at(&path, rotating())).await;
    assert!(!written, "what the new key opens is not written anew");

    // Off.
    let (state, written) = touched(at(&path, Cipher::plain().fallback(passphrase(NEW)))).await;
    assert!(written && state.content_equals(&first));
    let stored = LocalStore::new(&path).read().await.unwrap().unwrap().state;
    assert_eq!((stored.serial, stored.content_equals(&first)), (first.serial + 3, true));
    assert!(LocalStore::new(&backup).read().await.unwrap().unwrap().state.content_equals(&first));
}

#[tokio::test]
async fn without_a_key_the_message_says_what_it_is() {
    let memory = MemoryStore::default();
    over(memory.clone(), Cipher::new(passphrase(NEW)))
        .write(contract::state_with(SECRET).to_bytes(), None)
        .await
        .unwrap();
    let error = memory.read().await.unwrap_err();
    assert!(matches!(&error, StoreError::Format { source: FormatError::Encrypted(_), .. }), "{error}");
    assert!(error.to_string().contains("encrypted with a passphrase"), "{error}");
    // Another kind of key, and no fallback.
    let error = over(memory.clone(), fixed(1)).read().await.unwrap_err().to_string();
    assert!(
        error.contains("encrypted with a passphrase") && error.contains("fixed-1") && error.contains("fallback"),
        "{error}"
    );
    let error = over(memory, Cipher::plain()).read().await.unwrap_err().to_string();
    assert!(error.contains("another key (none)"), "{error}");
}

/// Writes, and says that it failed.
#[derive(Debug)]
struct LosesAnswers(LocalStore);

impl StateStore for LosesAnswers {
    fn read_raw(&self) -> BoxFuture<'_, Result<Option<Stored>, StoreError>> {
        self.0.read_raw()
    }

    fn write(&self, bytes: Vec<u8>, expected: Option<Version>) -> BoxFuture<'_, Result<Version, StoreError>> {
        Box::pin(async move {
            let there = self.0.read_raw().await?.map(|s| s.version);
            let done = self.0.write(bytes, expected.clone()).await?;
            if there != expected {
                return Ok(done);
            }
            let (operation, cause) = ("write".to_owned(), "the connection was reset".to_owned());
            Err(OperationError { operation, cause, help: None, transient: true }.into())
        })
    }

    fn describe(&self) -> String {
        self.0.describe()
    }
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_the_same_write_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = over(LosesAnswers(LocalStore::new(folder.path().join("s"))), fixed(1));
    let bytes = contract::state_with("1").to_bytes();
    assert!(matches!(store.write(bytes.clone(), None).await, Err(StoreError::Operation(e)) if e.transient));
    let version = store.write(bytes, None).await.unwrap();
    assert_eq!(store.read().await.unwrap().unwrap().version, version);
    // Something else is still someone else's.
    let refused = store.write(contract::state_with("2").to_bytes(), None).await;
    assert!(matches!(refused, Err(StoreError::Moved { .. })), "{refused:?}");
}

#[tokio::test]
async fn no_part_of_it_can_be_changed_without_notice() {
    let cipher = Cipher::new(passphrase(NEW));
    let state = contract::state_with(SECRET);
    let sealed = cipher.seal_state(&state.to_bytes()).await.unwrap();
    let told = label(&sealed).unwrap().unwrap();
    assert_eq!((told.kind.as_str(), told.lineage.as_ref(), told.serial), ("state", Some(&state.lineage), Some(1)));
    let fresh = || Cipher::new(passphrase(NEW)).fallback(Arc::new(Fixed(1)));
    assert_eq!(fresh().open(sealed.clone(), "state").await.unwrap().content, state.to_bytes());
    // Twice the same content is not twice the same text.
    assert_ne!(cipher.seal_state(&state.to_bytes()).await.unwrap(), sealed);

    let file: Json = serde_json::from_slice(&sealed).unwrap();
    assert!(file.get("version").is_none());
    let change = |path: &str, to: Json| {
        let mut changed = file.clone();
        *changed.pointer_mut(path).unwrap_or_else(|| panic!("{path}")) = to;
        changed.to_string().into_bytes()
    };
    let flip = |path: &str| {
        let text = file.pointer(path).unwrap().as_str().unwrap();
        let first = if text.starts_with('A') { "B" } else { "A" };
        change(path, format!("{first}{}", &text[1..]).into())
    };
    let refused = [
        change("/label/lineage", "another".into()),
        change("/label/serial", 2.into()),
        change("/key/argon2id/lanes", 2.into()),
        change("/key/argon2id/memory_kib", 1024.into()),
        flip("/key/argon2id/salt"),
        flip("/nonce"),
        flip("/ciphertext"),
    ];
    for bytes in refused {
        let error = fresh().open(bytes, "state").await.unwrap_err();
        assert!(matches!(error, CipherError::Refused { .. }), "{error}");
    }
    let damaged = [
        change("/method", "none".into()),
        change("/key/argon2id/memory_kib", u32::MAX.into()),
        change("/key/argon2id/passes", 4_000_000.into()),
        change("/key/argon2id/salt", "".into()),
        change("/key", serde_json::json!({ "rot13": {} })),
        change("/nonce", "AAAA".into()),
        change("/ciphertext", "no base64".into()),
        change("/lakeform_encryption", 0.into()),
    ];
    for bytes in damaged {
        let error = fresh().migrate().open(bytes, "state").await.unwrap_err();
        assert!(matches!(error, CipherError::Damaged(_)), "{error}");
    }
    let newer = fresh().open(change("/lakeform_encryption", 2.into()), "state").await.unwrap_err();
    assert!(matches!(newer, CipherError::Newer(2)), "{newer}");
    let other = fresh().open(sealed.clone(), "plan").await.unwrap_err();
    assert_eq!(other.to_string(), "it is an encrypted state, not an encrypted plan");
    // Cut off anywhere it is damaged, not a state in clear. (The last byte is a newline.)
    for length in (24..sealed.len() - 1).step_by(37) {
        let error = fresh().migrate().open(sealed[..length].to_vec(), "state").await.unwrap_err();
        assert!(matches!(error, CipherError::Damaged(_)), "{length}: {error}");
    }
}

#[tokio::test]
async fn secrets_are_not_shown() {
    let cipher = Cipher::new(passphrase(NEW)).fallback(passphrase(OLD));
    let sealed = cipher.seal(SECRET.as_bytes(), &Label { kind: "x".into(), ..Label::default() }).await.unwrap();
    let opened = Cipher::new(passphrase(NEW));
    opened.open(sealed, "x").await.unwrap();
    let shown = format!("{cipher:?} {opened:?} {:?} {:?}", passphrase(NEW), DataKey::new(&[7; 32]).unwrap());
    for secret in [NEW, OLD, SECRET, "7, 7"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(Passphrase::new("fifteen letters").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Any change of an encrypted state is noticed, or is none.
    #[test]
    fn a_sealed_state_with_bytes_changed(at in any::<prop::sample::Index>(), with in any::<u8>(), cut in 0..40_usize) {
        let run = tokio::runtime::Builder::new_current_thread().build().unwrap();
        run.block_on(async {
            let state = contract::state_with(SECRET);
            let mut bytes = fixed(1).seal_state(&state.to_bytes()).await.unwrap();
            let from = at.index(bytes.len());
            if cut % 2 == 0 {
                bytes[from] = with;
            } else {
                bytes.drain(from..(from + cut).min(bytes.len()));
            }
            robust::settles(bytes.clone());
            if let Ok(opened) = fixed(1).open(bytes, "state").await {
                assert_eq!(opened.content, state.to_bytes());
            }
        });
    }
}
