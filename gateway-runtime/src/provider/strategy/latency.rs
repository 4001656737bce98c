//! The EWMA of latencies: an exponentially weighted moving average over time, in two words and
//! without a lock.

use std::{
    sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// The time constant of the average, in milliseconds. After it an old sample weighs 1/e beside a
/// new one. An average without new attempts decays by the same factor, so that a slow provider is
/// tried again some day.
const EWMA_TIME_CONSTANT_MS: f32 = 10_000.0;

/// A moving average of latencies. Times are milliseconds since a common beginning, and may wrap
/// around.
///
/// Concurrent records may lose one of the samples, which an average tolerates.
#[derive(Debug, Default)]
pub(crate) struct Latency {
    /// The average in microseconds, as an `f32`, in the upper half; the time of its record in the
    /// lower half. All zero stands for no average.
    average: AtomicU64,
    /// The time of the last attempt: the average does not decay further while a provider is tried
    /// again.
    last_attempt: AtomicU32,
}

/// An average as it was recorded.
struct Average {
    micros: f32,
    /// The time of the record.
    recorded_at: u32,
}

impl Latency {
    /// Records the start of an attempt.
    pub(crate) fn record_start(&self, now: u32) {
        self.last_attempt.store(now, Relaxed);
    }

    /// Adds a sample.
    pub(crate) fn record(&self, now: u32, sample: Duration) {
        // Above zero, so that the word is never that of an empty average.
        let sample = (sample.as_secs_f32() * 1e6).max(f32::MIN_POSITIVE);
        let average = match self.load() {
            None => sample,
            Some(Average { micros, recorded_at }) => {
                sample + (micros - sample) * decay(now.wrapping_sub(recorded_at))
            }
        };
        self.average.store(u64::from(average.to_bits()) << 32 | u64::from(now), Relaxed);
    }

    /// Adds the sample if it is above the average: a fast failure makes no provider fast.
    pub(crate) fn record_failure(&self, now: u32, sample: Duration) {
        if self.load().is_none_or(|average| sample.as_secs_f32() * 1e6 > average.micros) {
            self.record(now, sample);
        }
    }

    /// Returns the average, decayed by the time since the last attempt.
    pub(crate) fn read(&self, now: u32) -> Option<Duration> {
        let Average { micros, recorded_at } = self.load()?;
        let idle =
            now.wrapping_sub(recorded_at).min(now.wrapping_sub(self.last_attempt.load(Relaxed)));
        Some(Duration::from_secs_f32(micros * decay(idle) / 1e6))
    }

    fn load(&self) -> Option<Average> {
        let word = self.average.load(Relaxed);
        let micros = f32::from_bits((word >> 32) as u32);
        (word != 0).then_some(Average { micros, recorded_at: word as u32 })
    }
}

fn decay(elapsed_ms: u32) -> f32 {
    if elapsed_ms == 0 { 1.0 } else { (-(elapsed_ms as f32) / EWMA_TIME_CONSTANT_MS).exp() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn read_ms(latency: &Latency, now: u32) -> u64 {
        (latency.read(now).unwrap().as_secs_f64() * 1e3).round() as u64
    }

    #[test]
    fn the_first_answer_is_the_average() {
        let latency = Latency::default();
        assert_eq!(latency.read(5), None);
        latency.record_start(0);
        latency.record(0, MS(40));
        assert_eq!(read_ms(&latency, 0), 40);
    }

    #[test]
    fn new_answers_take_over_with_time() {
        let latency = Latency::default();
        latency.record(0, MS(100));
        for second in 1..=100 {
            latency.record_start(second * 1_000);
            latency.record(second * 1_000, MS(10));
        }
        assert_eq!(read_ms(&latency, 100_000), 10);
    }

    #[test]
    fn a_burst_of_slow_answers_does_not_take_over_at_once() {
        let latency = Latency::default();
        latency.record(0, MS(10));
        for now in 1..=20 {
            latency.record_start(now);
            latency.record(now, MS(1_000));
        }
        assert!(read_ms(&latency, 20) < 20);
    }

    #[test]
    fn average_decays_until_the_next_attempt() {
        let latency = Latency::default();
        latency.record_start(0);
        latency.record(500, MS(500));
        assert!(read_ms(&latency, 60_000) < 10);
        latency.record_start(60_000);
        assert_eq!(
            read_ms(&latency, 60_000),
            500,
            "while it is tried, it counts as slow as it was"
        );
        latency.record(60_020, MS(20));
        assert!(read_ms(&latency, 60_020) < 22, "an old average weighs little");
    }

    #[test]
    fn fast_failure_does_not_make_a_provider_fast() {
        let latency = Latency::default();
        latency.record(0, MS(100));
        latency.record_failure(30_000, MS(1));
        latency.record_start(30_000);
        assert_eq!(read_ms(&latency, 30_000), 100);
        latency.record_failure(30_000, MS(10_000));
        assert!(read_ms(&latency, 30_000) > 9_000);
    }

    #[test]
    fn the_clock_may_wrap_around() {
        let latency = Latency::default();
        latency.record_start(u32::MAX);
        latency.record(u32::MAX, MS(100));
        assert!((99..=100).contains(&read_ms(&latency, 9)));
    }
}
