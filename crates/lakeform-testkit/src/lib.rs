//! What the tests of every crate share: a cloud in memory, stores and locks that fail on demand, AWS emulators as child
//! processes, a fault proxy in front of them, and the conformance trials of resource types.
//!
//! A dev-dependency only: nothing that ships imports it. Unlike the libraries it may read the environment (where the
//! emulators are) and the clock.

#![cfg_attr(test, allow(clippy::unwrap_used))]

pub mod census;
pub mod crash;
pub mod emulator;
pub mod fake;
mod gate;
pub mod proxy;
pub mod store;
pub mod trials;

pub use gate::{Gate, Opens};
