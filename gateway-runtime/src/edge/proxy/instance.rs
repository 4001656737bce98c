//! One address of an upstream: the idle connections of each worker to it, its load, and its
//! ejection.

use std::{
    cell::RefCell,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use http::HeaderValue;
use thread_local::ThreadLocal;
use tokio::time::{Instant, sleep};

use crate::edge::proxy::{clock::AtomicTime, connection::Connection};

/// The pause between two sweeps of a worker's idle connections. An instance that closes one is
/// noticed at the next sweep or use.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// An instance of an upstream.
pub(super) struct Instance {
    /// `host:port`, to connect to.
    pub(super) address: String,
    /// The value of `Host` for the instance.
    pub(super) host: HeaderValue,
    keep_alive: Duration,
    max_idle: usize,
    /// The requests in flight, of all workers.
    load: AtomicUsize,
    ejected_until: AtomicTime,
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
    /// Creates an instance without connections.
    pub(super) fn new(
        address: String,
        host: HeaderValue,
        keep_alive: Duration,
        max_idle: usize,
    ) -> Self {
        Self {
            address,
            host,
            keep_alive,
            max_idle,
            load: AtomicUsize::new(0),
            ejected_until: AtomicTime::default(),
            pools: ThreadLocal::new(),
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
