//! Declarations of exchanges, queues and bindings.

use std::time::Duration;

use lapin::{
    Channel, ErrorKind, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    protocol::{AMQPErrorKind, AMQPSoftError},
    types::{AMQPValue, FieldTable},
};

use crate::bus::{BusError, BusErrorKind, CallQueue, ShortStr, Subscription, amqp::convert::short};

/// An `x-delivery-limit` that is never reached. Without one, RabbitMQ 4 sets 20; only there does -1
/// mean no limit.
const UNLIMITED_DELIVERIES: i64 = i32::MAX as i64;

/// Declares a call queue with its retry queues and its dead-letter queue.
///
/// All are quorum queues, which survive the loss of a broker node. A retry queue retains a message
/// until the call queue has it (`at-least-once`, which requires `reject-publish`).
///
/// The call queue has no dead-letter exchange: a call that expires in it is no dead letter, and the
/// gateway itself publishes dead letters, with the reason. The broker must not limit deliveries for
/// the same reason: it would drop the message. The arguments do not depend on settings, so the
/// settings may change.
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

/// Declares a queue for new messages of a topic exchange; returns its name. The queue is deleted
/// with the connection.
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

/// Declares a durable topic exchange.
pub(super) async fn topic_exchange(channel: &Channel, name: &ShortStr) -> Result<(), BusError> {
    exchange(channel, name, ExchangeKind::Topic).await
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments
}

/// Returns the arguments of a quorum queue with a dead-letter exchange and routing key.
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

/// Returns the error for a failed declaration; `what` names the exchange or queue.
pub(super) fn failed(error: &lapin::Error, what: &str) -> BusError {
    let ErrorKind::ProtocolError(protocol_error) = error.kind() else {
        return BusError::new(
            BusErrorKind::ChannelLost,
            format!("{what} was not declared: {error}"),
        )
        .with_source(error.clone());
    };
    let detail = protocol_error.get_message();
    let failed = match protocol_error.kind() {
        AMQPErrorKind::Soft(AMQPSoftError::PRECONDITIONFAILED) => BusError::new(
            BusErrorKind::Nacked,
            format!(
                "{what} exists with other arguments than this gateway declares: {detail}\n\
                 help: stop its users, let it run empty and delete it (`rabbitmqctl \
                 delete_queue`), or use another name"
            ),
        ),
        AMQPErrorKind::Soft(_) => {
            BusError::new(BusErrorKind::Nacked, format!("{what} cannot be declared: {detail}"))
        }
        AMQPErrorKind::Hard(_) => {
            BusError::new(BusErrorKind::ChannelLost, format!("{what} was not declared: {detail}"))
        }
    };
    failed.with_source(error.clone())
}
