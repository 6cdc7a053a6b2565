//! What goes on, while it goes on.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lakeform::{Event, Events, Operation, core::InstanceAddress};

use crate::{
    view::{events_json, style::Style},
    world::Shared,
};

/// How it is shown.
pub(crate) enum Show {
    /// One line per event.
    Lines(Shared),
    /// One JSON object per event, with the time.
    Json(Shared, Arc<dyn Fn() -> jiff::Timestamp + Send + Sync>),
    /// A line per running operation, with its elapsed time.
    Terminal,
}

/// Receives the events of a run and shows them.
pub(crate) struct Progress {
    show: Show,
    style: Style,
    running: Mutex<BTreeMap<(InstanceAddress, Option<String>), Running>>,
    bars: MultiProgress,
    reading: Mutex<Option<(ProgressBar, u64)>>,
}

struct Running {
    operation: Operation,
    since: Instant,
    /// How many times it was said that this takes long.
    told: u64,
    bar: Option<ProgressBar>,
}

/// How often a running operation is mentioned where nothing is animated.
const REMINDER: Duration = Duration::from_secs(10);

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Progress {
    pub(crate) fn new(show: Show, style: Style) -> Self {
        let bars = match show {
            Show::Terminal => MultiProgress::new(),
            Show::Lines(_) | Show::Json(..) => MultiProgress::with_draw_target(indicatif::ProgressDrawTarget::hidden()),
        };
        Self { show, style, running: Mutex::default(), bars, reading: Mutex::default() }
    }

    /// Does the work, and meanwhile mentions operations that take long.
    pub(crate) async fn during<T>(&self, work: impl Future<Output = T>) -> T {
        let remind = async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                self.remind();
            }
        };
        let done = tokio::select! {
            done = work => done,
            () = remind => unreachable!("reminding never ends"),
        };
        self.clear();
        done
    }

    /// Takes everything animated off the screen.
    pub(crate) fn clear(&self) {
        if let Some((bar, _)) = hold(&self.reading).take() {
            bar.finish_and_clear();
        }
        let _ = self.bars.clear();
    }

    fn remind(&self) {
        for ((address, deposed), running) in hold(&self.running).iter_mut() {
            let elapsed = running.since.elapsed();
            let times = elapsed.as_secs() / REMINDER.as_secs();
            if times > running.told && !matches!(running.operation, Operation::Refresh | Operation::Read) {
                running.told = times;
                let name = name(address, deposed.as_deref());
                match &self.show {
                    Show::Lines(err) => {
                        let word = verb(running.operation).to_lowercase();
                        let _ = err.write(&format!("{name}: Still {word}... [{} elapsed]\n", seconds(elapsed)));
                    }
                    Show::Json(out, clock) => {
                        let event = events_json::progress(address, running.operation, elapsed, &clock().to_string());
                        let _ = out.write(&format!("{event}\n"));
                    }
                    Show::Terminal => {}
                }
            }
        }
    }

    fn line(&self, text: &str) {
        match &self.show {
            Show::Lines(err) => drop(err.write(&format!("{text}\n"))),
            Show::Terminal => drop(self.bars.println(text)),
            Show::Json(..) => {}
        }
    }

    fn begin(&self, address: &InstanceAddress, deposed: Option<&str>, operation: Operation, id: Option<&str>) {
        let shown = name(address, deposed);
        let id = id.map(|id| format!(" [id={id}]")).unwrap_or_default();
        let quiet = matches!(operation, Operation::Refresh | Operation::Read);
        let mut bar = None;
        match (&self.show, quiet) {
            (Show::Terminal, true) => self.reading(1, None),
            (Show::Terminal, false) => bar = Some(self.spinner(format!("{shown}: {}...{id}", verb(operation)))),
            (Show::Lines(_), _) => {
                let state = if operation == Operation::Refresh { " state" } else { "" };
                self.line(&format!("{}: {}{state}...{id}", self.style.bold(shown), verb(operation)));
            }
            (Show::Json(..), _) => {}
        }
        let running = Running { operation, since: Instant::now(), told: 0, bar };
        hold(&self.running).insert((address.clone(), deposed.map(str::to_owned)), running);
    }

    fn end(&self, address: &InstanceAddress, deposed: Option<&str>) {
        let running = hold(&self.running).remove(&(address.clone(), deposed.map(str::to_owned)));
        if let Some(Running { bar: Some(bar), .. }) = running {
            bar.finish_and_clear();
            self.bars.remove(&bar);
        }
    }

    fn spinner(&self, text: String) -> ProgressBar {
        let bar = self.bars.add(ProgressBar::new_spinner());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(text);
        bar.enable_steady_tick(Duration::from_millis(120));
        bar
    }

    /// One line for all reading: `Reading 12/40`.
    fn reading(&self, more: u64, done: Option<u64>) {
        let mut reading = hold(&self.reading);
        let (bar, total) = reading.get_or_insert_with(|| {
            let bar = self.bars.add(ProgressBar::new(0));
            if let Ok(style) = ProgressStyle::with_template("{spinner} Reading {pos}/{len} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            (bar, 0)
        });
        *total += more;
        bar.set_length(*total);
        bar.inc(done.unwrap_or(0));
    }
}

impl Events for Progress {
    fn event(&self, event: Event<'_>) {
        if let Show::Json(out, clock) = &self.show
            && let Some(line) = events_json::event(&event, &clock().to_string())
        {
            let _ = out.write(&format!("{line}\n"));
        }
        match event {
            Event::Started { address, deposed, operation, id } => self.begin(address, deposed, operation, id),
            Event::Finished { address, deposed, operation, id, elapsed } => {
                self.end(address, deposed);
                let id = id.map(|id| format!(" [id={id}]")).unwrap_or_default();
                let shown = self.style.bold(name(address, deposed));
                match (operation, &self.show) {
                    (Operation::Refresh, Show::Lines(_)) => {}
                    (Operation::Refresh | Operation::Read, Show::Terminal) => self.reading(0, Some(1)),
                    _ => self.line(&format!("{shown}: {} complete after {}{id}", noun(operation), seconds(elapsed))),
                }
            }
            Event::Failed { address, operation, elapsed, .. } => {
                self.end(address, None);
                let text = format!("{address}: {} failed after {}", noun(operation), seconds(elapsed));
                self.line(&self.style.red(text));
            }
            Event::ProvisioningStarted { address, provisioner } => {
                self.line(&format!("{}: Provisioning with '{provisioner}'...", self.style.bold(address)));
            }
            Event::Provisioning { address, provisioner, output } => {
                self.line(&format!("{} {output}", self.style.bold(format!("{address} ({provisioner}):"))));
            }
            Event::RollingBack { objects } => {
                let what = if objects == 1 { "1 object".to_owned() } else { format!("{objects} objects") };
                self.line(&self.style.bold(format!("Rolling back {what}...")));
            }
            Event::Skipped { address } => self.line(&format!("{}: Skipped", self.style.bold(address))),
            _ => {}
        }
    }
}

fn name(address: &InstanceAddress, deposed: Option<&str>) -> String {
    match deposed {
        Some(key) => format!("{address} (deposed object {key})"),
        None => address.to_string(),
    }
}

fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Refresh => "Refreshing",
        Operation::Read => "Reading",
        Operation::Open => "Opening",
        Operation::Create => "Creating",
        Operation::Update => "Modifying",
        Operation::Delete => "Destroying",
    }
}

fn noun(operation: Operation) -> &'static str {
    match operation {
        Operation::Refresh => "Refresh",
        Operation::Read => "Read",
        Operation::Open => "Opening",
        Operation::Create => "Creation",
        Operation::Update => "Modifications",
        Operation::Delete => "Destruction",
    }
}

/// `7s`, `2m5s`
fn seconds(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        s if s < 60 => format!("{s}s"),
        s if s < 3600 => format!("{}m{}s", s / 60, s % 60),
        s => format!("{}h{}m{}s", s / 3600, s / 60 % 60, s % 60),
    }
}
