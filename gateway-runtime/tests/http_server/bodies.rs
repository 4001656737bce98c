//! The ends of streamed responses, clean or not.

use bytes::Bytes;
use futures_util::stream;
use gateway_runtime::http::{Body, Handler, Peer};
use http::{Request, Response};
use hyper::body::Incoming;

use super::support::{h2, h2_body, h2_get, start};

/// Streams these chunks; "!" stands for an error, "?" for a panic.
fn streams(chunks: &'static [&'static str]) -> impl Handler {
    move |_: Request<Incoming>, _: Peer| async move {
        let chunks = chunks.iter().map(|&chunk| match chunk {
            "!" => Err(std::io::Error::other("a test fails on purpose")),
            "?" => panic!("a test panics on purpose"),
            chunk => Ok(Bytes::from_static(chunk.as_bytes())),
        });
        Response::new(Body::stream(stream::iter(chunks)))
    }
}

#[tokio::test]
async fn a_stream_is_sent_in_its_chunks() {
    let server = start(streams(&["a", "", "bc"]), |_| {});
    let mut client = server.connect().await;
    assert_eq!(client.get("/").await.text(), "abc");
    assert_eq!(client.get("/").await.text(), "abc", "and leaves the connection as it was");
    let mut client = h2(server.address).await;
    assert_eq!(h2_body(h2_get(&mut client, "/").await).await.unwrap(), b"abc");
}

#[tokio::test]
async fn failed_stream_is_cut_after_its_chunks() {
    for failing in [&["said", "!"][..], &["said", "?"]] {
        let server = start(streams(failing), |_| {});
        let mut client = server.connect().await;
        client.send("GET / HTTP/1.1\r\nhost: t\r\n\r\n").await;
        client.head().await;
        let (rest, _) = client.closed().await;
        assert_eq!(rest, "4\r\nsaid\r\n", "no last chunk");

        let mut client = h2(server.address).await;
        let mut answer = h2_get(&mut client, "/").await.into_body();
        assert_eq!(answer.data().await.unwrap().unwrap(), "said");
        let error = answer.data().await.unwrap().unwrap_err();
        assert_eq!(error.reason(), Some(h2::Reason::INTERNAL_ERROR));
    }
}

#[tokio::test]
async fn failed_stream_to_an_http_1_0_client_is_reset() {
    let server = start(streams(&["said", "!"]), |_| {});
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    let (_, reset) = client.closed().await;
    assert!(reset, "a close would look like a whole answer");

    let server = start(streams(&["said"]), |_| {});
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.0\r\n\r\n").await;
    let (answer, reset) = client.closed().await;
    assert!(answer.ends_with("said") && !reset, "{answer}");
}

#[tokio::test]
async fn chunks_are_sent_while_the_next_request_is_waiting() {
    let handler = |request: Request<Incoming>, _: Peer| async move {
        let last = request.uri().path() == "/last";
        let chunks = stream::unfold(0, move |n| async move {
            match n {
                0 => Some((Ok::<_, std::io::Error>(Bytes::from_static(b"event")), 1)),
                _ if last => None,
                _ => std::future::pending().await,
            }
        });
        Response::new(Body::stream(chunks))
    };
    let server = start(handler, |_| {});
    let mut client = server.connect().await;
    client
        .send("GET /first HTTP/1.1\r\nhost: t\r\n\r\nGET /last HTTP/1.1\r\nhost: t\r\n\r\n")
        .await;
    client.head().await;
    assert_eq!(client.take(10).await, b"5\r\nevent\r\n");
}
