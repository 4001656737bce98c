//! Streamed replies in the request log: their cost and their end, whichever side ends them.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use gateway_runtime::{prelude::*, provider::HttpClientSettings};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::Instant};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest},
};

use super::house::{House, TOKEN};
use crate::database::{Database, each_database};

async fn open(database: Database) -> House {
    let settings = format!(
        "[admin]\nlisten = '127.0.0.1:0'\ntoken = '{TOKEN}'\n\
         [providers]\nbooth_clock.order = 1\nbooth_spare_clock.order = 2\n"
    );
    House::with(database, &settings).await
}

/// Reads a stream until it has sent `items` items, or to its end, and disconnects.
async fn read(house: &House, key: &str, call: &str, accept: &str, items: usize) {
    let http = HttpClient::new(&HttpClientSettings::default()).unwrap();
    let url = format!("{}/services/booth/v1/{call}", house.gateway.url());
    let response =
        http.get(url).header("x-api-key", key).header("accept", accept).send_any().await.unwrap();
    assert_eq!(response.status(), 200);
    let (mut chunks, mut text) = (Box::pin(response.chunks()), String::new());
    while text.matches('\n').count() < items
        && let Some(Ok(chunk)) = chunks.next().await
    {
        text.push_str(std::str::from_utf8(&chunk).unwrap());
    }
}

/// Calls over a WebSocket; an endless stream is cancelled after its first item.
async fn call(house: &House, key: &str, how: &str) {
    let mut request =
        format!("ws://{}/services/_ws", house.gateway.address()).into_client_request().unwrap();
    request.headers_mut().insert("x-api-key", key.parse().unwrap());
    let stream = TcpStream::connect(house.gateway.address()).await.unwrap();
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    let call =
        json!({ "jsonrpc": "2.0", "id": 1, "method": "booth.v1.ticks", "params": { "how": how } });
    socket.send(Message::text(call.to_string())).await.unwrap();
    let cancel = json!({ "jsonrpc": "2.0", "method": "cancel", "params": { "id": 1 } });
    let mut is_cancelled = false;
    loop {
        let message = socket.next().await.unwrap().unwrap();
        let Ok(message) = serde_json::from_str::<Value>(message.to_text().unwrap()) else {
            continue;
        };
        if message.get("result").is_some() || message.get("error").is_some() {
            return;
        }
        if how == "endless" && !std::mem::replace(&mut is_cancelled, true) {
            socket.send(Message::text(cancel.to_string())).await.unwrap();
        }
    }
}

/// Returns the rows of a method, oldest first, as soon as there are `count` of them and `is_so`
/// holds.
async fn rows(
    house: &House,
    method: &str,
    count: usize,
    is_so: impl Fn(&[Value]) -> bool,
) -> Vec<Value> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let page =
            house.admin(&format!("GET /admin/requests?method={method}"), None).await.when(200);
        let mut rows = page["items"].as_array().unwrap().clone();
        rows.reverse();
        if rows.len() == count && is_so(&rows) {
            return rows;
        }
        assert!(Instant::now() < end, "{page}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn have_ended(rows: &[Value]) -> bool {
    rows.iter().all(|row| row["code"] != "streaming")
}

async fn attempts(house: &House, row: &Value) -> Vec<(String, String)> {
    let whole = house
        .admin(&format!("GET /admin/requests/{}", row["id"].as_str().unwrap()), None)
        .await
        .when(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    whole["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (text(&it["provider"]), text(&it["class"])))
        .collect()
}

const EVENTS: &str = "text/event-stream";
const LINES: &str = "application/x-ndjson";

each_database! {
    async fn row_of_a_stream_is_completed_when_it_ends(database: Database) {
        let house = open(database).await;
        let key = house.customer("acme", "1").await;
        let (first, spare) = ("booth_clock", "booth_spare_clock");
        let mut expected = Vec::new();
        for method in ["ticks", "free_ticks"] {
            expected.clear();
            for (how, accept, items, code, provider, cost, tries) in [
                ("well", EVENTS, 99, None, first, "0.001", vec![(first, "fulfilled")]),
                ("well", LINES, 99, None, first, "0.001", vec![(first, "fulfilled")]),
                (
                    "failover",
                    EVENTS,
                    99,
                    None,
                    spare,
                    "0.002",
                    vec![(first, "not-sent"), (spare, "fulfilled")],
                ),
                (
                    "cut",
                    LINES,
                    99,
                    Some("provider-failed"),
                    first,
                    "0.001",
                    vec![(first, "ambiguous")],
                ),
                (
                    "endless",
                    EVENTS,
                    1,
                    Some("cancelled"),
                    first,
                    "0.001",
                    vec![(first, "cancelled")],
                ),
                (
                    "endless",
                    LINES,
                    1,
                    Some("cancelled"),
                    first,
                    "0.001",
                    vec![(first, "cancelled")],
                ),
            ] {
                read(&house, &key, &format!("{method}?how={how}"), accept, items).await;
                expected.push((how, code, provider, cost, tries));
                // Keeps the rows in this order.
                rows(&house, method, expected.len(), have_ended).await;
            }
            let price = if method == "ticks" { json!("0.01") } else { Value::Null };
            let rows = rows(&house, method, expected.len(), have_ended).await;
            for (row, (how, code, provider, cost, tries)) in rows.iter().zip(&expected) {
                let status = if *code == Some("cancelled") { 499 } else { 200 };
                let told = [
                    ("status", json!(status)),
                    ("code", json!(code)),
                    ("fulfilled", json!(code.is_none())),
                    ("provider", json!(provider)),
                    ("cost", json!(cost)),
                    ("price", price.clone()),
                ];
                for (name, value) in told {
                    assert_eq!(row[name], value, "{method} {how}: {name}: {row}");
                }
                let tries: Vec<_> =
                    tries.iter().map(|(who, class)| (who.to_string(), class.to_string())).collect();
                assert_eq!(attempts(&house, row).await, tries, "{method} {how}");
            }
        }
        let margin = house.admin("GET /admin/margin?by=method", None).await.when(200);
        let told = |method: &str| {
            let of = |it: &&Value| it["method"] == method;
            let row = margin["items"].as_array().unwrap().iter().find(of).unwrap().clone();
            ["price", "cost", "paid", "cost_unknown"].map(|name| row[name].clone())
        };
        assert_eq!(told("ticks"), [json!("0.06"), json!("0.007"), json!(6), json!(0)]);
        assert_eq!(told("free_ticks"), [json!("0"), json!("0.007"), json!(0), json!(0)]);
        assert_eq!(house.settled("acme").await["balances"][0]["available"], "0.94");
    }

    async fn row_of_a_websocket_stream_is_completed(database: Database) {
        let house = open(database).await;
        let key = house.customer("acme", "1").await;
        for (place, (how, code)) in
            [("well", None), ("cut", Some("provider-failed")), ("endless", Some("cancelled"))]
                .into_iter()
                .enumerate()
        {
            call(&house, &key, how).await;
            let rows = rows(&house, "ticks", place + 1, have_ended).await;
            let row = rows.last().unwrap();
            assert_eq!(
                (row["code"].as_str(), row["fulfilled"] == true),
                (code, code.is_none()),
                "{row}"
            );
            assert_eq!(
                (&row["provider"], &row["cost"], &row["origin"]),
                (&json!("booth_clock"), &json!("0.001"), &json!("ws"))
            );
        }
    }

    async fn running_stream_is_charged_and_its_row_says_streaming(database: Database) {
        let house = open(database).await;
        let key = house.customer("acme", "1").await;
        let http = HttpClient::new(&HttpClientSettings::default()).unwrap();
        let url = format!("{}/services/booth/v1/ticks?how=endless", house.gateway.url());
        let response = http.get(url).header("x-api-key", &*key).send_any().await.unwrap();
        let mut chunks = Box::pin(response.chunks());
        chunks.next().await.unwrap().unwrap();
        // A crash would leave the rows in this state.
        let going = rows(&house, "ticks", 1, |_| true).await;
        let told =
            ["code", "fulfilled", "price", "provider", "cost"].map(|name| going[0][name].clone());
        assert_eq!(
            told,
            [json!("streaming"), json!(false), json!("0.01"), json!("booth_clock"), Value::Null]
        );
        assert_eq!(house.settled("acme").await["balances"][0]["available"], "0.99");
        drop(chunks);
        let ended = rows(&house, "ticks", 1, have_ended).await;
        assert_eq!((&ended[0]["id"], &ended[0]["code"]), (&going[0]["id"], &json!("cancelled")));
        let page = house.admin("GET /admin/requests?code=streaming", None).await.when(200);
        assert_eq!(page["items"], json!([]));
    }
}
