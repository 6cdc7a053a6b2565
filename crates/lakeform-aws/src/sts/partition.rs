//! `data.aws_partition`

use lakeform_provider::{Context, DataSource, Model, Result};

use crate::AwsClient;

/// The partition of the provider's region. No call is made.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct PartitionModel {
    /// Suffix of its endpoints: `amazonaws.com`
    #[attr(computed)]
    dns_suffix: Option<String>,
    /// Its name: `aws`
    #[attr(optional, computed)]
    id: Option<String>,
    /// Its name: `aws`
    #[attr(computed)]
    partition: Option<String>,
    /// Its endpoints backwards: `com.amazonaws`
    #[attr(computed)]
    reverse_dns_prefix: Option<String>,
}

/// `data.aws_partition`
pub(crate) struct PartitionData;

impl DataSource for PartitionData {
    type Client = AwsClient;
    type Model = PartitionModel;
    const NAME: &'static str = "aws_partition";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut PartitionModel) -> Result<()> {
        let partition = cx.client.partition();
        object.id = Some(partition.id.to_owned());
        object.partition = Some(partition.id.to_owned());
        object.dns_suffix = Some(partition.dns_suffix.to_owned());
        object.reverse_dns_prefix = Some(partition.reverse_dns_prefix.to_owned());
        Ok(())
    }
}
