//! The live table in the words of the model.

use aws_sdk_dynamodb::types::{
    BillingMode, KeySchemaElement, KeyType, OnDemandThroughput, PointInTimeRecoveryStatus, Projection, SseStatus,
    TableDescription, TimeToLiveStatus,
};
use futures::future::try_join_all;
use lakeform_provider::{Context, Result};

use super::{
    ABSENT, Attribute, Encryption, GlobalIndex, LocalIndex, OnDemand, Recovery, Replica, TableModel, Ttl, find,
};
use crate::{
    AwsClient,
    error::{Absent, During},
    tags::Tags,
};

/// Reads the table. Continuous backups and expiry are two calls more, made only where the stack speaks of them or state
/// does not know them yet; everything that can be asked at once is.
pub(super) async fn read(cx: &Context<'_, AwsClient>, mut object: TableModel) -> Result<Option<TableModel>> {
    let dynamodb = cx.client.dynamodb();
    let name = object.name().to_owned();
    let wanted = |block: &str, unknown: bool| unknown || cx.sets(block, true);
    let wants_ttl = wanted("ttl", object.ttl.is_empty());
    let wants_recovery = wanted("point_in_time_recovery", object.point_in_time_recovery.is_empty());
    let ttl = async { if wants_ttl { read_ttl(dynamodb, &name).await.map(Some) } else { Ok(None) } };
    let recovery = async { if wants_recovery { read_recovery(dynamodb, &name).await.map(Some) } else { Ok(None) } };
    let tags = async {
        match object.arn.as_deref() {
            Some(arn) if !arn.is_empty() => read_tags(dynamodb, arn).await.map(Some),
            _ => Ok(None),
        }
    };
    let (table, ttl, recovery, tags) = tokio::join!(find(dynamodb, &name), ttl, recovery, tags);
    let Some(table) = table? else { return Ok(None) };
    let tags = match (tags?, table.table_arn()) {
        (Some(tags), _) => tags,
        (None, Some(arn)) => read_tags(dynamodb, arn).await?,
        (None, None) => Tags::new(),
    };
    take(&mut object, table);
    if let Some(ttl) = ttl? {
        object.ttl = vec![ttl];
    }
    if let Some(mut recovery) = recovery? {
        // While there are no backups their period is what the stack says, and nobody else knows it.
        if let Some(before) =
            object.point_in_time_recovery.first().filter(|before| !before.enabled && !recovery.enabled)
        {
            recovery.recovery_period_in_days = before.recovery_period_in_days;
        }
        object.point_in_time_recovery = vec![recovery];
    }
    object.replica = try_join_all(object.replica.iter().map(|r| read_replica(cx, &name, r))).await?;
    let tags = cx.client.tags().read(cx, tags, object.tags.as_ref());
    (object.tags, object.tags_all) = (tags.tags, tags.tags_all);
    Ok(Some(object))
}

/// The table as anyone sees it, and all its tags; `None` without a table.
pub(in crate::dynamodb) async fn look(cx: &Context<'_, AwsClient>, name: &str) -> Result<Option<(TableModel, Tags)>> {
    let dynamodb = cx.client.dynamodb();
    let (table, ttl, recovery) =
        tokio::join!(find(dynamodb, name), read_ttl(dynamodb, name), read_recovery(dynamodb, name));
    let Some(table) = table? else { return Ok(None) };
    let tags = read_tags(dynamodb, table.table_arn().unwrap_or_default()).await?;
    let mut object = TableModel { ttl: vec![ttl?], point_in_time_recovery: vec![recovery?], ..TableModel::default() };
    take(&mut object, table);
    Ok(Some((object, tags)))
}

async fn read_tags(dynamodb: &aws_sdk_dynamodb::Client, arn: &str) -> Result<Tags> {
    let (mut tags, mut next) = (Tags::new(), None);
    loop {
        let call = dynamodb.list_tags_of_resource().resource_arn(arn).set_next_token(next);
        let Some(page) = call.send().await.during("dynamodb:ListTagsOfResource").absent_ok(ABSENT)? else {
            return Ok(tags);
        };
        tags.extend(page.tags.into_iter().flatten().map(|t| (t.key, t.value)));
        next = page.next_token;
        if next.is_none() {
            return Ok(tags);
        }
    }
}

async fn read_ttl(dynamodb: &aws_sdk_dynamodb::Client, name: &str) -> Result<Ttl> {
    let answer = dynamodb.describe_time_to_live().table_name(name).send().await;
    let answer = answer.during("dynamodb:DescribeTimeToLive").absent_ok(ABSENT)?;
    let live = answer.and_then(|a| a.time_to_live_description);
    let status = live.as_ref().and_then(|l| l.time_to_live_status());
    let on = matches!(status, Some(TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling));
    Ok(Ttl { attribute_name: Some(live.and_then(|l| l.attribute_name).unwrap_or_default()), enabled: Some(on) })
}

pub(super) async fn read_recovery(dynamodb: &aws_sdk_dynamodb::Client, name: &str) -> Result<Recovery> {
    let answer = dynamodb.describe_continuous_backups().table_name(name).send().await;
    // The second code: DynamoDB's word for a region or endpoint without continuous backups.
    let absent = [ABSENT, &["UnknownOperationException"]].concat();
    let answer = answer.during("dynamodb:DescribeContinuousBackups").absent_ok(&absent)?;
    let live = answer.and_then(|a| a.continuous_backups_description).and_then(|d| d.point_in_time_recovery_description);
    let status = live.as_ref().and_then(|l| l.point_in_time_recovery_status());
    let on = status == Some(&PointInTimeRecoveryStatus::Enabled);
    let days = live.and_then(|l| l.recovery_period_in_days).map_or(0, i64::from);
    Ok(Recovery { enabled: on, recovery_period_in_days: Some(if on { days } else { 0 }) })
}

/// A copy as its own region knows it.
pub(super) async fn read_replica(cx: &Context<'_, AwsClient>, table: &str, replica: &Replica) -> Result<Replica> {
    let there = cx.client.dynamodb_in(&replica.region_name);
    let (live, recovery) = tokio::join!(find(&there, table), read_recovery(&there, table));
    let mut out = replica.clone();
    if let Some(live) = live? {
        out.arn = live.table_arn;
        out.stream_arn = Some(live.latest_stream_arn.unwrap_or_default());
        out.stream_label = Some(live.latest_stream_label.unwrap_or_default());
    }
    out.point_in_time_recovery = Some(recovery?.enabled);
    Ok(out)
}

fn key(schema: &[KeySchemaElement], kind: &KeyType) -> Option<String> {
    schema.iter().find(|k| k.key_type() == kind).map(|k| k.attribute_name().to_owned())
}

fn on_demand(live: Option<&OnDemandThroughput>) -> Vec<OnDemand> {
    let one = live.map(|o| OnDemand {
        max_read_request_units: o.max_read_request_units,
        max_write_request_units: o.max_write_request_units,
    });
    one.into_iter().collect()
}

fn projection(live: Option<&Projection>) -> (String, Vec<String>) {
    let kind = live.and_then(|p| p.projection_type()).map(|t| t.as_str().to_owned()).unwrap_or_default();
    (kind, live.map(|p| p.non_key_attributes().to_vec()).unwrap_or_default())
}

/// Stores what the API says; absent stays absent where it says nothing.
fn or_absent(field: &Option<String>, live: Option<String>) -> Option<String> {
    live.or_else(|| field.as_ref().map(|_| String::new()))
}

/// What DescribeTable says, in the model. What it does not say stays.
pub(super) fn take(object: &mut TableModel, live: TableDescription) {
    let name = live.table_name.clone().unwrap_or_else(|| object.name().to_owned());
    object.id = Some(name.clone());
    object.name = name;
    object.arn = live.table_arn.clone();
    let mode = live.billing_mode_summary().and_then(|b| b.billing_mode()).unwrap_or(&BillingMode::Provisioned);
    object.billing_mode = Some(mode.as_str().to_owned());
    object.deletion_protection_enabled = Some(live.deletion_protection_enabled == Some(true));
    object.hash_key = key(live.key_schema(), &KeyType::Hash);
    object.range_key = or_absent(&object.range_key, key(live.key_schema(), &KeyType::Range));
    let capacity = live.provisioned_throughput();
    object.read_capacity = Some(capacity.and_then(|c| c.read_capacity_units).unwrap_or(0));
    object.write_capacity = Some(capacity.and_then(|c| c.write_capacity_units).unwrap_or(0));
    object.stream_arn = Some(live.latest_stream_arn.clone().unwrap_or_default());
    object.stream_label = Some(live.latest_stream_label.clone().unwrap_or_default());
    let stream = live.stream_specification();
    let was_off = object.stream_enabled != Some(true);
    object.stream_enabled = Some(stream.is_some_and(|s| s.stream_enabled));
    // A view without a stream is the stack's word alone.
    let unused = object.stream_view_type.take().filter(|_| was_off && object.stream_enabled == Some(false));
    let view = stream.and_then(|s| s.stream_view_type()).map(|v| v.as_str().to_owned());
    object.stream_view_type = Some(view.or(unused).unwrap_or_default());
    let class = live.table_class_summary().and_then(|s| s.table_class()).map(|c| c.as_str().to_owned());
    object.table_class = Some(class.unwrap_or_else(|| "STANDARD".into()));
    let attributes = live.attribute_definitions().iter();
    object.attribute = attributes
        .map(|a| Attribute { name: a.attribute_name.clone(), kind: a.attribute_type.as_str().to_owned() })
        .collect();
    object.on_demand_throughput = on_demand(live.on_demand_throughput());
    let before = std::mem::take(&mut object.global_secondary_index);
    let global = live.global_secondary_indexes().iter().map(|live| {
        let name = live.index_name.clone().unwrap_or_default();
        let before = before.iter().find(|b| b.name == name).cloned().unwrap_or_default();
        let (projection_type, copied) = projection(live.projection());
        let capacity = live.provisioned_throughput();
        GlobalIndex {
            hash_key: key(live.key_schema(), &KeyType::Hash).unwrap_or_default(),
            non_key_attributes: (!copied.is_empty() || before.non_key_attributes.is_some())
                .then(|| copied.into_iter().collect()),
            projection_type,
            range_key: or_absent(&before.range_key, key(live.key_schema(), &KeyType::Range)),
            read_capacity: Some(capacity.and_then(|c| c.read_capacity_units).unwrap_or(0)),
            write_capacity: Some(capacity.and_then(|c| c.write_capacity_units).unwrap_or(0)),
            on_demand_throughput: on_demand(live.on_demand_throughput()),
            name,
        }
    });
    object.global_secondary_index = global.collect();
    let before = std::mem::take(&mut object.local_secondary_index);
    let local = live.local_secondary_indexes().iter().map(|live| {
        let name = live.index_name.clone().unwrap_or_default();
        let before = before.iter().find(|b| b.name == name).cloned().unwrap_or_default();
        let (projection_type, copied) = projection(live.projection());
        let stored = before.non_key_attributes;
        let same = |stored: &Vec<String>| {
            let sorted = |names: &[String]| names.iter().cloned().collect::<std::collections::BTreeSet<_>>();
            sorted(stored) == sorted(&copied)
        };
        LocalIndex {
            // Their order means nothing, so the stored one stays.
            non_key_attributes: match stored {
                Some(stored) if same(&stored) => Some(stored),
                None if copied.is_empty() => None,
                _ => Some(copied),
            },
            projection_type,
            range_key: key(live.key_schema(), &KeyType::Range).unwrap_or_default(),
            name,
        }
    });
    object.local_secondary_index = local.collect();
    object.server_side_encryption = match live.sse_description() {
        Some(sse) => {
            let on = matches!(sse.status(), Some(SseStatus::Enabled | SseStatus::Enabling | SseStatus::Updating));
            // AWS's own key counts as none, as with Terraform: no key stays no key.
            let own = object
                .server_side_encryption
                .first()
                .is_some_and(|e| e.enabled && e.kms_key_arn.as_deref().is_none_or(str::is_empty));
            let key = sse.kms_master_key_arn.clone().filter(|_| !own).unwrap_or_default();
            vec![Encryption { enabled: on, kms_key_arn: Some(key) }]
        }
        // `enabled = false` is how DynamoDB says nothing.
        None => object.server_side_encryption.drain(..).filter(|e| !e.enabled).collect(),
    };
    if let [encryption] = &mut object.server_side_encryption[..] {
        encryption.kms_key_arn.get_or_insert_default();
    }
    let before = std::mem::take(&mut object.replica);
    let copies = live.replicas().iter().filter_map(|live| {
        let region = live.region_name.clone()?;
        let before = before.iter().find(|b| b.region_name == region).cloned();
        Some(Replica {
            kms_key_arn: Some(live.kms_master_key_id.clone().unwrap_or_default()),
            region_name: region,
            ..before.unwrap_or(Replica { propagate_tags: Some(false), ..Replica::default() })
        })
    });
    object.replica = copies.collect();
}
