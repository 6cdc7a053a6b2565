//! Data keys from a passphrase.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{CipherError, DataKey, KeySource, WrappedKey, random};
use crate::{BoxFuture, OperationError, local::blocking};

/// How many characters a passphrase has at least.
pub const MIN_PASSPHRASE: usize = 16;

/// Argon2id with the second of the two settings that RFC 9106 recommends: 64 MiB, 3 passes, 4 lanes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;

/// The most that a file may ask for: whoever can write it must not be able to exhaust this machine.
const MOST: (u32, u32, u32) = (1024 * 1024, 16, 16);

/// What tells one secret from another, and costs much to find the secret from: Argon2id as for a login (19 MiB, 2 passes).
/// `None` if `salt` is shorter than 8 bytes.
pub fn fingerprint(secret: &[u8], salt: &[u8]) -> Option<[u8; 32]> {
    let mut out = [0; 32];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(19 * 1024, 2, 1, Some(32)).ok()?);
    argon2.hash_password_into(secret, salt, &mut out).ok()?;
    Some(out)
}

/// A passphrase. The key of each run is derived from it with a salt of its own.
pub struct Passphrase {
    text: Arc<Zeroizing<String>>,
    /// What was derived: reading one file twice must not take twice as long.
    derived: Mutex<Vec<(WrappedKey, DataKey)>>,
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(sensitive)")
    }
}

impl Passphrase {
    /// The passphrase `text`; `None` if it has fewer than [`MIN_PASSPHRASE`] characters.
    pub fn new(text: impl Into<String>) -> Option<Self> {
        let text = Zeroizing::new(text.into());
        let long = text.chars().count() >= MIN_PASSPHRASE;
        long.then(|| Self { text: Arc::new(text), derived: Mutex::default() })
    }

    async fn derive(&self, wrapped: &WrappedKey) -> Result<Option<DataKey>, CipherError> {
        let WrappedKey::Argon2id { salt, memory_kib, passes, lanes } = wrapped else { return Ok(None) };
        let known = |(_, key): &(_, DataKey)| key.clone();
        let derived = || self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = derived().iter().find(|(known, _)| known == wrapped).map(known) {
            return Ok(Some(key));
        }
        if *memory_kib > MOST.0 || *passes > MOST.1 || *lanes > MOST.2 {
            return Err(CipherError::Damaged("deriving its key would take more than this machine should give".into()));
        }
        let damaged = |e: &dyn fmt::Display| CipherError::Damaged(format!("the parameters of its key: {e}"));
        let params = Params::new(*memory_kib, *passes, *lanes, Some(32)).map_err(|e| damaged(&e))?;
        let salt = STANDARD.decode(salt).map_err(|e| damaged(&e))?;
        let text = self.text.clone();
        let key = blocking(move || {
            let mut key = Zeroizing::new([0; 32]);
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            match argon2.hash_password_into(text.as_bytes(), &salt, &mut *key) {
                Ok(()) => Ok(DataKey(key)),
                Err(e) => Err(Failed(e.to_string())),
            }
        });
        let key = key.await.map_err(|Failed(e)| damaged(&e))?;
        derived().push((wrapped.clone(), key.clone()));
        Ok(Some(key))
    }
}

/// Why a key could not be derived.
struct Failed(String);

impl From<OperationError> for Failed {
    fn from(e: OperationError) -> Self {
        Self(e.to_string())
    }
}

impl KeySource for Passphrase {
    fn make(&self) -> BoxFuture<'_, Result<(DataKey, WrappedKey), CipherError>> {
        Box::pin(async move {
            let salt = STANDARD.encode(random::<16>()?);
            let wrapped = WrappedKey::Argon2id { salt, memory_kib: MEMORY_KIB, passes: PASSES, lanes: LANES };
            let key = self.derive(&wrapped).await?;
            let key = key.ok_or_else(|| CipherError::OtherKey { with: wrapped.describe(), known: self.describe() })?;
            Ok((key, wrapped))
        })
    }

    fn unwrap<'a>(&'a self, wrapped: &'a WrappedKey) -> BoxFuture<'a, Result<Option<DataKey>, CipherError>> {
        Box::pin(self.derive(wrapped))
    }

    fn describe(&self) -> String {
        "a passphrase".to_owned()
    }
}
