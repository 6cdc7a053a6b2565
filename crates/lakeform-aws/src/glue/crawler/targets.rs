//! What a crawler looks at.

use std::collections::BTreeSet;

use aws_sdk_glue::types::{
    CatalogTarget, CrawlerTargets, DeltaTarget, DynamoDbTarget, HudiTarget, IcebergTarget, JdbcMetadataEntry,
    JdbcTarget, MongoDbTarget, S3Target,
};
use lakeform_provider::{Model, Result};

use super::Crawler;
use crate::values::{built, flag, given, given_list, given_number, list, number, text, to_i32};

/// Tables of the catalog.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Catalog {
    /// Name of the connection, of a target with events.
    #[attr(optional)]
    connection_name: Option<String>,
    /// Their database.
    #[attr(required)]
    database_name: String,
    /// ARN of the queue for events that cannot be dealt with.
    #[attr(optional)]
    dlq_event_queue_arn: Option<String>,
    /// ARN of the queue with events of S3.
    #[attr(optional)]
    event_queue_arn: Option<String>,
    /// Their names.
    #[attr(required)]
    tables: Vec<String>,
}

/// Delta tables.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Delta {
    /// Name of the connection.
    #[attr(optional)]
    connection_name: Option<String>,
    /// Whether the tables of the catalog are for engines that read Delta logs.
    #[attr(optional)]
    create_native_delta_table: Option<bool>,
    /// Where they are: `s3://...`
    #[attr(required)]
    delta_tables: BTreeSet<String>,
    /// Whether manifests are written.
    #[attr(required)]
    write_manifest: bool,
}

/// A DynamoDB table.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct DynamoDb {
    /// Its name.
    #[attr(required)]
    path: String,
    /// Whether all items are read, and not only some. Default: `true`.
    #[attr(optional, default = true)]
    scan_all: Option<bool>,
    /// How much of the table's read capacity it may use, 0.1 to 1.5.
    #[attr(optional)]
    scan_rate: Option<f64>,
}

/// Hudi or Iceberg tables.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Lake {
    /// Name of the connection.
    #[attr(optional)]
    connection_name: Option<String>,
    /// Patterns of what to leave out.
    #[attr(optional)]
    exclusions: Option<Vec<String>>,
    /// How many folders deep to look, 1 to 20.
    #[attr(required)]
    maximum_traversal_depth: i64,
    /// Where they are: `s3://...`
    #[attr(required)]
    paths: BTreeSet<String>,
}

/// A database.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Jdbc {
    /// Name of the connection.
    #[attr(required)]
    connection_name: String,
    /// What else to find out: `COMMENTS`, `RAWTYPES`
    #[attr(optional)]
    enable_additional_metadata: Option<Vec<String>>,
    /// Patterns of what to leave out.
    #[attr(optional)]
    exclusions: Option<Vec<String>>,
    /// What to look at: `database/schema/%`
    #[attr(required)]
    path: String,
}

/// A MongoDB collection.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct MongoDb {
    /// Name of the connection.
    #[attr(required)]
    connection_name: String,
    /// Database and collection.
    #[attr(required)]
    path: String,
    /// Whether all documents are read, and not only some. Default: `true`.
    #[attr(optional, default = true)]
    scan_all: Option<bool>,
}

/// A place in S3.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct S3 {
    /// Name of the connection, for data that is read through a VPC.
    #[attr(optional)]
    connection_name: Option<String>,
    /// ARN of the queue for events that cannot be dealt with.
    #[attr(optional)]
    dlq_event_queue_arn: Option<String>,
    /// ARN of the queue with events of S3.
    #[attr(optional)]
    event_queue_arn: Option<String>,
    /// Patterns of what to leave out.
    #[attr(optional)]
    exclusions: Option<Vec<String>>,
    /// Where it is: `s3://...`
    #[attr(required)]
    path: String,
    /// How many files of each folder are read, 1 to 249.
    #[attr(optional)]
    sample_size: Option<i64>,
}

/// The hudi and iceberg targets of the API, which have the same fields.
macro_rules! lake {
    ($self:expr, $api:ident) => {{
        let all = $self.iter().map(|lake| {
            $api::builder()
                .set_connection_name(given(&lake.connection_name))
                .set_exclusions(given_list(lake.exclusions.as_deref()))
                .maximum_traversal_depth(to_i32(lake.maximum_traversal_depth))
                .set_paths(Some(lake.paths.iter().cloned().collect()))
                .build()
        });
        some(all.collect())
    }};
    ($live:expr, $stored:expr) => {{
        let stored = std::mem::take(&mut $stored);
        let all = $live.unwrap_or_default().into_iter().enumerate().map(|(i, lake)| Lake {
            exclusions: list(lake.exclusions(), stored.get(i).and_then(|lake| lake.exclusions.as_ref())),
            connection_name: text(lake.connection_name),
            maximum_traversal_depth: lake.maximum_traversal_depth.unwrap_or_default().into(),
            paths: lake.paths.unwrap_or_default().into_iter().collect(),
        });
        $stored = all.collect();
    }};
}

fn some<T>(all: Vec<T>) -> Option<Vec<T>> {
    (!all.is_empty()).then_some(all)
}

impl Crawler {
    pub(super) fn targets(&self) -> Result<CrawlerTargets> {
        let catalog = self.catalog_target.iter().map(|catalog| {
            let target = CatalogTarget::builder()
                .set_connection_name(given(&catalog.connection_name))
                .database_name(&catalog.database_name)
                .set_dlq_event_queue_arn(given(&catalog.dlq_event_queue_arn))
                .set_event_queue_arn(given(&catalog.event_queue_arn))
                .set_tables(Some(catalog.tables.clone()));
            built(target.build())
        });
        let delta = self.delta_target.iter().map(|delta| {
            DeltaTarget::builder()
                .set_connection_name(given(&delta.connection_name))
                .set_create_native_delta_table(flag(delta.create_native_delta_table))
                .set_delta_tables(Some(delta.delta_tables.iter().cloned().collect()))
                .write_manifest(delta.write_manifest)
                .build()
        });
        let dynamodb = self.dynamodb_target.iter().map(|table| {
            DynamoDbTarget::builder()
                .path(&table.path)
                .set_scan_all(table.scan_all)
                .set_scan_rate(table.scan_rate.filter(|rate| *rate != 0.0))
                .build()
        });
        let jdbc = self.jdbc_target.iter().map(|jdbc| {
            let metadata = jdbc.enable_additional_metadata.iter().flatten();
            let metadata: Vec<_> = metadata.map(|entry| JdbcMetadataEntry::from(entry.as_str())).collect();
            JdbcTarget::builder()
                .connection_name(&jdbc.connection_name)
                .set_enable_additional_metadata(given_list(Some(&metadata)))
                .set_exclusions(given_list(jdbc.exclusions.as_deref()))
                .path(&jdbc.path)
                .build()
        });
        let mongodb = self.mongodb_target.iter().map(|mongodb| {
            let target = MongoDbTarget::builder().connection_name(&mongodb.connection_name).path(&mongodb.path);
            target.set_scan_all(mongodb.scan_all).build()
        });
        let s3 = self.s3_target.iter().map(|s3| {
            S3Target::builder()
                .set_connection_name(given(&s3.connection_name))
                .set_dlq_event_queue_arn(given(&s3.dlq_event_queue_arn))
                .set_event_queue_arn(given(&s3.event_queue_arn))
                .set_exclusions(given_list(s3.exclusions.as_deref()))
                .path(&s3.path)
                .set_sample_size(given_number(s3.sample_size))
                .build()
        });
        Ok(CrawlerTargets::builder()
            .set_catalog_targets(some(catalog.collect::<Result<_>>()?))
            .set_delta_targets(some(delta.collect()))
            .set_dynamo_db_targets(some(dynamodb.collect()))
            .set_hudi_targets(lake!(self.hudi_target, HudiTarget))
            .set_iceberg_targets(lake!(self.iceberg_target, IcebergTarget))
            .set_jdbc_targets(some(jdbc.collect()))
            .set_mongo_db_targets(some(mongodb.collect()))
            .set_s3_targets(some(s3.collect()))
            .build())
    }

    /// What the API says of the targets.
    pub(super) fn take_targets(&mut self, live: CrawlerTargets) {
        let catalog = live.catalog_targets.unwrap_or_default().into_iter().map(|catalog| Catalog {
            connection_name: text(catalog.connection_name),
            database_name: catalog.database_name,
            dlq_event_queue_arn: text(catalog.dlq_event_queue_arn),
            event_queue_arn: text(catalog.event_queue_arn),
            tables: catalog.tables,
        });
        self.catalog_target = catalog.collect();
        let delta = live.delta_targets.unwrap_or_default().into_iter().map(|delta| Delta {
            connection_name: text(delta.connection_name),
            create_native_delta_table: flag(delta.create_native_delta_table),
            delta_tables: delta.delta_tables.unwrap_or_default().into_iter().collect(),
            write_manifest: delta.write_manifest.unwrap_or_default(),
        });
        self.delta_target = delta.collect();
        let dynamodb = live.dynamo_db_targets.unwrap_or_default().into_iter().map(|table| DynamoDb {
            path: table.path.unwrap_or_default(),
            scan_all: flag(table.scan_all),
            scan_rate: Some(table.scan_rate.unwrap_or_default()),
        });
        self.dynamodb_target = dynamodb.collect();
        lake!(live.hudi_targets, self.hudi_target);
        lake!(live.iceberg_targets, self.iceberg_target);
        let stored = std::mem::take(&mut self.jdbc_target);
        let jdbc = live.jdbc_targets.unwrap_or_default().into_iter().enumerate().map(|(i, jdbc)| {
            let stored = stored.get(i);
            let metadata = jdbc.enable_additional_metadata().iter().map(|entry| entry.as_str().to_owned());
            let metadata: Vec<_> = metadata.collect();
            Jdbc {
                enable_additional_metadata: list(
                    &metadata,
                    stored.and_then(|jdbc| jdbc.enable_additional_metadata.as_ref()),
                ),
                exclusions: list(jdbc.exclusions(), stored.and_then(|jdbc| jdbc.exclusions.as_ref())),
                connection_name: jdbc.connection_name.unwrap_or_default(),
                path: jdbc.path.unwrap_or_default(),
            }
        });
        self.jdbc_target = jdbc.collect();
        let mongodb = live.mongo_db_targets.unwrap_or_default().into_iter().map(|mongodb| MongoDb {
            connection_name: mongodb.connection_name.unwrap_or_default(),
            path: mongodb.path.unwrap_or_default(),
            scan_all: flag(mongodb.scan_all),
        });
        self.mongodb_target = mongodb.collect();
        let stored = std::mem::take(&mut self.s3_target);
        let s3 = live.s3_targets.unwrap_or_default().into_iter().enumerate().map(|(i, s3)| S3 {
            exclusions: list(s3.exclusions(), stored.get(i).and_then(|s3| s3.exclusions.as_ref())),
            connection_name: text(s3.connection_name),
            dlq_event_queue_arn: text(s3.dlq_event_queue_arn),
            event_queue_arn: text(s3.event_queue_arn),
            path: s3.path.unwrap_or_default(),
            sample_size: number(s3.sample_size),
        });
        self.s3_target = s3.collect();
    }
}
