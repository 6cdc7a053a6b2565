//! S3 subresources that an emulator lacks.

use std::collections::BTreeMap;

use http_body_util::Full;
use hyper::{Method, Response, body::Bytes};

use super::{Operation, answer};

/// What was put under one subresource, by bucket (or object) and `id`.
#[derive(Debug)]
pub(super) struct Shelf {
    subresource: String,
    absent: String,
    kept: BTreeMap<(String, String), Bytes>,
}

impl Shelf {
    pub(super) fn new(subresource: &str, absent: &str) -> Self {
        Self { subresource: subresource.to_owned(), absent: absent.to_owned(), kept: BTreeMap::new() }
    }

    /// The answer to a call that concerns the subresource. A bucket that is deleted takes what is kept along.
    pub(super) fn answer(
        &mut self,
        operation: &Operation,
        method: &Method,
        path: &str,
        query: &str,
        body: &Bytes,
    ) -> Option<Response<Full<Bytes>>> {
        let path = path.trim_end_matches('/');
        if operation.to_string() == "s3:DeleteBucket" {
            self.kept.retain(|(kept, _), _| kept != path);
        }
        let mut pairs = query.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")));
        if operation.service != "s3" || !pairs.clone().any(|(name, _)| name == self.subresource) {
            return None;
        }
        let id = pairs.find(|(name, _)| *name == "id").map_or("", |(_, id)| id);
        let key = (path.to_owned(), id.to_owned());
        let found = match *method {
            Method::PUT => {
                self.kept.insert(key, body.clone());
                Some((200, Bytes::new()))
            }
            Method::DELETE => self.kept.remove(&key).map(|_| (204, Bytes::new())),
            _ => self.kept.get(&key).map(|body| (200, body.clone())),
        };
        Some(match found {
            Some((status, body)) => answer::plain(status, "application/xml", body),
            None => answer::error(operation, 404, &self.absent, path),
        })
    }
}
