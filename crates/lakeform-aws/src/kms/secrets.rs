//! `ephemeral.aws_kms_secrets`

use std::collections::{BTreeMap, HashMap};

use aws_sdk_kms::{primitives::Blob, types::EncryptionAlgorithmSpec};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use lakeform_core::Path;
use lakeform_provider::{Context, DataSource, Model, ProviderError, Result};

use crate::{AwsClient, error::During};

/// Texts that KMS decrypts, for the time of a run.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct SecretsModel {
    /// The texts by name.
    #[attr(computed, sensitive)]
    plaintext: Option<BTreeMap<String, String>>,
    /// What is to be decrypted.
    #[block(set)]
    secret: Vec<Secret>,
}

/// Something encrypted.
#[derive(Model, Clone, Debug, Default)]
struct Secret {
    /// The encryption context that it was encrypted with.
    #[attr(optional)]
    context: Option<BTreeMap<String, String>>,
    /// `SYMMETRIC_DEFAULT`, `RSAES_OAEP_SHA_1`, `RSAES_OAEP_SHA_256`, `SM2PKE`
    #[attr(optional)]
    encryption_algorithm: Option<String>,
    /// Tokens of grants that may not be known everywhere yet.
    #[attr(optional)]
    grant_tokens: Option<Vec<String>>,
    /// The key; needed where it is asymmetric.
    #[attr(optional)]
    key_id: Option<String>,
    /// What it is called in `plaintext`.
    #[attr(required)]
    name: String,
    /// The result of KMS Encrypt, in base64.
    #[attr(required)]
    payload: String,
}

/// `ephemeral.aws_kms_secrets`
pub(crate) struct Secrets;

impl DataSource for Secrets {
    type Client = AwsClient;
    type Model = SecretsModel;
    const NAME: &'static str = "aws_kms_secrets";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut SecretsModel) -> Result<()> {
        let mut plaintext = BTreeMap::new();
        for secret in &object.secret {
            plaintext.insert(secret.name.clone(), decrypt(cx.client, secret).await?);
        }
        object.plaintext = Some(plaintext);
        Ok(())
    }
}

/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html>
async fn decrypt(client: &AwsClient, secret: &Secret) -> Result<String> {
    let invalid = |why: &str| {
        let mut error = ProviderError::invalid(format!("secret {:?} {why}", secret.name));
        error.attribute = Some(Path::attr("secret"));
        error
    };
    let payload = BASE64.decode(&secret.payload).map_err(|_| invalid("has a payload that is not base64"))?;
    let context = secret.context.clone().map(HashMap::from_iter);
    let answer = client
        .kms()
        .decrypt()
        .ciphertext_blob(Blob::new(payload))
        .set_encryption_context(context)
        .set_grant_tokens(secret.grant_tokens.clone())
        .set_key_id(secret.key_id.clone())
        .set_encryption_algorithm(secret.encryption_algorithm.as_deref().map(EncryptionAlgorithmSpec::from))
        .send()
        .await
        .during("kms:Decrypt")?;
    let text = answer.plaintext.unwrap_or_else(|| Blob::new("")).into_inner();
    String::from_utf8(text).map_err(|_| invalid("is no text once it is decrypted"))
}
