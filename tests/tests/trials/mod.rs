//! Every resource type through the conformance trials of its row, beside this file, on each emulator that serves it.
//! `README.md` says what is tried and how a row is written.

use std::{collections::BTreeMap, fmt::Write, path::Path};

use lakeform_aws::AwsProvider;
use lakeform_cli::Exit;
use lakeform_provider::Provider as _;
use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    proxy::Proxy,
    trials::{Applied, Lakeform, Options, PlanSummary, Row, State, load, refresh_calls, run},
};

use crate::support::cli::{Folder, Ran};

fn rows() -> Vec<Row> {
    load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trials")).unwrap_or_else(|e| panic!("{e}"))
}

/// Services that moto serves with the help of `tests/parity/moto_server`.
const COMPLETED: &[&str] = &["aws_cloudwatch_dashboard", "aws_cloudwatch_metric_", "aws_sfn_"];

/// Puts the rows of a service through their trials, and tells of all that do not hold.
fn all_hold(service: &str, kind: Kind) {
    // One of its own: it is emptied before each row.
    let emulator = if kind == Kind::Moto && COMPLETED.contains(&service) {
        Emulator::start_from(kind, &Path::new(env!("CARGO_MANIFEST_DIR")).join("parity/moto_server"))
    } else {
        Emulator::start(kind)
    };
    let emulator = emulator.unwrap_or_else(|e| panic!("{e}"));
    let proxy = Proxy::start(emulator.address()).unwrap();
    let lakeform = CommandLine { env: environment_for(&proxy.url()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let rows: Vec<_> = rows().into_iter().filter(|r| r.ty.starts_with(service) && r.is_served_by(kind)).collect();
    assert!(!rows.is_empty(), "{kind} serves no type of {service}");
    let counted = std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trials/calls.json")).unwrap();
    let counted: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&counted).unwrap();
    let mut failed = String::new();
    for row in rows {
        row.prepare(&emulator).unwrap();
        let report = runtime.block_on(run(&row, &lakeform, &proxy, kind));
        println!("{report}");
        if !report.failures().is_empty() {
            failed += &report.to_string();
        }
        if kind == Kind::Moto || !row.is_served_by(Kind::Moto) {
            emulator.reset().unwrap();
            row.prepare(&emulator).unwrap();
            let calls =
                runtime.block_on(refresh_calls(&row, &lakeform, &proxy, kind)).unwrap_or_else(|e| panic!("{e}"));
            let recorded = counted.get(&row.ty).unwrap_or_else(|| panic!("{} is not in calls.json", row.ty));
            if recorded["lakeform"] != calls.len() {
                writeln!(failed, "{}: a refresh makes {calls:?}, but {recorded} was counted", row.ty).unwrap();
            }
        }
    }
    assert!(failed.is_empty(), "{failed}");
}

/// The command line in this process. Every call has a folder of its own.
struct CommandLine {
    env: BTreeMap<String, String>,
}

impl CommandLine {
    /// Runs `VERB stack.toml ARGUMENTS` and gives the state that it left.
    async fn run(&self, stack: &str, state: &State, verb: &str, arguments: &[&str], options: Options) -> (Ran, State) {
        let mut folder = Folder::with(stack);
        folder.env = self.env.clone();
        if let Some(state) = state {
            folder.write("state.tfstate", state);
        }
        let mut args: Vec<_> = [verb, "stack.toml"].iter().chain(arguments).map(|a| (*a).to_owned()).collect();
        args.extend(["--state".into(), "state.tfstate".into()]);
        if !options.refresh {
            args.push("--refresh=false".into());
        }
        let run = tokio::task::spawn_blocking(move || {
            let ran = folder.run(&args.iter().map(String::as_str).collect::<Vec<_>>());
            let state = std::fs::read_to_string(folder.path("state.tfstate")).ok();
            (ran, state)
        });
        run.await.unwrap()
    }
}

impl Lakeform for CommandLine {
    fn name(&self) -> &'static str {
        "lakeform"
    }

    async fn plan(&self, stack: &str, state: &State, options: Options) -> Result<PlanSummary, String> {
        let arguments: &[&str] = if options.destroy { &["--json", "--destroy"] } else { &["--json"] };
        let (ran, _) = self.run(stack, state, "plan", arguments, options).await;
        if ran.exit != Exit::Done {
            return Err(ran.stderr);
        }
        let plan = serde_json::from_str(&ran.stdout).map_err(|e| format!("its plan is no JSON: {e}"))?;
        Ok(PlanSummary::from_plan_json(&plan))
    }

    async fn apply(&self, stack: &str, state: &State, options: Options) -> Applied {
        let verb = if options.destroy { "destroy" } else { "apply" };
        let (ran, state) = self.run(stack, state, verb, &["--auto-approve"], options).await;
        Applied { state, errors: (ran.exit != Exit::Done).then_some(ran.stderr).into_iter().collect() }
    }

    async fn import(&self, stack: &str, state: &State, address: &str, id: &str) -> Result<State, String> {
        let (ran, state) = self.run(stack, state, "import", &[address, id], Options::default()).await;
        if ran.exit == Exit::Done { Ok(state) } else { Err(ran.stderr) }
    }
}

#[test]
fn v10_every_type_has_its_row() {
    let tried: Vec<_> = rows().into_iter().map(|row| row.ty).collect();
    let mut types = AwsProvider::new([]).resource_names();
    types.sort_unstable();
    assert_eq!(tried, types);
    for ty in tried {
        assert_eq!(SERVICES.iter().filter(|s| ty.starts_with(**s)).count(), 1, "no test tries {ty}");
    }
}

/// One test for each service, by how the names of its types begin, and emulator that serves it.
macro_rules! services {
    ($($service:ident $prefix:literal: $($emulator:ident $kind:ident),+;)*) => {
        const SERVICES: &[&str] = &[$($prefix),*];
        $(mod $service {
            $(#[test]
            fn $emulator() {
                super::all_hold($prefix, super::Kind::$kind);
            })+
        })*
    };
}

services! {
    athena "aws_athena_": on_ministack Ministack;
    budgets "aws_budgets_": on_ministack Ministack;
    cloudtrail "aws_cloudtrail": on_moto Moto, on_ministack Ministack;
    cloudwatch_alarms "aws_cloudwatch_metric_": on_moto Moto, on_ministack Ministack;
    cloudwatch_dashboards "aws_cloudwatch_dashboard": on_moto Moto, on_ministack Ministack;
    cloudwatch_events "aws_cloudwatch_event_": on_moto Moto, on_ministack Ministack;
    cloudwatch_logs "aws_cloudwatch_log_": on_moto Moto, on_ministack Ministack;
    dynamodb "aws_dynamodb_": on_moto Moto, on_ministack Ministack;
    firehose "aws_kinesis_firehose_": on_moto Moto, on_ministack Ministack;
    glue "aws_glue_": on_moto Moto, on_ministack Ministack;
    ecr "aws_ecr_": on_moto Moto, on_ministack Ministack;
    iam "aws_iam_": on_moto Moto, on_ministack Ministack;
    kms "aws_kms_": on_moto Moto, on_ministack Ministack;
    lambda "aws_lambda_": on_moto Moto, on_ministack Ministack;
    s3 "aws_s3_": on_moto Moto, on_ministack Ministack;
    secretsmanager "aws_secretsmanager_": on_moto Moto, on_ministack Ministack;
    sfn "aws_sfn_": on_moto Moto, on_ministack Ministack;
    sns "aws_sns_": on_moto Moto, on_ministack Ministack;
    sqs "aws_sqs_": on_moto Moto, on_ministack Ministack;
    ssm "aws_ssm_": on_moto Moto, on_ministack Ministack;
    xray "aws_xray_": on_moto Moto;
}
