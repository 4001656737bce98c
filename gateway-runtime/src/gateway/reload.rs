//! Hot reload: routes, upstreams, limits, prices and the switches of providers change while the
//! gateway runs. They come from operators, over the configuration, whose file is polled.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde_json::{Map, Value};
use tokio::sync::Notify;

use crate::{
    base::{duration::until_tick, start_error::StartError},
    control::SettingsSnapshot,
    edge::http::HttpEdge,
    gateway::{
        config::{ConfigFile, Settings},
        route_factory::RouteFactory,
    },
    json::section::parse_section,
    pipeline::{Billing, PlanLookup, QuotaEnforcer},
    provider::ProviderSettings,
    quota::QuotaSettings,
    service::registry::Registry,
};

/// The interval at which the file is polled.
const FILE_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The parts of the gateway to which settings are applied.
pub(super) struct Reloader {
    pub(super) registry: Arc<Registry>,
    pub(super) limiting: Arc<QuotaEnforcer>,
    pub(super) billing: Option<Arc<Billing>>,
    pub(super) planning: Option<Arc<PlanLookup>>,
    pub(super) holding: Mutex<EffectiveSettings>,
}

/// The routes of the configuration, and where they are replaced.
pub(super) struct ConfiguredRoutes {
    pub(super) factory: RouteFactory,
    pub(super) edge: HttpEdge,
}

impl ConfiguredRoutes {
    /// Replaces the routes by those of a new configuration. Requests, streams and WebSockets that
    /// have begun keep theirs.
    ///
    /// # Errors
    ///
    /// Returns all problems of the routes, and then replaces nothing.
    fn apply(&self, settings: &Settings) -> Result<(), StartError> {
        let made = self.factory.make(settings)?;
        self.edge.replace_routes(made.routes().to_vec())?;
        self.factory.put_into_effect(made);
        Ok(())
    }
}

/// The settings in effect: the configuration's part, and the operators'.
pub(super) struct EffectiveSettings {
    configured: ReloadableSettings,
    set: SettingsSnapshot,
}

/// The part of the configuration that can change while the gateway runs.
pub(super) struct ReloadableSettings {
    quota: QuotaSettings,
    pub(super) providers: HashMap<String, ProviderSettings>,
}

impl ReloadableSettings {
    /// Reads the reloadable part of the settings.
    ///
    /// # Errors
    ///
    /// Returns all problems in the switches of providers.
    pub(super) fn of(settings: &Settings) -> Result<Self, StartError> {
        let (mut providers, mut problems) = (HashMap::new(), Vec::new());
        for (name, section) in &settings.providers {
            let (switches, _) = split(section);
            match parse_section::<ProviderSettings>(
                &format!("providers.{name}"),
                Value::Object(switches),
            ) {
                Ok(settings) => drop(providers.insert(name.clone(), settings)),
                Err(more) => problems.extend(more),
            }
        }
        StartError::from_problems(problems)?;
        Ok(Self { quota: settings.quota.clone(), providers })
    }

    pub(super) fn holding(self) -> Mutex<EffectiveSettings> {
        Mutex::new(EffectiveSettings { configured: self, set: SettingsSnapshot::default() })
    }
}

impl Reloader {
    /// Applies the settings of operators.
    pub(super) fn set(&self, snapshot: &SettingsSnapshot) {
        let mut holding = self.holding.lock().unwrap_or_else(PoisonError::into_inner);
        holding.set = snapshot.clone();
        self.apply(&holding);
    }

    /// Applies a new configuration; the parts that cannot change while the gateway runs are
    /// ignored.
    fn configure(&self, settings: &Settings, routes: &ConfiguredRoutes) -> Result<(), StartError> {
        let configured = ReloadableSettings::of(settings)?;
        StartError::from_problems(self.limiting.unknown_names(&configured.quota))?;
        routes.apply(settings)?;
        let mut holding = self.holding.lock().unwrap_or_else(PoisonError::into_inner);
        holding.configured = configured;
        self.apply(&holding);
        Ok(())
    }

    fn apply(&self, EffectiveSettings { configured, set }: &EffectiveSettings) {
        if let Some(billing) = &self.billing {
            billing.apply(set.prices.iter().map(|(_, list)| &**list));
        }
        let limits = set.limits.as_ref().unwrap_or(&configured.quota);
        self.limiting.apply(limits);
        if let Some(planning) = &self.planning {
            planning.apply(set.differs_by_plan() || limits.differs_by_plan());
        }
        for provider in self.registry.providers() {
            let name = provider.spec().name;
            let configured = configured.providers.get(name).cloned().unwrap_or_default();
            provider.apply(&set.providers.get(name).cloned().unwrap_or_default().over(&configured));
        }
    }

    /// Polls the file, and reads it at once when `reload` is notified.
    pub(super) async fn follow(
        self: Arc<Self>,
        mut file: ConfigFile,
        routes: ConfiguredRoutes,
        reload: Arc<Notify>,
    ) {
        loop {
            let settings = tokio::select! {
                () = until_tick(FILE_POLL_INTERVAL) => file.reload_if_changed(),
                () = reload.notified() => Some(file.read()),
            };
            let Some(settings) = settings else { continue };
            match settings.and_then(|settings| self.configure(&settings, &routes)) {
                Ok(()) => tracing::info!(
                    file = %file.path().display(),
                    "configuration reloaded: routes, upstreams, limits and switches of providers \
                     are in effect; other keys need a restart"
                ),
                Err(error) => {
                    tracing::error!(
                        file = %file.path().display(),
                        %error,
                        "configuration not applied; the previous one stays in effect"
                    );
                }
            }
        }
    }
}

/// Splits a provider's section into the gateway's switches and the provider's own settings.
pub(super) fn split(section: &Map<String, Value>) -> (Map<String, Value>, Map<String, Value>) {
    section.clone().into_iter().partition(|(key, _)| ProviderSettings::KEYS.contains(&key.as_str()))
}
