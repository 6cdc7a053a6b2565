//! Where the records of runs are kept: one small document per run, beside the state.

use std::{
    collections::BTreeMap,
    fmt, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    BoxFuture, OperationError,
    local::{blocking, failed},
};

/// A place for records. Their names sort by time.
pub trait RunLog: Send + Sync + fmt::Debug {
    /// Writes a record, in place of the one of that name if there is one.
    ///
    /// # Errors
    /// When it cannot be written.
    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), OperationError>>;

    /// The names of all records, in their order.
    ///
    /// # Errors
    /// When they cannot be found out.
    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, OperationError>>;

    /// A record; `None` if there is none of that name.
    ///
    /// # Errors
    /// When it cannot be read.
    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, OperationError>>;
}

/// Records as files of a folder, which is made when it is needed.
#[derive(Clone, Debug)]
pub struct LocalRuns {
    folder: PathBuf,
}

impl LocalRuns {
    /// The records beside the state in `path`: `FILE.runs/`.
    pub fn beside(path: impl AsRef<Path>) -> Self {
        let mut name = path.as_ref().to_path_buf().into_os_string();
        name.push(".runs");
        Self { folder: name.into() }
    }
}

impl RunLog for LocalRuns {
    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), OperationError>> {
        let (folder, file) = (self.folder.clone(), self.folder.join(name));
        Box::pin(blocking(move || {
            fs::create_dir_all(&folder).map_err(|e| failed("create", &folder, &e))?;
            let write = || -> io::Result<()> {
                let mut beside = tempfile::Builder::new().prefix(".run-").tempfile_in(&folder)?;
                beside.write_all(&bytes)?;
                beside.as_file().sync_all()?;
                beside.persist(&file)?;
                Ok(())
            };
            write().map_err(|e| failed("write", &file, &e))
        }))
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, OperationError>> {
        let folder = self.folder.clone();
        Box::pin(blocking(move || {
            let entries = match fs::read_dir(&folder) {
                Ok(entries) => entries,
                Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(e) => return Err(failed("read", &folder, &e)),
            };
            let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
            let mut names: Vec<String> = names.filter(|name| name.ends_with(".json")).collect();
            names.sort();
            Ok(names)
        }))
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, OperationError>> {
        let file = self.folder.join(name);
        Box::pin(blocking(move || match fs::read(&file) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("read", &file, &e)),
        }))
    }
}

/// Records in memory, for tests. Clones are the same place.
#[derive(Clone, Debug, Default)]
pub struct MemoryRuns(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl RunLog for MemoryRuns {
    fn put<'a>(&'a self, name: &'a str, bytes: Vec<u8>) -> BoxFuture<'a, Result<(), OperationError>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), bytes);
        Box::pin(std::future::ready(Ok(())))
    }

    fn list(&self) -> BoxFuture<'_, Result<Vec<String>, OperationError>> {
        let names = self.0.lock().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect();
        Box::pin(std::future::ready(Ok(names)))
    }

    fn get<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, OperationError>> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        Box::pin(std::future::ready(Ok(bytes)))
    }
}
