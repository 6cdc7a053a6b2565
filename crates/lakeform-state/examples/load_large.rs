//! Measures loading and writing a state of 15,000 resources and 100 MB.
//!
//! `cargo run --release -p lakeform-state --example load_large` makes such a state in a temporary file, loads it in a fresh
//! process and prints times and peak memory. The bounds are those of the design: under a second, under 400 MB.

use std::{fmt::Write, process::Command, time::Instant};

use lakeform_state::State;

const RESOURCES: usize = 15_000;
const BYTES: usize = 100 << 20;

fn main() {
    match std::env::args().nth(1) {
        Some(path) => measure(&path),
        None => {
            let file = tempfile::NamedTempFile::new().expect("a temporary file");
            std::fs::write(file.path(), large()).expect("room for the state");
            let me = std::env::current_exe().expect("this program's path");
            let status = Command::new(me).arg(file.path()).status().expect("a second process");
            std::process::exit(status.code().unwrap_or(1));
        }
    }
}

/// A state as Terraform writes it; half of it is dependencies, as in large states that have been seen.
fn large() -> String {
    let mut out = String::from(
        "{\n  \"version\": 4,\n  \"terraform_version\": \"1.11.4\",\n  \"serial\": 9,\n  \"lineage\": \"l\",\n  \
         \"outputs\": {},\n  \"resources\": [\n",
    );
    let per_resource = BYTES / RESOURCES;
    for i in 0..RESOURCES {
        let start = out.len();
        let comma = if i > 0 { ",\n" } else { "" };
        write!(
            out,
            "{comma}    {{\n      \"module\": \"module.zone[\\\"z{}\\\"]\",\n      \"mode\": \"managed\",\n      \"type\": \
             \"aws_s3_object\",\n      \"name\": \"o{i}\",\n      \"provider\": \
             \"provider[\\\"registry.terraform.io/hashicorp/aws\\\"]\",\n      \"instances\": [\n        {{\n          \
             \"schema_version\": 0,\n          \"attributes\": {{\n            \"id\": \"object-{i}\"",
            i % 100
        )
        .expect("text");
        let mut n = 0;
        while out.len() - start < per_resource / 2 {
            write!(
                out,
                ",\n            \"attribute_{n:03}\": \"some value \\u003c{i}\\u003e that is neither short nor long\""
            )
            .expect("text");
            n += 1;
        }
        out.push_str("\n          },\n          \"sensitive_attributes\": [],\n          \"dependencies\": [\n");
        let mut n = 0;
        while out.len() - start < per_resource - 80 {
            let comma = if n > 0 { ",\n" } else { "" };
            write!(out, "{comma}            \"module.zone.aws_s3_object.o{}\"", (i + n * 7) % RESOURCES).expect("text");
            n += 1;
        }
        out.push_str("\n          ]\n        }\n      ]\n    }");
    }
    out.push_str("\n  ],\n  \"check_results\": null\n}\n");
    out
}

fn measure(path: &str) {
    let start = Instant::now();
    let bytes = std::fs::read(path).expect("the state");
    let size = bytes.len();
    let read = start.elapsed();
    let state = State::parse(bytes).expect("a state");
    let loaded = start.elapsed();
    let peak_loaded = peak_mb();
    let start = Instant::now();
    let written = state.to_bytes();
    let wrote = start.elapsed();
    println!("{} resources, {:.1} MB", state.resources.len(), size as f64 / f64::from(1 << 20));
    println!("loaded in {loaded:.2?} (reading the file {read:.2?}), peak memory {peak_loaded:.0} MB");
    println!("written in {wrote:.2?}, peak memory {:.0} MB", peak_mb());
    assert!(State::parse(written).expect("a state").content_equals(&state), "it is not written as it was read");
    assert!(loaded.as_secs_f64() < 1.0 && peak_loaded < 400.0, "slower or larger than the design allows");
}

/// The most memory that this process has had so far; 0 where that cannot be known.
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kilobytes.unwrap_or_default() / 1024.0
}
