//! Requests hidden in other requests, and requests one after the other.

use super::{
    Bench, Case,
    Fate::{Cut, Forwarded, Last, Refused},
    NEXT, NEXT_LINE, Received, TIMEOUT, check, post,
};

/// A request that must never reach the instance as one. 37 bytes.
const HIDDEN: &str = "GET /foo/hidden HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn a_request_in_a_body_stays_in_the_body() {
    let length = HIDDEN.len();
    assert_eq!(length, 37);
    let get = format!("GET /foo/x HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{HIDDEN}");
    let line = "POST /x HTTP/1.1";
    let cases: [Case; 6] = [
        (
            "by a length",
            post(&format!("Content-Length: {length}\r\n\r\n{HIDDEN}")),
            Forwarded((line, "content-length: 37", HIDDEN)),
        ),
        (
            "in a chunk",
            post(&format!("Transfer-Encoding: chunked\r\n\r\n25\r\n{HIDDEN}\r\n0\r\n\r\n")),
            Forwarded((line, "transfer-encoding: chunked", HIDDEN)),
        ),
        ("of a GET", get.clone(), Forwarded(("GET /x HTTP/1.1", "content-length: 37", HIDDEN))),
        (
            "of a DELETE",
            get.replace("GET /foo/x", "DELETE /foo/x"),
            Forwarded(("DELETE /x HTTP/1.1", "content-length: 37", HIDDEN)),
        ),
        (
            "of a request that closes",
            post(&format!("Connection: close\r\nContent-Length: {length}\r\n\r\n{HIDDEN}")),
            Last((line, "content-length: 37", HIDDEN)),
        ),
        (
            "in HTTP/1.0",
            format!("POST /foo/x HTTP/1.0\r\nHost: a\r\nContent-Length: {length}\r\n\r\n{HIDDEN}"),
            Last((line, "content-length: 37", HIDDEN)),
        ),
    ];
    check(cases).await;
}

#[tokio::test]
async fn a_request_behind_two_framings_does_not_reach_the_instance() {
    let length = HIDDEN.len() + 5;
    let both = format!("0\r\n\r\n{HIDDEN}");
    let cases = [
        ("CL.TE", format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{both}")),
        (
            "TE.CL",
            format!(
                "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n25\r\n{HIDDEN}\r\n0\r\n\r\n"
            ),
        ),
        (
            "TE.TE",
            format!(
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n\
                 Content-Length: {length}\r\n\r\n{both}"
            ),
        ),
        ("TE.0", format!("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n{both}")),
        (
            "a coding behind a bare LF",
            format!("X: a\nTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n{both}"),
        ),
        (
            "a coding behind a bare CR",
            format!("X: a\rTransfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n{both}"),
        ),
        (
            "a length behind a bare LF",
            format!("X: a\nContent-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()),
        ),
        ("the end of a head behind a bare LF", format!("X: a\r\n\n{HIDDEN}")),
        ("a folded length", format!("X: a\r\n Content-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len())),
        (
            "two lengths",
            format!("Content-Length: 0\r\nContent-Length: {}\r\n\r\n{HIDDEN}", HIDDEN.len()),
        ),
        (
            "a coding with a space",
            format!("Transfer-Encoding : chunked\r\nContent-Length: {length}\r\n\r\n{both}"),
        ),
    ];
    check(cases.map(|(what, rest)| (what, post(&rest), Refused(400)))).await;
}

#[tokio::test]
async fn a_request_behind_a_broken_chunk_does_not_reach_the_instance() {
    let chunks = [
        ("a size behind a bare LF", format!("5\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("an extension with a bare LF", format!("5;\n{HIDDEN}\r\n0\r\n\r\n")),
        ("an extension with a bare CR", format!("5;\r{HIDDEN}\r\n0\r\n\r\n")),
        ("a chunk that is too long", format!("3\r\nhello\r\n0\r\n\r\n{HIDDEN}")),
        ("in the trailers", format!("0\r\n{HIDDEN}")),
    ];
    let head = "Transfer-Encoding: chunked\r\n\r\n";
    check(chunks.map(|(what, body)| (what, post(&format!("{head}{body}")), Cut(400)))).await;
}

#[tokio::test]
async fn bytes_after_a_request_without_a_length_are_no_body() {
    let old = "POST /foo/x HTTP/1.0\r\nHost: a\r\n\r\nhello";
    check([("HTTP/1.0", old.to_owned(), Last(("POST /x HTTP/1.1", "", "")))]).await;
    let bench = Bench::start("").await;
    for rest in ["\r\nhello\r\n\r\n", "Connection: keep-alive\r\n\r\nhello\r\n"] {
        let (replies, closed) = bench.exchange(&format!("{}{NEXT}", post(rest))).await;
        let statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
        assert_eq!(statuses, [200, 400], "{rest:?}");
        assert!(closed && replies[1].closes);
        let seen = bench.recorder.take(false, TIMEOUT).await;
        assert_eq!(seen.requests, [Received::head("POST /x HTTP/1.1")], "{seen:?}");
        assert_eq!(seen.unfinished, "");
    }
    bench.stop().await;
}

#[tokio::test]
async fn bytes_after_an_upgrade_that_is_refused_are_the_next_request() {
    let upgrade = |fields: &str| format!("GET /foo/x HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let offered = "connection: upgrade; upgrade: websocket";
    let get = "GET /x HTTP/1.1";
    let settings = "HTTP2-Settings: AAMAAABkAAQAAP__\r\n";
    let cases: [Case; 7] = [
        ("WebSocket", upgrade(websocket), Forwarded((get, offered, ""))),
        (
            "WebSocket without Connection",
            upgrade("Upgrade: websocket\r\n"),
            Forwarded((get, "", "")),
        ),
        (
            "WebSocket by POST",
            post("Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nhello"),
            Forwarded(("POST /x HTTP/1.1", "content-length: 5", "hello")),
        ),
        ("WebSocket, HTTP/1.0", upgrade(websocket).replace("1.1", "1.0"), Last((get, "", ""))),
        (
            "h2c",
            upgrade(&format!("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n{settings}")),
            Forwarded((get, "", "")),
        ),
        ("TLS", upgrade("Connection: upgrade\r\nUpgrade: TLS/1.2\r\n"), Forwarded((get, "", ""))),
        (
            "an expectation",
            post("Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello"),
            Forwarded(("POST /x HTTP/1.1", "content-length: 5", "hello")),
        ),
    ];
    check(cases).await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order() {
    let bench = Bench::start("").await;
    let mut requests = String::new();
    let mut expected = Vec::new();
    for number in 0..30 {
        let (rest, framing, body) = match number % 3 {
            0 => ("\r\n", "", ""),
            1 => ("Content-Length: 5\r\n\r\nhello", "content-length: 5", "hello"),
            _ => (
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                "transfer-encoding: chunked",
                "hello",
            ),
        };
        requests.push_str(&post(rest).replace("/x", &format!("/{number}")));
        expected.push(Received::new(&format!("POST /{number} HTTP/1.1"), framing, body));
    }
    let (replies, closed) = bench.exchange(&format!("{requests}{NEXT}")).await;
    expected.push(Received::head(NEXT_LINE));
    assert!(closed);
    let bodies: Vec<_> = replies.iter().map(|reply| reply.body.clone()).collect();
    let targets: Vec<_> = (0..30).map(|n| format!("/{n}")).chain(["/next".to_owned()]).collect();
    assert_eq!(bodies, targets);
    assert_eq!(bench.recorder.take(false, TIMEOUT).await.requests, expected);
    bench.stop().await;
}

#[tokio::test]
async fn a_malformed_request_is_refused_after_the_responses_before_it() {
    let bench = Bench::start("").await;
    let malformed = "GET /foo/bad HTTP/1.1\r\nHost: a\nX: b\r\n\r\n";
    for (ahead, statuses) in [
        (format!("{HIDDEN}{HIDDEN}"), [200, 200].as_slice()),
        (post("Content-Length: 5\r\n\r\nhello"), &[200]),
        (post("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), &[200]),
        ("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(), &[400]),
        ("GET /foo/x HTTP/1.1\r\nHost: a\r\nUpgrade: h2c\r\n\r\n".to_owned(), &[200]),
    ] {
        let (replies, closed) = bench.exchange(&format!("{ahead}{malformed}{NEXT}")).await;
        let found: Vec<_> = replies.iter().map(|reply| reply.status).collect();
        assert_eq!(found, [statuses, &[400]].concat(), "{ahead:?}");
        assert!(closed && replies.last().is_some_and(|reply| reply.closes), "{ahead:?}");
        let seen = bench.recorder.take(false, TIMEOUT).await;
        let forwarded = statuses.iter().filter(|status| **status == 200).count();
        assert_eq!((seen.requests.len(), &*seen.unfinished), (forwarded, ""), "{ahead:?} {seen:?}");
        assert!(seen.requests.iter().all(|request| !request.line.contains("bad")), "{seen:?}");
    }
    bench.stop().await;
}
