//! A server that plays S3 by script: it fails as told, and else keeps each sub-resource as it was sent and returns it so
//! (by S3's reference, the bodies of PUT and GET have the same elements). It remembers every call.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// What S3 says of a bucket that has none of it, by sub-resource, from its reference.
const ABSENT: &[(&str, &str)] = &[
    ("tagging", "NoSuchTagSet"),
    ("policy", "NoSuchBucketPolicy"),
    ("publicAccessBlock", "NoSuchPublicAccessBlockConfiguration"),
    ("replication", "ReplicationConfigurationNotFoundError"),
    ("object-lock", "ObjectLockConfigurationNotFoundError"),
    ("encryption", "ServerSideEncryptionConfigurationNotFoundError"),
];

#[derive(Default)]
struct Play {
    kept: BTreeMap<String, String>,
    failures: Vec<(String, u16, String)>,
    calls: Vec<String>,
}

/// The server.
pub struct Stage {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    play: Arc<Mutex<Play>>,
}

impl Stage {
    /// Starts one on a free port; it ends with the test.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let play = Arc::new(Mutex::new(Play::default()));
        let shared = play.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let play = shared.clone();
                std::thread::spawn(move || while serve(&stream, &play).is_some() {});
            }
        });
        Self { url, play }
    }

    /// The environment of a provider that talks to it.
    pub fn environment(&self) -> Vec<(String, String)> {
        [("AWS_ENDPOINT_URL", self.url.as_str()), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    }

    /// Lets the next such call (`PUT one?policy`) fail; several failures of one call come one after the other.
    pub fn fail(&self, call: &str, status: u16, code: &str, message: &str) {
        let body = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
        self.play.lock().unwrap().failures.push((call.to_owned(), status, body));
    }

    /// The calls since the last question, sorted: they may come side by side.
    pub fn calls(&self) -> Vec<String> {
        let mut calls = std::mem::take(&mut self.play.lock().unwrap().calls);
        calls.sort();
        calls
    }

    /// What was sent last: `one?policy`
    pub fn kept(&self, what: &str) -> String {
        self.play.lock().unwrap().kept.get(what).cloned().unwrap_or_default()
    }
}

fn serve(stream: &TcpStream, play: &Mutex<Play>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (status, answer) = answer(&mut play.lock().unwrap(), &method, &target, String::from_utf8(body).unwrap());
    let mut stream = stream;
    let body = if method == "HEAD" { "" } else { answer.as_str() };
    let head =
        format!("HTTP/1.1 {status} -\r\nx-amz-bucket-region: eu-central-1\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(format!("{head}{body}").as_bytes()).ok()
}

fn answer(play: &mut Play, method: &str, target: &str, body: String) -> (u16, String) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let bucket = path.trim_matches('/');
    let kind = query.split('&').next().unwrap_or_default().trim_end_matches('=');
    let what = if kind.is_empty() { bucket.to_owned() } else { format!("{bucket}?{kind}") };
    let call = format!("{method} {what}");
    play.calls.push(call.clone());
    if let Some(i) = play.failures.iter().position(|(wanted, ..)| *wanted == call) {
        let (_, status, body) = play.failures.remove(i);
        return (status, body);
    }
    match method {
        "PUT" => {
            play.kept.insert(what, body);
            (200, String::new())
        }
        "DELETE" => {
            play.kept.remove(&what);
            (204, String::new())
        }
        _ => match (play.kept.get(&what), ABSENT.iter().find(|(name, _)| *name == kind)) {
            (Some(kept), _) => (200, kept.clone()),
            (None, Some((_, code))) => (404, format!("<Error><Code>{code}</Code></Error>")),
            (None, None) => (200, "<None/>".to_owned()),
        },
    }
}
