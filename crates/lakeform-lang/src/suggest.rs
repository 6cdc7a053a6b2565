//! "Did you mean".

/// The known name that is nearest to a mistyped one, if one is near enough to be meant.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.chars().count().max(name.chars().count()) / 5)
        .min_by_key(|(distance, candidate)| (*distance, *candidate))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_near_names_are_suggested() {
        assert_eq!(nearest("buket", ["bucket", "acl", "tags"]), Some("bucket"));
        assert_eq!(nearest("Bucket", ["bucket"]), Some("bucket"));
        assert_eq!(nearest("foo", ["bucket", "acl", "tags"]), None);
    }
}
