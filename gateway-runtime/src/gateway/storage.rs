//! The storage of a gateway: the store with its writer, and the publisher of the request log.

use std::sync::Arc;

use tokio::task::{JoinHandle, JoinSet};

use crate::{
    auth::ApiKeys,
    base::start_error::StartError,
    bus::publisher::{Publisher, RequestLogPublisher},
    control::{OperatorSettings, PlanCache},
    edge::admin::AdminStore,
    gateway::{Gateway, config::Settings, reload::Reloader},
    pipeline::{Billing, BillingSettings, Persistence, PlanLookup},
    service::registry::Registry,
    store::{Store, StoreWriter, sweep},
};

/// The open store and its tasks; all parts are none without `[store]`.
pub(super) struct Storage {
    store: Option<Store>,
    /// The writer and the settings of the request log and of idempotency keys.
    pub(super) persistence: Option<Arc<Persistence>>,
    /// The writer's task, which ends when everything is written.
    pub(super) writer_task: Option<JoinHandle<()>>,
    /// The task that publishes the request log, which ends when everything is published.
    pub(super) request_log_task: Option<JoinHandle<()>>,
}

impl Gateway {
    /// Opens the store, and starts its writer and the publisher of the request log.
    pub(super) async fn open_storage(&self, publisher: &Publisher) -> Result<Storage, StartError> {
        let settings = &self.settings;
        let store = settings.store.open(&self.migrations).await?;
        let (writer, writer_task) = store.clone().map(StoreWriter::start).unzip();
        let is_published = settings.bus.request_log && settings.request_log.enabled;
        let (feed, request_log_task) =
            is_published.then(|| RequestLogPublisher::start(publisher.clone())).unzip();
        let persistence = writer.map(|writer| {
            let keys = settings.idempotency.clone();
            let records = settings.request_log.clone();
            Arc::new(Persistence { feed, ..Persistence::new(writer, keys, records) })
        });
        Ok(Storage { store, persistence, writer_task, request_log_task })
    }
}

impl Storage {
    /// Returns whether idempotency keys are honoured.
    pub(super) fn honours_keys(&self) -> bool {
        self.persistence.as_ref().is_some_and(|persistence| persistence.keys.enabled)
    }

    /// Returns the API keys of the store.
    pub(super) fn api_keys(&self) -> Option<Arc<dyn ApiKeys>> {
        self.store.clone().map(|store| Arc::new(store) as _)
    }

    /// Returns the lookup of the plans of accounts.
    pub(super) fn plans(&self) -> Option<Arc<PlanLookup>> {
        self.store.clone().map(|store| Arc::new(PlanLookup::new(PlanCache::new(store))))
    }

    /// Returns the billing of calls.
    pub(super) fn billing(
        &self,
        settings: &BillingSettings,
        registry: &Arc<Registry>,
    ) -> Option<Arc<Billing>> {
        let writer = self.persistence.as_ref()?.writer.clone();
        Some(Arc::new(Billing::new(writer, settings, Arc::clone(registry))))
    }

    /// Returns the store as the admin API uses it.
    pub(super) fn for_admin(&self, control: Option<Arc<OperatorSettings>>) -> Option<AdminStore> {
        let (persistence, control) = self.persistence.as_ref().zip(control)?;
        let writer = persistence.writer.clone();
        Some(AdminStore { store: control.store().clone(), writer, control })
    }

    /// Starts polling the settings of operators, and applies each change.
    pub(super) async fn follow_operators(
        &self,
        reloader: &Arc<Reloader>,
    ) -> Result<Option<Arc<OperatorSettings>>, StartError> {
        let Some(store) = self.store.clone() else { return Ok(None) };
        let reloader = Arc::clone(reloader);
        let started = OperatorSettings::start(store, move |snapshot| reloader.set(snapshot)).await;
        started.map(Some).map_err(|error| StartError::new(format!("[store]: {error}")))
    }

    /// Starts the sweeper, which releases abandoned holds and deletes expired keys.
    pub(super) async fn start_sweeper(&self, background: &mut JoinSet<()>, settings: &Settings) {
        let (Some(store), Some(persistence)) = (&self.store, &self.persistence) else { return };
        let anonymous = Arc::clone(&persistence.anonymous);
        if let Ok(bytes) = store.anonymous_bytes().await {
            anonymous.count(bytes);
        }
        let every = settings.billing.grace / 2;
        let retention = persistence.keys.retention;
        let count = move |bytes| anonymous.count(bytes);
        let writer = persistence.writer.clone();
        background.spawn(sweep(store.clone(), writer, every, retention, count));
    }
}
