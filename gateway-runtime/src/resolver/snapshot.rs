//! The instances of a service at one time.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use crate::resolver::Endpoint;

/// The instances of a service, as a resolver last knew them. Clones share the list.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    /// None before the first answer.
    endpoints: Option<Arc<[Endpoint]>>,
    /// The time of the last answer of a polled source.
    answered_at: Option<Instant>,
}

impl Snapshot {
    /// Creates a snapshot of these instances, of which there may be none.
    pub fn new(endpoints: impl IntoIterator<Item = Endpoint>) -> Self {
        Self { endpoints: Some(endpoints.into_iter().collect()), answered_at: None }
    }

    /// Creates the snapshot of a service that the resolver knows nothing of yet. Requests wait for
    /// the first answer.
    #[must_use]
    pub fn unknown() -> Self {
        Self::default()
    }

    /// Returns whether the resolver has answered.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.endpoints.is_some()
    }

    /// Returns the instances.
    #[must_use]
    pub fn endpoints(&self) -> &[Endpoint] {
        self.endpoints.as_deref().unwrap_or_default()
    }

    /// Returns the time since DNS or a registry last answered, up to date in the snapshot that
    /// `borrow` of the receiver returns. None before the first answer, and for instances of other
    /// sources.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.answered_at.map(|answered_at| answered_at.elapsed())
    }

    /// Exchanges the instances. Returns whether that is a change.
    pub(super) fn replace(&mut self, endpoints: &[Endpoint]) -> bool {
        let is_change = self.endpoints.as_deref() != Some(endpoints);
        if is_change {
            self.endpoints = Some(endpoints.into());
        }
        is_change
    }

    /// Sets the time of the last answer.
    pub(super) fn set_answered_at(&mut self, time: Instant) {
        self.answered_at = Some(time);
    }
}
