//! A sliding window of calls and failures, counted in a fixed number of buckets.

use std::time::Duration;

use tokio::time::Instant;

const BUCKETS: usize = 10;

/// A sliding window. Calls older than its length expire, a tenth of it at a time.
#[derive(Debug)]
pub(in crate::provider) struct Window {
    buckets: [Bucket; BUCKETS],
    bucket_nanos: u64,
    begun: Instant,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// The number of this tenth of a window since the beginning.
    number: u64,
    calls: u32,
    failures: u32,
}

impl Window {
    pub(in crate::provider) fn new(length: Duration, now: Instant) -> Self {
        let bucket_nanos = nanos(length) / BUCKETS as u64;
        Self {
            buckets: [Bucket::default(); BUCKETS],
            bucket_nanos: bucket_nanos.max(1),
            begun: now,
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

    /// Returns the calls of the window, and the failures among them.
    pub(in crate::provider) fn totals(&self, now: Instant) -> (u64, u64) {
        let oldest = (self.number(now) + 1).saturating_sub(BUCKETS as u64);
        let recent = self.buckets.iter().filter(|bucket| bucket.number >= oldest);
        recent.fold((0, 0), |(calls, failures), bucket| {
            (calls + u64::from(bucket.calls), failures + u64::from(bucket.failures))
        })
    }

    fn number(&self, now: Instant) -> u64 {
        nanos(now.saturating_duration_since(self.begun)) / self.bucket_nanos
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn calls_expire_when_they_are_older_than_the_window() {
        let begun = Instant::now();
        let mut window = Window::new(30 * SECOND, begun);
        window.add(true, begun);
        window.add(false, begun + 15 * SECOND);
        window.add(true, begun + 29 * SECOND);
        assert_eq!(window.totals(begun + 29 * SECOND), (3, 2));
        assert_eq!(window.totals(begun + 30 * SECOND), (2, 1));
        assert_eq!(window.totals(begun + 44 * SECOND), (2, 1));
        assert_eq!(window.totals(begun + 45 * SECOND), (1, 1));
        window.add(false, begun + 61 * SECOND);
        assert_eq!(window.totals(begun + 61 * SECOND), (1, 0));
    }
}
