//! Requests and responses that are forwarded: their heads, their bodies, and what is left out.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{
    gateway::{Client, exchange, start},
    stub::{End, Stub, read_request},
};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn path_and_query_reach_the_instance_byte_for_byte() {
    let stub = Stub::start(OK, End::Open).await;
    let gateway = start(&[stub.address], "").await;
    for (target, expected) in [
        ("/foo", "/"),
        ("/foo/", "/"),
        ("/foo?a=1&b", "/?a=1&b"),
        ("/foo/bar/baz", "/bar/baz"),
        ("/foo//a//b/", "//a//b/"),
        ("/foo/%20%C3%BC;x=1,2?q=%2F..%2F", "/%20%C3%BC;x=1,2?q=%2F..%2F"),
        ("/foo/a.b/...?/../", "/a.b/...?/../"),
        ("http://gateway.example/foo/abs?x", "/abs?x"),
    ] {
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: gateway.example\r\nConnection: close\r\n\r\n");
        let (answer, _) = exchange(&gateway, &request).await;
        assert_eq!((answer.status(), answer.body()), (200, &b"ok"[..]), "{target}");
        let seen = stub.seen();
        let line = seen.last().unwrap().lines().next().unwrap();
        assert_eq!(line, format!("GET {expected} HTTP/1.1"), "{target}");
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn hop_by_hop_fields_and_the_gateways_own_do_not_reach_the_instance() {
    let stub = Stub::start(OK, End::Open).await;
    let gateway = start(&[stub.address], "").await;
    let request = "GET /foo/x HTTP/1.1\r\nHost: gateway.example:81\r\nConnection: close, X-Mine\r\n\
                   X-Mine: 1\r\nKeep-Alive: timeout=5\r\nProxy-Connection: close\r\n\
                   Proxy-Authorization: Basic eA==\r\nTE: gzip\r\nUpgrade: h2c\r\n\
                   X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n\
                   X-Forwarded-Host: evil.example\r\nX-Forwarded-Port: 1\r\nX-Real-IP: 10.0.0.1\r\n\
                   Forwarded: for=10.0.0.1\r\nX-Gateway-Account: someone\r\n\
                   X_Forwarded_For: 10.0.0.1\r\nX-Gateway_Account: someone\r\nContent_Length: 5\r\nX_Free: 1\r\nVia: 1.1 other\r\n\
                   Accept: */*\r\nX-Yours: a\r\nX-Yours: b\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n";
    exchange(&gateway, request).await;
    let seen = stub.seen();
    let mut fields: Vec<_> = seen[0].lines().skip(1).filter(|line| !line.is_empty()).collect();
    fields.sort_unstable();
    let hidden =
        |line: &&str| line.starts_with("x-request-id: ") || line.starts_with("via: 1.1 gateway-");
    assert_eq!(fields.iter().filter(|line| hidden(line)).count(), 2, "{fields:?}");
    fields.retain(|line| !hidden(line));
    assert_eq!(
        fields,
        [
            "accept: */*",
            "cookie: a=1; b=2",
            &format!("host: {}", stub.address),
            "via: 1.1 other",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: gateway.example:81",
            "x-forwarded-proto: http",
            "x-yours: a",
            "x-yours: b",
            "x_free: 1",
        ]
    );
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn bodies_of_each_framing_reach_the_instance_whole() {
    let stub = Stub::start(OK, End::Open).await;
    let gateway = start(&[stub.address], "").await;
    for (head, sent, framing, received) in [
        ("POST", "Content-Length: 5\r\n\r\nhello", "content-length: 5", "hello"),
        ("POST", "Content-Length: 0\r\n\r\n", "content-length: 0", ""),
        ("GET", "Content-Length: 3\r\n\r\nabc", "content-length: 3", "abc"),
        (
            "POST",
            "Transfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            "transfer-encoding: chunked",
            "abc",
        ),
        (
            "GET",
            "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            "transfer-encoding: chunked",
            "abc",
        ),
        (
            "PUT",
            "Transfer-Encoding: chunked\r\nTrailer: X-Sum, Host\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\nHost: evil\r\n\r\n",
            "trailer: x-sum",
            "x-sum: 7",
        ),
    ] {
        let request = format!("{head} /foo/up HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{sent}");
        let (answer, _) = exchange(&gateway, &request).await;
        assert_eq!(answer.status(), 200, "{request}");
        let seen = stub.seen().pop().unwrap();
        assert!(seen.contains(framing), "{seen}");
        let body = seen.split_once("\r\n\r\n").unwrap().1;
        assert!(body.contains(received), "{seen}");
        assert!(!body.contains("evil"), "{seen}");
        let framings = ["content-length", "transfer-encoding"];
        assert_eq!(framings.iter().filter(|one| seen.contains(**one)).count(), 1, "{seen}");
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn responses_of_each_framing_reach_the_client_whole() {
    for (method, answer, end, status, body) in [
        ("GET", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", End::Open, 200, "ok"),
        ("GET", "HTTP/1.1 200 OK\r\n\r\nto the end", End::Close, 200, "to the end"),
        ("GET", "HTTP/1.0 200 OK\r\n\r\nold", End::Close, 200, "old"),
        (
            "GET",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            End::Open,
            200,
            "abc",
        ),
        ("HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n", End::Open, 200, ""),
        ("GET", "HTTP/1.1 204 No Content\r\n\r\n", End::Open, 204, ""),
        ("GET", "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n", End::Open, 304, ""),
        (
            "GET",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            End::Open,
            200,
            "ok",
        ),
        ("GET", "HTTP/1.1 599 Odd\r\nContent-Length: 0\r\n\r\n", End::Open, 599, ""),
    ] {
        let stub = Stub::start(answer, end).await;
        let gateway = start(&[stub.address], "").await;
        let request = format!("{method} /foo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
        let (got, was_reset) = exchange(&gateway, &request).await;
        assert_eq!((got.status(), was_reset), (status, false), "{answer:?}: {got:?}");
        let text = String::from_utf8_lossy(got.body());
        assert!(if body.is_empty() { text.is_empty() } else { text.contains(body) }, "{text}");
        if answer.contains("77") {
            assert_eq!(got.header("content-length"), Some("77"), "{got:?}");
        }
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_connection_of_http_1_0_takes_no_second_request() {
    let old = "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok";
    let stub = Stub::start(old, End::Open).await;
    let gateway = start(&[stub.address], "").await;
    for _ in 0..3 {
        let chunked = "POST /foo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
                       Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
        assert_eq!(exchange(&gateway, chunked).await.0.status(), 200);
        let seen = stub.seen().pop().unwrap();
        assert!(seen.ends_with("3\r\nabc\r\n0\r\n\r\n"), "{seen}");
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn trailers_end_a_response_and_those_of_the_gateway_are_dropped() {
    let answer = "HTTP/1.1 200 OK\r\nTrailer: X-Sum, Set-Cookie\r\nTransfer-Encoding: chunked\r\n\r\n\
                  2\r\nok\r\n0\r\nX-Sum: 7\r\nSet-Cookie: a=1\r\n\r\n";
    let stub = Stub::serve(move |mut stream, seen| async move {
        let port = stream.peer_addr().unwrap().port();
        while read_request(&mut stream).await.is_some() {
            seen.lock().unwrap().push(port.to_string());
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    for _ in 0..3 {
        client.send("GET /foo/x HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n\r\n").await;
        let got = client.read_to("x-sum: 7\r\n\r\n").await;
        assert!(!String::from_utf8_lossy(&got.0).to_lowercase().contains("cookie"), "{got:?}");
    }
    let mut ports = stub.seen();
    ports.dedup();
    assert_eq!(ports.len(), 1, "one connection served all: {ports:?}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn checked_credentials_stay_at_the_gateway_and_the_caller_is_told() {
    let stub = Stub::start(OK, End::Open).await;
    let secret = "0".repeat(64);
    let digest = ring::digest::digest(&ring::digest::SHA256, secret.as_bytes());
    let hash: String = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    for (more, forwards) in [("", false), ("forward_credentials = true", true)] {
        let sections = format!(
            "[routes.foo]\ndispatch = \"http\"\nauth = true\n{more}\n[auth.keys.one]\n\
             hash = \"{hash}\"\naccount = \"acme\""
        );
        let gateway = start(&[stub.address], &sections).await;
        let request = format!(
            "GET /foo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
             X-Api-Key: gk_one_{secret}\r\nX-Gateway-Account: evil\r\n\r\n"
        );
        let (answer, _) = exchange(&gateway, &request).await;
        assert_eq!(answer.status(), 200, "{answer:?}");
        let seen = stub.seen().pop().unwrap();
        assert_eq!(seen.contains("x-api-key"), forwards, "{seen}");
        assert!(seen.contains("\r\nx-gateway-account: acme\r\n"), "{seen}");
        assert!(!seen.contains("evil"), "{seen}");
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_body_arrives_piece_by_piece_in_both_directions() {
    let stub = Stub::serve(|mut stream, _| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            .await
            .unwrap();
        let mut piece = [0; 64];
        while let Ok(read @ 1..) = stream.read(&mut piece).await {
            if piece[..read].windows(3).any(|three| three == b"end") {
                return;
            }
            stream.write_all(b"data: seen\n\n").await.unwrap();
        }
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    client.send("POST /foo/sse HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    // The head goes out at once, before either body has a byte.
    assert_eq!(client.read_to("\r\n\r\n").await.status(), 200);
    for _ in 0..3 {
        client.send("5\r\npiece\r\n").await;
        client.read_to("data: seen\n\n").await;
    }
    client.send("3\r\nend\r\n0\r\n\r\n").await;
    client.read_to("0\r\n\r\n").await;
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_to_the_instance_is_used_again() {
    let stub = Stub::serve(|mut stream, seen| async move {
        let port = stream.peer_addr().unwrap().port();
        while read_request(&mut stream).await.is_some() {
            seen.lock().unwrap().push(port.to_string());
            stream.write_all(OK.as_bytes()).await.unwrap();
        }
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    for _ in 0..10 {
        client.send("GET /foo/x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        client.read_to("ok").await;
    }
    let mut ports = stub.seen();
    assert_eq!(ports.len(), 10);
    ports.dedup();
    assert_eq!(ports.len(), 1, "{ports:?}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_cancels_the_instances_work() {
    let (events, mut happened) = tokio::sync::mpsc::unbounded_channel();
    let stub = Stub::serve(move |mut stream, _| {
        let events = events.clone();
        async move {
            read_request(&mut stream).await;
            events.send("arrived").unwrap();
            // Nothing is answered; the read ends when the gateway closes the connection.
            let _ = stream.read(&mut [0]).await;
            events.send("cancelled").unwrap();
        }
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    client.send("GET /foo/slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(happened.recv().await, Some("arrived"));
    drop(client);
    let cancelled = timeout(Duration::from_secs(10), happened.recv()).await;
    assert_eq!(cancelled.expect("the instance notices"), Some("cancelled"));
    gateway.stop().await.unwrap();
}
