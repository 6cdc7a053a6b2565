//! Arguments as they are written, before clap: Terraform's single-dash spellings, and switches with a value.

use std::{collections::BTreeSet, ffi::OsString};

/// The long flags of a command tree.
struct Flags {
    /// All of them.
    all: BTreeSet<String>,
    /// Those that take no value.
    switches: BTreeSet<String>,
}

impl Flags {
    fn of(command: &clap::Command) -> Self {
        let mut out = Self { all: ["help".into(), "version".into()].into(), switches: BTreeSet::new() };
        out.collect(command);
        out
    }

    fn collect(&mut self, command: &clap::Command) {
        for arg in command.get_arguments() {
            if let Some(name) = arg.get_long() {
                self.all.insert(name.into());
                if matches!(arg.get_action(), clap::ArgAction::SetTrue) {
                    self.switches.insert(name.into());
                }
            }
        }
        command.get_subcommands().for_each(|c| self.collect(c));
    }
}

/// Rewrites `-auto-approve` to `--auto-approve`, `-var=k=v` to `--var=k=v`, `--json=true` to `--json`; drops
/// `--json=false`. Whatever is not a known long flag stays as it is, and so does everything after `--`.
pub(crate) fn normalise(args: impl IntoIterator<Item = OsString>, command: &clap::Command) -> Vec<OsString> {
    let flags = Flags::of(command);
    let mut out = Vec::new();
    let mut literal = false;
    for (i, arg) in args.into_iter().enumerate() {
        let rewritten = match arg.to_str() {
            Some("--") => {
                literal = true;
                Some(arg)
            }
            Some(text) if i > 0 && !literal => rewrite(text, &flags),
            _ => Some(arg),
        };
        out.extend(rewritten);
    }
    out
}

fn rewrite(text: &str, flags: &Flags) -> Option<OsString> {
    let name = text.strip_prefix("--").or_else(|| text.strip_prefix('-')).unwrap_or_default();
    let (name, value) = name.split_once('=').map_or((name, None), |(name, value)| (name, Some(value)));
    if name.len() < 2 || !flags.all.contains(name) {
        return Some(text.into());
    }
    match value {
        Some("true") if flags.switches.contains(name) => Some(format!("--{name}").into()),
        Some("false") if flags.switches.contains(name) => None,
        Some(value) => Some(format!("--{name}={value}").into()),
        None => Some(format!("--{name}").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terraforms_spellings_become_ours() {
        let command = crate::command();
        for (given, wanted) in [
            ("-auto-approve", Some("--auto-approve")),
            ("-auto-approve=true", Some("--auto-approve")),
            ("-auto-approve=false", None),
            ("-var=a=b=c", Some("--var=a=b=c")),
            ("-lock=false", Some("--lock=false")),
            ("-refresh=false", Some("--refresh=false")),
            ("-target=module.a[\"x\"]", Some("--target=module.a[\"x\"]")),
            ("-out", Some("--out")),
            ("-help", Some("--help")),
            ("-chdir=infra", Some("--chdir=infra")),
            ("-h", Some("-h")),
            ("-nonsense", Some("-nonsense")),
            ("-", Some("-")),
            ("stack.toml", Some("stack.toml")),
        ] {
            let out = normalise(["lakeform".into(), given.into()], &command);
            assert_eq!(out.get(1).and_then(|a| a.to_str()), wanted, "{given}");
        }
        let out = normalise(["lakeform", "--", "-out"].map(OsString::from), &command);
        assert_eq!(out[2], "-out");
    }
}
