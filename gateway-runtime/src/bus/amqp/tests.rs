//! Tests of RabbitMQ alone.

use std::time::Duration;

use lapin::{
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};
use tokio::{
    io::AsyncReadExt,
    net::{TcpListener, TcpStream},
    time::{Instant, timeout},
};

use crate::{
    base::secret::Secret,
    bus::{
        Broker, BusErrorKind, BusSettings, CallQueue, Message, ShortStr, Subscription,
        amqp::{AmqpBroker, address::Address, connection::AmqpConnection, convert},
    },
};

const LONG: Duration = Duration::from_secs(20);

fn settings() -> BusSettings {
    BusSettings { connect_timeout: Duration::from_millis(500), ..BusSettings::default() }
}

async fn refused(url: &str) -> String {
    let error = AmqpBroker::open(&Secret::new(url), &settings()).await.err();
    let error = error.unwrap_or_else(|| panic!("{url} was let in")).to_string();
    assert!(
        error.contains("[bus]") && error.contains("amqp") && !error.contains("s3cret"),
        "{error}"
    );
    error
}

fn url() -> Option<String> {
    let url = std::env::var("TEST_AMQP_URL").ok();
    if url.is_none() {
        eprintln!("not run: TEST_AMQP_URL is not set");
    }
    url
}

async fn broker(url: &str) -> AmqpBroker {
    AmqpBroker::open(&Secret::new(url), &BusSettings::default()).await.unwrap()
}

#[tokio::test]
async fn unusable_address_is_reported_without_its_password() {
    for url in [
        "amqp//user:s3cret@host",
        "http://user:s3cret@host",
        "s3cret",
        "amqp://user:s3cret@host:port/",
    ] {
        assert!(refused(url).await.contains("amqp://user:password@host:5672/vhost"), "{url}");
    }
    // The listener is dropped, so the port is closed.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let error = refused(&format!("amqp://user:s3cret@{free}/here")).await;
    assert!(
        error.contains("Connection refused") && error.contains("virtual host `here`"),
        "{error}"
    );
    let Some(url) = url() else { return };
    let place = url.rsplit('@').next().unwrap();
    assert!(refused(&format!("amqp://guest:s3cret@{place}")).await.contains("ACCESS_REFUSED"));
    let (host, _) = place.split_once('/').unwrap();
    assert!(refused(&format!("amqp://guest:guest@{host}/absent")).await.contains("absent"));
    assert_eq!(
        broker(&format!("amqp://{host}")).await.state(),
        Ok(()),
        "guest, and the virtual host `/`, unless said"
    );
}

#[test]
fn a_host_may_be_an_address_in_brackets() {
    let parse = |url: &str| Address::parse(&Secret::new(url), &settings()).unwrap().to_string();
    assert_eq!(parse("amqp://me:pass@[::1]:5/x"), "amqp://::1:5 (user `me`, virtual host `x`)");
    assert_eq!(parse("amqps://[::1]"), "amqps://::1:5671 (user `guest`, virtual host `/`)");
}

/// Accepts one connection.
async fn accept(listener: &TcpListener) -> TcpStream {
    timeout(LONG, listener.accept()).await.unwrap().unwrap().0
}

#[tokio::test]
async fn silent_server_fails_the_connection_after_the_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqp://{}", listener.local_addr().unwrap());
    let server = async {
        let mut heard = Vec::new();
        timeout(LONG, accept(&listener).await.read_to_end(&mut heard)).await.unwrap().unwrap();
        heard
    };
    let (error, heard) = tokio::join!(refused(&url), server);
    assert!(error.contains("no reply in time"), "{error}");
    assert_eq!(heard, b"AMQP\x00\x00\x09\x01");
}

#[tokio::test]
async fn amqps_sends_nothing_in_plain_text() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("amqps://user:s3cret@localhost:{}", listener.local_addr().unwrap().port());
    let server = async {
        let mut heard = Vec::new();
        timeout(LONG, accept(&listener).await.read_to_end(&mut heard)).await.unwrap().unwrap();
        heard
    };
    let heard = tokio::join!(refused(&url), server).1;
    assert_eq!(heard.first(), Some(&0x16), "a TLS handshake");
    assert!(!heard.windows(4).any(|window| window == b"AMQP"));
}

#[tokio::test]
async fn queue_with_other_arguments_is_reported() {
    let Some(url) = url() else { return };
    let broker = broker(&url).await;
    let name = format!("test.declared.{:016x}", fastrand::u64(..));
    let queue =
        CallQueue { name: name.clone().into(), prefetch: 1, delivery_limit: 1, delays: vec![] };
    let _deliveries = broker.consume(Subscription::Calls(queue.clone())).await.unwrap();
    // The gateway applies `delivery_limit` itself, so it is no argument of the queue and may
    // change.
    broker.consume(Subscription::Calls(CallQueue { delivery_limit: 2, ..queue })).await.unwrap();

    // The declaration of older gateways.
    let older: ShortStr = format!("{name}.older").into();
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert(
        "x-dead-letter-exchange".into(),
        AMQPValue::LongString(CallQueue::DEAD_LETTERS.into()),
    );
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(20));
    let wire = AmqpConnection::connect(
        &Address::parse(&Secret::new(&*url), &BusSettings::default()).unwrap(),
        "test",
    )
    .await
    .unwrap();
    let channel = wire.connection().create_channel().await.unwrap();
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel
        .queue_declare(convert::short(older.clone()).unwrap(), durable, arguments)
        .await
        .unwrap();
    let queue = CallQueue { name: older.clone(), prefetch: 1, delivery_limit: 20, delays: vec![] };
    for error in [
        broker.declare(&queue).await.unwrap_err(),
        broker.consume(Subscription::Calls(queue.clone())).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), BusErrorKind::Nacked);
        let text = error.to_string();
        let first =
            format!("the queue `{older}` exists with other arguments than this gateway declares: ");
        assert!(text.starts_with(&first) && text.contains("\nhelp: "), "{text}");
    }
}

#[tokio::test]
async fn headers_larger_than_a_frame_are_refused_and_harm_no_connection() {
    let Some(url) = url() else { return };
    let broker = broker(&url).await;
    let call = |length: usize| {
        let mut message = Message::to_queue("test.absent");
        message.headers.add("x-long", "x".repeat(length));
        broker.call(message, Instant::now() + LONG)
    };
    // The largest frame has 128 KiB.
    for length in [130_000, 130_500, 130_550, 130_950, 131_072, 200_000] {
        let fault = call(length).await.unwrap_err().kind();
        assert_eq!(
            fault,
            if length < 130_520 { BusErrorKind::Unroutable } else { BusErrorKind::InvalidMessage },
            "{length}"
        );
    }
    assert_eq!(broker.stats().connections_lost, 0);
}

/// Takes the first message from a queue without consumers; waits for one.
pub(in crate::bus) async fn take(url: &Secret, queue: &ShortStr) -> Message {
    let address = Address::parse(url, &BusSettings::default()).unwrap();
    let wire = AmqpConnection::connect(&address, "test").await.unwrap();
    let channel = wire.connection().create_channel().await.unwrap();
    loop {
        let options = lapin::options::BasicGetOptions { no_ack: true };
        if let Some(got) =
            channel.basic_get(convert::short(queue.clone()).unwrap(), options).await.unwrap()
        {
            return convert::message(got.delivery);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
