//! A store whose content is encrypted.

use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{Cipher, CipherError, Label};
use crate::{BoxFuture, StateStore, StateVersion, StoreError, Stored, Version};

/// The kind of states in labels.
const STATE: &str = "state";

/// Another store, that sees sealed states only.
#[derive(Debug)]
pub struct EncryptedStore {
    inner: Arc<dyn StateStore>,
    cipher: Arc<Cipher>,
    memo: Mutex<Memo>,
}

#[derive(Debug, Default)]
struct Memo {
    /// What is stored is to be sealed anew.
    stale: bool,
    /// The last write, until it is known to have been made: the digest of the content and what it was sealed as. The same
    /// content is then written as the same bytes, by which the store knows a write whose answer was lost.
    unsure: Option<([u8; 32], Vec<u8>)>,
}

/// What a state's label says of it.
#[derive(Deserialize)]
struct Head {
    lineage: Option<String>,
    serial: Option<u64>,
}

impl EncryptedStore {
    /// Seals what goes into a store, and opens what comes out of it.
    pub fn new(inner: Arc<dyn StateStore>, cipher: Arc<Cipher>) -> Self {
        Self { inner, cipher, memo: Mutex::default() }
    }

    fn memo<T>(&self, look: impl FnOnce(&mut Memo) -> T) -> T {
        look(&mut self.memo.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn failed(&self, error: CipherError) -> StoreError {
        match error {
            CipherError::Operation(e) => e.into(),
            source => StoreError::Encryption { place: self.describe(), source },
        }
    }

    async fn open(&self, stored: Stored) -> Result<Stored, StoreError> {
        let opened = self.cipher.open(stored.bytes, STATE).await.map_err(|e| self.failed(e))?;
        Ok(Stored { bytes: opened.content, stale: stored.stale || opened.stale, ..stored })
    }

    async fn seal(&self, bytes: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.cipher.seal_state(bytes).await.map_err(|e| self.failed(e))
    }

    /// What is there is about to become the backup: sealed as everything is now, not as it was.
    async fn back_up(&self, expected: Option<&Version>) -> Result<(), StoreError> {
        match self.inner.read_raw().await? {
            Some(old) if Some(&old.version) == expected => {
                let sealed = self.seal(&self.open(old).await?.bytes).await?;
                self.inner.keep_backup(sealed).await
            }
            // The write will be refused.
            _ => Ok(()),
        }
    }

    async fn write_now(&self, bytes: Vec<u8>, expected: Option<Version>) -> Result<Version, StoreError> {
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let same =
            self.memo(|memo| memo.unsure.as_ref().filter(|(of, _)| *of == digest).map(|(_, sealed)| sealed.clone()));
        let sealed = match same {
            Some(sealed) => sealed,
            None => self.seal(&bytes).await?,
        };
        drop(bytes);
        if self.memo(|memo| memo.stale) {
            self.back_up(expected.as_ref()).await?;
        }
        self.memo(|memo| memo.unsure = Some((digest, sealed.clone())));
        let version = self.inner.write(sealed, expected).await?;
        self.memo(|memo| *memo = Memo::default());
        Ok(version)
    }
}

impl Cipher {
    /// Seals a state file.
    ///
    /// # Errors
    /// As [`Cipher::seal`].
    pub async fn seal_state(&self, bytes: &[u8]) -> Result<Vec<u8>, CipherError> {
        let head = serde_json::from_slice(bytes).unwrap_or(Head { lineage: None, serial: None });
        let label = Label { kind: STATE.to_owned(), lineage: head.lineage, serial: head.serial, about: None };
        self.seal(bytes, &label).await
    }

    /// Opens a state file that someone hands in: an encrypted one, or one in clear.
    ///
    /// # Errors
    /// As [`Cipher::open`].
    pub async fn open_state(&self, bytes: Vec<u8>) -> Result<Vec<u8>, CipherError> {
        if super::label(&bytes)?.is_none() {
            return Ok(bytes);
        }
        Ok(self.open(bytes, STATE).await?.content)
    }
}

impl StateStore for EncryptedStore {
    fn read_raw(&self) -> BoxFuture<'_, Result<Option<Stored>, StoreError>> {
        Box::pin(async move {
            let Some(stored) = self.inner.read_raw().await? else { return Ok(None) };
            let opened = self.open(stored).await?;
            self.memo(|memo| memo.stale = opened.stale);
            Ok(Some(opened))
        })
    }

    fn write(&self, bytes: Vec<u8>, expected: Option<Version>) -> BoxFuture<'_, Result<Version, StoreError>> {
        Box::pin(self.write_now(bytes, expected))
    }

    fn keep_backup(&self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move { self.inner.keep_backup(self.seal(&bytes).await?).await })
    }

    fn describe(&self) -> String {
        self.inner.describe()
    }

    fn versions(&self, limit: usize) -> BoxFuture<'_, Result<Vec<StateVersion>, StoreError>> {
        self.inner.versions(limit)
    }

    fn read_version<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(async move {
            // An earlier version may be from before the state was encrypted.
            match self.inner.read_version(id).await? {
                Some(bytes) => Ok(Some(self.cipher.open_state(bytes).await.map_err(|e| self.failed(e))?)),
                None => Ok(None),
            }
        })
    }
}
