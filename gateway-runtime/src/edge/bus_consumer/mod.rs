//! The bus to methods: calls that come by the queue `gateway.calls`, through the same pipeline as all others.
//!
//! `intake` receives messages and gives each a slot, `workers` are the threads that execute them, `executor` makes a call of a
//! message and settles it. `envelope` reads a message, `answer` writes the reply, `fate` decides what becomes of the message: done
//! with, tried again after a delay, or dead. A message is settled when all that follows from it is with the broker; what dies before
//! is delivered again, and its key (`message_id`) keeps it from being executed twice.

mod envelope;
mod executor;
mod intake;
mod reply;
mod retry;
mod workers;

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

use crate::{
    bus::{Broker, BusError, CallsSettings, CallsStatus, Subscription},
    edge::bus_consumer::{executor::Executor, intake::Intake, workers::Workers},
    pipeline::Pipeline,
    service::registry::Registry,
};

/// How long worker threads may take to end that have nothing more to do.
const THREADS_TIMEOUT: Duration = Duration::from_secs(2);

/// How calls of the bus are executed.
#[derive(Clone, Debug)]
pub struct ConsumerOptions {
    /// How long a call may take whose method does not say.
    pub timeout: Duration,
    /// Whether a `message_id` keeps a call from being executed twice.
    pub honours_keys: bool,
    /// How many threads execute calls. Each starts with the first call that finds the others busy.
    pub workers: usize,
    /// Where it is said how calls stand.
    pub status: Arc<CallsStatus>,
}

/// What executes the calls that come by the bus.
#[derive(Debug)]
pub struct CallConsumer {
    stop: oneshot::Sender<()>,
    intake: JoinHandle<Workers>,
    ended: mpsc::Receiver<Infallible>,
}

/// A consumer whose calls have ended. Its threads remain for the provider connections that they have opened, which other calls may use.
#[derive(Debug)]
pub struct StoppedConsumer {
    workers: Option<Workers>,
    ended: mpsc::Receiver<Infallible>,
}

impl CallConsumer {
    /// Begins to execute calls. Messages are received by a task of the runtime in which this is called.
    ///
    /// # Errors
    ///
    /// When the queue cannot be declared.
    pub async fn start(
        broker: Arc<dyn Broker>,
        settings: &CallsSettings,
        registry: &Registry,
        pipeline: Pipeline,
        options: ConsumerOptions,
    ) -> Result<Self, BusError> {
        let deliveries = broker.consume(Subscription::Calls(settings.call_queue())).await?;
        let (workers, status) = (options.workers, Arc::clone(&options.status));
        let executor = Arc::new(Executor::new(broker, settings, registry, pipeline, options));
        let (ending, ended) = mpsc::channel(1);
        let workers = Workers::new(Arc::clone(&executor), workers, ending);
        let (stop, stopped) = oneshot::channel();
        let intake = Intake::new(executor, workers, status, settings.concurrency);
        Ok(Self { stop, intake: tokio::spawn(intake.run(deliveries, stopped)), ended })
    }

    /// Takes no more messages; those that were not begun go back to their queue. Waits until those that were begun are settled and the
    /// broker knows it, or `patience` is over: the others are cut, and go back.
    pub async fn stop(mut self, patience: Duration) -> StoppedConsumer {
        // It has ended where nobody receives.
        let _ = self.stop.send(());
        let workers = match timeout(patience, &mut self.intake).await {
            Ok(workers) => workers.ok(),
            Err(_) => {
                tracing::warn!("calls that came by the bus were cut, and go back to their queue");
                self.intake.abort();
                None
            }
        };
        StoppedConsumer { workers, ended: self.ended }
    }
}

impl StoppedConsumer {
    /// Ends the threads.
    pub async fn end(mut self) {
        drop(self.workers);
        // Nothing is ever sent: they have ended when nobody could.
        if timeout(THREADS_TIMEOUT, self.ended.recv()).await.is_err() {
            tracing::warn!("threads that executed calls of the bus have not ended");
        }
    }
}

/// The reading of calls, for its fuzz target.
#[cfg(fuzzing)]
pub mod mapping {
    use http::HeaderMap;

    use super::envelope::{self, Envelope};
    use crate::{base::error::Error, bus::Message};

    /// Reads the envelope of a call: the name of its method, and its header fields.
    ///
    /// # Errors
    ///
    /// As such a call is answered.
    pub fn call(message: &Message) -> Result<(String, HeaderMap), Error> {
        let envelope = Envelope::read(&message.body)?;
        Ok((envelope.name(), envelope::headers(message)?))
    }
}
