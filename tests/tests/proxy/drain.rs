//! WebSockets, streams and kept connections while the gateway stops.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc::unbounded_channel,
};

use super::{
    extended_connect,
    gateway::{Client, start_with},
    stub::{Stub, read_request},
};

const GRACE: &str = "stream_grace = \"400ms\"";
const LIMIT: Duration = Duration::from_secs(10);

const HANDSHAKE: &str = "GET /foo/ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n\
                         Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Starts a stub that answers and then stays silent, as long as it is not left.
async fn silent(answer: &'static str) -> Stub {
    Stub::serve(move |mut stream, seen| async move {
        let request = read_request(&mut stream).await.unwrap();
        seen.lock().unwrap().push(request);
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = stream.read(&mut [0]).await;
    })
    .await
}

#[tokio::test]
async fn a_websocket_ends_with_the_grace() {
    let stub = silent(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nh!",
    )
    .await;
    let gateway = start_with(GRACE, &[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    client.send(HANDSHAKE).await;
    client.read_to("h!").await;
    let begun = Instant::now();
    let stopping = tokio::spawn(gateway.stop());
    let end = tokio::time::timeout(LIMIT, client.0.read(&mut [0])).await.expect("an end in time");
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
    stopping.await.unwrap().unwrap();
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn an_event_stream_is_cut_after_the_grace() {
    let stub = silent(
        "HTTP/1.1 200 OK\r\nContent-Type: Text/Event-Stream; charset=utf-8\r\n\r\ndata: 1\n\n",
    )
    .await;
    let gateway = start_with(GRACE, &[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    client.send("GET /foo/x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    client.read_to("data: 1\n\n\r\n").await;
    let begun = Instant::now();
    let stopping = tokio::spawn(gateway.stop());
    let mut rest = Vec::new();
    let _ = tokio::time::timeout(LIMIT, client.0.read_to_end(&mut rest)).await.expect("an end");
    assert!(rest.is_empty(), "no clean end: {rest:?}");
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
    stopping.await.unwrap().unwrap();
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn another_response_has_the_drain_time_and_a_kept_connection_is_told() {
    let (events, mut happened) = unbounded_channel();
    let stub = Stub::serve(move |mut stream, _| {
        let events = events.clone();
        async move {
            read_request(&mut stream).await.unwrap();
            events.send(()).unwrap();
            // Longer than the grace of streams.
            tokio::time::sleep(Duration::from_secs(1)).await;
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
        }
    })
    .await;
    let gateway = start_with("stream_grace = \"100ms\"", &[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    client.send("GET /foo/x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    happened.recv().await.unwrap();
    let stopping = tokio::spawn(gateway.stop());
    let (answer, _) = client.read_all().await;
    assert_eq!((answer.status(), answer.body()), (200, &b"ok"[..]));
    assert_eq!(answer.header("connection"), Some("close"), "{answer:?}");
    stopping.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_websocket_over_http2_ends_with_the_grace() {
    let stub = Stub::serve(|mut stream, seen| async move {
        extended_connect::switch(&mut stream, &seen).await;
        let _ = stream.read(&mut [0]).await;
    })
    .await;
    let gateway = start_with(GRACE, &[stub.address], "").await;
    let mut sender = extended_connect::connect(&gateway).await;
    let (response, _stream) =
        extended_connect::open(&mut sender, "/foo/ws", Some("websocket")).await;
    assert_eq!(response.status(), 200);
    let begun = Instant::now();
    drop(sender);
    let stopping = tokio::spawn(gateway.stop());
    let _ = extended_connect::read(&mut response.into_body(), usize::MAX).await;
    assert!(begun.elapsed() >= Duration::from_millis(400), "{:?}", begun.elapsed());
    stopping.await.unwrap().unwrap();
    assert!(begun.elapsed() < LIMIT, "{:?}", begun.elapsed());
}
