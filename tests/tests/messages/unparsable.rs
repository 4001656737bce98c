//! Messages with properties that the client library cannot parse: each is rejected alone, and
//! affects no other.

use gateway_runtime::bus::{Deliveries, Message, MessageHeader};
use lapin::{
    Connection, ConnectionProperties, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions},
    types::FieldTable,
};
use serde_json::Value;
use tokio::time::timeout_at;

use super::{
    office::{Broker, Office, next, soon, until},
    raw::{Property, RawPublisher, long, properties, short},
};

const CONTENT_TYPE: u8 = 0;
const HEADERS: u8 = 2;
const CORRELATION_ID: u8 = 5;
const REPLY_TO: u8 = 6;
const EXPIRATION: u8 = 7;
const MESSAGE_ID: u8 = 8;
const TYPE: u8 = 10;

const FRAME_MAX: usize = 128 << 10;

/// Returns a header `x` of nested lists or tables.
fn nested(tag: u8, depth: usize) -> Vec<u8> {
    let name: &[u8] = if tag == b'F' { b"\x01x" } else { b"" };
    let mut value = vec![b'V'];
    // From the inside out, for linear time: written backwards, and reversed.
    value.extend(name.iter().rev());
    for _ in 0..depth {
        let length = u32::try_from(value.len()).unwrap().to_be_bytes();
        value.extend(length.iter().rev());
        value.push(tag);
        value.extend(name.iter().rev());
    }
    if name.is_empty() {
        value.extend([b'x', 1]);
    }
    value.reverse();
    long(&value)
}

/// Returns properties that the library cannot parse.
fn unparsable() -> Vec<(&'static str, Vec<Property>)> {
    let of = |text: &[u8]| long(text);
    vec![
        ("lists, 2,000 deep", vec![(HEADERS, nested(b'A', 2_000))]),
        ("lists, as deep as a frame holds", vec![(HEADERS, nested(b'A', 26_000))]),
        ("tables, 2,000 deep", vec![(HEADERS, nested(b'F', 2_000))]),
        ("tables, as deep as a frame holds", vec![(HEADERS, nested(b'F', 18_000))]),
        ("a name that is not UTF-8", vec![(HEADERS, of(b"\x01\xffV"))]),
        (
            "a name within a list that is not UTF-8",
            vec![(HEADERS, of(b"\x01xA\0\0\0\x08F\0\0\0\x03\x01\xffV"))],
        ),
        ("a content type that is not UTF-8", vec![(CONTENT_TYPE, short(b"text/\xff"))]),
        ("an id that is not UTF-8", vec![(MESSAGE_ID, short(b"\xc3"))]),
        ("a type that is not UTF-8", vec![(TYPE, short(b"\xed\xa0\x80"))]),
    ]
}

/// Returns the next message of a queue, after acknowledging it.
async fn taken(received: &mut Deliveries) -> Message {
    let delivery = timeout_at(soon(), received.next()).await.expect("in time").expect("a message");
    delivery.receipt.ack();
    delivery.message
}

#[tokio::test]
async fn call_that_cannot_be_parsed_is_answered_400_and_job_is_dead() {
    let Some(broker) = Broker::rabbitmq() else { return };
    let office = Office::open(&broker).await;
    let mut publisher = RawPublisher::connect(broker.url().unwrap()).await;
    let (reply_to, mut replies) = office.queue("replies").await;
    let mut dead = office.dead_letters().await;
    let body = office.parcel("a", "well").body;
    for (what, bad) in unparsable() {
        let mut call = bad.clone();
        call.extend([
            (CORRELATION_ID, short(what.as_bytes())),
            (REPLY_TO, short(reply_to.as_bytes())),
            (EXPIRATION, short(b"20000")),
        ]);
        publisher.publish("", office.name.as_bytes(), &properties(call), &body).await;
        let reply = taken(&mut replies).await;
        let problem: Value = serde_json::from_slice(&reply.body).unwrap();
        assert_eq!((reply.status(), reply.correlation_id.as_deref()), (Some(400), Some(what)));
        assert_eq!(problem["code"], "invalid-request", "{what}");

        publisher.publish("", office.name.as_bytes(), &properties(bad), &body).await;
        let letter = next(&mut dead).await;
        assert_eq!(letter.headers.text("x-gateway-code"), Some("invalid-request"), "{what}");
        assert!(letter.headers.text(Message::UNREADABLE).is_some(), "{what}: {:?}", letter.headers);
        assert_eq!(letter.body, body, "{what}");
    }
    // Without a readable `correlation_id`, the reply has none.
    let call = vec![(CORRELATION_ID, short(b"\xff")), (REPLY_TO, short(reply_to.as_bytes()))];
    publisher.publish("", office.name.as_bytes(), &properties(call), &body).await;
    let reply = taken(&mut replies).await;
    assert_eq!((reply.status(), reply.correlation_id), (Some(400), None));
    assert_eq!(office.times("a"), 0);
    assert_eq!(office.call(office.parcel("b", "well")).await.0, 200);
    assert_eq!(office.broker.stats().connections_lost, 0, "no connection was lost");
}

#[tokio::test]
async fn reply_that_cannot_be_parsed_fails_its_request_alone() {
    let Some(broker) = Broker::rabbitmq() else { return };
    let office = Office::open(&broker).await;
    let mut publisher = RawPublisher::connect(broker.url().unwrap()).await;
    let exchange: &'static str = office.name.clone().leak();
    let mut requests = office.subscribe(exchange, "#").await;
    let good = ("nothing", vec![(HEADERS, long(b"\x01xV"))]);
    for (what, bad) in unparsable().into_iter().chain([good]) {
        let request = office.http.post(office.url("/a")).send_any();
        let answered = async {
            let request = next(&mut requests).await;
            let reply_to = request.reply_to.unwrap();
            let mut reply = bad;
            reply.push((CORRELATION_ID, short(request.correlation_id.unwrap().as_bytes())));
            publisher.publish("", reply_to.as_bytes(), &properties(reply), b"done").await;
        };
        let (answer, ()) = tokio::join!(request, answered);
        let answer = answer.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        if what == "nothing" {
            assert_eq!((status, &*text), (200, "done"));
        } else {
            assert!(
                status == 502 && text.contains("\"provider-failed\""),
                "{what}: {status} {text}"
            );
        }
    }
    assert_eq!(office.broker.stats().connections_lost, 0, "no connection was lost");
}

#[tokio::test]
async fn routing_key_that_is_not_utf_8_is_received_with_question_marks() {
    let Some(broker) = Broker::rabbitmq() else { return };
    let office = Office::open(&broker).await;
    let mut publisher = RawPublisher::connect(broker.url().unwrap()).await;
    let exchange: &'static str = office.name.clone().leak();
    let mut events = office.subscribe(exchange, "#").await;
    publisher.publish(exchange, b"a.\xff\xfe.\xc3\xa4", &properties(vec![]), b"an event").await;
    let event = next(&mut events).await;
    assert_eq!((&*event.routing_key, &event.body[..]), ("a.??.\u{e4}", &b"an event"[..]));

    // A queue of calls that is bound to a foreign exchange.
    let connection =
        Connection::connect(broker.url().unwrap(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let fanout = format!("{}.fanout", office.name);
    let options = ExchangeDeclareOptions { auto_delete: true, ..ExchangeDeclareOptions::default() };
    let declared = channel.exchange_declare(
        fanout.as_str().into(),
        ExchangeKind::Fanout,
        options,
        FieldTable::default(),
    );
    declared.await.unwrap();
    let queue = office.name.as_str().into();
    let bound = channel.queue_bind(
        queue,
        fanout.as_str().into(),
        "".into(),
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    bound.await.unwrap();
    publisher
        .publish(&fanout, b"\xff", &properties(vec![]), &office.parcel("a", "well").body)
        .await;
    until("the job is done", || office.times("a") == 1).await;
    assert_eq!(office.broker.stats().connections_lost, 0, "no connection was lost");
}

/// Returns properties that fill a frame, with a `reply_to` that the broker makes longer.
fn full_frame() -> Vec<u8> {
    let others = vec![(REPLY_TO, short(b"amq.rabbitmq.reply-to")), (EXPIRATION, short(b"20000"))];
    // The frame's head and end, and the bytes before the properties.
    let rest = 8 + 12 + properties(others.clone()).len();
    let room = FRAME_MAX - rest - 4 - 2 - 5;
    let headers = long(&[&b"\x01xS"[..], &long(&vec![b'x'; room])].concat());
    properties([others, vec![(HEADERS, headers)]].concat())
}

#[tokio::test]
async fn frame_that_the_broker_makes_too_long_ends_its_call_alone() {
    let Some(broker) = Broker::rabbitmq() else { return };
    let office = Office::open(&broker).await;
    let mut publisher = RawPublisher::connect(broker.url().unwrap()).await;
    publisher.consume_replies().await;
    publisher
        .publish("", office.name.as_bytes(), &full_frame(), &office.parcel("a", "well").body)
        .await;
    let problem: Value = serde_json::from_slice(&publisher.reply().await).unwrap();
    assert_eq!((&problem["status"], &problem["code"]), (&400.into(), &"invalid-request".into()));
    assert_eq!((office.times("a"), office.broker.stats().connections_lost), (0, 0));
}

#[tokio::test]
async fn dead_letter_that_does_not_fit_into_a_frame_leaves_its_header_fields_behind() {
    let Some(broker) = Broker::rabbitmq() else { return };
    let office = Office::open(&broker).await;
    let mut dead = office.dead_letters().await;
    let mut job = Message { body: "no JSON".into(), ..Message::to_queue(office.name.clone()) };
    job.headers.add("x-long", MessageHeader::from("x".repeat(130_400)));
    job.headers.add("x-short", "y");
    office.broker.publish(job).await.unwrap();
    let letter = next(&mut dead).await;
    assert_eq!(letter.headers.text("x-gateway-code"), Some("invalid-request"));
    assert!(
        letter.headers.get("x-long").is_none()
            && letter.headers.text(Message::UNREADABLE).is_some()
    );
    assert_eq!(letter.body, "no JSON");
}
