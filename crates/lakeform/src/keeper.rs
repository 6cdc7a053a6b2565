//! Keeping the state and the journal while a run goes on, and what becomes of a state that cannot be saved.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use lakeform_core::Diagnostic;
use lakeform_engine::{ApplyReport, Save};
use lakeform_provider::BoxFuture;
use lakeform_state::{
    Cipher, PersistError, State, StateManager, StoreError,
    journal::{Entry, Journal, Page, Recovery, RunInfo},
};
use tokio::sync::{Mutex, Notify};

use crate::{Unsaved, builder::Clock, session::RESCUE};

/// How often a save that failed for a passing reason is tried again, and after how long.
const PAUSES: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];

/// How often something was tried.
#[derive(Default)]
struct Patience(usize);

impl Patience {
    /// Waits before the next attempt. False: there have been enough.
    async fn pause(&mut self) -> bool {
        let Some(pause) = PAUSES.get(self.0) else { return false };
        self.0 += 1;
        tokio::time::sleep(*pause).await;
        true
    }
}

/// Saves, trying again where the failure may pass. Gives the serial.
pub(crate) async fn persist(manager: &mut StateManager, state: &State) -> Result<u64, PersistError> {
    let mut patience = Patience::default();
    loop {
        match manager.persist(state).await {
            Ok(_) => return Ok(manager.state().serial),
            Err(PersistError::Store(StoreError::Operation(e))) if e.transient => {
                if !patience.pause().await {
                    return Err(PersistError::Store(StoreError::Operation(e)));
                }
            }
            Err(e) => return Err(e),
        }
    }
}

/// Takes pages of a journal away, trying again where the failure may pass.
async fn clear_run(journal: &dyn Journal, run: &str, seq: u64) -> Result<(), StoreError> {
    let mut patience = Patience::default();
    loop {
        match journal.clear(run, seq).await {
            Err(StoreError::Operation(e)) if e.transient && patience.pause().await => {}
            done => return done,
        }
    }
}

/// Takes away the journal that was read.
pub(crate) async fn clear(journal: &dyn Journal, recovery: &Recovery) -> Result<(), StoreError> {
    for (run, seq) in &recovery.pages {
        clear_run(journal, run, *seq).await?;
    }
    Ok(())
}

pub(crate) async fn write_rescue(
    manager: &StateManager,
    cipher: Option<&Cipher>,
    state: &State,
    file: &Path,
) -> Unsaved {
    let mut content = manager.next(state).unwrap_or_else(|| state.clone()).to_bytes();
    if let Some(cipher) = cipher {
        // The key was got before anything was changed. Without one nothing is better than secrets in clear.
        content = cipher.seal_state(&content).await.unwrap_or_default();
    }
    let written = !content.is_empty() && std::fs::write(file, &content).is_ok();
    Unsaved { file: written.then(|| file.to_owned()), content }
}

/// The journal that a run writes. Nothing is written before its first operation.
pub(crate) struct OpenJournal {
    journal: Arc<dyn Journal>,
    run: String,
    info: RunInfo,
    clock: Option<Clock>,
    pages: AtomicU64,
}

impl OpenJournal {
    pub(crate) fn new(journal: Arc<dyn Journal>, run: String, info: RunInfo, clock: Option<Clock>) -> Self {
        Self { journal, run, info, clock, pages: AtomicU64::new(0) }
    }

    /// The next page.
    fn page(&self, mut entries: Vec<Entry>) -> Page {
        let seq = self.pages.fetch_add(1, Ordering::SeqCst) + 1;
        if seq == 1 {
            entries.insert(0, Entry::Run(self.info.clone()));
        }
        let at = self.clock.as_ref().map(|clock| clock().as_second()).unwrap_or_default();
        Page { run: self.run.clone(), seq, at, entries }
    }

    async fn append(&self, page: Page) -> Result<(), Diagnostic> {
        let mut patience = Patience::default();
        while let Err(e) = self.journal.append(&page).await {
            let passing = matches!(&e, StoreError::Operation(e) if e.transient);
            if !(passing && patience.pause().await) {
                return Err(Diagnostic::error("The journal could not be written")
                    .detail(e.to_string())
                    .help("nothing more is begun without it: mend that, then run it again"));
            }
        }
        Ok(())
    }

    /// The state holds everything: the journal is needed no longer.
    pub(crate) async fn close(&self) {
        let pages = self.pages.load(Ordering::SeqCst);
        if pages == 0 {
            return;
        }
        // Where it cannot be taken away, the next run finds that the state holds it already.
        let _ = clear_run(&*self.journal, &self.run, pages).await;
    }
}

/// Saves for the engine, and keeps what cannot be saved.
pub(crate) struct Keeper<'m> {
    rescue: PathBuf,
    /// As a command would name it.
    stack: String,
    cipher: Option<Arc<Cipher>>,
    journal: Option<OpenJournal>,
    /// Told once a page is written, so that something begins.
    under_way: &'m Notify,
    inner: Mutex<(&'m mut StateManager, Option<Unsaved>)>,
}

impl<'m> Keeper<'m> {
    pub(crate) fn new(
        manager: &'m mut StateManager,
        rescue: PathBuf,
        stack: String,
        cipher: Option<Arc<Cipher>>,
        journal: Option<OpenJournal>,
        under_way: &'m Notify,
    ) -> Self {
        Self { rescue, stack, cipher, journal, under_way, inner: Mutex::new((manager, None)) }
    }

    /// The state if it could not be saved, and the journal if it is needed no longer.
    pub(crate) fn finish(self, report: &ApplyReport) -> (Option<Unsaved>, Option<OpenJournal>) {
        let (_, unsaved) = self.inner.into_inner();
        let done = unsaved.is_none() && report.saved && report.settled;
        (unsaved, self.journal.filter(|_| done))
    }
}

impl Save for Keeper<'_> {
    fn save<'a>(&'a self, state: &'a State) -> BoxFuture<'a, Result<u64, Diagnostic>> {
        Box::pin(async move {
            let mut inner = self.inner.lock().await;
            let (manager, unsaved) = &mut *inner;
            match persist(manager, state).await {
                Ok(serial) => {
                    if let Some(Unsaved { file: Some(file), .. }) = unsaved.take() {
                        // A later save took it in: what was rescued is out of date.
                        let _ = std::fs::remove_file(file);
                    }
                    Ok(serial)
                }
                Err(cause) => {
                    *unsaved = Some(write_rescue(manager, self.cipher.as_deref(), state, &self.rescue).await);
                    Err(not_saved(&cause, unsaved.as_ref().and_then(|u| u.file.as_ref()), &self.stack))
                }
            }
        })
    }

    fn has_journal(&self) -> bool {
        self.journal.is_some()
    }

    fn pages_at_once(&self) -> usize {
        self.journal.as_ref().map_or(1, |journal| journal.journal.at_once())
    }

    fn record(&self, entries: Vec<Entry>) -> BoxFuture<'_, Result<(), Diagnostic>> {
        let page = self.journal.as_ref().map(|journal| (journal, journal.page(entries)));
        Box::pin(async move {
            match page {
                Some((journal, page)) => {
                    journal.append(page).await?;
                    self.under_way.notify_one();
                    Ok(())
                }
                None => Ok(()),
            }
        })
    }
}

/// What to tell of a state that could not be saved, and how to go on.
fn not_saved(cause: &PersistError, file: Option<&PathBuf>, stack: &str) -> Diagnostic {
    let problem = Diagnostic::error("Failed to persist state to backend").detail(cause.to_string());
    if let (true, Some(file)) = (cause.lost_lock(), file) {
        return problem.help(format!(
            "another run may have changed the state since, so do not push this one: it is in {}, for `lakeform plan {stack}` to be \
             held against",
            file.display()
        ));
    }
    match file.map(|file| file.display()) {
        Some(file) => problem.help(format!(
            "the state was written to {file}. Store it with `lakeform state push {stack} {file}` before anything else: \
             applying again without it would fork the state"
        )),
        None => problem.help(format!(
            "{RESCUE} could not be written either, so the state is printed: keep it in a file and store it with \
             `lakeform state push {stack} FILE`"
        )),
    }
}
