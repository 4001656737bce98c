//! The settings: the configuration with types.

use std::{collections::BTreeMap, fmt, ops::Deref};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    auth::AuthSettings,
    base::{secret::Secret, start_error::StartError},
    bus::BusSettings,
    cache::CacheSettings,
    edge::{
        admin::AdminSettings,
        http::{HttpSettings, Info},
        proxy::UpstreamSettings,
    },
    gateway::{config::credentials::CredentialsSettings, telemetry::LogSettings},
    pipeline::{BillingSettings, IdempotencySettings, RequestLogSettings},
    provider::{FailoverSettings, HttpClientSettings},
    quota::QuotaSettings,
    redis::RedisSettings,
    resolver::ResolverSettings,
    store::StoreSettings,
};

/// The settings of `gateway.toml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub(crate) struct Settings {
    /// Title, version and description of the published documents.
    pub info: Info,
    /// The HTTP server: its listener, limits and timeouts.
    pub http: HttpSettings,
    /// The authentication of callers.
    pub auth: AuthSettings,
    /// The level and the form of the log.
    pub log: LogSettings,
    /// Attempts, deadlines and breakers at providers.
    pub failover: FailoverSettings,
    /// The connections to providers.
    pub http_client: HttpClientSettings,
    /// The database of accounts, keys and records.
    pub store: StoreSettings,
    /// The Redis that gateways share.
    pub redis: RedisSettings,
    /// The message broker, and what is published to it and consumed from it.
    pub bus: BusSettings,
    /// Routes by the service's name: the dispatcher of `/{service}/…`, and its settings.
    pub routes: BTreeMap<String, RawSection>,
    /// Upstreams by their names: the instances that the dispatcher `http` forwards to.
    pub upstreams: BTreeMap<String, UpstreamSettings>,
    /// Sources of the instances of upstreams: DNS.
    pub resolvers: ResolverSettings,
    /// Limits of accounts, besides those that attributes declare.
    pub quota: QuotaSettings,
    /// The cache of replies.
    pub cache: CacheSettings,
    /// The request log: whether each call has a row in the store.
    pub request_log: RequestLogSettings,
    /// Idempotency keys, and the time for which they hold.
    pub idempotency: IdempotencySettings,
    /// Billing: whether calls are charged.
    pub billing: BillingSettings,
    /// The operator's listener.
    pub admin: Option<AdminSettings>,
    /// Encrypted settings.
    pub credentials: CredentialsSettings,
    /// Providers by their names: their switches, and settings of their own.
    pub providers: BTreeMap<String, RawSection>,
    /// Services by their names: settings of their own.
    pub services: BTreeMap<String, RawSection>,
    /// Secrets by the names that attributes use; a name that is missing here is read from the
    /// environment.
    pub secrets: BTreeMap<String, Secret>,
}

/// A section that a service, a provider or a dispatcher declares. Its values may be secret, so
/// `Debug` prints its keys alone.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct RawSection(Map<String, Value>);

impl Deref for RawSection {
    type Target = Map<String, Value>;

    fn deref(&self) -> &Map<String, Value> {
        &self.0
    }
}

impl fmt::Debug for RawSection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Settings {
    /// Returns the problems of settings that are valid one by one. Nothing is opened or connected
    /// to.
    pub(crate) fn problems(&self) -> Vec<String> {
        let checks = [
            self.store.check(),
            self.redis.check(),
            self.admin.as_ref().map_or(Ok(()), AdminSettings::check),
        ];
        let problems =
            checks.into_iter().filter_map(Result::err).flat_map(StartError::into_problems);
        let own =
            self.log.problems().into_iter().chain(self.http.problems()).chain(self.auth.problems());
        own.chain(problems).collect()
    }

    /// Returns a secret by its name, from `[secrets]` or the environment.
    #[must_use]
    pub(crate) fn secret(&self, name: &str) -> Option<Secret> {
        self.secrets.get(name).cloned().or_else(|| std::env::var(name).ok().map(Secret::new))
    }
}
