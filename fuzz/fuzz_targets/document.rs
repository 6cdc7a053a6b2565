//! Any text is a stack or is refused; what is formatted stays the same document, and settles.

#![no_main]

use lakeform_lang::{format, load_str};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let _ = load_str("stack.toml", text);
    if let Ok(once) = format(text) {
        assert_eq!(format(&once).as_deref(), Ok(&*once), "formatting does not settle");
    }
});
