//! Tests of everything that crosses crates; see `tests/all.rs`. This library is empty on purpose: cargo needs a target.
