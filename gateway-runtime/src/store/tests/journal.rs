//! Batches: what many write at once is committed together, and one that is refused takes nobody down.

use futures_util::future::join_all;

use super::{super::Journal, *};

each_database! {
    async fn money_for_a_hundred_calls_pays_for_a_hundred(books: Books) {
        let account = account(&books, 1000).await;
        let journal = Journal::start(books.clone());
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

    async fn a_change_that_is_refused_takes_nobody_down(books: Books) {
        let account = account(&books, 1000).await;
        let journal = Journal::start(books.clone());
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
