//! What is counted of calls: a few atomic additions each, without a lock and without memory.

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::error::Code;

/// Log lines that were lost because their reader was too slow or gone.
pub(crate) static LOG_LINES_DROPPED: AtomicU64 = AtomicU64::new(0);

/// How a call ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// Well.
    Done,
    /// Its caller left before it ended.
    Cancelled,
    /// With an error.
    Failed(Code),
}

/// The upper ends of the classes of durations, in microseconds.
pub(crate) const BOUNDS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// Codes of authors that have a number of their own, for each method.
const OWN: usize = 12;

/// What is counted of the calls of a method.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    done: AtomicU64,
    cancelled: AtomicU64,
    failed: [AtomicU64; Code::COUNT],
    /// An author's codes, in the order in which they came up.
    own: [(OnceLock<Code>, AtomicU64); OWN],
    /// Of further ones.
    other: AtomicU64,
    cache_hits: AtomicU64,
    replays: AtomicU64,
    /// The last is for longer ones.
    durations: [AtomicU64; BOUNDS.len() + 1],
    micros: AtomicU64,
}

impl Calls {
    /// Counts a call that has ended.
    pub(crate) fn count(&self, end: End, duration: Duration, is_cache_hit: bool, is_replay: bool) {
        let counter = match end {
            End::Done => &self.done,
            End::Cancelled => &self.cancelled,
            End::Failed(code) => self.counter(code),
        };
        counter.fetch_add(1, Relaxed);
        if is_cache_hit {
            self.cache_hits.fetch_add(1, Relaxed);
        }
        if is_replay {
            self.replays.fetch_add(1, Relaxed);
        }
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        self.durations[BOUNDS.partition_point(|bound| *bound < micros)].fetch_add(1, Relaxed);
        self.micros.fetch_add(micros, Relaxed);
    }

    fn counter(&self, code: Code) -> &AtomicU64 {
        if let Some(place) = Code::ALL.iter().position(|known| *known == code) {
            return &self.failed[place];
        }
        let mut own = self.own.iter();
        own.find(|(known, _)| *known.get_or_init(|| code) == code).map_or(&self.other, |(_, counter)| counter)
    }

    /// How many calls ended with each code, `ok` and `cancelled` among them, and their HTTP status; those that never came up
    /// are left out.
    pub(crate) fn by_code(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        let known = Code::ALL.into_iter().zip(&self.failed);
        let own = self.own.iter().filter_map(|(code, counter)| Some((*code.get()?, counter)));
        [("ok", 200, &self.done), ("cancelled", 499, &self.cancelled), ("other", 500, &self.other)]
            .into_iter()
            .chain(known.chain(own).map(|(code, counter)| (code.name(), code.status(), counter)))
            .map(|(name, status, counter)| (name, status, counter.load(Relaxed)))
            .filter(|(.., count)| *count > 0)
    }

    /// How many answers came from the cache, and how many had been given before.
    pub(crate) fn given_again(&self) -> (u64, u64) {
        (self.cache_hits.load(Relaxed), self.replays.load(Relaxed))
    }

    /// How many took no longer than each of [`BOUNDS`], how many there were, and how long they took together, in
    /// microseconds.
    pub(crate) fn durations(&self) -> (Vec<u64>, u64, u64) {
        let mut sum = 0;
        let mut up_to = self.durations.iter().map(|counter| {
            sum += counter.load(Relaxed);
            sum
        });
        let bounded = up_to.by_ref().take(BOUNDS.len()).collect();
        let all = up_to.next().unwrap_or_default();
        (bounded, all, self.micros.load(Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_is_counted_once() {
        let calls = Calls::default();
        let long = Duration::from_secs(60);
        calls.count(End::Done, Duration::from_micros(100), true, false);
        calls.count(End::Done, Duration::from_micros(101), false, true);
        calls.count(End::Cancelled, long, false, false);
        calls.count(End::Failed(Code::TIMEOUT), long, false, false);
        let names: Vec<&'static str> =
            (0..20).map(|number| &*Box::leak(format!("own-{number}").into_boxed_str())).collect();
        for name in names.iter().chain(&names) {
            calls.count(End::Failed(Code::new(name, 409, "Own")), long, false, false);
        }
        let by_code: Vec<_> = calls.by_code().collect();
        assert_eq!(by_code[..3], [("ok", 200, 2), ("cancelled", 499, 1), ("other", 500, 16)]);
        assert_eq!(by_code[3..5], [("timeout", 504, 1), ("own-0", 409, 2)]);
        assert_eq!(by_code.iter().map(|(.., count)| count).sum::<u64>(), 44);
        assert_eq!(calls.given_again(), (1, 1));
        let (bounded, all, micros) = calls.durations();
        assert_eq!((bounded[0], bounded[1], bounded[15], all), (1, 2, 2, 44));
        assert_eq!(micros, 201 + 42 * 60_000_000);
    }
}
