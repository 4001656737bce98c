//! The channel by which calls go to one exchange, and their answers come back.
//!
//! An exchange that does not exist, or is deleted, ends the channel of whoever publishes there; so each has a channel
//! of its own. Answers come by direct reply-to, which takes the channel that the question went by.

use std::{
    future::{Future, ready},
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use lapin::{
    Channel, Confirmation, Consumer, ErrorKind, ExchangeKind,
    message::BasicReturnMessage,
    options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, ExchangeDeclareOptions},
    protocol::{AMQPErrorKind, AMQPSoftError},
    types::FieldTable,
};
use tokio::sync::mpsc;

use super::{
    connect::Wire,
    convert::{self, Outgoing},
};
use crate::bus::{
    BusError, Fault, Message, Name,
    pending::{CallId, Counts, Pending, Waiting},
};

/// The queue that stands for whoever publishes by the same channel.
const REPLY_TO: &str = "amq.rabbitmq.reply-to";

/// The channel by which calls go to one exchange.
pub(super) struct Lane {
    channel: Channel,
    pending: Arc<Pending>,
    sent: mpsc::UnboundedSender<Sent>,
    /// Held while a message is numbered and queued to be sent: the library does the two one after the other.
    order: Mutex<()>,
    wire: Arc<Wire>,
}

/// A message that was handed to the library, and what the broker says to it.
struct Sent {
    id: CallId,
    confirmed: Confirmed,
}

type Confirmed = Pin<Box<dyn Future<Output = lapin::Result<Confirmation>> + Send>>;

impl Lane {
    /// Opens the channel, if there is such an exchange.
    pub(super) async fn open(
        wire: Arc<Wire>,
        exchange: &Name,
        counts: Arc<Counts>,
        published: Arc<AtomicU64>,
    ) -> Result<Arc<Self>, BusError> {
        let channel = wire.connection().create_channel().await.map_err(|error| failed(&error, exchange))?;
        let answers = prepare(&channel, exchange).await.map_err(|error| failed(&error, exchange))?;
        let (sent, confirms) = mpsc::unbounded_channel();
        let pending = Arc::new(Pending::counted(counts));
        let lane = Arc::new(Self { channel, pending: Arc::clone(&pending), sent, order: Mutex::new(()), wire });
        let run = Run { pending, confirms, published, confirmed: FuturesUnordered::new() };
        tokio::spawn(run.until_it_ends(answers, Arc::clone(&lane.wire)));
        Ok(lane)
    }

    /// Whether nobody waits for an answer.
    pub(super) fn is_idle(&self) -> bool {
        self.pending.is_empty()
    }

    pub(super) fn is_open(&self) -> bool {
        self.channel.status().connected() && !self.sent.is_closed()
    }

    /// Sends a call that has so long to live.
    pub(super) fn send(self: &Arc<Self>, mut message: Message, left: Duration) -> Result<Waiting, BusError> {
        if self.wire.is_blocked() {
            return Err(BusError::new(Fault::Blocked, "RabbitMQ takes no messages now"));
        }
        let waiting = self.pending.begin();
        message.expiration = Some(left);
        (message.reply_to, message.correlation_id) = (Some(REPLY_TO.into()), Some(waiting.id().text().into()));
        let message = Outgoing::new(message, self.wire.largest_frame())?;
        let mut confirmed = Arc::clone(self).publish(message);
        let polled = {
            let _order = self.order.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever waits for the confirmation will ask again, to be woken.
            confirmed.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        };
        let confirmed = match polled {
            Poll::Pending => confirmed,
            Poll::Ready(Err(_)) => return Err(ended()),
            // The thread of the connection and the broker were faster than we.
            Poll::Ready(confirmation) => Box::pin(ready(confirmation)),
        };
        self.sent.send(Sent { id: waiting.id(), confirmed }).map_err(|_| ended())?;
        Ok(waiting)
    }

    fn publish(self: Arc<Self>, message: Outgoing) -> Confirmed {
        Box::pin(async move {
            let Outgoing { exchange, key, properties, body } = message;
            let options = BasicPublishOptions { mandatory: true, immediate: false };
            let written = self.channel.basic_publish(exchange, key, options, &body, properties).await?;
            drop((body, self));
            written.await
        })
    }
}

/// Nothing was sent.
fn ended() -> BusError {
    BusError::new(Fault::Away, "the channel to RabbitMQ has just ended")
}

async fn prepare(channel: &Channel, exchange: &Name) -> lapin::Result<Consumer> {
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
                return BusError::new(Fault::Unroutable, format!("there is no exchange `{exchange}`"));
            }
            AMQPSoftError::ACCESSREFUSED => return BusError::new(Fault::Unroutable, told.get_message().to_string()),
            AMQPSoftError::PRECONDITIONFAILED | AMQPSoftError::CONTENTTOOLARGE => {
                return BusError::new(Fault::Unfit, told.get_message().to_string());
            }
            _ => {}
        }
    }
    BusError::new(Fault::Lost, format!("the channel to RabbitMQ was lost: {error}"))
}

/// What runs beside a lane.
struct Run {
    pending: Arc<Pending>,
    confirms: mpsc::UnboundedReceiver<Sent>,
    confirmed: FuturesUnordered<Sent>,
    published: Arc<AtomicU64>,
}

impl Run {
    async fn until_it_ends(mut self, mut answers: Consumer, wire: Arc<Wire>) {
        let mut ended = std::pin::pin!(wire.ended());
        let why = loop {
            tokio::select! {
                biased;
                why = &mut ended => break why,
                answer = answers.next() => match answer {
                    Some(Ok(answer)) => self.answer(answer),
                    Some(Err(error)) => break BusError::new(Fault::Lost, format!("the channel to RabbitMQ was lost: {error}")),
                    None => break BusError::new(Fault::Lost, "the channel to RabbitMQ was closed"),
                },
                Some((id, confirmation)) = self.confirmed.next() => self.confirm(id, confirmation),
                sent = self.confirms.recv() => match sent {
                    Some(sent) => self.confirmed.push(sent),
                    // Nobody sends by it any more.
                    None => return,
                },
            }
        };
        // Whoever sends from now on is told so; then nobody is left who waits.
        self.confirms.close();
        self.pending.fail_all(&why);
    }

    fn answer(&self, answer: lapin::message::Delivery) {
        let correlation = answer.properties.correlation_id().clone();
        self.pending.answer(correlation.as_ref().map(|id| id.as_str()), convert::message(answer));
    }

    fn confirm(&self, id: CallId, confirmation: lapin::Result<Confirmation>) {
        let returned = match confirmation {
            Ok(Confirmation::Ack(returned)) => {
                self.published.fetch_add(1, Ordering::Relaxed);
                self.pending.confirm(id);
                returned
            }
            Ok(Confirmation::Nack(returned)) => {
                self.pending
                    .fail(id, BusError::new(Fault::Refused, "RabbitMQ did not take the message over: a queue is full"));
                returned
            }
            Ok(Confirmation::NotRequested) => None,
            Err(error) => {
                self.pending.fail(id, BusError::new(Fault::Lost, format!("the channel to RabbitMQ was lost: {error}")));
                None
            }
        };
        if let Some(returned) = returned {
            self.unroutable(&returned);
        }
    }

    /// The library gives what was returned with any confirmation: by what it says itself it is known whose it is.
    fn unroutable(&self, returned: &BasicReturnMessage) {
        let id = returned.properties.correlation_id().as_ref().and_then(|id| CallId::parse(id.as_str()));
        if let Some(id) = id {
            self.pending.fail(id, BusError::new(Fault::Unroutable, "no queue gets what is sent there"));
        }
    }
}

/// Ready when it is confirmed.
impl Future for Sent {
    type Output = (CallId, lapin::Result<Confirmation>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.confirmed.as_mut().poll(context).map(|confirmation| (self.id, confirmation))
    }
}
