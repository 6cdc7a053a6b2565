//! What encrypted content is stored as: JSON that no one takes for a state.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use super::CipherError;

/// The layout that this version writes and reads.
const FORMAT: u64 = 1;

/// How content is encrypted. There is one way, and its name is authenticated with the rest.
const METHOD: &str = "AES-256-GCM";

/// The name of the first field, by which an envelope is known. There is no `version`, so that Terraform refuses it.
const MARK: &str = "lakeform_encryption";

/// What can be known of sealed content without its key, and cannot be changed without notice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Label {
    /// What it is: `state`, `plan`, ...
    pub kind: String,
    /// The lineage of the state that it is or belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lineage: Option<String>,
    /// The state's serial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<u64>,
    /// Whatever else a reader must know beforehand: of a plan, the stack.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
}

/// What it takes to get a data key again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum WrappedKey {
    /// It is derived from a passphrase.
    Argon2id {
        /// 16 random bytes, base64.
        salt: String,
        /// The memory that the derivation takes, in KiB.
        memory_kib: u32,
        /// How often it goes over the memory.
        passes: u32,
        /// In how many lanes.
        lanes: u32,
    },
    /// KMS made it.
    Kms {
        /// The ARN of the KMS key.
        key_id: String,
        /// The data key as KMS encrypted it, base64.
        data_key: String,
    },
}

impl WrappedKey {
    /// What it was wrapped with, as a user would name it.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Argon2id { .. } => "a passphrase".to_owned(),
            Self::Kms { key_id, .. } => format!("KMS key {key_id}"),
        }
    }
}

/// Sealed content with all that it takes to open it.
#[derive(Debug)]
pub(super) struct Envelope {
    pub(super) label: Label,
    pub(super) key: WrappedKey,
    pub(super) nonce: [u8; 12],
    pub(super) ciphertext: Vec<u8>,
}

/// The file, its fields in this order.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    lakeform_encryption: u64,
    method: String,
    label: Label,
    key: WrappedKey,
    nonce: String,
    ciphertext: String,
}

/// The part of the file that is authenticated with the content.
#[derive(Serialize)]
struct Header<'a> {
    lakeform_encryption: u64,
    method: &'a str,
    label: &'a Label,
    key: &'a WrappedKey,
}

/// Only the format, whatever else is there.
#[derive(Deserialize)]
struct FormatOnly {
    lakeform_encryption: Option<serde_json::Number>,
}

impl Envelope {
    pub(super) fn new(label: Label, key: WrappedKey, nonce: [u8; 12]) -> Self {
        Self { label, key, nonce, ciphertext: Vec::new() }
    }

    /// What must be the same when it is opened, besides the content.
    pub(super) fn authenticated(&self) -> Vec<u8> {
        let header = Header { lakeform_encryption: FORMAT, method: METHOD, label: &self.label, key: &self.key };
        serde_json::to_vec(&header).unwrap_or_default()
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let file = File {
            lakeform_encryption: FORMAT,
            method: METHOD.to_owned(),
            label: self.label.clone(),
            key: self.key.clone(),
            nonce: STANDARD.encode(self.nonce),
            ciphertext: STANDARD.encode(&self.ciphertext),
        };
        let mut bytes = serde_json::to_vec(&file).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// `None` if it is no envelope at all.
    pub(super) fn parse(bytes: &[u8]) -> Result<Option<Self>, CipherError> {
        let damaged = |what: String| CipherError::Damaged(what);
        let file = match serde_json::from_slice::<File>(bytes) {
            Ok(file) if file.lakeform_encryption == FORMAT => file,
            other => return refusal(bytes, other.err()),
        };
        if file.method != METHOD {
            return Err(damaged(format!("its method is {:?}, not {METHOD:?}", file.method)));
        }
        let decode = |name: &str, text: &str| STANDARD.decode(text).map_err(|e| damaged(format!("`{name}`: {e}")));
        let nonce = decode("nonce", &file.nonce)?;
        Ok(Some(Self {
            label: file.label,
            key: file.key,
            nonce: nonce.try_into().map_err(|_| damaged("`nonce` is not 12 bytes long".to_owned()))?,
            ciphertext: decode("ciphertext", &file.ciphertext)?,
        }))
    }
}

/// What is wrong with something that is no envelope of this format, if it is one at all.
fn refusal(bytes: &[u8], error: Option<serde_json::Error>) -> Result<Option<Envelope>, CipherError> {
    let format = match serde_json::from_slice::<FormatOnly>(bytes) {
        Ok(FormatOnly { lakeform_encryption: None }) => return Ok(None),
        Ok(FormatOnly { lakeform_encryption: Some(format) }) => format.as_u64(),
        Err(_) if !begins_as_one(bytes) => return Ok(None),
        Err(_) => None,
    };
    Err(match (format, error) {
        (Some(format), _) if format > FORMAT => CipherError::Newer(format),
        (_, Some(e)) => CipherError::Damaged(e.to_string()),
        (_, None) => CipherError::Damaged(format!("`{MARK}` is not {FORMAT}")),
    })
}

/// Whether bytes that are no JSON (cut off, overwritten) begin as an envelope does.
fn begins_as_one(bytes: &[u8]) -> bool {
    let words = bytes.trim_ascii_start().strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
    words.and_then(|rest| rest.strip_prefix(b"\"")).is_some_and(|rest| rest.starts_with(MARK.as_bytes()))
}

/// The label of sealed content; `None` if bytes are nothing sealed.
///
/// # Errors
/// When it is damaged or of a later format.
pub fn label(bytes: &[u8]) -> Result<Option<Label>, CipherError> {
    Ok(Envelope::parse(bytes)?.map(|envelope| envelope.label))
}

/// What something is encrypted with, where it is encrypted: for those who have no key at all.
pub(crate) fn sealed_with(bytes: &[u8]) -> Option<String> {
    match Envelope::parse(bytes) {
        Ok(None) => None,
        Ok(Some(envelope)) => Some(envelope.key.describe()),
        Err(_) => Some("a key that cannot be told".to_owned()),
    }
}
