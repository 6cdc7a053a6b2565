//! The table between the stack's words and the API's.

use aws_sdk_glue::{
    error::BuildError,
    types::{
        Column as ApiColumn, IcebergInput, OpenTableFormatInput, Order, PartitionIndex as ApiIndex,
        PartitionIndexDescriptor, SchemaId as ApiSchemaId, SchemaReference as ApiSchemaReference, SerDeInfo,
        SkewedInfo, StorageDescriptor, Table as Found, TableIdentifier, TableInput,
    },
};
use lakeform_provider::{Context, Result};

use super::{
    CatalogTable, Column, Key, OF_ICEBERG, PartitionIndex, PartitionKey, SchemaId, SchemaReference, SerDe, Skewed,
    SortColumn, Storage, Target, table_arn,
};
use crate::{
    AwsClient,
    values::{flag, given, given_list, given_map, given_number, list, map, number, text, to_i32},
};

impl CatalogTable {
    pub(super) fn to_api(&self) -> Result<TableInput, BuildError> {
        let keys = self.partition_keys.iter().map(PartitionKey::to_api).collect::<Result<Vec<_>, _>>()?;
        // Iceberg refuses even an empty list.
        let keys = (!keys.is_empty() || self.open_table_format_input.is_empty()).then_some(keys);
        let storage = self.storage_descriptor.first().map(Storage::to_api).transpose()?;
        TableInput::builder()
            .name(&self.name)
            .set_description(given(&self.description))
            .set_owner(given(&self.owner))
            .set_parameters(given_map(&self.parameters))
            .set_partition_keys(keys)
            .set_retention(given_number(self.retention))
            .set_storage_descriptor(storage)
            .set_table_type(given(&self.table_type))
            .set_target_table(self.target_table.first().map(Target::to_api))
            .set_view_expanded_text(given(&self.view_expanded_text))
            .set_view_original_text(given(&self.view_original_text))
            .build()
    }

    pub(super) fn format(&self) -> Option<Result<OpenTableFormatInput, BuildError>> {
        let iceberg = self.open_table_format_input.first()?.iceberg_input.first()?;
        let input = IcebergInput::builder().metadata_operation(iceberg.metadata_operation.as_str().into());
        let input = input.set_version(given(&iceberg.version)).build();
        Some(input.map(|input| OpenTableFormatInput::builder().iceberg_input(input).build()))
    }

    /// What the API says of the table.
    pub(super) async fn take(
        &mut self,
        cx: &Context<'_, AwsClient>,
        key: &Key,
        live: Found,
        indexes: Vec<PartitionIndexDescriptor>,
    ) -> Result<()> {
        self.arn = Some(table_arn(cx, key).await?);
        self.catalog_id = Some(key.catalog_id.clone());
        self.database_name = key.database.clone();
        self.description = text(live.description);
        self.name = live.name;
        self.owner = text(live.owner);
        let mut parameters = live.parameters.unwrap_or_default();
        if parameters.get("table_type").is_some_and(|kind| kind == "ICEBERG") {
            parameters.retain(|name, _| !OF_ICEBERG.contains(&name.as_str()));
        }
        self.parameters = map(Some(&parameters), self.parameters.as_ref());
        self.partition_index = indexes.into_iter().map(PartitionIndex::from_api).collect();
        self.partition_keys = live.partition_keys.unwrap_or_default().into_iter().map(PartitionKey::from_api).collect();
        self.retention = number(Some(live.retention));
        let stored = self.storage_descriptor.pop();
        let storage = live.storage_descriptor.map(|storage| Storage::from_api(storage, stored.as_ref()));
        self.storage_descriptor = storage.into_iter().collect();
        self.table_type = text(live.table_type);
        self.target_table = live.target_table.map(Target::from_api).into_iter().collect();
        self.view_expanded_text = text(live.view_expanded_text);
        self.view_original_text = text(live.view_original_text);
        Ok(())
    }
}

impl PartitionIndex {
    pub(super) fn to_api(&self) -> Result<ApiIndex, BuildError> {
        ApiIndex::builder().index_name(&self.index_name).set_keys(Some(self.keys.clone())).build()
    }

    pub(in super::super) fn from_api(live: PartitionIndexDescriptor) -> Self {
        Self {
            index_name: live.index_name,
            index_status: text(Some(live.index_status)),
            keys: live.keys.into_iter().map(|key| key.name).collect(),
        }
    }
}

impl PartitionKey {
    fn to_api(&self) -> Result<ApiColumn, BuildError> {
        ApiColumn::builder().name(&self.name).set_comment(given(&self.comment)).set_type(given(&self.kind)).build()
    }

    pub(in super::super) fn from_api(live: ApiColumn) -> Self {
        Self { comment: text(live.comment), name: live.name, kind: text(live.r#type) }
    }
}

impl Column {
    fn to_api(&self) -> Result<ApiColumn, BuildError> {
        let column = ApiColumn::builder().name(&self.name).set_comment(given(&self.comment));
        column.set_parameters(given_map(&self.parameters)).set_type(given(&self.kind)).build()
    }

    fn from_api(live: ApiColumn, stored: Option<&Self>) -> Self {
        Self {
            comment: text(live.comment),
            name: live.name,
            parameters: map(live.parameters.as_ref(), stored.and_then(|column| column.parameters.as_ref())),
            kind: text(live.r#type),
        }
    }
}

impl Storage {
    fn to_api(&self) -> Result<StorageDescriptor, BuildError> {
        let columns = self.columns.iter().map(Column::to_api).collect::<Result<Vec<_>, _>>()?;
        let sorted = self.sort_columns.iter().map(SortColumn::to_api).collect::<Result<Vec<_>, _>>()?;
        let reference = self.schema_reference.first().map(SchemaReference::to_api);
        Ok(StorageDescriptor::builder()
            .set_additional_locations(given_list(self.additional_locations.as_deref()))
            .set_bucket_columns(given_list(self.bucket_columns.as_deref()))
            // The schema has the columns.
            .set_columns(reference.is_none().then_some(columns))
            .set_compressed(flag(self.compressed))
            .set_input_format(text(self.input_format.as_ref()))
            .set_location(text(self.location.as_ref()))
            .set_number_of_buckets(Some(to_i32(self.number_of_buckets.unwrap_or_default())))
            .set_output_format(text(self.output_format.as_ref()))
            .set_parameters(given_map(&self.parameters))
            .set_schema_reference(reference)
            .set_serde_info(self.ser_de_info.first().map(SerDe::to_api))
            .set_skewed_info(self.skewed_info.first().map(Skewed::to_api))
            .set_sort_columns(given_list(Some(&sorted)))
            .set_stored_as_sub_directories(flag(self.stored_as_sub_directories))
            .build())
    }

    pub(in super::super) fn from_api(live: StorageDescriptor, stored: Option<&Self>) -> Self {
        let column = |i: usize| stored.and_then(|storage| storage.columns.get(i));
        let serde = stored.and_then(|storage| storage.ser_de_info.first());
        let skewed = stored.and_then(|storage| storage.skewed_info.first());
        let columns = live.columns.unwrap_or_default().into_iter().enumerate();
        Self {
            additional_locations: list(
                live.additional_locations.as_deref().unwrap_or_default(),
                stored.and_then(|storage| storage.additional_locations.as_ref()),
            ),
            bucket_columns: list(
                live.bucket_columns.as_deref().unwrap_or_default(),
                stored.and_then(|storage| storage.bucket_columns.as_ref()),
            ),
            compressed: Some(live.compressed),
            input_format: text(live.input_format),
            location: text(live.location),
            number_of_buckets: number(Some(live.number_of_buckets)),
            output_format: text(live.output_format),
            parameters: map(live.parameters.as_ref(), stored.and_then(|storage| storage.parameters.as_ref())),
            stored_as_sub_directories: Some(live.stored_as_sub_directories),
            columns: columns.map(|(i, live)| Column::from_api(live, column(i))).collect(),
            schema_reference: live.schema_reference.map(SchemaReference::from_api).into_iter().collect(),
            ser_de_info: live.serde_info.map(|live| SerDe::from_api(live, serde)).into_iter().collect(),
            skewed_info: live.skewed_info.map(|live| Skewed::from_api(live, skewed)).into_iter().collect(),
            sort_columns: live.sort_columns.unwrap_or_default().into_iter().map(SortColumn::from_api).collect(),
        }
    }
}

impl SchemaReference {
    fn to_api(&self) -> ApiSchemaReference {
        let schema = self.schema_id.first().map(|schema| {
            ApiSchemaId::builder()
                .set_registry_name(given(&schema.registry_name))
                .set_schema_arn(given(&schema.schema_arn))
                .set_schema_name(given(&schema.schema_name))
                .build()
        });
        ApiSchemaReference::builder()
            .set_schema_id(schema)
            .set_schema_version_id(given(&self.schema_version_id))
            .schema_version_number(self.schema_version_number)
            .build()
    }

    fn from_api(live: ApiSchemaReference) -> Self {
        let schema = live.schema_id.map(|schema| SchemaId {
            registry_name: text(schema.registry_name),
            schema_arn: text(schema.schema_arn),
            schema_name: text(schema.schema_name),
        });
        Self {
            schema_version_id: text(live.schema_version_id),
            schema_version_number: live.schema_version_number.unwrap_or_default(),
            schema_id: schema.into_iter().collect(),
        }
    }
}

impl SerDe {
    fn to_api(&self) -> SerDeInfo {
        SerDeInfo::builder()
            .set_name(given(&self.name))
            .set_parameters(given_map(&self.parameters))
            .set_serialization_library(given(&self.serialization_library))
            .build()
    }

    fn from_api(live: SerDeInfo, stored: Option<&Self>) -> Self {
        Self {
            name: text(live.name),
            parameters: map(live.parameters.as_ref(), stored.and_then(|serde| serde.parameters.as_ref())),
            serialization_library: text(live.serialization_library),
        }
    }
}

impl Skewed {
    fn to_api(&self) -> SkewedInfo {
        SkewedInfo::builder()
            .set_skewed_column_names(given_list(self.skewed_column_names.as_deref()))
            .set_skewed_column_value_location_maps(given_map(&self.skewed_column_value_location_maps))
            .set_skewed_column_values(given_list(self.skewed_column_values.as_deref()))
            .build()
    }

    fn from_api(live: SkewedInfo, stored: Option<&Self>) -> Self {
        Self {
            skewed_column_names: list(
                live.skewed_column_names(),
                stored.and_then(|skewed| skewed.skewed_column_names.as_ref()),
            ),
            skewed_column_value_location_maps: map(
                live.skewed_column_value_location_maps.as_ref(),
                stored.and_then(|skewed| skewed.skewed_column_value_location_maps.as_ref()),
            ),
            skewed_column_values: list(
                live.skewed_column_values(),
                stored.and_then(|skewed| skewed.skewed_column_values.as_ref()),
            ),
        }
    }
}

impl SortColumn {
    fn to_api(&self) -> Result<Order, BuildError> {
        Order::builder().column(&self.column).sort_order(to_i32(self.sort_order)).build()
    }

    fn from_api(live: Order) -> Self {
        Self { column: live.column, sort_order: live.sort_order.into() }
    }
}

impl Target {
    fn to_api(&self) -> TableIdentifier {
        let table = TableIdentifier::builder().catalog_id(&self.catalog_id).database_name(&self.database_name);
        table.name(&self.name).set_region(given(&self.region)).build()
    }

    pub(in super::super) fn from_api(live: TableIdentifier) -> Self {
        Self {
            catalog_id: live.catalog_id.unwrap_or_default(),
            database_name: live.database_name.unwrap_or_default(),
            name: live.name.unwrap_or_default(),
            region: text(live.region),
        }
    }
}
