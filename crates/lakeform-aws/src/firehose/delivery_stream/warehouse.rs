//! The destinations `iceberg`, `redshift` and `snowflake`.

use aws_sdk_firehose::{
    error::BuildError,
    types::{
        CatalogConfiguration, CopyCommand, DestinationTableConfiguration, IcebergDestinationConfiguration,
        IcebergDestinationDescription, IcebergDestinationUpdate, RedshiftDestinationConfiguration,
        RedshiftDestinationDescription, RedshiftDestinationUpdate, S3DestinationUpdate,
        SnowflakeDestinationConfiguration, SnowflakeDestinationDescription, SnowflakeDestinationUpdate,
        SnowflakeRoleConfiguration, SnowflakeVpcConfiguration,
    },
};
use lakeform_provider::Model;

use super::parts::{Bucket, Destination, Logging, MEGABYTE, Processing, Secrets, buffer, hints, retries};
use crate::values::{chosen, flag, given, given_list, list, number, text};

/// Tables of Iceberg.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Iceberg {
    /// Seconds that records are gathered, 0 to 900. Default: 300.
    #[attr(optional, default = 300)]
    buffering_interval: Option<i64>,
    /// Size in MB that records are gathered to. Default: 5.
    #[attr(optional, default = 5)]
    buffering_size: Option<i64>,
    /// ARN of the catalog: `arn:aws:glue:REGION:ACCOUNT:catalog`
    #[attr(required, force_new)]
    catalog_arn: String,
    /// Seconds that delivery is tried again, 0 to 7200. Default: 300.
    #[attr(optional, default = 300)]
    retry_duration: Option<i64>,
    /// ARN of the role that writes tables.
    #[attr(required)]
    role_arn: String,
    /// What is kept in S3: `FailedDataOnly` (default) or `AllData`
    #[attr(optional, default = "FailedDataOnly")]
    s3_backup_mode: Option<String>,
    /// Where errors are logged.
    #[block(list, max = 1, computed)]
    cloudwatch_logging_options: Vec<Logging>,
    /// The tables.
    #[block(list, force_new)]
    destination_table_configuration: Vec<Table>,
    /// What is done with records before.
    #[block(list, max = 1, computed)]
    processing_configuration: Vec<Processing>,
    /// Where records are kept.
    #[block(list, min = 1, max = 1)]
    s3_configuration: Vec<Bucket>,
}

/// A table of Iceberg.
#[derive(Model, Clone, Debug, Default)]
struct Table {
    /// Its database.
    #[attr(required)]
    database_name: String,
    /// What the keys of records begin with that cannot be delivered.
    #[attr(optional)]
    s3_error_output_prefix: Option<String>,
    /// Its name.
    #[attr(required)]
    table_name: String,
    /// Columns that tell rows apart.
    #[attr(optional)]
    unique_keys: Option<Vec<String>>,
}

/// A table of Redshift.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Redshift {
    /// The cluster: `jdbc:redshift://...`
    #[attr(required)]
    cluster_jdbcurl: String,
    /// Options of COPY.
    #[attr(optional)]
    copy_options: Option<String>,
    /// Columns of the table, with commas between them.
    #[attr(optional)]
    data_table_columns: Option<String>,
    /// Name of the table.
    #[attr(required)]
    data_table_name: String,
    /// Password of the user.
    #[attr(optional, sensitive)]
    password: Option<String>,
    /// Seconds that delivery is tried again, 0 to 7200. Default: 3600.
    #[attr(optional, default = 3600)]
    retry_duration: Option<i64>,
    /// ARN of the role that delivers.
    #[attr(required)]
    role_arn: String,
    /// Whether all records are kept elsewhere too, as they came: `Enabled` or `Disabled` (default)
    #[attr(optional, default = "Disabled")]
    s3_backup_mode: Option<String>,
    /// The user, who may INSERT.
    #[attr(optional)]
    username: Option<String>,
    /// Where errors are logged.
    #[block(list, max = 1, computed)]
    cloudwatch_logging_options: Vec<Logging>,
    /// What is done with records before.
    #[block(list, max = 1, computed)]
    processing_configuration: Vec<Processing>,
    /// Where records are kept as they came.
    #[block(list, max = 1)]
    s3_backup_configuration: Vec<Bucket>,
    /// Where COPY finds them.
    #[block(list, min = 1, max = 1)]
    s3_configuration: Vec<Bucket>,
    /// The secret with user and password.
    #[block(list, max = 1, computed)]
    secrets_manager_configuration: Vec<Secrets>,
}

/// A table of Snowflake.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct Snowflake {
    /// The account: `https://....snowflakecomputing.com`
    #[attr(required)]
    account_url: String,
    /// Seconds that records are gathered, 0 to 900. Default: 0.
    #[attr(optional, default = 0)]
    buffering_interval: Option<i64>,
    /// Size in MB that records are gathered to, 1 to 128. Default: 1.
    #[attr(optional, default = 1)]
    buffering_size: Option<i64>,
    /// Name of the column for records.
    #[attr(optional)]
    content_column_name: Option<String>,
    /// `JSON_MAPPING` (default), `VARIANT_CONTENT_MAPPING` or `VARIANT_CONTENT_AND_METADATA_MAPPING`
    #[attr(optional, default = "JSON_MAPPING")]
    data_loading_option: Option<String>,
    /// Name of the database.
    #[attr(required)]
    database: String,
    /// Passphrase of the private key.
    #[attr(optional, sensitive)]
    key_passphrase: Option<String>,
    /// Name of the column for what is known of records.
    #[attr(optional)]
    metadata_column_name: Option<String>,
    /// The user's private key.
    #[attr(optional, sensitive)]
    private_key: Option<String>,
    /// Seconds that delivery is tried again, 0 to 7200. Default: 60.
    #[attr(optional, default = 60)]
    retry_duration: Option<i64>,
    /// ARN of the role that delivers.
    #[attr(required)]
    role_arn: String,
    /// What is kept in S3: `FailedDataOnly` (default) or `AllData`
    #[attr(optional, default = "FailedDataOnly")]
    s3_backup_mode: Option<String>,
    /// Name of the schema.
    #[attr(required)]
    schema: String,
    /// Name of the table.
    #[attr(required)]
    table: String,
    /// The user.
    #[attr(optional)]
    user: Option<String>,
    /// Where errors are logged.
    #[block(list, max = 1, computed)]
    cloudwatch_logging_options: Vec<Logging>,
    /// What is done with records before.
    #[block(list, max = 1, computed)]
    processing_configuration: Vec<Processing>,
    /// Where records are kept.
    #[block(list, min = 1, max = 1)]
    s3_configuration: Vec<Bucket>,
    /// The secret with user and key.
    #[block(list, max = 1, computed)]
    secrets_manager_configuration: Vec<Secrets>,
    /// The role in Snowflake.
    #[block(list, max = 1, computed)]
    snowflake_role_configuration: Vec<SnowflakeRole>,
    /// The private way to Snowflake.
    #[block(list, max = 1)]
    snowflake_vpc_configuration: Vec<PrivateLink>,
}

/// A role in Snowflake.
#[derive(Model, Clone, Debug, Default)]
struct SnowflakeRole {
    /// Whether it is used. Default: `false`.
    #[attr(optional, default = false)]
    enabled: Option<bool>,
    /// Its name.
    #[attr(optional)]
    snowflake_role: Option<String>,
}

/// A private way to Snowflake.
#[derive(Model, Clone, Debug, Default)]
struct PrivateLink {
    /// Id of the VPC endpoint, as Snowflake tells it.
    #[attr(required)]
    private_link_vpce_id: String,
}

/// The input with what all three take, to create and to change.
macro_rules! described {
    ($input:expr, $of:expr, $retries:ident) => {
        $input
            .set_cloud_watch_logging_options(Logging::to_api(&$of.cloudwatch_logging_options))
            .processing_configuration(Processing::to_api(&$of.processing_configuration, MEGABYTE, &$of.role_arn)?)
            .retry_options(retries!($retries, $of))
            .role_arn(&$of.role_arn)
            .set_s3_backup_mode(chosen(&$of.s3_backup_mode))
    };
}

/// The input with what Iceberg takes beyond that.
macro_rules! iceberg {
    ($input:expr, $of:expr) => {{
        let tables = $of.destination_table_configuration.iter().map(Table::to_api).collect::<Result<Vec<_>, _>>()?;
        described!($input, $of, RetryOptions)
            .buffering_hints(hints!(BufferingHints, $of))
            .catalog_configuration(CatalogConfiguration::builder().catalog_arn(&$of.catalog_arn).build())
            .set_destination_table_configuration_list((!tables.is_empty()).then_some(tables))
            .set_s3_configuration($of.s3_configuration.first().map(Bucket::to_api).transpose()?)
    }};
}

/// The input with what Redshift takes beyond that.
macro_rules! redshift {
    ($input:expr, $of:expr) => {{
        let copy = CopyCommand::builder()
            .data_table_name(&$of.data_table_name)
            .set_copy_options(text($of.copy_options.as_ref()))
            .set_data_table_columns(text($of.data_table_columns.as_ref()));
        described!($input, $of, RedshiftRetryOptions)
            .cluster_jdbcurl(&$of.cluster_jdbcurl)
            .copy_command(copy.build()?)
            .set_password(given(&$of.password))
            .set_secrets_manager_configuration(Secrets::to_api(&$of.secrets_manager_configuration)?)
            .set_username(given(&$of.username))
    }};
}

/// The input with what Snowflake takes beyond that.
macro_rules! snowflake {
    ($input:expr, $of:expr) => {
        described!($input, $of, SnowflakeRetryOptions)
            .account_url(&$of.account_url)
            .buffering_hints(hints!(SnowflakeBufferingHints, $of))
            .set_content_column_name(given(&$of.content_column_name))
            .set_data_loading_option(chosen(&$of.data_loading_option))
            .database(&$of.database)
            .set_key_passphrase(given(&$of.key_passphrase))
            .set_meta_data_column_name(given(&$of.metadata_column_name))
            .set_private_key(given(&$of.private_key))
            .schema(&$of.schema)
            .set_secrets_manager_configuration(Secrets::to_api(&$of.secrets_manager_configuration)?)
            .snowflake_role_configuration(SnowflakeRole::to_api(&$of.snowflake_role_configuration))
            .table(&$of.table)
            .set_user(given(&$of.user))
    };
}

impl Table {
    fn to_api(&self) -> Result<DestinationTableConfiguration, BuildError> {
        DestinationTableConfiguration::builder()
            .destination_database_name(&self.database_name)
            .destination_table_name(&self.table_name)
            .set_s3_error_output_prefix(given(&self.s3_error_output_prefix))
            .set_unique_keys(given_list(self.unique_keys.as_deref()))
            .build()
    }

    fn read(live: DestinationTableConfiguration, stored: Option<&Self>) -> Self {
        Self {
            unique_keys: list(live.unique_keys(), stored.and_then(|table| table.unique_keys.as_ref())),
            database_name: live.destination_database_name,
            s3_error_output_prefix: text(live.s3_error_output_prefix),
            table_name: live.destination_table_name,
        }
    }
}

impl Iceberg {
    pub(super) fn to_api(&self) -> Result<IcebergDestinationConfiguration, BuildError> {
        iceberg!(IcebergDestinationConfiguration::builder(), self).build()
    }

    pub(super) fn to_update(&self) -> Result<IcebergDestinationUpdate, BuildError> {
        Ok(iceberg!(IcebergDestinationUpdate::builder(), self).build())
    }
}

impl Destination<IcebergDestinationDescription> for Iceberg {
    fn read(live: IcebergDestinationDescription, stored: Option<&Self>) -> Self {
        let (buffering_interval, buffering_size) = buffer(live.buffering_hints);
        let role = live.role_arn.unwrap_or_default();
        let logging = stored.map(|to| to.cloudwatch_logging_options.as_slice());
        let steps = stored.map(|to| to.processing_configuration.as_slice());
        let bucket = stored.map(|to| to.s3_configuration.as_slice()).unwrap_or_default();
        let table = |i: usize| stored.and_then(|to| to.destination_table_configuration.get(i));
        let tables = live.destination_table_configuration_list.unwrap_or_default().into_iter().enumerate();
        Self {
            buffering_interval,
            buffering_size,
            catalog_arn: live.catalog_configuration.and_then(|catalog| catalog.catalog_arn).unwrap_or_default(),
            retry_duration: number(live.retry_options.and_then(|retry| retry.duration_in_seconds)),
            s3_backup_mode: text(live.s3_backup_mode.as_ref().map(|mode| mode.as_str()).or(Some("FailedDataOnly"))),
            cloudwatch_logging_options: Logging::read(live.cloud_watch_logging_options, logging),
            destination_table_configuration: tables.map(|(i, live)| Table::read(live, table(i))).collect(),
            processing_configuration: Processing::read(live.processing_configuration, steps, MEGABYTE, &role),
            s3_configuration: Bucket::read(live.s3_destination_description, bucket),
            role_arn: role,
        }
    }
}

/// A change of a bucket for Redshift, which knows no prefix for errors.
fn without_errors(bucket: &Bucket) -> Result<S3DestinationUpdate, BuildError> {
    let mut update = bucket.to_update()?;
    update.error_output_prefix = None;
    Ok(update)
}

impl Redshift {
    pub(super) fn to_api(&self) -> Result<RedshiftDestinationConfiguration, BuildError> {
        redshift!(RedshiftDestinationConfiguration::builder(), self)
            .set_s3_configuration(self.s3_configuration.first().map(Bucket::to_api).transpose()?)
            .set_s3_backup_configuration(self.s3_backup_configuration.first().map(Bucket::to_api).transpose()?)
            .build()
    }

    pub(super) fn to_update(&self) -> Result<RedshiftDestinationUpdate, BuildError> {
        Ok(redshift!(RedshiftDestinationUpdate::builder(), self)
            .set_s3_update(self.s3_configuration.first().map(without_errors).transpose()?)
            .set_s3_backup_update(self.s3_backup_configuration.first().map(without_errors).transpose()?)
            .build())
    }
}

impl Destination<RedshiftDestinationDescription> for Redshift {
    fn read(live: RedshiftDestinationDescription, stored: Option<&Self>) -> Self {
        let logging = stored.map(|to| to.cloudwatch_logging_options.as_slice());
        let steps = stored.map(|to| to.processing_configuration.as_slice());
        let bucket = stored.map(|to| to.s3_configuration.as_slice()).unwrap_or_default();
        let backup = stored.map(|to| to.s3_backup_configuration.as_slice()).unwrap_or_default();
        let copy = live.copy_command;
        Self {
            cluster_jdbcurl: live.cluster_jdbcurl,
            copy_options: text(copy.as_ref().and_then(|copy| copy.copy_options.as_ref())),
            data_table_columns: text(copy.as_ref().and_then(|copy| copy.data_table_columns.as_ref())),
            data_table_name: copy.map(|copy| copy.data_table_name).unwrap_or_default(),
            password: stored.and_then(|to| to.password.clone()),
            retry_duration: number(live.retry_options.and_then(|retry| retry.duration_in_seconds)),
            s3_backup_mode: text(live.s3_backup_mode),
            username: text(live.username),
            cloudwatch_logging_options: Logging::read(live.cloud_watch_logging_options, logging),
            processing_configuration: Processing::read(live.processing_configuration, steps, MEGABYTE, &live.role_arn),
            s3_backup_configuration: Bucket::read(live.s3_backup_description, backup),
            s3_configuration: Bucket::read(live.s3_destination_description, bucket),
            secrets_manager_configuration: Secrets::read(live.secrets_manager_configuration),
            role_arn: live.role_arn,
        }
    }
}

impl SnowflakeRole {
    /// Without a block no role is used, as AWS tells it.
    fn to_api(blocks: &[Self]) -> SnowflakeRoleConfiguration {
        let role = blocks.first();
        SnowflakeRoleConfiguration::builder()
            .enabled(role.and_then(|role| role.enabled).unwrap_or_default())
            .set_snowflake_role(role.and_then(|role| given(&role.snowflake_role)))
            .build()
    }
}

impl Snowflake {
    pub(super) fn to_api(&self) -> Result<SnowflakeDestinationConfiguration, BuildError> {
        let link = self
            .snowflake_vpc_configuration
            .first()
            .map(|link| SnowflakeVpcConfiguration::builder().private_link_vpce_id(&link.private_link_vpce_id).build());
        snowflake!(SnowflakeDestinationConfiguration::builder(), self)
            .set_s3_configuration(self.s3_configuration.first().map(Bucket::to_api).transpose()?)
            .set_snowflake_vpc_configuration(link.transpose()?)
            .build()
    }

    pub(super) fn to_update(&self) -> Result<SnowflakeDestinationUpdate, BuildError> {
        let bucket = self.s3_configuration.first().map(Bucket::to_update).transpose()?;
        Ok(snowflake!(SnowflakeDestinationUpdate::builder(), self).set_s3_update(bucket).build())
    }
}

impl Destination<SnowflakeDestinationDescription> for Snowflake {
    fn read(live: SnowflakeDestinationDescription, stored: Option<&Self>) -> Self {
        let hints = live.buffering_hints.as_ref();
        let role = live.role_arn.unwrap_or_default();
        let logging = stored.map(|to| to.cloudwatch_logging_options.as_slice());
        let steps = stored.map(|to| to.processing_configuration.as_slice());
        let bucket = stored.map(|to| to.s3_configuration.as_slice()).unwrap_or_default();
        let snowflake_role = live
            .snowflake_role_configuration
            .map(|role| SnowflakeRole { enabled: flag(role.enabled), snowflake_role: text(role.snowflake_role) });
        let link = live.snowflake_vpc_configuration;
        let link = link.map(|link| PrivateLink { private_link_vpce_id: link.private_link_vpce_id });
        Self {
            account_url: live.account_url.unwrap_or_default(),
            buffering_interval: number(hints.and_then(|hints| hints.interval_in_seconds)),
            buffering_size: number(hints.and_then(|hints| hints.size_in_mbs)),
            content_column_name: text(live.content_column_name),
            data_loading_option: text(live.data_loading_option),
            database: live.database.unwrap_or_default(),
            key_passphrase: stored.and_then(|to| to.key_passphrase.clone()),
            metadata_column_name: text(live.meta_data_column_name),
            private_key: stored.and_then(|to| to.private_key.clone()),
            retry_duration: number(live.retry_options.and_then(|retry| retry.duration_in_seconds)),
            s3_backup_mode: text(live.s3_backup_mode),
            schema: live.schema.unwrap_or_default(),
            table: live.table.unwrap_or_default(),
            user: text(live.user),
            cloudwatch_logging_options: Logging::read(live.cloud_watch_logging_options, logging),
            processing_configuration: Processing::read(live.processing_configuration, steps, MEGABYTE, &role),
            s3_configuration: Bucket::read(live.s3_destination_description, bucket),
            secrets_manager_configuration: Secrets::read(live.secrets_manager_configuration),
            snowflake_role_configuration: snowflake_role.into_iter().collect(),
            snowflake_vpc_configuration: link.into_iter().collect(),
            role_arn: role,
        }
    }
}
