//! Runs rows of the trial table with Terraform itself: what does not hold for Terraform need not hold for lakeform.
//!
//!     cargo run -p lakeform-testkit --example trials -- [--on moto|ministack] [--mirror FOLDER] [TYPE ...]
//!
//! It needs `terraform` 1.11 on PATH and the AWS provider 5.100 where its CLI configuration, or `--mirror`, says.

use std::{error::Error, path::PathBuf};

use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    proxy::Proxy,
    trials::{Terraform, load, run},
};

fn main() -> Result<(), Box<dyn Error>> {
    let mut kind = Kind::Moto;
    let mut mirror = None;
    let mut types = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--on" => {
                let name = arguments.next().unwrap_or_default();
                kind = Kind::from_name(&name).ok_or(format!("there is no emulator `{name}`"))?;
            }
            "--mirror" => mirror = arguments.next().map(PathBuf::from),
            _ => types.push(argument),
        }
    }
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/tests/trials"));
    let rows = load(&folder)?;
    let emulator = Emulator::start(kind)?;
    let proxy = Proxy::start(emulator.address())?;
    let terraform = Terraform::new(environment_for(&proxy.url()), mirror.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut failed = 0;
    for row in rows.iter().filter(|row| types.is_empty() || types.contains(&row.ty)) {
        if !row.is_served_by(kind) {
            println!("{} is not served by {kind}", row.ty);
            continue;
        }
        row.prepare(&emulator)?;
        let report = runtime.block_on(run(row, &terraform, &proxy, kind));
        failed += report.failures().len();
        print!("{report}");
    }
    if failed > 0 { Err(format!("{failed} trials do not hold").into()) } else { Ok(()) }
}
