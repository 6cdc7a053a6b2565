//! `data.aws_region`

use lakeform_core::Path;
use lakeform_provider::{Context, DataSource, Model, ProviderError, Result};

use crate::{AwsClient, partition::partition_of};

/// A region: the provider's, or one that is named. No call is made.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct RegionModel {
    /// Its name in words: `Europe (London)`
    #[attr(computed)]
    description: Option<String>,
    /// Its EC2 endpoint: `ec2.eu-west-2.amazonaws.com`
    #[attr(optional, computed)]
    endpoint: Option<String>,
    /// Its name: `eu-west-2`
    #[attr(optional, computed)]
    id: Option<String>,
    /// Its name: `eu-west-2`
    #[attr(optional, computed)]
    name: Option<String>,
}

/// Names in words, from the region table of the AWS General Reference ("Regions and Zones").
const DESCRIPTIONS: [(&str, &str); 44] = [
    ("af-south-1", "Africa (Cape Town)"),
    ("ap-east-1", "Asia Pacific (Hong Kong)"),
    ("ap-east-2", "Asia Pacific (Taipei)"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)"),
    ("ap-northeast-2", "Asia Pacific (Seoul)"),
    ("ap-northeast-3", "Asia Pacific (Osaka)"),
    ("ap-south-1", "Asia Pacific (Mumbai)"),
    ("ap-south-2", "Asia Pacific (Hyderabad)"),
    ("ap-southeast-1", "Asia Pacific (Singapore)"),
    ("ap-southeast-2", "Asia Pacific (Sydney)"),
    ("ap-southeast-3", "Asia Pacific (Jakarta)"),
    ("ap-southeast-4", "Asia Pacific (Melbourne)"),
    ("ap-southeast-5", "Asia Pacific (Malaysia)"),
    ("ap-southeast-7", "Asia Pacific (Thailand)"),
    ("ca-central-1", "Canada (Central)"),
    ("ca-west-1", "Canada West (Calgary)"),
    ("cn-north-1", "China (Beijing)"),
    ("cn-northwest-1", "China (Ningxia)"),
    ("eu-central-1", "Europe (Frankfurt)"),
    ("eu-central-2", "Europe (Zurich)"),
    ("eu-isoe-west-1", "EU ISOE West"),
    ("eu-north-1", "Europe (Stockholm)"),
    ("eu-south-1", "Europe (Milan)"),
    ("eu-south-2", "Europe (Spain)"),
    ("eu-west-1", "Europe (Ireland)"),
    ("eu-west-2", "Europe (London)"),
    ("eu-west-3", "Europe (Paris)"),
    ("eusc-de-east-1", "EU (Germany)"),
    ("il-central-1", "Israel (Tel Aviv)"),
    ("me-central-1", "Middle East (UAE)"),
    ("me-south-1", "Middle East (Bahrain)"),
    ("mx-central-1", "Mexico (Central)"),
    ("sa-east-1", "South America (Sao Paulo)"),
    ("us-east-1", "US East (N. Virginia)"),
    ("us-east-2", "US East (Ohio)"),
    ("us-gov-east-1", "AWS GovCloud (US-East)"),
    ("us-gov-west-1", "AWS GovCloud (US-West)"),
    ("us-iso-east-1", "US ISO East"),
    ("us-iso-west-1", "US ISO WEST"),
    ("us-isob-east-1", "US ISOB East (Ohio)"),
    ("us-isof-east-1", "US ISOF EAST"),
    ("us-isof-south-1", "US ISOF SOUTH"),
    ("us-west-1", "US West (N. California)"),
    ("us-west-2", "US West (Oregon)"),
];

/// `data.aws_region`
pub(crate) struct RegionData;

impl DataSource for RegionData {
    type Client = AwsClient;
    type Model = RegionModel;
    const NAME: &'static str = "aws_region";

    async fn read(cx: &Context<'_, AwsClient>, object: &mut RegionModel) -> Result<()> {
        let asked = object.endpoint.as_deref().map(|endpoint| {
            let inner = endpoint.strip_prefix("ec2.").and_then(|rest| rest.split_once('.'));
            let region = inner.filter(|(region, suffix)| partition_of(region).dns_suffix == *suffix);
            region
                .map(|(region, _)| region.to_owned())
                .ok_or_else(|| ProviderError::invalid(format!("there is no region with the endpoint `{endpoint}`")))
        });
        let by_endpoint = asked.transpose()?;
        let name = object.name.clone().or(by_endpoint.clone()).unwrap_or_else(|| cx.client.region().to_owned());
        if by_endpoint.is_some_and(|other| other != name) {
            return Err(ProviderError::invalid("`name` and `endpoint` name different regions"));
        }
        let known = DESCRIPTIONS.iter().find(|(region, _)| *region == name);
        if known.is_none() && object.name.is_some() {
            return Err(ProviderError::invalid(format!("there is no region `{name}`")).attribute(Path::attr("name")));
        }
        object.description = Some(known.map(|(_, text)| (*text).to_owned()).unwrap_or_default());
        object.endpoint = Some(format!("ec2.{name}.{}", partition_of(&name).dns_suffix));
        object.id = Some(name.clone());
        object.name = Some(name);
        Ok(())
    }
}
