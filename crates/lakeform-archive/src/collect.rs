//! What goes into an archive.

use std::{
    fs::{self, Metadata},
    path::{Path, PathBuf},
};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::{Content, EXECUTABLE, Entry, Error, PLAIN};

/// A folder to pack.
#[derive(Clone, Copy, Debug)]
pub struct Folder<'a> {
    /// The folder. It may be a symbolic link to one.
    pub path: &'a Path,
    /// What to leave out: patterns of paths from the folder on, such as `**/*.pyc`. `*` does not match `/`, `**` does. What a
    /// pattern matches is left out with everything below it.
    pub excludes: &'a [String],
    /// Whether to leave out folders that are symbolic links. Otherwise what they lead to is packed in their place, as it
    /// always is for files.
    pub exclude_symlink_directories: bool,
}

/// The files of a folder, those of folders inside of it included, in order.
///
/// # Errors
/// When something cannot be read, a pattern is none, or a symbolic link leads back to where it is.
pub fn folder(of: &Folder<'_>) -> Result<Vec<Entry>, Error> {
    if !fs::metadata(of.path).map_err(Error::read(of.path))?.is_dir() {
        return Err(Error::NoFolder(of.path.to_owned()));
    }
    let mut walk =
        Walk { excludes: patterns(of.excludes)?, links: !of.exclude_symlink_directories, above: vec![], found: vec![] };
    walk.folder(of.path, "")?;
    Ok(walk.found)
}

/// One file under its own name.
///
/// # Errors
/// When it is not there, or no file.
pub fn file(path: &Path) -> Result<Entry, Error> {
    let metadata = fs::metadata(path).map_err(Error::read(path))?;
    match path.file_name() {
        Some(name) if metadata.is_file() => {
            let name = name.to_str().ok_or_else(|| Error::Name(path.to_owned()))?.to_owned();
            Ok(Entry { name, content: Content::File(path.to_owned()), mode: mode(&metadata) })
        }
        _ => Err(Error::NoFile(path.to_owned())),
    }
}

fn patterns(all: &[String]) -> Result<GlobSet, Error> {
    let wrong =
        |pattern: &str, e: globset::Error| Error::Pattern { pattern: pattern.to_owned(), reason: e.kind().to_string() };
    let mut set = GlobSetBuilder::new();
    for pattern in all.iter().filter(|p| !p.is_empty()) {
        // Names of files, as people write them, mean themselves.
        let trimmed = pattern.strip_prefix("./").unwrap_or(pattern).trim_end_matches('/');
        set.add(GlobBuilder::new(trimmed).literal_separator(true).build().map_err(|e| wrong(pattern, e))?);
    }
    set.build().map_err(|e| wrong(&all.join(" "), e))
}

/// A way through folders.
struct Walk {
    excludes: GlobSet,
    /// Whether to follow symbolic links to folders.
    links: bool,
    /// The folders that it is in, without symbolic links.
    above: Vec<PathBuf>,
    found: Vec<Entry>,
}

impl Walk {
    /// Collects what is in a folder, whose own name in the archive is `prefix` with a `/` at its end.
    fn folder(&mut self, path: &Path, prefix: &str) -> Result<(), Error> {
        let real = fs::canonicalize(path).map_err(Error::read(path))?;
        if self.above.contains(&real) {
            return Err(Error::Loop(path.to_owned()));
        }
        self.above.push(real);
        let mut names = vec![];
        for entry in fs::read_dir(path).map_err(Error::read(path))? {
            let name = entry.map_err(Error::read(path))?.file_name();
            names.push(name.into_string().map_err(|name| Error::Name(path.join(name)))?);
        }
        names.sort();
        for name in names {
            let (path, name) = (path.join(&name), format!("{prefix}{name}"));
            if self.excludes.is_match(&name) {
                continue;
            }
            let is_link = fs::symlink_metadata(&path).map_err(Error::read(&path))?.is_symlink();
            let metadata = fs::metadata(&path).map_err(Error::read(&path))?;
            if metadata.is_dir() {
                if self.links || !is_link {
                    self.folder(&path, &format!("{name}/"))?;
                }
            } else {
                self.found.push(Entry { name, mode: mode(&metadata), content: Content::File(path) });
            }
        }
        self.above.pop();
        Ok(())
    }
}

/// What an archive keeps of a file's permissions: the rest is the umask of whoever checked it out.
#[cfg(unix)]
fn mode(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o111 == 0 { PLAIN } else { EXECUTABLE }
}

#[cfg(not(unix))]
fn mode(_: &Metadata) -> u32 {
    PLAIN
}
