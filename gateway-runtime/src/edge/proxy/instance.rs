//! One address of an upstream: the connections to it, its load, and its ejection.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::HeaderValue;
use tokio::time::Instant;

use crate::edge::proxy::{clock::AtomicTime, pool::ConnectionPool};

/// An instance of an upstream.
pub(super) struct Instance {
    /// `host:port`, to connect to.
    pub(super) address: String,
    /// The value of `Host` for the instance.
    pub(super) host: HeaderValue,
    pub(super) pool: Arc<ConnectionPool>,
    /// The requests in flight, of all workers.
    load: AtomicUsize,
    ejected_until: AtomicTime,
}

impl Instance {
    /// Creates an instance without connections.
    pub(super) fn new(address: String, host: HeaderValue, pool: ConnectionPool) -> Self {
        Self {
            address,
            host,
            pool: Arc::new(pool),
            load: AtomicUsize::new(0),
            ejected_until: AtomicTime::default(),
        }
    }

    /// Returns the number of requests in flight.
    pub(super) fn load(&self) -> usize {
        self.load.load(Relaxed)
    }

    /// Counts a request until the lease is dropped.
    pub(super) fn lease(self: &Arc<Self>) -> Lease {
        self.load.fetch_add(1, Relaxed);
        Lease(Arc::clone(self))
    }

    /// Returns whether the instance may be chosen.
    pub(super) fn is_available(&self, now: Instant) -> bool {
        self.ejected_until.get() <= now
    }

    /// Ejects the instance, since no connection to it can be opened.
    pub(super) fn eject(&self, time: Duration) {
        self.ejected_until.set_after(time);
    }

    /// Ends the time for which the instance is ejected.
    pub(super) fn restore(&self) {
        self.ejected_until.clear();
    }
}

/// A request in flight at an instance.
#[derive(Debug)]
pub(super) struct Lease(Arc<Instance>);

impl Lease {
    /// Returns the instance.
    pub(super) fn instance(&self) -> &Arc<Instance> {
        &self.0
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.load.fetch_sub(1, Relaxed);
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("address", &self.address)
            .field("load", &self.load())
            .finish_non_exhaustive()
    }
}
