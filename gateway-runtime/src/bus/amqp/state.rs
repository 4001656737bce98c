//! The state of the broker: its connections, channels and declarations.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::time::{Instant, timeout_at};

use crate::bus::{
    BusError, BusErrorKind, Message,
    amqp::{
        call_channels::{CallChannels, ChannelContext},
        connection::AmqpConnection,
        convert,
        declared::DeclaredTopology,
        event_channels::EventChannels,
        reconnect::ReconnectingConnection,
        replies::Replies,
    },
    pending_calls::{ReplyCounters, ReplyFuture},
};

pub(super) struct AmqpState {
    pub(super) publishing: ReconnectingConnection,
    pub(super) consuming: ReconnectingConnection,
    pub(super) call_channels: ArcSwapOption<CallChannels>,
    pub(super) events: EventChannels,
    pub(super) declared: DeclaredTopology,
    pub(super) replies: Replies,
    pub(super) opening: ChannelContext,
    pub(super) confirm_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) counters: AmqpCounters,
}

#[derive(Default)]
pub(super) struct AmqpCounters {
    pub(super) calls: Arc<ReplyCounters>,
    pub(super) published: Arc<AtomicU64>,
    pub(super) received: Arc<AtomicU64>,
    pub(super) lost: Arc<AtomicU64>,
}

impl AmqpState {
    /// Publishes a message. If it is returned although its exchange or queue was declared here, the
    /// topology is restored and the message published again.
    pub(super) async fn publish(
        &self,
        message: Message,
        deadline: Instant,
    ) -> Result<(), BusError> {
        let wire = self.publishing.now()?;
        let again = self
            .declared
            .includes(&message.exchange, &message.routing_key)
            .then(|| message.clone());
        let published = self.events.publish(Arc::clone(&wire), message, deadline).await;
        let is_missing = |error: &BusError| error.kind() == BusErrorKind::Unroutable;
        let Some(message) = again.filter(|_| published.as_ref().is_err_and(is_missing)) else {
            return published;
        };
        if let Ok(Err(error)) =
            timeout_at(deadline, self.declared.restore(&wire, Instant::now())).await
        {
            return Err(error);
        }
        self.events.publish(wire, message, deadline).await
    }

    /// Sends a call on the call channel of its exchange.
    pub(super) async fn send(
        &self,
        message: Message,
        deadline: Instant,
    ) -> Result<ReplyFuture, BusError> {
        if message.exchange.len() > Message::MAX_NAME_BYTES {
            return Err(convert::too_long());
        }
        let channel = self.call_channels(self.publishing.now()?).get(&message.exchange).await?;
        channel.send(message, deadline.saturating_duration_since(Instant::now()))
    }

    /// Returns the call channels of the current connection.
    fn call_channels(&self, wire: Arc<AmqpConnection>) -> Arc<CallChannels> {
        let call_channels = self.call_channels.load();
        if let Some(call_channels) = &*call_channels
            && call_channels.belongs_to(&wire)
        {
            return Arc::clone(call_channels);
        }
        let new = Arc::new(CallChannels::new(wire, self.opening.clone()));
        // Of concurrent callers, all use the channels of the first.
        let before = self.call_channels.compare_and_swap(&call_channels, Some(Arc::clone(&new)));
        match &*before {
            Some(others) if others.belongs_to(new.wire()) => Arc::clone(others),
            _ => new,
        }
    }

    pub(super) async fn reply_to(
        &self,
        mut waiting: ReplyFuture,
        deadline: Instant,
    ) -> Result<Message, BusError> {
        let confirmed = deadline.min(Instant::now() + self.confirm_timeout);
        if let Ok(answer) = timeout_at(confirmed, &mut waiting).await {
            return answer;
        }
        if !waiting.is_confirmed() {
            return Err(BusError::new(
                BusErrorKind::ConfirmTimeout,
                "RabbitMQ did not confirm the message in time",
            ));
        }
        let late = |_| Err(BusError::new(BusErrorKind::ReplyTimeout, "no reply in time"));
        timeout_at(deadline, waiting).await.unwrap_or_else(late)
    }
}
