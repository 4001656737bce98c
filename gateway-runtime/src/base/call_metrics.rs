//! Counters of calls, durations, sums of money and connections: atomic additions, without a lock.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use crate::base::{
    error::Code,
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

/// Upper bounds of the histogram's buckets, in microseconds.
pub(crate) const BOUNDS: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000,
    1_000_000, 2_500_000, 5_000_000, 10_000_000,
];

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

    /// Returns each code with its HTTP status and the number of calls that ended with it; `ok` and
    /// `cancelled` are among the codes. The gateway's own codes are listed from the start, at 0; an
    /// author's code is listed once it has occurred.
    pub(crate) fn by_code(&self) -> impl Iterator<Item = (&'static str, u16, u64)> {
        let known = Code::ALL.into_iter().zip(&self.failed);
        let own = self.own.iter().filter_map(|(code, counter)| Some((*code.get()?, counter)));
        [("ok", 200, &self.done), ("cancelled", 499, &self.cancelled), ("other", 500, &self.other)]
            .into_iter()
            .chain(known.chain(own).map(|(code, counter)| (code.name(), code.status(), counter)))
            .map(|(name, status, counter)| (name, status, counter.load(Relaxed)))
    }

    /// Returns the number of replies that came from the cache, and the number that were replayed
    /// under an idempotency key.
    pub(crate) fn reuse_counts(&self) -> (u64, u64) {
        (self.cache_hits.load(Relaxed), self.replays.load(Relaxed))
    }

    /// Returns the durations of calls that have ended.
    pub(crate) fn histogram(&self) -> Histogram {
        self.histogram.read()
    }
}

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

/// The slots of a server's open connections. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionSlots {
    slots: Arc<Semaphore>,
    limit: u32,
}

impl ConnectionSlots {
    /// Creates `limit` slots, all free.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = u32::try_from(limit.min(Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self { slots: Arc::new(Semaphore::new(limit as usize)), limit }
    }

    /// Returns the slots; a connection holds one permit of them for as long as it is open.
    pub(crate) fn semaphore(&self) -> &Arc<Semaphore> {
        &self.slots
    }

    /// Returns the number of slots, free or not.
    pub(crate) fn limit(&self) -> u32 {
        self.limit
    }

    /// Returns the number of open connections.
    pub(crate) fn open(&self) -> usize {
        self.limit as usize - self.slots.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_is_counted_once() {
        let calls = CallMetrics::default();
        let long = Duration::from_secs(60);
        calls.count(CallStatus::Done, Duration::from_micros(100), true, false);
        calls.count(CallStatus::Done, Duration::from_micros(101), false, true);
        calls.count(CallStatus::Cancelled, long, false, false);
        calls.count(CallStatus::Failed(Code::TIMEOUT), long, false, false);
        let names: Vec<&'static str> =
            (0..20).map(|number| &*Box::leak(format!("own-{number}").into_boxed_str())).collect();
        for name in names.iter().chain(&names) {
            calls.count(CallStatus::Failed(Code::new(name, 409, "Own")), long, false, false);
        }
        let by_code: Vec<_> = calls.by_code().collect();
        assert_eq!(by_code[..3], [("ok", 200, 2), ("cancelled", 499, 1), ("other", 500, 16)]);
        let counted: Vec<_> =
            by_code[3..].iter().filter(|(.., count)| *count > 0).take(2).collect();
        assert_eq!(counted, [&("timeout", 504, 1), &("own-0", 409, 2)]);
        assert!(
            Code::ALL.iter().all(|code| by_code.iter().any(|(name, ..)| *name == code.name())),
            "from the start"
        );
        assert_eq!(by_code.iter().map(|(.., count)| count).sum::<u64>(), 44);
        assert_eq!(calls.reuse_counts(), (1, 1));
        let Histogram { cumulative, count, sum_micros } = calls.histogram();
        assert_eq!((cumulative[0], cumulative[1], cumulative[15], count), (1, 2, 2, 44));
        assert_eq!(sum_micros, 201 + 42 * 60_000_000);
    }

    #[test]
    fn money_is_summed_by_currency() {
        let calls = CallMetrics::default();
        for (nanos, code) in
            [(1, "USD"), (2, "EUR"), (3, "USD"), (4, "GBP"), (5, "JPY"), (6, "CHF")]
        {
            calls.spend(Some(Money::literal(nanos, code)));
        }
        calls.spend(None);
        let sums: Vec<_> =
            calls.cost().map(|sum| (sum.nanos(), sum.currency().code().to_owned())).collect();
        let expected = [(4, "USD"), (2, "EUR"), (4, "GBP"), (5, "JPY")]
            .map(|(nanos, code)| (nanos, code.to_owned()));
        assert_eq!(
            (sums, calls.cost_unknown(), calls.charged().count()),
            (expected.to_vec(), 1, 0)
        );
    }
}
