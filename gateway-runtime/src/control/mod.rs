//! What operators change while the gateway runs: prices, limits, the switches of providers.
//!
//! All of it stands in the books as numbered changes. Every gateway asks once a second for the last number; when it is a
//! new one, it reads all that holds now, judges it, and puts it in the place of what held before as one [`Snapshot`].

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

/// How often a gateway looks for changes that came in by others: they are to hold everywhere within two seconds.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// What is told of each snapshot, before anybody can ask for it.
type Apply = Box<dyn Fn(&SettingsSnapshot) + Send + Sync>;

/// What holds now, and how it is kept up with.
pub struct OperatorSettings {
    books: Store,
    current: ArcSwap<SettingsSnapshot>,
    apply: Apply,
    /// One reads at a time, so that nothing older comes after something newer.
    reading: Mutex<()>,
}

impl OperatorSettings {
    /// What holds now. `apply` is called with it, and again whenever something is set.
    ///
    /// # Errors
    ///
    /// When the books cannot be read, or hold what this program does not understand.
    pub async fn start(
        books: Store,
        apply: impl Fn(&SettingsSnapshot) + Send + Sync + 'static,
    ) -> Result<Arc<Self>, StoreError> {
        let version = books.version().await?;
        let first = SettingsSnapshot::default().with_changes(
            books.settings(0, version).await?,
            version,
            Utc::now(),
        )?;
        // Also when nothing was ever set: what the configuration says holds with it.
        apply(&first);
        let (current, reading) = (ArcSwap::from_pointee(first), Mutex::default());
        let this = Arc::new(Self { books, current, apply: Box::new(apply), reading });
        tokio::spawn(poll_changes(Arc::downgrade(&this)));
        Ok(this)
    }

    /// Where all of it stands.
    #[must_use]
    pub fn books(&self) -> &Store {
        &self.books
    }

    /// What holds now.
    #[must_use]
    pub fn current(&self) -> Arc<SettingsSnapshot> {
        self.current.load_full()
    }

    /// Takes over what has changed, if anything has: when this returns, it holds for every call that begins here.
    ///
    /// # Errors
    ///
    /// When the books cannot be read, or hold what this program does not understand. What held before goes on to hold.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        let _reading = self.reading.lock().await;
        let version = self.books.version().await?;
        let current = self.current.load_full();
        if version == current.version {
            return Ok(());
        }
        let changes = self.books.settings(current.version, version).await?;
        // Accounts, credits and keys are changes too, many of them, and set nothing.
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

/// Keeps up with the changes of others for as long as there is a gateway.
async fn poll_changes(control: Weak<OperatorSettings>) {
    let mut was_well = true;
    loop {
        until_tick(POLL_INTERVAL).await;
        let Some(control) = control.upgrade() else { return };
        let refreshed = control.refresh().await;
        match &refreshed {
            Err(error) if was_well => {
                tracing::error!(%error, "what operators have changed cannot be read; what held before goes on to hold");
            }
            Ok(()) if !was_well => tracing::info!("what operators have changed can be read again"),
            _ => {}
        }
        was_well = refreshed.is_ok();
    }
}
