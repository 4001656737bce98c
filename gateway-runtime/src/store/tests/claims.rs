//! Idempotency keys.

use super::*;

fn claim(key: &Arc<str>, at: i64) -> Claim {
    Claim {
        key: Arc::clone(key),
        fingerprint: "f".into(),
        fence: name("fence"),
        at,
        until: at + 60,
        once: false,
        bytes: None,
        has_room: true,
    }
}

async fn claimed(books: &Books, claim: &Claim) -> Claimed {
    match one(books, Change::Claim(claim.clone())).await {
        Outcome::Claim(claimed) => claimed,
        other => panic!("{other:?}"),
    }
}

fn close(claim: &Claim, closing: Closing) -> Change {
    let call = name("call");
    settle(Settlement { claim: Some((Arc::clone(&claim.key), Arc::clone(&claim.fence), closing)), ..unpaid(call) })
}

fn answer(text: &str) -> Closing {
    Closing::Answer(text.to_owned(), 1000)
}

each_database! {
    async fn one_of_many_is_granted(books: Books) {
        let key = name("key");
        let claims: Vec<_> = (0..10).map(|_| Change::Claim(claim(&key, 0))).collect();
        let outcomes = books.commit(&claims).await.unwrap();
        let granted = outcomes.iter().filter(|o| **o == Outcome::Claim(Claimed::Granted)).count();
        let waiting = outcomes.iter().filter(|o| **o == Outcome::Claim(Claimed::InProgress(60))).count();
        assert_eq!((granted, waiting), (1, 9));
    }

    async fn an_answer_is_given_again_to_the_same_request(books: Books) {
        let key = name("key");
        let first = claim(&key, 0);
        assert_eq!(claimed(&books, &first).await, Claimed::Granted);
        let other = Claim { fingerprint: "g".into(), ..claim(&key, 1) };
        assert_eq!(claimed(&books, &other).await, Claimed::Mismatch);
        one(&books, close(&first, answer("done"))).await;
        assert_eq!(claimed(&books, &claim(&key, 2)).await, Claimed::Done("done".to_owned()));
        assert_eq!(claimed(&books, &other).await, Claimed::Mismatch);
        // Kept until 1000, then the key is free.
        assert_eq!(claimed(&books, &Claim { at: 1001, ..other }).await, Claimed::Granted);
    }

    async fn keys_of_long_ago_are_forgotten(books: Books) {
        // Longer ago than those of other tests, which share this database.
        let (done, open) = (name("key"), name("key"));
        let first = claim(&done, -9000);
        claimed(&books, &first).await;
        one(&books, close(&first, Closing::Answer("done".to_owned(), -1000))).await;
        claimed(&books, &Claim { once: true, ..claim(&open, -9000) }).await;
        one(&books, Change::Forget { answered: -1000, open: -8940 }).await;
        assert_eq!(claimed(&books, &claim(&done, -5000)).await, Claimed::Done("done".to_owned()));
        assert_eq!(claimed(&books, &claim(&open, -5000)).await, Claimed::Unknown);
        one(&books, Change::Forget { answered: -999, open: -8939 }).await;
        // Whoever asks at a time when they would still stand finds nothing.
        assert_eq!(claimed(&books, &claim(&done, -5000)).await, Claimed::Granted);
        assert_eq!(claimed(&books, &claim(&open, -5000)).await, Claimed::Granted);
    }

    async fn keys_are_counted_in_bytes_and_refused_without_room(books: Books) {
        let before = books.anonymous_bytes().await.unwrap();
        let counted = |key: &Arc<str>| Claim { bytes: Some(300), ..claim(key, 0) };
        let keys = [(); 3].map(|()| name("key"));
        let [first, second, third] = keys.each_ref().map(counted);
        for claim in [&first, &second] {
            assert_eq!(claimed(&books, claim).await, Claimed::Granted);
        }
        one(&books, close(&first, answer("ten letters"))).await;
        one(&books, close(&second, Closing::Release)).await;
        assert_eq!(books.anonymous_bytes().await.unwrap(), before + 311);
        let without = |claim: Claim| Claim { has_room: false, fence: name("fence"), ..claim };
        assert_eq!(claimed(&books, &without(first)).await, Claimed::Done("ten letters".to_owned()));
        for new in [second, third] {
            assert_eq!(claimed(&books, &without(new)).await, Claimed::NoRoom);
        }
        one(&books, Change::Claim(claim(&keys[1], 0))).await;
        assert_eq!(books.anonymous_bytes().await.unwrap(), before + 311, "that of a known caller");
    }

    async fn a_key_that_was_released_is_free(books: Books) {
        let key = name("key");
        let first = claim(&key, 0);
        claimed(&books, &first).await;
        one(&books, close(&first, Closing::Release)).await;
        assert_eq!(claimed(&books, &claim(&key, 1)).await, Claimed::Granted);
    }

    async fn whoever_is_late_changes_nothing(books: Books) {
        let key = name("key");
        let (first, second) = (claim(&key, 0), claim(&key, 61));
        claimed(&books, &first).await;
        assert_eq!(claimed(&books, &second).await, Claimed::Granted, "the lease was over");
        one(&books, close(&first, answer("late"))).await;
        one(&books, close(&first, Closing::Release)).await;
        let renew = Change::Renew { key: Arc::clone(&key), fence: Arc::clone(&first.fence), until: 500 };
        assert_eq!(one(&books, renew).await, Outcome::Renewed(false));
        assert_eq!(claimed(&books, &claim(&key, 62)).await, Claimed::InProgress(121));
        let renew = Change::Renew { key: Arc::clone(&key), fence: Arc::clone(&second.fence), until: 500 };
        assert_eq!(one(&books, renew).await, Outcome::Renewed(true));
        assert_eq!(claimed(&books, &claim(&key, 62)).await, Claimed::InProgress(500));
    }

    async fn what_must_happen_once_is_not_begun_again(books: Books) {
        let key = name("key");
        claimed(&books, &Claim { once: true, ..claim(&key, 0) }).await;
        assert_eq!(claimed(&books, &claim(&key, 61)).await, Claimed::Unknown);
        assert_eq!(claimed(&books, &claim(&key, 62)).await, Claimed::Unknown);
    }

    async fn two_take_a_free_key_in_one_batch(books: Books) {
        let key = name("key");
        claimed(&books, &claim(&key, 0)).await;
        let two = [Change::Claim(claim(&key, 61)), Change::Claim(claim(&key, 61))];
        let outcomes = books.commit(&two).await.unwrap();
        assert_eq!(outcomes, [Claimed::Granted, Claimed::InProgress(121)].map(Outcome::Claim));
    }
}
