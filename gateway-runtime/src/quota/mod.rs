//! How often an account may call: each policy of a request has a bucket, and a request takes one token out of each or none
//! at all.

mod gcra;
mod memory;
mod settings;

use std::{net::IpAddr, sync::Arc, time::Duration};

pub use self::{gcra::Rate, memory::Quotas, settings::QuotaSettings};
use crate::call::Call;

/// One limit that a request is under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What it limits: everything (`total`), a service, a method. The name that clients read.
    pub name: Arc<str>,
    /// How often.
    pub rate: Rate,
}

/// Whose buckets.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// An account's.
    Account(Arc<str>),
    /// Those of everybody at an address, of strangers: a /64 of IPv6 is one, as it is one customer's.
    Address(IpAddr),
    /// Those of everybody of whom nothing is known.
    Nobody,
}

impl Whose {
    /// Whose buckets a call takes from.
    #[must_use]
    pub fn of(call: &Call) -> Self {
        match (call.caller().account(), call.peer()) {
            (Some(account), _) => Self::Account(account.into()),
            (None, Some(address)) => Self::Address(customer(address)),
            (None, None) => Self::Nobody,
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
pub struct Standing {
    /// The policy's name.
    pub name: Arc<str>,
    /// So many more requests would be let in now.
    pub remaining: u64,
    /// After so long there will be one more than that; when refused, the first.
    pub next: Duration,
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
