//! Quotas: how often an account may call, and how many of its calls may run. Each policy has a
//! bucket of tokens or a number of slots, and a call takes one of each policy or none at all.
//!
//! [`QuotaRules`] finds the policies of a call. [`Buckets`] holds what is taken: [`MemoryBuckets`]
//! in memory, or [`FallbackBuckets`] in Redis, which gateways share.

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

/// The buckets and slots of accounts.
///
/// A unique number identifies each call. Whatever happens concurrently, no more of a policy is
/// taken than it has: of a rate the burst and what refilled meanwhile, of a concurrency its slots.
pub trait Buckets: Send + Sync {
    /// Takes a token or a slot of each policy, or none at all, in one step. The inner `Err` is the
    /// policy that refuses for the longest.
    ///
    /// # Errors
    ///
    /// Fails if the buckets cannot be reached; whether something was taken is unknown then.
    fn admit(
        &self,
        whose: &PartitionKey,
        policies: &[Policy],
        call: u64,
    ) -> impl Future<Output = Result<Result<QuotaStatus, QuotaStatus>, RedisError>> + Send;

    /// Releases a call: frees its slots in `policies`, and gives a token back to each rate of
    /// `refund`. An unconfirmed release may be repeated; only the first one counts.
    ///
    /// # Errors
    ///
    /// Fails if the buckets cannot be reached; whether the release took effect is unknown then.
    fn release(
        &self,
        whose: &PartitionKey,
        policies: &[Policy],
        refund: &[Policy],
        call: u64,
    ) -> impl Future<Output = Result<(), RedisError>> + Send;
}
