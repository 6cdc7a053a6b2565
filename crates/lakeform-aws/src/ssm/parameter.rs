//! `aws_ssm_parameter`

use std::time::Duration;

use aws_sdk_ssm::types::{
    Parameter as Live, ParameterMetadata, ParameterStringFilter, ParameterTier, ParameterType, ResourceTypeForTagging,
    Tag,
};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, ErrorKind, FoundBy, Model, ProviderError, ResourceType, Result, Wait};

use crate::{
    AwsClient, check,
    error::{Absent, During},
    tags::{TagChanges, Tags},
};

/// A parameter of Systems Manager.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct ParameterModel {
    /// Regular expression that values must match.
    #[attr(optional)]
    allowed_pattern: Option<String>,
    /// ARN of the parameter.
    #[attr(optional, computed)]
    arn: Option<String>,
    /// What the value is: `text` (AWS's default), `aws:ec2:image` or `aws:ssm:integration`.
    #[attr(optional, computed, force_new)]
    data_type: Option<String>,
    /// What the parameter is for.
    #[attr(optional)]
    description: Option<String>,
    /// Whether the value was written with `value_wo`.
    #[attr(computed)]
    has_value_wo: Option<bool>,
    /// Name of the parameter.
    #[attr(optional, computed)]
    id: Option<String>,
    /// The value, shown in plans. Not for `SecureString`.
    #[attr(optional, computed)]
    insecure_value: Option<String>,
    /// KMS key that encrypts a `SecureString`: its id, ARN or alias. AWS's default: `alias/aws/ssm`.
    #[attr(optional, computed)]
    key_id: Option<String>,
    /// Name of the parameter; a path begins with `/`.
    #[attr(required, force_new)]
    name: String,
    /// Whether creating takes over a parameter that exists already.
    #[attr(optional)]
    overwrite: Option<bool>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// `Standard` (AWS's default), `Advanced` or `Intelligent-Tiering`.
    #[attr(optional, computed, same = same_tier)]
    tier: Option<String>,
    /// `String`, `StringList` or `SecureString`.
    #[attr(name = "type", required)]
    kind: String,
    /// The value.
    #[attr(optional, computed, sensitive)]
    value: Option<String>,
    /// The value, kept neither in plans nor in state.
    #[attr(optional, sensitive, write_only)]
    value_wo: Option<String>,
    /// Another number than before sends `value_wo` again.
    #[attr(optional)]
    value_wo_version: Option<i64>,
    /// Version of the parameter, which each change counts up.
    #[attr(computed)]
    version: Option<i64>,
}

/// `aws_ssm_parameter`
pub(crate) struct Parameter;

const GONE: &[&str] = &["ParameterNotFound"];
/// The attributes that PutParameter sends.
const SENT: &[&str] = &[
    "allowed_pattern",
    "data_type",
    "description",
    "insecure_value",
    "key_id",
    "tier",
    "type",
    "value",
    "value_wo_version",
];
const BY_USE: &str = "Intelligent-Tiering";

/// AWS stores which tier it chose, not that it was asked to choose.
fn same_tier(a: &Value, b: &Value) -> bool {
    a == b || [a, b].iter().any(|tier| tier.as_str() == Some(BY_USE))
}

impl ResourceType for Parameter {
    type Client = AwsClient;
    type Model = ParameterModel;
    const NAME: &'static str = "aws_ssm_parameter";
    const IDENTITY: &'static [&'static str] = &["name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::one_of(change, "type", ParameterType::values())?;
        check::one_of(change, "tier", ParameterTier::values())?;
        check::one_of(change, "data_type", &["text", "aws:ec2:image", "aws:ssm:integration"])?;
        check::length(change, "name", 1..=2048)?;
        check::length(change, "description", 0..=1024)?;
        check::length(change, "allowed_pattern", 0..=1024)?;
        check::needs(change, "value_wo_version", "value_wo")?;
        check::needs(change, "value_wo", "value_wo_version")?;
        let set = |name: &str| change.config.get(name).is_some_and(|v| !v.is_null());
        let sources: Vec<_> = ["value", "insecure_value", "value_wo"].into_iter().filter(|name| set(name)).collect();
        let [source] = sources[..] else {
            return Err(ProviderError::invalid("one of value, insecure_value and value_wo is expected")
                .attribute(Path::attr(sources.last().copied().unwrap_or("value"))));
        };
        let text = |name: &str| change.config.get(name).and_then(Value::as_str);
        if source == "insecure_value" && text("type") == Some("SecureString") {
            return Err(ProviderError::invalid("insecure_value is not for a SecureString")
                .hint("use value, or value_wo")
                .attribute(Path::attr("insecure_value")));
        }
        let Some(prior) = change.prior else {
            if text("tier") == Some(BY_USE) {
                change.set_unknown("tier");
            }
            return Ok(());
        };
        let stored = |name: &str| prior.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        let written = prior.get("has_value_wo").and_then(Value::as_bool) == Some(true);
        let free_key = !set("key_id") && change.changes("type");
        let downgrade = stored("tier") == Some("Advanced") && text("tier") == Some("Standard");
        for other in ["value", "insecure_value"] {
            if other != source && stored(other).is_some() {
                change.set_unknown(other);
            }
        }
        if written != (source == "value_wo") {
            change.set_unknown("has_value_wo");
        }
        if free_key {
            change.set_unknown("key_id");
        }
        if downgrade {
            change.replace_for("tier");
        }
        if SENT.iter().any(|name| change.changes(name)) {
            change.set_unknown("version");
        }
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: ParameterModel) -> Result<Option<ParameterModel>> {
        let Some(name) = object.id.clone() else { return Ok(None) };
        let tags = async {
            let call = cx.client.ssm().list_tags_for_resource().resource_type(ResourceTypeForTagging::Parameter);
            let answer = call.resource_id(&name).send().await;
            answer.during("ssm:ListTagsForResource").absent_ok(&["InvalidResourceId"])
        };
        let (found, tags) = tokio::join!(find(cx, &name, object.has_value_wo != Some(true)), tags);
        let (Some((live, about)), Some(tags)) = (found?, tags?) else { return Ok(None) };
        object.take(&live, &about);
        let tags = tags.tag_list.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut ParameterModel) -> Result<()> {
        let overwrite = object.overwrite == Some(true);
        let tags = object.tags_all.clone().unwrap_or_default();
        // The API does not take tags together with `overwrite`.
        object.put(cx, overwrite, if overwrite { None } else { Some(sdk_tags(&tags)?) }).await?;
        object.id = Some(object.name.clone());
        if overwrite && !tags.is_empty() {
            add_tags(cx, &object.name, &tags).await?;
        }
        object.settle(cx).await
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.has_value_wo = ParameterModel::writes_value(cx).then_some(true);
        planned.id = Some(planned.name.clone());
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &ParameterModel, object: &mut ParameterModel) -> Result<()> {
        if object.sent() != prior.sent() {
            object.put(cx, true, None).await?;
            object.settle(cx).await?;
        }
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        if !tags.remove.is_empty() {
            let call = cx.client.ssm().remove_tags_from_resource().resource_type(ResourceTypeForTagging::Parameter);
            let call = call.resource_id(&object.name).set_tag_keys(Some(tags.remove.clone()));
            call.send().await.during("ssm:RemoveTagsFromResource")?;
        }
        if !tags.set.is_empty() {
            add_tags(cx, &object.name, &tags.set).await?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &ParameterModel) -> Result<()> {
        let answer = cx.client.ssm().delete_parameter().name(&object.name).send().await;
        answer.during("ssm:DeleteParameter").absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<ParameterModel> {
        Ok(ParameterModel { id: Some(id.to_owned()), name: id.to_owned(), ..ParameterModel::default() })
    }
}

impl ParameterModel {
    /// The values of [`SENT`].
    fn sent(&self) -> impl PartialEq + use<> {
        let kind = Some(self.kind.clone());
        let texts = [&self.allowed_pattern, &self.data_type, &self.description, &self.key_id, &self.tier, &kind];
        let values = [self.value.clone(), self.insecure_value.clone()];
        (texts.map(|text| text.clone().unwrap_or_default()), values, self.value_wo_version)
    }

    /// Sends the parameter as it shall be.
    async fn put(&self, cx: &Context<'_, AwsClient>, overwrite: bool, tags: Option<Vec<Tag>>) -> Result<()> {
        let configured = |name: &str| cx.config.and_then(|config| config.get(name)?.as_str()).map(str::to_owned);
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let secure = self.kind == "SecureString";
        let value = configured("value_wo").or_else(|| given(&self.insecure_value)).or_else(|| self.value.clone());
        let call = cx.client.ssm().put_parameter().name(&self.name).r#type(self.kind.as_str().into());
        let call = call
            .set_value(value)
            .overwrite(overwrite)
            .set_allowed_pattern(given(&self.allowed_pattern))
            .set_data_type(given(&self.data_type))
            // Sent even when empty: a description is taken back so.
            .set_description(self.description.clone().or_else(|| overwrite.then(String::new)))
            .set_key_id(given(&self.key_id).filter(|_| secure))
            .set_tier(configured("tier").or_else(|| given(&self.tier)).as_deref().map(ParameterTier::from))
            .set_tags(tags.filter(|tags| !tags.is_empty()));
        call.send().await.during("ssm:PutParameter").map(drop)
    }

    /// Whether the stack gives a value that no state keeps.
    fn writes_value(cx: &Context<'_, AwsClient>) -> bool {
        cx.config.and_then(|config| config.get("value_wo")).is_some_and(|value| !value.is_null())
    }

    /// Fills in what the API says of a parameter that was just put.
    async fn settle(&mut self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let wrote = Self::writes_value(cx);
        self.has_value_wo = wrote.then_some(true);
        let missing = || ProviderError::new(ErrorKind::NotFound, "the parameter does not show yet");
        let wait = Wait::new("parameter to be known everywhere", Duration::from_secs(60));
        let look = || async {
            let found = find(cx, &self.name, !wrote).await?;
            found.ok_or_else(|| missing().operation("ssm:DescribeParameters"))
        };
        let (live, about) = cx.retry(wait, ProviderError::is_not_found, look).await?;
        self.take(&live, &about);
        Ok(())
    }

    /// What the API says of the parameter.
    fn take(&mut self, live: &Live, about: &ParameterMetadata) {
        let text = |text: Option<&str>| Some(text.unwrap_or_default().to_owned());
        self.arn = text(live.arn());
        self.kind = live.r#type().map(|kind| kind.as_str().to_owned()).unwrap_or_default();
        self.version = Some(live.version);
        self.value_wo = None;
        match (self.has_value_wo, &self.insecure_value) {
            (Some(true), _) => self.value = Some(String::new()),
            (_, Some(insecure)) if !insecure.is_empty() => self.insecure_value = text(live.value()),
            _ => self.value = text(live.value()),
        }
        self.allowed_pattern = text(about.allowed_pattern());
        self.data_type = text(about.data_type());
        self.description = text(about.description());
        self.key_id = text(about.key_id());
        self.tier = Some(about.tier().map_or(ParameterTier::Standard.as_str(), ParameterTier::as_str).to_owned());
    }
}

/// The parameter and what is said about it; `None` without one. Without `reveal` a secret's value stays encrypted.
async fn find(cx: &Context<'_, AwsClient>, name: &str, reveal: bool) -> Result<Option<(Live, ParameterMetadata)>> {
    let ssm = cx.client.ssm();
    let named = ParameterStringFilter::builder().key("Name").option("Equals").values(name).build();
    let named = named.map_err(|e| ProviderError::invalid(e.to_string()))?;
    let about = async {
        let mut pages = ssm.describe_parameters().parameter_filters(named).into_paginator().send();
        // A page may be empty although another follows.
        while let Some(page) = pages.next().await {
            let first = page.during("ssm:DescribeParameters")?.parameters.unwrap_or_default().into_iter().next();
            if first.is_some() {
                return Ok(first);
            }
        }
        Ok(None)
    };
    let live = async {
        let answer = ssm.get_parameter().name(name).with_decryption(reveal).send().await;
        answer.during("ssm:GetParameter").absent_ok(GONE)
    };
    let (live, about) = tokio::join!(live, about);
    Ok(live?.and_then(|answer| answer.parameter).zip(about?))
}

async fn add_tags(cx: &Context<'_, AwsClient>, name: &str, tags: &Tags) -> Result<()> {
    let call = cx.client.ssm().add_tags_to_resource().resource_type(ResourceTypeForTagging::Parameter);
    let call = call.resource_id(name).set_tags(Some(sdk_tags(tags)?));
    call.send().await.during("ssm:AddTagsToResource").map(drop)
}

fn sdk_tags(tags: &Tags) -> Result<Vec<Tag>> {
    let build = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.iter().map(build).collect::<Result<_, _>>().map_err(|e| ProviderError::invalid(e.to_string()))
}
