//! A gateway that serves, and how it stops.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, oneshot},
    task::{JoinHandle, JoinSet},
};

use crate::{
    base::start_error::StartError,
    bus::{Broker, publisher::Publisher},
    control::OperatorSettings,
    edge::{bus_consumer::CallConsumer, http::DrainOutcome},
    gateway::admin_listener::AdminListener,
    pipeline::{CacheFigures, QuotaEnforcer, ReplyCache},
    service::registry::Registry,
};

/// How long what is still to be written may take when everything else has ended.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);
/// And what is still to be given back.
const QUOTA_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// A gateway that serves. Dropping it stops it as [`stop`](Self::stop) does, without waiting.
#[derive(Debug)]
pub struct RunningGateway {
    pub(super) address: SocketAddr,
    pub(super) registry: Arc<Registry>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) consumer: Option<CallConsumer>,
    /// Dropped when the calls of the bus have ended: those of HTTP may end then.
    pub(super) calls_drained: oneshot::Sender<()>,
    pub(super) publisher: Publisher,
    pub(super) drain_timeout: Duration,
    /// Ends with this.
    pub(super) control: Option<Arc<OperatorSettings>>,
    pub(super) limiting: Arc<QuotaEnforcer>,
    pub(super) caching: Option<Arc<ReplyCache>>,
    /// What looks after things as long as there is a gateway.
    pub(super) background: JoinSet<()>,
    /// Notified when the configuration is to be read again; none where it is not from a file.
    pub(super) reload: Option<Arc<Notify>>,
    pub(super) operator: Option<AdminListener>,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) served: JoinHandle<io::Result<DrainOutcome>>,
    /// Ends when all that had to be written is.
    pub(super) writer_task: Option<JoinHandle<()>>,
    /// Ends when all that had to be told is.
    pub(super) request_log_task: Option<JoinHandle<()>>,
}

impl RunningGateway {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators are listened for; none without `[admin]`.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.operator.as_ref().map(|operator| operator.address)
    }

    /// Its base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it serves.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// What carries its messages.
    #[must_use]
    pub fn broker(&self) -> &Arc<dyn Broker> {
        &self.broker
    }

    /// What publishes its events.
    #[must_use]
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// What operators have set, and how that is kept up with; none without books.
    #[must_use]
    pub fn control(&self) -> Option<&Arc<OperatorSettings>> {
        self.control.as_ref()
    }

    /// How often the cache helped, and what it holds; none when no method is cached.
    #[must_use]
    pub fn cache(&self) -> Option<CacheFigures> {
        Some(self.caching.as_ref()?.figures())
    }

    /// What calls are limited with.
    #[must_use]
    pub fn limiting(&self) -> &QuotaEnforcer {
        &self.limiting
    }

    /// Reads the configuration again, as SIGHUP does: limits and the switches of providers then hold. The log says what came
    /// of it. Returns whether there is a configuration file; without one nothing is done.
    pub fn reload(&self) -> bool {
        self.reload.as_ref().inspect(|reload| reload.notify_one()).is_some()
    }

    /// Accepts no more, and waits until what is in flight has ended or `http.drain_timeout` is over.
    ///
    /// # Errors
    ///
    /// When the server had failed before.
    pub async fn stop(self) -> Result<(), StartError> {
        if let Some(operator) = &self.operator {
            operator.draining.begin();
        }
        // The journal ends when nobody has it any more.
        drop((self.stop, self.control, self.background));
        let calls_drained = self.calls_drained;
        let consumed = async {
            let stopped = match self.consumer {
                Some(consumer) => Some(consumer.stop(self.drain_timeout).await),
                None => None,
            };
            drop(calls_drained);
            stopped
        };
        let (served, consumed) = tokio::join!(self.served, consumed);
        if let Some(consumer) = consumed {
            consumer.end().await;
        }
        match ended(served)? {
            DrainOutcome::Drained => {}
            DrainOutcome::Cut(connections) => {
                tracing::warn!(connections, "cut what did not end in time")
            }
        }
        // It is told that there is no more to come until here.
        if let Some(operator) = self.operator {
            operator.stop().await;
        }
        if tokio::time::timeout(QUOTA_FLUSH_TIMEOUT, self.limiting.flushed()).await.is_err() {
            tracing::warn!("the last tokens of quotas could not be given back");
        }
        if let Some(written) = self.writer_task
            && tokio::time::timeout(FLUSH_TIMEOUT, written).await.is_err()
        {
            tracing::error!("the last records could not be written");
        }
        if let Some(fed) = self.request_log_task
            && tokio::time::timeout(FLUSH_TIMEOUT, fed).await.is_err()
        {
            tracing::warn!("the last records could not be published");
        }
        self.broker.close().await;
        Ok(())
    }

    /// Why it serves no more; pending as long as it does.
    pub(super) async fn failed(&mut self) -> StartError {
        match ended((&mut self.served).await) {
            Ok(_) => StartError::new("the server ended by itself"),
            Err(error) => error,
        }
    }
}

pub(super) fn ended(
    served: Result<io::Result<DrainOutcome>, tokio::task::JoinError>,
) -> Result<DrainOutcome, StartError> {
    served
        .map_err(io::Error::other)
        .flatten()
        .map_err(|error| StartError::new(format!("the server failed: {error}")))
}
