//! The rules that every polled source of instances obeys (SEMANTICS §10, "Resolvers").
//!
//! - Only a change is published; the order of the instances does not matter.
//! - A sudden loss of over 80 % of the instances is held for 30 s, and warned of. It is published
//!   if the source says so 30 s later too. A recovery meanwhile cancels it.
//! - While the source is away, the last answer stays in effect for 5 min, and its age is shown.
//!   After that there are no instances. A loss that is held is not published while the source is
//!   away: nothing confirms it.

#[cfg(test)]
mod log_tests;
#[cfg(test)]
mod tests;

use std::{fmt::Display, pin::pin, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use crate::resolver::{Endpoint, Snapshot};

/// The time for which the last answer stays in effect while the source is away.
pub(super) const ANSWER_LIFETIME: Duration = Duration::from_secs(300);

/// The time for which a sudden loss is held.
pub(super) const LOSS_HOLD: Duration = Duration::from_secs(30);

/// The publisher of one service's instances, as one source knows them.
pub(super) struct Steady {
    /// The kind of the source, for the log.
    source: &'static str,
    service: String,
    snapshots: watch::Sender<Snapshot>,
    answered_at: Option<Instant>,
    is_away: bool,
    loss: Option<Loss>,
}

/// A loss that is held.
struct Loss {
    since: Instant,
    /// The instances of the last answer.
    endpoints: Vec<Endpoint>,
}

impl Steady {
    /// Creates the publisher of a service.
    pub(super) fn new(
        source: &'static str,
        service: String,
        snapshots: watch::Sender<Snapshot>,
    ) -> Self {
        Self { source, service, snapshots, answered_at: None, is_away: false, loss: None }
    }

    /// Takes an answer of the source: all instances of the service, of which there may be none.
    pub(super) fn answered(&mut self, mut endpoints: Vec<Endpoint>) {
        endpoints.sort_unstable();
        endpoints.dedup();
        self.log_return();
        let now = Instant::now();
        self.answered_at = Some(now);
        self.snapshots.send_if_modified(|snapshot| {
            snapshot.set_answered_at(now);
            false
        });
        let before = self.published_len();
        if !is_sudden_loss(before, endpoints.len()) {
            if self.loss.take().is_some() {
                tracing::info!(
                    source = self.source,
                    service = self.service,
                    instances = endpoints.len(),
                    "instances are back; the loss was not published"
                );
            }
            return self.publish(&endpoints);
        }
        if let Some(loss) = &mut self.loss {
            loss.endpoints = endpoints;
        } else {
            tracing::warn!(
                source = self.source,
                service = self.service,
                instances = before,
                remaining = endpoints.len(),
                "sudden loss of over 80 % of the instances; they stay in use for 30 s"
            );
            self.loss = Some(Loss { since: now, endpoints });
        }
        self.publish_due();
    }

    /// Takes the failure of a question: nothing is known of the instances.
    pub(super) fn failed(&mut self, reason: &dyn Display) {
        if !self.is_away {
            self.is_away = true;
            tracing::warn!(
                source = self.source,
                service = self.service,
                age_s = self.age().map(|age| age.as_secs()),
                %reason,
                "cannot ask for instances; the last answer stays in use for 5 min"
            );
        }
        self.publish_due();
    }

    /// Returns the time since the last answer.
    pub(super) fn age(&self) -> Option<Duration> {
        self.answered_at.map(|answered_at| answered_at.elapsed())
    }

    /// Does some work, and publishes meanwhile what becomes due. Returns none as soon as nobody
    /// watches the service.
    pub(super) async fn during<F: Future>(&mut self, work: F) -> Option<F::Output> {
        let mut work = pin!(work);
        loop {
            let due = self.due();
            tokio::select! {
                biased;
                () = self.snapshots.closed() => return None,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    self.publish_due();
                }
                output = &mut work => return Some(output),
            }
        }
    }

    /// Returns the time at which something is published without a further answer.
    fn due(&self) -> Option<Instant> {
        if self.is_away {
            let answered_at = self.answered_at.filter(|_| self.published_len() > 0);
            return answered_at.map(|answered_at| answered_at + ANSWER_LIFETIME);
        }
        self.loss.as_ref().map(|loss| loss.since + LOSS_HOLD)
    }

    /// Publishes what is due: the loss that still stands, or the end of an old answer.
    fn publish_due(&mut self) {
        if self.due().is_none_or(|due| due > Instant::now()) {
            return;
        }
        let loss = self.loss.take();
        let endpoints =
            loss.filter(|_| !self.is_away).map(|loss| loss.endpoints).unwrap_or_default();
        tracing::warn!(
            source = self.source,
            service = self.service,
            instances = self.published_len(),
            remaining = endpoints.len(),
            reason = if self.is_away { "the last answer is too old" } else { "the loss stands" },
            "instances are gone"
        );
        self.publish(&endpoints);
    }

    fn publish(&self, endpoints: &[Endpoint]) {
        self.snapshots.send_if_modified(|snapshot| snapshot.replace(endpoints));
    }

    fn published_len(&self) -> usize {
        self.snapshots.borrow().endpoints().len()
    }

    fn log_return(&mut self) {
        if self.is_away {
            self.is_away = false;
            tracing::info!(
                source = self.source,
                service = self.service,
                away_s = self.age().map(|age| age.as_secs()),
                "instances can be asked for again"
            );
        }
    }
}

/// Returns whether over 80 % of the instances are lost. An exchange for as many others is none.
fn is_sudden_loss(before: usize, after: usize) -> bool {
    after * 5 < before
}
