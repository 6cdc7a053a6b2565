//! `tls_private_key`

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, ErrorKind, Field as _, FoundBy, Model, ProviderError, ResourceType, Result};
use md5::Digest as _;
use ssh_key::LineEnding;

use super::key::{Key, KeyError};
use crate::provider::Local;

/// A key pair that is made once. The private key is kept in state.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct PrivateKeyModel {
    /// `RSA`, `ECDSA` or `ED25519`
    #[attr(required, force_new)]
    algorithm: String,
    /// The curve of an `ECDSA` key: `P224` (default), `P256`, `P384` or `P521`.
    #[attr(optional, computed, force_new, default = "P224")]
    ecdsa_curve: Option<String>,
    /// SHA-1 of the public key.
    #[attr(computed)]
    id: Option<String>,
    /// Comment in the key for OpenSSH.
    #[attr(optional, force_new)]
    openssh_comment: Option<String>,
    /// The private key for OpenSSH; empty for the curve `P224`, which it does not know.
    #[attr(computed, sensitive)]
    private_key_openssh: Option<String>,
    /// The private key as PEM.
    #[attr(computed, sensitive)]
    private_key_pem: Option<String>,
    /// The private key as PEM in PKCS#8.
    #[attr(computed, sensitive)]
    private_key_pem_pkcs8: Option<String>,
    /// MD5 of the public key, as OpenSSH writes it: `aa:bb:cc:...`
    #[attr(computed)]
    public_key_fingerprint_md5: Option<String>,
    /// SHA-256 of the public key, as OpenSSH writes it: `SHA256:...`
    #[attr(computed)]
    public_key_fingerprint_sha256: Option<String>,
    /// The public key as a line of `authorized_keys`.
    #[attr(computed)]
    public_key_openssh: Option<String>,
    /// The public key as PEM.
    #[attr(computed)]
    public_key_pem: Option<String>,
    /// How many bits an `RSA` key has. Default: 2048.
    #[attr(optional, computed, force_new, default = 2048)]
    rsa_bits: Option<i64>,
}

/// `tls_private_key`
pub(crate) struct PrivateKey;

/// The sizes of RSA keys that make sense: smaller ones are no secret, larger ones take minutes to make.
const BITS: std::ops::RangeInclusive<i64> = 1024..=16384;

fn failed(e: impl std::fmt::Display) -> ProviderError {
    ProviderError::new(ErrorKind::Other, format!("the key cannot be made: {e}"))
}

impl ResourceType for PrivateKey {
    type Client = Local;
    type Model = PrivateKeyModel;
    const NAME: &'static str = "tls_private_key";
    const VERSION: u64 = 1;
    const FOUND_BY: FoundBy = FoundBy::Local;

    fn plan(_: &Local, change: &mut Change<'_>) -> Result<()> {
        for (name, values) in
            [("algorithm", &["RSA", "ECDSA", "ED25519"][..]), ("ecdsa_curve", &["P224", "P256", "P384", "P521"])]
        {
            match change.config.get(name).and_then(Value::as_str) {
                Some(given) if !values.contains(&given) => {
                    let message = format!("{name} is {given:?}; expected is one of {}", values.join(", "));
                    return Err(ProviderError::invalid(message).attribute(Path::attr(name)));
                }
                _ => {}
            }
        }
        match change.config.get("rsa_bits").and_then(Value::as_i64) {
            Some(bits) if !BITS.contains(&bits) => {
                let message = format!("rsa_bits is {bits}; expected is {} to {}", BITS.start(), BITS.end());
                Err(ProviderError::invalid(message).attribute(Path::attr("rsa_bits")))
            }
            _ => Ok(()),
        }
    }

    /// Version 0 knew fewer spellings.
    fn upgrade(_: u64, stored: Value) -> Option<Value> {
        let mut object = PrivateKeyModel::from_value(&stored);
        let pem = object.private_key_pem.clone()?;
        let key = Key::read(&object.algorithm, object.ecdsa_curve.as_deref().unwrap_or_default(), &pem).ok()?;
        let openssh = object.private_key_openssh.clone().filter(|text| !text.is_empty());
        object.spell(&key).ok()?;
        object.private_key_pem = Some(pem);
        object.private_key_openssh = openssh.or(object.private_key_openssh);
        Some(object.into_value())
    }

    async fn read(_: &Context<'_, Local>, prior: PrivateKeyModel) -> Result<Option<PrivateKeyModel>> {
        Ok(Some(prior))
    }

    async fn create(_: &Context<'_, Local>, object: &mut PrivateKeyModel) -> Result<()> {
        let (algorithm, curve) = (object.algorithm.clone(), object.ecdsa_curve.clone().unwrap_or_default());
        let bits = object.rsa_bits.and_then(|bits| usize::try_from(bits).ok()).unwrap_or_default();
        let key = tokio::task::spawn_blocking(move || Key::generate(&algorithm, bits, &curve)).await;
        object.spell(&key.map_err(failed)?.map_err(failed)?).map_err(failed)
    }

    async fn update(_: &Context<'_, Local>, _: &PrivateKeyModel, _: &mut PrivateKeyModel) -> Result<()> {
        Ok(())
    }

    async fn delete(_: &Context<'_, Local>, _: &PrivateKeyModel) -> Result<()> {
        Ok(())
    }

    fn import(_: &Context<'_, Local>, _: &str) -> Result<PrivateKeyModel> {
        Err(ProviderError::invalid("a tls_private_key cannot be imported"))
    }
}

impl PrivateKeyModel {
    /// Writes the key in all spellings.
    fn spell(&mut self, key: &Key) -> Result<(), KeyError> {
        let hex = |bytes: &[u8], between: &str| {
            bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(between)
        };
        self.id = Some(hex(&sha1::Sha1::digest(trimmed(&key.public_der()?)), ""));
        self.private_key_pem = Some(key.pem()?);
        self.private_key_pem_pkcs8 = Some(key.pkcs8_pem()?);
        self.public_key_pem = Some(key.public_pem()?);
        let ssh = key.openssh(self.openssh_comment.as_deref().unwrap_or_default())?;
        let public = ssh.as_ref().map(ssh_key::PrivateKey::public_key);
        let wire = public.map(ssh_key::PublicKey::to_bytes).transpose()?;
        let openssh = ssh.as_ref().map(|ssh| ssh.to_openssh(LineEnding::LF)).transpose()?;
        self.private_key_openssh = Some(openssh.map(|text| text.to_string()).unwrap_or_default());
        let line = public.map(ssh_key::PublicKey::to_openssh).transpose()?;
        self.public_key_openssh = Some(line.map(|line| format!("{}\n", line.trim_end())).unwrap_or_default());
        let md5 = wire.as_ref().map(|wire| hex(&md5::Md5::digest(wire), ":"));
        self.public_key_fingerprint_md5 = Some(md5.unwrap_or_default());
        let sha256 = wire.map(|wire| format!("SHA256:{}", STANDARD_NO_PAD.encode(sha2::Sha256::digest(wire))));
        self.public_key_fingerprint_sha256 = Some(sha256.unwrap_or_default());
        Ok(())
    }
}

/// Go's `strings.TrimSpace`, which Terraform's provider applies even to the bytes of a key.
fn trimmed(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key of each kind in all spellings. The RSA key is a small one: these are made in no time.
    fn all() -> Vec<(Key, PrivateKeyModel)> {
        let kinds = [
            ("RSA", "P224"),
            ("ECDSA", "P224"),
            ("ECDSA", "P256"),
            ("ECDSA", "P384"),
            ("ECDSA", "P521"),
            ("ED25519", "P224"),
        ];
        kinds
            .map(|(algorithm, curve)| {
                let key = Key::generate(algorithm, 1024, curve).unwrap();
                let mut object = PrivateKeyModel {
                    algorithm: algorithm.into(),
                    ecdsa_curve: Some(curve.into()),
                    openssh_comment: Some("me".into()),
                    ..PrivateKeyModel::default()
                };
                object.spell(&key).unwrap();
                (key, object)
            })
            .into()
    }

    #[test]
    fn all_spellings_are_of_one_key() {
        for (_, object) in all() {
            let text = |field: &Option<String>| field.clone().unwrap();
            let (algorithm, curve) = (object.algorithm.as_str(), text(&object.ecdsa_curve));
            let again = Key::read(algorithm, &curve, &text(&object.private_key_pem)).unwrap();
            assert_eq!(Some(again.public_pem().unwrap()), object.public_key_pem, "{algorithm} {curve}");
            assert_eq!(Some(again.pkcs8_pem().unwrap()), object.private_key_pem_pkcs8, "{algorithm} {curve}");
            let kind = if algorithm == "RSA" { "RSA PRIVATE" } else { "EC PRIVATE" };
            let kind = if algorithm == "ED25519" { "PRIVATE" } else { kind };
            assert!(text(&object.private_key_pem).starts_with(&format!("-----BEGIN {kind} KEY-----\n")));
            assert!(text(&object.private_key_pem_pkcs8).starts_with("-----BEGIN PRIVATE KEY-----\n"));
            assert!(text(&object.public_key_pem).ends_with("-----END PUBLIC KEY-----\n"));
            assert_eq!(text(&object.id).len(), 40);
            if (algorithm, curve.as_str()) == ("ECDSA", "P224") {
                assert_eq!(
                    (text(&object.private_key_openssh), text(&object.public_key_openssh)),
                    ("".into(), "".into())
                );
                assert_eq!(text(&object.public_key_fingerprint_md5), "");
                continue;
            }
            let private = ssh_key::PrivateKey::from_openssh(text(&object.private_key_openssh)).unwrap();
            let public = ssh_key::PublicKey::from_openssh(&text(&object.public_key_openssh)).unwrap();
            assert_eq!((private.public_key(), public.comment()), (&public, "me"));
            let fingerprint = public.fingerprint(ssh_key::HashAlg::Sha256).to_string();
            assert_eq!(text(&object.public_key_fingerprint_sha256), fingerprint);
            assert_eq!(text(&object.public_key_fingerprint_md5).len(), 47);
        }
    }

    #[test]
    fn version_0_gets_what_it_lacks() {
        for (_, object) in all() {
            let mut old = object.clone();
            old.openssh_comment = None;
            (old.private_key_openssh, old.private_key_pem_pkcs8, old.public_key_fingerprint_sha256) =
                (None, None, None);
            let new = PrivateKeyModel::from_value(&PrivateKey::upgrade(0, old.into_value()).unwrap());
            assert_eq!(new.private_key_pem, object.private_key_pem);
            assert_eq!(new.private_key_pem_pkcs8, object.private_key_pem_pkcs8);
            assert_eq!(new.public_key_fingerprint_sha256, object.public_key_fingerprint_sha256);
            assert_eq!(new.id, object.id);
        }
        assert!(PrivateKey::upgrade(0, PrivateKeyModel::default().into_value()).is_none());
    }
}
