//! Batches: what many write at once is committed together, and one that is refused takes nobody down.

use std::{sync::atomic::AtomicBool, time::Duration};

use futures_util::future::join_all;

use super::{
    super::{BoxFuture, Database, Journal, Statement, StoreError, Transaction},
    *,
};

each_database! {
    async fn money_for_a_hundred_calls_pays_for_a_hundred(books: Books) {
        let account = account(&books, 1000).await;
        let (journal, _) = Journal::start(books.clone());
        let calls = (0..400).map(|_| {
            let (journal, hold) = (journal.clone(), hold(&account, 10));
            async move {
                if journal.hold(hold.clone()).await.unwrap() != Held::Held {
                    return 0;
                }
                journal.settle(settlement(&hold, Some(10))).await.unwrap();
                1
            }
        });
        assert_eq!(join_all(calls).await.into_iter().sum::<i32>(), 100);
        assert_eq!(balance(&books, &account).await, (0, 0));
    }

    async fn records_are_written_before_the_journal_ends(books: Books) {
        let (journal, ended) = Journal::start(books.clone());
        let records: Vec<_> = (0..1000).map(|_| unpaid(name("call")).request).collect();
        for record in &records {
            journal.record(Box::new(record.clone()));
        }
        drop(journal);
        ended.await.unwrap();
        let calls: Vec<&str> = records.iter().map(|record| &*record.call).collect();
        assert_eq!(books.requests(&calls).await.unwrap().len(), 1000);
    }

    async fn a_change_that_is_refused_takes_nobody_down(books: Books) {
        let account = account(&books, 1000).await;
        let (journal, _) = Journal::start(books.clone());
        let known = unpaid(name("call"));
        journal.settle(known.clone()).await.unwrap();
        let writes = (0..20).map(|number| {
            let (journal, known, account) = (journal.clone(), known.clone(), Arc::clone(&account));
            async move {
                if number == 7 { journal.settle(known).await.is_err() } else { journal.hold(hold(&account, 1)).await.is_ok() }
            }
        });
        assert!(join_all(writes).await.into_iter().all(|as_expected| as_expected));
        assert_eq!(balance(&books, &account).await, (981, 19));
    }
}

/// A database that can be taken away.
#[derive(Clone, Debug)]
struct Flaky {
    inner: Sqlite,
    away: Arc<AtomicBool>,
}

impl Database for Flaky {
    fn begin(&self) -> BoxFuture<'_, Result<Box<dyn Transaction>, StoreError>> {
        if self.away.load(Ordering::SeqCst) {
            return Box::pin(async { Err(StoreError::away("taken away")) });
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
async fn what_could_not_be_written_is_written_when_the_database_is_back() {
    let file = File::new();
    drop(file.books().await);
    let away = Arc::new(AtomicBool::new(false));
    let books = Books::new(Flaky { inner: Sqlite::open(&file.path()).await.unwrap(), away: Arc::clone(&away) });
    let account = account(&books, 1000).await;
    let (journal, _) = Journal::start(books.clone());
    let hold = hold(&account, 100);
    journal.hold(hold.clone()).await.unwrap();
    away.store(true, Ordering::SeqCst);
    let settled = settlement(&hold, Some(100));
    assert!(journal.settle(settled.clone()).await.is_err(), "the caller is not told that it was written");
    let record = unpaid(name("call")).request;
    journal.record(Box::new(record.clone()));
    assert!(journal.hold(super::hold(&account, 1)).await.is_err());
    away.store(false, Ordering::SeqCst);
    let calls = [&*settled.request.call, &*record.call];
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while books.requests(&calls).await.unwrap().len() < 2 {
        assert!(tokio::time::Instant::now() < deadline, "they were never written");
        tokio::task::yield_now().await;
    }
    assert_eq!(balance(&books, &account).await, (900, 0));
}
