//! Both ends in plain `lapin`, as a program would have them that does nothing else.

use std::{collections::HashMap, time::Instant};

use futures_util::StreamExt;
use lapin::{
    BasicProperties, Connection, ConnectionProperties,
    options::{
        BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions,
        ConfirmSelectOptions, ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions,
    },
    types::{AMQPValue, FieldTable},
};

use crate::{
    KEY, Outcome,
    ask::{Asked, is_over},
    sdk,
};

/// The queue of direct reply-to.
const ANSWERS: &str = "amq.rabbitmq.reply-to";

/// Replies to the messages of the queue, and of the exchange with the same name; each message is
/// acknowledged. A quorum queue writes each message to disk, as the gateway's queue does.
#[expect(clippy::print_stdout, reason = "it says that it is ready")]
pub(crate) async fn answer(url: &str, queue: &str, is_quorum: bool) -> Outcome<()> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    let (mut options, mut arguments) = (
        QueueDeclareOptions { auto_delete: true, ..QueueDeclareOptions::default() },
        FieldTable::default(),
    );
    if is_quorum {
        (options.auto_delete, options.durable) = (false, true);
        arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    }
    channel.queue_declare(queue.into(), options, arguments).await?;
    let gone = ExchangeDeclareOptions { auto_delete: true, ..ExchangeDeclareOptions::default() };
    channel
        .exchange_declare(queue.into(), lapin::ExchangeKind::Topic, gone, FieldTable::default())
        .await?;
    channel
        .queue_bind(
            queue.into(),
            queue.into(),
            KEY.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await?;
    channel.basic_qos(256, BasicQosOptions::default()).await?;
    let consuming = channel.basic_consume(
        queue.into(),
        "answer".into(),
        BasicConsumeOptions::default(),
        FieldTable::default(),
    );
    let mut received = consuming.await?;
    println!("ready");
    while let Some(delivery) = received.next().await {
        let delivery = delivery?;
        if let Some(to) = delivery.properties.reply_to().clone() {
            let mut properties =
                BasicProperties::default().with_content_type("application/json".into());
            if let Some(id) = delivery.properties.correlation_id().clone() {
                properties = properties.with_correlation_id(id);
            }
            let answer = br#"{"accepted":5}"#;
            channel
                .basic_publish("".into(), to, BasicPublishOptions::default(), answer, properties)
                .await?;
        }
        channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default()).await?;
    }
    Ok(())
}

/// Calls with direct reply-to, on one channel.
pub(crate) async fn ask(url: &str, queue: &str, in_flight: usize, confirms: bool) -> Outcome<()> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    if confirms {
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
    }
    let unacknowledged = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut answers = channel
        .basic_consume(ANSWERS.into(), "ask".into(), unacknowledged, FieldTable::default())
        .await?;
    let question = sdk::question()?;
    let (start, mut asked, mut open, mut next) =
        (Instant::now(), Asked::default(), HashMap::new(), 0_u64);
    let mut room = in_flight;
    while !is_over(start) {
        for _ in 0..room {
            next += 1;
            open.insert(next, Instant::now());
            let properties = BasicProperties::default()
                .with_reply_to(ANSWERS.into())
                .with_correlation_id(next.to_string().into())
                .with_content_type("application/json".into());
            let options =
                BasicPublishOptions { mandatory: confirms, ..BasicPublishOptions::default() };
            let confirm = channel
                .basic_publish("".into(), queue.into(), options, &question, properties)
                .await?;
            if confirms {
                tokio::spawn(confirm);
            }
        }
        let answer = answers.next().await.ok_or("no more answers")??;
        let id =
            answer.properties.correlation_id().as_ref().and_then(|id| id.as_str().parse().ok());
        let begun = id.and_then(|id| open.remove(&id)).ok_or("an answer to no question")?;
        asked.count(begun, start);
        room = 1;
    }
    asked.print(None)
}
