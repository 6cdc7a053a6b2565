//! The proxy itself.

use std::{
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, body::Incoming, header::HeaderMap, service::service_fn};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioIo},
};
use tokio::{net::TcpListener, sync::watch};

use super::{
    Exchange, Operation, Rule, answer,
    fresh::Fresh,
    operation::identify,
    rule::{Action, matches},
    sampling::Sampling,
    shelf::Shelf,
};

/// A proxy on a port of its own and on a thread of its own. It stops when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    since: Instant,
    desk: Mutex<Desk>,
}

#[derive(Debug, Default)]
struct Desk {
    delay: Duration,
    rules: Vec<Rule>,
    shelves: Vec<Shelf>,
    fresh: Option<Fresh>,
    sampling: Sampling,
    log: Vec<Exchange>,
    /// How many entries were taken out of the log: numbers of exchanges go on.
    forgotten: usize,
    in_flight: usize,
    high_water: usize,
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Starts a proxy in front of what listens at `upstream`.
    ///
    /// # Errors
    /// When no port is free or no thread can be started.
    pub fn start(upstream: SocketAddr) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { upstream, since: Instant::now(), desk: Mutex::default() });
        let (stop, stopped) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let serving = shared.clone();
        let thread = std::thread::Builder::new().name("fault-proxy".into()).spawn(move || {
            runtime.block_on(async {
                if let Ok(listener) = TcpListener::from_std(listener) {
                    serve(listener, serving, stopped).await;
                }
            });
        })?;
        Ok(Self { address, shared, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call takes this much longer.
    pub fn set_delay(&self, delay: Duration) {
        self.shared.desk().delay = delay;
    }

    /// Adds a rule. The first rule that meets a call decides; `slow` and `held_by` let later rules have their say too.
    pub fn add(&self, rule: Rule) {
        self.shared.desk().rules.push(rule);
    }

    /// Takes every rule and the delay away.
    pub fn clear(&self) {
        let mut desk = self.shared.desk();
        desk.rules.clear();
        desk.fresh = None;
        desk.delay = Duration::ZERO;
    }

    /// Keeps an S3 subresource (`intelligent-tiering`) in place of an emulator that lacks it. Where nothing was put, `absent`
    /// (`NoSuchConfiguration`) is the code of the answer.
    pub fn shelve(&self, subresource: &str, absent: &str) {
        self.shared.desk().shelves.push(Shelf::new(subresource, absent));
    }

    /// Keeps each role that is made from now on unknown to other services for a while: calls that name it are refused in
    /// the words of their service.
    pub fn hide_fresh_roles(&self, lag: Duration) {
        self.shared.desk().fresh = Some(Fresh::new(lag));
    }

    /// Leaves every subresource to the emulator again.
    pub fn clear_shelves(&self) {
        let mut desk = self.shared.desk();
        desk.shelves.clear();
        desk.sampling = Sampling::default();
    }

    /// Every call since the start (or [`Proxy::forget`]), in the order in which they came.
    pub fn log(&self) -> Vec<Exchange> {
        self.shared.desk().log.clone()
    }

    /// Every call as one line, in the order in which they came.
    pub fn lines(&self) -> Vec<String> {
        self.shared.desk().log.iter().map(Exchange::to_string).collect()
    }

    /// How many calls there were of an operation: `s3:GetBucketPolicy`, `s3:Get*`, `*`.
    pub fn count(&self, pattern: &str) -> usize {
        self.shared.desk().log.iter().filter(|e| matches(pattern, &e.operation)).count()
    }

    /// How many calls did more than read.
    pub fn changes(&self) -> usize {
        self.shared.desk().log.iter().filter(|e| !e.is_read()).count()
    }

    /// How often each operation was called, most often first.
    pub fn totals(&self) -> Vec<(String, usize)> {
        let mut totals = std::collections::BTreeMap::<String, usize>::new();
        for exchange in &self.shared.desk().log {
            *totals.entry(exchange.operation.clone()).or_default() += 1;
        }
        let mut totals: Vec<_> = totals.into_iter().collect();
        totals.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        totals
    }

    /// The largest number of calls that were in flight at once.
    pub fn high_water(&self) -> usize {
        self.shared.desk().high_water
    }

    /// How many calls are in flight now.
    pub fn in_flight(&self) -> usize {
        self.shared.desk().in_flight
    }

    /// Forgets all calls and the high-water mark.
    pub fn forget(&self) {
        let mut desk = self.shared.desk();
        desk.forgotten += desk.log.len();
        desk.log.clear();
        desk.high_water = desk.in_flight;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

type Upstream = Client<HttpConnector, Full<Bytes>>;

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the fault proxy cuts the connection")]
struct Cut;

async fn serve(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>) {
    // A connection per call: an emulator that closes idle ones must not look like a fault.
    let upstream: Upstream = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
    loop {
        let stream = tokio::select! {
            _ = stopped.wait_for(|stop| *stop) => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => continue,
            },
        };
        let _ = stream.set_nodelay(true);
        let (shared, upstream) = (shared.clone(), upstream.clone());
        tokio::spawn(async move {
            let service = service_fn(|request| handle(&shared, &upstream, request));
            // A caller that goes away is no fault of ours.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// An entry of the log that ends when this is dropped.
struct Open<'a> {
    shared: &'a Shared,
    number: usize,
    status: Option<u16>,
    answered: Option<u16>,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let now = self.shared.since.elapsed();
        let mut desk = self.shared.desk();
        desk.in_flight -= 1;
        let place = self.number.checked_sub(desk.forgotten);
        if let Some(entry) = place.and_then(|place| desk.log.get_mut(place)) {
            entry.status = self.status;
            entry.answered = self.answered;
            entry.ended = Some(now);
        }
    }
}

/// The access key in the credential of a signature.
fn caller(headers: &HeaderMap) -> String {
    let signature = headers.get("authorization").and_then(|v| v.to_str().ok()).unwrap_or_default();
    let scope = signature.split("Credential=").nth(1).unwrap_or_default();
    scope.split('/').next().unwrap_or_default().to_owned()
}

async fn handle(
    shared: &Shared,
    upstream: &Upstream,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let started = shared.since.elapsed();
    let (parts, body) = request.into_parts();
    let body = body.collect().await.map_err(|_| Cut)?.to_bytes();
    let operation = identify(&parts.method, &parts.uri, &parts.headers, &body);
    let target = parts.uri.path_and_query().map_or("/", |t| t.as_str()).to_owned();
    let (number, delay, actions) = {
        let mut desk = shared.desk();
        let mut actions = Vec::new();
        for rule in &mut desk.rules {
            if rule.meets(&operation, &target, &body) {
                actions.push(rule.action.clone());
                if !matches!(rule.action, Action::Slow(_) | Action::Hold(_)) {
                    break;
                }
            }
        }
        let fault = actions.iter().map(Action::name).collect::<Vec<_>>().join(", ");
        let exchange = Exchange {
            operation: operation.to_string(),
            caller: caller(&parts.headers),
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            body: body.to_vec(),
            status: None,
            answered: None,
            fault: (!fault.is_empty()).then_some(fault),
            started,
            ended: None,
        };
        desk.log.push(exchange);
        desk.in_flight += 1;
        desk.high_water = desk.high_water.max(desk.in_flight);
        (desk.log.len() - 1 + desk.forgotten, desk.delay, actions)
    };
    let mut open = Open { shared, number, status: None, answered: None };
    if !delay.is_zero() {
        tokio::time::sleep(delay).await;
    }
    let response = respond(shared, upstream, &operation, &target, parts, body, actions, &mut open.answered).await?;
    open.status = Some(response.status().as_u16());
    Ok(response)
}

#[allow(clippy::too_many_arguments, reason = "a call has all these parts")]
async fn respond(
    shared: &Shared,
    upstream: &Upstream,
    operation: &Operation,
    target: &str,
    parts: hyper::http::request::Parts,
    body: Bytes,
    actions: Vec<Action>,
    answered: &mut Option<u16>,
) -> Result<Response<Full<Bytes>>, Cut> {
    let mut cut = false;
    let mut held = None;
    for action in &actions {
        match action {
            Action::Slow(by) => tokio::time::sleep(*by).await,
            Action::Hold(gate) => gate.pass().await,
            Action::CutBefore => return Err(Cut),
            Action::CutAfter => cut = true,
            Action::HoldAnswer(gate) => held = Some(gate.clone()),
            other => {
                if let Some(response) = answer::instead(other, operation, parts.uri.path()) {
                    return Ok(response);
                }
            }
        }
    }
    let refusal = shared.desk().fresh.as_ref().and_then(|fresh| fresh.refusal(operation, parts.uri.path(), &body));
    if let Some(response) = refusal {
        return Ok(response);
    }
    let query = parts.uri.query().unwrap_or_default();
    let shelved = {
        let mut desk = shared.desk();
        let sampled = desk.sampling.answer(operation, &body);
        let mut answers = desk.shelves.iter_mut();
        sampled.or_else(|| answers.find_map(|s| s.answer(operation, &parts.method, parts.uri.path(), query, &body)))
    };
    let forwarded = match shelved {
        Some(response) => response,
        None => {
            let Ok(response) = forward(shared, upstream, target, parts, body.clone()).await;
            *answered = Some(response.status().as_u16());
            if response.status().is_success()
                && let Some(fresh) = &mut shared.desk().fresh
            {
                fresh.note(operation, &body);
            }
            response
        }
    };
    if let Some(gate) = held {
        gate.pass().await;
        return Err(Cut);
    }
    if cut { Err(Cut) } else { Ok(forwarded) }
}

/// Headers that concern one connection only, and those that hyper sets from the body.
const HOP: [&str; 7] = ["connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

fn strip(headers: &mut HeaderMap) {
    for name in HOP {
        headers.remove(name);
    }
}

async fn forward(
    shared: &Shared,
    upstream: &Upstream,
    target: &str,
    parts: hyper::http::request::Parts,
    body: Bytes,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let is_head = parts.method == hyper::Method::HEAD;
    let broken = |why: String| {
        let mut response = Response::new(Full::new(Bytes::from(format!("the emulator did not answer: {why}"))));
        *response.status_mut() = hyper::StatusCode::BAD_GATEWAY;
        Ok(response)
    };
    let mut request = Request::builder().method(parts.method).uri(format!("http://{}{target}", shared.upstream));
    if let Some(headers) = request.headers_mut() {
        *headers = parts.headers;
        strip(headers);
        headers.remove("content-length");
    }
    let request = match request.body(Full::new(body)) {
        Ok(request) => request,
        Err(e) => return broken(e.to_string()),
    };
    let (mut parts, body) = match upstream.request(request).await {
        Ok(response) => response.into_parts(),
        Err(e) => return broken(e.to_string()),
    };
    let body = match body.collect().await {
        Ok(body) => body.to_bytes(),
        Err(e) => return broken(e.to_string()),
    };
    strip(&mut parts.headers);
    if !is_head {
        parts.headers.remove("content-length");
    }
    Ok(Response::from_parts(parts, Full::new(body)))
}
