//! Calls over one WebSocket: JSON-RPC 2.0 to the letter, many at once, and every way in which a
//! connection ends.

use std::{collections::BTreeMap, time::Duration};

use futures_util::{SinkExt, StreamExt};
use gateway_runtime::http::{DrainOutcome, HttpSettings, WebSocketSettings};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, protocol::frame::coding::CloseCode},
};

use super::{gateway::Gateway, services::Ticket, wire::Wire};

/// A client.
pub(super) struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    pub(super) async fn to(gateway: &Gateway) -> Self {
        Self::with(gateway, &[]).await.unwrap()
    }

    async fn with(gateway: &Gateway, headers: &[(&'static str, &str)]) -> Result<Self, Error> {
        let mut request =
            format!("ws://{}/services/_ws", gateway.address).into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(gateway.address).await.unwrap();
        client_async(request, stream).await.map(|(socket, _)| Self(socket))
    }

    pub(super) async fn send(&mut self, text: impl ToString) {
        self.0.send(Message::text(text.to_string())).await.unwrap();
    }

    pub(super) async fn call(&mut self, id: impl Into<Value>, method: &str, params: Value) {
        self.send(json!({"jsonrpc": "2.0", "id": id.into(), "method": method, "params": params}))
            .await;
    }

    /// Returns the next message, except pings.
    pub(super) async fn next(&mut self) -> Message {
        loop {
            let message = timeout(Duration::from_secs(10), self.0.next())
                .await
                .expect("the server says nothing");
            match message.expect("the connection is open").unwrap() {
                Message::Ping(_) => {}
                message => return message,
            }
        }
    }

    pub(super) async fn read(&mut self) -> Value {
        let message = self.next().await;
        serde_json::from_str(message.to_text().unwrap()).unwrap()
    }

    /// Returns the code with which the server closes.
    async fn closed(&mut self) -> CloseCode {
        let Message::Close(frame) = self.next().await else {
            panic!("a message instead of the end")
        };
        frame.unwrap().code
    }

    /// Asserts that nothing was sent before the response to this call.
    pub(super) async fn is_silent(&mut self) {
        self.call("silent?", "spec.v1.get_data", json!([])).await;
        assert_eq!(self.read().await["id"], "silent?");
    }
}

pub(super) async fn gateway(settings: WebSocketSettings) -> Gateway {
    Gateway::with(HttpSettings { websocket: settings, ..HttpSettings::default() }, Vec::new()).await
}

/// Returns the members of errors that the specification names; `data` is the gateway's own.
fn without_data(mut response: Value) -> Value {
    let strip = |response: &mut Value| {
        if let Some(error) = response.get_mut("error") {
            let problem = error.as_object_mut().unwrap().remove("data").unwrap();
            assert!(problem["code"].is_string() && problem["request_id"].is_string(), "{problem}");
        }
    };
    match &mut response {
        Value::Array(batch) => batch.iter_mut().for_each(strip),
        one => strip(one),
    }
    response
}

/// The examples of section 7 of the specification, with this service's names of methods.
#[tokio::test]
async fn the_examples_of_the_specification_hold() {
    let gateway = Gateway::start().await;
    let mut socket = Socket::to(&gateway).await;
    let examples = [
        (
            r#"{"jsonrpc": "2.0", "method": "spec.v1.subtract", "params": [42, 23], "id": 1}"#,
            r#"{"jsonrpc": "2.0", "result": 19, "id": 1}"#,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "spec.v1.subtract", "params": [23, 42], "id": 2}"#,
            r#"{"jsonrpc": "2.0", "result": -19, "id": 2}"#,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "spec.v1.subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
            r#"{"jsonrpc": "2.0", "result": 19, "id": 3}"#,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "spec.v1.subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}"#,
            r#"{"jsonrpc": "2.0", "result": 19, "id": 4}"#,
        ),
        (r#"{"jsonrpc": "2.0", "method": "spec.v1.update", "params": [1,2,3,4,5]}"#, ""),
        (r#"{"jsonrpc": "2.0", "method": "foobar"}"#, ""),
        (
            r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#,
            r#"{"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "1"}"#,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#,
            r#"{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}"#,
        ),
        (
            r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#,
            r#"{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}"#,
        ),
        (
            r#"[
                {"jsonrpc": "2.0", "method": "spec.v1.sum", "params": [1,2,4], "id": "1"},
                {"jsonrpc": "2.0", "method"
            ]"#,
            r#"{"jsonrpc": "2.0", "error": {"code": -32700, "message": "Parse error"}, "id": null}"#,
        ),
        (
            "[]",
            r#"{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}"#,
        ),
        (
            "[1]",
            r#"[{"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}]"#,
        ),
        (
            "[1,2,3]",
            r#"[
                {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
                {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
                {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null}
            ]"#,
        ),
        (
            r#"[
                {"jsonrpc": "2.0", "method": "spec.v1.sum", "params": [1,2,4], "id": "1"},
                {"jsonrpc": "2.0", "method": "spec.v1.notify_hello", "params": [7]},
                {"jsonrpc": "2.0", "method": "spec.v1.subtract", "params": [42,23], "id": "2"},
                {"foo": "boo"},
                {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
                {"jsonrpc": "2.0", "method": "spec.v1.get_data", "id": "9"}
            ]"#,
            r#"[
                {"jsonrpc": "2.0", "result": 7, "id": "1"},
                {"jsonrpc": "2.0", "result": 19, "id": "2"},
                {"jsonrpc": "2.0", "error": {"code": -32600, "message": "Invalid Request"}, "id": null},
                {"jsonrpc": "2.0", "error": {"code": -32601, "message": "Method not found"}, "id": "5"},
                {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}
            ]"#,
        ),
        (
            r#"[
                {"jsonrpc": "2.0", "method": "spec.v1.notify_hello", "params": [1,2,4]},
                {"jsonrpc": "2.0", "method": "spec.v1.notify_hello", "params": [7]}
            ]"#,
            "",
        ),
    ];
    for (request, response) in examples {
        socket.send(request).await;
        if response.is_empty() {
            socket.is_silent().await;
            continue;
        }
        let (found, expected) =
            (without_data(socket.read().await), serde_json::from_str(response).unwrap());
        // "The Response objects MAY be returned in any order within the Array."
        assert_eq!(sorted(found), sorted(expected), "{request}");
    }
    assert_eq!(Ticket::named("spec-update").now().begun, 1, "a notification is carried out");
}

fn sorted(mut response: Value) -> Value {
    if let Value::Array(batch) = &mut response {
        batch.sort_by_key(|response| response["id"].to_string());
    }
    response
}

#[tokio::test]
async fn errors_have_their_problem_and_stable_numbers() {
    let gateway = Gateway::start().await;
    let mut socket = Socket::to(&gateway).await;
    for (method, params, number, code) in [
        ("edge.v1.note", json!({"title": "", "stars": 10}), -32602, "invalid-request"),
        ("edge.v1.note", json!([1]), -32602, "invalid-request"),
        ("edge.v1.fails", json!({"name": "busy"}), -32016, "overloaded"),
        ("edge.v1.fails", json!({"name": "stranger"}), -32001, "unauthenticated"),
        ("edge.v1.fails", json!({"name": "own"}), -32000, "sold-out"),
        ("edge.v1.fails", json!({"name": "else"}), -32603, "internal"),
        ("edge.v1.panics", json!({}), -32603, "internal"),
        ("edge.v1.never", json!({}), -32017, "timeout"),
        ("edge.v1.table", json!({}), -32006, "not-acceptable"),
        ("edge.v1.paid", json!({"name": "a"}), -32601, "not-found"),
        ("edge.v2.sum", json!({}), -32601, "not-found"),
    ] {
        socket.call(7, method, params).await;
        let response = socket.read().await;
        let error = &response["error"];
        assert_eq!(
            (&error["code"], &error["data"]["code"]),
            (&json!(number), &json!(code)),
            "{method} {response}"
        );
        assert_eq!((&response["id"], response.get("result")), (&json!(7), None));
        assert!(
            !response.to_string().contains("hunter2")
                && !response.to_string().contains("only the log")
        );
    }
    socket.call(8, "edge.v1.note", json!({"title": "", "stars": 10})).await;
    let data = &socket.read().await["error"]["data"];
    assert_eq!(data["instance"], "/services/edge/v1/note");
    assert_eq!(data["errors"].as_array().unwrap().len(), 2, "{data}");
}

#[tokio::test]
async fn each_call_has_its_own_id_and_the_headers_of_the_handshake() {
    let gateway = Gateway::start().await;
    let mut socket =
        Socket::with(&gateway, &[("x-test", "yes"), ("x-request-id", "handshake")]).await.unwrap();
    let mut ids = Vec::new();
    for id in 0..2 {
        socket.call(id, "edge.v1.seen", json!({})).await;
        let seen = socket.read().await["result"].clone();
        assert_eq!(
            (&seen["origin"], &seen["header"], &seen["peer"]),
            (&json!("ws"), &json!("yes"), &json!("127.0.0.1"))
        );
        ids.push(seen["id"].as_str().unwrap().to_owned());
    }
    assert!(ids[0] != ids[1] && !ids.contains(&"handshake".to_owned()), "{ids:?}");
}

#[tokio::test]
async fn responses_are_sent_when_ready_and_too_many_calls_are_refused() {
    let gateway = gateway(WebSocketSettings { calls: 2, ..WebSocketSettings::default() }).await;
    let mut socket = Socket::to(&gateway).await;
    let (slow, fast) = (Ticket::named("ws-slow"), Ticket::named("ws-fast"));
    socket.call("slow", "edge.v1.wait", json!({"name": "ws-slow"})).await;
    socket.call("fast", "edge.v1.wait", json!({"name": "ws-fast"})).await;
    socket.call("third", "spec.v1.get_data", json!([])).await;
    let refused = socket.read().await;
    assert_eq!(
        (&refused["id"], &refused["error"]["data"]["code"]),
        (&json!("third"), &json!("overloaded"))
    );
    fast.until(|state| state.begun == 1).await;
    fast.release();
    assert_eq!(socket.read().await, json!({"jsonrpc": "2.0", "result": "ws-fast", "id": "fast"}));
    socket.is_silent().await;
    slow.release();
    assert_eq!(socket.read().await["id"], "slow");

    let batch: Vec<_> = (0..3)
        .map(|id| json!({"jsonrpc": "2.0", "method": "spec.v1.get_data", "id": id}))
        .collect();
    socket.send(json!(batch)).await;
    let refused = socket.read().await;
    assert_eq!(
        (&refused["error"]["code"], &refused["id"]),
        (&json!(-32600), &json!(null)),
        "{refused}"
    );
}

#[tokio::test]
async fn streams_send_items_and_then_the_response() {
    let gateway = Gateway::start().await;
    let mut socket = Socket::to(&gateway).await;
    let item = |id: &str, item: i32| {
        json!({
            "jsonrpc": "2.0", "method": "item", "params": {"id": id, "item": item}
        })
    };
    let ticket = Ticket::named("ws-stream");
    socket.call("s", "edge.v1.count", json!({"name": "ws-stream", "count": 2})).await;
    assert_eq!(socket.read().await, item("s", 0));
    socket.is_silent().await;
    ticket.release();
    assert_eq!(socket.read().await, item("s", 1));
    assert_eq!(socket.read().await, json!({"jsonrpc": "2.0", "result": null, "id": "s"}));

    for (name, code) in [("error", "provider-failed"), ("panic", "internal")] {
        socket.call("b", "edge.v1.breaks", json!({"name": name})).await;
        assert_eq!(socket.read().await, item("b", 1));
        assert_eq!(socket.read().await, item("b", 2));
        let end = socket.read().await;
        assert_eq!((&end["id"], &end["error"]["data"]["code"]), (&json!("b"), &json!(code)));
    }

    // Items of a stream do not wait for their batch; a stream without an id could not be told from
    // others.
    let call = |id: Option<&str>| {
        let mut call = json!({
            "jsonrpc": "2.0", "method": "edge.v1.count",
            "params": {"name": "ws-stream", "count": 1}
        });
        if let Some(id) = id {
            call["id"] = json!(id);
        }
        call
    };
    socket.send(json!([call(Some("x")), call(None)])).await;
    assert_eq!(socket.read().await, item("x", 0));
    assert_eq!(socket.read().await, json!([{"jsonrpc": "2.0", "result": null, "id": "x"}]));
    socket.is_silent().await;
}

#[tokio::test]
async fn a_call_or_stream_can_be_cancelled() {
    let gateway = Gateway::start().await;
    let mut socket = Socket::to(&gateway).await;
    let cancel = |id: Value| json!({"jsonrpc": "2.0", "method": "cancel", "params": {"id": id}});
    let (call, stream) = (Ticket::named("ws-cancel-call"), Ticket::named("ws-cancel-stream"));
    socket.call(1, "edge.v1.wait", json!({"name": "ws-cancel-call"})).await;
    socket.call("2", "edge.v1.count", json!({"name": "ws-cancel-stream", "count": 2})).await;
    assert_eq!(socket.read().await["method"], "item");
    call.until(|state| state.begun == 1).await;
    // No call has either id.
    socket.send(cancel(json!("1"))).await;
    socket.send(cancel(json!(2))).await;
    socket.is_silent().await;
    for (id, ticket) in [(json!(1), call), (json!("2"), stream)] {
        socket.send(cancel(id.clone())).await;
        let end = socket.read().await;
        assert_eq!((&end["id"], &end["error"]["code"]), (&id, &json!(-32019)), "{end}");
        assert!(!ticket.until(|state| state.dropped == 1).await.released);
        // The call has ended; a second cancel finds nothing.
        socket.send(cancel(id)).await;
        socket.is_silent().await;
    }
    socket.call("asked", "cancel", json!({"id": "none"})).await;
    assert_eq!(socket.read().await, json!({"jsonrpc": "2.0", "result": null, "id": "asked"}));
    socket.call("asked", "cancel", json!([1])).await;
    assert_eq!(socket.read().await["error"]["code"], -32602);
}

#[tokio::test]
async fn shutdown_closes_before_the_drain_time_is_over() {
    let settings =
        HttpSettings { drain_timeout: Duration::from_secs(2), ..HttpSettings::default() };
    let gateway = Gateway::with(settings, Vec::new()).await;
    let mut socket = Socket::to(&gateway).await;
    socket.call(1, "edge.v1.wait", json!({"name": "ws-goodbye"})).await;
    Ticket::named("ws-goodbye").until(|state| state.begun == 1).await;
    let _server = gateway.stop();
    assert_eq!(socket.closed().await, CloseCode::Away);
    Ticket::named("ws-goodbye").until(|state| state.dropped == 1).await;
}

#[tokio::test]
async fn a_hundred_calls_on_one_connection_are_all_answered() {
    let gateway = gateway(WebSocketSettings { calls: 100, ..WebSocketSettings::default() }).await;
    let mut socket = Socket::to(&gateway).await;
    for id in 0..100 {
        socket.call(id, "spec.v1.sum", json!([id, id])).await;
    }
    let mut sums = BTreeMap::new();
    for _ in 0..100 {
        let response = socket.read().await;
        sums.insert(response["id"].as_i64().unwrap(), response["result"].as_i64().unwrap());
    }
    assert_eq!(sums, (0..100).map(|id| (id, 2 * id)).collect());
}

#[tokio::test]
async fn a_client_that_leaves_cancels_its_calls() {
    let gateway = Gateway::start().await;
    for (name, politely) in [("ws-close", true), ("ws-drop", false)] {
        let ticket = Ticket::named(name);
        let mut socket = Socket::to(&gateway).await;
        socket.call(1, "edge.v1.wait", json!({"name": name})).await;
        ticket.until(|state| state.begun == 1).await;
        if politely {
            socket.0.close(None).await.unwrap();
        }
        drop(socket);
        ticket.until(|state| state.dropped == 1).await;
    }
}

#[tokio::test]
async fn shutdown_lets_calls_finish_and_closes() {
    let gateway = Gateway::start().await;
    let ticket = Ticket::named("ws-shutdown");
    let mut socket = Socket::to(&gateway).await;
    let mut idle = Socket::to(&gateway).await;
    socket.call("last", "edge.v1.wait", json!({"name": "ws-shutdown"})).await;
    ticket.until(|state| state.begun == 1).await;
    let server = gateway.stop();
    assert_eq!(idle.closed().await, CloseCode::Away);
    socket.call("late", "spec.v1.get_data", json!([])).await;
    assert_eq!(socket.read().await["error"]["data"]["code"], "overloaded");
    ticket.release();
    assert_eq!(socket.read().await["id"], "last");
    assert_eq!(socket.closed().await, CloseCode::Away);
    assert_eq!(
        timeout(Duration::from_secs(10), server).await.unwrap().unwrap(),
        DrainOutcome::Drained
    );
}

#[tokio::test]
async fn unreadable_message_closes_with_its_reason() {
    let gateway =
        gateway(WebSocketSettings { message_bytes: 1000, ..WebSocketSettings::default() }).await;
    let mut socket = Socket::to(&gateway).await;
    socket.send(json!([" ".repeat(900)])).await;
    assert!(socket.read().await.is_array());
    socket.send(" ".repeat(1001)).await;
    assert_eq!(socket.closed().await, CloseCode::Size);

    let mut socket = Socket::to(&gateway).await;
    socket.0.send(Message::binary("{}".as_bytes())).await.unwrap();
    assert_eq!(socket.closed().await, CloseCode::Unsupported);

    // A text frame, masked with zeros: one byte that is no UTF-8; then an unmasked frame.
    for (frame, code) in [
        (b"\x81\x81\0\0\0\0\xff".as_slice(), CloseCode::Invalid),
        (b"\x81\x01x", CloseCode::Protocol),
    ] {
        let mut socket = Socket::to(&gateway).await;
        tokio::io::AsyncWriteExt::write_all(socket.0.get_mut(), frame).await.unwrap();
        assert_eq!(socket.closed().await, code);
    }
}

#[tokio::test]
async fn pings_are_answered_and_a_silent_client_is_closed() {
    let settings = WebSocketSettings {
        ping_interval: Duration::from_millis(20),
        idle_timeout: Duration::from_millis(200),
        ..WebSocketSettings::default()
    };
    let gateway = gateway(settings).await;
    let mut socket = Socket::to(&gateway).await;
    socket.0.send(Message::Ping("a".into())).await.unwrap();
    let mut pings = 0;
    // Reading answers the pings; ten of them take the idle time, and the connection stays open.
    while pings < 15 {
        match timeout(Duration::from_secs(10), socket.0.next()).await.unwrap().unwrap().unwrap() {
            Message::Ping(_) => pings += 1,
            Message::Pong(payload) => assert_eq!(payload, "a"),
            other => panic!("{other:?}"),
        }
    }
    socket.is_silent().await;
    // Below the library, pings are not answered: the end is a close frame of two bytes and a
    // reason.
    let mut bytes = Vec::new();
    let end = tokio::io::AsyncReadExt::read_to_end(socket.0.get_mut(), &mut bytes);
    timeout(Duration::from_secs(10), end)
        .await
        .expect("the server gives up a silent client")
        .unwrap();
    let policy = u16::from(CloseCode::Policy).to_be_bytes();
    assert!(bytes.windows(4).any(|frame| frame[0] == 0x88 && frame[2..] == policy), "{bytes:?}");
}

#[tokio::test]
async fn only_own_and_named_origins_may_connect() {
    let named = WebSocketSettings {
        origins: vec!["https://app.example.com".into()],
        ..WebSocketSettings::default()
    };
    let gateway = gateway(named).await;
    let own = format!("http://{}", gateway.address);
    for good in [own.as_str(), "https://app.example.com"] {
        assert!(Socket::with(&gateway, &[("origin", good)]).await.is_ok(), "{good}");
    }
    for bad in ["https://evil.example", "null", "http://127.0.0.1"] {
        let Err(Error::Http(response)) = Socket::with(&gateway, &[("origin", bad)]).await else {
            panic!("{bad} is in")
        };
        assert_eq!(response.status(), 403, "{bad}");
    }
}

#[tokio::test]
async fn invalid_handshake_is_answered_with_the_required_fields() {
    let gateway = Gateway::start().await;
    let plain = gateway.get("/services/_ws").await;
    assert_eq!(
        (plain.code().as_str(), plain.header("upgrade")),
        ("upgrade-required", Some("websocket"))
    );
    let upgrade =
        "GET /services/_ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n";
    for rest in [
        "Sec-WebSocket-Version: 13\r\n\r\n",
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n",
        "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    ] {
        let mut wire = Wire::to(gateway.address).await;
        wire.send(&format!("{upgrade}{rest}")).await;
        let answer = wire.answer(false).await;
        assert_eq!(answer.header("sec-websocket-version"), Some("13"), "{rest}");
        assert_eq!(answer.code(), "invalid-request", "{rest}");
    }
    let mut wire = Wire::to(gateway.address).await;
    let good = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    wire.send(&format!("{upgrade}{good}")).await;
    let head = wire.read_until("\r\n\r\n").await.unwrap().to_lowercase();
    // The key and its response are those of RFC 6455 §1.3.
    assert!(
        head.starts_with("http/1.1 101")
            && head.contains("sec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo="),
        "{head}"
    );
    assert!(head.contains("x-request-id: "), "{head}");
}
