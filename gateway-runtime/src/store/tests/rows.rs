//! Provisional rows: of streams that have not ended, and of calls that were taken for abandoned.

use super::*;

fn attributed(account: &Arc<str>, nanos: i64) -> Hold {
    let attribution = Attribution {
        request_id: "theirs".to_owned(),
        user: Some("ada".into()),
        origin: "ws".into(),
        service: "currency".into(),
        version: 2,
        method: "buy".into(),
        peer: Some("::1".to_owned()),
        trace: None,
        provider: None,
    };
    Hold { attribution: Arc::new(attribution), ..hold(account, nanos) }
}

async fn row(store: &Store, call: &str) -> RequestRecord {
    let mut rows = store.requests(&[call]).await.unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.pop().unwrap()
}

/// Returns the code and the price of a row.
fn code_and_price(row: &RequestRecord) -> (Option<&str>, Option<i64>) {
    (row.code.as_deref(), row.price)
}

each_database! {
    async fn row_of_a_stream_is_completed_in_any_order(store: Store) {
        let ended = unpaid(name("call"));
        let begun = |call: &Settlement| {
            let request = RequestRecord { code: Some("streaming".into()), cost: None, attempts: None, ..call.request.clone() };
            Settlement { request, ..call.clone() }
        };
        store.commit(&[settle(begun(&ended))]).await.unwrap();
        assert_eq!(row(&store, &ended.request.call).await, begun(&ended).request);
        store.commit(&[settle(ended.clone())]).await.unwrap();
        assert_eq!(row(&store, &ended.request.call).await, ended.request);
        // The end follows the beginning without a read in between.
        let quick = unpaid(name("call"));
        store.commit(&[settle(begun(&quick))]).await.unwrap();
        store.commit(&[settle(quick.clone())]).await.unwrap();
        let at_once = unpaid(name("call"));
        store.commit(&[settle(begun(&at_once)), settle(at_once.clone())]).await.unwrap();
        // The row of the beginning is written late, after the end.
        let (late, later) = (unpaid(name("call")), unpaid(name("call")));
        store.commit(&[settle(late.clone()), settle(later.clone())]).await.unwrap();
        store.commit(&[settle(begun(&late))]).await.unwrap();
        for ended in [quick, at_once, late, later.clone()] {
            assert_eq!(row(&store, &ended.request.call).await, ended.request);
        }
        store.commit(&[settle(begun(&later))]).await.unwrap();
        assert_eq!(row(&store, &later.request.call).await, later.request);
    }

    async fn hold_says_what_its_call_is(store: Store) {
        let account = account(&store, 1000).await;
        let held = attributed(&account, 10);
        one(&store, Command::Hold(held.clone())).await;
        assert_eq!(store.open_hold(&held.call).await.unwrap(), Some((held.clone(), false)));
        let ask = |provider: &'static str| Command::Ask { call: Arc::clone(&held.call), provider: provider.into() };
        store.commit(&[ask("a"), Command::Ask { call: name("gone"), provider: "b".into() }]).await.unwrap();
        assert_eq!(one(&store, ask("b")).await, CommandOutcome::Settled);
        let (found, _) = store.open_hold(&held.call).await.unwrap().unwrap();
        assert_eq!(found.attribution.provider.as_deref(), Some("b"));
    }

    async fn interrupted_call_has_a_row_until_it_ends_after_all(store: Store) {
        let account = account(&store, 1000).await;
        let held = [(); 3].map(|()| attributed(&account, 100));
        for hold in &held {
            one(&store, Command::Hold(hold.clone())).await;
            assert_eq!(one(&store, Command::ResolveAbandonedHold { hold: hold.clone(), charge: None }).await, CommandOutcome::Decided(true));
            assert_eq!(one(&store, Command::ResolveAbandonedHold { hold: hold.clone(), charge: None }).await, CommandOutcome::Decided(false), "it is known");
            let row = row(&store, &hold.call).await;
            assert_eq!((code_and_price(&row), &*row.method, row.version), ((Some("interrupted"), None), "buy", 2));
        }
        let [late, decided, released] = held;
        // The gateway had not died: the database was unavailable for longer than the grace.
        one(&store, settle(settlement(&late, Some(30)))).await;
        assert_eq!(code_and_price(&row(&store, &late.call).await), (None, Some(1_000_000)));
        assert_eq!(balance(&store, &account).await, (770, 200));
        for (hold, charge) in [(&decided, 40), (&released, 0)] {
            let price = RequestRecord { price: Some(charge), currency: usd(0).currency().into(), ..row(&store, &hold.call).await };
            let decide = |charge| Command::ResolveUnknownHold {
                hold: hold.clone(),
                charge: usd(charge),
                request: Some(Box::new(price.clone())),
                at: 7,
                who: "ada".into(),
            };
            assert_eq!(one(&store, decide(charge)).await, CommandOutcome::Decided(true));
            assert_eq!(one(&store, decide(9)).await, CommandOutcome::Decided(false));
            // An operator's decision stays when a late settlement arrives.
            one(&store, settle(settlement(hold, Some(30)))).await;
            assert_eq!(code_and_price(&row(&store, &hold.call).await), (Some("interrupted"), Some(charge)));
        }
        assert_eq!(balance(&store, &account).await, (930, 0));
    }

    async fn claim_that_may_have_been_written_is_undone(store: Store) {
        let claim = |key: &Arc<str>| Claim {
            key: Arc::clone(key), fingerprint: "f".into(), fence: name("fence"), at: 0, until: 60, once: true, bytes: None, has_room: true };
        let undo = |claim: &Claim| {
            let claim = Some(SettledClaim { key: Arc::clone(&claim.key), fence: Arc::clone(&claim.fence), end: ClaimEnd::Undo });
            settle(Settlement { claim, ..unpaid(name("call")) })
        };
        let key = name("key");
        let (first, second) = (claim(&key), claim(&key));
        let granted = CommandOutcome::Claim(ClaimOutcome::Granted);
        assert_eq!(one(&store, Command::Claim(first.clone())).await, granted);
        one(&store, undo(&first)).await;
        assert_eq!(one(&store, Command::Claim(second.clone())).await, granted);
        // The claim was never written, and another call holds the key.
        one(&store, undo(&first)).await;
        assert_eq!(one(&store, Command::Claim(claim(&key))).await, CommandOutcome::Claim(ClaimOutcome::InProgress(60)));
        one(&store, undo(&second)).await;
        // The claim and its undo are in one batch, in either order.
        let third = claim(&key);
        store.commit(&[undo(&third), Command::Claim(third.clone())]).await.unwrap();
        store.commit(&[Command::Claim(third.clone()), undo(&third)]).await.unwrap();
        assert_eq!(one(&store, Command::Claim(claim(&key))).await, granted);
    }
}
