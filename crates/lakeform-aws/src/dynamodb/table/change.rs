//! Changing a table: DynamoDB takes one kind of change at a time, and waits in between.

use std::time::Duration;

use aws_sdk_dynamodb::{
    operation::update_table::builders::UpdateTableFluentBuilder,
    types::{
        CreateGlobalSecondaryIndexAction, CreateReplicationGroupMemberAction, DeleteGlobalSecondaryIndexAction,
        DeleteReplicationGroupMemberAction, GlobalSecondaryIndexUpdate, PointInTimeRecoverySpecification,
        ReplicationGroupUpdate, StreamSpecification, TableDescription, TimeToLiveSpecification,
        UpdateGlobalSecondaryIndexAction,
    },
};
use lakeform_provider::{Context, ProviderError, Result, Wait};

use super::{
    ABSENT, GlobalIndex, Recovery, Replica, TableModel, Ttl, describe,
    make::{self, invalid},
    settled,
};
use crate::{
    AwsClient,
    error::{Absent, During},
    tags::{TagChanges, Tags},
};

/// What to do with one global secondary index.
#[derive(Debug, PartialEq)]
pub(super) enum IndexChange<'a> {
    /// Its capacity differs.
    Update(&'a GlobalIndex),
    /// It is not wanted, or not with these keys.
    Delete(&'a str),
    /// It is missing.
    Create(&'a GlobalIndex),
}

/// The changes that lead from one set of indexes to another: deletes, then updates, then creates. Keys and projection of an
/// index cannot be changed, so such an index is deleted and created.
pub(super) fn index_changes<'a>(
    old: &'a [GlobalIndex],
    new: &'a [GlobalIndex],
    on_demand: bool,
) -> Vec<IndexChange<'a>> {
    let shape = |i: &GlobalIndex| {
        let copied = i.non_key_attributes.clone().unwrap_or_default();
        let range = i.range_key.clone().unwrap_or_default();
        (i.hash_key.clone(), range, i.projection_type.clone(), copied)
    };
    let capacity = |i: &GlobalIndex| (i.read_capacity, i.write_capacity);
    let find = |all: &'a [GlobalIndex], name: &str| all.iter().find(|i| i.name == name);
    let (mut deletes, mut updates, mut creates) = (vec![], vec![], vec![]);
    for before in old {
        match find(new, &before.name) {
            Some(after) if shape(after) == shape(before) => {
                let differs = (!on_demand && capacity(after) != capacity(before))
                    || (on_demand && after.on_demand_throughput != before.on_demand_throughput);
                if differs {
                    updates.push(IndexChange::Update(after));
                }
            }
            Some(after) => {
                deletes.push(IndexChange::Delete(&before.name));
                creates.push(IndexChange::Create(after));
            }
            None => deletes.push(IndexChange::Delete(&before.name)),
        }
    }
    creates.extend(new.iter().filter(|i| find(old, &i.name).is_none()).map(IndexChange::Create));
    deletes.into_iter().chain(updates).chain(creates).collect()
}

/// One run of changes, each waited for.
struct Changing<'a, 'c> {
    cx: &'a Context<'c, AwsClient>,
    name: &'a str,
    budget: Duration,
    live: Option<TableDescription>,
}

impl Changing<'_, '_> {
    async fn table(&mut self, set: impl Fn(UpdateTableFluentBuilder) -> UpdateTableFluentBuilder) -> Result<()> {
        let dynamodb = self.cx.client.dynamodb();
        // Another change, or one of its aftermaths, may still be under way.
        let busy = |e: &ProviderError| {
            (e.has_code("ResourceInUseException") && !e.message.to_ascii_lowercase().contains("stream"))
                || (e.has_code("LimitExceededException") && e.message.contains("simultaneously"))
        };
        let wait = Wait::new("table to be free for a change", Duration::from_secs(300));
        self.cx
            .retry(wait, busy, || async {
                set(dynamodb.update_table().table_name(self.name)).send().await.during("dynamodb:UpdateTable")
            })
            .await?;
        self.live = Some(settled(self.cx, self.name, self.budget).await?);
        Ok(())
    }

    async fn index(&mut self, update: GlobalSecondaryIndexUpdate, object: &TableModel) -> Result<()> {
        let attributes = make::attributes(object)?;
        let set = |call: UpdateTableFluentBuilder| {
            call.set_attribute_definitions(Some(attributes.clone())).global_secondary_index_updates(update.clone())
        };
        self.table(set).await
    }
}

/// Brings the table from `prior` to `object`.
pub(super) async fn apply(
    cx: &Context<'_, AwsClient>,
    prior: &TableModel,
    object: &mut TableModel,
    budget: Duration,
) -> Result<()> {
    let name = prior.name().to_owned();
    let mut run = Changing { cx, name: &name, budget, live: None };
    if prior.table_class != object.table_class && object.table_class.is_some() {
        let class = object.table_class.clone().unwrap_or_default();
        run.table(|call| call.table_class(class.as_str().into())).await?;
    }
    let changes = index_changes(&prior.global_secondary_index, &object.global_secondary_index, object.on_demand());
    for change in &changes {
        if let IndexChange::Delete(index) = change {
            let delete = DeleteGlobalSecondaryIndexAction::builder().index_name(*index).build().map_err(invalid)?;
            run.index(GlobalSecondaryIndexUpdate::builder().delete(delete).build(), object).await?;
        }
    }
    // Back to provisioned capacity, every index needs its own in the same call.
    let to_provisioned = prior.on_demand() && !object.on_demand();
    let updates: Vec<GlobalSecondaryIndexUpdate> = changes
        .iter()
        .filter_map(|c| match c {
            IndexChange::Update(index) => Some(update_index(index, object.on_demand())),
            _ => None,
        })
        .collect::<Result<_>>()?;
    table_itself(&mut run, prior, object, if to_provisioned { updates.clone() } else { vec![] }).await?;
    if !to_provisioned {
        for update in updates {
            run.index(update, object).await?;
        }
    }
    for change in &changes {
        if let IndexChange::Create(index) = change {
            let create = create_index(index, object.on_demand())?;
            run.index(GlobalSecondaryIndexUpdate::builder().create(create).build(), object).await?;
        }
    }
    if encryption_differs(prior, object) {
        let spec = make::encryption(object);
        run.table(|call| call.set_sse_specification(spec.clone())).await?;
    }
    if let Some(live) = run.live {
        let mut model = object.clone();
        describe::take(&mut model, live);
        make::adopt(object, &model);
    }

    let (ttl, recovery) = tokio::join!(
        set_ttl(cx, &name, prior.ttl.first(), object.ttl.first()),
        set_recovery(cx, &name, prior.point_in_time_recovery.first(), object.point_in_time_recovery.first()),
    );
    ttl?;
    if let (Some(done), [block]) = (recovery?, &mut object.point_in_time_recovery[..]) {
        block.recovery_period_in_days.get_or_insert(done);
    }
    let tags = make::tags_of(object);
    tag(cx.client.dynamodb(), prior.arn.as_deref(), &TagChanges::between(prior.tags_all.as_ref(), Some(&tags))).await?;
    if !prior.replica.is_empty() || !object.replica.is_empty() {
        object.replica = replicas(cx, &name, &prior.replica, &object.replica, &tags, budget).await?;
    }
    Ok(())
}

/// Billing, capacity, stream and protection: one call for all that differs.
async fn table_itself(
    run: &mut Changing<'_, '_>,
    prior: &TableModel,
    object: &TableModel,
    indexes: Vec<GlobalSecondaryIndexUpdate>,
) -> Result<()> {
    let billing = prior.billing_mode != object.billing_mode;
    let capacity = !object.on_demand()
        && (prior.read_capacity != object.read_capacity || prior.write_capacity != object.write_capacity);
    let bounds = object.on_demand()
        && !object.on_demand_throughput.is_empty()
        && prior.on_demand_throughput != object.on_demand_throughput;
    let protection =
        (prior.deletion_protection_enabled == Some(true)) != (object.deletion_protection_enabled == Some(true));
    let was_on = prior.stream_enabled == Some(true);
    let is_on = object.stream_enabled == Some(true);
    // A stream's view cannot be changed: it is switched off first.
    if was_on && is_on && prior.stream_view_type != object.stream_view_type {
        let off = StreamSpecification::builder().stream_enabled(false).build().map_err(invalid)?;
        run.table(|call| call.stream_specification(off.clone())).await?;
        let on = make::stream(object)?;
        run.table(|call| call.set_stream_specification(on.clone())).await?;
    }
    let stream = match (was_on, is_on) {
        (false, true) => make::stream(object)?,
        (true, false) => Some(StreamSpecification::builder().stream_enabled(false).build().map_err(invalid)?),
        _ => None,
    };
    if !(billing || capacity || bounds || protection || stream.is_some()) {
        return Ok(());
    }
    let units = make::table_capacity(object)?.filter(|_| billing || capacity);
    let set = |call: UpdateTableFluentBuilder| {
        let mode = object.billing_mode.as_deref().filter(|_| billing || capacity).map(Into::into);
        let indexes = (!indexes.is_empty()).then(|| indexes.clone());
        call.set_billing_mode(mode)
            .set_provisioned_throughput(units.clone())
            .set_on_demand_throughput(make::on_demand(&object.on_demand_throughput).filter(|_| bounds))
            .set_deletion_protection_enabled(protection.then_some(object.deletion_protection_enabled == Some(true)))
            .set_stream_specification(stream.clone())
            .set_global_secondary_index_updates(indexes)
    };
    run.table(set).await
}

fn update_index(index: &GlobalIndex, on_demand: bool) -> Result<GlobalSecondaryIndexUpdate> {
    let action = UpdateGlobalSecondaryIndexAction::builder()
        .index_name(&index.name)
        .set_provisioned_throughput(make::capacity(on_demand, index.read_capacity, index.write_capacity)?)
        .set_on_demand_throughput(make::on_demand(&index.on_demand_throughput).filter(|_| on_demand))
        .build()
        .map_err(invalid)?;
    Ok(GlobalSecondaryIndexUpdate::builder().update(action).build())
}

fn create_index(index: &GlobalIndex, on_demand: bool) -> Result<CreateGlobalSecondaryIndexAction> {
    CreateGlobalSecondaryIndexAction::builder()
        .index_name(&index.name)
        .set_key_schema(Some(make::keys(Some(&index.hash_key), index.range_key.as_deref())?))
        .projection(make::projection(
            &index.projection_type,
            index.non_key_attributes.iter().flatten().cloned().collect(),
        ))
        .set_provisioned_throughput(make::capacity(on_demand, index.read_capacity, index.write_capacity)?)
        .set_on_demand_throughput(make::on_demand(&index.on_demand_throughput))
        .build()
        .map_err(invalid)
}

fn encryption_differs(prior: &TableModel, object: &TableModel) -> bool {
    let on = |t: &TableModel| t.server_side_encryption.first().is_some_and(|e| e.enabled);
    let key = |t: &TableModel| t.server_side_encryption.first().and_then(|e| e.kms_key_arn.clone()).unwrap_or_default();
    on(prior) != on(object) || (on(object) && !key(object).is_empty() && key(prior) != key(object))
}

async fn set_ttl(cx: &Context<'_, AwsClient>, name: &str, before: Option<&Ttl>, after: Option<&Ttl>) -> Result<()> {
    let on = |t: Option<&Ttl>| t.is_some_and(|t| t.enabled == Some(true));
    let attribute = |t: Option<&Ttl>| t.and_then(|t| t.attribute_name.clone()).filter(|a| !a.is_empty());
    if on(before) == on(after) && (!on(after) || attribute(before) == attribute(after)) {
        return Ok(());
    }
    let spec = TimeToLiveSpecification::builder()
        .enabled(on(after))
        .attribute_name(attribute(after).or_else(|| attribute(before)).unwrap_or_default())
        .build()
        .map_err(invalid)?;
    let call = cx.client.dynamodb().update_time_to_live().table_name(name).time_to_live_specification(spec);
    call.send().await.during("dynamodb:UpdateTimeToLive").map(drop)
}

/// The period that is in force after a change.
async fn set_recovery(
    cx: &Context<'_, AwsClient>,
    name: &str,
    before: Option<&Recovery>,
    after: Option<&Recovery>,
) -> Result<Option<i64>> {
    let was_on = before.is_some_and(|r| r.enabled);
    let days = |r: Option<&Recovery>| r.and_then(|r| r.recovery_period_in_days).filter(|d| *d > 0);
    let Some(wanted) = after else { return Ok(None) };
    if was_on == wanted.enabled && (!was_on || days(after).is_none() || days(before) == days(after)) {
        return Ok(if was_on { days(before) } else { Some(0) });
    }
    update_recovery(cx, cx.client.dynamodb(), name, wanted.enabled, days(after)).await.map(Some)
}

async fn update_recovery(
    cx: &Context<'_, AwsClient>,
    dynamodb: &aws_sdk_dynamodb::Client,
    name: &str,
    on: bool,
    days: Option<i64>,
) -> Result<i64> {
    let spec = PointInTimeRecoverySpecification::builder()
        .point_in_time_recovery_enabled(on)
        .set_recovery_period_in_days(days.filter(|_| on).and_then(|d| i32::try_from(d).ok()))
        .build()
        .map_err(invalid)?;
    // Right after a table is created its backups are not ready to be configured.
    let early = |e: &ProviderError| e.has_code("ContinuousBackupsUnavailableException");
    let wait = Wait::new("continuous backups to be available", Duration::from_secs(20 * 60));
    let answer = cx
        .retry(wait, early, || async {
            let call = dynamodb.update_continuous_backups().table_name(name);
            let call = call.point_in_time_recovery_specification(spec.clone());
            call.send().await.during("dynamodb:UpdateContinuousBackups")
        })
        .await?;
    let live = answer.continuous_backups_description.and_then(|d| d.point_in_time_recovery_description);
    // 35 days where the answer does not say (UpdateContinuousBackups).
    Ok(if on { live.and_then(|l| l.recovery_period_in_days).map_or(days.unwrap_or(35), i64::from) } else { 0 })
}

async fn tag(dynamodb: &aws_sdk_dynamodb::Client, arn: Option<&str>, tags: &TagChanges) -> Result<()> {
    let Some(arn) = arn.filter(|_| !tags.is_empty()) else { return Ok(()) };
    if !tags.remove.is_empty() {
        let call = dynamodb.untag_resource().resource_arn(arn).set_tag_keys(Some(tags.remove.clone()));
        call.send().await.during("dynamodb:UntagResource")?;
    }
    if !tags.set.is_empty() {
        let call = dynamodb.tag_resource().resource_arn(arn).set_tags(Some(make::sdk_tags(&tags.set)?));
        call.send().await.during("dynamodb:TagResource")?;
    }
    Ok(())
}

/// Brings the copies in other regions from `old` to `new`, one at a time, and reads what became of them.
pub(super) async fn replicas(
    cx: &Context<'_, AwsClient>,
    name: &str,
    old: &[Replica],
    new: &[Replica],
    tags: &Tags,
    budget: Duration,
) -> Result<Vec<Replica>> {
    let mut run = Changing { cx, name, budget, live: None };
    let key = |r: &Replica| r.kms_key_arn.clone().unwrap_or_default();
    // A copy's key cannot be changed: the copy is made anew.
    let stays = |a: &Replica, b: &Replica| a.region_name == b.region_name && (key(b).is_empty() || key(a) == key(b));
    for gone in old.iter().filter(|o| !new.iter().any(|n| stays(o, n))) {
        let action =
            DeleteReplicationGroupMemberAction::builder().region_name(&gone.region_name).build().map_err(invalid)?;
        let update = ReplicationGroupUpdate::builder().delete(action).build();
        run.table(|call| call.replica_updates(update.clone())).await.absent_ok(ABSENT)?;
    }
    let mut done = vec![];
    for wanted in new {
        let before = old.iter().find(|o| stays(o, wanted));
        if before.is_none() {
            let action = CreateReplicationGroupMemberAction::builder()
                .region_name(&wanted.region_name)
                .set_kms_master_key_id(wanted.kms_key_arn.clone().filter(|k| !k.is_empty()))
                .build()
                .map_err(invalid)?;
            let update = ReplicationGroupUpdate::builder().create(action).build();
            run.table(|call| call.replica_updates(update.clone())).await?;
        }
        let there = cx.client.dynamodb_in(&wanted.region_name);
        let backups = wanted.point_in_time_recovery == Some(true);
        if before.is_some_and(|b| b.point_in_time_recovery == Some(true)) != backups {
            update_recovery(cx, &there, name, backups, None).await?;
        }
        let mut live = describe::read_replica(cx, name, wanted).await?;
        live.kms_key_arn.get_or_insert_default();
        if wanted.propagate_tags == Some(true) {
            let changes = TagChanges { set: tags.clone(), remove: vec![] };
            tag(&there, live.arn.as_deref(), &changes).await?;
        }
        done.push(live);
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(name: &str, hash: &str, read: i64) -> GlobalIndex {
        GlobalIndex {
            name: name.into(),
            hash_key: hash.into(),
            projection_type: "ALL".into(),
            read_capacity: Some(read),
            write_capacity: Some(1),
            ..GlobalIndex::default()
        }
    }

    #[test]
    fn indexes_change_one_by_one() {
        let (a, b) = (index("a", "x", 1), index("b", "x", 1));
        let changes = |old: &[GlobalIndex], new: &[GlobalIndex], on_demand: bool| {
            index_changes(old, new, on_demand).iter().map(|c| format!("{c:?}")).collect::<Vec<_>>()
        };
        let is = |change: IndexChange<'_>| format!("{change:?}");
        let both = [a.clone(), b.clone()];
        assert_eq!(changes(&both, &both, false), Vec::<String>::new());
        assert_eq!(changes(&both, &both[..1], false), [is(IndexChange::Delete("b"))]);
        assert_eq!(changes(&both[..1], &both, false), [is(IndexChange::Create(&b))]);
        // Capacity is changed in place, and means nothing on demand.
        let more = [index("a", "x", 2), b.clone()];
        assert_eq!(changes(&both, &more, false), [is(IndexChange::Update(&more[0]))]);
        assert_eq!(changes(&both, &more, true), Vec::<String>::new());
        // Other keys: deleted and created, after other deletes and updates.
        let new = [index("a", "y", 1), index("b", "x", 5), index("c", "x", 1)];
        let order = [
            is(IndexChange::Delete("a")),
            is(IndexChange::Update(&new[1])),
            is(IndexChange::Create(&new[0])),
            is(IndexChange::Create(&new[2])),
        ];
        assert_eq!(changes(&both, &new, false), order);
        // An empty sort key is none.
        let mut spelled = a.clone();
        spelled.range_key = Some(String::new());
        spelled.non_key_attributes = Some(Default::default());
        assert_eq!(changes(&both[..1], &[spelled], false), Vec::<String>::new());
    }
}
