//! Settings that operators change while the gateway runs: price lists, limits, overrides of
//! providers.
//!
//! The store holds them as numbered changes. Every gateway polls the last number once a second;
//! when it is new, the gateway reads the changes in force, validates them, and swaps the
//! [`SettingsSnapshot`] for a new one as a whole.

mod plan_cache;
mod price_list;
mod snapshot;

use std::{
    fmt,
    sync::{Arc, Weak},
    time::Duration,
};

use arc_swap::ArcSwap;
use chrono::Utc;
use tokio::sync::Mutex;

pub(crate) use crate::control::snapshot::parse_change;
pub use crate::control::{
    plan_cache::PlanCache,
    price_list::{ListedPrice, PriceList, Usage},
    snapshot::{ProviderOverrides, SettingsSnapshot},
};
use crate::{
    base::duration::until_tick,
    store::{Store, StoreError},
};

/// The interval of polls for changes by other gateways: a change takes effect everywhere within two
/// seconds.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// A function that receives each snapshot before it becomes the current one.
type Apply = Box<dyn Fn(&SettingsSnapshot) + Send + Sync>;

/// The settings of operators that are in force now, updated by polls.
pub struct OperatorSettings {
    store: Store,
    current: ArcSwap<SettingsSnapshot>,
    apply: Apply,
    /// A lock that admits one reader of the store at a time, so that an older snapshot cannot
    /// replace a newer one.
    reading: Mutex<()>,
}

impl OperatorSettings {
    /// Reads the settings and starts the polls. `apply` receives the first snapshot, and each later
    /// one that changes a setting.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read, or holds a change that this program does not understand.
    pub async fn start(
        store: Store,
        apply: impl Fn(&SettingsSnapshot) + Send + Sync + 'static,
    ) -> Result<Arc<Self>, StoreError> {
        let version = store.version().await?;
        let first = SettingsSnapshot::default().with_changes(
            store.settings(0, version).await?,
            version,
            Utc::now(),
        )?;
        // Also an empty snapshot is applied: then the configuration is in force.
        apply(&first);
        let current = ArcSwap::from_pointee(first);
        let reading = Mutex::default();
        let this = Arc::new(Self { store, current, apply: Box::new(apply), reading });
        tokio::spawn(poll_changes(Arc::downgrade(&this)));
        Ok(this)
    }

    /// Returns the store of the settings.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Returns the snapshot in force now.
    #[must_use]
    pub fn current(&self) -> Arc<SettingsSnapshot> {
        self.current.load_full()
    }

    /// Takes over new changes. When this returns, they are in force for every call that begins at
    /// this gateway.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read, or holds a change that this program does not understand.
    /// The previous snapshot stays in force.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let _reading = self.reading.lock().await;
        let version = self.store.version().await?;
        let current = self.current.load_full();
        if version == current.version {
            return Ok(());
        }
        let changes = self.store.settings(current.version, version).await?;
        // Accounts, credits and keys are changes too, and many, but no settings.
        let is_news = !changes.is_empty();
        let snapshot = current.with_changes(changes, version, Utc::now())?;
        if is_news {
            (self.apply)(&snapshot);
        }
        self.current.store(Arc::new(snapshot));
        Ok(())
    }
}

impl fmt::Debug for OperatorSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control").field("current", &self.current.load()).finish_non_exhaustive()
    }
}

/// Polls for changes by other gateways until the settings are dropped.
async fn poll_changes(settings: Weak<OperatorSettings>) {
    let mut was_well = true;
    loop {
        until_tick(POLL_INTERVAL).await;
        let Some(settings) = settings.upgrade() else { return };
        let refreshed = settings.refresh().await;
        match &refreshed {
            Err(error) if was_well => {
                tracing::error!(%error, "changes of operators cannot be read; the previous ones \
                                         stay in effect");
            }
            Ok(()) if !was_well => tracing::info!("changes of operators can be read again"),
            _ => {}
        }
        was_well = refreshed.is_ok();
    }
}
