//! Earlier states: the versions of the state's object.

use lakeform_state::{OperationError, StateVersion};

use crate::{
    Connection,
    error::{Call, failed},
};

impl Connection {
    /// The versions of an object, newest first. A deletion is none.
    pub(crate) async fn versions(&self, key: &str, limit: usize) -> Result<Vec<StateVersion>, OperationError> {
        let object = format!("s3://{}/{key}", self.backend.bucket);
        let call = Call { name: "ListObjectVersions", service: "s3", object: &object };
        let (mut out, mut key_marker, mut id_marker) = (Vec::new(), None, None);
        loop {
            let list = self.s3.list_object_versions().bucket(&self.backend.bucket).prefix(key);
            let list = list.set_key_marker(key_marker).set_version_id_marker(id_marker);
            let page = list.send().await.map_err(|e| failed(&call, &e))?;
            out.extend(page.versions().iter().filter(|v| v.key() == Some(key)).map(|v| StateVersion {
                id: v.version_id().unwrap_or("null").to_owned(),
                modified: v.last_modified().and_then(|at| (*at).try_into().ok()),
                size: v.size().and_then(|size| size.try_into().ok()).unwrap_or_default(),
                current: v.is_latest().unwrap_or_default(),
            }));
            // Other objects whose keys begin alike come after.
            let past = page.next_key_marker().is_none_or(|marker| marker != key);
            if out.len() >= limit || page.is_truncated() != Some(true) || past {
                out.truncate(limit);
                return Ok(out);
            }
            key_marker = page.next_key_marker().map(str::to_owned);
            id_marker = page.next_version_id_marker().map(str::to_owned);
        }
    }
}
