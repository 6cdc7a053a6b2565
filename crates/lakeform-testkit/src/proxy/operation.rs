//! Which AWS operation a request is.

use std::fmt;

use hyper::{HeaderMap, Method, Uri};
use percent_encoding::percent_decode_str;

/// How a service speaks, and so how its errors look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// XML over paths: S3.
    RestXml,
    /// JSON with the operation in `X-Amz-Target`: KMS, DynamoDB.
    Json,
    /// A form with `Action`, answered in XML: STS, IAM.
    Query,
    /// JSON over paths: Lambda.
    RestJson,
    /// CBOR, with the operation at the end of the path: CloudWatch.
    Cbor,
}

/// An operation of a service. Displays as `s3:CreateBucket`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The service as requests are signed for it: `s3`, `kms`, `dynamodb`, `sts`.
    pub service: String,
    /// The operation: `CreateBucket`; for services that speak JSON over paths `METHOD /path`, but for X-Ray, whose paths are
    /// the names of its operations.
    pub name: String,
    /// How the service speaks.
    pub protocol: Protocol,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service, self.name)
    }
}

/// Whether an operation of this name only reads.
pub fn is_read(name: &str) -> bool {
    let name = name.split_once(':').map_or(name, |(_, name)| name);
    ["Get", "List", "Describe", "Head", "Lookup", "BatchGet", "Scan", "Query", "Search"]
        .iter()
        .any(|p| name.starts_with(p))
        || name.starts_with("GET ")
        || name.starts_with("HEAD ")
}

/// What a request asks for.
pub(super) fn identify(method: &Method, uri: &Uri, headers: &HeaderMap, body: &[u8]) -> Operation {
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok());
    let signed = signed_service(header("authorization").unwrap_or_default());
    if let Some(target) = header("x-amz-target") {
        let (prefix, name) = target.rsplit_once('.').unwrap_or(("", target));
        let service = signed.unwrap_or_else(|| match prefix.split('_').next().unwrap_or_default() {
            "TrentService" => "kms".to_owned(),
            other => other.to_lowercase(),
        });
        return Operation { service, name: name.to_owned(), protocol: Protocol::Json };
    }
    let form = header("content-type").is_some_and(|t| t.starts_with("application/x-www-form-urlencoded"));
    let text = String::from_utf8_lossy(body);
    if let Some(action) = form.then(|| parameter(&text, "Action")).flatten() {
        let service = signed.unwrap_or_else(|| "query".into());
        return Operation { service, name: action, protocol: Protocol::Query };
    }
    if let Some((_, name)) = uri.path().split_once("/operation/").filter(|_| header("smithy-protocol").is_some()) {
        let service = signed.unwrap_or_else(|| "cbor".into());
        return Operation { service, name: name.to_owned(), protocol: Protocol::Cbor };
    }
    match signed {
        Some(service) if service == "xray" => {
            let name = uri.path().trim_start_matches('/').to_owned();
            Operation { service, name, protocol: Protocol::RestJson }
        }
        Some(service) if service != "s3" => {
            Operation { service, name: format!("{method} {}", uri.path()), protocol: Protocol::RestJson }
        }
        _ => Operation { service: "s3".into(), name: s3(method, uri, headers), protocol: Protocol::RestXml },
    }
}

/// `eu-west-2/s3/aws4_request` in the credential of a signature names the service.
fn signed_service(authorization: &str) -> Option<String> {
    let scope = authorization.split("Credential=").nth(1)?.split(',').next()?;
    scope.split('/').nth(3).map(str::to_owned)
}

pub(super) fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    Some(percent_decode_str(&value.replace('+', " ")).decode_utf8_lossy().into_owned())
}

/// Subresources of buckets, with the word in the operation's name; `*` marks those that also have `List...s`.
const BUCKET: &[(&str, &str)] = &[
    ("accelerate", "BucketAccelerateConfiguration"),
    ("acl", "BucketAcl"),
    ("analytics", "BucketAnalyticsConfiguration*"),
    ("cors", "BucketCors"),
    ("encryption", "BucketEncryption"),
    ("intelligent-tiering", "BucketIntelligentTieringConfiguration*"),
    ("inventory", "BucketInventoryConfiguration*"),
    ("lifecycle", "BucketLifecycleConfiguration"),
    ("location", "BucketLocation"),
    ("logging", "BucketLogging"),
    ("metrics", "BucketMetricsConfiguration*"),
    ("notification", "BucketNotificationConfiguration"),
    ("object-lock", "ObjectLockConfiguration"),
    ("ownershipControls", "BucketOwnershipControls"),
    ("policy", "BucketPolicy"),
    ("policyStatus", "BucketPolicyStatus"),
    ("publicAccessBlock", "PublicAccessBlock"),
    ("replication", "BucketReplication"),
    ("requestPayment", "BucketRequestPayment"),
    ("tagging", "BucketTagging"),
    ("versioning", "BucketVersioning"),
    ("website", "BucketWebsite"),
];

/// Subresources of objects.
const OBJECT: &[(&str, &str)] = &[
    ("acl", "ObjectAcl"),
    ("attributes", "ObjectAttributes"),
    ("legal-hold", "ObjectLegalHold"),
    ("retention", "ObjectRetention"),
    ("tagging", "ObjectTagging"),
    ("torrent", "ObjectTorrent"),
];

/// The S3 operation of a request in path style.
fn s3(method: &Method, uri: &Uri, headers: &HeaderMap) -> String {
    let query = uri.query().unwrap_or_default();
    let has = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    let mut parts = uri.path().trim_start_matches('/').splitn(2, '/');
    let (bucket, key) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    let verb = match method.as_str() {
        "GET" => "Get",
        "PUT" => "Put",
        "DELETE" => "Delete",
        other => other,
    };
    if bucket.is_empty() {
        return "ListBuckets".into();
    }
    if key.is_empty() {
        if let Some((_, word)) = BUCKET.iter().find(|(sub, _)| has(sub)) {
            // Deleting the configuration of a lifecycle is named without the word.
            let word = if verb == "Delete" && word.starts_with("BucketLifecycle") { "BucketLifecycle" } else { word };
            return match word.strip_suffix('*') {
                Some(word) if verb == "Get" && !has("id") => format!("List{word}s"),
                Some(word) => format!("{verb}{word}"),
                None => format!("{verb}{word}"),
            };
        }
        return match method.as_str() {
            "HEAD" => "HeadBucket",
            "PUT" => "CreateBucket",
            "DELETE" => "DeleteBucket",
            "POST" if has("delete") => "DeleteObjects",
            "GET" if has("versions") => "ListObjectVersions",
            "GET" if has("uploads") => "ListMultipartUploads",
            "GET" if has("session") => "CreateSession",
            "GET" if has("list-type") => "ListObjectsV2",
            "GET" => "ListObjects",
            _ => "PostObject",
        }
        .into();
    }
    if let Some((_, word)) = OBJECT.iter().find(|(sub, _)| has(sub)) {
        return format!("{verb}{word}");
    }
    let copies = headers.contains_key("x-amz-copy-source");
    match method.as_str() {
        "HEAD" => "HeadObject",
        "GET" if has("uploadId") => "ListParts",
        "GET" => "GetObject",
        "PUT" if has("uploadId") && copies => "UploadPartCopy",
        "PUT" if has("uploadId") => "UploadPart",
        "PUT" if copies => "CopyObject",
        "PUT" => "PutObject",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "POST" if has("restore") => "RestoreObject",
        _ => "SelectObjectContent",
    }
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: &str, uri: &str) -> String {
        let headers = HeaderMap::new();
        identify(&method.parse().unwrap(), &uri.parse().unwrap(), &headers, b"").to_string()
    }

    /// Requests as in the S3 API reference.
    #[test]
    fn s3_operations_are_told_by_method_path_and_subresource() {
        for (method, uri, operation) in [
            ("GET", "/", "s3:ListBuckets"),
            ("GET", "/?x-id=ListBuckets", "s3:ListBuckets"),
            ("PUT", "/b", "s3:CreateBucket"),
            ("PUT", "/b/", "s3:CreateBucket"),
            ("HEAD", "/b", "s3:HeadBucket"),
            ("DELETE", "/b", "s3:DeleteBucket"),
            ("GET", "/b?list-type=2&prefix=x", "s3:ListObjectsV2"),
            ("GET", "/b?versions", "s3:ListObjectVersions"),
            ("POST", "/b?delete", "s3:DeleteObjects"),
            ("GET", "/b?policy", "s3:GetBucketPolicy"),
            ("GET", "/b?policyStatus", "s3:GetBucketPolicyStatus"),
            ("GET", "/b?lifecycle", "s3:GetBucketLifecycleConfiguration"),
            ("PUT", "/b?lifecycle", "s3:PutBucketLifecycleConfiguration"),
            ("DELETE", "/b?lifecycle", "s3:DeleteBucketLifecycle"),
            ("PUT", "/b?publicAccessBlock", "s3:PutPublicAccessBlock"),
            ("GET", "/b?object-lock", "s3:GetObjectLockConfiguration"),
            ("GET", "/b?intelligent-tiering&id=all", "s3:GetBucketIntelligentTieringConfiguration"),
            ("GET", "/b?intelligent-tiering", "s3:ListBucketIntelligentTieringConfigurations"),
            ("PUT", "/b/k?x-id=PutObject", "s3:PutObject"),
            ("GET", "/b/a/c?tagging", "s3:GetObjectTagging"),
            ("PUT", "/b/k?partNumber=1&uploadId=x", "s3:UploadPart"),
            ("POST", "/b/k?uploads", "s3:CreateMultipartUpload"),
            ("DELETE", "/b/k?versionId=null", "s3:DeleteObject"),
        ] {
            assert_eq!(name(method, uri), operation, "{method} {uri}");
        }
    }

    #[test]
    fn other_services_are_told_by_header_form_and_signature() {
        let post = Method::POST;
        let root: Uri = "/".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-amz-target", "TrentService.CreateKey".parse().unwrap());
        assert_eq!(identify(&post, &root, &headers, b"{}").to_string(), "kms:CreateKey");
        headers.insert("x-amz-target", "DynamoDB_20120810.PutItem".parse().unwrap());
        assert_eq!(identify(&post, &root, &headers, b"{}").to_string(), "dynamodb:PutItem");

        let mut headers = HeaderMap::new();
        headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
        let signature = "AWS4-HMAC-SHA256 Credential=testing/20260102/eu-west-2/sts/aws4_request, SignedHeaders=host";
        headers.insert("authorization", signature.parse().unwrap());
        let asked = identify(&post, &root, &headers, b"Action=GetCallerIdentity&Version=2011-06-15");
        assert_eq!((asked.to_string().as_str(), asked.protocol), ("sts:GetCallerIdentity", Protocol::Query));

        let mut headers = HeaderMap::new();
        headers.insert("authorization", signature.replace("/sts/", "/lambda/").parse().unwrap());
        let asked = identify(&Method::GET, &"/2015-03-31/functions/f".parse().unwrap(), &headers, b"");
        assert_eq!(
            (asked.to_string().as_str(), asked.protocol),
            ("lambda:GET /2015-03-31/functions/f", Protocol::RestJson)
        );
        assert!(is_read(&asked.to_string()) && is_read("s3:HeadBucket") && !is_read("kms:CreateKey"));
    }
}
