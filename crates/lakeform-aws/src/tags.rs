//! The one rule of tags: `tags_all` is `default_tags` overlaid by `tags`; what `ignore_tags` names is not lakeform's.

use std::collections::BTreeMap;

use lakeform_core::{Kind, Type, Value};
use lakeform_provider::{Change, Context, Field};

use crate::AwsClient;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// The tag by which an object is found that has no name: it holds the token of its creation until that is whole.
pub(crate) const INTENT: &str = "lakeform:intent";

/// What the provider's block says of tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TagRules {
    /// `default_tags`; `None` while they are not known.
    pub defaults: Option<BTreeMap<String, String>>,
    /// `ignore_tags.keys`
    pub ignored_keys: Vec<String>,
    /// `ignore_tags.key_prefixes`
    pub ignored_prefixes: Vec<String>,
}

/// The tags of a live object, as a resource stores them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadTags {
    /// `tags`: those that the resource itself sets.
    pub(crate) tags: Option<Tags>,
    /// `tags_all`: all of them.
    pub(crate) tags_all: Option<Tags>,
}

/// What to call the API with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TagChanges {
    /// New tags and tags with a new value.
    pub(crate) set: Tags,
    /// Keys to take away.
    pub(crate) remove: Vec<String>,
}

impl TagChanges {
    /// From what the object has to what it shall have (`tags_all` before and after).
    pub(crate) fn between(old: Option<&Tags>, new: Option<&Tags>) -> Self {
        let empty = Tags::new();
        let (old, new) = (old.unwrap_or(&empty), new.unwrap_or(&empty));
        Self {
            set: new.iter().filter(|(k, v)| old.get(*k) != Some(v)).map(|(k, v)| (k.clone(), v.clone())).collect(),
            remove: old.keys().filter(|k| !new.contains_key(*k)).cloned().collect(),
        }
    }

    /// Whether there is nothing to do.
    pub(crate) fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }
}

impl TagRules {
    /// Whether a tag is nobody's business here: AWS's own, [`INTENT`], or one that `ignore_tags` names.
    pub(crate) fn ignores(&self, key: &str) -> bool {
        key.starts_with("aws:")
            || key == INTENT
            || self.ignored_keys.iter().any(|k| k == key)
            || self.ignored_prefixes.iter().any(|prefix| key.starts_with(prefix.as_str()))
    }

    /// `tags_all` for planned `tags`; `None` when it is not known yet.
    pub(crate) fn merge(&self, tags: &Value) -> Option<Tags> {
        let mut all = self.defaults.clone()?;
        if !tags.is_wholly_known() {
            return None;
        }
        all.extend(Tags::from_value(tags));
        all.retain(|key, _| !self.ignores(key));
        Some(all)
    }

    /// Splits the tags of a live object. A tag that equals a default counts as the resource's own only where the resource
    /// says so too: `stored` (prior `tags`) or `configured`.
    pub(crate) fn split(&self, live: Tags, stored: Option<&Tags>, configured: Option<&Tags>) -> ReadTags {
        let all = self.shown(live);
        let says = |tags: Option<&Tags>, key: &String, value: &String| tags.is_some_and(|t| t.get(key) == Some(value));
        let default = |key: &String, value: &String| self.defaults.as_ref().is_some_and(|d| d.get(key) == Some(value));
        let own: Tags = all
            .iter()
            .filter(|(k, v)| !default(k, v) || says(stored, k, v) || says(configured, k, v))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect();
        let tags = if own.is_empty() && stored.is_none() { None } else { Some(own) };
        ReadTags { tags, tags_all: Some(all) }
    }

    /// [`TagRules::split`] for a read: `cx` holds what the stack says, `stored` is the prior object's `tags`.
    pub(crate) fn read(&self, cx: &Context<'_, AwsClient>, live: Tags, stored: Option<&Tags>) -> ReadTags {
        let configured = cx.config.and_then(|c| c.get("tags")).map(Tags::from_value);
        self.split(live, stored, configured.as_ref())
    }

    /// The tags of a live object that a data source shows.
    pub(crate) fn shown(&self, live: Tags) -> Tags {
        live.into_iter().filter(|(key, _)| !self.ignores(key)).collect()
    }

    /// Plans `tags_all` of a type that has `tags` and `tags_all`.
    pub(crate) fn plan(&self, change: &mut Change<'_>) {
        let attributes = &change.schema.block.attributes;
        if !attributes.contains_key("tags") || !attributes.contains_key("tags_all") {
            return;
        }
        let tags = change.planned("tags").cloned().unwrap_or_else(|| Value::null(Type::map(Type::String)));
        let marks = tags.marks_deep();
        match self.merge(&tags) {
            None => change.set_unknown("tags_all"),
            Some(all) => {
                // Absent and empty mean the same: the stored spelling stays.
                let stored = change.prior.and_then(|p| p.get("tags_all"));
                let keep = all.is_empty() && stored.is_some_and(|v| matches!(v.kind(), Kind::Null(_)));
                if !keep {
                    change.set("tags_all", all.into_value().with_marks(marks));
                }
            }
        }
    }
}

/// A map from what an SDK's tag list holds: `to_map(tags.iter().map(|t| (t.key(), t.value())))`.
pub(crate) fn to_map<K: Into<String>, V: Into<String>>(tags: impl IntoIterator<Item = (K, V)>) -> Tags {
    tags.into_iter().map(|(k, v)| (k.into(), v.into())).collect()
}

#[cfg(test)]
mod tests {
    use lakeform_core::{Block, Schema};
    use lakeform_provider::Model;

    use super::*;

    /// Tags from `a=1 b=2`.
    fn tags(text: &str) -> Tags {
        text.split_whitespace().filter_map(|t| t.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
    }

    fn rules(defaults: &str) -> TagRules {
        TagRules { defaults: Some(tags(defaults)), ignored_keys: vec!["i".into()], ignored_prefixes: vec!["p/".into()] }
    }

    #[test]
    fn tags_all_is_defaults_overlaid_by_tags() {
        for (defaults, own, all) in [
            ("", "", ""),
            ("a=1", "", "a=1"),
            ("", "a=1", "a=1"),
            ("a=1", "a=2 b=3", "a=2 b=3"),
            ("a=1", "a=1", "a=1"),
            ("a=1 i=x p/x=y", "i=z b=2 aws:x=y", "a=1 b=2"),
        ] {
            assert_eq!(rules(defaults).merge(&tags(own).into_value()), Some(tags(all)), "{defaults} + {own}");
        }
        let unknown = Value::unknown(Type::map(Type::String));
        assert_eq!(rules("a=1").merge(&unknown), None);
        assert_eq!(TagRules { defaults: None, ..rules("") }.merge(&tags("a=1").into_value()), None);
    }

    #[test]
    fn live_tags_are_split_as_terraform_splits_them() {
        // Defaults, live, stored `tags`, what the stack says; then `tags` and `tags_all`.
        for (defaults, live, stored, configured, own, all) in [
            ("", "", None, None, None, ""),
            ("", "a=1", None, None, Some("a=1"), "a=1"),
            ("", "", Some("a=1"), None, Some(""), ""),
            ("d=1", "d=1 a=1", Some("a=1"), None, Some("a=1"), "d=1 a=1"),
            ("d=1", "d=1", None, None, None, "d=1"),
            // Another value than the default's is the resource's own.
            ("d=1", "d=2", None, None, Some("d=2"), "d=2"),
            // Equal to the default, and said by the resource as well.
            ("d=1", "d=1", Some("d=1"), None, Some("d=1"), "d=1"),
            ("d=1", "d=1", None, Some("d=1"), Some("d=1"), "d=1"),
            ("d=1", "d=1", Some("d=2"), None, Some(""), "d=1"),
            ("", "a=1 i=x p/y=z aws:k=v", Some("a=1"), None, Some("a=1"), "a=1"),
        ] {
            let (stored, configured) = (stored.map(tags), configured.map(tags));
            let split = rules(defaults).split(tags(live), stored.as_ref(), configured.as_ref());
            let expected = ReadTags { tags: own.map(tags), tags_all: Some(tags(all)) };
            assert_eq!(split, expected, "{defaults} | {live} | {stored:?} | {configured:?}");
        }
    }

    #[test]
    fn only_what_differs_is_sent() {
        let between = |old: &str, new: &str| TagChanges::between(Some(&tags(old)), Some(&tags(new)));
        assert!(between("a=1 b=2", "b=2 a=1").is_empty());
        let changes = between("a=1 b=2 c=3", "a=1 b=3 d=4");
        assert_eq!(changes, TagChanges { set: tags("b=3 d=4"), remove: vec!["c".into()] });
        assert!(TagChanges::between(None, None).is_empty());
    }

    #[derive(Model, Clone, Debug, Default)]
    struct Tagged {
        /// Tags.
        #[attr(optional)]
        tags: Option<Tags>,
        /// All of them.
        #[attr(optional, computed)]
        tags_all: Option<Tags>,
    }

    /// `tags_all` as planned for a type, with prior `tags_all`.
    fn planned(rules: &TagRules, block: Block, own: Value, prior: Option<Value>) -> Option<Value> {
        let schema = Schema { version: 0, block };
        let mut object = schema.block.empty();
        object.set_attr("tags", own);
        let before = prior.map(|all| {
            let mut before = schema.block.empty();
            before.set_attr("tags_all", all);
            before
        });
        let mut change = Change {
            schema: &schema,
            config: &object,
            prior: before.as_ref(),
            planned: object.clone(),
            replace: vec![],
        };
        rules.plan(&mut change);
        change.planned("tags_all").cloned()
    }

    #[test]
    fn tags_all_is_planned_for_types_that_have_it() {
        let plan = |own: Value, prior| planned(&rules("d=1"), Tagged::block(), own, prior).unwrap();
        assert_eq!(plan(tags("a=2").into_value(), None), tags("a=2 d=1").into_value());
        assert!(!plan(Value::unknown(Type::map(Type::String)), None).is_known());
        let secret = Value::map(Type::String, [("a", Value::from("x").sensitive())]);
        assert!(plan(secret, None).is_sensitive());
        // Nothing is stored as nothing, however it is spelled.
        let null = || Value::null(Type::map(Type::String));
        let kept = planned(&rules(""), Tagged::block(), null(), Some(null())).unwrap();
        assert!(kept.is_null());
        let mut block = Tagged::block();
        block.attributes.shift_remove("tags_all");
        assert_eq!(planned(&rules("d=1"), block, null(), None), None);
    }
}
