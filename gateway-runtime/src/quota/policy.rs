//! What a request is limited by, and whose buckets it takes from.

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use crate::{base::call::Call, quota::Rate};

/// One limit that a request is under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What it limits: everything (`total`), a service, a method; `…:concurrent` of those that run. The name that
    /// clients read.
    pub name: Arc<str>,
    /// How much.
    pub limit: Limit,
}

/// How much is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// So many in each such time: a bucket of tokens, out of which each call takes one.
    Rate(Rate),
    /// So many that run: a call has a place while it does.
    Concurrency(u64),
}

impl Policy {
    /// Its rate; none of a limit of what runs.
    pub(super) fn rate(&self) -> Option<Rate> {
        match self.limit {
            Limit::Rate(rate) => Some(rate),
            Limit::Concurrency(_) => None,
        }
    }

    /// How many may run; none of a rate.
    pub(super) fn concurrency(&self) -> Option<u64> {
        match self.limit {
            Limit::Rate(_) => None,
            Limit::Concurrency(places) => Some(places),
        }
    }

    /// The part of it that one of so many gateways has, at least one.
    pub(super) fn share(&self, gateways: u64) -> Self {
        let limit = match self.limit {
            Limit::Rate(rate) => Limit::Rate(rate.share(gateways)),
            Limit::Concurrency(places) => Limit::Concurrency((places / gateways.max(1)).max(1)),
        };
        Self { name: Arc::clone(&self.name), limit }
    }
}

/// As in `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.limit {
            Limit::Rate(rate) => {
                write!(f, "\"{}\";q={};w={}", self.name, rate.calls, rate.per.as_secs())
            }
            Limit::Concurrency(places) => {
                write!(f, "\"{}\";q={places};qu=\"concurrent-requests\"", self.name)
            }
        }
    }
}

/// Whose buckets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum PartitionKey {
    /// An account's.
    Account(Arc<str>),
    /// Those of everybody at an address, of strangers: a /64 of IPv6 is one, as it is one customer's.
    Address(IpAddr),
    /// Those of everybody of whom nothing is known.
    Nobody,
}

impl PartitionKey {
    /// Whose buckets a call takes from.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        match (call.caller().account_arc(), call.peer()) {
            (Some(account), _) => Self::Account(account),
            (None, Some(address)) => Self::Address(customer(address)),
            (None, None) => Self::Nobody,
        }
    }
}

/// Apart from each other, whatever accounts are called.
impl fmt::Display for PartitionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(account) => write!(f, "account:{account}"),
            Self::Address(address) => write!(f, "address:{address}"),
            Self::Nobody => f.write_str("nobody"),
        }
    }
}

/// The address that stands for all addresses of a customer.
fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & !u128::from(u64::MAX)).into()),
        v4 => v4,
    }
}

/// How a request stands with the policy that leaves it the least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaStatus {
    /// The policy's name.
    pub name: Arc<str>,
    /// So many more requests would be let in now.
    pub remaining: u64,
    /// After so long there will be one more than that; when refused, the first. None where nobody knows: when another
    /// call ends.
    pub reset: Option<Duration>,
}

/// As in `RateLimit` (draft-ietf-httpapi-ratelimit-headers-10).
impl fmt::Display for QuotaStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\";r={}", self.name, self.remaining)?;
        match self.reset {
            Some(next) => write!(f, ";t={}", next.as_secs() + u64::from(next.subsec_nanos() > 0)),
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
