//! Policies, the limits that a call is under, and partition keys, the owners of its buckets.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use crate::{base::call::Call, quota::Rate};

/// A limit that a call is under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The name that clients read: `total`, a service or a method; with `:concurrent` for the
    /// number of running calls.
    pub name: Arc<str>,
    /// The limit of the policy.
    pub limit: Limit,
}

/// The number of calls that a policy admits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// A number of calls in each period: a bucket of tokens, out of which each call takes one.
    Rate(Rate),
    /// A number of running calls: each takes a slot while it runs.
    Concurrency(u64),
}

impl Policy {
    /// Returns the rate; `None` for a concurrency.
    pub(super) fn rate(&self) -> Option<Rate> {
        match self.limit {
            Limit::Rate(rate) => Some(rate),
            Limit::Concurrency(_) => None,
        }
    }

    /// Returns the number of slots; `None` for a rate.
    pub(super) fn concurrency(&self) -> Option<u64> {
        match self.limit {
            Limit::Rate(_) => None,
            Limit::Concurrency(slots) => Some(slots),
        }
    }

    /// Returns the local share of one of `gateways`, at least one.
    pub(super) fn share(&self, gateways: u64) -> Self {
        let limit = match self.limit {
            Limit::Rate(rate) => Limit::Rate(rate.share(gateways)),
            Limit::Concurrency(slots) => Limit::Concurrency((slots / gateways.max(1)).max(1)),
        };
        Self { name: Arc::clone(&self.name), limit }
    }
}

/// Writes the policy as in `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit {
            Limit::Rate(rate) => {
                write!(f, "\"{}\";q={};w={}", self.name, rate.calls, rate.per.as_secs())
            }
            Limit::Concurrency(slots) => {
                write!(f, "\"{}\";q={slots};qu=\"concurrent-requests\"", self.name)
            }
        }
    }
}

/// The partition key: whose buckets a call takes from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PartitionKey {
    /// The account of the caller.
    Account(Arc<str>),
    /// The client's address, for anonymous callers. An IPv6 /64 is one address, as it belongs to
    /// one customer.
    Address(IpAddr),
    /// Callers without an account or an address, all together.
    Anonymous,
}

impl PartitionKey {
    /// Returns the partition key of a call.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        match (call.caller().account_arc(), call.peer()) {
            (Some(account), _) => Self::Account(account),
            (None, Some(address)) => Self::Address(customer(address)),
            (None, None) => Self::Anonymous,
        }
    }
}

/// Writes the key, with a prefix that distinguishes the kinds whatever accounts are called.
impl fmt::Display for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account:{account}"),
            Self::Address(address) => write!(f, "address:{address}"),
            Self::Anonymous => f.write_str("nobody"),
        }
    }
}

/// Returns the address that stands for all addresses of a customer.
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// The status of the policy that has the least left for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaStatus {
    /// The policy's name.
    pub name: Arc<str>,
    /// The number of further calls that would be admitted now.
    pub remaining: u64,
    /// The time until one more call would be admitted; after a refusal, the first one. `None` if it
    /// is unknown, as for a slot, which is free when another call ends.
    pub reset: Option<Duration>,
}

impl QuotaStatus {
    /// Returns the status of a call without policies.
    pub(super) fn unlimited() -> Self {
        Self { name: "".into(), remaining: u64::MAX, reset: None }
    }
}

/// Writes the status as in `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).
impl fmt::Display for QuotaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\";r={}", self.name, self.remaining)?;
        match self.reset {
            Some(reset) => {
                write!(f, ";t={}", reset.as_secs() + u64::from(reset.subsec_nanos() > 0))
            }
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_has_one_address_however_many_there_are() {
        let same = |a: &str, b: &str| customer(a.parse().unwrap()) == customer(b.parse().unwrap());
        assert!(same("2001:db8:1:2::3", "2001:db8:1:2:ffff::"));
        assert!(!same("2001:db8:1:2::3", "2001:db8:1:3::3"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(!same("192.0.2.1", "192.0.2.2"));
        assert!(!same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    }
}
