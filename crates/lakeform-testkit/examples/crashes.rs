//! Kills lakeform at every call that changes something, and says how often the next run put everything right; then, where
//! `terraform` is on PATH, a sample of the same for Terraform.
//!
//! ```text
//! cargo run --release -p lakeform-testkit --example crashes -- --lakeform target/release/lakeform \
//!     [--stack prod.toml] [--update --var --update project=other] [--backend local|s3] [--phase apply|update|destroy|rollback]
//!     [--moment before|after] [--every N] [--from N] [--jobs N] [--terraform PATH] [--terraform-every N]
//! ```
//!
//! Without `--stack`, `--backend`, `--phase` and `--moment`: all of them, of prod.toml and of the lakehouse. `--every 10` tries each
//! tenth call only. `--jobs 4` does so much at once (two for each processor: most of a case is waiting).
//!
//! `--terraform no` leaves Terraform alone. `--lakeform no` kills only Terraform, on the same stacks. `--terraform-every 1` tries each
//! call, a minute for each. TF_PLUGIN_MIRROR names a folder with its AWS provider, or TF_CLI_CONFIG_FILE says where that is.
//!
//! `--time 5` kills nothing: it prints the median times of five applies at 20 ms per call, and of the plan after each. `--applies` and
//! `--against` name two programs that apply, to be held against each other in turn: see the example `apply`. With `--calls yes`
//! it prints each call of the last apply besides, with the milliseconds at which it came and was answered.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use lakeform_testkit::{
    crash::{Crashes, Keeping, Moment, Phase, Subject, Tool},
    emulator::{Emulator, Kind},
};

/// What the command was given: values by name.
type Given = BTreeMap<String, Vec<String>>;

/// The stacks, and what replaces most of each.
const STACKS: [(&str, [&str; 2]); 2] =
    [("prod.toml", ["--var", "project=other"]), ("lakehouse/dev.toml", ["--var", "environment=stage"])];

const PHASES: [(Phase, &str); 4] =
    [(Phase::Apply, "apply"), (Phase::Update, "update"), (Phase::Destroy, "destroy"), (Phase::Rollback, "rollback")];

/// The calls of one phase, to be tried one after the other.
#[derive(Clone)]
struct Series {
    tool: Tool,
    program: PathBuf,
    subject: Subject,
    keeping: Keeping,
    phase: Phase,
    moment: Moment,
    from: usize,
    every: usize,
}

impl fmt::Display for Series {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tool, subject, keeping, phase, moment, .. } = self;
        let text = format!("{tool:?}, {phase:?} of {} on {keeping:?}, killed {moment:?} the call", subject.stack);
        f.write_str(&text)
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default)]
struct Sum {
    tried: usize,
    failed: usize,
}

fn main() -> ExitCode {
    let mut given = Given::new();
    let mut arguments = std::env::args().skip(1);
    while let (Some(name), Some(value)) = (arguments.next(), arguments.next()) {
        given.entry(name.trim_start_matches('-').to_owned()).or_default().push(value);
    }
    match if given.contains_key("time") { time(&given) } else { kill(&given) } {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn number(given: &Given, name: &str, default: usize) -> usize {
    given.get(name).and_then(|v| v[0].parse().ok()).unwrap_or(default).max(1)
}

fn wanted(given: &Given, name: &str, value: &str) -> bool {
    given.get(name).is_none_or(|v| v.iter().any(|v| v == value))
}

/// A program by the name that was given. `None`: it is not wanted, or nowhere.
fn program(given: &Given, name: &str, default: &str) -> Option<PathBuf> {
    let path = PathBuf::from(given.get(name).map_or(default, |v| &v[0]));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::iter::once(path.clone()).chain(std::env::split_paths(&on_path).map(|dir| dir.join(&path)));
    places.find(|place| place.is_file())?.canonicalize().ok()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn subjects(given: &Given) -> Vec<Subject> {
    let known = |name: &str| STACKS.iter().find(|(stack, _)| *stack == name).map_or(STACKS[0].1, |(_, update)| *update);
    let names = given.get("stack").cloned();
    let names = names.unwrap_or_else(|| STACKS.iter().map(|(stack, _)| (*stack).to_owned()).collect());
    let update = |name: &str| given.get("update").cloned().unwrap_or_else(|| known(name).map(str::to_owned).into());
    let subject = |stack: String| Subject {
        folder: root().join("stacks"),
        update: update(&stack),
        stack,
        addition: String::new(),
    };
    names.into_iter().map(subject).collect()
}

fn backends(given: &Given) -> Vec<Keeping> {
    let all = [(Keeping::Local, "local"), (Keeping::S3, "s3")];
    all.into_iter().filter(|(_, name)| wanted(given, "backend", name)).map(|(keeping, _)| keeping).collect()
}

fn scene(tool: Tool, program: &Path, subject: &Subject, keeping: Keeping, settings: &Path) -> Result<Crashes, String> {
    let env = if tool == Tool::Terraform { terraform_settings(settings) } else { BTreeMap::new() };
    // What moto lacks of alarms, budgets and state machines.
    Emulator::start_from(Kind::Moto, &root().join("tests/parity/moto_server"))
        .and_then(|emulator| Crashes::new(tool, vec![program.into()], env, emulator, subject.clone(), keeping))
        .map_err(|e| e.to_string())
}

/// Everything that is to be tried.
fn series(given: &Given) -> Result<Vec<Series>, String> {
    let mut tools = vec![];
    if wanted(given, "lakeform", "no") && given.contains_key("lakeform") {
        eprintln!("lakeform is left alone");
    } else {
        let found = program(given, "lakeform", "target/release/lakeform");
        let missing = "there is no such program: name it with --lakeform";
        tools.push((Tool::Lakeform, found.ok_or(missing)?, number(given, "from", 1), number(given, "every", 1)));
    }
    match program(given, "terraform", "terraform") {
        // A call in the middle where there are fewer.
        Some(found) => {
            let every = number(given, "terraform-every", 100);
            tools.push((Tool::Terraform, found, number(given, "from", every.div_ceil(3)), every));
        }
        None => eprintln!("there is no terraform to hold it against"),
    }
    let mut all = vec![];
    for (tool, program, from, every) in tools {
        for subject in subjects(given) {
            for keeping in backends(given) {
                for (phase, name) in PHASES {
                    // Terraform has no way back.
                    if (tool, phase) == (Tool::Terraform, Phase::Rollback) {
                        continue;
                    }
                    for (moment, when) in [(Moment::Before, "before"), (Moment::After, "after")] {
                        if wanted(given, "phase", name) && wanted(given, "moment", when) {
                            let (program, subject) = (program.clone(), subject.clone());
                            all.push(Series { tool, program, subject, keeping, phase, moment, from, every });
                        }
                    }
                }
            }
        }
    }
    Ok(all)
}

/// Kills what is to be killed, several at once. False: not everything recovered from it, though Terraform's part does not count.
fn kill(given: &Given) -> Result<bool, String> {
    let all = series(given)?;
    if all.is_empty() {
        return Err("there is nothing to try: see --stack, --backend, --phase and --moment".to_owned());
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let jobs = number(given, "jobs", 2 * processors).min(all.len());
    let queue = Mutex::new(VecDeque::from(all));
    let sums = Mutex::new(BTreeMap::<&str, Sum>::new());
    let killed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
                    let Some(series) = next else { break };
                    let sum = series.run(&killed);
                    let tool = if series.tool == Tool::Lakeform { "lakeform" } else { "terraform" };
                    if let Ok(mut sums) = sums.lock() {
                        let all = sums.entry(tool).or_default();
                        all.tried += sum.tried;
                        all.failed += sum.failed;
                    }
                }
            });
        }
    });
    let sums = sums.into_inner().map_err(|e| e.to_string())?;
    for (tool, Sum { tried, failed }) in &sums {
        println!("{tool}: {} of {tried} recovered", tried - failed);
    }
    Ok(sums.get("lakeform").is_none_or(|sum| sum.failed == 0))
}

impl Series {
    fn run(&self, killed: &AtomicUsize) -> Sum {
        let mut sum = Sum::default();
        let failed = |sum: &mut Sum, n: usize, why: &str| {
            sum.failed += 1;
            // Its end says what went wrong.
            let end = why.char_indices().rev().nth(1500).map_or(why, |(at, _)| &why[at..]);
            println!("{self} {n}: {end}");
        };
        let begun = tempfile::tempdir().map_err(|e| e.to_string()).and_then(|settings| {
            let mut crashes = scene(self.tool, &self.program, &self.subject, self.keeping, settings.path())?;
            let (expected, calls) = crashes.undisturbed(self.phase)?;
            Ok((settings, crashes, expected, calls))
        });
        let (_settings, mut crashes, expected, calls) = match begun {
            Ok(begun) => begun,
            // A Terraform that finds no provider says nothing about recovery.
            Err(e) if self.tool == Tool::Terraform => {
                println!("{self}: not tried: {e}");
                return sum;
            }
            Err(e) => {
                sum.tried += 1;
                failed(&mut sum, 0, &e);
                return sum;
            }
        };
        for n in (self.from..=calls + 2).step_by(self.every) {
            match crashes.crash(self.phase, self.moment, n, &expected) {
                Ok(false) => break,
                Ok(true) => {}
                Err(why) => failed(&mut sum, n, &why),
            }
            sum.tried += 1;
            eprint!("\r{} killed ", killed.fetch_add(1, Ordering::Relaxed) + 1);
        }
        println!("{self}: {} of {} recovered ({calls} calls)", sum.tried - sum.failed, sum.tried);
        sum
    }
}

/// Prints how long applies take.
fn time(given: &Given) -> Result<bool, String> {
    let settings = tempfile::tempdir().map_err(|e| e.to_string())?;
    let lakeform = program(given, "lakeform", "target/release/lakeform");
    let lakeform = lakeform.ok_or("there is no such program: name it with --lakeform")?;
    let subject = subjects(given).remove(0);
    for keeping in backends(given) {
        let mut crashes = scene(Tool::Lakeform, &lakeform, &subject, keeping, settings.path())?;
        for line in compare(&mut crashes, number(given, "time", 5), given)? {
            println!("{keeping:?}: {line}");
        }
    }
    Ok(true)
}

/// Times applies, by each program that was named in turn, and the plans after them.
fn compare(crashes: &mut Crashes, times: usize, given: &Given) -> Result<Vec<String>, String> {
    let command = |text: &String| -> Vec<String> {
        let mut words: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
        if let Some(path) = words.first().and_then(|program| Path::new(program).canonicalize().ok()) {
            words[0] = path.to_string_lossy().into_owned();
        }
        words
    };
    let named: Vec<Vec<String>> =
        ["applies", "against"].iter().filter_map(|name| given.get(*name)?.first()).map(command).collect();
    let programs: Vec<Option<&[String]>> =
        if named.is_empty() { vec![None] } else { named.iter().map(|words| Some(&words[..])).collect() };
    let mut found = vec![(vec![], vec![]); programs.len()];
    for _ in 0..times {
        for (by, (applies, plans)) in programs.iter().zip(&mut found) {
            let (apply, plan) = crashes.timed(Duration::from_millis(20), *by)?;
            applies.push(apply);
            plans.push(plan);
        }
    }
    let mut lines = if given.contains_key("calls") { crashes.calls() } else { vec![] };
    let mut medians = vec![];
    for (by, (mut applies, mut plans)) in programs.iter().zip(found) {
        applies.sort();
        plans.sort();
        let (apply, plan) = (applies[times / 2], plans[times / 2]);
        medians.push(apply);
        let name = by.map_or("lakeform".to_owned(), |words| words[words.len() - 1].clone());
        lines.push(format!("{name}: apply {apply:.3?} (fastest {:.3?}), plan without changes {plan:.3?}", applies[0]));
    }
    if let [a, b] = medians[..] {
        lines.push(format!("the first takes {:+.1} % more", (a.as_secs_f64() / b.as_secs_f64() - 1.0) * 100.0));
    }
    Ok(lines)
}

/// Where Terraform finds its provider.
fn terraform_settings(folder: &Path) -> BTreeMap<String, String> {
    let Some(mirror) = std::env::var_os("TF_PLUGIN_MIRROR") else { return BTreeMap::new() };
    let file = folder.join("terraformrc");
    let mirror = mirror.to_string_lossy();
    let text = format!(
        "disable_checkpoint = true\nprovider_installation {{\n  filesystem_mirror {{\n    path = {mirror:?}\n  }}\n}}\n"
    );
    let _ = std::fs::write(&file, text);
    [("TF_CLI_CONFIG_FILE", file.to_string_lossy().as_ref()), ("TF_IN_AUTOMATION", "1")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}
