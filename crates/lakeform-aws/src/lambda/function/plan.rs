//! What is special to planning a function: what can never be applied, and what a change decides anew.

use std::collections::BTreeSet;

use aws_sdk_lambda::types::{
    ApplicationLogLevel, Architecture, LogFormat, PackageType, Runtime, SnapStartApplyOn, SystemLogLevel, TracingMode,
};
use lakeform_core::{Path, Type, Value};
use lakeform_provider::{Change, Field, ProviderError, Result};

use super::folder;
use crate::{
    AwsClient, check,
    lambda::common::{check_file, check_function_name},
};

/// Where code may be: exactly one of them is set.
const SOURCES: &[&str] = &["filename", "image_uri", "s3_bucket", "source_dir"];

/// What decides on the code.
const CODE: &[&str] =
    &["architectures", "filename", "image_uri", "s3_bucket", "s3_key", "s3_object_version", "source_code_hash"];

/// What decides on the configuration.
const CONFIGURATION: &[&str] = &[
    "dead_letter_config",
    "description",
    "environment",
    "ephemeral_storage",
    "file_system_config",
    "handler",
    "image_config",
    "kms_key_arn",
    "layers",
    "logging_config",
    "memory_size",
    "role",
    "runtime",
    "snap_start",
    "timeout",
    "tracing_config",
    "vpc_config",
];

/// Adjusts a planned change of a function.
///
/// # Errors
/// When arguments exclude each other or are none that the API knows, or when the code is not where it should be.
pub(super) fn plan(client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
    check_arguments(change)?;
    check_source(change)?;
    plan_silent(change);
    plan_levels(change);
    plan_folder(client, change)?;
    if !change.replace.is_empty() {
        return check_file(client, change);
    }
    let code = CODE.iter().any(|name| change.changes(name));
    if code {
        check_file(client, change)?;
    }
    if change.is_create() {
        return Ok(());
    }
    let configuration = CONFIGURATION.iter().any(|name| change.changes(name));
    if code || configuration {
        change.set_unknown("last_modified");
    }
    if code {
        for name in ["code_sha256", "source_code_size", "signing_job_arn", "signing_profile_version_arn"] {
            change.set_unknown(name);
        }
    }
    let publish = change.planned("publish").and_then(Value::as_bool) == Some(true);
    if publish && (code || configuration || change.changes("publish")) {
        for name in ["version", "qualified_arn", "qualified_invoke_arn"] {
            change.set_unknown(name);
        }
    }
    Ok(())
}

fn wrong<T>(name: &str, message: String) -> Result<T> {
    Err(ProviderError::invalid(message).attribute(Path::attr(name)))
}

/// Whether the stack says something, be it unknown yet.
fn says(change: &Change<'_>, name: &str) -> bool {
    change.config.get(name).is_some_and(|v| !v.is_null() && v.as_str() != Some(""))
}

/// The one block of a name in a value, if it is known.
fn block<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name)?.as_slice()?.first()
}

fn check_arguments(change: &Change<'_>) -> Result<()> {
    check_function_name(change)?;
    check::length(change, "handler", 1..=128)?;
    check::between(change, "memory_size", 128..=10_240)?;
    check::between(change, "reserved_concurrent_executions", -1..=i64::from(i32::MAX))?;
    check::between(change, "timeout", 1..=900)?;
    check::one_of(change, "package_type", PackageType::values())?;
    check::one_of(change, "runtime", Runtime::values())?;
    check::needs(change, "replacement_security_group_ids", "replace_security_groups_on_destroy")?;
    for name in ["code_signing_config_arn", "kms_key_arn", "role"] {
        check::arn(change, name)?;
    }
    let replace = change.config.get("replace_security_groups_on_destroy").and_then(Value::as_bool) == Some(true);
    if replace && !says(change, "replacement_security_group_ids") {
        return wrong(
            "replace_security_groups_on_destroy",
            "replace_security_groups_on_destroy needs replacement_security_group_ids: lakeform does not look up the default \
             security group of the VPC"
                .into(),
        );
    }
    let list = |name: &str| change.config.get(name).and_then(Value::as_slice).unwrap_or_default();
    let architectures = list("architectures");
    if architectures.len() > 1
        || architectures.iter().filter_map(Value::as_str).any(|a| !Architecture::values().contains(&a))
    {
        let all = Architecture::values().join(", ");
        return wrong("architectures", format!("architectures holds one of {all}"));
    }
    if list("layers").len() > 5 {
        return wrong("layers", "a function has five layers at most".into());
    }
    check::arn(change, "layers")?;
    for (name, attribute, values) in [
        ("logging_config", "application_log_level", ApplicationLogLevel::values()),
        ("logging_config", "log_format", LogFormat::values()),
        ("logging_config", "system_log_level", SystemLogLevel::values()),
        ("snap_start", "apply_on", SnapStartApplyOn::values()),
        ("tracing_config", "mode", TracingMode::values()),
    ] {
        let text = block(change.config, name).and_then(|b| b.get(attribute)).and_then(Value::as_str);
        if let Some(text) = text.filter(|text| !text.is_empty() && !values.contains(text)) {
            let all = values.join(", ");
            return wrong(name, format!("{attribute} of {name} is {text:?}; expected is one of {all}"));
        }
    }
    for (name, attribute) in [("dead_letter_config", "target_arn"), ("file_system_config", "arn")] {
        check::arn(change, &format!("{name}.{attribute}"))?;
    }
    let size = block(change.config, "ephemeral_storage").and_then(|b| b.get("size")).and_then(Value::as_i64);
    if let Some(size) = size.filter(|size| !(512..=10_240).contains(size)) {
        return wrong("ephemeral_storage", format!("size of ephemeral_storage is {size}; expected is 512 to 10240"));
    }
    let mount = block(change.config, "file_system_config").and_then(|b| b.get("local_mount_path"));
    let good = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-".contains(c));
    match mount.and_then(Value::as_str) {
        Some(path) if !path.strip_prefix("/mnt/").is_some_and(good) => {
            wrong("file_system_config", format!("local_mount_path is {path:?}; expected is /mnt/NAME"))
        }
        _ => Ok(()),
    }
}

fn check_source(change: &Change<'_>) -> Result<()> {
    let set: Vec<&str> = SOURCES.iter().copied().filter(|name| says(change, name)).collect();
    match set[..] {
        [one] => {
            for (name, other) in [("s3_bucket", "s3_key"), ("s3_key", "s3_bucket")] {
                check::needs(change, name, other)?;
            }
            if one != "s3_bucket" && says(change, "s3_object_version") {
                return wrong(one, format!("{one} and s3_object_version exclude each other"));
            }
            if one == "source_dir" && says(change, "source_code_hash") {
                return wrong(
                    one,
                    "source_dir and source_code_hash exclude each other: the hash is that of the folder".into(),
                );
            }
            check::needs(change, "source_excludes", "source_dir")?;
        }
        [first, second, ..] => return wrong(first, format!("{first} and {second} exclude each other")),
        [] => return wrong("filename", format!("one of {} must be set", SOURCES.join(", "))),
    }
    let image = change.planned("package_type").and_then(Value::as_str) == Some(PackageType::Image.as_str());
    let zipped = change.planned("package_type").is_some_and(Value::is_known) && !image;
    if image && says(change, "source_dir") {
        return wrong("source_dir", "source_dir is packed into a zip, and package_type is Image".into());
    }
    if zipped {
        for name in ["handler", "runtime"] {
            if !says(change, name) {
                return wrong(name, format!("{name} must be set where package_type is Zip"));
            }
        }
    }
    Ok(())
}

/// Plans no change of a block that says nothing where there is none.
fn plan_silent(change: &mut Change<'_>) {
    let Some(prior) = change.prior else { return };
    let empty = |block: &Value| {
        block.is_wholly_known()
            && block.as_mapping().is_some_and(|all| {
                all.values().all(|v| {
                    v.is_null()
                        || v.as_bool() == Some(false)
                        || v.as_str() == Some("")
                        || v.as_slice().is_some_and(<[Value]>::is_empty)
                        || v.as_mapping().is_some_and(std::collections::BTreeMap::is_empty)
                })
            })
    };
    for name in ["environment", "image_config"] {
        let none = prior.get(name).and_then(Value::as_slice).is_some_and(<[Value]>::is_empty);
        if none && block(&change.planned, name).is_some_and(empty) {
            change.set(name, prior.get(name).cloned().unwrap_or_else(|| Value::null(Type::Dynamic)));
        }
    }
    let ids = |vpc: &Value, name: &str| vpc.get(name).cloned();
    let free = |vpc: &Value| {
        ["subnet_ids", "security_group_ids"].iter().all(|n| ids(vpc, n).is_some_and(|v| v.as_slice() == Some(&[])))
    };
    let (was, is) = (block(prior, "vpc_config"), block(&change.planned, "vpc_config"));
    match (was, is) {
        (None, Some(is)) if free(is) => {
            change.set("vpc_config", prior.get("vpc_config").cloned().unwrap_or_else(|| Value::null(Type::Dynamic)));
        }
        // Other subnets may be in another VPC.
        (Some(was), Some(is)) if ids(was, "subnet_ids") != ids(is, "subnet_ids") => {
            if let Some(planned) = change.planned("vpc_config").cloned() {
                let elsewhere = planned.map_children(|mut vpc| {
                    vpc.set_attr("vpc_id", Value::unknown(Type::String));
                    vpc
                });
                change.set("vpc_config", elsewhere);
            }
        }
        _ => {}
    }
}

/// Plans the log levels that the stack leaves to Lambda: as they are, unless there are none yet or the format is new.
fn plan_levels(change: &mut Change<'_>) {
    let Some(planned) = change.planned("logging_config").filter(|v| v.is_known()).cloned() else { return };
    let was = change.prior.and_then(|prior| block(prior, "logging_config")).cloned();
    let planned = planned.map_children(|mut logging| {
        let format = logging.get("log_format").cloned();
        let was = was.as_ref().filter(|was| was.get("log_format") == format.as_ref());
        for level in ["application_log_level", "system_log_level"] {
            if logging.get(level).is_none_or(|v| !v.is_null() && v.as_str() != Some("")) {
                continue;
            }
            if let Some(was) = was.and_then(|was| was.get(level)) {
                logging.set_attr(level, was.clone());
            } else if format.as_ref().and_then(Value::as_str) != Some(LogFormat::Text.as_str()) {
                logging.set_attr(level, Value::unknown(Type::String));
            }
        }
        logging
    });
    change.set("logging_config", planned);
}

/// Plans the hash of a folder with code.
fn plan_folder(client: &AwsClient, change: &mut Change<'_>) -> Result<()> {
    let Some(given) = change.config.get("source_dir").filter(|v| !v.is_null() && v.as_str() != Some("")) else {
        return Ok(());
    };
    let excludes = change.config.get("source_excludes");
    match given.as_str().filter(|_| excludes.is_none_or(Value::is_wholly_known)) {
        Some(folder) => {
            let excludes = excludes.map(BTreeSet::from_value).unwrap_or_default();
            let hash = folder::hash(client, folder, &excludes)?;
            change.set("source_code_hash", hash.into());
        }
        None => change.set_unknown("source_code_hash"),
    }
    Ok(())
}
