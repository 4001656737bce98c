//! Quotas: how often an account may call, and how many of its calls may run. Each policy has a
//! bucket of tokens or a number of slots, and a call takes one of each policy or none at all.
//!
//! [`QuotaRules`] finds the policies of a call. [`Buckets`] holds what is taken: [`MemoryBuckets`]
//! in memory, or [`FallbackBuckets`] in Redis, which gateways share.

mod buckets;
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

pub use crate::quota::{
    buckets::Buckets,
    fallback_buckets::{Admission, AdmittedBy, FallbackBuckets},
    gcra::Rate,
    memory_buckets::MemoryBuckets,
    policy::{Limit, PartitionKey, Policy, QuotaStatus},
    redis_buckets::RedisBuckets,
    rules::{MethodLimits, QuotaRules, RegisteredMethods},
    settings::{LimitOverrides, LimitSettings, QuotaSettings},
};
