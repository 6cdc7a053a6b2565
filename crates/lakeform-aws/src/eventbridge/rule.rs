//! `aws_cloudwatch_event_rule`

use aws_sdk_eventbridge::{
    operation::describe_rule::DescribeRuleOutput,
    types::{RuleState, Tag},
};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, Context, FoundBy, Model, ProviderError, ResourceType, Result, Wait};

use super::{DEFAULT_BUS, GONE, PROPAGATION, bus, check_names, split, with_bus};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    naming, policy, propagation,
    propagation::settle,
    tags::{TagChanges, Tags, to_map},
};

/// A rule: which events, or when, its targets are called.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct RuleModel {
    /// ARN of the rule.
    #[attr(computed)]
    arn: Option<String>,
    /// What it is for.
    #[attr(optional)]
    description: Option<String>,
    /// Name or ARN of the event bus. Default: `default`.
    #[attr(optional, force_new, default = "default")]
    event_bus_name: Option<String>,
    /// Which events match. A rule has this, `schedule_expression` or both.
    #[attr(optional, json)]
    event_pattern: Option<String>,
    /// Whether a rule that an AWS service manages may be deleted. Default: `false`.
    #[attr(optional, default = false)]
    force_destroy: Option<bool>,
    /// `NAME`, or `BUS/NAME` on another bus than the default one.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Whether the rule works. Use `state`.
    #[attr(optional, deprecated)]
    is_enabled: Option<bool>,
    /// Name of the rule. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// Role that calls the targets.
    #[attr(optional)]
    role_arn: Option<String>,
    /// When the targets are called: `rate(5 minutes)`, `cron(0 20 * * ? *)`.
    #[attr(optional)]
    schedule_expression: Option<String>,
    /// `ENABLED`, `DISABLED` or `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`. A new rule is enabled.
    #[attr(optional)]
    state: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
}

/// `aws_cloudwatch_event_rule`
pub(crate) struct EventRule;

/// The longest event pattern, in bytes.
const LONGEST_PATTERN: usize = 4096;

impl ResourceType for EventRule {
    type Client = AwsClient;
    type Model = RuleModel;
    const NAME: &'static str = "aws_cloudwatch_event_rule";
    const IDENTITY: &'static [&'static str] = &["event_bus_name", "name"];
    const VERSION: u64 = 1;
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::not_both(change, "name", "name_prefix")?;
        check::not_both(change, "is_enabled", "state")?;
        check_names(change, &["name", "name_prefix"])?;
        check::length(change, "description", 0..=512)?;
        check::length(change, "schedule_expression", 0..=256)?;
        check::one_of(change, "state", RuleState::values())?;
        let whole = check::Part::whole(change);
        whole.arn("role_arn")?;
        if change.config.get("event_pattern").is_none_or(Value::is_null)
            && change.config.get("schedule_expression").is_none_or(Value::is_null)
        {
            return Err(ProviderError::invalid("a rule needs event_pattern or schedule_expression")
                .attribute(Path::attr("event_pattern")));
        }
        if let Some(text) = whole.text("event_pattern").filter(|text| !text.is_empty()) {
            let length = pattern(text).len();
            if serde_json::from_str::<serde_json::Value>(text).is_err() {
                return Err(whole.wrong("event_pattern", "event_pattern is no JSON".into()));
            }
            if length > LONGEST_PATTERN {
                let message = format!("event_pattern is {length} bytes long; expected are {LONGEST_PATTERN} at most");
                return Err(whole.wrong("event_pattern", message));
            }
        }
        if let Some(planned) = change.planned("event_pattern")
            && let Some(text) = planned.as_str()
        {
            let value = Value::from(pattern(text)).with_marks(planned.marks());
            change.set("event_pattern", value);
        }
        plan_state(change);
        Ok(())
    }

    fn upgrade(_from: u64, stored: Value) -> Option<Value> {
        Some(with_bus(stored))
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: RuleModel) -> Result<Option<RuleModel>> {
        let Some(id) = object.id.clone() else { return Ok(None) };
        let (bus, name) = split(&id, "RULE")?;
        let describe = async {
            let call = cx.client.eventbridge().describe_rule().name(name).event_bus_name(bus);
            call.send().await.during("events:DescribeRule").absent_ok(GONE)
        };
        // The ARN is known but after an import.
        let (live, tags) = match object.arn.clone() {
            Some(arn) => tokio::join!(describe, read_tags(cx, &arn)),
            None => {
                let live = describe.await;
                let arn = live.as_ref().ok().and_then(|live| live.as_ref()?.arn()).unwrap_or_default().to_owned();
                (live, if arn.is_empty() { Ok(None) } else { read_tags(cx, &arn).await })
            }
        };
        let (Some(live), Some(tags)) = (live?, tags?) else { return Ok(None) };
        object.take(bus, &live);
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut RuleModel) -> Result<()> {
        let name = naming::choose(object.name.as_deref(), object.name_prefix.as_deref(), "", cx.token);
        object.arn = object.put(cx, &name).await?;
        object.id = Some(identifier(bus(&object.event_bus_name), &name));
        object.name_prefix.get_or_insert_with(|| naming::prefix_of(&name));
        object.name = Some(name);
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let name = naming::choose(planned.name.as_deref(), planned.name_prefix.as_deref(), "", cx.token);
        planned.id = Some(identifier(bus(&planned.event_bus_name), &name));
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &RuleModel, object: &mut RuleModel) -> Result<()> {
        if object.settings() != prior.settings() {
            let id = prior.id.clone().unwrap_or_default();
            object.put(cx, split(&id, "RULE")?.1).await?;
        }
        let arn = prior.arn.clone().unwrap_or_default();
        let changes = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        let events = cx.client.eventbridge();
        if !changes.remove.is_empty() {
            let call = events.untag_resource().resource_arn(&arn).set_tag_keys(Some(changes.remove.clone()));
            call.send().await.during("events:UntagResource")?;
        }
        if !changes.set.is_empty() {
            let call = events.tag_resource().resource_arn(&arn).set_tags(Some(sdk_tags(&changes.set)?));
            call.send().await.during("events:TagResource")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &RuleModel) -> Result<()> {
        let id = object.id.clone().unwrap_or_default();
        let (bus, name) = split(&id, "RULE")?;
        // Targets that were just removed may count for a while.
        let passing = |e: &ProviderError| {
            propagation::is_busy(e) || e.has_code("ValidationException") && e.message.contains("since it has targets")
        };
        let wait = Wait::new("rule to have no targets", PROPAGATION);
        let call = || async {
            let call = cx.client.eventbridge().delete_rule().name(name).event_bus_name(bus);
            call.force(object.force_destroy == Some(true)).send().await.during("events:DeleteRule")
        };
        cx.retry(wait, passing, call).await.absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<RuleModel> {
        split(id, "RULE")?;
        Ok(RuleModel { id: Some(id.to_owned()), force_destroy: Some(false), ..RuleModel::default() })
    }
}

/// Whether a rule in this state works.
fn works(state: &str) -> bool {
    state.starts_with("ENABLED")
}

/// `state` and `is_enabled` say the same: what the stack sets of them decides on both. Where it sets neither, a new rule is
/// enabled, and another stays as it is.
fn plan_state(change: &mut Change<'_>) {
    let given = |name: &str| change.config.get(name).filter(|v| !v.is_null()).cloned();
    match (given("state"), given("is_enabled")) {
        (Some(state), _) => match state.as_str() {
            Some(text) => change.set("is_enabled", works(text).into()),
            None => change.set_unknown("is_enabled"),
        },
        (None, Some(enabled)) => match enabled.as_bool() {
            Some(enabled) => change.set("state", if enabled { "ENABLED" } else { "DISABLED" }.into()),
            None => change.set_unknown("state"),
        },
        (None, None) => {
            let before = change.prior.and_then(|p| p.get("state")?.as_str()).filter(|text| !text.is_empty());
            let state = before.unwrap_or("ENABLED").to_owned();
            change.set("is_enabled", works(&state).into());
            change.set("state", state.into());
        }
    }
}

/// An event pattern as Terraform stores it: keys in order, no spaces, and nothing escaped for HTML.
fn pattern(text: &str) -> String {
    policy::normal(text).replace("\\u003c", "<").replace("\\u003e", ">").replace("\\u0026", "&")
}

/// `RULE`, or `BUS/RULE` on another bus than the default one.
fn identifier(bus: &str, name: &str) -> String {
    if bus == DEFAULT_BUS { name.to_owned() } else { format!("{bus}/{name}") }
}

impl RuleModel {
    /// What PutRule sets.
    fn settings(&self) -> [Option<&str>; 5] {
        [&self.description, &self.event_pattern, &self.role_arn, &self.schedule_expression, &self.state]
            .map(|text| text.as_deref().filter(|text| !text.is_empty()))
    }

    /// Makes the rule, or sets all of it; gives its ARN.
    async fn put(&self, cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<String>> {
        let [description, event_pattern, role, schedule, state] = self.settings().map(|text| text.map(str::to_owned));
        let tags = sdk_tags(self.tags_all.iter().flatten())?;
        let call = cx.client.eventbridge().put_rule().name(name).event_bus_name(bus(&self.event_bus_name));
        let call = call
            .set_description(description)
            .set_event_pattern(event_pattern)
            .set_role_arn(role)
            .set_schedule_expression(schedule)
            .set_state(state.as_deref().map(RuleState::from))
            .set_tags((!tags.is_empty()).then_some(tags));
        let answer = settle(cx, || async { call.clone().send().await.during("events:PutRule") }).await?;
        Ok(answer.rule_arn)
    }

    /// What the API says of the rule. The bus is that of the identifier: the API may name it instead of giving its ARN.
    fn take(&mut self, bus: &str, live: &DescribeRuleOutput) {
        self.arn = live.arn.clone();
        self.description = live.description.clone();
        self.event_bus_name = Some(bus.to_owned());
        self.event_pattern = live.event_pattern().map(pattern);
        let state = live.state().map(RuleState::as_str).unwrap_or_default();
        self.is_enabled = Some(works(state));
        self.name = live.name.clone();
        self.name_prefix.get_or_insert_with(|| naming::prefix_of(live.name().unwrap_or_default()));
        self.role_arn = live.role_arn.clone();
        self.schedule_expression = live.schedule_expression.clone();
        self.state = Some(state.to_owned());
    }
}

async fn read_tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Option<Tags>> {
    let answer = cx.client.eventbridge().list_tags_for_resource().resource_arn(arn).send().await;
    let answer = answer.during("events:ListTagsForResource").absent_ok(GONE)?;
    Ok(answer.map(|answer| to_map(answer.tags().iter().map(|tag| (tag.key(), tag.value())))))
}

fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Vec<Tag>> {
    let build = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.into_iter().map(build).collect::<Result<_, _>>().map_err(|e| ProviderError::invalid(e.to_string()))
}
