//! A sliding window of calls and failures, counted in a fixed number of buckets.

use std::time::Duration;

use tokio::time::Instant;

const BUCKETS: usize = 10;

/// A sliding window. Calls older than its length expire, a tenth of it at a time.
#[derive(Debug)]
pub(in crate::provider) struct Window {
    buckets: [Bucket; BUCKETS],
    bucket_nanos: u64,
    start: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// The number of this tenth of a window since the beginning.
    number: u64,
    calls: u32,
    failures: u32,
}

/// The calls of a window, and the failures among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::provider) struct WindowTotals {
    pub(in crate::provider) calls: u64,
    pub(in crate::provider) failures: u64,
}

impl Window {
    pub(in crate::provider) fn new(length: Duration, now: Instant) -> Self {
        let bucket_nanos = nanos(length) / BUCKETS as u64;
        Self {
            buckets: [Bucket::default(); BUCKETS],
            bucket_nanos: bucket_nanos.max(1),
            start: now,
        }
    }

    pub(in crate::provider) fn add(&mut self, failed: bool, now: Instant) {
        let number = self.number(now);
        let bucket = &mut self.buckets[(number % BUCKETS as u64) as usize];
        if bucket.number != number {
            *bucket = Bucket { number, ..Bucket::default() };
        }
        bucket.calls = bucket.calls.saturating_add(1);
        bucket.failures = bucket.failures.saturating_add(u32::from(failed));
    }

    pub(in crate::provider) fn totals(&self, now: Instant) -> WindowTotals {
        let oldest = (self.number(now) + 1).saturating_sub(BUCKETS as u64);
        let recent = self.buckets.iter().filter(|bucket| bucket.number >= oldest);
        recent.fold(WindowTotals::default(), |totals, bucket| WindowTotals {
            calls: totals.calls + u64::from(bucket.calls),
            failures: totals.failures + u64::from(bucket.failures),
        })
    }

    fn number(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.start)) / self.bucket_nanos
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn totals(calls: u64, failures: u64) -> WindowTotals {
        WindowTotals { calls, failures }
    }

    #[test]
    fn calls_expire_when_they_are_older_than_the_window() {
        let begun = Instant::now();
        let mut window = Window::new(30 * SECOND, begun);
        window.add(true, begun);
        window.add(false, begun + 15 * SECOND);
        window.add(true, begun + 29 * SECOND);
        assert_eq!(window.totals(begun + 29 * SECOND), totals(3, 2));
        assert_eq!(window.totals(begun + 30 * SECOND), totals(2, 1));
        assert_eq!(window.totals(begun + 44 * SECOND), totals(2, 1));
        assert_eq!(window.totals(begun + 45 * SECOND), totals(1, 1));
        window.add(false, begun + 61 * SECOND);
        assert_eq!(window.totals(begun + 61 * SECOND), totals(1, 0));
    }
}
