//! What an object that is created again is made of, and who named the old one.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Block, ConfigAddress, InstanceAddress, Kind, Nesting, Value};

use crate::diff::is_empty;

/// The configuration that leads to an object: what a stack could say of it. What only the API says is null, and so is what needs
/// no saying: what the API may decide and is as it shall be in the object that there is, and values that say nothing.
pub(super) fn settable(block: &Block, object: &Value, present: Option<&Value>) -> Value {
    let Some(given) = object.as_mapping() else { return object.clone() };
    let stays = |name: &str, value: &Value| present.is_some_and(|present| present.get(name) == Some(value));
    let says = |name: &str| given.get(name).is_some_and(|value| !is_empty(value));
    let attributes = block.attributes.iter().map(|(name, attribute)| {
        let own = given.get(name).filter(|value| {
            let nothing = is_empty(value)
                && attribute.default.is_none()
                && match (attribute.required, attribute.computed) {
                    (true, _) => false,
                    (_, false) => true,
                    // The API might decide otherwise.
                    (_, true) => present.is_none() && value.as_bool().is_none(),
                };
            // The name that came of a prefix is there, and the two exclude each other.
            let prefix = name.strip_suffix("_prefix").is_some_and(says);
            let left = attribute.computed && (stays(name, value) || prefix);
            attribute.is_settable() && !attribute.write_only && !nothing && !left
        });
        (name.clone(), own.cloned().unwrap_or_else(|| Value::null(attribute.ty.clone())))
    });
    let blocks = block.blocks.iter().map(|(name, nested)| {
        let value = match given.get(name).filter(|value| !(nested.computed && stays(name, value))) {
            None => nested.absent(),
            Some(value) if nested.nesting == Nesting::Single => settable(&nested.block, value, None),
            Some(value) => value.clone().map_children(|child| settable(&nested.block, &child, None)),
        };
        (name.clone(), value)
    });
    let all: BTreeMap<Arc<str>, Value> = attributes.chain(blocks).collect();
    Value::from(Kind::Object(Arc::new(all))).with_marks(object.marks())
}

/// What the API calls objects that a rollback created again, so that what named the old ones names the new ones.
#[derive(Default)]
pub(super) struct Renamed(Vec<(ConfigAddress, String, String)>);

impl Renamed {
    /// Compares an object that is back with what it was: its texts that nobody can set, such as `id` and `arn`.
    pub(super) fn note(&mut self, address: &InstanceAddress, block: &Block, was: &Value, made: &Value) {
        for (name, _) in block.attributes.iter().filter(|(_, a)| a.computed && !a.is_settable()) {
            let text = |object: &Value| object.get(name).and_then(Value::as_str).map(str::to_owned);
            if let (Some(old), Some(new)) = (text(was), text(made))
                && !old.is_empty()
                && old != new
            {
                self.0.push((address.config(), old, new));
            }
        }
        // The longest first: an identifier may be part of an ARN.
        self.0.sort_by_key(|(_, old, _)| std::cmp::Reverse(old.len()));
    }

    /// An object that depends on `dependencies` with the new names in place of the old ones.
    pub(super) fn follow(&self, value: &Value, dependencies: &[ConfigAddress]) -> Value {
        let names: Vec<(&str, &str)> = self
            .0
            .iter()
            .filter(|(block, ..)| dependencies.contains(block))
            .map(|(_, old, new)| (old.as_str(), new.as_str()))
            .collect();
        if names.is_empty() { value.clone() } else { renamed(value.clone(), &names) }
    }
}

fn renamed(value: Value, names: &[(&str, &str)]) -> Value {
    match value.as_str().map(|text| replaced(text, names)) {
        Some(text) => Value::string(text).with_marks(value.marks()),
        None if value.is_null() || !value.is_known() => value,
        None => value.map_children(|child| renamed(child, names)),
    }
}

/// The text with each name replaced where it stands for itself, not within a longer word. What was put in is not looked at again.
fn replaced(text: &str, names: &[(&str, &str)]) -> String {
    let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        let found = names.iter().find(|(old, _)| {
            text[at..].starts_with(old)
                && ends(text[..at].chars().next_back())
                && ends(text[at + old.len()..].chars().next())
        });
        match found {
            Some((old, new)) => {
                out.push_str(new);
                at += old.len();
            }
            None => {
                out.push(next);
                at += next.len_utf8();
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_replaced_where_it_stands_for_itself() {
        let names = [("arn:x:thing-1", "arn:x:thing-3"), ("thing-1", "thing-3"), ("thing-3", "thing-9")];
        for (text, wanted) in [
            ("thing-1", "thing-3"),
            ("b-thing-1", "b-thing-3"),
            ("thing-12", "thing-12"),
            ("nothing-1", "nothing-1"),
            (
                "{\"Resource\":\"arn:x:thing-1/*\",\"é\":\"thing-1\"}",
                "{\"Resource\":\"arn:x:thing-3/*\",\"é\":\"thing-3\"}",
            ),
        ] {
            assert_eq!(replaced(text, &names), wanted);
        }
    }
}
