//! A worker: one thread, one runtime, one listener, and the connections that it accepted.

use std::{io, rc::Rc, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    runtime::{Builder, LocalOptions},
    sync::{Semaphore, watch},
    task::spawn_local,
};

use crate::edge::http::{
    HttpLimits,
    connection::{self, ServerState, ShutdownSignal},
    handler::Handler,
    listener,
};

/// The phase of all workers, set by the server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum WorkerPhase {
    /// Normal operation.
    Serving,
    /// Shutdown: the worker accepts no more connections and finishes the requests in flight.
    Draining,
    /// End: the worker drops the connections that are still open.
    Over,
}

/// Runs a worker until its phase is [`WorkerPhase::Over`], or until the server is dropped.
pub(super) fn run<H: Handler>(
    listener: std::net::TcpListener,
    handler: H,
    limits: HttpLimits,
    slots: Arc<Semaphore>,
    mut phase: watch::Receiver<WorkerPhase>,
) -> io::Result<()> {
    /// Time limit on a handler's blocking tasks: a runtime waits for them when it is dropped.
    const BLOCKING_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(1);

    let runtime = Builder::new_current_thread().enable_all().build_local(LocalOptions::default())?;
    let result = runtime.block_on(async {
        let listener = TcpListener::from_std(listener)?;
        let stopping = Arc::new(ShutdownSignal::default());
        let shared = Rc::new(ServerState::new(handler, limits, stopping.clone()));
        // An error means that the server was dropped.
        let shutdown = async {
            let _ = phase.wait_for(|&phase| phase != WorkerPhase::Serving).await;
            stopping.begin();
        };
        tokio::select! {
            never = accept_all(listener, shared, slots) => match never {},
            () = shutdown => {}
        }
        let _ = phase.wait_for(|&phase| phase == WorkerPhase::Over).await;
        stopping.end();
        Ok(())
    });
    runtime.shutdown_timeout(BLOCKING_SHUTDOWN_TIMEOUT);
    result
}

/// Accepts connections while slots are free, and serves each as a task of its own.
async fn accept_all<H: Handler>(
    listener: TcpListener,
    shared: Rc<ServerState<H>>,
    slots: Arc<Semaphore>,
) -> std::convert::Infallible {
    let mut full = false;
    loop {
        let (stream, address) = listener::accept(&listener).await;
        // The first connection beyond the slots is accepted from the queue and waits here, unread.
        let slot = match slots.clone().try_acquire_owned() {
            Ok(slot) => {
                full = false;
                slot
            }
            Err(_) => {
                if !full {
                    full = true;
                    tracing::warn!("connection limit reached; new connections wait");
                }
                let Ok(slot) = slots.clone().acquire_owned().await else { continue };
                slot
            }
        };
        spawn_local(connection::serve(shared.clone(), stream, address, slot));
    }
}
