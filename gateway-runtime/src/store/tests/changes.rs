//! Operators' changes.

use super::*;

fn edit(kind: ChangeKind, subject: &Arc<str>, document: &str) -> Command {
    Command::OperatorChange(OperatorChange {
        at: 5,
        who: "ada".into(),
        kind,
        subject: Arc::clone(subject),
        document: document.to_owned(),
    })
}

each_database! {
    async fn provider_overrides_change_one_by_one(store: Store) {
        let provider = name("provider");
        let off = edit(ChangeKind::Provider, &provider, r#"{"enabled":false,"weight":3}"#);
        assert_eq!(one(&store, off).await, CommandOutcome::Changed(r#"{"enabled":false,"weight":3}"#.to_owned()));
        let batch = [r#"{"order":7}"#, r#"{"enabled":true}"#].map(|doc| edit(ChangeKind::Provider, &provider, doc));
        let outcomes = store.commit(&batch).await.unwrap();
        let last = r#"{"enabled":true,"weight":3,"order":7}"#;
        assert_eq!(outcomes[1], CommandOutcome::Changed(last.to_owned()));
        let now = store.settings(0, i64::MAX).await.unwrap();
        let of_it: Vec<_> = now.iter().filter(|edited| *edited.subject == *provider).collect();
        assert_eq!(of_it.len(), 1);
        assert_eq!((of_it[0].kind, &*of_it[0].document, &*of_it[0].who), (ChangeKind::Provider, last, "ada"));
        assert!(store.version().await.unwrap() >= of_it[0].id);
    }

    async fn settings_have_all_price_lists_and_the_latest_limits(store: Store) {
        let (list, limits) = (name("list"), name("limits"));
        for number in 0..3 {
            one(&store, edit(ChangeKind::Prices, &list, &format!("[{number}]"))).await;
            one(&store, edit(ChangeKind::Limits, &limits, &format!("[{number}]"))).await;
        }
        let now = store.settings(0, i64::MAX).await.unwrap();
        let documents = |subject: &Arc<str>| {
            now.iter().filter(|edited| *edited.subject == **subject).map(|e| e.document.clone()).collect::<Vec<_>>()
        };
        assert_eq!(documents(&list), ["[0]", "[1]", "[2]"]);
        assert_eq!(documents(&limits), ["[2]"]);
    }

    async fn an_account_has_its_plan(store: Store) {
        let account = account(&store, 1).await;
        assert_eq!(store.plan(&account).await.unwrap().as_deref(), Some("standard"));
        assert_eq!(store.plan(&name("nobody")).await.unwrap(), None);
    }

    async fn abandoned_holds_are_found(store: Store) {
        let account = account(&store, 1000).await;
        let (late, current) = (hold(&account, 10), Hold { until: i64::MAX, ..hold(&account, 20) });
        let kept = hold(&account, 30);
        store.commit(&[&late, &current, &kept].map(|hold| Command::Hold(hold.clone()))).await.unwrap();
        one(&store, settle(settlement(&kept, None))).await;
        let overdue = |store: Store, account: Arc<str>| async move {
            let found = store.abandoned_holds(2000).await.unwrap();
            found.into_iter().filter(|hold| hold.account == account).collect::<Vec<_>>()
        };
        assert_eq!(overdue(store.clone(), Arc::clone(&account)).await, std::slice::from_ref(&late));
        assert_eq!(one(&store, Command::ResolveAbandonedHold { hold: late.clone(), charge: Some(usd(0)) }).await, CommandOutcome::Decided(true));
        assert_eq!(one(&store, Command::ResolveAbandonedHold { hold: late, charge: Some(usd(0)) }).await, CommandOutcome::Decided(false));
        assert_eq!(overdue(store.clone(), Arc::clone(&account)).await, []);
        assert_eq!(balance(&store, &account).await, (950, 50));
    }

    async fn hold_is_not_placed_when_its_call_has_ended(store: Store) {
        let account = account(&store, 1000).await;
        let hold = hold(&account, 10);
        store.commit(&[Command::Hold(hold.clone()), settle(settlement(&hold, Some(0)))]).await.unwrap();
        assert_eq!(balance(&store, &account).await, (1000, 0));
    }
}
