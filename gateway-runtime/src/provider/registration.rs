//! One registered provider: who it is, its switches, and whether it has been set aside.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::time::Instant;

use crate::{base::spec::ProviderSpec, provider::settings::ProviderSettings};

/// A provider, shared by the pools of all its capabilities. Its switches may change while calls are under way.
#[derive(Debug)]
pub struct Provider {
    spec: &'static ProviderSpec,
    /// All in one, so that nobody sees one of a change before the others.
    settings: ArcSwap<ProviderSettings>,
    is_set_aside: AtomicBool,
    set_aside_until: Mutex<Option<Instant>>,
}

impl Provider {
    /// The provider that `spec` describes.
    #[must_use]
    pub fn new(spec: &'static ProviderSpec, settings: &ProviderSettings) -> Self {
        Self {
            spec,
            settings: ArcSwap::from_pointee(*settings),
            is_set_aside: AtomicBool::new(false),
            set_aside_until: Mutex::new(None),
        }
    }

    /// What its attribute says.
    #[must_use]
    pub fn spec(&self) -> &'static ProviderSpec {
        self.spec
    }

    /// Its switches as they are now.
    #[must_use]
    pub fn settings(&self) -> ProviderSettings {
        **self.settings.load()
    }

    /// Changes its switches, for calls from now on.
    pub fn apply(&self, settings: &ProviderSettings) {
        self.settings.store(Arc::new(*settings));
    }

    /// Until when it is left alone with all its methods.
    pub(super) fn set_aside_until(&self, now: Instant) -> Option<Instant> {
        if !self.is_set_aside.load(Relaxed) {
            return None;
        }
        let mut until = self.set_aside_until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = until.filter(|until| *until > now);
        self.is_set_aside.store(until.is_some(), Relaxed);
        *until
    }

    /// Another gateway leaves it alone until then, so this one does.
    pub(super) fn adopt_set_aside(&self, then: Instant, now: Instant) {
        let mut until = self.set_aside_until.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = until.is_none_or(|until| until <= now);
        *until = (*until).max(Some(then));
        self.is_set_aside.store(true, Relaxed);
        drop(until);
        if is_news {
            tracing::warn!(provider = self.spec.name, "provider set aside: another gateway has");
        }
    }

    /// Leaves it alone for a while, and says so once.
    pub(super) fn set_aside(&self, length: Duration, status: u16, now: Instant) {
        let mut until = self.set_aside_until.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = until.is_none_or(|until| until <= now);
        *until = Some(now + length);
        self.is_set_aside.store(true, Relaxed);
        drop(until);
        if is_news {
            tracing::warn!(
                provider = self.spec.name,
                status,
                seconds = length.as_secs(),
                "provider set aside: it refuses our credentials or our account; look at its configuration and its bill"
            );
        }
    }
}
