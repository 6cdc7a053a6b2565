//! Credentials that run out while a run is at work.

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime},
};

use jiff::Timestamp;
use lakeform_testkit::{
    emulator::{Emulator, Kind, environment_for},
    proxy::Proxy,
};

/// How long credentials are good for. The SDK asks for others ten seconds before their end.
const GOOD_FOR: Duration = Duration::from_secs(12);

const BACKEND: &str = "[backend.s3]\nbucket = 'expiring-state'\nkey = 's.tfstate'\nregion = 'eu-west-2'\ndynamodb_table = \
                       'expiring-lock'\n";

#[allow(clippy::disallowed_methods, reason = "the SDK reads the clock too")]
fn now() -> SystemTime {
    SystemTime::now()
}

/// A service that gives out credentials as that of a container does, and when it gave out each.
fn service() -> (String, Arc<Mutex<Vec<Instant>>>) {
    let given = Arc::new(Mutex::new(Vec::new()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/credentials", listener.local_addr().unwrap());
    let list = given.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            let n = {
                let mut list = list.lock().unwrap();
                list.push(Instant::now());
                list.len()
            };
            let end = Timestamp::try_from(now() + GOOD_FOR).unwrap();
            let body = serde_json::json!({
                "AccessKeyId": format!("KEY{n}"), "SecretAccessKey": "secret", "Token": "token", "Expiration": end.to_string(),
            });
            let body = body.to_string();
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n";
            write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    (url, given)
}

fn lakeform(folder: &Path, proxy: &Proxy, credentials: &str, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lakeform"));
    command.args(arguments).current_dir(folder).envs(environment_for(&proxy.url()));
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env_remove("AWS_PROFILE");
    let output = command.env("AWS_CONTAINER_CREDENTIALS_FULL_URI", credentials).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn credentials_that_run_out_are_replaced_in_the_middle_of_a_run() {
    let emulator = Emulator::start(Kind::Moto).unwrap_or_else(|e| panic!("{e}"));
    let proxy = Proxy::start(emulator.address()).unwrap();
    let (credentials, given) = service();
    let folder = tempfile::tempdir().unwrap();
    let one = |n: usize| {
        let after = if n == 0 { String::new() } else { format!("depends_on = ['aws_ssm_parameter.p{}']\n", n - 1) };
        format!("[resource.aws_ssm_parameter.p{n}]\nname = '/expiring/{n}'\ntype = 'String'\nvalue = 'x'\n{after}")
    };
    let stack: String = (0..8).map(one).collect();
    std::fs::write(folder.path().join("s.toml"), format!("{stack}\n{BACKEND}")).unwrap();
    lakeform(folder.path(), &proxy, &credentials, &["bootstrap", "s.toml"]);
    // moto takes the condition of the TLS-only policy for fulfilled, and would deny everything.
    emulator.drop_bucket_policy("expiring-state").unwrap();
    let before = given.lock().unwrap().len();
    proxy.forget();
    proxy.set_delay(Duration::from_millis(250));
    let began = Instant::now();
    lakeform(folder.path(), &proxy, &credentials, &["apply", "s.toml", "--auto-approve"]);
    let given = given.lock().unwrap()[before..].to_vec();
    assert!(given.len() > 1, "the run ended within {:?}, before its credentials did", began.elapsed());
    let calls = proxy.log();
    let first = calls.iter().map(|call| call.started).min().unwrap();
    let mut keys: Vec<usize> = Vec::new();
    for call in &calls {
        let n: usize =
            call.caller.strip_prefix("KEY").unwrap_or_else(|| panic!("{call}: {}", call.caller)).parse().unwrap();
        // The clock of the proxy began with the first call, after the first credentials were given out.
        let age = (given[0] + (call.started - first)).saturating_duration_since(given[n - 1 - before]);
        assert!(age < GOOD_FOR, "{call} was signed with what had run out");
        keys.push(n);
    }
    // The service and the state both have the new ones.
    let last =
        |service: &str| keys.iter().zip(&calls).rfind(|(_, c)| c.operation.starts_with(service)).map(|(n, _)| *n);
    assert!(last("ssm:") > Some(before + 1) && last("s3:") > Some(before + 1), "{keys:?}");
}
