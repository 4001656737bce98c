//! How often an account may call, and how many of its calls may run: each policy of a request has a bucket of tokens or
//! a number of places, and a request takes one of each or none at all.
//!
//! [`Rules`] says which policies a call is under, [`Buckets`] keeps what is taken: in [`Memory`], or in Redis, where
//! gateways share it ([`Shared`]).

mod fallback_buckets;
mod gcra;
mod leases;
mod memory_buckets;
mod policy;
mod redis_buckets;
mod rules;
mod settings;
#[cfg(test)]
mod tests;

use std::future::Future;

pub use crate::quota::{
    fallback_buckets::{Admission, AdmittedBy, FallbackBuckets},
    gcra::Rate,
    memory_buckets::MemoryBuckets,
    policy::{Limit, PartitionKey, Policy, QuotaStatus},
    redis_buckets::RedisBuckets,
    rules::{MethodLimits, QuotaRules, RegisteredMethods},
    settings::{LimitOverrides, LimitSettings, QuotaSettings},
};
use crate::redis::RedisError;

/// Where what is taken stands.
///
/// Calls are told apart by a number that no two have. Whatever happens at once, of each policy no more is taken than
/// there is: of a rate the burst and what came back meanwhile, of a concurrency its places.
pub trait Buckets: Send + Sync {
    /// Takes a token or a place of each policy, or none at all, in one step. `Err` inside is the policy that refuses,
    /// and for the longest.
    ///
    /// # Errors
    ///
    /// When they cannot be reached; whether something was taken is not known then.
    fn admit(
        &self,
        whose: &PartitionKey,
        policies: &[Policy],
        call: u64,
    ) -> impl Future<Output = Result<Result<QuotaStatus, QuotaStatus>, RedisError>> + Send;

    /// A call has ended: its places in `policies` are free, and each rate of `refund` has a token back. May be said
    /// again when it is not known to have been heard; only the first time counts.
    ///
    /// # Errors
    ///
    /// When they cannot be reached; whether it was heard is not known then.
    fn release(
        &self,
        whose: &PartitionKey,
        policies: &[Policy],
        refund: &[Policy],
        call: u64,
    ) -> impl Future<Output = Result<(), RedisError>> + Send;
}
