//! Replies that no queue accepts, and slots that are stuck.

use std::time::{Duration, Instant};

use gateway_runtime::{
    bus::{CallQueue, Message, Subscription},
    prelude::Gateway,
};
use lapin::{
    Connection, ConnectionProperties,
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};
use serde_json::{Value, json};

use super::office::{Broker, Office, next, until};

/// Declares a queue that is full with one message, and rejects others.
async fn full_queue(url: &str, name: &str) -> Connection {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut arguments = FieldTable::default();
    arguments.insert("x-max-length".into(), AMQPValue::LongInt(1));
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    let options = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.into(), options, arguments).await.unwrap();
    connection
}

#[tokio::test]
async fn full_reply_queue_delays_no_other_reply() {
    const CALLS: u64 = 300;
    let Some(broker) = Broker::rabbitmq() else { return };
    let mut office = Office::open_with(&broker, "admin.listen = '127.0.0.1:0'").await;
    let reply_to = format!("{}.full", office.name);
    let _queue = full_queue(broker.url().unwrap(), &reply_to).await;
    for number in 0..CALLS {
        let mut call = office.parcel(&format!("call {number}"), "well");
        call.reply_to = Some(reply_to.clone().into());
        office.broker.publish(call).await.unwrap();
    }
    let began = Instant::now();
    assert_eq!(office.call(office.parcel("of another", "well")).await.0, 200);
    let others = began.elapsed();
    assert!(others < Duration::from_secs(5), "another client was answered after {others:?}");
    let refused = "gateway_bus_replies_dropped_total{reason=\"refused\"}";
    let end = super::office::soon();
    while office.metric(refused).await < CALLS - 1 {
        assert!(tokio::time::Instant::now() < end, "the refused replies are counted");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!((0..CALLS).all(|number| office.times(&format!("call {number}")) == 1));
    let began = Instant::now();
    office.stop().await;
    let stopped = began.elapsed();
    println!("another client was answered after {others:?}; stopped after {stopped:?}");
    assert!(stopped < Duration::from_secs(5), "{stopped:?}");
}

#[tokio::test]
async fn stuck_slots_are_reported() {
    let Some(broker) = Broker::rabbitmq() else { return };
    let settings =
        "admin.listen = '127.0.0.1:0'\nbus.calls.concurrency = 1\nhttp.request_timeout = '500ms'";
    let office = Office::open_with(&broker, settings).await;
    let address = office.gateway().admin_address().unwrap();
    let ready = async || {
        let answer = office.http.get(format!("http://{address}/readyz")).send_any().await.unwrap();
        (
            answer.status(),
            serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()["parts"].clone(),
        )
    };
    let name = office.own("blocked");
    office
        .broker
        .publish(office.message_to("chores", "block", json!({ "name": name })))
        .await
        .unwrap();
    until("the only slot is taken", || super::chores::waiting(&name) == 1).await;
    assert_eq!(ready().await.0, 200);
    office.broker.publish(office.parcel("waits", "well")).await.unwrap();
    // Longer than any call may take.
    let end = super::office::soon();
    while ready().await.0 != 503 {
        assert!(tokio::time::Instant::now() < end, "{:?}", ready().await);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(ready().await.1["calls"], "away");
    assert_eq!(office.metric("gateway_bus_calls_waiting").await, 1);
    assert_eq!(office.metric("gateway_bus_calls_executing").await, 1);
    assert!(office.metric("gateway_bus_calls_stalled_seconds").await >= 5);
    crate::gate::gate(&name).add_permits(1);
    until("it goes on", || office.times("waits") == 1).await;
    assert_eq!(ready().await.0, 200);
}

#[tokio::test]
async fn job_is_delivered_up_to_the_delivery_limit() {
    let Some(broker) = Broker::rabbitmq() else { return };
    for (losses, is_executed) in [(2, true), (3, false)] {
        let mut office = Office::open_with(&broker, "bus.calls.enabled = false").await;
        let losing = broker.open(&office).await;
        let queue = CallQueue {
            name: office.name.clone().into(),
            prefetch: 1,
            delivery_limit: 3,
            delays: vec![],
        };
        let mut lost = losing.consume(Subscription::Calls(queue)).await.unwrap();
        // Its id permits the execution after earlier deliveries.
        let job = Message { message_id: Some("j".into()), ..office.parcel("job", "well") };
        losing.publish(job).await.unwrap();
        for delivered_before in 0..losses - 1 {
            let delivery = lost.next().await.unwrap();
            assert_eq!(delivery.delivered_before, delivered_before);
        }
        let last = lost.next().await.unwrap();
        // The requeued message is not delivered to this consumer.
        lost.cancel();
        assert!(lost.next().await.is_none());
        drop(last);
        lost.settled().await;
        office.stop().await;

        let letters = Subscription::Topic {
            exchange: CallQueue::DEAD_LETTERS.into(),
            pattern: office.name.clone().into(),
        };
        let mut letters = losing.consume(letters).await.unwrap();
        let office = office.open_again(&broker, "bus.calls.delivery_limit = 3").await;
        if is_executed {
            until("it is executed", || office.times("job") == 1).await;
            continue;
        }
        let letter = next(&mut letters).await;
        assert_eq!(letter.headers.text("x-gateway-code"), Some("outcome-unknown"));
        assert!(letter.headers.text("x-gateway-problem").unwrap().contains("delivered 3 times"));
        assert_eq!(office.times("job"), 0);
    }
}

#[tokio::test]
async fn queue_of_an_older_gateway_is_an_error_with_help() {
    let Some(broker) = Broker::rabbitmq() else { return };
    let name = format!("older-{:08x}", fastrand::u32(..));
    let connection =
        Connection::connect(broker.url().unwrap(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut arguments = FieldTable::default();
    let text = |text: &str| AMQPValue::LongString(text.into());
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-dead-letter-exchange".into(), text(CallQueue::DEAD_LETTERS));
    arguments.insert("x-dead-letter-routing-key".into(), text(&name));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish"));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(20));
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(name.as_str().into(), options, arguments).await.unwrap();
    let settings = format!(
        "http.listen = '127.0.0.1:0'\nbus.amqp = '{}'\nbus.calls.queue = '{name}'\n\
         secrets = {{ EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not used' }}",
        broker.url().unwrap()
    );
    let error =
        Gateway::from_toml(&settings).unwrap().start().await.expect_err("it starts").to_string();
    let first = format!(
        "[bus.calls]: the queue `{name}` exists with other arguments than this gateway declares"
    );
    assert!(error.contains(&first) && error.contains("\nhelp: "), "{error}");
    let _ = channel
        .queue_delete(name.as_str().into(), lapin::options::QueueDeleteOptions::default())
        .await;
}
