//! Clients that speak HTTP/2 to the gateway, which speaks HTTP/1.1 to the instance.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt, Full, StreamBody, combinators::BoxBody};
use hyper::{
    body::{Frame, Incoming},
    client::conn::http2::SendRequest,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use tokio::net::TcpStream;

use super::{
    gateway::start,
    stub::{End, Stub},
};

pub(super) type Sender = SendRequest<BoxBody<Bytes, Infallible>>;

pub(super) async fn client(gateway: &gateway_runtime::RunningGateway) -> Sender {
    let socket = TokioIo::new(TcpStream::connect(gateway.address()).await.unwrap());
    let executor = TokioExecutor::new();
    let (sender, connection) =
        hyper::client::conn::http2::handshake(executor, socket).await.unwrap();
    tokio::spawn(connection);
    sender
}

pub(super) async fn ask(
    sender: &mut Sender,
    method: Method,
    fields: &[(&str, &str)],
    body: BoxBody<Bytes, Infallible>,
) -> Response<Incoming> {
    let mut request = Request::builder().method(method).uri("http://a/foo/x?y");
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    sender.send_request(request.body(body).unwrap()).await.unwrap()
}

pub(super) fn full(bytes: &'static [u8]) -> BoxBody<Bytes, Infallible> {
    Full::new(Bytes::from_static(bytes)).boxed()
}

#[tokio::test]
async fn requests_and_responses_are_translated() {
    let answer = "HTTP/1.1 201 Created\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n\
                  Transfer-Encoding: chunked\r\nX-End: 2\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let stub = Stub::start(answer, End::Open).await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = client(&gateway).await;
    let cookies = [("cookie", "a=1"), ("cookie", "b=2"), ("te", "trailers")];
    let response = ask(&mut sender, Method::POST, &cookies, full(b"hello")).await;
    assert_eq!(response.status(), 201);
    let names = ["connection", "x-hop", "keep-alive", "transfer-encoding"];
    assert!(names.iter().all(|name| !response.headers().contains_key(*name)), "{response:?}");
    assert_eq!(response.headers()["x-end"], "2");
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");

    let seen = stub.seen().pop().unwrap();
    assert!(seen.starts_with("POST /x?y HTTP/1.1\r\n"), "{seen}");
    for line in [
        "cookie: a=1; b=2",
        "content-length: 5",
        "te: trailers",
        "connection: te",
        "x-forwarded-host: a",
    ] {
        assert!(seen.contains(&format!("\r\n{line}\r\n")), "{line}: {seen}");
    }
    assert!(seen.contains("via: 2.0 gateway-") && seen.ends_with("\r\n\r\nhello"), "{seen}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_body_of_unknown_length_with_trailers_is_chunked() {
    let stub = Stub::start("HTTP/1.1 204 No Content\r\n\r\n", End::Open).await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = client(&gateway).await;
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", HeaderValue::from_static("7"));
    let frames = [Frame::data(Bytes::from_static(b"abc")), Frame::trailers(trailers)];
    let body = StreamBody::new(futures_util::stream::iter(frames.map(Ok::<_, Infallible>)));
    let response =
        ask(&mut sender, Method::PUT, &[("trailer", "x-sum")], BodyExt::boxed(body)).await;
    assert_eq!(response.status(), 204);
    let seen = stub.seen().pop().unwrap();
    assert!(seen.contains("\r\ntransfer-encoding: chunked\r\n"), "{seen}");
    assert!(seen.ends_with("3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n"), "{seen}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_cut_answer_resets_its_stream_alone() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf";
    let stub = Stub::start(cut, End::Close).await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = client(&gateway).await;
    for _ in 0..2 {
        // The second stream shows that the connection lives.
        let response = ask(&mut sender, Method::GET, &[], full(b"")).await;
        assert!(response.into_body().collect().await.is_err());
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn head_has_the_length_of_get_and_no_body() {
    let stub = Stub::start("HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n", End::Open).await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = client(&gateway).await;
    let response = ask(&mut sender, Method::HEAD, &[], full(b"")).await;
    assert_eq!(response.headers()["content-length"], "77");
    assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_304_keeps_the_length_of_the_200() {
    let answer = "HTTP/1.1 304 Not Modified\r\nContent-Length: 77\r\nETag: \"a\"\r\n\r\n";
    let stub = Stub::start(answer, End::Open).await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = client(&gateway).await;
    for _ in 0..2 {
        let response = ask(&mut sender, Method::GET, &[], full(b"")).await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-length"]),
            (304, &HeaderValue::from_static("77"))
        );
        assert!(response.into_body().collect().await.unwrap().to_bytes().is_empty());
    }
    gateway.stop().await.unwrap();
}
