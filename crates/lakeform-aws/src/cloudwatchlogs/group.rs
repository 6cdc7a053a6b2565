//! `aws_cloudwatch_log_group`

use std::time::Duration;

use aws_sdk_cloudwatchlogs::types::{LogGroup as Found, LogGroupClass};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, ErrorKind, FoundBy, Model, ProviderError, ResourceType, Result, Wait};

use super::GONE;
use crate::{
    AwsClient, check,
    error::{Absent, During},
    naming,
    propagation::settle,
    tags::{TagChanges, Tags},
};

/// A log group of CloudWatch Logs.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct LogGroupModel {
    /// ARN of the group, without the `:*` that CloudWatch puts behind it.
    #[attr(computed)]
    arn: Option<String>,
    /// The group's name.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARN of the KMS key that encrypts the logs.
    #[attr(optional)]
    kms_key_id: Option<String>,
    /// `STANDARD` (AWS's default), `INFREQUENT_ACCESS` or `DELIVERY`.
    #[attr(optional, computed, force_new)]
    log_group_class: Option<String>,
    /// Name of the group. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// Days that logs are kept; 0 keeps them for ever. Default: 0.
    #[attr(optional, default = 0)]
    retention_in_days: Option<i64>,
    /// Whether the group stays when it is destroyed here. Default: `false`.
    #[attr(optional, default = false)]
    skip_destroy: Option<bool>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
}

/// `aws_cloudwatch_log_group`
pub(crate) struct LogGroup;

/// What PutRetentionPolicy takes; 0 stands for no policy.
const RETENTION: &[i64] =
    &[0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

impl ResourceType for LogGroup {
    type Client = AwsClient;
    type Model = LogGroupModel;
    const NAME: &'static str = "aws_cloudwatch_log_group";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::not_both(change, "name", "name_prefix")?;
        check::one_of(change, "log_group_class", LogGroupClass::values())?;
        check::length(change, "name", 1..=512)?;
        check::length(change, "name_prefix", 1..=486)?;
        for name in ["name", "name_prefix"] {
            let text = change.config.get(name).and_then(Value::as_str).unwrap_or_default();
            let good = |c: char| c.is_ascii_alphanumeric() || "_-/.#".contains(c);
            if !text.chars().all(good) {
                let expected = "expected are letters, digits, `_`, `-`, `/`, `.` and `#`";
                return Err(
                    ProviderError::invalid(format!("{name} is {text:?}; {expected}")).attribute(Path::attr(name))
                );
            }
        }
        match change.config.get("retention_in_days").and_then(Value::as_i64) {
            Some(days) if !RETENTION.contains(&days) => {
                let all: Vec<_> = RETENTION.iter().map(i64::to_string).collect();
                let message = format!("retention_in_days is {days}; expected is one of {}", all.join(", "));
                Err(ProviderError::invalid(message).attribute(Path::attr("retention_in_days")))
            }
            _ => Ok(()),
        }
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: LogGroupModel) -> Result<Option<LogGroupModel>> {
        let Some(name) = object.id.clone() else { return Ok(None) };
        let tags = async {
            // The tags are asked for by ARN, which an import does not know yet.
            let Some(arn) = object.arn.clone() else { return Ok(None) };
            read_tags(cx, &arn).await.map(Some)
        };
        let (found, tags) = tokio::join!(find(cx, &name), tags);
        let Some(found) = found? else { return Ok(None) };
        let stored = object.arn.clone();
        object.take(&name, &found);
        let tags = match tags? {
            Some(tags) if object.arn == stored => tags,
            _ => read_tags(cx, object.arn.as_deref().unwrap_or_default()).await?,
        };
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        object.skip_destroy.get_or_insert(false);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut LogGroupModel) -> Result<()> {
        let logs = cx.client.cloudwatchlogs();
        let name = naming::choose(object.name.as_deref(), object.name_prefix.as_deref(), "", cx.token);
        let tags = object.tags_all.iter().flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
        logs.create_log_group()
            .log_group_name(&name)
            .set_kms_key_id(object.kms_key_id.clone().filter(|key| !key.is_empty()))
            .set_log_group_class(object.log_group_class.as_deref().map(Into::into))
            .set_tags(object.tags_all.as_ref().filter(|tags| !tags.is_empty()).map(|_| tags))
            .send()
            .await
            .during("logs:CreateLogGroup")?;
        object.id = Some(name.clone());
        if object.retention_in_days.is_some_and(|days| days != 0) {
            set_retention(cx, &name, object.retention_in_days).await?;
        }
        let wait = Wait::new("log group to be known everywhere", Duration::from_secs(60));
        let found = cx
            .retry(wait, ProviderError::is_not_found, || async {
                let missing = || ProviderError::new(ErrorKind::NotFound, "the new log group does not show yet");
                find(cx, &name).await?.ok_or_else(|| missing().operation("logs:DescribeLogGroups"))
            })
            .await?;
        object.take(&name, &found);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(naming::choose(planned.name.as_deref(), planned.name_prefix.as_deref(), "", cx.token));
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &LogGroupModel, object: &mut LogGroupModel) -> Result<()> {
        let logs = cx.client.cloudwatchlogs();
        let name = prior.id.clone().unwrap_or_default();
        if prior.retention_in_days != object.retention_in_days {
            set_retention(cx, &name, object.retention_in_days).await?;
        }
        if prior.kms_key_id != object.kms_key_id {
            match object.kms_key_id.as_ref().filter(|key| !key.is_empty()) {
                Some(key) => {
                    let call = logs.associate_kms_key().log_group_name(&name).kms_key_id(key);
                    call.send().await.during("logs:AssociateKmsKey").map(drop)?;
                }
                None => {
                    let call = logs.disassociate_kms_key().log_group_name(&name);
                    call.send().await.during("logs:DisassociateKmsKey").map(drop)?;
                }
            }
        }
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        let arn = prior.arn.clone().unwrap_or_default();
        if !tags.remove.is_empty() {
            let call = logs.untag_resource().resource_arn(&arn).set_tag_keys(Some(tags.remove.clone()));
            call.send().await.during("logs:UntagResource")?;
        }
        if !tags.set.is_empty() {
            let call = logs.tag_resource().resource_arn(&arn).set_tags(Some(tags.set.into_iter().collect()));
            call.send().await.during("logs:TagResource")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &LogGroupModel) -> Result<()> {
        if object.skip_destroy == Some(true) {
            return Ok(());
        }
        let call = || async {
            let call = cx.client.cloudwatchlogs().delete_log_group().set_log_group_name(object.id.clone());
            call.send().await.during("logs:DeleteLogGroup")
        };
        settle(cx, call).await.absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<LogGroupModel> {
        Ok(LogGroupModel { id: Some(id.to_owned()), ..LogGroupModel::default() })
    }
}

impl LogGroupModel {
    /// What the API says of the group.
    fn take(&mut self, name: &str, found: &Found) {
        self.id = Some(name.to_owned());
        self.name = Some(name.to_owned());
        self.name_prefix.get_or_insert_with(|| naming::prefix_of(name));
        self.arn = Some(bare_arn(found));
        self.kms_key_id = Some(found.kms_key_id.clone().unwrap_or_default());
        self.log_group_class = Some(found.log_group_class().map(|c| c.as_str().to_owned()).unwrap_or_default());
        self.retention_in_days = Some(found.retention_in_days.map_or(0, i64::from));
    }
}

/// ARN of the group, without the `:*` that CloudWatch puts behind it.
pub(super) fn bare_arn(found: &Found) -> String {
    let arn = found.arn().unwrap_or_default();
    arn.strip_suffix(":*").unwrap_or(arn).to_owned()
}

/// The group of exactly this name.
pub(super) async fn find(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<Found>> {
    let call = cx.client.cloudwatchlogs().describe_log_groups().log_group_name_prefix(name);
    let mut groups = call.into_paginator().items().send();
    while let Some(group) = groups.next().await {
        let group = group.during("logs:DescribeLogGroups")?;
        if group.log_group_name() == Some(name) {
            return Ok(Some(group));
        }
    }
    Ok(None)
}

pub(super) async fn read_tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Tags> {
    let answer = cx.client.cloudwatchlogs().list_tags_for_resource().resource_arn(arn).send().await;
    let answer = answer.during("logs:ListTagsForResource").absent_ok(GONE)?;
    Ok(answer.and_then(|answer| answer.tags).unwrap_or_default().into_iter().collect())
}

/// Sets how many days logs are kept; 0 means for ever.
async fn set_retention(cx: &Context<'_, AwsClient>, name: &str, days: Option<i64>) -> Result<()> {
    let logs = cx.client.cloudwatchlogs();
    match days.and_then(|days| i32::try_from(days).ok()).filter(|days| *days > 0) {
        Some(days) => {
            let call = logs.put_retention_policy().log_group_name(name).retention_in_days(days);
            call.send().await.during("logs:PutRetentionPolicy").map(drop)
        }
        None => {
            let call = logs.delete_retention_policy().log_group_name(name);
            call.send().await.during("logs:DeleteRetentionPolicy").map(drop)
        }
    }
}
