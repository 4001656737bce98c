//! Events: messages that expect no reply.

use crate::bus::{
    BusErrorKind, Message, Subscription,
    tests::{Bus, name, next},
};

crate::bus::tests::over_each_broker!(
    subscriber_receives_messages_that_match_its_pattern,
    slow_subscriber_loses_nothing,
    mandatory_message_fails_when_unroutable,
);

async fn subscriber_receives_messages_that_match_its_pattern(bus: Bus) {
    let exchange = name("events");
    let mut subscribers = Vec::new();
    for pattern in ["orders.*", "orders.#", "*.paid", "#"] {
        let topic = Subscription::Topic { exchange: exchange.clone(), pattern: pattern.into() };
        subscribers.push(bus.broker.consume(topic).await.unwrap());
    }
    for key in ["orders.paid", "orders", "invoices.paid", "orders.paid.twice", "end"] {
        bus.publish(Message { body: key.into(), ..Message::new(exchange.clone(), key) }).await;
    }
    let last = ["orders.paid", "orders.paid.twice", "invoices.paid", "end"];
    let all: [&[&str]; 4] = [
        &["orders.paid"],
        &["orders.paid", "orders", "orders.paid.twice"],
        &["orders.paid", "invoices.paid"],
        &["orders.paid", "orders", "invoices.paid", "orders.paid.twice", "end"],
    ];
    for ((mut subscriber, last), all) in subscribers.into_iter().zip(last).zip(all) {
        let mut keys = Vec::new();
        while keys.last().is_none_or(|key| *key != last) {
            let delivery = next(&mut subscriber).await;
            assert_eq!(
                (&delivery.message.body[..], &delivery.message.exchange),
                (delivery.message.routing_key.as_bytes(), &exchange)
            );
            keys.push(delivery.message.routing_key);
        }
        assert_eq!(keys, all);
    }
}

async fn slow_subscriber_loses_nothing(bus: Bus) {
    let exchange = name("events");
    let topic = Subscription::Topic { exchange: exchange.clone(), pattern: "#".into() };
    let mut subscriber = bus.broker.consume(topic).await.unwrap();
    let publishing = (0..5000_usize).map(|number| {
        bus.publish(Message {
            body: number.to_string().into(),
            ..Message::new(exchange.clone(), "key")
        })
    });
    futures_util::future::join_all(publishing).await;
    let mut numbers = std::collections::BTreeSet::new();
    while numbers.len() < 5000 {
        assert!(numbers.insert(next(&mut subscriber).await.message.body));
    }
}

async fn mandatory_message_fails_when_unroutable(bus: Bus) {
    let exchange = name("events");
    let topic = Subscription::Topic { exchange: exchange.clone(), pattern: "taken".into() };
    let mut subscriber = bus.broker.consume(topic).await.unwrap();
    let publish = |key: &'static str, mandatory| {
        bus.broker.publish(Message { mandatory, ..Message::new(exchange.clone(), key) })
    };
    // Concurrent messages that are routed do not hide a returned one, and are not affected by it.
    for _ in 0..20 {
        let (lost, taken, lost_again) =
            tokio::join!(publish("lost", true), publish("taken", true), publish("lost", true));
        for lost in [lost, lost_again] {
            assert_eq!(lost.unwrap_err().kind(), BusErrorKind::Unroutable);
        }
        taken.unwrap();
        publish("lost", false).await.unwrap();
        next(&mut subscriber).await;
    }
    assert_eq!(bus.broker.stats().published, 40);
}
