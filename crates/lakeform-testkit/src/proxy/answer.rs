//! AWS errors in each protocol's form.

use http_body_util::Full;
use hyper::{Response, body::Bytes};

use super::{Operation, Protocol, rule::Action};

const MESSAGE: &str = "The fault proxy says so.";
const REQUEST_ID: &str = "00000000-0000-4000-8000-000000000000";

/// The answer to a call that is not forwarded; `None` if it is.
pub(super) fn instead(action: &Action, operation: &Operation, path: &str) -> Option<Response<Full<Bytes>>> {
    match action {
        Action::Error { status, code } => Some(error(operation, *status, code, path)),
        Action::Throttle => {
            let (status, code) = match operation.protocol {
                Protocol::RestXml => (503, "SlowDown"),
                Protocol::Json | Protocol::Cbor => (400, "ThrottlingException"),
                Protocol::Query => (400, "Throttling"),
                Protocol::RestJson => (429, "TooManyRequestsException"),
            };
            Some(error(operation, status, code, path))
        }
        Action::Deny => {
            let (status, code) = match operation.protocol {
                Protocol::RestXml | Protocol::Query => (403, "AccessDenied"),
                Protocol::Json | Protocol::Cbor => (400, "AccessDeniedException"),
                Protocol::RestJson => (403, "AccessDeniedException"),
            };
            Some(error(operation, status, code, path))
        }
        Action::Answer { status, content_type, body } => Some(plain(*status, content_type, body.clone())),
        Action::CutBefore | Action::CutAfter | Action::Slow(_) | Action::Hold(_) | Action::HoldAnswer(_) => None,
    }
}

pub(super) fn plain(status: u16, content_type: &str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = hyper::StatusCode::from_u16(status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    if let Ok(content_type) = content_type.parse() {
        response.headers_mut().insert("content-type", content_type);
    }
    response
}

pub(super) fn error(operation: &Operation, status: u16, code: &str, path: &str) -> Response<Full<Bytes>> {
    error_saying(operation, status, code, MESSAGE, path)
}

/// An error with its own words.
pub(super) fn error_saying(
    operation: &Operation,
    status: u16,
    code: &str,
    message: &str,
    path: &str,
) -> Response<Full<Bytes>> {
    match operation.protocol {
        Protocol::RestXml => {
            let body = format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
                 <Resource>{}</Resource><RequestId>{REQUEST_ID}</RequestId></Error>",
                path.replace('&', "&amp;").replace('<', "&lt;")
            );
            plain(status, "application/xml", body)
        }
        Protocol::Query => {
            let body = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>{REQUEST_ID}</RequestId></ErrorResponse>"
            );
            plain(status, "text/xml", body)
        }
        Protocol::Cbor => {
            // A map of two.
            let mut body = vec![0xa2];
            for text in ["__type", code, "message", MESSAGE] {
                // The length of a text of less than 256 bytes takes one.
                body.extend([0x78, u8::try_from(text.len()).unwrap_or(u8::MAX)]);
                body.extend(text.bytes().take(usize::from(u8::MAX)));
            }
            let mut response = plain(status, "application/cbor", body);
            response.headers_mut().insert("smithy-protocol", hyper::header::HeaderValue::from_static("rpc-v2-cbor"));
            response
        }
        Protocol::Json | Protocol::RestJson => {
            let body = serde_json::json!({ "__type": code, "message": message }).to_string();
            let kind =
                if operation.protocol == Protocol::Json { "application/x-amz-json-1.1" } else { "application/json" };
            let mut response = plain(status, kind, body);
            if let Ok(code) = code.parse() {
                response.headers_mut().insert("x-amzn-errortype", code);
            }
            response
        }
    }
}
