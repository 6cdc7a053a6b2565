//! Lifecycle rules as the API has them and as state has them.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    error::BuildError,
    types::{
        AbortIncompleteMultipartUpload, BucketLifecycleConfiguration, ExpirationStatus, LifecycleExpiration,
        LifecycleRule, LifecycleRuleAndOperator, LifecycleRuleFilter, NoncurrentVersionExpiration,
        NoncurrentVersionTransition, Tag as ApiTag, Transition as ApiTransition, TransitionStorageClass,
    },
};
use aws_smithy_types::{DateTime, date_time::Format};
use lakeform_provider::{Field, ProviderError, Result};

use super::{
    super::common::{given, given_number, to_i32},
    model::{AbortUpload, And, Expiration, Filter, NoncurrentExpiration, NoncurrentTransition, Rule, Tag, Transition},
    plan::fill,
};

/// A date as AWS documents it: RFC 3339.
///
/// # Errors
/// When the text is no date.
pub(super) fn parse_date(text: &str) -> Result<DateTime> {
    DateTime::from_str(text, Format::DateTimeWithOffset).map_err(|e| {
        ProviderError::invalid(format!("{text:?} is no date")).hint("write it as in \"2030-01-01T00:00:00Z\"").source(e)
    })
}

fn print_date(date: &DateTime) -> Option<String> {
    date.fmt(Format::DateTime).ok()
}

fn incomplete(error: BuildError) -> ProviderError {
    ProviderError::invalid(error.to_string()).source(error)
}

/// The rules as the API takes them.
///
/// # Errors
/// When a date is none.
pub(super) fn to_api(rules: &[Rule]) -> Result<BucketLifecycleConfiguration> {
    let rules = rules.iter().map(rule_to_api).collect::<Result<Vec<_>>>()?;
    BucketLifecycleConfiguration::builder().set_rules(Some(rules)).build().map_err(incomplete)
}

fn rule_to_api(rule: &Rule) -> Result<LifecycleRule> {
    let prefix = given(&rule.prefix);
    let filter = match rule.filter.first() {
        Some(filter) => Some(filter_to_api(filter)?),
        // S3 wants a prefix or a filter; one without content is a filter for all objects.
        None => prefix.is_none().then(|| LifecycleRuleFilter::builder().build()),
    };
    let transitions = rule.transition.iter().map(transition_to_api).collect::<Result<Vec<_>>>()?;
    let noncurrent: Vec<_> = rule.noncurrent_version_transition.iter().map(noncurrent_to_api).collect();
    #[expect(deprecated, reason = "the attribute is deprecated as well, and still works")]
    let out = LifecycleRule::builder().set_prefix(prefix);
    out.id(&rule.id)
        .status(ExpirationStatus::from(rule.status.as_str()))
        .set_filter(filter)
        .set_abort_incomplete_multipart_upload(rule.abort_incomplete_multipart_upload.first().map(|abort| {
            let days = given_number(abort.days_after_initiation);
            AbortIncompleteMultipartUpload::builder().set_days_after_initiation(days).build()
        }))
        .set_expiration(rule.expiration.first().map(expiration_to_api).transpose()?)
        .set_noncurrent_version_expiration(rule.noncurrent_version_expiration.first().map(|expiration| {
            NoncurrentVersionExpiration::builder()
                .noncurrent_days(to_i32(expiration.noncurrent_days))
                .set_newer_noncurrent_versions(given_number(expiration.newer_noncurrent_versions))
                .build()
        }))
        .set_noncurrent_version_transitions((!noncurrent.is_empty()).then_some(noncurrent))
        .set_transitions((!transitions.is_empty()).then_some(transitions))
        .build()
        .map_err(incomplete)
}

fn expiration_to_api(expiration: &Expiration) -> Result<LifecycleExpiration> {
    let out = LifecycleExpiration::builder();
    let marker = expiration.expired_object_delete_marker.unwrap_or_default();
    let date = given(&expiration.date).map(|text| parse_date(&text)).transpose()?;
    let days = given_number(expiration.days);
    // A block that says nothing else is sent as one that keeps delete markers.
    let marker = (marker || (date.is_none() && days.is_none())).then_some(marker);
    Ok(out.set_date(date).set_days(days).set_expired_object_delete_marker(marker).build())
}

fn transition_to_api(transition: &Transition) -> Result<ApiTransition> {
    let date = given(&transition.date).map(|text| parse_date(&text)).transpose()?;
    let days = date.is_none().then(|| to_i32(transition.days.unwrap_or_default()));
    let class = TransitionStorageClass::from(transition.storage_class.as_str());
    Ok(ApiTransition::builder().set_date(date).set_days(days).storage_class(class).build())
}

fn noncurrent_to_api(transition: &NoncurrentTransition) -> NoncurrentVersionTransition {
    NoncurrentVersionTransition::builder()
        .noncurrent_days(to_i32(transition.noncurrent_days))
        .set_newer_noncurrent_versions(given_number(transition.newer_noncurrent_versions))
        .storage_class(TransitionStorageClass::from(transition.storage_class.as_str()))
        .build()
}

fn filter_to_api(filter: &Filter) -> Result<LifecycleRuleFilter> {
    let tag = |key: &str, value: &str| ApiTag::builder().key(key).value(value).build().map_err(incomplete);
    let out = LifecycleRuleFilter::builder();
    if let Some(and) = filter.and.first() {
        let tags = and.tags.iter().flatten().map(|(key, value)| tag(key, value)).collect::<Result<Vec<_>>>()?;
        // Terraform sends the prefix and the lower limit always, the upper limit only where there is one.
        let and = LifecycleRuleAndOperator::builder()
            .prefix(and.prefix.clone().unwrap_or_default())
            .object_size_greater_than(and.object_size_greater_than.unwrap_or_default())
            .set_object_size_less_than(and.object_size_less_than.filter(|n| *n != 0))
            .set_tags((!tags.is_empty()).then_some(tags))
            .build();
        return Ok(out.and(and).build());
    }
    if let Some(wanted) = filter.tag.first() {
        return Ok(out.tag(tag(&wanted.key, &wanted.value)?).build());
    }
    let (greater, less) = (filter.object_size_greater_than, filter.object_size_less_than);
    let prefix = (greater.is_none() && less.is_none()).then(|| filter.prefix.clone().unwrap_or_default());
    Ok(out.set_object_size_greater_than(greater).set_object_size_less_than(less).set_prefix(prefix).build())
}

/// The rules of an answer, in Terraform's spelling of what is not set.
pub(super) fn from_api(rules: Vec<LifecycleRule>) -> Vec<Rule> {
    rules.into_iter().map(rule_from_api).map(filled).collect()
}

/// A rule with what Terraform stores where nothing is set.
fn filled(rule: Rule) -> Rule {
    Rule::from_value(&fill(rule.into_value()))
}

fn rule_from_api(rule: LifecycleRule) -> Rule {
    let class = |class: Option<TransitionStorageClass>| class.map(|c| c.as_str().to_owned()).unwrap_or_default();
    let number = |n: Option<i32>| n.map(i64::from);
    #[expect(deprecated, reason = "the attribute is deprecated as well, and still works")]
    let prefix = rule.prefix;
    Rule {
        id: rule.id.unwrap_or_default(),
        prefix,
        status: rule.status.as_str().to_owned(),
        abort_incomplete_multipart_upload: Vec::from_iter(
            rule.abort_incomplete_multipart_upload
                .map(|v| AbortUpload { days_after_initiation: number(v.days_after_initiation) }),
        ),
        expiration: Vec::from_iter(rule.expiration.map(|v| Expiration {
            date: v.date.as_ref().and_then(print_date),
            days: number(v.days),
            expired_object_delete_marker: v.expired_object_delete_marker,
        })),
        filter: Vec::from_iter(rule.filter.and_then(filter_from_api)),
        noncurrent_version_expiration: Vec::from_iter(rule.noncurrent_version_expiration.map(|v| {
            NoncurrentExpiration {
                newer_noncurrent_versions: number(v.newer_noncurrent_versions),
                noncurrent_days: number(v.noncurrent_days).unwrap_or_default(),
            }
        })),
        noncurrent_version_transition: rule
            .noncurrent_version_transitions
            .into_iter()
            .flatten()
            .map(|v| NoncurrentTransition {
                newer_noncurrent_versions: number(v.newer_noncurrent_versions),
                noncurrent_days: number(v.noncurrent_days).unwrap_or_default(),
                storage_class: class(v.storage_class),
            })
            .collect(),
        transition: rule
            .transitions
            .into_iter()
            .flatten()
            .map(|v| Transition {
                date: v.date.as_ref().and_then(print_date),
                days: number(v.days),
                storage_class: class(v.storage_class),
            })
            .collect(),
    }
}

/// A filter without content is stored as none.
fn filter_from_api(filter: LifecycleRuleFilter) -> Option<Filter> {
    let LifecycleRuleFilter { prefix, tag, object_size_greater_than, object_size_less_than, and, .. } = filter;
    let out = Filter {
        object_size_greater_than,
        object_size_less_than,
        prefix,
        and: Vec::from_iter(and.map(|v| And {
            object_size_greater_than: v.object_size_greater_than,
            object_size_less_than: v.object_size_less_than,
            prefix: v.prefix,
            tags: v.tags.map(|tags| tags.into_iter().map(|t| (t.key, t.value)).collect::<BTreeMap<_, _>>()),
        })),
        tag: Vec::from_iter(tag.map(|t| Tag { key: t.key, value: t.value })),
    };
    (out != Filter::default()).then_some(out)
}

/// The live rules in the stored order and spelling, as far as they mean the same.
pub(super) fn keep_spelling(stored: Vec<Rule>, live: Vec<Rule>) -> Vec<Rule> {
    if same_rules(&stored, &live) {
        return stored.into_iter().map(filled).collect();
    }
    let stored_of = |live: &Rule| stored.iter().find(|rule| rule.id == live.id && essence(rule) == essence(live));
    live.into_iter().map(|live| stored_of(&live).cloned().map_or(live, filled)).collect()
}

/// Whether S3 does the same by both.
pub(super) fn same_rules(a: &[Rule], b: &[Rule]) -> bool {
    let sorted = |rules: &[Rule]| {
        let mut rules: Vec<_> = rules.iter().map(essence).collect();
        rules.sort_by(|a, b| a.id.cmp(&b.id));
        rules
    };
    a.len() == b.len() && sorted(a) == sorted(b)
}

/// One spelling for all rules that mean the same.
fn essence(rule: &Rule) -> Rule {
    let mut rule = filled(rule.clone());
    let date = |date: &mut Option<String>| {
        *date = given(date).map(|text| parse_date(&text).ok().as_ref().and_then(print_date).unwrap_or(text));
    };
    let nonzero = |n: &mut Option<i64>| *n = n.filter(|n| *n != 0);
    for expiration in &mut rule.expiration {
        date(&mut expiration.date);
    }
    let keeps_everything = Expiration { date: None, days: Some(0), expired_object_delete_marker: Some(false) };
    rule.expiration.retain(|expiration| *expiration != keeps_everything);
    if rule.filter.is_empty() && rule.prefix.as_deref() == Some("") {
        rule.filter = vec![Filter { prefix: Some(String::new()), ..Filter::default() }];
    }
    for filter in &mut rule.filter {
        filter.prefix = given(&filter.prefix);
        for and in &mut filter.and {
            and.tags = and.tags.take().filter(|tags| !tags.is_empty());
        }
    }
    rule.noncurrent_version_expiration.iter_mut().for_each(|v| nonzero(&mut v.newer_noncurrent_versions));
    rule.noncurrent_version_transition.iter_mut().for_each(|v| nonzero(&mut v.newer_noncurrent_versions));
    rule.noncurrent_version_transition.sort();
    for transition in &mut rule.transition {
        date(&mut transition.date);
    }
    rule.transition.sort();
    rule
}
