//! The start of a gateway, step by step: each part is opened when all parts that it uses are open,
//! and the listener last, so that no client connects to a gateway that does not start.

use std::{net::SocketAddr, sync::Arc, thread};

use tokio::{
    sync::{Notify, oneshot},
    task::JoinSet,
};

use crate::{
    base::{connection_slots::ConnectionSlots, start_error::StartError},
    bus::{Broker, BusError, CallsStatus, publisher::Publisher},
    control::OperatorSettings,
    edge::{
        admin::DrainFlag,
        bus_consumer::{CallConsumer, ConsumerOptions},
        http::{BodyBudget, HttpEdge, HttpSettings, Protection, RouteTable, Server},
    },
    gateway::{
        Gateway, RunningGateway,
        admin_listener::{AdminListener, AdminParts},
        call_path::CallPath,
        foundation::Foundation,
        preflight::warn_unhonoured_keys,
        reload::{ConfiguredRoutes, Reloader},
        storage::Storage,
    },
    pipeline::Pipeline,
    provider::synchronize,
    redis::Redis,
    service::registry::Registry,
};

/// The parts of a gateway that are open before it listens.
struct Opened {
    redis: Option<Redis>,
    broker: Arc<dyn Broker>,
    publisher: Publisher,
    registry: Arc<Registry>,
    budget: BodyBudget,
    storage: Storage,
    calls: CallPath,
    control: Option<Arc<OperatorSettings>>,
    edge: HttpEdge,
    configured: ConfiguredRoutes,
}

impl Gateway {
    /// Starts serving, for programs and tests that stop the gateway themselves.
    ///
    /// # Errors
    ///
    /// Returns an error if the gateway cannot start.
    pub async fn start(self) -> Result<RunningGateway, StartError> {
        let origins = self.origins.clone();
        self.started().await.map_err(|error| error.map(|problem| origins.attributed(problem)))
    }

    async fn started(self) -> Result<RunningGateway, StartError> {
        let opened = self.open().await?;
        self.listen(opened).await
    }

    /// Opens all that calls use.
    async fn open(&self) -> Result<Opened, StartError> {
        let Foundation { redis, broker, publisher, registry, mut routes, route_factory, budget } =
            self.found().await?;
        // A gateway that only has routes publishes no events.
        if self.settings.bus.request_log || registry.methods().next().is_some() {
            publisher.declare().await?;
        }
        let storage = self.open_storage(&publisher).await?;
        let authenticator = self.authenticator(&storage)?;
        if let Some(authenticator) = &authenticator {
            routes.authenticate(authenticator);
        }
        let is_authenticated = authenticator.as_ref().is_some_and(|it| it.accepts().any());
        warn_unhonoured_keys(&registry, storage.honours_keys());
        let calls = self.call_path(authenticator, &storage, redis.as_ref(), &registry)?;
        let control = storage.follow_operators(&calls.reloader).await?;
        let edge = self.edge(routes, calls.pipeline.clone(), budget.clone(), is_authenticated);
        let configured = ConfiguredRoutes { factory: route_factory, edge: edge.clone() };
        Ok(Opened {
            redis,
            broker,
            publisher,
            registry,
            budget,
            storage,
            calls,
            control,
            edge,
            configured,
        })
    }

    /// Starts the background tasks, the consumer of calls and the listeners.
    async fn listen(mut self, opened: Opened) -> Result<RunningGateway, StartError> {
        let Opened { broker, publisher, registry, mut storage, calls, control, edge, .. } = opened;
        let redis = opened.redis;
        let mut background =
            self.background(&storage, &publisher, redis.as_ref(), &registry).await?;
        let reload = self.follow_file(&calls.reloader, opened.configured, &mut background);
        let status = Arc::new(CallsStatus::default());
        let connections = ConnectionSlots::new(self.settings.http.limits.connections);
        let operator = self.start_admin(AdminParts {
            store: storage.for_admin(control.clone()),
            registry: Arc::clone(&registry),
            quotas: Arc::clone(&calls.quotas),
            redis,
            broker: Arc::clone(&broker),
            calls: Arc::clone(&status),
            connections: connections.clone(),
            draining: DrainFlag::default(),
            budget: opened.budget,
        })?;
        // The queue is declared before a client can connect, and no call is received from it before
        // the gateway is known to start.
        let takes_calls = self.declare_calls(&broker, &registry).await?;
        let (calls_drained, drained) = oneshot::channel();
        let server = self.bind(connections, drained)?;
        let address = server.local_addr();
        let mut consumer = None;
        if takes_calls {
            let options = self.consumer_options(storage.honours_keys(), status);
            consumer = Some(self.consumer(&broker, &registry, calls.pipeline, options).await?);
        }
        announce(address, &registry, operator.as_ref());
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(server.serve(edge, async {
            // The sender's drop counts too: the handle of the gateway was dropped.
            let _ = stopped.await;
        }));
        let running = RunningGateway {
            address,
            registry,
            broker,
            consumer,
            calls_drained,
            publisher,
            drain_timeout: self.settings.http.drain_timeout,
            control,
            operator,
            limiting: calls.quotas,
            caching: calls.cache,
            background,
            reload,
            stop,
            served,
            writer_task: storage.writer_task.take(),
            request_log_task: storage.request_log_task.take(),
        };
        if let Some(on_listening) = self.on_listening.take() {
            on_listening(&running);
        }
        Ok(running)
    }

    /// Declares the queue of calls, and returns whether the gateway takes calls from it.
    async fn declare_calls(
        &self,
        broker: &Arc<dyn Broker>,
        registry: &Registry,
    ) -> Result<bool, StartError> {
        let settings = &self.settings.bus.calls;
        let takes_calls = settings.enabled && registry.methods().next().is_some();
        if takes_calls {
            let declared = broker.declare(&settings.call_queue()).await;
            declared.map_err(|error| calls_failed(&error))?;
        }
        Ok(takes_calls)
    }

    /// Starts the tasks that run for as long as the gateway.
    async fn background(
        &self,
        storage: &Storage,
        publisher: &Publisher,
        redis: Option<&Redis>,
        registry: &Registry,
    ) -> Result<JoinSet<()>, StartError> {
        let mut background = JoinSet::new();
        storage.start_sweeper(&mut background, &self.settings).await;
        self.start_outbox_relay(&mut background, publisher)?;
        if let Some(redis) = redis {
            background.spawn(synchronize(redis.clone(), registry.pools().cloned().collect()));
        }
        Ok(background)
    }

    /// Binds the listener; connections wait until it serves.
    fn bind(
        &self,
        connections: ConnectionSlots,
        drained: oneshot::Receiver<()>,
    ) -> Result<Server, StartError> {
        let server = Server::bind(&self.settings.http)
            .map_err(|error| StartError::new(error.to_string()))?;
        Ok(server.with_slots(connections).ending_after(drained))
    }

    /// Starts polling the configuration file, if there is one; the result requests a reload at
    /// once.
    fn follow_file(
        &mut self,
        reloader: &Arc<Reloader>,
        routes: ConfiguredRoutes,
        background: &mut JoinSet<()>,
    ) -> Option<Arc<Notify>> {
        let file = self.file.take()?;
        let reload = Arc::new(Notify::new());
        background.spawn(Arc::clone(reloader).follow(file, routes, Arc::clone(&reload)));
        Some(reload)
    }

    fn edge(
        &self,
        routes: RouteTable,
        pipeline: Pipeline,
        budget: BodyBudget,
        is_authenticated: bool,
    ) -> HttpEdge {
        let settings = &self.settings.http;
        let is_local = settings.listen.ip().is_loopback() && !is_authenticated;
        let protection = Protection { is_local, url: self.settings.info.url.clone(), budget };
        HttpEdge::protected(routes, pipeline, settings.clone(), protection)
    }

    fn consumer_options(&self, honours_keys: bool, status: Arc<CallsStatus>) -> ConsumerOptions {
        let HttpSettings { request_timeout: timeout, workers, .. } = self.settings.http;
        let workers =
            workers.or_else(|| thread::available_parallelism().ok()).map_or(1, usize::from);
        ConsumerOptions { timeout, honours_keys, workers, status }
    }

    /// Starts the consumer that executes the calls of the bus.
    async fn consumer(
        &self,
        broker: &Arc<dyn Broker>,
        registry: &Registry,
        pipeline: Pipeline,
        options: ConsumerOptions,
    ) -> Result<CallConsumer, StartError> {
        let settings = &self.settings.bus.calls;
        let started =
            CallConsumer::start(Arc::clone(broker), settings, registry, pipeline, options).await;
        started.map_err(|error| calls_failed(&error))
    }
}

/// Logs the addresses.
fn announce(address: SocketAddr, registry: &Registry, operator: Option<&AdminListener>) {
    tracing::info!(
        address = %format_args!("http://{address}"),
        docs = cfg!(feature = "docs-page").then(|| format!("http://{address}/docs")),
        meta = %format_args!("http://{address}/meta"),
        services = registry.services().len(),
        methods = registry.methods().count(),
        "listening"
    );
    if let Some(operator) = operator {
        tracing::info!(
            address = %format_args!("http://{}", operator.address),
            "listening for operators"
        );
    }
}

fn calls_failed(error: &BusError) -> StartError {
    StartError::new(format!("[bus.calls]: {error}"))
}
