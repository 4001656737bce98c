//! Redis that is frozen, killed, or not there: calls go on with the gateway's share, nobody waits for long, and it
//! comes back by itself.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use gateway_runtime::prelude::*;

use super::meter::{Gate, Metered, SETTINGS};
use crate::redis_server::RedisServer;

/// So long gateways wait for Redis where it is to be away.
const TIMEOUT: Duration = Duration::from_secs(2);
/// And where it is not, however little time the machine leaves it.
const PATIENCE: Duration = Duration::from_secs(20);

/// The number of calls that would be let in now, as the answer tells.
async fn left(metered: &Metered) -> u64 {
    let answer = metered.get("many").await;
    let limit = answer.header("ratelimit").unwrap();
    limit.split("r=").nth(1).unwrap().split(';').next().unwrap().parse().unwrap()
}

/// Calls go on with the share that the buckets in Redis left, and only the first waits.
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
async fn a_frozen_redis_costs_one_time_out_and_comes_back() {
    let Some(server) = RedisServer::start() else { return };
    let quota = "quota = { services = { meter = '40/day' }, replicas = 4 }";
    let metered = Metered::with(&format!("{}{quota}", server.setting(TIMEOUT))).await;
    // 8 of 40: of the share, 2 of 10.
    assert_eq!(metered.admitted("many", 8).await, 8);
    server.freeze();
    goes_on_alone(&metered, 8).await;
    server.thaw();
    metered.until("many", 200).await;
    // One of the calls that waited is counted too: it was sent before.
    assert_eq!(left(&metered).await, 40 - 8 - 1 - 2);
}

#[tokio::test]
async fn a_redis_that_is_killed_is_connected_to_again() {
    let Some(mut server) = RedisServer::start() else { return };
    let quota = "quota = { services = { meter = '40/day' }, replicas = 4 }";
    let metered = Metered::with(&format!("{}{quota}", server.setting(TIMEOUT))).await;
    assert_eq!(metered.admitted("many", 8).await, 8);
    server.kill();
    goes_on_alone(&metered, 8).await;
    server.start_again();
    metered.until("many", 200).await;
    // It came back with nothing in it.
    assert_eq!(left(&metered).await, 38);
    for _ in 0..3 {
        // Whether the gateway has found the connection lost or not.
        server.kill();
        server.start_again();
        let deadline = Instant::now() + Duration::from_secs(20);
        while left(&metered).await < 30 {
            assert!(Instant::now() < deadline, "it is not connected to again");
        }
    }
}

#[tokio::test]
async fn a_redis_that_became_a_replica_is_none_until_it_is_not() {
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
async fn what_ends_while_redis_is_frozen_is_heard_when_it_is_not() {
    let Some(server) = RedisServer::start() else { return };
    // Of so many gateways, each has none left of six a day when four are taken.
    let quota = "total = { concurrency = 4 }, services = { meter = '6/day' }, only_fulfilled = true, replicas = 100";
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
async fn a_gateway_that_stops_gives_back_what_its_calls_held() {
    let Some(server) = RedisServer::start() else { return };
    let quota = "quota = { total = { concurrency = 2 }, services = { meter = '3/day' }, only_fulfilled = true }";
    let settings = format!("{}{quota}", server.setting(PATIENCE));
    let stops = Metered::with(&settings).await;
    assert_eq!([stops.get("late").await.status(), stops.get("late").await.status()], [504, 504]);
    stops.gateway.stop().await.unwrap();
    assert_eq!(Metered::with(&settings).await.admitted("many", 2).await, 2);
    assert_eq!(Metered::with(&settings).await.admitted("many", 2).await, 1);
}

#[tokio::test]
async fn gateways_on_a_cluster_share_what_is_in_one_slot() {
    let Some(server) = RedisServer::start_cluster() else { return };
    let quota = "quota = { total = { rate = '100/day', concurrency = 9 }, services = { meter = { rate = '50/day', \
                 concurrency = 8 } }, only_fulfilled = true }";
    let settings = format!("{}{quota}", server.setting(PATIENCE));
    let gateways = [Metered::with(&settings).await, Metered::with(&settings).await];
    for expected in [7, 7, 7] {
        for gateway in &gateways {
            assert_eq!(left(gateway).await, expected);
            assert_eq!(gateway.get("many?fails=true").await.status(), 404);
        }
    }
    // 5 of an hour, over both.
    let both = join_all(gateways.iter().map(|gateway| gateway.admitted("few", 20))).await;
    assert_eq!(both.iter().sum::<usize>(), 5);
}

#[tokio::test]
async fn a_redis_that_is_not_there_is_told_at_start() {
    let settings = format!("{SETTINGS}redis = {{ host = '127.0.0.1', port = 1 }}");
    let error = Gateway::from_toml(&settings).unwrap().start().await.unwrap_err().to_string();
    assert!(error.contains("[redis]: cannot be reached") && error.contains("refused"), "{error}");
}
