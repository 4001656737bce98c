//! Buckets: where tokens and slots are taken, in this process or in Redis.

use std::future::Future;

use crate::{
    quota::policy::{PartitionKey, Policy, QuotaStatus},
    redis::RedisError,
};

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
        account: &PartitionKey,
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
        account: &PartitionKey,
        policies: &[Policy],
        refund: &[Policy],
        call: u64,
    ) -> impl Future<Output = Result<(), RedisError>> + Send;
}
