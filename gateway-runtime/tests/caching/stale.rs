//! Answers that are no longer fresh (RFC 5861): given while they are made anew, and when that fails.

use std::sync::Arc;

use futures_util::future::join_all;
use gateway_runtime::prelude::*;
use tokio::sync::Semaphore;

use crate::stock::{Mood, Shop, after, settle};

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_given_while_it_is_made_anew() {
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
async fn who_comes_after_that_waits_for_what_is_being_made() {
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
async fn making_it_anew_ends_in_its_time_and_harms_nobody() {
    let shop = Shop::new();
    shop.cup().await;
    after(61).await;
    for mood in [Mood::Fails(Code::INTERNAL), Mood::Panics, Mood::Never] {
        shop.goods.becomes(mood);
        assert_eq!(shop.cup().await.text(), "\"cup 1\"");
        settle().await;
    }
    assert_eq!(shop.goods.asked(), 4);
    // The last one is still being made, and given up after the call's 30 s.
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
async fn an_old_answer_is_given_when_it_cannot_be_made_anew() {
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
    // What the method says of the request is said.
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
async fn lateness_is_a_failure_too() {
    let shop = Shop::new();
    shop.cup().await;
    after(100).await;
    shop.goods.becomes(Mood::Never);
    let old = shop.cup().await;
    assert_eq!(old.text(), "\"cup 1\"");
    assert!(old.status().contains("fwd-status=504"), "{old:?}");
}

#[tokio::test(start_paused = true)]
async fn one_failure_is_enough_for_all_who_wait() {
    let shop = Shop::new();
    shop.cup().await;
    after(100).await;
    shop.goods.becomes(Mood::Fails(Code::PROVIDER_FAILED));
    let answers = join_all((0..20).map(|_| shop.cup())).await;
    assert!(answers.iter().all(|answer| answer.text() == "\"cup 1\""));
    assert!(answers.iter().all(|answer| answer.status().starts_with("fwd=stale")));
}
