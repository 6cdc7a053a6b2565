//! How entries become an archive.

use std::{
    fs::File,
    io::{self, Write},
};

use flate2::{Compression, GzBuilder};
use zip::{CompressionMethod, DateTime, ZipWriter, write::SimpleFileOptions};

use crate::{Content, Entry, Error};

/// The kind of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Zip, each file compressed by itself.
    Zip,
    /// Tar, compressed as a whole.
    TarGz,
}

/// Packs entries in the order in which they are given. The same entries give the same bytes, today and elsewhere.
///
/// # Errors
/// When a file cannot be read, or the archive not written.
pub fn write<W: Write>(format: Format, entries: &[Entry], to: W) -> Result<W, Error> {
    match format {
        Format::Zip => zip(entries, to),
        Format::TarGz => tar_gz(entries, to),
    }
}

fn zip<W: Write>(entries: &[Entry], to: W) -> Result<W, Error> {
    let failed = |e: zip::result::ZipError| Error::Write(e.into());
    let mut archive = ZipWriter::new_stream(to);
    for entry in entries {
        // The first day that a zip can tell.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(entry.mode);
        let options = match &entry.content {
            Content::File(path) => options.large_file(path.metadata().map_err(Error::read(path))?.len() > LARGE),
            Content::Bytes(bytes) => options.large_file(bytes.len() as u64 > LARGE),
        };
        archive.start_file(entry.name.as_str(), options).map_err(failed)?;
        copy(&entry.content, &mut archive)?;
    }
    Ok(archive.finish().map_err(failed)?.into_inner())
}

/// From here on a zip needs wider fields; what is compressed may be a little longer than what is not.
const LARGE: u64 = 0xf000_0000;

fn tar_gz<W: Write>(entries: &[Entry], to: W) -> Result<W, Error> {
    // No name, no time, and no operating system.
    let mut archive = tar::Builder::new(GzBuilder::new().operating_system(255).write(to, Compression::default()));
    for entry in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(entry.mode);
        match &entry.content {
            Content::File(path) => {
                let file = File::open(path).map_err(Error::read(path))?;
                header.set_size(file.metadata().map_err(Error::read(path))?.len());
                archive.append_data(&mut header, &entry.name, file).map_err(Error::Write)?;
            }
            Content::Bytes(bytes) => {
                header.set_size(bytes.len() as u64);
                archive.append_data(&mut header, &entry.name, bytes.as_slice()).map_err(Error::Write)?;
            }
        }
    }
    archive.into_inner().and_then(flate2::write::GzEncoder::finish).map_err(Error::Write)
}

fn copy(content: &Content, to: &mut impl Write) -> Result<(), Error> {
    match content {
        Content::Bytes(bytes) => to.write_all(bytes).map_err(Error::Write),
        Content::File(path) => {
            let mut file = File::open(path).map_err(Error::read(path))?;
            io::copy(&mut file, to).map(drop).map_err(Error::read(path))
        }
    }
}
