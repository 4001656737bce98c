//! Tests against the server that `TEST_REDIS_URL` names, and against addresses without a working
//! server.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tokio::net::TcpListener;

use super::*;
use crate::base::secret::Secret;

/// Connects with a prefix of its own; `None` if there is no server.
pub(crate) async fn own_redis() -> Option<Redis> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let Ok(url) = std::env::var("TEST_REDIS_URL") else {
        eprintln!("not run: TEST_REDIS_URL names no server");
        return None;
    };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let prefix = format!("test-{}-{number}-{}", std::process::id(), fastrand::u32(..));
    let settings = RedisSettings { prefix, ..RedisSettings::default() };
    Some(Redis::connect(&Secret::new(url), &settings).await.unwrap())
}

const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn keys_are_set_read_and_deleted() {
    let Some(redis) = own_redis().await else { return };
    assert_eq!(redis.get("a").await.unwrap(), None);
    redis.set("a", b"\x00\xff", LONG).await.unwrap();
    assert_eq!(redis.get("a").await.unwrap().unwrap(), &b"\x00\xff"[..]);
    assert!(redis.delete("a").await.unwrap() && !redis.delete("a").await.unwrap());
    assert!(redis.set_new("a", b"mine", LONG).await.unwrap());
    assert!(!redis.set_new("a", b"yours", LONG).await.unwrap());
    assert!(!redis.delete_if("a", b"yours").await.unwrap());
    assert!(redis.delete_if("a", b"mine").await.unwrap());
    assert_eq!(redis.get("a").await.unwrap(), None);
}

#[tokio::test]
async fn keys_expire() {
    let Some(redis) = own_redis().await else { return };
    redis.set("short", b"", Duration::from_millis(20)).await.unwrap();
    redis.set("shorter", b"", Duration::ZERO).await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while redis.get("short").await.unwrap().is_some()
        || redis.get("shorter").await.unwrap().is_some()
    {
        assert!(Instant::now() < deadline, "they are still there");
    }
}

#[tokio::test]
async fn scripts_are_loaded_when_the_server_lacks_them() {
    let Some(redis) = own_redis().await else { return };
    let script =
        Script::new(&format!("return {{ARGV[1] + 1, #KEYS, #ARGV[2]}} -- {}", fastrand::u64(..)));
    for _ in 0..2 {
        let answer = redis
            .run(&script, &["{a}b", "{a}c"], &[ScriptArg::Number(1 << 52), ScriptArg::Text("four")])
            .await;
        assert_eq!(answer.unwrap(), [(1 << 52) + 1, 2, 4]);
    }
    let refused =
        redis.run(&Script::new("return redis.call('NONE')"), &["a"], &[]).await.unwrap_err();
    assert!(!refused.is_unavailable() && !redis.is_unavailable(), "{refused}");
}

#[tokio::test]
async fn error_has_no_password_when_the_server_is_unreachable() {
    let settings = RedisSettings::default();
    let connect =
        async |url| Redis::connect(&Secret::new(url), &settings).await.unwrap_err().to_string();
    let error = connect("redis://:planted-password@127.0.0.1:1").await;
    assert!(error.contains("cannot connect") && !error.contains("planted"), "{error}");
    let error = connect("planted-password").await;
    assert!(error.contains("write `redis://") && !error.contains("planted"), "{error}");
}

#[tokio::test]
async fn connect_fails_in_time_when_the_server_is_silent() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Secret::new(format!("redis://{}", silent.local_addr().unwrap()));
    let (timeout, connect_timeout) = (Duration::from_millis(50), Duration::from_millis(100));
    let settings = RedisSettings { timeout, connect_timeout, ..RedisSettings::default() };
    let start = Instant::now();
    assert!(Redis::connect(&url, &settings).await.unwrap_err().is_unavailable());
    assert!(start.elapsed() < Duration::from_secs(2));
}
