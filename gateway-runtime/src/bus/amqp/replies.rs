//! Replies: all on one channel, each confirmed by itself, any number in flight.
//!
//! The default exchange always exists, so no reply can close the channel for the others, and a
//! queue that confirms nothing delays its own replies only.

use std::{
    future::poll_fn,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    task::Poll,
};

use futures_util::future::BoxFuture;
use lapin::{
    Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::time::{Instant, timeout_at};

use crate::bus::{
    BusError, BusErrorKind, Message,
    amqp::{call_channel::failed, connection::AmqpConnection, convert::PublishRequest},
};

/// The channel that publishes replies.
pub(super) struct Replies {
    open: tokio::sync::Mutex<Option<(Arc<AmqpConnection>, Channel)>>,
    /// A lock held while the library numbers a message and queues it: no other message may come
    /// between.
    turn: Mutex<()>,
    published: Arc<AtomicU64>,
}

impl Replies {
    pub(super) fn new(published: Arc<AtomicU64>) -> Self {
        Self { open: tokio::sync::Mutex::default(), turn: Mutex::default(), published }
    }

    /// Publishes a reply, and waits until it is confirmed.
    pub(super) async fn publish(
        &self,
        wire: Arc<AmqpConnection>,
        reply: Message,
        deadline: Instant,
    ) -> Result<(), BusError> {
        let reply = PublishRequest::new(reply, wire.largest_frame())?;
        if wire.is_blocked() {
            return Err(BusError::new(BusErrorKind::Blocked, "RabbitMQ blocks the connection"));
        }
        let late = |_| {
            Err(BusError::new(
                BusErrorKind::Disconnected,
                "RabbitMQ did not open a channel in time",
            ))
        };
        let channel = timeout_at(deadline, self.channel(&wire)).await.unwrap_or_else(late)?;
        let unconfirmed = |_| {
            Err(BusError::new(
                BusErrorKind::ConfirmTimeout,
                "RabbitMQ did not confirm the reply in time",
            ))
        };
        let publishing =
            async { self.send(channel, reply).await.map_err(|error| failed(&error, "")) };
        match timeout_at(deadline, publishing).await.unwrap_or_else(unconfirmed)? {
            Confirmation::Ack(None) | Confirmation::NotRequested => {
                self.published.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            // The library attaches a returned message to whichever confirm is next. Returned
            // replies are only counted, and each is attached once, so the count is right.
            Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => Err(BusError::new(
                BusErrorKind::Unroutable,
                "unroutable: the reply queue of the caller is gone",
            )),
            Confirmation::Nack(None) => Err(BusError::new(
                BusErrorKind::Nacked,
                "RabbitMQ nacked the reply: its queue is full",
            )),
        }
    }

    async fn send(&self, channel: Channel, reply: PublishRequest) -> lapin::Result<Confirmation> {
        let mut sending: BoxFuture<'_, _> = Box::pin(async move {
            let PublishRequest { exchange, key, properties, body } = reply;
            let options = BasicPublishOptions { mandatory: true, immediate: false };
            channel.basic_publish(exchange, key, options, &body, properties).await?.await
        });
        let began = {
            let first = |context: &mut std::task::Context<'_>| {
                let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
                Poll::Ready(sending.as_mut().poll(context))
            };
            poll_fn(first).await
        };
        match began {
            Poll::Ready(confirmation) => confirmation,
            Poll::Pending => sending.await,
        }
    }

    /// Returns the channel of this connection. Opens one if there is none, or it has ended.
    async fn channel(&self, wire: &Arc<AmqpConnection>) -> Result<Channel, BusError> {
        let mut open = self.open.lock().await;
        if let Some((other, channel)) = &*open
            && Arc::ptr_eq(other, wire)
            && channel.status().connected()
        {
            return Ok(channel.clone());
        }
        *open = None;
        let away = |error| {
            BusError::new(
                BusErrorKind::Disconnected,
                format!("RabbitMQ did not open a channel: {error}"),
            )
        };
        let channel = wire.connection().create_channel().await.map_err(away)?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(away)?;
        Ok(open.insert((Arc::clone(wire), channel)).1.clone())
    }
}
