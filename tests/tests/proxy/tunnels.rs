//! WebSockets through the gateway.

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{
    gateway::{Client, exchange, start},
    stub::{End, Stub, read_request},
};

const HANDSHAKE: &str = "GET /foo/ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
                         Upgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
const SWITCH: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                        Upgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\nfirst";

#[tokio::test]
async fn bytes_pass_in_both_directions_and_a_half_close_is_passed_on() {
    let stub = Stub::serve(|mut stream, seen| async move {
        let request = read_request(&mut stream).await.unwrap();
        seen.lock().unwrap().push(request);
        stream.write_all(SWITCH).await.unwrap();
        let mut received = Vec::new();
        // The end of the client's half, after which the instance still sends.
        stream.read_to_end(&mut received).await.unwrap();
        stream.write_all(&received).await.unwrap();
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    client.send(HANDSHAKE).await;
    let answer = client.read_to("first").await;
    assert_eq!(answer.status(), 101);
    assert_eq!(answer.header("sec-websocket-accept"), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    let large = vec![b'x'; 1 << 20];
    client.send(&large).await;
    client.0.shutdown().await.unwrap();
    let mut echoed = Vec::new();
    client.0.read_to_end(&mut echoed).await.unwrap();
    assert!(echoed == large, "{} bytes", echoed.len());
    let seen = stub.seen();
    assert!(seen[0].contains("connection: upgrade\r\n"), "{seen:?}");
    assert!(seen[0].contains("upgrade: websocket\r\n"), "{seen:?}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_refused_handshake_is_an_ordinary_response() {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    let stub = Stub::start(refusal, End::Open).await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    client.send(HANDSHAKE).await;
    assert_eq!(client.read_to("no").await.status(), 403);
    // The connection serves the next request.
    client.send("GET /foo/x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert_eq!(client.read_to("no").await.status(), 403);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_handshake_with_a_body_is_no_handshake() {
    let stub = Stub::start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", End::Open).await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    let head = HANDSHAKE.strip_suffix("\r\n").unwrap();
    client.send(format!("{head}Content-Length: 5\r\n\r\nhello")).await;
    assert_eq!(client.read_to("no").await.status(), 200);
    let seen = &stub.seen()[0];
    assert!(!seen.contains("upgrade") && seen.ends_with("hello"), "{seen}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn another_protocol_is_not_offered_and_not_accepted() {
    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    let stub = Stub::start(switch, End::Close).await;
    let gateway = start(&[stub.address], "").await;
    let (answer, _) = exchange(&gateway, HANDSHAKE).await;
    assert_eq!(answer.status(), 502, "{answer:?}");
    let request =
        "GET /foo/x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n";
    let (answer, _) = exchange(&gateway, request).await;
    assert_eq!(answer.status(), 502, "{answer:?}");
    assert!(!stub.seen()[1].to_lowercase().contains("upgrade"), "{:?}", stub.seen());
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn bytes_behind_a_handshake_belong_to_the_protocol_that_follows() {
    let stub = Stub::serve(|mut stream, _| async move {
        read_request(&mut stream).await.unwrap();
        stream.write_all(SWITCH).await.unwrap();
        let mut received = [0; 7];
        stream.read_exact(&mut received).await.unwrap();
        stream.write_all(&received).await.unwrap();
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    client.send(format!("{HANDSHAKE}\0\n\rGET")).await;
    assert_eq!(client.read_to("first").await.status(), 101);
    client.send("\n").await;
    assert_eq!(client.read_to("GET\n").await.0, b"\0\n\rGET\n");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn bytes_behind_a_refused_handshake_are_checked_as_a_request() {
    let refusal = "HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
    let stub = Stub::start(refusal, End::Open).await;
    let gateway = start(&[stub.address], "").await;
    for (next, status) in [("\n", 400), ("\r\n", 403)] {
        let mut client = Client::to(&gateway).await;
        client.send(format!("{HANDSHAKE}GET /foo/x HTTP/1.1\r\nHost: a\r\nX: b{next}\r\n")).await;
        assert_eq!(client.read_to("no").await.status(), 403);
        let end = if status == 403 { "no" } else { "}" };
        assert_eq!(client.read_to(end).await.status(), status);
    }
    gateway.stop().await.unwrap();
}
