//! A registered provider: its specification, its settings, and whether it is set aside.

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

/// A provider, shared by the pools of all its capabilities. Its settings may change while calls are
/// in progress.
#[derive(Debug)]
pub struct Provider {
    spec: &'static ProviderSpec,
    /// The settings, swapped whole so that no call sees half of a change.
    settings: ArcSwap<ProviderSettings>,
    is_set_aside: AtomicBool,
    set_aside_until: Mutex<Option<Instant>>,
}

impl Provider {
    /// Creates the provider that `spec` describes.
    #[must_use]
    pub fn new(spec: &'static ProviderSpec, settings: &ProviderSettings) -> Self {
        Self {
            spec,
            settings: ArcSwap::from_pointee(*settings),
            is_set_aside: AtomicBool::new(false),
            set_aside_until: Mutex::new(None),
        }
    }

    /// Returns the specification, from the provider's attribute.
    #[must_use]
    pub fn spec(&self) -> &'static ProviderSpec {
        self.spec
    }

    /// Returns the current settings.
    #[must_use]
    pub fn settings(&self) -> ProviderSettings {
        **self.settings.load()
    }

    /// Changes the settings, for calls from now on.
    pub fn apply(&self, settings: &ProviderSettings) {
        self.settings.store(Arc::new(*settings));
    }

    /// Returns the time until which the provider is set aside, with all its methods.
    pub(super) fn set_aside_until(&self, now: Instant) -> Option<Instant> {
        if !self.is_set_aside.load(Relaxed) {
            return None;
        }
        let mut until = self.set_aside_until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = until.filter(|until| *until > now);
        self.is_set_aside.store(until.is_some(), Relaxed);
        *until
    }

    /// Sets the provider aside until `then`, as another gateway has.
    pub(super) fn adopt_set_aside(&self, then: Instant, now: Instant) {
        let mut until = self.set_aside_until.lock().unwrap_or_else(PoisonError::into_inner);
        let is_news = until.is_none_or(|until| until <= now);
        *until = (*until).max(Some(then));
        self.is_set_aside.store(true, Relaxed);
        drop(until);
        if is_news {
            tracing::warn!(provider = self.spec.name, "provider set aside by another gateway");
        }
    }

    /// Sets the provider aside for `length`, and logs it once.
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
                "provider set aside: credentials or account rejected; \
                 check its configuration and its invoice"
            );
        }
    }
}
