//! The HTTP server: its workers, and their orderly shutdown.
//!
//! Each worker is a thread with its own runtime and its own listener. A connection stays with the
//! worker that accepted it, so that no request crosses threads and the workers share no queue.

use std::{
    fmt, io,
    net::SocketAddr,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    thread,
    time::Duration,
};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::timeout,
};

use crate::{
    base::connection_slots::ConnectionSlots,
    edge::http::{
        HttpLimits, HttpSettings,
        handler::Handler,
        listener::{self, BindError},
        worker::{self, WorkerPhase},
    },
};

/// A server that listens, and does not serve yet.
pub struct Server {
    listeners: Vec<std::net::TcpListener>,
    local_addr: SocketAddr,
    drain: Duration,
    limits: HttpLimits,
    slots: ConnectionSlots,
    others: Option<oneshot::Receiver<()>>,
}

/// Outcome of a server's drain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum DrainOutcome {
    /// Every request in flight has its response.
    Drained,
    /// Number of connections that were still open at the end of
    /// [`drain_timeout`](HttpSettings::drain_timeout), and were cut.
    Cut(usize),
}

impl Server {
    /// Creates a server that listens; connections wait until [`serve`](Self::serve).
    ///
    /// # Errors
    ///
    /// The address is in use, not permitted, or not an address of this machine.
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

    /// Uses `slots` for the connections, so that their holders can read how many are open.
    pub(crate) fn with_slots(mut self, slots: ConnectionSlots) -> Self {
        self.slots = slots;
        self
    }

    /// Keeps drained workers alive until the sender of `others` is dropped.
    ///
    /// A provider's connection ends with the runtime that opened it, and calls of other transports
    /// may use it.
    #[must_use]
    pub fn ending_after(self, others: oneshot::Receiver<()>) -> Self {
        Self { others: Some(others), ..self }
    }

    /// Returns the address that the server listens on; its port is the real one if port 0 was
    /// requested.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves requests until `shutdown` completes, then drains: accepts no more connections, closes
    /// idle ones, lets requests in flight finish within the drain time, and ends the workers.
    /// Dropping the future ends the workers at once.
    ///
    /// May be awaited on any tokio runtime that has a timer, and does not block it. A task that a
    /// handler spawned on the runtime of its worker ends with the worker.
    ///
    /// # Errors
    ///
    /// A worker cannot start (no thread, no memory, no descriptor), or panics, which handlers
    /// cannot cause. All other workers end at once.
    pub async fn serve<H: Handler>(
        self,
        handler: H,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<DrainOutcome> {
        let slots = self.slots;
        let (phase, worker_phase) = watch::channel(WorkerPhase::Serving);
        let (done, mut results) = mpsc::unbounded_channel();
        let mut threads = Vec::with_capacity(self.listeners.len());
        for (number, listener) in self.listeners.into_iter().enumerate() {
            let handler = handler.clone();
            let limits = self.limits.clone();
            let slots = Arc::clone(slots.semaphore());
            let phase = worker_phase.clone();
            let done = done.clone();
            threads.push(thread::Builder::new().name(format!("http-{number}")).spawn(
                move || {
                    let work =
                        AssertUnwindSafe(|| worker::run(listener, handler, limits, slots, phase));
                    let result = catch_unwind(work)
                        .unwrap_or_else(|_| Err(io::Error::other("a worker panicked")));
                    // The receiver is gone if the future was dropped.
                    let _ = done.send(result);
                },
            )?);
        }
        drop(done);

        let failed = tokio::select! {
            () = shutdown => None,
            // Before the drain, a worker ends only by failing.
            result = results.recv() => result.and_then(Result::err),
        };
        let mut ended = DrainOutcome::Drained;
        if failed.is_none() {
            phase.send_replace(WorkerPhase::Draining);
            if timeout(self.drain, slots.semaphore().acquire_many(slots.limit())).await.is_err() {
                ended = DrainOutcome::Cut(slots.open());
            }
            if let Some(others) = self.others {
                // Nothing is ever sent: the drop of the sender completes this wait, which has no
                // time limit.
                let _ = others.await;
            }
        }
        phase.send_replace(WorkerPhase::Over);
        let mut failed = failed;
        while let Some(result) = results.recv().await {
            failed = failed.or(result.err());
        }
        for thread in threads {
            // The thread has sent its result, so this does not wait; a panic was turned into that
            // result.
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
