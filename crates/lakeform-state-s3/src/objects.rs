//! Reading and writing single objects of the bucket, with the encryption that the backend asks for.

use aws_sdk_s3::{
    error::SdkError,
    operation::{delete_object::DeleteObjectError, get_object::GetObjectError, put_object::PutObjectError},
    primitives::{ByteStream, SdkBody},
    types::{ObjectCannedAcl, ServerSideEncryption},
};
use base64::Engine;
use lakeform_state::OperationError;
use md5::{Digest, Md5};

use crate::{
    Connection,
    error::{Call, code, failed, status},
};

/// An object as it was read.
pub(crate) struct Object {
    pub(crate) bytes: Vec<u8>,
    pub(crate) etag: String,
    /// The digests that the table may have had when it was written, in hex with blanks between; empty where nobody said.
    pub(crate) replaces: String,
}

/// The metadata of a state that has its [`Object::replaces`].
const REPLACES: &str = "lakeform-replaces";

/// What must be there for a write to take place.
pub(crate) enum Expect<'a> {
    Nothing,
    Etag(&'a str),
    Anything,
}

/// How a write that did not fail altogether ended.
pub(crate) enum Put {
    /// It is written; the new ETag.
    Done(String),
    /// Something else than expected is there.
    Refused,
    /// Another write to the same key was under way; this one may be tried again.
    Conflict,
}

/// MD5 in hex, as in Terraform's digest items.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

impl Connection {
    fn at(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.backend.bucket)
    }

    /// The object; `None` if there is none, or an empty one.
    pub(crate) async fn get(&self, key: &str) -> Result<Option<Object>, OperationError> {
        self.get_version(key, None).await
    }

    /// The object as it was in a version of it.
    pub(crate) async fn get_version(&self, key: &str, version: Option<&str>) -> Result<Option<Object>, OperationError> {
        let object = self.at(key);
        let name = if version.is_some() { "GetObjectVersion" } else { "GetObject" };
        let call = Call { name, service: "s3", object: &object };
        let mut get = self.s3.get_object().bucket(&self.backend.bucket).key(key);
        get = get.set_version_id(version.map(str::to_owned));
        if let Some(own) = self.own_key() {
            get = get
                .sse_customer_algorithm("AES256")
                .sse_customer_key(base64(&own))
                .sse_customer_key_md5(base64(&Md5::digest(&own)));
        }
        let found = match get.send().await {
            Ok(found) => found,
            Err(SdkError::ServiceError(e)) if matches!(e.err(), GetObjectError::NoSuchKey(_)) => return Ok(None),
            // A version that never was, or whose name cannot be one.
            Err(e) if version.is_some() && matches!(code(&e), Some("NoSuchVersion" | "InvalidArgument")) => {
                return Ok(None);
            }
            Err(e) => return Err(failed(&call, &e)),
        };
        let etag = found.e_tag.clone().unwrap_or_default();
        let replaces = found.metadata().and_then(|metadata| metadata.get(REPLACES)).cloned().unwrap_or_default();
        let body = found.body.collect().await.map_err(|e| OperationError {
            operation: format!("GetObject {object}"),
            cause: crate::error::texts(&e),
            help: Some("check the network".to_owned()),
            transient: true,
        })?;
        let bytes = body.to_vec();
        Ok((!bytes.is_empty()).then_some(Object { bytes, etag, replaces }))
    }

    /// Writes an object if what is there is what is expected.
    pub(crate) async fn put(&self, key: &str, body: &SdkBody, expect: &Expect<'_>) -> Result<Put, OperationError> {
        self.put_over(key, body, expect, "").await
    }

    /// The same of an object with a digest, which is to say what it [replaces](Object::replaces).
    pub(crate) async fn put_over(
        &self,
        key: &str,
        body: &SdkBody,
        expect: &Expect<'_>,
        replaces: &str,
    ) -> Result<Put, OperationError> {
        let object = self.at(key);
        let call = Call { name: "PutObject", service: "s3", object: &object };
        let body = body.try_clone().unwrap_or_else(SdkBody::empty);
        let mut put = self
            .s3
            .put_object()
            .bucket(&self.backend.bucket)
            .key(key)
            .content_type("application/json")
            .set_acl(self.backend.acl.as_deref().map(ObjectCannedAcl::from))
            .body(ByteStream::new(body));
        if !replaces.is_empty() {
            put = put.metadata(REPLACES, replaces);
        }
        if self.backend.encrypt {
            if let Some(kms) = &self.backend.kms_key_id {
                put = put.server_side_encryption(ServerSideEncryption::AwsKms).ssekms_key_id(kms);
            } else if let Some(own) = self.own_key() {
                put = put
                    .sse_customer_algorithm("AES256")
                    .sse_customer_key(base64(&own))
                    .sse_customer_key_md5(base64(&Md5::digest(&own)));
            } else {
                put = put.server_side_encryption(ServerSideEncryption::Aes256);
            }
        }
        put = match expect {
            Expect::Nothing => put.if_none_match("*"),
            Expect::Etag(etag) => put.if_match(*etag),
            Expect::Anything => put,
        };
        match put.send().await {
            Ok(done) => Ok(Put::Done(done.e_tag.unwrap_or_default())),
            Err(e) => match refusal(&e, code(&e)) {
                Some(refused) => Ok(refused),
                None => Err(failed(&call, &e)),
            },
        }
    }

    /// The keys of all objects that begin with `prefix`, sorted.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<String>, OperationError> {
        let object = self.at(prefix);
        let call = Call { name: "ListObjectsV2", service: "s3", object: &object };
        let list = self.s3.list_objects_v2().bucket(&self.backend.bucket).prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut keys = vec![];
        while let Some(page) = pages.next().await {
            match page {
                Ok(page) => keys.extend(page.contents.into_iter().flatten().filter_map(|o| o.key)),
                // Reading the state tells of it.
                Err(e) if code(&e) == Some("NoSuchBucket") => return Ok(vec![]),
                Err(e) => return Err(failed(&call, &e)),
            }
        }
        keys.sort();
        Ok(keys)
    }

    /// Deletes an object, whatever it is.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), OperationError> {
        let object = self.at(key);
        let call = Call { name: "DeleteObject", service: "s3", object: &object };
        self.s3.delete_object().bucket(&self.backend.bucket).key(key).send().await.map_err(|e| failed(&call, &e))?;
        Ok(())
    }

    /// Deletes an object if it still is the one with this ETag; another one stays. Whether it was deleted.
    pub(crate) async fn delete(&self, key: &str, etag: &str) -> Result<bool, OperationError> {
        let object = self.at(key);
        let call = Call { name: "DeleteObject", service: "s3", object: &object };
        match self.s3.delete_object().bucket(&self.backend.bucket).key(key).if_match(etag).send().await {
            Ok(_) => Ok(true),
            Err(e) if gone_or_other(&e) => Ok(false),
            Err(e) => Err(failed(&call, &e)),
        }
    }

    fn own_key(&self) -> Option<Vec<u8>> {
        if self.backend.encrypt { self.backend.sse_customer_key_bytes() } else { None }
    }
}

fn refusal(error: &SdkError<PutObjectError>, code: Option<&str>) -> Option<Put> {
    match (code, status(error)) {
        (Some("PreconditionFailed"), _) | (_, Some(412)) => Some(Put::Refused),
        // `If-Match` on an object that is no longer there.
        (Some("NoSuchKey"), _) => Some(Put::Refused),
        (Some("ConditionalRequestConflict" | "OperationAborted"), _) => Some(Put::Conflict),
        _ => None,
    }
}

fn gone_or_other(error: &SdkError<DeleteObjectError>) -> bool {
    matches!(code(error), Some("PreconditionFailed" | "NoSuchKey" | "ConditionalRequestConflict"))
        || status(error) == Some(412)
}
