//! The topology that the gateway has declared, and restores when it was deleted at run time: call
//! queues with their retry and dead-letter queues, and topic exchanges for events.
//!
//! A returned message to a declared exchange or queue triggers a restore, once for all messages
//! that wait for it. A deletion that no returned message reveals, such as that of a dead-letter
//! queue whose exchange has other subscribers, is repaired by a periodic restore.

use arc_swap::ArcSwap;
use tokio::{sync::Mutex, time::Instant};

use crate::bus::{
    BusError, CallQueue, ShortStr,
    amqp::{connection::AmqpConnection, declare},
};

/// A declared part of the topology.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Declaration {
    /// A call queue with its retry queues and its dead-letter queue.
    Calls(CallQueue),
    /// A topic exchange.
    Topic(ShortStr),
}

impl Declaration {
    /// Returns whether a message with this exchange and routing key needs the declaration.
    fn includes(&self, exchange: &str, key: &str) -> bool {
        match self {
            Self::Topic(name) => exchange == name,
            Self::Calls(calls) if exchange == CallQueue::DEAD_LETTERS => key == calls.name,
            Self::Calls(calls) => {
                let beside = key.strip_prefix(&*calls.name).filter(|_| exchange.is_empty());
                beside.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            }
        }
    }

    /// Declares it on a channel of its own: a mismatch with an existing declaration closes the
    /// channel.
    async fn declare(&self, wire: &AmqpConnection) -> Result<(), BusError> {
        let failed = |error| declare::failed(&error, "a channel");
        let channel = wire.connection().create_channel().await.map_err(failed)?;
        match self {
            Self::Calls(calls) => declare::calls(&channel, calls).await?,
            Self::Topic(name) => declare::topic_exchange(&channel, name).await?,
        }
        // A channel that fails to close ends with its connection.
        let _ = channel.close(200, "OK".into()).await;
        Ok(())
    }
}

/// The start and the result of the last restore.
struct Round {
    began: Instant,
    ended: Result<(), BusError>,
}

/// The declarations of a gateway.
#[derive(Default)]
pub(super) struct DeclaredTopology {
    all: ArcSwap<Vec<Declaration>>,
    last: Mutex<Option<Round>>,
}

impl DeclaredTopology {
    /// Adds a declaration.
    pub(super) fn add(&self, declaration: &Declaration) {
        self.all.rcu(|all| {
            let mut all = Vec::clone(all);
            if !all.contains(declaration) {
                all.push(declaration.clone());
            }
            all
        });
    }

    /// Declares a topic exchange, and keeps it declared.
    pub(super) async fn declare_topic(
        &self,
        wire: &AmqpConnection,
        exchange: ShortStr,
    ) -> Result<(), BusError> {
        self.declare(wire, Declaration::Topic(exchange)).await
    }

    /// Declares a call queue, and keeps it declared.
    pub(super) async fn declare_calls(
        &self,
        wire: &AmqpConnection,
        queue: CallQueue,
    ) -> Result<(), BusError> {
        self.declare(wire, Declaration::Calls(queue)).await
    }

    async fn declare(
        &self,
        wire: &AmqpConnection,
        declaration: Declaration,
    ) -> Result<(), BusError> {
        declaration.declare(wire).await?;
        self.add(&declaration);
        Ok(())
    }

    /// Returns whether a message with this exchange and routing key needs a declaration of this
    /// gateway.
    pub(super) fn includes(&self, exchange: &str, key: &str) -> bool {
        self.all.load().iter().any(|declaration| declaration.includes(exchange, key))
    }

    /// Declares everything again, unless another task has started to do so since `missed`.
    pub(super) async fn restore(
        &self,
        wire: &AmqpConnection,
        missed: Instant,
    ) -> Result<(), BusError> {
        let mut last = self.last.lock().await;
        if let Some(round) = last.as_ref().filter(|round| round.began >= missed) {
            return round.ended.clone();
        }
        let began = Instant::now();
        let mut ended = Ok(());
        for declaration in self.all.load_full().iter() {
            ended = declaration.declare(wire).await.and(ended);
        }
        *last = Some(Round { began, ended: ended.clone() });
        ended
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.load().is_empty()
    }
}
