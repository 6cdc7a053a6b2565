//! Endpoints that speak S3 but are not AWS's: emulators and other stores.
//!
//! Some name the root element of an answer after the operation (`GetBucketVersioningResponse`) where S3 names it after
//! the document (`VersioningConfiguration`). AWS's other SDKs do not look at that name; the one for Rust refuses the
//! answer. Here the name is put right. AWS's own endpoints are not affected.

use aws_sdk_s3::{config::RuntimeComponents, primitives::ByteStream};
use aws_smithy_runtime_api::client::{
    http::{
        HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
    },
    orchestrator::{HttpRequest, HttpResponse},
    result::ConnectorError,
};
use aws_smithy_types::body::SdkBody;

/// The root that S3 gives to the answer of a GET with this sub-resource, from the S3 API reference.
const ROOTS: &[(&str, &str)] = &[
    ("accelerate", "AccelerateConfiguration"),
    ("notification", "NotificationConfiguration"),
    ("requestPayment", "RequestPaymentConfiguration"),
    ("versioning", "VersioningConfiguration"),
];

/// The connections of `inner`, for an endpoint that is not AWS's own.
pub(crate) fn any_root(inner: SharedHttpClient) -> SharedHttpClient {
    SharedHttpClient::new(AnyRoot(inner))
}

#[derive(Debug)]
struct AnyRoot(SharedHttpClient);

impl HttpClient for AnyRoot {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(AnyRootConnector(self.0.http_connector(settings, components)))
    }
}

#[derive(Debug)]
struct AnyRootConnector(SharedHttpConnector);

impl HttpConnector for AnyRootConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let root = if request.method() == "GET" { expected_root(request.uri()) } else { None };
        let answer = self.0.call(request);
        match root {
            Some(root) => HttpConnectorFuture::new(async move { rename(answer.await?, root).await }),
            None => answer,
        }
    }
}

fn expected_root(uri: &str) -> Option<&'static str> {
    let query = uri.split_once('?')?.1;
    let mut names = query.split('&').map(|pair| pair.split('=').next().unwrap_or_default());
    names.find_map(|name| ROOTS.iter().find(|(resource, _)| *resource == name).map(|(_, root)| *root))
}

async fn rename(mut answer: HttpResponse, root: &str) -> Result<HttpResponse, ConnectorError> {
    if !answer.status().is_success() {
        return Ok(answer);
    }
    let body = std::mem::replace(answer.body_mut(), SdkBody::taken());
    let bytes = ByteStream::new(body).collect().await.map_err(|e| ConnectorError::io(e.into()))?.into_bytes();
    let renamed = std::str::from_utf8(&bytes).ok().and_then(|text| with_root(text, root));
    if let Some(text) = &renamed {
        answer.headers_mut().insert("content-length", text.len().to_string());
    }
    *answer.body_mut() = renamed.map_or_else(|| SdkBody::from(bytes), SdkBody::from);
    Ok(answer)
}

/// The document with its root renamed; `None` if it has that name already, or is no XML document of success.
fn with_root(text: &str, root: &str) -> Option<String> {
    let open = text.match_indices('<').map(|(at, _)| at + 1).find(|at| !text[*at..].starts_with(['?', '!']))?;
    let name = text[open..].split(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).next()?;
    if name == root || name == "Error" {
        return None;
    }
    let rest = &text[open + name.len()..];
    let renamed = match rest.rsplit_once(&format!("</{name}>")) {
        Some((inside, after)) => format!("{inside}</{root}>{after}"),
        None => rest.to_owned(),
    };
    Some(format!("{}{root}{renamed}", &text[..open]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_gets_the_name_of_the_document() {
        let xml =
            |name: &str, inside: &str| format!("<?xml version=\"1.0\"?>\n<{name} xmlns=\"x\">{inside}</{name}>\n");
        let inside = "<Status>Enabled</Status>";
        let given = xml("GetBucketVersioningResponse", inside);
        let wanted = xml("VersioningConfiguration", inside);
        assert_eq!(with_root(&given, "VersioningConfiguration").as_deref(), Some(wanted.as_str()));
        assert_eq!(with_root(&wanted, "VersioningConfiguration"), None);
        assert_eq!(with_root("<R xmlns=\"x\"/>", "V").as_deref(), Some("<V xmlns=\"x\"/>"));
        assert_eq!(with_root("<Error><Code>x</Code></Error>", "V"), None);
        assert_eq!(with_root("{}", "V"), None);
    }

    #[test]
    fn only_some_answers_are_looked_at() {
        assert_eq!(expected_root("http://h/b?versioning="), Some("VersioningConfiguration"));
        assert_eq!(expected_root("http://h/b?x=y&accelerate"), Some("AccelerateConfiguration"));
        assert_eq!(expected_root("http://h/b/versioning"), None);
        assert_eq!(expected_root("http://h/b?versions"), None);
    }
}
