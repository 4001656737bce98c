//! Redis that is frozen, killed, or missing: calls continue with the gateway's local share, no call
//! waits for long, and service resumes by itself.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gateway_runtime::prelude::*;

use super::meter::{Gate, Metered, SETTINGS};
use crate::redis_server::RedisServer;

/// The time limit of Redis in tests that make it unavailable.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The time limit in the other tests, generous for a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// Returns the number of calls that would be admitted now, from the response's fields.
async fn left(metered: &Metered) -> u64 {
    let answer = metered.get("many").await;
    let limit = answer.header("ratelimit").unwrap();
    limit.split("r=").nth(1).unwrap().split(';').next().unwrap().parse().unwrap()
}

/// Checks that calls continue with the share that the buckets in Redis left, and only the first
/// waits.
async fn goes_on_alone(metered: &Metered, share: usize) {
    let start = Instant::now();
    assert_eq!(metered.get("many").await.status(), 200);
    assert!(start.elapsed() < 3 * TIMEOUT, "the first waited for {:?}", start.elapsed());
    let start = Instant::now();
    let mut admitted = 1;
    for _ in 0..2 * share {
        admitted += usize::from(metered.get("many").await.status() == 200);
    }
    assert!(start.elapsed() < 4 * TIMEOUT, "{} calls took {:?}", 2 * share, start.elapsed());
    assert_eq!(admitted, share);
    assert!(metered.gateway.limiting().judged_alone() > 2 * u64::try_from(share).unwrap());
}

#[tokio::test]
async fn frozen_redis_costs_one_timeout_and_is_used_again_when_thawed() {
    let Some(server) = RedisServer::start() else { return };
    let quota = "quota = { services = { meter = '40/day' }, replicas = 4 }";
    let metered = Metered::with(&format!("{}{quota}", server.setting(TIMEOUT))).await;
    // 8 of 40 tokens are 2 of the local share's 10.
    assert_eq!(metered.admitted("many", 8).await, 8);
    server.freeze();
    goes_on_alone(&metered, 8).await;
    server.thaw();
    metered.until("many", 200).await;
    // One of the calls that waited is counted as well: its command was sent before.
    assert_eq!(left(&metered).await, 40 - 8 - 1 - 2);
}

#[tokio::test]
async fn killed_redis_is_reconnected() {
    let Some(mut server) = RedisServer::start() else { return };
    let quota = "quota = { services = { meter = '40/day' }, replicas = 4 }";
    let metered = Metered::with(&format!("{}{quota}", server.setting(TIMEOUT))).await;
    assert_eq!(metered.admitted("many", 8).await, 8);
    server.kill();
    goes_on_alone(&metered, 8).await;
    server.start_again();
    metered.until("many", 200).await;
    // The restarted server is empty.
    assert_eq!(left(&metered).await, 38);
    for _ in 0..3 {
        // Whether or not the gateway has noticed the loss of the connection.
        server.kill();
        server.start_again();
        let deadline = Instant::now() + Duration::from_secs(20);
        while left(&metered).await < 30 {
            assert!(Instant::now() < deadline, "it is not connected to again");
        }
    }
}

#[tokio::test]
async fn redis_is_unavailable_while_it_is_a_replica() {
    let Some(server) = RedisServer::start() else { return };
    let quota = "quota = { services = { meter = '40/day' }, replicas = 4 }";
    let metered = Metered::with(&format!("{}{quota}", server.setting(TIMEOUT))).await;
    assert_eq!(metered.admitted("many", 8).await, 8);
    server.command(&["REPLICAOF", "127.0.0.1", "1"]);
    goes_on_alone(&metered, 8).await;
    server.command(&["REPLICAOF", "NO", "ONE"]);
    metered.until("many", 200).await;
    assert_eq!(left(&metered).await, 40 - 8 - 2);
}

#[tokio::test]
async fn calls_that_end_while_redis_is_frozen_are_released_later() {
    let Some(server) = RedisServer::start() else { return };
    // With this number of replicas the local share of 6 a day is zero once four are taken.
    let quota = "total = { concurrency = 4 }, services = { meter = '6/day' }, only_fulfilled = \
        true, replicas = 100";
    let metered = Metered::with(&format!("{}quota = {{ {quota} }}", server.setting(TIMEOUT))).await;
    let gate = Gate::named("frozen");
    let calls = join_all((0..4).map(|_| metered.get("wait?gate=frozen&how=fails")));
    let freezing = async {
        gate.reached(4).await;
        server.freeze();
        gate.open();
    };
    let start = Instant::now();
    let (answers, ()) = tokio::join!(calls, freezing);
    assert!(answers.iter().all(|answer| answer.status() == 404));
    assert!(start.elapsed() < 4 * TIMEOUT, "the answers waited for {:?}", start.elapsed());
    server.thaw();
    // Each of the four has its token back, once.
    for _ in 0..6 {
        metered.until("many", 200).await;
    }
    metered.gateway.limiting().flushed().await;
    assert_eq!(metered.admitted("many", 20).await, 0);
}

#[tokio::test]
async fn gateway_that_stops_releases_slots_and_tokens() {
    let Some(server) = RedisServer::start() else { return };
    let quota = "quota = { total = { concurrency = 2 }, services = { meter = '3/day' }, \
        only_fulfilled = true }";
    let settings = format!("{}{quota}", server.setting(PATIENCE));
    let stops = Metered::with(&settings).await;
    assert_eq!([stops.get("late").await.status(), stops.get("late").await.status()], [504, 504]);
    stops.gateway.stop().await.unwrap();
    assert_eq!(Metered::with(&settings).await.admitted("many", 2).await, 2);
    assert_eq!(Metered::with(&settings).await.admitted("many", 2).await, 1);
}

#[tokio::test]
async fn gateways_on_a_cluster_share_buckets_of_one_hash_slot() {
    let Some(server) = RedisServer::start_cluster() else { return };
    let quota = "quota = { total = { rate = '100/day', concurrency = 9 }, services = { meter = { \
        rate = '50/day', \
                 concurrency = 8 } }, only_fulfilled = true }";
    let settings = format!("{}{quota}", server.setting(PATIENCE));
    let gateways = [Metered::with(&settings).await, Metered::with(&settings).await];
    for expected in [7, 7, 7] {
        for gateway in &gateways {
            assert_eq!(left(gateway).await, expected);
            assert_eq!(gateway.get("many?fails=true").await.status(), 404);
        }
    }
    // 5 an hour, over both gateways.
    let both = join_all(gateways.iter().map(|gateway| gateway.admitted("few", 20))).await;
    assert_eq!(both.iter().sum::<usize>(), 5);
}

#[tokio::test]
async fn missing_redis_is_reported_at_start() {
    let settings = format!("{SETTINGS}redis = {{ host = '127.0.0.1', port = 1 }}");
    let error = Gateway::from_toml(&settings).unwrap().start().await.unwrap_err().to_string();
    assert!(error.contains("[redis]: cannot connect") && error.contains("refused"), "{error}");
}
