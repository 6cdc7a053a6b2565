//! `data.aws_secretsmanager_secret`

use lakeform_core::Path;
use lakeform_provider::{Context, DataSource, Model, ProviderError, Result};

use super::{expect, live_tags, policy_of};
use crate::{
    AwsClient, policy,
    stored::{given, text, time},
    tags::Tags,
};

/// A secret, without its value.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct SecretDataModel {
    /// ARN of the secret; this or `name` is set.
    #[attr(optional, computed)]
    arn: Option<String>,
    /// When the secret was made.
    #[attr(computed)]
    created_date: Option<String>,
    /// What the secret is for.
    #[attr(computed)]
    description: Option<String>,
    /// ARN of the secret.
    #[attr(optional, computed)]
    id: Option<String>,
    /// KMS key that encrypts the secret; empty: AWS's own.
    #[attr(computed)]
    kms_key_id: Option<String>,
    /// When the secret was last changed in any way.
    #[attr(computed)]
    last_changed_date: Option<String>,
    /// Name of the secret.
    #[attr(optional, computed)]
    name: Option<String>,
    /// The policy of the secret.
    #[attr(computed)]
    policy: Option<String>,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
}

/// `data.aws_secretsmanager_secret`
pub(crate) struct SecretData;

impl DataSource for SecretData {
    type Client = AwsClient;
    type Model = SecretDataModel;
    const NAME: &'static str = "aws_secretsmanager_secret";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut SecretDataModel) -> Result<()> {
        let id = match (given(&object.arn), given(&object.name)) {
            (Some(id), None) | (None, Some(id)) => id,
            _ => return Err(ProviderError::invalid("one of arn and name is expected").attribute(Path::attr("arn"))),
        };
        let (live, policy) = tokio::join!(expect(cx, &id), policy_of(cx, &id));
        let (live, policy) = (live?, policy?);
        object.tags = Some(cx.client.tags().shown(live_tags(&live)));
        object.created_date = time(live.created_date());
        object.description = text(live.description());
        object.kms_key_id = text(live.kms_key_id());
        object.last_changed_date = time(live.last_changed_date());
        object.policy = Some(policy::normal(&policy));
        object.id = live.arn.clone();
        object.arn = live.arn;
        object.name = live.name;
        Ok(())
    }
}
