//! Worker threads that execute calls of the bus, each with a runtime of its own, as the threads
//! that serve HTTP.
//!
//! They start on demand. A call goes to the least loaded thread, so a method that blocks its thread
//! delays only the calls that the thread already has.

use std::{
    convert::Infallible,
    future::Future,
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use tokio::{runtime::Builder, sync::mpsc};

use crate::{
    bus::Delivery,
    edge::bus_consumer::{
        executor::Executor,
        slot::{IntakeSlot, Load, TakenDelivery},
    },
};

/// The maximum number of calls that a thread takes at once.
const TAKE_BATCH: usize = 64;

/// The time limit of a runtime's shutdown for what methods run on blocking threads.
const BLOCKING_TIMEOUT: Duration = Duration::from_secs(1);

/// A message to execute.
#[derive(Debug)]
struct Job {
    delivery: Delivery,
    taken: TakenDelivery,
    /// Dropped when the message is acknowledged.
    working: mpsc::Sender<Infallible>,
}

/// The worker threads. Dropping it ends them, and cuts their calls.
#[derive(Debug)]
pub(super) struct Workers {
    executor: Arc<Executor>,
    max_threads: usize,
    workers: Vec<Worker>,
    ending: mpsc::Sender<Infallible>,
}

#[derive(Debug)]
struct Worker {
    jobs: mpsc::UnboundedSender<Job>,
    load: Arc<AtomicUsize>,
}

impl Workers {
    /// Creates up to `max_threads` threads. `ending` is dropped when the threads and this value
    /// have ended.
    pub(super) fn new(
        executor: Arc<Executor>,
        max_threads: usize,
        ending: mpsc::Sender<Infallible>,
    ) -> Self {
        Self { executor, max_threads: max_threads.max(1), workers: Vec::new(), ending }
    }

    /// Executes a call on the least loaded thread. Slots limit the number of calls. `working` is
    /// dropped when the message is acknowledged.
    pub(super) fn execute(
        &mut self,
        delivery: Delivery,
        slot: IntakeSlot,
        working: mpsc::Sender<Infallible>,
    ) {
        if self.workers.len() < self.max_threads
            && self.workers.iter().all(|worker| worker.load() > 0)
        {
            let worker = self.start();
            self.workers.push(worker);
        }
        if let Some(worker) = self.workers.iter().min_by_key(|worker| worker.load()) {
            // The thread lives as long as this sender, so the send cannot fail.
            let _ = worker.jobs.send(Job {
                delivery,
                taken: TakenDelivery(slot, Load::on(&worker.load)),
                working,
            });
        }
    }

    fn start(&self) -> Worker {
        let (jobs, waiting) = mpsc::unbounded_channel();
        let serving = serve(Arc::clone(&self.executor), waiting);
        match start_thread(self.workers.len(), serving, self.ending.clone()) {
            Ok(()) => Worker { jobs, load: Arc::default() },
            Err(error) => {
                tracing::error!(
                    %error,
                    "bus worker thread not started; the main thread executes its calls"
                );
                let (jobs, waiting) = mpsc::unbounded_channel();
                tokio::spawn(serve(Arc::clone(&self.executor), waiting));
                Worker { jobs, load: Arc::default() }
            }
        }
    }
}

impl Worker {
    fn load(&self) -> usize {
        self.load.load(Ordering::Relaxed)
    }
}

fn start_thread(
    number: usize,
    serving: impl Future<Output = ()> + Send + 'static,
    ending: mpsc::Sender<Infallible>,
) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let work = move || {
        runtime.block_on(serving);
        runtime.shutdown_timeout(BLOCKING_TIMEOUT);
        drop(ending);
    };
    thread::Builder::new().name(format!("bus-{number}")).spawn(work).map(drop)
}

/// Executes calls, each as a task of its own.
async fn serve(executor: Arc<Executor>, mut jobs: mpsc::UnboundedReceiver<Job>) {
    let mut batch = Vec::with_capacity(TAKE_BATCH);
    while jobs.recv_many(&mut batch, TAKE_BATCH).await > 0 {
        for Job { delivery, taken, working } in batch.drain(..) {
            let executor = Arc::clone(&executor);
            tokio::spawn(async move {
                executor.execute(delivery, taken).await;
                drop(working);
            });
        }
    }
}
