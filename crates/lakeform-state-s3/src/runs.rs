//! The records of runs as objects beside the state: `<key>.runs/`.

use aws_sdk_s3::primitives::SdkBody;
use lakeform_state::{BoxFuture, OperationError, RunLog};

use crate::{
    Connection,
    error::{Call, failed},
    objects::Expect,
};

/// The records of a backend's runs.
#[derive(Clone, Debug)]
pub struct S3Runs {
    connection: Connection,
    prefix: String,
}

impl S3Runs {
    /// The records beside a backend's state.
    pub fn new(connection: Connection) -> Self {
        let prefix = format!("{}.runs/", connection.backend.key);
        Self { connection, prefix }
    }

    async fn list_now(&self) -> Result<Vec<String>, OperationError> {
        let bucket = &self.connection.backend.bucket;
        let object = format!("s3://{bucket}/{}", self.prefix);
        let call = Call { name: "ListObjectsV2", service: "s3", object: &object };
        let (mut out, mut next) = (Vec::new(), None);
        loop {
            let list = self.connection.s3.list_objects_v2().bucket(bucket).prefix(&self.prefix);
            let page = list.set_continuation_token(next).send().await.map_err(|e| failed(&call, &e))?;
            let names = page.contents().iter().filter_map(|o| o.key()?.strip_prefix(&self.prefix));
            out.extend(names.filter(|name| name.ends_with(".json")).map(str::to_owned));
            next = page.next_continuation_token().map(str::to_owned);
            if next.is_none() {
                return Ok(out);
            }
        }
    }
}

impl RunLog for S3Runs {
    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), OperationError>> {
        let key = format!("{}{name}", self.prefix);
        Box::pin(async move {
            self.connection.put(&key, &SdkBody::from(bytes), &Expect::Anything).await?;
            Ok(())
        })
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, OperationError>> {
        Box::pin(self.list_now())
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, OperationError>> {
        let key = format!("{}{name}", self.prefix);
        Box::pin(async move { Ok(self.connection.get(&key).await?.map(|object| object.bytes)) })
    }
}
