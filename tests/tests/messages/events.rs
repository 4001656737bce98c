//! Events: published at once, or with a transaction; and events of requests.

use std::collections::BTreeSet;

use gateway_runtime::{
    Event, Publisher, RunningGateway,
    bus::{Deliveries, Subscription},
    prelude::*,
};
use serde_json::{Value, json};
use sqlx::{PgPool, SqlitePool};

use super::{
    office::{Broker, Office, next},
    over_each,
};
use crate::database::{Database, each_database};

over_each! {
    event_is_a_cloudevent
    requests_are_published_as_events
}

async fn event_is_a_cloudevent(broker: Broker) {
    let office =
        Office::open_with(&broker, "bus.exchange = 'NAME-events'\nbus.source = '/tests'").await;
    let exchange: &'static str = format!("{}-events", office.name).leak();
    let mut received = office.subscribe(exchange, "orders.#").await;
    let publisher = office.gateway().publisher();
    publisher.publish("other.topic", &1).await.unwrap();
    let event = publisher.event("orders.taken.online", &json!({ "number": 7 })).unwrap();
    event
        .subject("7")
        .header("x-tenant", "acme")
        .header("cloudEvents:id", "not this")
        .publish()
        .await
        .unwrap();
    let event = next(&mut received).await;
    assert_eq!((&*event.exchange, &*event.routing_key), (exchange, "orders.taken.online"));
    assert_eq!(
        (event.content_type.as_deref(), &event.body[..]),
        (Some("application/json"), &br#"{"number":7}"#[..])
    );
    let text = |name: &str| event.headers.text(name).unwrap();
    assert_eq!(
        (text("cloudEvents:specversion"), text("cloudEvents:type")),
        ("1.0", "orders.taken.online")
    );
    assert_eq!(
        (text("cloudEvents:source"), text("cloudEvents:subject"), text("x-tenant")),
        ("/tests", "7", "acme")
    );
    assert_eq!(event.message_id.as_deref(), Some(text("cloudEvents:id")));
    assert!(chrono::DateTime::parse_from_rfc3339(text("cloudEvents:time")).is_ok());
    for topic in ["", "a.*", "#", &"a".repeat(256)] {
        assert!(publisher.event(topic, &1).is_err(), "{topic}");
    }
}

async fn requests_are_published_as_events(broker: Broker) {
    let office =
        Office::open_with(&broker, "bus.exchange = 'NAME-events'\nbus.request_log = true").await;
    let exchange: &'static str = format!("{}-events", office.name).leak();
    let mut received = office.subscribe(exchange, "gateway.log.service_request.parcels").await;
    office.call(office.parcel("a", "lost")).await;
    let record = next(&mut received).await;
    let said: Value = serde_json::from_slice(&record.body).unwrap();
    for (name, value) in [
        ("origin", json!("bus")),
        ("service", json!("parcels")),
        ("method", json!("send")),
        ("status", json!(410)),
        ("code", json!("parcel-lost")),
        ("price", Value::Null),
    ] {
        assert_eq!(said[name], value, "{name}");
    }
    assert_eq!(said["request_id"].as_str(), record.headers.text("cloudEvents:subject"));
}

/// Starts a gateway over a database, with an in-process broker.
async fn gateway(database: &Database) -> RunningGateway {
    let settings = "http = { listen = '127.0.0.1:0', workers = 1 }\n\
                    secrets = { EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not \
                    used' }\n";
    Gateway::from_toml(&format!("{settings}{}", database.section())).unwrap().start().await.unwrap()
}

async fn received(gateway: &RunningGateway) -> Deliveries {
    let subscription =
        Subscription::Topic { exchange: "gateway".into(), pattern: "numbers".into() };
    gateway.broker().consume(subscription).await.unwrap()
}

/// A connection pool of an author's own.
pub(super) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Pool {
    pub(super) async fn of(database: &Database) -> Self {
        match database.url() {
            Some(url) => Self::Postgres(PgPool::connect(&url).await.unwrap()),
            None => Self::Sqlite(
                SqlitePool::connect(&database.file().display().to_string()).await.unwrap(),
            ),
        }
    }

    /// Writes an event in a transaction, which is committed or rolled back.
    pub(super) async fn write(&self, event: Event, commits: bool) {
        match self {
            Self::Sqlite(pool) => {
                let mut transaction = pool.begin_with("BEGIN IMMEDIATE").await.unwrap();
                event.store(&mut *transaction).await.unwrap();
                if commits {
                    transaction.commit().await.unwrap();
                }
            }
            Self::Postgres(pool) => {
                let mut transaction = pool.begin().await.unwrap();
                event.store(&mut *transaction).await.unwrap();
                if commits {
                    transaction.commit().await.unwrap();
                }
            }
        }
    }

    async fn left(&self) -> i64 {
        match self {
            Self::Sqlite(pool) => {
                sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(pool).await.unwrap()
            }
            Self::Postgres(pool) => {
                sqlx::query_scalar("SELECT count(*) FROM outbox").fetch_one(pool).await.unwrap()
            }
        }
    }

    pub(super) async fn close(self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

fn event(publisher: &Publisher, number: u32) -> Event {
    publisher.event("numbers", &number).unwrap()
}

fn number(message: &gateway_runtime::bus::Message) -> u32 {
    serde_json::from_slice(&message.body).unwrap()
}

each_database! {
    async fn event_is_published_if_its_transaction_commits(database: Database) {
        let gateway = gateway(&database).await;
        let (pool, mut received) = (Pool::of(&database).await, received(&gateway).await);
        for number in 0..100 {
            pool.write(event(gateway.publisher(), number), number % 3 != 0).await;
        }
        let committed: Vec<_> = (0..100).filter(|number| number % 3 != 0).collect();
        let mut told = Vec::new();
        while told.len() < committed.len() {
            told.push(number(&next(&mut received).await));
        }
        assert_eq!(told, committed);
        // The outbox is empty soon after the last event was published.
        while pool.left().await > 0 {
            tokio::task::yield_now().await;
        }
        gateway.stop().await.unwrap();
        // An event written while no gateway runs is published by the next gateway.
        let publisher = Publisher::new(
            std::sync::Arc::new(gateway_runtime::bus::MemoryBroker::default()),
            "gateway",
            "/",
        );
        pool.write(event(&publisher, 100), true).await;
        let gateway = self::gateway(&database).await;
        let mut received = self::received(&gateway).await;
        pool.write(event(gateway.publisher(), 101), true).await;
        let last = next(&mut received).await;
        assert!([100, 101].contains(&number(&last)));
        pool.close().await;
        gateway.stop().await.unwrap();
    }

    async fn each_event_is_published_by_one_of_two_gateways(database: Database) {
        // Only one gateway uses a file.
        let Some(_) = database.url() else { return };
        let gateways = [gateway(&database).await, gateway(&database).await];
        let mut received = [received(&gateways[0]).await, received(&gateways[1]).await];
        let pool = Pool::of(&database).await;
        for number in 0..200 {
            pool.write(event(gateways[number as usize % 2].publisher(), number), true).await;
        }
        let (mut told, [first, second]) = (BTreeSet::new(), &mut received);
        while told.len() < 200 {
            let message = tokio::select! {
                message = next(first) => message,
                message = next(second) => message,
            };
            assert!(told.insert(number(&message)), "twice");
        }
        pool.close().await;
        for gateway in gateways {
            gateway.stop().await.unwrap();
        }
    }
}
