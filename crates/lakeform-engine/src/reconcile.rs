//! What state keeps of an object that was read: the live values, in the spelling that state had.

use std::{collections::BTreeMap, sync::Arc};

use lakeform_core::{Attribute, Block, Kind, NestedBlock, Nesting, Value};

use crate::diff::{is_empty, same};

/// The live object in the spelling of the stored one: where both mean the same, the stored value stands.
pub(crate) fn reconcile(block: &Block, stored: &Value, live: &Value) -> Value {
    let (Some(was), Some(is)) = (stored.as_mapping(), live.as_mapping()) else { return live.clone() };
    let mut out = BTreeMap::new();
    for (name, value) in is {
        let kept = match (was.get(name), block.attributes.get(name), block.blocks.get(name)) {
            (Some(old), Some(attribute), _) if same(attribute, old, value) || is_empty(old) && is_empty(value) => {
                old.clone()
            }
            (Some(old), _, Some(nested)) => reconcile_block(nested, old, value),
            (Some(old), ..) => value.clone().with_marks(old.marks()),
            _ => value.clone(),
        };
        out.insert(name.clone(), kept);
    }
    Kind::Object(Arc::new(out)).into()
}

/// What a call returned, in the spelling of the plan where both mean the same and the type says how to tell.
pub(crate) fn respelled(block: &Block, planned: &Value, result: &Value) -> Value {
    let (Some(was), Some(is)) = (planned.as_mapping(), result.as_mapping()) else { return result.clone() };
    let keeps = |attribute: &Attribute, old: &Value, value: &Value| {
        let told = attribute.same.is_some() || attribute.json;
        told && !old.is_null() && !value.is_null() && old != value && same(attribute, old, value)
    };
    let mut out = is.clone();
    for (name, value) in &mut out {
        match (was.get(name), block.attributes.get(name), block.blocks.get(name)) {
            (Some(old), Some(attribute), _) if keeps(attribute, old, value) => *value = old.clone().unmarked_deep(),
            (Some(old), _, Some(nested)) => match (nested.nesting, old.as_slice(), value.as_slice()) {
                (Nesting::Single, ..) => *value = respelled(&nested.block, old, value),
                (Nesting::List, Some(olds), Some(values)) if olds.len() == values.len() && !values.is_empty() => {
                    let each = olds.iter().zip(values).map(|(old, value)| respelled(&nested.block, old, value));
                    *value = Value::list(nested.block.ty(), each.collect());
                }
                _ => {}
            },
            _ => {}
        }
    }
    Kind::Object(Arc::new(out)).into()
}

fn reconcile_block(nested: &NestedBlock, stored: &Value, live: &Value) -> Value {
    if stored == live || is_empty(stored) && is_empty(live) {
        return stored.clone();
    }
    let inner = nested.block.ty();
    let was = stored.as_slice().unwrap_or_default();
    match nested.nesting {
        Nesting::Single => reconcile(&nested.block, stored, live),
        Nesting::List => {
            let each = live.children().enumerate().map(|(i, v)| match was.get(i) {
                Some(old) => reconcile(&nested.block, old, v),
                None => v.clone(),
            });
            Value::list(inner, each.collect())
        }
        Nesting::Set => {
            let each = live.children().map(|v| {
                let old = was.iter().find(|old| reconcile(&nested.block, old, v) == **old);
                old.unwrap_or(v).clone()
            });
            Value::set(inner, each.collect())
        }
        Nesting::Map => live.clone(),
    }
}
