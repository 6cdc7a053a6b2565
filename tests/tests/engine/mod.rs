//! The engine against the cloud in memory.

mod anything;
mod basics;
mod checks;
mod data;
mod destroy;
mod ephemeral;
mod expansion;
mod failure;
mod graph;
mod imports;
mod lifecycle;
mod modules;
mod moves;
mod planfile;
mod reasons;
mod refresh;
mod replace;
mod rollback;
mod running;
mod selection;
mod values;
