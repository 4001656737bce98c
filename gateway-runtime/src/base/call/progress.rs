//! The progress of a call: what the pipeline and the method add to it while it is executed.

use std::sync::{Arc, PoisonError, atomic::Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::base::{
    attempt::Attempt,
    call::{Call, outcome::Plan, witness::Witness},
    money::Money,
};

impl Call {
    /// Returns the plan of the caller's account, where prices or limits depend on plans.
    #[must_use]
    pub fn plan(&self) -> Option<&str> {
        match self.0.outcome.plan.get()? {
            Plan::Known(plan) => plan.as_deref(),
            Plan::Unknown => None,
        }
    }

    /// Sets the plan; `None` where there is no such account.
    pub(crate) fn set_plan(&self, plan: Option<Arc<str>>) {
        // The plan is read once for a call.
        let _ = self.0.outcome.plan.set(Plan::Known(plan));
    }

    /// Returns whether the plan could not be read.
    pub(crate) fn is_plan_unknown(&self) -> bool {
        matches!(self.0.outcome.plan.get(), Some(Plan::Unknown))
    }

    /// Marks the plan as one that could not be read.
    pub(crate) fn mark_plan_unknown(&self) {
        let _ = self.0.outcome.plan.set(Plan::Unknown);
    }

    /// Adds `units` to the usage of the call, such as tokens or pages, for a method that the price
    /// list prices by usage.
    pub fn report_usage(&self, units: u64) {
        let add = |used: u64| Some(used.saturating_add(units));
        // The closure never returns `None`, so the update cannot fail.
        let _ = self.0.outcome.usage.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Returns the usage of the call, in units.
    #[must_use]
    pub fn usage(&self) -> u64 {
        self.0.outcome.usage.load(Ordering::Relaxed)
    }

    /// Returns the price that the account was charged, once it is known.
    pub(crate) fn charge(&self) -> Option<Money> {
        self.0.outcome.charge.get().copied()
    }

    /// Sets the price that the account was charged.
    pub(crate) fn set_charge(&self, price: Money) {
        // A call is settled once.
        let _ = self.0.outcome.charge.set(price);
    }

    /// Returns whether the reply was made for another call: it came from the cache, or this call
    /// waited while the other was executed.
    #[must_use]
    pub fn is_cache_hit(&self) -> bool {
        self.0.outcome.cache_hit.load(Ordering::Relaxed)
    }

    /// Marks the reply as one that came from the cache.
    pub(crate) fn mark_cache_hit(&self) {
        self.0.outcome.cache_hit.store(true, Ordering::Relaxed);
    }

    /// Returns whether the author's method has been called. Until then the call can have had no
    /// effect.
    pub(crate) fn is_dispatched(&self) -> bool {
        self.0.outcome.dispatched.load(Ordering::Relaxed)
    }

    /// Marks the author's method as called.
    pub(crate) fn mark_dispatched(&self) {
        self.0.outcome.dispatched.store(true, Ordering::Relaxed);
    }

    /// Returns whether the reply is a replay of the stored one, under the same idempotency key
    /// (SEMANTICS §5).
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.0.outcome.replayed.load(Ordering::Relaxed)
    }

    /// Marks the reply as a replay.
    pub(crate) fn mark_replayed(&self) {
        self.0.outcome.replayed.store(true, Ordering::Relaxed);
    }

    /// Updates the header fields of the response, which only calls over HTTP have.
    pub(crate) fn update_response_headers(&self, write: impl FnOnce(&mut HeaderMap)) {
        let headers = self.0.outcome.response_headers.get_or_init(Box::default);
        write(&mut headers.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Adds a header field to the response, which only calls over HTTP have.
    pub fn add_response_header(&self, name: HeaderName, value: HeaderValue) {
        self.update_response_headers(|headers| drop(headers.insert(name, value)));
    }

    /// Takes the header fields of the response, for the edge that writes them; empty the next time.
    #[must_use]
    pub fn take_response_headers(&self) -> Option<HeaderMap> {
        let headers = self.0.outcome.response_headers.get()?;
        Some(std::mem::take(&mut *headers.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Adds an attempt to the call's record.
    pub fn record(&self, attempt: Attempt) {
        self.0.outcome.attempts.lock().unwrap_or_else(PoisonError::into_inner).push(attempt);
    }

    /// Returns the provider whose stream is the reply, from the first item on.
    pub(crate) fn streaming_provider(&self) -> Option<&'static str> {
        self.0.outcome.streaming_provider.get().copied()
    }

    /// Sets the provider whose stream is the reply; called when its first item is there.
    pub(crate) fn set_streaming_provider(&self, provider: &'static str) {
        // A method may open several streams; the first counts until one has ended.
        let _ = self.0.outcome.streaming_provider.set(provider);
    }

    /// Returns the witness to notify before a provider is called, if there is one.
    pub(crate) fn witness(&self) -> Option<&Arc<dyn Witness>> {
        self.0.outcome.witness.get()
    }

    /// Sets the witness to notify before a provider is called.
    pub(crate) fn set_witness(&self, witness: Arc<dyn Witness>) {
        // A call has at most one hold.
        let _ = self.0.outcome.witness.set(witness);
    }

    /// Calls `read` with the attempts made so far.
    pub fn with_attempts<T>(&self, read: impl FnOnce(&[Attempt]) -> T) -> T {
        read(&self.0.outcome.attempts.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
