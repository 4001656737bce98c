//! Single flight: a reply is loaded once for concurrent calls, whatever happens to the leader.

use std::sync::Arc;

use futures_util::future::join_all;
use gateway_runtime::prelude::*;
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::stock::{Answer, Mood, Shop, settle};

/// Starts this number of calls for a cup, each in a task of its own.
fn crowd(shop: &Shop, calls: usize) -> Vec<JoinHandle<Answer>> {
    let call = |_| {
        let shop = shop.clone();
        tokio::spawn(async move { shop.cup().await })
    };
    (0..calls).map(call).collect()
}

async fn answers(calls: Vec<JoinHandle<Answer>>) -> Vec<Answer> {
    join_all(calls).await.into_iter().map(Result::unwrap).collect()
}

#[tokio::test(start_paused = true)]
async fn concurrent_calls_execute_once() {
    let shop = Shop::new();
    let gate = Arc::new(Semaphore::new(0));
    shop.goods.becomes(Mood::Waits(Arc::clone(&gate)));
    let calls = crowd(&shop, 100);
    settle().await;
    gate.add_permits(100);
    let answers = answers(calls).await;
    assert!(answers.iter().all(|answer| answer.text() == "\"cup 1\""));
    assert_eq!(shop.goods.asked(), 1);
    let leaders: Vec<_> = answers.iter().filter(|answer| !answer.cached).collect();
    assert_eq!((leaders.len(), leaders[0].status()), (1, "fwd=miss; stored; ttl=60"));
    let collapsed =
        answers.iter().filter(|answer| answer.status() == "fwd=miss; collapsed; ttl=60").count();
    assert_eq!((collapsed, shop.figures().collapsed), (99, 99));
}

#[tokio::test(start_paused = true)]
async fn reply_too_long_to_store_is_loaded_once_as_well() {
    let shop = Shop::new();
    let gate = Arc::new(Semaphore::new(0));
    shop.goods.becomes(Mood::Waits(Arc::clone(&gate)));
    let calls = (0..20).map(|_| shop.call(None, "much", "", &[]));
    let (answers, ()) = tokio::join!(join_all(calls), async {
        settle().await;
        gate.add_permits(20);
    });
    assert!(answers.iter().all(|answer| answer.text().len() > 5000));
    assert_eq!(shop.goods.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn waiter_leads_when_the_leader_disconnects() {
    let shop = Shop::new();
    let gate = Arc::new(Semaphore::new(0));
    shop.goods.becomes(Mood::Waits(Arc::clone(&gate)));
    let mut calls = crowd(&shop, 50);
    settle().await;
    for leaver in calls.drain(..3) {
        leaver.abort();
        assert!(leaver.await.unwrap_err().is_cancelled());
        settle().await;
    }
    assert_eq!((shop.goods.asked(), shop.goods.most_at_once()), (4, 1));
    gate.add_permits(50);
    assert!(answers(calls).await.iter().all(|answer| answer.text() == "\"cup 4\""));
    assert_eq!(shop.goods.asked(), 4);
}

#[tokio::test(start_paused = true)]
async fn waiter_leads_when_the_leader_fails_or_panics() {
    for (mood, code) in
        [(Mood::Panics, Code::INTERNAL), (Mood::Fails(Code::NO_PROVIDER), Code::NO_PROVIDER)]
    {
        let shop = Shop::new();
        shop.goods.becomes(mood);
        let answers = answers(crowd(&shop, 20)).await;
        // One after the other: a failing method receives no stampede, and no waiter is left behind.
        assert_eq!((shop.goods.asked(), shop.goods.most_at_once()), (20, 1));
        assert!(answers.iter().all(|answer| *answer.text.as_ref().unwrap_err() == code));
        shop.goods.becomes(Mood::Answers);
        assert_eq!(shop.cup().await.text(), "\"cup 21\"");
    }
}

#[tokio::test(start_paused = true)]
async fn waiter_waits_until_its_deadline_at_most() {
    let shop = Shop::new();
    shop.goods.becomes(Mood::Never);
    let answers = answers(crowd(&shop, 10)).await;
    assert!(answers.iter().all(|answer| *answer.text.as_ref().unwrap_err() == Code::TIMEOUT));
    shop.goods.becomes(Mood::Answers);
    assert!(shop.cup().await.text.is_ok());
}

#[tokio::test(start_paused = true)]
async fn streams_are_not_shared() {
    let shop = Shop::new();
    let calls = (0..5).map(|_| shop.call(None, "stream", "", &[]));
    assert!(join_all(calls).await.iter().all(|answer| answer.text() == "a stream"));
    assert_eq!(shop.goods.asked(), 5);
}
