//! The health of an instance, as its connections and responses show it (passive: outlier ejection),
//! and as checks show it (active).

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

use crate::edge::proxy::clock::AtomicTime;

/// The health of an instance, of all workers.
#[derive(Debug, Default)]
pub(super) struct Health {
    ejected_until: AtomicTime,
    /// The instance was ejected, and has not passed since.
    is_on_probation: AtomicBool,
    /// Failures in a row.
    failures: AtomicU32,
    /// Responses in a row since the ejection.
    passes: AtomicU32,
    /// The last checks failed.
    is_ill: AtomicBool,
    /// Checks in a row that contradict `is_ill`.
    contradictions: AtomicU32,
}

impl Health {
    /// Returns whether the instance may be chosen.
    pub(super) fn is_well(&self, now: Instant) -> bool {
        !self.is_ill.load(Relaxed) && !self.is_ejected(now)
    }

    /// Returns whether the instance is ejected.
    pub(super) fn is_ejected(&self, now: Instant) -> bool {
        self.is_on_probation.load(Relaxed) && self.ejected_until.get() > now
    }

    /// Counts a failure. Returns whether it is the one that ejects: `fails` in a row, or the first
    /// after an ejection.
    pub(super) fn fail(&self, fails: u32) -> bool {
        self.passes.store(0, Relaxed);
        let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
        failures >= fails || self.is_on_probation.load(Relaxed)
    }

    /// Ejects the instance. Returns whether it was not ejected before.
    pub(super) fn eject(&self, time: Duration) -> bool {
        let was_ejected = self.is_ejected(Instant::now());
        self.ejected_until.set_after(time);
        self.is_on_probation.store(true, Relaxed);
        !was_ejected
    }

    /// Counts a response. Returns whether it ends an ejection: `passes` in a row.
    pub(super) fn pass(&self, passes: u32) -> bool {
        // Most requests meet an instance that is well: they write nothing that workers share.
        if self.failures.load(Relaxed) != 0 {
            self.failures.store(0, Relaxed);
        }
        if !self.is_on_probation.load(Relaxed) {
            return false;
        }
        self.passes.fetch_add(1, Relaxed).saturating_add(1) >= passes && self.restore()
    }

    /// Ends an ejection. Returns whether there was one.
    pub(super) fn restore(&self) -> bool {
        self.passes.store(0, Relaxed);
        self.failures.store(0, Relaxed);
        self.is_on_probation.swap(false, Relaxed)
    }

    /// Counts a check. Returns whether it makes the instance ill, after `fails` in a row, or well,
    /// after `passes` in a row, which also ends an ejection.
    pub(super) fn check(&self, has_passed: bool, fails: u32, passes: u32) -> bool {
        let is_ill = self.is_ill.load(Relaxed);
        let is_ejected = self.is_on_probation.load(Relaxed);
        if has_passed != is_ill && !(has_passed && is_ejected) {
            self.contradictions.store(0, Relaxed);
            return false;
        }
        let needed = if has_passed { passes } else { fails };
        if self.contradictions.fetch_add(1, Relaxed).saturating_add(1) < needed {
            return false;
        }
        self.contradictions.store(0, Relaxed);
        self.is_ill.store(!has_passed, Relaxed);
        if has_passed {
            self.restore();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, advance};

    use super::Health;

    #[tokio::test(start_paused = true)]
    async fn failures_in_a_row_eject_and_responses_in_a_row_restore() {
        let health = Health::default();
        assert!(!health.fail(3) && !health.fail(3));
        assert!(!health.pass(2), "it was not ejected");
        assert!(!health.fail(3) && !health.fail(3), "a response ends the row");
        assert!(health.fail(3));
        assert!(health.eject(Duration::from_secs(10)));
        assert!(!health.is_well(Instant::now()));

        advance(Duration::from_secs(11)).await;
        assert!(health.is_well(Instant::now()), "it is tried again");
        assert!(health.fail(3), "the first failure after an ejection ejects again");
        assert!(health.eject(Duration::from_secs(10)));
        advance(Duration::from_secs(11)).await;
        assert!(!health.pass(2));
        assert!(health.pass(2));
        assert!(!health.fail(3), "it is well, and the row begins anew");
    }

    #[tokio::test(start_paused = true)]
    async fn checks_in_a_row_make_an_instance_ill_and_well() {
        let health = Health::default();
        assert!(!health.check(false, 2, 2) && !health.check(true, 2, 2));
        assert!(!health.check(false, 2, 2), "the row has begun anew");
        assert!(health.check(false, 2, 2));
        assert!(!health.is_well(Instant::now()));
        assert!(!health.check(false, 2, 2), "it is ill already");
        assert!(!health.check(true, 2, 2) && health.check(true, 2, 2));
        assert!(health.is_well(Instant::now()));
    }

    #[tokio::test(start_paused = true)]
    async fn checks_that_pass_end_an_ejection() {
        let health = Health::default();
        health.eject(Duration::from_secs(10));
        assert!(!health.check(true, 3, 2));
        assert!(!health.is_well(Instant::now()));
        assert!(health.check(true, 3, 2));
        assert!(health.is_well(Instant::now()));
    }
}
