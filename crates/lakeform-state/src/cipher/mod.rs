//! Secrets at rest: what is stored is encrypted before it leaves the program, and is no state that anyone else reads.
//!
//! Content is sealed with AES-256-GCM under a data key, which a [`KeySource`] makes and wraps: one data key a run, a fresh
//! nonce each time.

mod envelope;
mod passphrase;
mod store;

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use aes_gcm::{
    Aes256Gcm, KeyInit,
    aead::{Aead, Payload},
};
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

pub(crate) use envelope::sealed_with;
pub use envelope::{Label, WrappedKey, label};
pub use passphrase::{MIN_PASSPHRASE, Passphrase, fingerprint};
pub use store::EncryptedStore;

use crate::{BoxFuture, OperationError};
use envelope::Envelope;

/// How many data keys are remembered for reading: each run that wrote has its own.
const REMEMBERED: usize = 64;

/// A key of AES-256. It is wiped when it is dropped and never shown.
#[derive(Clone)]
pub struct DataKey(Zeroizing<[u8; 32]>);

impl DataKey {
    /// The key of 32 bytes; `None` if there are more or fewer.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Zeroizing::new(bytes)))
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.0).into())
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

/// Where data keys come from: a passphrase, a key management service.
pub trait KeySource: Send + Sync + fmt::Debug {
    /// A new data key, and what it takes to get it again.
    ///
    /// # Errors
    /// When it cannot be had.
    fn make(&self) -> BoxFuture<'_, Result<(DataKey, WrappedKey), CipherError>>;

    /// The data key that was wrapped; `None` where this source did surely not wrap it.
    ///
    /// # Errors
    /// When it cannot be had.
    fn unwrap<'a>(&'a self, wrapped: &'a WrappedKey) -> BoxFuture<'a, Result<Option<DataKey>, CipherError>>;

    /// What it is, as a user would name it: `a passphrase`, `KMS key alias/state`.
    fn describe(&self) -> String;
}

/// Something could not be sealed or opened.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CipherError {
    /// It is in clear, which the stack does not allow.
    #[error(
        "it is not encrypted, and `encryption` of the stack's backend says that it is. If it was written before `encryption` \
         was set, add `migrate = true` to `encryption`, apply once, and take it out again; if not, someone put it there"
    )]
    Plain,
    /// It was sealed by a later version.
    #[error(
        "it is encrypted in format {0}, which is newer than 1, the latest one that this lakeform knows; use a newer lakeform"
    )]
    Newer(u64),
    /// The envelope cannot be read.
    #[error("it was encrypted, and is damaged: {0}. Restore an earlier version of it")]
    Damaged(String),
    /// It is something else.
    #[error("it is an encrypted {found}, not an encrypted {wanted}")]
    OtherKind {
        /// What it says that it is.
        found: String,
        /// What was to be opened.
        wanted: String,
    },
    /// None of the keys is the one.
    #[error(
        "it is encrypted with {with}, and the stack has another key ({known}): correct `encryption`, or add the key that it \
         was encrypted with as `fallback`"
    )]
    OtherKey {
        /// What it was encrypted with.
        with: String,
        /// What the stack has.
        known: String,
    },
    /// The key does not open it.
    #[error("it cannot be decrypted with {with}: either that is the wrong one, or what is stored was changed")]
    Refused {
        /// The key.
        with: String,
    },
    /// The system or a service failed.
    #[error(transparent)]
    Operation(#[from] OperationError),
}

/// What was opened.
#[derive(Debug)]
pub struct Opened {
    /// The content in clear.
    pub content: Vec<u8>,
    /// Whether it is stored otherwise than it would be now: in clear, or under the previous key.
    pub stale: bool,
}

/// Seals what is stored and opens what was.
#[derive(Debug)]
pub struct Cipher {
    /// Seals; `None`: everything is written in clear.
    key: Option<Arc<dyn KeySource>>,
    /// Opens what the key does not.
    fallback: Option<Arc<dyn KeySource>>,
    accept_plain: bool,
    /// The data key of this run.
    made: OnceCell<(DataKey, WrappedKey)>,
    /// Data keys that opened something, with whether they are the fallback's.
    opened: Mutex<Vec<(WrappedKey, DataKey, bool)>>,
}

impl Cipher {
    fn with(key: Option<Arc<dyn KeySource>>, accept_plain: bool) -> Self {
        Self { key, fallback: None, accept_plain, made: OnceCell::new(), opened: Mutex::default() }
    }

    /// Encrypts with a key; what is not encrypted is refused.
    pub fn new(key: Arc<dyn KeySource>) -> Self {
        Self::with(Some(key), false)
    }

    /// Writes in clear: the way back, with a fallback that opens what was encrypted.
    pub fn plain() -> Self {
        Self::with(None, true)
    }

    /// Opens with another key what the first one does not open: after a change of keys.
    pub fn fallback(self, key: Arc<dyn KeySource>) -> Self {
        Self { fallback: Some(key), ..self }
    }

    /// Reads what is not encrypted too: when encryption is switched on.
    pub fn migrate(self) -> Self {
        Self { accept_plain: true, ..self }
    }

    /// Whether what is written is encrypted.
    pub fn encrypts(&self) -> bool {
        self.key.is_some()
    }

    /// Gets the data key of this run, so that sealing cannot fail later for want of one.
    ///
    /// # Errors
    /// When there is none to be had.
    pub async fn prepare(&self) -> Result<(), CipherError> {
        self.made().await.map(drop)
    }

    async fn made(&self) -> Result<Option<&(DataKey, WrappedKey)>, CipherError> {
        match &self.key {
            None => Ok(None),
            Some(key) => self.made.get_or_try_init(|| key.make()).await.map(Some),
        }
    }

    /// Encrypts. The label stays readable, and cannot be changed without notice.
    ///
    /// # Errors
    /// When there is no key or no randomness to be had.
    pub async fn seal(&self, content: &[u8], label: &Label) -> Result<Vec<u8>, CipherError> {
        let Some((key, wrapped)) = self.made().await? else { return Ok(content.to_vec()) };
        let mut envelope = Envelope::new(label.clone(), wrapped.clone(), random()?);
        let aad = envelope.authenticated();
        let sealed = key.cipher().encrypt(&envelope.nonce.into(), Payload { msg: content, aad: &aad });
        envelope.ciphertext = sealed.map_err(|_| CipherError::Damaged("it is too long".into()))?;
        Ok(envelope.to_bytes())
    }

    /// Decrypts what was sealed under a label of this kind.
    ///
    /// # Errors
    /// When it is in clear without leave, damaged, changed, something else, or sealed with another key.
    pub async fn open(&self, bytes: Vec<u8>, kind: &str) -> Result<Opened, CipherError> {
        let Some(envelope) = Envelope::parse(&bytes)? else {
            if self.accept_plain {
                return Ok(Opened { content: bytes, stale: self.encrypts() });
            }
            return Err(CipherError::Plain);
        };
        if envelope.label.kind != kind {
            return Err(CipherError::OtherKind { found: envelope.label.kind, wanted: kind.to_owned() });
        }
        let aad = envelope.authenticated();
        let decrypt = |key: &DataKey| {
            key.cipher().decrypt(&envelope.nonce.into(), Payload { msg: &envelope.ciphertext, aad: &aad }).ok()
        };
        let opened = |content, by_fallback| Opened { content, stale: by_fallback || !self.encrypts() };
        let known = self.remembered(&envelope.key);
        if let Some((content, by_fallback)) = known.and_then(|(key, old)| Some((decrypt(&key)?, old))) {
            return Ok(opened(content, by_fallback));
        }
        let mut problem = None;
        for (source, by_fallback) in [(&self.key, false), (&self.fallback, true)] {
            let Some(source) = source else { continue };
            let found = match source.unwrap(&envelope.key).await {
                Ok(Some(key)) => match decrypt(&key) {
                    Some(content) => {
                        self.remember(envelope.key, key, by_fallback);
                        return Ok(opened(content, by_fallback));
                    }
                    None => CipherError::Refused { with: source.describe() },
                },
                Ok(None) => continue,
                Err(e) => e,
            };
            problem.get_or_insert(found);
        }
        Err(problem.unwrap_or_else(|| {
            let known = [&self.key, &self.fallback].into_iter().flatten().map(|source| source.describe());
            let known = known.collect::<Vec<_>>().join(" and ");
            let known = if known.is_empty() { "none".to_owned() } else { known };
            CipherError::OtherKey { with: envelope.key.describe(), known }
        }))
    }

    fn remembered(&self, wrapped: &WrappedKey) -> Option<(DataKey, bool)> {
        if let Some((key, made)) = self.made.get()
            && made == wrapped
        {
            return Some((key.clone(), false));
        }
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        opened.iter().find(|(known, ..)| known == wrapped).map(|(_, key, by_fallback)| (key.clone(), *by_fallback))
    }

    fn remember(&self, wrapped: WrappedKey, key: DataKey, by_fallback: bool) {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.len() >= REMEMBERED {
            opened.remove(0);
        }
        opened.push((wrapped, key, by_fallback));
    }
}

/// Random bytes.
fn random<const N: usize>() -> Result<[u8; N], CipherError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|e| OperationError {
        operation: "get random bytes from the system".to_owned(),
        cause: e.to_string(),
        help: None,
        transient: true,
    })?;
    Ok(bytes)
}
