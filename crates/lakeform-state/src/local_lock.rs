//! The lock of a state file.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    Acquired, BoxFuture, LockError, LockInfo, StateLock,
    local::{blocking, failed},
};

/// The lock of a state file: an OS lock on `.NAME.lock.info` beside it, which also says who has it, under Terraform's
/// name and in Terraform's shape. The OS frees it when its process ends, however that happens.
///
/// A Terraform that works on the same file is waited for: its lock on the state file is honoured. Terraform in turn does
/// not see this one; shared estates keep their state in S3.
#[derive(Clone, Debug)]
pub struct LocalLock {
    state: PathBuf,
    held: Arc<Mutex<Option<Held>>>,
}

#[derive(Debug)]
struct Held {
    /// Keeps the OS lock.
    _file: File,
    info: LockInfo,
}

impl LocalLock {
    /// The lock of the state in the file `state`.
    pub fn new(state: impl Into<PathBuf>) -> Self {
        Self { state: state.into(), held: Arc::default() }
    }

    /// The file that is locked and says who has it: `.terraform.tfstate.lock.info` for `terraform.tfstate`.
    pub fn info_path(&self) -> PathBuf {
        let name = self.state.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        self.state.with_file_name(format!(".{}.lock.info", name.strip_prefix('.').unwrap_or(&name)))
    }

    fn place(&self) -> String {
        self.state.display().to_string()
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_by(&self, holder: Option<LockInfo>) -> LockError {
        LockError::Held { place: self.place(), holder: holder.map(Box::new) }
    }

    fn not_held(&self, id: &str) -> LockError {
        LockError::NotHeld { place: self.place(), id: id.to_owned() }
    }

    fn mismatch(&self, id: &str, holder: Option<LockInfo>) -> LockError {
        LockError::IdMismatch { place: self.place(), id: id.to_owned(), holder: holder.map(Box::new) }
    }

    fn acquire_now(&self, info: &LockInfo) -> Result<Acquired, LockError> {
        let mut held = self.held();
        if let Some(held) = &*held {
            return Err(self.held_by(Some(held.info.clone())));
        }
        let path = self.info_path();
        let fail = |verb, e: io::Error| LockError::from(failed(verb, &path, &e));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|e| fail("create the directory of", e))?;
        }
        let mut file = loop {
            let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
            let file = options.map_err(|e| fail("open", e))?;
            match try_lock(&file) {
                Ok(true) if is_at(&file, &path) => break file,
                // The holder removed the file between our opening and locking it: what we locked is no longer the lock.
                Ok(true) => {}
                Ok(false) => return Err(self.held_by(read_info(file))),
                Err(e) => return Err(fail("lock", e)),
            }
        };
        if terraform_holds(&self.state) {
            return Err(self.held_by(read_info(file)));
        }
        let info = LockInfo { path: self.place(), ..info.clone() };
        let write = |file: &mut File| {
            file.set_len(0)?;
            file.seek(SeekFrom::Start(0))?;
            file.write_all(info.to_json().as_bytes())?;
            file.sync_data()
        };
        write(&mut file).map_err(|e| fail("write", e))?;
        *held = Some(Held { _file: file, info });
        Ok(Acquired::default())
    }

    fn release_now(&self, id: &str) -> Result<(), LockError> {
        let mut held = self.held();
        match &*held {
            Some(mine) if mine.info.id == id => {
                // Removed while it is still locked, so that nobody else's file can be hit.
                let removed = fs::remove_file(self.info_path());
                *held = None;
                removed.map_err(|e| failed("remove", &self.info_path(), &e).into())
            }
            Some(mine) => Err(self.mismatch(id, Some(mine.info.clone()))),
            None => match self.other_holder()? {
                Some(other) => Err(self.mismatch(id, Some(other))),
                None => Err(self.not_held(id)),
            },
        }
    }

    /// Who holds it, when this object does not.
    fn other_holder(&self) -> Result<Option<LockInfo>, LockError> {
        let path = self.info_path();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed("open", &path, &e).into()),
        };
        let free = match file.try_lock_shared() {
            Ok(()) => !terraform_holds(&self.state),
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(e)) => return Err(failed("lock", &path, &e).into()),
        };
        Ok(if free { None } else { Some(read_info(file).unwrap_or_default()) })
    }

    fn force_release_now(&self, id: &str) -> Result<(), LockError> {
        if self.held().is_some() {
            return self.release_now(id);
        }
        match self.other_holder()? {
            Some(holder) if holder.id == id => Err(LockError::Alive { place: self.place(), holder: Box::new(holder) }),
            Some(holder) => Err(self.mismatch(id, Some(holder))),
            None => {
                // What a killed process left behind holds nobody up; it only goes for tidiness.
                let path = self.info_path();
                match File::open(&path).ok().and_then(read_info) {
                    Some(left) if left.id == id => {
                        fs::remove_file(&path).map_err(|e| failed("remove", &path, &e).into())
                    }
                    _ => Err(self.not_held(id)),
                }
            }
        }
    }
}

impl StateLock for LocalLock {
    fn acquire<'a>(&'a self, info: &'a LockInfo) -> BoxFuture<'a, Result<Acquired, LockError>> {
        let (lock, info) = (self.clone(), info.clone());
        Box::pin(blocking(move || lock.acquire_now(&info)))
    }

    fn release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        let (lock, id) = (self.clone(), id.to_owned());
        Box::pin(blocking(move || lock.release_now(&id)))
    }

    fn holder(&self) -> BoxFuture<'_, Result<Option<LockInfo>, LockError>> {
        let lock = self.clone();
        Box::pin(blocking(move || {
            let mine = lock.held().as_ref().map(|held| held.info.clone());
            if mine.is_some() { Ok(mine) } else { lock.other_holder() }
        }))
    }

    fn force_release<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), LockError>> {
        let (lock, id) = (self.clone(), id.to_owned());
        Box::pin(blocking(move || lock.force_release_now(&id)))
    }

    fn describe(&self) -> String {
        self.place()
    }
}

/// Locks a file unless another has it. Tries for 20 ms: whoever asks for the holder locks it too, for an instant.
fn try_lock(file: &File) -> io::Result<bool> {
    for _ in 0..4 {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(5)),
            Err(TryLockError::Error(e)) => return Err(e),
        }
    }
    Ok(false)
}

/// Whether `path` still names the file that is open.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// A locked file cannot be removed on the other systems.
#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

/// Whether a Terraform process works on the state file: it then has a record lock (`fcntl`) on it.
#[cfg(unix)]
fn terraform_holds(state: &Path) -> bool {
    use rustix::fs::{FlockOperation, fcntl_lock};
    match OpenOptions::new().read(true).write(true).open(state) {
        // Closing the file gives the lock back.
        Ok(file) => matches!(
            fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS)
        ),
        Err(_) => false,
    }
}

#[cfg(not(unix))]
fn terraform_holds(_: &Path) -> bool {
    false
}

fn read_info(mut file: File) -> Option<LockInfo> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0)).ok()?;
    file.read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}
