//! Ids of JSON-RPC requests, byte for byte, and the memory that calls in flight of one connection
//! may hold.

use gateway_runtime::http::WebSocketSettings;
use serde_json::json;

use super::{
    gateway::Gateway,
    services::Ticket,
    websockets::{Socket, gateway},
};

/// Ids that collide as 64-bit integers or floats, and strings that differ by their escapes only.
const IDS: [&str; 16] = [
    "18446744073709551616",
    "18446744073709551617",
    "-9223372036854775809",
    "9007199254740993.0",
    "9007199254740993.5",
    "0.10000000000000000555",
    "1e400",
    "-0",
    "0",
    "1",
    "1.0",
    "1e0",
    "\"1\"",
    "\"\\u0031\"",
    "\"\\ud800\"",
    "\"\u{e4}\\n\"",
];

impl Socket {
    /// Returns the next message, as text.
    async fn text(&mut self) -> String {
        self.next().await.into_text().unwrap().to_string()
    }
}

#[tokio::test]
async fn ids_are_returned_byte_for_byte() {
    let gateway = Gateway::start().await;
    let mut socket = Socket::to(&gateway).await;
    for id in IDS {
        socket
            .send(format!(r#"{{"jsonrpc":"2.0","method":"spec.v1.get_data","id": {id} }}"#))
            .await;
        assert_eq!(
            socket.text().await,
            format!(r#"{{"jsonrpc":"2.0","result":["hello",5],"id":{id}}}"#)
        );
        // Also in refusals, batches and items of streams.
        socket.send(format!(r#"[{{"jsonrpc":"2.0","method":"none","id":{id}}}]"#)).await;
        let refused = socket.text().await;
        assert!(
            refused.starts_with('[') && refused.ends_with(&format!(r#","id":{id}}}]"#)),
            "{refused}"
        );
        let params = r#"{"name":"ids","count":1}"#;
        socket
            .send(format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"edge.v1.count","params":{params}}}"#
            ))
            .await;
        let item =
            format!(r#"{{"jsonrpc":"2.0","method":"item","params":{{"id":{id},"item":0}}}}"#);
        assert_eq!(socket.text().await, item);
        assert_eq!(socket.text().await, format!(r#"{{"jsonrpc":"2.0","result":null,"id":{id}}}"#));
    }
    let longest = "x".repeat(1022);
    socket.call(longest.clone(), "spec.v1.get_data", json!([])).await;
    assert_eq!(socket.read().await["id"], longest);
    socket.call(format!("{longest}x"), "spec.v1.get_data", json!([])).await;
    let refused = socket.read().await;
    assert_eq!((&refused["error"]["code"], &refused["id"]), (&json!(-32600), &json!(null)));
}

#[tokio::test]
async fn a_cancel_ends_the_call_of_that_very_id() {
    let gateway = Gateway::start().await;
    let mut socket = Socket::to(&gateway).await;
    let ticket = |place: usize| Ticket::named(&format!("ids-cancel-{place}"));
    for (place, id) in IDS.iter().enumerate() {
        let params = format!(r#"{{"name":"ids-cancel-{place}"}}"#);
        socket
            .send(format!(
                r#"{{"jsonrpc":"2.0","id":{id},"method":"edge.v1.wait","params":{params}}}"#
            ))
            .await;
        ticket(place).until(|state| state.begun == 1).await;
    }
    for (place, id) in IDS.iter().enumerate() {
        socket
            .send(format!(r#"{{"jsonrpc":"2.0","method":"cancel","params":{{"id":{id}}}}}"#))
            .await;
        let cancelled = socket.text().await;
        assert!(
            cancelled.contains("-32019") && cancelled.ends_with(&format!(r#","id":{id}}}"#)),
            "{id}: {cancelled}"
        );
        ticket(place).until(|state| state.dropped == 1).await;
        socket.is_silent().await;
        for (other, other_id) in IDS.iter().enumerate().skip(place + 1) {
            assert_eq!(ticket(other).now().dropped, 0, "{id} has ended {other_id}");
        }
    }
}

#[tokio::test]
async fn integers_beyond_64_bits_reach_the_schema_unchanged() {
    let gateway = Gateway::start().await;
    let mut socket = Socket::to(&gateway).await;
    socket
        .send(r#"{"jsonrpc":"2.0","method":"spec.v1.sum","params":[18446744073709551616],"id":1}"#)
        .await;
    let refused = socket.read().await;
    assert_eq!(refused["error"]["data"]["errors"][0]["pointer"], "/0", "{refused}");
    // A document that is too deep is invalid JSON over HTTP as well.
    let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
    socket
        .send(format!(r#"{{"jsonrpc":"2.0","method":"spec.v1.sum","params":{deep},"id":1}}"#))
        .await;
    assert_eq!(socket.read().await["error"]["code"], -32602);
}

#[tokio::test]
async fn inputs_in_flight_are_limited_by_their_sum() {
    let settings = WebSocketSettings {
        message_bytes: 1000,
        input_bytes: 2500,
        ..WebSocketSettings::default()
    };
    let gateway = gateway(settings).await;
    let mut socket = Socket::to(&gateway).await;
    let ticket = Ticket::named("ids-inputs");
    let long = |bytes: usize| json!({ "name": "ids-inputs", "more": "x".repeat(bytes - 31) });
    for id in 0..3 {
        assert_eq!(long(800).to_string().len(), 800);
        socket.call(id, "edge.v1.wait", long(800)).await;
    }
    ticket.until(|state| state.begun == 3).await;
    socket.call("more", "edge.v1.wait", long(200)).await;
    assert_eq!(socket.read().await["error"]["data"]["code"], "overloaded");
    // Calls with little input still run, and a cancel releases memory.
    socket.is_silent().await;
    socket.send(json!({ "jsonrpc": "2.0", "method": "cancel", "params": { "id": 1 } })).await;
    assert_eq!(socket.read().await["id"], 1);
    socket.call("more", "edge.v1.wait", long(200)).await;
    ticket.until(|state| state.begun == 4).await;
    ticket.release();
    for _ in 0..3 {
        assert_eq!(socket.read().await["result"], "ids-inputs");
    }
}

#[tokio::test]
async fn calls_keep_their_slots_until_their_batch_is_answered() {
    let gateway = gateway(WebSocketSettings { calls: 4, ..WebSocketSettings::default() }).await;
    let mut socket = Socket::to(&gateway).await;
    let ticket = Ticket::named("ids-batch");
    let wait = json!({
        "jsonrpc": "2.0", "id": 0, "method": "edge.v1.wait", "params": { "name": "ids-batch" }
    });
    let quick = |id| json!({"jsonrpc": "2.0", "id": id, "method": "spec.v1.get_data"});
    // Two of these complete at once, and their responses wait for the first.
    socket.send(json!([wait, quick(1), quick(2)])).await;
    ticket.until(|state| state.begun == 1).await;
    socket.is_silent().await;
    socket.send(json!([quick(3), quick(4)])).await;
    let answers = socket.read().await;
    let refused = answers
        .as_array()
        .unwrap()
        .iter()
        .filter(|answer| answer["error"]["data"]["code"] == "overloaded");
    assert_eq!(refused.count(), 1, "{answers}");
    ticket.release();
    assert_eq!(socket.read().await.as_array().unwrap().len(), 3);
    socket.is_silent().await;
}
