//! A full volume: priced calls are refused and can be retried, no acknowledged call is lost, and
//! calls are served again as soon as there is room, also by a gateway that was started without
//! room.

use std::{
    collections::BTreeSet,
    sync::Mutex,
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use gateway_runtime::{
    RunningGateway,
    prelude::*,
    provider::HttpClientSettings,
    store::{MarginQuery, Store},
};

use super::{
    crash::{Process, SETTINGS},
    kiosk::{Customer, PRICE, balance, fund, settings_with},
};
use crate::{database::Database, volume::Volume};

const FUNDS: i64 = 1_000_000 * PRICE;
const MIB: u64 = 1 << 20;
/// The number of concurrent customers.
const CUSTOMERS: usize = 16;

/// The customers' records, by key.
#[derive(Default)]
struct Memory {
    acknowledged: Mutex<BTreeSet<String>>,
    /// Executed calls without room to record their outcome at once.
    unknown: Mutex<BTreeSet<String>>,
}

impl Memory {
    /// Buys under a new key; returns false if there was no room.
    async fn buy(&self, customer: &Customer, key: &str) -> bool {
        let answer = customer
            .buy(key, "well", &[("idempotency-key", key), ("x-request-id", key)])
            .await
            .unwrap();
        if answer.status == 200 {
            assert!(
                self.acknowledged.lock().unwrap().insert(key.to_owned()) && !answer.replayed,
                "{key}"
            );
            return true;
        }
        if (answer.status, &*answer.code) == (504, "outcome-unknown") {
            self.unknown.lock().unwrap().insert(key.to_owned());
            return false;
        }
        assert_eq!(
            (answer.status, &*answer.code, answer.retryable),
            (503, "overloaded", true),
            "{answer:?}"
        );
        false
    }

    async fn buy_until_full(&self, url: &str, stem: &str) {
        let customer = Customer::of(url);
        join_all((0..CUSTOMERS).map(async |number| {
            let customer = customer.clone();
            let mut bought = 0;
            while self.buy(&customer, &format!("{stem}-{number}-{bought}")).await {
                bought += 1;
            }
        }))
        .await;
    }

    /// Buys until no write at all succeeds: the test fills the room that a log leaves when it is
    /// emptied.
    async fn buy_until_not_ready(&self, gateway: &RunningGateway, volume: &Volume, stem: &str) {
        let (address, end) = (
            gateway.admin_address().unwrap().to_string(),
            Instant::now() + Duration::from_secs(20),
        );
        for round in 0.. {
            self.buy_until_full(&gateway.url(), &format!("{stem}-{round}")).await;
            volume.fill(0);
            let readiness = readiness(&address).await;
            if readiness.0 == 503 {
                assert!(readiness.1.contains(r#""database":"full""#), "{readiness:?}");
                return;
            }
            assert!(Instant::now() < end, "{readiness:?}");
        }
    }

    /// Buys until one purchase succeeds.
    async fn buy_eventually(&self, url: &str, stem: &str) {
        let (customer, end) = (Customer::of(url), Instant::now() + Duration::from_secs(20));
        let mut tries = 0;
        while !self.buy(&customer, &format!("{stem}-{tries}")).await {
            assert!(Instant::now() < end, "there is room, and nothing is sold");
            tries += 1;
        }
    }
}

async fn readiness(address: &str) -> (u16, String) {
    let http = HttpClient::new(&HttpClientSettings::default()).unwrap();
    let answer = http.get(format!("http://{address}/readyz")).send_any().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

#[tokio::test]
async fn full_volume_refuses_priced_calls_until_there_is_room() {
    let name = "money::full::full_volume_refuses_priced_calls_until_there_is_room";
    let Some(volume) = Volume::of(name, 12) else { return };
    let database = Database::sqlite();
    let folder = database.folder();
    let settings = settings_with(
        &database,
        "http.request_timeout = '5s'\nbilling.grace = '200ms'\nadmin.listen = '127.0.0.1:0'\n\
         log.format = 'json'",
    );
    std::fs::write(folder.join(SETTINGS), &settings).unwrap();
    volume.load(6 * MIB);
    fund(&database.books().await, FUNDS).await;
    let memory = Memory::default();

    // The write-ahead log does not fill it.
    let gateway = Process::start(folder);
    memory.buy_until_full(&gateway.url, "first").await;
    let length =
        |end: &str| std::fs::metadata(folder.join(format!("books.db{end}"))).unwrap().len();
    let (books, log) = (length(""), length("-wal"));
    println!(
        "full with {books} bytes of books and {log} of their log, {} sold",
        memory.acknowledged.lock().unwrap().len()
    );
    assert!(log < 2 * MIB && books > 3 * MIB, "{books} bytes of books, {log} of their log");
    drop(gateway);

    // Killed, and started on the full volume.
    volume.fill(0);
    let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
    memory.buy_until_not_ready(&gateway, &volume, "second").await;
    assert_eq!(
        Customer::of(&gateway.url()).get("look").await.unwrap().status,
        200,
        "what costs nothing goes on"
    );

    // Room, without a restart.
    volume.make_room(2 * MIB);
    memory.buy_eventually(&gateway.url(), "third").await;
    assert_eq!(readiness(&gateway.admin_address().unwrap().to_string()).await.0, 200);
    memory.buy_until_full(&gateway.url(), "fourth").await;

    // Stopped in order, and started on the full volume.
    gateway.stop().await.unwrap();
    volume.fill(0);
    let gateway = Gateway::from_toml(&settings).unwrap().start().await.unwrap();
    memory.buy_until_not_ready(&gateway, &volume, "fifth").await;
    volume.make_room(3 * MIB);
    memory.buy_eventually(&gateway.url(), "sixth").await;
    check(&memory, &gateway.url(), &database.books().await).await;
    gateway.stop().await.unwrap();
}

/// Checks that ledger, rows and margin agree, and include the acknowledged calls.
async fn check(memory: &Memory, url: &str, books: &Store) {
    let (acknowledged, unknown) =
        (memory.acknowledged.lock().unwrap().clone(), memory.unknown.lock().unwrap().clone());
    let customer = Customer::of(url);
    // A sample: each replay adds a row.
    for key in acknowledged.iter().step_by(50) {
        let again = customer.buy(key, "well", &[("idempotency-key", key)]).await.unwrap();
        assert_eq!((again.status, again.replayed), (200, true), "{key}: {again:?}");
    }
    // Holds of killed calls, and of calls whose outcome could not be written, are swept.
    let end = Instant::now() + Duration::from_secs(20);
    while !books.abandoned_holds(i64::MAX).await.unwrap().is_empty() {
        assert!(Instant::now() < end, "money of calls that have ended is looked after");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let rows = books.recent_requests(10_000_000).await.unwrap();
    let charged: Vec<_> =
        rows.iter().filter(|row| row.price.is_some_and(|price| price > 0)).collect();
    let once: BTreeSet<_> = charged.iter().map(|row| row.request_id.clone()).collect();
    assert_eq!(charged.len(), once.len(), "a call is charged once");
    assert!(acknowledged.is_subset(&once), "what was acknowledged is written down and charged");
    let spent = PRICE * i64::try_from(charged.len()).unwrap();
    let (available, held) = balance(books).await;
    assert_eq!(
        available + held,
        FUNDS - spent,
        "no charge without a row, and no row without its charge"
    );
    let takings = books.margin(&MarginQuery::default()).await.unwrap();
    let paid: i128 = takings.iter().map(|takings| takings.price).sum();
    assert_eq!(paid, i128::from(spent), "the margin is that of the rows");
    let all: BTreeSet<_> = acknowledged.union(&unknown).cloned().collect();
    assert!(once.is_subset(&all), "what was refused is not charged");
    assert!(held % PRICE == 0 && held <= PRICE * i64::try_from(unknown.len()).unwrap(), "{held}");
    println!(
        "{} acknowledged, {} unknown, {} charged, {held} aside",
        acknowledged.len(),
        unknown.len(),
        charged.len()
    );
}
