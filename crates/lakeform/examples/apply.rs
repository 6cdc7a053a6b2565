//! Applies a stack under its lock, as `lakeform apply --auto-approve` does; with `--without-journal` as a tool does that has none:
//! the state is written after operations instead. The difference is what the journal costs:
//!
//! ```text
//! cargo build --release -p lakeform --example apply
//! cargo run --release -p lakeform-testkit --example crashes -- --backend s3 --time 9 \
//!     --applies target/release/examples/apply --against "target/release/examples/apply --without-journal"
//! ```

use std::{env, error::Error, process::ExitCode};

use lakeform::{Cancel, Error as Failure, Lakeform, LoadOptions, NoEvents, PlanOptions, Session};

#[tokio::main]
#[allow(clippy::disallowed_methods, reason = "a program may read its surroundings; the library does not")]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let mut arguments = env::args().skip(1).filter(|argument| argument != "apply");
    let stack = arguments.find(|argument| !argument.starts_with('-')).ok_or("name a stack")?;
    let without_journal = env::args().any(|argument| argument == "--without-journal");

    let lakeform = Lakeform::builder()
        .environment(env::vars())
        .working_directory(env::current_dir()?)
        .clock(jiff::Timestamp::now)
        .who("apply@example")
        .build();
    let mut stack = lakeform.load(stack, LoadOptions::default())?;
    if without_journal {
        let backend = stack.backend().await?.clone().with_journal(None);
        stack = stack.with_backend(backend);
    }

    let cancel = Cancel::new();
    let work = async |session: &mut Session<'_>| -> Result<_, Failure> {
        let plan = session.plan(PlanOptions::default(), &NoEvents, &cancel).await?;
        Ok(session.apply(plan, &NoEvents, &cancel).await)
    };
    let applied = stack.locked("OperationTypeApply", &cancel, &|_| {}, work).await?;
    for problem in applied.report.diagnostics.iter() {
        eprintln!("{problem}");
    }
    Ok(if applied.report.diagnostics.has_errors() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
