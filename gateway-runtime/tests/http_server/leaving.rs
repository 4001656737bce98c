//! Clients that disconnect: the work for them stops.

use std::{future::pending, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use gateway_runtime::http::{Body, Handler, Peer, read_body};
use http::{Request, Response};
use hyper::body::Incoming;
use tokio::io::AsyncWriteExt;

use super::support::{Drops, h2, h2_get, start, within};

/// Never responds. Counts the requests that began and those that were dropped.
fn never(begun: &Drops, dropped: &Drops) -> impl Handler + use<> {
    let (begun, dropped) = (begun.clone(), dropped.clone());
    move |request: Request<Incoming>, _: Peer| {
        let (begun, mark) = (begun.clone(), dropped.mark());
        async move {
            let _mark = mark;
            match read_body(request.into_body(), 1 << 20, Duration::from_secs(30)).await {
                Ok(_) => drop(begun.mark()),
                Err(error) => return Response::new(Body::from(error.to_string())),
            }
            pending().await
        }
    }
}

/// Responds with a first chunk and then nothing.
fn endless(dropped: &Drops) -> impl Handler + use<> {
    let dropped = dropped.clone();
    move |_: Request<Incoming>, _: Peer| {
        let mark = dropped.mark();
        async move {
            let first = stream::iter([Ok::<_, std::io::Error>(Bytes::from_static(b"first"))]);
            let chunks = first.chain(stream::pending()).map(move |chunk| {
                let _ = &mark;
                chunk
            });
            Response::new(Body::stream(chunks))
        }
    }
}

#[tokio::test]
async fn a_client_that_closes_drops_its_request() {
    let (begun, dropped) = (Drops::default(), Drops::default());
    let server = start(never(&begun, &dropped), |_| {});
    let requests = [
        "GET / HTTP/1.1\r\nhost: t\r\n\r\n",
        "POST / HTTP/1.1\r\nhost: t\r\ncontent-length: 2\r\n\r\nhi",
        "POST / HTTP/1.1\r\nhost: t\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ];
    for (n, request) in requests.into_iter().enumerate() {
        let mut client = server.connect().await;
        client.send(request).await;
        begun.reach(n + 1).await;
        assert_eq!(dropped.count(), n);
        drop(client);
        dropped.reach(n + 1).await;
    }
}

#[tokio::test]
async fn body_fails_when_the_client_disconnects() {
    let (begun, dropped) = (Drops::default(), Drops::default());
    let server = start(never(&begun, &dropped), |_| {});
    let mut client = server.connect().await;
    client.send("POST / HTTP/1.1\r\nhost: t\r\ncontent-length: 1000\r\n\r\nsome").await;
    drop(client);
    dropped.reach(1).await;
    assert_eq!(begun.count(), 0, "the body was never whole");
}

#[tokio::test]
async fn closing_the_sending_half_drops_the_request() {
    let (begun, dropped) = (Drops::default(), Drops::default());
    let server = start(never(&begun, &dropped), |_| {});
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: t\r\n\r\n").await;
    begun.reach(1).await;
    client.stream.shutdown().await.unwrap();
    dropped.reach(1).await;
    client.closed().await;
}

#[tokio::test]
async fn a_reset_http2_stream_drops_its_request_alone() {
    let (begun, dropped) = (Drops::default(), Drops::default());
    let server = start(never(&begun, &dropped), |_| {});
    let client = h2(server.address).await;
    let mut streams = Vec::new();
    for _ in 0..2 {
        streams.push(
            client.clone().send_request(Request::get("http://t/").body(()).unwrap(), true).unwrap(),
        );
    }
    begun.reach(2).await;
    streams.pop().unwrap().1.send_reset(h2::Reason::CANCEL);
    dropped.reach(1).await;
    assert_eq!(dropped.count(), 1);
}

#[tokio::test]
async fn a_lost_http2_connection_drops_its_requests() {
    let (begun, dropped) = (Drops::default(), Drops::default());
    let server = start(never(&begun, &dropped), |_| {});
    let stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let (mut client, connection) = within(h2::client::handshake(stream)).await.unwrap();
    let connection = tokio::spawn(connection);
    let sent = client.send_request(Request::get("http://t/").body(()).unwrap(), true).unwrap();
    begun.reach(1).await;
    connection.abort();
    dropped.reach(1).await;
    drop(sent);
}

#[tokio::test]
async fn stream_is_dropped_when_the_client_disconnects() {
    let dropped = Drops::default();
    let server = start(endless(&dropped), |_| {});
    let mut client = server.connect().await;
    client.send("GET / HTTP/1.1\r\nhost: t\r\n\r\n").await;
    client.head().await;
    assert_eq!(client.take(10).await, b"5\r\nfirst\r\n");
    assert_eq!(dropped.count(), 0);
    drop(client);
    dropped.reach(1).await;

    let mut client = h2(server.address).await;
    let mut answer = h2_get(&mut client, "/").await.into_body();
    assert_eq!(within(answer.data()).await.unwrap().unwrap(), "first");
    drop(answer); // resets the stream
    dropped.reach(2).await;
}
