//! The state that a connection's requests, its socket and its idle check share.

use std::{
    fmt,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    thread,
    time::Duration,
};

use tokio::{
    sync::{Notify, futures::Notified},
    time::sleep,
};

/// The client at the other end of a connection. Cheap to clone.
///
/// A [mounted](crate::http::Mount) service receives it as an extension of each request:
///
/// ```
/// use std::{convert::Infallible, time::Duration};
///
/// use futures_util::{StreamExt, stream};
/// use gateway_runtime::http::{Body, BoxError, Mount, Peer};
/// use http::{Request, Response};
///
/// /// A line each second, until the gateway begins to shut down.
/// fn ticks(peer: Peer) -> Body {
///     let ticks = stream::repeat("tick\n").then(|line| async move {
///         tokio::time::sleep(Duration::from_secs(1)).await;
///         Ok::<_, Infallible>(line.into())
///     });
///     Body::stream(ticks.take_until(async move { peer.stopping().await }))
/// }
///
/// let clock = tower::service_fn(|request: Request<Body>| async move {
///     let peer = request.extensions().get::<Peer>().ok_or("the service is not mounted")?;
///     tracing::info!(client = %peer.address(), "clock started");
///     Ok::<_, BoxError>(Response::new(ticks(peer.clone())))
/// });
/// let mount = Mount::new("/clock", clock)?; // for `Gateway::mount`
/// # drop(mount);
/// # Ok::<(), gateway_runtime::StartError>(())
/// ```
#[derive(Clone)]
pub struct Peer(Arc<Inner>);

struct Inner {
    address: SocketAddr,
    stopping: Arc<ShutdownSignal>,
    activity: Activity,
}

impl Peer {
    /// Creates a client at `address`, for calls of a `Handler`
    /// without a server. Its [`stopping`](Self::stopping) never completes.
    #[must_use]
    pub fn new(address: SocketAddr) -> Self {
        Self::connected(address, Arc::default())
    }

    /// Creates the client of an accepted connection.
    pub(in crate::edge::http) fn connected(
        address: SocketAddr,
        stopping: Arc<ShutdownSignal>,
    ) -> Self {
        Self(Arc::new(Inner { address, stopping, activity: Activity::default() }))
    }

    /// Returns the remote address of the connection.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// Completes when the server begins to shut down. A WebSocket or an endless response should
    /// then close, before it is cut at the end of
    /// `http.drain_timeout`.
    pub async fn stopping(&self) {
        self.0.stopping.wait().await;
    }

    /// Completes when the server has been shutting down for a time.
    pub(in crate::edge::http) async fn stopping_for(self, time: Duration) {
        self.stopping().await;
        sleep(time).await;
    }

    /// Returns whether the server cuts the connections that are still open, at the end of its
    /// shutdown.
    pub(in crate::edge::http) fn is_cut(&self) -> bool {
        self.0.stopping.is_over.get()
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

/// A guard of a request in flight: from its head to the end of its response.
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
            tracing::error!(
                peer = %self.0.address(),
                "a panic ended a connection with a request in flight"
            );
        }
    }
}

/// The activity of a connection.
///
/// Only the worker's own thread reads and writes it. The fields are atomics because an upgraded
/// socket may move to another thread; `Relaxed` suffices for that.
#[derive(Default)]
pub(super) struct Activity {
    in_flight: AtomicU32,
    steps: AtomicU32,
    /// Number of responses that have begun.
    responses: AtomicU32,
    /// Number of the request whose body is malformed or unfinished; 0 for none.
    cut_request: AtomicU32,
    /// The latest request has a body, which the client may still be sending.
    pub(super) has_body: Flag,
    /// A response had a large chunk, and more may follow.
    pub(super) large: Flag,
    /// The socket accepts no more bytes at the moment.
    pub(super) blocked: Flag,
    /// The socket must be reset, not closed, so that no client mistakes a cut response for a
    /// complete one.
    pub(super) reset: Flag,
    /// The protocol must release the socket without shutting it down.
    pub(super) detaching: Flag,
    /// A handler's response is being written: from its head until all of it is flushed. Whatever
    /// hyper writes at any other time is a response of its own.
    pub(super) responding: Flag,
    /// The connection has switched to another protocol, whose bytes are neither a request nor a
    /// response.
    pub(super) switching: Flag,
}

impl Activity {
    /// Returns the number of requests in flight.
    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// Returns the number of responses that have begun.
    pub(super) fn responses(&self) -> u32 {
        self.responses.load(Relaxed)
    }

    /// Counts a response that begins, and returns whether the body of its request is malformed or
    /// unfinished.
    pub(super) fn begin_response(&self) -> bool {
        let response = self.responses().wrapping_add(1);
        self.responses.store(response, Relaxed);
        self.cut_request.load(Relaxed) == response
    }

    /// Records that the body of the latest request is malformed or unfinished. `requests` is the
    /// number of requests up to it.
    pub(super) fn cut_request(&self, requests: u32) {
        self.cut_request.store(requests, Relaxed);
    }

    /// Returns whether a response is being produced or written.
    pub(super) fn busy(&self) -> bool {
        self.in_flight() > 0 || self.blocked.get()
    }

    /// Returns a number that changes with every step of every request.
    pub(super) fn steps(&self) -> u32 {
        self.steps.load(Relaxed)
    }

    /// Records the progress of a request or its response.
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

/// A worker's shutdown: a flag, and a notification of those who wait for it.
#[derive(Default)]
pub(in crate::edge::http) struct ShutdownSignal {
    is_triggered: Flag,
    is_over: Flag,
    notified: Notify,
}

impl ShutdownSignal {
    /// Begins the shutdown, and notifies all waiters.
    pub(in crate::edge::http) fn begin(&self) {
        self.is_triggered.set(true);
        self.notified.notify_waiters();
    }

    /// Marks the end of the shutdown: connections that are still open are cut now.
    pub(in crate::edge::http) fn end(&self) {
        self.is_over.set(true);
    }

    /// Returns whether the shutdown has begun.
    pub(super) fn is_triggered(&self) -> bool {
        self.is_triggered.get()
    }

    /// Completes at the next [`begin`](Self::begin) after its creation.
    pub(super) fn notified(&self) -> Notified<'_> {
        self.notified.notified()
    }

    /// Waits until the shutdown has begun.
    async fn wait(&self) {
        // Created before the check, so that a `begin` in between is not missed.
        let notified = self.notified();
        if !self.is_triggered() {
            notified.await;
        }
    }
}
