//! The inline `replication_configuration` of a bucket.

use std::collections::BTreeMap;

use aws_sdk_s3::{
    error::BuildError,
    types::{
        AccessControlTranslation, DeleteMarkerReplication, DeleteMarkerReplicationStatus,
        Destination as ApiDestination, EncryptionConfiguration, Metrics, MetricsStatus, OwnerOverride,
        ReplicationConfiguration, ReplicationRule as ApiRule, ReplicationRuleAndOperator, ReplicationRuleFilter,
        ReplicationRuleStatus, ReplicationTime, ReplicationTimeStatus, ReplicationTimeValue, SourceSelectionCriteria,
        SseKmsEncryptedObjects, SseKmsEncryptedObjectsStatus, StorageClass, Tag,
    },
};
use lakeform_provider::{Context, Model, ProviderError, Result};

use crate::{
    AwsClient,
    error::{Absent, During},
    s3::common::{given, given_number, text, to_i32},
};

/// Where objects are copied to.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Replication {
    /// Role that S3 takes on.
    #[attr(required)]
    role: String,
    /// Rules.
    #[block(set, min = 1)]
    rules: Vec<Rule>,
}

/// A rule.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Rule {
    /// `Enabled` copies delete markers too. Only with `filter`.
    #[attr(optional)]
    delete_marker_replication_status: Option<String>,
    /// Name of the rule.
    #[attr(optional)]
    id: Option<String>,
    /// What the keys of the objects begin with, without `filter`.
    #[attr(optional)]
    prefix: Option<String>,
    /// Which rule wins: the one with the largest number. Only with `filter`.
    #[attr(optional)]
    priority: Option<i64>,
    /// `Enabled` or `Disabled`
    #[attr(required)]
    status: String,
    /// Where to.
    #[block(list, min = 1, max = 1)]
    destination: Vec<Destination>,
    /// Which objects.
    #[block(list, max = 1)]
    filter: Vec<Filter>,
    /// Which of those.
    #[block(list, max = 1)]
    source_selection_criteria: Vec<Criteria>,
}

/// Where to.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Destination {
    /// Account that owns the copies.
    #[attr(optional)]
    account_id: Option<String>,
    /// ARN of the bucket.
    #[attr(required)]
    bucket: String,
    /// ARN of the KMS key that encrypts the copies.
    #[attr(optional)]
    replica_kms_key_id: Option<String>,
    /// Storage class of the copies.
    #[attr(optional)]
    storage_class: Option<String>,
    /// Who owns the copies.
    #[block(list, max = 1)]
    access_control_translation: Vec<Owner>,
    /// Metrics.
    #[block(list, max = 1)]
    metrics: Vec<Timed>,
    /// Time control.
    #[block(list, max = 1)]
    replication_time: Vec<Timed>,
}

/// Who owns the copies.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Owner {
    /// `Destination`
    #[attr(required)]
    owner: String,
}

/// Something with a threshold of time.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Timed {
    /// Minutes: 15
    #[attr(optional, default = 15_i64)]
    minutes: Option<i64>,
    /// `Enabled` or `Disabled`
    #[attr(optional, default = "Enabled")]
    status: Option<String>,
}

/// Which objects.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Filter {
    /// What their keys begin with.
    #[attr(optional)]
    prefix: Option<String>,
    /// Tags that they have.
    #[attr(optional)]
    tags: Option<BTreeMap<String, String>>,
}

/// Which of those.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Criteria {
    /// Those that KMS encrypts.
    #[block(list, max = 1)]
    sse_kms_encrypted_objects: Vec<Encrypted>,
}

/// Those that KMS encrypts.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Encrypted {
    /// Copy them too.
    #[attr(required)]
    enabled: bool,
}

/// Sets or removes the replication.
pub(super) async fn put(cx: &Context<'_, AwsClient>, bucket: &str, wanted: &[Replication]) -> Result<()> {
    let s3 = cx.client.s3();
    let Some(wanted) = wanted.first() else {
        s3.delete_bucket_replication().bucket(bucket).send().await.during("s3:DeleteBucketReplication")?;
        return Ok(());
    };
    let incomplete = |e: BuildError| ProviderError::invalid(e.to_string()).source(e);
    let rules = wanted.rules.iter().map(Rule::to_api).collect::<Result<Vec<_>, _>>().map_err(incomplete)?;
    let configuration = ReplicationConfiguration::builder().role(&wanted.role).set_rules(Some(rules));
    let call = s3.put_bucket_replication().bucket(bucket);
    let call = call.replication_configuration(configuration.build().map_err(incomplete)?);
    call.send().await.during("s3:PutBucketReplication")?;
    Ok(())
}

/// Reads the replication.
pub(super) async fn read(cx: &Context<'_, AwsClient>, bucket: &str) -> Result<Vec<Replication>> {
    let answer = cx.client.s3().get_bucket_replication().bucket(bucket).send().await;
    let found = answer.during("s3:GetBucketReplication").absent_ok(&["ReplicationConfigurationNotFoundError"])?;
    let replication = |r: ReplicationConfiguration| Replication {
        role: r.role,
        rules: r.rules.into_iter().map(Rule::from_api).collect(),
    };
    Ok(found.and_then(|f| f.replication_configuration).map(replication).into_iter().collect())
}

impl Rule {
    fn to_api(&self) -> Result<ApiRule, BuildError> {
        let out = ApiRule::builder()
            .set_id(given(&self.id))
            .status(ReplicationRuleStatus::from(self.status.as_str()))
            .set_destination(self.destination.first().map(Destination::to_api).transpose()?)
            .set_source_selection_criteria(self.source_selection_criteria.first().map(Criteria::to_api).transpose()?);
        let Some(filter) = self.filter.first() else {
            // The first version of the API's schema: no priority, no delete markers.
            return prefixed(out, self.prefix.clone().unwrap_or_default()).build();
        };
        let markers = match given(&self.delete_marker_replication_status) {
            Some(status) => DeleteMarkerReplicationStatus::from(status.as_str()),
            None => DeleteMarkerReplicationStatus::Disabled,
        };
        out.filter(filter.to_api()?)
            .priority(to_i32(self.priority.unwrap_or_default()))
            .delete_marker_replication(DeleteMarkerReplication::builder().status(markers).build())
            .build()
    }

    fn from_api(rule: ApiRule) -> Self {
        let prefix = text(prefix(&rule));
        let markers = rule.delete_marker_replication.and_then(|d| d.status);
        Self {
            // Terraform shows only what differs from the API's default.
            delete_marker_replication_status: text(
                markers.filter(|s| *s == DeleteMarkerReplicationStatus::Enabled).as_ref().map(|s| s.as_str()),
            ),
            id: text(rule.id.as_deref()),
            prefix,
            priority: Some(rule.priority.unwrap_or_default().into()),
            status: rule.status.as_str().to_owned(),
            destination: rule.destination.map(Destination::from_api).into_iter().collect(),
            filter: rule.filter.map(Filter::from_api).into_iter().collect(),
            source_selection_criteria: rule.source_selection_criteria.map(Criteria::from_api).into_iter().collect(),
        }
    }
}

#[expect(deprecated, reason = "the first version of the API's schema knows nothing else")]
fn prefixed(
    rule: aws_sdk_s3::types::builders::ReplicationRuleBuilder,
    prefix: String,
) -> aws_sdk_s3::types::builders::ReplicationRuleBuilder {
    rule.prefix(prefix)
}

#[expect(deprecated, reason = "the first version of the API's schema knows nothing else")]
fn prefix(rule: &ApiRule) -> Option<&str> {
    rule.prefix()
}

impl Filter {
    fn to_api(&self) -> Result<ReplicationRuleFilter, BuildError> {
        let tags = self.tags.iter().flatten().map(|(k, v)| Tag::builder().key(k).value(v).build());
        let tags = tags.collect::<Result<Vec<_>, _>>()?;
        let prefix = self.prefix.clone().unwrap_or_default();
        let out = ReplicationRuleFilter::builder();
        Ok(if tags.is_empty() {
            out.prefix(prefix).build()
        } else {
            out.and(ReplicationRuleAndOperator::builder().prefix(prefix).set_tags(Some(tags)).build()).build()
        })
    }

    fn from_api(filter: ReplicationRuleFilter) -> Self {
        let mut prefix = filter.prefix;
        let mut tags: BTreeMap<_, _> = filter.tag.map(|t| (t.key, t.value)).into_iter().collect();
        if let Some(and) = filter.and {
            prefix = prefix.or(and.prefix);
            tags.extend(and.tags.unwrap_or_default().into_iter().map(|t| (t.key, t.value)));
        }
        Self { prefix: text(prefix.as_deref()), tags: (!tags.is_empty()).then_some(tags) }
    }
}

impl Criteria {
    fn to_api(&self) -> Result<SourceSelectionCriteria, BuildError> {
        let objects = self.sse_kms_encrypted_objects.first().map(|e| {
            let status =
                if e.enabled { SseKmsEncryptedObjectsStatus::Enabled } else { SseKmsEncryptedObjectsStatus::Disabled };
            SseKmsEncryptedObjects::builder().status(status).build()
        });
        Ok(SourceSelectionCriteria::builder().set_sse_kms_encrypted_objects(objects.transpose()?).build())
    }

    fn from_api(criteria: SourceSelectionCriteria) -> Self {
        let objects = criteria.sse_kms_encrypted_objects;
        let encrypted =
            |o: SseKmsEncryptedObjects| Encrypted { enabled: o.status == SseKmsEncryptedObjectsStatus::Enabled };
        Self { sse_kms_encrypted_objects: objects.map(encrypted).into_iter().collect() }
    }
}

fn minutes(timed: &Timed) -> Option<ReplicationTimeValue> {
    given_number(timed.minutes).map(|minutes| ReplicationTimeValue::builder().minutes(minutes).build())
}

fn timed(time: Option<&ReplicationTimeValue>, status: &str) -> Timed {
    Timed { minutes: Some(time.and_then(|t| t.minutes).unwrap_or_default().into()), status: text(Some(status)) }
}

impl Destination {
    fn to_api(&self) -> Result<ApiDestination, BuildError> {
        let owner = self.access_control_translation.first();
        let owner =
            owner.map(|o| AccessControlTranslation::builder().owner(OwnerOverride::from(o.owner.as_str())).build());
        let key = given(&self.replica_kms_key_id);
        let key = key.map(|id| EncryptionConfiguration::builder().replica_kms_key_id(id).build());
        let metrics = self.metrics.first().map(|m| {
            let status = MetricsStatus::from(m.status.as_deref().unwrap_or("Enabled"));
            Metrics::builder().status(status).set_event_threshold(minutes(m)).build()
        });
        let time = self.replication_time.first().map(|t| {
            let status = ReplicationTimeStatus::from(t.status.as_deref().unwrap_or("Enabled"));
            ReplicationTime::builder().status(status).set_time(minutes(t)).build()
        });
        ApiDestination::builder()
            .bucket(&self.bucket)
            .set_account(given(&self.account_id))
            .set_storage_class(given(&self.storage_class).map(|c| StorageClass::from(c.as_str())))
            .set_access_control_translation(owner.transpose()?)
            .set_encryption_configuration(key)
            .set_metrics(metrics.transpose()?)
            .set_replication_time(time.transpose()?)
            .build()
    }

    fn from_api(destination: ApiDestination) -> Self {
        let owner = |a: AccessControlTranslation| Owner { owner: a.owner.as_str().to_owned() };
        let metrics = |m: Metrics| timed(m.event_threshold.as_ref(), m.status.as_str());
        let time = |t: ReplicationTime| timed(t.time.as_ref(), t.status.as_str());
        Self {
            account_id: text(destination.account.as_deref()),
            bucket: destination.bucket,
            replica_kms_key_id: text(
                destination.encryption_configuration.as_ref().and_then(|e| e.replica_kms_key_id.as_deref()),
            ),
            storage_class: text(destination.storage_class.as_ref().map(|c| c.as_str())),
            access_control_translation: destination.access_control_translation.map(owner).into_iter().collect(),
            metrics: destination.metrics.map(metrics).into_iter().collect(),
            replication_time: destination.replication_time.map(time).into_iter().collect(),
        }
    }
}
