//! Deadlines that pass during a write: a call that reached no provider is a definite failure, and
//! leaves neither a hold nor a key in use.

use std::time::Duration;

use gateway_runtime::prelude::*;
use tokio::time::Instant;

use super::{
    away::Server,
    charges::eventually,
    kiosk::{Answer, Customer, PRICE, fund, settings_with},
};
use crate::database::{Database, each_database};

/// Buys until the outcome is no timeout: the machine may be busy.
async fn buy(customer: &Customer, headers: &[(&str, &str)]) -> Answer {
    let end = Instant::now() + Duration::from_secs(40);
    loop {
        let answer = customer.buy("bread", "well", headers).await.unwrap();
        if answer.status == 200 || Instant::now() > end {
            return answer;
        }
        assert!(answer.retryable, "{answer:?}");
    }
}

each_database! {
    async fn a_deadline_over_a_locked_table_leaves_nothing_behind(database: Database) {
        let settings = settings_with(&database, "http.request_timeout = '1s'");
        let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
        let (books, customer) = (database.books().await, Customer::of(&gateway.url()));
        let mut left = 10 * PRICE;
        fund(&books, left).await;
        for (table, key) in
            [("balances", None), ("balances", Some("first")), ("claims", Some("second"))]
        {
            let headers: Vec<_> = key.iter().map(|key| ("idempotency-key", *key)).collect();
            let lock = database.lock(table).await;
            let begin = Instant::now();
            let cut = customer.buy("bread", "well", &headers).await.unwrap();
            assert_eq!(
                (cut.status, &*cut.code, cut.retryable),
                (504, "timeout", true),
                "{table} {key:?}"
            );
            assert!(
                begin.elapsed() < Duration::from_secs(3),
                "{table} {key:?}: {:?}",
                begin.elapsed()
            );
            lock.release().await;
            let again = buy(&customer, &headers).await;
            assert_eq!((again.status, again.replayed), (200, false), "{table} {key:?}: {again:?}");
            left -= PRICE;
            eventually(&books, (left, 0)).await;
        }
        gateway.stop().await.unwrap();
        eventually(&books, (left, 0)).await;
        assert_eq!(books.holds(false, None, 10).await.unwrap(), []);
        let rows = books.recent_requests(100).await.unwrap();
        let cut = rows.iter().filter(|row| row.code.as_deref() == Some("timeout"));
        assert!(
            cut.clone().count() >= 3 && cut.clone().all(|row| row.attempts.is_none()),
            "{rows:?}"
        );
    }

    async fn a_caller_who_leaves_over_a_locked_table_leaves_nothing_behind(database: Database) {
        let settings = settings_with(&database, "http.request_timeout = '1s'");
        let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
        let (books, customer) = (database.books().await, Customer::of(&gateway.url()));
        fund(&books, PRICE).await;
        let headers = [("idempotency-key", "left")];
        let lock = database.lock("balances").await;
        let leaving = tokio::time::timeout(
            Duration::from_millis(300),
            customer.buy("bread", "well", &headers),
        );
        assert!(leaving.await.is_err());
        // The deadline passes before the lock is released.
        tokio::time::sleep(Duration::from_millis(1500)).await;
        lock.release().await;
        let again = buy(&customer, &headers).await;
        assert_eq!((again.status, again.replayed), (200, false), "{again:?}");
        gateway.stop().await.unwrap();
        eventually(&books, (0, 0)).await;
    }
}

#[tokio::test]
async fn a_deadline_over_a_frozen_server_leaves_nothing_behind() {
    let Some(server) = Server::start() else { return };
    let database = Database::at(&server.url);
    let books = database.books().await;
    fund(&books, 10 * PRICE).await;
    let settings = settings_with(&database, "http.request_timeout = '2s'");
    let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
    let customer = Customer::of(&gateway.url());
    assert_eq!(buy(&customer, &[]).await.status, 200);
    server.run("freeze");
    let keys = ["a", "b", "c"].map(|key| [("idempotency-key", key)]);
    for headers in [&[][..], &keys[0], &keys[1], &keys[2]] {
        let begin = Instant::now();
        let cut = customer.buy("bread", "well", headers).await.unwrap();
        assert!(
            [("timeout", 504), ("overloaded", 503)].contains(&(&*cut.code, cut.status)),
            "{cut:?}"
        );
        assert!(cut.retryable && begin.elapsed() < Duration::from_secs(6), "{:?}", begin.elapsed());
    }
    server.run("thaw");
    for headers in &keys {
        let again = buy(&customer, headers).await;
        assert_eq!((again.status, again.replayed), (200, false), "{again:?}");
    }
    gateway.stop().await.unwrap();
    eventually(&books, (6 * PRICE, 0)).await;
    assert_eq!(books.holds(false, None, 10).await.unwrap(), []);
}
