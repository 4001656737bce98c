//! Channels for messages without a reply: one message in flight for each channel, and as many
//! channels as needed.
//!
//! The outcome of a message is then certain, since a closed channel or a returned message concerns
//! one message only. (The library attaches a returned message to whichever confirm is next.)

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use lapin::{
    Channel, Confirmation,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use crate::bus::{
    BusError, BusErrorKind, Message,
    amqp::{call_channel::failed, connection::AmqpConnection, convert::PublishRequest},
};

/// The maximum number of messages in flight.
const MAX_IN_FLIGHT: usize = 64;

/// The channels that publish events.
pub(super) struct EventChannels {
    free: Mutex<Vec<(Arc<AmqpConnection>, Channel)>>,
    permits: Semaphore,
    published: Arc<AtomicU64>,
}

impl EventChannels {
    pub(super) fn new(published: Arc<AtomicU64>) -> Self {
        Self { free: Mutex::default(), permits: Semaphore::new(MAX_IN_FLIGHT), published }
    }

    /// Publishes a message, and waits until it is confirmed.
    pub(super) async fn publish(
        &self,
        wire: Arc<AmqpConnection>,
        message: Message,
        deadline: Instant,
    ) -> Result<(), BusError> {
        let mandatory = message.mandatory;
        let message = PublishRequest::new(message, wire.largest_frame())?;
        let late = |_| {
            BusError::new(BusErrorKind::Disconnected, "too many messages wait for their confirms")
        };
        let permit = timeout_at(deadline, self.permits.acquire()).await.map_err(late)?;
        // The semaphore is never closed.
        let _permit =
            permit.map_err(|_| BusError::new(BusErrorKind::Disconnected, "the bus was closed"))?;
        if wire.is_blocked() {
            return Err(BusError::new(BusErrorKind::Blocked, "RabbitMQ blocks the connection"));
        }
        let exchange = message.exchange.as_str().to_owned();
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
                "RabbitMQ did not confirm the message in time",
            ))
        };
        let publishing = async {
            publish(&channel, message, mandatory).await.map_err(|error| failed(&error, &exchange))
        };
        let confirmation = timeout_at(deadline, publishing).await.unwrap_or_else(unconfirmed)?;
        self.free().push((wire, channel));
        match confirmation {
            Confirmation::Ack(None) | Confirmation::NotRequested => {
                self.published.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Confirmation::Ack(Some(_)) | Confirmation::Nack(Some(_)) => Err(BusError::new(
                BusErrorKind::Unroutable,
                "unroutable: no queue is bound to this routing key",
            )),
            Confirmation::Nack(None) => Err(BusError::new(
                BusErrorKind::Nacked,
                "RabbitMQ nacked the message: a queue is full",
            )),
        }
    }

    async fn channel(&self, wire: &Arc<AmqpConnection>) -> Result<Channel, BusError> {
        let free = self.take(wire);
        if let Some(channel) = free {
            return Ok(channel);
        }
        let away = |error| {
            BusError::new(
                BusErrorKind::Disconnected,
                format!("RabbitMQ did not open a channel: {error}"),
            )
        };
        let channel = wire.connection().create_channel().await.map_err(away)?;
        channel.confirm_select(ConfirmSelectOptions::default()).await.map_err(away)?;
        Ok(channel)
    }

    /// Takes an idle channel of this connection. Those of earlier connections have ended and are
    /// dropped.
    fn take(&self, wire: &Arc<AmqpConnection>) -> Option<Channel> {
        let mut free = self.free();
        while let Some((other, channel)) = free.pop() {
            if Arc::ptr_eq(&other, wire) && channel.status().connected() {
                return Some(channel);
            }
        }
        None
    }

    fn free(&self) -> std::sync::MutexGuard<'_, Vec<(Arc<AmqpConnection>, Channel)>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn publish(
    channel: &Channel,
    message: PublishRequest,
    mandatory: bool,
) -> lapin::Result<Confirmation> {
    let PublishRequest { exchange, key, properties, body } = message;
    let options = BasicPublishOptions { mandatory, immediate: false };
    channel.basic_publish(exchange, key, options, &body, properties).await?.await
}
