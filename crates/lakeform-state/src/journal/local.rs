//! The journal of a state file: a file beside it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    BoxFuture, OperationError, StoreError,
    local::{blocking, failed},
};

use super::{Journal, Page, damaged};

/// `FILE.journal`: one page to a line, each synced before the operation that it tells of begins.
#[derive(Clone, Debug)]
pub struct LocalJournal {
    path: PathBuf,
    /// Open while a run writes.
    file: Arc<Mutex<Option<File>>>,
}

impl LocalJournal {
    /// The journal of the state in the file `state`.
    pub fn new(state: impl AsRef<Path>) -> Self {
        let mut name = state.as_ref().as_os_str().to_owned();
        name.push(".journal");
        Self { path: name.into(), file: Arc::default() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn folder(&self) -> &Path {
        self.path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."))
    }

    /// Makes the directory's entry for the file durable.
    fn sync_folder(&self) -> io::Result<()> {
        File::open(self.folder())?.sync_all()
    }

    fn append_now(&self, line: &str) -> Result<(), OperationError> {
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let fail = |verb, e: io::Error| failed(verb, &self.path, &e);
        let mut file = match slot.take() {
            Some(file) => file,
            None => self.open().map_err(|e| fail("open", e))?,
        };
        // After a failure the file is opened anew, and what was half written is cut off.
        file.write_all(line.as_bytes()).and_then(|()| file.sync_data()).map_err(|e| fail("write", e))?;
        *slot = Some(file);
        Ok(())
    }

    fn open(&self) -> io::Result<File> {
        fs::create_dir_all(self.folder())?;
        let file = OpenOptions::new().read(true).append(true).create(true).open(&self.path)?;
        let whole = fs::read(&self.path)?;
        let end = whole.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        if end < whole.len() {
            file.set_len(end as u64)?;
        }
        self.sync_folder()?;
        Ok(file)
    }

    fn read_now(&self) -> Result<Vec<Page>, StoreError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(vec![]),
            Err(e) => return Err(failed("read", &self.path, &e).into()),
        };
        // What follows the last line's end was never durable, so what it tells of never began.
        let end = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
        let lines = bytes[..end].split(|b| *b == b'\n').filter(|line| !line.is_empty());
        lines
            .enumerate()
            .map(|(i, line)| {
                serde_json::from_slice(line)
                    .map_err(|e| damaged(&self.describe(), &format!("line {}", i + 1), &e.to_string()))
            })
            .collect()
    }

    fn clear_now(&self, run: &str, seq: u64) -> Result<(), OperationError> {
        let mut slot = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let pages = self.read_now().map_err(|e| match e {
            StoreError::Operation(e) => e,
            other => failed("read", &self.path, &io::Error::other(other.to_string())),
        })?;
        let left: Vec<Page> = pages.into_iter().filter(|p| p.run != run || p.seq > seq).collect();
        let fail = |verb, e: io::Error| failed(verb, &self.path, &e);
        *slot = None;
        if left.is_empty() {
            return match fs::remove_file(&self.path) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(fail("remove", e)),
                _ => Ok(()),
            };
        }
        let write = || -> io::Result<()> {
            let mut file = tempfile::Builder::new().prefix(".journal-").tempfile_in(self.folder())?;
            for page in &left {
                writeln!(file, "{}", page.to_json())?;
            }
            file.as_file().sync_all()?;
            file.persist(&self.path)?;
            self.sync_folder()
        };
        write().map_err(|e| fail("write", e))
    }
}

impl Journal for LocalJournal {
    fn append<'a>(&'a self, page: &'a Page) -> BoxFuture<'a, Result<(), StoreError>> {
        let (journal, line) = (self.clone(), page.to_json() + "\n");
        Box::pin(blocking(move || Ok(journal.append_now(&line)?)))
    }

    fn read(&self) -> BoxFuture<'_, Result<Vec<Page>, StoreError>> {
        let journal = self.clone();
        Box::pin(blocking(move || journal.read_now()))
    }

    fn clear<'a>(&'a self, run: &'a str, seq: u64) -> BoxFuture<'a, Result<(), StoreError>> {
        let (journal, run) = (self.clone(), run.to_owned());
        Box::pin(blocking(move || Ok(journal.clear_now(&run, seq)?)))
    }

    fn describe(&self) -> String {
        self.path.display().to_string()
    }
}
