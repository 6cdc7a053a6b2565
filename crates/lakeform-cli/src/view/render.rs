//! Draws a [`Diff`] as Terraform draws it.

use std::fmt::Write as _;

use lakeform::core::Value;

use super::{
    diff::{BlockDiff, Body, Diff, Mark},
    style::Style,
    text::{attribute_name, plural, primitive, quote},
};

/// Attributes that are shown even where they do not change: they say which object it is.
const IMPORTANT: &[&str] = &["id", "name", "tags"];

/// How to draw.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Opts {
    /// Colours.
    pub(crate) style: Style,
    /// Show what does not change.
    pub(crate) unchanged: bool,
    /// Leave the column of marks out: this is an object, not a change.
    pub(crate) plain: bool,
    /// No `-> null` after what goes: the whole goes.
    no_null: bool,
    /// Everything below forces the replacement.
    replace: bool,
}

impl Opts {
    /// For a change.
    pub(crate) fn change(style: Style) -> Self {
        Self { style, ..Self::default() }
    }

    /// For an object as it is.
    pub(crate) fn object(style: Style) -> Self {
        Self { style, unchanged: true, plain: true, ..Self::default() }
    }

    fn mark(self, mark: Mark) -> String {
        if self.plain {
            return String::new();
        }
        match mark {
            Mark::Same => "    ".into(),
            Mark::Add => format!("  {} ", self.style.green("+")),
            Mark::Change => format!("  {} ", self.style.yellow("~")),
            Mark::Remove => format!("  {} ", self.style.red("-")),
        }
    }

    fn forces(self, diff: &Diff) -> String {
        if diff.replace || self.replace { self.style.red(" # forces replacement") } else { String::new() }
    }

    fn null(self, mark: Mark) -> String {
        if mark == Mark::Remove && !self.no_null { self.style.dimmed(" -> null") } else { String::new() }
    }

    fn hidden(self, count: usize, noun: &str) -> String {
        self.style.dimmed(format!("# ({} hidden)", plural(count, &format!("unchanged {noun}"))))
    }

    fn arrow(self) -> String {
        self.style.yellow("->")
    }

    fn whole(self) -> Self {
        Self { no_null: true, ..self }
    }

    fn all(self) -> Self {
        Self { unchanged: true, ..self }
    }
}

fn indent(level: usize) -> String {
    "    ".repeat(level)
}

/// The text of a diff, without the mark and the name in front of it; lines after the first are indented for `level`.
pub(crate) fn render(diff: &Diff, level: usize, opts: Opts) -> String {
    match &diff.body {
        Body::Primitive { before, after } => render_primitive(diff, before, after, level, opts),
        Body::Unknown(None) => format!("(known after apply){}", opts.forces(diff)),
        Body::Unknown(Some(before)) => {
            let before = render(before, level, opts.whole());
            format!("{before} {} (known after apply){}", opts.arrow(), opts.forces(diff))
        }
        Body::Sensitive => format!("(sensitive value){}{}", opts.null(diff.mark), opts.forces(diff)),
        Body::WriteOnly => format!("(write-only attribute){}", opts.null(diff.mark)),
        Body::Json { inner, whitespace_only } => render_json(diff, inner, *whitespace_only, level, opts),
        Body::List(parts) => render_list(diff, parts, level, opts),
        Body::Set(parts) => render_set(diff, parts, level, opts),
        Body::Map(parts) => {
            let inside = if diff.mark == Mark::Remove { opts.whole() } else { opts };
            let each = parts.iter().map(|(k, d)| (quote(k), false, d));
            render_entries(diff, each, "element", level, inside, opts.null(diff.mark))
        }
        Body::Object(parts) => {
            let each = parts.iter().map(|(k, d)| (attribute_name(k), IMPORTANT.contains(&&**k), d));
            render_entries(diff, each, "attribute", level, opts.whole(), opts.null(diff.mark))
        }
        Body::Block(block) => render_block(diff, block, level, opts),
        Body::Retyped(before, after) => {
            let (before, after) = (render(before, level, opts.whole()), render(after, level, opts));
            format!("{before} {} {after}{}", opts.arrow(), opts.forces(diff))
        }
    }
}

fn render_primitive(diff: &Diff, before: &Value, after: &Value, level: usize, opts: Opts) -> String {
    let multiline = |v: &Value| v.as_str().is_some_and(|s| s.trim().contains('\n'));
    if multiline(before) || multiline(after) {
        return render_heredoc(diff, before, after, level, opts);
    }
    let forces = opts.forces(diff);
    match diff.mark {
        Mark::Add => format!("{}{forces}", primitive(after)),
        Mark::Same => format!("{}{forces}", primitive(if after.is_null() { before } else { after })),
        Mark::Remove if before.is_null() => format!("null{forces}"),
        Mark::Remove => format!("{}{}{forces}", primitive(before), opts.null(diff.mark)),
        Mark::Change => format!("{} {} {}{forces}", primitive(before), opts.arrow(), primitive(after)),
    }
}

fn render_heredoc(diff: &Diff, before: &Value, after: &Value, level: usize, opts: Opts) -> String {
    let text = |v: &Value| v.as_str().map_or_else(|| primitive(v), |s| s.trim().to_owned());
    let mut out = format!("<<-EOT{}\n", opts.forces(diff));
    let mut line = |mark, text: &str| {
        let _ = writeln!(out, "{}{}{text}", indent(level + 1), opts.mark(mark));
    };
    if diff.mark == Mark::Change {
        let (old, new) = (text(before), text(after));
        for change in similar::TextDiff::from_lines(&old, &new).iter_all_changes() {
            let mark = match change.tag() {
                similar::ChangeTag::Equal => Mark::Same,
                similar::ChangeTag::Insert => Mark::Add,
                similar::ChangeTag::Delete => Mark::Remove,
            };
            line(mark, change.value().trim_end_matches(['\n', '\r']));
        }
    } else {
        let text = text(if after.is_null() { before } else { after });
        text.split('\n').for_each(|text| line(Mark::Same, text));
    }
    let _ = write!(out, "{}{}EOT{}", indent(level), opts.mark(Mark::Same), opts.null(diff.mark));
    out
}

fn render_json(diff: &Diff, inner: &Diff, whitespace_only: bool, level: usize, opts: Opts) -> String {
    let inside = if whitespace_only { opts.whole().all() } else { opts.whole() };
    let text = render(inner, level + 1, inside);
    let (comment, forces) = match (whitespace_only, diff.replace || opts.replace) {
        (true, true) => (" # whitespace changes force replacement", String::new()),
        (true, false) => (" # whitespace changes", String::new()),
        (false, _) => ("", opts.forces(diff)),
    };
    if !text.contains('\n') {
        return format!("jsonencode({text}){comment}{forces}");
    }
    let mark = if diff.mark == Mark::Change && !whitespace_only { Mark::Change } else { Mark::Same };
    format!(
        "jsonencode({comment}\n{}{}{text}{forces}\n{}{}){}",
        indent(level + 1),
        opts.mark(mark),
        indent(level),
        opts.mark(Mark::Same),
        opts.null(diff.mark),
    )
}

fn render_list(diff: &Diff, parts: &[Diff], level: usize, opts: Opts) -> String {
    if parts.is_empty() {
        return format!("[]{}{}", opts.null(diff.mark), opts.forces(diff));
    }
    let mut out = format!("[{}\n", opts.forces(diff));
    let inside = Opts { replace: false, ..opts.whole() };
    let mut line = |mark: &str, text: &str, end: &str| {
        let _ = writeln!(out, "{}{mark}{text}{end}", indent(level + 1));
    };
    let mut skipped: Vec<&Diff> = Vec::new();
    let mut next = false;
    for part in parts {
        if part.mark == Mark::Same && !next && !opts.unchanged {
            skipped.push(part);
            continue;
        }
        // Order matters in a list: the element before a change and the one after it show where it is.
        if let Some((last, more)) = skipped.split_last() {
            if !more.is_empty() {
                line(&opts.mark(Mark::Same), &opts.hidden(more.len(), "element"), "");
            }
            line(&opts.mark(Mark::Same), &render(last, level + 1, inside.all()), ",");
        }
        skipped.clear();
        next = part.mark != Mark::Same;
        let inside = if part.mark == Mark::Same { inside.all() } else { inside };
        line(&opts.mark(part.mark), &render(part, level + 1, inside), ",");
    }
    if !skipped.is_empty() {
        line(&opts.mark(Mark::Same), &opts.hidden(skipped.len(), "element"), "");
    }
    let _ = write!(out, "{}{}]{}", indent(level), opts.mark(Mark::Same), opts.null(diff.mark));
    out
}

fn render_set(diff: &Diff, parts: &[Diff], level: usize, opts: Opts) -> String {
    if parts.is_empty() {
        return format!("[]{}{}", opts.null(diff.mark), opts.forces(diff));
    }
    let mut out = format!("[{}\n", opts.forces(diff));
    let inside = Opts { replace: false, ..opts.whole() };
    let mut hidden = 0;
    for part in parts {
        if part.mark == Mark::Same && !opts.unchanged {
            hidden += 1;
            continue;
        }
        let _ = writeln!(out, "{}{}{},", indent(level + 1), opts.mark(part.mark), render(part, level + 1, inside));
    }
    if hidden > 0 {
        let _ = writeln!(out, "{}{}{}", indent(level + 1), opts.mark(Mark::Same), opts.hidden(hidden, "element"));
    }
    let _ = write!(out, "{}{}]{}", indent(level), opts.mark(Mark::Same), opts.null(diff.mark));
    out
}

/// A map or an object: names (as shown), whether they are always shown, and their values. `end` follows the whole.
fn render_entries<'a>(
    diff: &Diff,
    parts: impl Iterator<Item = (String, bool, &'a Diff)>,
    noun: &str,
    level: usize,
    opts: Opts,
    end: String,
) -> String {
    let parts: Vec<_> = parts.collect();
    if parts.is_empty() {
        return format!("{{}}{end}{}", opts.forces(diff));
    }
    let mut out = format!("{{{}\n", opts.forces(diff));
    let inside = Opts { replace: false, ..opts };
    let hidden = write_named(&mut out, &parts, level, inside);
    if hidden > 0 {
        let _ = writeln!(out, "{}{}{}", indent(level + 1), opts.mark(Mark::Same), opts.hidden(hidden, noun));
    }
    let _ = write!(out, "{}{}}}{end}", indent(level), opts.mark(Mark::Same));
    out
}

/// Writes `name = value` lines, aligned; gives how many were left out because they do not change.
fn write_named(out: &mut String, parts: &[(String, bool, &Diff)], level: usize, opts: Opts) -> usize {
    let width = parts.iter().map(|(name, ..)| name.chars().count()).max().unwrap_or(0);
    let mut hidden = 0;
    for (name, important, diff) in parts {
        let opts = if *important { opts.all() } else { opts };
        if diff.mark == Mark::Same && !opts.unchanged {
            hidden += 1;
            continue;
        }
        write_notes(out, diff, level, opts);
        let text = render(diff, level + 1, opts);
        let _ = writeln!(out, "{}{}{name:width$} = {text}", indent(level + 1), opts.mark(diff.mark));
    }
    hidden
}

fn write_notes(out: &mut String, diff: &Diff, level: usize, opts: Opts) {
    for line in diff.notes.iter().flat_map(|note| note.lines()) {
        let _ = writeln!(out, "{}{}{}", indent(level + 1), opts.mark(Mark::Same), opts.style.yellow(line));
    }
}

fn render_block(diff: &Diff, block: &BlockDiff, level: usize, opts: Opts) -> String {
    if block.attributes.is_empty() && block.blocks.is_empty() {
        return format!("{{}}{}", opts.forces(diff));
    }
    let mut out = format!("{{{}\n", opts.forces(diff));
    let inside = Opts { replace: false, ..opts };
    let named: Vec<_> =
        block.attributes.iter().map(|(k, d)| (attribute_name(k), IMPORTANT.contains(&&**k), d)).collect();
    let hidden = write_named(&mut out, &named, level, inside);
    if hidden > 0 {
        let _ = writeln!(out, "{}{}{}", indent(level + 1), opts.mark(Mark::Same), opts.hidden(hidden, "attribute"));
    }
    let mut hidden = 0;
    for (name, group) in &block.blocks {
        let mut apart = !block.attributes.is_empty();
        let inside = Opts { replace: group.replace, ..inside };
        for (key, instance) in &group.instances {
            if instance.mark == Mark::Same && !opts.unchanged {
                hidden += 1;
                continue;
            }
            if std::mem::take(&mut apart) {
                out.push('\n');
            }
            write_notes(&mut out, instance, level, inside);
            let key = key.as_ref().map(|key| format!(" {}", quote(key))).unwrap_or_default();
            let text = match (&instance.body, group.sensitive) {
                (Body::Unknown(_), _) | (Body::Block(_), false) => render(instance, level + 1, inside),
                _ => render_sensitive_block(instance, level + 1, inside),
            };
            let _ =
                writeln!(out, "{}{}{}{key} {text}", indent(level + 1), opts.mark(instance.mark), attribute_name(name));
        }
    }
    if hidden > 0 {
        let _ = writeln!(out, "\n{}{}{}", indent(level + 1), opts.mark(Mark::Same), opts.hidden(hidden, "block"));
    }
    let _ = write!(out, "{}{}}}", indent(level), opts.mark(Mark::Same));
    out
}

fn render_sensitive_block(diff: &Diff, level: usize, opts: Opts) -> String {
    let at = format!("{}{}", indent(level + 1), opts.mark(Mark::Same));
    format!(
        "{{{}\n{at}# At least one attribute in this block is (or was) sensitive,\n{at}# so its contents will not be \
         displayed.\n{}{}}}",
        opts.forces(diff),
        indent(level),
        opts.mark(Mark::Same)
    )
}
