//! Paths as the language writes them.

use std::path::{Component, Path, PathBuf};

/// A path with forward slashes; `.` if it is empty.
pub(crate) fn slashed(path: &Path) -> String {
    let text = path.to_string_lossy().replace('\\', "/");
    if text.is_empty() { ".".into() } else { text }
}

/// A path without `.` and, where they have something to undo, without `..`; nothing is asked of the file system.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match out.components().next_back() {
                Some(Component::Normal(_)) => drop(out.pop()),
                Some(Component::RootDir | Component::Prefix(_)) => {}
                _ => out.push(".."),
            },
            part => out.push(part),
        }
    }
    out
}

/// `path` as seen from `base`, both normal; `path` itself where they have no root in common.
pub(crate) fn relative(path: &Path, base: &Path) -> PathBuf {
    if path.is_absolute() != base.is_absolute() {
        return path.to_path_buf();
    }
    let (mut ours, mut theirs) = (path.components().peekable(), base.components().peekable());
    while let (Some(a), Some(b)) = (ours.peek(), theirs.peek()) {
        if a != b {
            break;
        }
        ours.next();
        theirs.next();
    }
    let up = theirs.map(|_| Component::ParentDir);
    let out: PathBuf = up.chain(ours).collect();
    if out.as_os_str().is_empty() { ".".into() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_normal_and_relative() {
        assert_eq!(normal(Path::new("a/./b/../c")), Path::new("a/c"));
        assert_eq!(normal(Path::new("../../a")), Path::new("../../a"));
        assert_eq!(relative(Path::new("/s/stacks/m"), Path::new("/s/stacks")), Path::new("m"));
        assert_eq!(relative(Path::new("/s/modules/m"), Path::new("/s/stacks")), Path::new("../modules/m"));
        assert_eq!(relative(Path::new("/s"), Path::new("/s")), Path::new("."));
    }
}
