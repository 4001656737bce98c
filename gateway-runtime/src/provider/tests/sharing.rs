//! Gateways on one Redis, each with a pool of its own: a provider that one gateway spares, all
//! spare.

use super::*;
use crate::{provider::synchronize, redis::tests::own_redis};

/// Creates the pools of two gateways, and a third that is not synchronized; `None` without Redis.
/// In each, `a` plays the given act, and `b` fulfils.
async fn gateways(settings: &FailoverSettings, acts: [Act; 3]) -> Option<[Bench; 3]> {
    let redis = own_redis().await?;
    let benches = acts.map(|act| Bench::with(settings, &[&[act], &[Act::Fulfil]]));
    for bench in &benches[..2] {
        tokio::spawn(synchronize(redis.clone(), vec![bench.pool.any()]));
    }
    // The gateways poll from their first turn on.
    tokio::task::yield_now().await;
    Some(benches)
}

async fn until(what: &str, bench: &Bench, is_so: impl Fn(&serde_json::Value) -> bool) {
    let deadline = Instant::now() + seconds(20);
    loop {
        let health = serde_json::to_value(bench.pool.health()).unwrap()["providers"][0].take();
        if is_so(&health) {
            return;
        }
        assert!(Instant::now() < deadline, "not in time: {what}: {health}");
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_breaker_opens_for_all_and_closes_for_each() {
    let mut settings = FailoverSettings { repeats: 0, ..Default::default() };
    settings.breaker.open = Duration::from_millis(900);
    let acts = [Act::NotSent, Act::Fulfil, Act::Fulfil];
    let Some([one, other, stranger]) = gateways(&settings, acts).await else { return };
    for _ in 0..settings.breaker.failures_in_a_row {
        assert_eq!(one.call(Effect::Read).await.what(), "b");
    }
    until("the other has opened", &other, |a| a["methods"][0]["breaker"] == "open").await;
    assert_eq!(
        (other.call(Effect::Read).await.what(), stranger.call(Effect::Read).await.what()),
        ("b", "a")
    );
    // The breaker opens for that method alone.
    assert_eq!(other.call(Effect::Once).await.what(), "a");
    until("it is to be probed", &other, |a| a["methods"][0]["breaker"] == "half-open").await;
    assert_eq!(
        [other.call(Effect::Read).await.what(), other.call(Effect::Read).await.what()],
        ["a", "a"]
    );
    until("it has closed", &other, |a| a["methods"][0]["breaker"] == "closed").await;
    // If the provider still fails, the breaker opens again, and with it those of all gateways.
    until("the one is to probe too", &one, |a| a["methods"][0]["breaker"] == "half-open").await;
    one.call(Effect::Read).await;
    until("the other has opened again", &other, |a| a["methods"][0]["breaker"] == "open").await;
}

#[tokio::test]
async fn a_pause_and_a_refusal_of_credentials_hold_for_all() {
    let settings = FailoverSettings { repeats: 0, ..Default::default() };
    let pauses = [Act::StatusLater(429, seconds(40)), Act::Fulfil, Act::Fulfil];
    let Some([one, other, _]) = gateways(&settings, pauses).await else { return };
    one.call(Effect::Read).await;
    let left = |a: &serde_json::Value| a["methods"][0]["retry_after_ms"].as_u64().unwrap_or(0);
    until("the other pauses", &other, |a| (30_000..=40_000).contains(&left(a))).await;
    let asides = [Act::Status(401), Act::Fulfil, Act::Fulfil];
    let Some([one, other, stranger]) = gateways(&settings, asides).await else { return };
    one.call(Effect::Read).await;
    until("the other sets it aside", &other, |a| a["set_aside_ms"].as_u64() > Some(50_000)).await;
    assert_eq!(
        (other.call(Effect::Once).await.what(), stranger.call(Effect::Once).await.what()),
        ("b", "a")
    );
}
