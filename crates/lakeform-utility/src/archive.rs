//! `archive_file`: an archive of files, whose bytes depend on their contents alone.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path as FilePath, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use lakeform_archive::{Content, Entry, Folder, Format, PLAIN};
use lakeform_core::Path;
use lakeform_provider::{Client, Context, DataSource, Model, ProviderError, Result};
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

/// What the types of the provider are handed.
#[derive(Debug)]
pub(crate) struct Files {
    /// What relative paths start from.
    pub(crate) directory: PathBuf,
}

impl Client for Files {}

/// `archive_file`
pub(crate) struct ArchiveFile;

/// An archive.
#[derive(Model, Clone, Debug, Default)]
pub(crate) struct Object {
    /// What to leave out of `source_dir`: patterns of paths from there on, such as `**/*.pyc`.
    #[attr(optional)]
    excludes: Option<BTreeSet<String>>,
    /// Whether folders in `source_dir` that are symbolic links are left out. Default: `false`.
    #[attr(optional)]
    exclude_symlink_directories: Option<bool>,
    /// SHA-1 of the archive.
    #[attr(computed)]
    id: Option<String>,
    /// SHA-256 of the archive, base64-encoded.
    #[attr(computed)]
    output_base64sha256: Option<String>,
    /// SHA-512 of the archive, base64-encoded.
    #[attr(computed)]
    output_base64sha512: Option<String>,
    /// Permissions of every file in the archive, as octal digits: `"0644"`. Without it, `0755` where a file can be run and
    /// `0644` where not.
    #[attr(optional)]
    output_file_mode: Option<String>,
    /// MD5 of the archive.
    #[attr(computed)]
    output_md5: Option<String>,
    /// Where to put the archive.
    #[attr(required)]
    output_path: String,
    /// SHA-1 of the archive.
    #[attr(computed)]
    output_sha: Option<String>,
    /// SHA-256 of the archive.
    #[attr(computed)]
    output_sha256: Option<String>,
    /// SHA-512 of the archive.
    #[attr(computed)]
    output_sha512: Option<String>,
    /// Size of the archive in bytes.
    #[attr(computed)]
    output_size: Option<i64>,
    /// The content of the one file in the archive.
    #[attr(optional)]
    source_content: Option<String>,
    /// The name of that file.
    #[attr(optional)]
    source_content_filename: Option<String>,
    /// Folder to pack.
    #[attr(optional)]
    source_dir: Option<String>,
    /// File to pack, under its own name.
    #[attr(optional)]
    source_file: Option<String>,
    /// `zip` or `tar.gz`
    #[attr(required, name = "type")]
    kind: String,
    /// Files to pack.
    #[block(set)]
    source: Vec<Source>,
}

/// A file to pack.
#[derive(Model, Clone, Debug, Default)]
struct Source {
    /// Its content.
    #[attr(required)]
    content: String,
    /// Its name in the archive.
    #[attr(required)]
    filename: String,
}

impl DataSource for ArchiveFile {
    type Client = Files;
    type Model = Object;

    const NAME: &'static str = "archive_file";

    async fn read(cx: &Context<'_, Files>, object: &mut Object) -> Result<()> {
        let format = match object.kind.as_str() {
            "zip" => Format::Zip,
            "tar.gz" => Format::TarGz,
            other => return Err(wrong("type", format!("type is {other:?}; expected is one of zip, tar.gz"))),
        };
        let mut entries = object.entries(&cx.client.directory)?;
        if let Some(mode) = object.output_file_mode.as_deref().filter(|mode| !mode.is_empty()) {
            let digits = mode.strip_prefix("0o").unwrap_or(mode);
            let mode = u32::from_str_radix(digits, 8).ok().filter(|mode| *mode <= 0o7777).ok_or_else(|| {
                wrong("output_file_mode", format!("output_file_mode is {mode:?}; expected are octal digits: \"0644\""))
            })?;
            entries.iter_mut().for_each(|entry| entry.mode = mode);
        }
        let path = cx.client.directory.join(&object.output_path);
        write(&path, format, &entries)?;
        object.describe(&path)
    }
}

fn wrong(attribute: &str, message: String) -> ProviderError {
    ProviderError::invalid(message).attribute(Path::attr(attribute))
}

fn cannot<'a>(what: &'a str, path: &'a FilePath) -> impl FnOnce(io::Error) -> ProviderError + 'a {
    move |e| wrong("output_path", format!("{} cannot be {what}: {e}", path.display())).source(e)
}

/// Writes the archive beside where it shall be, then puts it there: nobody sees half of one, and one that is packed into
/// itself does not grow.
fn write(path: &FilePath, format: Format, entries: &[Entry]) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(FilePath::new("."));
    fs::create_dir_all(folder).map_err(cannot("made", folder))?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(cannot("written", folder))?;
    let out = io::BufWriter::new(file.as_file_mut());
    let mut out =
        lakeform_archive::write(format, entries, out).map_err(|e| ProviderError::invalid(e.to_string()).source(e))?;
    out.flush().map_err(cannot("written", path))?;
    drop(out);
    share(file.as_file()).map_err(cannot("written", path))?;
    file.persist(path).map_err(|e| cannot("written", path)(e.error))?;
    Ok(())
}

/// Lets others read a file that was made for one alone.
#[cfg(unix)]
fn share(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn share(_: &File) -> io::Result<()> {
    Ok(())
}

impl Object {
    /// What to pack.
    fn entries(&self, directory: &FilePath) -> Result<Vec<Entry>> {
        let set = [
            ("source", !self.source.is_empty()),
            ("source_content_filename", self.source_content_filename.is_some()),
            ("source_dir", self.source_dir.is_some()),
            ("source_file", self.source_file.is_some()),
        ];
        let set: Vec<&str> = set.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect();
        match set[..] {
            [_] => {}
            [first, second, ..] => return Err(wrong(first, format!("{first} and {second} exclude each other"))),
            [] => {
                let all = "source_dir, source_file, source_content_filename or a block `source`";
                return Err(ProviderError::invalid(format!("{all} must be set")));
            }
        }
        if self.source_content.is_some() && self.source_content_filename.is_none() {
            return Err(wrong("source_content", "source_content needs source_content_filename".into()));
        }
        let only_folders = self.excludes.as_ref().is_some_and(|e| !e.is_empty()) && self.source_dir.is_none();
        if only_folders {
            return Err(wrong("excludes", "excludes needs source_dir".into()));
        }
        let text = |name: &str, content: &str| Entry {
            name: name.replace('\\', "/"),
            content: Content::Bytes(content.as_bytes().to_vec()),
            mode: PLAIN,
        };
        let of = |attribute: &'static str| move |e: lakeform_archive::Error| wrong(attribute, e.to_string()).source(e);
        if let Some(folder) = &self.source_dir {
            let excludes: Vec<String> = self.excludes.iter().flatten().cloned().collect();
            return lakeform_archive::folder(&Folder {
                path: &directory.join(folder),
                excludes: &excludes,
                exclude_symlink_directories: self.exclude_symlink_directories == Some(true),
            })
            .map_err(of("source_dir"));
        }
        if let Some(file) = &self.source_file {
            return Ok(vec![lakeform_archive::file(&directory.join(file)).map_err(of("source_file"))?]);
        }
        if let Some(name) = &self.source_content_filename {
            return Ok(vec![text(name, self.source_content.as_deref().unwrap_or_default())]);
        }
        let mut all: Vec<Entry> = self.source.iter().map(|s| text(&s.filename, &s.content)).collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        match all.windows(2).find(|two| two[0].name == two[1].name) {
            Some(two) => Err(wrong("source", format!("two blocks are called {:?}", two[0].name))),
            None => Ok(all),
        }
    }

    /// Size and sums of the archive.
    fn describe(&mut self, path: &FilePath) -> Result<()> {
        let (mut md5, mut sha1) = (Md5::new(), Sha1::new());
        let (mut sha256, mut sha512) = (Sha256::new(), Sha512::new());
        let mut file = File::open(path).map_err(cannot("read", path))?;
        let mut buffer = vec![0; 1 << 16];
        let mut size = 0;
        loop {
            let read = file.read(&mut buffer).map_err(cannot("read", path))?;
            if read == 0 {
                break;
            }
            let bytes = &buffer[..read];
            md5.update(bytes);
            sha1.update(bytes);
            sha256.update(bytes);
            sha512.update(bytes);
            size += read;
        }
        let (sha1, sha256, sha512) = (sha1.finalize(), sha256.finalize(), sha512.finalize());
        self.id = Some(hex(&sha1));
        self.output_base64sha256 = Some(STANDARD.encode(sha256));
        self.output_base64sha512 = Some(STANDARD.encode(sha512));
        self.output_md5 = Some(hex(&md5.finalize()));
        self.output_sha = Some(hex(&sha1));
        self.output_sha256 = Some(hex(&sha256));
        self.output_sha512 = Some(hex(&sha512));
        self.output_size = i64::try_from(size).ok();
        Ok(())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read of an archive with these arguments in a folder.
    fn read(directory: &FilePath, mut object: Object) -> Result<Object, String> {
        let client = Files { directory: directory.to_owned() };
        let cx = Context { client: &client, config: None, timeout: None, cancelled: &|| false, token: "" };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(ArchiveFile::read(&cx, &mut object)).map_err(|e| e.to_string())?;
        Ok(object)
    }

    fn of(kind: &str) -> Object {
        Object { kind: kind.into(), output_path: "out/x.zip".into(), ..Object::default() }
    }

    #[test]
    fn an_archive_is_written_and_described() {
        let at = tempfile::tempdir().unwrap();
        fs::create_dir(at.path().join("src")).unwrap();
        fs::write(at.path().join("src/main.py"), "print(1)").unwrap();
        for kind in ["zip", "tar.gz"] {
            let dir = Object { source_dir: Some("src".into()), ..of(kind) };
            let first = read(at.path(), dir.clone()).unwrap();
            let bytes = fs::read(at.path().join("out/x.zip")).unwrap();
            assert_eq!(first.output_size, Some(bytes.len() as i64));
            assert_eq!(first.output_base64sha256, Some(STANDARD.encode(Sha256::digest(&bytes))));
            assert_eq!(first.output_md5.as_deref().map(str::len), Some(32));
            assert_eq!((first.id.clone(), 40), (first.output_sha.clone(), first.output_sha.clone().unwrap().len()));
            // All that says what is in it says the same.
            let file = Object { source_file: Some("src/main.py".into()), ..of(kind) };
            let content = Object {
                source_content: Some("print(1)".into()),
                source_content_filename: Some("main.py".into()),
                ..of(kind)
            };
            let source = Source { content: "print(1)".into(), filename: "main.py".into() };
            let block = Object { source: vec![source], ..of(kind) };
            for other in [dir.clone(), file, content, block] {
                assert_eq!(read(at.path(), other).unwrap().output_sha512, first.output_sha512);
            }
            let run = Object { output_file_mode: Some("0755".into()), ..dir };
            assert_ne!(read(at.path(), run).unwrap().id, first.id);
        }
    }

    #[test]
    fn what_cannot_be_packed_is_told() {
        let at = tempfile::tempdir().unwrap();
        let two = vec![Source { content: String::new(), filename: "a".into() }; 2];
        for (object, told) in [
            (of("rar"), "type is \"rar\""),
            (of("zip"), "must be set"),
            (Object { source_dir: Some("no".into()), ..of("zip") }, "no cannot be read"),
            (
                Object { source_dir: Some("a".into()), source_file: Some("b".into()), ..of("zip") },
                "source_dir and source_file exclude each other",
            ),
            (
                Object { source_content: Some("a".into()), source_file: Some("b".into()), ..of("zip") },
                "source_content needs",
            ),
            (
                Object { source_file: Some("b".into()), excludes: Some(["x".into()].into()), ..of("zip") },
                "excludes needs source_dir",
            ),
            (Object { source: two, ..of("zip") }, "two blocks are called \"a\""),
            (
                Object { source_content_filename: Some("a".into()), output_file_mode: Some("rw".into()), ..of("zip") },
                "output_file_mode is \"rw\"",
            ),
        ] {
            let error = read(at.path(), object).unwrap_err();
            assert!(error.contains(told), "{error}");
        }
    }
}
