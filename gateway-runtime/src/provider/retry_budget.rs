//! The retry budget: how many calls may try again at one time what a provider may have started.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::provider::settings::FailoverSettings;

/// The counters of active and repeating calls. A share of the active calls, and a few in any case,
/// may be repeating at one time, so that a provider that is slow for every caller does not receive
/// every call twice.
#[derive(Debug)]
pub(super) struct RetryBudget {
    active: AtomicUsize,
    repeating: AtomicUsize,
    percent: usize,
    at_least: usize,
}

impl RetryBudget {
    pub(super) fn new(settings: &FailoverSettings) -> Self {
        Self {
            active: AtomicUsize::new(0),
            repeating: AtomicUsize::new(0),
            percent: settings.retry_percent as usize,
            at_least: settings.min_retries as usize,
        }
    }

    /// Counts an active call while the guard lives.
    pub(super) fn enter(&self) -> BudgetGuard<'_> {
        self.active.fetch_add(1, Relaxed);
        BudgetGuard(&self.active)
    }

    /// Counts a repeating call while the guard lives; `None` if the budget is spent.
    pub(super) fn try_withdraw(&self) -> Option<BudgetGuard<'_>> {
        let limit = self.at_least.max(self.active.load(Relaxed) * self.percent / 100);
        let one_more = |repeating| (repeating < limit).then_some(repeating + 1);
        self.repeating.fetch_update(Relaxed, Relaxed, one_more).ok()?;
        Some(BudgetGuard(&self.repeating))
    }

    #[cfg(test)]
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.active.load(Relaxed), self.repeating.load(Relaxed))
    }
}

/// A guard that counts one call until it is dropped.
#[derive(Debug)]
pub(super) struct BudgetGuard<'a>(&'a AtomicUsize);

impl Drop for BudgetGuard<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fifth_of_the_calls_and_at_least_three_may_repeat() {
        let budget = RetryBudget::new(&FailoverSettings::default());
        let few = [budget.try_withdraw(), budget.try_withdraw(), budget.try_withdraw()];
        assert!(few.iter().all(Option::is_some) && budget.try_withdraw().is_none());
        let calls: Vec<_> = (0..20).map(|_| budget.enter()).collect();
        let fourth = budget.try_withdraw();
        assert!(fourth.is_some() && budget.try_withdraw().is_none());
        drop((few, fourth, calls));
        assert_eq!(budget.counts(), (0, 0));
    }
}
