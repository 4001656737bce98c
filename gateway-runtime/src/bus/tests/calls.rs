//! Calls and their replies.

use std::time::Duration;

use bytes::Bytes;

use crate::bus::{
    BusErrorKind, Message, MessageHeader, Subscription,
    tests::{Bus, LONG, answer, name, next, until},
};

crate::bus::tests::over_each_broker!(
    call_and_reply_carry_all_properties_and_headers,
    first_of_two_replies_is_delivered_and_the_second_counted,
    late_reply_is_counted,
    reply_without_a_call_is_counted,
    call_without_a_consumer_is_unroutable_at_once,
    concurrent_calls_receive_their_own_replies,
    cancelled_call_frees_its_slot,
    call_expires_at_its_deadline,
    names_over_255_bytes_are_refused_and_other_calls_go_on,
);

async fn call_and_reply_carry_all_properties_and_headers(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let body: Bytes = (0..=255).cycle().take(300_000).collect();
    let mut question = Message::to_queue(queue.name.clone());
    question.content_type = Some("application/octet-stream".into());
    question.content_encoding = Some("gzip".into());
    question.message_id = Some("m-1".into());
    question.message_type = Some("order.paid".into());
    question.timestamp = Some(1_700_000_000);
    question.persistent = true;
    question.headers.add("X-Text", "ü");
    question.headers.add("X-Bytes", Bytes::from_static(&[0, 255, 10, 13]));
    question.headers.add("X-Number", i64::MIN);
    question.headers.add("X-Flag", true);
    question.headers.add("X-Empty", "");
    question.body = body.clone();

    let call = bus.call(question.clone(), LONG);
    let carried_out = async {
        let received = next(&mut deliveries).await;
        let mut reply = answer(&received.message, "");
        reply.headers.add("X-WASP-STATUS", 201_i64);
        reply.content_type = Some("text/plain".into());
        reply.body = body.clone();
        bus.publish(reply).await;
        received.receipt.ack();
        received.message
    };
    let (answered, received) = tokio::join!(call, carried_out);

    assert_eq!(received.content_type, question.content_type);
    assert_eq!(received.content_encoding, question.content_encoding);
    assert_eq!(received.message_id, question.message_id);
    assert_eq!(received.message_type, question.message_type);
    assert_eq!(received.timestamp, question.timestamp);
    assert_eq!(
        (received.persistent, &*received.exchange, &received.routing_key),
        (true, "", &queue.name)
    );
    for (name, field) in question.headers.iter() {
        assert_eq!(received.headers.get(name), Some(field), "{name}");
    }
    assert_eq!((received.headers.len(), received.body == body), (5, true));
    let answered = answered.unwrap();
    assert_eq!(answered.headers.get("X-WASP-STATUS"), Some(&MessageHeader::Number(201)));
    assert_eq!(
        (answered.content_type.as_deref(), answered.body == body),
        (Some("text/plain"), true)
    );
    assert_eq!(bus.broker.stats().replied, 1);
}

async fn first_of_two_replies_is_delivered_and_the_second_counted(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let call = bus.call(Message::to_queue(queue.name), LONG);
    let workers = async {
        let received = next(&mut deliveries).await;
        bus.reply(&received.message, "of one").await;
        bus.reply(&received.message, "of the other").await;
        received.receipt.ack();
    };
    assert_eq!(tokio::join!(call, workers).0.unwrap().body, "of one");
    until(|| bus.broker.stats().duplicate == 1).await;
    assert_eq!((bus.broker.stats().replied, bus.broker.stats().pending), (1, 0));
}

async fn late_reply_is_counted(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let call = bus.call(Message::to_queue(queue.name), Duration::from_millis(300));
    let (answered, received) = tokio::join!(call, next(&mut deliveries));
    let error = answered.unwrap_err();
    assert_eq!((error.kind(), error.is_ambiguous()), (BusErrorKind::ReplyTimeout, true));
    bus.reply(&received.message, "late").await;
    until(|| bus.broker.stats().late_replies == 1).await;
    assert_eq!(bus.broker.stats().replied, 0);
}

async fn reply_without_a_call_is_counted(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let call = bus.call(Message::to_queue(queue.name), LONG);
    let worker = async {
        let mut received = next(&mut deliveries).await;
        let id = received.message.correlation_id.replace("of nobody".into());
        bus.reply(&received.message, "?").await;
        received.message.correlation_id = id;
        bus.reply(&received.message, "!").await;
    };
    assert_eq!(tokio::join!(call, worker).0.unwrap().body, "!");
    assert_eq!(bus.broker.stats().unknown, 1);
}

async fn call_without_a_consumer_is_unroutable_at_once(bus: Bus) {
    for message in [Message::to_queue(name("absent")), Message::new(name("absent"), "key")] {
        let error = bus.call(message, Duration::from_secs(3600)).await.unwrap_err();
        assert_eq!((error.kind(), error.is_ambiguous()), (BusErrorKind::Unroutable, false));
    }
    let exchange = name("topic");
    let topic = Subscription::Topic { exchange: exchange.clone(), pattern: "orders.*".into() };
    let _deliveries = bus.broker.consume(topic).await.unwrap();
    let error = bus
        .call(Message::new(exchange, "invoices.paid"), Duration::from_secs(3600))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), BusErrorKind::Unroutable);
    assert_eq!(bus.broker.stats().pending, 0);
}

async fn concurrent_calls_receive_their_own_replies(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let absent = name("absent");
    let calls = (0..1000).map(|number: usize| {
        // Each tenth call goes to a queue that does not exist.
        let to = if number.is_multiple_of(10) { absent.clone() } else { queue.name.clone() };
        let message = Message { body: number.to_string().into(), ..Message::to_queue(to) };
        let call = bus.call(message, LONG);
        async move {
            match call.await {
                Ok(answer) => assert_eq!(answer.body, number.to_string()),
                Err(error) => assert_eq!(
                    (error.kind(), number % 10),
                    (BusErrorKind::Unroutable, 0),
                    "{number}"
                ),
            }
        }
    });
    let worker = async {
        let (mut many, mut count) = (Vec::new(), 0);
        while count < 900 {
            count += deliveries.next_batch(&mut many, 100).await;
            for received in many.drain(..) {
                let mut reply = answer(&received.message, "");
                reply.body = received.message.body.clone();
                bus.publish(reply).await;
                received.receipt.ack();
            }
        }
    };
    tokio::join!(futures_util::future::join_all(calls), worker);
    let figures = bus.broker.stats();
    assert_eq!((figures.replied, figures.pending, figures.received), (900, 0, 900));
}

async fn cancelled_call_frees_its_slot(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let call = bus.broker.call(Message::to_queue(queue.name), tokio::time::Instant::now() + LONG);
    let call = tokio::spawn(call);
    let received = next(&mut deliveries).await;
    assert_eq!(bus.broker.stats().pending, 1);
    call.abort();
    until(|| bus.broker.stats().pending == 0).await;
    bus.reply(&received.message, "to nobody").await;
    until(|| bus.broker.stats().late_replies == 1).await;
}

async fn call_expires_at_its_deadline(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let call = bus.call(Message::to_queue(queue.name), Duration::from_secs(7));
    let worker = async {
        let received = next(&mut deliveries).await;
        bus.reply(&received.message, "").await;
        received.message.expiration.unwrap()
    };
    let left = tokio::join!(call, worker).1;
    assert!(left <= Duration::from_secs(7) && left > Duration::from_secs(5), "{left:?}");
}

async fn names_over_255_bytes_are_refused_and_other_calls_go_on(bus: Bus) {
    let (queue, mut deliveries) = bus.queue().await;
    let good = bus.call(Message::to_queue(queue.name.clone()), LONG);
    let worker = async {
        let received = next(&mut deliveries).await;
        for bad in [Message::new("x".repeat(256), "key"), Message::to_queue("ü".repeat(128))] {
            assert_eq!(
                bus.call(bad.clone(), LONG).await.unwrap_err().kind(),
                BusErrorKind::InvalidMessage
            );
            assert_eq!(
                bus.broker.publish(bad).await.unwrap_err().kind(),
                BusErrorKind::InvalidMessage
            );
        }
        bus.reply(&received.message, "good").await;
    };
    assert_eq!(tokio::join!(good, worker).0.unwrap().body, "good");
}
