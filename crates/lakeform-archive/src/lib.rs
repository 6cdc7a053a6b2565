//! Archives whose bytes depend on nothing but what is packed: entries in order, one time for all, no owner, and of the mode
//! only whether a file can be run (`docs/decisions/0012`).
//!
//! [`folder`] and [`file`] collect entries, [`write`] packs them. Contents are read while they are packed, one file after the
//! other, so that an archive need never be in memory.

mod collect;
mod pack;

use std::{
    io,
    path::{Path, PathBuf},
};

pub use collect::{Folder, file, folder};
pub use pack::{Format, write};

/// One file of an archive.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its path in the archive, with `/` between folders.
    pub name: String,
    /// Where its content comes from.
    pub content: Content,
    /// Its permissions in the archive.
    pub mode: u32,
}

/// Where the content of an entry comes from.
#[derive(Clone, Debug)]
pub enum Content {
    /// This file.
    File(PathBuf),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// The permissions of a file that cannot be run.
pub const PLAIN: u32 = 0o644;
/// The permissions of a file that can be run.
pub const EXECUTABLE: u32 = 0o755;

/// Something cannot be packed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or folder cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no such folder.
    #[error("{} is no folder", .0.display())]
    NoFolder(PathBuf),
    /// There is no such file.
    #[error("{} is no file", .0.display())]
    NoFile(PathBuf),
    /// A symbolic link leads to a folder that it is in.
    #[error("{} leads back to a folder that it is in", .0.display())]
    Loop(PathBuf),
    /// The name of a file is no text.
    #[error("the name of {} is not UTF-8", .0.display())]
    Name(PathBuf),
    /// A pattern is none.
    #[error("{pattern:?} is no pattern: {reason}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// The archive cannot be written.
    #[error("the archive cannot be written: {0}")]
    Write(io::Error),
}

impl Error {
    /// A file or folder cannot be read.
    fn read(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Read { path: path.to_owned(), source }
    }
}
