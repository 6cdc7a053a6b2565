//! The difference between what a stack says and what there is: pure decisions, tested as tables.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Attribute, Block, Kind, Marks, NestedBlock, Nesting, Path, Step, Type, Value};

/// The object as it shall be: the configuration where it says something, else what is there, else unknown.
///
/// The rules are those of Terraform's `ProposedNew` with the allowances of its provider SDK: an unset attribute that the
/// API decides keeps its value; an unset one that holds an empty value (`""`, `0`, `false`, `[]`) is no difference; a
/// value that only is spelled differently keeps the prior spelling.
pub fn proposed(block: &Block, prior: Option<&Value>, config: &Value) -> Value {
    if !config.is_known() {
        return config.clone();
    }
    let prior = prior.filter(|p| p.as_mapping().is_some());
    let null = Value::null(Type::Dynamic);
    let mut out = BTreeMap::new();
    for (name, attribute) in &block.attributes {
        let was = prior.and_then(|p| p.get(name));
        out.insert(name.clone(), proposed_attribute(attribute, was, config.get(name).unwrap_or(&null)));
    }
    for (name, nested) in &block.blocks {
        let was = prior.and_then(|p| p.get(name));
        out.insert(name.clone(), proposed_block(nested, was, config.get(name).unwrap_or(&null), prior.is_some()));
    }
    Value::from(Kind::Object(Arc::new(out))).with_marks(config.marks())
}

fn proposed_attribute(attribute: &Attribute, prior: Option<&Value>, config: &Value) -> Value {
    let marks = if attribute.sensitive { Marks::SENSITIVE } else { Marks::NONE };
    let value = if attribute.write_only {
        Value::null(attribute.ty.clone())
    } else if !config.is_null() {
        match prior {
            Some(was) if was != config && same(attribute, was, config) => {
                was.clone().unmarked_deep().with_marks(config.marks_deep())
            }
            _ => config.clone(),
        }
    } else if let Some(default) = &attribute.default {
        match prior {
            Some(was) if same(attribute, was, default) => was.clone(),
            _ => default.clone(),
        }
    } else if attribute.computed {
        prior.cloned().unwrap_or_else(|| Value::unknown(attribute.ty.clone()))
    } else {
        match prior {
            Some(was) if is_empty(was) && attribute.ty != Type::Dynamic => was.clone(),
            _ => Value::null(attribute.ty.clone()),
        }
    };
    value.with_marks(marks)
}

fn proposed_block(nested: &NestedBlock, prior: Option<&Value>, config: &Value, exists: bool) -> Value {
    if !config.is_known() {
        return config.clone();
    }
    let absent = config.is_null() || config.as_slice().is_some_and(<[Value]>::is_empty);
    if absent {
        return match prior {
            Some(was) if nested.computed || is_empty(was) => was.clone(),
            None if nested.computed && !exists => Value::unknown(nested.ty()),
            _ => nested.absent(),
        };
    }
    let inner = nested.block.ty();
    let was = prior.and_then(Value::as_slice).unwrap_or_default();
    let value = match nested.nesting {
        Nesting::Single => return proposed(&nested.block, prior.filter(|p| !p.is_null()), config),
        Nesting::List => {
            let each = config.children().enumerate().map(|(i, c)| proposed(&nested.block, was.get(i), c));
            Value::list(inner, each.collect())
        }
        Nesting::Set => {
            let mut left: Vec<&Value> = was.iter().collect();
            let each = config.children().map(|c| {
                let found = left.iter().position(|p| proposed(&nested.block, Some(p), c) == **p);
                match found {
                    Some(i) => left.remove(i).clone(),
                    None => proposed(&nested.block, None, c),
                }
            });
            Value::set(inner, each.collect())
        }
        Nesting::Map => {
            let empty = BTreeMap::new();
            let was = prior.and_then(Value::as_mapping).unwrap_or(&empty);
            let each = config.as_mapping().unwrap_or(&empty).iter();
            Value::map(inner, each.map(|(k, c)| (k.clone(), proposed(&nested.block, was.get(k), c))))
        }
    };
    value.with_marks(config.marks())
}

/// Whether a value says no more than null does, in the eyes of Terraform's provider SDK.
pub fn is_empty(value: &Value) -> bool {
    match value.kind() {
        Kind::Null(_) => true,
        Kind::Bool(b) => !b,
        Kind::Number(n) => n.signum() == 0,
        Kind::String(s) => s.is_empty(),
        Kind::List(_, vs) | Kind::Set(_, vs) | Kind::Tuple(vs) => vs.is_empty(),
        Kind::Map(_, vs) => vs.is_empty(),
        Kind::Object(_) | Kind::Unknown(..) => false,
    }
}

/// Whether two values of an attribute mean the same although they may be spelled differently.
pub fn same(attribute: &Attribute, a: &Value, b: &Value) -> bool {
    if a == b {
        return true;
    }
    if !a.is_wholly_known() || !b.is_wholly_known() {
        return false;
    }
    // Null against "", [] or {}. Not against false and 0, which a stack may well mean; nor where anything may stand.
    let nothing = |v: &Value| is_empty(v) && !matches!(v.kind(), Kind::Bool(_) | Kind::Number(_));
    if nothing(a) && nothing(b) && attribute.ty != Type::Dynamic {
        return true;
    }
    if let Some(same) = attribute.same {
        return same(a, b);
    }
    attribute.json
        && match (a.as_str(), b.as_str()) {
            (Some(a), Some(b)) => json_equal(a, b),
            _ => false,
        }
}

/// Whether two texts hold the same JSON document.
pub fn json_equal(a: &str, b: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok();
    matches!((read(a), read(b)), (Some(a), Some(b)) if a == b)
}

/// The attributes whose change replaces the object, among those that differ.
pub fn replace_paths(block: &Block, prior: &Value, planned: &Value) -> Vec<Path> {
    let mut out = vec![];
    force(block, prior, planned, &Path::root(), &mut out);
    out
}

fn force(block: &Block, prior: &Value, planned: &Value, at: &Path, out: &mut Vec<Path>) {
    for (name, attribute) in &block.attributes {
        if attribute.force_new && prior.get(name) != planned.get(name) {
            out.push(at.with(Step::Attr(name.clone())));
        }
    }
    for (name, nested) in &block.blocks {
        let (Some(was), Some(is)) = (prior.get(name), planned.get(name)) else { continue };
        if was == is {
            continue;
        }
        let here = at.with(Step::Attr(name.clone()));
        match (nested.nesting, was.as_slice(), is.as_slice()) {
            (Nesting::List, Some(a), Some(b)) if a.len() == b.len() => {
                for (i, (a, b)) in a.iter().zip(b).enumerate() {
                    force(&nested.block, a, b, &here.with(Step::Index(i)), out);
                }
            }
            (Nesting::Single, ..) if !was.is_null() && !is.is_null() && is.is_known() => {
                force(&nested.block, was, is, &here, out);
            }
            _ if nested.force_new || any_force_new(&nested.block) => out.push(here),
            _ => {}
        }
    }
}

fn any_force_new(block: &Block) -> bool {
    block.attributes.values().any(|a| a.force_new && a.is_settable())
        || block.blocks.values().any(|b| b.force_new || any_force_new(&b.block))
}

/// The configuration with what `ignore_changes` names taken from the prior object.
pub fn ignore(config: &Value, prior: &Value, paths: &[Path]) -> Value {
    paths.iter().fold(config.clone(), |config, path| ignore_one(&config, prior, &path.0))
}

fn ignore_one(config: &Value, prior: &Value, path: &[Step]) -> Value {
    let Some((step, rest)) = path.split_first() else { return prior.clone() };
    let (name, is_key) = match step {
        Step::Attr(name) => (name, false),
        Step::Key(name) => (name, true),
        Step::Index(i) => {
            let Some(was) = prior.as_slice().and_then(|vs| vs.get(*i)) else { return config.clone() };
            return config.update_at(&path[..1], &mut |c| ignore_one(&c, was, rest));
        }
        Step::Element(_) => return config.clone(),
    };
    let is_key = is_key || matches!(config.kind(), Kind::Map(..)) || matches!(prior.kind(), Kind::Map(..));
    match (config.get(name), prior.get(name)) {
        (Some(is), Some(was)) => {
            let new = ignore_one(is, was, rest);
            config.update_at(&path[..1], &mut |_| new.clone())
        }
        (None, Some(was)) if is_key && rest.is_empty() => {
            let element = was.ty();
            let mut all: BTreeMap<Arc<str>, Value> = config.as_mapping().cloned().unwrap_or_default();
            all.insert(name.clone(), was.clone());
            Value::from(Kind::Map(element, Arc::new(all))).with_marks(config.marks())
        }
        (Some(_), None) if is_key && rest.is_empty() => match config.kind() {
            Kind::Map(t, vs) => {
                let mut left = (**vs).clone();
                left.remove(name);
                let all = if left.is_empty() && prior.is_null() { return prior.clone() } else { left };
                Value::from(Kind::Map(t.clone(), Arc::new(all))).with_marks(config.marks())
            }
            _ => config.clone(),
        },
        _ => config.clone(),
    }
}

/// The value with every attribute that the schema calls sensitive marked so.
pub fn mark_sensitive(block: &Block, value: Value) -> Value {
    if !has_sensitive(block) || value.as_mapping().is_none() {
        return value;
    }
    let marks = value.marks();
    let empty = BTreeMap::new();
    let each = value.as_mapping().unwrap_or(&empty).iter().map(|(name, v)| {
        let v = v.clone();
        let v = match (block.attributes.get(name), block.blocks.get(name)) {
            (Some(attribute), _) if attribute.sensitive => v.sensitive(),
            (_, Some(nested)) if nested.nesting == Nesting::Single => mark_sensitive(&nested.block, v),
            (_, Some(nested)) => v.map_children(|v| mark_sensitive(&nested.block, v)),
            _ => v,
        };
        (name.clone(), v)
    });
    Value::object(each.collect::<Vec<_>>()).with_marks(marks)
}

fn has_sensitive(block: &Block) -> bool {
    block.attributes.values().any(|a| a.sensitive) || block.blocks.values().any(|b| has_sensitive(&b.block))
}

/// Where a known part of a planned value did not come true, and what was planned and what came. A promise of the plan
/// (semantics: "inconsistent result after apply").
pub fn broken_promise(planned: &Value, result: &Value) -> Option<Path> {
    fn look(planned: &Value, result: &Value, at: &Path) -> Option<Path> {
        match (planned.kind(), result.kind()) {
            (Kind::Unknown(..), _) => None,
            (Kind::Object(a), Kind::Object(b)) => a.iter().find_map(|(k, a)| {
                let here = at.with(Step::Attr(k.clone()));
                b.get(k).map_or_else(|| (!a.is_null()).then(|| here.clone()), |b| look(a, b, &here))
            }),
            (Kind::Map(_, a), Kind::Map(_, b)) if a.len() == b.len() => a.iter().find_map(|(k, a)| {
                let here = at.with(Step::Key(k.clone()));
                b.get(k).map_or_else(|| Some(here.clone()), |b| look(a, b, &here))
            }),
            (Kind::List(_, a), Kind::List(_, b)) | (Kind::Tuple(a), Kind::Tuple(b)) if a.len() == b.len() => {
                a.iter().zip(b.iter()).enumerate().find_map(|(i, (a, b))| look(a, b, &at.with(Step::Index(i))))
            }
            // Elements of a set with unknown parts cannot be told apart: their number must not grow.
            (Kind::Set(_, a), Kind::Set(_, b)) if !planned.is_wholly_known() => (b.len() > a.len()).then(|| at.clone()),
            _ if is_empty(planned) && is_empty(result) => None,
            _ => (planned != result).then(|| at.clone()),
        }
    }
    look(planned, result, &Path::root())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(ty: Type, flags: &str) -> Attribute {
        let mut a = Attribute::new(ty);
        for flag in flags.split(' ') {
            match flag {
                "computed" => a.computed = true,
                "force_new" => a.force_new = true,
                "sensitive" => a.sensitive = true,
                "json" => a.json = true,
                _ => a.optional = true,
            }
        }
        a
    }

    fn block() -> Block {
        let mut b = Block::default();
        for (name, flags) in [
            ("name", "optional force_new"),
            ("size", "optional"),
            ("region", "optional computed"),
            ("arn", "computed"),
            ("policy", "optional json"),
            ("password", "optional sensitive"),
        ] {
            b.attributes.insert(name.into(), attribute(Type::String, flags));
        }
        b.attributes.insert("tags".into(), attribute(Type::map(Type::String), "optional"));
        let mut inner = Block::default();
        inner.attributes.insert("id".into(), attribute(Type::String, "optional"));
        inner.attributes.insert("mode".into(), attribute(Type::String, "optional computed"));
        for (name, nesting) in [("rule", Nesting::List), ("label", Nesting::Set)] {
            let nested =
                NestedBlock { nesting, min: 0, max: 0, force_new: false, computed: false, block: inner.clone() };
            b.blocks.insert(name.into(), nested);
        }
        b
    }

    fn object(json: &str) -> Value {
        let json: serde_json::Value = serde_json::from_str(json).unwrap();
        block().coerce(&lakeform_core::json::from_plain_json(&json)).unwrap()
    }

    #[test]
    fn what_the_api_decides_is_unknown_at_create_and_kept_later() {
        let config = object(r#"{"name": "a", "rule": [{"id": "1"}]}"#);
        let created = proposed(&block(), None, &config);
        assert!(!created.get("arn").unwrap().is_known() && !created.get("region").unwrap().is_known());
        let prior =
            object(r#"{"name":"a","arn":"x","region":"eu","size":"","rule":[{"id":"1","mode":"m"}],"tags":{}}"#);
        assert_eq!(proposed(&block(), Some(&prior), &config), prior);
    }

    #[test]
    fn an_unset_attribute_with_a_value_is_removed() {
        let prior = object(r#"{"name": "a", "size": "9", "arn": "x", "region": "eu"}"#);
        let planned = proposed(&block(), Some(&prior), &object(r#"{"name": "a"}"#));
        assert!(planned.get("size").unwrap().is_null());
    }

    #[test]
    fn another_spelling_of_a_document_is_no_difference() {
        let prior = object(r#"{"policy": "{\"a\": 1, \"b\": 2}", "arn": "x"}"#);
        let planned = proposed(&block(), Some(&prior), &object(r#"{"policy": "{\"b\":2,\"a\":1}"}"#));
        assert_eq!(planned.get("policy"), prior.get("policy"));
        let planned = proposed(&block(), Some(&prior), &object(r#"{"policy": "{\"b\":3,\"a\":1}"}"#));
        assert_eq!(planned.get("policy").unwrap().as_str(), Some("{\"b\":3,\"a\":1}"));
    }

    #[test]
    fn elements_of_a_set_keep_what_the_api_decided_in_any_order() {
        let prior =
            object(r#"{"label": [{"id": "1", "mode": "x"}, {"id": "2", "mode": "y"}], "arn": "x", "region": "r"}"#);
        let config = object(r#"{"label": [{"id": "2"}, {"id": "1"}]}"#);
        assert_eq!(proposed(&block(), Some(&prior), &config), prior);
    }

    #[test]
    fn only_a_real_difference_forces_replacement() {
        let prior = object(r#"{"name": "a", "size": "1"}"#);
        assert_eq!(replace_paths(&block(), &prior, &object(r#"{"name": "a", "size": "2"}"#)), vec![]);
        assert_eq!(replace_paths(&block(), &prior, &object(r#"{"name": "b"}"#)), vec![Path::attr("name")]);
    }

    #[test]
    fn ignored_changes_take_the_prior_value() {
        let prior = object(r#"{"size": "1", "tags": {"a": "1", "b": "2"}}"#);
        let config = object(r#"{"size": "2", "tags": {"a": "9", "c": "3"}}"#);
        let paths = [
            Path::attr("size"),
            Path(vec![Step::Attr("tags".into()), Step::Key("a".into())]),
            Path(vec![Step::Attr("tags".into()), Step::Key("b".into())]),
            Path(vec![Step::Attr("tags".into()), Step::Key("c".into())]),
        ];
        let got = ignore(&config, &prior, &paths);
        assert_eq!(got.get("size"), prior.get("size"));
        assert_eq!(got.get("tags"), prior.get("tags"));
    }

    #[test]
    fn a_sensitive_attribute_is_marked_and_its_mark_is_no_change() {
        let marked = mark_sensitive(&block(), object(r#"{"password": "x"}"#));
        assert!(marked.get("password").unwrap().is_sensitive());
        assert_eq!(marked, object(r#"{"password": "x"}"#));
    }

    #[test]
    fn a_known_planned_value_must_come_true() {
        let planned = proposed(&block(), None, &object(r#"{"name": "a"}"#));
        assert_eq!(broken_promise(&planned, &object(r#"{"name": "a", "arn": "x", "size": ""}"#)), None);
        assert_eq!(broken_promise(&planned, &object(r#"{"name": "b"}"#)), Some(Path::attr("name")));
    }
}
