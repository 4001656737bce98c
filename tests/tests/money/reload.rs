//! A thousand changes of prices, limits and switches under load: no call fails, and none sees half
//! a change.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::join_all;
use gateway_runtime::{
    Currency, RunningGateway,
    prelude::*,
    store::{ChangeKind, Command, OperatorChange, Store},
};
use serde_json::json;
use tokio::time::Instant;

use super::kiosk::{Customer, PRICE, fund, settings_with};
use crate::database::{Database, each_database};

const CHANGES: i64 = 1000;
const CALLERS: usize = 8;

/// Returns the change with this number: prices, limits and a provider's switches in turn, each with
/// the number in all of its values.
fn change(number: i64) -> OperatorChange {
    let (kind, subject, document) = match number % 3 {
        0 => {
            let price = Money::from_nanos(number, Currency::from_code("USD").unwrap());
            let listed = |method| {
                json!({
                    "service": "kiosk", "version": 1, "method": method, "price": price
                })
            };
            let list = json!({
                "effective_at": "2020-01-01T00:00:00Z", "prices": [listed("read"), listed("buy")]
            });
            (ChangeKind::Prices, "", list)
        }
        1 => {
            let rate = format!("{}/s", 1_000_000 + number);
            (ChangeKind::Limits, "", json!({ "total": rate, "services": { "kiosk": rate } }))
        }
        _ => {
            (ChangeKind::Provider, "smtp", json!({ "enabled": number % 2 == 0, "weight": number }))
        }
    };
    OperatorChange {
        at: number,
        who: "a test".into(),
        kind,
        subject: subject.into(),
        document: document.to_string(),
    }
}

async fn start(database: &Database) -> RunningGateway {
    Gateway::from_toml(&settings_with(database, "")).unwrap().start().await.unwrap()
}

/// Calls until `stop`; asserts that prices and limits only ever grow, and come from one change.
async fn watch(gateway: &RunningGateway, stop: &AtomicBool) -> usize {
    let customer = Customer::of(&gateway.url());
    let (mut price, mut limit, mut calls) = (0, 0, 0);
    while !stop.load(Ordering::Relaxed) {
        for answer in
            [customer.get("read").await.unwrap(), customer.buy("bread", "well", &[]).await.unwrap()]
        {
            assert_eq!(answer.status, 200, "{answer:?}");
            let money: Money = format!("{} USD", answer.price.as_deref().unwrap()).parse().unwrap();
            // Prices of attributes, before the first change.
            if money.nanos() < PRICE / 2 {
                assert!(money.nanos() % 3 == 0 && money.nanos() >= price, "{money} after {price}");
                price = money.nanos();
            }
            if let Some(policy) = &answer.policy {
                let rates: Vec<i64> = policy.split(", ").map(rate).collect();
                assert!(rates.iter().all(|rate| *rate == rates[0]) && rates.len() == 2, "{policy}");
                assert!(rates[0] >= limit, "{policy} after {limit}");
                limit = rates[0];
            }
            calls += 1;
        }
    }
    calls
}

/// Returns the number of calls in `"total";q=100;w=1`.
fn rate(policy: &str) -> i64 {
    policy.split(';').find_map(|part| part.strip_prefix("q=")).unwrap().parse().unwrap()
}

async fn holds(gateway: &RunningGateway, version: i64) {
    let end = Instant::now() + Duration::from_secs(2);
    while gateway.control().unwrap().current().version < version {
        assert!(Instant::now() < end, "not in two seconds");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

async fn make(books: &Store, gateway: &RunningGateway) {
    for number in 1..=CHANGES {
        books.commit(&[Command::OperatorChange(change(number))]).await.unwrap();
        gateway.control().unwrap().refresh().await.unwrap();
    }
}

each_database! {
    async fn a_thousand_changes_under_load_fail_no_call(database: Database) {
        let books = database.books().await;
        fund(&books, i64::MAX / 2).await;
        let (gateway, replica) = (start(&database).await, start(&database).await);
        let stop = Arc::new(AtomicBool::new(false));
        let callers = join_all(
            (0..CALLERS)
                .map(|caller| watch(if caller % 2 == 0 { &gateway } else { &replica }, &stop)),
        );
        let changing = async {
            make(&books, &gateway).await;
            // The replica has read the changes by itself.
            holds(&replica, books.version().await.unwrap()).await;
            stop.store(true, Ordering::Relaxed);
        };
        let (calls, ()) = tokio::join!(callers, changing);
        println!("{CHANGES} changes, {} calls", calls.iter().sum::<usize>());
        for gateway in [&gateway, &replica] {
            let smtp = gateway
                .registry()
                .providers()
                .iter()
                .find(|provider| provider.spec().name == "smtp")
                .unwrap();
            let (last, settings) = (CHANGES - 2, smtp.settings());
            assert_eq!((settings.enabled, i64::from(settings.weight)), (last % 2 == 0, last));
            let customer = Customer::of(&gateway.url());
            let answer = customer.get("read").await.unwrap();
            assert_eq!(answer.price.as_deref(), Some("0.000000999"));
        }
    }
}
