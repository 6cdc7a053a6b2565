//! Key pairs and their spellings.

use ed25519_dalek::{SigningKey, pkcs8::KeypairBytes};
use p256::elliptic_curve::{
    self, AffinePoint, CurveArithmetic, FieldBytesSize,
    sec1::{FromEncodedPoint, ModulusSize, ToEncodedPoint},
};
use rsa::{
    RsaPrivateKey,
    pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _},
    pkcs8::{
        self, DecodePrivateKey as _, EncodePrivateKey as _, EncodePublicKey as _, LineEnding,
        der::{self, pem},
    },
    rand_core::OsRng,
    traits::{PrivateKeyParts as _, PublicKeyParts as _},
};
use sec1::{EcParameters, EcPrivateKey, der::EncodePem as _, pkcs8::AssociatedOid};
use ssh_key::{
    Mpint,
    private::{
        EcdsaKeypair, EcdsaPrivateKey, Ed25519Keypair, Ed25519PrivateKey, KeypairData, RsaKeypair,
        RsaPrivateKey as SshRsaPrivateKey,
    },
    public::{Ed25519PublicKey, RsaPublicKey as SshRsaPublicKey},
};

/// A key pair.
pub(super) enum Key {
    Rsa(Box<RsaPrivateKey>),
    P224(p224::SecretKey),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Ed25519(SigningKey),
}

/// Why a key cannot be made, read or spelled.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeyError {
    #[error("{0}")]
    Rsa(#[from] rsa::Error),
    #[error("{0}")]
    Pkcs1(#[from] rsa::pkcs1::Error),
    #[error("{0}")]
    Pkcs8(#[from] pkcs8::Error),
    #[error("{0}")]
    Spki(#[from] pkcs8::spki::Error),
    #[error("{0}")]
    Der(#[from] der::Error),
    #[error("{0}")]
    EllipticCurve(#[from] elliptic_curve::Error),
    #[error("{0}")]
    Ssh(#[from] ssh_key::Error),
    #[error("there is no algorithm {0:?}")]
    Unknown(String),
}

/// The same for each elliptic curve.
macro_rules! each_curve {
    ($key:expr, $secret:ident => $do:expr) => {
        match $key {
            Key::P224($secret) => Some($do),
            Key::P256($secret) => Some($do),
            Key::P384($secret) => Some($do),
            Key::P521($secret) => Some($do),
            Key::Rsa(_) | Key::Ed25519(_) => None,
        }
    };
}

impl Key {
    /// Makes a key. An RSA key takes seconds.
    pub(super) fn generate(algorithm: &str, bits: usize, curve: &str) -> Result<Self, KeyError> {
        Ok(match (algorithm, curve) {
            ("RSA", _) => Self::Rsa(Box::new(RsaPrivateKey::new(&mut OsRng, bits)?)),
            ("ECDSA", "P224") => Self::P224(p224::SecretKey::random(&mut OsRng)),
            ("ECDSA", "P256") => Self::P256(p256::SecretKey::random(&mut OsRng)),
            ("ECDSA", "P384") => Self::P384(p384::SecretKey::random(&mut OsRng)),
            ("ECDSA", "P521") => Self::P521(p521::SecretKey::random(&mut OsRng)),
            ("ED25519", _) => Self::Ed25519(SigningKey::generate(&mut OsRng)),
            (other, _) => return Err(KeyError::Unknown(other.to_owned())),
        })
    }

    /// Reads what [`Key::pem`] writes.
    pub(super) fn read(algorithm: &str, curve: &str, pem: &str) -> Result<Self, KeyError> {
        Ok(match (algorithm, curve) {
            ("RSA", _) => Self::Rsa(Box::new(RsaPrivateKey::from_pkcs1_pem(pem)?)),
            ("ECDSA", "P224") => Self::P224(p224::SecretKey::from_sec1_pem(pem)?),
            ("ECDSA", "P256") => Self::P256(p256::SecretKey::from_sec1_pem(pem)?),
            ("ECDSA", "P384") => Self::P384(p384::SecretKey::from_sec1_pem(pem)?),
            ("ECDSA", "P521") => Self::P521(p521::SecretKey::from_sec1_pem(pem)?),
            ("ED25519", _) => Self::Ed25519(SigningKey::from_pkcs8_pem(pem)?),
            (other, _) => return Err(KeyError::Unknown(other.to_owned())),
        })
    }

    /// The private key as PEM, in the format of its own algorithm (PKCS#1, SEC 1), else in PKCS#8.
    pub(super) fn pem(&self) -> Result<String, KeyError> {
        if let Some(pem) = each_curve!(self, secret => sec1_pem(secret)) {
            return pem;
        }
        match self {
            Self::Rsa(key) => Ok(key.to_pkcs1_pem(LineEnding::LF)?.to_string()),
            _ => self.pkcs8_pem(),
        }
    }

    /// The private key as PEM in PKCS#8.
    pub(super) fn pkcs8_pem(&self) -> Result<String, KeyError> {
        if let Some(pem) = each_curve!(self, secret => secret.to_pkcs8_pem(LineEnding::LF)) {
            return Ok(pem?.to_string());
        }
        Ok(match self {
            Self::Rsa(key) => key.to_pkcs8_pem(LineEnding::LF)?.to_string(),
            Self::Ed25519(key) => {
                // Without the public key, which older programs do not expect in it.
                let pair = KeypairBytes { secret_key: key.to_bytes(), public_key: None };
                pair.to_pkcs8_pem(LineEnding::LF)?.to_string()
            }
            _ => String::new(),
        })
    }

    /// The public key in DER.
    pub(super) fn public_der(&self) -> Result<Vec<u8>, KeyError> {
        if let Some(der) = each_curve!(self, secret => secret.public_key().to_public_key_der()) {
            return Ok(der?.into_vec());
        }
        Ok(match self {
            Self::Rsa(key) => key.to_public_key().to_public_key_der()?.into_vec(),
            Self::Ed25519(key) => key.verifying_key().to_public_key_der()?.into_vec(),
            _ => vec![],
        })
    }

    /// The public key as PEM.
    pub(super) fn public_pem(&self) -> Result<String, KeyError> {
        let der = self.public_der()?;
        Ok(pem::encode_string("PUBLIC KEY", LineEnding::LF, &der).map_err(der::Error::from)?)
    }

    /// The key in OpenSSH's words; `None` where OpenSSH does not know the curve.
    pub(super) fn openssh(&self, comment: &str) -> Result<Option<ssh_key::PrivateKey>, KeyError> {
        let pair = match self {
            Self::P224(_) => return Ok(None),
            Self::Rsa(key) => {
                let mpint = |n: &rsa::BigUint| Mpint::from_positive_bytes(&n.to_bytes_be());
                let inverse = key.crt_coefficient().ok_or(rsa::Error::Internal)?;
                let [p, q] = key.primes() else { return Err(rsa::Error::NprimesTooSmall.into()) };
                KeypairData::Rsa(RsaKeypair {
                    public: SshRsaPublicKey { e: mpint(key.e())?, n: mpint(key.n())? },
                    private: SshRsaPrivateKey {
                        d: mpint(key.d())?,
                        iqmp: mpint(&inverse)?,
                        p: mpint(p)?,
                        q: mpint(q)?,
                    },
                })
            }
            Self::P256(key) => KeypairData::Ecdsa(EcdsaKeypair::NistP256 {
                public: key.public_key().to_encoded_point(false),
                private: EcdsaPrivateKey::from(key.clone()),
            }),
            Self::P384(key) => KeypairData::Ecdsa(EcdsaKeypair::NistP384 {
                public: key.public_key().to_encoded_point(false),
                private: EcdsaPrivateKey::from(key.clone()),
            }),
            Self::P521(key) => KeypairData::Ecdsa(EcdsaKeypair::NistP521 {
                public: key.public_key().to_encoded_point(false),
                private: EcdsaPrivateKey::from(key.clone()),
            }),
            Self::Ed25519(key) => KeypairData::Ed25519(Ed25519Keypair {
                public: Ed25519PublicKey(key.verifying_key().to_bytes()),
                private: Ed25519PrivateKey::from_bytes(&key.to_bytes()),
            }),
        };
        Ok(Some(ssh_key::PrivateKey::new(pair, comment)?))
    }
}

/// An EC private key as PEM with the name of its curve, without which nobody knows what it is.
fn sec1_pem<C>(secret: &elliptic_curve::SecretKey<C>) -> Result<String, KeyError>
where
    C: AssociatedOid + CurveArithmetic,
    AffinePoint<C>: FromEncodedPoint<C> + ToEncodedPoint<C>,
    FieldBytesSize<C>: ModulusSize,
{
    let public = secret.public_key().to_encoded_point(false);
    let key = EcPrivateKey {
        private_key: &secret.to_bytes(),
        parameters: Some(EcParameters::NamedCurve(C::OID)),
        public_key: Some(public.as_bytes()),
    };
    Ok(key.to_pem(LineEnding::LF)?)
}
