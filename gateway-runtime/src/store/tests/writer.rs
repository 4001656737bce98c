//! The store writer: concurrent commands are committed together, and a rejected one does not fail
//! the others.

use std::{sync::atomic::AtomicBool, time::Duration};

use futures_util::future::{BoxFuture, join_all};

use super::*;
use crate::store::{Database, Statement, StoreError, StoreWriter, Table, Transaction, Value};

each_database! {
    async fn balance_for_a_hundred_calls_covers_a_hundred(store: Store) {
        let account = account(&store, 1000).await;
        let (writer, _) = StoreWriter::start(store.clone());
        let calls = (0..400).map(|_| {
            let (writer, hold) = (writer.clone(), hold(&account, 10));
            async move {
                if writer.hold(hold.clone()).await.unwrap() != HoldOutcome::Held {
                    return 0;
                }
                writer.settle(settlement(&hold, Some(10))).await.unwrap();
                1
            }
        });
        assert_eq!(join_all(calls).await.into_iter().sum::<i32>(), 100);
        assert_eq!(balance(&store, &account).await, (0, 0));
    }

    async fn writer_writes_records_before_it_ends(store: Store) {
        let (writer, ended) = StoreWriter::start(store.clone());
        let records: Vec<_> = (0..1000).map(|_| unpaid(name("call")).request).collect();
        for record in &records {
            writer.record(Box::new(record.clone()));
        }
        drop(writer);
        ended.await.unwrap();
        let calls: Vec<&str> = records.iter().map(|record| &*record.call).collect();
        assert_eq!(store.requests(&calls).await.unwrap().len(), 1000);
    }

    async fn rejected_command_does_not_fail_the_others(store: Store) {
        let account = account(&store, 1000).await;
        let (writer, _) = StoreWriter::start(store.clone());
        let known = hold(&account, 1);
        writer.hold(known.clone()).await.unwrap();
        let writes = (0..20).map(|number| {
            let (writer, known, account) = (writer.clone(), known.clone(), Arc::clone(&account));
            async move {
                if number == 7 { writer.hold(known).await.is_err() } else { writer.hold(hold(&account, 1)).await.is_ok() }
            }
        });
        assert!(join_all(writes).await.into_iter().all(|as_expected| as_expected));
        assert_eq!(balance(&store, &account).await, (980, 20));
    }
}

/// A database that the test can make unavailable.
#[derive(Clone, Debug)]
struct Flaky {
    inner: Sqlite,
    away: Arc<AtomicBool>,
}

impl Database for Flaky {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        if self.away.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::unavailable("taken away")) });
        }
        self.inner.begin()
    }

    fn read<'a>(
        &'a self,
        statement: &'a Statement,
        argument: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        self.inner.read(statement, argument)
    }
}

#[tokio::test]
async fn settlement_is_written_when_the_database_is_back() {
    let file = File::new();
    drop(file.store().await);
    let away = Arc::new(AtomicBool::new(false));
    let store = Store::new(Flaky {
        inner: Sqlite::open(&file.path()).await.unwrap(),
        away: Arc::clone(&away),
    });
    let account = account(&store, 1000).await;
    let (writer, _) = StoreWriter::start(store.clone());
    let hold = hold(&account, 100);
    writer.hold(hold.clone()).await.unwrap();
    away.store(true, Ordering::SeqCst);
    let settled = settlement(&hold, Some(100));
    assert!(
        writer.settle(settled.clone()).await.is_err(),
        "the caller is not told that it was written"
    );
    let record = unpaid(name("call")).request;
    writer.record(Box::new(record.clone()));
    assert!(writer.hold(crate::store::tests::hold(&account, 1)).await.is_err());
    away.store(false, Ordering::SeqCst);
    let calls = [&*settled.request.call, &*record.call];
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while store.requests(&calls).await.unwrap().len() < 2 {
        assert!(tokio::time::Instant::now() < deadline, "they were never written");
        tokio::task::yield_now().await;
    }
    assert_eq!(balance(&store, &account).await, (900, 0));
}

/// A database whose commits take some time, and which stores nothing.
#[derive(Clone, Debug, Default)]
struct Slow {
    commits: Arc<AtomicU64>,
}

const COMMIT: Duration = Duration::from_millis(3);

impl Database for Slow {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        Box::pin(async { Ok(Box::new(self.clone()) as _) })
    }

    fn read<'a>(
        &'a self,
        _: &'a Statement,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

impl Transaction for Slow {
    fn run<'a>(
        &'a mut self,
        _: &'static Statement,
        _: &'a str,
    ) -> BoxFuture<'a, Result<Vec<String>, StoreError>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn insert<'a>(
        &'a mut self,
        _: &'static Table,
        _: &'a [Value<'a>],
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(async { Ok(()) })
    }

    fn delete<'a>(
        &'a mut self,
        _: &'static Table,
        keys: &'a [&'a str],
    ) -> BoxFuture<'a, Result<Vec<bool>, StoreError>> {
        Box::pin(async { Ok(vec![true; keys.len()]) })
    }

    fn commit(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move {
            tokio::time::sleep(COMMIT).await;
            self.commits.fetch_add(1, Ordering::SeqCst);
            Ok(())
        })
    }
}

/// Runs by a paused clock, so the times are exact.
#[tokio::test(start_paused = true)]
async fn writer_does_not_wait_for_callers_slower_than_a_commit() {
    let store = Slow::default();
    let (writer, _) = StoreWriter::start(Store::new(store.clone()));
    let begin = tokio::time::Instant::now();
    // Four calls a millisecond, each with a second command 50 ms after the first.
    let calls = (0..4000_u64).map(|number| {
        let writer = writer.clone();
        async move {
            let mut times = Vec::new();
            tokio::time::sleep_until(begin + Duration::from_micros(250) * number as u32).await;
            for _ in 0..2 {
                let asked = tokio::time::Instant::now();
                writer.settle(unpaid(name("call"))).await.unwrap();
                times.push(asked.elapsed());
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            times
        }
    });
    let mut times: Vec<_> = join_all(calls).await.into_iter().flatten().collect();
    times.sort();
    let (median, last) = (times[times.len() / 2], times[times.len() - 1]);
    // Half a commit until the current one has ended, and the call's own; the clock rounds up to
    // whole milliseconds.
    assert!(median <= COMMIT * 2, "the median is {median:?}");
    assert!(last <= COMMIT * 3 + Duration::from_millis(2), "the last was {last:?}");
    let commits = store.commits.load(Ordering::SeqCst);
    assert!(commits >= 300, "a second holds some 330 commits of 3 ms, and there were {commits}");
}

/// Commits callers that write again at once together, not in two halves.
#[tokio::test(start_paused = true)]
async fn writer_waits_for_callers_that_return_at_once() {
    let store = Slow::default();
    let (writer, _) = StoreWriter::start(Store::new(store.clone()));
    let calls = (0..64_u64).map(|number| {
        let writer = writer.clone();
        async move {
            // The callers do not start at the same time.
            tokio::time::sleep(Duration::from_millis(number % 7)).await;
            for _ in 0..100 {
                writer.settle(unpaid(name("call"))).await.unwrap();
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
    join_all(calls).await;
    let commits = store.commits.load(Ordering::SeqCst);
    assert!(commits < 150, "100 would do, two halves take 200, and there were {commits}");
}
