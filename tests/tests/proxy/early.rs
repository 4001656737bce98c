//! Answers that come while the client is still sending: of instances, and of the gateway itself.

use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use http::{Method, Request};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};

use super::{
    extended_connect::{connect, read},
    gateway::{Answer, Client, start},
    stub::Stub,
};

const PATIENCE: Duration = Duration::from_secs(10);
const TOO_LARGE: &[u8] =
    b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig";

/// Reads the head of a request, answers, and closes the connection on what is still coming.
async fn hasty() -> Stub {
    Stub::serve(|mut stream, _| async move {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        stream.read_u8().await.unwrap();
        let _ = stream.write_all(TOO_LARGE).await;
    })
    .await
}

/// Sends a request with a large body, as fast as it goes, and reads the answer meanwhile.
async fn upload(client: Client, head: &str, bytes: usize) -> Answer {
    let (mut from, mut to) = client.0.into_split();
    let head = format!("{head}Content-Length: {bytes}\r\n\r\n");
    let sending = tokio::spawn(async move {
        to.write_all(head.as_bytes()).await.ok();
        to.write_all(&vec![b'x'; bytes]).await.ok();
        to
    });
    let mut answer = Vec::new();
    let reading = async {
        let mut piece = [0; 4096];
        while let Ok(read @ 1..) = from.read(&mut piece).await {
            answer.extend_from_slice(&piece[..read]);
        }
    };
    timeout(PATIENCE, reading).await.expect("an end in time");
    sending.abort();
    Answer(answer)
}

#[tokio::test]
async fn the_answer_of_an_instance_that_closes_during_the_upload_is_not_lost() {
    let stub = hasty().await;
    let gateway = start(&[stub.address], "").await;
    for round in 0..100 {
        let client = Client::to(&gateway).await;
        let answer = upload(client, "POST /foo/x HTTP/1.1\r\nHost: a\r\n", 4 << 20).await;
        assert_eq!((answer.status(), answer.body()), (413, &b"big"[..]), "round {round}");
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn the_answer_of_an_instance_reaches_a_client_of_http2_too() {
    let stub = hasty().await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = connect(&gateway).await;
    for round in 0..20 {
        let request = Request::builder().method(Method::POST).uri("http://a/foo/x");
        let (response, mut stream) = sender.send_request(request.body(()).unwrap(), false).unwrap();
        stream.send_data(Bytes::from(vec![b'x'; 1 << 20]), false).unwrap();
        let response = timeout(PATIENCE, response).await.expect("a head in time").unwrap();
        assert_eq!(response.status(), 413, "round {round}");
        assert_eq!(read(&mut response.into_body(), usize::MAX).await.unwrap(), b"big");
        let reset = timeout(PATIENCE, std::future::poll_fn(|cx| stream.poll_reset(cx))).await;
        assert_eq!(reset.expect("the rest is refused").unwrap(), Reason::NO_ERROR);
        sender = sender.ready().await.unwrap();
    }
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn the_gateways_own_refusal_reaches_a_client_that_is_still_sending() {
    let stub = hasty().await;
    let hash = "0".repeat(64);
    let auth = format!(
        "[routes.foo]\ndispatch = \"http\"\nauth = true\n[auth.keys.one]\n\
         hash = \"{hash}\"\naccount = \"acme\""
    );
    let gateway = start(&[stub.address], &auth).await;
    for _ in 0..20 {
        let client = Client::to(&gateway).await;
        let answer = upload(client, "POST /foo/x HTTP/1.1\r\nHost: a\r\n", 4 << 20).await;
        assert_eq!(answer.status(), 401);
        assert!(answer.body().ends_with(b"}"), "{answer:?}");
    }
    let mut sender = connect(&gateway).await;
    let request = Request::builder().method(Method::POST).uri("http://a/foo/x");
    let (response, mut stream) = sender.send_request(request.body(()).unwrap(), false).unwrap();
    stream.send_data(Bytes::from(vec![b'x'; 1 << 20]), false).unwrap();
    let response = timeout(PATIENCE, response).await.expect("a head in time").unwrap();
    assert_eq!(response.status(), 401);
    assert!(read(&mut response.into_body(), usize::MAX).await.unwrap().ends_with(b"}"));
    let reset = timeout(PATIENCE, std::future::poll_fn(|cx| stream.poll_reset(cx))).await;
    assert_eq!(reset.expect("the rest is refused").unwrap(), Reason::NO_ERROR);
    gateway.stop().await.unwrap();
}

/// Answers each request at its head. After that of an upload, the connection takes no other one.
async fn early() -> Stub {
    Stub::serve(|mut stream, seen| async move {
        let port = stream.peer_addr().unwrap().port();
        loop {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = stream.read_u8().await else { return };
                head.push(byte);
            }
            let head = String::from_utf8(head).unwrap();
            let is_upload = head.starts_with("POST");
            seen.lock().unwrap().push(format!("{port} {head}"));
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
            stream.write_all(answer).await.unwrap();
            if is_upload {
                // Whatever follows on this connection is recorded.
                let mut rest = Vec::new();
                let _ = stream.read_to_end(&mut rest).await;
                seen.lock().unwrap().push(format!("{port} {}", String::from_utf8_lossy(&rest)));
                return;
            }
        }
    })
    .await
}

const EVIL: &str = "GET /foo/evil HTTP/1.1\r\nHost: a\r\n\r\n";

#[tokio::test]
async fn the_rest_of_an_upload_is_never_read_as_a_request() {
    let stub = early().await;
    let gateway = start(&[stub.address], "").await;
    for framing in ["Content-Length: 1000", "Transfer-Encoding: chunked"] {
        let mut client = Client::to(&gateway).await;
        client.send(format!("POST /foo/up HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n")).await;
        assert_eq!(client.read_to("ok").await.status(), 200);
        // The rest of the body comes after the answer, and looks like a request.
        let _ = client.0.write_all(EVIL.as_bytes()).await;
        let (rest, _) = client.read_all().await;
        assert!(rest.0.is_empty(), "{framing}: {rest:?}");
        // The connection to the instance is not used again either.
        let mut client = Client::to(&gateway).await;
        client.send("GET /foo/next HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert_eq!(client.read_to("ok").await.status(), 200);
    }
    check_seen(&stub);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn the_rest_of_an_upload_over_http2_is_never_read_as_a_request() {
    let stub = early().await;
    let gateway = start(&[stub.address], "").await;
    let mut sender = connect(&gateway).await;
    for _ in 0..3 {
        let request = Request::builder().method(Method::POST).uri("http://a/foo/up");
        let (response, mut stream) = sender.send_request(request.body(()).unwrap(), false).unwrap();
        let response = timeout(PATIENCE, response).await.expect("a head in time").unwrap();
        assert_eq!(read(&mut response.into_body(), usize::MAX).await.unwrap(), b"ok");
        // Either refused, or sent and dropped.
        let _ = stream.send_data(Bytes::from_static(EVIL.as_bytes()), true);
        let request = Request::builder().uri("http://a/foo/next").body(()).unwrap();
        let (response, _) = sender.send_request(request, true).unwrap();
        let response = timeout(PATIENCE, response).await.expect("a head in time").unwrap();
        assert_eq!(response.status(), 200);
        sender = sender.ready().await.unwrap();
    }
    check_seen(&stub);
    gateway.stop().await.unwrap();
}

/// Checks that no request was made from a body, and that none followed an upload on its connection.
fn check_seen(stub: &Stub) {
    let seen = stub.seen();
    assert!(!seen.iter().any(|one| one.contains(" GET /evil")), "{seen:?}");
    let port = |one: &str| one.split(' ').next().unwrap().to_owned();
    let is_upload = |one: &String| one.contains(" POST ");
    assert!(seen.iter().any(is_upload));
    for (at, upload) in seen.iter().enumerate().filter(|(_, one)| is_upload(one)) {
        let mut later = seen[at + 1..].iter().filter(|one| port(one) == port(upload));
        assert!(!later.any(|one| one.contains(" HTTP/1.1\r\n")), "{seen:?}");
    }
}
