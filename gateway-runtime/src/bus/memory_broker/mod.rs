//! The in-process broker: messages reach consumers in the same process, and are lost when it ends.

mod state;

use std::sync::{Arc, atomic::Ordering};

use futures_util::future::BoxFuture;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};

use crate::bus::{
    Broker, BrokerStats, BusError, BusErrorKind, CallQueue, Deliveries, Message, ShortStr,
    Subscription,
    memory_broker::state::{MemoryState, REPLY_TO, Topic},
};

/// The in-process broker. Clones share one state.
#[derive(Clone, Debug, Default)]
pub struct MemoryBroker(Arc<MemoryState>);

impl Broker for MemoryBroker {
    fn publish(&self, message: Message) -> BoxFuture<'static, Result<(), BusError>> {
        let published = self.0.publish(message);
        Box::pin(async move { published })
    }

    fn reply(&self, message: Message) -> BoxFuture<'static, Result<(), BusError>> {
        self.publish(message)
    }

    fn call(
        &self,
        mut message: Message,
        deadline: Instant,
    ) -> BoxFuture<'static, Result<Message, BusError>> {
        let waiting = self.0.pending.begin(None);
        message.mandatory = true;
        message.expiration = Some(deadline.saturating_duration_since(Instant::now()));
        message.reply_to = Some(REPLY_TO.into());
        message.correlation_id = Some(waiting.id().text().into());
        let published = self.0.publish(message);
        Box::pin(async move {
            published?;
            let late = |_| Err(BusError::new(BusErrorKind::ReplyTimeout, "no reply in time"));
            timeout_at(deadline, waiting).await.unwrap_or_else(late)
        })
    }

    fn declare_topic(&self, _: ShortStr) -> BoxFuture<'static, Result<(), BusError>> {
        Box::pin(async { Ok(()) })
    }

    fn declare(&self, queue: &CallQueue) -> BoxFuture<'static, Result<(), BusError>> {
        self.0.state().declare(queue);
        Box::pin(async { Ok(()) })
    }

    fn consume(
        &self,
        subscription: Subscription,
    ) -> BoxFuture<'static, Result<Deliveries, BusError>> {
        let deliveries = match subscription {
            Subscription::Calls(calls) => self.0.consume(&calls),
            Subscription::Topic { exchange, pattern } => {
                let (sender, received) = mpsc::channel(Subscription::TOPIC_BACKLOG);
                self.0.state().topics.push(Topic { exchange, pattern, deliveries: sender });
                Deliveries::new(received)
            }
        };
        Box::pin(async move { Ok(deliveries) })
    }

    fn state(&self) -> Result<(), BusError> {
        Ok(())
    }

    fn stats(&self) -> BrokerStats {
        let MemoryState { pending, published, received, .. } = &*self.0;
        let mut stats = BrokerStats {
            published: published.load(Ordering::Relaxed),
            received: received.load(Ordering::Relaxed),
            ..BrokerStats::default()
        };
        pending.add_to(&mut stats);
        stats
    }

    fn close(&self) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }
}
