//! What an instance over HTTP/2 receives, and what the client receives of its responses.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, request::Parts};
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::Frame;

use super::{
    PRIOR_KNOWLEDGE,
    frames::{self, FrameStub, Step},
    stub::{Call, Http2Stub, Limits, answer, read},
};
use crate::proxy::{
    failures::code,
    gateway::{Client, exchange, start},
    http2::{ask, client},
};

type Seen = Arc<Mutex<Vec<(Parts, Vec<u8>, HeaderMap)>>>;

/// Starts an instance that records requests and answers `ok`.
async fn recorder() -> (Http2Stub, Seen) {
    let seen = Seen::default();
    let requests = Arc::clone(&seen);
    let stub = Http2Stub::start(Limits::default(), move |call: Call| {
        let requests = Arc::clone(&requests);
        async move {
            let (head, mut body) = call.request.into_parts();
            let (bytes, trailers) = read(&mut body).await.unwrap();
            requests.lock().unwrap().push((head, bytes, trailers));
            answer(call.respond, "ok");
        }
    })
    .await;
    (stub, seen)
}

#[tokio::test]
async fn a_request_of_http1_is_translated() {
    let (stub, seen) = recorder().await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let mut client = Client::to(&gateway).await;
    client
        .send(
            "POST /foo/x?y HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop, te\r\nX-Hop: 1\r\n\
             Keep-Alive: 5\r\nTE: trailers, deflate\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\
             X-End: 2\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 7\r\n\r\n",
        )
        .await;
    assert_eq!(client.read_to("ok").await.status(), 200);
    let (head, body, trailers) = seen.lock().unwrap().pop().unwrap();
    assert_eq!(head.method, Method::POST);
    assert_eq!(head.uri.to_string(), format!("http://{}/x?y", stub.address));
    for absent in
        ["host", "connection", "x-hop", "keep-alive", "transfer-encoding", "content-length"]
    {
        assert!(!head.headers.contains_key(absent), "{absent}: {head:?}");
    }
    assert_eq!(
        (&head.headers["te"], &head.headers["x-end"]),
        (&"trailers".into_value(), &"2".into_value())
    );
    assert_eq!(head.headers["x-forwarded-host"], "a");
    assert_eq!((body, &trailers["x-sum"]), (b"abc".to_vec(), &"7".into_value()));
    gateway.stop().await.unwrap();
}

trait IntoValue {
    fn into_value(self) -> HeaderValue;
}

impl IntoValue for &'static str {
    fn into_value(self) -> HeaderValue {
        HeaderValue::from_static(self)
    }
}

#[tokio::test]
async fn a_known_length_is_declared_and_an_empty_request_ends_at_once() {
    let (stub, seen) = recorder().await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    for (request, length, body) in [
        ("GET /foo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", None, ""),
        (
            "POST /foo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi",
            Some("2"),
            "hi",
        ),
        (
            "POST /foo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            Some("0"),
            "",
        ),
    ] {
        assert_eq!(exchange(&gateway, request).await.0.status(), 200);
        let (head, received, _) = seen.lock().unwrap().pop().unwrap();
        let declared = head.headers.get("content-length").map(|length| length.to_str().unwrap());
        assert_eq!((declared, &*received), (length, body.as_bytes()), "{request}");
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_large_body_passes_both_ways_and_http2_passes_trailers_both_ways() {
    let stub = Http2Stub::start(Limits::default(), |mut call: Call| async move {
        let (bytes, trailers) = read(call.request.body_mut()).await.unwrap();
        let mut stream = call.respond.send_response(Response::new(()), false).unwrap();
        stream.send_data(bytes.into(), false).unwrap();
        stream.send_trailers(trailers).unwrap();
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let mut sender = client(&gateway).await;
    let large = Bytes::from(vec![7; 3 << 20]);
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".into_value())]);
    let frames = [Frame::data(large.clone()), Frame::trailers(trailers)];
    let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok)));
    let response =
        ask(&mut sender, Method::POST, &[("te", "trailers")], BodyExt::boxed(body)).await;
    let whole = response.into_body().collect().await.unwrap();
    assert_eq!(whole.trailers().unwrap()["grpc-status"], "0");
    assert!(whole.to_bytes() == large);

    // The same without trailers, which has a length.
    let response = ask(&mut sender, Method::POST, &[], Full::new(large.clone()).boxed()).await;
    assert!(response.into_body().collect().await.unwrap().to_bytes() == large);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn responses_without_a_body_have_none_and_lose_no_connection() {
    let stub = Http2Stub::start(Limits::default(), |mut call: Call| async move {
        let status = call.request.uri().path()[1..].parse::<StatusCode>().unwrap();
        let response = Response::builder().status(status).header("content-length", "5");
        // Bytes that no such response has are not the next one's.
        let ends = call.request.method() == Method::GET;
        let mut stream = call.respond.send_response(response.body(()).unwrap(), ends).unwrap();
        if !ends {
            stream.send_data(Bytes::new(), true).ok();
        }
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let mut client = Client::to(&gateway).await;
    for (method, status, length) in
        [("HEAD", 200, Some("5")), ("GET", 204, None), ("GET", 304, None), ("HEAD", 404, Some("5"))]
    {
        client.send(format!("{method} /foo/{status} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        let answer = client.read_to("\r\n\r\n").await;
        assert_eq!((answer.status(), answer.header("content-length")), (status, length));
        assert_eq!(answer.header("transfer-encoding"), None);
    }
    assert_eq!(stub.connections(), 1);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_empty_response_of_unknown_length_has_length_zero() {
    let stub =
        FrameStub::start(|one| Step::Answer(frames::head(one.stream, &[(":status", "200")], true)))
            .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let (answer, _) =
        exchange(&gateway, "GET /foo HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!((answer.status(), answer.header("content-length")), (200, Some("0")));
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn interim_responses_are_dropped_and_a_websocket_is_a_plain_request() {
    let stub = FrameStub::start(|one| {
        let early = frames::head(one.stream, &[(":status", "103"), ("link", "x")], false);
        let switch = frames::head(one.stream, &[(":status", "101")], false);
        Step::Answer([early, switch, frames::whole(one.stream)].concat())
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let mut client = Client::to(&gateway).await;
    client
        .send(
            "GET /foo HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        )
        .await;
    let answer = client.read_to("ok").await;
    assert!(answer.head().starts_with("HTTP/1.1 200 OK\r\n"), "{answer:?}");
    assert_eq!(answer.header("link"), None);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn malformed_responses_are_502_and_the_next_request_is_answered() {
    let get = "GET /foo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let ok = (":status", "200");
    for fields in [
        &[ok, ("connection", "close")][..],
        &[ok, ("transfer-encoding", "chunked")],
        &[ok, ("keep-alive", "5")],
        &[ok, ("upgrade", "websocket")],
        &[ok, ("Upper", "x")],
        &[ok, ("x", "a\rb")],
        &[ok, ("x", "a\nb")],
        &[ok, ("x", "a\0b")],
        &[ok, ("content-length", "2"), ("content-length", "3")],
        &[ok, ("content-length", "+2")],
        &[ok, ("content-length", "2, 2")],
        &[ok, ("content-length", "-2")],
        &[ok, ("content-length", "")],
        &[ok, ("content-length", "99999999999999999999")],
        &[ok, ok],
        &[("x", "1"), ok],
        &[("x", "1")],
        &[(":status", "20")],
        &[(":status", "abc")],
    ] {
        let sent = fields.to_vec();
        let stub = FrameStub::start(move |one| {
            let bytes = if (one.connection, one.stream) == (0, 1) {
                let head = frames::head(one.stream, &sent, false);
                [head, frames::data(one.stream, "ok", true)].concat()
            } else {
                frames::whole(one.stream)
            };
            Step::Answer(bytes)
        })
        .await;
        let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
        let (answer, _) = exchange(&gateway, get).await;
        assert_eq!((answer.status(), stub.requests()), (502, 1), "{fields:?}: {answer:?}");
        assert_eq!(code(&answer), "upstream-failed", "{fields:?}");
        assert_eq!(exchange(&gateway, get).await.0.status(), 200, "{fields:?}");
        gateway.stop().await.unwrap();
    }
}
