//! The channel by which calls go to one exchange, and their answers come back.
//!
//! An exchange that does not exist, or is deleted, ends the channel of whoever publishes there; so each has a channel
//! of its own. Answers come by direct reply-to, which takes the channel that the question went by.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{Stream, StreamExt, stream::FuturesUnordered};
use lapin::{
    Channel, Confirmation, Consumer, ErrorKind, ExchangeKind,
    message::{BasicReturnMessage, Delivery},
    options::{
        BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions,
    },
    protocol::{AMQPErrorKind, AMQPSoftError},
    types::FieldTable,
};

use crate::{
    base::batch_wake::{WakeBatches, WakeQueue},
    bus::{
        BusError, BusErrorKind, Message, ShortStr,
        amqp::{
            confirms::{ConfirmQueue, Confirmed, UnconfirmedPublish},
            connection::AmqpConnection,
            convert::{self, PublishRequest},
        },
        pending_calls::{CorrelationId, MatchedReply, PendingCalls, ReplyCounters, ReplyFuture},
    },
};

/// The queue that stands for whoever publishes by the same channel.
const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// The channel by which calls go to one exchange.
pub(super) struct CallChannel {
    channel: Channel,
    pending: Arc<PendingCalls>,
    sents: Arc<ConfirmQueue>,
    wire: Arc<AmqpConnection>,
}

impl CallChannel {
    /// Opens the channel, if there is such an exchange.
    pub(super) async fn open(
        wire: Arc<AmqpConnection>,
        exchange: &ShortStr,
        counts: Arc<ReplyCounters>,
        published: Arc<AtomicU64>,
    ) -> Result<Arc<Self>, BusError> {
        let channel =
            wire.connection().create_channel().await.map_err(|error| failed(&error, exchange))?;
        let answers =
            prepare(&channel, exchange).await.map_err(|error| failed(&error, exchange))?;
        let (pending, sents) =
            (Arc::new(PendingCalls::counted(counts)), Arc::<ConfirmQueue>::default());
        let run = ChannelTask {
            pending: Arc::clone(&pending),
            sents: Arc::clone(&sents),
            published,
            answers,
            confirmed: FuturesUnordered::new(),
            arrived: WakeBatches::default(),
        };
        tokio::spawn(run.run(Arc::clone(&wire)));
        Ok(Arc::new(Self { channel, pending, sents, wire }))
    }

    /// Whether nobody waits for an answer.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn is_open(&self) -> bool {
        self.channel.status().connected() && !self.sents.is_closed()
    }

    /// Sends a call that has so long to live.
    pub(super) fn send(
        self: &Arc<Self>,
        mut message: Message,
        left: Duration,
    ) -> Result<ReplyFuture, BusError> {
        if self.wire.is_blocked() {
            return Err(BusError::new(BusErrorKind::Blocked, "RabbitMQ takes no messages now"));
        }
        let waiting = self.pending.begin(Some(WakeQueue::current()));
        message.expiration = Some(left);
        (message.reply_to, message.correlation_id) =
            (Some(REPLY_TO.into()), Some(waiting.id().text().into()));
        let message = PublishRequest::new(message, self.wire.largest_frame())?;
        self.sents.send(waiting.id(), Arc::clone(self).publish(message)).map_err(|_| ended())?;
        Ok(waiting)
    }

    fn publish(self: Arc<Self>, message: PublishRequest) -> Confirmed {
        Box::pin(async move {
            let PublishRequest { exchange, key, properties, body } = message;
            let options = BasicPublishOptions { mandatory: true, immediate: false };
            let written =
                self.channel.basic_publish(exchange, key, options, &body, properties).await?;
            drop((body, self));
            written.await
        })
    }
}

impl Drop for CallChannel {
    fn drop(&mut self) {
        // Whoever waits holds it; nobody is left.
        self.sents.close();
    }
}

/// Nothing was sent.
fn ended() -> BusError {
    BusError::new(BusErrorKind::Disconnected, "the channel to RabbitMQ has just ended")
}

async fn prepare(channel: &Channel, exchange: &ShortStr) -> lapin::Result<Consumer> {
    if !exchange.is_empty() {
        let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        let (name, any) = (exchange.as_ref().into(), ExchangeKind::Direct);
        channel.exchange_declare(name, any, passive, FieldTable::default()).await?;
    }
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    channel.basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default()).await
}

/// What an error of a channel that published to an exchange means; nothing is known of what was published.
pub(super) fn failed(error: &lapin::Error, exchange: &str) -> BusError {
    if let ErrorKind::ProtocolError(told) = error.kind()
        && let AMQPErrorKind::Soft(soft) = told.kind()
    {
        match soft {
            AMQPSoftError::NOTFOUND => {
                return BusError::new(
                    BusErrorKind::Unroutable,
                    format!("there is no exchange `{exchange}`"),
                );
            }
            AMQPSoftError::ACCESSREFUSED => {
                return BusError::new(BusErrorKind::Unroutable, told.get_message().to_string());
            }
            AMQPSoftError::PRECONDITIONFAILED | AMQPSoftError::CONTENTTOOLARGE => {
                return BusError::new(BusErrorKind::InvalidMessage, told.get_message().to_string());
            }
            _ => {}
        }
    }
    lost(error)
}

/// What runs beside a lane.
struct ChannelTask {
    pending: Arc<PendingCalls>,
    sents: Arc<ConfirmQueue>,
    published: Arc<AtomicU64>,
    answers: Consumer,
    confirmed: FuturesUnordered<UnconfirmedPublish>,
    arrived: WakeBatches<MatchedReply>,
}

impl ChannelTask {
    async fn run(mut self, wire: Arc<AmqpConnection>) {
        let mut ended = pin!(wire.ended());
        let why = poll_fn(|context| match ended.as_mut().poll(context) {
            Poll::Ready(why) => Poll::Ready(why),
            Poll::Pending => self.poll(context),
        })
        .await;
        self.arrived.send(MatchedReply::tell);
        // Whoever sends from now on is told so; then nobody is left who waits.
        self.sents.close();
        self.pending.fail_all(&why);
    }

    /// Does all that is to be done now; ready when the channel has ended, with the reason.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<BusError> {
        while let Poll::Ready(answer) = self.answers.poll_next_unpin(context) {
            match answer {
                Some(Ok(answer)) => self.answer(answer),
                Some(Err(error)) => return Poll::Ready(lost(&error)),
                None => return Poll::Ready(closed()),
            }
        }
        self.arrived.send(MatchedReply::tell);
        if self.sents.take(context.waker(), |sent| self.confirmed.push(sent)).is_err() {
            return Poll::Ready(closed());
        }
        while let Poll::Ready(Some((id, confirmation))) =
            Pin::new(&mut self.confirmed).poll_next(context)
        {
            self.confirm(id, confirmation);
        }
        Poll::Pending
    }

    fn answer(&mut self, answer: Delivery) {
        let Some(arrived) = self.pending.answer(convert::message(answer)) else { return };
        match arrived.home() {
            Some(home) => self.arrived.add(home.clone(), arrived),
            None => arrived.tell(),
        }
    }

    fn confirm(&self, id: CorrelationId, confirmation: lapin::Result<Confirmation>) {
        let returned = match confirmation {
            Ok(Confirmation::Ack(returned)) => {
                self.published.fetch_add(1, Ordering::Relaxed);
                self.pending.confirm(id);
                returned
            }
            Ok(Confirmation::Nack(returned)) => {
                self.pending.fail(
                    id,
                    BusError::new(
                        BusErrorKind::Nacked,
                        "RabbitMQ did not take the message over: a queue is full",
                    ),
                );
                returned
            }
            Ok(Confirmation::NotRequested) => None,
            Err(error) => {
                self.pending.fail(
                    id,
                    BusError::new(
                        BusErrorKind::ChannelLost,
                        format!("the channel to RabbitMQ was lost: {error}"),
                    ),
                );
                None
            }
        };
        if let Some(returned) = returned {
            self.unroutable(&returned);
        }
    }

    /// The library gives what was returned with any confirmation: by what it says itself it is known whose it is.
    fn unroutable(&self, returned: &BasicReturnMessage) {
        let id = returned
            .properties
            .correlation_id()
            .as_ref()
            .and_then(|id| CorrelationId::parse(id.as_str()));
        if let Some(id) = id {
            self.pending.fail(
                id,
                BusError::new(BusErrorKind::Unroutable, "no queue gets what is sent there"),
            );
        }
    }
}

fn closed() -> BusError {
    BusError::new(BusErrorKind::ChannelLost, "the channel to RabbitMQ was closed")
}

fn lost(error: &lapin::Error) -> BusError {
    BusError::new(BusErrorKind::ChannelLost, format!("the channel to RabbitMQ was lost: {error}"))
}
