//! Histograms of durations: atomic additions, without a lock.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// Upper bounds of the histogram's buckets, in microseconds.
pub(crate) const BOUNDS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

/// Durations, counted in the buckets of [`BOUNDS`].
#[derive(Debug, Default)]
pub(crate) struct Durations {
    /// Counters, one for each bound; the last is for longer durations.
    counts: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

/// A snapshot of [`Durations`].
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    /// Number of durations up to each bound, shorter ones included.
    pub(crate) cumulative: Vec<u64>,
    /// Number of all durations.
    pub(crate) count: u64,
    /// Sum of all durations, in microseconds.
    pub(crate) sum_micros: u64,
}

impl Durations {
    pub(crate) fn record(&self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.counts[BOUNDS.partition_point(|bound| *bound < micros)].fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    pub(crate) fn read(&self) -> Histogram {
        let mut sum = 0;
        let mut up_to = self.counts.iter().map(|counter| {
            sum += counter.load(Relaxed);
            sum
        });
        let cumulative = up_to.by_ref().take(BOUNDS.len()).collect();
        let count = up_to.next().unwrap_or_default();
        Histogram { cumulative, count, sum_micros: self.micros.load(Relaxed) }
    }
}
