//! A server that keeps each sub-resource of a bucket as it was sent and returns it so, which is what S3's reference
//! documents: the bodies of PUT and GET have the same elements. Emulators drop parts of them. It can also fail, and show
//! the configuration before for a while, as S3 does and emulators do not.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

/// The sub-resources, each with the code by which S3 says that a bucket has none.
const KINDS: &[(&str, Option<&str>)] = &[
    ("lifecycle", Some("NoSuchLifecycleConfiguration")),
    ("cors", Some("NoSuchCORSConfiguration")),
    ("replication", Some("ReplicationConfigurationNotFoundError")),
    ("object-lock", Some("ObjectLockConfigurationNotFoundError")),
    ("intelligent-tiering", Some("NoSuchConfiguration")),
    ("notification", None),
];

const SIZE: &str = "x-amz-transition-default-minimum-object-size";

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    /// `PUT`
    pub method: String,
    /// `BUCKET?KIND`, and `&id=ID` where there is one.
    pub key: String,
    /// Names in small letters.
    pub headers: BTreeMap<String, String>,
    /// The body.
    pub body: String,
}

#[derive(Clone, Default)]
struct Stored {
    body: String,
    size: String,
}

#[derive(Default)]
struct Store {
    now: BTreeMap<String, Stored>,
    before: BTreeMap<String, Option<Stored>>,
    stale: usize,
    failures: Vec<(String, u16, String, String)>,
    requests: Vec<Request>,
}

/// The server.
pub struct Verbatim {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    store: Arc<Mutex<Store>>,
}

impl Verbatim {
    /// Starts one on a free port; it ends with the test.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let store = Arc::new(Mutex::new(Store::default()));
        let shared = store.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let store = shared.clone();
                std::thread::spawn(move || while serve(&stream, &store).is_some() {});
            }
        });
        Self { url, store }
    }

    /// The environment of a provider that talks to it.
    pub fn environment(&self) -> Vec<(String, String)> {
        [("AWS_ENDPOINT_URL", self.url.as_str()), ("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into()
    }

    /// What the next GETs of a sub-resource return.
    pub fn seed(&self, key: &str, body: &str) {
        let stored = Stored { body: body.to_owned(), size: String::new() };
        self.store.lock().unwrap().now.insert(key.to_owned(), stored);
    }

    /// Lets the next request of a method fail; several such failures come one after the other.
    pub fn fail(&self, method: &str, status: u16, code: &str, message: &str) {
        let failure = (method.to_owned(), status, code.to_owned(), message.to_owned());
        self.store.lock().unwrap().failures.push(failure);
    }

    /// After each change, shows the configuration before in so many answers.
    pub fn stale(&self, answers: usize) {
        self.store.lock().unwrap().stale = answers;
    }

    /// The requests since the last call.
    pub fn requests(&self) -> Vec<Request> {
        std::mem::take(&mut self.store.lock().unwrap().requests)
    }
}

/// Answers one request; `None` when the connection is done.
fn serve(stream: &TcpStream, store: &Mutex<Store>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split_whitespace();
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    let (status, size, answer) = answer(&mut store.lock().unwrap(), method, &target, headers, body);
    let size = size.map(|size| format!("{SIZE}: {size}\r\n")).unwrap_or_default();
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status} -\r\n{size}content-length: {}\r\n\r\n{answer}", answer.len()).ok()
}

fn answer(
    store: &mut Store,
    method: String,
    target: &str,
    headers: BTreeMap<String, String>,
    body: String,
) -> (u16, Option<String>, String) {
    let (path, query) = target.split_once('?').unwrap();
    let (kind, absent) = KINDS.iter().find(|(kind, _)| query.split('&').any(|q| q.starts_with(kind))).unwrap();
    let id = query.split('&').find(|q| q.starts_with("id=")).map(|q| format!("&{q}")).unwrap_or_default();
    let key = format!("{}?{kind}{id}", path.trim_matches('/'));
    let size = headers.get(SIZE).cloned().unwrap_or_default();
    store.requests.push(Request { method: method.clone(), key: key.clone(), headers, body: body.clone() });
    let error = |code: &str, message: &str| format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    if let Some(i) = store.failures.iter().position(|(m, ..)| *m == method) {
        let (_, status, code, message) = store.failures.remove(i);
        return (status, None, error(&code, &message));
    }
    let found = match method.as_str() {
        "PUT" => {
            store.before.insert(key.clone(), store.now.get(&key).cloned());
            store.now.insert(key, Stored { body, size });
            return (200, None, String::new());
        }
        "DELETE" => {
            store.now.remove(&key);
            return (204, None, String::new());
        }
        _ if store.stale > 0 && store.before.contains_key(&key) => {
            store.stale -= 1;
            store.before[&key].clone()
        }
        _ => store.now.get(&key).cloned(),
    };
    match (found, absent) {
        (Some(found), _) => (200, Some(found.size).filter(|size| !size.is_empty()), found.body),
        (None, Some(code)) => (404, None, error(code, "absent")),
        (None, None) => (200, None, "<NotificationConfiguration/>".to_owned()),
    }
}

/// An XML element: name, text, and elements in an order that says nothing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Element(pub String, pub String, pub Vec<Element>);

/// Reads a body that has no attributes but `xmlns` and no escapes.
pub fn xml(text: &str) -> Element {
    fn element(rest: &mut &str) -> Element {
        let (tag, after) = rest.split_once('<').unwrap().1.split_once('>').unwrap();
        *rest = after;
        let name = tag.trim_end_matches('/').split(' ').next().unwrap().to_owned();
        let mut out = Element(name, String::new(), vec![]);
        if tag.ends_with('/') {
            return out;
        }
        loop {
            let at = rest.find('<').unwrap();
            out.1.push_str(&rest[..at]);
            if rest[at..].starts_with("</") {
                *rest = rest.split_once('>').unwrap().1;
                out.2.sort();
                return out;
            }
            out.2.push(element(rest));
        }
    }
    element(&mut &*text)
}
