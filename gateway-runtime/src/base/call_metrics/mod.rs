//! Counters of calls, their durations and sums of money: atomic additions, without a lock.

#[cfg(test)]
mod tests;

use std::{
    sync::{
        OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use crate::base::{
    error::Code,
    histogram::{Durations, Histogram},
    money::{Currency, Money},
};

/// Log lines that were dropped because their reader was too slow or gone.
pub(crate) static LOG_LINES_DROPPED: AtomicU64 = AtomicU64::new(0);

/// The status of a call that has ended.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CallStatus {
    /// Success.
    Done,
    /// Cancellation: the caller disconnected before the call ended.
    Cancelled,
    /// Failure, with the code of the error.
    Failed(Code),
}

/// Maximum number of authors' codes that have a counter of their own, for each method.
const OWN: usize = 12;

/// Counters of the calls of one method.
#[derive(Debug, Default)]
pub(crate) struct CallMetrics {
    done: AtomicU64,
    cancelled: AtomicU64,
    failed: [AtomicU64; Code::COUNT],
    /// Counters of authors' codes, in the order in which the codes first occurred.
    own: [(OnceLock<Code>, AtomicU64); OWN],
    /// Counter of all further codes.
    other: AtomicU64,
    in_flight: AtomicU64,
    cache_hits: AtomicU64,
    replays: AtomicU64,
    histogram: Durations,
    charged: Sums,
    cost: Sums,
    cost_unknown: AtomicU64,
}

impl CallMetrics {
    /// Counts a call that has ended.
    pub(crate) fn count(
        &self,
        status: CallStatus,
        duration: Duration,
        is_cache_hit: bool,
        is_replay: bool,
    ) {
        let counter = match status {
            CallStatus::Done => &self.done,
            CallStatus::Cancelled => &self.cancelled,
            CallStatus::Failed(code) => self.counter(code),
        };
        counter.fetch_add(1, Relaxed);
        if is_cache_hit {
            self.cache_hits.fetch_add(1, Relaxed);
        }
        if is_replay {
            self.replays.fetch_add(1, Relaxed);
        }
        self.histogram.record(duration);
    }

    /// Counts a call that begins.
    pub(crate) fn begin(&self) {
        self.in_flight.fetch_add(1, Relaxed);
    }

    /// Counts the end of a call that has begun.
    pub(crate) fn end(&self) {
        self.in_flight.fetch_sub(1, Relaxed);
    }

    /// Returns the number of calls that have begun and not ended.
    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    /// Adds the price that an account was charged.
    pub(crate) fn charge(&self, price: Money) {
        self.charged.add(price);
    }

    /// Adds the cost of an attempt; `None` counts an attempt of unknown cost.
    pub(crate) fn spend(&self, cost: Option<Money>) {
        match cost {
            Some(cost) => self.cost.add(cost),
            None => drop(self.cost_unknown.fetch_add(1, Relaxed)),
        }
    }

    /// Returns the sums of prices charged, one for each currency.
    pub(crate) fn charged(&self) -> impl Iterator<Item = Money> {
        self.charged.read()
    }

    /// Returns the sums of known costs, one for each currency.
    pub(crate) fn cost(&self) -> impl Iterator<Item = Money> {
        self.cost.read()
    }

    /// Returns the number of attempts whose cost is unknown.
    pub(crate) fn cost_unknown(&self) -> u64 {
        self.cost_unknown.load(Relaxed)
    }

    fn counter(&self, code: Code) -> &AtomicU64 {
        if let Some(index) = Code::ALL.iter().position(|known| *known == code) {
            return &self.failed[index];
        }
        let mut own = self.own.iter();
        own.find(|(known, _)| *known.get_or_init(|| code) == code)
            .map_or(&self.other, |(_, counter)| counter)
    }

    /// Returns the number of calls that ended with each code; `ok` and `cancelled` are among the
    /// codes. The gateway's own codes are listed from the start, at 0; an
    /// author's code is listed once it has occurred.
    pub(crate) fn by_code(&self) -> impl Iterator<Item = CodeCount> {
        let known = Code::ALL.into_iter().zip(&self.failed);
        let own = self.own.iter().filter_map(|(code, counter)| Some((*code.get()?, counter)));
        [("ok", 200, &self.done), ("cancelled", 499, &self.cancelled), ("other", 500, &self.other)]
            .into_iter()
            .chain(known.chain(own).map(|(code, counter)| (code.name(), code.status(), counter)))
            .map(|(code, status, counter)| CodeCount { code, status, count: counter.load(Relaxed) })
    }

    /// Returns the number of replies that were not made for their call.
    pub(crate) fn reuse_counts(&self) -> ReuseCounts {
        ReuseCounts {
            cache_hits: self.cache_hits.load(Relaxed),
            replays: self.replays.load(Relaxed),
        }
    }

    /// Returns the durations of calls that have ended.
    pub(crate) fn histogram(&self) -> Histogram {
        self.histogram.read()
    }
}

/// The number of calls that ended with a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CodeCount {
    /// The name of the code.
    pub(crate) code: &'static str,
    /// The HTTP status of the code.
    pub(crate) status: u16,
    pub(crate) count: u64,
}

/// The numbers of replies that were not made for their call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReuseCounts {
    /// Replies from the cache.
    pub(crate) cache_hits: u64,
    /// Replies that were replayed under an idempotency key.
    pub(crate) replays: u64,
}

/// Sums of money, one for each currency, up to [`CURRENCIES`] of them.
#[derive(Debug, Default)]
struct Sums([(OnceLock<Currency>, AtomicI64); CURRENCIES]);

/// Maximum number of currencies of a method's prices or costs; amounts in further ones are not
/// summed.
const CURRENCIES: usize = 4;

impl Sums {
    fn add(&self, money: Money) {
        let mut sums = self.0.iter();
        let own = sums
            .find(|(currency, _)| *currency.get_or_init(|| money.currency()) == money.currency());
        if let Some((_, sum)) = own {
            sum.fetch_add(money.nanos(), Relaxed);
        }
    }

    fn read(&self) -> impl Iterator<Item = Money> {
        let known = self.0.iter().filter_map(|(currency, sum)| Some((*currency.get()?, sum)));
        known.map(|(currency, sum)| Money::from_nanos(sum.load(Relaxed), currency))
    }
}
