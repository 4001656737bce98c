//! One address of an upstream: the connections to it, its load, and its health.

use std::sync::{
    Arc,
    atomic::{
        AtomicUsize,
        Ordering::{Relaxed, SeqCst},
    },
};

use http::HeaderValue;

use crate::{
    edge::proxy::{
        hash::fnv_1a, health::Health, pool::ConnectionPool, pool_terms::PoolTerms,
        waiting::WaitingRoom,
    },
    resolver::Endpoint,
};

/// An instance of an upstream.
pub(super) struct Instance {
    pub(super) endpoint: Endpoint,
    /// Of the address, the same on all gateways.
    hash: u64,
    pub(super) pool: Arc<ConnectionPool>,
    pool_terms: PoolTerms,
    /// The requests in flight, of all workers.
    load: AtomicUsize,
    pub(super) health: Health,
    waiting: Arc<WaitingRoom>,
}

impl Instance {
    /// Creates an instance without connections. Requests in `waiting` go on when a request ends.
    ///
    /// # Errors
    ///
    /// Returns the reason why no connection to the endpoint can be made.
    pub(super) fn new(
        endpoint: Endpoint,
        terms: &PoolTerms,
        waiting: Arc<WaitingRoom>,
    ) -> Result<Self, String> {
        Ok(Self {
            hash: fnv_1a(endpoint.address().as_bytes()),
            pool: Arc::new(ConnectionPool::new(terms.connector(&endpoint)?, terms)),
            pool_terms: terms.clone(),
            endpoint,
            load: AtomicUsize::new(0),
            health: Health::default(),
            waiting,
        })
    }

    /// Returns whether the instance is that of an endpoint, on these terms.
    pub(super) fn is_of(&self, endpoint: &Endpoint, terms: &PoolTerms) -> bool {
        self.endpoint == *endpoint && self.pool_terms.is_same(terms)
    }

    /// Returns `host:port`, to connect to.
    pub(super) fn address(&self) -> &str {
        self.endpoint.address()
    }

    /// Returns the value of `Host` for the instance.
    pub(super) fn host(&self) -> &HeaderValue {
        self.endpoint.authority()
    }

    /// Returns the share of requests beside other instances.
    pub(super) fn weight(&self) -> u32 {
        u32::from(self.endpoint.weight())
    }

    /// Returns the hash of the address.
    pub(super) fn hash(&self) -> u64 {
        self.hash
    }

    /// Returns the number of requests in flight.
    pub(super) fn load(&self) -> usize {
        self.load.load(Relaxed)
    }

    /// Counts a request until the lease is dropped; none if `most` are in flight.
    pub(super) fn lease(self: &Arc<Self>, most: usize) -> Option<Lease> {
        let next = |load: usize| (load < most).then_some(load + 1);
        self.load.fetch_update(SeqCst, SeqCst, next).ok()?;
        Some(Lease(Arc::clone(self)))
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
        self.0.load.fetch_sub(1, SeqCst);
        self.0.waiting.place_is_free();
    }
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("address", &self.address())
            .field("load", &self.load())
            .finish_non_exhaustive()
    }
}
