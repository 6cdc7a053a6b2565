//! `data.aws_glue_catalog_table`

use aws_smithy_types::date_time::{DateTime, Format};
use lakeform_core::Path;
use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use super::{
    GONE, catalog,
    catalog_table::{Key, PartitionIndex, PartitionKey, Storage, Target, indexes, table_arn},
};
use crate::{
    AwsClient,
    error::{Absent, During},
    tags::Tags,
    values::{number, text},
};

/// A table of the data catalog.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct TableDataModel {
    /// ARN of the table.
    #[attr(computed)]
    arn: Option<String>,
    /// The catalog. Default: that of the account, whose id is its own.
    #[attr(optional, computed)]
    catalog_id: Option<String>,
    /// Name of the database.
    #[attr(required)]
    database_name: String,
    /// What the table holds.
    #[attr(computed)]
    description: Option<String>,
    /// Catalog, database and name, as `CATALOG:DATABASE:NAME`.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the table.
    #[attr(required)]
    name: String,
    /// Who owns the table.
    #[attr(computed)]
    owner: Option<String>,
    /// Properties by name.
    #[attr(computed)]
    parameters: Option<Tags>,
    /// Indexes of its partitions.
    #[attr(computed)]
    partition_index: Vec<PartitionIndex>,
    /// Columns that the table is partitioned by.
    #[attr(computed)]
    partition_keys: Vec<PartitionKey>,
    /// The moment to read it as it was at: `2024-01-31T12:00:00Z`
    #[attr(optional)]
    query_as_of_time: Option<String>,
    /// Days that the table is kept.
    #[attr(computed)]
    retention: Option<i64>,
    /// How and where the data is stored.
    #[attr(computed)]
    storage_descriptor: Vec<Storage>,
    /// Kind of table.
    #[attr(computed)]
    table_type: Option<String>,
    /// The table that this one is a link to.
    #[attr(computed)]
    target_table: Vec<Target>,
    /// The transaction to read it in.
    #[attr(optional)]
    transaction_id: Option<i64>,
    /// A view's text, expanded.
    #[attr(computed)]
    view_expanded_text: Option<String>,
    /// A view's text, as it was written.
    #[attr(computed)]
    view_original_text: Option<String>,
}

/// `data.aws_glue_catalog_table`
pub(crate) struct CatalogTableData;

impl DataSource for CatalogTableData {
    type Client = AwsClient;
    type Model = TableDataModel;
    const NAME: &'static str = "aws_glue_catalog_table";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut TableDataModel) -> Result<()> {
        let moment = object.query_as_of_time.as_deref().filter(|time| !time.is_empty()).map(|time| {
            DateTime::from_str(time, Format::DateTimeWithOffset).map_err(|_| {
                ProviderError::invalid(format!("query_as_of_time is {time:?}; expected is like 2024-01-31T12:00:00Z"))
                    .attribute(Path::attr("query_as_of_time"))
            })
        });
        let moment = moment.transpose()?;
        if moment.is_some() && object.transaction_id.is_some() {
            return Err(ProviderError::invalid("query_as_of_time and transaction_id exclude each other")
                .attribute(Path::attr("transaction_id")));
        }
        let catalog_id = catalog(cx, object.catalog_id.as_deref()).await?;
        let key = Key { catalog_id, database: object.database_name.clone(), name: object.name.clone() };
        let call =
            cx.client.glue().get_table().catalog_id(&key.catalog_id).database_name(&key.database).name(&key.name);
        let call = call.set_query_as_of_time(moment).set_transaction_id(object.transaction_id.map(|id| id.to_string()));
        let (live, indexes) = tokio::join!(call.send(), indexes(cx, &key));
        let live = live.during("glue:GetTable").absent_ok(GONE)?.and_then(|answer| answer.table);
        let Some(live) = live else {
            let what = format!("there is no table {} in the database {}", key.name, key.database);
            return Err(ProviderError::new(ErrorKind::NotFound, what).operation("glue:GetTable"));
        };
        object.arn = Some(table_arn(cx, &key).await?);
        object.id = Some(format!("{}:{}:{}", key.catalog_id, key.database, key.name));
        object.catalog_id = Some(key.catalog_id);
        object.description = text(live.description);
        object.owner = text(live.owner);
        object.parameters = Some(live.parameters.unwrap_or_default().into_iter().collect());
        object.partition_index = indexes?.into_iter().map(PartitionIndex::from_api).collect();
        object.partition_keys =
            live.partition_keys.unwrap_or_default().into_iter().map(PartitionKey::from_api).collect();
        object.retention = number(Some(live.retention));
        let storage = live.storage_descriptor.map(|storage| Storage::from_api(storage, None));
        object.storage_descriptor = storage.into_iter().collect();
        object.table_type = text(live.table_type);
        object.target_table = live.target_table.map(Target::from_api).into_iter().collect();
        object.view_expanded_text = text(live.view_expanded_text);
        object.view_original_text = text(live.view_original_text);
        Ok(())
    }
}
