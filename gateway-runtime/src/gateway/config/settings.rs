//! The configuration with types.

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
    },
    gateway::{
        config::{CredentialsSettings, tree::Tree},
        telemetry::LogSettings,
    },
    json::section::parse_section,
    pipeline::{BillingSettings, IdempotencySettings, RequestLogSettings},
    provider::{FailoverSettings, HttpClientSettings},
    quota::QuotaSettings,
    redis::RedisSettings,
    store::StoreSettings,
};

/// All of `gateway.toml`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// Who the gateway says it is.
    pub info: Info,
    /// Where the server listens, and how it treats its clients.
    pub http: HttpSettings,
    /// Who may call, and how callers prove who they are.
    pub auth: AuthSettings,
    /// What is logged, and how.
    pub log: LogSettings,
    /// Attempts, deadlines and breakers at providers.
    pub failover: FailoverSettings,
    /// How providers are connected to.
    pub http_client: HttpClientSettings,
    /// Where accounts, keys and records are.
    pub store: StoreSettings,
    /// Where what gateways share is.
    pub redis: RedisSettings,
    /// Where messages go to and come from.
    pub bus: BusSettings,
    /// By the service's name: what answers `/{service}/…`, and how.
    pub routes: BTreeMap<String, RawSection>,
    /// How often an account may call, besides what attributes declare.
    pub quota: QuotaSettings,
    /// How answers are kept that may be given again.
    pub cache: CacheSettings,
    /// Whether each call has a row in the books.
    pub request_log: RequestLogSettings,
    /// How long idempotency keys hold.
    pub idempotency: IdempotencySettings,
    /// Whether calls are charged.
    pub billing: BillingSettings,
    /// The operator's listener.
    pub admin: Option<AdminSettings>,
    /// Where encrypted settings are.
    pub credentials: CredentialsSettings,
    /// By the provider's name: its switches, and settings of its own.
    pub providers: BTreeMap<String, RawSection>,
    /// By the service's name: settings of its own.
    pub services: BTreeMap<String, RawSection>,
    /// By the names that attributes use; what is not here is looked for in the environment.
    pub secrets: BTreeMap<String, Secret>,
}

/// A section that a service, a provider or a dispatcher declares. What stands in it may be secret, so `Debug` prints its keys alone.
#[derive(Clone, Default, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct RawSection(Map<String, Value>);

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
    /// The settings of a tree.
    ///
    /// # Errors
    ///
    /// Every key that is unknown or wrong.
    pub(crate) fn read(tree: Tree) -> Result<Self, StartError> {
        let (value, origins) = tree.into_parts();
        let read = parse_section("", value);
        read.map_err(|problems| {
            StartError::from_nonempty(problems).map(|problem| origins.attributed(problem))
        })
    }

    /// What is wrong in the settings although each value is good by itself; nothing is opened for it.
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

    /// A secret by its name, here or in the environment.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<Secret> {
        self.secrets.get(name).cloned().or_else(|| std::env::var(name).ok().map(Secret::new))
    }
}
