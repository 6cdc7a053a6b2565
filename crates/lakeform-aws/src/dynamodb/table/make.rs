//! Creating a table: empty, from another one's past, or from data in S3.

use aws_sdk_dynamodb::{
    error::BuildError,
    types::{
        AttributeDefinition, CsvOptions, GlobalSecondaryIndex, ImportStatus, InputFormatOptions, KeySchemaElement,
        KeyType, LocalSecondaryIndex, OnDemandThroughput, Projection, ProvisionedThroughput, S3BucketSource,
        SseSpecification, StreamSpecification, TableCreationParameters, Tag,
    },
};
use aws_smithy_types::date_time::{DateTime, Format};
use lakeform_core::Path;
use lakeform_provider::{Context, ErrorKind, Poll, ProviderError, Result, Wait};

use super::{
    CREATE, GlobalIndex, ImportTable, LocalIndex, OnDemand, Recovery, TableModel, Ttl, change, describe, settled,
};
use crate::{AwsClient, error::During, tags::Tags};

pub(super) async fn create(cx: &Context<'_, AwsClient>, object: &mut TableModel) -> Result<()> {
    let name = object.name.clone();
    let restored = object.restore_source_name.is_some() || object.restore_source_table_arn.is_some();
    let imported = object.import_table.first().cloned();
    if restored {
        restore(cx, object).await?;
    } else if let Some(import) = &imported {
        import_table(cx, object, import).await?;
    } else {
        create_table(cx, object).await?;
    }
    object.id = Some(name.clone());
    let live = settled(cx, &name, CREATE).await?;
    let mut made = object.clone();
    describe::take(&mut made, live);
    adopt(object, &made);

    // What the creating call could not say is a change to what it made.
    made.ttl = vec![];
    made.point_in_time_recovery = vec![];
    made.replica = vec![];
    if restored || imported.is_some() {
        made.tags_all = None;
    }
    change::apply(cx, &made, object, CREATE).await?;
    if object.ttl.is_empty() {
        object.ttl = vec![Ttl { attribute_name: Some(String::new()), enabled: Some(false) }];
    }
    if object.point_in_time_recovery.is_empty() {
        object.point_in_time_recovery = vec![Recovery { enabled: false, recovery_period_in_days: Some(0) }];
    }
    Ok(())
}

/// Where the stack leaves something to the API, what there is is what was wanted.
pub(super) fn adopt(wanted: &mut TableModel, live: &TableModel) {
    wanted.arn = live.arn.clone();
    wanted.range_key = wanted.range_key.take().or_else(|| live.range_key.clone());
    wanted.hash_key = wanted.hash_key.take().or_else(|| live.hash_key.clone());
    wanted.read_capacity = wanted.read_capacity.or(live.read_capacity);
    wanted.write_capacity = wanted.write_capacity.or(live.write_capacity);
    wanted.stream_arn = live.stream_arn.clone();
    wanted.stream_label = live.stream_label.clone();
    let view = wanted.stream_view_type.take();
    wanted.stream_view_type = view.or_else(|| live.stream_view_type.clone());
    if wanted.on_demand_throughput.is_empty() {
        wanted.on_demand_throughput = live.on_demand_throughput.clone();
    }
    match (&mut wanted.server_side_encryption[..], &live.server_side_encryption[..]) {
        ([], _) => wanted.server_side_encryption = live.server_side_encryption.clone(),
        ([wanted], [live]) if wanted.kms_key_arn.is_none() => wanted.kms_key_arn = live.kms_key_arn.clone(),
        _ => {}
    }
    if wanted.attribute.is_empty() {
        wanted.attribute = live.attribute.clone();
    }
    for index in &mut wanted.global_secondary_index {
        if let Some(live) = live.global_secondary_index.iter().find(|l| l.name == index.name) {
            index.read_capacity = index.read_capacity.or(live.read_capacity);
            index.write_capacity = index.write_capacity.or(live.write_capacity);
            if index.on_demand_throughput.is_empty() {
                index.on_demand_throughput = live.on_demand_throughput.clone();
            }
        }
    }
}

async fn create_table(cx: &Context<'_, AwsClient>, object: &TableModel) -> Result<()> {
    let dynamodb = cx.client.dynamodb();
    if object.hash_key.is_none() {
        return Err(ProviderError::invalid("a new table needs a hash_key").attribute(Path::attr("hash_key")));
    }
    // Many tables and indexes at once are a limit of the account that passes (CreateTable).
    let passing = |e: &ProviderError| e.has_code("LimitExceededException") && e.message.contains("simultaneously");
    cx.retry(Wait::new("other tables to be created", CREATE), passing, || async {
        let tags: Vec<Tag> = sdk_tags(object.tags_all.iter().flatten())?;
        dynamodb
            .create_table()
            .table_name(&object.name)
            .set_attribute_definitions(Some(attributes(object)?))
            .set_key_schema(Some(keys(object.hash_key.as_deref(), object.range_key.as_deref())?))
            .set_local_secondary_indexes(local_indexes(object)?)
            .set_global_secondary_indexes(global_indexes(object)?)
            .set_billing_mode(object.billing_mode.as_deref().map(Into::into))
            .set_provisioned_throughput(table_capacity(object)?)
            .set_on_demand_throughput(on_demand(&object.on_demand_throughput))
            .set_stream_specification(stream(object)?)
            .set_sse_specification(encryption(object))
            .set_table_class(object.table_class.as_deref().filter(|c| *c != "STANDARD").map(Into::into))
            .set_deletion_protection_enabled(object.deletion_protection_enabled)
            .set_tags((!tags.is_empty()).then_some(tags))
            .send()
            .await
            .during("dynamodb:CreateTable")
    })
    .await
    .map(drop)
}

async fn restore(cx: &Context<'_, AwsClient>, object: &TableModel) -> Result<()> {
    let at = match object.restore_date_time.as_deref() {
        None => None,
        Some(text) => Some(DateTime::from_str(text, Format::DateTimeWithOffset).map_err(|e| {
            ProviderError::invalid(format!("restore_date_time is {text:?}: {e}"))
                .attribute(Path::attr("restore_date_time"))
        })?),
    };
    let call = cx
        .client
        .dynamodb()
        .restore_table_to_point_in_time()
        .target_table_name(&object.name)
        .set_source_table_name(object.restore_source_name.clone())
        .set_source_table_arn(object.restore_source_table_arn.clone())
        .set_restore_date_time(at)
        .set_use_latest_restorable_time(object.restore_to_latest_time)
        .set_billing_mode_override(object.billing_mode.as_deref().map(Into::into))
        .set_provisioned_throughput_override(table_capacity(object)?)
        .set_on_demand_throughput_override(on_demand(&object.on_demand_throughput))
        // An empty list means none; no list at all would mean those of the origin.
        .set_global_secondary_index_override(Some(global_indexes(object)?.unwrap_or_default()))
        .set_local_secondary_index_override(Some(local_indexes(object)?.unwrap_or_default()))
        .set_sse_specification_override(encryption(object));
    call.send().await.during("dynamodb:RestoreTableToPointInTime").map(drop)
}

async fn import_table(cx: &Context<'_, AwsClient>, object: &mut TableModel, import: &ImportTable) -> Result<()> {
    let dynamodb = cx.client.dynamodb();
    let source = import.s3_bucket_source.first().map(|s| {
        S3BucketSource::builder()
            .s3_bucket(&s.bucket)
            .set_s3_bucket_owner(s.bucket_owner.clone())
            .set_s3_key_prefix(s.key_prefix.clone())
            .build()
    });
    let csv = import.input_format_options.first().and_then(|o| o.csv.first()).map(|csv| {
        CsvOptions::builder()
            .set_delimiter(csv.delimiter.clone())
            .set_header_list(csv.header_list.as_ref().map(|names| names.iter().cloned().collect()))
            .build()
    });
    let table = TableCreationParameters::builder()
        .table_name(&object.name)
        .set_attribute_definitions(Some(attributes(object)?))
        .set_key_schema(Some(keys(object.hash_key.as_deref(), object.range_key.as_deref())?))
        .set_billing_mode(object.billing_mode.as_deref().map(Into::into))
        .set_provisioned_throughput(table_capacity(object)?)
        .set_on_demand_throughput(on_demand(&object.on_demand_throughput))
        .set_sse_specification(encryption(object))
        .set_global_secondary_indexes(global_indexes(object)?)
        .build();
    let call = dynamodb
        .import_table()
        .set_s3_bucket_source(source.transpose().map_err(invalid)?)
        .set_client_token((!cx.token.is_empty()).then(|| cx.token.to_owned()))
        .input_format(import.input_format.as_str().into())
        .set_input_format_options(csv.map(|csv| InputFormatOptions::builder().csv(csv).build()))
        .set_input_compression_type(import.input_compression_type.as_deref().map(Into::into))
        .table_creation_parameters(table.map_err(invalid)?);
    let answer = call.send().await.during("dynamodb:ImportTable")?;
    let arn = answer.import_table_description.and_then(|i| i.import_arn);
    object.id = Some(object.name.clone());
    let import = cx
        .wait(Wait::new("data to be imported", CREATE), || async {
            let call = dynamodb.describe_import().set_import_arn(arn.clone());
            let import = call.send().await.during("dynamodb:DescribeImport")?.import_table_description;
            Ok(match import {
                Some(import) if import.import_status() == Some(&ImportStatus::InProgress) => Poll::Pending,
                Some(import) => Poll::Ready(import),
                None => Poll::Pending,
            })
        })
        .await?;
    if import.import_status() == Some(&ImportStatus::Completed) {
        return Ok(());
    }
    let why = import.failure_message.or(import.failure_code).unwrap_or_else(|| "no reason given".into());
    Err(ProviderError::new(ErrorKind::Other, format!("the import failed: {why}")).operation("dynamodb:ImportTable"))
}

/// The SDK's builders refuse what the schema lets through only where the stack leaves a required text empty.
pub(super) fn invalid(error: BuildError) -> ProviderError {
    ProviderError::invalid(error.to_string())
}

pub(super) fn sdk_tags<'a>(tags: impl IntoIterator<Item = (&'a String, &'a String)>) -> Result<Vec<Tag>> {
    let build = |(k, v): (&String, &String)| Tag::builder().key(k).value(v).build();
    tags.into_iter().map(build).collect::<Result<_, _>>().map_err(invalid)
}

pub(super) fn attributes(object: &TableModel) -> Result<Vec<AttributeDefinition>> {
    let build = |a: &super::Attribute| {
        AttributeDefinition::builder().attribute_name(&a.name).attribute_type(a.kind.as_str().into()).build()
    };
    object.attribute.iter().map(build).collect::<Result<_, _>>().map_err(invalid)
}

pub(super) fn keys(hash: Option<&str>, range: Option<&str>) -> Result<Vec<KeySchemaElement>> {
    let both = [(hash, KeyType::Hash), (range, KeyType::Range)];
    let given = both.into_iter().filter_map(|(name, kind)| Some((name.filter(|n| !n.is_empty())?, kind)));
    let build = |(name, kind)| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
    given.map(build).collect::<Result<_, _>>().map_err(invalid)
}

pub(super) fn projection(kind: &str, copied: Vec<String>) -> Projection {
    let copied = (!copied.is_empty()).then_some(copied);
    Projection::builder().projection_type(kind.into()).set_non_key_attributes(copied).build()
}

/// Capacity units; at least one of each, which is DynamoDB's least.
pub(super) fn capacity(
    on_demand: bool,
    read: Option<i64>,
    write: Option<i64>,
) -> Result<Option<ProvisionedThroughput>> {
    if on_demand {
        return Ok(None);
    }
    let units = |n: Option<i64>| n.unwrap_or(1).max(1);
    let built =
        ProvisionedThroughput::builder().read_capacity_units(units(read)).write_capacity_units(units(write)).build();
    built.map(Some).map_err(invalid)
}

pub(super) fn table_capacity(object: &TableModel) -> Result<Option<ProvisionedThroughput>> {
    capacity(object.on_demand(), object.read_capacity, object.write_capacity)
}

pub(super) fn on_demand(block: &[OnDemand]) -> Option<OnDemandThroughput> {
    block.first().map(|o| {
        OnDemandThroughput::builder()
            .set_max_read_request_units(o.max_read_request_units)
            .set_max_write_request_units(o.max_write_request_units)
            .build()
    })
}

pub(super) fn stream(object: &TableModel) -> Result<Option<StreamSpecification>> {
    if object.stream_enabled != Some(true) {
        return Ok(None);
    }
    let view = object.stream_view_type.as_deref().map(Into::into);
    StreamSpecification::builder().stream_enabled(true).set_stream_view_type(view).build().map(Some).map_err(invalid)
}

pub(super) fn encryption(object: &TableModel) -> Option<SseSpecification> {
    let block = object.server_side_encryption.first()?;
    let builder = SseSpecification::builder().enabled(block.enabled);
    Some(if block.enabled {
        let key = block.kms_key_arn.clone().filter(|k| !k.is_empty());
        builder.sse_type(aws_sdk_dynamodb::types::SseType::Kms).set_kms_master_key_id(key).build()
    } else {
        builder.build()
    })
}

fn local_indexes(object: &TableModel) -> Result<Option<Vec<LocalSecondaryIndex>>> {
    let build = |index: &LocalIndex| {
        LocalSecondaryIndex::builder()
            .index_name(&index.name)
            .set_key_schema(Some(keys(object.hash_key.as_deref(), Some(&index.range_key))?))
            .projection(projection(&index.projection_type, index.non_key_attributes.clone().unwrap_or_default()))
            .build()
            .map_err(invalid)
    };
    let all = object.local_secondary_index.iter().map(build).collect::<Result<Vec<_>>>()?;
    Ok((!all.is_empty()).then_some(all))
}

fn global_indexes(object: &TableModel) -> Result<Option<Vec<GlobalSecondaryIndex>>> {
    let build = |index: &GlobalIndex| {
        GlobalSecondaryIndex::builder()
            .index_name(&index.name)
            .set_key_schema(Some(keys(Some(&index.hash_key), index.range_key.as_deref())?))
            .projection(projection(
                &index.projection_type,
                index.non_key_attributes.iter().flatten().cloned().collect(),
            ))
            .set_provisioned_throughput(capacity(object.on_demand(), index.read_capacity, index.write_capacity)?)
            .set_on_demand_throughput(on_demand(&index.on_demand_throughput))
            .build()
            .map_err(invalid)
    };
    let all = object.global_secondary_index.iter().map(build).collect::<Result<Vec<_>>>()?;
    Ok((!all.is_empty()).then_some(all))
}

/// For a copy in another region: the tags that it shall have.
pub(super) fn tags_of(object: &TableModel) -> Tags {
    object.tags_all.clone().unwrap_or_default()
}
