//! What custom tooling does with lakeform: load a stack, plan, look at the plan, apply it with an event stream and a
//! cancellation token, and look for drift.
//!
//! ```text
//! cargo run -p lakeform --example tooling -- stacks/prod.toml
//! ```

use std::{env, error::Error, sync::mpsc, thread, time::Duration};

use lakeform::{Cancel, Event, Events, Lakeform, LoadOptions, Operation, PlanOptions, VariableSource};

/// Hands on what happens. Events come from the run itself, so this must not block: it only sends.
struct Stream(mpsc::Sender<String>);

impl Events for Stream {
    fn event(&self, event: Event<'_>) {
        let line = match event {
            Event::Finished { address, operation, elapsed, .. } if operation != Operation::Refresh => {
                format!("{address}: {operation:?} took {elapsed:?}")
            }
            Event::Failed { address, diagnostic, .. } => format!("{address}: {diagnostic}"),
            _ => return,
        };
        // Nobody listening is no reason to stop.
        let _ = self.0.send(line);
    }
}

#[tokio::main]
#[allow(clippy::disallowed_methods, reason = "a program may read its surroundings; the library does not")]
async fn main() -> Result<(), Box<dyn Error>> {
    let stack = env::args().nth(1).ok_or("name a stack")?;

    // The library knows only what it is given.
    let lakeform = Lakeform::builder()
        .environment(env::vars())
        .working_directory(env::current_dir()?)
        .clock(jiff::Timestamp::now)
        .who("tooling@example")
        .build();

    // Load it, with values for variables and some patience for the lock.
    let options = LoadOptions {
        variables: vec![VariableSource::Text("owner".into(), "tooling".into())],
        lock_timeout: Duration::from_secs(60),
        ..LoadOptions::default()
    };
    let stack = lakeform.load(stack, options)?;
    for problem in stack.validate().iter() {
        eprintln!("{problem}");
    }

    // A run can be stopped from anywhere: once lets operations in flight finish, twice does not.
    let cancel = Cancel::new();
    let (sender, events) = mpsc::channel();
    let printer = thread::spawn(move || events.into_iter().for_each(|line| println!("{line}")));
    let stream = Stream(sender);

    // Plan, and decide by looking at the plan.
    let plan = stack.plan(PlanOptions::default(), &stream, &cancel).await?;
    for change in plan.changes.iter().filter(|change| change.action.is_change()) {
        println!("{:>3} {} {:?}", change.action.glyph(), change.address, change.reason);
    }
    let (add, change, destroy) = plan.counts();
    if destroy > 0 {
        return Err(format!("this tool never destroys, and the plan destroys {destroy}").into());
    }
    println!("{add} to add, {change} to change");

    // Carry out exactly that plan. The lock is taken, and the plan refused if the state has moved on.
    let applied = stack.apply(plan, &stream, &cancel).await?;
    for problem in applied.report.diagnostics.iter() {
        eprintln!("{problem}");
    }
    if let Some(unsaved) = applied.unsaved {
        eprintln!("the state could not be saved; it is in {:?}", unsaved.file);
    }

    // Later, from cron: what has changed behind our back? Needs neither lock nor write permission.
    let drift = stack.drift(PlanOptions::default(), &stream, &cancel).await?;
    for object in drift.outside() {
        println!("{} was changed outside", object.address);
    }
    for (name, output) in stack.outputs().await? {
        println!(
            "{name}: {}",
            if output.sensitive { "(sensitive)".into() } else { lakeform::lang::render(&output.value) }
        );
    }

    drop(stream);
    printer.join().map_err(|_| "the printer failed")?;
    Ok(())
}
