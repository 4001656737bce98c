//! Events for other gateways: a provider or method to spare for a while.

use std::time::Duration;

use tokio::sync::mpsc;

/// An event for other gateways: a provider or method to spare for a while.
#[derive(Debug)]
pub(in crate::provider) struct BreakerEvent {
    /// The key of the breaker, the cool-down or the provider.
    pub(super) key: String,
    pub(super) length: Duration,
    /// The number of openings since the breaker last closed; 0 if the event is not a breaker's.
    pub(super) openings: u32,
}

/// The sender of events; there is none without Redis.
pub(in crate::provider) type EventSender = mpsc::Sender<BreakerEvent>;
