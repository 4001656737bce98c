//! The HTTP server: workers that accept and serve, and their orderly end.
//!
//! Each worker is a thread with a runtime and a listener of its own, and a connection stays with the worker that accepted
//! it, so that no request crosses threads and no queue is shared.

use std::{
    fmt, io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use http::{Request, Response};
use hyper::body::Incoming;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use crate::{
    base::call_metrics::ConnectionSlots,
    edge::http::{
        Body, HttpLimits, HttpSettings, Peer,
        listener::{self, BindError},
        worker::{self, WorkerPhase},
    },
};

/// Answers requests. Each worker thread works with its own clone.
pub trait Handler: Clone + Send + Sync + 'static {
    /// Answers one request. The future is dropped when the client leaves before the answer.
    ///
    /// Leaving is closing the connection, its sending half included (HTTP/2: resetting the stream). On HTTP/1.1 it is
    /// noticed as soon as the request's body is read and unless the client has sent a further request.
    ///
    /// A panic is answered with 500, and logged.
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response<Body>> + Send;
}

/// A closure that answers requests.
impl<F, A> Handler for F
where
    F: Fn(Request<Incoming>, Peer) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response<Body>> + Send,
{
    fn handle(
        &self,
        request: Request<Incoming>,
        peer: Peer,
    ) -> impl Future<Output = Response<Body>> + Send {
        self(request, peer)
    }
}

/// A server that listens, and does not answer yet.
pub struct Server {
    listeners: Vec<std::net::TcpListener>,
    local_addr: SocketAddr,
    drain: Duration,
    limits: HttpLimits,
    slots: ConnectionSlots,
    others: Option<oneshot::Receiver<()>>,
}

/// How the server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum DrainOutcome {
    /// Every request in flight was answered.
    Drained,
    /// At the end of [`drain_timeout`](HttpSettings::drain_timeout) this many connections were still open, and were cut.
    Cut(usize),
}

impl Server {
    /// Listens; connections wait until [`serve`](Self::serve).
    ///
    /// # Errors
    ///
    /// When the address is taken, not allowed, or not this machine's.
    pub fn bind(settings: &HttpSettings) -> Result<Self, BindError> {
        let workers = settings
            .workers
            .or_else(|| thread::available_parallelism().ok())
            .map_or(1, usize::from);
        let listeners = listener::bind(settings.listen, workers)?;
        let local_addr = listeners[0].local_addr().unwrap_or(settings.listen);
        let limits = settings.limits.clone();
        let slots = ConnectionSlots::new(limits.connections);
        Ok(Self {
            listeners,
            local_addr,
            drain: settings.drain_timeout,
            limits,
            slots,
            others: None,
        })
    }

    /// Uses `slots` for its connections, so that others can read how many are open.
    pub(crate) fn with_slots(mut self, slots: ConnectionSlots) -> Self {
        self.slots = slots;
        self
    }

    /// Keeps the workers that have drained until `others` is dropped: a provider's connection ends with the runtime that has opened it,
    /// and calls that came by another road may use it.
    #[must_use]
    pub fn ending_after(self, others: oneshot::Receiver<()>) -> Self {
        Self { others: Some(others), ..self }
    }

    /// Where the server listens, with the port it was given.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Answers requests until `shutdown` completes; then accepts no more, closes idle connections, lets requests in flight
    /// finish within the drain time, and ends the workers. Dropping the future ends them at once.
    ///
    /// May be awaited on any tokio runtime that has a timer, and does not block it. A task that a handler spawned on its
    /// worker's runtime ends with the worker.
    ///
    /// # Errors
    ///
    /// When a worker cannot start (no thread, no memory, no descriptor), or panics, which handlers cannot make it do. The
    /// others are ended at once.
    pub async fn serve<H: Handler>(
        self,
        handler: H,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<DrainOutcome> {
        let slots = self.slots;
        let (phase, told) = watch::channel(WorkerPhase::Serving);
        let (done, mut results) = mpsc::unbounded_channel();
        let mut threads = Vec::with_capacity(self.listeners.len());
        for (number, listener) in self.listeners.into_iter().enumerate() {
            let (handler, limits, slots, told) =
                (handler.clone(), self.limits.clone(), Arc::clone(slots.semaphore()), told.clone());
            let done = done.clone();
            threads.push(thread::Builder::new().name(format!("http-{number}")).spawn(
                move || {
                    let work =
                        AssertUnwindSafe(|| worker::run(listener, handler, limits, slots, told));
                    let result = catch_unwind(work)
                        .unwrap_or_else(|_| Err(io::Error::other("a worker panicked")));
                    // Nobody listens when the future was dropped.
                    let _ = done.send(result);
                },
            )?);
        }
        drop(done);

        let failed = tokio::select! {
            () = shutdown => None,
            // Before it is told to, a worker ends by failing alone.
            result = results.recv() => result.and_then(Result::err),
        };
        let mut ended = DrainOutcome::Drained;
        if failed.is_none() {
            phase.send_replace(WorkerPhase::Draining);
            if timeout(self.drain, slots.semaphore().acquire_many(slots.limit())).await.is_err() {
                ended = DrainOutcome::Cut(slots.open());
            }
            if let Some(others) = self.others {
                // Nothing is sent; and they end in their own time.
                let _ = others.await;
            }
        }
        phase.send_replace(WorkerPhase::Over);
        let mut failed = failed;
        while let Some(result) = results.recv().await {
            failed = failed.or(result.err());
        }
        for thread in threads {
            // It has said that it is done, so this does not wait; and a panic was its result.
            let _ = thread.join();
        }
        failed.map_or(Ok(ended), Err)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server")
            .field("local_addr", &self.local_addr)
            .field("workers", &self.listeners.len())
            .finish_non_exhaustive()
    }
}
