//! The idle connections of each worker to an instance. A pool belongs to one instance.

use std::{
    cell::RefCell,
    sync::{Arc, Weak},
    time::Duration,
};

use thread_local::ThreadLocal;
use tokio::time::{Instant, sleep};

use crate::edge::proxy::connection::Connection;

/// The pause between two sweeps of a worker's idle connections. An instance that closes one is
/// noticed at the next sweep or use.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The idle connections to an instance.
pub(super) struct ConnectionPool {
    keep_alive: Duration,
    max_idle: usize,
    workers: ThreadLocal<RefCell<WorkerPool>>,
}

/// The idle connections of one worker: the last one used comes first.
#[derive(Default)]
struct WorkerPool {
    idle: Vec<IdleConnection>,
    /// A task sweeps the pool.
    is_swept: bool,
}

struct IdleConnection {
    connection: Connection,
    since: Instant,
}

impl ConnectionPool {
    /// Creates a pool without connections.
    pub(super) fn new(keep_alive: Duration, max_idle: usize) -> Self {
        Self { keep_alive, max_idle, workers: ThreadLocal::new() }
    }

    /// Takes an idle connection that is still open; none if there is none.
    pub(super) fn take_idle(&self) -> Option<Connection> {
        let pool = self.workers.get()?;
        loop {
            let mut idle = pool.borrow_mut().idle.pop()?;
            if idle.connection.is_reusable() {
                return Some(idle.connection);
            }
        }
    }

    /// Keeps a connection for the next request of this worker, if there is room.
    pub(super) fn give_back(self: &Arc<Self>, connection: Connection) {
        let mut pool = self.workers.get_or_default().borrow_mut();
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
        let Some(pool) = self.workers.get() else { return false };
        let mut pool = pool.borrow_mut();
        let now = Instant::now();
        pool.idle
            .retain_mut(|idle| now - idle.since < self.keep_alive && idle.connection.is_reusable());
        pool.is_swept = !pool.idle.is_empty();
        pool.is_swept
    }
}

/// Sweeps the idle connections of this worker to an instance until none remain.
async fn sweep(pool: Weak<ConnectionPool>) {
    loop {
        sleep(SWEEP_INTERVAL).await;
        if !pool.upgrade().is_some_and(|pool| pool.sweep()) {
            return;
        }
    }
}
