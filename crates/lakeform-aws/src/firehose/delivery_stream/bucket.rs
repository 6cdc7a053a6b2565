//! The destination `extended_s3`.

use aws_sdk_firehose::{
    error::BuildError,
    types::{
        DataFormatConversionConfiguration, Deserializer as ApiDeserializer, DynamicPartitioningConfiguration,
        ExtendedS3DestinationConfiguration, ExtendedS3DestinationDescription, ExtendedS3DestinationUpdate,
        HiveJsonSerDe, InputFormatConfiguration, OpenXJsonSerDe, OrcSerDe, OutputFormatConfiguration, ParquetSerDe,
        SchemaConfiguration, Serializer as ApiSerializer,
    },
};
use lakeform_provider::{Field, Model};

use super::parts::{
    Bucket, Destination, Logging, MEGABYTE, Processing, buffer, encryption, hints, key, retries, small,
};
use crate::{
    tags::Tags,
    values::{chosen, flag, given, given_list, given_map, list, map, number, text},
};

/// S3.
#[derive(Model, Clone, Debug, Default)]
pub(super) struct ExtendedS3 {
    /// ARN of the bucket.
    #[attr(required)]
    bucket_arn: String,
    /// Seconds that records are gathered, 0 to 900. Default: 300.
    #[attr(optional, default = 300)]
    buffering_interval: Option<i64>,
    /// Size in MB that records are gathered to. Default: 5.
    #[attr(optional, default = 5)]
    buffering_size: Option<i64>,
    /// `UNCOMPRESSED` (default), `GZIP`, `ZIP`, `Snappy` or `HADOOP_SNAPPY`
    #[attr(optional, default = "UNCOMPRESSED")]
    compression_format: Option<String>,
    /// Time zone of the times in keys. Default: `UTC`.
    #[attr(optional, default = "UTC")]
    custom_time_zone: Option<String>,
    /// What the keys of records begin with that cannot be delivered: `errors/!{firehose:error-output-type}/`
    #[attr(optional)]
    error_output_prefix: Option<String>,
    /// What keys end with, from the dot on.
    #[attr(optional)]
    file_extension: Option<String>,
    /// ARN of the KMS key that encrypts objects.
    #[attr(optional)]
    kms_key_arn: Option<String>,
    /// What keys begin with: `day=!{timestamp:yyyy-MM-dd}/`
    #[attr(optional)]
    prefix: Option<String>,
    /// ARN of the role that writes objects.
    #[attr(required)]
    role_arn: String,
    /// Whether all records are kept elsewhere too, as they came: `Enabled` or `Disabled` (default)
    #[attr(optional, default = "Disabled")]
    s3_backup_mode: Option<String>,
    /// Where errors are logged.
    #[block(list, max = 1, computed)]
    cloudwatch_logging_options: Vec<Logging>,
    /// Into which format JSON is turned.
    #[block(list, max = 1)]
    data_format_conversion_configuration: Vec<Conversion>,
    /// Whether keys depend on what is in records.
    #[block(list, max = 1, force_new)]
    dynamic_partitioning_configuration: Vec<Partitioning>,
    /// What is done with records before.
    #[block(list, max = 1, computed)]
    processing_configuration: Vec<Processing>,
    /// Where records are kept as they came.
    #[block(list, max = 1)]
    s3_backup_configuration: Vec<Bucket>,
}

/// Whether keys depend on what is in records.
#[derive(Model, Clone, Debug, Default)]
struct Partitioning {
    /// Whether they do. Default: `false`.
    #[attr(optional, force_new, default = false)]
    enabled: Option<bool>,
    /// Seconds that writing is tried again, 0 to 7200. Default: 300.
    #[attr(optional, default = 300)]
    retry_duration: Option<i64>,
}

/// Into which format JSON is turned.
#[derive(Model, Clone, Debug, Default)]
struct Conversion {
    /// Whether it is. Default: `true`.
    #[attr(optional, default = true)]
    enabled: Option<bool>,
    /// How JSON is read.
    #[block(list, min = 1, max = 1)]
    input_format_configuration: Vec<Input>,
    /// The format.
    #[block(list, min = 1, max = 1)]
    output_format_configuration: Vec<Output>,
    /// The table with the columns.
    #[block(list, min = 1, max = 1)]
    schema_configuration: Vec<Table>,
}

/// How JSON is read.
#[derive(Model, Clone, Debug, Default)]
struct Input {
    /// By what.
    #[block(list, min = 1, max = 1)]
    deserializer: Vec<Deserializer>,
}

/// What reads JSON: one of the two.
#[derive(Model, Clone, Debug, Default)]
struct Deserializer {
    /// Hive's.
    #[block(list, max = 1)]
    hive_json_ser_de: Vec<Hive>,
    /// OpenX's.
    #[block(list, max = 1)]
    open_x_json_ser_de: Vec<OpenX>,
}

/// Hive's reader of JSON.
#[derive(Model, Clone, Debug, Default)]
struct Hive {
    /// How times are written.
    #[attr(optional)]
    timestamp_formats: Option<Vec<String>>,
}

/// OpenX's reader of JSON.
#[derive(Model, Clone, Debug, Default)]
struct OpenX {
    /// Whether keys become small letters first. Default: `true`.
    #[attr(optional, default = true)]
    case_insensitive: Option<bool>,
    /// Keys by columns, where they differ.
    #[attr(optional)]
    column_to_json_key_mappings: Option<Tags>,
    /// Whether dots in keys become `_`. Default: `false`.
    #[attr(optional, default = false)]
    convert_dots_in_json_keys_to_underscores: Option<bool>,
}

/// The format that JSON is turned into.
#[derive(Model, Clone, Debug, Default)]
struct Output {
    /// By what.
    #[block(list, min = 1, max = 1)]
    serializer: Vec<Serializer>,
}

/// What writes the format: one of the two.
#[derive(Model, Clone, Debug, Default)]
struct Serializer {
    /// ORC.
    #[block(list, max = 1)]
    orc_ser_de: Vec<Orc>,
    /// Parquet.
    #[block(list, max = 1)]
    parquet_ser_de: Vec<Parquet>,
}

/// ORC.
#[derive(Model, Clone, Debug, Default)]
struct Orc {
    /// Size of a block in bytes, 67108864 or more. Default: 268435456.
    #[attr(optional, default = 268_435_456)]
    block_size_bytes: Option<i64>,
    /// Columns with Bloom filters.
    #[attr(optional)]
    bloom_filter_columns: Option<Vec<String>>,
    /// How often a Bloom filter may be wrong. Default: 0.05.
    #[attr(optional, default = 0.05.into_value())]
    bloom_filter_false_positive_probability: Option<f64>,
    /// `NONE`, `ZLIB` or `SNAPPY` (default)
    #[attr(optional, default = "SNAPPY")]
    compression: Option<String>,
    /// Part of distinct values up to which a dictionary is used. Default: 0.
    #[attr(optional, default = 0)]
    dictionary_key_threshold: Option<f64>,
    /// Whether stripes are padded. Default: `false`.
    #[attr(optional, default = false)]
    enable_padding: Option<bool>,
    /// `V0_11` or `V0_12` (default)
    #[attr(optional, default = "V0_12")]
    format_version: Option<String>,
    /// How much may be padding. Default: 0.05.
    #[attr(optional, default = 0.05.into_value())]
    padding_tolerance: Option<f64>,
    /// Rows between index entries, 1000 or more. Default: 10000.
    #[attr(optional, default = 10_000)]
    row_index_stride: Option<i64>,
    /// Size of a stripe in bytes, 8388608 or more. Default: 67108864.
    #[attr(optional, default = 67_108_864)]
    stripe_size_bytes: Option<i64>,
}

/// Parquet.
#[derive(Model, Clone, Debug, Default)]
struct Parquet {
    /// Size of a block in bytes, 67108864 or more. Default: 268435456.
    #[attr(optional, default = 268_435_456)]
    block_size_bytes: Option<i64>,
    /// `UNCOMPRESSED`, `GZIP` or `SNAPPY` (default)
    #[attr(optional, default = "SNAPPY")]
    compression: Option<String>,
    /// Whether dictionaries are used. Default: `false`.
    #[attr(optional, default = false)]
    enable_dictionary_compression: Option<bool>,
    /// Bytes that may be padding. Default: 0.
    #[attr(optional, default = 0)]
    max_padding_bytes: Option<i64>,
    /// Size of a page in bytes, 65536 or more. Default: 1048576.
    #[attr(optional, default = 1_048_576)]
    page_size_bytes: Option<i64>,
    /// `V1` (default) or `V2`
    #[attr(optional, default = "V1")]
    writer_version: Option<String>,
}

/// The table with the columns.
#[derive(Model, Clone, Debug, Default)]
struct Table {
    /// Its catalog. Default: that of the account.
    #[attr(optional, computed)]
    catalog_id: Option<String>,
    /// Its database.
    #[attr(required)]
    database_name: String,
    /// Its region. Default: that of the stream.
    #[attr(optional, computed)]
    region: Option<String>,
    /// ARN of the role that reads it.
    #[attr(required)]
    role_arn: String,
    /// Its name.
    #[attr(required)]
    table_name: String,
    /// Its version. Default: `LATEST`.
    #[attr(optional, default = "LATEST")]
    version_id: Option<String>,
}

/// The input with what creating and changing take alike.
macro_rules! described {
    ($input:expr, $of:expr) => {
        $input
            .bucket_arn(&$of.bucket_arn)
            .buffering_hints(hints!(BufferingHints, $of))
            .set_cloud_watch_logging_options(Logging::to_api(&$of.cloudwatch_logging_options))
            .set_compression_format(chosen(&$of.compression_format))
            .set_custom_time_zone(given(&$of.custom_time_zone))
            .data_format_conversion_configuration(Conversion::to_api(&$of.data_format_conversion_configuration))
            .set_dynamic_partitioning_configuration(
                $of.dynamic_partitioning_configuration.first().map(Partitioning::to_api),
            )
            .encryption_configuration(encryption(&$of.kms_key_arn)?)
            .set_file_extension(text($of.file_extension.as_ref()))
            .set_prefix(text($of.prefix.as_ref()))
            .processing_configuration(Processing::to_api(&$of.processing_configuration, MEGABYTE, &$of.role_arn)?)
            .role_arn(&$of.role_arn)
            .set_s3_backup_mode(chosen(&$of.s3_backup_mode))
    };
}

impl ExtendedS3 {
    pub(super) fn to_api(&self) -> Result<ExtendedS3DestinationConfiguration, BuildError> {
        described!(ExtendedS3DestinationConfiguration::builder(), self)
            .set_error_output_prefix(given(&self.error_output_prefix))
            .set_s3_backup_configuration(self.s3_backup_configuration.first().map(Bucket::to_api).transpose()?)
            .build()
    }

    pub(super) fn to_update(&self) -> Result<ExtendedS3DestinationUpdate, BuildError> {
        Ok(described!(ExtendedS3DestinationUpdate::builder(), self)
            .set_error_output_prefix(text(self.error_output_prefix.as_ref()))
            .set_s3_backup_update(self.s3_backup_configuration.first().map(Bucket::to_update).transpose()?)
            .build())
    }
}

impl Destination<ExtendedS3DestinationDescription> for ExtendedS3 {
    fn read(live: ExtendedS3DestinationDescription, stored: Option<&Self>) -> Self {
        let (buffering_interval, buffering_size) = buffer(live.buffering_hints);
        let logging = stored.map(|to| to.cloudwatch_logging_options.as_slice());
        let steps = stored.map(|to| to.processing_configuration.as_slice());
        let backup = stored.map(|to| to.s3_backup_configuration.as_slice()).unwrap_or_default();
        let conversion = stored.and_then(|to| to.data_format_conversion_configuration.first());
        let conversion = live.data_format_conversion_configuration.and_then(|live| Conversion::read(live, conversion));
        let partitioning = live.dynamic_partitioning_configuration.map(|live| Partitioning {
            enabled: flag(live.enabled),
            retry_duration: live.retry_options.and_then(|retry| retry.duration_in_seconds).map(Into::into),
        });
        Self {
            bucket_arn: live.bucket_arn,
            buffering_interval,
            buffering_size,
            compression_format: text(Some(live.compression_format)),
            custom_time_zone: text(live.custom_time_zone.as_deref().or(Some("UTC"))),
            error_output_prefix: text(live.error_output_prefix),
            file_extension: text(live.file_extension),
            kms_key_arn: key(live.encryption_configuration),
            prefix: text(live.prefix),
            s3_backup_mode: text(live.s3_backup_mode.as_ref().map(|mode| mode.as_str()).or(Some("Disabled"))),
            cloudwatch_logging_options: Logging::read(live.cloud_watch_logging_options, logging),
            data_format_conversion_configuration: conversion.into_iter().collect(),
            dynamic_partitioning_configuration: partitioning.into_iter().collect(),
            processing_configuration: Processing::read(live.processing_configuration, steps, MEGABYTE, &live.role_arn),
            s3_backup_configuration: Bucket::read(live.s3_backup_description, backup),
            role_arn: live.role_arn,
        }
    }
}

impl Partitioning {
    fn to_api(&self) -> DynamicPartitioningConfiguration {
        let partitioning = DynamicPartitioningConfiguration::builder().set_enabled(self.enabled);
        partitioning.retry_options(retries!(RetryOptions, self)).build()
    }
}

impl Conversion {
    /// No block is a conversion that is off, as AWS tells it.
    fn to_api(blocks: &[Self]) -> DataFormatConversionConfiguration {
        let conversion = DataFormatConversionConfiguration::builder();
        let Some(this) = blocks.first() else { return conversion.enabled(false).build() };
        let input = this.input_format_configuration.first().and_then(|input| input.deserializer.first());
        let output = this.output_format_configuration.first().and_then(|output| output.serializer.first());
        conversion
            .set_enabled(this.enabled)
            .set_input_format_configuration(input.map(Deserializer::to_api))
            .set_output_format_configuration(output.map(Serializer::to_api))
            .set_schema_configuration(this.schema_configuration.first().map(Table::to_api))
            .build()
    }

    /// What the API says, unless that is no conversion at all.
    fn read(live: DataFormatConversionConfiguration, stored: Option<&Self>) -> Option<Self> {
        let enabled = live.enabled.unwrap_or_default();
        let none = live.input_format_configuration.is_none()
            && live.output_format_configuration.is_none()
            && live.schema_configuration.is_none();
        if !enabled && none {
            return None;
        }
        let reader = stored.and_then(|stored| stored.input_format_configuration.first()?.deserializer.first());
        let writer = stored.and_then(|stored| stored.output_format_configuration.first()?.serializer.first());
        let input = live.input_format_configuration.map(|input| Input {
            deserializer: input.deserializer.map(|live| Deserializer::read(live, reader)).into_iter().collect(),
        });
        let output = live.output_format_configuration.map(|output| Output {
            serializer: output.serializer.map(|live| Serializer::read(live, writer)).into_iter().collect(),
        });
        Some(Self {
            enabled: Some(enabled),
            input_format_configuration: input.into_iter().collect(),
            output_format_configuration: output.into_iter().collect(),
            schema_configuration: live.schema_configuration.map(Table::read).into_iter().collect(),
        })
    }
}

impl Deserializer {
    fn to_api(&self) -> InputFormatConfiguration {
        let hive = self.hive_json_ser_de.first().map(|hive| {
            HiveJsonSerDe::builder().set_timestamp_formats(given_list(hive.timestamp_formats.as_deref())).build()
        });
        let open_x = self.open_x_json_ser_de.first().map(|open_x| {
            OpenXJsonSerDe::builder()
                .set_case_insensitive(open_x.case_insensitive)
                .set_column_to_json_key_mappings(given_map(&open_x.column_to_json_key_mappings))
                .set_convert_dots_in_json_keys_to_underscores(open_x.convert_dots_in_json_keys_to_underscores)
                .build()
        });
        let reader = ApiDeserializer::builder().set_hive_json_ser_de(hive).set_open_x_json_ser_de(open_x).build();
        InputFormatConfiguration::builder().deserializer(reader).build()
    }

    fn read(live: ApiDeserializer, stored: Option<&Self>) -> Self {
        let formats = stored.and_then(|stored| stored.hive_json_ser_de.first()?.timestamp_formats.as_ref());
        let keys = stored.and_then(|stored| stored.open_x_json_ser_de.first()?.column_to_json_key_mappings.as_ref());
        let hive =
            live.hive_json_ser_de.map(|hive| Hive { timestamp_formats: list(hive.timestamp_formats(), formats) });
        let open_x = live.open_x_json_ser_de.map(|open_x| OpenX {
            case_insensitive: Some(open_x.case_insensitive.unwrap_or(true)),
            column_to_json_key_mappings: map(open_x.column_to_json_key_mappings.as_ref(), keys),
            convert_dots_in_json_keys_to_underscores: flag(open_x.convert_dots_in_json_keys_to_underscores),
        });
        Self { hive_json_ser_de: hive.into_iter().collect(), open_x_json_ser_de: open_x.into_iter().collect() }
    }
}

impl Serializer {
    fn to_api(&self) -> OutputFormatConfiguration {
        let orc = self.orc_ser_de.first().map(|orc| {
            OrcSerDe::builder()
                .set_block_size_bytes(small(orc.block_size_bytes))
                .set_bloom_filter_columns(given_list(orc.bloom_filter_columns.as_deref()))
                .set_bloom_filter_false_positive_probability(orc.bloom_filter_false_positive_probability)
                .set_compression(chosen(&orc.compression))
                .set_dictionary_key_threshold(orc.dictionary_key_threshold)
                .set_enable_padding(orc.enable_padding)
                .set_format_version(chosen(&orc.format_version))
                .set_padding_tolerance(orc.padding_tolerance)
                .set_row_index_stride(small(orc.row_index_stride))
                .set_stripe_size_bytes(small(orc.stripe_size_bytes))
                .build()
        });
        let parquet = self.parquet_ser_de.first().map(|parquet| {
            ParquetSerDe::builder()
                .set_block_size_bytes(small(parquet.block_size_bytes))
                .set_compression(chosen(&parquet.compression))
                .set_enable_dictionary_compression(parquet.enable_dictionary_compression)
                .set_max_padding_bytes(small(parquet.max_padding_bytes))
                .set_page_size_bytes(small(parquet.page_size_bytes))
                .set_writer_version(chosen(&parquet.writer_version))
                .build()
        });
        let writer = ApiSerializer::builder().set_orc_ser_de(orc).set_parquet_ser_de(parquet).build();
        OutputFormatConfiguration::builder().serializer(writer).build()
    }

    /// What the API says; it leaves defaults out.
    fn read(live: ApiSerializer, stored: Option<&Self>) -> Self {
        let columns = stored.and_then(|stored| stored.orc_ser_de.first()?.bloom_filter_columns.as_ref());
        let or = |live: Option<i32>, default: i64| Some(live.map_or(default, Into::into));
        let orc = live.orc_ser_de.map(|orc| Orc {
            block_size_bytes: or(orc.block_size_bytes, 268_435_456),
            bloom_filter_columns: list(orc.bloom_filter_columns(), columns),
            bloom_filter_false_positive_probability: orc.bloom_filter_false_positive_probability.or(Some(0.05)),
            compression: text(orc.compression.as_ref().map(|c| c.as_str()).or(Some("SNAPPY"))),
            dictionary_key_threshold: orc.dictionary_key_threshold.or(Some(0.0)),
            enable_padding: flag(orc.enable_padding),
            format_version: text(orc.format_version.as_ref().map(|v| v.as_str()).or(Some("V0_12"))),
            padding_tolerance: orc.padding_tolerance.or(Some(0.05)),
            row_index_stride: or(orc.row_index_stride, 10_000),
            stripe_size_bytes: or(orc.stripe_size_bytes, 67_108_864),
        });
        let parquet = live.parquet_ser_de.map(|parquet| Parquet {
            block_size_bytes: or(parquet.block_size_bytes, 268_435_456),
            compression: text(parquet.compression.as_ref().map(|c| c.as_str()).or(Some("SNAPPY"))),
            enable_dictionary_compression: flag(parquet.enable_dictionary_compression),
            max_padding_bytes: number(parquet.max_padding_bytes),
            page_size_bytes: or(parquet.page_size_bytes, 1_048_576),
            writer_version: text(parquet.writer_version.as_ref().map(|v| v.as_str()).or(Some("V1"))),
        });
        Self { orc_ser_de: orc.into_iter().collect(), parquet_ser_de: parquet.into_iter().collect() }
    }
}

impl Table {
    fn to_api(&self) -> SchemaConfiguration {
        SchemaConfiguration::builder()
            .set_catalog_id(given(&self.catalog_id))
            .database_name(&self.database_name)
            .set_region(given(&self.region))
            .role_arn(&self.role_arn)
            .table_name(&self.table_name)
            .set_version_id(given(&self.version_id))
            .build()
    }

    fn read(live: SchemaConfiguration) -> Self {
        Self {
            catalog_id: text(live.catalog_id),
            database_name: live.database_name.unwrap_or_default(),
            region: text(live.region),
            role_arn: live.role_arn.unwrap_or_default(),
            table_name: live.table_name.unwrap_or_default(),
            version_id: text(live.version_id),
        }
    }
}
