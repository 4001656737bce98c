//! The assembly: settings, registry, edges and pipeline become a running gateway. The only file that sees everything.

mod database;
mod listing;
mod operator;

use std::{
    collections::{BTreeMap, HashMap},
    ffi::OsString,
    fmt,
    io::{self, Write},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use serde_json::{Map, Value};
use tokio::{
    signal::unix::{self, SignalKind},
    sync::oneshot,
    task::{JoinHandle, JoinSet},
};

use self::operator::Operator;
use crate::{
    admin::{AdminSettings, Desk, Draining, Kept, Probe},
    app::{App, StartError},
    auth::{Accepted, ApiKeys, AuthSettings, Authenticator},
    cache,
    config::{Action, Flags, HELP, Settings, Sources, Tree},
    control::{Control, Plans, Snapshot},
    http::{Documents, Edge, Ended, Mount, Routes, Server, docs},
    pipeline::{
        Billing, CacheFigures, Caching, Keeping, Layers, Limiting, Pipeline, PipelineLayer, Place, Planning, Stages,
    },
    provider::{HttpClient, ProviderSettings, share},
    redis::Redis,
    registry::{Method, Registry, RegistrySettings},
    section::read_section,
    spec::{Auth, Idempotency},
    store::{Books, Journal, Migrations, sweep},
    telemetry,
};

/// A gateway that is being put together.
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
    action: Action,
    app: App,
    api_keys: Option<Arc<dyn ApiKeys>>,
    mounts: Vec<Mount>,
    layers: Layers,
    migrations: Vec<Migrations>,
    expected_services: Vec<String>,
    expected_providers: Vec<String>,
    on_listening: Option<Box<dyn FnOnce(SocketAddr) + Send>>,
}

impl Gateway {
    /// Reads `gateway.toml` (in the working directory, or where `--config` says), the environment and the flags.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in any of them.
    pub fn from_env() -> Result<Self, StartError> {
        Self::from_env_over("")
    }

    /// As [`from_env`](Self::from_env), over the program's own defaults, which are TOML.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_env_over(defaults: &str) -> Result<Self, StartError> {
        Self::from_arguments_over(defaults, std::env::args_os().skip(1))
    }

    /// As [`from_env_over`](Self::from_env_over), with these arguments: for a program with flags of its own.
    ///
    /// # Errors
    ///
    /// As [`from_env`](Self::from_env).
    pub fn from_arguments_over(
        defaults: &str,
        arguments: impl IntoIterator<Item = OsString>,
    ) -> Result<Self, StartError> {
        let flags = Flags::parse(arguments)?;
        let sources = Sources::read(defaults, &flags)?;
        // Who asks for help need not open the credentials for it.
        let tree =
            if flags.action == Action::Help { sources.without_credentials() } else { sources.with_credentials()? };
        Self::from_tree(tree, flags.action)
    }

    /// A gateway with these settings and no others: neither the environment nor flags are looked at.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in them.
    pub fn from_toml(settings: &str) -> Result<Self, StartError> {
        Self::from_tree(Tree::from_toml(settings, "the settings")?, Action::Serve)
    }

    fn from_tree(tree: Tree, action: Action) -> Result<Self, StartError> {
        Ok(Self {
            settings: Settings::read(tree.into_value())?,
            action,
            app: App::default(),
            api_keys: None,
            mounts: Vec::new(),
            layers: Layers::default(),
            migrations: Vec::new(),
            expected_services: Vec::new(),
            expected_providers: Vec::new(),
            on_listening: None,
        })
    }

    /// Makes `value` available to fields of type `Arc<T>` of services and providers.
    #[must_use]
    pub fn with<T: Send + Sync + 'static>(mut self, value: impl Into<Arc<T>>) -> Self {
        self.app.insert(value.into());
        self
    }

    /// Looks for API keys here too, after those of the configuration.
    #[must_use]
    pub fn with_api_keys(mut self, keys: impl ApiKeys) -> Self {
        self.api_keys = Some(Arc::new(keys));
        self
    }

    /// Serves any tower service, an axum router say, under a prefix such as `/pages`; see [`Mount::new`].
    #[must_use]
    pub fn mount(mut self, mount: Mount) -> Self {
        self.mounts.push(mount);
        self
    }

    /// Puts a tower layer of your own into the pipeline, which every call goes through by whatever road it came: its
    /// requests are [`Invocation`](crate::pipeline::Invocation)s, and its errors [`Error`](crate::Error)s or whatever tower's own layers fail with. Of
    /// two at one place the first is the outer.
    ///
    /// ```
    /// use gateway_runtime::{pipeline::{Invocation, Place}, prelude::*};
    /// use tower::util::MapRequestLayer;
    ///
    /// # fn add(gateway: Gateway) -> Gateway {
    /// gateway.layer(Place::BeforeDispatch, MapRequestLayer::new(|invocation: Invocation| {
    ///     tracing::debug!(method = invocation.method.path(), "is called");
    ///     invocation
    /// }))
    /// # }
    /// ```
    #[must_use]
    pub fn layer(mut self, place: Place, layer: impl PipelineLayer) -> Self {
        self.layers.add(place, layer);
        self
    }

    /// Refuses to start without these services, `currency` or `currency/v1`: a crate that is only named in `Cargo.toml`
    /// registers nothing, silently.
    #[must_use]
    pub fn expect_services<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.expected_services.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// Refuses to start without these providers.
    #[must_use]
    pub fn expect_providers<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.expected_providers.extend(names.into_iter().map(str::to_owned));
        self
    }

    /// Calls `tell` once, with the address where the gateway listens: for a program that says what to try there. With
    /// `--help` or `--list`, or when it cannot start, nothing is told.
    #[must_use]
    pub fn on_listening(mut self, tell: impl FnOnce(SocketAddr) + Send + 'static) -> Self {
        self.on_listening = Some(Box::new(tell));
        self
    }

    /// Serves until SIGTERM or SIGINT, on threads of its own: for a `main` without a runtime.
    ///
    /// # Errors
    ///
    /// When the gateway cannot start.
    pub fn run(self) -> Result<(), StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| StartError::new(format!("no runtime can be made: {error}")))?;
        runtime.block_on(self.serve())
    }

    /// Serves until SIGTERM or SIGINT, then lets calls in flight finish; or prints what `--list` or `--help` ask for.
    ///
    /// # Errors
    ///
    /// When the gateway cannot start.
    pub async fn serve(self) -> Result<(), StartError> {
        match self.action {
            Action::Serve => {}
            Action::Help => return print(HELP),
            Action::List => {
                let redis = self.settings.redis.open().await?;
                return print(&listing::of(&self.registry(redis.as_ref())?));
            }
        }
        telemetry::init(&self.settings.log)?;
        let mut running = self.start().await?;
        let failure = tokio::select! {
            signal = signal() => {
                tracing::info!(signal = signal?, "stopping");
                None
            }
            failure = running.failed() => Some(failure),
        };
        match failure {
            Some(failure) => Err(failure),
            None => running.stop().await,
        }
    }

    /// Starts serving; for programs and tests that stop it themselves.
    ///
    /// # Errors
    ///
    /// When the gateway cannot start.
    pub async fn start(self) -> Result<Running, StartError> {
        let redis = self.settings.redis.open().await?;
        let registry = Arc::new(self.registry(redis.as_ref())?);
        let settings = &self.settings.http;
        let http = || HttpClient::new(&self.settings.http_client);
        self.check_owners()?;
        let books = self.settings.store.open(&self.migrations).await?;
        let authenticator =
            Authenticator::new(&self.settings.auth, self.key_stores(books.as_ref()), http)?.map(Arc::new);
        let accepted = authenticator.as_ref().map(|authenticator| authenticator.accepts()).unwrap_or_default();
        check_protected(&registry, &self.settings.auth, accepted, settings.listen)?;
        let (journal, written) = books.clone().map(Journal::start).unzip();
        let (keys, records) = (self.settings.idempotency.clone(), self.settings.record.clone());
        let keeping = journal.map(|journal| Arc::new(Keeping { journal, keys, records }));
        warn_of_unhonoured(&registry, keeping.as_ref().is_some_and(|keeping| keeping.keys.enabled));
        let limiting = Limiting::new(&self.settings.quota, &registry, redis.clone());
        StartError::unless_empty(limiting.unknown_names(&self.settings.quota))?;
        let charges = accepted.any() && self.settings.billing.enabled;
        let billing = keeping.as_ref().filter(|_| charges);
        let billing = billing.map(|keeping| {
            let journal = keeping.journal.clone();
            Arc::new(Billing::new(journal, &self.settings.billing, Arc::clone(&registry)))
        });
        let mut background = JoinSet::new();
        if let (Some(books), Some(keeping)) = (&books, &keeping) {
            let (every, kept) = (self.settings.billing.grace / 2, keeping.keys.kept);
            background.spawn(sweep(books.clone(), keeping.journal.clone(), every, kept));
        }
        if let Some(redis) = &redis {
            background.spawn(share(redis.clone(), registry.pools().cloned().collect()));
        }
        let planning = books.clone().map(|books| Arc::new(Planning::new(Plans::new(books))));
        let control = match books {
            Some(books) => Some(self.control(books, &registry, &limiting, billing.clone(), planning.clone()).await?),
            None => None,
        };
        let operator = match self.settings.admin.as_ref().filter(|admin| admin.enabled) {
            Some(admin) => Some(self.operator(admin, &registry, &keeping, control.clone())?),
            None => None,
        };
        let backend = cache::open(&self.settings.cache, redis.as_ref())?;
        let caching = backend.and_then(|backend| Caching::new(&self.settings.cache, &registry, backend));
        let pipeline = Pipeline::new(Stages {
            authenticator,
            keeping,
            planning,
            limiting: Some(Arc::clone(&limiting)),
            caching: caching.clone(),
            billing,
            layers: self.layers.clone(),
        });
        let edge = Edge::new(self.routes(&registry, accepted)?, pipeline, settings.clone());
        let server = Server::bind(settings).map_err(|error| StartError::new(error.to_string()))?;
        let address = server.local_addr();
        tracing::info!(address = %format_args!("http://{address}"), "listening");
        if let Some(tell) = self.on_listening {
            tell(address);
        }
        let (stop, stopped) = oneshot::channel::<()>();
        let served = tokio::spawn(server.serve(edge, async {
            // Also when the handle is dropped.
            let _ = stopped.await;
        }));
        if let Some(operator) = &operator {
            tracing::info!(address = %format_args!("http://{}", operator.address), "listening for the operator");
        }
        Ok(Running { address, registry, control, operator, limiting, caching, background, stop, served, written })
    }

    /// Where API keys are looked for, after those of the configuration. Those of the books count where operators can make
    /// some, or callers are known anyway: else a gateway that only keeps records would ask everybody who they are.
    fn key_stores(&self, books: Option<&Books>) -> Vec<Arc<dyn ApiKeys>> {
        let is_asked = self.settings.admin.is_some() || self.settings.auth.is_configured() || self.api_keys.is_some();
        let kept = books.filter(|_| is_asked).map(|books| Arc::new(books.clone()) as _);
        self.api_keys.iter().cloned().chain(kept).collect()
    }

    fn operator(
        &self,
        settings: &AdminSettings,
        registry: &Arc<Registry>,
        keeping: &Option<Arc<Keeping>>,
        control: Option<Arc<Control>>,
    ) -> Result<Operator, StartError> {
        let books = keeping.as_ref().zip(control).map(|(keeping, control)| Kept {
            books: control.books().clone(),
            journal: keeping.journal.clone(),
            control,
        });
        let probes = books.iter().map(|kept| Box::new(kept.books.clone()) as Box<dyn Probe>).collect();
        let desk = Desk {
            registry: Arc::clone(registry),
            books,
            keys: self.settings.idempotency.clone(),
            probes,
            draining: Draining::default(),
        };
        Operator::start(settings, desk)
    }

    /// What operators change, applied to all that it is about.
    async fn control(
        &self,
        books: Books,
        registry: &Arc<Registry>,
        limiting: &Arc<Limiting>,
        billing: Option<Arc<Billing>>,
        planning: Option<Arc<Planning>>,
    ) -> Result<Arc<Control>, StartError> {
        let (registry, limiting, quota) = (Arc::clone(registry), Arc::clone(limiting), self.settings.quota.clone());
        let configured: Vec<_> = registry.providers().iter().map(|provider| provider.settings()).collect();
        let apply = move |snapshot: &Snapshot| {
            if let Some(billing) = &billing {
                billing.apply(snapshot.prices.iter().map(|list| &**list));
            }
            let limits = snapshot.limits.as_ref().unwrap_or(&quota);
            limiting.apply(limits);
            if let Some(planning) = &planning {
                planning.apply(snapshot.tells_plans_apart() || limits.tells_plans_apart());
            }
            for (provider, configured) in registry.providers().iter().zip(&configured) {
                let switches = snapshot.providers.get(provider.spec().name).cloned().unwrap_or_default();
                provider.apply(&switches.over(configured));
            }
        };
        Control::start(books, apply).await.map_err(|error| StartError::new(format!("[store]: {error}")))
    }

    fn registry(&self, redis: Option<&Redis>) -> Result<Registry, StartError> {
        let mut app = self.app.clone();
        if let Some(db) = self.settings.store.on_demand()? {
            app.insert(Arc::new(db));
        }
        if let Some(redis) = redis.map(Redis::own).map(Arc::new) {
            app.insert(redis);
        }
        if app.get::<HttpClient>().is_none() {
            app.insert(Arc::new(HttpClient::new(&self.settings.http_client)?));
        }
        let mut problems = Vec::new();
        let mut providers = HashMap::new();
        for (name, section) in &self.settings.providers {
            let (switches, own) = split(section);
            app.set_section(format!("providers.{name}"), own);
            match read_section::<ProviderSettings>(&format!("providers.{name}"), Value::Object(switches)) {
                Ok(settings) => drop(providers.insert(name.clone(), settings)),
                Err(more) => problems.extend(more),
            }
        }
        for (name, section) in &self.settings.services {
            app.set_section(format!("services.{name}"), (**section).clone());
        }
        StartError::unless_empty(problems)?;
        let settings = RegistrySettings { failover: self.settings.failover.clone(), providers };
        let registry = Registry::build(&app, &settings)?;
        registry.expect(&self.expected_services, &self.expected_providers)?;
        self.refuse_unknown_sections(&registry)?;
        Ok(registry)
    }

    /// Settings for what is not registered are a slip of the pen, or a crate that is not linked.
    fn refuse_unknown_sections(&self, registry: &Registry) -> Result<(), StartError> {
        let services = registry.services().iter().map(|service| service.spec.name).collect::<Vec<_>>();
        let providers = registry.providers().iter().map(|provider| provider.spec().name).collect::<Vec<_>>();
        let unknown = |kind, section: &BTreeMap<String, _>, known: &[&str]| {
            let names = section.keys().filter(|name| !known.contains(&name.as_str()));
            names.map(|name| unknown_section(kind, name, known)).collect::<Vec<_>>()
        };
        let mut problems = unknown("services", &self.settings.services, &services);
        problems.extend(unknown("providers", &self.settings.providers, &providers));
        StartError::unless_empty(problems)
    }

    fn routes(&self, registry: &Arc<Registry>, accepted: Accepted) -> Result<Routes, StartError> {
        let mut routes = Routes::new(registry, |name| self.settings.secret(name))?;
        let documents = Arc::new(Documents::new(&self.settings.info, Arc::clone(registry), accepted));
        for prefix in ["/meta", "/openapi.json", "/asyncapi.json"] {
            let documents = Arc::clone(&documents);
            routes.publish(prefix, Box::new(move |path, headers| documents.serve(path, headers)));
        }
        routes.publish("/docs", Box::new(docs::serve));
        for mount in &self.mounts {
            routes.mount(mount.clone())?;
        }
        Ok(routes)
    }
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway").field("settings", &self.settings).finish_non_exhaustive()
    }
}

/// A gateway that serves. Dropping it stops it as [`stop`](Self::stop) does, without waiting.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    registry: Arc<Registry>,
    /// Ends with this.
    control: Option<Arc<Control>>,
    limiting: Arc<Limiting>,
    caching: Option<Arc<Caching>>,
    /// What looks after things as long as there is a gateway.
    background: JoinSet<()>,
    operator: Option<Operator>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<io::Result<Ended>>,
    /// Ends when all that had to be written is.
    written: Option<JoinHandle<()>>,
}

impl Running {
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

    /// What operators have set, and how that is kept up with; none without books.
    #[must_use]
    pub fn control(&self) -> Option<&Arc<Control>> {
        self.control.as_ref()
    }

    /// How often the cache helped, and what it holds; none when no method is cached.
    #[must_use]
    pub fn cache(&self) -> Option<CacheFigures> {
        Some(self.caching.as_ref()?.figures())
    }

    /// What calls are limited with.
    #[must_use]
    pub fn limiting(&self) -> &Limiting {
        &self.limiting
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
        match ended(self.served.await)? {
            Ended::Drained => {}
            Ended::Cut(connections) => tracing::warn!(connections, "cut what did not end in time"),
        }
        // It is told that there is no more to come until here.
        if let Some(operator) = self.operator {
            operator.stop().await;
        }
        if tokio::time::timeout(LAST_TOKENS, self.limiting.settled()).await.is_err() {
            tracing::warn!("the last tokens of quotas could not be given back");
        }
        if let Some(written) = self.written
            && tokio::time::timeout(FLUSH, written).await.is_err()
        {
            tracing::error!("the last records could not be written");
        }
        Ok(())
    }

    /// Why it serves no more; pending as long as it does.
    async fn failed(&mut self) -> StartError {
        match ended((&mut self.served).await) {
            Ok(_) => StartError::new("the server ended by itself"),
            Err(error) => error,
        }
    }
}

fn ended(served: Result<io::Result<Ended>, tokio::task::JoinError>) -> Result<Ended, StartError> {
    served.map_err(io::Error::other).flatten().map_err(|error| StartError::new(format!("the server failed: {error}")))
}

/// A provider's section: the gateway's switches, and the rest.
fn split(section: &Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    section.clone().into_iter().partition(|(key, _)| ProviderSettings::KEYS.contains(&key.as_str()))
}

fn unknown_section(kind: &str, name: &str, known: &[&str]) -> String {
    let nearest = known.iter().max_by(|a, b| strsim::jaro(name, a).total_cmp(&strsim::jaro(name, b)));
    let hint = nearest.map_or(String::new(), |nearest| format!("; the nearest that is, is `{nearest}`"));
    format!("`{kind}.{name}` in the configuration: nothing of this name is registered{hint}")
}

/// How long what is still to be written may take when everything else has ended.
const FLUSH: Duration = Duration::from_secs(10);
/// And what is still to be given back.
const LAST_TOKENS: Duration = Duration::from_secs(1);

/// A method that wants a key says that repeating it does harm; without books nothing keeps that from happening.
fn warn_of_unhonoured(registry: &Registry, has_books: bool) {
    let wants_key = |method: &&Arc<Method>| method.spec.idempotency == Idempotency::Required;
    if !has_books && let Some(method) = registry.methods().find(wants_key) {
        tracing::warn!(method = method.path(), "wants idempotency keys, which are not honoured without `[store]`");
    }
}

/// A gateway that everybody may call is either for this machine alone, or meant to be.
fn check_protected(
    registry: &Registry,
    settings: &AuthSettings,
    accepted: Accepted,
    address: SocketAddr,
) -> Result<(), StartError> {
    if accepted.any() {
        return Ok(());
    }
    if !address.ip().is_loopback() && !settings.allow_anonymous {
        return Err(StartError::new(format!(
            "other machines can reach http.listen ({address}), and nothing tells who is calling: configure keys of \
             tokens (auth.internal_key or INTERNAL_GATEWAY_KEY, auth.jwt.keys, auth.jwt.jwks_url) or API keys \
             (auth.keys), listen on loopback, or let everybody in with auth.allow_anonymous = true"
        )));
    }
    let closed: Vec<_> =
        registry.methods().filter(|method| method.auth() == Auth::Required).map(|m| m.path()).collect();
    if !closed.is_empty() {
        tracing::warn!(methods = closed.join(" "), "these require a caller, and without [auth] refuse everybody");
    }
    Ok(())
}

/// SIGINT or SIGTERM.
async fn signal() -> Result<&'static str, StartError> {
    let unable = |error| StartError::new(format!("signals cannot be waited for: {error}"));
    let mut terminate = unix::signal(SignalKind::terminate()).map_err(unable)?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        interrupt = tokio::signal::ctrl_c() => interrupt.map(|()| "SIGINT").map_err(unable),
    }
}

fn print(text: &str) -> Result<(), StartError> {
    let unable = |error| StartError::new(format!("standard output cannot be written: {error}"));
    writeln!(io::stdout().lock(), "{text}").map_err(unable)
}
