//! Data keys from KMS.

use std::sync::Arc;

use lakeform_state::{Cipher, CipherError, EncryptedStore, KeySource, WrappedKey};
use lakeform_state_s3::{KmsKey, KmsSettings, S3Backend, Secret};
use lakeform_testkit::{
    emulator::Kind,
    proxy::{Proxy, Rule},
};

use crate::{contract, harness};

/// How KMS is reached where no bucket is: as for a local state.
fn access() -> S3Backend {
    S3Backend {
        access_key: Some("testing".to_owned()),
        secret_key: Some(Secret("testing".to_owned())),
        max_retries: Some(1),
        ..S3Backend::default()
    }
}

fn settings(key_id: &str, url: &str) -> KmsSettings {
    KmsSettings { key_id: key_id.to_owned(), region: Some("eu-west-2".to_owned()), endpoint: Some(url.to_owned()) }
}

/// A key of an emulator that is no lakeform's: its id.
async fn key(url: &str) -> String {
    let http = aws_smithy_http_client::Builder::new()
        .build_with_connector_fn(|_, _| aws_smithy_http_client::Connector::builder().build_http());
    let config = aws_sdk_kms::Config::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("eu-west-2"))
        .credentials_provider(aws_credential_types::Credentials::new("testing", "testing", None, None, "test"))
        .endpoint_url(url)
        .http_client(http);
    let made = aws_sdk_kms::Client::from_conf(config.build()).create_key().send().await.unwrap();
    made.key_metadata.unwrap().key_id
}

#[tokio::test(flavor = "multi_thread")]
async fn an_encrypted_store_in_s3_keeps_the_contract() {
    let url = harness::emulator(Kind::Moto).url();
    let source = KmsKey::open(&access(), settings(&key(&url).await, &url)).await.unwrap();
    let cipher = Arc::new(Cipher::new(Arc::new(source)));
    let connection = harness::made("store-sealed", true, false).await;
    contract::store(|| Arc::new(EncryptedStore::new(connection.store(), cipher.clone()))).await;
}

#[tokio::test]
async fn a_data_key_is_had_again_from_its_own_key_alone() {
    let url = harness::emulator(Kind::Moto).url();
    let (a, b) = (key(&url).await, key(&url).await);
    let open = async |key: &str| KmsKey::open(&access(), settings(key, &url)).await.unwrap();
    let (key, wrapped) = open(&a).await.make().await.unwrap();
    let WrappedKey::Kms { key_id, data_key } = &wrapped else { panic!("{wrapped:?}") };
    assert!(key_id.ends_with(&format!(":key/{a}")), "{key_id}");
    assert!(open(&a).await.unwrap(&wrapped).await.unwrap().is_some());
    assert!(open(&b).await.unwrap(&wrapped).await.unwrap().is_none());
    assert_eq!(format!("{key:?}"), "(sensitive)");
    let changed = WrappedKey::Kms { key_id: key_id.clone(), data_key: format!("AAAA{}", &data_key[4..]) };
    assert!(open(&a).await.unwrap(&changed).await.is_err());
    let damaged = WrappedKey::Kms { key_id: key_id.clone(), data_key: "?".to_owned() };
    assert!(matches!(open(&a).await.unwrap(&damaged).await, Err(CipherError::Damaged(_))));
}

#[tokio::test]
async fn what_kms_refuses_is_told_and_another_key_is_not_an_error() {
    let emulator = harness::emulator(Kind::Moto);
    let proxy = Proxy::start(emulator.address()).unwrap();
    let id = key(&emulator.url()).await;
    let source = KmsKey::open(&access(), settings(&id, &proxy.url())).await.unwrap();
    let (_, wrapped) = source.make().await.unwrap();
    let cases = [
        ("AccessDeniedException", Some("the credentials need `kms:Decrypt` on KMS key")),
        ("DisabledException", Some("enable the key")),
        ("KMSInvalidStateException", Some("enable the key")),
        ("InvalidCiphertextException", Some("either that is the wrong one")),
        ("IncorrectKeyException", None),
    ];
    for (code, told) in cases {
        proxy.add(Rule::on("kms:Decrypt").error(400, code));
        match (source.unwrap(&wrapped).await, told) {
            (Ok(None), None) => {}
            (Err(e), Some(told)) => assert!(e.to_string().contains(told), "{code}: {e}"),
            other => panic!("{code}: {other:?}"),
        }
    }
}
