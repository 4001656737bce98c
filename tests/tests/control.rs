//! Changes of operators are applied once at the start, and again only after a change of settings.

use std::sync::{
    Arc, Mutex,
    mpsc::{self, Receiver},
};

use gateway_runtime::{
    control::{OperatorSettings, SettingsSnapshot},
    store::{ChangeKind, Command, Credit, OperatorChange, Store},
};
use serde_json::{Value, json};

use crate::database::{Database, each_database};

/// Starts the settings of operators; returns them, and the snapshots that were applied.
async fn start(books: &Store) -> (Arc<OperatorSettings>, Receiver<SettingsSnapshot>) {
    let (applied, told) = mpsc::channel();
    let applied = Mutex::new(applied);
    let control = OperatorSettings::start(books.clone(), move |snapshot| {
        applied.lock().unwrap().send(snapshot.clone()).unwrap()
    });
    (control.await.unwrap(), told)
}

async fn set(books: &Store, kind: ChangeKind, subject: &str, document: Value) {
    let edit = OperatorChange {
        at: 1,
        who: "a test".into(),
        kind,
        subject: subject.into(),
        document: document.to_string(),
    };
    books.commit(&[Command::OperatorChange(edit)]).await.unwrap();
}

/// Opens an account with money: changes that set nothing.
async fn open(books: &Store, account: &str) {
    let (account, who) = (Arc::<str>::from(account), Arc::<str>::from("a test"));
    let open = Command::OpenAccount {
        account: Arc::clone(&account),
        plan: "standard".into(),
        at: 1,
        who: Arc::clone(&who),
    };
    let amount = "1 USD".parse().unwrap();
    let credit = Credit { account, amount, reference: "r".into(), at: 1, who };
    books.commit(&[open, Command::Credit(credit)]).await.unwrap();
}

fn applied(told: &Receiver<SettingsSnapshot>) -> Vec<SettingsSnapshot> {
    told.try_iter().collect()
}

each_database! {
    async fn settings_are_applied_at_the_start_and_after_a_change(database: Database) {
        let books = database.books().await;
        let (control, told) = start(&books).await;
        let [first] = &applied(&told)[..] else { panic!("not once") };
        assert_eq!((first.version, first.limits.is_none()), (0, true));
        // No news, and news that set nothing.
        control.refresh().await.unwrap();
        open(&books, "acme").await;
        control.refresh().await.unwrap();
        assert_eq!(
            (applied(&told).len(), control.current().version),
            (0, books.version().await.unwrap())
        );
        // A setting among the news, and before the last of them.
        open(&books, "gilt").await;
        set(&books, ChangeKind::Limits, "", json!({ "total": "1/s" })).await;
        set(&books, ChangeKind::Provider, "smtp", json!({ "enabled": false })).await;
        set(
            &books,
            ChangeKind::Prices,
            "",
            json!({ "effective_at": "2020-01-01T00:00:00Z", "prices": [] }),
        )
        .await;
        set(&books, ChangeKind::Limits, "", json!({ "total": "2/s" })).await;
        open(&books, "plain").await;
        control.refresh().await.unwrap();
        let applied_now = applied(&told);
        let last = applied_now.last().unwrap();
        // Another reader of the store has all of it from the start.
        let (_other, told) = start(&books).await;
        let [first] = &applied(&told)[..] else { panic!("not once") };
        for snapshot in [last, first] {
            assert_eq!(snapshot.providers["smtp"].enabled, Some(false));
            assert_eq!(snapshot.prices.len(), 1);
            let limits = serde_json::to_value(snapshot.limits.as_ref().unwrap()).unwrap();
            assert_eq!(limits["total"]["rate"], "2/s", "{limits}");
        }
    }
}
