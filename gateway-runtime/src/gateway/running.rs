//! A running gateway, and its shutdown: stop accepting, finish what is in flight, exit.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, oneshot},
    task::{JoinHandle, JoinSet},
};

use crate::{
    base::start_error::StartError,
    bus::{Broker, publisher::Publisher},
    control::OperatorSettings,
    edge::{bus_consumer::CallConsumer, client::Bus, http::DrainOutcome},
    gateway::{admin_listener::AdminListener, serve_error::ended},
    pipeline::{QuotaEnforcer, ReplyCache},
    service::registry::Registry,
};

/// The time for unwritten records, after all calls have ended.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(10);
/// The time for quota tokens and slots that are not released yet.
const QUOTA_FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// A gateway that serves. Dropping it stops it as [`stop`](Self::stop) does, without waiting.
#[derive(Debug)]
pub struct RunningGateway {
    pub(super) address: SocketAddr,
    pub(super) registry: Arc<Registry>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) consumer: Option<CallConsumer>,
    /// The signal that the calls of the bus have ended; only then does the drain of HTTP end.
    pub(super) calls_drained: oneshot::Sender<()>,
    pub(super) publisher: Publisher,
    pub(super) drain_timeout: Duration,
    /// The settings of operators; its polling ends when this is dropped.
    pub(super) control: Option<Arc<OperatorSettings>>,
    pub(super) limiting: Arc<QuotaEnforcer>,
    pub(super) caching: Option<Arc<ReplyCache>>,
    /// The tasks that run for as long as the gateway.
    pub(super) background: JoinSet<()>,
    /// The request to reload the configuration; none if it is not from a file.
    pub(super) reload: Option<Arc<Notify>>,
    pub(super) operator: Option<AdminListener>,
    pub(super) stop: oneshot::Sender<()>,
    pub(super) served: JoinHandle<io::Result<DrainOutcome>>,
    /// The store's writer, which ends when everything is written.
    pub(super) writer_task: Option<JoinHandle<()>>,
    /// The publisher of the request log, which ends when everything is published.
    pub(super) request_log_task: Option<JoinHandle<()>>,
}

impl RunningGateway {
    /// Returns the address on which the gateway listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the address of the operator's listener; `None` without `[admin]`.
    #[must_use]
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.operator.as_ref().map(|operator| operator.address)
    }

    /// Returns the base URL of the gateway.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns a transport of the typed client over the gateway's own bus, for calls by the bus
    /// within the program.
    #[must_use]
    pub fn bus(&self) -> Bus {
        Bus::over(Arc::clone(&self.broker))
    }

    /// Returns the publisher of events.
    #[must_use]
    pub fn publisher(&self) -> &Publisher {
        &self.publisher
    }

    /// Reads the configuration again, as SIGHUP does, and applies routes, upstreams, limits and the
    /// switches of providers. The log has the result. Returns whether there is a configuration
    /// file; without one nothing is done.
    pub fn reload(&self) -> bool {
        self.reload.as_ref().inspect(|reload| reload.notify_one()).is_some()
    }

    /// Stops accepting, and waits until the calls in flight have ended or `http.drain_timeout` is
    /// over.
    ///
    /// # Errors
    ///
    /// Returns an error if the server had failed before.
    pub async fn stop(self) -> Result<(), StartError> {
        if let Some(operator) = &self.operator {
            operator.draining.begin();
        }
        // The store's writer ends when its last handle is dropped.
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
                tracing::warn!(connections, "drain timed out: connections closed")
            }
        }
        // Until here `/readyz` tells operators that the gateway drains.
        if let Some(operator) = self.operator {
            operator.stop().await;
        }
        if tokio::time::timeout(QUOTA_FLUSH_TIMEOUT, self.limiting.flushed()).await.is_err() {
            tracing::warn!("last tokens of quotas not given back");
        }
        if let Some(written) = self.writer_task
            && tokio::time::timeout(FLUSH_TIMEOUT, written).await.is_err()
        {
            tracing::error!("last records not written");
        }
        if let Some(fed) = self.request_log_task
            && tokio::time::timeout(FLUSH_TIMEOUT, fed).await.is_err()
        {
            tracing::warn!("last records not published");
        }
        self.broker.close().await;
        Ok(())
    }

    /// Waits until the server ends by itself, and returns the reason.
    pub(super) async fn failed(&mut self) -> StartError {
        match ended((&mut self.served).await) {
            Ok(_) => StartError::new("the server ended unexpectedly"),
            Err(error) => error,
        }
    }
}
