//! The code in a folder, as a zip.

use std::{
    collections::BTreeSet,
    io::{self, Write},
};

use aws_smithy_types::Blob;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use lakeform_archive::{Error, Folder, Format};
use lakeform_core::Path;
use lakeform_provider::{ProviderError, Result};
use sha2::{Digest as _, Sha256};

use super::FunctionModel;
use crate::AwsClient;

/// Writes what is packed through a hash.
struct Hashed<W> {
    to: W,
    hash: Sha256,
}

impl<W: Write> Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.hash.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// Packs a folder, and gives the hash in Lambda's spelling.
fn pack<W: Write>(client: &AwsClient, folder: &str, excludes: &BTreeSet<String>, to: W) -> Result<(W, String)> {
    let path = client.path(folder);
    let excludes: Vec<String> = excludes.iter().cloned().collect();
    let all = Folder { path: &path, excludes: &excludes, exclude_symlink_directories: false };
    let done = lakeform_archive::folder(&all)
        .and_then(|entries| lakeform_archive::write(Format::Zip, &entries, Hashed { to, hash: Sha256::new() }));
    let done = done.map_err(|e| {
        let at = if matches!(e, Error::Pattern { .. }) { "source_excludes" } else { "source_dir" };
        ProviderError::invalid(e.to_string()).attribute(Path::attr(at)).source(e)
    })?;
    Ok((done.to, STANDARD.encode(done.hash.finalize())))
}

/// The hash of what a folder is packed into.
///
/// # Errors
/// When something in it cannot be read; with the path.
pub(super) fn hash(client: &AwsClient, folder: &str, excludes: &BTreeSet<String>) -> Result<String> {
    pack(client, folder, excludes, io::sink()).map(|(_, hash)| hash)
}

impl FunctionModel {
    /// The folder as a zip.
    ///
    /// # Errors
    /// When something in it cannot be read, or is no longer what was planned.
    pub(super) async fn pack(&self, client: &AwsClient, folder: &str) -> Result<Blob> {
        let excludes = self.source_excludes.clone().unwrap_or_default();
        let (zip, hash) = pack(client, folder, &excludes, vec![])?;
        if self.source_code_hash.as_ref().is_some_and(|planned| *planned != hash) {
            return Err(ProviderError::invalid(format!(
                "what is in {} is no longer what it was when this was planned",
                client.path(folder).display()
            ))
            .hint("plan again")
            .attribute(Path::attr("source_dir")));
        }
        Ok(Blob::new(zip))
    }
}
