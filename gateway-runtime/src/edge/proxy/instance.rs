//! One address of an upstream: the idle connections of each worker to it, its load, and its health.

use std::{
    cell::RefCell,
    sync::{
        Arc, Weak,
        atomic::{
            AtomicUsize,
            Ordering::{Relaxed, SeqCst},
        },
    },
    time::Duration,
};

use http::HeaderValue;
use thread_local::ThreadLocal;
use tokio::time::{Instant, sleep};

use crate::{
    edge::proxy::{
        connection::Connection, hash::fnv_1a, health::Health, terms::Terms, waiting::WaitingRoom,
    },
    resolver::Endpoint,
};

/// The pause between two sweeps of a worker's idle connections. An instance that closes one is
/// noticed at the next sweep or use.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// An instance of an upstream.
pub(super) struct Instance {
    pub(super) endpoint: Endpoint,
    /// Of the address, the same on all gateways.
    hash: u64,
    keep_alive: Duration,
    max_idle: usize,
    /// The requests in flight, of all workers.
    load: AtomicUsize,
    pub(super) health: Health,
    waiting: Arc<WaitingRoom>,
    pools: ThreadLocal<RefCell<ConnectionPool>>,
}

/// The idle connections of one worker: the last one used comes first.
#[derive(Default)]
struct ConnectionPool {
    idle: Vec<IdleConnection>,
    /// A task sweeps the pool.
    is_swept: bool,
}

struct IdleConnection {
    connection: Connection,
    since: Instant,
}

impl Instance {
    /// Creates an instance without connections. Requests in `waiting` go on when a request ends.
    pub(super) fn new(
        endpoint: Endpoint,
        keep_alive: Duration,
        max_idle: usize,
        waiting: Arc<WaitingRoom>,
    ) -> Self {
        Self {
            hash: fnv_1a(endpoint.address().as_bytes()),
            endpoint,
            keep_alive,
            max_idle,
            load: AtomicUsize::new(0),
            health: Health::default(),
            waiting,
            pools: ThreadLocal::new(),
        }
    }

    /// Returns whether the instance is that of an endpoint, on these terms.
    pub(super) fn is_of(&self, endpoint: &Endpoint, terms: &Terms) -> bool {
        self.endpoint == *endpoint
            && (self.keep_alive, self.max_idle) == (terms.keep_alive, terms.max_idle)
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

    /// Takes an idle connection that is still open; none if there is none.
    pub(super) fn take_idle(&self) -> Option<Connection> {
        let pool = self.pools.get()?;
        loop {
            let mut idle = pool.borrow_mut().idle.pop()?;
            if idle.connection.is_reusable() {
                return Some(idle.connection);
            }
        }
    }

    /// Keeps a connection for the next request of this worker, if there is room.
    pub(super) fn give_back(self: &Arc<Self>, connection: Connection) {
        let mut pool = self.pools.get_or_default().borrow_mut();
        if pool.idle.len() >= self.max_idle {
            return;
        }
        pool.idle.push(IdleConnection { connection, since: Instant::now() });
        // A connection that is given back while its worker ends is dropped with the pool.
        if !pool.is_swept
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            pool.is_swept = true;
            runtime.spawn(sweep(Arc::downgrade(self)));
        }
    }

    /// Closes the connections of this worker that have been idle for too long, or that the
    /// instance has closed. Returns whether some remain.
    fn sweep(&self) -> bool {
        let Some(pool) = self.pools.get() else { return false };
        let mut pool = pool.borrow_mut();
        let now = Instant::now();
        pool.idle
            .retain_mut(|idle| now - idle.since < self.keep_alive && idle.connection.is_reusable());
        pool.is_swept = !pool.idle.is_empty();
        pool.is_swept
    }
}

/// Sweeps the idle connections of this worker to an instance until none remain.
async fn sweep(instance: Weak<Instance>) {
    loop {
        sleep(SWEEP_INTERVAL).await;
        if !instance.upgrade().is_some_and(|instance| instance.sweep()) {
            return;
        }
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
