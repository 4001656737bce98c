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

async fn claimed(store: &Store, claim: &Claim) -> ClaimOutcome {
    match one(store, Command::Claim(claim.clone())).await {
        CommandOutcome::Claim(claimed) => claimed,
        other => panic!("{other:?}"),
    }
}

fn close(claim: &Claim, closing: ClaimEnd) -> Command {
    let call = name("call");
    settle(Settlement {
        claim: Some(SettledClaim {
            key: Arc::clone(&claim.key),
            fence: Arc::clone(&claim.fence),
            end: closing,
        }),
        ..unpaid(call)
    })
}

fn answer(text: &str) -> ClaimEnd {
    ClaimEnd::Complete { reply: text.to_owned(), until: 1000 }
}

each_database! {
    async fn claim_is_granted_to_one_of_many(store: Store) {
        let key = name("key");
        let claims: Vec<_> = (0..10).map(|_| Command::Claim(claim(&key, 0))).collect();
        let outcomes = store.commit(&claims).await.unwrap();
        let granted = outcomes.iter().filter(|o| **o == CommandOutcome::Claim(ClaimOutcome::Granted)).count();
        let waiting = outcomes.iter().filter(|o| **o == CommandOutcome::Claim(ClaimOutcome::InProgress(60))).count();
        assert_eq!((granted, waiting), (1, 9));
    }

    async fn stored_answer_is_replayed_to_the_same_request(store: Store) {
        let key = name("key");
        let first = claim(&key, 0);
        assert_eq!(claimed(&store, &first).await, ClaimOutcome::Granted);
        let other = Claim { fingerprint: "g".into(), ..claim(&key, 1) };
        assert_eq!(claimed(&store, &other).await, ClaimOutcome::Mismatch);
        one(&store, close(&first, answer("done"))).await;
        assert_eq!(claimed(&store, &claim(&key, 2)).await, ClaimOutcome::Done("done".to_owned()));
        assert_eq!(claimed(&store, &other).await, ClaimOutcome::Mismatch);
        // The answer is stored until 1000; then the key is free.
        assert_eq!(claimed(&store, &Claim { at: 1001, ..other }).await, ClaimOutcome::Granted);
    }

    async fn claims_that_ended_long_ago_are_deleted(store: Store) {
        // These claims are older than those of other tests, which share the database.
        let (done, open) = (name("key"), name("key"));
        let first = claim(&done, -9000);
        claimed(&store, &first).await;
        one(&store, close(&first, ClaimEnd::Complete { reply: "done".to_owned(), until: -1000 })).await;
        claimed(&store, &Claim { once: true, ..claim(&open, -9000) }).await;
        one(&store, Command::ExpireClaims { answered: -1000, open: -8940 }).await;
        assert_eq!(claimed(&store, &claim(&done, -5000)).await, ClaimOutcome::Done("done".to_owned()));
        assert_eq!(claimed(&store, &claim(&open, -5000)).await, ClaimOutcome::Unknown);
        one(&store, Command::ExpireClaims { answered: -999, open: -8939 }).await;
        // A request at a time before their expiry finds nothing.
        assert_eq!(claimed(&store, &claim(&done, -5000)).await, ClaimOutcome::Granted);
        assert_eq!(claimed(&store, &claim(&open, -5000)).await, ClaimOutcome::Granted);
    }

    async fn keys_are_counted_in_bytes_and_refused_without_room(store: Store) {
        let before = store.anonymous_bytes().await.unwrap();
        let counted = |key: &Arc<str>| Claim { bytes: Some(300), ..claim(key, 0) };
        let keys = [(); 3].map(|()| name("key"));
        let [first, second, third] = keys.each_ref().map(counted);
        for claim in [&first, &second] {
            assert_eq!(claimed(&store, claim).await, ClaimOutcome::Granted);
        }
        one(&store, close(&first, answer("ten letters"))).await;
        one(&store, close(&second, ClaimEnd::Release)).await;
        assert_eq!(store.anonymous_bytes().await.unwrap(), before + 311);
        let without = |claim: Claim| Claim { has_room: false, fence: name("fence"), ..claim };
        assert_eq!(claimed(&store, &without(first)).await, ClaimOutcome::Done("ten \
            letters".to_owned()));
        for new in [second, third] {
            assert_eq!(claimed(&store, &without(new)).await, ClaimOutcome::NoRoom);
        }
        one(&store, Command::Claim(claim(&keys[1], 0))).await;
        assert_eq!(store.anonymous_bytes().await.unwrap(), before + 311, "that of a known caller");
    }

    async fn key_is_free_when_released(store: Store) {
        let key = name("key");
        let first = claim(&key, 0);
        claimed(&store, &first).await;
        one(&store, close(&first, ClaimEnd::Release)).await;
        assert_eq!(claimed(&store, &claim(&key, 1)).await, ClaimOutcome::Granted);
    }

    async fn claim_is_unchanged_by_a_holder_with_an_old_fence(store: Store) {
        let key = name("key");
        let (first, second) = (claim(&key, 0), claim(&key, 61));
        claimed(&store, &first).await;
        assert_eq!(claimed(&store, &second).await, ClaimOutcome::Granted, "the lease was over");
        one(&store, close(&first, answer("late"))).await;
        one(&store, close(&first, ClaimEnd::Release)).await;
        let renew = Command::Renew { key: Arc::clone(&key), fence: Arc::clone(&first.fence), until: 500 };
        assert_eq!(one(&store, renew).await, CommandOutcome::Renewed(false));
        assert_eq!(claimed(&store, &claim(&key, 62)).await, ClaimOutcome::InProgress(121));
        let renew = Command::Renew { key: Arc::clone(&key), fence: Arc::clone(&second.fence), until: 500 };
        assert_eq!(one(&store, renew).await, CommandOutcome::Renewed(true));
        assert_eq!(claimed(&store, &claim(&key, 62)).await, ClaimOutcome::InProgress(500));
    }

    async fn once_claim_becomes_unknown_when_its_lease_ends(store: Store) {
        let key = name("key");
        claimed(&store, &Claim { once: true, ..claim(&key, 0) }).await;
        assert_eq!(claimed(&store, &claim(&key, 61)).await, ClaimOutcome::Unknown);
        assert_eq!(claimed(&store, &claim(&key, 62)).await, ClaimOutcome::Unknown);
    }

    async fn free_key_is_granted_to_the_first_of_a_batch(store: Store) {
        let key = name("key");
        claimed(&store, &claim(&key, 0)).await;
        let two = [Command::Claim(claim(&key, 61)), Command::Claim(claim(&key, 61))];
        let outcomes = store.commit(&two).await.unwrap();
        assert_eq!(outcomes, [ClaimOutcome::Granted, ClaimOutcome::InProgress(121)].map(CommandOutcome::Claim));
    }
}
