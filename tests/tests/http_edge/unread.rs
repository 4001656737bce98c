//! Clients that open a stream and do not read it: after a limited time the stream ends, and its
//! source is dropped.

use std::time::Duration;

use bytes::Bytes;
use futures_util::SinkExt;
use gateway_runtime::http::{HttpLimits, HttpSettings};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    time::{Instant, sleep},
};
use tokio_tungstenite::{client_async, tungstenite::Message};

use super::{gateway::Gateway, services::Ticket};

const LIMIT: Duration = Duration::from_millis(500);

async fn gateway() -> Gateway {
    let limits = HttpLimits { write_timeout: LIMIT, ..HttpLimits::default() };
    Gateway::with(HttpSettings { limits, ..HttpSettings::default() }, Vec::new()).await
}

/// The media types of events and lines.
const FORMS: [&str; 2] = ["text/event-stream", "application/x-ndjson"];

#[tokio::test]
async fn unread_events_and_lines_over_http1_end() {
    let gateway = gateway().await;
    for (place, form) in FORMS.into_iter().enumerate() {
        let name = format!("unread-http1-{place}");
        let mut stream = TcpStream::connect(gateway.address).await.unwrap();
        let begun = Instant::now();
        let request = format!(
            "GET /services/edge/v1/flood?name={name} HTTP/1.1\r\nHost: a\r\nAccept: {form}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        Ticket::named(&name).until(|state| state.dropped == 1).await;
        assert!(begun.elapsed() >= LIMIT, "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn unread_stream_over_a_websocket_ends() {
    let gateway = gateway().await;
    let stream = TcpStream::connect(gateway.address).await.unwrap();
    let (mut socket, _) =
        client_async(format!("ws://{}/services/_ws", gateway.address), stream).await.unwrap();
    let begun = Instant::now();
    let params = json!({ "name": "unread-ws" });
    let call = json!({ "jsonrpc": "2.0", "id": 1, "method": "edge.v1.flood", "params": params });
    socket.send(Message::text(call.to_string())).await.unwrap();
    Ticket::named("unread-ws").until(|state| state.dropped == 1).await;
    assert!(begun.elapsed() >= LIMIT, "{:?}", begun.elapsed());
}

async fn http2(gateway: &Gateway) -> SendRequest<Empty<Bytes>> {
    let socket = TokioIo::new(TcpStream::connect(gateway.address).await.unwrap());
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn get(gateway: &Gateway, path: &str, accept: &str) -> http::Request<Empty<Bytes>> {
    let uri = format!("http://{}{path}", gateway.address);
    http::Request::get(uri).header("accept", accept).body(Empty::new()).unwrap()
}

/// The client reads all other data of the connection, so that only the window of one stream is
/// closed.
#[tokio::test]
async fn unread_stream_over_http2_ends_alone() {
    let gateway = gateway().await;
    let mut sender = http2(&gateway).await;
    for (place, form) in FORMS.into_iter().enumerate() {
        let name = format!("unread-http2-{place}");
        let begun = Instant::now();
        let path = format!("/services/edge/v1/flood?name={name}");
        let mut unread = sender.send_request(get(&gateway, &path, form)).await.unwrap();
        let ticket = Ticket::named(&name);
        while ticket.now().dropped == 0 {
            assert!(begun.elapsed() < Duration::from_secs(20), "it is held for ever");
            let answer = sender
                .send_request(get(&gateway, "/services/edge/v1/sum?terms=1", "*/*"))
                .await
                .unwrap();
            assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "1");
            sleep(Duration::from_millis(20)).await;
        }
        assert!(begun.elapsed() >= LIMIT, "{:?}", begun.elapsed());
        // Data that was sent before remains readable, and then the reset shows.
        let end = loop {
            match unread.frame().await {
                Some(Ok(_)) => {}
                end => break end,
            }
        };
        assert!(end.is_some_and(|end| end.is_err()), "a clean end would make it look whole");
        assert!(!sender.is_closed(), "the connection goes on");
    }
}
