//! The connections of each worker to an instance: idle ones over HTTP/1.1, and those over HTTP/2
//! that requests share. A pool belongs to one instance, and so to one TLS configuration and
//! protocol.

use std::{
    cell::RefCell,
    io,
    sync::{Arc, Weak},
    time::Duration,
};

use thread_local::ThreadLocal;
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

use crate::edge::proxy::{
    connection::{Connection, ConnectionId, Connector, Demand, Opened, SharedConnection},
    pool_terms::PoolTerms,
};

/// The pause between two sweeps of a worker's idle connections. An instance that closes one is
/// noticed at the next sweep or use.
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);

/// The connections to an instance.
pub(super) struct ConnectionPool {
    connector: Connector,
    keep_alive: Duration,
    max_idle: usize,
    workers: ThreadLocal<RefCell<WorkerPool>>,
}

/// The connections of one worker.
#[derive(Default)]
struct WorkerPool {
    /// The idle connections over HTTP/1.1: the last one used comes first.
    idle: Vec<IdleConnection>,
    /// The connections over HTTP/2.
    shared: Vec<SharedConnection>,
    /// The turn to open a connection that may be shared. Those who wait for it share the connection
    /// that the one before them has opened.
    opening: Arc<Mutex<()>>,
    /// A task sweeps the pool.
    is_swept: bool,
}

struct IdleConnection {
    connection: Connection,
    since: Instant,
}

impl ConnectionPool {
    /// Creates a pool without connections.
    pub(super) fn new(connector: Connector, terms: &PoolTerms) -> Self {
        let (keep_alive, max_idle) = (terms.keep_alive, terms.max_idle);
        Self { connector, keep_alive, max_idle, workers: ThreadLocal::new() }
    }

    /// Opens a connection that no other request uses.
    ///
    /// # Errors
    ///
    /// Fails if no connection can be opened.
    pub(super) async fn open_apart(&self) -> io::Result<Connection> {
        match self.connector.open(false).await? {
            Opened::Http1(connection) => Ok(Connection::Http1(connection)),
            Opened::Http2(shared) => Ok(Connection::Http2(shared.exchange())),
        }
    }

    /// Opens a connection within the time limit, or takes a place on one that another request has
    /// opened meanwhile.
    ///
    /// # Errors
    ///
    /// Fails if no connection can be opened, or the time is over.
    pub(super) async fn open(
        self: &Arc<Self>,
        time: Duration,
        demand: Demand,
    ) -> io::Result<Connection> {
        let opened = timeout(time, self.open_or_share(demand)).await;
        opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn open_or_share(self: &Arc<Self>, demand: Demand) -> io::Result<Connection> {
        if !self.connector.may_share(demand.upgrades) {
            return self.open_now(demand).await;
        }
        let opening = Arc::clone(&self.workers.get_or_default().borrow().opening);
        let turn = opening.lock().await;
        if let Some(connection) = self.take_place(demand.avoided) {
            return Ok(connection);
        }
        if !self.connector.may_share(demand.upgrades) {
            // The instance has just chosen HTTP/1.1: there is nothing to wait for.
            drop(turn);
            return self.open_now(demand).await;
        }
        self.open_now(demand).await
    }

    async fn open_now(self: &Arc<Self>, demand: Demand) -> io::Result<Connection> {
        match self.connector.open(demand.upgrades).await? {
            Opened::Http1(connection) => Ok(Connection::Http1(connection)),
            Opened::Http2(shared) => {
                let exchange = shared.exchange();
                self.insert(|pool| pool.shared.push(shared));
                Ok(Connection::Http2(exchange))
            }
        }
    }

    /// Takes a place on a connection over HTTP/2, or an idle connection; none if there is none.
    pub(super) fn take(&self, demand: Demand) -> Option<Connection> {
        if demand.is_new {
            return None;
        }
        if self.connector.may_share(demand.upgrades)
            && let Some(connection) = self.take_place(demand.avoided)
        {
            return Some(connection);
        }
        self.take_idle()
    }

    /// Takes a place on the first connection over HTTP/2 that has room.
    fn take_place(&self, avoided: Option<ConnectionId>) -> Option<Connection> {
        let mut pool = self.workers.get()?.borrow_mut();
        pool.shared.retain_mut(SharedConnection::is_open);
        let mut others = pool.shared.iter().filter(|shared| Some(shared.id()) != avoided);
        let shared = others.find(|shared| shared.has_room())?;
        Some(Connection::Http2(shared.exchange()))
    }

    fn take_idle(&self) -> Option<Connection> {
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
        self.insert(|pool| {
            if pool.idle.len() < self.max_idle {
                pool.idle.push(IdleConnection { connection, since: Instant::now() });
            }
        });
    }

    /// Changes the pool of this worker, and has it swept.
    fn insert(self: &Arc<Self>, change: impl FnOnce(&mut WorkerPool)) {
        let mut pool = self.workers.get_or_default().borrow_mut();
        change(&mut pool);
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
        pool.shared.retain_mut(|shared| shared.is_open() && !shared.is_idle_for(self.keep_alive));
        pool.is_swept = !(pool.idle.is_empty() && pool.shared.is_empty());
        pool.is_swept
    }
}

/// Sweeps the connections of this worker to an instance until none remain.
async fn sweep(pool: Weak<ConnectionPool>) {
    loop {
        sleep(SWEEP_INTERVAL).await;
        if !pool.upgrade().is_some_and(|pool| pool.sweep()) {
            return;
        }
    }
}
