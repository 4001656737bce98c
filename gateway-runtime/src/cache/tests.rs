//! The contract of every cache store, and the bounds of memory.

use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use tokio::time::Instant;

use super::*;

const MINUTE: Duration = Duration::from_secs(60);

/// Returns a key that no other test has.
fn key() -> CacheKey {
    CacheKey::new(fastrand::u128(..).to_be_bytes().to_vec())
}

fn entry(body: impl Into<Bytes>) -> CachedReply {
    CachedReply { body: body.into(), stored: Instant::now() }
}

/// Checks the contract of every cache store. The clocks of servers run even where that of the test
/// stands still.
async fn conforms(backend: &dyn CacheStore) {
    let (one, other) = (key(), key());
    assert_eq!(backend.get(&one).await, None);

    let bodies: [&[u8]; 4] = [b"", b"{}", &[0, 159, 255, b'\r', b'\n'], &[7; 100_000]];
    for body in bodies {
        assert!(backend.put(one.clone(), entry(Bytes::copy_from_slice(body)), MINUTE).await);
        let found = backend.get(&one).await.expect("what was kept");
        assert_eq!(found.body, body);
        assert!(found.age() < Duration::from_secs(5), "{:?}", found.age());
        assert_eq!(backend.get(&other).await, None);
    }

    // A reply that was made some time ago has its age when it is found.
    let made = Instant::now()
        .checked_sub(Duration::from_secs(20))
        .expect("a clock that has run for a while");
    assert!(
        backend.put(other.clone(), CachedReply { body: "old".into(), stored: made }, MINUTE).await
    );
    let age = backend.get(&other).await.expect("what was kept").age();
    assert!((20..25).contains(&age.as_secs()), "{age:?}");

    // A reply whose time is over is not found.
    assert!(backend.put(one.clone(), entry("brief"), Duration::from_millis(40)).await);
    let end = std::time::Instant::now() + Duration::from_secs(5);
    while backend.get(&one).await.is_some() {
        assert!(std::time::Instant::now() < end, "it is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(backend.usage().failures, 0);
}

#[tokio::test]
async fn memory_conforms() {
    conforms(&MemoryCache::new(10 << 20).unwrap()).await;
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn redis_conforms() {
    let Some(redis) = crate::redis::tests::own_redis().await else { return };
    conforms(&RedisCache::new(redis)).await;
}

#[test]
fn cache_store_is_the_configured_one() {
    let kept = |backend| CacheSettings { backend, ..CacheSettings::default() };
    assert!(open(&kept(None), None).unwrap().is_some());
    assert!(open(&CacheSettings { enabled: false, ..kept(None) }, None).unwrap().is_none());
    let error = open(&kept(Some(CacheBackend::Redis)), None).unwrap_err().to_string();
    assert!(error.contains("[redis]") && error.contains("REDIS_HOST"), "{error}");
}

#[tokio::test]
async fn memory_cache_returns_locally_what_it_finds() {
    let memory = MemoryCache::new(1 << 20).unwrap();
    let key = key();
    memory.put(key.clone(), entry("here"), MINUTE).await;
    assert_eq!(memory.get_local(&key), memory.get(&key).await);
}

#[tokio::test]
async fn memory_holds_no_more_than_it_may() {
    let most = 1 << 20;
    let memory = MemoryCache::new(most).unwrap();
    for length in 0..5000 {
        memory.put(key(), entry(vec![1; length]), MINUTE).await;
        assert!(memory.usage().bytes <= most, "{:?}", memory.usage());
    }
    let held = memory.usage();
    assert!(held.bytes > most / 2 && held.entries > 50, "{held:?}");
    assert!(
        !memory.put(key(), entry(vec![1; 2 << 20]), MINUTE).await,
        "more than there is room for"
    );
    assert!(memory.usage().entries > 50, "nothing made room for it");
}

#[tokio::test]
async fn reply_stays_when_it_is_requested_often() {
    let memory = MemoryCache::new(1 << 20).unwrap();
    let loved = key();
    memory.put(loved.clone(), entry("loved"), MINUTE).await;
    for _ in 0..10_000 {
        assert!(memory.get_local(&loved).is_some());
        memory.put(key(), entry(vec![1; 1000]), MINUTE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn expired_reply_is_removed_when_it_is_requested() {
    let memory = MemoryCache::new(1 << 20).unwrap();
    let key = key();
    memory.put(key.clone(), entry("brief"), MINUTE).await;
    tokio::time::advance(MINUTE).await;
    assert_eq!((memory.get_local(&key), memory.usage().entries), (None, 0));
}

#[tokio::test]
async fn flight_is_removed_with_its_last_waiter() {
    let flights = std::sync::Arc::<SingleFlight<u8>>::default();
    let key = key();
    let ticket = flights.join(key.clone());
    assert!(flights.begin(key.clone()).is_none());
    drop((ticket, flights.join(key.clone())));
    let ticket = flights.begin(key.clone()).expect("nobody is in it");
    let other = flights.join(key.clone());
    assert_eq!(ticket.join_or_lead(|| async { Err(()) }).await, Err(()));
    assert_eq!(other.join_or_lead(|| async { Ok::<_, ()>(1) }).await, Ok(&1));
    // The flight has ended: the next call begins another, and its waiters still read its value.
    let next = flights.begin(key.clone()).expect("a flight of its own");
    assert_eq!(ticket.join_or_lead(|| async { Ok::<_, ()>(2) }).await, Ok(&1));
    drop((ticket, other));
    assert!(flights.begin(key.clone()).is_none(), "the next one is still there");
    drop(next);
    assert!(flights.begin(key.clone()).is_some());
}

proptest! {
    /// Distinguishes account and input.
    #[test]
    fn keys_differ_where_calls_do(
        one in ".{0,3}",
        other in ".{0,3}",
        input in "[ab]{0,2}",
        another in "[ab]{0,2}",
    ) {
        let space = KeySpace::for_tests();
        let of = |account: Option<&str>, input: &str| {
            let document = crate::json::document::Document::of_text(input);
            space.key(false, account, &crate::base::call::Input::Valid(document))
        };
        prop_assert_eq!(
            of(Some(&one), &input) == of(Some(&other), &another),
            one == other && input == another
        );
        prop_assert_ne!(of(None, &input), of(Some(&one), &input));
    }
}
