//! The proxy in front of a server that answers each call with its own number.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::{
    Gate,
    emulator::{Emulator, Kind},
};

use super::{Proxy, Rule};

/// One request from a stream: head and body.
fn read_message(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<u8>)> {
    let mut head = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        head.push_str(&line);
    }
    let length =
        head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length:").map(|n| n.trim().to_owned()));
    let mut body = vec![0; length.and_then(|n| n.parse().ok()).unwrap_or(0)];
    let is_head_answer = head.starts_with("HTTP/1.1 200") && head.contains("x-head");
    if is_head_answer {
        return Some((head, vec![]));
    }
    stream.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// A server that answers `call N: BODY`.
fn counting() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = BufReader::new(stream);
            while let Some((head, body)) = read_message(&mut stream) {
                let number = counter.fetch_add(1, Ordering::SeqCst) + 1;
                let text = format!("call {number}: {}", String::from_utf8_lossy(&body));
                let answer = if head.starts_with("HEAD") {
                    "HTTP/1.1 200 OK\r\nx-head: 1\r\ncontent-length: 77\r\n\r\n".to_owned()
                } else {
                    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{text}", text.len())
                };
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        }
    });
    (address, calls)
}

/// Sends one request; `None` when the connection is cut.
fn call(proxy: &Proxy, method: &str, target: &str, headers: &str, body: &str) -> Option<(u16, String, String)> {
    let mut stream = TcpStream::connect(proxy.address()).unwrap();
    let length = body.len();
    write!(stream, "{method} {target} HTTP/1.1\r\nhost: x\r\n{headers}content-length: {length}\r\n\r\n{body}").unwrap();
    let (head, body) = read_message(&mut BufReader::new(stream))?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, String::from_utf8(body).unwrap(), head))
}

fn put(proxy: &Proxy, bucket: &str) -> Option<(u16, String)> {
    call(proxy, "PUT", bucket, "", "x").map(|(status, body, _)| (status, body))
}

#[test]
fn calls_go_through_and_are_written_down() {
    let (upstream, _) = counting();
    let proxy = Proxy::start(upstream).unwrap();
    assert_eq!(put(&proxy, "/b"), Some((200, "call 1: x".into())));
    let (status, body, head) = call(&proxy, "HEAD", "/b", "", "").unwrap();
    assert!(status == 200 && body.is_empty() && head.contains("content-length: 77"), "{head}");
    call(&proxy, "POST", "/", "x-amz-target: TrentService.CreateKey\r\n", "{}").unwrap();
    assert_eq!(proxy.lines(), ["PUT /b s3:CreateBucket 200", "HEAD /b s3:HeadBucket 200", "POST / kms:CreateKey 200"]);
    assert_eq!((proxy.count("s3:*"), proxy.count("*"), proxy.changes()), (2, 3, 2));
    assert_eq!(proxy.totals().len(), 3);
    assert_eq!(proxy.log()[0].body, b"x");
    proxy.forget();
    assert!(proxy.log().is_empty());
    put(&proxy, "/b?policy");
    assert_eq!(proxy.lines(), ["PUT /b?policy s3:PutBucketPolicy 200"]);
}

#[test]
fn errors_look_as_the_service_makes_them() {
    let (upstream, calls) = counting();
    let proxy = Proxy::start(upstream).unwrap();
    proxy.add(Rule::on("s3:CreateBucket").nth(2).error(409, "BucketAlreadyExists"));
    assert_eq!(put(&proxy, "/b").unwrap().0, 200);
    let (status, body) = put(&proxy, "/b").unwrap();
    assert_eq!(status, 409);
    assert!(body.contains("<Error><Code>BucketAlreadyExists</Code><Message>"), "{body}");
    assert!(body.contains("<Resource>/b</Resource>"), "{body}");
    assert_eq!(put(&proxy, "/b").unwrap().0, 200);
    assert_eq!(calls.load(Ordering::SeqCst), 2);

    proxy.add(Rule::on("kms:*").every(2).throttled());
    let ask = || call(&proxy, "POST", "/", "x-amz-target: TrentService.CreateKey\r\n", "{}").unwrap();
    assert_eq!(ask().0, 200);
    let (status, body, head) = ask();
    assert_eq!(status, 400);
    assert!(
        body.contains(r#""__type":"ThrottlingException""#) && head.contains("x-amzn-errortype: Throttling"),
        "{head}"
    );
    assert_eq!((ask().0, ask().0), (200, 400));

    proxy.add(Rule::on("sts:*").throttled());
    let form = "content-type: application/x-www-form-urlencoded\r\n\
                authorization: AWS4-HMAC-SHA256 Credential=a/20260102/eu-west-2/sts/aws4_request\r\n";
    let (status, body, _) = call(&proxy, "POST", "/", form, "Action=GetCallerIdentity").unwrap();
    assert!(status == 400 && body.contains("<Code>Throttling</Code>"), "{body}");

    proxy.add(Rule::on("s3:*").denied());
    assert!(matches!(put(&proxy, "/b"), Some((403, body)) if body.contains("<Code>AccessDenied</Code>")));
    proxy.add(Rule::on("s3:*").throttled());
    assert!(matches!(put(&proxy, "/b"), Some((503, body)) if body.contains("<Code>SlowDown</Code>")));
    proxy.add(Rule::on("s3:*").answer(200, "text/plain", "word for word"));
    assert_eq!(put(&proxy, "/b"), Some((200, "word for word".into())));
    assert_eq!(proxy.lines().last().unwrap(), "PUT /b s3:CreateBucket 200 (200 answered)");
}

#[test]
fn connections_are_cut_before_or_after_the_call_is_made() {
    let (upstream, calls) = counting();
    let proxy = Proxy::start(upstream).unwrap();
    proxy.add(Rule::on("*").cut_before());
    proxy.add(Rule::on("*").cut_after());
    assert_eq!(put(&proxy, "/b"), None);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(put(&proxy, "/b"), None);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(put(&proxy, "/b"), Some((200, "call 2: x".into())));
    assert_eq!(proxy.lines()[1], "PUT /b s3:CreateBucket cut (cut after)");
}

#[test]
fn subresources_that_an_emulator_lacks_are_kept() {
    let (upstream, calls) = counting();
    let proxy = Proxy::start(upstream).unwrap();
    proxy.shelve("intelligent-tiering", "NoSuchConfiguration");
    let target = "/b?intelligent-tiering&id=all";
    let ask = |method: &str, body: &str| {
        let (status, body, _) = call(&proxy, method, target, "", body).unwrap();
        (status, body)
    };
    let absent = |(status, body): (u16, String)| status == 404 && body.contains("<Code>NoSuchConfiguration</Code>");
    assert!(absent(ask("GET", "")));
    assert_eq!(ask("PUT", "<a/>").0, 200);
    assert_eq!(ask("GET", ""), (200, "<a/>".into()));
    assert!(absent(call(&proxy, "GET", "/b?intelligent-tiering&id=other", "", "").map(|(s, b, _)| (s, b)).unwrap()));
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(ask("DELETE", "").0, 204);
    assert!(absent(ask("DELETE", "")));
    ask("PUT", "<b/>");
    call(&proxy, "DELETE", "/b", "", "").unwrap();
    assert!(absent(ask("GET", "")));
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    proxy.clear_shelves();
    assert_eq!(ask("GET", ""), (200, "call 2: ".into()));
}

#[test]
fn calls_are_delayed_and_held() {
    let (upstream, calls) = counting();
    let proxy = Proxy::start(upstream).unwrap();
    proxy.set_delay(Duration::from_millis(30));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| put(&proxy, "/b"));
        }
    });
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_millis(30), "{elapsed:?}");
    assert_eq!(proxy.high_water(), 4);
    assert!(proxy.log().iter().all(|e| e.ended.unwrap() - e.started >= Duration::from_millis(30)));
    proxy.clear();

    let gate = Gate::new();
    proxy.add(Rule::on("*").held_by(&gate));
    std::thread::scope(|scope| {
        let _open = gate.opens_in_the_end();
        let held = scope.spawn(|| put(&proxy, "/b"));
        assert!(gate.reached_blocking(1, Duration::from_secs(10)));
        assert_eq!(calls.load(Ordering::SeqCst), 4);
        assert!(proxy.lines()[4].ends_with("waits (held)"));
        gate.open();
        assert_eq!(held.join().unwrap().unwrap().0, 200);
    });
}

#[test]
fn an_upstream_that_is_not_there_is_a_bad_gateway() {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let proxy = Proxy::start(nobody).unwrap();
    assert_eq!(put(&proxy, "/b").unwrap().0, 502);
}

#[test]
fn an_emulator_works_through_it() {
    let emulator = Emulator::start(Kind::Moto).unwrap();
    let proxy = Proxy::start(emulator.address()).unwrap();
    assert_eq!(call(&proxy, "PUT", "/a-bucket", "", "").unwrap().0, 200);
    assert_eq!(call(&proxy, "PUT", "/a-bucket/key", "", "hello").unwrap().0, 200);
    let signed = "authorization: AWS4-HMAC-SHA256 Credential=testing/20260102/eu-west-2/s3/aws4_request\r\n";
    let (_, body, head) = call(&proxy, "GET", "/a-bucket/key", signed, "").unwrap();
    assert_eq!(body, "hello", "{head}");
    assert_eq!(proxy.lines()[2], "GET /a-bucket/key s3:GetObject 200");
}
