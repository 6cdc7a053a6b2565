//! Which events a trail records.

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::types::{
    AdvancedEventSelector as SdkAdvanced, AdvancedFieldSelector, DataResource as SdkResource,
    EventSelector as SdkSelector, InsightSelector as SdkInsight, InsightType, ReadWriteType,
};
use lakeform_provider::{Model, ProviderError, Result};

use crate::check::Part;

/// Events that are recorded, chosen by many of their fields.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct AdvancedSelector {
    /// Name of the selector.
    #[attr(optional)]
    name: Option<String>,
    /// What must hold of an event, all of it.
    #[block(set, min = 1)]
    field_selector: Vec<FieldSelector>,
}

/// What must hold of a field of an event.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct FieldSelector {
    /// It ends with one of these.
    #[attr(optional)]
    ends_with: Option<Vec<String>>,
    /// It is one of these.
    #[attr(optional)]
    equals: Option<Vec<String>>,
    /// Which field: `eventCategory`, `resources.type`, ...
    #[attr(required)]
    field: String,
    /// It ends with none of these.
    #[attr(optional)]
    not_ends_with: Option<Vec<String>>,
    /// It is none of these.
    #[attr(optional)]
    not_equals: Option<Vec<String>>,
    /// It begins with none of these.
    #[attr(optional)]
    not_starts_with: Option<Vec<String>>,
    /// It begins with one of these.
    #[attr(optional)]
    starts_with: Option<Vec<String>>,
}

/// Events that are recorded.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Selector {
    /// Services whose management events are left out: `kms.amazonaws.com`, `rdsdata.amazonaws.com`.
    #[attr(optional)]
    exclude_management_event_sources: Option<BTreeSet<String>>,
    /// Whether management events are recorded. Default: `true`.
    #[attr(optional, default = true)]
    include_management_events: Option<bool>,
    /// `ReadOnly`, `WriteOnly` or `All`. Default: `All`.
    #[attr(optional, default = "All")]
    read_write_type: Option<String>,
    /// Resources whose data events are recorded.
    #[block(list)]
    data_resource: Vec<DataResource>,
}

/// Resources whose data events are recorded.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct DataResource {
    /// `AWS::S3::Object`, `AWS::Lambda::Function` or `AWS::DynamoDB::Table`.
    #[attr(required, name = "type")]
    kind: String,
    /// ARNs, or what they begin with; 250 at most.
    #[attr(required)]
    values: Vec<String>,
}

/// What is looked for in the events.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct Insight {
    /// `ApiCallRateInsight` or `ApiErrorRateInsight`.
    #[attr(required)]
    insight_type: String,
}

const FIELDS: &[&str] = &[
    "eventCategory",
    "eventName",
    "eventSource",
    "eventType",
    "readOnly",
    "resources.ARN",
    "resources.type",
    "sessionCredentialFromConsole",
    "userIdentity.arn",
];

/// Refuses what the API does not take.
///
/// # Errors
/// With the place of the first such attribute.
pub(super) fn check_selectors(whole: &Part<'_>) -> Result<()> {
    whole.not_both("event_selector", "advanced_event_selector")?;
    for part in whole.blocks("event_selector") {
        part.one_of("read_write_type", ReadWriteType::values())?;
        for part in part.blocks("data_resource") {
            part.one_of("type", &["AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::S3::Object"])?;
            if part.given("values").and_then(|v| v.as_slice()).is_some_and(|values| values.len() > 250) {
                return Err(part.wrong("values", "values has more than 250 elements".into()));
            }
        }
    }
    for part in whole.blocks("advanced_event_selector") {
        part.length("name", 0..=1000)?;
        for part in part.blocks("field_selector") {
            part.one_of("field", FIELDS)?;
        }
    }
    for part in whole.blocks("insight_selector") {
        part.one_of("insight_type", InsightType::values())?;
    }
    Ok(())
}

/// A list as the API takes it.
fn list(all: &Option<Vec<String>>) -> Option<Vec<String>> {
    all.clone().filter(|all| !all.is_empty())
}

impl Selector {
    /// The selector of a trail for which nothing was chosen.
    pub(super) fn standard() -> SdkSelector {
        let all = SdkSelector::builder().include_management_events(true).read_write_type(ReadWriteType::All);
        all.set_data_resources(Some(vec![])).build()
    }

    pub(super) fn sdk(&self) -> SdkSelector {
        let excluded = self.exclude_management_event_sources.clone().filter(|all| !all.is_empty());
        let resources = self.data_resource.iter().map(|resource| {
            SdkResource::builder().r#type(&resource.kind).set_values(Some(resource.values.clone())).build()
        });
        SdkSelector::builder()
            .set_include_management_events(self.include_management_events)
            .set_read_write_type(self.read_write_type.as_deref().map(ReadWriteType::from))
            .set_data_resources(Some(resources.collect()))
            .set_exclude_management_event_sources(excluded.map(|all| all.into_iter().collect()))
            .build()
    }

    /// The selectors as Terraform stores them: none where the API shows the standard one and the stack names none.
    pub(super) fn all(live: &[SdkSelector], stored: &[Self]) -> Vec<Self> {
        let is_standard = |one: &SdkSelector| {
            one.data_resources().is_empty()
                && one.read_write_type() == Some(&ReadWriteType::All)
                && one.exclude_management_event_sources().is_empty()
        };
        match live {
            [one] if stored.is_empty() && is_standard(one) => vec![],
            all => all.iter().map(Self::from).collect(),
        }
    }
}

impl From<&SdkSelector> for Selector {
    fn from(live: &SdkSelector) -> Self {
        let resources = live.data_resources().iter().map(|resource| DataResource {
            kind: resource.r#type().unwrap_or_default().to_owned(),
            values: resource.values().to_vec(),
        });
        Self {
            exclude_management_event_sources: Some(live.exclude_management_event_sources().iter().cloned().collect()),
            include_management_events: Some(live.include_management_events().unwrap_or_default()),
            read_write_type: live.read_write_type().map(|t| t.as_str().to_owned()),
            data_resource: resources.collect(),
        }
    }
}

impl AdvancedSelector {
    pub(super) fn sdk(&self) -> Result<SdkAdvanced> {
        let invalid = |e: aws_smithy_types::error::operation::BuildError| ProviderError::invalid(e.to_string());
        let fields = self.field_selector.iter().map(|field| {
            AdvancedFieldSelector::builder()
                .field(&field.field)
                .set_ends_with(list(&field.ends_with))
                .set_equals(list(&field.equals))
                .set_not_ends_with(list(&field.not_ends_with))
                .set_not_equals(list(&field.not_equals))
                .set_not_starts_with(list(&field.not_starts_with))
                .set_starts_with(list(&field.starts_with))
                .build()
                .map_err(invalid)
        });
        let all = SdkAdvanced::builder().name(self.name.clone().unwrap_or_default());
        all.set_field_selectors(Some(fields.collect::<Result<_>>()?)).build().map_err(invalid)
    }
}

impl From<&SdkAdvanced> for AdvancedSelector {
    fn from(live: &SdkAdvanced) -> Self {
        let fields = live.field_selectors().iter().map(|field| FieldSelector {
            ends_with: field.ends_with.clone(),
            equals: field.equals.clone(),
            field: field.field.clone(),
            not_ends_with: field.not_ends_with.clone(),
            not_equals: field.not_equals.clone(),
            not_starts_with: field.not_starts_with.clone(),
            starts_with: field.starts_with.clone(),
        });
        Self { name: live.name.clone(), field_selector: fields.collect() }
    }
}

impl Insight {
    pub(super) fn sdk(&self) -> SdkInsight {
        SdkInsight::builder().insight_type(self.insight_type.as_str().into()).build()
    }
}

impl From<&SdkInsight> for Insight {
    fn from(live: &SdkInsight) -> Self {
        Self { insight_type: live.insight_type().map(|t| t.as_str().to_owned()).unwrap_or_default() }
    }
}
