//! `data.aws_kms_alias`

use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::alias::{find, target_arn};
use crate::{AwsClient, error::During};

/// A name for a KMS key.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct AliasDataModel {
    /// ARN of the alias.
    #[attr(computed)]
    arn: Option<String>,
    /// ARN of the alias.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name, beginning with `alias/`.
    #[attr(required)]
    name: String,
    /// ARN of the key.
    #[attr(computed)]
    target_key_arn: Option<String>,
    /// Id of the key.
    #[attr(computed)]
    target_key_id: Option<String>,
}

/// `data.aws_kms_alias`
pub(crate) struct AliasData;

impl DataSource for AliasData {
    type Client = AwsClient;
    type Model = AliasDataModel;
    const NAME: &'static str = "aws_kms_alias";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut AliasDataModel) -> Result<()> {
        let kms = cx.client.kms();
        let Some(alias) = find(kms, &object.name, None).await? else {
            let message = format!("there is no KMS alias {:?} in {}", object.name, cx.client.region());
            return Err(ProviderError::new(ErrorKind::NotFound, message).operation("kms:ListAliases"));
        };
        object.id = alias.alias_arn.clone();
        object.arn = alias.alias_arn.clone();
        match (alias.target_key_id(), alias.alias_arn()) {
            (Some(key), Some(arn)) => {
                object.target_key_id = Some(key.to_owned());
                object.target_key_arn = Some(target_arn(arn, key));
            }
            // An alias of AWS's own has no key until it is first used; DescribeKey brings it to life.
            _ => {
                let answer = kms.describe_key().key_id(&object.name).send().await.during("kms:DescribeKey")?;
                object.target_key_id = answer.key_metadata().map(|k| k.key_id().to_owned());
                object.target_key_arn = answer.key_metadata().and_then(|k| k.arn.clone());
            }
        }
        Ok(())
    }
}
