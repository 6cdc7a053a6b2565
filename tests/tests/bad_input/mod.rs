//! Wrong stacks, wrong states, wrong arguments and an unwilling cloud: for each the exact message, exit 1, and nothing
//! changed. The messages are in `snapshots`.

mod arguments;
mod aws;
mod documents;
mod expressions;
mod state;

use lakeform_cli::Exit;

use crate::support::cli::Folder;

/// Runs a command that must fail without changing anything, and holds what it says against the snapshot of that name.
fn refused(name: &str, folder: &Folder, args: &[&str]) {
    let before = folder.files();
    let objects = folder.cloud.list();
    let ran = folder.run(args);
    assert_eq!(ran.exit, Exit::Failed, "{name}: it did not fail:\n{}{}", ran.stdout, ran.stderr);
    // A run that was begun and failed leaves its record.
    let record =
        |path: &std::path::Path| path.parent().is_some_and(|folder| folder.extension() == Some("runs".as_ref()));
    let changed = |file: &(std::path::PathBuf, Vec<u8>)| before.get(&file.0) != Some(&file.1) && !record(&file.0);
    let after: Vec<_> = folder.files().into_iter().filter(changed).collect();
    assert!(after.is_empty(), "{name}: files changed: {:?}", after.iter().map(|(path, _)| path).collect::<Vec<_>>());
    assert_eq!(folder.cloud.list(), objects, "{name}: objects changed");
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for (pattern, instead) in [
        (r"127\.0\.0\.1:\d+", "ENDPOINT"),
        (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID"),
        (r"(?i)(request ?id:? )[0-9a-z]+", "${1}ID"),
        (r"after \d+s", "after Ns"),
        (r"[ \t]+\n", "\n"),
    ] {
        settings.add_filter(pattern, instead);
    }
    settings.bind(|| insta::assert_snapshot!(name, ran.stderr));
}

/// A table of stacks that planning must refuse: a name and the document.
fn table(cases: &[(&str, &str)]) {
    let mut wrong = vec![];
    for (name, stack) in cases {
        // One wrong case must not hide the others.
        let result = std::panic::catch_unwind(|| refused(name, &Folder::with(stack), &["plan", "stack.toml"]));
        wrong.extend(result.err().map(|_| *name));
    }
    assert!(wrong.is_empty(), "see above: {wrong:?}");
}
