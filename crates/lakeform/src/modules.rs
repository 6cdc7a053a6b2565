//! Modules from git: fetched once below the stack's directory, and pinned in a lock file beside the stack.

use std::{
    cell::RefCell,
    fs, io,
    path::{Path, PathBuf},
    process::Output,
    sync::Arc,
};

use lakeform_core::Diagnostic;
use lakeform_lang::{Fetch, GitSource};

use crate::Error;

/// Runs the git program with arguments in a directory.
pub type Git = Arc<dyn Fn(&[&str], &Path) -> io::Result<Output> + Send + Sync>;

/// A module repository and the commit that a stack uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedModule {
    /// The repository, without user and password.
    pub url: String,
    /// The branch, tag or commit that the stack asks for; `None` is the default branch.
    pub reference: Option<String>,
    /// The commit in use, 40 hex digits.
    pub commit: String,
    /// The commit that was in use before; `None` if there was none.
    pub before: Option<String>,
}

/// Fetches the modules of one stack.
pub(crate) struct Modules<'a> {
    git: Option<&'a Git>,
    /// `.lakeform/modules` in the stack's directory: one folder for each commit.
    folder: PathBuf,
    lock: PathBuf,
    upgrade: bool,
    /// `None` if the file there is something else.
    pinned: Option<Vec<PinnedModule>>,
    used: RefCell<Vec<PinnedModule>>,
}

impl<'a> Modules<'a> {
    /// `stack` is the stack's file or directory; `upgrade` asks for the newest commits in the place of pinned ones.
    ///
    /// # Errors
    /// When the lock file cannot be read.
    pub(crate) fn new(git: Option<&'a Git>, stack: &Path, upgrade: bool) -> Result<Self, Error> {
        let (root, lock) = if stack.is_dir() {
            (stack.to_owned(), stack.join("lakeform.lock"))
        } else {
            (stack.parent().unwrap_or(Path::new(".")).to_owned(), stack.with_extension("lock"))
        };
        let pinned = match fs::read_to_string(&lock) {
            Ok(text) => parse(&text),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Some(vec![]),
            Err(source) => return Err(Error::File { path: lock, source }),
        };
        Ok(Self { git, folder: root.join(".lakeform/modules"), lock, upgrade, pinned, used: RefCell::default() })
    }

    /// Keeps the commits that were chosen, once the stack is read; gives all that it uses.
    ///
    /// # Errors
    /// When the lock file cannot be written.
    pub(crate) fn finish(self) -> Result<Vec<PinnedModule>, Error> {
        let mut used = self.used.into_inner();
        used.sort_by(|a, b| (&a.url, &a.reference).cmp(&(&b.url, &b.reference)));
        if used.iter().any(|u| u.before.as_ref() != Some(&u.commit)) {
            fs::write(&self.lock, render(&used)).map_err(|source| Error::File { path: self.lock, source })?;
        }
        Ok(used)
    }

    fn run(&self, args: &[&str], at: &Path, source: &GitSource) -> Result<String, Diagnostic> {
        let Some(git) = self.git else {
            return Err(
                Diagnostic::error("Modules from git are not available here").detail("nothing was given that runs git")
            );
        };
        let output = git(args, at).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => Diagnostic::error("The module cannot be fetched: git was not found")
                .detail(format!("{} is a git repository.", shown(&source.url)))
                .help("install git, or put it on PATH"),
            _ => Diagnostic::error("The module cannot be fetched: git could not be started").detail(e.to_string()),
        })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let said = String::from_utf8_lossy(&output.stderr).replace(&source.url, &shown(&source.url));
        let lines = said.lines().map(str::trim).filter(|l| !l.is_empty());
        let said = lines.map(|l| l.trim_start_matches("fatal: ")).collect::<Vec<_>>().join("; ");
        Err(Diagnostic::error("The module cannot be fetched")
            .detail(format!("git says: {said}"))
            .help(format!("check the address and your access: `git ls-remote {}` must succeed", shown(&source.url))))
    }

    /// Clones a repository, and puts it at `commit`, or at what the source refers to. Gives the commit.
    fn clone(&self, source: &GitSource, commit: Option<&str>, at: &Path) -> Result<String, Diagnostic> {
        let reference = source.reference.as_deref();
        let depth = source.depth.map(|d| d.to_string());
        let mut args = vec!["clone", "--quiet", "--no-checkout"];
        if let Some(depth) = &depth {
            args.extend(["--depth", depth]);
            args.extend(reference.iter().flat_map(|r| ["--branch", r]));
        }
        let target = at.file_name().unwrap_or_default().to_string_lossy();
        args.extend(["--", &source.url, &target]);
        self.run(&args, &self.folder, source).map_err(|e| match reference {
            Some(_) if e.detail.as_ref().is_some_and(|d| d.contains("not found in upstream")) => unknown(source),
            _ => e,
        })?;
        let find = |name: &str| {
            let name = format!("{name}^{{commit}}");
            self.run(&["rev-parse", "--quiet", "--verify", &name], at, source).ok()
        };
        let found = match (commit, reference) {
            // A shallow clone may lack it.
            (Some(commit), _) => find(commit).or_else(|| {
                let depth = depth.as_deref()?;
                let exact = self.run(&["fetch", "--quiet", "--depth", depth, "origin", commit], at, source);
                exact.or_else(|_| self.run(&["fetch", "--quiet", "--unshallow", "origin"], at, source)).ok()?;
                find(commit)
            }),
            (None, None) => find("HEAD"),
            (None, Some(name)) => {
                let places = [format!("refs/tags/{name}"), format!("refs/remotes/origin/{name}"), name.to_owned()];
                places.iter().find_map(|place| find(place))
            }
        };
        let Some(found) = found else {
            return Err(match commit {
                None => unknown(source),
                Some(commit) => Diagnostic::error("The pinned commit is gone")
                    .detail(format!("{} has no commit {commit}.", shown(&source.url)))
                    .help("`lakeform upgrade` pins the newest one"),
            });
        };
        self.run(&["checkout", "--quiet", "--detach", &found], at, source)?;
        if at.join(".gitmodules").exists() {
            self.run(&["submodule", "--quiet", "update", "--init", "--recursive"], at, source)?;
        }
        Ok(found)
    }

    fn directory(&self, source: &GitSource, commit: &str) -> PathBuf {
        let name = source.url.trim_end_matches('/').trim_end_matches(".git");
        let name = name.rsplit(['/', ':']).next().unwrap_or_default();
        // Two repositories of one name do not share a commit.
        self.folder.join(format!("{name}-{commit}"))
    }

    fn fetch(&self, source: &GitSource, commit: Option<&str>) -> Result<String, Diagnostic> {
        let failed = |e: io::Error| {
            Diagnostic::error(format!("Cannot write below {}", self.folder.display())).detail(e.to_string())
        };
        fs::create_dir_all(&self.folder).map_err(failed)?;
        fs::write(self.folder.with_file_name(".gitignore"), "*\n").map_err(failed)?;
        // Under a name of its own until it is complete.
        let part = self.folder.join(format!(".part-{}", std::process::id()));
        let clear = || if part.exists() { fs::remove_dir_all(&part) } else { Ok(()) };
        clear().map_err(failed)?;
        let done = self.clone(source, commit, &part).and_then(|commit| {
            let complete = self.directory(source, &commit);
            if !complete.is_dir() {
                fs::rename(&part, &complete).or_else(|e| if complete.is_dir() { Ok(()) } else { Err(failed(e)) })?;
            }
            Ok(commit)
        });
        let _ = clear();
        done
    }
}

impl Fetch for Modules<'_> {
    fn git(&self, source: &GitSource) -> Result<PathBuf, Diagnostic> {
        let url = shown(&source.url);
        let same = |p: &&PinnedModule| p.url == url && p.reference == source.reference;
        if let Some(used) = self.used.borrow().iter().find(same) {
            return Ok(self.directory(source, &used.commit));
        }
        let Some(pinned) = &self.pinned else {
            let name = self.lock.file_name().unwrap_or_default().to_string_lossy();
            return Err(Diagnostic::error(format!("{name} is no lock file of lakeform"))
                .detail("the commits of modules from git are pinned there")
                .help("restore it from version control, or remove it to pin the newest commits"));
        };
        let before = pinned.iter().find(same).map(|p| p.commit.clone());
        let wanted = before.as_deref().filter(|_| !self.upgrade);
        let commit = match wanted {
            Some(commit) if self.directory(source, commit).is_dir() => commit.to_owned(),
            _ => self.fetch(source, wanted)?,
        };
        let directory = self.directory(source, &commit);
        let pin = PinnedModule { url, reference: source.reference.clone(), commit, before };
        self.used.borrow_mut().push(pin);
        Ok(directory)
    }
}

fn unknown(source: &GitSource) -> Diagnostic {
    let reference = source.reference.as_deref().unwrap_or("HEAD");
    Diagnostic::error("Unknown git reference")
        .detail(format!("{} has no `{reference}`.", shown(&source.url)))
        .help("`ref` is a branch, a tag or a commit; with `depth`, a branch or a tag")
}

/// An address without the secrets that it may hold.
fn shown(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme @ ("http" | "https"), rest)) => {
            let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            format!("{scheme}://{}{path}", host.rsplit('@').next().unwrap_or_default())
        }
        _ => url.to_owned(),
    }
}

fn parse(text: &str) -> Option<Vec<PinnedModule>> {
    let table: toml::Table = text.parse().ok()?;
    if table.keys().any(|key| key != "module") {
        return None;
    }
    let Some(modules) = table.get("module") else { return Some(vec![]) };
    let one = |module: &toml::Value| {
        let text = |name: &str| Some(module.get(name)?.as_str()?.to_owned());
        let commit = text("commit").filter(|c| c.len() >= 40 && c.chars().all(|c| c.is_ascii_hexdigit()))?;
        Some(PinnedModule { url: text("url")?, reference: text("ref"), commit, before: None })
    };
    modules.as_array()?.iter().map(one).collect()
}

fn render(pins: &[PinnedModule]) -> String {
    let text = |text: &str| toml::Value::from(text).to_string();
    let mut out =
        String::from("# The commits of modules from git, pinned by lakeform. Belongs under version control.\n");
    for pin in pins {
        out += &format!("\n[[module]]\nurl = {}\n", text(&pin.url));
        out += &pin.reference.iter().map(|r| format!("ref = {}\n", text(r))).collect::<String>();
        out += &format!("commit = {}\n", text(&pin.commit));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_reads_as_it_was_written() {
        let pin = |url: &str, reference: Option<&str>| PinnedModule {
            url: url.into(),
            reference: reference.map(Into::into),
            commit: "0123456789".repeat(4),
            before: None,
        };
        let pins = vec![pin("https://h/\"r\"", None), pin("git@h:r", Some("v1"))];
        assert_eq!(parse(&render(&pins)), Some(pins));
        for wrong in [
            "module = 1",
            "[[module]]\nurl = 'x'",
            "[[package]]\nname = 'x'",
            "[[module]]\nurl = 'x'\ncommit = '../../x'",
            "==",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_of_addresses_are_not_shown() {
        for (url, wanted) in [
            ("https://user:token@host/a@b.git", "https://host/a@b.git"),
            ("https://host/a", "https://host/a"),
            ("ssh://git@host/a", "ssh://git@host/a"),
            ("git@host:a", "git@host:a"),
        ] {
            assert_eq!(shown(url), wanted);
        }
    }
}
