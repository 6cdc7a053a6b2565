//! `aws_cloudwatch_metric_alarm`

use std::collections::BTreeSet;

use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, Dimension, Metric as SdkMetric, MetricAlarm as Found, MetricDataQuery, MetricStat,
    StandardUnit, Statistic, Tag,
};
use lakeform_core::Value;
use lakeform_provider::{Change, Context, ErrorKind, FoundBy, Model, ProviderError, ResourceType, Result};

use super::GONE;
use crate::{
    AwsClient,
    check::{Part, is_arn},
    error::{Absent, During},
    tags::{TagChanges, Tags, to_map},
};

/// An alarm on a metric, or on an expression of metrics.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(crate) struct AlarmModel {
    /// Whether changes of the alarm's state call its actions. Default: `true`.
    #[attr(optional, default = true)]
    actions_enabled: Option<bool>,
    /// ARNs of what is called when the alarm goes off.
    #[attr(optional)]
    alarm_actions: Option<BTreeSet<String>>,
    /// What it is for.
    #[attr(optional)]
    alarm_description: Option<String>,
    /// Name of the alarm.
    #[attr(required, force_new)]
    alarm_name: String,
    /// ARN of the alarm.
    #[attr(computed)]
    arn: Option<String>,
    /// How the metric is held against the threshold: `GreaterThanThreshold`, ...
    #[attr(required)]
    comparison_operator: String,
    /// How many of the periods must be beyond the threshold. Default: all of them.
    #[attr(optional)]
    datapoints_to_alarm: Option<i64>,
    /// Dimensions of the metric.
    #[attr(optional)]
    dimensions: Option<Tags>,
    /// What a percentile of too few samples means: `evaluate` or `ignore`.
    #[attr(optional, computed)]
    evaluate_low_sample_count_percentiles: Option<String>,
    /// How many periods are looked at.
    #[attr(required)]
    evaluation_periods: i64,
    /// A percentile or another statistic beyond those of `statistic`: `p95`.
    #[attr(optional)]
    extended_statistic: Option<String>,
    /// Name of the alarm.
    #[attr(optional, computed)]
    id: Option<String>,
    /// ARNs of what is called when data is missing.
    #[attr(optional)]
    insufficient_data_actions: Option<BTreeSet<String>>,
    /// Name of the metric. Excludes `metric_query`.
    #[attr(optional)]
    metric_name: Option<String>,
    /// Namespace of the metric.
    #[attr(optional)]
    namespace: Option<String>,
    /// ARNs of what is called when all is well again.
    #[attr(optional)]
    ok_actions: Option<BTreeSet<String>>,
    /// Seconds of a period: 10, 20, 30 or a multiple of 60.
    #[attr(optional)]
    period: Option<i64>,
    /// `SampleCount`, `Average`, `Sum`, `Minimum` or `Maximum`.
    #[attr(optional)]
    statistic: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// What the metric is held against.
    #[attr(optional)]
    threshold: Option<f64>,
    /// The `metric_query` that is the threshold, a band of anomaly detection.
    #[attr(optional)]
    threshold_metric_id: Option<String>,
    /// What missing data means: `missing`, `ignore`, `breaching` or `notBreaching`. Default: `missing`.
    #[attr(optional, default = "missing")]
    treat_missing_data: Option<String>,
    /// Unit of the metric.
    #[attr(optional)]
    unit: Option<String>,
    /// Metrics and expressions, in place of one metric.
    #[block(set)]
    metric_query: Vec<Query>,
}

/// A metric, or an expression of others.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Query {
    /// Account of the metric, where it is another one.
    #[attr(optional)]
    account_id: Option<String>,
    /// An expression of other queries.
    #[attr(optional)]
    expression: Option<String>,
    /// Name of the query within the alarm.
    #[attr(required)]
    id: String,
    /// Its name for readers.
    #[attr(optional)]
    label: Option<String>,
    /// Seconds of a period, for an expression.
    #[attr(optional)]
    period: Option<i64>,
    /// Whether this is what the alarm looks at. Default: `false`.
    #[attr(optional, default = false)]
    return_data: Option<bool>,
    /// A metric.
    #[block(list, max = 1)]
    metric: Vec<Metric>,
}

/// A metric of a query.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Metric {
    /// Its dimensions.
    #[attr(optional)]
    dimensions: Option<Tags>,
    /// Its name.
    #[attr(required)]
    metric_name: String,
    /// Its namespace.
    #[attr(optional)]
    namespace: Option<String>,
    /// Seconds of a period: 1, 5, 10, 20, 30 or a multiple of 60.
    #[attr(required)]
    period: i64,
    /// The statistic: `Average`, `p95`, ...
    #[attr(required)]
    stat: String,
    /// Its unit.
    #[attr(optional)]
    unit: Option<String>,
}

/// `aws_cloudwatch_metric_alarm`
pub(crate) struct MetricAlarm;

impl ResourceType for MetricAlarm {
    type Client = AwsClient;
    type Model = AlarmModel;
    const NAME: &'static str = "aws_cloudwatch_metric_alarm";
    const IDENTITY: &'static [&'static str] = &["alarm_name"];
    const VERSION: u64 = 1;
    const FOUND_BY: FoundBy = FoundBy::Name;
    const OVERWRITES: bool = true;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        let whole = Part::whole(change);
        whole.length("alarm_name", 1..=255)?;
        whole.length("alarm_description", 0..=1024)?;
        whole.one_of("comparison_operator", ComparisonOperator::values())?;
        whole.between("datapoints_to_alarm", 1..=i64::MAX)?;
        whole.between("evaluation_periods", 1..=i64::MAX)?;
        whole.one_of("statistic", Statistic::values())?;
        whole.length("threshold_metric_id", 1..=255)?;
        whole.not_both("threshold", "threshold_metric_id")?;
        whole.not_both("statistic", "extended_statistic")?;
        for name in ["dimensions", "extended_statistic", "metric_name", "namespace", "period", "statistic"] {
            whole.not_both(name, "metric_query")?;
        }
        for name in ["alarm_actions", "insufficient_data_actions", "ok_actions"] {
            check_actions(&whole, name)?;
        }
        check_metric(&whole, &[10, 20, 30])?;
        one_of_any_case(&whole, "treat_missing_data", &["breaching", "notBreaching", "ignore", "missing"])?;
        one_of_any_case(&whole, "evaluate_low_sample_count_percentiles", &["evaluate", "ignore"])?;
        if let Some(text) = whole.text("extended_statistic").filter(|text| !is_statistic(text)) {
            return Err(whole.wrong("extended_statistic", format!("extended_statistic is {text:?}, which is none")));
        }
        if whole.text("metric_name").is_some() && !whole.has("statistic") && !whole.has("extended_statistic") {
            return Err(whole.wrong("statistic", "a metric needs statistic or extended_statistic".into()));
        }
        for query in whole.blocks("metric_query") {
            check_query(&query)?;
        }
        change.round("threshold");
        Ok(())
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: AlarmModel) -> Result<Option<AlarmModel>> {
        let name = object.id.clone().unwrap_or_default();
        // The ARN is known but after an import.
        let (live, tags) = match object.arn.clone() {
            Some(arn) => tokio::join!(find(cx, &name), read_tags(cx, &arn)),
            None => {
                let live = find(cx, &name).await;
                let arn = live.as_ref().ok().and_then(|live| live.as_ref()?.alarm_arn()).unwrap_or_default().to_owned();
                (live, if arn.is_empty() { Ok(None) } else { read_tags(cx, &arn).await })
            }
        };
        let (Some(live), Some(tags)) = (live?, tags?) else { return Ok(None) };
        object.take(live);
        let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
        (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut AlarmModel) -> Result<()> {
        object.put(cx).await?;
        object.id = Some(object.alarm_name.clone());
        let Some(live) = find(cx, &object.alarm_name).await? else {
            return Err(
                ProviderError::new(ErrorKind::NotFound, "the new alarm is gone").operation("cloudwatch:DescribeAlarms")
            );
        };
        object.arn = live.alarm_arn;
        if object.evaluate_low_sample_count_percentiles.is_none() {
            object.evaluate_low_sample_count_percentiles = live.evaluate_low_sample_count_percentile;
        }
        Ok(())
    }

    async fn locate(_cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        planned.id = Some(planned.alarm_name.clone());
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &AlarmModel, object: &mut AlarmModel) -> Result<()> {
        let settings = |alarm: &AlarmModel| AlarmModel { tags: None, tags_all: None, ..alarm.clone() };
        if settings(prior) != settings(object) {
            object.put(cx).await?;
        }
        let arn = prior.arn.clone().unwrap_or_default();
        let changes = TagChanges::between(prior.tags_all.as_ref(), object.tags_all.as_ref());
        let cloudwatch = cx.client.cloudwatch();
        if !changes.remove.is_empty() {
            let call = cloudwatch.untag_resource().resource_arn(&arn).set_tag_keys(Some(changes.remove.clone()));
            call.send().await.during("cloudwatch:UntagResource")?;
        }
        if !changes.set.is_empty() {
            let call = cloudwatch.tag_resource().resource_arn(&arn).set_tags(Some(sdk_tags(&changes.set)));
            call.send().await.during("cloudwatch:TagResource")?;
        }
        Ok(())
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &AlarmModel) -> Result<()> {
        let call = cx.client.cloudwatch().delete_alarms().alarm_names(&object.alarm_name);
        call.send().await.during("cloudwatch:DeleteAlarms").absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<AlarmModel> {
        Ok(AlarmModel { id: Some(id.to_owned()), alarm_name: id.to_owned(), ..AlarmModel::default() })
    }
}

/// Whether a text is a statistic beyond the five: `p95`, `tm90`, `IQM`, `TM(10%:90%)`, ...
fn is_statistic(text: &str) -> bool {
    let number = |text: &str, whole: usize| {
        let (digits, rest) = text.split_once('.').map_or((text, None), |(digits, rest)| (digits, Some(rest)));
        let good = |digits: &str, most: usize| {
            (1..=most).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        };
        good(digits, whole) && rest.is_none_or(|rest| good(rest, if whole == 2 { 2 } else { usize::MAX }))
    };
    let bound = |text: &str| {
        let text = text.strip_suffix('%').unwrap_or(text);
        text.is_empty() || number(text, usize::MAX)
    };
    if text == "IQM" {
        return true;
    }
    let simple = ["tm", "wm", "tc", "ts", "p"].iter().find_map(|kind| text.strip_prefix(kind));
    if let Some(percent) = simple {
        return percent == "100" || number(percent, 2);
    }
    let range = ["TM(", "WM(", "PR(", "TC(", "TS("].iter().find_map(|kind| text.strip_prefix(kind)?.strip_suffix(')'));
    range.and_then(|range| range.split_once(':')).is_some_and(|(from, to)| bound(from) && bound(to))
}

/// [`Part::one_of`], whether letters are small or not.
fn one_of_any_case(part: &Part<'_>, name: &str, values: &[&str]) -> Result<()> {
    match part.text(name) {
        Some(text) if !values.iter().any(|value| value.eq_ignore_ascii_case(text)) => part.one_of(name, values),
        _ => Ok(()),
    }
}

/// Actions are ARNs; `alarm_actions` may be more than five, which the API decides on.
fn check_actions(part: &Part<'_>, name: &str) -> Result<()> {
    let actions = part.given(name).and_then(Value::as_slice).unwrap_or_default();
    if name != "alarm_actions" && actions.len() > 5 {
        return Err(part.wrong(name, format!("{name} has more than 5 actions")));
    }
    match actions.iter().filter_map(Value::as_str).find(|action| !is_arn(action)) {
        Some(action) => Err(part.wrong(name, format!("{name} has {action:?} in it; expected are ARNs"))),
        None => Ok(()),
    }
}

/// Checks what names a metric. `short` are the periods of less than a minute that are possible.
fn check_metric(part: &Part<'_>, short: &[i64]) -> Result<()> {
    part.length("metric_name", 1..=255)?;
    part.length("namespace", 1..=255)?;
    part.one_of("unit", StandardUnit::values())?;
    check_period(part, short)
}

fn check_period(part: &Part<'_>, short: &[i64]) -> Result<()> {
    match part.given("period").and_then(Value::as_i64) {
        Some(period) if !short.contains(&period) && period % 60 != 0 => {
            let short: Vec<String> = short.iter().map(i64::to_string).collect();
            let message = format!("period is {period}; expected is one of {} or a multiple of 60", short.join(", "));
            Err(part.wrong("period", message))
        }
        _ => Ok(()),
    }
}

fn check_query(query: &Part<'_>) -> Result<()> {
    const SHORT: &[i64] = &[1, 5, 10, 20, 30];
    query.length("account_id", 1..=255)?;
    query.length("expression", 1..=1024)?;
    query.length("id", 1..=255)?;
    check_period(query, SHORT)?;
    if query.has("expression") && query.has("metric") {
        return Err(query.wrong("expression", "a metric_query has an expression or a metric, not both".into()));
    }
    for metric in query.blocks("metric") {
        check_metric(&metric, SHORT)?;
        if let Some(stat) = metric.text("stat").filter(|s| !is_statistic(s) && !Statistic::values().contains(s)) {
            return Err(metric.wrong("stat", format!("stat is {stat:?}, which is no statistic")));
        }
    }
    Ok(())
}

impl AlarmModel {
    /// Makes the alarm, or sets all of it.
    async fn put(&self, cx: &Context<'_, AwsClient>) -> Result<()> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let actions = |all: &Option<BTreeSet<String>>| {
            all.as_ref().filter(|all| !all.is_empty()).map(|all| all.iter().cloned().collect())
        };
        let threshold_metric = given(&self.threshold_metric_id);
        let threshold = if threshold_metric.is_some() { None } else { Some(self.threshold.unwrap_or(0.0)) };
        let queries: Vec<_> = self.metric_query.iter().map(Query::sdk).collect();
        let tags: Vec<_> = sdk_tags(self.tags_all.iter().flatten());
        cx.client
            .cloudwatch()
            .put_metric_alarm()
            .set_actions_enabled(self.actions_enabled)
            .set_alarm_actions(actions(&self.alarm_actions))
            .set_alarm_description(given(&self.alarm_description))
            .alarm_name(&self.alarm_name)
            .comparison_operator(self.comparison_operator.as_str().into())
            .set_datapoints_to_alarm(count(self.datapoints_to_alarm))
            .set_dimensions(sdk_dimensions(&self.dimensions))
            .set_evaluate_low_sample_count_percentile(given(&self.evaluate_low_sample_count_percentiles))
            .set_evaluation_periods(count(Some(self.evaluation_periods)))
            .set_extended_statistic(given(&self.extended_statistic))
            .set_insufficient_data_actions(actions(&self.insufficient_data_actions))
            .set_metric_name(given(&self.metric_name))
            .set_metrics((!queries.is_empty()).then_some(queries))
            .set_namespace(given(&self.namespace))
            .set_ok_actions(actions(&self.ok_actions))
            .set_period(count(self.period))
            .set_statistic(given(&self.statistic).as_deref().map(Statistic::from))
            .set_tags((!tags.is_empty()).then_some(tags))
            .set_threshold(threshold)
            .set_threshold_metric_id(threshold_metric)
            .set_treat_missing_data(self.treat_missing_data.clone())
            .set_unit(given(&self.unit).as_deref().map(StandardUnit::from))
            .send()
            .await
            .during("cloudwatch:PutMetricAlarm")
            .map(drop)
    }

    /// What the API says of the alarm.
    fn take(&mut self, live: Found) {
        let set = |all: Option<Vec<String>>| Some(all.unwrap_or_default().into_iter().collect());
        self.actions_enabled = live.actions_enabled;
        self.alarm_actions = set(live.alarm_actions);
        self.alarm_description = live.alarm_description;
        self.alarm_name = live.alarm_name.unwrap_or_default();
        self.arn = live.alarm_arn;
        self.comparison_operator = live.comparison_operator.map(|o| o.as_str().to_owned()).unwrap_or_default();
        self.datapoints_to_alarm = live.datapoints_to_alarm.map(i64::from);
        self.dimensions = Some(dimensions(&live.dimensions.unwrap_or_default()));
        self.evaluate_low_sample_count_percentiles = live.evaluate_low_sample_count_percentile;
        self.evaluation_periods = live.evaluation_periods.unwrap_or_default().into();
        self.extended_statistic = live.extended_statistic;
        self.insufficient_data_actions = set(live.insufficient_data_actions);
        self.metric_name = live.metric_name;
        self.metric_query = live.metrics.unwrap_or_default().into_iter().map(Query::from).collect();
        self.namespace = live.namespace;
        self.ok_actions = set(live.ok_actions);
        self.period = live.period.map(i64::from);
        self.statistic = live.statistic.map(|s| s.as_str().to_owned());
        self.threshold = live.threshold;
        self.threshold_metric_id = live.threshold_metric_id;
        self.treat_missing_data = Some(live.treat_missing_data.unwrap_or_else(|| "missing".to_owned()));
        self.unit = live.unit.map(|unit| unit.as_str().to_owned());
    }
}

impl Query {
    fn sdk(&self) -> MetricDataQuery {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let metric = self.metric.first().map(|metric| {
            let named = SdkMetric::builder()
                .metric_name(&metric.metric_name)
                .set_namespace(given(&metric.namespace))
                .set_dimensions(sdk_dimensions(&metric.dimensions));
            MetricStat::builder()
                .metric(named.build())
                .set_period(count(Some(metric.period)))
                .stat(&metric.stat)
                .set_unit(given(&metric.unit).as_deref().map(StandardUnit::from))
                .build()
        });
        MetricDataQuery::builder()
            .id(&self.id)
            .set_account_id(given(&self.account_id))
            .set_expression(given(&self.expression))
            .set_label(given(&self.label))
            .set_metric_stat(metric)
            .set_period(count(self.period))
            .set_return_data(self.return_data)
            .build()
    }
}

impl From<MetricDataQuery> for Query {
    fn from(live: MetricDataQuery) -> Self {
        let metric = live.metric_stat.map(|stat| {
            let metric = stat.metric.unwrap_or_else(|| SdkMetric::builder().build());
            Metric {
                dimensions: Some(dimensions(&metric.dimensions.unwrap_or_default())),
                metric_name: metric.metric_name.unwrap_or_default(),
                namespace: metric.namespace,
                period: stat.period.unwrap_or_default().into(),
                stat: stat.stat.unwrap_or_default(),
                unit: stat.unit.map(|unit| unit.as_str().to_owned()),
            }
        });
        Self {
            account_id: live.account_id,
            expression: live.expression,
            id: live.id.unwrap_or_default(),
            label: live.label,
            period: live.period.map(i64::from),
            return_data: Some(live.return_data.unwrap_or_default()),
            metric: metric.into_iter().collect(),
        }
    }
}

/// The alarm of exactly this name.
async fn find(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<Found>> {
    let call = cx.client.cloudwatch().describe_alarms().alarm_names(name).alarm_types(AlarmType::MetricAlarm);
    let answer = call.send().await.during("cloudwatch:DescribeAlarms")?;
    Ok(answer.metric_alarms.unwrap_or_default().into_iter().find(|alarm| alarm.alarm_name() == Some(name)))
}

async fn read_tags(cx: &Context<'_, AwsClient>, arn: &str) -> Result<Option<Tags>> {
    let answer = cx.client.cloudwatch().list_tags_for_resource().resource_arn(arn).send().await;
    let answer = answer.during("cloudwatch:ListTagsForResource").absent_ok(GONE)?;
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    Ok(answer.map(|answer| to_map(answer.tags().iter().map(|tag| (text(tag.key()), text(tag.value()))))))
}

/// A number as the API takes it; none where it is absent or 0.
fn count(number: Option<i64>) -> Option<i32> {
    number.and_then(|n| i32::try_from(n).ok()).filter(|n| *n != 0)
}

fn dimensions(live: &[Dimension]) -> Tags {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    live.iter().map(|dimension| (text(dimension.name()), text(dimension.value()))).collect()
}

fn sdk_dimensions(all: &Option<Tags>) -> Option<Vec<Dimension>> {
    let all = all.as_ref().filter(|all| !all.is_empty())?;
    Some(all.iter().map(|(name, value)| Dimension::builder().name(name).value(value).build()).collect())
}

fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Vec<Tag> {
    tags.into_iter().map(|(k, v)| Tag::builder().key(k).value(v).build()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics() {
        for good in ["p95", "p99.9", "p100", "tm90", "IQM", "TM(10%:90%)", "PR(:300)", "TS(80%:)", "wm9.25"] {
            assert!(is_statistic(good), "{good}");
        }
        for wrong in ["p", "p101", "p9.999", "Average", "iqm", "TM(10)", "XX(1:2)", "TM(a:b)", "p-1", ""] {
            assert!(!is_statistic(wrong), "{wrong}");
        }
    }
}
