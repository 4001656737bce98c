//! The cost of the hot path; run with `cargo test --release -p gateway-runtime speed -- --ignored --nocapture`.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::schema;
use crate::schema::decode;

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code, reason = "only decoded")]
struct Send {
    #[schemars(length(min = 1, max = 50), inner(length(min = 3, max = 254)), inner(regex(pattern = "@")))]
    to: Vec<String>,
    #[schemars(length(min = 1, max = 200))]
    subject: String,
    #[schemars(length(max = 65_536))]
    body: String,
}

#[derive(JsonSchema, Deserialize)]
#[expect(dead_code, reason = "only decoded")]
struct Rates {
    base: String,
    symbols: Vec<String>,
    amount: Option<f64>,
    page: Option<u32>,
}

/// The best of many short rounds: some of them are not interrupted, even on a busy machine.
fn time<R>(what: &str, mut run: impl FnMut() -> R) {
    let best = (0..3_000).map(|_| {
        let started = Instant::now();
        for _ in 0..100 {
            black_box(run());
        }
        started.elapsed() / 100
    });
    println!("{what:24} {:?}", best.min().unwrap_or(Duration::ZERO));
}

#[test]
#[ignore = "a measurement"]
fn speed() {
    let to: Vec<String> = (0..5).map(|n| format!("user{n}@example.org")).collect();
    let text = "Lorem ipsum dolor sit amet, \"quoted\" and\nnew lines. ".repeat(30);
    let body = json!({"to": to, "subject": "Quarterly report is ready", "body": text[..1024]}).to_string();
    let body = body.as_bytes();
    let schema_of_send = schema::<Send>();
    let value: Value = serde_json::from_slice(body).unwrap();
    println!("{} bytes", body.len());
    time("typed, unchecked", || serde_json::from_slice::<Send>(body).unwrap());
    time("to a value", || serde_json::from_slice::<Value>(body).unwrap());
    time("check", || schema_of_send.check(&value));
    time("decode", || decode::<Send>(&value).unwrap());
    time("parse_json + decode", || decode::<Send>(&schema_of_send.parse_json(body).unwrap()).unwrap());
    let schema_of_rates = schema::<Rates>();
    let query = "base=EUR&symbols=USD&symbols=JPY&amount=12.5&page=2";
    time("parse_query + decode", || decode::<Rates>(&schema_of_rates.parse_query(query).unwrap()).unwrap());
    time("InputSchema::of", schema::<Send>);
}
