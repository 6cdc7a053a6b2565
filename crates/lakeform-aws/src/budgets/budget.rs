//! `aws_budgets_budget`

use std::collections::{BTreeSet, HashMap};

use aws_sdk_budgets::{
    error::BuildError,
    types::{
        AutoAdjustData, AutoAdjustType, Budget as Found, BudgetType as Kind, ComparisonOperator,
        CostTypes as ApiCostTypes, HistoricalOptions, Notification as ApiNotification, NotificationType, ResourceTag,
        Spend, Subscriber, SubscriptionType, ThresholdType, TimePeriod, TimeUnit,
    },
};
use aws_smithy_types::date_time::{DateTime, Format};
use futures::future::try_join_all;
use lakeform_core::{Number, Value};
use lakeform_provider::{Change, Context, Field, FoundBy, Model, ProviderError, ResourceType, Result};

use crate::{
    AwsClient, check,
    error::{Absent, During},
    naming,
    tags::{TagChanges, Tags, to_map},
    values::{built, fill, given, number, text, to_i32},
};

/// A budget: what may be spent or used, and who is told.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Budget {
    /// The account that the budget is for.
    #[attr(optional, computed, force_new)]
    account_id: Option<String>,
    /// ARN of the budget.
    #[attr(computed)]
    arn: Option<String>,
    /// `COST`, `USAGE`, `RI_UTILIZATION`, `RI_COVERAGE`, `SAVINGS_PLANS_UTILIZATION` or `SAVINGS_PLANS_COVERAGE`
    #[attr(required)]
    budget_type: String,
    /// The account and the name, as `ACCOUNT:NAME`.
    #[attr(optional, computed)]
    id: Option<String>,
    /// How much: `1000`. Excludes `planned_limit`.
    #[attr(optional, computed, same = same_amount)]
    limit_amount: Option<String>,
    /// Of what: `USD`, `PERCENTAGE`, `GB`
    #[attr(optional, computed)]
    limit_unit: Option<String>,
    /// Name of the budget. Without it one is made up.
    #[attr(optional, computed, force_new)]
    name: Option<String>,
    /// What a made-up name begins with.
    #[attr(optional, computed, force_new)]
    name_prefix: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// When it ends: `2087-06-15_00:00` (default)
    #[attr(optional, default = "2087-06-15_00:00")]
    time_period_end: Option<String>,
    /// When it begins: `2026-01-01_00:00`. AWS's default: with the current period.
    #[attr(optional, computed)]
    time_period_start: Option<String>,
    /// What is counted anew: `DAILY`, `MONTHLY`, `QUARTERLY`, `ANNUALLY`
    #[attr(required)]
    time_unit: String,
    /// The limit follows what was or will be spent.
    #[block(list, max = 1)]
    auto_adjust_data: Vec<AutoAdjust>,
    /// What counts.
    #[block(set, computed)]
    cost_filter: Vec<CostFilter>,
    /// Which kinds of cost count.
    #[block(list, max = 1, computed)]
    cost_types: Vec<CostTypes>,
    /// Who is told when.
    #[block(set)]
    notification: Vec<Notification>,
    /// Limits that differ from period to period.
    #[block(set)]
    planned_limit: Vec<PlannedLimit>,
}

/// The limit follows what was or will be spent.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct AutoAdjust {
    /// `HISTORICAL` or `FORECAST`
    #[attr(required)]
    auto_adjust_type: String,
    /// When the limit was last set.
    #[attr(computed)]
    last_auto_adjust_time: Option<String>,
    /// Which periods are looked at.
    #[block(list, max = 1)]
    historical_options: Vec<Historical>,
}

/// Which periods are looked at.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Historical {
    /// How many, 1 to 60.
    #[attr(required)]
    budget_adjustment_period: i64,
    /// How many there are.
    #[attr(computed)]
    lookback_available_periods: Option<i64>,
}

/// What counts.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct CostFilter {
    /// What is looked at: `Service`, `TagKeyValue`, ...
    #[attr(required)]
    name: String,
    /// Its values.
    #[attr(required)]
    values: Vec<String>,
}

/// Which kinds of cost count.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct CostTypes {
    /// Credits. Default: `true`.
    #[attr(optional, default = true)]
    include_credit: Option<bool>,
    /// Discounts. Default: `true`.
    #[attr(optional, default = true)]
    include_discount: Option<bool>,
    /// Other subscriptions. Default: `true`.
    #[attr(optional, default = true)]
    include_other_subscription: Option<bool>,
    /// Recurring fees. Default: `true`.
    #[attr(optional, default = true)]
    include_recurring: Option<bool>,
    /// Refunds. Default: `true`.
    #[attr(optional, default = true)]
    include_refund: Option<bool>,
    /// Subscriptions. Default: `true`.
    #[attr(optional, default = true)]
    include_subscription: Option<bool>,
    /// Support. Default: `true`.
    #[attr(optional, default = true)]
    include_support: Option<bool>,
    /// Taxes. Default: `true`.
    #[attr(optional, default = true)]
    include_tax: Option<bool>,
    /// Upfront payments. Default: `true`.
    #[attr(optional, default = true)]
    include_upfront: Option<bool>,
    /// Whether rates are amortized. Default: `false`.
    #[attr(optional, default = false)]
    use_amortized: Option<bool>,
    /// Whether rates are blended. Default: `false`.
    #[attr(optional, default = false)]
    use_blended: Option<bool>,
}

/// Who is told when.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Notification {
    /// `GREATER_THAN`, `LESS_THAN` or `EQUAL_TO`
    #[attr(required)]
    comparison_operator: String,
    /// What is compared: `ACTUAL` or `FORECASTED`
    #[attr(required)]
    notification_type: String,
    /// E-mail addresses.
    #[attr(optional)]
    subscriber_email_addresses: Option<BTreeSet<String>>,
    /// ARNs of SNS topics.
    #[attr(optional)]
    subscriber_sns_topic_arns: Option<BTreeSet<String>>,
    /// What it is compared with.
    #[attr(required)]
    threshold: f64,
    /// `PERCENTAGE` or `ABSOLUTE_VALUE`
    #[attr(required)]
    threshold_type: String,
}

/// A limit from a moment on.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct PlannedLimit {
    /// How much.
    #[attr(required, same = same_amount)]
    amount: String,
    /// The moment: `2026-01-01_00:00`
    #[attr(required)]
    start_time: String,
    /// Of what: `USD`
    #[attr(required)]
    unit: String,
}

/// `aws_budgets_budget`
pub(crate) struct BudgetType;

/// The code that says that there is no such thing.
const GONE: &[&str] = &["NotFoundException"];

/// Whether two texts are the same number: Budgets tells `10` as `10.0`.
fn same_amount(a: &Value, b: &Value) -> bool {
    let number = |value: &Value| value.as_str().and_then(|text| text.parse::<Number>().ok());
    matches!((number(a), number(b)), (Some(a), Some(b)) if a == b)
}

/// A moment from the way in which Terraform writes it: `2026-01-31_12:00`.
fn moment(text: &str) -> Option<DateTime> {
    let (day, time) = text.split_once('_')?;
    DateTime::from_str(&format!("{day}T{time}:00Z"), Format::DateTime).ok()
}

/// The way in which Terraform writes a moment.
fn spelled(moment: &DateTime) -> String {
    let text = DateTime::from_secs(moment.secs()).fmt(Format::DateTime).unwrap_or_default();
    text.get(..16).map(|text| text.replacen('T', "_", 1)).unwrap_or_default()
}

impl ResourceType for BudgetType {
    type Client = AwsClient;
    type Model = Budget;
    const NAME: &'static str = "aws_budgets_budget";
    const IDENTITY: &'static [&'static str] = &["account_id", "name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::each(change, "account_id", |value| match value.as_str() {
            Some(id) if id.len() != 12 || !id.chars().all(|c| c.is_ascii_digit()) => {
                Err(format!("is {id:?}; an account id has 12 digits"))
            }
            _ => Ok(()),
        })?;
        check::one_of(change, "budget_type", Kind::values())?;
        check::one_of(change, "time_unit", TimeUnit::values())?;
        check::not_both(change, "name", "name_prefix")?;
        check::exclusive(change, "", &["planned_limit", "limit_amount"])?;
        check::exclusive(change, "", &["planned_limit", "limit_unit"])?;
        check::one_of(change, "auto_adjust_data.auto_adjust_type", AutoAdjustType::values())?;
        check::between(change, "auto_adjust_data.historical_options.budget_adjustment_period", 1..=60)?;
        check::one_of(change, "notification.comparison_operator", ComparisonOperator::values())?;
        check::one_of(change, "notification.notification_type", NotificationType::values())?;
        check::one_of(change, "notification.threshold_type", ThresholdType::values())?;
        check::arn(change, "notification.subscriber_sns_topic_arns")?;
        for name in ["time_period_end", "time_period_start", "planned_limit.start_time"] {
            check::each(change, name, |value| match value.as_str() {
                Some(text) if moment(text).is_none() => {
                    Err(format!("is {text:?}; a moment is written like 2026-01-31_12:00"))
                }
                _ => Ok(()),
            })?;
        }
        let subscribers = ["subscriber_email_addresses", "subscriber_sns_topic_arns"];
        check::at_least_one(change, "notification", &subscribers)
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Budget) -> Result<Option<Budget>> {
        let (account, name) = object.key()?;
        let arn = arn(cx, &account, &name);
        let (live, notifications, tags) =
            tokio::join!(find(cx, &account, &name), notifications(cx, &account, &name), read_tags(cx, &arn));
        let Some(live) = live? else { return Ok(None) };
        object.account_id = Some(account);
        object.arn = Some(arn);
        object.take(live);
        object.notification = notifications?;
        let tags = cx.client.tags().read(cx, tags?, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Budget) -> Result<()> {
        let account = account(cx, object).await?;
        let name = naming::choose(object.name.as_deref(), object.name_prefix.as_deref(), "", cx.token);
        let tags = object.tags_all.iter().flatten().map(|tag| built(resource_tag(tag))).collect::<Result<Vec<_>>>()?;
        let call = cx.client.budgets().create_budget().account_id(&account).budget(built(object.to_api(&name))?);
        let call = call.set_resource_tags((!tags.is_empty()).then_some(tags));
        call.send().await.during("budgets:CreateBudget")?;
        object.id = Some(format!("{account}:{name}"));
        object.arn = Some(arn(cx, &account, &name));
        for notification in &object.notification {
            notification.create(cx, &account, &name).await?;
        }
        object.account_id = Some(account.clone());
        if let Some(live) = find(cx, &account, &name).await? {
            fill(object, |object| object.take(live));
        }
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let account = account(cx, &planned).await?;
        let name = naming::choose(planned.name.as_deref(), planned.name_prefix.as_deref(), "", cx.token);
        planned.id = Some(format!("{account}:{name}"));
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &Budget, object: &mut Budget) -> Result<()> {
        let (account, name) = prior.key()?;
        let budgets = cx.client.budgets();
        let input = built(object.to_api(&name))?;
        if input != built(prior.to_api(&name))? {
            let call = budgets.update_budget().account_id(&account).new_budget(input);
            call.send().await.during("budgets:UpdateBudget")?;
        }
        for old in prior.notification.iter().filter(|old| !object.notification.contains(old)) {
            let call = budgets.delete_notification().account_id(&account).budget_name(&name);
            let call = call.notification(built(old.to_api())?);
            call.send().await.during("budgets:DeleteNotification").absent_ok(GONE)?;
        }
        for new in object.notification.iter().filter(|new| !prior.notification.contains(new)) {
            new.create(cx, &account, &name).await?;
        }
        let open = object.limit_amount.is_none() || object.limit_unit.is_none() || object.time_period_start.is_none();
        let adjusted = |adjust: &AutoAdjust| adjust.last_auto_adjust_time.is_none();
        if (open || object.auto_adjust_data.iter().any(adjusted))
            && let Some(live) = find(cx, &account, &name).await?
        {
            fill(object, |object| object.take(live));
        }
        let arn = prior.arn.clone().unwrap_or_default();
        let tags = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        if !tags.remove.is_empty() {
            let call = budgets.untag_resource().resource_arn(&arn).set_resource_tag_keys(Some(tags.remove));
            call.send().await.during("budgets:UntagResource")?;
        }
        if !tags.set.is_empty() {
            let set = tags.set.iter().map(|tag| built(resource_tag(tag))).collect::<Result<_>>()?;
            let call = budgets.tag_resource().resource_arn(&arn).set_resource_tags(Some(set));
            call.send().await.during("budgets:TagResource")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Budget) -> Result<()> {
        let (account, name) = object.key()?;
        let call = cx.client.budgets().delete_budget().account_id(account).budget_name(name);
        call.send().await.during("budgets:DeleteBudget").absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Budget> {
        let object = Budget { id: Some(id.to_owned()), ..Budget::default() };
        object.key()?;
        Ok(object)
    }
}

fn resource_tag((key, value): (&String, &String)) -> Result<ResourceTag, BuildError> {
    ResourceTag::builder().key(key).value(value).build()
}

fn arn(cx: &Context<'_, AwsClient>, account: &str, name: &str) -> String {
    format!("arn:{}:budgets::{account}:budget/{name}", cx.client.partition().id)
}

/// The budget, if it exists.
/// The account whose budget it is.
async fn account(cx: &Context<'_, AwsClient>, object: &Budget) -> Result<String> {
    match given(&object.account_id) {
        Some(account) => Ok(account),
        None => Ok(cx.client.account_id().await?.to_owned()),
    }
}

async fn find(cx: &Context<'_, AwsClient>, account: &str, name: &str) -> Result<Option<Found>> {
    let answer = cx.client.budgets().describe_budget().account_id(account).budget_name(name).send().await;
    Ok(answer.during("budgets:DescribeBudget").absent_ok(GONE)?.and_then(|answer| answer.budget))
}

/// The tags of the budget; none where it is gone.
async fn read_tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Tags> {
    let answer = cx.client.budgets().list_tags_for_resource().resource_arn(arn).send().await;
    let answer = answer.during("budgets:ListTagsForResource").absent_ok(GONE)?;
    Ok(answer.map(|answer| to_map(answer.resource_tags().iter().map(|t| (t.key(), t.value())))).unwrap_or_default())
}

/// Who is told when.
async fn notifications(cx: &Context<'_, AwsClient>, account: &str, name: &str) -> Result<Vec<Notification>> {
    let call = cx.client.budgets().describe_notifications_for_budget().account_id(account).budget_name(name);
    let all = call.into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    let all = all.during("budgets:DescribeNotificationsForBudget").absent_ok(GONE)?.unwrap_or_default();
    try_join_all(all.into_iter().map(async |notification| {
        let call = cx.client.budgets().describe_subscribers_for_notification().account_id(account).budget_name(name);
        let call = call.notification(notification.clone()).into_paginator().items();
        let subscribers = call.send().collect::<Result<Vec<_>, _>>().await;
        let subscribers = subscribers.during("budgets:DescribeSubscribersForNotification").absent_ok(GONE)?;
        Ok(Notification::from_api(&notification, &subscribers.unwrap_or_default()))
    }))
    .await
}

impl Notification {
    fn to_api(&self) -> Result<ApiNotification, BuildError> {
        ApiNotification::builder()
            .comparison_operator(self.comparison_operator.as_str().into())
            .notification_type(self.notification_type.as_str().into())
            .threshold(self.threshold)
            .threshold_type(self.threshold_type.as_str().into())
            .build()
    }

    fn from_api(live: &ApiNotification, subscribers: &[Subscriber]) -> Self {
        let of = |kind: SubscriptionType| {
            let those = subscribers.iter().filter(|subscriber| subscriber.subscription_type == kind);
            let those: BTreeSet<_> = those.map(|subscriber| subscriber.address.clone()).collect();
            (!those.is_empty()).then_some(those)
        };
        Self {
            comparison_operator: live.comparison_operator.as_str().to_owned(),
            notification_type: live.notification_type.as_str().to_owned(),
            subscriber_email_addresses: of(SubscriptionType::Email),
            subscriber_sns_topic_arns: of(SubscriptionType::Sns),
            threshold: live.threshold,
            // Budgets does not tell the ordinary one.
            threshold_type: live.threshold_type.as_ref().unwrap_or(&ThresholdType::Percentage).as_str().to_owned(),
        }
    }

    async fn create(&self, cx: &Context<'_, AwsClient>, account: &str, name: &str) -> Result<()> {
        let subscriber = |kind: SubscriptionType| {
            move |address: &String| {
                built(Subscriber::builder().subscription_type(kind.clone()).address(address).build())
            }
        };
        let mails = self.subscriber_email_addresses.iter().flatten().map(subscriber(SubscriptionType::Email));
        let topics = self.subscriber_sns_topic_arns.iter().flatten().map(subscriber(SubscriptionType::Sns));
        let subscribers = mails.chain(topics).collect::<Result<_>>()?;
        let call = cx.client.budgets().create_notification().account_id(account).budget_name(name);
        let call = call.notification(built(self.to_api())?).set_subscribers(Some(subscribers));
        call.send().await.during("budgets:CreateNotification").map(drop)
    }
}

impl AutoAdjust {
    fn to_api(&self) -> Result<AutoAdjustData, BuildError> {
        let options = self.historical_options.first().map(|options| {
            let period = to_i32(options.budget_adjustment_period);
            HistoricalOptions::builder().budget_adjustment_period(period).build()
        });
        AutoAdjustData::builder()
            .auto_adjust_type(self.auto_adjust_type.as_str().into())
            .set_historical_options(options.transpose()?)
            .build()
    }

    fn from_api(live: AutoAdjustData) -> Self {
        let last = live.last_auto_adjust_time.map(|at| DateTime::from_secs(at.secs()).fmt(Format::DateTime));
        let options = live.historical_options.map(|options| Historical {
            budget_adjustment_period: options.budget_adjustment_period.into(),
            lookback_available_periods: number(options.look_back_available_periods),
        });
        Self {
            auto_adjust_type: live.auto_adjust_type.as_str().to_owned(),
            last_auto_adjust_time: text(last.and_then(Result::ok)),
            historical_options: options.into_iter().collect(),
        }
    }
}

/// The flags of cost types, by the same names in the model and in the API.
macro_rules! cost_types {
    ($($flag:ident $set:ident),* $(,)?) => {
        impl CostTypes {
            fn to_api(&self) -> ApiCostTypes {
                ApiCostTypes::builder()$(.$set(self.$flag))*.build()
            }

            fn from_api(live: &ApiCostTypes) -> Self {
                Self { $($flag: Some(live.$flag.unwrap_or_default())),* }
            }
        }
    };
}

cost_types! {
    include_credit set_include_credit,
    include_discount set_include_discount,
    include_other_subscription set_include_other_subscription,
    include_recurring set_include_recurring,
    include_refund set_include_refund,
    include_subscription set_include_subscription,
    include_support set_include_support,
    include_tax set_include_tax,
    include_upfront set_include_upfront,
    use_amortized set_use_amortized,
    use_blended set_use_blended,
}

impl Budget {
    /// Account and name, from the identifier.
    fn key(&self) -> Result<(String, String)> {
        let id = self.id.as_deref().unwrap_or_default();
        match id.split_once(':') {
            Some((account, name)) if !account.is_empty() && !name.is_empty() => Ok((account.into(), name.into())),
            _ => Err(ProviderError::invalid(format!("{id:?} is no identifier: ACCOUNT_ID:BUDGET is expected"))),
        }
    }

    #[expect(deprecated, reason = "Terraform's attributes are those of the older filters")]
    fn to_api(&self, name: &str) -> Result<Found, BuildError> {
        let mut filters = HashMap::<_, Vec<_>>::new();
        for filter in &self.cost_filter {
            filters.entry(filter.name.clone()).or_default().extend(filter.values.iter().cloned());
        }
        let period = TimePeriod::builder()
            .set_start(self.time_period_start.as_deref().and_then(moment))
            .set_end(self.time_period_end.as_deref().and_then(moment));
        let adjust = self.auto_adjust_data.first().map(AutoAdjust::to_api).transpose()?;
        let planned = self.planned_limit.iter().map(|limit| {
            let spend = Spend::builder().amount(&limit.amount).unit(&limit.unit).build()?;
            Ok((moment(&limit.start_time).map_or(0, |at| at.secs()).to_string(), spend))
        });
        let planned = planned.collect::<Result<HashMap<_, _>, BuildError>>()?;
        let limit = match (given(&self.limit_amount), given(&self.limit_unit)) {
            (Some(amount), Some(unit)) => Some(Spend::builder().amount(amount).unit(unit).build()?),
            _ => None,
        };
        // What is adjusted or planned has no limit of its own.
        let limit = limit.filter(|_| adjust.is_none() && planned.is_empty());
        Found::builder()
            .budget_name(name)
            .budget_type(self.budget_type.as_str().into())
            .time_unit(self.time_unit.as_str().into())
            .time_period(period.build())
            .set_cost_filters(Some(filters))
            .set_cost_types(self.cost_types.first().map(CostTypes::to_api))
            .set_planned_budget_limits((!planned.is_empty() && adjust.is_none()).then_some(planned))
            .set_budget_limit(limit)
            .set_auto_adjust_data(adjust)
            .build()
    }

    /// What the API says of the budget itself.
    #[expect(deprecated, reason = "Terraform's attributes are those of the older filters")]
    fn take(&mut self, live: Found) {
        self.budget_type = live.budget_type.as_str().to_owned();
        self.name_prefix = Some(naming::prefix_of(&live.budget_name));
        self.name = Some(live.budget_name);
        let limit = live.budget_limit.as_ref();
        let live_amount = text(limit.map(|limit| &limit.amount));
        let same = same_amount(&self.limit_amount.clone().into_value(), &live_amount.clone().into_value());
        self.limit_amount = if same { self.limit_amount.take() } else { live_amount };
        self.limit_unit = text(limit.map(|limit| &limit.unit));
        self.auto_adjust_data = live.auto_adjust_data.map(AutoAdjust::from_api).into_iter().collect();
        let filters = live.cost_filters.unwrap_or_default().into_iter();
        self.cost_filter = filters.map(|(name, values)| CostFilter { name, values }).collect();
        self.cost_types = live.cost_types.as_ref().map(CostTypes::from_api).into_iter().collect();
        let planned = live.planned_budget_limits.unwrap_or_default().into_iter();
        self.planned_limit = planned
            .map(|(start, spend)| PlannedLimit {
                amount: spend.amount,
                start_time: spelled(&DateTime::from_secs(start.parse().unwrap_or_default())),
                unit: spend.unit,
            })
            .collect();
        let period = live.time_period;
        self.time_period_end = text(period.as_ref().and_then(|period| period.end.as_ref()).map(spelled));
        self.time_period_start = text(period.as_ref().and_then(|period| period.start.as_ref()).map(spelled));
        self.time_unit = live.time_unit.as_str().to_owned();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_terraform_writes_them() {
        for text in ["2017-01-01_12:00", "2087-06-15_00:00"] {
            assert_eq!(spelled(&moment(text).unwrap()), text);
        }
        for wrong in ["2017-01-01", "2017-01-01 12:00", "2017-13-01_12:00", ""] {
            assert!(moment(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn amounts_are_compared_as_numbers() {
        let same = |a: &str, b: &str| same_amount(&a.into(), &b.into());
        assert!(same("10", "10.0") && same("0.50", "0.5"));
        assert!(!same("10", "10.1") && !same("10", "ten"));
    }
}
