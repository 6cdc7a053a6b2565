//! `data.aws_sns_topic`

use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::topic::read_tags;
use crate::{AwsClient, error::During, tags::Tags};

/// A topic of the account, by its name.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct TopicDataModel {
    /// ARN of the topic.
    #[attr(computed)]
    arn: Option<String>,
    /// ARN of the topic.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the topic.
    #[attr(required)]
    name: String,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
}

/// `data.aws_sns_topic`
pub(crate) struct TopicData;

impl DataSource for TopicData {
    type Client = AwsClient;
    type Model = TopicDataModel;
    const NAME: &'static str = "aws_sns_topic";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut TopicDataModel) -> Result<()> {
        let mut topics = cx.client.sns().list_topics().into_paginator().items().send();
        let mut arn = None;
        while let Some(topic) = topics.next().await {
            let found = topic.during("sns:ListTopics")?.topic_arn.unwrap_or_default();
            if found.rsplit(':').next() == Some(&object.name) {
                arn = Some(found);
                break;
            }
        }
        let Some(arn) = arn else {
            let message = format!("there is no topic {:?}", object.name);
            return Err(ProviderError::new(ErrorKind::NotFound, message).operation("sns:ListTopics"));
        };
        let tags = read_tags(cx, &arn).await?.unwrap_or_default();
        object.tags = Some(cx.client.tags().shown(tags));
        object.id = Some(arn.clone());
        object.arn = Some(arn);
        Ok(())
    }
}
