//! Limits on stored replies of anonymous callers.

use gateway_runtime::{RunningGateway, prelude::*};
use serde_json::json;

use super::kiosk::{Customer, settings_with};
use crate::database::{Database, each_database};

each_database! {
    async fn keys_of_anonymous_callers_stay_within_the_budget(database: Database) {
        let settings = settings_with(&database, "idempotency.anonymous_bytes = 2000");
        let body = json!({ "pages": 1 });
        let mut kept = Vec::new();
        // A restarted gateway counts the existing keys.
        for _ in 0..2 {
            let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
            let (books, customer) = (database.books().await, Customer::of(&gateway.url()));
            let refused = loop {
                let key = format!("stranger-{}", kept.len());
                let answer =
                    customer.post_as_a_stranger("copy", &body, &[("idempotency-key", &key)]).await;
                if answer.status != 204 {
                    break answer;
                }
                kept.push(key);
                assert!(kept.len() < 10, "there is no end to it");
            };
            assert_eq!(
                (refused.status, &*refused.code, refused.retryable),
                (503, "overloaded", true)
            );
            assert!((2000..2400).contains(&books.anonymous_bytes().await.unwrap()));
            // Stored replies are replayed, and other callers are not affected.
            for key in &kept {
                let again =
                    customer.post_as_a_stranger("copy", &body, &[("idempotency-key", key)]).await;
                assert_eq!((again.status, again.replayed), (204, true));
            }
            assert_eq!(customer.post_as_a_stranger("copy", &body, &[]).await.status, 204);
            for key in ["known", "stranger-0"] {
                let known =
                    customer.post("copy", &body, &[("idempotency-key", key)]).await.unwrap();
                assert_eq!(known.status, 204);
            }
            gateway.stop().await.unwrap();
        }
        assert_eq!(kept.len(), 7);
    }

    async fn expired_keys_are_deleted_however_many(database: Database) {
        let settings =
            settings_with(&database, "billing.grace = '200ms'\nidempotency.retention = '100ms'");
        let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
        let (books, customer) = (database.books().await, Customer::of(&gateway.url()));
        let (many, body) = (600, json!({ "pages": 1 }));
        let calls = (0..many).map(|number| {
            let (customer, body) = (customer.clone(), body.clone());
            async move {
                let key = number.to_string();
                customer
                    .post_as_a_stranger("copy", &body, &[("idempotency-key", &key)])
                    .await
                    .status
            }
        });
        assert!(
            futures_util::future::join_all(calls).await.into_iter().all(|status| status == 204)
        );
        let end = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
        while books.anonymous_bytes().await.unwrap() > 0 {
            assert!(tokio::time::Instant::now() < end, "they are still there");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        gateway.stop().await.unwrap();
    }
}

/// Each gateway counts the keys that it has written, and those of others at its next reading of the
/// database.
#[tokio::test]
async fn keys_of_anonymous_callers_stay_within_the_budget_of_each_gateway() {
    const BUDGET: u64 = 2000;
    /// The size of a key without a body in its reply: the last one that fits may exceed the budget
    /// by it.
    const KEY: u64 = 400;
    let Some(database) = Database::postgres().await else { return };
    // No gateway reads the database again during this test, after its first reading.
    let settings = settings_with(
        &database,
        &format!("idempotency.anonymous_bytes = {BUDGET}\nbilling.grace = '1h'"),
    );
    let start = async || Gateway::from_toml(&settings).unwrap().start().await.unwrap();
    let (books, gateways) = (database.books().await, [start().await, start().await]);
    let fill = async |gateway: &RunningGateway| {
        let customer = Customer::of(&gateway.url());
        let mut kept = 0;
        loop {
            let key = format!("{}-{kept}", gateway.url());
            let body = json!({ "pages": 1 });
            let answer =
                customer.post_as_a_stranger("copy", &body, &[("idempotency-key", &key)]).await;
            if answer.status != 204 {
                assert_eq!((answer.status, &*answer.code), (503, "overloaded"));
                break kept;
            }
            kept += 1;
            assert!(kept < 10, "there is no end to it");
        }
    };
    let [first, second] = &gateways;
    let kept = tokio::join!(fill(first), fill(second));
    // Seven keys are a budget. The first reading of a gateway, soon after its start, may find keys
    // of the other.
    assert!(kept.0.max(kept.1) == 7, "{kept:?}");
    let bytes = books.anonymous_bytes().await.unwrap();
    assert!((BUDGET..=2 * (BUDGET + KEY)).contains(&bytes), "{bytes}");
    // A gateway that reads the database finds no room.
    let third = start().await;
    assert_eq!(fill(&third).await, 0);
    for gateway in gateways.into_iter().chain([third]) {
        gateway.stop().await.unwrap();
    }
    let name = database.name().to_owned();
    drop((books, database));
    crate::database::remove(&name).await;
}
