//! A request and its response that move at the same time.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc::unbounded_channel,
    time::timeout,
};

use super::{
    extended_connect::connect,
    gateway::{Client, start},
    stub::Stub,
};

const PATIENCE: Duration = Duration::from_secs(20);

/// More than all buffers on the way to a client hold.
const LARGE: usize = 64 << 20;
const UPLOAD: usize = 16 << 20;

/// Reads the head of a request.
async fn read_head(stream: &mut (impl AsyncReadExt + Unpin)) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
}

/// Answers at once with a large body, and tells when the whole upload has come.
async fn busy(told: tokio::sync::mpsc::UnboundedSender<usize>) -> Stub {
    Stub::serve(move |mut stream, _| {
        let told = told.clone();
        async move {
            read_head(&mut stream).await;
            let (mut from, mut to) = stream.into_split();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {LARGE}\r\n\r\n");
            tokio::spawn(async move {
                to.write_all(head.as_bytes()).await.ok();
                to.write_all(&vec![b'd'; LARGE]).await.ok();
            });
            let mut received = 0;
            let mut piece = vec![0; 64 * 1024];
            while received < UPLOAD {
                let read = from.read(&mut piece).await.unwrap();
                assert!(read > 0, "cut after {received} bytes");
                received += read;
            }
            told.send(received).unwrap();
        }
    })
    .await
}

#[tokio::test]
async fn an_upload_ends_while_its_client_does_not_read() {
    let (told, mut uploads) = unbounded_channel();
    let stub = busy(told).await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    client
        .send(format!("POST /foo/x HTTP/1.1\r\nHost: a\r\nContent-Length: {UPLOAD}\r\n\r\n"))
        .await;
    assert_eq!(client.read_to("\r\n\r\n").await.status(), 200);
    // Now it does not read for a while, and sends.
    timeout(PATIENCE, client.send(vec![b'u'; UPLOAD])).await.expect("the upload moves");
    let received = timeout(PATIENCE, uploads.recv()).await.expect("the upload arrives");
    assert_eq!(received, Some(UPLOAD));
    let mut body = vec![0; LARGE];
    timeout(PATIENCE, client.0.read_exact(&mut body)).await.expect("the response").unwrap();
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn an_upload_over_http2_ends_while_its_client_does_not_read() {
    let (told, mut uploads) = unbounded_channel();
    let stub = busy(told).await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = connect(&gateway).await;
    let request = Request::builder().method(Method::POST).uri("http://a/foo/x");
    let request = request.header("content-length", UPLOAD).body(()).unwrap();
    let (response, mut stream) = sender.send_request(request, false).unwrap();
    let response = timeout(PATIENCE, response).await.expect("a head in time").unwrap();
    assert_eq!(response.status(), 200);
    // No capacity of the response is released.
    stream.send_data(Bytes::from(vec![b'u'; UPLOAD]), true).unwrap();
    let received = timeout(PATIENCE, uploads.recv()).await.expect("the upload arrives");
    assert_eq!(received, Some(UPLOAD));
    drop(response);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_response_is_not_silent_while_its_upload_moves() {
    let stub = Stub::serve(|mut stream, _| async move {
        read_head(&mut stream).await;
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nh!").await.unwrap();
        let mut body = [0; 10];
        stream.read_exact(&mut body).await.unwrap();
        stream.write_all(b"k!").await.unwrap();
    })
    .await;
    let gateway = start(&[stub.address], "idle_timeout = \"500ms\"").await;
    let mut client = Client::to(&gateway).await;
    client.send("POST /foo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n").await;
    client.read_to("h!").await;
    // Twice the limit, in steps below it.
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        client.send("ab").await;
    }
    client.read_to("k!").await;
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_connection_serves_again_after_an_exchange_in_both_directions() {
    let stub = Stub::serve(|mut stream, seen| async move {
        let port = stream.peer_addr().unwrap().port();
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                head.push(byte);
            }
            seen.lock().unwrap().push(port.to_string());
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nh!").await.unwrap();
            stream.read_exact(&mut [0; 4]).await.unwrap();
            stream.write_all(b"k!").await.unwrap();
        }
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    for _ in 0..5 {
        client.send("POST /foo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n").await;
        client.read_to("h!").await;
        client.send("body").await;
        client.read_to("k!").await;
        // The connection is given back by another task than the client's.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut ports = stub.seen();
    ports.dedup();
    assert_eq!(ports.len(), 1, "{ports:?}");
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn a_client_that_leaves_in_both_directions_cancels_the_instances_work() {
    let (told, mut ends) = unbounded_channel();
    let stub = Stub::serve(move |mut stream, _| {
        let told = told.clone();
        async move {
            read_head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nh!").await.unwrap();
            let _ = stream.read_to_end(&mut Vec::new()).await;
            told.send(()).unwrap();
        }
    })
    .await;
    let gateway = start(&[stub.address], "").await;
    let mut client = Client::to(&gateway).await;
    client.send("POST /foo/x HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n").await;
    client.read_to("h!").await;
    drop(client);
    timeout(PATIENCE, ends.recv()).await.expect("the instance notices").unwrap();
    gateway.stop().await.unwrap();
}
