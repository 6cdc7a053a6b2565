//! Replication rules as the API has them and as state has them.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    error::BuildError,
    types::{
        AccessControlTranslation, DeleteMarkerReplication, DeleteMarkerReplicationStatus,
        Destination as ApiDestination, EncryptionConfiguration, ExistingObjectReplication,
        ExistingObjectReplicationStatus, Metrics as ApiMetrics, MetricsStatus, OwnerOverride, ReplicaModifications,
        ReplicaModificationsStatus, ReplicationConfiguration, ReplicationRule, ReplicationRuleAndOperator,
        ReplicationRuleFilter, ReplicationRuleStatus, ReplicationTime as ApiTime, ReplicationTimeStatus,
        ReplicationTimeValue, SourceSelectionCriteria, SseKmsEncryptedObjects, SseKmsEncryptedObjectsStatus,
        StorageClass, Tag as ApiTag,
    },
};

use super::{
    super::common::{given, given_number, text, to_i32},
    model::{
        And, BucketReplication, Destination, Encryption, Filter, Metrics, Minutes, ReplicationTime, Rule,
        SourceSelection, Status, Tag, Translation,
    },
};

/// The configuration as the API takes it.
///
/// # Errors
/// When something is missing that the API requires.
pub(super) fn to_api(object: &BucketReplication) -> Result<ReplicationConfiguration, BuildError> {
    ReplicationConfiguration::builder()
        .role(&object.role)
        .set_rules(Some(object.rule.iter().map(rule_to_api).collect::<Result<_, _>>()?))
        .build()
}

fn rule_to_api(rule: &Rule) -> Result<ReplicationRule, BuildError> {
    let filter = rule.filter.first().map(filter_to_api).transpose()?;
    // Version V1 has a prefix, and no priority unless the stack wants one; version V2 always has a priority.
    let (prefix, priority) = match filter {
        Some(_) => (None, Some(to_i32(rule.priority.unwrap_or_default()))),
        None => (Some(rule.prefix.clone().unwrap_or_default()), given_number(rule.priority)),
    };
    let marker = |v: &Status| {
        let status = DeleteMarkerReplicationStatus::from(v.status.as_str());
        DeleteMarkerReplication::builder().status(status).build()
    };
    let existing = |v: &Status| {
        let status = ExistingObjectReplicationStatus::from(v.status.as_str());
        ExistingObjectReplication::builder().status(status).build()
    };
    #[expect(deprecated, reason = "the attribute is deprecated as well, and still works")]
    let out = ReplicationRule::builder().set_prefix(prefix);
    out.set_id(given(&rule.id))
        .set_priority(priority)
        .status(ReplicationRuleStatus::from(rule.status.as_str()))
        .set_filter(filter)
        .set_delete_marker_replication(rule.delete_marker_replication.first().map(marker))
        .set_existing_object_replication(rule.existing_object_replication.first().map(existing).transpose()?)
        .set_source_selection_criteria(rule.source_selection_criteria.first().map(selection_to_api).transpose()?)
        .set_destination(rule.destination.first().map(destination_to_api).transpose()?)
        .build()
}

fn filter_to_api(filter: &Filter) -> Result<ReplicationRuleFilter, BuildError> {
    let out = ReplicationRuleFilter::builder();
    if let Some(and) = filter.and.first() {
        let tag = |(key, value): (&String, &String)| ApiTag::builder().key(key).value(value).build();
        let tags = and.tags.iter().flatten().map(tag).collect::<Result<Vec<_>, _>>()?;
        let and = ReplicationRuleAndOperator::builder()
            .set_prefix(given(&and.prefix))
            .set_tags((!tags.is_empty()).then_some(tags))
            .build();
        return Ok(out.and(and).build());
    }
    if let Some(tag) = filter.tag.first() {
        return Ok(out.tag(ApiTag::builder().key(&tag.key).value(&tag.value).build()?).build());
    }
    Ok(out.set_prefix(given(&filter.prefix)).build())
}

fn selection_to_api(selection: &SourceSelection) -> Result<SourceSelectionCriteria, BuildError> {
    let replicas = selection
        .replica_modifications
        .first()
        .map(|v| ReplicaModifications::builder().status(ReplicaModificationsStatus::from(v.status.as_str())).build());
    let encrypted = selection.sse_kms_encrypted_objects.first().map(|v| {
        SseKmsEncryptedObjects::builder().status(SseKmsEncryptedObjectsStatus::from(v.status.as_str())).build()
    });
    Ok(SourceSelectionCriteria::builder()
        .set_replica_modifications(replicas.transpose()?)
        .set_sse_kms_encrypted_objects(encrypted.transpose()?)
        .build())
}

fn minutes_to_api(minutes: &[Minutes]) -> Option<ReplicationTimeValue> {
    minutes.first().map(|v| ReplicationTimeValue::builder().minutes(to_i32(v.minutes)).build())
}

fn destination_to_api(destination: &Destination) -> Result<ApiDestination, BuildError> {
    let translation = destination
        .access_control_translation
        .first()
        .map(|v| AccessControlTranslation::builder().owner(OwnerOverride::from(v.owner.as_str())).build());
    let encryption = destination
        .encryption_configuration
        .first()
        .map(|v| EncryptionConfiguration::builder().replica_kms_key_id(&v.replica_kms_key_id).build());
    let metrics = destination.metrics.first().map(|v| {
        ApiMetrics::builder()
            .status(MetricsStatus::from(v.status.as_str()))
            .set_event_threshold(minutes_to_api(&v.event_threshold))
            .build()
    });
    let time = destination.replication_time.first().map(|v| {
        ApiTime::builder()
            .status(ReplicationTimeStatus::from(v.status.as_str()))
            .set_time(minutes_to_api(&v.time))
            .build()
    });
    ApiDestination::builder()
        .bucket(&destination.bucket)
        .set_account(given(&destination.account))
        .set_storage_class(given(&destination.storage_class).map(|class| StorageClass::from(class.as_str())))
        .set_access_control_translation(translation.transpose()?)
        .set_encryption_configuration(encryption)
        .set_metrics(metrics.transpose()?)
        .set_replication_time(time.transpose()?)
        .build()
}

/// The rules of an answer, in Terraform's spelling of what is not set.
pub(super) fn from_api(rules: Vec<ReplicationRule>) -> Vec<Rule> {
    rules.into_iter().map(rule_from_api).collect()
}

fn status(status: &str) -> Status {
    Status { status: status.to_owned() }
}

fn rule_from_api(rule: ReplicationRule) -> Rule {
    let marker = rule.delete_marker_replication.and_then(|v| v.status);
    #[expect(deprecated, reason = "the attribute is deprecated as well, and still works")]
    let prefix = rule.prefix;
    let mut out = Rule {
        id: rule.id,
        prefix,
        priority: rule.priority.map(i64::from),
        status: rule.status.as_str().to_owned(),
        delete_marker_replication: Vec::from_iter(marker.map(|v| status(v.as_str()))),
        destination: Vec::from_iter(rule.destination.map(destination_from_api)),
        existing_object_replication: Vec::from_iter(
            rule.existing_object_replication.map(|v| status(v.status.as_str())),
        ),
        filter: Vec::from_iter(rule.filter.map(filter_from_api)),
        source_selection_criteria: Vec::from_iter(rule.source_selection_criteria.map(|v| SourceSelection {
            replica_modifications: Vec::from_iter(v.replica_modifications.map(|v| status(v.status.as_str()))),
            sse_kms_encrypted_objects: Vec::from_iter(v.sse_kms_encrypted_objects.map(|v| status(v.status.as_str()))),
        })),
    };
    complete(&mut out);
    out
}

/// Says what Terraform stores where nothing is set.
pub(super) fn complete(rule: &mut Rule) {
    rule.id.get_or_insert_default();
    rule.prefix.get_or_insert_default();
    rule.priority.get_or_insert_default();
    for destination in &mut rule.destination {
        destination.account.get_or_insert_default();
        destination.storage_class.get_or_insert_default();
    }
    for filter in &mut rule.filter {
        filter.prefix.get_or_insert_default();
        for and in &mut filter.and {
            and.prefix.get_or_insert_default();
        }
    }
}

fn filter_from_api(filter: ReplicationRuleFilter) -> Filter {
    let and = filter.and.map(|and| {
        let tags: BTreeMap<_, _> = and.tags.unwrap_or_default().into_iter().map(|t| (t.key, t.value)).collect();
        And { prefix: text(and.prefix.as_deref()), tags: Some(tags).filter(|tags| !tags.is_empty()) }
    });
    Filter {
        prefix: text(filter.prefix.as_deref()),
        and: Vec::from_iter(and),
        tag: Vec::from_iter(filter.tag.map(|t| Tag { key: t.key, value: t.value })),
    }
}

fn minutes_from_api(time: Option<ReplicationTimeValue>) -> Vec<Minutes> {
    Vec::from_iter(time.map(|v| Minutes { minutes: v.minutes.map(i64::from).unwrap_or_default() }))
}

fn destination_from_api(destination: ApiDestination) -> Destination {
    Destination {
        account: destination.account,
        bucket: destination.bucket,
        storage_class: destination.storage_class.map(|class| class.as_str().to_owned()),
        access_control_translation: Vec::from_iter(
            destination.access_control_translation.map(|v| Translation { owner: v.owner.as_str().to_owned() }),
        ),
        encryption_configuration: Vec::from_iter(
            destination
                .encryption_configuration
                .map(|v| Encryption { replica_kms_key_id: v.replica_kms_key_id.unwrap_or_default() }),
        ),
        metrics: Vec::from_iter(destination.metrics.map(|v| Metrics {
            status: v.status.as_str().to_owned(),
            event_threshold: minutes_from_api(v.event_threshold),
        })),
        replication_time: Vec::from_iter(
            destination
                .replication_time
                .map(|v| ReplicationTime { status: v.status.as_str().to_owned(), time: minutes_from_api(v.time) }),
        ),
    }
}
