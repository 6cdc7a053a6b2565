//! AWS partitions: the separate clouds that a region belongs to.

/// A partition, with the facts that ARNs and endpoints need.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Partition {
    /// `aws`, `aws-cn`, ...
    pub(crate) id: &'static str,
    /// The suffix of its endpoints: `amazonaws.com`
    pub(crate) dns_suffix: &'static str,
    /// Its endpoints backwards: `com.amazonaws`
    pub(crate) reverse_dns_prefix: &'static str,
    /// What its regions' names begin with.
    prefixes: &'static [&'static str],
}

/// From the partition metadata of the AWS SDKs (`partitions.json`). The first one takes what the others do not.
static PARTITIONS: [Partition; 8] = [
    Partition { id: "aws", dns_suffix: "amazonaws.com", reverse_dns_prefix: "com.amazonaws", prefixes: &[] },
    Partition {
        id: "aws-cn",
        dns_suffix: "amazonaws.com.cn",
        reverse_dns_prefix: "cn.com.amazonaws",
        prefixes: &["cn-"],
    },
    Partition {
        id: "aws-us-gov",
        dns_suffix: "amazonaws.com",
        reverse_dns_prefix: "com.amazonaws",
        prefixes: &["us-gov-"],
    },
    Partition { id: "aws-iso", dns_suffix: "c2s.ic.gov", reverse_dns_prefix: "gov.ic.c2s", prefixes: &["us-iso-"] },
    Partition {
        id: "aws-iso-b",
        dns_suffix: "sc2s.sgov.gov",
        reverse_dns_prefix: "gov.sgov.sc2s",
        prefixes: &["us-isob-"],
    },
    Partition {
        id: "aws-iso-e",
        dns_suffix: "cloud.adc-e.uk",
        reverse_dns_prefix: "uk.adc-e.cloud",
        prefixes: &["eu-isoe-"],
    },
    Partition {
        id: "aws-iso-f",
        dns_suffix: "csp.hci.ic.gov",
        reverse_dns_prefix: "gov.ic.hci.csp",
        prefixes: &["us-isof-"],
    },
    Partition { id: "aws-eusc", dns_suffix: "amazonaws.eu", reverse_dns_prefix: "eu.amazonaws", prefixes: &["eusc-"] },
];

/// The partition of a region.
pub(crate) fn partition_of(region: &str) -> &'static Partition {
    let special = PARTITIONS.iter().find(|p| p.prefixes.iter().any(|prefix| region.starts_with(prefix)));
    special.unwrap_or(&PARTITIONS[0])
}

/// Whether a name has the shape of a region's: letters, a place, a number (`eu-central-1`).
pub(crate) fn looks_like_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let Some((number, words)) = parts.split_last() else { return false };
    words.len() >= 2
        && words.iter().all(|w| !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase()))
        && !number.is_empty()
        && number.chars().all(|c| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_belongs_to_one_partition() {
        for (region, id) in [
            ("eu-central-1", "aws"),
            ("us-east-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("us-iso-east-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("eusc-de-east-1", "aws-eusc"),
        ] {
            assert_eq!(partition_of(region).id, id, "{region}");
            assert!(looks_like_region(region), "{region}");
        }
        for wrong in ["", "eu-central", "eu_central_1", "eu-central-1a", "Frankfurt", "eu--1"] {
            assert!(!looks_like_region(wrong), "{wrong}");
        }
    }
}
