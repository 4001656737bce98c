//! Call queues: acknowledgement, redelivery, retries and dead letters.

use std::time::{Duration, Instant};

use crate::bus::{
    CallQueue, Message, MessageHeader, MessageHeaders, Narrow,
    tests::{Bus, LONG, next, until},
};

crate::bus::tests::over_each_broker!(
    dropped_delivery_is_requeued_and_acknowledged_one_is_not,
    deliveries_are_counted_and_never_end_a_message,
    expired_call_is_no_dead_letter,
    cancelled_subscription_receives_deliveries_on_their_way,
    retried_message_returns_after_its_delay,
    prefetch_limits_unacknowledged_deliveries,
    unreceived_deliveries_go_to_other_consumers,
    delivery_can_be_acknowledged_after_its_subscription_ends,
    existing_queue_is_reused,
    message_sent_on_is_unchanged,
);

fn message(queue: &crate::bus::CallQueue, body: &'static str) -> Message {
    Message {
        body: body.into(),
        mandatory: true,
        persistent: true,
        ..Message::to_queue(queue.name.clone())
    }
}

async fn dropped_delivery_is_requeued_and_acknowledged_one_is_not(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    for body in ["one", "two"] {
        bus.publish(message(&queue, body)).await;
    }
    let (one, two) = (next(&mut deliveries).await, next(&mut deliveries).await);
    assert_eq!((one.delivered_before, two.delivered_before), (0, 0));
    two.receipt.ack();
    drop(one.receipt);
    let again = next(&mut deliveries).await;
    assert_eq!((&again.message.body[..], again.delivered_before), (&b"one"[..], 1));
    again.receipt.ack();
    bus.publish(message(&queue, "end")).await;
    assert_eq!(next(&mut deliveries).await.message.body, "end");
}

async fn deliveries_are_counted_and_never_end_a_message(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let mut poison = message(&queue, "poison");
    // A delivery count that the publisher sets is ignored.
    poison.headers.add("x-delivery-count", 7_i64);
    bus.publish(poison).await;
    for count in 0..30 {
        let delivery = next(&mut deliveries).await;
        assert_eq!(
            (&delivery.message.body[..], delivery.delivered_before),
            (&b"poison"[..], count)
        );
    }
}

async fn expired_call_is_no_dead_letter(bus: Bus) {
    let (queue, deliveries) = bus.queue().await;
    drop(deliveries);
    // There is no consumer now.
    for _ in 0..3 {
        let expiration = Some(Duration::from_millis(20));
        bus.publish(Message { expiration, ..message(&queue, "late") }).await;
    }
    bus.publish(message(&queue, "after them")).await;
    // Longer than the messages live.
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut deliveries = bus.consume(&queue).await;
    let first = next(&mut deliveries).await;
    assert_eq!(first.message.body, "after them");
    first.receipt.ack();
    bus.publish(Message { routing_key: queue.dead_letter_queue(), ..message(&queue, "dead") })
        .await;
    assert_eq!(
        bus.take(&queue.dead_letter_queue()).await.body,
        "dead",
        "nothing was there before it"
    );
}

async fn cancelled_subscription_receives_deliveries_on_their_way(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    bus.publish(message(&queue, "begun")).await;
    let begun = next(&mut deliveries).await;
    for body in ["one", "two", "three"] {
        bus.publish(message(&queue, body)).await;
    }
    until(|| bus.broker.stats().received == 4).await;
    deliveries.cancel();
    let mut others = bus.consume(&queue).await;
    let mut bodies = Vec::new();
    while let Some(delivery) = tokio::time::timeout(LONG, deliveries.next()).await.unwrap() {
        assert_eq!(delivery.delivered_before, 0);
        delivery.receipt.ack();
        bodies.push(delivery.message.body);
    }
    assert_eq!(bodies, ["one", "two", "three"]);
    let settled = tokio::spawn(deliveries.settled());
    begun.receipt.ack();
    tokio::time::timeout(LONG, settled).await.unwrap().unwrap();
    bus.publish(message(&queue, "end")).await;
    let end = next(&mut others).await;
    assert_eq!((&end.message.body[..], end.delivered_before), (&b"end"[..], 0));
}

async fn retried_message_returns_after_its_delay(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let delay = queue.delays[0];
    let began = Instant::now();
    let mut later = message(&queue, "later");
    later.routing_key = queue.retry_queue(delay);
    later.headers.add("attempt", 2_i64);
    bus.publish(later).await;
    let delivery = next(&mut deliveries).await;
    assert!(began.elapsed() >= delay.mul_f64(0.9), "{:?}", began.elapsed());
    assert_eq!(
        (&delivery.message.body[..], delivery.message.headers.number("attempt")),
        (&b"later"[..], Some(2))
    );
    assert_eq!(delivery.message.routing_key, queue.name);
}

async fn prefetch_limits_unacknowledged_deliveries(bus: Bus) {
    let mut queue = crate::bus::tests::queue();
    queue.prefetch = 2;
    let mut deliveries = bus.consume(&queue).await;
    for body in ["one", "two", "three"] {
        bus.publish(message(&queue, body)).await;
    }
    let (one, two) = (next(&mut deliveries).await, next(&mut deliveries).await);
    let early = tokio::time::timeout(Duration::from_millis(200), deliveries.next()).await;
    assert!(early.is_err(), "{early:?}");
    two.receipt.ack();
    assert_eq!(next(&mut deliveries).await.message.body, "three");
    drop(one);
}

async fn unreceived_deliveries_go_to_other_consumers(bus: Bus) {
    let (queue, deliveries) = bus.queue().await;
    for body in ["one", "two", "three"] {
        bus.publish(message(&queue, body)).await;
    }
    until(|| bus.broker.stats().received == 3).await;
    drop(deliveries);
    let mut others = bus.consume(&queue).await;
    let mut bodies = Vec::new();
    for _ in 0..3 {
        let delivery = next(&mut others).await;
        delivery.receipt.ack();
        bodies.push(delivery.message.body);
    }
    bodies.sort();
    assert_eq!(bodies, ["one", "three", "two"]);
}

async fn delivery_can_be_acknowledged_after_its_subscription_ends(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    bus.publish(message(&queue, "slow")).await;
    let slow = next(&mut deliveries).await;
    drop(deliveries);
    tokio::time::sleep(Duration::from_millis(100)).await;
    slow.receipt.ack();
    bus.publish(message(&queue, "end")).await;
    let mut others = bus.consume(&queue).await;
    assert_eq!(next(&mut others).await.message.body, "end");
}

async fn existing_queue_is_reused(bus: Bus) {
    let (queue, first) = bus.queue().await;
    let mut second = bus.consume(&queue).await;
    drop(first);
    bus.publish(message(&queue, "kept")).await;
    let delivery = tokio::time::timeout(LONG, second.next()).await.unwrap().unwrap();
    assert_eq!(delivery.message.body, "kept");
}

/// Sends a message through a retry queue and on to the dead-letter queue.
async fn message_sent_on_is_unchanged(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let mut sent = message(&queue, "body");
    let list = MessageHeader::List(vec![
        MessageHeader::Double(-0.5),
        MessageHeader::Void,
        "x".into(),
        MessageHeader::List(vec![true.into()]),
    ]);
    let table: MessageHeaders =
        [("empty", MessageHeader::Table(MessageHeaders::default())), ("list", list.clone())]
            .into_iter()
            .collect();
    let values = [
        ("text", "ü".into()),
        ("bytes", MessageHeader::Bytes(vec![0, 255].into())),
        ("number", i64::MIN.into()),
        ("i8", MessageHeader::Narrow(Narrow::I8(i8::MIN))),
        ("u8", MessageHeader::Narrow(Narrow::U8(u8::MAX))),
        ("i16", MessageHeader::Narrow(Narrow::I16(i16::MIN))),
        ("u16", MessageHeader::Narrow(Narrow::U16(u16::MAX))),
        ("i32", MessageHeader::Narrow(Narrow::I32(i32::MIN))),
        ("u32", MessageHeader::Narrow(Narrow::U32(u32::MAX))),
        ("flag", false.into()),
        ("float", MessageHeader::Float(f32::MIN_POSITIVE)),
        ("double", MessageHeader::Double(0.1)),
        ("decimal", MessageHeader::Decimal { scale: 2, value: 314 }),
        ("time", MessageHeader::Timestamp(u64::from(u32::MAX))),
        ("void", MessageHeader::Void),
        ("list", list),
        ("table", MessageHeader::Table(table)),
        ("CC", MessageHeader::List(vec!["test.nobody".into()])),
    ];
    for (name, value) in values {
        sent.headers.add(name, value);
    }
    sent.priority = Some(7);
    sent.timestamp = Some(1_700_000_000_000);
    sent.expiration = Some(LONG);
    let properties = |message: &Message| {
        let Message {
            app_id,
            cluster_id,
            message_type: kind,
            message_id,
            correlation_id,
            reply_to,
            ..
        } = message.clone();
        let Message { content_type, content_encoding, priority, timestamp, .. } = message.clone();
        let names = [
            app_id,
            cluster_id,
            kind,
            message_id,
            correlation_id,
            reply_to,
            content_type,
            content_encoding,
        ];
        (names, priority, timestamp, message.body.clone())
    };
    for property in [
        &mut sent.app_id,
        &mut sent.cluster_id,
        &mut sent.message_type,
        &mut sent.message_id,
        &mut sent.correlation_id,
        &mut sent.reply_to,
        &mut sent.content_type,
        &mut sent.content_encoding,
    ] {
        *property = Some("property".into());
    }
    // RabbitMQ refuses a message with the name of another user.
    sent.user_id = Some("guest".into());
    bus.publish(sent.clone()).await;

    let came = next(&mut deliveries).await;
    assert_eq!(came.message.user_id.as_deref(), Some("guest"));
    came.receipt.ack();
    bus.publish(came.message.sent_on("", queue.retry_queue(queue.delays[0]))).await;
    let back = next(&mut deliveries).await;
    back.receipt.ack();
    bus.publish(back.message.sent_on(CallQueue::DEAD_LETTERS, queue.name.clone())).await;
    let dead = bus.take(&queue.dead_letter_queue()).await;
    assert_eq!(
        (properties(&dead), dead.persistent, dead.expiration),
        (properties(&sent), true, None)
    );
    let moved = ["CC", "x-gateway-cc", "x-gateway-user-id", "x-gateway-expiration"];
    for (name, value) in sent.headers.iter().filter(|(name, _)| !moved.contains(name)) {
        assert_eq!(dead.headers.get(name), Some(value), "{name}");
    }
    assert_eq!(
        (dead.headers.get("CC"), dead.headers.get("x-gateway-cc")),
        (None, sent.headers.get("CC"))
    );
    assert_eq!(dead.headers.text("x-gateway-user-id"), Some("guest"));
    assert!(dead.headers.number("x-gateway-expiration").is_some_and(|left| left <= 20_000));
}
