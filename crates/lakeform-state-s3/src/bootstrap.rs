//! Making the backend itself: bucket and lock table.

use std::{fmt, time::Duration};

use aws_sdk_dynamodb::{
    operation::{create_table::CreateTableError, describe_table::DescribeTableError},
    types::{
        AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType, TableDescription, TableStatus,
    },
};
use aws_sdk_s3::{
    operation::create_bucket::CreateBucketError,
    types::{
        BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, PublicAccessBlockConfiguration,
        ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
        ServerSideEncryptionRule, VersioningConfiguration,
    },
};
use lakeform_state::OperationError;

use crate::{
    Connection,
    error::{Call, code, failed, status},
};

/// How long a new table may take to become active.
const TABLE_PATIENCE: Duration = Duration::from_secs(300);

/// What became of one part of the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was absent and is there now.
    Made,
    /// It was there as it should be.
    Found,
    /// It is there, differs, and was left alone: why.
    Left(String),
}

/// One part of the backend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `bucket dataworks-terraform-state-prod`, `versioning`, ...
    pub what: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// Everything that the backend consists of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bootstrapped {
    /// In the order in which it was seen to.
    pub steps: Vec<Step>,
}

impl Bootstrapped {
    /// Whether anything had to be made.
    pub fn changed(&self) -> bool {
        self.steps.iter().any(|step| step.outcome == Outcome::Made)
    }

    fn add(&mut self, what: impl Into<String>, outcome: Outcome) {
        self.steps.push(Step { what: what.into(), outcome });
    }
}

impl fmt::Display for Bootstrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, step) in self.steps.iter().enumerate() {
            let outcome = match &step.outcome {
                Outcome::Made => "made".to_owned(),
                Outcome::Found => "was there".to_owned(),
                Outcome::Left(why) => format!("left as it is: {why}"),
            };
            write!(f, "{}{}: {outcome}", if i > 0 { "\n" } else { "" }, step.what)?;
        }
        Ok(())
    }
}

/// Creates what is absent of the backend: the bucket (versioned, encrypted, closed to the public, TLS only) and, where the
/// backend names one, the lock table. Doing it again changes nothing, and finishes what was cut off.
///
/// # Errors
/// When a call fails, the bucket is someone else's, or the table has another key than `LockID`.
pub async fn bootstrap(connection: &Connection) -> Result<Bootstrapped, OperationError> {
    let mut done = Bootstrapped::default();
    let bucket =
        Bucket { connection, name: &connection.backend.bucket, at: format!("s3://{}", connection.backend.bucket) };
    let outcome = bucket.create().await?;
    done.add(format!("bucket {}", bucket.name), outcome);
    done.add("versioning", bucket.versioning().await?);
    done.add("encryption", bucket.encryption().await?);
    done.add("public access block", bucket.public_access_block().await?);
    done.add("policy (TLS only)", bucket.policy().await?);
    if let Some(table) = &connection.backend.dynamodb_table {
        done.add(format!("lock table {table}"), table_exists(connection, table).await?);
    }
    Ok(done)
}

struct Bucket<'a> {
    connection: &'a Connection,
    name: &'a str,
    at: String,
}

impl Bucket<'_> {
    fn call<'b>(&'b self, name: &'b str) -> Call<'b> {
        Call { name, service: "s3", object: &self.at }
    }

    async fn create(&self) -> Result<Outcome, OperationError> {
        match self.connection.s3.head_bucket().bucket(self.name).send().await {
            Ok(_) => return Ok(Outcome::Found),
            Err(e) if status(&e) == Some(404) => {}
            Err(e) => return Err(failed(&self.call("HeadBucket"), &e)),
        }
        let region = &self.connection.region;
        let place = (region != "us-east-1").then(|| {
            CreateBucketConfiguration::builder()
                .location_constraint(BucketLocationConstraint::from(region.as_str()))
                .build()
        });
        let create = self.connection.s3.create_bucket().bucket(self.name).set_create_bucket_configuration(place);
        match create.send().await {
            Ok(_) => Ok(Outcome::Made),
            // Made by a first attempt whose answer was lost, or by someone at the same time.
            Err(e) if matches!(e.as_service_error(), Some(CreateBucketError::BucketAlreadyOwnedByYou(_))) => {
                Ok(Outcome::Found)
            }
            Err(e) => Err(failed(&self.call("CreateBucket"), &e)),
        }
    }

    async fn versioning(&self) -> Result<Outcome, OperationError> {
        let s3 = &self.connection.s3;
        match s3.get_bucket_versioning().bucket(self.name).send().await {
            Ok(now) if now.status() == Some(&BucketVersioningStatus::Enabled) => return Ok(Outcome::Found),
            Ok(_) => {}
            // An answer that makes no sense (moto gives it another name) says nothing against enabling it.
            Err(e) if status(&e) == Some(200) => {}
            Err(e) => return Err(failed(&self.call("GetBucketVersioning"), &e)),
        }
        let wanted = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        let put = s3.put_bucket_versioning().bucket(self.name).versioning_configuration(wanted);
        put.send().await.map_err(|e| failed(&self.call("PutBucketVersioning"), &e))?;
        Ok(Outcome::Made)
    }

    async fn encryption(&self) -> Result<Outcome, OperationError> {
        let s3 = &self.connection.s3;
        let call = self.call("GetEncryptionConfiguration");
        let now = match s3.get_bucket_encryption().bucket(self.name).send().await {
            Ok(now) => now.server_side_encryption_configuration.and_then(|c| c.rules.into_iter().next()),
            Err(e) if code(&e) == Some("ServerSideEncryptionConfigurationNotFoundError") => None,
            Err(e) => return Err(failed(&call, &e)),
        };
        let now = now.and_then(|rule| rule.apply_server_side_encryption_by_default);
        let kms = self.connection.backend.kms_key_id.as_deref();
        match (&now, kms) {
            (Some(now), None) if now.sse_algorithm == ServerSideEncryption::Aes256 => return Ok(Outcome::Found),
            (Some(now), None) => {
                return Ok(Outcome::Left(format!("it encrypts with {}", now.sse_algorithm)));
            }
            (Some(now), Some(kms)) if now.kms_master_key_id() == Some(kms) => return Ok(Outcome::Found),
            // What every new bucket has of itself.
            (Some(now), Some(_)) if now.sse_algorithm == ServerSideEncryption::Aes256 => {}
            (Some(now), Some(_)) => {
                let key = now.kms_master_key_id().unwrap_or("AWS's own key");
                return Ok(Outcome::Left(format!("it encrypts with {key}")));
            }
            (None, _) => {}
        }
        let algorithm = if kms.is_some() { ServerSideEncryption::AwsKms } else { ServerSideEncryption::Aes256 };
        let default = ServerSideEncryptionByDefault::builder()
            .sse_algorithm(algorithm)
            .set_kms_master_key_id(kms.map(str::to_owned))
            .build();
        let default = default.map_err(|e| self.unbuildable("encryption", &e))?;
        let rule = ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default)
            .set_bucket_key_enabled(kms.map(|_| true))
            .build();
        let wanted = ServerSideEncryptionConfiguration::builder().rules(rule).build();
        let wanted = wanted.map_err(|e| self.unbuildable("encryption", &e))?;
        let put = s3.put_bucket_encryption().bucket(self.name).server_side_encryption_configuration(wanted);
        put.send().await.map_err(|e| failed(&self.call("PutEncryptionConfiguration"), &e))?;
        Ok(Outcome::Made)
    }

    async fn public_access_block(&self) -> Result<Outcome, OperationError> {
        let s3 = &self.connection.s3;
        let wanted = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .block_public_policy(true)
            .ignore_public_acls(true)
            .restrict_public_buckets(true)
            .build();
        let now = match s3.get_public_access_block().bucket(self.name).send().await {
            Ok(now) => now.public_access_block_configuration,
            Err(e) if code(&e) == Some("NoSuchPublicAccessBlockConfiguration") => None,
            Err(e) => return Err(failed(&self.call("GetBucketPublicAccessBlock"), &e)),
        };
        if now.as_ref() == Some(&wanted) {
            return Ok(Outcome::Found);
        }
        let put = s3.put_public_access_block().bucket(self.name).public_access_block_configuration(wanted);
        put.send().await.map_err(|e| failed(&self.call("PutBucketPublicAccessBlock"), &e))?;
        Ok(Outcome::Made)
    }

    async fn policy(&self) -> Result<Outcome, OperationError> {
        let s3 = &self.connection.s3;
        match s3.get_bucket_policy().bucket(self.name).send().await {
            Ok(now) if now.policy().is_some_and(|policy| policy.contains("aws:SecureTransport")) => {
                return Ok(Outcome::Found);
            }
            Ok(_) => {
                let why = "the bucket has a policy of its own, which says nothing of `aws:SecureTransport`";
                return Ok(Outcome::Left(why.to_owned()));
            }
            Err(e) if code(&e) == Some("NoSuchBucketPolicy") => {}
            Err(e) => return Err(failed(&self.call("GetBucketPolicy"), &e)),
        }
        let arn = format!("arn:{}:s3:::{}", partition(&self.connection.region), self.name);
        let policy = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [{
                "Sid": "DenyInsecureTransport",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, format!("{arn}/*")],
                "Condition": { "Bool": { "aws:SecureTransport": "false" } },
            }],
        });
        let put = s3.put_bucket_policy().bucket(self.name).policy(policy.to_string());
        put.send().await.map_err(|e| failed(&self.call("PutBucketPolicy"), &e))?;
        Ok(Outcome::Made)
    }

    fn unbuildable(&self, what: &str, error: &dyn fmt::Display) -> OperationError {
        unbuildable(&format!("{what} of {}", self.at), error)
    }
}

fn unbuildable(what: &str, error: &dyn fmt::Display) -> OperationError {
    OperationError { operation: format!("make {what}"), cause: error.to_string(), help: None, transient: false }
}

fn partition(region: &str) -> &'static str {
    let known = [("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-isob-", "aws-iso-b"), ("us-iso-", "aws-iso")];
    known.iter().find(|(start, _)| region.starts_with(start)).map_or("aws", |(_, partition)| partition)
}

async fn table_exists(connection: &Connection, table: &str) -> Result<Outcome, OperationError> {
    let object = format!("table {table}");
    if let Some(there) = describe(connection, table).await? {
        let keys = there.key_schema();
        if !matches!(keys, [key] if key.attribute_name == "LockID" && key.key_type == KeyType::Hash) {
            return Err(OperationError {
                operation: format!("DescribeTable {object}"),
                cause: "it is no lock table: its key is not `LockID` alone".to_owned(),
                help: Some("name another table as `dynamodb_table`".to_owned()),
                transient: false,
            });
        }
        wait_active(connection, table, Some(there)).await?;
        return Ok(Outcome::Found);
    }
    let key = KeySchemaElement::builder().attribute_name("LockID").key_type(KeyType::Hash).build();
    let attribute =
        AttributeDefinition::builder().attribute_name("LockID").attribute_type(ScalarAttributeType::S).build();
    let create = connection
        .dynamodb
        .create_table()
        .table_name(table)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key.map_err(|e| unbuildable(&object, &e))?)
        .attribute_definitions(attribute.map_err(|e| unbuildable(&object, &e))?);
    let outcome = match create.send().await {
        Ok(_) => Outcome::Made,
        Err(e) if matches!(e.as_service_error(), Some(CreateTableError::ResourceInUseException(_))) => Outcome::Found,
        Err(e) => return Err(failed(&Call { name: "CreateTable", service: "dynamodb", object: &object }, &e)),
    };
    wait_active(connection, table, None).await?;
    Ok(outcome)
}

async fn describe(connection: &Connection, table: &str) -> Result<Option<TableDescription>, OperationError> {
    let object = format!("table {table}");
    match connection.dynamodb.describe_table().table_name(table).send().await {
        Ok(found) => Ok(found.table),
        Err(e) if matches!(e.as_service_error(), Some(DescribeTableError::ResourceNotFoundException(_))) => Ok(None),
        Err(e) => Err(failed(&Call { name: "DescribeTable", service: "dynamodb", object: &object }, &e)),
    }
}

async fn wait_active(
    connection: &Connection,
    table: &str,
    mut now: Option<TableDescription>,
) -> Result<(), OperationError> {
    let deadline = tokio::time::Instant::now() + TABLE_PATIENCE;
    let mut pause = Duration::from_millis(100);
    loop {
        if now.as_ref().is_some_and(|t| t.table_status() == Some(&TableStatus::Active)) {
            return Ok(());
        }
        if tokio::time::Instant::now() >= deadline {
            return Err(OperationError {
                operation: format!("DescribeTable table {table}"),
                cause: format!("it is not active after {} s", TABLE_PATIENCE.as_secs()),
                help: Some("run `lakeform bootstrap STACK` again".to_owned()),
                transient: true,
            });
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(2));
        now = describe(connection, table).await?;
    }
}
