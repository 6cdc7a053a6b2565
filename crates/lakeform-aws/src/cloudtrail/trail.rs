//! `aws_cloudtrail`

use aws_sdk_cloudtrail::types::{Tag, Trail};
use lakeform_core::Value;
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use super::trail_selectors::{AdvancedSelector, Insight, Selector, check_selectors};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    propagation::settle,
    tags::{TagChanges, Tags, to_map},
};

/// A trail: calls of the account's APIs, recorded into a bucket.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct TrailModel {
    /// ARN of the trail.
    #[attr(computed)]
    arn: Option<String>,
    /// ARN of a log group that gets the events too, with `:*` at its end.
    #[attr(optional)]
    cloud_watch_logs_group_arn: Option<String>,
    /// Role that writes into the log group.
    #[attr(optional)]
    cloud_watch_logs_role_arn: Option<String>,
    /// Whether digests let a reader find out that files were changed. Default: `false`.
    #[attr(optional, default = false)]
    enable_log_file_validation: Option<bool>,
    /// Whether events are recorded. Default: `true`.
    #[attr(optional, default = true)]
    enable_logging: Option<bool>,
    /// Region in which the trail was created.
    #[attr(computed)]
    home_region: Option<String>,
    /// ARN of the trail.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Whether events of global services such as IAM are recorded. Default: `true`.
    #[attr(optional, default = true)]
    include_global_service_events: Option<bool>,
    /// Whether events of all regions are recorded. Default: `false`.
    #[attr(optional, default = false)]
    is_multi_region_trail: Option<bool>,
    /// Whether events of all accounts of the organization are recorded. Default: `false`.
    #[attr(optional, default = false)]
    is_organization_trail: Option<bool>,
    /// ARN of the KMS key that encrypts files.
    #[attr(optional)]
    kms_key_id: Option<String>,
    /// Name of the trail.
    #[attr(required, force_new)]
    name: String,
    /// Bucket that gets the files.
    #[attr(required)]
    s3_bucket_name: String,
    /// What the names of files begin with.
    #[attr(optional)]
    s3_key_prefix: Option<String>,
    /// ARN of the topic.
    #[attr(computed)]
    sns_topic_arn: Option<String>,
    /// Name or ARN of a topic that is told of each file.
    #[attr(optional)]
    sns_topic_name: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Events that are recorded, chosen by many of their fields. Excludes `event_selector`.
    #[block(list)]
    advanced_event_selector: Vec<AdvancedSelector>,
    /// Events that are recorded. Without any: all management events.
    #[block(list, max = 5)]
    event_selector: Vec<Selector>,
    /// What is looked for in the events.
    #[block(set)]
    insight_selector: Vec<Insight>,
}

/// `aws_cloudtrail`
pub(crate) struct CloudTrail;

/// What says that there is no such trail.
const GONE: &[&str] = &["TrailNotFoundException"];

impl ResourceType for CloudTrail {
    type Client = AwsClient;
    type Model = TrailModel;
    const NAME: &'static str = "aws_cloudtrail";
    const IDENTITY: &'static [&'static str] = &["name"];
    const VERSION: u64 = 1;
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let whole = check::Part::whole(change);
        for name in ["cloud_watch_logs_group_arn", "cloud_watch_logs_role_arn", "kms_key_id"] {
            whole.arn(name)?;
        }
        whole.length("name", 3..=128)?;
        whole.length("s3_key_prefix", 0..=2000)?;
        check_selectors(&whole)?;
        if !change.is_create() && change.changes("sns_topic_name") {
            change.set_unknown("sns_topic_arn");
        }
        Ok(())
    }

    /// The identifier was the name once.
    fn upgrade(_from: u64, mut stored: Value) -> Option<Value> {
        if let Some(arn) = stored.get("arn").filter(|arn| !arn.is_null()).cloned() {
            stored.set_attr("id", arn);
        }
        Some(stored)
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: TrailModel) -> Result<Option<TrailModel>> {
        let arn = object.id.clone().unwrap_or_default();
        let cloudtrail = cx.client.cloudtrail();
        let trail = async {
            let answer = cloudtrail.describe_trails().trail_name_list(&arn).send().await;
            let answer = answer.during("cloudtrail:DescribeTrails").absent_ok(GONE)?;
            let mut trails = answer.and_then(|answer| answer.trail_list).unwrap_or_default().into_iter();
            Ok(trails.find(|trail| trail.trail_arn() == Some(&arn)))
        };
        let status = async {
            let answer = cloudtrail.get_trail_status().name(&arn).send().await;
            answer.during("cloudtrail:GetTrailStatus").absent_ok(GONE)
        };
        let (trail, status, tags) = tokio::join!(trail, status, read_tags(cx, &arn));
        let trail: Result<Option<Trail>> = trail;
        let (Some(trail), Some(status), Some(tags)) = (trail?, status?, tags?) else { return Ok(None) };
        object.enable_logging = Some(status.is_logging().unwrap_or_default());
        if trail.has_custom_event_selectors() == Some(true) {
            let answer = cloudtrail.get_event_selectors().trail_name(&arn).send().await;
            let Some(found) = answer.during("cloudtrail:GetEventSelectors").absent_ok(GONE)? else { return Ok(None) };
            object.event_selector = Selector::all(found.event_selectors(), &object.event_selector);
            object.advanced_event_selector =
                found.advanced_event_selectors().iter().map(AdvancedSelector::from).collect();
        }
        if trail.has_insight_selectors() == Some(true) {
            let answer = cloudtrail.get_insight_selectors().trail_name(&arn).send().await;
            let found = answer.during("cloudtrail:GetInsightSelectors").absent_ok(&["InsightNotEnabledException"])?;
            if let Some(found) = found {
                object.insight_selector = found.insight_selectors().iter().map(Insight::from).collect();
            }
        }
        object.take(trail);
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut TrailModel) -> Result<()> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let tags = sdk_tags(object.tags_all.iter().flatten())?;
        let call = || async {
            cx.client
                .cloudtrail()
                .create_trail()
                .name(&object.name)
                .s3_bucket_name(&object.s3_bucket_name)
                .set_s3_key_prefix(given(&object.s3_key_prefix))
                .set_sns_topic_name(given(&object.sns_topic_name))
                .set_include_global_service_events(object.include_global_service_events)
                .set_is_multi_region_trail(object.is_multi_region_trail)
                .set_is_organization_trail(object.is_organization_trail)
                .set_enable_log_file_validation(object.enable_log_file_validation)
                .set_cloud_watch_logs_log_group_arn(given(&object.cloud_watch_logs_group_arn))
                .set_cloud_watch_logs_role_arn(given(&object.cloud_watch_logs_role_arn))
                .set_kms_key_id(given(&object.kms_key_id))
                .set_tags_list((!tags.is_empty()).then(|| tags.clone()))
                .send()
                .await
                .during("cloudtrail:CreateTrail")
        };
        let answer = settle(cx, call).await?;
        let arn = answer.trail_arn.unwrap_or_default();
        object.id = Some(arn.clone());
        object.arn = Some(arn.clone());
        object.sns_topic_arn = answer.sns_topic_arn;
        object.home_region = Some(cx.client.region().to_owned());
        // A new trail records nothing.
        if object.enable_logging == Some(true) {
            set_logging(cx, &arn, true).await?;
        }
        if !object.event_selector.is_empty() || !object.advanced_event_selector.is_empty() {
            object.put_selectors(cx, &arn).await?;
        }
        if !object.insight_selector.is_empty() {
            object.put_insights(cx, &arn).await?;
        }
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let arn = cx.client.arn("cloudtrail", cx.client.region(), &format!("trail/{}", planned.name)).await?;
        let answer = cx.client.cloudtrail().get_event_selectors().trail_name(&arn).send().await;
        let Some(found) = answer.during("cloudtrail:GetEventSelectors").absent_ok(GONE)? else { return Ok(None) };
        // A trail without any selectors does not say so when it is read.
        planned.event_selector.clear();
        planned.advanced_event_selector = found.advanced_event_selectors().iter().map(AdvancedSelector::from).collect();
        planned.insight_selector.clear();
        planned.id = Some(arn);
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &TrailModel, object: &mut TrailModel) -> Result<()> {
        let cloudtrail = cx.client.cloudtrail();
        let arn = prior.id.clone().unwrap_or_default();
        // An empty text takes back what was set.
        let text = |new: &Option<String>, old: &Option<String>| (new != old).then(|| new.clone().unwrap_or_default());
        let flag = |new: Option<bool>, old: Option<bool>| if new == old { None } else { new };
        if object.settings() != prior.settings() {
            let call = cloudtrail.update_trail().name(&arn);
            // The API wants these two together.
            let logs = object.cloud_watch_logs_group_arn != prior.cloud_watch_logs_group_arn
                || object.cloud_watch_logs_role_arn != prior.cloud_watch_logs_role_arn;
            let both = |arn: &Option<String>| logs.then(|| arn.clone().unwrap_or_default());
            let bucket = (object.s3_bucket_name != prior.s3_bucket_name).then(|| object.s3_bucket_name.clone());
            let call = call
                .set_cloud_watch_logs_log_group_arn(both(&object.cloud_watch_logs_group_arn))
                .set_cloud_watch_logs_role_arn(both(&object.cloud_watch_logs_role_arn))
                .set_enable_log_file_validation(flag(
                    object.enable_log_file_validation,
                    prior.enable_log_file_validation,
                ))
                .set_include_global_service_events(flag(
                    object.include_global_service_events,
                    prior.include_global_service_events,
                ))
                .set_is_multi_region_trail(flag(object.is_multi_region_trail, prior.is_multi_region_trail))
                .set_is_organization_trail(flag(object.is_organization_trail, prior.is_organization_trail))
                .set_kms_key_id(text(&object.kms_key_id, &prior.kms_key_id))
                .set_s3_bucket_name(bucket)
                .set_s3_key_prefix(text(&object.s3_key_prefix, &prior.s3_key_prefix))
                .set_sns_topic_name(text(&object.sns_topic_name, &prior.sns_topic_name));
            let update = || async { call.clone().send().await.during("cloudtrail:UpdateTrail") };
            object.sns_topic_arn = settle(cx, update).await?.sns_topic_arn;
        }
        if object.enable_logging != prior.enable_logging {
            set_logging(cx, &arn, object.enable_logging == Some(true)).await?;
        }
        if object.event_selector != prior.event_selector
            || object.advanced_event_selector != prior.advanced_event_selector
        {
            object.put_selectors(cx, &arn).await?;
        }
        if object.insight_selector != prior.insight_selector {
            object.put_insights(cx, &arn).await?;
        }
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        if !tags.remove.is_empty() {
            let removed = tags.remove.iter().map(|key| Tag::builder().key(key).build().map_err(invalid));
            let call = cloudtrail.remove_tags().resource_id(&arn).set_tags_list(Some(removed.collect::<Result<_>>()?));
            call.send().await.during("cloudtrail:RemoveTags")?;
        }
        if !tags.set.is_empty() {
            let call = cloudtrail.add_tags().resource_id(&arn).set_tags_list(Some(sdk_tags(&tags.set)?));
            call.send().await.during("cloudtrail:AddTags")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &TrailModel) -> Result<()> {
        let answer = cx.client.cloudtrail().delete_trail().set_name(object.id.clone()).send().await;
        answer.during("cloudtrail:DeleteTrail").absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<TrailModel> {
        if !check::is_arn(id) {
            return Err(ProviderError::invalid(format!("a trail is imported by its ARN, not by {id:?}")));
        }
        Ok(TrailModel { id: Some(id.to_owned()), ..TrailModel::default() })
    }
}

impl TrailModel {
    /// What UpdateTrail sets.
    fn settings(&self) -> ([Option<&str>; 6], [Option<bool>; 4]) {
        let texts = [
            &self.cloud_watch_logs_group_arn,
            &self.cloud_watch_logs_role_arn,
            &self.kms_key_id,
            &self.s3_key_prefix,
            &self.sns_topic_name,
        ];
        let [logs, role, key, prefix, topic] = texts.map(|text| text.as_deref().filter(|text| !text.is_empty()));
        (
            [Some(&self.s3_bucket_name), logs, role, key, prefix, topic],
            [
                self.enable_log_file_validation,
                self.include_global_service_events,
                self.is_multi_region_trail,
                self.is_organization_trail,
            ],
        )
    }

    async fn put_selectors(&self, cx: &Context<'_, AwsClient>, arn: &str) -> Result<()> {
        let call = cx.client.cloudtrail().put_event_selectors().trail_name(arn);
        let call = if self.advanced_event_selector.is_empty() {
            let mut all: Vec<_> = self.event_selector.iter().map(Selector::sdk).collect();
            if all.is_empty() {
                all.push(Selector::standard());
            }
            call.set_event_selectors(Some(all))
        } else {
            let all = self.advanced_event_selector.iter().map(AdvancedSelector::sdk);
            call.set_advanced_event_selectors(Some(all.collect::<Result<_>>()?))
        };
        call.send().await.during("cloudtrail:PutEventSelectors").map(drop)
    }

    async fn put_insights(&self, cx: &Context<'_, AwsClient>, arn: &str) -> Result<()> {
        let all = self.insight_selector.iter().map(Insight::sdk).collect();
        let call = cx.client.cloudtrail().put_insight_selectors().trail_name(arn).set_insight_selectors(Some(all));
        call.send().await.during("cloudtrail:PutInsightSelectors").map(drop)
    }

    /// What the API says of the trail.
    fn take(&mut self, live: Trail) {
        self.sns_topic_name = topic_name(&live, self.sns_topic_name.as_deref());
        self.arn = live.trail_arn;
        self.cloud_watch_logs_group_arn = live.cloud_watch_logs_log_group_arn;
        self.cloud_watch_logs_role_arn = live.cloud_watch_logs_role_arn;
        self.enable_log_file_validation = Some(live.log_file_validation_enabled.unwrap_or_default());
        self.home_region = live.home_region;
        self.include_global_service_events = Some(live.include_global_service_events.unwrap_or_default());
        self.is_multi_region_trail = Some(live.is_multi_region_trail.unwrap_or_default());
        self.is_organization_trail = Some(live.is_organization_trail.unwrap_or_default());
        self.kms_key_id = live.kms_key_id;
        self.name = live.name.unwrap_or_default();
        self.s3_bucket_name = live.s3_bucket_name.unwrap_or_default();
        self.s3_key_prefix = live.s3_key_prefix;
        self.sns_topic_arn = live.sns_topic_arn;
    }
}

/// The topic as the stack names it: by its ARN where that is what is stored, or where it is in another region or account.
fn topic_name(live: &Trail, stored: Option<&str>) -> Option<String> {
    let arn = live.sns_topic_arn()?;
    let home = |arn: &str| {
        let parts: Vec<String> = arn.splitn(6, ':').map(str::to_owned).collect();
        (parts.get(3).cloned(), parts.get(4).cloned())
    };
    let near = live.trail_arn().is_some_and(|trail| home(trail) == home(arn));
    let name = arn.rsplit(':').next().unwrap_or(arn);
    Some(if stored == Some(arn) || !near { arn } else { name }.to_owned())
}

async fn set_logging(cx: &Context<'_, AwsClient>, arn: &str, on: bool) -> Result<()> {
    let cloudtrail = cx.client.cloudtrail();
    if on {
        cloudtrail.start_logging().name(arn).send().await.during("cloudtrail:StartLogging").map(drop)
    } else {
        cloudtrail.stop_logging().name(arn).send().await.during("cloudtrail:StopLogging").map(drop)
    }
}

async fn read_tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Option<Tags>> {
    let answer = cx.client.cloudtrail().list_tags().resource_id_list(arn).send().await;
    let absent = ["TrailNotFoundException", "ResourceNotFoundException"];
    let Some(answer) = answer.during("cloudtrail:ListTags").absent_ok(&absent)? else { return Ok(None) };
    let tags = answer.resource_tag_list().iter().flat_map(|list| list.tags_list());
    Ok(Some(to_map(tags.map(|tag| (tag.key(), tag.value().unwrap_or_default())))))
}

fn invalid(error: impl std::fmt::Display) -> ProviderError {
    ProviderError::invalid(error.to_string())
}

fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Vec<Tag>> {
    tags.into_iter().map(|(k, v)| Tag::builder().key(k).value(v).build().map_err(invalid)).collect()
}
