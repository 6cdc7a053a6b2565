//! A state in a file of this machine.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{BoxFuture, OperationError, StateStore, StateVersion, StoreError, Stored, Version, local_versions};

/// A state file. Each write goes to a file beside it, is synced and renamed over it, so that at every instant there is a
/// whole state. The first write of a store keeps what was there as `FILE.backup`, as Terraform does: the state as it was
/// before the run. The last ten of those are in `FILE.versions/`.
#[derive(Clone, Debug)]
pub struct LocalStore {
    path: PathBuf,
    backed_up: Arc<AtomicBool>,
}

impl LocalStore {
    /// The state in the file `path`, which need not exist yet; nor need its directory.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), backed_up: Arc::default() }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the state as it was before the run is kept.
    pub fn backup_path(&self) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".backup");
        name.into()
    }

    fn read_now(&self) -> Result<Option<Stored>, StoreError> {
        let bytes = read_if_there(&self.path)?;
        Ok(bytes.map(|bytes| Stored { version: version_of(&bytes), bytes, stale: false }))
    }

    fn keep_backup_now(&self, bytes: &[u8]) -> Result<(), StoreError> {
        if self.backed_up.load(Ordering::Relaxed) {
            return Ok(());
        }
        let backup = self.backup_path();
        beside(&backup, |file| file.write_all(bytes)).map_err(|e| failed("back up to", &backup, &e))?;
        self.backed_up.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn write_now(&self, bytes: &[u8], expected: Option<&Version>) -> Result<Version, StoreError> {
        // A link keeps pointing at the file that it points at.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder).map_err(|e| failed("create", folder, &e))?;
        let directory = File::open(folder).map_err(|e| failed("open", folder, &e))?;
        // Makes "compare" and "swap" one step among the processes of this machine. Some network file systems cannot lock a
        // directory; there the run's own lock is what keeps writers apart.
        let _guard = directory.try_clone().and_then(|guard| guard.lock().map(|()| guard));
        let old = read_if_there(&path)?;
        let there = old.as_deref().map(version_of);
        if there.as_ref() != expected {
            // An earlier attempt got through, and only what came after it failed.
            if there.as_ref() == Some(&version_of(bytes)) {
                return Ok(version_of(bytes));
            }
            return Err(StoreError::Moved { place: self.describe() });
        }
        let write = || -> io::Result<tempfile::NamedTempFile> {
            let mut file = tempfile::Builder::new().prefix(".tfstate-").tempfile_in(folder)?;
            file.write_all(bytes)?;
            if let Ok(metadata) = fs::metadata(&path) {
                file.as_file().set_permissions(metadata.permissions())?;
            }
            file.as_file().sync_all()?;
            Ok(file)
        };
        let file = write().map_err(|e| failed("write", &path, &e))?;
        if let Some(old) = old.filter(|_| !self.backed_up.load(Ordering::Relaxed)) {
            let kept = back_up(&path, &self.backup_path()).and_then(|()| local_versions::keep(&self.path, &old));
            kept.map_err(|e| failed("back up", &path, &e))?;
        }
        file.persist(&path).map_err(|e| failed("write", &path, &e.error))?;
        directory.sync_all().map_err(|e| failed("sync", folder, &e))?;
        self.backed_up.store(true, Ordering::Relaxed);
        Ok(version_of(bytes))
    }
}

impl StateStore for LocalStore {
    fn read_raw(&self) -> BoxFuture<'_, Result<Option<Stored>, StoreError>> {
        let store = self.clone();
        Box::pin(blocking(move || store.read_now()))
    }

    fn write(&self, bytes: Vec<u8>, expected: Option<Version>) -> BoxFuture<'_, Result<Version, StoreError>> {
        let store = self.clone();
        Box::pin(blocking(move || store.write_now(&bytes, expected.as_ref())))
    }

    fn keep_backup(&self, bytes: Vec<u8>) -> BoxFuture<'_, Result<(), StoreError>> {
        let store = self.clone();
        Box::pin(blocking(move || store.keep_backup_now(&bytes)))
    }

    fn describe(&self) -> String {
        self.path.display().to_string()
    }

    fn versions(&self, limit: usize) -> BoxFuture<'_, Result<Vec<StateVersion>, StoreError>> {
        let store = self.clone();
        Box::pin(blocking(move || {
            let listed = local_versions::list(&store.path, &store.backup_path(), limit);
            Ok(listed.map_err(|e| failed("list the versions of", &store.path, &e))?)
        }))
    }

    fn read_version<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        let (store, id) = (self.clone(), id.to_owned());
        Box::pin(blocking(move || {
            let read = local_versions::read(&store.path, &store.backup_path(), &id);
            Ok(read.map_err(|e| failed(&format!("read version {id} of"), &store.path, &e))?)
        }))
    }
}

/// Runs file work where it does not hold up the other tasks of a run.
pub(crate) async fn blocking<T: Send + 'static, E: From<OperationError> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|e| {
        let operation = "file operation".to_owned();
        Err(OperationError { operation, cause: e.to_string(), help: None, transient: false }.into())
    })
}

/// An operation on a file that failed.
pub(crate) fn failed(verb: &str, path: &Path, error: &io::Error) -> OperationError {
    let help = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some("check who owns the file and its directory".to_owned())
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("make room on the disk".to_owned()),
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => Some("name a file as the state".to_owned()),
        _ => None,
    };
    OperationError {
        operation: format!("{verb} {}", path.display()),
        cause: error.to_string(),
        help,
        transient: matches!(error.kind(), io::ErrorKind::Interrupted | io::ErrorKind::TimedOut),
    }
}

/// The content of a state file. An empty file counts as none, as in Terraform.
fn read_if_there(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    match fs::read(path) {
        Ok(bytes) if bytes.is_empty() => Ok(None),
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed("read", path, &e).into()),
    }
}

/// Tells contents apart. Nobody crafts two states with one hash here: it only has to catch a writer nobody knew of.
fn version_of(bytes: &[u8]) -> Version {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    Version(format!("{}-{:016x}", bytes.len(), hasher.finish()))
}

/// Keeps a file under a second name, itself in place.
pub(crate) fn back_up(path: &Path, backup: &Path) -> io::Result<()> {
    beside(backup, |file| fs::copy(path, file.path()).map(drop))
}

/// Fills a file and puts it in the place of another in one step.
fn beside(target: &Path, fill: impl FnOnce(&mut tempfile::NamedTempFile) -> io::Result<()>) -> io::Result<()> {
    let folder = target.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".tfstate-").tempfile_in(folder)?;
    fill(&mut file)?;
    file.as_file().sync_all()?;
    file.persist(target)?;
    Ok(())
}
