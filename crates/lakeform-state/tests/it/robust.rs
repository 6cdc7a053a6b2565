//! No input makes reading or writing panic, and what is read is written in one way.

use lakeform_state::State;
use proptest::prelude::*;

use crate::format::{DEPOSED_ONLY, EVERY_KIND};

/// JSON of any shape, with the field names of a state.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let key = prop::sample::select(vec![
        "version",
        "serial",
        "lineage",
        "outputs",
        "resources",
        "check_results",
        "value",
        "type",
        "sensitive",
        "module",
        "mode",
        "name",
        "provider",
        "instances",
        "index_key",
        "deposed",
        "status",
        "attributes",
        "dependencies",
        "sensitive_attributes",
        "schema_version",
        "private",
        "create_before_destroy",
        "each",
        "other",
    ]);
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,8}".prop_map(Into::into),
        prop::sample::select(vec!["managed", "data", "list", "string", "tainted", "module.a[\"b\"]", "a.b"])
            .prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::vec((key.clone(), inner), 0..6).prop_map(|all| all
                .into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect::<serde_json::Map<_, _>>()
                .into()),
        ]
    })
}

/// Whatever is accepted is written so that it reads back as the same bytes.
pub fn settles(bytes: Vec<u8>) {
    if let Ok(state) = State::parse(bytes) {
        let once = state.to_bytes();
        let again = State::parse(once.clone()).expect("what is written can be read");
        assert!(state.content_equals(&again));
        assert_eq!(String::from_utf8(again.to_bytes()), String::from_utf8(once));
    }
}

proptest! {
    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        settles(bytes);
    }

    #[test]
    fn any_json(mut json in json(), resources in prop::collection::vec(json(), 0..3)) {
        if let Some(top) = json.as_object_mut() {
            top.insert("version".into(), 4.into());
            if !resources.is_empty() {
                top.insert("resources".into(), resources.into());
            }
        }
        settles(json.to_string().into_bytes());
    }

    #[test]
    fn a_state_with_bytes_changed(at in any::<prop::sample::Index>(), with in any::<u8>(), long in any::<bool>()) {
        let mut bytes = if long { EVERY_KIND } else { DEPOSED_ONLY }.as_bytes().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = with;
        settles(bytes);
    }

    #[test]
    fn a_state_with_a_piece_cut_out(from in any::<prop::sample::Index>(), length in 0..400_usize) {
        let mut bytes = DEPOSED_ONLY.as_bytes().to_vec();
        let from = from.index(bytes.len());
        let to = (from + length).min(bytes.len());
        bytes.drain(from..to);
        settles(bytes);
    }

    #[test]
    fn strings_are_written_as_go_writes_them(key in ".{1,20}", value in "\\PC{0,20}|[\\x00-\\x20<>&\u{2028}\u{2029}\\\\\"]{0,20}") {
        let json = serde_json::json!({ "version": 4, "serial": 1, "lineage": "l", "resources": [{
            "mode": "managed", "type": "t", "name": "n", "provider": "p",
            "instances": [{ "index_key": key, "attributes": { "v": value } }],
        }]});
        let state = State::parse(json.to_string()).unwrap();
        let bytes = state.to_bytes();
        let text = std::str::from_utf8(&bytes).unwrap();
        let escaped = !text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']);
        prop_assert!(escaped);
        let back: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&back["resources"][0]["instances"][0]["attributes"]["v"], &serde_json::Value::from(value));
        prop_assert_eq!(&back["resources"][0]["instances"][0]["index_key"], &serde_json::Value::from(key));
    }
}
