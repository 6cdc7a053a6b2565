//! `rsadecrypt`

use base64::{Engine, prelude::BASE64_STANDARD};
use lakeform_core::Value;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey, pkcs1::DecodeRsaPrivateKey, pkcs8::DecodePrivateKey};

use super::Fault;
use crate::syntax::text_value;

/// Opens a Base64 text that was sealed with PKCS #1 v1.5 for the key, which is PEM without a passphrase.
pub(super) fn decrypt(ciphertext: &str, key: &str) -> Result<Value, Fault> {
    let sealed = BASE64_STANDARD.decode(ciphertext.replace(['\r', '\n'], "")).map_err(|_| {
        Fault::arg(0, "failed to decode input \"(sensitive value)\": cipher text must be base64-encoded")
    })?;
    let key = RsaPrivateKey::from_pkcs1_pem(key).ok().or_else(|| RsaPrivateKey::from_pkcs8_pem(key).ok()).ok_or_else(
        || Fault::arg(1, "failed to parse key: no RSA private key in PEM is there, or it needs a passphrase"),
    )?;
    let open = key
        .decrypt(Pkcs1v15Encrypt, &sealed)
        .map_err(|_| Fault::from("failed to decrypt: crypto/rsa: decryption error"))?;
    String::from_utf8(open).map(|s| text_value(&s)).map_err(|_| Fault::from("the decrypted text is not valid UTF-8"))
}
