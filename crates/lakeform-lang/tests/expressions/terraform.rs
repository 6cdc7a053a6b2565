//! Many expressions through `terraform console` at a time. It answers one expression and gives up at the first that fails, so
//! the expressions become locals, one to a line: those that fail are named with their lines, and the console then prints
//! the others as one tuple.

use std::{
    collections::BTreeSet,
    io::Write,
    process::{Command, Output, Stdio},
};

use regex::Regex;

use super::names::CONFIGURATION;

/// Whether there is a Terraform to ask.
pub(super) fn has_terraform() -> bool {
    Command::new("terraform").arg("version").output().is_ok_and(|o| o.status.success())
}

/// A text that stands before each answer in the tuple.
const SEPARATOR: &str = "@@@";

/// A value as it is printed inside a tuple, or why there is none.
pub(super) type Answer = Result<String, String>;

/// Asks about all expressions at once.
pub(super) fn ask(expressions: &[String]) -> Vec<Answer> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rc"), "").unwrap();
    std::fs::write(folder.path().join("names.tf.json"), CONFIGURATION).unwrap();
    let mut refused: Vec<Option<String>> = vec![None; expressions.len()];
    loop {
        let left: Vec<usize> = (0..expressions.len()).filter(|i| refused[*i].is_none()).collect();
        let locals: String = left.iter().map(|i| format!("locals {{ e{i} = {} }}\n", expressions[*i])).collect();
        std::fs::write(folder.path().join("e.tf"), locals).unwrap();
        let tuple: String = left.iter().map(|i| format!("{SEPARATOR:?}, local.e{i}, ")).collect();
        let mut console = Command::new("terraform")
            .args(["console", "-plan", "-no-color", "-input=false"])
            .current_dir(folder.path())
            .env("CHECKPOINT_DISABLE", "1")
            .env("TF_CLI_CONFIG_FILE", folder.path().join("rc"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = console.stdin.take().unwrap().write_all(format!("[{tuple}]\n").as_bytes());
        let output = console.wait_with_output().unwrap();
        let problems = problems(&output);
        if problems.is_empty() {
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            let separator = format!("  {SEPARATOR:?},\n");
            let printed = String::from_utf8(output.stdout).unwrap();
            let mut answers = printed.trim_end().trim_end_matches(']').split(&separator).skip(1);
            let answer = |why| match why {
                Some(why) => Err(why),
                None => Ok(answers.next().unwrap().to_owned()),
            };
            return refused.into_iter().map(answer).collect();
        }
        for (line, why) in problems {
            refused[left[line - 1]] = Some(why);
        }
    }
}

/// The lines of the errors, with what is wrong.
fn problems(output: &Output) -> BTreeSet<(usize, String)> {
    let place = Regex::new(r"(?s)^(.*?)\n\n  on e\.tf line (\d+).*?\n\n(.*)").unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let errors = text.split("\nError: ").skip(1).filter_map(|error| {
        let found = place.captures(error.split("\nWarning: ").next().unwrap())?;
        Some((found[2].parse().unwrap(), format!("{}: {}", &found[1], found[3].trim())))
    });
    errors.collect()
}
