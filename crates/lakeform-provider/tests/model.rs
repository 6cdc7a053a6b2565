//! The derive macro: the struct is the schema.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

use std::collections::{BTreeMap, BTreeSet};

use lakeform_core::{Nesting, Type, Value};
use lakeform_provider::{Field, Model};

/// A shelf.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Shelf {
    /// How high, in centimetres.
    #[attr(required)]
    height: i64,
}

/// A cupboard.
#[derive(Model, Clone, Debug, Default, PartialEq)]
struct Cupboard {
    /// What it is called.
    #[attr(required, force_new)]
    name: String,
    /// Its kind.
    #[attr(name = "type", optional, computed, default = "plain")]
    kind: Option<String>,
    #[attr(optional)]
    tags: Option<BTreeMap<String, String>>,
    #[attr(optional)]
    owners: BTreeSet<String>,
    #[attr(optional, set)]
    corners: Vec<Shelf>,
    /// Shelves
    #[block(list, min = 1, max = 9, force_new)]
    shelf: Vec<Shelf>,
    #[block(set)]
    door: Vec<Shelf>,
    #[block(single)]
    timeouts: Option<Shelf>,
}

#[test]
fn the_struct_is_the_schema() {
    let block = Cupboard::block();
    assert_eq!(block.description, "A cupboard.");
    assert!(block.attributes["name"].required && block.attributes["name"].force_new);
    assert_eq!(block.attributes["name"].description, "What it is called.");
    assert_eq!(block.attributes["type"].default, Some(Value::from("plain")));
    assert_eq!(block.attributes["corners"].ty, Type::set(Shelf::ty()));
    let shelf = &block.blocks["shelf"];
    assert_eq!((shelf.nesting, shelf.min, shelf.max, shelf.force_new), (Nesting::List, 1, 9, true));
    assert_eq!(block.blocks["door"].ty(), Type::set(Shelf::ty()));
}

#[test]
fn a_struct_survives_the_way_through_a_value() {
    let full = Cupboard {
        name: "a".into(),
        kind: Some("tall".into()),
        tags: Some([("k".to_owned(), "v".to_owned())].into()),
        owners: ["me".to_owned()].into(),
        corners: vec![Shelf { height: 3 }],
        shelf: vec![Shelf { height: 2 }, Shelf { height: 1 }],
        door: vec![Shelf { height: 7 }],
        timeouts: Some(Shelf { height: 4 }),
    };
    let value = full.clone().into_value();
    assert_eq!(value.ty(), Cupboard::ty());
    assert_eq!(Cupboard::from_value(&value), full);
    assert_eq!(Cupboard::from_value(&Cupboard::block().empty()), Cupboard::default());
}
