//! What only this type knows about a planned change.

use aws_sdk_firehose::types::{
    AmazonOpenSearchServerlessS3BackupMode, AmazonopensearchserviceIndexRotationPeriod,
    AmazonopensearchserviceS3BackupMode, CompressionFormat, Connectivity, ContentEncoding, DefaultDocumentIdFormat,
    ElasticsearchIndexRotationPeriod, ElasticsearchS3BackupMode, HecEndpointType, HttpEndpointS3BackupMode,
    IcebergS3BackupMode, KeyType, OrcCompression, OrcFormatVersion, ParquetCompression, ParquetWriterVersion,
    ProcessorParameterName, ProcessorType, RedshiftS3BackupMode, S3BackupMode, SnowflakeDataLoadingOption,
    SnowflakeS3BackupMode, SplunkS3BackupMode,
};
use aws_smithy_types::date_time::{DateTime, Format};
use lakeform_core::{Path, Value};
use lakeform_provider::{Change, ProviderError, Result};

use crate::check;

/// Destinations, the blocks of which have their names and `_configuration`.
const DESTINATIONS: &[&str] = &[
    "elasticsearch",
    "extended_s3",
    "http_endpoint",
    "iceberg",
    "opensearch",
    "opensearchserverless",
    "redshift",
    "snowflake",
    "splunk",
];

/// A moment from RFC 3339.
pub(super) fn moment(text: &str) -> Option<DateTime> {
    DateTime::from_str(text, Format::DateTimeWithOffset).ok()
}

pub(super) fn plan(change: &mut Change<'_>) -> Result<()> {
    check::length(change, "name", 1..=64)?;
    check::one_of(change, "destination", DESTINATIONS)?;
    check_block(change)?;
    let (kinesis, msk) = ("kinesis_source_configuration", "msk_source_configuration");
    check::exclusive(change, "", &[kinesis, msk])?;
    check::exclusive(change, "", &[kinesis, "server_side_encryption"])?;
    check::exclusive(change, "", &[msk, "server_side_encryption"])?;
    check::arn(change, &format!("{kinesis}.kinesis_stream_arn"))?;
    check::arn(change, &format!("{kinesis}.role_arn"))?;
    check::arn(change, &format!("{msk}.msk_cluster_arn"))?;
    let authentication = format!("{msk}.authentication_configuration");
    check::arn(change, &format!("{authentication}.role_arn"))?;
    check::one_of(change, &format!("{authentication}.connectivity"), Connectivity::values())?;
    check::each(change, &format!("{msk}.read_from_timestamp"), |value| match value.as_str() {
        Some(text) if moment(text).is_none() => {
            Err(format!("is {text:?}; a moment is written like 2026-01-31T12:00:00Z"))
        }
        _ => Ok(()),
    })?;
    check::one_of(change, "server_side_encryption.key_type", KeyType::values())?;
    check::arn(change, "server_side_encryption.key_arn")?;
    check_key(change)?;
    for destination in DESTINATIONS {
        check_common(change, &format!("{destination}_configuration"))?;
    }
    check_bucket(change, "extended_s3_configuration")?;
    check_extended(change, "extended_s3_configuration")?;
    check_others(change)?;
    // Each change of the destination makes a new version.
    let changed = |name: &&&str| change.changes(&format!("{name}_configuration"));
    if !change.is_create() && DESTINATIONS.iter().any(|name| changed(&name)) {
        change.set_unknown("version_id");
    }
    Ok(())
}

/// The block of the destination is there.
fn check_block(change: &Change<'_>) -> Result<()> {
    let Some(destination) = change.config.get("destination").and_then(Value::as_str) else { return Ok(()) };
    let block = format!("{destination}_configuration");
    match change.config.get(&block) {
        Some(found) if !found.is_null() && found.as_slice().is_none_or(|all| !all.is_empty()) => Ok(()),
        _ => {
            let message = format!("the destination {destination} needs the block {block}");
            Err(ProviderError::invalid(message).attribute(Path::attr("destination")))
        }
    }
}

/// A key is of the customer's kind, and both are for encryption.
fn check_key(change: &Change<'_>) -> Result<()> {
    let block = change.config.get("server_side_encryption").and_then(|all| all.as_slice()?.first());
    let Some(block) = block else { return Ok(()) };
    let told = |name: &str| block.get(name).is_some_and(|v| !v.is_null());
    let need = |name: &str, other: &str| {
        let message = format!("{name} needs {other}");
        Err(ProviderError::invalid(message).attribute(Path::attr("server_side_encryption")))
    };
    match (told("key_arn"), told("key_type"), told("enabled")) {
        (true, false, _) => need("key_arn", "key_type"),
        (true, _, false) => need("key_arn", "enabled"),
        (_, true, false) => need("key_type", "enabled"),
        _ => Ok(()),
    }
}

/// What most destinations have, by the same names.
fn check_common(change: &Change<'_>, at: &str) -> Result<()> {
    let (interval, size) = match at {
        "splunk_configuration" => (0..=60, 1..=5),
        "snowflake_configuration" => (0..=900, 1..=128),
        "extended_s3_configuration" | "iceberg_configuration" => (0..=i64::MAX, 0..=i64::MAX),
        _ => (0..=900, 1..=100),
    };
    check::between(change, &format!("{at}.buffering_interval"), interval)?;
    check::between(change, &format!("{at}.buffering_size"), size)?;
    check::between(change, &format!("{at}.retry_duration"), 0..=7200)?;
    check::arn(change, &format!("{at}.role_arn"))?;
    let steps = format!("{at}.processing_configuration.processors");
    check::one_of(change, &format!("{steps}.type"), ProcessorType::values())?;
    check::one_of(change, &format!("{steps}.parameters.parameter_name"), ProcessorParameterName::values())?;
    check::length(change, &format!("{steps}.parameters.parameter_value"), 1..=5120)?;
    for bucket in ["s3_configuration", "s3_backup_configuration"] {
        let bucket = format!("{at}.{bucket}");
        check::between(change, &format!("{bucket}.buffering_size"), 1..=i64::MAX)?;
        check_bucket(change, &bucket)?;
    }
    check::arn(change, &format!("{at}.secrets_manager_configuration.role_arn"))?;
    check::arn(change, &format!("{at}.secrets_manager_configuration.secret_arn"))?;
    check::arn(change, &format!("{at}.vpc_config.role_arn"))
}

/// What says where objects go.
fn check_bucket(change: &Change<'_>, at: &str) -> Result<()> {
    for name in ["bucket_arn", "kms_key_arn", "role_arn"] {
        check::arn(change, &format!("{at}.{name}"))?;
    }
    check::one_of(change, &format!("{at}.compression_format"), CompressionFormat::values())?;
    check::length(change, &format!("{at}.error_output_prefix"), 0..=1024)
}

fn check_extended(change: &Change<'_>, at: &str) -> Result<()> {
    check::one_of(change, &format!("{at}.s3_backup_mode"), S3BackupMode::values())?;
    check::length(change, &format!("{at}.custom_time_zone"), 0..=50)?;
    check::length(change, &format!("{at}.file_extension"), 0..=50)?;
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "!-_.*'()".contains(c);
    check::each(change, &format!("{at}.file_extension"), |value| match value.as_str() {
        Some(text) if !(text.is_empty() || text.starts_with('.') && text.len() > 1 && text.chars().all(allowed)) => {
            Err(format!("is {text:?}; expected is a dot, and small letters, digits and the characters ! - _ . * ' ( )"))
        }
        _ => Ok(()),
    })?;
    check::between(change, &format!("{at}.dynamic_partitioning_configuration.retry_duration"), 0..=7200)?;
    let conversion = format!("{at}.data_format_conversion_configuration");
    let reader = format!("{conversion}.input_format_configuration.deserializer");
    check::exclusive(change, &reader, &["hive_json_ser_de", "open_x_json_ser_de"])?;
    let writer = format!("{conversion}.output_format_configuration.serializer");
    check::exclusive(change, &writer, &["orc_ser_de", "parquet_ser_de"])?;
    let (orc, parquet) = (format!("{writer}.orc_ser_de"), format!("{writer}.parquet_ser_de"));
    check::between(change, &format!("{orc}.block_size_bytes"), 67_108_864..=i64::MAX)?;
    check::one_of(change, &format!("{orc}.compression"), OrcCompression::values())?;
    check::one_of(change, &format!("{orc}.format_version"), OrcFormatVersion::values())?;
    check::between(change, &format!("{orc}.row_index_stride"), 1000..=i64::MAX)?;
    check::between(change, &format!("{orc}.stripe_size_bytes"), 8_388_608..=i64::MAX)?;
    check::between(change, &format!("{parquet}.block_size_bytes"), 67_108_864..=i64::MAX)?;
    check::one_of(change, &format!("{parquet}.compression"), ParquetCompression::values())?;
    check::between(change, &format!("{parquet}.page_size_bytes"), 65_536..=i64::MAX)?;
    check::one_of(change, &format!("{parquet}.writer_version"), ParquetWriterVersion::values())?;
    check::arn(change, &format!("{conversion}.schema_configuration.role_arn"))
}

fn check_others(change: &Change<'_>) -> Result<()> {
    for (name, rotations, backups) in [
        ("elasticsearch", ElasticsearchIndexRotationPeriod::values(), ElasticsearchS3BackupMode::values()),
        (
            "opensearch",
            AmazonopensearchserviceIndexRotationPeriod::values(),
            AmazonopensearchserviceS3BackupMode::values(),
        ),
    ] {
        let at = format!("{name}_configuration");
        check::exclusive(change, &at, &["cluster_endpoint", "domain_arn"])?;
        check::arn(change, &format!("{at}.domain_arn"))?;
        check::one_of(change, &format!("{at}.index_rotation_period"), rotations)?;
        check::one_of(change, &format!("{at}.s3_backup_mode"), backups)?;
        check::length(change, &format!("{at}.type_name"), 0..=100)?;
    }
    let ids = "opensearch_configuration.document_id_options.default_document_id_format";
    check::one_of(change, ids, DefaultDocumentIdFormat::values())?;
    for (name, backups) in [
        ("http_endpoint", HttpEndpointS3BackupMode::values()),
        ("iceberg", IcebergS3BackupMode::values()),
        ("opensearchserverless", AmazonOpenSearchServerlessS3BackupMode::values()),
        ("redshift", RedshiftS3BackupMode::values()),
        ("snowflake", SnowflakeS3BackupMode::values()),
        ("splunk", SplunkS3BackupMode::values()),
    ] {
        check::one_of(change, &format!("{name}_configuration.s3_backup_mode"), backups)?;
    }
    let http = "http_endpoint_configuration";
    check::length(change, &format!("{http}.access_key"), 0..=4096)?;
    check::length(change, &format!("{http}.name"), 1..=256)?;
    check::length(change, &format!("{http}.url"), 1..=1000)?;
    check::each(change, &format!("{http}.url"), |value| match value.as_str() {
        Some(url) if !url.starts_with("https://") => Err(format!("is {url:?}; expected is https://...")),
        _ => Ok(()),
    })?;
    check::one_of(change, &format!("{http}.request_configuration.content_encoding"), ContentEncoding::values())?;
    check::arn(change, "iceberg_configuration.catalog_arn")?;
    let prefix = "iceberg_configuration.destination_table_configuration.s3_error_output_prefix";
    check::length(change, prefix, 0..=1024)?;
    let snowflake = "snowflake_configuration";
    for name in ["content_column_name", "database", "metadata_column_name", "schema", "table", "user"] {
        check::length(change, &format!("{snowflake}.{name}"), 1..=255)?;
    }
    check::length(change, &format!("{snowflake}.key_passphrase"), 7..=255)?;
    check::length(change, &format!("{snowflake}.snowflake_role_configuration.snowflake_role"), 1..=255)?;
    check::one_of(change, &format!("{snowflake}.data_loading_option"), SnowflakeDataLoadingOption::values())?;
    let splunk = "splunk_configuration";
    check::between(change, &format!("{splunk}.hec_acknowledgment_timeout"), 180..=600)?;
    check::one_of(change, &format!("{splunk}.hec_endpoint_type"), HecEndpointType::values())
}
