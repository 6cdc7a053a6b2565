//! Objects that an API shows as a map of texts: SQS queues, SNS topics and subscriptions.

use std::collections::{BTreeMap, HashMap};

use crate::policy;
pub(crate) use crate::stored::given;

/// Attributes by the API's names. One that says nothing is an empty text, and so is one that is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes(BTreeMap<String, String>);

impl Attributes {
    /// From names and values; what is `None` is left out: it is the API's to decide.
    pub(crate) fn of<'a>(all: impl IntoIterator<Item = (&'a str, Option<String>)>) -> Self {
        Self(all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect())
    }

    /// Those that say something: what to create an object with.
    pub(crate) fn given<K: Eq + std::hash::Hash + for<'a> From<&'a str>>(&self) -> Option<HashMap<K, String>> {
        let given: HashMap<K, String> =
            self.iter().filter(|(_, value)| !value.is_empty()).map(|(k, v)| (K::from(k), v.to_owned())).collect();
        (!given.is_empty()).then_some(given)
    }

    /// Those that differ from `before`: what to change an object with.
    pub(crate) fn changed_since(&self, before: &Self) -> Self {
        let differs = |(name, value): &(&str, &str)| before.text(name) != *value;
        Self::of(self.iter().filter(differs).map(|(name, value)| (name, Some(value.to_owned()))))
    }

    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A text as Terraform stores it: empty where there is none.
    pub(crate) fn stored(&self, name: &str) -> Option<String> {
        Some(self.text(name).to_owned())
    }

    /// A number; `0` where there is none.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        Some(self.text(name).parse().unwrap_or(0))
    }

    /// Yes or no; no where there is none.
    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        Some(self.text(name) == "true")
    }

    /// A JSON document, in the stored spelling where that is the same document.
    pub(crate) fn json(&self, name: &str, stored: Option<&str>) -> Option<String> {
        let live = self.text(name);
        let same = stored.is_some_and(|stored| policy::normal(stored) == policy::normal(live));
        Some(stored.filter(|_| same).unwrap_or(live).to_owned())
    }

    /// A policy, in the stored spelling where that means the same.
    pub(crate) fn policy(&self, name: &str, stored: Option<&str>) -> Option<String> {
        Some(policy::stored(stored, self.text(name)))
    }
}

impl<K: AsRef<str>> From<HashMap<K, String>> for Attributes {
    fn from(all: HashMap<K, String>) -> Self {
        Self(all.into_iter().map(|(name, value)| (name.as_ref().to_owned(), value)).collect())
    }
}

/// `true` and `false` as the APIs spell them.
pub(crate) fn spelled(flag: Option<bool>) -> Option<String> {
    flag.map(|on| on.to_string())
}

/// A text that can be taken back: absent is the empty text.
pub(crate) fn or_empty(text: &Option<String>) -> Option<String> {
    Some(text.clone().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_attribute_says_as_much_as_an_empty_one() {
        let before = Attributes::of([("A", Some("1".into())), ("B", Some(String::new()))]);
        let after = Attributes::of([("A", Some(String::new())), ("B", None), ("C", Some(String::new()))]);
        assert_eq!(after.changed_since(&before), Attributes::of([("A", Some(String::new()))]));
        assert!(before.changed_since(&before).is_empty());
        assert_eq!(after.given::<String>(), None);
        assert_eq!(before.given::<String>(), Some(HashMap::from([("A".to_owned(), "1".to_owned())])));
        assert_eq!((before.number("A"), before.number("B"), before.flag("A")), (Some(1), Some(0), Some(false)));
    }

    #[test]
    fn a_document_keeps_its_stored_spelling() {
        let live = Attributes::of([("J", Some(r#"{"a":1}"#.into()))]);
        assert_eq!(live.json("J", Some(r#"{ "a" : 1 }"#)).as_deref(), Some(r#"{ "a" : 1 }"#));
        assert_eq!(live.json("J", Some(r#"{"a":2}"#)).as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(live.json("J", None).as_deref(), Some(r#"{"a":1}"#));
    }
}
