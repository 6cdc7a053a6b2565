//! `data.aws_dynamodb_table`

use lakeform_provider::{Context, DataSource, ErrorKind, Field as _, Model, ProviderError, Result};

use super::table;
use crate::{AwsClient, tags::Tags};

/// A DynamoDB table.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct TableDataModel {
    /// ARN of the table.
    #[attr(computed)]
    arn: Option<String>,
    /// The attributes that keys are made of.
    #[attr(computed, set)]
    attribute: Vec<Attribute>,
    /// `PROVISIONED` or `PAY_PER_REQUEST`
    #[attr(computed)]
    billing_mode: Option<String>,
    /// Whether the table refuses to be deleted.
    #[attr(computed)]
    deletion_protection_enabled: Option<bool>,
    /// Indexes with keys of their own.
    #[attr(computed, set)]
    global_secondary_index: Vec<GlobalIndex>,
    /// Attribute that is the partition key.
    #[attr(computed)]
    hash_key: Option<String>,
    /// The table's name.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Indexes with the table's partition key and another sort key.
    #[attr(computed, set)]
    local_secondary_index: Vec<LocalIndex>,
    /// Name of the table.
    #[attr(required)]
    name: String,
    /// Upper bounds under `PAY_PER_REQUEST`.
    #[attr(computed)]
    on_demand_throughput: Vec<OnDemand>,
    /// Continuous backups.
    #[attr(computed)]
    point_in_time_recovery: Vec<Recovery>,
    /// Attribute that is the sort key.
    #[attr(computed)]
    range_key: Option<String>,
    /// Read capacity units, under `PROVISIONED`.
    #[attr(computed)]
    read_capacity: Option<i64>,
    /// Copies in other regions.
    #[attr(computed, set)]
    replica: Vec<Replica>,
    /// ARN of the stream.
    #[attr(computed)]
    stream_arn: Option<String>,
    /// Whether changes go to a stream.
    #[attr(computed)]
    stream_enabled: Option<bool>,
    /// When the stream was enabled.
    #[attr(computed)]
    stream_label: Option<String>,
    /// What the stream shows.
    #[attr(computed)]
    stream_view_type: Option<String>,
    /// `STANDARD` or `STANDARD_INFREQUENT_ACCESS`
    #[attr(computed)]
    table_class: Option<String>,
    /// Tags.
    #[attr(optional, computed)]
    tags: Option<Tags>,
    /// Items that expire.
    #[attr(computed, set)]
    ttl: Vec<Ttl>,
    /// Write capacity units, under `PROVISIONED`.
    #[attr(computed)]
    write_capacity: Option<i64>,
    /// Encryption with a KMS key instead of DynamoDB's own.
    #[block(list, max = 1, computed)]
    server_side_encryption: Vec<Encryption>,
}

/// An attribute that a key is made of.
#[derive(Model, Clone, Debug, Default)]
struct Attribute {
    /// Its name.
    #[attr(computed)]
    name: Option<String>,
    /// `S` (text), `N` (number) or `B` (bytes)
    #[attr(name = "type", computed)]
    kind: Option<String>,
}

/// An index with keys of its own.
#[derive(Model, Clone, Debug, Default)]
struct GlobalIndex {
    /// Attribute that is the partition key.
    #[attr(computed)]
    hash_key: Option<String>,
    /// Name of the index.
    #[attr(computed)]
    name: Option<String>,
    /// Attributes that are copied.
    #[attr(computed)]
    non_key_attributes: Vec<String>,
    /// Upper bounds under `PAY_PER_REQUEST`.
    #[attr(computed)]
    on_demand_throughput: Vec<OnDemand>,
    /// `ALL`, `INCLUDE` or `KEYS_ONLY`
    #[attr(computed)]
    projection_type: Option<String>,
    /// Attribute that is the sort key.
    #[attr(computed)]
    range_key: Option<String>,
    /// Read capacity units, under `PROVISIONED`.
    #[attr(computed)]
    read_capacity: Option<i64>,
    /// Write capacity units, under `PROVISIONED`.
    #[attr(computed)]
    write_capacity: Option<i64>,
}

/// An index with another sort key.
#[derive(Model, Clone, Debug, Default)]
struct LocalIndex {
    /// Name of the index.
    #[attr(computed)]
    name: Option<String>,
    /// Attributes that are copied.
    #[attr(computed)]
    non_key_attributes: Vec<String>,
    /// `ALL`, `INCLUDE` or `KEYS_ONLY`
    #[attr(computed)]
    projection_type: Option<String>,
    /// Attribute that is the sort key.
    #[attr(computed)]
    range_key: Option<String>,
}

/// Upper bounds; `-1` means none.
#[derive(Model, Clone, Debug, Default)]
struct OnDemand {
    /// Read request units.
    #[attr(computed)]
    max_read_request_units: Option<i64>,
    /// Write request units.
    #[attr(computed)]
    max_write_request_units: Option<i64>,
}

/// Continuous backups.
#[derive(Model, Clone, Debug, Default)]
struct Recovery {
    /// Whether they are made.
    #[attr(computed)]
    enabled: Option<bool>,
    /// How many days back they reach.
    #[attr(computed)]
    recovery_period_in_days: Option<i64>,
}

/// A copy in another region.
#[derive(Model, Clone, Debug, Default)]
struct Replica {
    /// Its KMS key.
    #[attr(computed)]
    kms_key_arn: Option<String>,
    /// Its region.
    #[attr(computed)]
    region_name: Option<String>,
}

/// Encryption with a KMS key.
#[derive(Model, Clone, Debug, Default)]
struct Encryption {
    /// Whether a KMS key is used.
    #[attr(computed)]
    enabled: Option<bool>,
    /// The key.
    #[attr(computed)]
    kms_key_arn: Option<String>,
}

/// Items that expire.
#[derive(Model, Clone, Debug, Default)]
struct Ttl {
    /// Attribute that holds the time.
    #[attr(computed)]
    attribute_name: Option<String>,
    /// Whether items expire.
    #[attr(computed)]
    enabled: Option<bool>,
}

/// `data.aws_dynamodb_table`
pub(crate) struct TableData;

impl DataSource for TableData {
    type Client = AwsClient;
    type Model = TableDataModel;
    const NAME: &'static str = "aws_dynamodb_table";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut TableDataModel) -> Result<()> {
        let Some((live, tags)) = table::look(cx, &object.name).await? else {
            let message = format!("there is no table {:?}", object.name);
            return Err(ProviderError::new(ErrorKind::NotFound, message).operation("dynamodb:DescribeTable"));
        };
        // What both have they call the same.
        *object = TableDataModel::from_value(&live.into_value());
        object.tags = Some(cx.client.tags().shown(tags));
        Ok(())
    }
}
