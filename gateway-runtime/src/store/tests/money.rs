//! Balances, holds, charges.

use super::*;

each_database! {
    async fn reference_is_credited_once(store: Store) {
        let account = account(&store, 100).await;
        let more = credit(&account, 50);
        assert_eq!(one(&store, Command::Credit(more.clone())).await, CommandOutcome::Credit(CreditOutcome::Credited));
        assert_eq!(one(&store, Command::Credit(more.clone())).await, CommandOutcome::Credit(CreditOutcome::Duplicate));
        let other = Credit { amount: usd(51), ..more.clone() };
        assert_eq!(one(&store, Command::Credit(other)).await, CommandOutcome::Credit(CreditOutcome::Mismatch));
        let again = [Command::Credit(Credit { reference: name("r"), ..more.clone() }), Command::Credit(more)];
        let twice = store.commit(&[again[0].clone(), again[0].clone(), again[1].clone()]).await.unwrap();
        let expected = [CreditOutcome::Credited, CreditOutcome::Duplicate, CreditOutcome::Duplicate].map(CommandOutcome::Credit);
        assert_eq!(twice, expected);
        assert_eq!(balance(&store, &account).await, (200, 0));
    }

    async fn unknown_account_has_no_credits_and_holds(store: Store) {
        let nobody = name("nobody");
        assert_eq!(one(&store, Command::Credit(credit(&nobody, 5))).await, CommandOutcome::Credit(CreditOutcome::NoAccount));
        assert_eq!(one(&store, Command::Hold(hold(&nobody, 5))).await, CommandOutcome::Hold(HoldOutcome::Insufficient { available: 0 }));
    }

    async fn credit_is_refused_when_the_balance_would_overflow(store: Store) {
        let account = account(&store, i64::MAX - 10).await;
        assert_eq!(one(&store, Command::Hold(hold(&account, 100))).await, CommandOutcome::Hold(HoldOutcome::Held));
        assert_eq!(one(&store, Command::Credit(credit(&account, 11))).await, CommandOutcome::Credit(CreditOutcome::Overflow));
        assert_eq!(one(&store, Command::Credit(credit(&account, 10))).await, CommandOutcome::Credit(CreditOutcome::Credited));
    }

    async fn batch_holds_no_more_than_the_balance(store: Store) {
        let account = account(&store, 250).await;
        let holds: Vec<_> = (0..4).map(|_| Command::Hold(hold(&account, 100))).collect();
        let outcomes = store.commit(&holds).await.unwrap();
        let insufficient = HoldOutcome::Insufficient { available: 50 };
        assert_eq!(outcomes, [HoldOutcome::Held, HoldOutcome::Held, insufficient, insufficient].map(CommandOutcome::Hold));
        assert_eq!(balance(&store, &account).await, (50, 200));
    }

    async fn a_charge_is_at_most_what_was_held(store: Store) {
        let account = account(&store, 1000).await;
        for (cost, left) in [(Some(30), 970), (Some(0), 970), (Some(500), 870), (Some(100), 770)] {
            let hold = hold(&account, 100);
            assert_eq!(one(&store, Command::Hold(hold.clone())).await, CommandOutcome::Hold(HoldOutcome::Held));
            assert_eq!(one(&store, settle(settlement(&hold, cost))).await, CommandOutcome::Settled);
            assert_eq!(balance(&store, &account).await, (left, 0), "{cost:?}");
        }
    }

    async fn the_ledger_is_in_the_order_in_which_it_was_written(store: Store) {
        let account = account(&store, 1000).await;
        let hold = hold(&account, 100);
        one(&store, Command::Hold(hold.clone())).await;
        one(&store, settle(settlement(&hold, Some(30)))).await;
        one(&store, Command::Credit(credit(&account, 500))).await;
        let entries = store.entries(&account, None, 10).await.unwrap();
        let amounts: Vec<_> = entries.iter().map(|entry| (entry.kind.as_str(), entry.amount)).collect();
        assert_eq!(amounts, [("credit", 500), ("charge", 30), ("credit", 1000)]);
    }

    async fn hold_is_kept_when_the_outcome_is_unknown(store: Store) {
        let account = account(&store, 1000).await;
        let hold = hold(&account, 100);
        one(&store, Command::Hold(hold.clone())).await;
        one(&store, settle(settlement(&hold, None))).await;
        assert_eq!(balance(&store, &account).await, (900, 100));
    }

    async fn released_money_can_be_held_in_the_same_batch(store: Store) {
        let account = account(&store, 100).await;
        let first = hold(&account, 100);
        one(&store, Command::Hold(first.clone())).await;
        let batch = [Command::Hold(hold(&account, 100)), settle(settlement(&first, Some(0)))];
        assert_eq!(store.commit(&batch).await.unwrap(), [CommandOutcome::Hold(HoldOutcome::Held), CommandOutcome::Settled]);
        assert_eq!(balance(&store, &account).await, (0, 100));
    }

    async fn a_call_is_charged_once(store: Store) {
        let account = account(&store, 1000).await;
        let hold = hold(&account, 100);
        one(&store, Command::Hold(hold.clone())).await;
        one(&store, settle(settlement(&hold, Some(100)))).await;
        // The same settlement again, as after a commit whose outcome was ambiguous.
        let row = store.requests(&[&hold.call]).await.unwrap();
        let again = Settlement { request: RequestRecord { price: Some(7), ..row[0].clone() }, ..settlement(&hold, Some(100)) };
        assert_eq!(one(&store, settle(again)).await, CommandOutcome::Settled);
        assert_eq!(store.requests(&[&hold.call]).await.unwrap(), row, "it changes nothing");
        assert_eq!(store.entries(&account, None, 10).await.unwrap().len(), 2);
        assert!(store.commit(&[Command::Hold(hold.clone()), Command::Hold(hold)]).await.unwrap_err().is_refusal());
        assert_eq!(balance(&store, &account).await, (900, 0));
    }
}
