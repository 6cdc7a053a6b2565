//! `aws_xray_sampling_rule`

use aws_sdk_xray::types::{SamplingRule as Rule, SamplingRuleUpdate, Tag};
use lakeform_core::Value;
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result};

use crate::{
    AwsClient, check,
    error::{Absent, During},
    tags::{TagChanges, Tags, to_map},
};

/// A rule that says which requests X-Ray traces.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct RuleModel {
    /// ARN of the rule.
    #[attr(computed)]
    arn: Option<String>,
    /// Attributes of the requests, by key.
    #[attr(optional)]
    attributes: Option<Tags>,
    /// Share of the requests beyond the reservoir that are traced, 0 to 1.
    #[attr(required)]
    fixed_rate: f64,
    /// Host of the requests; `*` and `?` stand for others.
    #[attr(required)]
    host: String,
    /// Method of the requests.
    #[attr(required)]
    http_method: String,
    /// Name of the rule.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Which rule comes first: that of the lowest number, 1 to 9999.
    #[attr(required)]
    priority: i64,
    /// How many requests are traced in each second before the rate counts.
    #[attr(required)]
    reservoir_size: i64,
    /// ARN of the resource that is called.
    #[attr(required)]
    resource_arn: String,
    /// Name of the rule.
    #[attr(optional, force_new)]
    rule_name: Option<String>,
    /// Name of the service that is called.
    #[attr(required)]
    service_name: String,
    /// What runs the service: `AWS::EC2::Instance`, ...
    #[attr(required)]
    service_type: String,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Path of the requests.
    #[attr(required)]
    url_path: String,
    /// Version of the rule's format: 1.
    #[attr(required, force_new)]
    version: i64,
}

/// `aws_xray_sampling_rule`
pub(crate) struct SamplingRule;

impl ResourceType for SamplingRule {
    type Client = AwsClient;
    type Model = RuleModel;
    const NAME: &'static str = "aws_xray_sampling_rule";
    const IDENTITY: &'static [&'static str] = &["rule_name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let whole = check::Part::whole(change);
        whole.length("rule_name", 1..=32)?;
        whole.length("resource_arn", 0..=500)?;
        whole.between("priority", 1..=9999)?;
        whole.between("reservoir_size", 0..=i64::MAX)?;
        for name in ["host", "service_name", "service_type"] {
            whole.length(name, 0..=64)?;
        }
        whole.length("http_method", 0..=10)?;
        whole.length("url_path", 0..=128)?;
        whole.between("version", 1..=i64::MAX)?;
        let attributes = whole.given("attributes").and_then(Value::as_mapping).into_iter().flatten();
        for value in attributes.filter_map(|(_, value)| value.as_str()) {
            if !(1..=32).contains(&value.chars().count()) {
                let message = "attributes has a value that is not 1 to 32 characters long";
                return Err(whole.wrong("attributes", message.into()));
            }
        }
        change.round("fixed_rate");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: RuleModel) -> Result<Option<RuleModel>> {
        let name = object.id.clone().unwrap_or_default();
        // The ARN is known but after an import.
        let (live, tags) = match object.arn.clone() {
            Some(arn) => tokio::join!(find(cx, &name), read_tags(cx, &arn)),
            None => {
                let live = find(cx, &name).await;
                let arn = live.as_ref().ok().and_then(|live| live.as_ref()?.rule_arn()).unwrap_or_default().to_owned();
                (live, if arn.is_empty() { Ok(None) } else { read_tags(cx, &arn).await })
            }
        };
        let (Some(live), Some(tags)) = (live?, tags?) else { return Ok(None) };
        object.take(live);
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut RuleModel) -> Result<()> {
        let rule = Rule::builder()
            .set_rule_name(object.rule_name.clone())
            .resource_arn(&object.resource_arn)
            .priority(number(object.priority)?)
            .fixed_rate(object.fixed_rate)
            .reservoir_size(number(object.reservoir_size)?)
            .service_name(&object.service_name)
            .service_type(&object.service_type)
            .host(&object.host)
            .http_method(&object.http_method)
            .url_path(&object.url_path)
            .version(number(object.version)?)
            .set_attributes(object.attributes.clone().map(|all| all.into_iter().collect()))
            .build()
            .map_err(invalid)?;
        let tags = sdk_tags(object.tags_all.iter().flatten())?;
        let call = cx.client.xray().create_sampling_rule().sampling_rule(rule).set_tags(Some(tags));
        let answer = call.send().await.during("xray:CreateSamplingRule")?;
        let made = answer.sampling_rule_record.and_then(|record| record.sampling_rule);
        let (name, arn) = made.map(|rule| (rule.rule_name, rule.rule_arn)).unwrap_or_default();
        object.id = name.or_else(|| object.rule_name.clone());
        object.arn = arn;
        Ok(())
    }

    async fn locate(_cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(planned.rule_name.clone().unwrap_or_default());
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &RuleModel, object: &mut RuleModel) -> Result<()> {
        let xray = cx.client.xray();
        let settings = |rule: &RuleModel| RuleModel { tags: None, tags_all: None, ..rule.clone() };
        if settings(prior) != settings(object) {
            let update = SamplingRuleUpdate::builder()
                .set_rule_name(prior.id.clone())
                .resource_arn(&object.resource_arn)
                .priority(number(object.priority)?)
                .fixed_rate(object.fixed_rate)
                .reservoir_size(number(object.reservoir_size)?)
                .service_name(&object.service_name)
                .service_type(&object.service_type)
                .host(&object.host)
                .http_method(&object.http_method)
                .url_path(&object.url_path)
                .set_attributes(Some(object.attributes.clone().unwrap_or_default().into_iter().collect()));
            let call = xray.update_sampling_rule().sampling_rule_update(update.build());
            call.send().await.during("xray:UpdateSamplingRule")?;
        }
        let arn = prior.arn.clone().unwrap_or_default();
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        if !tags.remove.is_empty() {
            let call = xray.untag_resource().resource_arn(&arn).set_tag_keys(Some(tags.remove.clone()));
            call.send().await.during("xray:UntagResource")?;
        }
        if !tags.set.is_empty() {
            let call = xray.tag_resource().resource_arn(&arn).set_tags(Some(sdk_tags(&tags.set)?));
            call.send().await.during("xray:TagResource")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &RuleModel) -> Result<()> {
        let answer = cx.client.xray().delete_sampling_rule().set_rule_name(object.id.clone()).send().await;
        match answer.during("xray:DeleteSamplingRule") {
            // The API has no code of its own for that.
            Err(e) if e.has_code("InvalidRequestException") && e.message.contains("does not exist") => Ok(()),
            done => done.map(drop),
        }
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<RuleModel> {
        Ok(RuleModel { id: Some(id.to_owned()), ..RuleModel::default() })
    }
}

impl RuleModel {
    /// What the API says of the rule.
    fn take(&mut self, live: Rule) {
        self.arn = live.rule_arn;
        self.attributes = Some(live.attributes.unwrap_or_default().into_iter().collect());
        self.fixed_rate = live.fixed_rate;
        self.host = live.host;
        self.http_method = live.http_method;
        self.priority = live.priority.into();
        self.reservoir_size = live.reservoir_size.into();
        self.resource_arn = live.resource_arn;
        self.rule_name = live.rule_name;
        self.service_name = live.service_name;
        self.service_type = live.service_type;
        self.url_path = live.url_path;
        self.version = live.version.into();
    }
}

/// The rule of a name. The API only lists all of them.
async fn find(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<Rule>> {
    let mut records = cx.client.xray().get_sampling_rules().into_paginator().items().send();
    while let Some(record) = records.next().await {
        let rule = record.during("xray:GetSamplingRules")?.sampling_rule;
        if let Some(rule) = rule.filter(|rule| rule.rule_name() == Some(name)) {
            return Ok(Some(rule));
        }
    }
    Ok(None)
}

async fn read_tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Option<Tags>> {
    let answer = cx.client.xray().list_tags_for_resource().resource_arn(arn).send().await;
    let answer = answer.during("xray:ListTagsForResource").absent_ok(&["ResourceNotFoundException"])?;
    Ok(answer.map(|answer| to_map(answer.tags().iter().map(|tag| (tag.key(), tag.value())))))
}

fn number(number: i64) -> Result<i32> {
    i32::try_from(number).map_err(invalid)
}

fn invalid(error: impl std::fmt::Display) -> ProviderError {
    ProviderError::invalid(error.to_string())
}

fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Vec<Tag>> {
    let build = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build().map_err(invalid);
    tags.into_iter().map(build).collect()
}
