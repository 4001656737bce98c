//! Publishes replies, retries and dead letters, and tries again while the broker accepts none.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep};

use crate::{
    bus::{Broker, BusErrorKind, CallsStatus, Message},
    edge::bus_consumer::retry,
};

/// The time for which a nacked reply is retried: the caller's queue is full.
const REFUSED_TIMEOUT: Duration = Duration::from_secs(1);
/// The time for which a reply is retried while the broker accepts nothing, if the message has no
/// `expiration`.
const REPLY_TIMEOUT: Duration = Duration::from_secs(30);
/// The delay before the second attempt to publish; doubles with each further attempt.
const MIN_DELAY: Duration = Duration::from_millis(50);
const MAX_DELAY: Duration = Duration::from_secs(1);

/// The publisher of what follows from a call.
#[derive(Debug)]
pub(super) struct CallPublisher {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) status: Arc<CallsStatus>,
}

impl CallPublisher {
    /// Publishes a reply. A reply that the broker refuses is dropped and counted after a bounded
    /// time (SEMANTICS §11).
    pub(super) async fn reply(&self, reply: Message, expires: Option<Instant>) {
        let began = Instant::now();
        let awaited = began + REPLY_TIMEOUT;
        let awaited = expires.map_or(awaited, |expires| expires.min(awaited));
        let mut delay = MIN_DELAY;
        loop {
            let Err(error) = self.broker.reply(reply.clone()).await else { return };
            let until = match error.kind() {
                BusErrorKind::Nacked => began + REFUSED_TIMEOUT,
                BusErrorKind::Disconnected | BusErrorKind::Blocked | BusErrorKind::ChannelLost => {
                    awaited
                }
                BusErrorKind::Unroutable
                | BusErrorKind::InvalidMessage
                | BusErrorKind::ConfirmTimeout
                | BusErrorKind::ReplyTimeout => began,
            };
            if Instant::now() + delay > until {
                tracing::info!(%error, to = &*reply.routing_key, "reply dropped");
                return self.status.drop_reply(error.kind().into());
            }
            sleep(delay).await;
            delay = (delay * 2).min(MAX_DELAY);
        }
    }

    /// Publishes a retry or a dead letter, however long that takes: the original message is
    /// acknowledged only after that.
    ///
    /// Headers that do not fit into a frame together with the gateway's are left out, otherwise the
    /// message would return for ever. Returns false if the message can never be sent.
    pub(super) async fn publish_until_confirmed(&self, mut message: Message) -> bool {
        let mut delay = MIN_DELAY;
        let mut is_whole = true;
        loop {
            let Err(error) = self.broker.publish(message.clone()).await else { return true };
            if error.kind() == BusErrorKind::InvalidMessage {
                if std::mem::take(&mut is_whole) {
                    message = retry::without_header_fields(message);
                    continue;
                }
                tracing::info!(%error, to = &*message.routing_key, "message given up");
                return false;
            }
            // Logged once for each message.
            if delay == MIN_DELAY {
                tracing::warn!(
                    %error,
                    to = &*message.routing_key,
                    "message not published; it is retried"
                );
            }
            sleep(delay).await;
            delay = (delay * 2).min(MAX_DELAY);
        }
    }
}
