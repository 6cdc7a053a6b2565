//! The flags that commands share, and the list of commands.

use std::{path::PathBuf, time::Duration};

use clap::{ArgAction, ArgMatches, Args, FromArgMatches, Parser, Subcommand};
use lakeform::{
    LoadOptions, LoadedStack, OnError, PlanMode, PlanOptions, VariableSource,
    core::{InstanceAddress, address::Target},
};

use crate::commands;

/// Plan, apply and watch infrastructure that TOML stacks describe.
///
/// A stack is a `.toml` file or a directory of them; without one, the working directory is meant. Terraform's spellings
/// with a single dash (`-auto-approve`, `-var=k=v`) are understood too.
#[derive(Parser, Debug)]
#[command(name = "lakeform", version = lakeform::VERSION, max_term_width = 100, infer_subcommands = false)]
pub(crate) struct Cli {
    /// Go to this directory first
    #[arg(long, global = true, value_name = "DIR", help_heading = "Global options")]
    pub(crate) chdir: Option<PathBuf>,

    /// Do not colour anything
    #[arg(long, global = true, help_heading = "Global options")]
    pub(crate) no_color: bool,

    /// Commands
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    Plan(commands::plan::PlanArgs),
    Apply(commands::apply::ApplyArgs),
    Destroy(commands::destroy::DestroyArgs),
    Drift(commands::drift::DriftArgs),
    Validate(commands::validate::ValidateArgs),
    Fmt(commands::fmt::FmtArgs),
    Output(commands::output::OutputArgs),
    Show(commands::show::ShowArgs),
    Console(commands::console::ConsoleArgs),
    Graph(commands::graph::GraphArgs),
    Import(commands::import::ImportArgs),
    History(commands::history::HistoryArgs),
    State(commands::state::StateArgs),
    Taint(commands::taint::TaintArgs),
    Untaint(commands::taint::UntaintArgs),
    ForceUnlock(commands::force_unlock::ForceUnlockArgs),
    Lock(commands::lock::LockArgs),
    Journal(commands::journal::JournalArgs),
    Bootstrap(commands::bootstrap::BootstrapArgs),
    Upgrade(commands::upgrade::UpgradeArgs),
    Schema(commands::schema::SchemaArgs),
    Version(commands::version::VersionArgs),
    Completions(commands::completions::CompletionsArgs),
}

/// Values for variables, and where the state is.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct StackOptions {
    #[command(flatten)]
    variables: Variables,

    /// Set one argument of the backend, or all those of a file
    #[arg(long, value_name = "KEY=VALUE|FILE", help_heading = "Stack options")]
    backend_config: Vec<String>,

    /// Keep the state in this file instead of the stack's backend
    #[arg(long, value_name = "FILE", help_heading = "Stack options")]
    pub(crate) state: Option<PathBuf>,
}

/// `--var` and `--var-file`, in the order given: later ones win.
#[derive(Clone, Debug, Default)]
struct Variables(Vec<VariableSource>);

impl Args for Variables {
    fn augment_args(command: clap::Command) -> clap::Command {
        command
            .arg(
                clap::Arg::new("var")
                    .long("var")
                    .value_name("NAME=VALUE")
                    .action(ArgAction::Append)
                    .allow_hyphen_values(true)
                    .value_parser(parse_var)
                    .help_heading("Stack options")
                    .help("Set a variable; lists and maps are written as expressions"),
            )
            .arg(
                clap::Arg::new("var_file")
                    .long("var-file")
                    .value_name("FILE")
                    .action(ArgAction::Append)
                    .value_parser(clap::value_parser!(PathBuf))
                    .help_heading("Stack options")
                    .help("Set variables from a file: TOML, .tfvars or .tfvars.json"),
            )
    }

    fn augment_args_for_update(command: clap::Command) -> clap::Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Variables {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let indices = |id| matches.indices_of(id).into_iter().flatten();
        let texts = matches.get_many::<(String, String)>("var").into_iter().flatten();
        let texts = texts.map(|(name, text)| VariableSource::Text(name.clone(), text.clone()));
        let files = matches.get_many::<PathBuf>("var_file").into_iter().flatten();
        let files = files.map(|path| VariableSource::File(path.clone()));
        let mut all: Vec<_> = indices("var").zip(texts).chain(indices("var_file").zip(files)).collect();
        all.sort_by_key(|(index, _)| *index);
        Ok(Self(all.into_iter().map(|(_, source)| source).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

fn parse_var(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("NAME=VALUE is expected".into()),
    }
}

/// How the state is locked.
#[derive(Args, Clone, Debug)]
pub(crate) struct LockOptions {
    /// Lock the state
    #[arg(
        long, value_name = "BOOL", default_value_t = true, default_missing_value = "true", num_args = 0..=1,
        require_equals = true, action = ArgAction::Set, help_heading = "Stack options"
    )]
    pub(crate) lock: bool,

    /// How long to wait for whoever holds the lock
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration, help_heading = "Stack options")]
    pub(crate) lock_timeout: Duration,
}

/// Whether questions may be asked.
#[derive(Args, Clone, Debug)]
pub(crate) struct InputOptions {
    /// Ask for approval and for variables without a value
    #[arg(
        long, value_name = "BOOL", default_value_t = true, default_missing_value = "true", num_args = 0..=1,
        require_equals = true, action = ArgAction::Set
    )]
    pub(crate) input: bool,
}

impl StackOptions {
    /// What the library wants to know. Reading commands take no lock.
    pub(crate) fn load(&self, lock: Option<&LockOptions>) -> LoadOptions {
        LoadOptions {
            variables: self.variables.0.clone(),
            backend_config: self.backend_config.clone(),
            state: self.state.clone(),
            no_lock: lock.is_none_or(|l| !l.lock),
            lock_timeout: lock.map(|l| l.lock_timeout).unwrap_or_default(),
            upgrade_modules: false,
            override_guard: None,
            on_error: OnError::Keep,
        }
    }
}

/// What may be done although the stack's guard refuses it.
#[derive(Args, Clone, Debug)]
pub(crate) struct GuardOptions {
    /// Do what the stack's [guard] refuses; the record of the run keeps the reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub(crate) override_guard: Option<String>,
}

fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a reason is expected".into()),
        reason => Ok(reason.to_owned()),
    }
}

impl GuardOptions {
    /// Hands the reason on.
    pub(crate) fn apply_to(&self, loaded: &mut LoadedStack) {
        if let Some(reason) = &self.override_guard {
            loaded.override_guard(reason);
        }
    }
}

/// What to plan.
#[derive(Args, Clone, Debug)]
pub(crate) struct PlanningOptions {
    /// Plan to delete everything
    #[arg(long, conflicts_with = "refresh_only", help_heading = "Planning options")]
    pub(crate) destroy: bool,

    /// Only bring the state to what the live objects are
    #[arg(long, help_heading = "Planning options")]
    pub(crate) refresh_only: bool,

    /// Read live objects instead of trusting the state
    #[arg(
        long, value_name = "BOOL", default_value_t = true, default_missing_value = "true", num_args = 0..=1,
        require_equals = true, action = ArgAction::Set, help_heading = "Planning options"
    )]
    pub(crate) refresh: bool,

    /// Only this module, resource or instance, and what it depends on
    #[arg(long, value_name = "ADDR", help_heading = "Planning options")]
    pub(crate) target: Vec<Target>,

    /// Not this module, resource or instance, nor what depends on it
    #[arg(long, value_name = "ADDR", help_heading = "Planning options")]
    pub(crate) exclude: Vec<Target>,

    /// Replace this instance although nothing asks for it
    #[arg(long, value_name = "ADDR", help_heading = "Planning options")]
    pub(crate) replace: Vec<InstanceAddress>,

    #[command(flatten)]
    pub(crate) parallelism: Parallelism,
}

/// How much at once.
#[derive(Args, Clone, Debug)]
pub(crate) struct Parallelism {
    /// How many operations may run at once
    #[arg(
        long, value_name = "N", default_value_t = 32, help_heading = "Planning options",
        value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024)
    )]
    pub(crate) parallelism: usize,
}

impl PlanningOptions {
    /// What the library wants to know.
    pub(crate) fn plan(&self) -> PlanOptions {
        PlanOptions {
            mode: match (self.destroy, self.refresh_only) {
                (true, _) => PlanMode::Destroy,
                (_, true) => PlanMode::RefreshOnly,
                _ => PlanMode::Normal,
            },
            skip_refresh: !self.refresh,
            targets: self.target.clone(),
            excludes: self.exclude.clone(),
            replace: self.replace.clone(),
            imports: Vec::new(),
            unwritten: Vec::new(),
            parallelism: self.parallelism.parallelism,
        }
    }
}

/// Go's form of a duration: `30s`, `1m30s`, `1.5h`, `500ms`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no duration: 30s, 5m and 1h30m are");
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let (mut rest, mut total) = (text, Duration::ZERO);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').ok_or_else(wrong)?;
        let amount: f64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = &rest[digits..];
        let end = unit.find(|c: char| c.is_ascii_digit()).unwrap_or(unit.len());
        let seconds = match &unit[..end] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 0.001,
            _ => return Err(wrong()),
        };
        total += Duration::try_from_secs_f64(amount * seconds).map_err(|_| wrong())?;
        rest = &unit[end..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(total) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_in_go() {
        for (text, wanted) in [("30s", 30_000), ("5m", 300_000), ("1h30m", 5_400_000), ("500ms", 500), ("0", 0)] {
            assert_eq!(duration(text).unwrap().as_millis(), wanted, "{text}");
        }
        for text in ["", "5", "s", "5x", "-5s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn variables_keep_the_order_in_which_they_are_given() {
        let args = ["lakeform", "plan", "--var", "a=1", "--var-file", "f", "--var=a=-2"];
        let Command::Plan(args) = Cli::parse_from(args).command else { panic!("plan") };
        let all = args.stack_options.load(None).variables;
        assert_eq!(format!("{all:?}"), r#"[Text("a", "1"), File("f"), Text("a", "-2")]"#);
    }
}
