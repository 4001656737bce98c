//! The budget of buffered request bodies: an upper bound for the process, and a share of it for
//! each client address.
//!
//! SEMANTICS §10: "Everything a client can make the gateway queue or buffer is bounded: a budget of
//! buffered bytes for the process, a share of it for each client address; beyond it 503
//! `overloaded`". A body is charged as it arrives, in steps of [`STEP_BYTES`], and the charge is
//! released when the last reference to the body's bytes is dropped. A body of at most
//! [`FREE_BYTES`] that arrives in one piece is not charged: the number of such bodies is bounded by
//! the connections and their streams.

#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::BuildHasher,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;

/// Step in which a charge grows, so that the counters are seldom updated.
const STEP_BYTES: usize = 16 * 1024;

/// Maximum size of a body that is not charged.
const FREE_BYTES: usize = 4 * 1024;

/// Number of locks for the counts of clients, so that two clients seldom share one.
const SHARDS: usize = 16;

/// A budget of buffered bytes. Cheap to clone; clones share the counters.
#[derive(Clone, Debug)]
pub struct BodyBudget(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limit: usize,
    client_limit: usize,
    used: AtomicUsize,
    hasher: foldhash::fast::RandomState,
    /// Bytes by client, for clients that have a charge.
    clients: [Mutex<HashMap<ClientKey, usize>>; SHARDS],
}

/// An IPv4 address, or the /64 of an IPv6 address: the smallest range that is assigned to one
/// client.
type ClientKey = u128;

impl BodyBudget {
    /// Creates a budget of `limit` bytes, of which one client address gets at most `client_limit`.
    #[must_use]
    pub fn new(limit: usize, client_limit: usize) -> Self {
        let hasher = foldhash::fast::RandomState::default();
        let clients = Default::default();
        Self(Arc::new(Inner { limit, client_limit, used: AtomicUsize::new(0), hasher, clients }))
    }

    /// Creates the charge of one body of a client. `None` stands for a client that is trusted not
    /// to use up the budget, and is charged to the process alone.
    pub(crate) fn charge(&self, client: Option<IpAddr>) -> Charge {
        Charge { budget: Some(self.clone()), client: client.map(key), bytes: 0 }
    }

    /// Returns whether a body of `bytes` fits into the whole budget.
    pub(crate) fn fits(&self, bytes: usize) -> bool {
        let limit = self.0.limit.min(self.0.client_limit);
        bytes.checked_next_multiple_of(STEP_BYTES).is_some_and(|charge| charge <= limit)
    }

    /// Returns the number of bytes that are charged now.
    #[must_use]
    pub fn used(&self) -> usize {
        self.0.used.load(Relaxed)
    }

    fn client(&self, key: ClientKey) -> MutexGuard<'_, HashMap<ClientKey, usize>> {
        let shard = self.0.hasher.hash_one(key) as usize % SHARDS;
        self.0.clients[shard].lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, client: Option<ClientKey>, bytes: usize) -> bool {
        let Inner { limit, client_limit, used, .. } = &*self.0;
        let fits = |used: usize, limit: usize| used.checked_add(bytes).filter(|sum| *sum <= limit);
        if used.fetch_update(Relaxed, Relaxed, |used| fits(used, *limit)).is_err() {
            return false;
        }
        let Some(key) = client else { return true };
        let mut clients = self.client(key);
        let used_by_client = clients.get(&key).copied().unwrap_or(0);
        if let Some(sum) = fits(used_by_client, *client_limit) {
            clients.insert(key, sum);
            return true;
        }
        used.fetch_sub(bytes, Relaxed);
        false
    }

    fn give_back(&self, client: Option<ClientKey>, bytes: usize) {
        self.0.used.fetch_sub(bytes, Relaxed);
        let Some(key) = client else { return };
        if let Entry::Occupied(mut used) = self.client(key).entry(key) {
            *used.get_mut() = used.get().saturating_sub(bytes);
            if *used.get() == 0 {
                used.remove();
            }
        }
    }
}

fn key(address: IpAddr) -> ClientKey {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => {
            address.to_bits() & Ipv6Addr::new(0xffff, 0xffff, 0xffff, 0xffff, 0, 0, 0, 0).to_bits()
        }
    }
}

/// The charge of one body, released when it is dropped.
#[derive(Debug)]
pub(crate) struct Charge {
    budget: Option<BodyBudget>,
    client: Option<ClientKey>,
    bytes: usize,
}

/// The error of a budget without room.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Charge {
    /// Creates a charge without a budget, which never fails.
    pub(super) const fn free() -> Self {
        Self { budget: None, client: None, bytes: 0 }
    }

    /// Charges for a body that has `length` bytes so far.
    pub(crate) fn cover(&mut self, length: usize) -> Result<(), Exhausted> {
        let Some(budget) = &self.budget else { return Ok(()) };
        if length <= self.bytes.max(FREE_BYTES) {
            return Ok(());
        }
        let more = length.next_multiple_of(STEP_BYTES) - self.bytes;
        if !budget.take(self.client, more) {
            return Err(Exhausted);
        }
        self.bytes += more;
        Ok(())
    }

    /// Attaches the charge to the bytes of the body, so that it is released with them.
    pub(crate) fn attach(self, body: Bytes) -> Bytes {
        if self.bytes == 0 { body } else { Bytes::from_owner(Charged { body, _charge: self }) }
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        if let Some(budget) = self.budget.as_ref().filter(|_| self.bytes > 0) {
            budget.give_back(self.client, self.bytes);
        }
    }
}

struct Charged {
    body: Bytes,
    _charge: Charge,
}

impl AsRef<[u8]> for Charged {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}
