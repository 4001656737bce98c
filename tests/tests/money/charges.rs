//! Calls that are charged, and calls that are not.

use std::sync::Arc;

use gateway_runtime::{
    Currency, RunningGateway,
    prelude::*,
    store::{ChangeKind, Command, CommandOutcome, OperatorChange, Store},
};
use serde_json::{Value, json};

use super::kiosk::{Customer, PRICE, READING, balance, fund, settings};
use crate::database::{Database, each_database};

/// Publishes a price list that is effective from now on, at this gateway.
async fn publish(gateway: &RunningGateway, books: &Store, list: &Value) {
    let who: Arc<str> = "a test".into();
    let edit = OperatorChange {
        at: 1,
        who,
        kind: ChangeKind::Prices,
        subject: "".into(),
        document: list.to_string(),
    };
    let outcome = books.commit(&[Command::OperatorChange(edit)]).await.unwrap();
    assert!(matches!(outcome[0], CommandOutcome::Changed(_)));
    gateway.control().unwrap().refresh().await.unwrap();
}

each_database! {
    async fn only_fulfilled_calls_are_charged(database: Database) {
        let gateway = Gateway::from_toml(&settings(&database)).unwrap().start().await.unwrap();
        let (books, customer) = (database.books().await, Customer::of(&gateway.url()));
        fund(&books, 10 * PRICE).await;
        let mut left = 10 * PRICE;
        for (how, status, charge, price) in [
            ("well", 200, PRICE, Some("0.001")),
            ("refused", 409, 0, Some("0")),
            ("busy", 503, 0, Some("0")),
            ("well", 200, PRICE, Some("0.001")),
        ] {
            let answer = customer.buy("bread", how, &[]).await.unwrap();
            assert_eq!((answer.status, answer.price.as_deref()), (status, price), "{how}");
            left -= charge;
            eventually(&books, (left, 0)).await;
        }
        let answer = customer.get("read").await.unwrap();
        assert_eq!((answer.status, answer.price.as_deref()), (200, Some("0.0005")));
        eventually(&books, (left - READING, 0)).await;
        let answer = customer.get("look").await.unwrap();
        assert_eq!((answer.status, answer.price), (200, None));

        // The outcome is unknown, so the hold stays.
        let broken = customer.buy("bread", "broken", &[]).await.unwrap();
        assert_eq!((broken.status, broken.price), (500, None));
        eventually(&books, (left - READING - PRICE, PRICE)).await;

        let stranger = customer.get_as_a_stranger("read").await;
        assert_eq!((stranger.status, &*stranger.code), (401, "unauthenticated"));
        assert_eq!(customer.get_as_a_stranger("look").await.status, 200);
    }

    async fn replay_is_free(database: Database) {
        let gateway = Gateway::from_toml(&settings(&database)).unwrap().start().await.unwrap();
        let (books, customer) = (database.books().await, Customer::of(&gateway.url()));
        fund(&books, PRICE).await;
        let key = [("idempotency-key", "the same")];
        for replayed in [false, true, true] {
            let answer = customer.buy("bread", "well", &key).await.unwrap();
            assert_eq!(
                (answer.status, answer.replayed, answer.price.is_some()),
                (200, replayed, !replayed)
            );
        }
        assert_eq!(balance(&books).await, (0, 0));
        // A key whose call was refused for insufficient funds is free.
        let key = [("idempotency-key", "another")];
        assert_eq!(customer.buy("bread", "well", &key).await.unwrap().status, 402);
        fund_more(&books).await;
        assert_eq!(customer.buy("bread", "well", &key).await.unwrap().status, 200);
    }

    async fn price_list_applies_from_its_effective_time_on(database: Database) {
        let gateway = Gateway::from_toml(&settings(&database)).unwrap().start().await.unwrap();
        let (books, customer) = (database.books().await, Customer::of(&gateway.url()));
        fund(&books, 1000 * PRICE).await;
        let read = async || customer.get("read").await.unwrap().price;
        let listed = |price: &str| json!([
            { "service": "kiosk", "version": 1, "method": "read", "price": price }
        ]);
        publish(
            &gateway,
            &books,
            &json!({ "effective_at": "2020-01-01T00:00:00Z", "prices": listed("0.2 USD") }),
        )
        .await;
        assert_eq!(read().await.as_deref(), Some("0.2"));
        publish(
            &gateway,
            &books,
            &json!({ "effective_at": "2100-01-01T00:00:00Z", "prices": listed("9 USD") }),
        )
        .await;
        assert_eq!(read().await.as_deref(), Some("0.2"));
        let gold = json!({
            "effective_at": "2020-01-02T00:00:00Z", "plan": "gold", "prices": listed("0.3 USD")
        });
        publish(&gateway, &books, &gold).await;
        assert_eq!(read().await.as_deref(), Some("0.2"), "another plan's");
        let standard = json!({
            "effective_at": "2020-01-02T00:00:00Z", "plan": "standard", "prices": listed("0.1 USD")
        });
        publish(&gateway, &books, &standard).await;
        assert_eq!(read().await.as_deref(), Some("0.1"));
        // A call that the plan's list leaves out has the price of the general list; that may be
        // zero.
        let empty =
            json!({ "effective_at": "2020-01-03T00:00:00Z", "plan": "standard", "prices": [] });
        publish(&gateway, &books, &empty).await;
        assert_eq!(read().await.as_deref(), Some("0.2"));
        publish(
            &gateway,
            &books,
            &json!({ "effective_at": "2020-01-04T00:00:00Z", "prices": listed("0 USD") }),
        )
        .await;
        assert_eq!(read().await, None);
    }

    async fn cached_reply_has_its_own_price(database: Database) {
        let gateway = Gateway::from_toml(&settings(&database)).unwrap().start().await.unwrap();
        let (books, customer) = (database.books().await, Customer::of(&gateway.url()));
        fund(&books, 2 * READING + READING / 2).await;
        let weather = async || {
            let answer = customer.get("weather").await.unwrap();
            (answer.status, answer.price)
        };
        // Full price, unless the list has a price for cached replies.
        for _ in 0..2 {
            assert_eq!(weather().await, (200, Some("0.0005".to_owned())));
        }
        eventually(&books, (READING / 2, 0)).await;
        assert_eq!(
            (weather().await.0, gateway.cache().unwrap().hits),
            (402, 1),
            "a hit is not for those without money"
        );
        let price = json!({
            "service": "kiosk", "version": 1, "method": "weather",
            "price": "0.0005 USD", "cached": "0.0001 USD"
        });
        publish(
            &gateway,
            &books,
            &json!({ "effective_at": "2020-01-01T00:00:00Z", "prices": [price] }),
        )
        .await;
        for _ in 0..2 {
            assert_eq!(weather().await, (200, Some("0.0001".to_owned())));
        }
        eventually(&books, (READING / 2 - 200_000, 0)).await;
        assert_eq!(gateway.cache().unwrap().misses, 1);
    }

    async fn usage_price_is_charged_for_the_usage(database: Database) {
        let gateway = Gateway::from_toml(&settings(&database)).unwrap().start().await.unwrap();
        let (books, customer) = (database.books().await, Customer::of(&gateway.url()));
        fund(&books, 10 * PRICE).await;
        let per = json!({ "unit": "page", "most": 100 });
        let price = json!({
            "service": "kiosk", "version": 1, "method": "copy", "price": "0.00001 USD", "per": per
        });
        publish(
            &gateway,
            &books,
            &json!({ "effective_at": "2020-01-01T00:00:00Z", "prices": [price] }),
        )
        .await;
        for (pages, price) in [(7, "0.00007"), (0, "0"), (1000, "0.001")] {
            let answer = customer.post("copy", &json!({ "pages": pages }), &[]).await.unwrap();
            assert_eq!((answer.status, answer.price.as_deref()), (204, Some(price)), "{pages}");
        }
        eventually(&books, (10 * PRICE - 1_070_000, 0)).await;
    }
}

async fn fund_more(books: &Store) {
    use gateway_runtime::store::Credit;
    let amount = Money::from_nanos(PRICE, Currency::from_code("USD").unwrap());
    let (account, who) = (super::kiosk::ACCOUNT.into(), "a test".into());
    let credit = Credit { account, amount, reference: "the second".into(), at: 1, who };
    books.commit(&[Command::Credit(credit)]).await.unwrap();
}

/// Waits until the balance is this: no call waits for a release.
pub(super) async fn eventually(books: &Store, expected: (i64, i64)) {
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let now = balance(books).await;
        if now == expected {
            return;
        }
        assert!(tokio::time::Instant::now() < end, "{now:?}, expected {expected:?}");
        tokio::task::yield_now().await;
    }
}
