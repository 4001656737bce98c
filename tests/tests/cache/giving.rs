//! Cached replies: whose they are, and one execution for many calls.

use futures_util::future::join_all;

use super::newsstand::{Street, until};

#[tokio::test]
async fn replies_are_cached_per_account() {
    let street = Street::open("").await;
    for (times, account) in [None, Some("acme"), Some("umbrella")].into_iter().enumerate() {
        for status in ["fwd=miss; stored; ttl=60", "hit; ttl=60"] {
            let paper = street.call(account, "news", "name=a", "").await;
            assert_eq!(
                (&*paper.text, &*paper.status),
                (&*format!("\"{}\"", times + 1), status),
                "{account:?}"
            );
        }
        assert_eq!(
            street.call(account, "weather", "name=b", "").await.text,
            "\"1\"",
            "{account:?}"
        );
    }
    assert_eq!((street.day.made("a"), street.day.made("b")), (3, 1));
}

#[tokio::test]
async fn concurrent_calls_execute_once() {
    let street = Street::open("").await;
    street.day.trouble("slow");
    let papers = join_all((0..100).map(|_| street.get("news", "name=a"))).await;
    assert!(papers.iter().all(|paper| paper.code == 200 && paper.text == "\"1\""));
    assert_eq!(street.day.made("a"), 1);
    let figures = street.figures();
    assert_eq!((figures.misses, figures.hits + figures.collapsed), (1, 99));
    assert!(figures.collapsed > 50, "{figures:?}");
}

#[tokio::test]
async fn panic_of_the_leader_leaves_no_waiter_behind() {
    let street = Street::open("").await;
    street.day.trouble("panics at first");
    let papers = join_all((0..20).map(|_| street.get("news", "name=a"))).await;
    let failed = papers.iter().filter(|paper| paper.code == 500).count();
    assert_eq!((failed, street.day.made("a")), (1, 2));
    assert!(papers.iter().filter(|paper| paper.code != 500).all(|paper| paper.text == "\"2\""));
}

#[tokio::test]
async fn directives_of_requests_prevent_storing() {
    let street = Street::open("").await;
    for times in ["\"1\"", "\"2\""] {
        let paper = street.call(None, "news", "name=a", "no-store").await;
        assert_eq!((&*paper.text, &*paper.status), (times, "fwd=bypass"));
    }
    assert_eq!(street.get("news", "name=a").await.status, "fwd=miss; stored; ttl=60");
    assert_eq!(street.call(None, "news", "name=a", "no-cache").await.text, "\"4\"");
    assert_eq!(street.get("news", "name=a").await.text, "\"4\"");
}

#[tokio::test]
async fn reply_has_its_age() {
    let street = Street::open("").await;
    assert_eq!(street.get("news", "name=a").await.age, None);
    let paper =
        until(async || street.get("news", "name=a").await, |paper| paper.age == Some(1)).await;
    assert_eq!(paper.status, "hit; ttl=59");
}

#[tokio::test]
async fn cache_stays_within_its_memory_limit() {
    let street = Street::open("[cache]\nmemory_bytes = 1000000\nreply_bytes = 20000").await;
    for number in 0..300 {
        street.get("news", &format!("name=n{number}&size=10000")).await;
    }
    let held = street.figures().holding;
    assert!(held.bytes <= 1_000_000 && held.entries >= 40, "{held:?}");
    for _ in 0..2 {
        assert_eq!(street.get("news", "name=long&size=20000").await.status, "fwd=miss");
    }
}

#[tokio::test]
async fn cache_can_be_disabled() {
    let street = Street::open("[cache]\nenabled = false").await;
    for times in ["\"1\"", "\"2\""] {
        let paper = street.get("news", "name=a").await;
        assert_eq!((&*paper.text, &*paper.status), (times, ""));
    }
    assert!(street.gateway.cache().is_none());
}
