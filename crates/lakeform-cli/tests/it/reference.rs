//! `docs/reference/cli.md` says what `lakeform help` says.

use std::{fmt::Write as _, path::Path};

/// The help of a command and of everything below it.
fn describe(command: &clap::Command, path: &str, depth: usize, out: &mut String) {
    let name = if path.is_empty() { command.get_name().to_owned() } else { format!("{path} {}", command.get_name()) };
    let mut own = command.clone().bin_name(name.clone()).term_width(100).disable_help_subcommand(true);
    let help = own.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(out, "\n{} `{name}`\n\n```text\n{}\n```\n", "#".repeat(depth), help.join("\n").trim_end());
    for child in command.get_subcommands().filter(|c| c.get_name() != "help") {
        describe(child, &name, (depth + 1).min(3), out);
    }
}

#[test]
#[allow(clippy::disallowed_methods, reason = "a test may be told to write")]
fn the_reference_page_is_up_to_date() {
    let mut command = lakeform_cli::command();
    command.build();
    let mut page = "# Command line reference\n\nGenerated from the program's own help: \
                    `LAKEFORM_UPDATE_DOCS=1 cargo nextest run -p lakeform-cli reference`.\n"
        .to_owned();
    describe(&command, "", 2, &mut page);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/cli.md");
    if std::env::var_os("LAKEFORM_UPDATE_DOCS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/reference/cli.md is out of date: run the test with LAKEFORM_UPDATE_DOCS=1");
}
