//! Names that a bucket's region decides: domain names, the website endpoint and its hosted zone.

use crate::partition::partition_of;

/// Region, Route 53 hosted zone of its website endpoints, and whether they are older, with a dash before the region.
///
/// From the AWS General Reference, "Amazon S3 website endpoints".
#[rustfmt::skip]
static REGIONS: &[(&str, &str, bool)] = &[
    ("af-south-1", "Z83WF9RJE8B12", false),
    ("ap-east-1", "ZNB98KWMFR0R6", false),
    ("ap-east-2", "Z064739330DAH7WJVOO93", false),
    ("ap-northeast-1", "Z2M4EHUR26P7ZW", true),
    ("ap-northeast-2", "Z3W03O7B5YMIYP", false),
    ("ap-northeast-3", "Z2YQB5RD63NC85", false),
    ("ap-south-1", "Z11RGJOFQNVJUP", false),
    ("ap-south-2", "Z02976202B4EZMXIPMXF7", false),
    ("ap-southeast-1", "Z3O0J2DXBE1FTB", true),
    ("ap-southeast-2", "Z1WCIGYICN2BYD", true),
    ("ap-southeast-3", "Z01846753K324LI26A3VV", false),
    ("ap-southeast-4", "Z0312387243XT5FE14WFO", false),
    ("ap-southeast-5", "Z08660063OXLMA7F1FJHU", false),
    ("ap-southeast-7", "Z0031014GXUMRZG6I14G", false),
    ("ca-central-1", "Z1QDHH18159H29", false),
    ("ca-west-1", "Z03565811Z33SLEZTHOUL", false),
    ("cn-north-1", "Z5CN8UMXT92WN", false),
    ("cn-northwest-1", "Z282HJ1KT0DH03", false),
    ("eu-central-1", "Z21DNDUVLTQW6Q", false),
    ("eu-central-2", "Z030506016YDQGETNASS", false),
    ("eu-north-1", "Z3BAZG2TWCNX0D", false),
    ("eu-south-1", "Z30OZKI7KPW7MI", false),
    ("eu-south-2", "Z0081959F7139GRJC19J", false),
    ("eu-west-1", "Z1BKCTXD74EZPE", true),
    ("eu-west-2", "Z3GKZC51ZF0DB4", false),
    ("eu-west-3", "Z3R1K369G5AVDG", false),
    ("il-central-1", "Z09640613K4A3MN55U7GU", false),
    ("me-central-1", "Z06143092I8HRXZRUZROF", false),
    ("me-south-1", "Z1MPMWCPA7YB62", false),
    ("mx-central-1", "Z057606446ZNVQJJ8WOP", false),
    ("sa-east-1", "Z7KQH4QJS55SO", true),
    ("us-east-1", "Z3AQBSTGFYJSTF", true),
    ("us-east-2", "Z2O1EMRO9K5GLX", false),
    ("us-gov-east-1", "Z2NIFVYYW2VKV1", false),
    ("us-gov-west-1", "Z31GFT0UA1I2HV", true),
    ("us-west-1", "Z2F56UZL2M1ACD", true),
    ("us-west-2", "Z3BJ6K6RIION7M", true),
];

/// The hosted zone of a region's website endpoints, for alias records; `None` for a region that AWS does not list.
pub(crate) fn hosted_zone_id(region: &str) -> Option<&'static str> {
    REGIONS.iter().find(|(name, ..)| *name == region).map(|(_, zone, _)| *zone)
}

/// The domain of a region's website endpoints: `s3-website.eu-central-1.amazonaws.com`
pub(crate) fn website_domain(region: &str) -> String {
    let dash = REGIONS.iter().any(|(name, _, dash)| *name == region && *dash);
    format!("s3-website{}{region}.{}", if dash { '-' } else { '.' }, partition_of(region).dns_suffix)
}

/// The bucket's website: `BUCKET.s3-website.eu-central-1.amazonaws.com`
pub(crate) fn website_endpoint(bucket: &str, region: &str) -> String {
    format!("{bucket}.{}", website_domain(region))
}

/// The bucket's domain name: `BUCKET.s3.amazonaws.com`
pub(crate) fn domain_name(bucket: &str, region: &str) -> String {
    format!("{bucket}.s3.{}", partition_of(region).dns_suffix)
}

/// The bucket's domain name in its region: `BUCKET.s3.eu-central-1.amazonaws.com`
pub(crate) fn regional_domain_name(bucket: &str, region: &str) -> String {
    format!("{bucket}.s3.{region}.{}", partition_of(region).dns_suffix)
}

/// The bucket's ARN: `arn:aws:s3:::BUCKET`
pub(crate) fn arn(bucket: &str, region: &str) -> String {
    format!("arn:{}:s3:::{bucket}", partition_of(region).id)
}

#[cfg(test)]
mod tests {
    use super::*;

    // What Terraform's AWS provider 5.100 stores for buckets in these regions.
    #[test]
    fn names_follow_the_region() {
        assert_eq!(website_endpoint("b", "eu-west-1"), "b.s3-website-eu-west-1.amazonaws.com");
        assert_eq!(website_endpoint("b", "eu-west-2"), "b.s3-website.eu-west-2.amazonaws.com");
        assert_eq!(website_domain("us-gov-west-1"), "s3-website-us-gov-west-1.amazonaws.com");
        assert_eq!(website_domain("cn-north-1"), "s3-website.cn-north-1.amazonaws.com.cn");
        assert_eq!(domain_name("b", "cn-north-1"), "b.s3.amazonaws.com.cn");
        assert_eq!(regional_domain_name("b", "eu-central-1"), "b.s3.eu-central-1.amazonaws.com");
        assert_eq!(arn("b", "us-gov-west-1"), "arn:aws-us-gov:s3:::b");
        assert_eq!(hosted_zone_id("us-east-1"), Some("Z3AQBSTGFYJSTF"));
        assert_eq!(hosted_zone_id("xx-new-1"), None);
    }
}
