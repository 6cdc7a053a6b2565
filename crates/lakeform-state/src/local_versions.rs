//! Earlier states of a state in a file: `FILE.versions/SERIAL.tfstate`, one for each run, the last ten.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::Deserialize;

use crate::StateVersion;

/// How many are kept.
const KEPT: usize = 10;

/// What the current state is called among the versions.
const CURRENT: &str = "current";

/// What Terraform's own `.backup` is called, where it is none of those that are kept.
const BACKUP: &str = "backup";

fn folder(path: &Path) -> PathBuf {
    let mut name = path.to_path_buf().into_os_string();
    name.push(".versions");
    name.into()
}

/// Keeps the content of a state file that is about to be replaced, and drops the oldest that is too much.
pub(crate) fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    #[derive(Deserialize)]
    struct Numbered {
        serial: u64,
    }
    let folder = folder(path);
    fs::create_dir_all(&folder)?;
    let serial = serde_json::from_slice(bytes).map_or_else(|_| "state".to_owned(), |n: Numbered| n.serial.to_string());
    let names = std::iter::once(serial.clone()).chain((2..).map(|n| format!("{serial}-{n}")));
    // A state that was pushed by force, or restored by hand, may have the serial of another.
    for file in names.map(|name| folder.join(format!("{name}.tfstate"))) {
        match fs::read(&file) {
            Ok(there) if there == bytes => return Ok(()),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let modified = fs::metadata(path)?.modified()?;
                super::local::back_up(path, &file)?;
                fs::File::options().append(true).open(&file)?.set_modified(modified)?;
                break;
            }
            Err(e) => return Err(e),
        }
    }
    for (_, file) in kept(path)?.into_iter().skip(KEPT) {
        fs::remove_file(file)?;
    }
    Ok(())
}

/// Those that are kept with their files, newest first.
fn kept(path: &Path) -> io::Result<Vec<(StateVersion, PathBuf)>> {
    let entries = match fs::read_dir(folder(path)) {
        Ok(entries) => entries,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut out = Vec::new();
    for entry in entries {
        let file = entry?.path();
        let id = file.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned);
        if let (Some(id), Some("tfstate")) = (id, file.extension().and_then(|e| e.to_str())) {
            out.extend(version(&file, id, false)?.map(|version| (version, file)));
        }
    }
    let serial = |id: &str| id.split('-').next().and_then(|n| n.parse::<u64>().ok());
    out.sort_by(|(a, _), (b, _)| (b.modified, serial(&b.id), &b.id).cmp(&(a.modified, serial(&a.id), &a.id)));
    Ok(out)
}

fn version(file: &Path, id: String, current: bool) -> io::Result<Option<StateVersion>> {
    match fs::metadata(file) {
        Ok(found) if found.len() > 0 => {
            let modified: Option<SystemTime> = found.modified().ok();
            Ok(Some(StateVersion { id, modified, size: found.len(), current }))
        }
        Ok(_) => Ok(None),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// The current state and the earlier ones, newest first.
pub(crate) fn list(path: &Path, backup: &Path, limit: usize) -> io::Result<Vec<StateVersion>> {
    let kept = kept(path)?;
    let mut out: Vec<StateVersion> = version(path, CURRENT.to_owned(), true)?.into_iter().collect();
    if let Some(found) = version(backup, BACKUP.to_owned(), false)? {
        let content = fs::read(backup)?;
        let same = |file: &PathBuf| fs::read(file).is_ok_and(|bytes| bytes == content);
        let known =
            same(&path.to_path_buf()) || kept.iter().filter(|(v, _)| v.size == found.size).any(|(_, file)| same(file));
        out.extend((!known).then_some(found));
    }
    out.extend(kept.into_iter().map(|(version, _)| version));
    out.truncate(limit);
    Ok(out)
}

/// The content of one of them.
pub(crate) fn read(path: &Path, backup: &Path, id: &str) -> io::Result<Option<Vec<u8>>> {
    let file = match id {
        CURRENT => path.to_path_buf(),
        BACKUP => backup.to_path_buf(),
        _ => match kept(path)?.into_iter().find(|(version, _)| version.id == id) {
            Some((_, file)) => file,
            None => return Ok(None),
        },
    };
    match fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}
