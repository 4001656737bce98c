//! What the gateway has declared, and declares again when it was deleted at run time: queues of calls with those beside them,
//! and topic exchanges that events are published to.
//!
//! A message to one of them that comes back has the declaration repeated, once for all messages that wait for it. What no
//! message reveals, such as a deleted queue of dead letters whose exchange has other subscribers, is repeated from time to time.

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep},
};

use crate::bus::{
    BusError, CallQueue, ShortStr,
    amqp::{AmqpState, connection::AmqpConnection, declare},
};

/// How often the declarations are repeated.
const REDECLARE_INTERVAL: Duration = Duration::from_secs(10);

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Declaration {
    /// A queue of calls, with those beside it.
    Calls(CallQueue),
    /// A topic exchange.
    Topic(ShortStr),
}

impl Declaration {
    /// Whether a message that is published so is for what this declares.
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

    /// Declares it, on a channel of its own: one that is otherwise declared ends its channel.
    async fn declare(&self, wire: &AmqpConnection) -> Result<(), BusError> {
        let failed = |error| declare::failed(&error, "a channel");
        let channel = wire.connection().create_channel().await.map_err(failed)?;
        match self {
            Self::Calls(calls) => declare::calls(&channel, calls).await?,
            Self::Topic(name) => declare::topic_exchange(&channel, name).await?,
        }
        // It ends with its connection otherwise.
        let _ = channel.close(200, "OK".into()).await;
        Ok(())
    }
}

/// When all of them were last declared again, and how that ended.
struct Round {
    began: Instant,
    ended: Result<(), BusError>,
}

/// All of them.
#[derive(Default)]
pub(super) struct DeclaredTopology {
    all: ArcSwap<Vec<Declaration>>,
    last: Mutex<Option<Round>>,
}

impl DeclaredTopology {
    /// Adds what has been declared.
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

    /// Declares a queue of calls, and keeps it declared.
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

    /// Whether a message that is published so is for something that was declared here.
    pub(super) fn includes(&self, exchange: &str, key: &str) -> bool {
        self.all.load().iter().any(|declaration| declaration.includes(exchange, key))
    }

    /// Declares everything again, unless another task has begun to do so since `missed`.
    pub(super) async fn restore(
        &self,
        wire: &AmqpConnection,
        missed: Instant,
    ) -> Result<(), BusError> {
        let mut last = self.last.lock().await;
        if let Some(round) = last.as_ref().filter(|round| round.began >= missed) {
            return round.ended.clone();
        }
        let (began, mut ended) = (Instant::now(), Ok(()));
        for declaration in self.all.load_full().iter() {
            ended = declaration.declare(wire).await.and(ended);
        }
        *last = Some(Round { began, ended: ended.clone() });
        ended
    }

    fn is_empty(&self) -> bool {
        self.all.load().is_empty()
    }
}

/// Declares everything again from time to time, until the broker is dropped.
pub(super) async fn keep_declared(shared: Weak<AmqpState>) {
    let mut last = Ok(());
    loop {
        sleep(REDECLARE_INTERVAL).await;
        let Some(shared) = shared.upgrade() else { return };
        let Ok(wire) = shared.publishing.now() else { continue };
        if shared.declared.is_empty() {
            continue;
        }
        let restoring = tokio::time::timeout(shared.connect_timeout, restore(&shared, wire));
        let Ok(ended) = restoring.await else { continue };
        if let Err(error) = &ended
            && ended != last
        {
            tracing::warn!(target: "gateway::bus", %error, "not declared again");
        }
        last = ended;
    }
}

async fn restore(shared: &AmqpState, wire: Arc<AmqpConnection>) -> Result<(), BusError> {
    shared.declared.restore(&wire, Instant::now()).await
}
