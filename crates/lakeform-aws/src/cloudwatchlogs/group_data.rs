//! `data.aws_cloudwatch_log_group`

use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::group::{bare_arn, find, read_tags};
use crate::{AwsClient, stored::text, tags::Tags};

/// A log group of CloudWatch Logs.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct LogGroupDataModel {
    /// ARN of the group, without the `:*` that CloudWatch puts behind it.
    #[attr(computed)]
    arn: Option<String>,
    /// When the group was made, in milliseconds since 1970.
    #[attr(computed)]
    creation_time: Option<i64>,
    /// The group's name.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARN of the KMS key that encrypts the logs.
    #[attr(computed)]
    kms_key_id: Option<String>,
    /// `STANDARD`, `INFREQUENT_ACCESS` or `DELIVERY`
    #[attr(computed)]
    log_group_class: Option<String>,
    /// Name of the group.
    #[attr(required)]
    name: String,
    /// Days that logs are kept; 0: for ever.
    #[attr(computed)]
    retention_in_days: Option<i64>,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
}

/// `data.aws_cloudwatch_log_group`
pub(crate) struct LogGroupData;

impl DataSource for LogGroupData {
    type Client = AwsClient;
    type Model = LogGroupDataModel;
    const NAME: &'static str = "aws_cloudwatch_log_group";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut LogGroupDataModel) -> Result<()> {
        let Some(found) = find(cx, &object.name).await? else {
            let message = format!("there is no log group {:?}", object.name);
            return Err(ProviderError::new(ErrorKind::NotFound, message).operation("logs:DescribeLogGroups"));
        };
        let arn = bare_arn(&found);
        object.tags = Some(cx.client.tags().shown(read_tags(cx, &arn).await?));
        object.arn = Some(arn);
        object.creation_time = found.creation_time;
        object.id = Some(object.name.clone());
        object.kms_key_id = text(found.kms_key_id());
        object.log_group_class = text(found.log_group_class().map(|class| class.as_str()));
        object.retention_in_days = Some(found.retention_in_days.map_or(0, i64::from));
        Ok(())
    }
}
