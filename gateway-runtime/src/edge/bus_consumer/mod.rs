//! The bus consumer: calls from the queue `gateway.calls`, executed through the same pipeline as
//! all others (SEMANTICS §11).
//!
//! A message is acknowledged when the broker has confirmed everything that follows from it. If the
//! gateway dies before, the message is delivered again, and its key (`message_id`) prevents a
//! second execution.
//!
//! - `intake`: receives messages and assigns slots
//! - `workers`: the threads that execute calls
//! - `executor`: turns a message into a call, and acknowledges it
//! - `envelope`: parses a message
//! - `reply`: creates the reply
//! - `retry`: decides whether a message is acknowledged, retried or becomes a dead letter

mod envelope;
mod executor;
mod intake;
mod options;
mod publish;
mod reply;
mod retry;
mod slot;
mod workers;

use std::{convert::Infallible, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::timeout,
};

pub use crate::edge::bus_consumer::options::ConsumerOptions;
use crate::{
    bus::{Broker, BusError, CallsSettings, Subscription},
    edge::bus_consumer::{executor::Executor, intake::Intake, workers::Workers},
    pipeline::Pipeline,
    service::registry::Registry,
};

/// The time limit for idle worker threads to end.
const THREADS_TIMEOUT: Duration = Duration::from_secs(2);

/// A consumer of calls that arrive over the bus.
#[derive(Debug)]
pub struct CallConsumer {
    stop: oneshot::Sender<()>,
    intake: JoinHandle<Workers>,
    ended: mpsc::Receiver<Infallible>,
}

/// A consumer whose calls have ended. Its threads remain for the provider connections that they
/// have opened, which other calls may use.
#[derive(Debug)]
pub struct StoppedConsumer {
    workers: Option<Workers>,
    ended: mpsc::Receiver<Infallible>,
}

impl CallConsumer {
    /// Starts to execute calls. A task of the current runtime receives the messages.
    ///
    /// # Errors
    ///
    /// Fails if the queue cannot be declared.
    pub async fn start(
        broker: Arc<dyn Broker>,
        settings: &CallsSettings,
        registry: &Registry,
        pipeline: Pipeline,
        options: ConsumerOptions,
    ) -> Result<Self, BusError> {
        let deliveries = broker.consume(Subscription::Calls(settings.call_queue())).await?;
        let threads = options.workers;
        let status = Arc::clone(&options.status);
        let executor = Arc::new(Executor::new(broker, settings, registry, pipeline, options));
        let (ending, ended) = mpsc::channel(1);
        let workers = Workers::new(Arc::clone(&executor), threads, ending);
        let (stop, stopped) = oneshot::channel();
        let intake = Intake::new(executor, workers, status, settings.concurrency);
        Ok(Self { stop, intake: tokio::spawn(intake.run(deliveries, stopped)), ended })
    }

    /// Stops the intake, and returns messages that were not begun to their queue. Waits until the
    /// begun ones are acknowledged and the broker has the acknowledgements, or until
    /// `drain_timeout` is over: the remaining calls are cut, and their messages requeued.
    pub async fn stop(mut self, drain_timeout: Duration) -> StoppedConsumer {
        // An error means that the intake has ended already.
        let _ = self.stop.send(());
        let workers = match timeout(drain_timeout, &mut self.intake).await {
            Ok(workers) => workers.ok(),
            Err(_) => {
                tracing::warn!("drain timed out: in-flight bus calls are requeued");
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
        // No value is ever sent: the channel closes when the threads have ended.
        if timeout(THREADS_TIMEOUT, self.ended.recv()).await.is_err() {
            tracing::warn!("bus worker threads did not end in time");
        }
    }
}

/// The parsing of calls, for its fuzz target.
#[cfg(fuzzing)]
pub mod mapping {
    use http::HeaderMap;

    use super::envelope::{self, Envelope};
    use crate::{base::error::Error, bus::Message};

    /// Parses the envelope of a call; returns the name of its method, and its header fields.
    ///
    /// # Errors
    ///
    /// The error with which such a call is answered.
    pub fn call(message: &Message) -> Result<(String, HeaderMap), Error> {
        let envelope = Envelope::read(&message.body)?;
        Ok((envelope.name(), envelope::headers(message)?))
    }
}
