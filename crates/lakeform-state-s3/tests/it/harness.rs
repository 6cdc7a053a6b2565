//! An emulator with backends in it.
//!
//! ministack, for two reasons: its conditional writes are atomic (moto looks first and writes then, without a lock, so that
//! under load two may get through), and it understands the condition of the TLS-only bucket policy (moto takes it for
//! fulfilled and denies everything). moto is used where it knows more: roles and accounts.

use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use lakeform_core::Value;
use lakeform_state_s3::{Connection, Endpoints, S3Backend, Secret, bootstrap};
use lakeform_testkit::emulator::{Emulator, Kind};

/// The running emulator; started on first use.
pub fn emulator(kind: Kind) -> &'static Emulator {
    Emulator::shared(kind).unwrap_or_else(|e| panic!("{e}"))
}

/// Where ministack listens.
pub fn url() -> String {
    emulator(Kind::Ministack).url()
}

/// A backend at `url` in a bucket of its own, with a table for the lock where `table` says so.
pub fn backend(url: &str, name: &str, table: bool, lockfile: bool) -> S3Backend {
    let endpoint = Some(url.to_owned());
    S3Backend {
        bucket: format!("lakeform-{name}"),
        key: "stacks/prod.tfstate".to_owned(),
        region: Some("eu-west-2".to_owned()),
        dynamodb_table: table.then(|| format!("locks-{name}")),
        use_lockfile: lockfile,
        encrypt: true,
        endpoints: Endpoints { s3: endpoint.clone(), dynamodb: endpoint.clone(), sts: endpoint },
        access_key: Some("testing".to_owned()),
        secret_key: Some(Secret("testing".to_owned())),
        ..S3Backend::default()
    }
}

/// Its clients, nothing made yet.
pub async fn open(backend: S3Backend) -> Connection {
    Connection::open(backend).await.unwrap()
}

/// A backend that is there.
pub async fn made(name: &str, table: bool, lockfile: bool) -> Connection {
    let connection = open(backend(&url(), name, table, lockfile)).await;
    bootstrap(&connection).await.unwrap();
    connection
}

/// An object of the language: what a `[backend.s3]` table is once it is evaluated.
pub fn table(json: serde_json::Value) -> Value {
    lakeform_core::json::from_plain_json(&json)
}

/// The bare SDK clients, to look at what is there and to do what others would do.
pub struct Bare {
    pub s3: aws_sdk_s3::Client,
    pub dynamodb: aws_sdk_dynamodb::Client,
}

pub fn bare() -> Bare {
    bare_at(&url())
}

pub fn bare_at(url: &str) -> Bare {
    let http = aws_smithy_http_client::Builder::new()
        .build_with_connector_fn(|_, _| aws_smithy_http_client::Connector::builder().build_http());
    let credentials = aws_credential_types::Credentials::new("testing", "testing", None, None, "test");
    let s3 = aws_sdk_s3::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("eu-west-2"))
        .credentials_provider(credentials.clone())
        .endpoint_url(url)
        .http_client(http.clone())
        .force_path_style(true)
        .build();
    let dynamodb = aws_sdk_dynamodb::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("eu-west-2"))
        .credentials_provider(credentials)
        .endpoint_url(url)
        .http_client(http)
        .build();
    Bare { s3: aws_sdk_s3::Client::from_conf(s3), dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb) }
}

impl Bare {
    pub async fn create_bucket(&self, name: &str) {
        let place = CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::from("eu-west-2"))
            .build();
        self.s3.create_bucket().bucket(name).create_bucket_configuration(place).send().await.unwrap();
    }

    pub async fn create_table(&self, name: &str, key: &str) {
        let schema = KeySchemaElement::builder().attribute_name(key).key_type(KeyType::Hash).build().unwrap();
        let attribute =
            AttributeDefinition::builder().attribute_name(key).attribute_type(ScalarAttributeType::S).build();
        let create = self.dynamodb.create_table().table_name(name).billing_mode(BillingMode::PayPerRequest);
        create.key_schema(schema).attribute_definitions(attribute.unwrap()).send().await.unwrap();
    }

    /// One text attribute of an item in a lock table.
    pub async fn attribute(&self, table: &str, id: &str, name: &str) -> Option<String> {
        use aws_sdk_dynamodb::types::AttributeValue;
        let get = self.dynamodb.get_item().table_name(table).key("LockID", AttributeValue::S(id.to_owned()));
        let item = get.consistent_read(true).send().await.unwrap().item;
        item.and_then(|item| item.get(name)?.as_s().ok().cloned())
    }

    /// Puts an item with one text attribute into a lock table.
    pub async fn put(&self, table: &str, id: &str, name: &str, value: &str) {
        use aws_sdk_dynamodb::types::AttributeValue;
        let put = self.dynamodb.put_item().table_name(table).item("LockID", AttributeValue::S(id.to_owned()));
        put.item(name, AttributeValue::S(value.to_owned())).send().await.unwrap();
    }

    /// Takes an item out of a lock table.
    pub async fn delete(&self, table: &str, id: &str) {
        use aws_sdk_dynamodb::types::AttributeValue;
        let delete = self.dynamodb.delete_item().table_name(table).key("LockID", AttributeValue::S(id.to_owned()));
        delete.send().await.unwrap();
    }

    pub async fn object(&self, bucket: &str, key: &str) -> Option<Vec<u8>> {
        let got = self.s3.get_object().bucket(bucket).key(key).send().await.ok()?;
        Some(got.body.collect().await.unwrap().to_vec())
    }
}
