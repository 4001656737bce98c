//! The channel for calls to one exchange, and for their replies.
//!
//! The broker closes a channel that publishes to an exchange which does not exist or is deleted, so
//! each exchange has a channel of its own. Replies use direct reply-to, which requires that a call
//! is published on the channel that consumes its reply.

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

use futures_util::{Stream, StreamExt, future::BoxFuture, stream::FuturesUnordered};
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
            confirms::{ConfirmQueue, UnconfirmedPublish},
            connection::AmqpConnection,
            convert::{self, PublishRequest},
        },
        pending_calls::{CorrelationId, MatchedReply, PendingCalls, ReplyCounters, ReplyFuture},
    },
};

/// The pseudo-queue of RabbitMQ's direct reply-to.
const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// A channel for calls to one exchange.
pub(super) struct CallChannel {
    channel: Channel,
    pending: Arc<PendingCalls>,
    unconfirmed: Arc<ConfirmQueue>,
    wire: Arc<AmqpConnection>,
}

impl CallChannel {
    /// Opens the channel, if the exchange exists.
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
        let pending = Arc::new(PendingCalls::counted(counts));
        let unconfirmed = Arc::<ConfirmQueue>::default();
        let run = ChannelTask {
            pending: Arc::clone(&pending),
            unconfirmed: Arc::clone(&unconfirmed),
            published,
            answers,
            confirmed: FuturesUnordered::new(),
            arrived: WakeBatches::default(),
        };
        tokio::spawn(run.run(Arc::clone(&wire)));
        Ok(Arc::new(Self { channel, pending, unconfirmed, wire }))
    }

    /// Returns whether no call waits for a reply.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn is_open(&self) -> bool {
        self.channel.status().connected() && !self.unconfirmed.is_closed()
    }

    /// Sends a call that expires after `left`.
    pub(super) fn send(
        self: &Arc<Self>,
        mut message: Message,
        left: Duration,
    ) -> Result<ReplyFuture, BusError> {
        if self.wire.is_blocked() {
            return Err(BusError::new(BusErrorKind::Blocked, "RabbitMQ blocks the connection"));
        }
        let waiting = self.pending.begin(Some(WakeQueue::current()));
        message.expiration = Some(left);
        message.reply_to = Some(REPLY_TO.into());
        message.correlation_id = Some(waiting.id().text().into());
        let message = PublishRequest::new(message, self.wire.largest_frame())?;
        let publishing = Arc::clone(self).publish(message);
        self.unconfirmed.send(waiting.id(), publishing).map_err(|_| ended())?;
        Ok(waiting)
    }

    fn publish(
        self: Arc<Self>,
        message: PublishRequest,
    ) -> BoxFuture<'static, lapin::Result<Confirmation>> {
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
        // Every waiting call holds this channel, so none waits now.
        self.unconfirmed.close();
    }
}

/// The error of a call that was not sent because the channel has ended.
fn ended() -> BusError {
    BusError::new(BusErrorKind::Disconnected, "the channel to RabbitMQ ended")
}

async fn prepare(channel: &Channel, exchange: &ShortStr) -> lapin::Result<Consumer> {
    if !exchange.is_empty() {
        let passive = ExchangeDeclareOptions { passive: true, ..ExchangeDeclareOptions::default() };
        // A passive declaration accepts an exchange of any kind.
        let name = exchange.as_ref().into();
        channel
            .exchange_declare(name, ExchangeKind::Direct, passive, FieldTable::default())
            .await?;
    }
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    channel.basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default()).await
}

/// Returns the error for a closed channel that published to an exchange. The outcome of what was
/// published is unknown.
pub(super) fn failed(error: &lapin::Error, exchange: &str) -> BusError {
    if let ErrorKind::ProtocolError(protocol_error) = error.kind()
        && let AMQPErrorKind::Soft(soft) = protocol_error.kind()
    {
        match soft {
            AMQPSoftError::NOTFOUND => {
                return BusError::new(
                    BusErrorKind::Unroutable,
                    format!("no exchange `{exchange}` exists"),
                );
            }
            AMQPSoftError::ACCESSREFUSED => {
                return BusError::new(
                    BusErrorKind::Unroutable,
                    protocol_error.get_message().to_string(),
                );
            }
            AMQPSoftError::PRECONDITIONFAILED | AMQPSoftError::CONTENTTOOLARGE => {
                return BusError::new(
                    BusErrorKind::InvalidMessage,
                    protocol_error.get_message().to_string(),
                );
            }
            _ => {}
        }
    }
    lost(error)
}

/// The task that receives the replies and confirms of a call channel.
struct ChannelTask {
    pending: Arc<PendingCalls>,
    unconfirmed: Arc<ConfirmQueue>,
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
        self.arrived.send(MatchedReply::deliver);
        // The queue is closed first, so that no call begins to wait after all have failed.
        self.unconfirmed.close();
        self.pending.fail_all(&why);
    }

    /// Handles all replies and confirms that are ready. Ready with the reason when the channel has
    /// ended.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<BusError> {
        while let Poll::Ready(answer) = self.answers.poll_next_unpin(context) {
            match answer {
                Some(Ok(answer)) => self.answer(answer),
                Some(Err(error)) => return Poll::Ready(lost(&error)),
                None => return Poll::Ready(closed()),
            }
        }
        self.arrived.send(MatchedReply::deliver);
        if self.unconfirmed.take(context.waker(), |sent| self.confirmed.push(sent)).is_err() {
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
        match arrived.wake_queue() {
            Some(wake_queue) => self.arrived.add(wake_queue.clone(), arrived),
            None => arrived.deliver(),
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
                        "RabbitMQ nacked the message: a queue is full",
                    ),
                );
                returned
            }
            Ok(Confirmation::NotRequested) => None,
            Err(error) => {
                self.pending.fail(id, lost(&error));
                None
            }
        };
        if let Some(returned) = returned {
            self.unroutable(&returned);
        }
    }

    /// Fails the call of a returned message. The library attaches returned messages to any confirm,
    /// so the correlation id identifies the call.
    fn unroutable(&self, returned: &BasicReturnMessage) {
        let id = returned
            .properties
            .correlation_id()
            .as_ref()
            .and_then(|id| CorrelationId::parse(id.as_str()));
        if let Some(id) = id {
            self.pending.fail(
                id,
                BusError::new(
                    BusErrorKind::Unroutable,
                    "unroutable: no queue is bound to this routing key",
                ),
            );
        }
    }
}

fn closed() -> BusError {
    BusError::new(BusErrorKind::ChannelLost, "the channel to RabbitMQ was closed")
}

fn lost(error: &lapin::Error) -> BusError {
    BusError::new(BusErrorKind::ChannelLost, format!("the channel to RabbitMQ was lost: {error}"))
        .with_source(error.clone())
}
