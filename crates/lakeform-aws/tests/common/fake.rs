//! A server with answers made by the test: for what no emulator does (throttling, lost answers, pending states, replicas).

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
};

use serde_json::Value as Json;

/// What came in.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET /path?query`
    pub line: String,
    /// The operation, from `X-Amz-Target` or the form's `Action`: `CreateTable`; empty for REST protocols.
    pub operation: String,
    /// The body as JSON, a form as an object of its fields as they are encoded; null if it is neither.
    pub body: Json,
    /// The region that the request was signed for.
    pub region: String,
}

/// What goes out.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status and a body.
    Reply(u16, String),
    /// The connection is closed without an answer, after the request was read.
    Hang,
}

/// A successful answer.
pub fn ok(body: Json) -> Answer {
    Answer::Reply(200, body.to_string())
}

/// A successful answer of a service that answers forms with XML: what is inside of `<OPERATIONResult>`.
pub fn xml(operation: &str, result: &str) -> Answer {
    let result = format!("<{operation}Result>{result}</{operation}Result>");
    Answer::Reply(200, format!("<{operation}Response>{result}</{operation}Response>"))
}

/// An error of such a service.
pub fn xml_error(status: u16, code: &str, message: &str) -> Answer {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>");
    Answer::Reply(status, format!("<ErrorResponse>{error}<RequestId>req-1</RequestId></ErrorResponse>"))
}

/// An error in the JSON protocols.
pub fn error(status: u16, code: &str, message: &str) -> Answer {
    Answer::Reply(status, serde_json::json!({"__type": code, "message": message}).to_string())
}

/// A running server, for as long as the process lives.
pub struct Fake {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

type Handler = Arc<dyn Fn(&Request, usize) -> Answer + Send + Sync>;

impl Fake {
    /// Starts one. The handler gets each request and how many of the same operation came before it.
    pub fn start(handler: impl Fn(&Request, usize) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(vec![]));
        let (handler, log): (Handler, _) = (Arc::new(handler), seen.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (handler, log) = (handler.clone(), log.clone());
                std::thread::spawn(move || serve(stream, &handler, &log));
            }
        });
        Self { url, seen }
    }

    /// The operations that were called, in order.
    pub fn operations(&self) -> Vec<String> {
        self.seen.lock().unwrap().iter().map(|r| r.operation.clone()).collect()
    }

    /// Every request of an operation.
    pub fn requests(&self, operation: &str) -> Vec<Request> {
        self.seen.lock().unwrap().iter().filter(|r| r.operation == operation).cloned().collect()
    }

    /// The environment of a process that talks to it.
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.url.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into()
    }
}

fn serve(stream: TcpStream, handler: &Handler, log: &Mutex<Vec<Request>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    while let Some(request) = read(&mut reader) {
        let answer = {
            let mut log = log.lock().unwrap();
            let before = log.iter().filter(|r| r.operation == request.operation).count();
            log.push(request.clone());
            handler(&request, before)
        };
        let Answer::Reply(status, body) = answer else { return };
        let text = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/x-amz-json-1.0\r\nx-amzn-requestid: req-1\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        if writer.write_all(text.as_bytes()).is_err() {
            return;
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let (mut length, mut operation, mut region) = (0, String::new(), String::new());
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok().filter(|n| *n > 0)?;
        let Some((name, value)) = header.trim_end().split_once(':') else { break };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "x-amz-target" => operation = value.rsplit('.').next().unwrap_or_default().to_owned(),
            "authorization" => region = value.split('/').nth(2).unwrap_or_default().to_owned(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = serde_json::from_slice(&body).ok().or_else(|| form(&body)).unwrap_or(Json::Null);
    if let Some(action) = body["Action"].as_str().filter(|_| operation.is_empty()) {
        operation = action.to_owned();
    }
    Some(Request { line: line.trim_end().rsplit_once(' ')?.0.to_owned(), operation, body, region })
}

fn form(body: &[u8]) -> Option<Json> {
    let fields = std::str::from_utf8(body).ok()?.split('&').map(|field| field.split_once('='));
    Some(Json::Object(fields.map(|f| f.map(|(k, v)| (k.to_owned(), v.into()))).collect::<Option<_>>()?))
}
