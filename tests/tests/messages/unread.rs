//! Headers of a message that are read as text, and have another type: none is ignored.

use gateway_runtime::bus::MessageHeader;
use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::BasicPublishOptions,
    types::{AMQPValue, DecimalValue, FieldTable},
};
use serde_json::{Value, json};

use super::{
    office::{Broker, Office, next},
    over_each,
};

over_each! {
    integer_key_equals_its_decimal_text
    header_of_another_type_is_refused
}

async fn integer_key_equals_its_decimal_text(broker: Broker) {
    let office = Office::open(&broker).await;
    let call = |key: MessageHeader| {
        let mut call = office.parcel("a", "well");
        call.headers.add("idempotency-key", key);
        call
    };
    for key in [MessageHeader::Number(77), MessageHeader::Number(77), MessageHeader::from("77")] {
        assert_eq!(office.call(call(key)).await, (200, json!({ "times": 1 })));
    }
    assert_eq!(office.call(call(MessageHeader::Number(78))).await, (200, json!({ "times": 2 })));
}

async fn header_of_another_type_is_refused(broker: Broker) {
    let office = Office::open(&broker).await;
    let mut dead = office.dead_letters().await;
    for name in [
        "idempotency-key",
        "Idempotency-Key",
        "x-idempotency-key",
        "authorization",
        "x-api-key",
        "traceparent",
    ] {
        let mut call = office.parcel("a", "well");
        call.headers.add(name, true);
        let (status, problem) = office.call(call.clone()).await;
        assert_eq!((status, problem["code"].as_str()), (400, Some("invalid-request")), "{name}");
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&name.to_lowercase()), "{detail}");
        office.broker.publish(call).await.unwrap();
        assert_eq!(
            next(&mut dead).await.headers.text("x-gateway-code"),
            Some("invalid-request"),
            "{name}"
        );
    }
    // Headers that the gateway does not read may have any type.
    let mut call = office.parcel("b", "well");
    call.headers.add("x-of-the-sender", true);
    assert_eq!(office.call(call).await.0, 200);
    assert_eq!((office.times("a"), office.times("b")), (0, 1));
}

/// Publishes a job with this key.
async fn publish(channel: &Channel, office: &Office, key: AMQPValue) {
    let mut headers = FieldTable::default();
    headers.insert("idempotency-key".into(), key);
    let body = office.parcel("a", "well").body;
    let (exchange, key) = ("".into(), office.name.as_str().into());
    let properties = BasicProperties::default().with_headers(headers);
    let published =
        channel.basic_publish(exchange, key, BasicPublishOptions::default(), &body, properties);
    published.await.unwrap().await.unwrap();
}

#[tokio::test]
async fn every_type_of_amqp_is_a_key_or_refused() {
    let Some(broker) = Broker::rabbitmq() else { return };
    let office = Office::open(&broker).await;
    let mut dead = office.dead_letters().await;
    let connection =
        Connection::connect(broker.url().unwrap(), ConnectionProperties::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    for key in [
        AMQPValue::Boolean(false),
        AMQPValue::Float(1.0),
        AMQPValue::Double(1.0),
        AMQPValue::DecimalValue(DecimalValue { scale: 1, value: 10 }),
        AMQPValue::FieldArray(vec![AMQPValue::LongString("k".into())].into()),
        AMQPValue::FieldTable(FieldTable::default()),
        AMQPValue::Void,
        AMQPValue::LongString("two\nlines".into()),
    ] {
        publish(&channel, &office, key.clone()).await;
        let letter = next(&mut dead).await;
        assert_eq!(letter.headers.text("x-gateway-code"), Some("invalid-request"), "{key:?}");
    }
    assert_eq!(office.times("a"), 0);
    for key in [
        AMQPValue::ShortShortInt(7),
        AMQPValue::ShortInt(7),
        AMQPValue::LongInt(7),
        AMQPValue::LongUInt(7),
        AMQPValue::LongLongInt(7),
        AMQPValue::LongString("7".into()),
    ] {
        publish(&channel, &office, key).await;
    }
    let mut last = office.parcel("a", "well");
    last.headers.add("idempotency-key", "7");
    // Earlier messages may still be in flight.
    let answer = loop {
        match office.call(last.clone()).await {
            (409, _) => tokio::time::sleep(std::time::Duration::from_millis(10)).await,
            answer => break answer,
        }
    };
    assert_eq!(answer, (200, Value::from_iter([("times", 1)])));
}
