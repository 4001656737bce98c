//! Tests of `memory_buckets`.

use std::thread;

use super::*;
use crate::quota::Rate;

fn policy(calls: u64, per: Duration) -> [Policy; 1] {
    [Policy { name: "total".into(), limit: Limit::Rate(Rate { calls, per }) }]
}

#[test]
fn many_threads_get_no_more_than_there_is() {
    let quotas = MemoryBuckets::default();
    let policies = policy(1000, Duration::from_secs(3600));
    let admitted: usize = thread::scope(|scope| {
        let callers = [(); 8].map(|()| {
            scope.spawn(|| {
                (0..500)
                    .filter(|_| quotas.admit(&PartitionKey::Anonymous, &policies).is_ok())
                    .count()
            })
        });
        callers.into_iter().map(|caller| caller.join().unwrap()).sum()
    });
    assert_eq!(admitted, 1000);
}

#[test]
fn buckets_that_are_full_again_are_forgotten() {
    let quotas = MemoryBuckets::default();
    let policies = policy(1, Duration::from_micros(1));
    for number in 0..SHARDS * MIN_SWEEP_BUCKETS * 4 {
        let account = PartitionKey::Account(number.to_string().into());
        quotas.admit(&account, &policies).unwrap();
    }
    let left: usize = quotas.shards.iter().map(|shard| shard.lock().unwrap().buckets.len()).sum();
    assert!(left <= SHARDS * (MIN_SWEEP_BUCKETS + 1), "{left} buckets");
}
