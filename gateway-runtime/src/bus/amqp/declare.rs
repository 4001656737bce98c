//! What is declared before it is consumed.

use std::time::Duration;

use lapin::{
    Channel, ErrorKind, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    protocol::{AMQPErrorKind, AMQPSoftError},
    types::{AMQPValue, FieldTable},
};

use crate::bus::{BusError, BusErrorKind, CallQueue, ShortStr, Subscription, amqp::convert::short};

/// As good as no limit. RabbitMQ 4 has one of 20 where none is set, and only there means -1 that there is none.
const UNLIMITED_DELIVERIES: i64 = i32::MAX as i64;

/// A queue of calls, with those beside it.
///
/// All are quorum queues: they survive the loss of a broker. What leaves a retry queue for the queue of calls is kept until that one
/// has it (`at-least-once`, which goes with `reject-publish`). The queue of calls itself has no dead-letter exchange: a call that
/// expires there is no dead letter, and what is one the gateway publishes, with the reason. For the same cause the broker is not to
/// count deliveries, which it would end by dropping the message; the arguments do not depend on settings, so those may change.
pub(super) async fn calls(channel: &Channel, calls: &CallQueue) -> Result<(), BusError> {
    let dead = calls.dead_letter_queue();
    topic_exchange(channel, &ShortStr::from(CallQueue::DEAD_LETTERS)).await?;
    queue(channel, &dead, quorum()).await?;
    bind(channel, &dead, &ShortStr::from(CallQueue::DEAD_LETTERS), &calls.name).await?;
    let mut arguments = quorum();
    arguments.insert("x-overflow".into(), AMQPValue::LongString("reject-publish".into()));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongLongInt(UNLIMITED_DELIVERIES));
    queue(channel, &calls.name, arguments).await?;
    for delay in &calls.delays {
        let mut arguments = on_death("", &calls.name);
        arguments.insert("x-message-ttl".into(), AMQPValue::LongLongInt(milliseconds(*delay)));
        queue(channel, &calls.retry_queue(*delay), arguments).await?;
    }
    Ok(())
}

/// A queue for what is published to a topic exchange from now on, which goes with its channel's connection; its name.
pub(super) async fn topic(
    channel: &Channel,
    exchange: &ShortStr,
    pattern: &ShortStr,
) -> Result<ShortStr, BusError> {
    topic_exchange(channel, exchange).await?;
    let options = QueueDeclareOptions {
        exclusive: true,
        auto_delete: true,
        ..QueueDeclareOptions::default()
    };
    let mut arguments = FieldTable::default();
    let most = i64::try_from(Subscription::TOPIC_BACKLOG).unwrap_or(i64::MAX);
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(most));
    let declared = channel.queue_declare("".into(), options, arguments).await;
    let queue = declared.map_err(|error| failed(&error, "a queue"))?;
    let name = ShortStr::from(queue.name().as_str().to_owned());
    bind(channel, &name, exchange, pattern).await?;
    Ok(name)
}

/// A durable topic exchange.
pub(super) async fn topic_exchange(channel: &Channel, name: &ShortStr) -> Result<(), BusError> {
    exchange(channel, name, ExchangeKind::Topic).await
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments
}

/// A quorum queue from which what dies goes on to an exchange.
fn on_death(exchange: &str, key: &ShortStr) -> FieldTable {
    let mut arguments = quorum();
    let mut set = |name: &str, value: &str| {
        arguments.insert(name.into(), AMQPValue::LongString(value.into()));
    };
    set("x-dead-letter-exchange", exchange);
    set("x-dead-letter-routing-key", key);
    set("x-dead-letter-strategy", "at-least-once");
    set("x-overflow", "reject-publish");
    arguments
}

fn milliseconds(delay: Duration) -> i64 {
    i64::try_from(delay.as_millis()).unwrap_or(i64::MAX)
}

async fn exchange(channel: &Channel, name: &ShortStr, kind: ExchangeKind) -> Result<(), BusError> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared =
        channel.exchange_declare(short(name.clone())?, kind, options, FieldTable::default()).await;
    declared.map_err(|error| failed(&error, &format!("the exchange `{name}`")))
}

async fn queue(channel: &Channel, name: &ShortStr, arguments: FieldTable) -> Result<(), BusError> {
    let options = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let declared = channel.queue_declare(short(name.clone())?, options, arguments).await;
    declared.map(drop).map_err(|error| failed(&error, &format!("the queue `{name}`")))
}

async fn bind(
    channel: &Channel,
    queue: &ShortStr,
    exchange: &ShortStr,
    key: &ShortStr,
) -> Result<(), BusError> {
    let (queue, exchange, key) =
        (short(queue.clone())?, short(exchange.clone())?, short(key.clone())?);
    let bound = channel
        .queue_bind(queue, exchange, key, QueueBindOptions::default(), FieldTable::default())
        .await;
    bound.map_err(|error| failed(&error, "a binding"))
}

/// What it means that something was not declared.
pub(super) fn failed(error: &lapin::Error, what: &str) -> BusError {
    let ErrorKind::ProtocolError(told) = error.kind() else {
        return BusError::new(
            BusErrorKind::ChannelLost,
            format!("{what} was not declared: {error}"),
        );
    };
    let detail = told.get_message();
    match told.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => BusError::new(
            BusErrorKind::Nacked,
            format!(
                "{what} exists with other arguments than this gateway declares: {detail}\nhelp: an older gateway, another program or \
                 other settings declared it; stop who uses it, let it run empty, and delete it (`rabbitmqctl delete_queue`), or use \
                 another name"
            ),
        ),
        AMQPErrorKind::Soft(_) => BusError::new(
            BusErrorKind::Nacked,
            format!("{what} cannot be declared. RabbitMQ says: {detail}"),
        ),
        AMQPErrorKind::Hard(_) => {
            BusError::new(BusErrorKind::ChannelLost, format!("{what} was not declared: {detail}"))
        }
    }
}
