//! Load balancing: the choice of one instance out of those that may be chosen.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering::Relaxed},
};

use http::{HeaderMap, HeaderName};
use smallvec::SmallVec;

use crate::edge::proxy::{
    hash::{fnv_1a, mix},
    instance::Instance,
    settings::Balance,
};

/// The instances that may be chosen.
pub(super) type Candidates<'i> = SmallVec<[&'i Arc<Instance>; 8]>;

/// The balancer of an upstream.
#[derive(Debug)]
pub(super) struct Balancer {
    policy: Balance,
    hash_header: Option<HeaderName>,
    /// The turns so far, of round robin.
    turns: AtomicU32,
}

impl Balancer {
    /// Creates a balancer. `hash_header` is that of the policy `hash`.
    pub(super) fn new(policy: Balance, hash_header: Option<HeaderName>) -> Self {
        Self { policy, hash_header, turns: AtomicU32::new(fastrand::u32(..)) }
    }

    /// Returns the hash of a request, if the policy needs one.
    pub(super) fn key(&self, headers: &HeaderMap) -> Option<u64> {
        let header = self.hash_header.as_ref()?;
        headers.get(header).map(|value| fnv_1a(value.as_bytes()))
    }

    /// Chooses one of the candidates.
    pub(super) fn choose<'i>(
        &self,
        candidates: &[&'i Arc<Instance>],
        key: Option<u64>,
    ) -> Option<&'i Arc<Instance>> {
        match (candidates, self.policy, key) {
            ([] | [_], ..) => candidates.first().copied(),
            (_, Balance::Hash, Some(key)) => rendezvous(candidates, key),
            (_, Balance::RoundRobin, _) => {
                weighted(candidates, self.turn(total(candidates))).map(|(_, chosen)| chosen)
            }
            _ => two_choices(candidates),
        }
    }

    /// Returns whether two random instances of an upstream whose instances are alike decide.
    pub(super) fn is_two_choices(&self) -> bool {
        self.policy == Balance::TwoChoices
    }

    /// Returns the next point of `0..total`. A cycle has each point once, and its neighbours lie
    /// far apart, so that a heavy instance does not get its share in a row.
    fn turn(&self, total: u32) -> u32 {
        // The golden section spreads best (Knuth, TAOCP 6.4); a step without a common divisor
        // meets each point.
        let section = u64::from(total) * 618 / 1_000;
        let mut step = u32::try_from(section).unwrap_or(1).max(1);
        while gcd(step, total) != 1 {
            step += 1;
        }
        let turn = u64::from(self.turns.fetch_add(1, Relaxed));
        let point = turn * u64::from(step) % u64::from(total);
        u32::try_from(point).unwrap_or(0)
    }
}

/// Returns the less loaded of two random instances (Mitzenmacher, "The Power of Two Choices in
/// Randomized Load Balancing"), each drawn and loaded by its weight.
fn two_choices<'i>(candidates: &[&'i Arc<Instance>]) -> Option<&'i Arc<Instance>> {
    let total = total(candidates);
    let (at, first) = weighted(candidates, fastrand::u32(..total))?;
    // The second draw leaves out the first one's share.
    let mut point = fastrand::u32(..total - first.weight());
    if point >= shares_before(candidates, at) {
        point += first.weight();
    }
    let (_, second) = weighted(candidates, point)?;
    Some(less_loaded(first, second))
}

/// Returns the instance with fewer requests in flight for its weight.
pub(super) fn less_loaded<'i>(
    first: &'i Arc<Instance>,
    second: &'i Arc<Instance>,
) -> &'i Arc<Instance> {
    let load = |one: &Instance, other: &Instance| one.load() as u64 * u64::from(other.weight());
    if load(second, first) < load(first, second) { second } else { first }
}

/// Returns the candidate to whose share a point of `0..total` belongs.
fn weighted<'i>(
    candidates: &[&'i Arc<Instance>],
    mut point: u32,
) -> Option<(usize, &'i Arc<Instance>)> {
    for (at, candidate) in candidates.iter().enumerate() {
        if point < candidate.weight() {
            return Some((at, candidate));
        }
        point -= candidate.weight();
    }
    None
}

fn total(candidates: &[&Arc<Instance>]) -> u32 {
    candidates.iter().map(|candidate| candidate.weight()).sum()
}

fn shares_before(candidates: &[&Arc<Instance>], at: usize) -> u32 {
    total(&candidates[..at])
}

/// Returns the instance with the highest score for a key (Thaler and Ravishankar, "A Name-Based
/// Mapping Scheme for Rendezvous"): when an instance leaves, only its own keys move. Weights are
/// those of Schindelhauer and Schomaker ("Weighted Distributed Hash Tables").
fn rendezvous<'i>(candidates: &[&'i Arc<Instance>], key: u64) -> Option<&'i Arc<Instance>> {
    let score = |instance: &Instance| {
        // 53 bits, the precision of the type; never 0, whose logarithm is infinite.
        let hash = (mix(key ^ instance.hash()) >> 11) + 1;
        let uniform = hash as f64 / ((1_u64 << 53) + 1) as f64;
        -f64::from(instance.weight()) / uniform.ln()
    };
    let scored = candidates.iter().map(|candidate| (score(candidate), *candidate));
    scored.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, chosen)| chosen)
}

fn gcd(mut one: u32, mut other: u32) -> u32 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}
