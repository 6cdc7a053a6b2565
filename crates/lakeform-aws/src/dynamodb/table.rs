//! `aws_dynamodb_table`

mod change;
mod describe;
mod make;
mod plan;

use std::{collections::BTreeSet, time::Duration};

use aws_sdk_dynamodb::types::{TableDescription, TableStatus};
use lakeform_provider::{Change, Context, FoundBy, Model, Poll, ProviderError, ResourceType, Result, Wait};

use crate::{
    AwsClient,
    error::{Absent, During},
    tags::Tags,
};

/// A DynamoDB table.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct TableModel {
    /// ARN of the table.
    #[attr(computed)]
    arn: Option<String>,
    /// `PROVISIONED` (default) or `PAY_PER_REQUEST`.
    #[attr(optional, default = "PROVISIONED")]
    billing_mode: Option<String>,
    /// Whether the table refuses to be deleted.
    #[attr(optional)]
    deletion_protection_enabled: Option<bool>,
    /// Attribute that is the partition key.
    #[attr(optional, computed, force_new)]
    hash_key: Option<String>,
    /// The table's name.
    #[attr(optional, computed)]
    id: Option<String>,
    /// Name of the table.
    #[attr(required, force_new)]
    name: String,
    /// Attribute that is the sort key.
    #[attr(optional, force_new)]
    range_key: Option<String>,
    /// Read capacity units, under `PROVISIONED`.
    #[attr(optional, computed)]
    read_capacity: Option<i64>,
    /// The moment to restore `restore_source_name` at: `2024-01-31T12:00:00Z`
    #[attr(optional, force_new)]
    restore_date_time: Option<String>,
    /// The table to restore from.
    #[attr(optional, force_new)]
    restore_source_name: Option<String>,
    /// ARN of the table to restore from, in another region too.
    #[attr(optional, force_new)]
    restore_source_table_arn: Option<String>,
    /// Restore the latest moment that can be restored.
    #[attr(optional, force_new)]
    restore_to_latest_time: Option<bool>,
    /// ARN of the stream.
    #[attr(computed)]
    stream_arn: Option<String>,
    /// Whether changes go to a stream.
    #[attr(optional)]
    stream_enabled: Option<bool>,
    /// When the stream was enabled.
    #[attr(computed)]
    stream_label: Option<String>,
    /// What the stream shows: `KEYS_ONLY`, `NEW_IMAGE`, `OLD_IMAGE` or `NEW_AND_OLD_IMAGES`.
    #[attr(optional, computed)]
    stream_view_type: Option<String>,
    /// `STANDARD` (default) or `STANDARD_INFREQUENT_ACCESS`.
    #[attr(optional, default = "STANDARD")]
    table_class: Option<String>,
    /// Tags.
    #[attr(optional)]
    tags: Option<Tags>,
    /// Tags, with the provider's `default_tags`.
    #[attr(optional, computed)]
    tags_all: Option<Tags>,
    /// Write capacity units, under `PROVISIONED`.
    #[attr(optional, computed)]
    write_capacity: Option<i64>,
    /// The attributes that keys are made of.
    #[block(set)]
    attribute: Vec<Attribute>,
    /// Indexes with keys of their own.
    #[block(set)]
    global_secondary_index: Vec<GlobalIndex>,
    /// Data to fill the new table with.
    #[block(list, max = 1, force_new)]
    import_table: Vec<ImportTable>,
    /// Indexes with the table's partition key and another sort key.
    #[block(set, force_new)]
    local_secondary_index: Vec<LocalIndex>,
    /// Upper bounds under `PAY_PER_REQUEST`.
    #[block(list, max = 1, computed)]
    on_demand_throughput: Vec<OnDemand>,
    /// Continuous backups.
    #[block(list, max = 1, computed)]
    point_in_time_recovery: Vec<Recovery>,
    /// Copies in other regions.
    #[block(set)]
    replica: Vec<Replica>,
    /// Encryption with a KMS key instead of DynamoDB's own.
    #[block(list, max = 1, computed)]
    server_side_encryption: Vec<Encryption>,
    /// Time limits.
    #[block(single)]
    timeouts: Option<Timeouts>,
    /// Items that expire.
    #[block(list, max = 1, computed)]
    ttl: Vec<Ttl>,
}

/// An attribute that a key is made of.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Attribute {
    /// Its name.
    #[attr(required)]
    name: String,
    /// `S` (text), `N` (number) or `B` (bytes).
    #[attr(name = "type", required)]
    kind: String,
}

/// An index with keys of its own.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct GlobalIndex {
    /// Attribute that is the partition key.
    #[attr(required)]
    hash_key: String,
    /// Name of the index.
    #[attr(required)]
    name: String,
    /// Attributes to copy, under `INCLUDE`.
    #[attr(optional)]
    non_key_attributes: Option<BTreeSet<String>>,
    /// `ALL`, `INCLUDE` or `KEYS_ONLY`.
    #[attr(required)]
    projection_type: String,
    /// Attribute that is the sort key.
    #[attr(optional)]
    range_key: Option<String>,
    /// Read capacity units, under `PROVISIONED`.
    #[attr(optional, computed)]
    read_capacity: Option<i64>,
    /// Write capacity units, under `PROVISIONED`.
    #[attr(optional, computed)]
    write_capacity: Option<i64>,
    /// Upper bounds under `PAY_PER_REQUEST`.
    #[block(list, max = 1)]
    on_demand_throughput: Vec<OnDemand>,
}

/// An index with another sort key.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct LocalIndex {
    /// Name of the index.
    #[attr(required, force_new)]
    name: String,
    /// Attributes to copy, under `INCLUDE`.
    #[attr(optional, force_new)]
    non_key_attributes: Option<Vec<String>>,
    /// `ALL`, `INCLUDE` or `KEYS_ONLY`.
    #[attr(required, force_new)]
    projection_type: String,
    /// Attribute that is the sort key.
    #[attr(required, force_new)]
    range_key: String,
}

/// Upper bounds; `-1` means none.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct OnDemand {
    /// Read request units.
    #[attr(optional, computed)]
    max_read_request_units: Option<i64>,
    /// Write request units.
    #[attr(optional, computed)]
    max_write_request_units: Option<i64>,
}

/// Continuous backups.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Recovery {
    /// Whether they are made.
    #[attr(required)]
    enabled: bool,
    /// How many days back they reach, 1 to 35. AWS's default: 35.
    #[attr(optional, computed)]
    recovery_period_in_days: Option<i64>,
}

/// A copy in another region.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Replica {
    /// ARN of the copy.
    #[attr(computed)]
    arn: Option<String>,
    /// Its KMS key.
    #[attr(optional, computed)]
    kms_key_arn: Option<String>,
    /// Whether it has continuous backups. Default: `false`.
    #[attr(optional, default = false)]
    point_in_time_recovery: Option<bool>,
    /// Whether it gets the table's tags. Default: `false`.
    #[attr(optional, default = false)]
    propagate_tags: Option<bool>,
    /// Its region.
    #[attr(required)]
    region_name: String,
    /// ARN of its stream.
    #[attr(computed)]
    stream_arn: Option<String>,
    /// When its stream was enabled.
    #[attr(computed)]
    stream_label: Option<String>,
}

/// Encryption with a KMS key.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Encryption {
    /// `true`: a KMS key; `false`: a key that DynamoDB owns.
    #[attr(required)]
    enabled: bool,
    /// The key. Default: AWS's own for DynamoDB.
    #[attr(optional, computed)]
    kms_key_arn: Option<String>,
}

/// Items that expire.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Ttl {
    /// Attribute that holds the time, in seconds since 1970.
    #[attr(optional)]
    attribute_name: Option<String>,
    /// Whether items expire. Default: `false`.
    #[attr(optional, default = false)]
    enabled: Option<bool>,
}

/// Data to fill a new table with.
#[derive(Model, Clone, Debug, Default)]
struct ImportTable {
    /// `GZIP`, `ZSTD` or `NONE`.
    #[attr(optional, force_new)]
    input_compression_type: Option<String>,
    /// `CSV`, `DYNAMODB_JSON` or `ION`.
    #[attr(required, force_new)]
    input_format: String,
    /// How to read it.
    #[block(list, max = 1, force_new)]
    input_format_options: Vec<FormatOptions>,
    /// Where it is.
    #[block(list, min = 1, max = 1, force_new)]
    s3_bucket_source: Vec<BucketSource>,
}

/// How to read the data.
#[derive(Model, Clone, Debug, Default)]
struct FormatOptions {
    /// How to read CSV.
    #[block(list, max = 1, force_new)]
    csv: Vec<Csv>,
}

/// How to read CSV.
#[derive(Model, Clone, Debug, Default)]
struct Csv {
    /// What is between two values. AWS's default: a comma.
    #[attr(optional, force_new)]
    delimiter: Option<String>,
    /// The names of the columns, where the data has no header.
    #[attr(optional, force_new)]
    header_list: Option<BTreeSet<String>>,
}

/// Where the data is.
#[derive(Model, Clone, Debug, Default)]
struct BucketSource {
    /// The bucket.
    #[attr(required, force_new)]
    bucket: String,
    /// The account that owns it.
    #[attr(optional, force_new)]
    bucket_owner: Option<String>,
    /// What the keys begin with.
    #[attr(optional, force_new)]
    key_prefix: Option<String>,
}

/// Time limits.
#[derive(Model, Clone, Debug, Default)]
struct Timeouts {
    /// Limit for creating. Default: `30m`.
    #[attr(optional)]
    create: Option<String>,
    /// Limit for deleting. Default: `10m`.
    #[attr(optional)]
    delete: Option<String>,
    /// Limit for each change. Default: `60m`.
    #[attr(optional)]
    update: Option<String>,
}

/// `aws_dynamodb_table`
pub(crate) struct Table;

const MINUTE: u64 = 60;
const CREATE: Duration = Duration::from_secs(30 * MINUTE);
const UPDATE: Duration = Duration::from_secs(60 * MINUTE);
const DELETE: Duration = Duration::from_secs(10 * MINUTE);

impl ResourceType for Table {
    type Client = AwsClient;
    type Model = TableModel;
    const NAME: &'static str = "aws_dynamodb_table";
    const IDENTITY: &'static [&'static str] = &["name"];
    const VERSION: u64 = 1;
    const FOUND_BY: FoundBy = FoundBy::Name;

    fn plan(_client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
        plan::plan(change)
    }

    async fn read(cx: &Context<'_, AwsClient>, object: TableModel) -> Result<Option<TableModel>> {
        Box::pin(describe::read(cx, object)).await
    }

    async fn create(cx: &Context<'_, AwsClient>, object: &mut TableModel) -> Result<()> {
        make::create(cx, object).await
    }

    async fn locate(cx: &Context<'_, AwsClient>, mut planned: Self::Model) -> Result<Option<Self::Model>> {
        if find(cx.client.dynamodb(), &planned.name).await?.is_none() {
            return Ok(None);
        }
        settled(cx, &planned.name, CREATE).await?;
        planned.id = Some(planned.name.clone());
        Ok(Some(planned))
    }

    async fn update(cx: &Context<'_, AwsClient>, prior: &TableModel, object: &mut TableModel) -> Result<()> {
        change::apply(cx, prior, object, UPDATE).await
    }

    async fn delete(cx: &Context<'_, AwsClient>, object: &TableModel) -> Result<()> {
        let dynamodb = cx.client.dynamodb();
        let name = object.name();
        if !object.replica.is_empty() {
            change::replicas(cx, name, &object.replica, &[], &Tags::new(), DELETE).await?;
        }
        let busy = |e: &ProviderError| e.has_code("ResourceInUseException");
        let wait = Wait::new("table to be free for deletion", Duration::from_secs(300));
        let gone = cx
            .retry(wait, busy, || async {
                dynamodb.delete_table().table_name(name).send().await.during("dynamodb:DeleteTable")
            })
            .await
            .absent_ok(ABSENT)?;
        if gone.is_none() {
            return Ok(());
        }
        cx.wait(Wait::new("table to be deleted", DELETE), || async {
            Ok(if find(dynamodb, name).await?.is_none() { Poll::Ready(()) } else { Poll::Pending })
        })
        .await
    }

    fn import(_cx: &Context<'_, AwsClient>, id: &str) -> Result<TableModel> {
        Ok(TableModel { id: Some(id.to_owned()), name: id.to_owned(), ..TableModel::default() })
    }
}

impl TableModel {
    /// The table's name: its id, and before there is one what the stack calls it.
    fn name(&self) -> &str {
        self.id.as_deref().filter(|id| !id.is_empty()).unwrap_or(&self.name)
    }

    fn on_demand(&self) -> bool {
        self.billing_mode.as_deref() == Some("PAY_PER_REQUEST")
    }
}

const ABSENT: &[&str] = &["ResourceNotFoundException", "TableNotFoundException"];

pub(super) use describe::look;

/// The table, if it exists.
async fn find(dynamodb: &aws_sdk_dynamodb::Client, name: &str) -> Result<Option<TableDescription>> {
    let answer = dynamodb.describe_table().table_name(name).send().await;
    Ok(answer.during("dynamodb:DescribeTable").absent_ok(ABSENT)?.and_then(|a| a.table))
}

/// Waits until the table and everything in it is at rest.
async fn settled(cx: &Context<'_, AwsClient>, name: &str, budget: Duration) -> Result<TableDescription> {
    cx.wait(Wait::new("table to become ACTIVE", budget), || async {
        Ok(match find(cx.client.dynamodb(), name).await? {
            Some(table) if at_rest(&table) => Poll::Ready(table),
            _ => Poll::Pending,
        })
    })
    .await
}

/// Whether no index, replica or encryption is on its way. What a dependent needs, and the next change too.
fn at_rest(table: &TableDescription) -> bool {
    use aws_sdk_dynamodb::types::{IndexStatus, ReplicaStatus, SseStatus};
    let moving = [SseStatus::Enabling, SseStatus::Disabling, SseStatus::Updating];
    let changing = [ReplicaStatus::Creating, ReplicaStatus::Updating, ReplicaStatus::Deleting];
    table.table_status() == Some(&TableStatus::Active)
        && table.global_secondary_indexes().iter().all(|i| i.index_status().is_none_or(|s| *s == IndexStatus::Active))
        && table.replicas().iter().all(|r| r.replica_status().is_none_or(|s| !changing.contains(s)))
        && table.sse_description().and_then(|s| s.status()).is_none_or(|s| !moving.contains(s))
}
