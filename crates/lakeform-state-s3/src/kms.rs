//! Data keys from KMS.

use std::sync::Arc;

use aws_config::{Region, SdkConfig};
use aws_sdk_kms::{operation::decrypt::DecryptError, primitives::Blob, types::DataKeySpec};
use base64::{Engine, engine::general_purpose::STANDARD};
use lakeform_state::{BoxFuture, CipherError, DataKey, KeySource, OperationError, WrappedKey};

use crate::{
    Connection, S3Backend,
    connect::{base, own_endpoint, take_role},
    error::{Call, code, failed},
    http,
};

/// What key policies and CloudTrail see, and what a data key is bound to.
const CONTEXT: (&str, &str) = ("lakeform", "state");

/// Which KMS key, and how it is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KmsSettings {
    /// The key: id, ARN, alias (`alias/state`) or the alias's ARN.
    pub key_id: String,
    /// Its region; by default that of its ARN, else the backend's.
    pub region: Option<String>,
    /// An endpoint that differs from AWS's.
    pub endpoint: Option<String>,
}

/// A KMS key that makes data keys.
#[derive(Clone, Debug)]
pub struct KmsKey {
    kms: aws_sdk_kms::Client,
    key_id: Arc<str>,
}

impl KmsKey {
    /// A key that is reached as the backend is: with its credentials, role, proxy and certificates.
    ///
    /// # Errors
    /// With a certificate bundle or proxy that cannot be used.
    pub fn of(connection: &Connection, settings: KmsSettings) -> Result<Self, OperationError> {
        Self::with(&connection.backend, &connection.sdk, settings)
    }

    /// A key that is reached by what `access` says of region, profile, credentials and roles; its bucket does not matter.
    ///
    /// # Errors
    /// Without a region, or as [`KmsKey::of`].
    pub async fn open(access: &S3Backend, settings: KmsSettings) -> Result<Self, OperationError> {
        Self::with(access, &take_role(access, base(access).await?)?, settings)
    }

    fn with(access: &S3Backend, sdk: &SdkConfig, settings: KmsSettings) -> Result<Self, OperationError> {
        let KmsSettings { key_id, region, endpoint } = settings;
        let region = region.or_else(|| region_of(&key_id).map(str::to_owned)).map(Region::new);
        let Some(region) = region.or_else(|| sdk.region().cloned()) else {
            return Err(OperationError {
                operation: format!("use KMS key {key_id}"),
                cause: "no region is set".to_owned(),
                help: Some("set `region` of `encryption`, name the key by its ARN, or set AWS_REGION".to_owned()),
                transient: false,
            });
        };
        let endpoint = endpoint.or_else(|| own_endpoint(sdk, "KMS"));
        let mut config = aws_sdk_kms::config::Builder::from(sdk)
            .region(region)
            .http_client(http::client(access, endpoint.as_deref())?);
        config.set_endpoint_url(endpoint);
        Ok(Self { kms: aws_sdk_kms::Client::from_conf(config.build()), key_id: key_id.into() })
    }

    async fn generate(&self) -> Result<(DataKey, WrappedKey), CipherError> {
        let object = self.describe();
        let call = Call { name: "GenerateDataKey", service: "kms", object: &object };
        let made = self
            .kms
            .generate_data_key()
            .key_id(&*self.key_id)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context(CONTEXT.0, CONTEXT.1)
            .send()
            .await
            .map_err(|e| failed(&call, &e))?;
        let key = made.plaintext.as_ref().and_then(|plain| DataKey::new(plain.as_ref()));
        let (Some(key), Some(wrapped)) = (key, made.ciphertext_blob) else {
            return Err(no_key(&call).into());
        };
        let key_id = made.key_id.unwrap_or_else(|| self.key_id.to_string());
        Ok((key, WrappedKey::Kms { key_id, data_key: STANDARD.encode(wrapped) }))
    }

    async fn decrypt(&self, wrapped: &WrappedKey) -> Result<Option<DataKey>, CipherError> {
        let WrappedKey::Kms { key_id: of, data_key } = wrapped else { return Ok(None) };
        if is_other_key(&self.key_id, of) {
            return Ok(None);
        }
        let blob = STANDARD.decode(data_key).map_err(|e| CipherError::Damaged(format!("`data_key`: {e}")))?;
        let object = self.describe();
        let call = Call { name: "Decrypt", service: "kms", object: &object };
        // Naming the key: what somebody else's key encrypted is not to be opened, though KMS would find that key by itself.
        let decrypt = self.kms.decrypt().key_id(&*self.key_id).ciphertext_blob(Blob::new(blob));
        match decrypt.encryption_context(CONTEXT.0, CONTEXT.1).send().await {
            Ok(opened) => match opened.plaintext.as_ref().and_then(|plain| DataKey::new(plain.as_ref())) {
                Some(key) => Ok(Some(key)),
                None => Err(no_key(&call).into()),
            },
            Err(e) if matches!(e.as_service_error(), Some(DecryptError::IncorrectKeyException(_))) => Ok(None),
            Err(e) if code(&e) == Some("InvalidCiphertextException") => {
                Err(CipherError::Refused { with: self.describe() })
            }
            Err(e) => Err(failed(&call, &e).into()),
        }
    }
}

fn no_key(call: &Call<'_>) -> OperationError {
    OperationError {
        operation: format!("{} {}", call.name, call.object),
        cause: "the answer holds no key of AES-256".to_owned(),
        help: Some("name a symmetric key (SYMMETRIC_DEFAULT)".to_owned()),
        transient: false,
    }
}

/// The region in an ARN.
fn region_of(key_id: &str) -> Option<&str> {
    key_id.strip_prefix("arn:")?.split(':').nth(2).filter(|region| !region.is_empty())
}

/// Whether a configured key is surely not the one with this ARN. An alias can be any; a multi-Region key has one id in all
/// its Regions.
fn is_other_key(configured: &str, arn: &str) -> bool {
    if configured.starts_with("alias/") || configured.contains(":alias/") {
        return false;
    }
    let id = |text: &str| text.rsplit('/').next().unwrap_or_default().to_owned();
    id(configured) != id(arn)
}

impl KeySource for KmsKey {
    fn make(&self) -> BoxFuture<'_, Result<(DataKey, WrappedKey), CipherError>> {
        Box::pin(self.generate())
    }

    fn unwrap<'a>(&'a self, wrapped: &'a WrappedKey) -> BoxFuture<'a, Result<Option<DataKey>, CipherError>> {
        Box::pin(self.decrypt(wrapped))
    }

    fn describe(&self) -> String {
        format!("KMS key {}", self.key_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_by_their_ids() {
        let arn = "arn:aws:kms:eu-west-2:123456789012:key/mrk-1";
        for same in ["mrk-1", arn, "arn:aws:kms:us-east-1:123456789012:key/mrk-1", "alias/state"] {
            assert!(!is_other_key(same, arn), "{same}");
        }
        assert!(!is_other_key("arn:aws:kms:eu-west-2:123456789012:alias/state", arn));
        for other in ["mrk-2", "arn:aws:kms:eu-west-2:123456789012:key/2"] {
            assert!(is_other_key(other, arn), "{other}");
        }
        assert_eq!(region_of(arn), Some("eu-west-2"));
        assert_eq!(region_of("alias/state"), None);
    }
}
