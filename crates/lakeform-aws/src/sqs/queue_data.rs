//! `data.aws_sqs_queue`

use aws_sdk_sqs::types::QueueAttributeName;
use lakeform_provider::{Context, DataSource, Model, Result};

use super::queue::read_tags;
use crate::{AwsClient, error::During, tags::Tags};

/// A queue of the account, by its name.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct QueueDataModel {
    /// ARN of the queue.
    #[attr(computed)]
    arn: Option<String>,
    /// URL of the queue.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the queue.
    #[attr(required)]
    name: String,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
    /// URL of the queue.
    #[attr(computed)]
    url: Option<String>,
}

/// `data.aws_sqs_queue`
pub(crate) struct QueueData;

impl DataSource for QueueData {
    type Client = AwsClient;
    type Model = QueueDataModel;
    const NAME: &'static str = "aws_sqs_queue";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut QueueDataModel) -> Result<()> {
        let sqs = cx.client.sqs();
        let answer = sqs.get_queue_url().queue_name(&object.name).send().await.during("sqs:GetQueueUrl")?;
        let url = answer.queue_url.unwrap_or_default();
        let arn = async {
            let name = QueueAttributeName::QueueArn;
            let call = sqs.get_queue_attributes().queue_url(&url).attribute_names(name.clone());
            let answer = call.send().await.during("sqs:GetQueueAttributes")?;
            Ok(answer.attributes.unwrap_or_default().remove(&name))
        };
        let (arn, tags) = tokio::join!(arn, read_tags(cx, &url));
        object.arn = arn?;
        object.tags = Some(cx.client.tags().shown(tags?.unwrap_or_default()));
        object.id = Some(url.clone());
        object.url = Some(url);
        Ok(())
    }
}
