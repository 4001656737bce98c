//! What operators change is applied where a gateway says: once at the start, and again only when something was set.

use std::sync::{
    Arc, Mutex,
    mpsc::{self, Receiver},
};

use gateway_runtime::{
    control::{Control, Snapshot},
    store::{Books, Change, Credit, Edit, EditKind},
};
use serde_json::{Value, json};

use crate::database::{Database, each_database};

/// What holds, and what was applied of it.
async fn start(books: &Books) -> (Arc<Control>, Receiver<Snapshot>) {
    let (applied, told) = mpsc::channel();
    let applied = Mutex::new(applied);
    let control =
        Control::start(books.clone(), move |snapshot| applied.lock().unwrap().send(snapshot.clone()).unwrap());
    (control.await.unwrap(), told)
}

async fn set(books: &Books, kind: EditKind, subject: &str, document: Value) {
    let edit = Edit { at: 1, who: "a test".into(), kind, subject: subject.into(), document: document.to_string() };
    books.commit(&[Change::Edit(edit)]).await.unwrap();
}

/// An account and money: changes that set nothing.
async fn open(books: &Books, account: &str) {
    let (account, who) = (Arc::<str>::from(account), Arc::<str>::from("a test"));
    let open = Change::Open { account: Arc::clone(&account), plan: "standard".into(), at: 1, who: Arc::clone(&who) };
    let amount = "1 USD".parse().unwrap();
    let credit = Credit { account, amount, reference: "r".into(), at: 1, who };
    books.commit(&[open, Change::Credit(credit)]).await.unwrap();
}

fn applied(told: &Receiver<Snapshot>) -> Vec<Snapshot> {
    told.try_iter().collect()
}

each_database! {
    async fn it_is_applied_at_the_start_and_when_something_was_set(database: Database) {
        let books = database.books().await;
        let (control, told) = start(&books).await;
        let [first] = &applied(&told)[..] else { panic!("not once") };
        assert_eq!((first.version, first.limits.is_none()), (0, true));
        // Nothing new, and news that set nothing.
        control.refresh().await.unwrap();
        open(&books, "acme").await;
        control.refresh().await.unwrap();
        assert_eq!((applied(&told).len(), control.current().version), (0, books.version().await.unwrap()));
        // What was set among them, and before the last of them.
        open(&books, "gilt").await;
        set(&books, EditKind::Limits, "", json!({ "total": "1/s" })).await;
        set(&books, EditKind::Provider, "smtp", json!({ "enabled": false })).await;
        set(&books, EditKind::Prices, "", json!({ "effective_at": "2020-01-01T00:00:00Z", "prices": [] })).await;
        set(&books, EditKind::Limits, "", json!({ "total": "2/s" })).await;
        open(&books, "plain").await;
        control.refresh().await.unwrap();
        let applied_now = applied(&told);
        let last = applied_now.last().unwrap();
        // Another reader of the books has it all too, from the start.
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
