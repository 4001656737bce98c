//! The outbox relay: publishes stored events after their transaction is committed, and deletes them
//! when the broker has confirmed them.
//!
//! Outbox events of one ordering key leave in order (SEMANTICS §11): each is published when the
//! broker has confirmed the one before it. Keys do not wait for each other. An event that the
//! broker does not accept holds back its own key only, until the next pass.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use futures_util::future::join_all;

use crate::{
    base::duration::until_tick,
    bus::{
        BusError, BusErrorKind,
        publisher::{Publisher, event::StoredEvent},
    },
    store::{Db, OutboxBatch, StoreError},
};

/// The number of events that are read at once.
const RELAY_BATCH: i64 = 256;
/// The delay between passes while there are events.
const BUSY_POLL_INTERVAL: Duration = Duration::from_millis(5);
/// The longest delay between passes: nothing to publish, or nothing could be published, for a
/// while.
const IDLE_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The result of a pass over the outbox.
#[derive(Default)]
struct Pass {
    published: usize,
    /// The ordering keys whose events wait for the next pass.
    blocked: HashSet<String>,
}

/// Relays the outbox, as long as it is polled.
pub(crate) async fn run_outbox_relay(db: Db, publisher: Publisher) {
    let mut pause = BUSY_POLL_INTERVAL;
    let mut was_blocked = false;
    loop {
        pause = match pass(&db, &publisher).await {
            Ok(Pass { published, blocked }) => {
                let is_blocked = !blocked.is_empty();
                if is_blocked != was_blocked {
                    tracing::warn!(
                        keys = blocked.len(),
                        is_blocked,
                        "events in the outbox wait for the broker"
                    );
                }
                was_blocked = is_blocked;
                match published {
                    0 => (pause * 2).min(IDLE_POLL_INTERVAL),
                    _ => BUSY_POLL_INTERVAL,
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read");
                IDLE_POLL_INTERVAL
            }
        };
        tokio::select! {
            () = until_tick(IDLE_POLL_INTERVAL), if pause == IDLE_POLL_INTERVAL => {}
            () = tokio::time::sleep(pause), if pause != IDLE_POLL_INTERVAL => {}
            // The event is stored, and its transaction will be committed in a moment.
            () = publisher.0.written.notified() => pause = BUSY_POLL_INTERVAL,
        }
    }
}

/// Publishes all events in the outbox, the oldest first.
async fn pass(db: &Db, publisher: &Publisher) -> Result<Pass, StoreError> {
    let mut pass = Pass::default();
    let mut after = i64::MIN;
    // Without a broker the events stay in the outbox.
    while publisher.broker().state().is_ok() {
        let batch = db.outbox(after, RELAY_BATCH).await?;
        let Some((last, _)) = batch.rows().last() else { break };
        after = *last;
        let published = publish(publisher, &batch, &mut pass.blocked).await;
        pass.published += published.len();
        batch.delete(&published).await?;
    }
    Ok(pass)
}

/// Publishes a batch, the keys concurrently and each key in order. Returns the numbers of the
/// events that are confirmed or can never be sent. Keys that have to wait are added to `blocked`.
async fn publish(
    publisher: &Publisher,
    batch: &OutboxBatch,
    blocked: &mut HashSet<String>,
) -> Vec<i64> {
    let mut published = Vec::with_capacity(batch.rows().len());
    let mut keys = BTreeMap::<String, Vec<(i64, StoredEvent)>>::new();
    for (number, text) in batch.rows() {
        match serde_json::from_str::<StoredEvent>(text) {
            Ok(event) if blocked.contains(event.ordering_key()) => {}
            Ok(event) => {
                keys.entry(event.ordering_key().to_owned()).or_default().push((*number, event))
            }
            Err(error) => {
                tracing::error!(
                    %error,
                    event = text,
                    "invalid entry removed from the outbox"
                );
                published.push(*number);
            }
        }
    }
    let keys = keys.into_iter().map(async |(key, events)| {
        let mut published = Vec::with_capacity(events.len());
        let all = events.len();
        for (number, event) in events {
            if let Err(error) = publish_one(publisher, event).await {
                tracing::debug!(%error, key, "an event in the outbox waits");
                break;
            }
            published.push(number);
        }
        let blocked = (published.len() < all).then_some(key);
        (published, blocked)
    });
    for (numbers, key) in join_all(keys).await {
        published.extend(numbers);
        blocked.extend(key);
    }
    published
}

/// Publishes an event; one that can never be sent counts as published.
async fn publish_one(publisher: &Publisher, event: StoredEvent) -> Result<(), BusError> {
    let message = event.into_message(&publisher.0.exchange);
    match publisher.broker().publish(message).await {
        Err(error) if error.kind() == BusErrorKind::InvalidMessage => {
            tracing::error!(%error, "event that cannot be sent removed from the outbox");
            Ok(())
        }
        published => published,
    }
}
