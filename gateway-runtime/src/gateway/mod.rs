//! The assembly: builds a running gateway from the settings, the registry, the edges and the
//! pipeline. It is the only file that uses all of them.

mod admin_listener;
mod builder;
pub(crate) mod config;
mod foundation;
mod list;
mod migrations;
mod preflight;
mod reload;
mod routes;
mod run;
mod running;
pub mod telemetry;

use std::{collections::BTreeMap, fmt, sync::Arc, thread};

use serde_json::{Map, Value};
use tokio::{
    sync::{Notify, oneshot},
    task::JoinSet,
};

pub use crate::gateway::running::RunningGateway;
use crate::{
    auth::{ApiKeys, Authenticator},
    base::{call_metrics::ConnectionSlots, start_error::StartError},
    bus::{
        Broker, BusError, BusSettings, CallsStatus,
        publisher::{Publisher, RequestLogPublisher, empty_outbox},
    },
    cache,
    control::{OperatorSettings, PlanCache},
    edge::{
        admin::{AdminState, AdminStore, BusProbe, CallsProbe, DrainFlag, ReadinessCheck},
        bus_consumer::{CallConsumer, ConsumerOptions},
        dispatch::DispatcherFactory,
        http::{HttpEdge, HttpSettings, Mount, Protection, Server},
    },
    gateway::{
        admin_listener::AdminListener,
        config::{Action, ConfigFile, Origins, Settings},
        foundation::Foundation,
        preflight::warn_unhonoured_keys,
        reload::{ReloadableSettings, Reloader},
    },
    pipeline::{
        Billing, Layers, Persistence, Pipeline, PlanLookup, QuotaEnforcer, ReplyCache, Stages,
    },
    provider::{HttpClient, ProviderSettings, synchronize},
    redis::Redis,
    service::{
        app::App,
        registry::{Registry, RegistrySettings},
    },
    store::{Migrations, Store, StoreWriter, sweep},
};

/// A gateway that is not started yet.
///
/// ```no_run
/// use gateway_runtime::prelude::*;
///
/// fn main() -> Result<(), StartError> {
///     Gateway::from_env()?.run()
/// }
/// ```
pub struct Gateway {
    settings: Settings,
    /// The sources of the settings' keys.
    origins: Origins,
    /// The configuration file; none if the settings are not from one.
    file: Option<ConfigFile>,
    action: Action,
    /// The version of the program.
    version: Option<String>,
    app: App,
    api_keys: Option<Arc<dyn ApiKeys>>,
    mounts: Vec<Mount>,
    dispatchers: BTreeMap<String, Box<DispatcherFactory>>,
    layers: Layers,
    migrations: Vec<Migrations>,
    expected_services: Vec<String>,
    expected_providers: Vec<String>,
    on_listening: Option<Tell>,
}

/// A function that is called once, when the gateway listens.
type Tell = Box<dyn FnOnce(&RunningGateway) + Send>;

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

    async fn started(mut self) -> Result<RunningGateway, StartError> {
        let Foundation { redis, broker, publisher, registry, mut routes, budget } =
            self.found().await?;
        // A gateway that only has routes publishes no events.
        if self.settings.bus.request_log || registry.methods().next().is_some() {
            publisher.declare().await?;
        }
        let settings = &self.settings.http;
        let http = || HttpClient::new(&self.settings.http_client);
        let books = self.settings.store.open(&self.migrations).await?;
        let authenticator =
            Authenticator::new(&self.settings.auth, self.key_stores(books.as_ref()), http)?
                .map(Arc::new);
        let accepted =
            authenticator.as_ref().map(|authenticator| authenticator.accepts()).unwrap_or_default();
        if let Some(authenticator) = &authenticator {
            routes.authenticate(authenticator);
        }
        let (journal, written) = books.clone().map(StoreWriter::start).unzip();
        let (keys, records) =
            (self.settings.idempotency.clone(), self.settings.request_log.clone());
        let (feed, fed) = Some(&publisher)
            .filter(|_| self.settings.bus.request_log && records.enabled)
            .cloned()
            .map(RequestLogPublisher::start)
            .unzip();
        let keeping = journal.map(|journal| {
            Arc::new(Persistence { feed, ..Persistence::new(journal, keys, records) })
        });
        let honours_keys = keeping.as_ref().is_some_and(|keeping| keeping.keys.enabled);
        warn_unhonoured_keys(&registry, honours_keys);
        let limiting = QuotaEnforcer::new(&self.settings.quota, &registry, redis.clone());
        let charges = accepted.any() && self.settings.billing.enabled;
        let billing = keeping.as_ref().filter(|_| charges);
        let billing = billing.map(|keeping| {
            let journal = keeping.journal.clone();
            Arc::new(Billing::new(journal, &self.settings.billing, Arc::clone(&registry)))
        });
        let mut background = JoinSet::new();
        if let (Some(books), Some(keeping)) = (&books, &keeping) {
            let (every, kept) = (self.settings.billing.grace / 2, keeping.keys.retention);
            let anonymous = Arc::clone(&keeping.anonymous);
            if let Ok(bytes) = books.anonymous_bytes().await {
                anonymous.count(bytes);
            }
            let count = move |bytes| anonymous.count(bytes);
            background.spawn(sweep(books.clone(), keeping.journal.clone(), every, kept, count));
        }
        if let Some(db) = self.settings.store.lazy()? {
            background.spawn(empty_outbox(db, publisher.clone()));
        }
        if let Some(redis) = &redis {
            background.spawn(synchronize(redis.clone(), registry.pools().cloned().collect()));
        }
        let planning = books.clone().map(|books| Arc::new(PlanLookup::new(PlanCache::new(books))));
        let changing = Arc::new(Reloader {
            registry: Arc::clone(&registry),
            limiting: Arc::clone(&limiting),
            billing: billing.clone(),
            planning: planning.clone(),
            holding: ReloadableSettings::of(&self.settings)?.holding(),
        });
        let control = match books {
            Some(books) => Some(control(books, Arc::clone(&changing)).await?),
            None => None,
        };
        let reload = self.file.take().map(|file| {
            let reload = Arc::new(Notify::new());
            background.spawn(changing.follow(file, Arc::clone(&reload)));
            reload
        });
        let calls = Arc::new(CallsStatus::default());
        let connections = ConnectionSlots::new(settings.limits.connections);
        let operator = match self.settings.admin.as_ref().filter(|admin| admin.enabled) {
            Some(admin) => {
                let books = kept(keeping.as_deref(), control.clone());
                let desk = AdminState {
                    probes: self.probes(books.as_ref(), redis.as_ref(), &broker, &calls),
                    registry: Arc::clone(&registry),
                    books,
                    limiting: Arc::clone(&limiting),
                    keys: self.settings.idempotency.clone(),
                    redis: redis.clone(),
                    connections: connections.clone(),
                    broker: Arc::clone(&broker),
                    calls: Arc::clone(&calls),
                    draining: DrainFlag::default(),
                };
                Some(AdminListener::start(admin, desk, budget.clone(), &settings.compression)?)
            }
            None => None,
        };
        let backend = cache::open(&self.settings.cache, redis.as_ref())?;
        let caching =
            backend.and_then(|backend| ReplyCache::new(&self.settings.cache, &registry, backend));
        let pipeline = Pipeline::new(Stages {
            authenticator,
            keeping,
            planning,
            limiting: Some(Arc::clone(&limiting)),
            caching: caching.clone(),
            billing,
            layers: self.layers.clone(),
        });
        let is_local = settings.listen.ip().is_loopback() && !accepted.any();
        let protection = Protection { is_local, url: self.settings.info.url.clone(), budget };
        let edge = HttpEdge::protected(routes, pipeline.clone(), settings.clone(), protection);
        // The queue is declared before a client can connect, and no call is received from it before
        // the gateway is known to start.
        let takes_calls = self.settings.bus.calls.enabled && registry.methods().next().is_some();
        if takes_calls {
            broker
                .declare(&self.settings.bus.calls.call_queue())
                .await
                .map_err(|error| calls_failed(&error))?;
        }
        let (calls_drained, drained) = oneshot::channel();
        let server = Server::bind(settings).map_err(|error| StartError::new(error.to_string()))?;
        let server = server.with_slots(connections).ending_after(drained);
        let address = server.local_addr();
        let consumer = match takes_calls {
            true => Some(self.consumer(&broker, &registry, pipeline, honours_keys, calls).await?),
            false => None,
        };
        tracing::info!(
            address = %format_args!("http://{address}"),
            docs = %format_args!("http://{address}/docs"),
            meta = %format_args!("http://{address}/meta"),
            services = registry.services().len(),
            methods = registry.methods().count(),
            "listening"
        );
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(server.serve(edge, async {
            // The sender's drop counts too: the handle of the gateway was dropped.
            let _ = stopped.await;
        }));
        let drain_timeout = settings.drain_timeout;
        if let Some(operator) = &operator {
            tracing::info!(
                address = %format_args!("http://{}", operator.address),
                "listening for the operator"
            );
        }
        let running = RunningGateway {
            address,
            registry,
            broker,
            consumer,
            calls_drained,
            publisher,
            drain_timeout,
            control,
            operator,
            limiting,
            caching,
            background,
            reload,
            stop,
            served,
            writer_task: written,
            request_log_task: fed,
        };
        if let Some(tell) = self.on_listening.take() {
            tell(&running);
        }
        Ok(running)
    }

    /// Returns the stores of API keys, which are read after the keys of the configuration.
    fn key_stores(&self, books: Option<&Store>) -> Vec<Arc<dyn ApiKeys>> {
        let kept =
            books.filter(|_| self.reads_kept_keys()).map(|books| Arc::new(books.clone()) as _);
        self.api_keys.iter().cloned().chain(kept).collect()
    }

    /// Starts the consumer that executes the calls of the bus.
    async fn consumer(
        &self,
        broker: &Arc<dyn Broker>,
        registry: &Registry,
        pipeline: Pipeline,
        honours_keys: bool,
        status: Arc<CallsStatus>,
    ) -> Result<CallConsumer, StartError> {
        let HttpSettings { request_timeout: timeout, workers, .. } = self.settings.http;
        let workers =
            workers.or_else(|| thread::available_parallelism().ok()).map_or(1, usize::from);
        let options = ConsumerOptions { timeout, honours_keys, workers, status };
        let started = CallConsumer::start(
            Arc::clone(broker),
            &self.settings.bus.calls,
            registry,
            pipeline,
            options,
        )
        .await;
        started.map_err(|error| calls_failed(&error))
    }

    /// Returns the readiness checks of the gateway.
    fn probes(
        &self,
        books: Option<&AdminStore>,
        redis: Option<&Redis>,
        broker: &Arc<dyn Broker>,
        calls: &Arc<CallsStatus>,
    ) -> Vec<Box<dyn ReadinessCheck>> {
        let database =
            books.iter().map(|kept| Box::new(kept.books.clone()) as Box<dyn ReadinessCheck>);
        let redis = redis.map(|redis| Box::new(redis.clone()) as _);
        let bus = self.settings.bus.amqp.iter().flat_map(|_| {
            // Calls over HTTP go on without the broker.
            let is_needed = !self.settings.routes.is_empty();
            let bus = Box::new(BusProbe { broker: Arc::clone(broker), is_needed })
                as Box<dyn ReadinessCheck>;
            [bus, Box::new(CallsProbe(Arc::clone(calls)))]
        });
        database.chain(redis).chain(bus).collect()
    }

    /// Creates the publisher of events.
    fn publisher(&self, broker: &Arc<dyn Broker>) -> Publisher {
        let BusSettings { exchange, source, .. } = &self.settings.bus;
        Publisher::new(Arc::clone(broker), exchange, source)
    }

    fn registry(
        &self,
        redis: Option<&Redis>,
        publisher: &Publisher,
    ) -> Result<Registry, StartError> {
        let mut app = self.app.clone();
        app.insert(Arc::new(publisher.clone()));
        if let Some(db) = self.settings.store.lazy()? {
            app.insert(Arc::new(db));
        }
        if let Some(redis) = redis.map(Redis::for_authors).map(Arc::new) {
            app.insert(redis);
        }
        if app.get::<HttpClient>().is_none() {
            app.insert(Arc::new(HttpClient::new(&self.settings.http_client)?));
        }
        for (name, section) in &self.settings.providers {
            app.set_section(format!("providers.{name}"), split(section).1);
        }
        for (name, section) in &self.settings.services {
            app.set_section(format!("services.{name}"), (**section).clone());
        }
        let providers = ReloadableSettings::of(&self.settings)?.providers;
        let settings = RegistrySettings { failover: self.settings.failover.clone(), providers };
        let registry = Registry::build(&app, &settings)?;
        registry.expect(&self.expected_services, &self.expected_providers)?;
        Ok(registry)
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// Returns the store as the admin API uses it.
fn kept(
    keeping: Option<&Persistence>,
    control: Option<Arc<OperatorSettings>>,
) -> Option<AdminStore> {
    let (keeping, control) = keeping.zip(control)?;
    Some(AdminStore { books: control.books().clone(), journal: keeping.journal.clone(), control })
}

/// Starts polling the settings of operators, and applies each change.
async fn control(
    books: Store,
    changing: Arc<Reloader>,
) -> Result<Arc<OperatorSettings>, StartError> {
    let started = OperatorSettings::start(books, move |snapshot| changing.set(snapshot)).await;
    started.map_err(|error| StartError::new(format!("[store]: {error}")))
}

/// Splits a provider's section into the gateway's switches and the provider's own settings.
fn split(section: &Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    section.clone().into_iter().partition(|(key, _)| ProviderSettings::KEYS.contains(&key.as_str()))
}

fn calls_failed(error: &BusError) -> StartError {
    StartError::new(format!("[bus.calls]: {error}"))
}
