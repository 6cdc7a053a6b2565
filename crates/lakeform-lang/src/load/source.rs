//! Module sources: paths, and git repositories in the forms that Terraform 1.11 accepts.

use std::path::{Path, PathBuf};

use lakeform_core::Diagnostic;

/// A module in a git repository: `git::URL//sub/dir?ref=REV&depth=N`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitSource {
    /// What git is told: `https://github.com/org/repo.git`, `ssh://git@host/repo`, `git@host:repo`, `file:///srv/repo`.
    pub url: String,
    /// The directory in the repository, with forward slashes; `None` is its root.
    pub directory: Option<String>,
    /// `ref`: a branch, a tag or a commit; `None` is the repository's default branch.
    pub reference: Option<String>,
    /// `depth`: how many commits of history are fetched; `None` is all.
    pub depth: Option<u32>,
}

/// What makes modules available that are not on this machine.
pub trait Fetch {
    /// The directory with the whole content of the repository at the commit that the source means.
    ///
    /// # Errors
    /// Why there is none; its place is added by the caller.
    fn git(&self, source: &GitSource) -> Result<PathBuf, Diagnostic>;
}

/// What a source names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum ModuleSource {
    /// A path on this machine.
    Path,
    Git(GitSource),
}

/// Hosts whose repositories Terraform knows without `git::`.
const HOSTS: &[&str] = &["github.com", "gitlab.com", "bitbucket.org"];

/// Reads a source.
///
/// # Errors
/// Why it is none.
pub(super) fn parse(source: &str) -> Result<ModuleSource, Diagnostic> {
    let is_path = |s: &str| s.starts_with("./") || s.starts_with("../") || s.starts_with('/') || s == "." || s == "..";
    if is_path(source) {
        return Ok(ModuleSource::Path);
    }
    if let Some(rest) = source.strip_prefix("git::") {
        return git(rest).map(ModuleSource::Git);
    }
    if source.starts_with("git@") {
        return git(source).map(ModuleSource::Git);
    }
    if HOSTS.iter().any(|host| source.strip_prefix(host).is_some_and(|rest| rest.starts_with('/'))) {
        let mut found = git(&format!("https://{source}"))?;
        if !found.url.ends_with(".git") {
            found.url.push_str(".git");
        }
        return Ok(ModuleSource::Git(found));
    }
    if source.contains("::") || source.contains("://") {
        return Err(Diagnostic::error("Module source is not supported")
            .detail(format!("`{source}` is neither a path nor a git repository."))
            .help("a path like `./modules/network`, or `git::https://host/repo.git//directory?ref=v1.0`"));
    }
    Err(Diagnostic::error("Module registries are not supported")
        .detail(format!("`{source}` is the address of a module registry. A path must start with `./` or `../`.")))
}

fn git(text: &str) -> Result<GitSource, Diagnostic> {
    let wrong = |why: String| {
        Diagnostic::error("Invalid git source")
            .detail(why)
            .help("`git::https://host/repo.git//directory?ref=v1.0` and `git::ssh://git@host/repo.git` are accepted")
    };
    let (place, query) = text.split_once('?').unwrap_or((text, ""));
    let mut out = GitSource { url: String::new(), directory: None, reference: None, depth: None };
    for pair in query.split('&').filter(|p| !p.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned();
        match key {
            // Git would take a dash for a flag.
            "ref" if !value.is_empty() && !value.starts_with('-') => out.reference = Some(value),
            "ref" => return Err(wrong(format!("`{value}` is no branch, tag or commit."))),
            "depth" => match value.parse() {
                Ok(depth) if depth > 0 => out.depth = Some(depth),
                _ => return Err(wrong(format!("`depth` must be a whole number above zero, not `{value}`."))),
            },
            _ => return Err(wrong(format!("`{key}` is unknown; `ref` and `depth` may follow the `?`."))),
        }
    }
    // The first `//` after that of the scheme begins the directory.
    let scheme = place.find("://").map_or(0, |i| i + 3);
    let split = place.get(scheme..).and_then(|rest| rest.find("//")).map(|i| scheme + i);
    let (url, directory) = split.map_or((place, ""), |i| (&place[..i], &place[i + 2..]));
    if url.len() <= scheme
        || url.starts_with(['-', '.'])
        || !(url.contains("://") || url.contains(':') || url.contains('/'))
    {
        return Err(wrong(format!("`{place}` names no repository.")));
    }
    let directory = directory.trim_matches('/');
    if Path::new(directory).components().any(|c| matches!(c, std::path::Component::ParentDir)) {
        return Err(wrong(format!("`{directory}` leads out of the repository.")));
    }
    out.url = url.to_owned();
    out.directory = (!directory.is_empty()).then(|| directory.to_owned());
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(source: &str) -> String {
        match parse(source) {
            Ok(ModuleSource::Path) => "path".into(),
            Ok(ModuleSource::Git(g)) => {
                let parts = [g.directory, g.reference, g.depth.map(|d| d.to_string())];
                parts.iter().fold(g.url, |out, part| format!("{out} {}", part.as_deref().unwrap_or("-")))
            }
            Err(e) => format!("{}: {}", e.summary, e.detail.unwrap_or_default()),
        }
    }

    /// The forms are those of <https://developer.hashicorp.com/terraform/language/modules/sources>.
    #[test]
    fn sources_are_those_of_terraform() {
        for (source, wanted) in [
            ("./modules/a", "path"),
            ("..", "path"),
            ("git::https://example.com/vpc.git", "https://example.com/vpc.git - - -"),
            (
                "git::https://example.com/n.git//modules/vpc?ref=v1.2.0",
                "https://example.com/n.git modules/vpc v1.2.0 -",
            ),
            ("git::https://example.com/n.git?depth=1&ref=a%2Fb", "https://example.com/n.git - a/b 1"),
            ("git::ssh://user@example.com:22/s.git//x", "ssh://user@example.com:22/s.git x - -"),
            ("git::user@example.com:s.git?ref=main", "user@example.com:s.git - main -"),
            ("git@github.com:org/repo.git//sub/", "git@github.com:org/repo.git sub - -"),
            ("github.com/org/repo//sub?ref=v1", "https://github.com/org/repo.git sub v1 -"),
            ("git::file:///srv/repo", "file:///srv/repo - - -"),
            ("git::/srv/repo.git//a", "/srv/repo.git a - -"),
        ] {
            assert_eq!(told(source), wanted, "{source}");
        }
        for (source, wanted) in [
            ("git::https://", "names no repository"),
            ("git::nothing", "names no repository"),
            ("git::../other", "names no repository"),
            ("git::--upload-pack=x/y", "names no repository"),
            ("git::https://h/r//../x", "leads out of the repository"),
            ("git::https://h/r?ref=--x", "no branch, tag or commit"),
            ("git::https://h/r?ref=", "no branch, tag or commit"),
            ("git::https://h/r?depth=0", "whole number above zero"),
            ("git::https://h/r?sshkey=x", "`sshkey` is unknown"),
            ("s3::https://s3.amazonaws.com/b/k.zip", "neither a path nor a git repository"),
            ("https://example.com/m.zip", "neither a path nor a git repository"),
            ("hashicorp/consul/aws", "module registry"),
            ("modules/a", "must start with `./`"),
        ] {
            assert!(told(source).contains(wanted), "{source}: {}", told(source));
        }
    }
}
