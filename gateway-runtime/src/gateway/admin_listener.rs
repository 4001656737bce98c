//! The operator's listener of a running gateway.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{sync::oneshot, task::JoinHandle};

use crate::{
    base::{connection_slots::ConnectionSlots, start_error::StartError},
    bus::{Broker, CallsStatus},
    edge::{
        admin::{
            AdminService, AdminSettings, AdminState, AdminStore, BusProbe, CallsProbe, DrainFlag,
            ReadinessCheck,
        },
        http::{
            BodyBudget, Compressed, CompressionSettings, DrainOutcome, HttpSettings, Mount, Server,
        },
    },
    gateway::{Gateway, serve_error::ended},
    pipeline::QuotaEnforcer,
    redis::Redis,
    service::registry::Registry,
};

/// The parts of a gateway that operators read and change.
pub(super) struct AdminParts {
    pub(super) store: Option<AdminStore>,
    pub(super) registry: Arc<Registry>,
    pub(super) quotas: Arc<QuotaEnforcer>,
    pub(super) redis: Option<Redis>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) calls: Arc<CallsStatus>,
    pub(super) connections: ConnectionSlots,
    pub(super) draining: DrainFlag,
    pub(super) budget: BodyBudget,
}

impl Gateway {
    /// Starts the operator's listener, if `[admin]` enables it.
    pub(super) fn start_admin(
        &self,
        parts: AdminParts,
    ) -> Result<Option<AdminListener>, StartError> {
        let Some(admin) = self.settings.admin.as_ref().filter(|admin| admin.enabled) else {
            return Ok(None);
        };
        let probes = self.readiness_checks(&parts);
        let AdminParts { store, registry, quotas, redis, broker, calls, .. } = parts;
        let state = AdminState {
            probes,
            registry,
            store,
            limiting: quotas,
            keys: self.settings.idempotency.clone(),
            redis,
            connections: parts.connections,
            broker,
            calls,
            draining: parts.draining,
        };
        AdminListener::start(admin, state, parts.budget, &self.settings.http.compression).map(Some)
    }

    /// Returns the readiness checks of the gateway.
    fn readiness_checks(&self, parts: &AdminParts) -> Vec<Box<dyn ReadinessCheck>> {
        let mut checks: Vec<Box<dyn ReadinessCheck>> = Vec::new();
        if let Some(store) = &parts.store {
            checks.push(Box::new(store.store.clone()));
        }
        if let Some(redis) = &parts.redis {
            checks.push(Box::new(redis.clone()));
        }
        if self.settings.bus.amqp.is_some() {
            // Calls over HTTP go on without the broker.
            let is_needed = !self.settings.routes.is_empty();
            checks.push(Box::new(BusProbe { broker: Arc::clone(&parts.broker), is_needed }));
            checks.push(Box::new(CallsProbe(Arc::clone(&parts.calls))));
        }
        checks
    }
}

/// The listener, which serves until it is stopped or dropped.
#[derive(Debug)]
pub(super) struct AdminListener {
    pub(super) address: SocketAddr,
    /// The state of the drain, as `/readyz` reports it.
    pub(super) draining: DrainFlag,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<DrainOutcome>>,
}

impl AdminListener {
    fn start(
        settings: &AdminSettings,
        state: AdminState,
        budget: BodyBudget,
        compression: &CompressionSettings,
    ) -> Result<Self, StartError> {
        let draining = state.draining.clone();
        let mount = Compressed::new(
            Mount::new("/", AdminService::new(settings, state, budget)?)?,
            compression,
        );
        let settings = HttpSettings {
            listen: settings.listen,
            workers: Some(std::num::NonZeroUsize::MIN),
            ..HttpSettings::default()
        };
        let unable = |error| StartError::new(format!("[admin]: {error}"));
        let server = Server::bind(&settings).map_err(unable)?;
        let address = server.local_addr();
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(server.serve(mount, async {
            // The sender's drop counts too: the handle was dropped.
            let _ = stopped.await;
        }));
        Ok(Self { address, draining, stop, served })
    }

    /// Stops accepting, and waits for the requests in flight.
    pub(super) async fn stop(self) {
        drop(self.stop);
        if let Err(error) = ended(self.served.await) {
            tracing::warn!(%error, "the operators' listener failed");
        }
    }
}
