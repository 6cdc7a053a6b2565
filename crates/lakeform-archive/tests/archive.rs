//! The same files give the same archive, whenever and in whichever order they were written.

#![allow(clippy::unwrap_used, reason = "a test that panics has failed, which is what is meant")]

use std::{
    fs::{self, File, Permissions},
    io::{Cursor, Read as _},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    time::{Duration, SystemTime},
};

use lakeform_archive::{Content, Entry, Error, Folder, Format, PLAIN, folder, write};
use tempfile::TempDir;

const FILES: &[(&str, &str)] =
    &[("main.py", "print(1)"), ("a/b.py", "b"), ("a.txt", "a"), ("a/c/d.pyc", "d"), ("bin/run", "#!/bin/sh")];

/// The files in this order, last changed `age` seconds after the epoch.
fn written<'a>(files: impl Iterator<Item = &'a (&'a str, &'a str)>, age: u64) -> TempDir {
    let at = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = at.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(age))
            .unwrap();
    }
    fs::set_permissions(at.path().join("bin/run"), Permissions::from_mode(0o700)).unwrap();
    at
}

fn entries(path: &Path, excludes: &[&str], exclude_symlink_directories: bool) -> Result<Vec<Entry>, Error> {
    let excludes: Vec<String> = excludes.iter().map(|e| (*e).to_owned()).collect();
    folder(&Folder { path, excludes: &excludes, exclude_symlink_directories })
}

fn names(path: &Path, excludes: &[&str]) -> Vec<String> {
    entries(path, excludes, false).unwrap().into_iter().map(|e| e.name).collect()
}

fn packed(path: &Path, format: Format) -> Vec<u8> {
    write(format, &entries(path, &[], false).unwrap(), vec![]).unwrap()
}

#[test]
fn time_and_order_leave_no_trace() {
    let one = written(FILES.iter(), 1_000_000_000);
    let other = written(FILES.iter().rev(), 1_700_000_000);
    fs::set_permissions(other.path().join("a.txt"), Permissions::from_mode(0o600)).unwrap();
    for format in [Format::Zip, Format::TarGz] {
        let bytes = packed(one.path(), format);
        assert_eq!(bytes, packed(other.path(), format), "{format:?}");
        assert_eq!(bytes, packed(one.path(), format), "{format:?}");
        fs::write(other.path().join("a.txt"), "b").unwrap();
        assert_ne!(bytes, packed(other.path(), format), "{format:?}");
        fs::write(other.path().join("a.txt"), "a").unwrap();
    }
}

#[test]
fn a_zip_holds_the_files_in_order_and_who_can_be_run() {
    let at = written(FILES.iter(), 0);
    let mut zip = zip::ZipArchive::new(Cursor::new(packed(at.path(), Format::Zip))).unwrap();
    let mut found = vec![];
    for i in 0..zip.len() {
        let mut file = zip.by_index(i).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        found.push((file.name().unwrap().into_owned(), file.unix_mode().unwrap() & 0o777, text));
    }
    let is = |name: &str, mode, text: &str| (name.to_owned(), mode, text.to_owned());
    let expected = [
        is("a/b.py", 0o644, "b"),
        is("a/c/d.pyc", 0o644, "d"),
        is("a.txt", 0o644, "a"),
        is("bin/run", 0o755, "#!/bin/sh"),
        is("main.py", 0o644, "print(1)"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_tar_holds_the_same() {
    let at = written(FILES.iter(), 0);
    let bytes = packed(at.path(), Format::TarGz);
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(bytes.as_slice()));
    let found: Vec<_> = tar
        .entries()
        .unwrap()
        .map(|e| {
            let e = e.unwrap();
            (e.path().unwrap().display().to_string(), e.header().mode().unwrap(), e.header().mtime().unwrap())
        })
        .collect();
    assert_eq!(found.len(), FILES.len());
    assert_eq!(found[3], ("bin/run".to_owned(), 0o755, 0));
}

#[test]
fn what_a_pattern_matches_is_left_out() {
    let at = written(FILES.iter(), 0);
    for (excludes, expected) in [
        (&["**/*.pyc"][..], &["a/b.py", "a.txt", "bin/run", "main.py"][..]),
        (&["a", "bin/"], &["a.txt", "main.py"]),
        (&["./a/**"], &["a.txt", "bin/run", "main.py"]),
        (&["*.py"], &["a/b.py", "a/c/d.pyc", "a.txt", "bin/run"]),
        (&["**/*.{py,txt,pyc}", ""], &["bin/run"]),
    ] {
        assert_eq!(names(at.path(), excludes), expected, "{excludes:?}");
    }
    let error = entries(at.path(), &["[a"], false).unwrap_err();
    assert!(error.to_string().starts_with("\"[a\" is no pattern"), "{error}");
}

#[test]
fn symbolic_links_are_what_they_lead_to() {
    let (at, elsewhere) = (written(FILES.iter(), 0), written(FILES.iter(), 0));
    symlink(elsewhere.path().join("a"), at.path().join("linked")).unwrap();
    symlink(elsewhere.path().join("a.txt"), at.path().join("z.txt")).unwrap();
    let all = names(at.path(), &["a*", "bin"]);
    assert_eq!(all, ["linked/b.py", "linked/c/d.pyc", "main.py", "z.txt"]);
    let some = entries(at.path(), &["a*", "bin"], true).unwrap();
    assert_eq!(some.iter().map(|e| e.name.as_str()).collect::<Vec<_>>(), ["main.py", "z.txt"]);
    symlink(at.path(), at.path().join("bin/loop")).unwrap();
    assert!(matches!(entries(at.path(), &[], false), Err(Error::Loop(path)) if path.ends_with("bin/loop")));
}

#[test]
fn errors_name_the_path() {
    let at = tempfile::tempdir().unwrap();
    let nowhere = at.path().join("nowhere");
    assert!(entries(&nowhere, &[], false).unwrap_err().to_string().contains("nowhere cannot be read"));
    assert!(lakeform_archive::file(&nowhere).unwrap_err().to_string().contains("nowhere cannot be read"));
    assert!(lakeform_archive::file(at.path()).unwrap_err().to_string().ends_with("is no file"));
    let gone = Entry { name: "x".into(), content: Content::File(nowhere), mode: PLAIN };
    assert!(write(Format::Zip, &[gone], vec![]).unwrap_err().to_string().contains("nowhere cannot be read"));
    fs::write(at.path().join("f"), "").unwrap();
    assert!(entries(&at.path().join("f"), &[], false).unwrap_err().to_string().ends_with("f is no folder"));
}
