//! Brings events from the outbox to the broker: those that were committed, in that order as long as the broker takes them, and
//! takes them out when the broker has them.

use std::time::Duration;

use futures_util::future::join_all;

use super::{Publisher, event::Written};
use crate::store::{Db, StoreError};

/// So many are brought at once.
const BATCH: i64 = 256;
/// How soon it is looked again when there was something …
const SOON: Duration = Duration::from_millis(5);
/// … and when there has not been anything for a while.
const IDLE: Duration = Duration::from_millis(250);

/// Empties the outbox, as long as it is polled.
pub(crate) async fn empty(db: Db, publisher: Publisher) {
    let mut pause = SOON;
    loop {
        pause = match bring(&db, &publisher).await {
            Ok(brought) if brought > 0 => SOON,
            Ok(_) => (pause * 2).min(IDLE),
            Err(error) => {
                tracing::warn!(%error, "the outbox cannot be read now");
                IDLE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            // It is committed in a moment.
            () = publisher.0.written.notified() => pause = SOON,
        }
    }
}

/// Brings some, and says how many.
async fn bring(db: &Db, publisher: &Publisher) -> Result<usize, StoreError> {
    // Nothing can be brought: the others wait where they are.
    if publisher.broker().state().is_err() {
        return Ok(0);
    }
    let batch = db.outbox(BATCH).await?;
    let published = batch.rows().iter().map(|(number, text)| async {
        match publish(publisher, text).await {
            true => Some(*number),
            false => None,
        }
    });
    let published: Vec<i64> = join_all(published).await.into_iter().flatten().collect();
    batch.take_out(&published).await?;
    Ok(published.len())
}

/// Whether an event is with the broker, or can never be.
async fn publish(publisher: &Publisher, text: &str) -> bool {
    let event: Written = match serde_json::from_str(text) {
        Ok(event) => event,
        Err(error) => {
            tracing::error!(%error, event = text, "what stands in the outbox is no event; it is taken out");
            return true;
        }
    };
    match publisher.broker().publish(event.into_message(&publisher.0.exchange)).await {
        Ok(()) => true,
        Err(error) if error.fault() == crate::bus::Fault::Unfit => {
            tracing::error!(%error, event = text, "an event in the outbox cannot be sent; it is taken out");
            true
        }
        Err(error) => {
            tracing::warn!(%error, "an event in the outbox waits");
            false
        }
    }
}
