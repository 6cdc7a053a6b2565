//! `aws_glue_catalog_table`

mod convert;

use std::time::Duration;

use aws_sdk_glue::types::{MetadataOperation, PartitionIndexDescriptor, Table as Found};
use lakeform_provider::{Change, Context, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};

use super::{GONE, arn, catalog, catalog_database::check_small_letters};
use crate::{
    AwsClient, check,
    error::{Absent, During},
    propagation::settle,
    tags::Tags,
    values::built,
};

/// A table of the data catalog.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct CatalogTable {
    /// ARN of the table.
    #[attr(computed)]
    arn: Option<String>,
    /// The catalog. Default: that of the account, whose id is its own.
    #[attr(optional, computed, force_new)]
    catalog_id: Option<String>,
    /// Name of the database.
    #[attr(required, force_new)]
    database_name: String,
    /// What the table holds.
    #[attr(optional)]
    description: Option<String>,
    /// Catalog, database and name, as `CATALOG:DATABASE:NAME`.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the table, without capital letters.
    #[attr(required, force_new)]
    name: String,
    /// Who owns the table.
    #[attr(optional)]
    owner: Option<String>,
    /// Properties by name, such as those of partition projection (`projection.enabled`).
    #[attr(optional)]
    parameters: Option<Tags>,
    /// Days that the table is kept.
    #[attr(optional)]
    retention: Option<i64>,
    /// Kind of table: `EXTERNAL_TABLE`, `VIRTUAL_VIEW`, ...
    #[attr(optional)]
    table_type: Option<String>,
    /// A view's text, expanded.
    #[attr(optional)]
    view_expanded_text: Option<String>,
    /// A view's text, as it was written.
    #[attr(optional)]
    view_original_text: Option<String>,
    /// The open table format of the new table.
    #[block(list, max = 1, force_new)]
    open_table_format_input: Vec<OpenTableFormat>,
    /// Indexes of its partitions.
    #[block(list, max = 3, force_new, computed)]
    partition_index: Vec<PartitionIndex>,
    /// Columns that the table is partitioned by.
    #[block(list)]
    partition_keys: Vec<PartitionKey>,
    /// How and where the data is stored.
    #[block(list, max = 1)]
    storage_descriptor: Vec<Storage>,
    /// The table that this one is a link to.
    #[block(list, max = 1, force_new)]
    target_table: Vec<Target>,
}

/// An open table format.
#[derive(Model, Clone, Debug, Default)]
struct OpenTableFormat {
    /// Apache Iceberg.
    #[block(list, min = 1, max = 1, force_new)]
    iceberg_input: Vec<Iceberg>,
}

/// Apache Iceberg.
#[derive(Model, Clone, Debug, Default)]
struct Iceberg {
    /// `CREATE`
    #[attr(required, force_new)]
    metadata_operation: String,
    /// Version of the format. AWS's default: 2.
    #[attr(optional, force_new)]
    version: Option<String>,
}

/// An index of partitions.
#[derive(Model, Clone, Debug, Default, PartialEq)]
pub(super) struct PartitionIndex {
    /// Name of the index.
    #[attr(required)]
    index_name: String,
    /// `CREATING`, `ACTIVE`, `DELETING` or `FAILED`
    #[attr(computed)]
    index_status: Option<String>,
    /// The partition keys in it, in order.
    #[attr(required)]
    keys: Vec<String>,
}

/// A column that the table is partitioned by.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct PartitionKey {
    /// What it means.
    #[attr(optional)]
    comment: Option<String>,
    /// Its name.
    #[attr(required)]
    name: String,
    /// Its type: `string`
    #[attr(name = "type", optional)]
    kind: Option<String>,
}

/// How and where data is stored.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Storage {
    /// Where more of it is, of a Delta table.
    #[attr(optional)]
    additional_locations: Option<Vec<String>>,
    /// Columns that say which bucket a row is in.
    #[attr(optional)]
    bucket_columns: Option<Vec<String>>,
    /// Whether the data is compressed.
    #[attr(optional)]
    compressed: Option<bool>,
    /// The class that reads files.
    #[attr(optional)]
    input_format: Option<String>,
    /// Where the data is: `s3://...`
    #[attr(optional)]
    location: Option<String>,
    /// How many buckets there are.
    #[attr(optional)]
    number_of_buckets: Option<i64>,
    /// The class that writes files.
    #[attr(optional)]
    output_format: Option<String>,
    /// Properties by name.
    #[attr(optional)]
    parameters: Option<Tags>,
    /// Whether the data is in folders below.
    #[attr(optional)]
    stored_as_sub_directories: Option<bool>,
    /// The columns.
    #[block(list)]
    columns: Vec<Column>,
    /// The schema of a registry that has the columns.
    #[block(list, max = 1)]
    schema_reference: Vec<SchemaReference>,
    /// How rows are read and written.
    #[block(list, max = 1)]
    ser_de_info: Vec<SerDe>,
    /// Values that are very frequent.
    #[block(list, max = 1)]
    skewed_info: Vec<Skewed>,
    /// The order of rows in each bucket.
    #[block(list)]
    sort_columns: Vec<SortColumn>,
}

/// A column.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Column {
    /// What it means.
    #[attr(optional)]
    comment: Option<String>,
    /// Its name.
    #[attr(required)]
    name: String,
    /// Properties by name.
    #[attr(optional)]
    parameters: Option<Tags>,
    /// Its type: `string`
    #[attr(name = "type", optional)]
    kind: Option<String>,
}

/// A version of a schema in a registry.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct SchemaReference {
    /// Id of the version.
    #[attr(optional)]
    schema_version_id: Option<String>,
    /// Number of the version, 1 to 100000.
    #[attr(required)]
    schema_version_number: i64,
    /// The schema.
    #[block(list, max = 1)]
    schema_id: Vec<SchemaId>,
}

/// A schema.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct SchemaId {
    /// Its registry, beside `schema_name`.
    #[attr(optional)]
    registry_name: Option<String>,
    /// Its ARN.
    #[attr(optional)]
    schema_arn: Option<String>,
    /// Its name.
    #[attr(optional)]
    schema_name: Option<String>,
}

/// How rows are read and written.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct SerDe {
    /// Name of the SerDe.
    #[attr(optional)]
    name: Option<String>,
    /// Properties by name.
    #[attr(optional)]
    parameters: Option<Tags>,
    /// The class.
    #[attr(optional)]
    serialization_library: Option<String>,
}

/// Values that are very frequent.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Skewed {
    /// Columns with such values.
    #[attr(optional)]
    skewed_column_names: Option<Vec<String>>,
    /// Where rows with such values are.
    #[attr(optional)]
    skewed_column_value_location_maps: Option<Tags>,
    /// The values.
    #[attr(optional)]
    skewed_column_values: Option<Vec<String>>,
}

/// A column that rows are sorted by.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct SortColumn {
    /// Its name.
    #[attr(required)]
    column: String,
    /// 1: ascending, 0: descending.
    #[attr(required)]
    sort_order: i64,
}

/// Another table of a catalog.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Target {
    /// Its catalog.
    #[attr(required)]
    catalog_id: String,
    /// Its database.
    #[attr(required)]
    database_name: String,
    /// Its name.
    #[attr(required)]
    name: String,
    /// Its region.
    #[attr(optional)]
    region: Option<String>,
}

/// Catalog, database and name of a table.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) catalog_id: String,
    pub(super) database: String,
    pub(super) name: String,
}

/// What says that the table is one of Iceberg, and where its metadata is: Glue's own parameters, not the stack's.
const OF_ICEBERG: [&str; 2] = ["table_type", "metadata_location"];

impl ResourceType for CatalogTable {
    type Client = AwsClient;
    type Model = Self;
    const NAME: &'static str = "aws_glue_catalog_table";
    const IDENTITY: &'static [&'static str] = &["catalog_id", "database_name", "name"];
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        check::length(change, "name", 1..=255)?;
        check_small_letters(change, "name")?;
        check::length(change, "description", 0..=2048)?;
        check::between(change, "retention", 0..=i64::MAX)?;
        let iceberg = "open_table_format_input.iceberg_input";
        check::one_of(change, &format!("{iceberg}.metadata_operation"), MetadataOperation::values())?;
        check::length(change, &format!("{iceberg}.version"), 1..=255)?;
        check::length(change, "partition_index.index_name", 1..=255)?;
        check::not_empty(change, "partition_index.keys")?;
        for columns in ["partition_keys", "storage_descriptor.columns"] {
            check::length(change, &format!("{columns}.comment"), 0..=255)?;
            check::length(change, &format!("{columns}.name"), 1..=255)?;
            check::length(change, &format!("{columns}.type"), 0..=131_072)?;
        }
        for (name, shortest) in [
            ("bucket_columns", 1),
            ("ser_de_info.name", 1),
            ("skewed_info.skewed_column_names", 1),
            ("sort_columns.column", 1),
        ] {
            check::length(change, &format!("storage_descriptor.{name}"), shortest..=255)?;
        }
        check::between(change, "storage_descriptor.sort_columns.sort_order", 0..=1)?;
        let reference = "storage_descriptor.schema_reference";
        check::between(change, &format!("{reference}.schema_version_number"), 1..=100_000)?;
        check::exactly_one(change, reference, &["schema_id", "schema_version_id"])?;
        let schema = format!("{reference}.schema_id");
        check::arn(change, &format!("{schema}.schema_arn"))?;
        check::exactly_one(change, &schema, &["schema_arn", "schema_name"])?;
        check::exclusive(change, &schema, &["registry_name", "schema_arn"])?;
        check::length(change, "view_expanded_text", 0..=409_600)?;
        check::length(change, "view_original_text", 0..=409_600)
    }

    async fn read(cx: &Context<'_, AwsClient>, mut object: Self) -> Result<Option<Self>> {
        let key = object.key()?;
        let (live, indexes) = tokio::join!(find(cx, &key), indexes(cx, &key));
        let Some(live) = live? else { return Ok(None) };
        object.take(cx, &key, live, indexes?).await?;
        Ok(Some(object))
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut Self) -> Result<()> {
        let catalog_id = catalog(cx, object.catalog_id.as_deref()).await?;
        let key = Key { catalog_id, database: object.database_name.clone(), name: object.name.clone() };
        let indexes = object.partition_index.iter().map(|index| built(index.to_api())).collect::<Result<Vec<_>>>()?;
        let call = cx.client.glue().create_table().catalog_id(&key.catalog_id).database_name(&key.database);
        let call = call
            .set_open_table_format_input(object.format().map(built).transpose()?)
            .set_partition_indexes((!indexes.is_empty()).then_some(indexes))
            .table_input(built(object.to_api())?);
        let create = || async { call.clone().send().await.during("glue:CreateTable") };
        settle(cx, create).await?;
        object.id = Some(format!("{}:{}:{}", key.catalog_id, key.database, key.name));
        object.catalog_id = Some(key.catalog_id.clone());
        object.arn = Some(table_arn(cx, &key).await?);
        for (index, live) in object.partition_index.iter_mut().zip(self::indexes(cx, &key).await?) {
            index.index_status = Some(live.index_status.as_str().to_owned());
        }
        Ok(())
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        let catalog_id = catalog(cx, planned.catalog_id.as_deref()).await?;
        planned.id = Some(format!("{catalog_id}:{}:{}", planned.database_name, planned.name));
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &Self, object: &mut Self) -> Result<()> {
        let key = prior.key()?;
        let mut input = built(object.to_api())?;
        if input != built(prior.to_api())? {
            let live = find(cx, &key).await?.and_then(|table| table.parameters).unwrap_or_default();
            if live.get("table_type").is_some_and(|kind| kind == "ICEBERG") {
                let own = live.into_iter().filter(|(name, _)| OF_ICEBERG.contains(&name.as_str()));
                input.parameters.get_or_insert_default().extend(own);
            }
            let call = cx.client.glue().update_table().catalog_id(&key.catalog_id).database_name(&key.database);
            let call = call.table_input(input);
            settle(cx, || async { call.clone().send().await.during("glue:UpdateTable") }).await?;
        }
        object.change_indexes(cx, &key, prior).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &Self) -> Result<()> {
        let key = object.key()?;
        let call =
            cx.client.glue().delete_table().catalog_id(key.catalog_id).database_name(key.database).name(key.name);
        let gone = settle(cx, || async { call.clone().send().await.during("glue:DeleteTable") }).await;
        gone.absent_ok(GONE).map(drop)
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<Self> {
        let object = Self { id: Some(id.to_owned()), ..Self::default() };
        object.key()?;
        Ok(object)
    }
}

impl CatalogTable {
    fn key(&self) -> Result<Key> {
        let id = self.id.as_deref().unwrap_or_default();
        match id.splitn(3, ':').collect::<Vec<_>>()[..] {
            [catalog, database, name] if !catalog.is_empty() && !database.is_empty() && !name.is_empty() => {
                Ok(Key { catalog_id: catalog.into(), database: database.into(), name: name.into() })
            }
            _ => Err(ProviderError::invalid(format!("{id:?} is no identifier: CATALOG_ID:DATABASE:TABLE is expected"))),
        }
    }

    /// Makes indexes anew that differ from before: none can be changed.
    async fn change_indexes(&mut self, cx: &Context<'_, AwsClient>, key: &Key, prior: &Self) -> Result<()> {
        let same = |a: &PartitionIndex, b: &PartitionIndex| a.index_name == b.index_name && a.keys == b.keys;
        let glue = cx.client.glue();
        let Key { catalog_id, database, name } = key;
        for index in &prior.partition_index {
            if !self.partition_index.iter().any(|new| same(new, index)) {
                let call = glue.delete_partition_index().catalog_id(catalog_id).database_name(database);
                let call = call.table_name(name).index_name(&index.index_name);
                call.send().await.during("glue:DeletePartitionIndex").absent_ok(GONE)?;
            }
        }
        for index in &mut self.partition_index {
            if prior.partition_index.iter().any(|old| same(old, index)) {
                continue;
            }
            let wait = Wait::new("partition index to be deleted", Duration::from_secs(300));
            cx.wait(wait, || async {
                let taken = indexes(cx, key).await?.iter().any(|live| live.index_name == index.index_name);
                Ok(if taken { Poll::Pending } else { Poll::Ready(()) })
            })
            .await?;
            let call = glue.create_partition_index().catalog_id(catalog_id).database_name(database);
            let call = call.table_name(name).partition_index(built(index.to_api())?);
            call.send().await.during("glue:CreatePartitionIndex")?;
            index.index_status.get_or_insert_with(|| "CREATING".to_owned());
        }
        Ok(())
    }
}

pub(super) async fn table_arn(cx: &Context<'_, AwsClient>, key: &Key) -> Result<String> {
    arn(cx, &format!("table/{}/{}", key.database, key.name)).await
}

/// The table, if it exists.
async fn find(cx: &Context<'_, AwsClient>, key: &Key) -> Result<Option<Found>> {
    let call = cx.client.glue().get_table().catalog_id(&key.catalog_id).database_name(&key.database).name(&key.name);
    Ok(call.send().await.during("glue:GetTable").absent_ok(GONE)?.and_then(|answer| answer.table))
}

/// The indexes of the table's partitions; none where it cannot have any, or is gone.
pub(super) async fn indexes(cx: &Context<'_, AwsClient>, key: &Key) -> Result<Vec<PartitionIndexDescriptor>> {
    let call = cx.client.glue().get_partition_indexes().catalog_id(&key.catalog_id).database_name(&key.database);
    let answer = call.table_name(&key.name).into_paginator().items().send().collect::<Result<Vec<_>, _>>().await;
    match answer.during("glue:GetPartitionIndexes").absent_ok(GONE) {
        Err(e) if e.has_code("InvalidInputException") && e.message.contains("Operation not supported") => Ok(vec![]),
        all => Ok(all?.unwrap_or_default()),
    }
}
