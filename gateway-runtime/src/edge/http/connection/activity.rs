//! What a connection's requests, its socket and its watch know of each other.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    thread,
};

use tokio::sync::{Notify, futures::Notified};

/// The client at the other end of a request's connection. Cheap to clone.
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    stopping: Arc<ShutdownSignal>,
    activity: Activity,
}

impl Peer {
    /// A client at `address`, for calling a [`Handler`](crate::edge::http::Handler) without a server, which hence never stops.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self::connected(address, Arc::default())
    }

    pub(in crate::edge::http) fn connected(
        address: SocketAddr,
        stopping: Arc<ShutdownSignal>,
    ) -> Self {
        Self(Arc::new(Inner { address, stopping, activity: Activity::default() }))
    }

    /// The address the connection came from.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Returns when the server begins to shut down: a WebSocket or an endless answer should now say goodbye, before it
    /// is cut at the end of [`drain_timeout`](crate::edge::http::HttpSettings::drain_timeout).
    pub async fn stopping(&self) {
        self.0.stopping.wait().await;
    }

    pub(super) fn activity(&self) -> &Activity {
        &self.0.activity
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(super) fn begin(&self) -> InFlight {
        let activity = self.activity();
        set(&activity.in_flight, |n| n + 1);
        activity.step();
        InFlight(self.clone())
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Peer").field(&self.0.address).finish()
    }
}

/// A request between its head and the end of its answer.
pub(super) struct InFlight(Peer);

impl InFlight {
    pub(super) fn activity(&self) -> &Activity {
        self.0.activity()
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        set(&self.activity().in_flight, |n| n - 1);
        self.activity().step();
        if thread::panicking() {
            tracing::error!(peer = %self.0.address(), "a panic ended a connection with a request in flight");
        }
    }
}

/// What goes on at a connection. Written by the worker's own thread alone, read there too: atomics because an upgraded
/// socket may move to another thread, and no more ordered than that asks for.
#[derive(Default)]
pub(super) struct Activity {
    in_flight: AtomicU32,
    steps: AtomicU32,
    /// The latest request has a body, so that the client may be sending still.
    pub(super) has_body: Flag,
    /// There was a large piece in an answer, and there may be more.
    pub(super) large: Flag,
    /// The socket takes no more bytes at the moment.
    pub(super) blocked: Flag,
    /// The socket is to be reset, not closed, so that a cut answer cannot be taken for a whole one.
    pub(super) reset: Flag,
    /// The protocol is asked to let go of the socket, not to shut it down.
    pub(super) detaching: Flag,
    /// A response of a handler is being written: from its head until all of it has been flushed. What hyper writes at any
    /// other time is its own.
    pub(super) responding: Flag,
    /// The connection becomes another protocol's, whose bytes are nobody's response.
    pub(super) switching: Flag,
}

impl Activity {
    /// Requests in flight.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// Whether an answer is being made or written.
    pub(super) fn busy(&self) -> bool {
        self.in_flight() > 0 || self.blocked.get()
    }

    /// A number that changes with every step of every request.
    pub(super) fn steps(&self) -> u32 {
        self.steps.load(Relaxed)
    }

    /// A request or its answer went on.
    pub(super) fn step(&self) {
        set(&self.steps, |n| n.wrapping_add(1));
    }
}

fn set(cell: &AtomicU32, change: impl Fn(u32) -> u32) {
    cell.store(change(cell.load(Relaxed)), Relaxed);
}

/// A shared `bool`.
#[derive(Default)]
pub(super) struct Flag(AtomicBool);

impl Flag {
    pub(super) fn get(&self) -> bool {
        self.0.load(Relaxed)
    }

    pub(super) fn set(&self, value: bool) {
        self.0.store(value, Relaxed);
    }
}

/// Whether a worker is shutting down, and a way to wait for it.
#[derive(Default)]
pub(in crate::edge::http) struct ShutdownSignal {
    is_triggered: Flag,
    notified: Notify,
}

impl ShutdownSignal {
    pub(in crate::edge::http) fn begin(&self) {
        self.is_triggered.set(true);
        self.notified.notify_waiters();
    }

    pub(super) fn is_triggered(&self) -> bool {
        self.is_triggered.get()
    }

    /// Completes at the next [`begin`](Self::begin) after its creation.
    pub(super) fn notified(&self) -> Notified<'_> {
        self.notified.notified()
    }

    async fn wait(&self) {
        let told = self.notified();
        if !self.is_triggered() {
            told.await;
        }
    }
}
