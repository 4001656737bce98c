//! The task that watches one service.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, time::sleep};

use crate::resolver::{
    Snapshot,
    dns::{
        error::AskError,
        lookup::{Instances, Lookup},
        service::DnsService,
        watched::Watched,
    },
    steady::Steady,
};

/// The bounds of the time after which a result is asked for again, whatever its TTL is.
const MIN_TTL: Duration = Duration::from_secs(1);
const MAX_TTL: Duration = Duration::from_secs(30);

/// The bounds of the time after which a failed question is repeated.
const MIN_BACK_OFF: Duration = Duration::from_secs(1);
const MAX_BACK_OFF: Duration = Duration::from_secs(30);

/// Asks for a service again and again, until nobody watches it.
pub(super) async fn watch(
    watched: Arc<Watched>,
    text: String,
    service: DnsService,
    snapshots: watch::Sender<Snapshot>,
) {
    let mut lookup = Lookup::new(service);
    let mut schedule = Schedule { text: text.clone(), back_off: MIN_BACK_OFF, is_partial: false };
    let mut steady = Steady::new("dns", text.clone(), snapshots);
    loop {
        let Some(result) = steady.during(lookup.instances(watched.client())).await else {
            if watched.remove(&text) {
                return;
            }
            continue;
        };
        let delay = schedule.delay(&result);
        match result {
            Ok(instances) => steady.answered(instances.endpoints),
            Err(error) => steady.failed(&error),
        }
        if steady.during(sleep(delay)).await.is_none() && watched.remove(&text) {
            return;
        }
    }
}

/// The times of questions.
struct Schedule {
    /// The service, for the log.
    text: String,
    back_off: Duration,
    /// Some of the records could not be asked for.
    is_partial: bool,
}

impl Schedule {
    /// Returns the time until the next question.
    fn delay(&mut self, result: &Result<Instances, AskError>) -> Duration {
        match result {
            Ok(Instances { ttl, partial_error: None, .. }) => {
                self.is_partial = false;
                self.back_off = MIN_BACK_OFF;
                clamp(*ttl)
            }
            Ok(Instances { ttl, partial_error: Some(reason), .. }) => {
                if !self.is_partial {
                    self.is_partial = true;
                    tracing::warn!(
                        source = "dns",
                        service = self.text,
                        %reason,
                        "cannot ask for some of the records; their last addresses stay in use"
                    );
                }
                self.next_back_off().min(clamp(*ttl))
            }
            Err(_) => self.next_back_off(),
        }
    }

    /// Returns the back-off, with jitter, and doubles it.
    fn next_back_off(&mut self) -> Duration {
        let back_off = self.back_off;
        self.back_off = (back_off * 2).min(MAX_BACK_OFF);
        back_off.mul_f64(1.0 - fastrand::f64() / 4.0)
    }
}

/// Returns the TTL within its bounds. An answer without one is not to be relied on (RFC 2308 §5).
fn clamp(ttl: Option<u32>) -> Duration {
    ttl.map_or(MIN_TTL, |ttl| Duration::from_secs(u64::from(ttl)).clamp(MIN_TTL, MAX_TTL))
}
