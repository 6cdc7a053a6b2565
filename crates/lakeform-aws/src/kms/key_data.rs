//! `data.aws_kms_key`

use aws_sdk_kms::types::MultiRegionKey;
use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use crate::{
    AwsClient,
    error::During,
    stored::{text, time},
};

/// A KMS key.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct KeyDataModel {
    /// ARN of the key.
    #[attr(computed)]
    arn: Option<String>,
    /// Account that owns the key.
    #[attr(computed)]
    aws_account_id: Option<String>,
    /// CloudHSM cluster that holds the key.
    #[attr(computed)]
    cloud_hsm_cluster_id: Option<String>,
    /// When the key was made.
    #[attr(computed)]
    creation_date: Option<String>,
    /// Custom key store that holds the key.
    #[attr(computed)]
    custom_key_store_id: Option<String>,
    /// Kind of key; the old name of `key_spec`.
    #[attr(computed)]
    customer_master_key_spec: Option<String>,
    /// When the key will be deleted.
    #[attr(computed)]
    deletion_date: Option<String>,
    /// What the key is for.
    #[attr(computed)]
    description: Option<String>,
    /// Whether the key can be used.
    #[attr(computed)]
    enabled: Option<bool>,
    /// Whether imported key material expires.
    #[attr(computed)]
    expiration_model: Option<String>,
    /// Tokens of grants that may not be known everywhere yet.
    #[attr(optional)]
    grant_tokens: Option<Vec<String>>,
    /// Id of the key.
    #[attr(optional, computed)]
    id: Option<String>,
    /// The key: its id, ARN, alias or the alias's ARN.
    #[attr(required)]
    key_id: String,
    /// `CUSTOMER` or `AWS`
    #[attr(computed)]
    key_manager: Option<String>,
    /// Kind of key.
    #[attr(computed)]
    key_spec: Option<String>,
    /// `Enabled`, `Disabled`, `PendingDeletion`, ...
    #[attr(computed)]
    key_state: Option<String>,
    /// `ENCRYPT_DECRYPT`, `SIGN_VERIFY`, ...
    #[attr(computed)]
    key_usage: Option<String>,
    /// Whether the key can be replicated into other regions.
    #[attr(computed)]
    multi_region: Option<bool>,
    /// Its replicas and primary key.
    #[attr(computed)]
    multi_region_configuration: Vec<MultiRegion>,
    /// Where the key material comes from.
    #[attr(computed)]
    origin: Option<String>,
    /// Days that a primary key waits for its replicas to be deleted.
    #[attr(computed)]
    pending_deletion_window_in_days: Option<i64>,
    /// When imported key material expires.
    #[attr(computed)]
    valid_to: Option<String>,
    /// The key in an external key store.
    #[attr(computed)]
    xks_key_configuration: Vec<External>,
}

/// Replicas and primary key.
#[derive(Model, Clone, Debug, Default)]
struct MultiRegion {
    /// `PRIMARY` or `REPLICA`
    #[attr(computed)]
    multi_region_key_type: Option<String>,
    /// The primary key.
    #[attr(computed)]
    primary_key: Vec<Regional>,
    /// The replicas.
    #[attr(computed)]
    replica_keys: Vec<Regional>,
}

/// A key in a region.
#[derive(Model, Clone, Debug, Default)]
struct Regional {
    /// ARN of the key.
    #[attr(computed)]
    arn: Option<String>,
    /// Region of the key.
    #[attr(computed)]
    region: Option<String>,
}

/// A key in an external key store.
#[derive(Model, Clone, Debug, Default)]
struct External {
    /// Its id there.
    #[attr(computed)]
    id: Option<String>,
}

/// `data.aws_kms_key`
pub(crate) struct KeyData;

impl From<&MultiRegionKey> for Regional {
    fn from(key: &MultiRegionKey) -> Self {
        Self { arn: key.arn.clone(), region: key.region.clone() }
    }
}

impl DataSource for KeyData {
    type Client = AwsClient;
    type Model = KeyDataModel;
    const NAME: &'static str = "aws_kms_key";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut KeyDataModel) -> Result<()> {
        let call = cx.client.kms().describe_key().key_id(&object.key_id).set_grant_tokens(object.grant_tokens.clone());
        let answer = call.send().await.during("kms:DescribeKey")?;
        let Some(key) = answer.key_metadata else {
            return Err(ProviderError::new(ErrorKind::NotFound, "the answer holds no key").operation("kms:DescribeKey"));
        };
        object.id = Some(key.key_id().to_owned());
        object.arn = key.arn.clone();
        object.aws_account_id = text(key.aws_account_id());
        object.cloud_hsm_cluster_id = text(key.cloud_hsm_cluster_id());
        object.creation_date = time(key.creation_date());
        object.custom_key_store_id = text(key.custom_key_store_id());
        object.customer_master_key_spec = text(key.key_spec().map(|s| s.as_str()));
        object.deletion_date = time(key.deletion_date());
        object.description = text(key.description());
        object.enabled = Some(key.enabled);
        object.expiration_model = text(key.expiration_model().map(|m| m.as_str()));
        object.key_manager = text(key.key_manager().map(|m| m.as_str()));
        object.key_spec = text(key.key_spec().map(|s| s.as_str()));
        object.key_state = text(key.key_state().map(|s| s.as_str()));
        object.key_usage = text(key.key_usage().map(|u| u.as_str()));
        object.multi_region = Some(key.multi_region == Some(true));
        object.origin = text(key.origin().map(|o| o.as_str()));
        object.pending_deletion_window_in_days = Some(key.pending_deletion_window_in_days.map_or(0, i64::from));
        object.valid_to = time(key.valid_to());
        object.multi_region_configuration = key
            .multi_region_configuration()
            .map(|m| MultiRegion {
                multi_region_key_type: text(m.multi_region_key_type().map(|t| t.as_str())),
                primary_key: m.primary_key().map(Regional::from).into_iter().collect(),
                replica_keys: m.replica_keys().iter().map(Regional::from).collect(),
            })
            .into_iter()
            .collect();
        let external = key.xks_key_configuration().map(|x| External { id: x.id.clone() });
        object.xks_key_configuration = external.into_iter().collect();
        Ok(())
    }
}
