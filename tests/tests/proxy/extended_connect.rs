//! WebSockets over HTTP/2 (RFC 8441): an extended CONNECT becomes a handshake over HTTP/1.1.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use gateway_runtime::RunningGateway;
use h2::{Reason, RecvStream, SendStream, client::SendRequest, ext::Protocol};
use http::{Method, Request, Response};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use super::{
    gateway::{exchange, start},
    stub::{End, Stub, read_request},
};

const PATIENCE: Duration = Duration::from_secs(10);

/// Opens an HTTP/2 connection, once the gateway has announced that it takes extended CONNECT.
pub(super) async fn connect(gateway: &RunningGateway) -> SendRequest<Bytes> {
    let socket = TcpStream::connect(gateway.address()).await.unwrap();
    let (sender, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    let mut sender = sender.ready().await.unwrap();
    let announced = async {
        while !sender.is_extended_connect_protocol_enabled() {
            tokio::time::sleep(Duration::from_millis(5)).await;
            sender = sender.clone().ready().await.unwrap();
        }
    };
    timeout(PATIENCE, announced).await.expect("SETTINGS_ENABLE_CONNECT_PROTOCOL is announced");
    sender
}

/// Sends CONNECT with a protocol to a path.
pub(super) async fn open(
    sender: &mut SendRequest<Bytes>,
    path: &str,
    protocol: Option<&'static str>,
) -> (Response<RecvStream>, SendStream<Bytes>) {
    let uri = if protocol.is_some() { format!("http://a{path}") } else { "a:80".to_owned() };
    let mut request = Request::builder()
        .method(Method::CONNECT)
        .uri(uri)
        .header("sec-websocket-version", "13")
        .header("sec-websocket-protocol", "chat");
    if let Some(protocol) = protocol {
        request = request.extension(Protocol::from_static(protocol));
    }
    let (response, stream) = sender.send_request(request.body(()).unwrap(), false).unwrap();
    (timeout(PATIENCE, response).await.expect("a head in time").unwrap(), stream)
}

/// Returns the value of `Sec-WebSocket-Accept` for the handshake of the gateway.
fn accept_of(request: &str) -> String {
    let mut lines = request.lines().filter_map(|line| line.split_once(": "));
    let key = lines.find(|(name, _)| *name == "sec-websocket-key").expect("a key").1;
    assert_eq!(BASE64_STANDARD.decode(key).unwrap().len(), 16, "{key}");
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    BASE64_STANDARD.encode(digest)
}

/// Answers a handshake with a switch of protocols.
pub(super) async fn switch(stream: &mut TcpStream, seen: &Arc<Mutex<Vec<String>>>) {
    let request = read_request(stream).await.unwrap();
    let accept = accept_of(&request);
    seen.lock().unwrap().push(request);
    let head = format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Protocol: chat\r\nSec-WebSocket-Accept: {accept}\r\n\r\nfirst"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
}

/// Reads a stream to its end, or until `until` bytes are there.
pub(super) async fn read(body: &mut RecvStream, until: usize) -> Result<Vec<u8>, h2::Error> {
    let mut bytes = Vec::new();
    let reading = async {
        while bytes.len() < until {
            let Some(data) = body.data().await else { break };
            let data = data?;
            body.flow_control().release_capacity(data.len()).unwrap();
            bytes.extend_from_slice(&data);
        }
        Ok::<_, h2::Error>(())
    };
    timeout(PATIENCE, reading).await.expect("the bytes in time")?;
    Ok(bytes)
}

#[tokio::test]
async fn bytes_pass_in_both_directions_and_a_half_close_is_passed_on() {
    let stub = Stub::serve(|mut stream, seen| async move {
        switch(&mut stream, &seen).await;
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        stream.write_all(&received).await.unwrap();
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = connect(&gateway).await;
    let (response, mut stream) = open(&mut sender, "/foo/ws?x", Some("websocket")).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat");
    for name in ["sec-websocket-accept", "upgrade", "connection"] {
        assert!(!response.headers().contains_key(name), "{response:?}");
    }
    let mut body = response.into_body();
    assert_eq!(read(&mut body, 5).await.unwrap(), b"first");
    let large = Bytes::from(vec![b'x'; 1 << 20]);
    stream.send_data(large.clone(), true).unwrap();
    // The instance echoes after the end of the client's half alone.
    assert!(read(&mut body, usize::MAX).await.unwrap() == large, "the echo is whole");
    let seen = stub.seen();
    assert!(seen[0].starts_with("GET /ws?x HTTP/1.1\r\n"), "{seen:?}");
    for line in ["connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13"] {
        assert!(seen[0].contains(&format!("\r\n{line}\r\n")), "{line}: {seen:?}");
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn the_gateways_own_handshake_is_checked() {
    for accept in ["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n", ""] {
        let switch = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             {accept}\r\n"
        );
        let stub = Stub::start(switch, End::Open).await;
        let gateway = start(&[stub.address], "").await;
        let mut sender = connect(&gateway).await;
        let (response, _stream) = open(&mut sender, "/foo/ws", Some("websocket")).await;
        assert_eq!(response.status(), 502, "{accept}");
        gateway.stop().await.unwrap();
    }
    // A success without a switch must not open the tunnel.
    let stub = Stub::start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", End::Open).await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = connect(&gateway).await;
    let (response, _stream) = open(&mut sender, "/foo/ws", Some("websocket")).await;
    assert_eq!(response.status(), 502);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_refused_handshake_is_an_ordinary_response_and_pins_nothing() {
    let stub = Stub::serve(|mut stream, seen| async move {
        let port = stream.peer_addr().unwrap().port();
        while read_request(&mut stream).await.is_some() {
            seen.lock().unwrap().push(port.to_string());
            let refusal = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno";
            stream.write_all(refusal).await.unwrap();
        }
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = connect(&gateway).await;
    for _ in 0..3 {
        let (response, _stream) = open(&mut sender, "/foo/ws", Some("websocket")).await;
        assert_eq!(response.status(), 403);
        assert_eq!(read(&mut response.into_body(), usize::MAX).await.unwrap(), b"no");
    }
    let mut ports = stub.seen();
    ports.dedup();
    assert_eq!(ports.len(), 1, "the connection serves the next one: {ports:?}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn other_protocols_are_501_and_none_is_400() {
    let stub = Stub::start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", End::Open).await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = connect(&gateway).await;
    let (response, _stream) = open(&mut sender, "/foo/ws", Some("connect-udp")).await;
    assert_eq!(response.status(), 501);
    let (response, _stream) = open(&mut sender, "/foo/ws", None).await;
    assert_eq!(response.status(), 400);
    for target in ["a:80", "/foo/ws"] {
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_eq!(exchange(&gateway, &request).await.0.status(), 400, "{target}");
    }
    let (response, _stream) = open(&mut sender, "/services/_ws", Some("websocket")).await;
    assert_eq!(response.status(), 200, "the gateway's own WebSocket");
    let (response, _stream) = open(&mut sender, "/meta", Some("websocket")).await;
    assert_eq!(response.status(), 405);
    assert!(stub.seen().is_empty(), "{:?}", stub.seen());
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_reset_of_the_client_resets_the_instance() {
    for ends_first in [false, true] {
        let (told, mut ends) = tokio::sync::mpsc::unbounded_channel();
        let stub = Stub::serve(move |mut stream, seen| {
            let told = told.clone();
            async move {
                switch(&mut stream, &seen).await;
                let mut end = stream.read_to_end(&mut Vec::new()).await.map(drop);
                // After an orderly end, a reset shows at the next use.
                while end.is_ok() && ends_first {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    end = stream.take_error().unwrap().map_or(Ok(()), Err);
                }
                told.send(end.map_err(|error| error.kind())).unwrap();
            }
        })
        .await;
        let gateway = start(&[stub.address], "").await;
        let mut sender = connect(&gateway).await;
        let (response, mut stream) = open(&mut sender, "/foo/ws", Some("websocket")).await;
        let mut body = response.into_body();
        assert_eq!(read(&mut body, 5).await.unwrap(), b"first");
        if ends_first {
            stream.send_data(Bytes::from_static(b"end"), true).unwrap();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        stream.send_reset(Reason::CANCEL);
        let end = timeout(PATIENCE, ends.recv()).await.expect("the instance notices").unwrap();
        let is_reset = matches!(
            end,
            Err(std::io::ErrorKind::ConnectionReset | std::io::ErrorKind::BrokenPipe)
        );
        assert!(is_reset, "{ends_first}: {end:?}");
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_reset_of_the_instance_resets_the_stream_alone() {
    let stub = Stub::serve(|mut stream, seen| async move {
        switch(&mut stream, &seen).await;
        stream.read_u8().await.unwrap();
        stream.set_zero_linger().unwrap();
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = connect(&gateway).await;
    for _ in 0..2 {
        // The second stream shows that the connection lives.
        let (response, mut stream) = open(&mut sender, "/foo/ws", Some("websocket")).await;
        let mut body = response.into_body();
        assert_eq!(read(&mut body, 5).await.unwrap(), b"first");
        stream.send_data(Bytes::from_static(b"x"), false).unwrap();
        let error = read(&mut body, usize::MAX).await.expect_err("no clean end");
        assert_eq!(error.reason(), Some(Reason::CANCEL), "{error}");
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_orderly_end_of_the_instance_ends_the_stream() {
    let stub = Stub::serve(|mut stream, seen| async move {
        switch(&mut stream, &seen).await;
        stream.shutdown().await.unwrap();
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.unwrap();
        seen.lock().unwrap().push(String::from_utf8(received).unwrap());
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = connect(&gateway).await;
    let (response, mut stream) = open(&mut sender, "/foo/ws", Some("websocket")).await;
    assert_eq!(read(&mut response.into_body(), usize::MAX).await.unwrap(), b"first");
    // The other half is still open.
    stream.send_data(Bytes::from_static(b"last"), true).unwrap();
    let arrived = async {
        while stub.seen().len() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, arrived).await.expect("the last bytes arrive");
    assert_eq!(stub.seen()[1], "last");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_http2_connection_with_a_silent_tunnel_is_in_use() {
    let stub = Stub::serve(|mut stream, seen| async move {
        switch(&mut stream, &seen).await;
        let mut byte = [0];
        while let Ok(1) = stream.read(&mut byte).await {
            stream.write_all(&byte).await.unwrap();
        }
    })
    .await;
    let http = "limits.keep_alive = \"300ms\"";
    let gateway = super::gateway::start_with(http, &[stub.address], "").await;
    let mut sender = connect(&gateway).await;
    let (response, mut stream) = open(&mut sender, "/foo/ws", Some("websocket")).await;
    let mut body = response.into_body();
    assert_eq!(read(&mut body, 5).await.unwrap(), b"first");
    // Longer than the gateway keeps an idle connection.
    tokio::time::sleep(Duration::from_secs(1)).await;
    stream.send_data(Bytes::from_static(b"x"), true).unwrap();
    assert_eq!(read(&mut body, usize::MAX).await.unwrap(), b"x");
    gateway.stop().await.unwrap();
}
