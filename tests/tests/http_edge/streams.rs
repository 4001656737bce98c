//! Streamed replies: their media types, when their items are sent, and how they end.

use std::time::Duration;

use bytes::Bytes;
use gateway_runtime::http::{DrainOutcome, HttpSettings};
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use tokio::net::TcpStream;

use super::{gateway::Gateway, services::Ticket, wire::Wire};

#[tokio::test]
async fn client_chooses_events_or_lines() {
    let gateway = Gateway::start().await;
    let path = "/services/edge/v1/count?count=2&name=streams-forms";
    Ticket::named("streams-forms").release();
    for accept in ["*/*", "text/event-stream", "text/html, text/*;q=0.5"] {
        let events = gateway.ask(&format!("GET {path}\nAccept: {accept}")).await;
        assert_eq!(events.header("content-type"), Some("text/event-stream"), "{accept}");
        assert_eq!(events.header("cache-control"), Some("no-store"));
        assert_eq!((events.text(), events.whole), ("data: 0\n\ndata: 1\n\n", true), "{accept}");
    }
    assert_eq!(gateway.get(path).await.header("content-type"), Some("text/event-stream"));
    let lines = gateway
        .ask(&format!("GET {path}\nAccept: text/event-stream;q=0.1, application/x-ndjson"))
        .await;
    assert_eq!(lines.header("content-type"), Some("application/x-ndjson"));
    assert_eq!((lines.text(), lines.whole), ("0\n1\n", true));
}

#[tokio::test]
async fn stream_does_not_begin_if_its_client_accepts_no_form() {
    let gateway = Gateway::start().await;
    let refused = gateway
        .ask("GET /services/edge/v1/count?count=2&name=streams-406\nAccept: application/json")
        .await;
    assert_eq!((refused.status, refused.code().as_str()), (406, "not-acceptable"));
    assert_eq!(Ticket::named("streams-406").now().begun, 0);
}

#[tokio::test]
async fn each_item_is_sent_at_once() {
    let gateway = Gateway::start().await;
    let ticket = Ticket::named("streams-flush");
    let mut wire = Wire::to(gateway.address).await;
    wire.send("GET /services/edge/v1/count?count=2&name=streams-flush HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    // The second item waits for the release, so the first was sent before the second existed.
    wire.read_until("data: 0\n\n").await.unwrap();
    ticket.release();
    wire.read_until("data: 1\n\n").await.unwrap();
    wire.read_until("\r\n0\r\n\r\n").await.unwrap();
    ticket.until(|state| state.dropped == 1).await;
}

#[tokio::test]
async fn a_client_that_leaves_ends_the_stream() {
    let gateway = Gateway::start().await;
    let ticket = Ticket::named("streams-leave");
    let mut wire = Wire::to(gateway.address).await;
    wire.send("GET /services/edge/v1/count?count=2&name=streams-leave HTTP/1.1\r\nHost: a\r\n\r\n")
        .await;
    wire.read_until("data: 0\n\n").await.unwrap();
    drop(wire);
    ticket.until(|state| state.dropped == 1).await;
}

#[tokio::test]
async fn failed_stream_sends_its_problem_and_is_cut() {
    let gateway = Gateway::start().await;
    for (name, code) in [("error", "provider-failed"), ("panic", "internal")] {
        let path = format!("/services/edge/v1/breaks?name={name}");
        let events = gateway.get(&path).await;
        assert_eq!((events.status, events.whole), (200, false), "{events:?}");
        let rest = events.text().strip_prefix("data: 1\n\ndata: 2\n\n").unwrap();
        let problem =
            rest.strip_prefix("event: error\ndata: ").unwrap().strip_suffix("\n\n").unwrap();
        check(problem, code, events.header("x-request-id").unwrap());

        let lines = gateway.ask(&format!("GET {path}\nAccept: application/x-ndjson")).await;
        assert!(!lines.whole, "{lines:?}");
        let problem =
            lines.text().strip_prefix("1\n2\n{\"error\":").unwrap().strip_suffix("}\n").unwrap();
        check(problem, code, lines.header("x-request-id").unwrap());
    }
}

fn check(problem: &str, code: &str, id: &str) {
    let problem: Value = serde_json::from_str(problem).unwrap();
    assert_eq!((&problem["code"], &problem["request_id"]), (&code.into(), &id.into()), "{problem}");
    assert_eq!(problem["instance"], "/services/edge/v1/breaks");
    assert!(
        !problem.to_string().contains("hunter2") && !problem.to_string().contains("only the log"),
        "{problem}"
    );
}

#[tokio::test]
async fn raw_bytes_are_streamed_and_cut_when_they_fail() {
    let gateway = Gateway::start().await;
    let whole = gateway.get("/services/edge/v1/bytes?name=whole").await;
    assert_eq!((whole.text(), whole.whole), ("firstsecond", true));
    assert_eq!(whole.header("content-type"), Some("application/octet-stream"));
    let broken = gateway.get("/services/edge/v1/bytes?name=broken").await;
    assert_eq!((broken.text(), broken.whole), ("firstsecond", false));
}

#[tokio::test]
async fn head_does_not_run_a_stream() {
    let gateway = Gateway::start().await;
    let head = gateway.ask("HEAD /services/edge/v1/count?count=2&name=streams-head").await;
    assert_eq!((head.status, head.header("content-type")), (200, Some("text/event-stream")));
    // Its items would have waited for a release.
    Ticket::named("streams-head").until(|state| state.dropped == 1).await;
}

#[tokio::test]
async fn endless_stream_receives_a_shutdown_notice_before_it_is_cut() {
    // The notice goes out in the last two seconds of the drain time, so with this setting it goes
    // out at once.
    let settings =
        HttpSettings { drain_timeout: Duration::from_secs(2), ..HttpSettings::default() };
    let gateway = Gateway::with(settings, Vec::new()).await;
    let mut wire = Wire::to(gateway.address).await;
    wire.send(
        "GET /services/edge/v1/count?count=2&name=streams-endless HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    .await;
    wire.read_until("data: 0\n\n").await.unwrap();
    let server = gateway.stop();
    let problem = wire.read_until("\n\n").await.unwrap();
    assert!(
        problem.contains("event: error\ndata: ") && problem.contains(r#""code":"overloaded""#),
        "{problem}"
    );
    assert_eq!(
        wire.read_until("\r\n0\r\n\r\n").await,
        None,
        "a clean end would make it look whole"
    );
    assert_eq!(server.await.unwrap(), DrainOutcome::Drained);
}

#[tokio::test]
async fn failed_stream_over_http2_sends_its_problem_and_is_reset() {
    let gateway = Gateway::start().await;
    let socket = TokioIo::new(TcpStream::connect(gateway.address).await.unwrap());
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), socket).await.unwrap();
    tokio::spawn(connection);
    for _ in 0..20 {
        let address = format!("http://{}/services/edge/v1/breaks?name=error", gateway.address);
        let request = http::Request::get(address).body(Empty::<Bytes>::new()).unwrap();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut body = response.into_body();
        let mut text = String::new();
        let end = loop {
            let frame = tokio::time::timeout(Duration::from_secs(10), body.frame()).await.unwrap();
            match frame {
                Some(Ok(frame)) => {
                    text.push_str(std::str::from_utf8(frame.data_ref().unwrap()).unwrap())
                }
                end => break end,
            }
        };
        assert!(end.is_some_and(|end| end.is_err()), "a clean end would make it look whole");
        assert!(
            text.starts_with("data: 1\n\ndata: 2\n\nevent: error\ndata: ")
                && text.ends_with("\n\n"),
            "{text}"
        );
    }
}
