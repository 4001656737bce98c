//! Stale replies (RFC 5861): served while revalidating, and if revalidation fails.

use std::sync::Arc;

use futures_util::future::join_all;
use gateway_runtime::prelude::*;
use tokio::sync::Semaphore;

use crate::stock::{Mood, Shop, after, settle};

#[tokio::test(start_paused = true)]
async fn stale_reply_is_served_while_revalidating() {
    let shop = Shop::new();
    shop.cup().await;
    let gate = Arc::new(Semaphore::new(0));
    shop.goods.becomes(Mood::Waits(Arc::clone(&gate)));
    after(85).await;
    for _ in 0..10 {
        let old = shop.cup().await;
        assert_eq!(
            (old.text(), old.status(), old.header("age")),
            ("\"cup 1\"", "hit; ttl=-25", Some("85"))
        );
        settle().await;
    }
    assert_eq!(shop.goods.asked(), 2, "once for all of them");
    gate.add_permits(1);
    settle().await;
    let anew = shop.cup().await;
    assert_eq!((anew.text(), anew.status()), ("\"cup 2\"", "hit; ttl=60"));
}

#[tokio::test(start_paused = true)]
async fn call_after_the_stale_time_waits_for_the_revalidation() {
    let shop = Shop::new();
    shop.cup().await;
    let gate = Arc::new(Semaphore::new(0));
    shop.goods.becomes(Mood::Waits(Arc::clone(&gate)));
    after(89).await;
    assert_eq!(shop.cup().await.status(), "hit; ttl=-29");
    settle().await;
    after(2).await;
    let (late, ()) = tokio::join!(shop.cup(), async {
        settle().await;
        gate.add_permits(1);
    });
    assert_eq!((late.text(), late.status()), ("\"cup 2\"", "fwd=stale; collapsed; ttl=60"));
    assert_eq!(shop.goods.asked(), 2);
}

#[tokio::test(start_paused = true)]
async fn revalidation_ends_at_its_deadline_and_affects_no_call() {
    let shop = Shop::new();
    shop.cup().await;
    after(61).await;
    for mood in [Mood::Fails(Code::INTERNAL), Mood::Panics, Mood::Never] {
        shop.goods.becomes(mood);
        assert_eq!(shop.cup().await.text(), "\"cup 1\"");
        settle().await;
    }
    assert_eq!(shop.goods.asked(), 4);
    // The last revalidation still runs, and ends after the call's 30 s.
    after(28).await;
    assert_eq!(shop.cup().await.text(), "\"cup 1\"");
    settle().await;
    assert_eq!(shop.goods.asked(), 4);
    after(3).await;
    settle().await;
    shop.goods.becomes(Mood::Answers);
    assert_eq!(shop.cup().await.text(), "\"cup 5\"");
}

#[tokio::test(start_paused = true)]
async fn stale_reply_is_served_if_revalidation_fails() {
    let shop = Shop::new();
    shop.cup().await;
    after(100).await;
    for (mood, status) in [
        (
            Mood::Fails(Code::PROVIDER_FAILED),
            "fwd=stale; ttl=-40; fwd-status=502; detail=stale-if-error",
        ),
        (Mood::Panics, "fwd=stale; ttl=-40; fwd-status=500; detail=stale-if-error"),
    ] {
        shop.goods.becomes(mood);
        let old = shop.cup().await;
        assert_eq!(
            (old.text(), old.status(), old.header("age")),
            ("\"cup 1\"", status, Some("100"))
        );
        assert!(old.cached);
    }
    // An error about the request is returned.
    shop.goods.becomes(Mood::Fails(Code::NOT_FOUND));
    assert_eq!(shop.cup().await.text.unwrap_err(), Code::NOT_FOUND);
    shop.goods.becomes(Mood::Fails(Code::PROVIDER_FAILED));
    after(259).await;
    assert!(shop.cup().await.text.is_ok());
    after(1).await;
    assert_eq!(
        shop.cup().await.text.unwrap_err(),
        Code::PROVIDER_FAILED,
        "five minutes after it was fresh"
    );
    assert_eq!(shop.figures().stale_if_error, 3);
}

#[tokio::test(start_paused = true)]
async fn timeout_counts_as_a_failed_revalidation() {
    let shop = Shop::new();
    shop.cup().await;
    after(100).await;
    shop.goods.becomes(Mood::Never);
    let old = shop.cup().await;
    assert_eq!(old.text(), "\"cup 1\"");
    assert!(old.status().contains("fwd-status=504"), "{old:?}");
}

#[tokio::test(start_paused = true)]
async fn one_failed_revalidation_serves_all_waiters() {
    let shop = Shop::new();
    shop.cup().await;
    after(100).await;
    shop.goods.becomes(Mood::Fails(Code::PROVIDER_FAILED));
    let answers = join_all((0..20).map(|_| shop.cup())).await;
    assert!(answers.iter().all(|answer| answer.text() == "\"cup 1\""));
    assert!(answers.iter().all(|answer| answer.status().starts_with("fwd=stale")));
}
