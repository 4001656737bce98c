//! Outbox events of one ordering key are published in order, even if the broker is unavailable for
//! a while.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use gateway_runtime::{
    Publisher, RunningGateway,
    bus::{CallQueue, Deliveries, Message, Subscription},
    prelude::*,
};
use serde_json::{Value, json};
use tokio::time::{Instant, timeout};

use super::events::Pool;
use crate::{
    database::{Database, each_database},
    rabbitmq::Server,
};

const AWAY: usize = 320;
const BACK: usize = 200;
/// The number of topics, and of an author's ordering keys; the key of an event is one of both.
const KEYS: usize = 5;

async fn gateway(database: &Database, url: &str) -> RunningGateway {
    let settings = format!(
        "http = {{ listen = '127.0.0.1:0', workers = 1 }}\n\
         secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}\n\
         bus = {{ amqp = '{url}', calls = {{ enabled = false }} }}\n{}",
        database.section()
    );
    Gateway::from_toml(&settings).unwrap().start().await.unwrap()
}

/// Writes an event. Keys below [`KEYS`] are topics.
async fn write(pool: &Pool, publisher: &Publisher, number: usize) {
    let key = number % (2 * KEYS);
    let value = json!({ "key": key, "number": number });
    let topic = if key < KEYS { format!("topic.{key}") } else { format!("topic.of.{number}") };
    let event = publisher.event(&topic, &value).unwrap();
    let event = if key < KEYS { event } else { event.ordering_key(format!("key {key}")) };
    pool.write(event, true).await;
}

/// Declares and consumes a durable queue that receives all events.
async fn subscribe(gateway: &RunningGateway, server: &Server) -> Deliveries {
    let queue =
        CallQueue { name: "events".into(), prefetch: 1000, delivery_limit: 20, delays: vec![] };
    let received = gateway.broker().consume(Subscription::Calls(queue)).await.unwrap();
    let resource = |kind, name| format!("rabbit_misc:r(<<\"/\">>, {kind}, <<\"{name}\">>)");
    let (exchange, queue) = (resource("exchange", "gateway"), resource("queue", "events"));
    let binding = format!("{{binding, {exchange}, <<\"topic.#\">>, {queue}, []}}");
    server.ctl(&["eval", &format!("rabbit_binding:add({binding}, <<\"test\">>).")]);
    received
}

/// Returns the key and the number of an event.
fn read(message: &Message) -> (usize, usize) {
    let value: Value = serde_json::from_slice(&message.body).unwrap();
    let member = |name: &str| usize::try_from(value[name].as_u64().unwrap()).unwrap();
    let key = member("key");
    let partition = message.headers.text("cloudEvents:partitionkey").map(str::to_owned);
    assert_eq!(partition, (key >= KEYS).then(|| format!("key {key}")));
    (key, member("number"))
}

each_database! {
    async fn events_of_a_key_leave_in_order(database: Database) {
        let Some(server) = Server::start() else { return };
        // Two gateways publish the events of a PostgreSQL store; only one gateway uses a file.
        let mut gateways = vec![gateway(&database, server.url()).await];
        if database.url().is_some() {
            gateways.push(gateway(&database, server.url()).await);
        }
        let mut received = subscribe(&gateways[0], &server).await;
        let pool = Pool::of(&database).await;
        server.stop();
        for number in 0..AWAY {
            write(&pool, gateways[number % gateways.len()].publisher(), number).await;
        }
        server.start_again();
        let writing = async {
            for number in AWAY..AWAY + BACK {
                write(&pool, gateways[number % gateways.len()].publisher(), number).await;
            }
        };
        let reading = async {
            let (mut next, mut seen) = (BTreeMap::new(), HashSet::new());
            while seen.len() < AWAY + BACK {
                let delivery = timeout(Duration::from_secs(60), received.next())
                    .await
                    .expect("in time")
                    .unwrap();
                let (key, number) = read(&delivery.message);
                delivery.receipt.ack();
                // Duplicates are allowed, and ignored.
                if seen.insert(number) {
                    let expected = next.insert(key, number + 2 * KEYS).unwrap_or(key);
                    assert_eq!(number, expected, "the next of its key");
                }
            }
        };
        let began = Instant::now();
        let ((), ()) = tokio::join!(writing, reading);
        println!(
            "{} events in order within {:?} after the broker was back",
            AWAY + BACK,
            began.elapsed()
        );
        pool.close().await;
        for gateway in gateways {
            gateway.stop().await.unwrap();
        }
    }
}
