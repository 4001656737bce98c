//! Idempotency keys: one execution, one reply.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use serde_json::json;

use super::till::Shop;

#[tokio::test]
async fn concurrent_calls_with_one_key_execute_once() {
    let shop = Shop::open().await;
    let all = join_all((0..100).map(|_| async {
        loop {
            let answer = shop.sell("one", "a hundred", "well").await;
            match answer.status {
                200 => break answer,
                // In progress: the call is sent again after `Retry-After`.
                409 => assert_eq!(
                    (answer.body["code"].as_str(), answer.retry_after.as_deref()),
                    (Some("idempotency-conflict"), Some("1"))
                ),
                other => panic!("{other}: {}", answer.body),
            }
            tokio::task::yield_now().await;
        }
    }))
    .await;
    assert_eq!(shop.times("a hundred"), 1);
    assert_eq!(all.iter().filter(|answer| !answer.replayed).count(), 1);
    assert!(all.iter().all(|answer| answer.body == json!({ "times": 1 })));
}

#[tokio::test]
async fn key_is_refused_for_another_request() {
    let shop = Shop::open().await;
    assert_eq!(shop.sell("k", "a", "well").await.status, 200);
    let other = shop.sell("k", "b", "well").await;
    assert_eq!((other.status, other.body["code"].as_str()), (422, Some("idempotency-mismatch")));
    assert_eq!(shop.times("b"), 0);
    assert_eq!(shop.sell("l", "b", "well").await.status, 200);
    // The same request in another spelling, under either name of the header.
    let same = shop
        .send(
            "sell",
            &[("x-idempotency-key", "\"k\"")],
            &json!({ "how": "well", "name": shop.own("a") }),
        )
        .await;
    assert!(same.replayed && same.status == 200);
}

#[tokio::test]
async fn failures_are_stored_if_the_call_was_executed() {
    let shop = Shop::open().await;
    let first = shop.sell("sold", "a", "sold-out").await;
    let again = shop.sell("sold", "a", "sold-out").await;
    assert_eq!(
        (first.status, first.replayed, again.status, again.replayed),
        (409, false, 409, true)
    );
    assert_eq!(again.body["detail"], "sold out after 1");
    assert_eq!(again.body["code"], "sold-out");
    assert_eq!(shop.times("a"), 1);
    for _ in 0..2 {
        assert_eq!(shop.sell("busy", "b", "busy").await.status, 503);
    }
    assert_eq!(shop.times("b"), 2, "nothing was done, so it was tried again");
    // A panic during a method with effect `once`: the outcome is unknown.
    for replayed in [false, true] {
        let broken = shop.sell("broken", "c", "broken").await;
        assert_eq!((broken.status, broken.replayed), (500, replayed));
    }
    assert_eq!(shop.times("c"), 1);
}

#[tokio::test]
async fn invalid_call_claims_no_key() {
    let shop = Shop::open().await;
    assert_eq!(
        shop.send("sell", &[("idempotency-key", "k")], &json!({ "name": 5 })).await.status,
        400
    );
    assert_eq!(shop.sell("k", "a", "well").await.status, 200);
}

#[tokio::test]
async fn key_is_required_validated_or_ignored_by_the_method() {
    let shop = Shop::open().await;
    let missing = shop.send("order", &[], &json!({ "name": "a" })).await;
    assert_eq!(missing.status, 400);
    assert!(missing.body["detail"].as_str().unwrap().contains("Idempotency-Key"));
    for bad in ["", "\"open", "\u{e9}", &"x".repeat(256)] {
        assert_eq!(
            shop.send("order", &[("idempotency-key", bad)], &json!({ "name": "a" })).await.status,
            400,
            "{bad}"
        );
    }
    let two = [("idempotency-key", "a"), ("x-idempotency-key", "b")];
    assert_eq!(shop.send("order", &two, &json!({ "name": "a" })).await.status, 400);
    for replayed in [false, true] {
        let answer = shop
            .send("order", &[("idempotency-key", &"x".repeat(255))], &json!({ "name": "a" }))
            .await;
        assert_eq!((answer.status, answer.replayed), (200, replayed));
        let looked = shop.look(&[("idempotency-key", "k")]).await;
        assert_eq!((looked.status, looked.replayed), (200, false), "reading twice does no harm");
    }
}

#[tokio::test]
async fn reply_is_stored_when_the_caller_disconnects() {
    let shop = Arc::new(Shop::open().await);
    let leaving = {
        let shop = Arc::clone(&shop);
        tokio::spawn(async move { shop.sell("k", "a", "slow").await.status })
    };
    until(|| shop.times("a") == 1).await;
    let conflict = shop.sell("k", "a", "slow").await;
    assert_eq!(
        (conflict.status, conflict.body["code"].as_str()),
        (409, Some("idempotency-conflict"))
    );
    leaving.abort();
    assert!(leaving.await.unwrap_err().is_cancelled());
    shop.open_gate("a");
    let answer = loop {
        let answer = shop.sell("k", "a", "slow").await;
        if answer.status != 409 {
            break answer;
        }
    };
    assert_eq!((answer.status, answer.replayed, shop.times("a")), (200, true, 1));
}

async fn until(is_so: impl Fn() -> bool) {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(tokio::time::Instant::now() < deadline, "it never was");
        tokio::task::yield_now().await;
    }
}
