//! Many callers at several gateways: all gateways together admit no more than the burst and the
//! refill.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::meter::Metered;
use crate::redis_server;

/// The variable with the work of a gateway in a process of its own, as JSON.
const WORK: &str = "GATEWAY_TEST_QUOTA_WORK";
/// The prefix of the line with its result.
const RESULT: &str = "result: ";

const GATEWAYS: usize = 4;
const CALLERS: usize = 200;
const BURST: u64 = 100;
const PER_SECOND: u64 = 100;

/// The work of one gateway.
#[derive(Clone, Serialize, Deserialize)]
struct Work {
    settings: String,
    callers: usize,
    time: Duration,
    /// The percentage of calls that fail.
    failing: u8,
}

/// The result of the work.
#[derive(Debug, Serialize, Deserialize)]
struct Tally {
    fulfilled: u64,
    failed: u64,
    refused: u64,
    /// The number of requests that were decided without Redis.
    alone: u64,
    /// The time since 1970.
    began: Duration,
    ended: Duration,
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap()
}

/// Runs callers at a gateway, each of which calls again after its response.
async fn hammer(work: &Work) -> Tally {
    let metered = Metered::with(&work.settings).await;
    let (began, start) = (now(), Instant::now());
    let caller = async || {
        let mut tally = [0; 3];
        while start.elapsed() < work.time {
            let fails = fastrand::u8(..100) < work.failing;
            let answer = metered.get(if fails { "many?fails=true" } else { "many" }).await;
            match (answer.status(), fails) {
                (200, false) => tally[0] += 1,
                (404, true) => tally[1] += 1,
                (429, _) => tally[2] += 1,
                other => panic!("{other:?}"),
            }
        }
        tally
    };
    let tallies = join_all((0..work.callers).map(|_| caller())).await;
    let [mut fulfilled, failed, refused] =
        [0, 1, 2].map(|which| tallies.iter().map(|tally| tally[which]).sum());
    // Calls after the load: some were refused only because another call held a token for a moment.
    while work.failing > 0 && metered.get("many").await.status() == 200 {
        fulfilled += 1;
    }
    let alone = metered.gateway.limiting().judged_alone();
    Tally { fulfilled, failed, refused, alone, began, ended: now() }
}

/// The gateway in a process of its own: this program again, with only this test.
#[tokio::test]
#[ignore = "what other tests start"]
async fn serve() {
    let Ok(work) = std::env::var(WORK) else { return };
    let tally = hammer(&serde_json::from_str(&work).unwrap()).await;
    println!("\n{RESULT}{}", serde_json::to_string(&tally).unwrap());
}

fn spawn(work: &Work) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "quotas::processes::serve", "--nocapture"])
        .env(WORK, serde_json::to_string(work).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn result(child: Child) -> Tally {
    let output = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
    let result = output.lines().find_map(|line| line.strip_prefix(RESULT));
    serde_json::from_str(result.unwrap_or_else(|| panic!("no result: {output}"))).unwrap()
}

/// Runs the work at several gateways at once.
async fn at_once(work: Work) -> Vec<Tally> {
    let children: Vec<_> = (0..GATEWAYS).map(|_| spawn(&work)).collect();
    tokio::task::spawn_blocking(|| children.into_iter().map(result).collect()).await.unwrap()
}

fn settings(redis: &str, rate: &str, more: &str) -> String {
    format!("{redis}quota = {{ services = {{ meter = '{rate}' }}{more} }}")
}

/// Checks that no more is admitted than burst and refill from the first call to the last, and
/// hardly less.
fn check(tallies: &[Tally]) {
    let began = tallies.iter().map(|tally| tally.began).min().unwrap();
    let ended = tallies.iter().map(|tally| tally.ended).max().unwrap();
    let refill = (ended - began).as_micros() * u128::from(PER_SECOND) / 1_000_000;
    let most = BURST + u64::try_from(refill).unwrap();
    let admitted: u64 = tallies.iter().map(|tally| tally.fulfilled).sum();
    let refused: u64 = tallies.iter().map(|tally| tally.refused).sum();
    assert!(admitted <= most, "{admitted} of {most}: {tallies:?}");
    assert!(admitted >= most * 4 / 5, "only {admitted} of {most}: {tallies:?}");
    assert!(tallies.iter().all(|tally| tally.alone == 0), "Redis was away: {tallies:?}");
    assert!(refused > admitted, "there was hardly any load: {tallies:?}");
    eprintln!("{admitted} let in, at most {most}, {refused} refused");
}

#[tokio::test]
async fn four_gateways_on_one_redis_let_in_no_more_than_burst_and_refill() {
    let Some(redis) = redis_server::setting() else { return };
    let settings = settings(&redis, &format!("{PER_SECOND}/s"), ", replicas = 4");
    let tallies =
        at_once(Work { settings, callers: CALLERS, time: Duration::from_secs(10), failing: 0 })
            .await;
    check(&tallies);
    assert!(tallies.iter().all(|tally| tally.fulfilled > 0), "one got nothing: {tallies:?}");
}

#[tokio::test]
async fn one_gateway_in_memory_lets_in_no_more_than_burst_and_refill() {
    let settings = settings("", &format!("{PER_SECOND}/s"), "");
    check(&[hammer(&Work {
        settings,
        callers: CALLERS,
        time: Duration::from_secs(10),
        failing: 0,
    })
    .await]);
}

/// Half of the calls fail, and return their token: in the end each token was used by a fulfilled
/// call.
#[tokio::test]
async fn no_refund_is_lost_or_doubled() {
    const TOKENS: u64 = 400;
    let work = |redis: &str| {
        let settings = settings(redis, &format!("{TOKENS}/day"), ", only_fulfilled = true");
        Work { settings, callers: 20, time: Duration::from_secs(1), failing: 50 }
    };
    let mut places = vec![String::new()];
    places.extend(redis_server::setting());
    for redis in &places {
        let work = work(redis);
        let tallies = if redis.is_empty() { Vec::new() } else { at_once(work.clone()).await };
        let (mut fulfilled, mut failed) =
            tallies.iter().fold((0, 0), |(a, b), t| (a + t.fulfilled, b + t.failed));
        let last = hammer(&work).await;
        (fulfilled, failed) = (fulfilled + last.fulfilled, failed + last.failed);
        assert_eq!(fulfilled, TOKENS, "{redis}: {tallies:?} {last:?}");
        assert!(failed > TOKENS / 4, "{tallies:?} {last:?}");
    }
}
