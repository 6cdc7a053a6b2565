//! `data.aws_caller_identity`

use lakeform_provider::{Context, DataSource, Model, Result};

use crate::{AwsClient, error::During};

/// Who the credentials belong to.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct CallerIdentityModel {
    /// The account.
    #[attr(computed)]
    account_id: Option<String>,
    /// ARN of the user or assumed role.
    #[attr(computed)]
    arn: Option<String>,
    /// The account.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Unique identifier of the user or assumed role.
    #[attr(computed)]
    user_id: Option<String>,
}

/// `data.aws_caller_identity`
pub(crate) struct CallerIdentity;

impl DataSource for CallerIdentity {
    type Client = AwsClient;
    type Model = CallerIdentityModel;
    const NAME: &'static str = "aws_caller_identity";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut CallerIdentityModel) -> Result<()> {
        let answer = cx.client.sts().get_caller_identity().send().await.during("sts:GetCallerIdentity")?;
        object.account_id = answer.account;
        object.id.clone_from(&object.account_id);
        object.arn = answer.arn;
        object.user_id = answer.user_id;
        Ok(())
    }
}
