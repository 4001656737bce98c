//! The parts of the gateway that its calls pass: the pipeline, and the parts of its layers.

use std::sync::Arc;

use crate::{
    auth::Authenticator,
    base::start_error::StartError,
    cache,
    gateway::{
        Gateway,
        reload::{ReloadableSettings, Reloader},
        storage::Storage,
    },
    pipeline::{Pipeline, QuotaEnforcer, ReplyCache, Stages},
    provider::HttpClient,
    redis::Redis,
    service::registry::Registry,
};

/// The pipeline, and the parts of its layers that other parts of the gateway use too.
pub(super) struct CallPath {
    pub(super) pipeline: Pipeline,
    pub(super) quotas: Arc<QuotaEnforcer>,
    pub(super) cache: Option<Arc<ReplyCache>>,
    /// The reloader of limits and prices.
    pub(super) reloader: Arc<Reloader>,
}

impl Gateway {
    /// Creates the configured authenticator; `None` if nothing is configured.
    pub(super) fn authenticator(
        &self,
        storage: &Storage,
    ) -> Result<Option<Arc<Authenticator>>, StartError> {
        let kept = storage.api_keys().filter(|_| self.reads_kept_keys());
        let stores = self.api_keys.iter().cloned().chain(kept).collect();
        let http = || HttpClient::new(&self.settings.http_client);
        Ok(Authenticator::new(&self.settings.auth, stores, http)?.map(Arc::new))
    }

    /// Builds the pipeline, and the reloader of its limits and prices.
    pub(super) fn call_path(
        &self,
        authenticator: Option<Arc<Authenticator>>,
        storage: &Storage,
        redis: Option<&Redis>,
        registry: &Arc<Registry>,
    ) -> Result<CallPath, StartError> {
        let settings = &self.settings;
        let quotas = QuotaEnforcer::new(&settings.quota, registry, redis.cloned());
        let is_charged =
            settings.billing.enabled && authenticator.as_ref().is_some_and(|it| it.accepts().any());
        let billing = if is_charged { storage.billing(&settings.billing, registry) } else { None };
        let plans = storage.plans();
        let backend = cache::open(&settings.cache, redis)?;
        let cache = backend.and_then(|backend| ReplyCache::new(&settings.cache, registry, backend));
        let reloader = Arc::new(Reloader {
            registry: Arc::clone(registry),
            limiting: Arc::clone(&quotas),
            billing: billing.clone(),
            planning: plans.clone(),
            holding: ReloadableSettings::of(settings)?.holding(),
        });
        let pipeline = Pipeline::new(Stages {
            authenticator,
            persistence: storage.persistence.clone(),
            planning: plans,
            limiting: Some(Arc::clone(&quotas)),
            caching: cache.clone(),
            billing,
            layers: self.layers.clone(),
        });
        Ok(CallPath { pipeline, quotas, cache, reloader })
    }
}
