//! Calls that are interrupted by the end of their gateway: the settlement finds the caller, the
//! method, and the provider of the last attempt.

use std::time::Duration;

use gateway_runtime::{prelude::*, provider::HttpClientSettings};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    charges::eventually,
    crash::{Process, SETTINGS},
    kiosk::{ACCOUNT, Customer, EFFECTS, PRICE, balance, fund, settings_with},
};
use crate::database::{Database, each_database};

/// Requests from the admin listener until `is_so` holds for the response.
async fn ask(url: &str, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
    let http = HttpClient::new(&HttpClientSettings::default()).unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let text = http.get(format!("{url}{path}")).send_any().await.unwrap().text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        if is_so(&answer) {
            return answer;
        }
        assert!(Instant::now() < end, "{path}: {answer}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

each_database! {
    async fn a_call_cut_off_by_a_crash_has_a_row(database: Database) {
        let folder = database.folder();
        let more = "http.request_timeout = '2s'\nbilling.grace = '300ms'\n\
            providers.kiosk_courier.order = 1\nproviders.kiosk_spare_courier.order = 2";
        std::fs::write(folder.join(SETTINGS), settings_with(&database, more)).unwrap();
        let books = database.books().await;
        fund(&books, 10 * PRICE).await;
        let mut killed = Vec::new();
        // The second call is rejected by the first provider, and interrupted at the next.
        for name in ["near", "far"] {
            let gateway = Process::start(folder);
            let customer = Customer::of(&gateway.url);
            let body = json!({ "name": name, "how": "lasting" });
            let headers = [
                ("x-request-id", name),
                ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            ];
            let calling = customer.post("order", &body, &headers);
            let killing = async {
                // An attempt is recorded before it is sent.
                let asked = || {
                    std::fs::read_to_string(folder.join(EFFECTS))
                        .unwrap_or_default()
                        .lines()
                        .count()
                };
                let end = Instant::now() + Duration::from_secs(20);
                while asked() == killed.len() {
                    assert!(Instant::now() < end, "nobody was asked");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
                drop(gateway);
            };
            assert!(tokio::join!(calling, killing).0.is_none());
            killed.push(name);
        }

        let settings = settings_with(&database, &format!("admin.listen = '127.0.0.1:0'\n{more}"));
        let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
        let url = format!("http://{}", gateway.admin_address().unwrap());
        let held = ask(&url, "/admin/holds?unknown=true", |answer| {
            answer["items"].as_array().unwrap().len() == 2
        })
        .await;
        let couriers = ["kiosk_courier", "kiosk_spare_courier"];
        for ((hold, name), courier) in
            held["items"].as_array().unwrap().iter().rev().zip(killed).zip(couriers)
        {
            let told =
                ["account", "request_id", "origin", "service", "version", "method", "provider"]
                    .map(|it| hold[it].clone());
            let expected = json!([ACCOUNT, name, "http", "kiosk", 1, "order", courier]);
            assert_eq!(json!(told), expected, "{hold}");
            let call = hold["call"].as_str().unwrap();
            for id in [call, name] {
                let row = ask(&url, &format!("/admin/requests/{id}"), |_| true).await;
                let told = [
                    "id",
                    "account",
                    "request_id",
                    "method",
                    "provider",
                    "code",
                    "fulfilled",
                    "price",
                    "trace",
                ];
                let expected = json!([
                    call,
                    ACCOUNT,
                    name,
                    "order",
                    courier,
                    "interrupted",
                    false,
                    null,
                    "4bf92f3577b34da6a3ce929d0e0e4736"
                ]);
                assert_eq!(json!(told.map(|it| row[it].clone())), expected, "{row}");
            }
        }
        let http = HttpClient::new(&HttpClientSettings::default()).unwrap();
        for (hold, decision) in held["items"]
            .as_array()
            .unwrap()
            .iter()
            .zip([json!({ "charge": "0.0004" }), json!({ "release": true })])
        {
            let call = hold["call"].as_str().unwrap();
            let settle = http
                .post(format!("{url}/admin/holds/{call}/settle"))
                .json(&decision)
                .send_any()
                .await
                .unwrap();
            assert_eq!(settle.status(), 201);
            let row = ask(&url, &format!("/admin/requests/{call}"), |_| true).await;
            let price = decision.get("charge").map_or("0", |charge| charge.as_str().unwrap());
            assert_eq!((&row["price"], &row["code"]), (&json!(price), &json!("interrupted")));
        }
        eventually(&books, (10 * PRICE - 400_000, 0)).await;
        let margin = ask(&url, "/admin/margin", |_| true).await;
        assert_eq!(margin["items"][0]["price"], "0.0004", "{margin}");
        gateway.stop().await.unwrap();
    }

    async fn interrupted_read_is_released_and_has_a_row(database: Database) {
        let folder = database.folder();
        let settings =
            settings_with(&database, "http.request_timeout = '1s'\nbilling.grace = '300ms'");
        std::fs::write(folder.join(SETTINGS), &settings).unwrap();
        let books = database.books().await;
        fund(&books, PRICE).await;
        let gateway = Process::start(folder);
        let customer = Customer::of(&gateway.url);
        let killing = async {
            let end = Instant::now() + Duration::from_secs(20);
            while balance(&books).await.1 == 0 {
                assert!(Instant::now() < end, "no money is set aside");
            }
            drop(gateway);
        };
        assert!(tokio::join!(customer.get("dawdle"), killing).0.is_none());
        let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
        eventually(&books, (PRICE, 0)).await;
        let rows = books.recent_requests(10).await.unwrap();
        let told: Vec<_> =
            rows.iter().map(|row| (&*row.method, row.code.as_deref(), row.price)).collect();
        assert_eq!(told, [("dawdle", Some("interrupted"), Some(0))]);
        gateway.stop().await.unwrap();
    }
}
