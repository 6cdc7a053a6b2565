//! `data.aws_canonical_user_id`

use lakeform_provider::{Context, DataSource, ErrorKind, Model, ProviderError, Result};

use crate::{AwsClient, error::During};

/// The account as S3's access control lists name it.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct CanonicalUserIdModel {
    /// The account's name, where S3 tells it.
    #[attr(computed)]
    display_name: Option<String>,
    /// The canonical user id.
    #[attr(optional, computed)]
    id: Option<String>,
}

/// `data.aws_canonical_user_id`
pub(crate) struct CanonicalUserId;

impl DataSource for CanonicalUserId {
    type Client = AwsClient;
    type Model = CanonicalUserIdModel;
    const NAME: &'static str = "aws_canonical_user_id";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut CanonicalUserIdModel) -> Result<()> {
        const OPERATION: &str = "s3:ListBuckets";
        let answer = cx.client.s3().list_buckets().send().await.during(OPERATION)?;
        let owner = answer
            .owner
            .ok_or_else(|| ProviderError::new(ErrorKind::Other, "the answer names no owner").operation(OPERATION))?;
        object.id = owner.id;
        object.display_name = owner.display_name;
        Ok(())
    }
}
