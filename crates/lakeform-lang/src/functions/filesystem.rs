//! Files: read when an expression is evaluated, so a missing one fails while planning.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use globset::GlobBuilder;
use lakeform_core::{Kind, Source, Type, Value};

use super::{Context, Fault, Function, Returns, any, function, go::quote, string::string, text};
use crate::{
    eval::{Evaluation, Frame, MISSING_TEMPLATE_VARIABLE, TEMPLATE},
    paths::{normal, slashed},
    syntax::{self, Offsets, Parser, text_value},
};

pub(super) const TABLE: &[Function] = &[
    function("abspath", &[text("path")], Returns::String, |c, args| {
        let environment = c.environment();
        let base = if environment.root.is_absolute() {
            environment.root.clone()
        } else {
            environment.cwd.join(&environment.root)
        };
        Ok(text_value(&slashed(&normal(&base.join(string(args, 0))))))
    }),
    function("basename", &[text("path")], Returns::String, |_, args| Ok(text_value(base_name(string(args, 0))))),
    function("dirname", &[text("path")], Returns::String, |_, args| Ok(text_value(&dir_name(string(args, 0))))),
    function("file", &[text("path")], Returns::String, file),
    function("filebase64", &[text("path")], Returns::String, |c, args| {
        Ok(BASE64_STANDARD.encode(read(c, string(args, 0)).map_err(|e| Fault::arg(0, e))?).into())
    }),
    function("fileexists", &[text("path")], Returns::Bool, file_exists),
    function("fileset", &[text("path"), text("pattern")], Returns::SetOfString, file_set),
    function("pathexpand", &[text("path")], Returns::String, |c, args| {
        Ok(text_value(&expand(c, string(args, 0)).map_or_else(|| string(args, 0).to_owned(), |p| slashed(&p))))
    }),
    function("templatefile", &[text("path"), any("vars").unknown().marked()], Returns::Any, template_file),
];

fn base_name(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "" if path.is_empty() => ".",
        "" => "/",
        trimmed => trimmed.rsplit('/').next().unwrap_or(trimmed),
    }
}

/// Go's `filepath.Dir`: everything up to the last slash, made normal.
fn dir_name(path: &str) -> String {
    let dir = path.rfind('/').map_or("", |i| &path[..=i]);
    slashed(&normal(Path::new(dir)))
}

/// `~` and `~/x` in the home directory.
fn expand(context: &Context, path: &str) -> Option<PathBuf> {
    let home = context.environment().home.as_ref()?;
    if path == "~" {
        return Some(home.clone());
    }
    Some(home.join(path.strip_prefix("~/")?))
}

/// Where a file is: relative paths start from the root module's directory, as `path.module` does; what is not there is
/// looked for beside the module's own documents.
fn locate(context: &Context, path: &str) -> PathBuf {
    let environment = context.environment();
    let path = expand(context, path).unwrap_or_else(|| path.into());
    let at_root = environment.root.join(&path);
    if path.is_absolute() || at_root.exists() {
        return at_root;
    }
    let beside = environment.root.join(&environment.module).join(&path);
    if beside.exists() { beside } else { at_root }
}

fn read(context: &Context, path: &str) -> Result<Vec<u8>, String> {
    fs::read(locate(context, path)).map_err(|e| match e.kind() {
        io::ErrorKind::NotFound => format!(
            "no file exists at {}; this function works only with files that are distributed as part of the configuration source code, so if this file will be created by a resource in this configuration you must instead obtain this result from an attribute of that resource",
            quote(path)
        ),
        io::ErrorKind::IsADirectory => format!("failed to read file: read {path}: is a directory"),
        _ => format!("failed to read file: read {path}: {e}"),
    })
}

/// The contents of the file that the first argument names, for the hashes.
pub(super) fn bytes(context: &Context, args: &[Value]) -> Result<Vec<u8>, Fault> {
    let path = string(args, 0);
    fs::read(locate(context, path)).map_err(|e| {
        Fault::from(match e.kind() {
            io::ErrorKind::NotFound => format!("open {path}: no such file or directory"),
            _ => format!("read {path}: {e}"),
        })
    })
}

fn utf8(context: &Context, path: &str) -> Result<String, Fault> {
    let bytes = read(context, path).map_err(|e| Fault::arg(0, e))?;
    String::from_utf8(bytes).map_err(|_| {
        Fault::arg(0, format!("contents of {} are not valid UTF-8; use the filebase64 function to obtain the Base64 encoded contents or the other file functions (e.g. filemd5, filesha256) to obtain file hashing results instead", quote(path)))
    })
}

fn file(context: &Context, args: &[Value]) -> Result<Value, Fault> {
    Ok(text_value(&utf8(context, string(args, 0))?))
}

fn file_exists(context: &Context, args: &[Value]) -> Result<Value, Fault> {
    let path = string(args, 0);
    match fs::metadata(locate(context, path)) {
        Ok(found) if found.is_file() => Ok(true.into()),
        Ok(found) if found.is_dir() => Err(format!("{} is a directory, not a file", quote(path)).into()),
        Ok(_) => Err(format!("{} is not a regular file", quote(path)).into()),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false.into()),
        Err(e) => Err(format!("failed to stat {}: {e}", quote(path)).into()),
    }
}

fn file_set(context: &Context, args: &[Value]) -> Result<Value, Fault> {
    let (path, pattern) = (string(args, 0), string(args, 1));
    let bad = |why: &str| Fault::from(format!("failed to glob pattern {}: {why}", quote(&format!("{path}/{pattern}"))));
    let glob = GlobBuilder::new(pattern.trim_start_matches("./"))
        .literal_separator(true)
        .backslash_escape(true)
        .build()
        .map_err(|_| bad("syntax error in pattern"))?
        .compile_matcher();
    let root = locate(context, path);
    let mut found = Vec::new();
    let mut open = vec![root.clone()];
    while let Some(dir) = open.pop() {
        let entries = match fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
            Err(e) => return Err(bad(&e.to_string())),
        };
        for entry in entries {
            let at = entry.map_err(|e| bad(&e.to_string()))?.path();
            let Ok(kind) = fs::metadata(&at) else { continue };
            if kind.is_dir() {
                open.push(at);
            } else if kind.is_file() {
                let name = slashed(at.strip_prefix(&root).unwrap_or(&at));
                if glob.is_match(&name) || pattern == "**" {
                    found.push(text_value(&name));
                }
            }
        }
    }
    Ok(Value::set(Type::String, found))
}

fn template_file(context: &Context, args: &[Value]) -> Result<Value, Fault> {
    let path = string(args, 0);
    render(context, &utf8(context, path)?, path, &args[1])
}

/// The value of a template over variables.
pub(super) fn render(context: &Context, template: &str, name: &str, vars: &Value) -> Result<Value, Fault> {
    let outer = &context.evaluation;
    if outer.frame.is_some_and(|f| f.find(TEMPLATE).is_some()) {
        return Err("cannot recursively call templatefile or templatestring from inside another of them".into());
    }
    let marks = vars.marks();
    let mapping = match vars.kind() {
        Kind::Unknown(..) => return Ok(Value::unknown(Type::Dynamic).with_marks(marks)),
        Kind::Object(vs) | Kind::Map(_, vs) => vs,
        _ => return Err(Fault::arg(1, "invalid vars value: must be a map")),
    };
    for key in mapping.keys() {
        let valid = key.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && key.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
        if !valid {
            let why = format!(
                "invalid template variable name {}: must start with a letter, followed by zero or more letters, digits, and underscores",
                quote(key)
            );
            return Err(Fault::arg(1, why));
        }
    }
    let source = Arc::new(Source { path: name.to_owned(), text: template.to_owned() });
    let mut parser = Parser::new(&source);
    parser.free = true;
    let node = syntax::template(&mut parser, template, &Offsets::plain(0));
    if let Some(problem) = parser.errors.first() {
        return Err(Fault::arg(0, problem.to_string()));
    }
    let inside = Frame { name: TEMPLATE, value: vars, up: None };
    let evaluation = Evaluation { scope: outer.scope, source: &source, references: &[], frame: Some(&inside) };
    match evaluation.value(&node) {
        Ok(value) => Ok(value.with_marks(marks)),
        Err(problems) => {
            let Some(problem) = problems.0.into_iter().next() else { return Err("the template failed".into()) };
            if problem.summary == MISSING_TEMPLATE_VARIABLE {
                return Err(Fault::arg(1, problem.detail.unwrap_or_default()));
            }
            Err(problem.to_string().into())
        }
    }
}
