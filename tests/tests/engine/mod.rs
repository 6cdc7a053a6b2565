//! The engine against the cloud in memory.

mod anything;
mod basics;
mod checks;
mod data;
mod destroy;
mod expansion;
mod failure;
mod graph;
mod lifecycle;
mod modules;
mod planfile;
mod refresh;
mod replace;
mod running;
mod selection;
mod values;
