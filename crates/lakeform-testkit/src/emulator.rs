//! AWS emulators as child processes.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

/// Runs its arguments until they end by themselves or standard input is closed. So an emulator ends with the process that
/// started it, however that ends.
const WATCH: &str = r#"exec 3<&0
"$@" </dev/null 3<&- &
pid=$!
{ cat <&3 >/dev/null; kill "$pid"; } 2>/dev/null &
wait "$pid""#;

/// How long an emulator may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(90);

/// Which emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// moto's `moto_server`: what tests run against.
    Moto,
    /// `ministack`: for what moto lacks.
    Ministack,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Moto, Self::Ministack];

    /// The name in trial tables: `moto`, `ministack`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Moto => "moto",
            Self::Ministack => "ministack",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Moto => "moto_server",
            Self::Ministack => "ministack",
        }
    }

    const fn variable(self) -> &'static str {
        match self {
            Self::Moto => "LAKEFORM_MOTO",
            Self::Ministack => "LAKEFORM_MINISTACK",
        }
    }

    const fn probe(self) -> &'static str {
        match self {
            Self::Moto => "/moto-api/data.json",
            Self::Ministack => "/_ministack/ready",
        }
    }

    const fn reset(self) -> &'static str {
        match self {
            Self::Moto => "/moto-api/reset",
            Self::Ministack => "/_ministack/reset",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An emulator could not be started or reset.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    /// Its program is nowhere.
    #[error("there is no `{program}`: run scripts/emulators, which installs it into .venv, or name it in {variable}")]
    Missing {
        /// The program.
        program: &'static str,
        /// The variable that can name it.
        variable: &'static str,
    },
    /// It could not be started or talked to.
    #[error("{program}: {source}")]
    Io {
        /// The program.
        program: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// It ended, or did not answer.
    #[error("{program} {what}; its output ends:\n{log}")]
    Failed {
        /// The program.
        program: &'static str,
        /// What it did.
        what: String,
        /// The end of its output.
        log: String,
    },
}

/// The program of an emulator: named by `LAKEFORM_MOTO` or `LAKEFORM_MINISTACK`, else in the `.venv` of the repository, else
/// on `PATH`.
///
/// # Errors
/// [`EmulatorError::Missing`] when it is in none of these places.
pub fn find(kind: Kind) -> Result<PathBuf, EmulatorError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let named = environment(kind.variable()).map(PathBuf::from);
    let path = environment("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|dir| dir.join(kind.program()));
    let local = root.join(".venv/bin").join(kind.program());
    let found = match named {
        Some(named) => Some(named).filter(|p| p.is_file()),
        None => std::iter::once(local).chain(on_path).find(|p| p.is_file()),
    };
    found.ok_or(EmulatorError::Missing { program: kind.program(), variable: kind.variable() })
}

#[allow(clippy::disallowed_methods, reason = "the testkit ships nowhere, and is told so where the emulators are")]
fn environment(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A port of 127.0.0.1 that is free now.
///
/// # Errors
/// When there is none.
pub fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// The environment of a child process that shall talk to an emulator (or a proxy) at `url` and to nothing else.
pub fn environment_for(url: &str) -> BTreeMap<String, String> {
    [
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "testing"),
        ("AWS_SECRET_ACCESS_KEY", "testing"),
        ("AWS_REGION", "eu-west-2"),
        ("AWS_DEFAULT_REGION", "eu-west-2"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
        ("AWS_CONFIG_FILE", "/dev/null"),
        ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into()
}

/// What tells an emulator the region and the service of a call.
fn authorization(region: &str, service: &str) -> String {
    format!(
        "Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/{region}/{service}/aws4_request, SignedHeaders=host, \
         Signature=0\r\n"
    )
}

/// A running emulator on a port of its own. It ends when this is dropped, and with this process at the latest.
#[derive(Debug)]
pub struct Emulator {
    kind: Kind,
    port: u16,
    child: Mutex<Child>,
    folder: tempfile::TempDir,
}

impl Emulator {
    /// Starts one and waits until it answers.
    ///
    /// # Errors
    /// When it is not installed, or does not come up.
    pub fn start(kind: Kind) -> Result<Self, EmulatorError> {
        Self::start_from(kind, &find(kind)?)
    }

    /// [`Emulator::start`] of a program that stands for the emulator.
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_from(kind: Kind, program: &Path) -> Result<Self, EmulatorError> {
        // Someone else may take the free port first.
        let mut last = None;
        for _ in 0..3 {
            match Self::start_once(kind, program) {
                Ok(emulator) => return Ok(emulator),
                Err(e) => last = Some(e),
            }
        }
        Err(last.unwrap_or(EmulatorError::Missing { program: kind.program(), variable: kind.variable() }))
    }

    fn start_once(kind: Kind, program: &Path) -> Result<Self, EmulatorError> {
        let io = |source| EmulatorError::Io { program: kind.program(), source };
        let port = free_port().map_err(io)?;
        let folder = tempfile::tempdir().map_err(io)?;
        let log = std::fs::File::create(folder.path().join("log")).map_err(io)?;
        let mut command = Command::new("sh");
        command.arg("-c").arg(WATCH).arg(kind.program()).arg(program);
        match kind {
            Kind::Moto => {
                command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            }
            Kind::Ministack => {
                command.env("GATEWAY_PORT", port.to_string()).env("MINISTACK_HOST", "127.0.0.1");
                command.env("S3_DATA_DIR", folder.path().join("s3"));
            }
        }
        command.current_dir(folder.path()).stdin(Stdio::piped());
        command.stdout(log.try_clone().map_err(io)?).stderr(log);
        let child = command.spawn().map_err(io)?;
        let emulator = Self { kind, port, child: Mutex::new(child), folder };
        emulator.wait()?;
        Ok(emulator)
    }

    /// The one that all tests of this process share, started on first use.
    ///
    /// # Errors
    /// What starting it failed with.
    pub fn shared(kind: Kind) -> Result<&'static Self, &'static EmulatorError> {
        static SHARED: [OnceLock<Result<Emulator, EmulatorError>>; 2] = [OnceLock::new(), OnceLock::new()];
        let place = match kind {
            Kind::Moto => &SHARED[0],
            Kind::Ministack => &SHARED[1],
        };
        place.get_or_init(|| Self::start(kind)).as_ref()
    }

    fn wait(&self) -> Result<(), EmulatorError> {
        let start = Instant::now();
        loop {
            if let Ok(mut child) = self.child.lock()
                && let Ok(Some(status)) = child.try_wait()
            {
                return Err(self.failed(format!("ended with {status}")));
            }
            if self.call("GET", self.kind.probe(), "", "").is_ok_and(|status| status == 200) {
                return Ok(());
            }
            if start.elapsed() > PATIENCE {
                return Err(self.failed(format!("did not answer within {PATIENCE:?}")));
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn failed(&self, what: String) -> EmulatorError {
        EmulatorError::Failed { program: self.kind.program(), what, log: self.log() }
    }

    /// The end of its output.
    pub fn log(&self) -> String {
        let bytes = std::fs::read(self.folder.path().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(40)..].join("\n")
    }

    /// The status of one plain call.
    fn call(&self, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<u16> {
        self.exchange(method, path, headers, body).map(|(status, _)| status)
    }

    /// The status and the body of the answer.
    fn exchange(&self, method: &str, path: &str, headers: &str, body: &str) -> std::io::Result<(u16, String)> {
        let mut stream = TcpStream::connect_timeout(&self.address(), Duration::from_secs(5))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}",
            body.len()
        )?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split_whitespace().nth(1).and_then(|s| s.parse().ok());
        let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned()).unwrap_or_default();
        Ok((status.ok_or_else(|| std::io::Error::other("the answer is no HTTP"))?, body))
    }

    /// Forgets every object.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn reset(&self) -> Result<(), EmulatorError> {
        match self.call("POST", self.kind.reset(), "", "") {
            Ok(200) => Ok(()),
            Ok(status) => Err(self.failed(format!("answered its reset with {status}"))),
            Err(source) => Err(EmulatorError::Io { program: self.kind.program(), source }),
        }
    }

    /// Keeps everything as it is now, for [`Emulator::restore`], where that is the stand-in `tests/parity/moto_server`. False:
    /// it is not. Nobody else may call it meanwhile.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn keep(&self) -> Result<bool, EmulatorError> {
        let answer = self.call("POST", "/moto-api/snapshot", "", "");
        answer.map(|status| status == 200).map_err(|source| EmulatorError::Io { program: self.kind.program(), source })
    }

    /// Goes back to what was [kept](Emulator::keep) last.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn restore(&self) -> Result<(), EmulatorError> {
        match self.call("POST", "/moto-api/restore", "", "") {
            Ok(200) => Ok(()),
            Ok(status) => Err(self.failed(format!("answered the return to what was kept with {status}"))),
            Err(source) => Err(EmulatorError::Io { program: self.kind.program(), source }),
        }
    }

    /// Calls a service that takes forms, such as `iam` with `Action=CreateUser&UserName=x`: for what no type makes.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn form(&self, service: &str, form: &str) -> Result<(), EmulatorError> {
        let headers =
            format!("Content-Type: application/x-www-form-urlencoded\r\n{}", authorization("us-east-1", service));
        match self.call("POST", "/", &headers, form) {
            Ok(200) => Ok(()),
            Ok(status) => Err(self.failed(format!("answered {form} with {status}"))),
            Err(source) => Err(EmulatorError::Io { program: self.kind.program(), source }),
        }
    }

    /// The keys of the items in a lock table of eu-west-2.
    ///
    /// # Errors
    /// When it does not answer, or has no such table.
    pub fn lock_ids(&self, table: &str) -> Result<Vec<String>, EmulatorError> {
        let headers = format!(
            "Content-Type: application/x-amz-json-1.0\r\nX-Amz-Target: DynamoDB_20120810.Scan\r\n{}",
            authorization("eu-west-2", "dynamodb")
        );
        let answer = self.exchange("POST", "/", &headers, &format!(r#"{{"TableName": "{table}"}}"#));
        let (status, body) = answer.map_err(|source| EmulatorError::Io { program: self.kind.program(), source })?;
        let json: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
        let Some(items) = json["Items"].as_array().filter(|_| status == 200) else {
            return Err(self.failed(format!("answered a look into {table} with {status}: {body}")));
        };
        Ok(items.iter().filter_map(|item| item["LockID"]["S"].as_str().map(str::to_owned)).collect())
    }

    /// Makes a bucket.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn make_bucket(&self, bucket: &str) -> Result<(), EmulatorError> {
        match self.call("PUT", &format!("/{bucket}"), "", "") {
            Ok(200) => Ok(()),
            Ok(status) => Err(self.failed(format!("answered the creation of a bucket with {status}"))),
            Err(source) => Err(EmulatorError::Io { program: self.kind.program(), source }),
        }
    }

    /// Takes a bucket's policy away, as its owner.
    ///
    /// # Errors
    /// When it does not answer, or refuses.
    pub fn drop_bucket_policy(&self, bucket: &str) -> Result<(), EmulatorError> {
        match self.call("DELETE", &format!("/{bucket}?policy"), "", "") {
            Ok(200 | 204) => Ok(()),
            Ok(status) => Err(self.failed(format!("answered the deletion of a policy with {status}"))),
            Err(source) => Err(EmulatorError::Io { program: self.kind.program(), source }),
        }
    }

    /// Which one it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The environment of a child process that talks to it.
    pub fn env(&self) -> BTreeMap<String, String> {
        environment_for(&self.url())
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            // Closing its input ends it.
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_emulator_is_named_with_what_to_do() {
        let error = EmulatorError::Missing { program: "moto_server", variable: "LAKEFORM_MOTO" };
        assert_eq!(
            error.to_string(),
            "there is no `moto_server`: run scripts/emulators, which installs it into .venv, or name it in LAKEFORM_MOTO"
        );
    }

    #[test]
    fn what_a_program_prints_before_it_fails_is_told() {
        let failed = Emulator::start_once(Kind::Moto, Path::new("/bin/ls")).map(|e| e.url()).unwrap_err();
        let text = failed.to_string();
        assert!(matches!(failed, EmulatorError::Failed { .. }), "{text}");
        assert!(text.contains("ended with") && text.contains("ls:"), "{text}");
    }

    fn lives_and_dies(kind: Kind) {
        let emulator = Emulator::start(kind).unwrap();
        let address = emulator.address();
        let put = emulator.call("PUT", "/a-bucket", "", "").unwrap();
        assert_eq!(put, 200);
        assert_eq!(emulator.call("HEAD", "/a-bucket", "", "").unwrap(), 200);
        emulator.reset().unwrap();
        assert_eq!(emulator.call("HEAD", "/a-bucket", "", "").unwrap(), 404);
        assert_eq!(emulator.env()["AWS_ENDPOINT_URL"], format!("http://{address}"));
        drop(emulator);
        assert!(TcpStream::connect(address).is_err());
    }

    #[test]
    fn moto_lives_and_dies() {
        lives_and_dies(Kind::Moto);
    }

    #[test]
    fn ministack_lives_and_dies() {
        lives_and_dies(Kind::Ministack);
    }
}
