use std::{future::pending, time::Duration};

use tokio::{
    sync::watch,
    time::{advance, sleep},
};

use super::Steady;
use crate::resolver::{Endpoint, Snapshot};

/// A publisher, and the watcher of its snapshots.
struct Watched {
    steady: Steady,
    snapshots: watch::Receiver<Snapshot>,
}

impl Watched {
    fn new() -> Self {
        let (sender, snapshots) = watch::channel(Snapshot::unknown());
        Self { steady: Steady::new("test", "reports".to_owned(), sender), snapshots }
    }

    fn answered(&mut self, count: u8) {
        self.steady.answered(instances(0, count));
    }

    fn failed(&mut self) {
        self.steady.failed(&"SERVFAIL");
    }

    /// Lets time pass as the task of a source does.
    async fn wait(&mut self, seconds: u64) {
        self.steady.during(sleep(Duration::from_secs(seconds))).await.unwrap();
    }

    /// Asserts the number of instances, and whether it was published since the last look.
    fn assert_len(&mut self, len: usize, is_new: bool) {
        assert_eq!(self.snapshots.has_changed().unwrap(), is_new, "published");
        let snapshot = self.snapshots.borrow_and_update();
        assert!(snapshot.is_known());
        assert_eq!(snapshot.endpoints().len(), len);
    }
}

fn instances(first: u8, count: u8) -> Vec<Endpoint> {
    (first..first + count)
        .map(|host| Endpoint::parse(&format!("http://10.0.0.{host}:80")).unwrap())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn only_a_change_is_published() {
    let mut watched = Watched::new();
    watched.answered(3);
    watched.assert_len(3, true);
    let mut other_order = instances(0, 3);
    other_order.reverse();
    other_order.push(other_order[0].clone());
    watched.steady.answered(other_order);
    watched.assert_len(3, false);
    watched.steady.answered(instances(1, 3));
    watched.assert_len(3, true);
    let mut heavier = instances(1, 3);
    heavier[0] = heavier[0].clone().with_weight(7);
    watched.steady.answered(heavier);
    watched.assert_len(3, true);
}

#[tokio::test(start_paused = true)]
async fn first_answer_may_be_empty() {
    let mut watched = Watched::new();
    watched.answered(0);
    watched.assert_len(0, true);
    watched.answered(0);
    watched.assert_len(0, false);
    watched.answered(4);
    watched.assert_len(4, true);
}

#[tokio::test(start_paused = true)]
async fn loss_of_80_percent_is_published_at_once_and_a_greater_one_is_held() {
    let mut watched = Watched::new();
    watched.answered(10);
    watched.assert_len(10, true);
    watched.answered(2);
    watched.assert_len(2, true);
    watched.answered(10);
    watched.assert_len(10, true);
    watched.answered(1);
    watched.assert_len(10, false);
    watched.wait(29).await;
    watched.assert_len(10, false);
    watched.wait(1).await;
    watched.assert_len(1, true);
}

#[tokio::test(start_paused = true)]
async fn empty_answer_is_a_loss() {
    let mut watched = Watched::new();
    watched.answered(1);
    watched.assert_len(1, true);
    watched.answered(0);
    watched.wait(29).await;
    watched.answered(0);
    watched.assert_len(1, false);
    watched.wait(1).await;
    watched.assert_len(0, true);
}

#[tokio::test(start_paused = true)]
async fn exchange_of_all_instances_is_no_loss() {
    let mut watched = Watched::new();
    watched.answered(1);
    watched.assert_len(1, true);
    watched.steady.answered(instances(9, 1));
    watched.assert_len(1, true);
}

#[tokio::test(start_paused = true)]
async fn recovery_cancels_a_loss_and_the_next_one_is_held_anew() {
    let mut watched = Watched::new();
    watched.answered(10);
    watched.assert_len(10, true);
    for _ in 0..5 {
        watched.answered(0);
        watched.wait(20).await;
        watched.answered(10);
        watched.wait(5).await;
    }
    watched.assert_len(10, false);
    watched.answered(0);
    watched.wait(10).await;
    watched.answered(7);
    watched.assert_len(7, true);
    watched.wait(60).await;
    watched.assert_len(7, false);
}

#[tokio::test(start_paused = true)]
async fn last_of_several_losses_is_published_30_s_after_the_first() {
    let mut watched = Watched::new();
    watched.answered(20);
    watched.assert_len(20, true);
    watched.answered(0);
    watched.wait(15).await;
    watched.answered(3);
    watched.wait(14).await;
    watched.assert_len(20, false);
    watched.wait(1).await;
    watched.assert_len(3, true);
}

#[tokio::test(start_paused = true)]
async fn last_answer_stays_for_5_min_while_the_source_is_away() {
    let mut watched = Watched::new();
    watched.answered(3);
    watched.assert_len(3, true);
    watched.wait(10).await;
    for _ in 0..28 {
        watched.failed();
        watched.wait(10).await;
    }
    assert_eq!(watched.steady.age(), Some(Duration::from_secs(290)));
    assert_eq!(watched.snapshots.borrow().age(), Some(Duration::from_secs(290)));
    watched.wait(9).await;
    watched.assert_len(3, false);
    watched.wait(1).await;
    watched.assert_len(0, true);
    watched.failed();
    watched.wait(600).await;
    watched.assert_len(0, false);
    watched.answered(3);
    watched.assert_len(3, true);
    assert_eq!(watched.snapshots.borrow().age(), Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn every_answer_starts_the_5_min_anew() {
    let mut watched = Watched::new();
    for _ in 0..10 {
        watched.answered(3);
        watched.failed();
        watched.wait(200).await;
    }
    watched.assert_len(3, true);
    watched.wait(99).await;
    watched.assert_len(3, false);
    watched.wait(1).await;
    watched.assert_len(0, true);
}

#[tokio::test(start_paused = true)]
async fn service_stays_unknown_when_the_first_question_fails() {
    let mut watched = Watched::new();
    watched.failed();
    watched.wait(1_000).await;
    watched.failed();
    assert!(!watched.snapshots.borrow().is_known());
    assert_eq!(watched.steady.age(), None);
    watched.answered(2);
    watched.assert_len(2, true);
}

#[tokio::test(start_paused = true)]
async fn loss_is_held_when_the_source_comes_back_with_it() {
    let mut watched = Watched::new();
    watched.answered(10);
    watched.assert_len(10, true);
    watched.failed();
    watched.wait(290).await;
    watched.answered(0);
    watched.wait(29).await;
    watched.assert_len(10, false);
    watched.wait(1).await;
    watched.assert_len(0, true);
}

#[tokio::test(start_paused = true)]
async fn loss_is_not_published_while_the_source_is_away() {
    let mut watched = Watched::new();
    watched.answered(10);
    watched.assert_len(10, true);
    watched.answered(1);
    watched.wait(10).await;
    watched.failed();
    watched.wait(100).await;
    watched.assert_len(10, false);
    // The answer confirms a loss that is 110 s old.
    watched.answered(1);
    watched.assert_len(1, true);
}

#[tokio::test(start_paused = true)]
async fn loss_that_is_not_confirmed_ends_with_the_last_answer() {
    let mut watched = Watched::new();
    watched.answered(10);
    watched.assert_len(10, true);
    watched.answered(1);
    watched.failed();
    watched.wait(299).await;
    watched.assert_len(10, false);
    watched.wait(1).await;
    watched.assert_len(0, true);
    watched.answered(1);
    watched.assert_len(1, true);
}

#[tokio::test(start_paused = true)]
async fn loss_is_published_while_answers_and_failures_alternate() {
    let mut watched = Watched::new();
    watched.answered(10);
    watched.assert_len(10, true);
    for _ in 0..15 {
        watched.answered(0);
        watched.failed();
        watched.wait(2).await;
    }
    watched.assert_len(10, false);
    watched.answered(0);
    watched.assert_len(0, true);
}

#[tokio::test(start_paused = true)]
async fn work_ends_when_nobody_watches() {
    let mut watched = Watched::new();
    watched.answered(1);
    drop(watched.snapshots);
    assert_eq!(watched.steady.during(pending::<()>()).await, None);
}

#[tokio::test(start_paused = true)]
async fn long_work_does_not_delay_what_is_due() {
    let mut watched = Watched::new();
    watched.answered(1);
    watched.assert_len(1, true);
    watched.answered(0);
    let mut seen = watched.snapshots.clone();
    let mut steady = watched.steady;
    let polling = tokio::spawn(async move { steady.during(pending::<()>()).await });
    tokio::task::yield_now().await;
    advance(Duration::from_secs(30)).await;
    seen.changed().await.unwrap();
    assert_eq!(seen.borrow().endpoints().len(), 0);
    polling.abort();
}
